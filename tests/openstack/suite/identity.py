"""Who people and KCS are to the cloud: a passcode besides the password; and a service of the catalogue, tokens, credentials, people, a whole project, taken
away under it."""
import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import struct
import time

import openstack

import cloud
from cloud import TENANT, servers
from kcs import PASSWORD, Person, Refused, condition, spec
from report import check, eventually, phase, say

ROLES = ('member', 'load-balancer_member')


@contextlib.contextmanager
def member(conn, name, project):
    """Somebody more in a project, for a while."""
    ks = conn.identity
    user = ks.create_user(name=name, password=PASSWORD, domain_id='default')
    try:
        for role in ROLES:
            ks.assign_project_role_to_user(project, user, ks.find_role(role))
        yield user
    finally:
        ks.delete_user(user)


def end_tokens(conn, user, project):
    """Ends every token of a service user and of its credentials, and nothing else: Keystone ends them where a password is set, and it is set to what it
    is (backend/cloud-openstack/src/service_users.rs)."""
    words = 'kcs service user\0%s\0%s' % (user.name, project.id)
    password = base64.urlsafe_b64encode(hmac.new(PASSWORD.encode(), words.encode(), hashlib.sha256).digest()).rstrip(b'=').decode()
    auth = {'auth_url': 'http://127.0.0.1:5000/v3', 'user_id': user.id, 'password': password, 'project_id': project.id}
    openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth).authorize()  # fails where it is another by now
    conn.identity.update_user(user.id, password=password)
    # Keystone counts seconds: a token that it gives out in the rest of this one is as ended as those before.
    over = int(time.time()) + 1
    eventually('the second is over', 5, lambda: time.time() >= over, every=0.05)
    cloud.forget_tokens()


def reachable(cluster):
    return condition(cluster, 'CloudReachable')


