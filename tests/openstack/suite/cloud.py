"""The whole cloud as an administrator sees it, and the lab's knobs."""
import collections
import glob
import json
import os
import re
import socket
import sys

import openstack

from guests import STATE, left, sh
from report import check, eventually

TENANT = 'tenant-a'


def connect(cloud='admin'):
    return openstack.connect(cloud=cloud, interface='internal')


def command(person, *args):
    """python-openstackclient, as somebody of clouds.yaml."""
    return sh(os.path.join(os.path.dirname(sys.executable), 'openstack'), '--os-cloud', person, *args)


def objects(conn):
    """{kind and id: name} of everything of every tenant, of the tags on it, and of what else hangs on others: what must be the same before and after."""
    network, lb, identity = conn.network, conn.load_balancer, conn.identity
    kinds = {
        'server': conn.compute.servers(all_projects=True),
        'server group': conn.compute.server_groups(all_projects=True),
        'flavor': conn.compute.flavors(is_public=None),
        'volume': conn.block_storage.volumes(all_projects=True),
        'snapshot': conn.block_storage.snapshots(all_projects=True),
        'volume type': conn.block_storage.types(),
        'image': conn.image.images(),
        'network': network.networks(), 'subnet': network.subnets(), 'router': network.routers(), 'port': network.ports(),
        'security group': network.security_groups(), 'floating IP': network.ips(),
        'load balancer': lb.load_balancers(), 'listener': lb.listeners(), 'pool': lb.pools(), 'monitor': lb.health_monitors(),
        'project': identity.projects(), 'role': identity.roles(),
    }
    found = {}
    for kind, listed in kinds.items():
        for o in listed:
            name = o.name or getattr(o, 'description', '') or ''
            found['%s %s' % (kind, o.id)] = name
            for tag in getattr(o, 'tags', None) or []:
                found['tag %s of %s %s' % (tag, kind, o.id)] = name
            if kind == 'pool':
                found.update(('member %s' % m['id'], name) for m in o.members or [])
            if kind == 'volume':
                found.update(('attachment %s' % a['attachment_id'], name) for a in o.attachments or [])
    # every call of a project makes its default group, the first time: not ours
    for g in network.security_groups():
        if g.name == 'default':
            for key in [key for key in found if key.endswith('security group ' + g.id)]:
                del found[key]
            continue
        for rule in g.security_group_rules:
            found['rule ' + rule['id']] = g.name
    for user in identity.users():
        found['user ' + user.id] = user.name
        for pair in conn.compute.keypairs(user_id=user.id):
            found['key pair %s of %s' % (pair.name, user.id)] = user.name
        for credential in identity.application_credentials(user.id):
            found['application credential ' + credential.id] = '%s of %s' % (credential.name, user.name)
    for credential in identity.credentials():
        found['credential ' + credential.id] = credential.type
    return found


def difference(before, after):
    gone = ['gone: %s %s' % (k, v) for k, v in before.items() if k not in after]
    return gone + ['left: %s %s' % (k, v) for k, v in after.items() if k not in before]


def nothing_left(conn, before):
    """The cloud and this machine are as they were before."""
    kept = lambda line: line.startswith('left: user ') and ' kcs-' in line  # a tenant's service identity outlives its clusters
    rest = lambda: [l for l in difference(before, objects(conn)) if not kept(l)]
    check('the cloud is as before', lambda: eventually(lambda: 'difference: %s' % rest(), 60, lambda: not rest(), every=2))
    check('nothing is left on this machine', lambda: eventually(lambda: 'left: %s' % left(), 20, lambda: not left(), every=1))


def servers(conn, cluster):
    return [s for s in conn.compute.servers(all_projects=True) if s.metadata.get('kcs_cluster') == cluster]


def volumes(conn, cluster):
    return [v for v in conn.block_storage.volumes(all_projects=True) if v.metadata.get('kcs_cluster') == cluster]


