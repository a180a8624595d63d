#!/bin/bash
# Runs inside the node root file system (chroot) at image build: what a cloud image of this kind has set up.
set -euo pipefail

# a first boot on every start of a new guest
: > /etc/machine-id
rm -f /etc/hostname /etc/ssh/ssh_host_*

# units that make no sense, or do harm, without hardware of one's own
systemctl mask -q systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket systemd-udev-trigger.service \
    systemd-modules-load.service sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount \
    getty.target console-getty.service systemd-timesyncd.service systemd-pcrphase.service 2>/dev/null || true
systemctl enable -q systemd-networkd.service systemd-resolved.service containerd.service

# cloud-init: the sources of real clouds, networkd as renderer
cat > /etc/cloud/cloud.cfg.d/90-node.cfg <<'E'
datasource_list: [NoCloud, ConfigDrive, OpenStack, None]
datasource:
  OpenStack: {max_wait: 30, timeout: 5, retries: 3}
system_info:
  network: {renderers: [networkd]}
E
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nReadKMsg=no\nForwardToConsole=no\n' > /etc/systemd/journald.conf.d/node.conf

# containerd: systemd cgroups, our pause image, mirrors where user-data puts them, CNI in the usual places
mkdir -p /etc/containerd /etc/cni/net.d /opt/cni/bin
cat > /etc/containerd/config.toml <<E
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
  conf_dir = "/etc/cni/net.d"
E
for f in /usr/lib/cni/*; do ln -sf "$f" /opt/cni/bin/; done
printf 'runtime-endpoint: unix:///run/containerd/containerd.sock\nimage-endpoint: unix:///run/containerd/containerd.sock\n' > /etc/crictl.yaml

# Serial numbers of disks: /sys is the machine's, and a guest has the disks that guest-volume.sh has laid down.
cat > /usr/local/bin/lsblk <<'E'
#!/bin/sh
case "$*" in
    *'--output PATH,SERIAL'*) ;;
    *) exec /usr/bin/lsblk "$@" ;;
esac
for link in /dev/disk/by-id/virtio-*; do
    if [ -e "$link" ]; then echo "$(readlink -f "$link") ${link##*/virtio-}"; fi
done
E
chmod 755 /usr/local/bin/lsblk

# kubelet: the units of the kubeadm packages
cat > /usr/lib/systemd/system/kubelet.service <<'E'
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target containerd.service

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
E
mkdir -p /usr/lib/systemd/system/kubelet.service.d
cat > /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf <<'E'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
E
# Only for guests; a real cloud image has no such lines. A guest's disk is the machine's: its fullness is no reason to evict pods and remove
# images. On a machine with cgroup v1: kubelet >= 1.35 refuses that by default.
extra="--eviction-hard=memory.available<100Mi,nodefs.available<1Gi,imagefs.available<1Gi --image-gc-high-threshold=100 --image-gc-low-threshold=99"
if [ "$CGROUP_V1" = yes ]; then extra+=" --fail-cgroupv1=false"; fi
echo "KUBELET_EXTRA_ARGS=$extra" > /etc/default/kubelet
systemctl enable -q kubelet.service
if [ "$CGROUP_V1" = yes ]; then # kubeadm's SystemVerification fails for the same reason; user-data stays as it is for a real cloud
    cat > /usr/local/bin/kubeadm <<'E'
#!/bin/sh
case "$1 $2" in
    "init phase" | "join phase" | "init "*help* | "join "*help*) ;;
    init* | join* | "upgrade apply" | "upgrade node") exec /usr/bin/kubeadm "$@" --ignore-preflight-errors=SystemVerification ;;
esac
exec /usr/bin/kubeadm "$@"
E
    chmod 755 /usr/local/bin/kubeadm
fi
if [ "$SYS_RESOURCE" = no ] && [ ! -e /usr/libexec/runc ]; then
    # Without CAP_SYS_RESOURCE no process may lower its OOM score, and runc dies of it ("can't get final child's PID from pipe").
    # (containerd's restrict_oom_score_adj = true does the same, but user-data may bring its own containerd configuration.)
    mkdir -p /usr/libexec && mv /usr/sbin/runc /usr/libexec/runc
    cat > /usr/sbin/runc <<'E'
#!/bin/sh
last= bundle=
for a; do
    if [ "$last" = --bundle ] || [ "$last" = -b ]; then bundle=$a; fi
    last=$a
done
if [ -n "$bundle" ]; then sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$bundle/config.json"; fi
exec /usr/libexec/runc "$@"
E
    chmod 755 /usr/sbin/runc
fi
