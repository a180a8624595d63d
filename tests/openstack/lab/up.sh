#!/bin/bash
# Brings the cloud up: configuration, databases (first time), services, tenants. Safe to repeat: starts what does not run.
. "$(dirname "$0")/common.sh"
[ -e "$OSLAB_VENV/.oslab" ] || die "run install.sh first (there is no $OSLAB_VENV)"
exclusive
# The lab's addresses never follow the default route: where none of ours has one, dialling it fails at once. Longer and nearer routes win.
for range in $RANGES; do ip route replace unreachable $range metric 4278198272; done
ip route get "$OSLAB_HOST" 2>/dev/null | grep -q '^local ' || die "OSLAB_HOST=$OSLAB_HOST is no address of this machine"
mkdir -p "$C"/{keystone,glance,placement,nova,neutron,cinder,octavia} "$RUN" "$LOG" \
    "$S"/{mysql,rabbit,images,volumes,console,lock,tmp}
[ -e "$OSLAB_FAULTS" ] || echo '{}' >"$OSLAB_FAULTS"
find "$LOG" -name '*.log' -size +50M -delete
[ ! -e "$C/octavia/seeded" ] || . "$C/octavia/seeded"

# ---- configuration
SQL="mysql+pymysql://root@localhost" SOCK="?unix_socket=$S/mysql.sock"
BUS="rabbit://guest:guest@127.0.0.1:$RABBIT_PORT/"
AUTH="auth_type = password
auth_url = http://127.0.0.1:5000/v3
username = service
password = $OSLAB_PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne"
TOKEN="[keystone_authtoken]
$AUTH
www_authenticate_uri = http://127.0.0.1:5000/v3
memcached_servers = 127.0.0.1:$MEMCACHE_PORT
service_token_roles = service
service_token_roles_required = true"
SERVICE_USER="[service_user]
send_service_user_token = true
$AUTH"
db() { printf '%s/%s%s' "$SQL" "$1" "$SOCK"; }
pool() { printf 'max_pool_size = 5\nmax_overflow = 20\nconnection_recycle_time = 3600\n'; }

