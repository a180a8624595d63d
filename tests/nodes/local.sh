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
python3 -c 'import requests' 2> /dev/null || DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends python3-requests > /dev/null
"$HERE/image.sh"
# KCS, and the addresses of its local cloud's load balancers
export no_proxy=localhost,127.0.0.1,127.0.0.0/8
export NO_PROXY=$no_proxy
exec python3 "$HERE/local.py" "$@"