def identity(kcs, conn):
    """One small cluster, whose maker leaves at once; its tokens, its way to a service, its credential and all who could renew it go, one after the other."""
    ks = conn.identity
    tenant = ks.find_project(TENANT)
    person = Person(kcs, 'member-a')
    sign_ins = lambda: kcs.figure('kcs_cloud_calls_total', service='identity', operation='authenticate')
    service_user = lambda: ks.find_user('kcs-' + tenant.id)

    def ledger():
        rows = person.get('/clusters/%s/resources' % id)['items']
        return {(r['kind'], r['name'], r['state'], r.get('cloud_id')) for r in rows}

    def looked():
        """The engine looks at the cluster now, not at its next turn."""
        passes = lambda: kcs.figure('kcs_engine_pass_seconds_count')
        before = passes()
        person.call('PATCH', '/clusters/' + id, {'deletion_protection': False})
        return eventually('the engine has looked', 60, lambda: passes() > before, every=0.1)

    def case_16_token_ends_midway():
        """Every token of the cluster's ends in the middle of its create: one new one, and the create goes on. (One that is only short-lived is never
        refused: it is renewed when half of its life is over.)"""
        eventually('the first master runs', 240, lambda: [s for s in servers(conn, id) if '-cp-' in s.name and s.status == 'ACTIVE'])
        before = sign_ins()
        end_tokens(conn, service_user(), tenant)
        person.finish(operation, 600)
        more = sign_ins() - before
        say('      signed in %d times' % more)
        # The sweep, should its turn be now, needs one of its own.
        assert 1 <= more <= 2, more

    def case_19_maker_leaves():
        """Who asked for the cluster has no role any more and is disabled: it grows all the same."""
        assert not ks.get_user(maker.id).is_enabled
        made = person.call('PATCH', '/clusters/%s/node-pools/default' % id, {'count': 2})
        person.finish(made['operation'], 300)
        assert len(servers(conn, id)) == 3

    def case_13_endpoint_removed():
        """Block storage leaves the catalogue: said by its name, nothing of the cluster is given up, what needs other services goes on; and it is seen
        when it is back, by the same process. (The services themselves use the internal endpoints.)"""
        service = next(s for s in ks.services() if s.type == 'block-storage')
        lost = list(ks.endpoints(service_id=service.id, interface='public'))
        before = ledger()
        try:
            for endpoint in lost:
                ks.delete_endpoint(endpoint)
            end_tokens(conn, service_user(), tenant)  # catalogues come with tokens
            named = lambda c: c['status'] == 'False' and 'no block-storage service' in c['message']
            eventually('the service is named', 60, lambda: looked() and named(reachable(person.cluster(id))))
            newcomer = Person(kcs, 'both')
            newcomer.get('/key-pairs')
            newcomer.get('/project-networks')
            assert newcomer.get('/volume-types')['items'] == []
            plan = newcomer.call('POST', '/clusters/plan', {'name': 'later', 'spec': spec(1, 1)})
            assert plan['blocked'] and 'KCS-VOL-003' in [line.get('code') for line in plan['checks'] if line['level'] == 'blocked'], plan
            assert ledger() == before
        finally:
            for endpoint in lost:
                ks.create_endpoint(service_id=service.id, interface='public', region_id=endpoint.region_id, url=endpoint.url)
        eventually('it is seen again', 60, lambda: looked() and reachable(person.cluster(id))['status'] == 'True')
        assert ledger() == before

    def case_17_refused_everywhere():
        """Keystone refuses the cluster's token, its credential, the service user that would make another, and the service account that would make sure
        of that one: said as such, nothing is written, and each is shown to Keystone once, and again after half a minute."""
        users = [service_user().id, ks.find_user('kcs').id]
        rows, before, begun = ledger(), sign_ins(), time.time()
        try:
            for user in users:
                ks.update_user(user, is_enabled=False)
            cloud.forget_tokens()
            eventually('it is said', 60, lambda: looked() and reachable(person.cluster(id)).get('code') == 'KCS-AUTH-002')
            for _ in range(6):
                looked()
            more = sign_ins() - before
            say('      signed in %d times' % more)
            assert 1 <= more <= 3 * (1 + (time.time() - begun) / 30), more
            assert ledger() == rows
        finally:
            for user in users:
                ks.update_user(user, is_enabled=True)
            # Else the service account would rest for a while longer.
            kcs.stop()
            kcs.start()

    def case_18_credential_deleted():
        """The cluster's credential is deleted behind our back, as those of a user who was disabled are: another is made by the service user, and with it
        the cluster goes."""
        ours = lambda: [c for c in ks.application_credentials(service_user().id) if id in c.name]
        for credential in ours():
            ks.delete_application_credential(service_user().id, credential.id)
        cloud.forget_tokens()
        receipt = person.delete(id, 300)
        made = [line for line in receipt['removed'] if line['kind'] == 'application_credential']
        assert len(made) >= 2, json.dumps(receipt)
        assert not ours()

    with member(conn, 'maker', tenant) as maker:
        id, operation = Person(kcs, 'maker').create('identity', spec(1, 1))
        try:
            for role in ROLES:
                ks.unassign_project_role_from_user(tenant, maker, ks.find_role(role))
            ks.update_user(maker.id, is_enabled=False)
            with phase('identity: create'):
                check('a token that ends midway is renewed once', case_16_token_ends_midway)
                person.finish(operation, 600)
            with phase('identity: resize'):
                check('the maker of a cluster leaves, and it goes on', case_19_maker_leaves)
            with phase('identity: a service leaves the catalogue'):
                check('a service that the catalogue lacks is named, and seen when it is back', case_13_endpoint_removed)
            with phase('identity: refused everywhere'):
                check('who is refused says so and does not knock again and again', case_17_refused_everywhere)
        finally:
            with phase('identity: delete'):
                if not check('a cluster whose credential is gone gets another and can be deleted', case_18_credential_deleted):
                    person.delete(id, 300)


