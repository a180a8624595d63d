#!/bin/bash
# Makes this server a node of its cluster: fetches its one-time bundle from KCS, runs kubeadm, tells KCS how it went.
# Safe to run again: a node that is done is left alone, and a bundle that was unpacked is not fetched again.
set -uo pipefail
umask 077
DIR=/etc/kcs
LOG=/var/log/kcs-bootstrap.log
ENDPOINT=$(cat $DIR/endpoint)
[ ! -e $DIR/done ] || exit 0

# call PATH [CURL OPTION...]: POST, to the pinned CA only, the token from a file.
call() {
    local path=$1
    shift
    curl --silent --show-error --noproxy '*' --proto =https --tlsv1.2 --cacert $DIR/ca.crt --header @$DIR/authorization \
        --connect-timeout 10 --max-time 60 --request POST "$@" "$ENDPOINT$path"
}

# insist SECONDS PATH [CURL OPTION...]: until KCS answers. A refusal is final; no connection, or a KCS that is not well, is tried again.
insist() {
    local deadline=$((SECONDS + $1)) status
    shift
    while :; do
        status=$(call "$@" --write-out '%{http_code}') || status=000
        case $status in
        2??) return 0 ;;
        000 | 429 | 5??) echo "KCS does not answer (HTTP $status), trying again" ;;
        *) echo "KCS refuses (HTTP $status)"; return 1 ;;
        esac
        [ $SECONDS -lt $deadline ] || return 1
        sleep 2
    done
}

# stage NAME: for people who watch; not worth waiting for.
stage() {
    echo "stage $1"
    call /node/v1/progress --fail --header 'Content-Type: text/plain' --max-time 5 --data-binary "$1" --output /dev/null || true
}

# A bundle is given once.
fetch() {
    [ ! -e $DIR/kubeadm.yaml ] || return 0
    insist 840 /node/v1/bundle --output $DIR/bundle.tar
    (umask 022 && tar --extract --file $DIR/bundle.tar --directory / --no-same-owner --preserve-permissions --no-overwrite-dir)
    rm -f $DIR/bundle.tar
}

# Images bring most of this already; what a machine does not allow, kubeadm's pre-flight checks judge.
prepare() {
    modprobe --all overlay br_netfilter 2>/dev/null || true
    sysctl --quiet --ignore --load=/etc/sysctl.d/90-kubernetes.conf 2>/dev/null || true
    swapoff --all 2>/dev/null || true
    local unit
    for unit in containerd kubelet; do
        systemctl enable $unit || true
        systemctl start $unit || true
    done
    for _ in $(seq 600); do
        [ ! -S /run/containerd/containerd.sock ] || return 0
        sleep 0.2
    done
    echo "containerd does not run"
    return 1
}

# Time, proxy, mirror and authorities came with the bundle: those who read them at their start are told to.
site() {
    [ -e $DIR/site ] || return 0
    if command -v update-ca-certificates >/dev/null; then
        update-ca-certificates
    elif command -v update-ca-trust >/dev/null; then
        cp /usr/local/share/ca-certificates/kcs-*.crt /etc/pki/ca-trust/source/anchors/ 2>/dev/null || true
        update-ca-trust
    fi
    systemctl daemon-reload || true
    local unit
    for unit in chrony chronyd systemd-timesyncd containerd; do
        systemctl try-restart $unit 2>/dev/null || true
    done
}

# The disk whose serial number is the beginning of the volume's id.
disk() {
    lsblk --nodeps --noheadings --output PATH,SERIAL 2>/dev/null | awk -v id="$1" '$2 != "" && index(id, $2) == 1 { print $1 }' || true
}

# A container has no disks of its own: machines of a laboratory are such.
diskless() {
    systemd-detect-virt --quiet --container 2>/dev/null || [ ! -d /sys/block ] || [ -z "$(ls /dev/disk 2>/dev/null)" ]
}

# Further disks get a file system if they have none, and are mounted now and at every start.
disks() {
    [ -e $DIR/disks ] || return 0
    local id path device
    while read -r id path; do
        for _ in $(seq 60); do
            device=$(disk "$id")
            [ -z "$device" ] || break
            ! diskless || break
            sleep 1
        done
        if [ -z "$device" ]; then
            if diskless; then
                echo "volume $id for $path: this machine shows no disks, so the path stays on its root"
                mkdir -p "$path"
                continue
            fi
            echo "the disk of volume $id for $path did not appear"
            return 1
        fi
        blkid "$device" >/dev/null || mkfs.ext4 -q -L "kcs-${id:0:8}" "$device"
        mkdir -p "$path"
        grep -q " $path " /etc/fstab || echo "UUID=$(blkid -s UUID -o value "$device") $path ext4 defaults,nofail 0 2" >>/etc/fstab
        mountpoint -q "$path" || mount "$path"
    done <$DIR/disks
}

# kubeadm looks for the cluster's signed address every five seconds; looking more often before it starts saves most of that. Nothing
# heard here is trusted: kubeadm checks it itself, and waits itself when this gives up.
await_cluster() {
    local endpoint token
    endpoint=$(sed -n 's/.*"apiServerEndpoint": "\([^"]*\)".*/\1/p' $DIR/kubeadm.yaml)
    token=$(sed -n 's/.*"token": "\([a-z0-9]\{6\}\)\..*/\1/p' $DIR/kubeadm.yaml)
    [ -n "$endpoint" ] && [ -n "$token" ] || return 0
    for _ in $(seq 600); do
        ! curl --silent --insecure --noproxy '*' --max-time 3 "https://$endpoint/api/v1/namespaces/kube-public/configmaps/cluster-info" |
            grep --count "jws-kubeconfig-$token" >/dev/null || return 0
        sleep 0.5
    done
}

bootstrap() {
    set -e
    stage preparing
    fetch
    site
    disks
    prepare
    stage kubeadm
    case $(cat $DIR/action) in
    init) kubeadm init --config $DIR/kubeadm.yaml --skip-token-print --skip-certificate-key-print ;;
    join)
        await_cluster
        kubeadm join --config $DIR/kubeadm.yaml
        ;;
    *) echo "no action"; false ;;
    esac
}

# The last lines, without anything that looks like a token.
last_lines() {
    tail -n 50 $LOG | sed -E 's/kcs_[a-z]+_[A-Za-z0-9_-]+/[token]/g; s/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/[token]/g' | tail -c 16000
}

(bootstrap) 2>&1 | tee -a $LOG
result=${PIPESTATUS[0]}
rm -f $DIR/kubeadm.yaml $DIR/bundle.tar
if [ "$result" = 0 ]; then
    touch $DIR/done
    end=done
    : >$DIR/report
else
    end=failed
    last_lines >$DIR/report
fi
insist 600 /node/v1/$end --header 'Content-Type: text/plain' --data-binary @$DIR/report --output /dev/null
rm -f $DIR/authorization $DIR/report
exit "$result"
