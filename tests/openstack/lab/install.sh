#!/bin/bash
# Installs MariaDB, RabbitMQ, memcached (Debian) and OpenStack 2026.1 (PyPI, in a venv). Safe to repeat.
. "$(dirname "$0")/common.sh"
debian=(mariadb-server rabbitmq-server memcached iproute2 curl jq bc openssl gcc python3-dev python3-venv)
if ! dpkg -s "${debian[@]}" >/dev/null 2>&1; then
    # the packages must not start their own daemons
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${debian[@]}"
    say 'Debian packages installed'
fi
mkdir -p "$S"
[ -x "$BIN/pip" ] || /usr/bin/python3 -m venv "$OSLAB_VENV"
want=$(cat "$HERE/packages.txt" "$HERE/constraints.txt" | sha256sum)
if [ "$(cat "$OSLAB_VENV/.oslab" 2>/dev/null)" != "$want" ]; then
    "$BIN/pip" install -q wheel        # without it pip builds the older source packages in a deprecated way
    "$BIN/pip" install -q --no-compile -c "$HERE/constraints.txt" -r "$HERE/packages.txt"
    "$BIN/python" -m compileall -q -j 0 "$OSLAB_VENV/lib" >/dev/null 2>&1 || true
    echo "$want" >"$OSLAB_VENV/.oslab"
    say 'Python packages installed'
fi
# oslo.messaging looks for an RPC's reply every half second; at that pace a server takes 8 s instead of 2
site=$("$BIN/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
sed -i '/class ReplyWaiters/,/def put/s/time.sleep(0.5)/time.sleep(0.01)/' "$site/oslo_messaging/_drivers/amqpdriver.py"
# the glue drivers: importable, with their entry points; nova only loads drivers from nova.virt
cp "$HERE"/glue/*.py "$site/"
mkdir -p "$site/oslab-1.0.dist-info"; cp "$HERE"/glue/oslab-1.0.dist-info/* "$site/oslab-1.0.dist-info/"
echo 'from oslab_nova import *  # noqa' >"$site/nova/virt/oslab.py"
say installed
