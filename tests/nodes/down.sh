#!/bin/bash
# Stops the guests, OpenStack and what up.sh made beside them. --purge also drops the cloud's databases (not its Python environment).
. "$(dirname "$0")/settings.sh"
rm -f "$OSLAB_STATE/hook"
for d in "$NODES_DIR"/guests/kn*/*/; do
    [ -d "$d" ] || continue
    d=${d%/}
    NODES_NS=$(basename "$(dirname "$d")") "$GUESTS/guest-down.sh" "$(basename "$d")" &
done
wait
for d in "$NODES_DIR"/run/kn*/; do
    [ -d "$d" ] || continue
    NODES_NS=$(basename "$d") "$GUESTS/net-down.sh"
    rmdir "$NODES_DIR/guests/$(basename "$d")" 2> /dev/null || true
done
"$OPENSTACK/down.sh" "$@"
ip link del "$LAB_LINK" 2> /dev/null || true
rm -rf "$state"
say 'no guest, no cloud'
