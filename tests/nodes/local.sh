#!/bin/bash
# A cluster of full nodes in the local cloud, by `kcs dev --nodes full`: `local.sh [full] [console] [refused]`, default all. Needs root, no OpenStack, and
# Chromium for the console; builds the node image where it is missing.
# KCS_BIN: the program, default the debug build.
. "$(dirname "$0")/settings.sh"
[ "$(id -u)" = 0 ] || die 'must be root'
root=$(realpath "$HERE/../..")
KCS_BIN=${KCS_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/kcs}
export KCS_BIN=$(realpath "$KCS_BIN") PYTHONDONTWRITEBYTECODE=1
[ -x "$KCS_BIN" ] || die "$KCS_BIN is not built"
"$HERE/image.sh"
exec python3 "$HERE/local.py" "$@"
