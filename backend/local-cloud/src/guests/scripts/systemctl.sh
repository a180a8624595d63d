#!/bin/bash
# In a guest, the few verbs of systemctl that kubeadm uses. The services are kubelet and containerd, both played by nodelet.
verb=${1:-}
shift
[ "${1:-}" != --now ] && [ "${1:-}" != --quiet ] && [ "${1:-}" != -q ] || shift
unit=${1:-}
pid=/run/kubelet.pid
running() { [ -s $pid ] && kill -0 "$(cat $pid)" 2>/dev/null; }
stop() {
    running || return 0
    kill "$(cat $pid)"
    tail --pid="$(cat $pid)" -s 0.05 -f /dev/null
    rm -f /run/containerd/containerd.sock
}
case ${unit%.service} in
kubelet) ;;
containerd | "") case $verb in start | stop | restart | enable) exit 0 ;; esac ;;
*) [ "$verb" != status ] || echo "Unit $unit could not be found."; exit 4 ;;
esac
case $verb in
start | restart)
    [ "$verb" = start ] || stop
    running && exit 0
    set -a
    . /run/machine.env
    NODELET_IMAGES=/opt/kubernetes/images NODELET_PROGRAMS=/opt/kubernetes/programs NODELET_KWOK_CONFIG=/opt/kubernetes/tools/kwok-node.yaml setsid nodelet </dev/null >>/var/log/kubelet.log 2>&1 &
    echo $! >$pid
    for _ in $(seq 500); do [ ! -S /run/containerd/containerd.sock ] || break; sleep 0.02; done
    ;;
stop) stop ;;
is-active) running && echo active || { echo inactive; exit 3; } ;;
status) echo "Loaded: loaded" ;;
daemon-reload | enable | disable | is-enabled) ;;
*) echo "systemctl $verb: not in this guest" >&2; exit 1 ;;
esac
