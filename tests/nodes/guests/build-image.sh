#!/bin/bash
# build-image.sh KUBERNETES_BIN_DIR
# Makes the node image: a Debian root file system with systemd, cloud-init, containerd and the Kubernetes binaries, and a containerd
# store with all images of `kubeadm config images list`, a CNI and a busybox, so that nothing is ever pulled.
# KUBERNETES_BIN_DIR holds kubeadm kubelet kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy etcd etcdctl
# (static binaries, or links to one that looks at its own name).
# NODES_ADDONS=1 adds the images of Traefik and kube-network-policies.
# CONTAINERD_VERSION=v2.2.9 puts that containerd, built from its Go module, in the place of Debian's 1.7 (kubelet 1.37 needs a 2.x).
# Each part is made once; remove $NODES_DIR/image (or a part of it) to make it anew. Called by ../image.sh.
. "$(dirname "$0")/lib.sh"

kube_bin=$(cd "${1:?usage: $0 KUBERNETES_BIN_DIR}" && pwd)
suite=${SUITE:-trixie}
# as backend/bootstrap/src/addons asks for it
flannel_image=$(sed -n 's/^ *image: \(.*flannel:.*\)/\1/p' "$here/../../../backend/bootstrap/src/addons/pod_network.yaml" | head -n 1)
flannel_version=${flannel_image##*:}
version=$("$kube_bin/kubeadm" version -o short)
coredns_version=$("$kube_bin/kubeadm" config images list --kubernetes-version "$version" 2>/dev/null | sed -n 's|.*/coredns:||p')
pause_image=$("$kube_bin/kubeadm" config images list --kubernetes-version "$version" 2>/dev/null | grep /pause:)
rootfs=$image/rootfs parts=$image/parts archives=$image/archives
mkdir -p "$parts" "$archives" "$image/bin"
started=$SECONDS

log "host tools"
tools=()
for t in mmdebstrap:mmdebstrap dnsmasq:dnsmasq-base ip:iproute2 gcc:gcc script:bsdutils haproxy:haproxy; do
    command -v "${t%%:*}" > /dev/null || tools+=("${t#*:}")
done
[ -e "/usr/share/keyrings/debian-archive-$suite-stable.gpg" ] || tools+=(debian-archive-keyring)
[ ${#tools[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${tools[@]}" > /dev/null

if [ ! -e "$rootfs/.complete" ]; then
    log "root file system: Debian $suite"
    rm -rf "$rootfs"
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | awk '/\/debian\/?$/ && !m {m = $0} END {print m}')
    mmdebstrap --quiet --mode=root --variant=minbase --include="$(echo \
        systemd systemd-sysv systemd-resolved libpam-systemd dbus udev cloud-init dhcpcd-base openssh-server python3 \
        containerd runc containernetworking-plugins iproute2 iptables nftables conntrack ipset ebtables ethtool socat kmod \
        procps util-linux mount e2fsprogs netbase ca-certificates curl iputils-ping less busybox-static | tr ' ' ,)" \
        --aptopt='Acquire::Languages "none"' "$suite" "$rootfs" "$mirror"
    touch "$rootfs/.complete"
fi
cgroup_v1=yes
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then cgroup_v1=no; fi
sys_resource=yes
if [ $((0x$(awk '/^CapBnd/ {print $2}' /proc/self/status) >> 24 & 1)) = 0 ]; then sys_resource=no; fi
PAUSE_IMAGE=$pause_image CGROUP_V1=$cgroup_v1 SYS_RESOURCE=$sys_resource unshare --mount --propagation private sh -c \
    'mount -t proc proc "$1/proc" && chroot "$1" bash -s < "$2"' sh "$rootfs" "$here/image-config.sh"

log "binaries of Kubernetes $version"
# one real file, links beside it, as in the source directory
for b in kubeadm kubelet kubectl; do rm -f "$rootfs/usr/bin/$b"; done
if [ -e "$kube_bin/hyperkube" ]; then
    install -m 755 "$kube_bin/hyperkube" "$rootfs/usr/bin/hyperkube"
    for b in kubeadm kubelet kubectl; do ln -s hyperkube "$rootfs/usr/bin/$b"; done
else
    for b in kubeadm kubelet kubectl; do install -m 755 "$kube_bin/$b" "$rootfs/usr/bin/$b"; done
fi
echo "$version" > "$rootfs/etc/kubernetes-version"

log "CoreDNS $coredns_version and flannel $flannel_version, from their Go modules"
if [ ! -x "$image/bin/coredns-$coredns_version" ]; then
    rm -rf "$parts/coredns-src" && cp -r "$here/images/coredns" "$parts/coredns-src"
    (cd "$parts/coredns-src" && go mod init coredns-small && go get "github.com/coredns/coredns@$coredns_version" && go mod tidy &&
        CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$image/bin/coredns-$coredns_version" .) > "$parts/coredns.log" 2>&1 || die "see $parts/coredns.log"
fi
if [ ! -x "$image/bin/flanneld-$flannel_version" ]; then
    rm -rf "$parts/flannel-src"
    (cd "$parts" && module=$(go mod download -json "github.com/flannel-io/flannel@$flannel_version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') &&
        cp -r "$module" flannel-src && chmod -R u+w flannel-src && cd flannel-src &&
        sed -i '/backend\/\(tencentvpc\|alloc\|udp\)"/d' main.go && # clouds of others, and one that needs cgo
        CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$image/bin/flanneld-$flannel_version" .) > "$parts/flannel.log" 2>&1 || die "see $parts/flannel.log"
fi

# from_module MODULE PACKAGE IMAGE: a program of an add-on, out of the module that is published for its image's version; patched by the function patch_NAME.
# Not every mirror has its sum; those of what it needs are in it.
from_module() {
    local name=${3##*/}
    [ ! -x "$image/bin/$name" ] || return 0
    log "$name"
    rm -rf "$parts/addon-src"
    (cd "$parts" && module=$(GONOSUMDB=$1 go mod download -json "$1@${3##*:}" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') &&
        cp -r "$module" addon-src && chmod -R u+w addon-src && cd addon-src && "patch_${name%:*}" &&
        CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$image/bin/$name" "$2") > "$parts/${name%:*}.log" 2>&1 || die "see $parts/${name%:*}.log"
    rm -rf "$parts/addon-src"
}
# Without the clients of two hundred registrars of domains, by which it can prove to a certificate authority whose domain it is: gigabytes.
patch_traefik() {
    sed -i '/lego\/v4\/providers\/dns"/d; s/dns.NewDNSChallengeProviderByName(p.DNSChallenge.Provider)/nil, errors.New("none is built in")/' pkg/provider/acme/provider.go
}
# It hands packets over by an expression of nftables that not every kernel has; iptables' target does the same.
patch_kube-network-policies() {
    unshare --net chroot "$rootfs" sh -c 'nft add table inet t && nft add chain inet t c && nft add rule inet t c queue num 1' 2> /dev/null && return
    sed -i 's|queue := &expr.Queue{Num: uint16(c.config.QueueID)}|info := xt.Unknown{byte(c.config.QueueID), byte(c.config.QueueID >> 8), 1, 0, 0, 0, 0, 0}; queue := \&expr.Target{Name: "NFQUEUE", Rev: 3, Info: \&info}|
        s|queue.Flag = expr.QueueFlagBypass|info[4] = 1|
        s|"github.com/google/nftables/expr"|&\n"github.com/google/nftables/xt"|' pkg/networkpolicy/controller.go
}
optional=()
if [ -n "${NODES_ADDONS:-}" ]; then
    addons=$here/../../../backend/bootstrap/src/addons
    for a in 'github.com/traefik/traefik/v3 ./cmd/traefik ingress' 'sigs.k8s.io/kube-network-policies ./cmd isolation'; do
        read -r module package file <<< "$a"
        i=$(sed -n 's/^ *image: //p' "$addons/$file.yaml")
        from_module "$module" "$package" "$i"
        optional+=("$i")
    done
fi

if [ -n "${CONTAINERD_VERSION:-}" ]; then
    c=$image/bin/containerd-$CONTAINERD_VERSION m=github.com/containerd/containerd/v2
    if [ ! -x "$c/containerd" ]; then
        log "containerd $CONTAINERD_VERSION"
        rm -rf "$parts/containerd-src" && mkdir -p "$parts/containerd-src"
        (cd "$parts/containerd-src" && go mod init node-containerd &&
            go get $m/cmd/{containerd,ctr,containerd-shim-runc-v2}@"$CONTAINERD_VERSION" &&
            CGO_ENABLED=0 go build -trimpath -tags 'no_btrfs no_devmapper no_zfs' -ldflags "-s -w -X $m/version.Version=${CONTAINERD_VERSION#v}" \
                -o "$c/" $m/cmd/{containerd,ctr,containerd-shim-runc-v2}) > "$parts/containerd.log" 2>&1 || die "see $parts/containerd.log"
    fi
    for b in containerd ctr containerd-shim-runc-v2; do rm -f "$rootfs/usr/bin/$b" && install -m 755 "$c/$b" "$rootfs/usr/bin/$b"; done
fi

# The registrar of CSI drivers, from our own source, in the version of kubelet's interface that this kubelet has.
registrar_image=$(sed -n 's/^ *image: \(.*csi-node-driver-registrar:.*\)/\1/p' "$here/../../../backend/bootstrap/src/addons/storage.yaml")
registrar=$image/bin/registrar-$version-$(sha256sum < "$here/images/registrar/main.go" | cut -c 1-12)
if [ ! -x "$registrar" ]; then
    rm -rf "$parts/registrar-src" && cp -r "$here/images/registrar" "$parts/registrar-src"
    (cd "$parts/registrar-src" && go mod init csi-node-driver-registrar &&
        go get "k8s.io/kubelet@v0.${version#v1.}" github.com/container-storage-interface/spec@v1.12.0 && go mod tidy &&
        CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$registrar" .) > "$parts/registrar.log" 2>&1 || die "see $parts/registrar.log"
fi

log "images"
layer() { rm -rf "${parts:?}/$1"; mkdir -p "$parts/$1"; }
oci() { local name=$1; shift; python3 "$here/images/oci.py" "$archives/$(basename "${name%:*}").tar" "$name" "$@"; }
rm -f "$archives"/*.tar

layer pause && gcc -static -Os -s -o "$parts/pause/pause" "$here/images/pause.c"
layer coredns && cp "$image/bin/coredns-$coredns_version" "$parts/coredns/coredns"
layer flannel && mkdir -p "$parts/flannel/opt/bin" && cp "$image/bin/flanneld-$flannel_version" "$parts/flannel/opt/bin/flanneld"
layer busybox && mkdir -p "$parts/busybox"/{bin,tmp,etc,www} && cp "$rootfs/bin/busybox" "$parts/busybox/bin/"
for a in $("$parts/busybox/bin/busybox" --list); do [ "$a" = busybox ] || ln -s busybox "$parts/busybox/bin/$a"; done
# out_of_rootfs LAYER FILE...: out of the node's own root file system, with the libraries that programs need
out_of_rootfs() {
    local to=$1
    shift
    layer "$to"
    chroot "$rootfs" sh -c 'tar -ch $(for i; do echo $i; ldd $i 2>/dev/null | grep -o "/[^ ]*" || true; done | sort -u) 2>/dev/null' sh "$@" | tar -x -C "$parts/$to"
}
# shellcheck disable=SC2046 # one word a file
out_of_rootfs nettools /usr/sbin/{xtables-nft-multi,nft,conntrack,ipset} /bin/ip /usr/bin/busybox $(cd "$rootfs" && printf '/%s ' usr/lib/*/xtables/*.so)
for l in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do ln -s xtables-nft-multi "$parts/nettools/usr/sbin/$l"; done
mkdir -p "$parts/nettools"/{bin,run,tmp}
for a in sh cat cp cmp sed sleep; do ln -s ../usr/bin/busybox "$parts/nettools/bin/$a"; done
# what the storage driver calls on a node
out_of_rootfs disktools /usr/bin/{mount,umount,findmnt} /usr/sbin/{blkid,blockdev,fsck,fsck.ext4,mkfs.ext4,dumpe2fs,resize2fs} /etc/mke2fs.conf
mkdir -p "$parts/disktools/tmp"

# kube_layer NAME...: sets dir to the layer with these programs; one layer for all where they are one file that looks at its own name
kube_layer() {
    if [ -e "$kube_bin/hyperkube" ]; then
        dir=$parts/kube
        [ ! -d "$dir" ] || return 0
        mkdir -p "$dir/usr/local/bin" && cp "$kube_bin/hyperkube" "$dir/usr/local/bin/"
        for b in kube-apiserver kube-controller-manager kube-scheduler kube-proxy etcd etcdctl etcdutl; do ln -s hyperkube "$dir/usr/local/bin/$b"; done
    else
        dir=$parts/$1
        layer "$1" && mkdir -p "$dir/usr/local/bin"
        for b in "$@"; do cp "$kube_bin/$b" "$dir/usr/local/bin/"; done
    fi
}
rm -rf "$parts/kube"
for i in $("$kube_bin/kubeadm" config images list --kubernetes-version "$version" 2>/dev/null); do
    case $i in
        */kube-proxy:*) kube_layer kube-proxy; oci "$i" --layer "$dir" --layer "$parts/nettools" ;;
        */kube-*) b=${i%:*}; kube_layer "${b##*/}"; oci "$i" --layer "$dir" ;;
        */etcd:*) kube_layer etcd etcdctl etcdutl; oci "$i" --layer "$dir" ;;
        */pause:*) oci "$i" --layer "$parts/pause" --entrypoint '["/pause"]' ;;
        */coredns:*) oci "$i" --layer "$parts/coredns" --entrypoint '["/coredns"]' ;;
        *) die "no recipe for image $i" ;;
    esac
done
oci "$flannel_image" --layer "$parts/nettools" --layer "$parts/flannel" --entrypoint '["/opt/bin/flanneld"]'
# the programs of the other add-ons that ../../kubernetes/build.sh has prepared, at the places where their own images have them
for i in $(sed -n 's/^ *image: \([^ ]*\)$/\1/p' "$here"/../../../backend/bootstrap/src/addons/*.yaml | sort -u); do
    programs=$kube_bin/../programs/${i##*/} name=$(basename "${i%:*}")
    [ -d "$programs" ] || continue
    layer "$name" && mkdir "$parts/$name/bin" && cp -L "$programs/$name" "$parts/$name/bin/"
    ln -s "bin/$name" "$parts/$name/$name"
    beside=()
    [ "$name" != cinder-csi-plugin ] || beside=(--layer "$parts/disktools")
    oci "$i" "${beside[@]}" --layer "$parts/$name" --entrypoint "[\"/$name\"]"
done
for i in "${optional[@]}"; do
    name=$(basename "${i%:*}")
    # as in the images that are published: the one begins with its program, the other's is named by whoever runs it
    case $name in traefik) program=/traefik begin=(--entrypoint '["/traefik"]') ;; *) program=/bin/netpol begin=() ;; esac
    layer "$name" && mkdir "$parts/$name/bin" && cp "$image/bin/${i##*/}" "$parts/$name$program"
    oci "$i" --layer "$parts/$name" "${begin[@]}"
done
layer registrar && cp "$registrar" "$parts/registrar/csi-node-driver-registrar"
oci "$registrar_image" --layer "$parts/registrar" --entrypoint '["/csi-node-driver-registrar"]'
oci localhost/busybox:1 --layer "$parts/busybox"

log "containerd's store"
rm -rf "$image/containerd" && mkdir -p "$image/containerd"
unshare --mount --pid --fork --kill-child --propagation private bash -euc '
    mkdir -p "$1/var/lib/containerd"
    mount --bind "$1" "$1"
    mount --bind "$2" "$1/var/lib/containerd"
    mount --bind "$3" "$1/mnt"
    mount -t tmpfs tmpfs "$1/run"
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    chroot "$1" containerd --config /dev/null --log-level warn &
    daemon=$!
    for _ in $(seq 100); do [ -S "$1/run/containerd/containerd.sock" ] && break; sleep 0.1; done
    for f in "$1"/mnt/*.tar; do chroot "$1" ctr --namespace k8s.io images import --snapshotter overlayfs "/mnt/$(basename "$f")"; done
    chroot "$1" ctr --namespace k8s.io images ls -q
    kill $daemon; wait $daemon || true
' bash "$rootfs" "$image/containerd" "$archives" > "$parts/import.log" 2>&1 || die "see $parts/import.log"
rm -rf "$archives"/*.tar
grep -E '^[^ ]+:[^ ]+$' "$parts/import.log" | grep -v '^unpacking\|sha256' >&2 || true
log "done in $((SECONDS - started)) s: root file system $(du -sm "$rootfs" | cut -f1) MB, images $(du -sm "$image/containerd" | cut -f1) MB"
