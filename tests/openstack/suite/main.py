"""KCS against the real services: a cluster with three masters and its pools, faults on the way, quotas, delete. Called by ../test.sh."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__))))

import cloud
from cloud import quota, servers, volumes
from faults import all_fired, much_goes_wrong
from identity import case_21_project_deleted, identity, passcode
from kcs import Kcs, Person, Refused, blocked_by, retired, spec
from kubectl import Kubectl
from report import check, end, eventually, phase, say, story

NODE_ADDRESS = '198.19.255.1'


# ---- before there is any cluster

def check_cloud(kcs, conn):
    """`kcs check-cloud` finds that the lab has everything; where one thing is missing it is said by its name, with what mends it, and the rest is looked
    at all the same."""
    ks, project = conn.identity, conn.identity.find_project(cloud.TENANT).id
    user = 'kcs-' + project

    def nothing_missing():
        code, said, text = kcs.check_cloud(project)
        assert code == 0 and 'MISSING' not in text, text
        expected = {'Keystone': 'as kcs', "service account's roles": 'admin', 'flavors': 'for masters', 'availability zones': 'az1',
                    'server groups': 'soft anti-affinity', 'image of v1.36.3': 'kcs-node-v1.36.3', 'volume types': 'standard', 'external network': 'public',
                    'Octavia': 'amphora', 'nodes.endpoint': NODE_ADDRESS, 'service user': user, 'people': 'roles can be read', 'application credential': 'made',
                    "tenant's Octavia": 'may use it'}
        wrong = {what: said.get(what) for what, part in expected.items() if said.get(what, ('',))[0] != 'ok' or part not in said[what][1]}
        assert not wrong, (wrong, text)
        left = [c.name for c in ks.application_credentials(ks.find_user(user).id)]
        assert 'kcs-check-cloud' not in left, left

    def one_missing(what, name, **settings):
        code, said, text = kcs.check_cloud(project, **settings)
        assert code == 1 and re.search(r'\b1 of \d+ things are missing', text), (code, text)
        assert [w for w, (level, *_) in said.items() if level == 'MISSING'] == [what], text
        _, found, remedy = said[what]
        assert name in found + remedy and remedy, said[what]

    def image_missing():
        image = conn.image.find_image('kcs-node-v1.36.3', ignore_missing=False)
        conn.image.update_image(image, name='somewhere-else')
        try:
            one_missing('image of v1.36.3', 'kcs-node-v1.36.3')
        finally:
            conn.image.update_image(conn.image.get_image(image.id), name='kcs-node-v1.36.3')

    check('check-cloud finds nothing missing', nothing_missing)
    check('an image that Glance does not have is named', image_missing)
    check('a provider that Octavia does not have is named',
          lambda: one_missing('Octavia', 'nobodys', KCS_CLOUD__LOAD_BALANCER_PROVIDER='nobodys'))


# ---- clusters that are deleted while they are being made

def interrupted(kcs, conn, name, faults, seen):
    """Creates a cluster under a fault, waits until it is overcome (seen), deletes it on the way."""
    person = Person(kcs, 'member-a')
    cloud.faults(**faults)
    id, operation = person.create(name, spec(1, 1))
    try:
        eventually('it is overcome', 240, lambda: seen(id, person))
        say('      overcome; hit: %s' % all_fired(faults))
        assert person.operation(operation['id'])['state'] == 'running'
    except AssertionError:
        say('      %s' % json.dumps(person.operation(operation['id']))[:3000])
        say('      %s' % {operation: cloud.fired(operation) for operation in faults})
        say('      %s' % json.dumps(person.get('/clusters/%s/resources' % id)['items'])[:6000])
        raise
    finally:
        cloud.faults()
        with phase(name + ': delete midway'):
            person.delete(id, 300)


def load_balancer_in_error(kcs, conn):
    """Octavia cannot boot its amphora: the load balancer is ERROR, taken away, and made again."""
    def overcome(id, person):
        broken = retired(person, id, 'load_balancer', 'KCS-LB-001')
        mine = [b for b in conn.load_balancer.load_balancers() if id in b.name]
        # Not before its master is there: Nova forgets the volume of a server that is deleted as it begins to build it (docs/operations.md).
        masters = [s.status for s in servers(conn, id) if '-cp-' in s.name]
        return broken and [b.provisioning_status for b in mine] == ['ACTIVE'] and mine[0].id not in broken and masters == ['ACTIVE']
    # Nova tries three hosts for an amphora.
    interrupted(kcs, conn, 'balancer', {'nova.spawn': {'error': 'no room', 'match': 'amphora', 'count': 3}}, overcome)


def case_36_volume_in_error(kcs, conn):
    """A root volume ends in error: taken away, and made again."""
    tenant = cloud.connect('member-a')

    def cinder_said(volume):
        return tenant.block_storage.get('/messages?resource_uuid=' + volume, microversion='3.5').json()['messages']

    def overcome(id, person):
        broken = retired(person, id, 'volume', 'KCS-VOL-001')
        mine = volumes(conn, id)
        assert all(cinder_said(v) for v in broken), broken
        healthy = all(v.status in ('available', 'reserved', 'attaching', 'in-use') and v.id not in broken for v in mine)
        return broken and len(mine) == 2 and healthy
    # Cinder's scheduler tries three times.
    interrupted(kcs, conn, 'volume', {'cinder.create': {'error': 'out of space', 'match': '-cp-', 'count': 3}}, overcome)


def case_26_no_valid_host(kcs, conn):
    """No host takes the first master: ERROR, taken away, made again, while the worker's is left alone."""
    def overcome(id, person):
        broken = retired(person, id, 'server', 'KCS-CMP-001') | retired(person, id, 'server', 'KCS-CMP-004')
        mine = [s for s in servers(conn, id) if '-cp-' in s.name]
        return broken and [s.status for s in mine] == ['ACTIVE'] and mine[0].id not in broken
    # Nova tries three hosts.
    interrupted(kcs, conn, 'no-host', {'nova.spawn': {'error': 'no room', 'match': '-cp-', 'count': 3}}, overcome)


