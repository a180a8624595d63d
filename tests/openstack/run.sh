#!/bin/bash
# run.sh SUITE.py [STORY...]: runs a suite on a cloud that runs, or on one started for it and taken away afterwards.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
nodes=$(dirname "$here")/nodes
. "$nodes/settings.sh"
[ "$(id -u)" = 0 ] || die 'must be root'
root=$(dirname "$(dirname "$here")")
KCS_BIN=${KCS_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/kcs}
export KCS_BIN=$(realpath "$KCS_BIN")
[ -x "$KCS_BIN" ] || die "$KCS_BIN is not built"
if ! (. "$OPENSTACK/common.sh" && alive lb-proxy) || [ ! -e "$OSLAB_STATE/hook" ]; then
    "$here/up.sh"
    trap '"$here/down.sh"' EXIT
fi
export OS_CLIENT_CONFIG_FILE=$OPENSTACK/clouds.yaml PYTHONDONTWRITEBYTECODE=1
export no_proxy=127.0.0.1,localhost,$LAB_HOST,198.51.100.0/24
export NO_PROXY=$no_proxy
"${OSLAB_VENV:-$OSLAB_STATE/venv}/bin/python" "$@"
