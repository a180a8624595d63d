#!/bin/bash
# all-down.sh [--when-alone]: pulls the plug of every guest in NODES_DIR and lets go of their networks; the guests' disks stay.
# --when-alone: as soon as standard input ends, as it does with the process at its other end.
. "$(dirname "$0")/lib.sh"
[ "${1:-}" != --when-alone ] || cat > /dev/null
exec 9> "$NODES_DIR/.lock"
flock 9
for d in "$NODES_DIR"/guests/*/*/; do
    [ ! -d "$d" ] || NODES_NS=$(basename "$(dirname "$d")") STOP_TIMEOUT=0 "$here/guest-down.sh" "$(basename "$d")" --keep 9>&- &
done
wait
for d in "$NODES_DIR"/run/*/; do
    [ ! -d "$d" ] || NODES_NS=$(basename "$d") "$here/net-down.sh" 9>&-
done
