#!/bin/bash
# Prepares the binaries that the local cloud's servers run: Kubernetes in two versions, etcd, the stand-in for kubelet and containers
# (nodelet, kwok), helm, and the cloud's own controllers: openstack-cloud-controller-manager and the Cinder CSI controller.
#
#   build.sh [v1.36.3] [tools] [v1.35.4]      default: KCS_KUBERNETES_PARTS, else all, in this order; what is there and unchanged is skipped
#   build.sh v1.35.4/kubeadm                  kubeadm alone, for whoever makes no clusters of that version
#
# Where they come from, in this order:
#   1. KCS_KUBERNETES_DIR, a folder as this script lays it down (VERSION/kubeadm ..., tools/kwok ..., images/): used as it is
#   2. the cache, $KCS_KUBERNETES_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/kcs/kubernetes
#   3. the official release downloads, each checked by its published hash (KCS_KUBERNETES_DOWNLOAD=never: not tried)
#   4. a build from the published Go modules: one multi-call binary a version; 10 to 30 minutes on two cores, once
# The node stand-in and the tools are built in any case: nobody releases them for this use.
#
# progress/NAME in the cache holds the per cent done, for those who show it.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${KCS_KUBERNETES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kcs/kubernetes}
PARTS=${KCS_KUBERNETES_PARTS:-v1.36.3 tools v1.35.4}
ETCD=v3.6.8
KUBERNETES_DOWNLOADS=${KCS_KUBERNETES_DOWNLOADS:-https://dl.k8s.io/release}
ETCD_DOWNLOADS=${KCS_ETCD_DOWNLOADS:-https://github.com/etcd-io/etcd/releases/download}
KUBERNETES="kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubeadm kubectl"
COMPONENTS="$KUBERNETES etcd etcdctl etcdutl nodelet"

T0=${EPOCHREALTIME/./}
say() { local ms=$(((${EPOCHREALTIME/./} - T0) / 1000)); printf '%5d.%d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*"; }
die() { echo "error: $*" >&2; exit 1; }
progress() { echo "$1" >"$CACHE/progress/$NAME.new" && mv "$CACHE/progress/$NAME.new" "$CACHE/progress/$NAME"; }

released() { # the date that `version` shows
    case $1 in v1.36.3) echo 2026-07-22T18:07:38Z ;; v1.35.4) echo 2026-04-15T18:01:22Z ;; *) die "unknown version $1" ;; esac
}

need_go() {
    command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
    command -v go >/dev/null || die "Go 1.26 is needed to build $NAME (https://go.dev/dl)"
    export GOTOOLCHAIN=local CGO_ENABLED=0
}

# compile OUT FOLDER MODFILE LDFLAGS [TAGS] [PACKAGE]: go build that tells how far it is.
compile() {
    local out=$1 log=$1.log package=${6:-.} total; cd "$2"
    say "$NAME: fetching modules"
    go list -modfile="$3" -tags="${5:-}" -deps "$package" >"$log" 2>&1 || { tail -5 "$log" >&2; die "$NAME: modules cannot be fetched"; }
    total=$(grep -vc '^go: ' "$log")
    progress 8
    say "$NAME: compiling $total packages (those not in Go's cache)"
    if ! go build -v -p "${BUILD_JOBS:-$(nproc)}" -modfile="$3" -tags="${5:-}" -buildvcs=false -trimpath -ldflags "-s -w $4" -o "$out.new" "$package" 2>&1 |
        tee "$log" | while read -r _; do
            done_=$((${done_:-0} + 1))
            [ $((done_ % 20)) -ne 0 ] || progress $((8 + 87 * done_ / total))
            [ $((done_ % 400)) -ne 0 ] || say "$NAME: $done_ compiled"
        done; then
        tail -20 "$log" >&2
        die "$NAME does not build"
    fi
    mv "$out.new" "$out"
}

# download URL HASH-URL FILE: with the hash that is published beside it (a bare hash, or lines "hash  file").
download() {
    local url=$1 file=$3 hash
    hash=$(curl -fsSL --connect-timeout 3 --max-time 30 "$2" | awk -v f="${url##*/}" 'NF == 1 || $2 == f || $2 == "*" f {print $1; exit}')
    [[ $hash =~ ^[0-9a-f]{64}$ ]] || { echo "$2: no hash" >&2; return 1; }
    curl -fsSL --connect-timeout 3 --speed-limit 10000 --speed-time 30 "$url" -o "$file.new" || return 1
    echo "$hash  $file.new" | sha256sum --check --status || { rm -f "$file.new"; die "$url does not have its published hash"; }
    chmod 755 "$file.new"
    mv "$file.new" "$file"
}

