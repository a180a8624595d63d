"""One cluster to which much happens: what is short, what is withdrawn, what never comes, what people do by hand, and what keeps it from being deleted."""
import contextlib
import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import cloud
from cloud import quota, servers, volumes
from kcs import Person, Refused, blocked_by, condition, retired, spec
from kubectl import Kubectl
from report import eventually, phase, say

FLAVOR = 'withdrawn'


def all_fired(faults):
    """Each fault happened as often as it was to; answers the names of what it hit."""
    hit = {operation: cloud.fired(operation) for operation in faults}
    assert all(len(hit[operation]) == fault['count'] for operation, fault in faults.items()), hit
    return [name for names in hit.values() for name in names]


@contextlib.contextmanager
def no_address_left(conn, router):
    """The external network has one address only, and this router has it."""
    taken = conn.network.find_router(router, ignore_missing=False).external_gateway_info['external_fixed_ips'][0]
    subnet = conn.network.get_subnet(taken['subnet_id'])
    id, pools = subnet.id, list(subnet.allocation_pools)
    conn.network.update_subnet(id, allocation_pools=[{'start': taken['ip_address'], 'end': taken['ip_address']}])
    try:
        yield
    finally:
        conn.network.update_subnet(id, allocation_pools=pools)


def retry(c, operation=None):
    c.person.call('POST', '/operations/%s/retry' % (operation or c.operation)['id'])


def row(c, kind):
    """What KCS has written down of the cluster's one object of a kind."""
    rows = c.person.get('/clusters/%s/resources' % c.id)['items']
    return next((r for r in rows if r['kind'] == kind and r['state'] != 'gone'), {})


def workers(c):
    """Names of the workers that are to stay."""
    return {n['name'] for n in c.person.nodes(c.id) if n['role'] == 'worker' and not n['removing']}


def looks_again(c):
    """A cluster at rest is looked at twice a minute: this time at once."""
    c.kcs.sql("UPDATE work SET run_at = now(), wakes = wakes + 1 WHERE cluster_id = '%s'" % c.id)


def minutes_pass(c, minutes, node, since):
    """Nobody waits for minutes: a time that KCS has written down of a node (it counts by its database's clock) is set back, while no pass that has read
    it can write it again."""
    def set_back():
        with c.operator.engine_paused():
            return c.kcs.sql("UPDATE nodes SET {0} = {0} - interval '{1} minutes' WHERE cluster_id = '{2}' AND name = '{3}' AND {0} IS NOT NULL RETURNING name"
                             .format(since, minutes, c.id, node))
    eventually('%s of %s is known' % (since, node), 60, set_back)
    looks_again(c)


def case_40_two_networks_of_one_mark(c):
    """While a create is blocked, two networks of the name and the mark of the one that it could not make appear: it stops and names both. When one was
    removed, by hand, it goes on with the other."""
    mine = cloud.connect('member-a').network
    # No surface shows the marks of what was not made.
    resource = c.kcs.sql("SELECT id FROM ledger WHERE cluster_id = '%s' AND key = 'network' AND state <> 'gone'" % c.id)
    name, mark = 'kcs-%s-net' % c.id, 'kcs cluster=%s resource=%s' % (c.id, resource)
    # Paused, or the first is taken over before there is a second.
    with c.operator.engine_paused():
        twins = [mine.create_network(name=name, description=mark).id for _ in range(2)]
    try:
        retry(c)
        fault = blocked_by(c.person, c.operation, 'KCS-CLOUD-004')
        assert all(twin in fault['message'] for twin in twins), fault
        assert {n.id for n in mine.networks(name=name)} == set(twins), 'one of them was touched'
    finally:
        mine.delete_network(twins[1])
    retry(c)
    eventually('the other is taken over', 60, lambda: (row(c, 'network').get('cloud_id'), row(c, 'network').get('state')) == (twins[0], 'known'))


