#!/bin/bash
# Replays the contract suite against real OpenStack services: installs and starts them (see lab/README.md), runs the suite,
# stops what it started. Needs root, 5 GB of disk and 5 GiB of memory; a first run takes some minutes.
#
# With KCS_CONTRACT_CLOUD_URL and KCS_CONTRACT_PASSWORD set, the suite runs against that cloud instead: its user `kcs` must be an
# administrator in project `service`, and it must have what lab/seed.py makes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [ -z "${KCS_CONTRACT_CLOUD_URL:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo 'contract.sh: must be root to install and start the services' >&2; exit 1; }
    ./lab/install.sh
    # Services that ran before are left running, with everything in them.
    if ! (. lab/common.sh && alive keystone); then
        trap './lab/down.sh --purge' EXIT
    fi
    ./lab/up.sh
    export KCS_CONTRACT_CLOUD_URL=http://127.0.0.1:5000/v3 KCS_CONTRACT_PASSWORD=${OSLAB_PASSWORD:-lab}
fi
cargo test --locked -p cloud-openstack --test it -- --ignored --exact contract::openstack_keeps_the_contract --nocapture