# The name that releases for this machine have; false when the downloads of a version are not reachable, found out within seconds.
released_for() {
    local arch
    [ "${KCS_KUBERNETES_DOWNLOAD:-}" != never ] || return 1
    case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) return 1 ;; esac
    curl -fsSL --connect-timeout 3 --max-time 8 -o /dev/null "$KUBERNETES_DOWNLOADS/$1/bin/linux/$arch/kubeadm.sha256" 2>/dev/null || return 1
    echo $arch
}

# The released binaries of one version.
released_binaries() {
    local to=$1 arch component done_=0
    arch=$(released_for "$NAME") || return 1
    curl -fsSL --connect-timeout 3 --max-time 8 -o /dev/null "$ETCD_DOWNLOADS/$ETCD/SHA256SUMS" 2>/dev/null || return 1
    say "$NAME: downloading the official release"
    for component in $KUBERNETES; do
        local url=$KUBERNETES_DOWNLOADS/$NAME/bin/linux/$arch/$component
        rm -f "$to/$component" # may be a link to what was built before
        download "$url" "$url.sha256" "$to/$component" || return 1
        done_=$((done_ + 10)); progress $done_
    done
    local archive=etcd-$ETCD-linux-$arch
    download "$ETCD_DOWNLOADS/$ETCD/$archive.tar.gz" "$ETCD_DOWNLOADS/$ETCD/SHA256SUMS" "$to/etcd.tar.gz" || return 1
    rm -f "$to"/etcd "$to"/etcdctl "$to"/etcdutl
    tar -xzf "$to/etcd.tar.gz" -C "$to" --strip-components 1 --no-same-owner "$archive"/{etcd,etcdctl,etcdutl} && rm -f "$to/etcd.tar.gz"
}

