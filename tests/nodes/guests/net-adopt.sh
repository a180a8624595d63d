#!/bin/bash
# net-adopt.sh PID: a network that somebody else made takes guests: that of process PID, with a bridge br0 at NODES_GW. Without DHCP and metadata
# service: its guests have config drives. net-down.sh lets go of it.
. "$(dirname "$0")/lib.sh"
[ -d "/proc/$1" ] || die "the network is down"
mkdir -p "$run" "$guests"
named=/run/netns/$NODES_NS
[ "$named" -ef "/proc/$1/ns/net" ] && exit 0
ip netns del "$NODES_NS" 2>/dev/null || true # of an earlier one, which has ended
inotify_limits
ip netns attach "$NODES_NS" "$1"
in_net sh -euc "$bridge_as_a_switch"
for v in NODES_CIDR NODES_GW; do printf '%s=%q\n' $v "${!v}"; done > "$run/settings"
log "network adopted: $NODES_CIDR in name space $NODES_NS"