def case_41_names_alike(kcs, conn):
    """`prod` and `prod-2`: deleting one leaves every object of the other. The other has two pools and is in a network of the tenant's own, which
    is afterwards as it was before, byte for byte."""
    person = Person(kcs, 'member-a')
    office = cloud.Office('member-a', '10.32.0.0/24')
    untouched = office.told()
    theirs = dict(spec(1, 1), network={'existing': {'network_id': office.network.id, 'subnet_id': office.subnet.id}})
    theirs['node_pools'].append({'name': 'second', 'flavor': 'm1.medium', 'count': 1})
    made = {}
    for name, wanted in ('prod', dict(spec(1, 1), network={'node_cidr': '10.31.0.0/24'})), ('prod-2', theirs):
        made[name], _ = person.create(name, wanted)
    for name, id in made.items():
        up = ['ACTIVE'] * (2 if name == 'prod' else 3)
        eventually('servers of %s' % name, 240, lambda: [s.status for s in servers(conn, id)] == up)
    mine = servers(conn, made['prod-2'])
    inside = {p.device_id for p in conn.network.ports(network_id=office.network.id)}
    assert {s.id for s in mine} <= inside, ([s.id for s in mine], inside)
    assert not [n.name for n in [*conn.network.networks(), *conn.network.routers()] if made['prod-2'] in n.name]
    pools = {n['pool']: n['server']['id'] for n in person.nodes(made['prod-2']) if n['role'] == 'worker'}
    flavors = {s.id: s.flavor.original_name for s in mine}
    assert {pool: flavors[id] for pool, id in pools.items()} == {'default': 'm1.small', 'second': 'm1.medium'}, (pools, flavors)

    def of(id):
        return {k for k, name in cloud.objects(conn).items() if id in name or name.startswith('kcs-%s-' % id.replace('-', '')[-8:])}
    before = of(made['prod-2'])
    person.delete(made['prod'], 300)
    assert before and before <= of(made['prod-2']), before - of(made['prod-2'])
    person.delete(made['prod-2'], 300)

    def different():
        now = office.told()
        return {k: (untouched.get(k), now.get(k)) for k in untouched.keys() | now.keys() if untouched.get(k) != now.get(k)}
    eventually(lambda: 'the network is as it was; before and after: %s' % json.dumps(different())[:3000], 20, lambda: not different())
    office.remove()


