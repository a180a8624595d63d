#!/bin/bash
# Stops everything up.sh started. `down.sh --purge` also drops the databases, images, volumes and logs (not the venv).
# `down.sh NAME...` stops only those processes (names as up.sh prints them); up.sh starts them again.
. "$(dirname "$0")/common.sh"
stop() {
    local name=$1 pid
    if pid=$(pid_of "$name"); then
        kill -TERM "$pid" 2>/dev/null || true
        for _ in $(seq 100); do alive "$name" || break; sleep 0.1; done
        kill -KILL -- "-$pid" 2>/dev/null || true       # each leads a process group of its own
        say "$name stopped"
    fi
    [ "$name" != lb-proxy ] || ip link del $LB_LINK 2>/dev/null || true     # does so itself, unless it was killed
    rm -f "$RUN/$name.pid"
}
# processes with up.sh's mark for this state directory, whatever became of their parents
left() {
    { grep -lzxF "OSLAB_STATE=$S" /proc/[0-9]*/environ | xargs -r grep -lz '^OSLAB_SERVICE=' | cut -d/ -f3; } 2>/dev/null || true
}
if [ $# -gt 0 ] && [ "$1" != --purge ]; then
    for n in "$@"; do alive "$n" || die "$n is not running"; done
    for n in "$@"; do stop "$n"; done
    exit 0
fi
exclusive
base='mysql|rabbit|memcached|epmd'
for n in $(names | grep -vxE "$base"); do stop "$n" & done; wait
for n in $(names | grep -vx epmd); do stop "$n" & done; wait
for n in $(names); do stop "$n"; done
strays=$(left)
[ -z "$strays" ] || { kill -KILL $strays 2>/dev/null || true; sleep 0.5; }
[ -z "$(left)" ] || die "still running: $(left | xargs)"
rm -rf "$S/tmp"
for range in $RANGES; do ip route del unreachable $range metric 4278198272 2>/dev/null || true; done
if [ "${1:-}" = --purge ]; then
    cd "$S" && rm -rf mysql rabbit images volumes console keystone nova neutron cinder octavia lock log etc run \
        .databases faults.json* addresses.json lb-members-down.json mysql.sock*
fi
say "everything is stopped"
