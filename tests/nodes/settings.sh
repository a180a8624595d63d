# Settings and small functions; sourced by the other scripts, never run.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
export OSLAB_STATE=${OSLAB_STATE:-/var/tmp/oslab}
OPENSTACK=$(dirname "$HERE")/openstack/lab
GUESTS=$HERE/guests
export NODES_DIR=${NODES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kcs/nodes}  # node image and guests; on ext4 or xfs
LAB_HOST=198.19.255.1                                   # this machine, as guests and the main name space both reach it
LAB_LINK=kcs-lab                                        # the bridge that carries LAB_HOST
state=$OSLAB_STATE/guests

say() { printf '%4d s  %s\n' $SECONDS "$*"; }
die() { echo "FAILED: $*" >&2; exit 1; }
