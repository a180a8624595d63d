"""What up.sh creates through the APIs: identity (before the other services), cloud (after), ready (waits)."""
import os
import sys
import time

import openstack
from openstack import exceptions

PASSWORD = os.environ['OSLAB_PASSWORD']
HOSTS = {'public': os.environ['OSLAB_HOST'], 'internal': '127.0.0.1'}
COMPUTES = int(os.environ['OSLAB_COMPUTES'])
WAIT = int(os.environ['OSLAB_WAIT'])
LB_ROLES = ['load-balancer_member', 'load-balancer_observer', 'load-balancer_admin',
            'load-balancer_global_observer', 'load-balancer_quota_admin']
SERVICES = [  # name, type, path behind http://HOST:
    ('glance', 'image', '9292'), ('placement', 'placement', '8778'), ('neutron', 'network', '9696'),
    ('nova', 'compute', '8774/v2.1'), ('cinder', 'block-storage', '8776/v3'), ('octavia', 'load-balancer', '9876')]
KUBERNETES = ['v1.36.3', 'v1.35.4']
FLAVORS = [  # name, vcpus, MiB, GB
    ('m1.tiny', 1, 512, 1), ('m1.small', 1, 2048, 20), ('m1.medium', 2, 4096, 40), ('m1.large', 4, 8192, 80),
    ('m1.xlarge', 8, 16384, 160), ('m1.volume', 2, 4096, 0), ('m1.impossible', 1024, 4194304, 20)]


def connect(cloud):
    until = time.time() + WAIT
    while True:
        try:
            conn = openstack.connect(cloud=cloud, interface='internal')  # the public address may be that of another run
            conn.authorize()
            return conn
        except Exception:
            if time.time() > until:
                raise
            time.sleep(0.5)


def eventually(what, seconds, check):
    until = time.time() + seconds
    while True:
        try:
            result, error = check(), None
        except exceptions.SDKException as e:
            result, error = None, e
        if result:
            return result
        if time.time() > until:
            sys.exit('timed out waiting for %s %s' % (what(), error or ''))
        time.sleep(0.5)


def identity():
    conn = connect('admin')
    ks = conn.identity
    roles = {r.name: r for r in ks.roles()}
    for name in LB_ROLES + ['service']:
        roles.setdefault(name, None)
        roles[name] = roles[name] or ks.create_role(name=name)

    def account(project, user, *granted):
        p = ks.find_project(project) or ks.create_project(name=project, domain_id='default')
        u = ks.find_user(user) or ks.create_user(name=user, password=PASSWORD, domain_id='default')
        for role in granted:
            ks.assign_project_role_to_user(p, u, roles[role])
        return u

    account('service', 'service', 'admin', 'service')
    member = ('member', 'load-balancer_member')
    account('tenant-a', 'member-a', *member)
    account('tenant-b', 'member-b', *member)
    account('tenant-a', 'both', *member)
    account('tenant-b', 'both', *member)
    account('tenant-a', 'reader-a', 'reader', 'load-balancer_observer')
    account('service', 'kcs', 'admin', 'load-balancer_admin')
    operator = account('admin', 'operator', 'admin', 'load-balancer_admin')
    ks.assign_system_role_to_user(operator, roles['admin'], 'all')
    services = {s.type: s for s in ks.services()}
    endpoints = {(e.service_id, e.interface): e for e in ks.endpoints()}
    for name, kind, path in [('keystone', 'identity', '5000/v3')] + SERVICES:
        service = services.get(kind) or ks.create_service(name=name, type=kind)
        for interface, host in HOSTS.items():
            url, endpoint = 'http://%s:%s' % (host, path), endpoints.get((service.id, interface))
            if not endpoint:
                ks.create_endpoint(service_id=service.id, interface=interface, region_id='RegionOne', url=url)
            elif endpoint.url != url:  # OSLAB_HOST is another than before
                ks.update_endpoint(endpoint, url=url)


