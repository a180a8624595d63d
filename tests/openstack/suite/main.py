"""KCS against the real services: a cluster with three masters and its pools, faults on the way, quotas, delete. Called by ../test.sh."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__))))

import cloud
import guests
from kcs import Kcs, Person, Refused
from kubectl import Kubectl
from report import check, end, eventually, phase, say, story

NODE_ADDRESS = '198.19.255.1'
TENANT = 'tenant-a'


def spec(masters, workers, **more):
    return {'control_plane': {'count': masters, 'flavor': 'm1.medium'}, 'node_pools': [{'name': 'default', 'flavor': 'm1.small', 'count': workers, **more}]}


def blocked_by(person, operation, code, seconds=90):
    """Waits until an operation says what keeps it from going on."""
    def fault():
        now = person.operation(operation['id'])
        found = now.get('fault')
        return found if found and found['code'].startswith(code) else None
    fault = eventually('%s is said' % code, seconds, fault)
    assert fault['remedy'], fault
    say('      %s: %s; %s' % (fault['code'], fault.get('title'), fault.get('message')))
    return fault


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


def servers(conn, cluster):
    return [s for s in conn.compute.servers(all_projects=True) if s.metadata.get('kcs_cluster') == cluster]


def volumes(conn, cluster):
    return [v for v in conn.block_storage.volumes(all_projects=True) if v.metadata.get('kcs_cluster') == cluster]


# ---- stories that end before a node has booted: the cluster is deleted while it is being made

def interrupted(kcs, conn, name, faults, code, seen, masters=1):
    """Creates a cluster under a fault, waits until `seen`, deletes it on the way."""
    person = Person(kcs, 'member-a')
    cloud.faults(**faults)
    try:
        id, operation = person.create(name, spec(masters, 1))
        if code:
            blocked_by(person, operation, code, 120)
        eventually('seen', 180, lambda: seen(id, person.operation(operation['id'])))
    finally:
        cloud.faults()
    with phase(name + ': delete midway'):
        person.delete(id, 300)


def rows(person, id, kind):
    return [r for r in person.get('/clusters/%s/resources' % id)['items'] if r['kind'] == kind]


def load_balancer_fails(kcs, conn):
    """Octavia cannot boot its amphora: the load balancer is ERROR, taken away, and made again."""
    person = Person(kcs, 'member-a')

    def seen(id, operation):
        made = rows(person, id, 'load_balancer')
        active = [b for b in conn.load_balancer.load_balancers() if id in b.name and b.provisioning_status == 'ACTIVE']
        return len(active) == 1 and any(r['cloud_id'] == active[0].id and r['state'] == 'known' for r in made)

    # Three hosts are tried for each amphora.
    interrupted(kcs, conn, 'lb-fault', {'nova.spawn': {'error': 'no room', 'match': 'amphora', 'count': 3}}, None, seen)


def volume_fails(kcs, conn):
    """A root volume ends in error: taken away, and made again under another name."""
    def seen(id, operation):
        mine = volumes(conn, id)
        return len(mine) >= 2 and all(v.status in ('available', 'attaching', 'in-use', 'reserved') for v in mine)
    interrupted(kcs, conn, 'volume-fault', {'cinder.create': {'error': 'out of space', 'match': 'kcs-', 'count': 1}}, None, seen)


def server_fails(kcs, conn):
    """Nova finds no host for the first master: ERROR, taken away, and made again."""
    def seen(id, operation):
        return any(s.status == 'ACTIVE' for s in servers(conn, id))
    interrupted(kcs, conn, 'server-fault', {'nova.spawn': {'error': 'no room', 'match': '-cp-', 'count': 3}}, None, seen)


def quota_blocks(kcs, conn):
    """The tenant may have no server more: the preflight says so, the create is refused; quota lost midway: blocked, goes on by retry."""
    person = Person(kcs, 'member-a')
    with quota(conn, 'compute', instances=1):
        plan = person.call('POST', '/clusters/plan', {'name': 'no-quota', 'spec': spec(1, 1)})
        line = [q for q in plan['quota'] if q['resource'] == 'instances']
        assert plan['blocked'] and line == [{'resource': 'instances', 'used': 0, 'limit': 1, 'need': 2}], json.dumps(plan)[:2000]
        try:
            person.create('no-quota', spec(1, 1))
            raise AssertionError('a create over the quota was accepted')
        except Refused as refused:
            assert refused.problem['code'].startswith('KCS-QUOTA'), refused
    cloud.faults(**{'nova.spawn': {'delay': 1}})
    with quota(conn, 'block_storage', volumes=10):
        id, operation = person.create('quota', spec(1, 1))
        conn.block_storage.update_quota_set(conn.identity.find_project(TENANT).id, volumes=0)
        blocked_by(person, operation, 'KCS-QUOTA', 180)
    with phase('quota: goes on after it is raised'):
        person.call('POST', '/operations/%s/retry' % operation['id'])
        eventually('volumes are made', 90, lambda: len(volumes(conn, id)) == 2)
    person.delete(id, 300)


# ---- one that lives

def ha(kcs, conn):
    person = Person(kcs, 'member-a')
    with phase('ha: create, a server rescheduled on the way'):
        cloud.faults(**{'nova.spawn': {'error': 'once', 'match': '-w-', 'count': 1}})
        id, operation = person.create('ha', spec(3, 1))
        person.finish(operation, 900)
        cloud.faults()
    kubectl = Kubectl(person.kubeconfig(id, kcs.state))
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(4)))
    mine = servers(conn, id)
    check('four servers, each from its own volume', lambda: len(mine) == 4 and all(len(s.attached_volumes) == 1 for s in mine))
    check('masters on three hosts', lambda: len({s.hypervisor_hostname for s in mine if '-cp-' in s.name}) == 3)
    check('marks are in nova and cinder', lambda: all('kcs_resource' in o.metadata for o in mine + volumes(conn, id)))

    def resize(count, seconds=600, retry=False):
        made = person.call('PATCH', '/clusters/%s/node-pools/default' % id, {'count': count})
        return made['operation']

    def quota_stops_a_resize():
        with quota(conn, 'compute', instances=4):
            try:
                operation = resize(2)
            except Refused as refused:
                assert refused.problem['code'].startswith('KCS-QUOTA'), refused
                operation = None
            if operation:
                blocked_by(person, operation, 'KCS-QUOTA')
        if operation:
            person.call('POST', '/operations/%s/retry' % operation['id'])
        else:
            operation = resize(2)
        person.finish(operation, 600)

    with phase('ha: resize to 2, stopped by the quota first'):
        check('a resize that the quota stops says so and goes on when it is raised', quota_stops_a_resize)
    check('5 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(5)))

    def worker_is_replaced():
        # Error at all three hosts: the node's server is made anew.
        cloud.faults(**{'nova.spawn': {'error': 'broken host', 'match': '-w-', 'count': 3}})
        try:
            person.finish(resize(3), 600)
        finally:
            cloud.faults()
        assert len(servers(conn, id)) == 6 and all(s.status == 'ACTIVE' for s in servers(conn, id))

    with phase('ha: resize to 3, its server in ERROR first'):
        check('a server in ERROR is replaced', worker_is_replaced)
    with phase('ha: resize to 1'):
        check('two nodes leave, with servers, volumes and ports', lambda: (
            person.finish(resize(1), 600), len(servers(conn, id)) == 4 and len(volumes(conn, id)) == 4)[1])
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(4)))

    def stuck_delete():
        # Cinder refuses once; nova's first destroy fails: both are gone in the end.
        cloud.faults(**{'cinder.delete': {'error': 'busy', 'count': 1}, 'nova.destroy': {'error': 'stuck', 'count': 1}})
        try:
            return person.delete(id, 600)
        finally:
            cloud.faults()

    with phase('ha: delete, with a volume and a server that refuse once'):
        check('everything goes in the end', lambda: bool(stuck_delete()))


def nothing_left(conn, before):
    kept = lambda line: line.startswith('left: user ') and ' kcs-' in line  # a tenant's service identity outlives its clusters
    rest = lambda: [l for l in cloud.difference(before, cloud.objects(conn)) if not kept(l)]
    check('the cloud is as before', lambda: eventually('difference: %s' % rest(), 60, lambda: not rest(), every=2))
    check('nothing is left on this machine', lambda: eventually('left: %s' % guests.left(), 20, lambda: not guests.left(), every=1))


STORIES = [ha, load_balancer_fails, volume_fails, server_fails, quota_blocks]


def main():
    wanted = sys.argv[1:] or [tell.__name__ for tell in STORIES]
    conn = cloud.connect()
    cloud.faults()
    before = cloud.objects(conn)
    kcs = Kcs(os.environ['KCS_BIN'], NODE_ADDRESS)
    try:
        for tell in STORIES:
            if tell.__name__ in wanted:
                story(tell.__name__, lambda: tell(kcs, conn))
                nothing_left(conn, before)
    finally:
        kcs.stop()
    kcs.forget()
    end()


main()