cat >"$C/keystone/keystone.conf" <<E
[DEFAULT]
max_token_size = 255
[identity]
max_password_length = 72
password_hash_rounds = 4
[database]
connection = $(db keystone)
$(pool)
[cache]
enabled = true
backend = oslo_cache.memcache_pool
memcache_servers = 127.0.0.1:$MEMCACHE_PORT
[token]
provider = fernet
expiration = ${OSLAB_TOKEN_SECONDS:-14400}
[auth]
methods = password,token,application_credential,totp
[fernet_tokens]
key_repository = $S/keystone/fernet
[fernet_receipts]
key_repository = $S/keystone/fernet
[credential]
key_repository = $S/keystone/credential
[oslo_messaging_notifications]
driver = noop
E
cat >"$C/glance/glance-api.conf" <<E
[DEFAULT]
enabled_backends = file:file
worker_self_reference_url = http://127.0.0.1:9292
node_staging_uri = file://$S/images/staging
[database]
connection = $(db glance)
$(pool)
[glance_store]
default_backend = file
[file]
filesystem_store_datadir = $S/images
[os_glance_tasks_store]
filesystem_store_datadir = $S/images/tasks
[os_glance_staging_store]
filesystem_store_datadir = $S/images/staging
[paste_deploy]
flavor = keystone
config_file = $OSLAB_VENV/etc/glance/glance-api-paste.ini
[oslo_concurrency]
lock_path = $S/lock
$TOKEN
E
cat >"$C/placement/placement.conf" <<E
[api]
auth_strategy = keystone
[placement_database]
connection = $(db placement)
$(pool)
$TOKEN
E
cat >"$C/nova/nova-compute.conf" <<E
[DEFAULT]
my_ip = 127.0.0.1
transport_url = $BUS
state_path = $S/nova
compute_driver = oslab.Driver
enabled_apis = osapi_compute
report_interval = 5
service_down_time = 20
rpc_response_timeout = 30
shutdown_timeout = 0
force_raw_images = false
allow_resize_to_same_host = true
heal_instance_info_cache_interval = -1
[api]
auth_strategy = keystone
[scheduler]
discover_hosts_in_cells_interval = 10
workers = 1
[conductor]
workers = 1
[vnc]
enabled = false
[glance]
region_name = RegionOne
valid_interfaces = internal
[cinder]
$AUTH
catalog_info = block-storage:cinder:internalURL
[neutron]
$AUTH
[placement]
$AUTH
$SERVICE_USER
[oslo_concurrency]
lock_path = $S/lock
[oslo_messaging_notifications]
driver = noop
$TOKEN
E
{ cat "$C/nova/nova-compute.conf"; cat <<E; } >"$C/nova/nova.conf"      # nova-compute must not see the databases
[filter_scheduler]
# Failed builds are the lab's doing: shunned for them, a host would not be chosen again, whatever server groups want.
build_failure_weight_multiplier = 0
[api_database]
connection = $(db nova_api)
$(pool)
[database]
connection = $(db nova)
$(pool)
E
cat >"$C/neutron/neutron.conf" <<E
[DEFAULT]
core_plugin = ml2
service_plugins = oslab_router
transport_url = $BUS
state_path = $S/neutron
api_paste_config = $OSLAB_VENV/etc/neutron/api-paste.ini
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
rpc_workers = 1
[database]
connection = $(db neutron)
$(pool)
[nova]
$AUTH
[placement]
$AUTH
[oslo_concurrency]
lock_path = $S/lock
[oslo_messaging_notifications]
driver = noop
$TOKEN
E
cat >"$C/neutron/ml2.ini" <<E
[ml2]
type_drivers = flat,vxlan
project_network_types = vxlan
mechanism_drivers = oslab
extension_drivers = port_security
[ml2_type_flat]
flat_networks = *
[ml2_type_vxlan]
vni_ranges = 1:9999
[securitygroup]
enable_security_group = true
E
cat >"$C/cinder/cinder.conf" <<E
[DEFAULT]
my_ip = 127.0.0.1
auth_strategy = keystone
transport_url = $BUS
state_path = $S/cinder
rootwrap_config = $OSLAB_VENV/etc/cinder/rootwrap.conf
api_paste_config = $OSLAB_VENV/etc/cinder/api-paste.ini
resource_query_filters_file = $OSLAB_VENV/etc/cinder/resource_filters.json
enabled_backends = lab
default_volume_type = standard
glance_api_servers = http://127.0.0.1:9292
report_interval = 5
service_down_time = 20
[lab]
volume_driver = oslab_cinder.Driver
volume_backend_name = lab
[database]
connection = $(db cinder)
$(pool)
[nova]
$AUTH
$SERVICE_USER
[oslo_concurrency]
lock_path = $S/lock
[oslo_messaging_notifications]
driver = noop
$TOKEN
E
octavia_conf() {
cat >"$C/octavia/octavia.conf" <<E
[DEFAULT]
transport_url = $BUS
[api_settings]
bind_host = 127.0.0.1
api_base_uri = http://$OSLAB_HOST:9876
enabled_provider_drivers = amphora:amphora
default_provider_driver = amphora
[database]
connection = $(db octavia)
$(pool)
[oslo_messaging]
topic = octavia_prov
[certificates]
cert_manager = local_cert_manager
cert_generator = local_cert_generator
ca_certificate = $C/octavia/certs/server_ca.pem
ca_private_key = $C/octavia/certs/server.key
server_certs_key_passphrase = insecure-lab-key-of-32-bytes-xxx
[haproxy_amphora]
client_cert = $C/octavia/certs/client.pem
server_ca = $C/octavia/certs/server_ca.pem
[controller_worker]
workers = 1
amphora_driver = oslab
compute_driver = compute_nova_driver
network_driver = allowed_address_pairs_driver
image_driver = image_glance_driver
client_ca = $C/octavia/certs/client_ca.pem
amp_image_tag = amphora
amp_flavor_id = amphora
amp_boot_network_list = ${LB_NETWORK:-}
amp_secgroup_list = ${LB_GROUP:-}
amp_active_retries = 120
amp_active_wait_sec = 1
loadbalancer_topology = SINGLE
[health_manager]
bind_ip = 127.0.0.1
bind_port = 5555
controller_ip_port_list = 127.0.0.1:5555
heartbeat_key = oslab
heartbeat_timeout = ${OSLAB_HEARTBEAT_TIMEOUT:-315360000}
health_update_threads = 1
stats_update_threads = 1
[house_keeping]
load_balancer_expiry_age = 3600
[networking]
lb_network_name = lb-mgmt
[service_auth]
$AUTH
[nova]
region_name = RegionOne
[neutron]
$AUTH
[glance]
region_name = RegionOne
$TOKEN
E
}
octavia_conf
certs=$C/octavia/certs      # octavia signs a certificate for each amphora, even one that is not there
if [ ! -e "$certs/server_ca.pem" ]; then
    mkdir -p -m 700 "$certs"
    for ca in server client; do
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=oslab $ca CA" \
            -keyout "$certs/$ca.key" -out "$certs/${ca}_ca.pem" 2>/dev/null
    done
    cat "$certs/client.key" "$certs/client_ca.pem" >"$certs/client.pem"