def shown(seed, at):
    """What an authenticator with this seed shows at a time (RFC 6238: SHA-1, six digits, half a minute)."""
    digest = hmac.new(base64.b32decode(seed), struct.pack('>Q', int(at) // 30), hashlib.sha1).digest()
    begin = digest[-1] & 15
    return '%06d' % ((struct.unpack('>I', digest[begin:begin + 4])[0] & 0x7fffffff) % 10 ** 6)


def passcode(kcs, conn):
    """Keystone wants a passcode of somebody besides the password: KCS asks for it, and lets in with both, with neither alone, and with none that is wrong."""
    ks = conn.identity
    seed = base64.b32encode(secrets.token_bytes(20)).decode()

    def refused(code, **sent):
        try:
            Person(kcs, 'careful', **sent)
        except Refused as refusal:
            assert (refusal.status, refusal.problem['code']) == (401, code), refusal
            return
        raise AssertionError('was let in')

    def let_in():
        person = Person(kcs, 'careful', passcode=shown(seed, time.time()))
        session = person.get('/session')
        assert (session['user']['name'], session['project']['name']) == ('careful', TENANT), session
        # The token of both is good for the services, too.
        assert person.get('/flavors')['items'] and person.get('/clusters')['total'] == 0

    def wrong():
        now = time.time()
        near = {shown(seed, now + 30 * steps) for steps in range(-3, 4)}
        refused('KCS-AUTH-003', passcode=next(code for code in map('{:06d}'.format, range(len(near) + 1)) if code not in near))
        refused('KCS-AUTH-003', passcode=shown(seed, now), password='another')

    with member(conn, 'careful', ks.find_project(TENANT)) as user:
        assert Person(kcs, 'careful').get('/session')['user']['name'] == 'careful'  # as long as the password is enough
        made = ks.post('/credentials', json={'credential': {'type': 'totp', 'blob': seed, 'user_id': user.id}})
        assert made.status_code == 201, made.text
        both = {'multi_factor_auth_enabled': True, 'multi_factor_auth_rules': [['password', 'totp']]}
        changed = ks.patch('/users/' + user.id, json={'user': {'options': both}})
        assert changed.status_code == 200, changed.text
        check('the password alone is answered with the wish for a passcode', lambda: refused('KCS-AUTH-012'))
        check('a wrong passcode, and a wrong password with the right one, are refused alike', wrong)
        check('password and passcode together let in', let_in)


def case_21_project_deleted(kcs, conn):
    """The project is deleted in Keystone under its cluster: said as such, and an operator, who could not before, writes the cluster off."""
    ks = conn.identity
    operator = Person(kcs, 'operator')
    project = ks.create_project(name='gone', domain_id='default')
    listed = lambda: [c for c in operator.get('/admin/clusters?search=gone')['items'] if c['id'] == id]
    write_off = lambda: operator.call('POST', '/admin/clusters/%s/write-off' % id, {'confirm': 'gone'})
    try:
        with member(conn, 'leaver', project):
            person = Person(kcs, 'leaver')
            id, operation = person.create('gone', spec(1, 1))
            # At once, so that it is stuck with little: a network without a subnet, and neither ports nor servers.
            conn.block_storage.update_quota_set(project.id, volumes=0)
            conn.network.update_quota(project.id, subnets=0)
            eventually('it is stuck', 90, lambda: person.operation(operation['id'])['fault']['code'].startswith('KCS-QUOTA'))
        try:
            write_off()
            raise AssertionError('a cluster of a project that is there was written off')
        except Refused as refused:
            assert refused.problem['code'] == 'KCS-CONF-007', refused
        ks.delete_project(project.id)
        cloud.forget_tokens()
        operator.call('POST', '/admin/operations/%s/retry' % operation['id'])
        eventually('it is said', 90, lambda: reachable(listed()[0]).get('code') == 'KCS-AUTH-014')
        receipt = write_off()
        assert {'network', 'router'} <= {line['kind'] for line in receipt['unseen']}, json.dumps(receipt)
        assert not listed()
    finally:
        # What an operator of the cloud does with what a deleted project leaves behind.
        for volume in conn.block_storage.volumes(all_projects=True):
            if volume.project_id == project.id:
                conn.block_storage.delete_volume(volume)
        for group in conn.compute.server_groups(all_projects=True):
            if group.project_id == project.id:
                conn.compute.delete_server_group(group)
        for router in conn.network.routers(project_id=project.id):
            conn.network.delete_router(router)
        for network in conn.network.networks(project_id=project.id):
            conn.network.delete_network(network)
        for group in conn.network.security_groups(project_id=project.id):
            if group.name != 'default':
                conn.network.delete_security_group(group)
        ks.delete_project(project.id)
        user = ks.find_user('kcs-' + project.id)
        if user:
            ks.delete_user(user)