class quota:
    """with quota(conn, 'compute', instances=3): the tenant's, put back afterwards."""

    def __init__(self, conn, service, **limits):
        self.proxy, self.limits = getattr(conn, service), limits
        self.set = self.proxy.update_quota_set if service != 'network' else self.proxy.update_quota
        self.get = self.proxy.get_quota_set if service != 'network' else self.proxy.get_quota
        self.tenant = conn.identity.find_project(TENANT).id

    def __enter__(self):
        before = self.get(self.tenant)
        self.before = {name: before[name] for name in self.limits}
        self.set(self.tenant, **self.limits)
        return self

    def __exit__(self, *_):
        self.set(self.tenant, **self.before)


def forget_tokens():
    """The services ask Keystone anew about every token: what it said they remember for five minutes, in memcached."""
    with socket.create_connection(('127.0.0.1', int(os.environ.get('OSLAB_MEMCACHE_PORT', 11212))), 5) as memcached:
        memcached.sendall(b'flush_all\r\n')
        answer = memcached.recv(64)
    assert answer == b'OK\r\n', answer


Call = collections.namedtuple('Call', 'service address method path status')
# As uWSGI tells a request: [pid: 7|app: 0|req: 1/9] ADDRESS () {28 vars in 382 bytes} [TIME] METHOD PATH => generated 10 bytes in 1 msecs (HTTP/1.1 STATUS) ...
CALL = re.compile(r'\] (\S+) \(.*?\) \{\d+ vars in \d+ bytes\} \[[^]]+\] (\S+) (\S+) => generated .*? \(HTTP/\S+ (\d+)\)')


class Asked:
    """What the cloud's services are asked from now on, and by whom, as their own logs say."""

    def __init__(self):
        self.from_here = {path: os.path.getsize(path) for path in glob.glob(STATE + '/log/*.log')}

    def so_far(self):
        calls = []
        for path, begun in self.from_here.items():
            with open(path, 'rb') as f:
                f.seek(begun)
                told = CALL.findall(f.read().decode(errors='replace'))
            calls += [Call(os.path.basename(path)[:-len('.log')], *who_and_what, int(status)) for *who_and_what, status in told]
        return calls


class Office:
    """A network of a person's own, routed to the outside, as a project has it before KCS comes."""

    def __init__(self, person, cidr):
        self.proxy = connect(person).network
        self.network = self.proxy.create_network(name='office')
        self.subnet = self.proxy.create_subnet(name='office', network_id=self.network.id, ip_version=4, cidr=cidr)
        public = self.proxy.find_network('public', ignore_missing=False)
        self.router = self.proxy.create_router(name='office', external_gateway_info={'network_id': public.id})
        self.proxy.add_interface_to_router(self.router, subnet_id=self.subnet.id)

    def told(self):
        """All that Neutron says of it and of the ports in it, with revisions and times."""
        one = lambda kind, id: self.proxy.get('/%ss/%s' % (kind, id)).json()[kind]
        ports = self.proxy.get('/ports?network_id=' + self.network.id).json()['ports']
        own = {'network': one('network', self.network.id), 'subnet': one('subnet', self.subnet.id), 'router': one('router', self.router.id)}
        return dict(own, **{'port ' + port['id']: port for port in ports})

    def remove(self):
        self.proxy.remove_interface_from_router(self.router, subnet_id=self.subnet.id)
        self.proxy.delete_router(self.router)
        self.proxy.delete_network(self.network)


FAULTS = STATE + '/faults.json'


def faults(**settings):
    """Sets the lab's faults, counted afresh: faults(**{'nova.spawn': {'error': 'no room', 'count': 1}}); none: all well."""
    if os.path.exists(FAULTS + '.fired'):
        os.unlink(FAULTS + '.fired')
    with open(FAULTS + '.new', 'w') as f:
        json.dump(settings, f)
    os.rename(FAULTS + '.new', FAULTS)


def fired(operation):
    """Names of what this fault has hit since the faults were set, once for each time."""
    if not os.path.exists(FAULTS + '.fired'):
        return []
    with open(FAULTS + '.fired') as f:
        return [hit['name'] for hit in map(json.loads, f) if hit['operation'] == operation]
