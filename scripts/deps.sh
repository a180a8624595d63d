#!/usr/bin/env bash
# Looks for the programs KCS runs on and installs the Debian packages of those that are missing: as root or with sudo; otherwise it says
# which and stops. `deps.sh run` for `make run`, `deps.sh test` for what the tests need besides.
set -euo pipefail

declare -A programs=([ip]=iproute2 [nsenter]=util-linux [setpriv]=util-linux [curl]=curl [openssl]=openssl)
missing=()
need() { [[ " ${missing[*]-} " == *" $1 "* ]] || missing+=("$1"); }

for program in "${!programs[@]}"; do
    command -v "$program" >/dev/null || PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || need "${programs[$program]}"
done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || need postgresql
if [[ ${1:-run} == test ]]; then
    command -v chromium >/dev/null || need chromium
    ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || need libfaketime
    grep -qi 'noto sans cjk' <(fc-list 2>/dev/null) || need fonts-noto-cjk
fi

for tool in cargo node npm go; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: see the prerequisites in README.md" >&2; exit 1; }
done

[[ ${#missing[@]} -eq 0 ]] && exit 0
echo "  installing ${missing[*]} …" >&2
sudo=()
if [[ $(id -u) -ne 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
        echo "These Debian packages are missing: ${missing[*]}" >&2
        echo "Install them (apt-get install ${missing[*]}) or run this as root." >&2
        exit 1
    fi
    sudo=(sudo)
fi
# Postgres is started by KCS itself, in a directory of its own: no system-wide cluster is made.
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    "${sudo[@]}" mkdir -p /etc/postgresql-common
    [[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' | "${sudo[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
