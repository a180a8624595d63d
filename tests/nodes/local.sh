#!/bin/bash
# A cluster of full nodes in the local cloud, by `kcs dev --nodes full`. Needs root; builds the node image where it is missing, and no OpenStack.
# KCS_BIN: the program, default the debug build.
. "$(dirname "$0")/settings.sh"
[ "$(id -u)" = 0 ] || die 'must be root'
root=$(realpath "$HERE/../..")
KCS_BIN=${KCS_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/kcs}
export KCS_BIN=$(realpath "$KCS_BIN") PYTHONDONTWRITEBYTECODE=1
[ -x "$KCS_BIN" ] || die "$KCS_BIN is not built"
"$HERE/image.sh"
exec python3 "$HERE/local.py"
