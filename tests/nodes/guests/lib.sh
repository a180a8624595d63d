# Common settings and small functions; sourced by the other scripts, never run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

NODES_DIR=${NODES_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/kcs/nodes}  # image, guests, run-time state. Must be on a plain file system (ext4, xfs), not on overlayfs
NODES_NS=${NODES_NS:-nodes}                     # name of the network namespace that holds the bridge; also the prefix of all else we make
NODES_NET=${NODES_NET:-10.77.0}                 # first three octets of the guests' /24
NODES_META=169.254.169.254                      # metadata service, on the bridge

image=${NODES_IMAGE:-$NODES_DIR/image}          # several versions of Kubernetes: one image each
guests=$NODES_DIR/guests/$NODES_NS              # several networks at once, even with the same addresses: one NODES_NS each
run=$NODES_DIR/run/$NODES_NS
[ ! -e "$run/settings" ] || . "$run/settings"   # what net-up.sh was given holds for as long as the network is there
NODES_CIDR=${NODES_CIDR:-$NODES_NET.0/24}
NODES_GW=${NODES_GW:-$NODES_NET.1}              # the bridge: gateway, DHCP, DNS
NODES_DNS=${NODES_DNS:-}                        # further addresses where our DNS answers; if given, DHCP hands out these
NODES_MTU=${NODES_MTU:-1500}
NODES_UPLINK=${NODES_UPLINK:-}                  # an address of the machine that guests shall reach, and it them; none: no way in or out
NODES_OUTSIDE=${NODES_OUTSIDE:-}                # networks that guests shall reach at the machine, too

log() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }
die() { log "error: $*"; exit 1; }

enter=(nsenter --net="/run/netns/$NODES_NS")     # for what runs in the background: $! must be the program, not a function's shell
in_net() { "${enter[@]}" "$@"; }

# guest_pid NAME: the guest's PID 1, as seen from here
guest_pid() {
    local pid
    pid=$(cat "$guests/$1/pid" 2>/dev/null) || return 1
    [ -d "/proc/$pid" ] && echo "$pid"
}

# in_guest NAME CMD...: run a command inside a guest, in all its namespaces and its cgroup name space
in_guest() {
    local name=$1 pid
    shift
    pid=$(guest_pid "$name") || die "guest $name is not running"
    (
        for c in /sys/fs/cgroup/*/; do
            if [ -e "$c/$NODES_NS/$name/cgroup.procs" ]; then echo "$BASHPID" > "$c/$NODES_NS/$name/cgroup.procs"; fi
        done
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb KUBECONFIG=/etc/kubernetes/admin.conf \
            nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup --root -- sh -c 'cd / && exec "$@"' sh "$@"
    )
}

# Each guest holds some dozens of inotify instances as the same uid; 128 (the default) is used up by two of them.
inotify_limits() {
    local kv
    for kv in fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=524288; do
        [ "$(sysctl -n "${kv%=*}")" -ge "${kv#*=}" ] || sysctl -qw "$kv"
    done
}

# To be run in a network's name space: bridged frames of the guests must not pass the bridge's own netfilter.
bridge_as_a_switch='for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ -w $f ] && echo 0 > $f; done; true'

# netmask: of the guests' network, dotted
netmask() {
    local bits=${NODES_CIDR#*/} mask
    mask=$((0xffffffff << (32 - bits) & 0xffffffff))
    echo $((mask >> 24 & 255)).$((mask >> 16 & 255)).$((mask >> 8 & 255)).$((mask & 255))
}

# DHCP as Neutron does it: one reservation a port, gateway, and a host route to the metadata service (option 121)
dhcp_up() {
    local mask option
    mask=$(netmask)
    option=${NODES_DNS:-$NODES_GW}
    in_net dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --interface=br0 --bind-interfaces \
        --dhcp-range="${NODES_CIDR%/*},static,$mask,12h" --dhcp-hostsdir="$run/dhcp" --dhcp-authoritative \
        --dhcp-leasefile="$run/leases" --dhcp-option=option:router,"$NODES_GW" --dhcp-option=option:dns-server,"${option// /,}" \
        --dhcp-option=option:classless-static-route,"$NODES_META/32,$NODES_GW,0.0.0.0/0,$NODES_GW" --dhcp-option-force=26,"$NODES_MTU" \
        --hostsdir="$run/hosts" --domain=nodes.local --local=/nodes.local/ --user=root \
        --pid-file="$run/dnsmasq.pid" --log-facility="$run/dnsmasq.log" --log-dhcp
}
# dhcp_forget ADDRESS: its lease would keep the address from another MAC
dhcp_forget() {
    [ -s "$run/dnsmasq.pid" ] || return 0
    (
        flock 9
        kill_wait "$(cat "$run/dnsmasq.pid")"
        sed -i "/ ${1//./\\.} /d" "$run/leases"
        dhcp_up 9>&-
    ) 9> "$run/dhcp.lock"
}

port_of() { echo "p$(cut -d. -f3,4 <<< "$1")"; }
# cut_off NAME ADDRESS: removes its port and name space. The port by itself too: connections that its processes have left half closed
# keep the name space, and with it the other end of the port, for a minute and more.
cut_off() {
    ip netns del "$NODES_NS-$1" 2>/dev/null || true
    [ -z "$2" ] || ip -n "$NODES_NS" link del "$(port_of "$2")" 2>/dev/null || true
}

# kill_wait PID: end one process that we started
kill_wait() {
    local pid=$1 i
    kill "$pid" 2>/dev/null || return 0
    for i in $(seq 50); do [ -d "/proc/$pid" ] || return 0; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
}
