#!/bin/bash
# Brings up OpenStack with a booting guest behind each server: an address for this machine, the cloud, the hook. Safe to repeat.
. "$(dirname "$0")/settings.sh"
[ "$(id -u)" = 0 ] || die 'must be root'
[ -d "$NODES_DIR/image/rootfs" ] || die "no node image in $NODES_DIR: run image.sh first"
# The address is ours before anything dials it: on a bridge without ports, a /32.
ip link show "$LAB_LINK" > /dev/null 2>&1 || ip link add "$LAB_LINK" type bridge
ip address replace "$LAB_HOST/32" dev "$LAB_LINK"
ip link set "$LAB_LINK" up
mkdir -p "$state/servers"
printf 'NODES_DIR=%s\n' "$NODES_DIR" > "$state/settings"
OSLAB_HOST=$LAB_HOST OSLAB_LB_PROXY=1 "$OPENSTACK/up.sh"
ln -sfn "$HERE/hook" "$OSLAB_STATE/hook"
say "guests reach OpenStack at http://$LAB_HOST:5000/v3, and what listens at $LAB_HOST"