def case_27_no_address_is_left(c, refill):
    """The load balancer stays while there is no address for it: said, tried again rarely, and done when there is room."""
    blocked_by(c.person, c.operation, 'KCS-NET-002', 180)
    now = c.person.operation(c.operation['id'])
    assert now['state'] == 'blocked', now['state']
    rest = datetime.fromisoformat(now['next_attempt_at']) - datetime.now(timezone.utc)
    assert rest > timedelta(minutes=20), rest
    infrastructure = condition(c.person.cluster(c.id), 'InfrastructureReady')
    assert infrastructure['status'] == 'False', infrastructure
    balancers = lambda: [b.id for b in c.conn.load_balancer.load_balancers() if c.id in b.name]
    before = balancers()
    assert len(before) == 1, before
    refill()
    retry(c)
    eventually('the address is there', 60, lambda: row(c, 'floating_ip').get('address'))
    assert balancers() == before == [row(c, 'load_balancer')['cloud_id']], 'the load balancer was made again'


def case_29_a_server_builds_for_ever(c):
    """A server that is not there after ten minutes is given up, and another of another name takes its place."""
    stuck = eventually('a server is being built', 120, lambda: [s for s in servers(c.conn, c.id) if s.name in cloud.fired('nova.spawn')])[0]
    assert stuck.status == 'BUILD' and stuck.name in workers(c), (stuck.name, stuck.status)
    minutes_pass(c, 11, stuck.name, 'started_at')
    eventually('another has its place', 90, lambda: stuck.name not in workers(c) and len(workers(c)) == 3)
    # Nova deletes a server that it is building only when that has ended.
    cloud.faults()
    eventually('the one that never came is gone', 180, lambda: stuck.id in retired(c.person, c.id, 'server', 'KCS-CMP-002'))


def case_25_more_workers_than_a_group_holds(c):
    """Three workers, two to a server group: the third is in the next one."""
    groups = [set(g.member_ids) for g in c.conn.compute.server_groups(all_projects=True) if c.id in g.name]
    assert sorted(map(len, groups)) == [1, 2], groups
    assert set.union(*groups) == {s.id for s in servers(c.conn, c.id) if s.name in workers(c)}, groups


def case_28_a_flavor_is_withdrawn(c, flavor):
    """What runs on it is not touched; a pool of it does not grow, another may be made."""
    before = {s.id for s in servers(c.conn, c.id)}
    c.conn.compute.delete_flavor(flavor)
    eventually('it is offered no more', 30, lambda: not offered(c.person))
    try:
        c.person.call('PATCH', '/clusters/%s/node-pools/default' % c.id, {'count': 4})
        raise AssertionError('a pool grows by a flavor that is gone')
    except Refused as refused:
        assert refused.problem['code'] == 'KCS-CMP-007' and FLAVOR in refused.problem['detail'], refused
    made = c.person.call('POST', '/clusters/%s/node-pools' % c.id, {'name': 'other', 'flavor': 'm1.small', 'count': 2})
    c.person.finish(made['operation'], 300)
    after = {s.id for s in servers(c.conn, c.id)}
    assert before < after and len(after) == len(before) + 2, (before, after)


def case_31_a_server_is_switched_off(c, server):
    """Somebody has switched it off: its node is said to be unwell, and stays; after five minutes it is started again."""
    node = lambda: next(n for n in c.person.nodes(c.id) if n['name'] == server.name)
    status = lambda: c.conn.compute.get_server(server.id).status
    eventually('it is off', 60, lambda: status() == 'SHUTOFF')

    def said():
        looks_again(c)
        nodes = condition(c.person.cluster(c.id), 'NodesReady')
        return nodes['status'] == 'False' and server.name in nodes['message']
    eventually('KCS says so', 60, said)
    assert status() == 'SHUTOFF' and not node()['removing'] and not node().get('fault'), node()
    before = workers(c)
    minutes_pass(c, 6, server.name, 'unready_since')
    eventually('it is started again', 120, lambda: status() == 'ACTIVE')
    eventually('its node is ready', 120, lambda: (looks_again(c), node()['ready'])[1])
    assert workers(c) == before, 'a node was replaced'


