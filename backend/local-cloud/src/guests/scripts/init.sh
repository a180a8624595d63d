#!/bin/bash
# PID 1 of a guest, started in namespaces of its own: builds the guest's root file system, enters it and boots.
#
# Settings come by environment: DIR (the guest's disk), NAME, ADDRESS, PREFIX, GATEWAY, CACHE (Kubernetes binaries), VERSION (may be
# empty: a machine without Kubernetes), SCRIPTS, VCPUS, RAM_MIB. Standard input is a socket to the local cloud: the guest says "built"
# when its network card may be plugged in, reads "plugged", and says "booted". Standard output is the console.
set -euo pipefail
START=$EPOCHREALTIME
boot_log() { local t=$(((${EPOCHREALTIME/./} - ${START/./}))); printf '[%5d.%06d] %s\n' $((t / 1000000)) $((t % 1000000)) "$*"; }
boot_log "Linux version $(uname -r) ($(uname -m)), guest of the local cloud: namespaces of one machine, no virtual machine"
boot_log "Host name $NAME, $VCPUS vCPUs, $RAM_MIB MiB"
R=$DIR/root
hostname "$NAME"
mkdir -p "$R" "$DIR"/{etc,var,home,opt,usr,usr.work}
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$R"
mkdir -p "$R"/{usr,etc,var,run,tmp,proc,sys,dev,root,opt}
for link in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$link" ]; then cp -P "/$link" "$R/"; elif [ -d "/$link" ]; then mkdir "$R/$link"; mount --rbind "/$link" "$R/$link"; fi
done
if mount -t overlay -o "lowerdir=/usr,upperdir=$DIR/usr,workdir=$DIR/usr.work" overlay "$R/usr" 2>/dev/null; then
    boot_log "/usr: copy on write over the machine's"
else # the machine's /usr must not be written to
    mount --rbind /usr "$R/usr" && mount -o remount,bind,ro "$R/usr"
    mount -t tmpfs tmpfs "$R/usr/local" && mkdir -p "$R"/usr/local/{bin,sbin,lib,share}
    boot_log "/usr: the machine's, read only (no overlay file system here)"
fi
mount --bind "$DIR/etc" "$R/etc"
mount --bind "$DIR/var" "$R/var"
mount --bind "$DIR/home" "$R/root"
mount --bind "$DIR/opt" "$R/opt"
mount -t tmpfs tmpfs "$R/run"
mount -t tmpfs tmpfs "$R/tmp"
mount -t proc proc "$R/proc"
mount -t sysfs sysfs "$R/sys" 2>/dev/null || mount --rbind /sys "$R/sys"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"
for device in null zero full random urandom tty; do : >"$R/dev/$device"; mount --bind "/dev/$device" "$R/dev/$device"; done
mkdir "$R/dev/pts" "$R/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"; ln -s /proc/self/fd "$R/dev/fd"
ln -s /proc/self/fd/0 "$R/dev/stdin"; ln -s /proc/self/fd/1 "$R/dev/stdout"; ln -s /proc/self/fd/2 "$R/dev/stderr"
mkdir -p "$R"/opt/{kubernetes,bin,guest} "$R"/var/{lib,log,tmp}
ln -sfn /run "$R/var/run"
if [ -n "$VERSION" ]; then mount --rbind "$CACHE" "$R/opt/kubernetes" && mount -o remount,bind,ro "$R/opt/kubernetes"; fi
mount --rbind "$SCRIPTS" "$R/opt/guest" && mount -o remount,bind,ro "$R/opt/guest"
if [ ! -e "$R/etc/machine-id" ]; then # the first boot
    tr -d - </proc/sys/kernel/random/uuid >"$R/etc/machine-id"
    echo "$NAME" >"$R/etc/hostname"
    printf '127.0.0.1 localhost\n%s %s\n' "$ADDRESS" "$NAME" >"$R/etc/hosts"
    printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n' >"$R/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$R/etc/group"
    echo 'hosts: files dns' >"$R/etc/nsswitch.conf"
    echo "nameserver $GATEWAY" >"$R/etc/resolv.conf"
    cp -L /etc/os-release "$R/etc/" && cp -rL /etc/ssl "$R/etc/ssl" 2>/dev/null || true
    cp -P /etc/alternatives "$R/etc/" -r 2>/dev/null || true
    mkdir -p "$R/etc/kubernetes/manifests" # as the kubelet's package does
    install -m 755 "$SCRIPTS/systemctl.sh" "$R/opt/bin/systemctl"
    if [ -n "$VERSION" ]; then
        install -m 755 "$SCRIPTS/install-kubernetes.sh" "$R/opt/bin/install-kubernetes"
        chroot "$R" /opt/bin/install-kubernetes "$VERSION"
    fi
fi
if [ -e "$DIR/user-data.sh" ]; then install -D -m 700 "$DIR/user-data.sh" "$R/var/lib/cloud/instance/user-data.sh"; fi
printf 'NODELET_CPU=%s\nNODELET_MEMORY=%sMi\n' "$VCPUS" "$RAM_MIB" >"$R/run/machine.env"
echo built >&0
read -r _ <&0
exec chroot "$R" /usr/bin/env -i HOME=/root PATH=/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NAME="$NAME" ADDRESS="$ADDRESS" PREFIX="$PREFIX" GATEWAY="$GATEWAY" VERSION="$VERSION" START="$START" bash /opt/guest/boot.sh
