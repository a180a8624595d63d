#!/bin/bash
# Brings up everything the suites need: the node image, OpenStack's programs and services, a guest behind each server. Safe to repeat.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
[ "$(id -u)" = 0 ] || { echo 'FAILED: must be root' >&2; exit 1; }
"$here/../nodes/image.sh"
"$here/lab/install.sh"
"$here/../nodes/up.sh"