fi
ln -sf "$OSLAB_VENV/etc/nova/api-paste.ini" "$C/nova/api-paste.ini"      # the WSGI module wants it there
for n in $(seq "$OSLAB_COMPUTES"); do
    mkdir -p "$S/nova/compute$n"
    printf '[DEFAULT]\nhost = compute%s\nstate_path = %s\n' "$n" "$S/nova/compute$n" >"$C/nova/compute$n.conf"
done

# ---- database, message bus, cache
[ -d "$S/mysql/mysql" ] ||
    mariadb-install-db --no-defaults --user=root --datadir="$S/mysql" --skip-test-db >"$LOG/mysql-install.log" 2>&1 ||
    broken mysql-install failed
start mysql - mariadbd --no-defaults --user=root --datadir="$S/mysql" --socket="$S/mysql.sock" --skip-networking \
    --skip-grant-tables --pid-file="$S/mysql/pid" --performance-schema=off --max-connections=1000 \
    --innodb-buffer-pool-size=256M --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-log-file-size=64M \
    --innodb-use-native-aio=0 --character-set-server=utf8mb4
epmd=(ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((RABBIT_PORT + 1)))       # its own, not one that may run already
rabbit=(HOME=$S/rabbit RABBITMQ_NODENAME=oslab@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 \
    RABBITMQ_NODE_PORT=$RABBIT_PORT RABBITMQ_DIST_PORT=$((RABBIT_PORT + 20000)) RABBITMQ_MNESIA_BASE=$S/rabbit/db \
    RABBITMQ_LOG_BASE=$LOG RABBITMQ_LOGS=- RABBITMQ_ENABLED_PLUGINS_FILE=$S/rabbit/plugins RABBITMQ_CONF_ENV_FILE=/dev/null \
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none")
start epmd $((RABBIT_PORT + 1)) env "${epmd[@]}" epmd
start rabbit $RABBIT_PORT env "${epmd[@]}" "${rabbit[@]}" /usr/lib/rabbitmq/bin/rabbitmq-server
start memcached "$MEMCACHE_PORT" memcached -u root -l 127.0.0.1 -p "$MEMCACHE_PORT" -m 64 -U 0
sql() { mariadb --no-defaults -u root --socket="$S/mysql.sock" -N -e "$1"; }
up mysql "$S/mysql.sock" sql 'select 1'
up memcached "127.0.0.1:$MEMCACHE_PORT" listening "$MEMCACHE_PORT"

if [ ! -e "$S/.databases" ]; then
    for d in keystone glance placement nova_api nova nova_cell0 neutron cinder octavia; do
        sql "drop database if exists $d; create database $d character set utf8mb3"
    done
    mkdir -p -m 700 "$S"/keystone/{fernet,credential}
    sync() {
        local name=$1; shift
        "$@" >"$LOG/$name-db.log" 2>&1 || broken "$name-db" failed
        say "database of $name made"
    }
    nova_sync() {
        local m="$BIN/nova-manage --config-file $C/nova/nova.conf"
        $m api_db sync && $m cell_v2 map_cell0 --database_connection "$(db nova_cell0)" &&
            $m cell_v2 create_cell --name cell1 && $m db sync
    }
    keystone_sync() {
        local m="$BIN/keystone-manage --config-file $C/keystone/keystone.conf" who="--keystone-user root --keystone-group root"
        $m db_sync && $m fernet_setup $who && $m credential_setup $who &&
            $m bootstrap --bootstrap-password "$OSLAB_PASSWORD" --bootstrap-region-id RegionOne \
                --bootstrap-{internal,admin}-url=http://127.0.0.1:5000/v3 --bootstrap-public-url="http://$OSLAB_HOST:5000/v3"
    }
    pids=()
    { sync keystone keystone_sync && sync neutron "$BIN/neutron-db-manage" --config-file "$C/neutron/neutron.conf" \
        --config-file "$C/neutron/ml2.ini" upgrade heads && sync placement "$BIN/placement-manage" --config-file "$C/placement/placement.conf" db sync; } & pids+=($!)
    { sync nova nova_sync && sync glance "$BIN/glance-manage" --config-file "$C/glance/glance-api.conf" db_sync &&
      sync cinder "$BIN/cinder-manage" --config-file "$C/cinder/cinder.conf" db sync &&
      sync octavia "$BIN/octavia-db-manage" --config-file "$C/octavia/octavia.conf" upgrade head; } & pids+=($!)
    for p in "${pids[@]}"; do wait "$p"; done
    touch "$S/.databases"
fi

# ---- services
export PYTHONDONTWRITEBYTECODE=1 PATH="$BIN:$PATH"
export OS_KEYSTONE_CONFIG_DIR=$C/keystone OS_GLANCE_CONFIG_DIR=$C/glance OS_NOVA_CONFIG_DIR=$C/nova \
    OS_PLACEMENT_CONFIG_DIR=$C/placement OS_NEUTRON_CONFIG_DIR=$C/neutron OS_NEUTRON_CONFIG_FILES='neutron.conf;ml2.ini'
# daemon NAME CONFIG...: NAME is the command too
daemon() { local name=$1; shift; start "$name" - "$BIN/$name" "${@/#/--config-file=}"; }
seed() { supervised "$BIN/python" "$HERE/seed.py" "$@"; }

api keystone 5000 keystone.wsgi.api:application
up epmd "127.0.0.1:$((RABBIT_PORT + 1))" listening $((RABBIT_PORT + 1))
up rabbit "127.0.0.1:$RABBIT_PORT" listening $RABBIT_PORT
up_api keystone 5000
seed identity || die 'seeding users and roles'
say 'users, projects, roles, catalogue'
api placement 8778 placement.wsgi.api:application
api glance 9292 glance.wsgi.api:application
api neutron 9696 neutron.wsgi.api:application
api nova-api 8774 nova.wsgi.osapi_compute:application
daemon nova-conductor "$C/nova/nova.conf"
daemon nova-scheduler "$C/nova/nova.conf"
api cinder-api 8776 cinder.wsgi.api:application --config-file "$C/cinder/cinder.conf"
daemon cinder-scheduler "$C/cinder/cinder.conf"
daemon cinder-volume "$C/cinder/cinder.conf"
up_api placement 8778; up_api glance 9292; up_api neutron 9696; up_api nova-api 8774; up_api cinder-api 8776
for n in $(seq "$OSLAB_COMPUTES"); do
    start "nova-compute$n" - "$BIN/nova-compute" --config-file "$C/nova/nova-compute.conf" --config-file "$C/nova/compute$n.conf"
done
seed cloud >"$C/octavia/seeded.new" || die 'seeding networks, images and flavors'
mv "$C/octavia/seeded.new" "$C/octavia/seeded"; . "$C/octavia/seeded"
say 'networks, images, flavors, volume type'
octavia_conf
api octavia-api 9876 octavia.wsgi.api:application --config-file "$C/octavia/octavia.conf"
daemon octavia-worker "$C/octavia/octavia.conf"
daemon octavia-health-manager "$C/octavia/octavia.conf"
start octavia-heartbeat - "$BIN/python" "$HERE/heartbeat.py"
[ -z "${OSLAB_LB_PROXY:-}" ] || start lb-proxy - "$BIN/python" "$HERE/lb_proxy.py"
up_api octavia-api 9876
# these serve no port: nova and cinder know whether theirs report, of octavia's one only sees that they run
seed ready | while read -r name where; do report "$name" "$where"; done || die 'not every service reports'
for name in octavia-worker octavia-health-manager octavia-heartbeat; do up "$name" '' alive "$name"; done
! alive lb-proxy || up lb-proxy "bridge $LB_LINK" test -e "$S/lb-members-down.json"
say "ready: export OS_CLIENT_CONFIG_FILE=$HERE/clouds.yaml OS_CLOUD=member-a; $BIN/openstack server list"