def cloud():
    conn = connect('admin')
    have = {f.name for f in conn.compute.flavors()}
    for name, vcpus, ram, disk in FLAVORS:
        if name not in have:
            conn.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
    service = conn.identity.find_project('service')
    if not list(conn.compute.flavors(is_public=None)) or not conn.compute.find_flavor('amphora'):
        conn.compute.create_flavor(id='amphora', name='amphora', vcpus=1, ram=1024, disk=2, is_public=False)
        conn.compute.flavor_add_tenant_access('amphora', service.id)
    network = conn.network
    if not network.find_network('public'):
        public = network.create_network(name='public', is_router_external=True, provider_network_type='flat',
                                        provider_physical_network='external')
        network.create_subnet(name='public', network_id=public.id, ip_version=4, cidr='198.51.100.0/24',
                              gateway_ip='198.51.100.1', is_dhcp_enabled=False,
                              allocation_pools=[{'start': '198.51.100.10', 'end': '198.51.100.250'}])
    mine = connect('service')
    lb = mine.network.find_network('lb-mgmt')
    if not lb:
        lb = mine.network.create_network(name='lb-mgmt')
        mine.network.create_subnet(name='lb-mgmt', network_id=lb.id, ip_version=4, cidr='198.18.0.0/16')
    group = next(iter(mine.network.security_groups(name='lb-mgmt', project_id=service.id)), None)
    if not group:
        group = mine.network.create_security_group(name='lb-mgmt')
    unlimited = dict.fromkeys(('networks', 'subnets', 'ports', 'security_groups', 'security_group_rules'), -1)
    network.update_quota(service.id, **unlimited)
    conn.compute.update_quota_set(service.id, cores=-1, ram=-1, instances=-1, server_groups=-1, server_group_members=-1)
    images = [('amphora', ['amphora'], mine, {'min_disk': 0, 'min_ram': 0})]
    images += [('kcs-node-' + v, [], conn, {'min_disk': 10, 'min_ram': 512, 'kcs_kubernetes_version': v}) for v in KUBERNETES]
    for name, tags, owner, properties in images:
        if not list(owner.image.images(name=name)):
            owner.image.create_image(
                name=name, data=b'oslab' * 1024, disk_format='raw', container_format='bare', tags=tags,
                visibility='public' if owner is conn else 'private', validate_checksum=False, **properties)
    for kind in ('standard', 'ssd'):
        if not conn.block_storage.find_type(kind):
            conn.block_storage.create_type(name=kind, extra_specs={'volume_backend_name': 'lab'})
    print('LB_NETWORK=%s LB_GROUP=%s' % (lb.id, group.id))


def ready():
    """Prints each service that has reported, with its place."""
    conn = connect('admin')
    want = {'nova-conductor', 'nova-scheduler', 'cinder-scheduler', 'cinder-volume'}
    want |= {'nova-compute%d' % (n + 1) for n in range(COMPUTES)}

    def news():
        known = {h.name for h in conn.compute.hypervisors()}
        for s in list(conn.compute.services()) + list(conn.block_storage.services()):
            name = s.binary + s.host.removeprefix('compute') if s.binary == 'nova-compute' else s.binary
            if s.state == 'up' and name in want and (s.binary != 'nova-compute' or s.host in known):
                want.remove(name)
                print(name, 'host ' + s.host.partition('@')[0], flush=True)
        return not want

    eventually(lambda: ', '.join(sorted(want)), WAIT, news)
    aggregates = {a.name: a for a in conn.compute.aggregates()}
    for n in range(COMPUTES):
        zone, host = 'az%d' % (n + 1), 'compute%d' % (n + 1)
        a = aggregates.get(zone) or conn.compute.create_aggregate(name=zone, availability_zone=zone)
        if host not in (a.hosts or []):
            conn.compute.add_host_to_aggregate(a, host)
    eventually(lambda: 'octavia', WAIT, lambda: list(conn.load_balancer.providers()))


if __name__ == '__main__':
    {'identity': identity, 'cloud': cloud, 'ready': ready}[sys.argv[1]]()