def case_23_instance_quota(c):
    """A pool of two is to have five, and the quota of instances has no room for the third. Known before, it is refused; where the quota is cut after the
    operation has begun, that is blocked: what is used and allowed is said, Nova is not asked again and again, and the cluster works on with what it has.
    Once the quota is raised all five come."""
    def resize():
        return c.person.call('PATCH', '/clusters/%s/node-pools/other' % c.id, {'count': 5})['operation']
    before = len(servers(c.conn, c.id))
    kubectl = Kubectl(c.person.kubeconfig(c.id, c.kcs.state))
    with quota(c.conn, 'compute', instances=before):
        try:
            resize()
            raise AssertionError('a resize over the quota was accepted')
        except Refused as refused:
            assert refused.problem['code'].startswith('KCS-QUOTA'), refused
    with quota(c.conn, 'compute', instances=before + 3) as room:
        # Cut before the engine begins: Nova would let some of them through otherwise, and refuse others when it is building them.
        with c.operator.engine_paused():
            operation = resize()
            room.set(room.tenant, instances=before)
        fault = blocked_by(c.person, operation, 'KCS-QUOTA', 180)
        assert 'already used %d of %d instances' % (before, before) in fault['message'], fault
        now = c.person.operation(operation['id'])
        assert now['state'] == 'blocked', now['state']
        rest = datetime.fromisoformat(now['next_attempt_at']) - datetime.now(timezone.utc)
        assert rest > timedelta(minutes=20), rest
        # The first look is over once the calls are that were under way when the first of them was refused.
        for looks in 1, 3:
            asked = cloud.Asked()
            of_nova = lambda method: [call for call in asked.so_far() if call.method == method and '/servers' in call.path]
            for _ in range(looks):
                seen = len(of_nova('GET'))
                looks_again(c)
                eventually('it is looked at', 60, lambda: len(of_nova('GET')) > seen)
        assert not of_nova('POST'), of_nova('POST')
        pool = [n['ready'] for n in c.person.nodes(c.id) if n['pool'] == 'other']
        assert (len(pool), pool.count(True)) == (5, 2), pool
        eventually('all nodes that are there are ready', 60, lambda: kubectl.ready(before))
        kubectl('create', 'configmap', 'while-blocked')
    retry(c, operation)
    c.person.finish(operation, 600)
    assert [s.status for s in servers(c.conn, c.id)] == ['ACTIVE'] * (before + 3), [(s.name, s.status) for s in servers(c.conn, c.id)]
    eventually('all five have joined', 120, lambda: kubectl.ready(before + 3))


def case_62_rule_deleted_by_hand(c):
    """A rule that somebody removes from the masters' group is made again."""
    def rules():
        group = next(g for g in c.conn.network.security_groups() if c.id in g.name and g.name.endswith('master'))
        return [r['id'] for r in group.security_group_rules if r['port_range_min'] == 6443]
    rule = rules()[0]
    rest = len(rules()) - 1
    c.conn.network.delete_security_group_rule(rule)
    looks_again(c)
    eventually('the rule is there again', 180, lambda: len(rules()) == rest + 1 and rule not in rules())


