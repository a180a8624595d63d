#!/bin/bash
# The guest's own init, inside its root file system: network, services, user-data; then waits for the order to power off.
set -uo pipefail
boot_log() { local t=$(((${EPOCHREALTIME/./} - ${START/./}))); printf '[%5d.%06d] %s\n' $((t / 1000000)) $((t % 1000000)) "$*"; }
cd /
power_off() {
    boot_log "Powering off"
    systemctl stop kubelet
    exit 0
}
trap power_off TERM
ip link set lo up
ip addr add "$ADDRESS/$PREFIX" dev eth0
ip link set eth0 up
ip route add default via "$GATEWAY"
echo 1 >/proc/sys/net/ipv4/ip_forward
boot_log "eth0: $ADDRESS/$PREFIX, default route via $GATEWAY"
echo booted >&0
exec </dev/null
if [ -n "$VERSION" ]; then
    systemctl start kubelet
    boot_log "kubelet ($VERSION, simulated containers) is started"
fi
# Once in a server's life, as cloud-init does: an interrupted first boot is not repeated.
if [ -e /var/lib/cloud/instance/user-data.sh ] && [ ! -e /var/lib/cloud/instance/started ]; then
    : >/var/lib/cloud/instance/started
    (
        /var/lib/cloud/instance/user-data.sh 2>&1 | tee -a /var/log/cloud-init-output.log
        code=${PIPESTATUS[0]}
        echo "$code" >/var/lib/cloud/instance/result
        boot_log "cloud-init: finished, exit status $code"
        printf '\n%s login: \n' "$NAME"
    ) &
else
    printf '\n%s login: \n' "$NAME"
fi
while :; do
    sleep 1000000 &
    wait $!
done