def quota_before_and_midway(kcs, conn):
    """Too little quota is said before anything is made; quota lost midway blocks, and a retry goes on."""
    person = Person(kcs, 'member-a')
    with quota(conn, 'compute', instances=1):
        plan = person.call('POST', '/clusters/plan', {'name': 'no-quota', 'spec': spec(1, 1)})
        line = next(q for q in plan['quota'] if q['resource'] == 'instances')
        assert plan['blocked'] and line['limit'] == 1 and line['need'] >= 2, json.dumps(plan['quota'])
        try:
            person.create('no-quota', spec(1, 1))
            raise AssertionError('a create over the quota was accepted')
        except Refused as refused:
            assert refused.problem['code'].startswith('KCS-QUOTA'), refused
    with quota(conn, 'block_storage', volumes=10) as volume_quota:
        id, operation = person.create('quota', spec(1, 1))
        try:
            # At once, before there is a volume: Cinder sets no limit below what is in use.
            volume_quota.set(volume_quota.tenant, volumes=0)
            blocked_by(person, operation, 'KCS-QUOTA', 180)
        except Exception:
            person.delete(id, 300)
            raise
    try:
        person.call('POST', '/operations/%s/retry' % operation['id'])
        eventually('volumes are made after a retry', 120, lambda: len(volumes(conn, id)) == 2)
    finally:
        person.delete(id, 300)


# ---- one that lives

def ha(kcs, conn):
    person = Person(kcs, 'member-a')
    with phase('ha: create, a server rescheduled on the way'):
        once = {'nova.spawn': {'error': 'once', 'match': '-w-', 'count': 1}}
        cloud.faults(**once)
        id, operation = person.create('ha', spec(3, 1))
        person.finish(operation, 900)
        all_fired(once)
        cloud.faults()
    kubectl = Kubectl(person.kubeconfig(id, kcs.state))
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(4)))
    mine = servers(conn, id)
    check('four servers, each from its own volume', lambda: len(mine) == 4 and all(len(s.attached_volumes) == 1 for s in mine))
    check('masters on three hosts', lambda: len({s.hypervisor_hostname for s in mine if '-cp-' in s.name}) == 3)
    check('marks are in nova and cinder', lambda: all('kcs_resource' in o.metadata for o in mine + volumes(conn, id)))

    def resize(count):
        made = person.call('PATCH', '/clusters/%s/node-pools/default' % id, {'count': count})
        return made['operation']

    with phase('ha: resize to 2'):
        person.finish(resize(2), 600)
    check('5 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(5)))

    def server_in_error():
        # Nova tries three hosts.
        faults = {'nova.spawn': {'error': 'broken host', 'match': '-w-', 'count': 3}}
        cloud.faults(**faults)
        try:
            person.finish(resize(3), 600)
            assert len(set(all_fired(faults))) == 1, cloud.fired('nova.spawn')
        finally:
            cloud.faults()
        assert retired(person, id, 'server', 'KCS-CMP-001') | retired(person, id, 'server', 'KCS-CMP-004')
        assert len(servers(conn, id)) == 6 and all(s.status == 'ACTIVE' for s in servers(conn, id))

    with phase('ha: resize to 3, its server in ERROR first'):
        check('a server in ERROR is replaced', server_in_error)

    with phase('ha: resize to 1'):
        check('two nodes leave, with servers, volumes and ports', lambda: (
            person.finish(resize(1), 600), len(servers(conn, id)) == 4 and len(volumes(conn, id)) == 4)[1])
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(4)))

    def second_pool():
        made = person.call('POST', '/clusters/%s/node-pools' % id, {'name': 'second', 'flavor': 'm1.medium', 'count': 1, 'labels': {'tier': 'second'}})
        person.finish(made['operation'], 600)
        labelled = kubectl.json('get', 'nodes', '-l', 'tier=second')['items']
        assert len(labelled) == 1 and len(servers(conn, id)) == 5, ([n['metadata']['name'] for n in labelled], [s.name for s in servers(conn, id)])
        made = person.call('DELETE', '/clusters/%s/node-pools/second' % id)
        person.finish(made['operation'], 600)
        assert len(servers(conn, id)) == 4 and len(volumes(conn, id)) == 4, ([s.name for s in servers(conn, id)], [v.name for v in volumes(conn, id)])

    with phase('ha: a second pool comes and goes'):
        check('a second pool comes with its label, and goes with its servers and volumes', second_pool)
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: kubectl.ready(4)))

    with phase('ha: delete'):
        person.delete(id, 600)


STORIES = [check_cloud, ha, load_balancer_in_error, case_36_volume_in_error, case_26_no_valid_host, case_41_names_alike, quota_before_and_midway, much_goes_wrong, passcode, identity,
           case_21_project_deleted]


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
                cloud.nothing_left(conn, before)
    finally:
        kcs.stop()
    kcs.forget()
    end()


main()