def case_39_network_in_use(c):
    """Somebody's port keeps the network: it is named, all else goes, and the rest when the port has gone. Nova refuses once, and so does
    Cinder, which leaves a volume that only an operator can free: it is named with Cinder's words, and goes when he has."""
    net = next(n for n in c.conn.network.networks() if c.id in n.name)
    port = c.conn.network.create_port(network_id=net.id, name='foreign', project_id=net.project_id)
    faults = {'cinder.delete': {'error': 'busy', 'count': 1}, 'nova.destroy': {'error': 'stuck', 'count': 1}}
    cloud.faults(**faults)
    said = lambda: [s['fault'] for s in c.person.operation(made['operation']['id'])['steps'] if s.get('fault')]
    try:
        made = c.person.call('DELETE', '/clusters/' + c.id, {'confirm': 'beset', 'volumes': 'erase'})
        stuck = eventually('Cinder has refused', 300, lambda: [v for v in volumes(c.conn, c.id) if v.status == 'error_deleting'])[0]
        named = lambda: [f for f in said() if f.get('object') == stuck.name and 'Volume status must be' in f['message']]
        say('      %s' % json.dumps(eventually('the volume is named', 120, named))[:600])
        c.conn.block_storage.reset_volume_status(stuck, status='error')
        eventually('servers, volumes and load balancer are gone', 300, lambda: not servers(c.conn, c.id) and not volumes(c.conn, c.id)
                   and not [b for b in c.conn.load_balancer.load_balancers() if c.id in b.name])
        blocks = eventually('the port that keeps the network is named', 60,
                            lambda: [f for f in said() if 'In the way: port %s (foreign)' % port.id in f['message']])
        say('      %s' % json.dumps(blocks)[:600])
        all_fired(faults)
    finally:
        c.conn.network.delete_port(port)
        cloud.faults()
    c.person.finish(made['operation'], 300)
    assert c.person.get('/operations/%s/receipt' % made['operation']['id'])['left'] == []


def offered(person):
    return FLAVOR in [f['name'] for f in person.get('/flavors')['items']]


def much_goes_wrong(kcs, conn):
    """A create that is stopped three times and goes on each time; then two things at once happen to what was made, a quota and a rule are missing, and its
    deletion is refused what it asks for."""
    person, operator = Person(kcs, 'member-a'), Person(kcs, 'operator')
    with contextlib.ExitStack() as mended:
        flavor = conn.compute.create_flavor(name=FLAVOR, vcpus=1, ram=2048, disk=20)
        mended.callback(conn.compute.delete_flavor, flavor.id)
        eventually('the flavor is offered', 30, lambda: offered(person))
        mended.enter_context(quota(conn, 'compute', server_group_members=2))
        # Nothing is made before what it is to meet is there: with the quotas below it would be refused.
        with operator.engine_paused():
            id, operation = person.create('beset', spec(1, 3, flavor=FLAVOR))
            deleted = mended.enter_context(contextlib.ExitStack())
            deleted.callback(person.delete, id, 300)
            c = SimpleNamespace(kcs=kcs, conn=conn, person=person, operator=operator, id=id, operation=operation)
            short = mended.enter_context(contextlib.ExitStack())
            short.enter_context(quota(conn, 'network', networks=0))
            mended.callback(cloud.faults)
            cloud.faults(**{'nova.spawn': {'delay': 1800, 'match': '-w-2', 'count': 1}})
        blocked_by(person, operation, 'KCS-QUOTA')
        short.close()
        drained = mended.enter_context(contextlib.ExitStack())
        drained.enter_context(no_address_left(conn, 'kcs-%s-router' % id))
        with phase('much: two networks of one mark'):
            case_40_two_networks_of_one_mark(c)
        with phase('much: no address is left'):
            case_27_no_address_is_left(c, drained.close)
        with phase('much: a server builds for ever'):
            case_29_a_server_builds_for_ever(c)
        with phase('much: the rest of the create'):
            person.finish(operation, 600)
        case_25_more_workers_than_a_group_holds(c)
        # Its guest takes its time to go down: the next story is told meanwhile.
        stopped = next(s for s in servers(conn, id) if s.name.endswith('-w-0'))
        cloud.connect('member-a').compute.stop_server(stopped.id)
        with phase('much: a flavor is withdrawn'):
            case_28_a_flavor_is_withdrawn(c, flavor.id)
        with phase('much: a server is switched off'):
            case_31_a_server_is_switched_off(c, stopped)
        with phase('much: more than the quota allows'):
            case_23_instance_quota(c)
        with phase('much: a rule deleted by hand'):
            case_62_rule_deleted_by_hand(c)
        with phase('much: delete, with things that refuse once and a foreign port'):
            # Here, and not once more behind this.
            deleted.pop_all()
            case_39_network_in_use(c)