# The "images" that kubeadm asks for and nodelet runs.
images() {
    local to=$1 image
    mkdir -p "$CACHE/images"
    for image in $("$to/kubeadm" config images list --kubernetes-version "$NAME"); do
        image=${image##*/}
        mkdir -p "$CACHE/images/$image"
        [ ! -e "$to/${image%:*}" ] || ln -sfn "../../$NAME/${image%:*}" "$CACHE/images/$image/${image%:*}"
    done
}

# kwok's own rules, from the module, then ours.
node_rules() {
    local kwok; kwok=$(cd "$HERE/modules/tools" && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize
    awk 'FNR == 1 {print "---"} {print}' "$kwok"/stage/node/fast/node-initialize.yaml "$kwok"/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml \
        "$kwok"/stage/node/chaos/node-not-ready.yaml "$kwok"/stage/pod/fast/pod-*.yaml "$kwok"/stage/pod/chaos/pod-container-running-failed.yaml \
        "$kwok"/metrics/resource/metrics-resource.yaml "$HERE/kwok-node.yaml"
}

# The tools that go.mod names: programs of the clusters' add-ons, in the versions of their container images. They share the tools' module,
# so that little is compiled for them alone. programs/IMAGE:VERSION/PROGRAM is what nodelet runs for a pod of that image.
build_programs() {
    local package program version
    cd "$HERE/modules/tools"
    for package in $(sed -n '/^tool (/,/^)/s/^\t//p' go.mod); do
        program=${package##*/}
        version=$(go list -f '{{.Module.Version}}' "$package")
        say "$NAME: $program $version"
        go build -p "${BUILD_JOBS:-$(nproc)}" -buildvcs=false -trimpath -ldflags "-s -w -X main.version=$version
            -X k8s.io/cloud-provider-openstack/pkg/version.Version=$version -X k8s.io/component-base/version.gitVersion=$version" \
            -o "$to/$program.new" "$package"
        mv "$to/$program.new" "$to/$program"
        mkdir -p "$CACHE/programs/$program:$version"
        ln -sfn "../../tools/$program" "$CACHE/programs/$program:$version/$program"
    done
    cd "$HERE"
    version=$(cd "$HERE/modules/tools" && go list -m -f '{{.Version}}' sigs.k8s.io/metrics-server)
    mkdir -p "$CACHE/programs/metrics-server:$version"
    ln -sfn ../../tools/kubetools "$CACHE/programs/metrics-server:$version/metrics-server"
}

build_tools() {
    local flags="-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0 -X helm.sh/helm/v4/internal/version.version=v4.2.4 -X helm.sh/helm/v4/internal/version.metadata="
    (compile "$to/kubetools" "$HERE/modules/tools" go.mod "$flags")
    for link in kwok metrics-server helm; do ln -sfn kubetools "$to/$link"; done
    build_programs
    node_rules >"$to/kwok-node.yaml"
}

# What a version's programs say of themselves.
says_of_itself() {
    local package date
    date=$(released "$1")
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        printf ' -X %s' "$package.gitVersion=$1" "$package.gitMajor=1" "$package.gitMinor=$(minor "$1")" "$package.gitTreeState=clean" "$package.gitCommit=unknown" \
            "$package.buildDate=$date"
    done
}

minor() { local minor=${1#v1.}; echo "${minor%.*}"; }

build_version() {
    local flags minor modules=$HERE/modules/kubernetes
    flags=$(says_of_itself "$NAME")
    minor=$(minor "$NAME")
    if released_binaries "$to"; then
        rm -f "$to/nodelet"
        (compile "$to/nodelet" "$modules" "1.$minor.mod" "$flags" nodelet)
    else
        (compile "$to/hyperkube" "$modules" "1.$minor.mod" "$flags")
        for link in $COMPONENTS; do ln -sfn hyperkube "$to/$link"; done
    fi
    images "$to"
}

# kubeadm alone of a version. A machine that has all of the version keeps all of it as it should be.
prepare_kubeadm() {
    local version=$1 to=$CACHE/$1 modules=$HERE/modules/kubernetes mark arch url
    if [ -e "$to/.built" ]; then
        prepare "$version"
        return
    fi
    NAME=kubeadm-$version
    mark=$( (cat "$modules/1.$(minor "$version").mod"; echo "$NAME") | sha256sum)
    if [ "$(cat "$to/.kubeadm" 2>/dev/null)" = "$mark" ]; then
        say "$NAME: is there"
        return
    fi
    mkdir -p "$to"
    if arch=$(released_for "$version"); then
        say "$NAME: downloading the official release"
        url=$KUBERNETES_DOWNLOADS/$version/bin/linux/$arch/kubeadm
        download "$url" "$url.sha256" "$to/kubeadm" || die "$url cannot be downloaded"
    else
        need_go
        (compile "$to/kubeadm" "$modules" "1.$(minor "$version").mod" "$(says_of_itself "$version")" "" k8s.io/kubernetes/cmd/kubeadm)
    fi
    echo "$mark" >"$to/.kubeadm"
    say "$NAME: ready"
}

prepare() {
    case $1 in */kubeadm) prepare_kubeadm "${1%/*}"; return ;; esac
    NAME=$1
    local to=$CACHE/$NAME from=kubernetes mark
    [ "$NAME" != tools ] || from=tools
    # What it was made from. The nodes' rules belong to the tools alone.
    mark=$( (cat "$HERE/modules/$from"/*.go "$HERE/modules/$from"/*.mod; [ $from != tools ] || cat "$HERE/kwok-node.yaml"; echo "$NAME") | sha256sum)
    if [ "$(cat "$to/.built" 2>/dev/null)" = "$mark" ]; then
        say "$NAME: is there"
        return
    fi
    need_go
    mkdir -p "$to"
    # What is there goes on being used until the new one is; only a first build has a percentage.
    progress 1
    if [ "$NAME" = tools ]; then build_tools; else build_version; fi
    echo "$mark" >"$to/.built"
    progress 100
    say "$NAME: ready"
}

if [ -n "${KCS_KUBERNETES_DIR:-}" ]; then
    for name in $PARTS; do
        case $name in */kubeadm) there=$name ;; *) there=$name/.built ;; esac
        [ -e "$KCS_KUBERNETES_DIR/$there" ] || die "KCS_KUBERNETES_DIR=$KCS_KUBERNETES_DIR holds no finished $name"
    done
    say "using $KCS_KUBERNETES_DIR"
    exit 0
fi
mkdir -p "$CACHE/progress"
exec 9>"$CACHE/.lock"
flock 9
for name in ${*:-$PARTS}; do prepare "$name"; done
