"""Clusters whose nodes really boot, made by KCS on a real OpenStack; called by test.sh. `suite.py [small] [ha]`, default both."""
import base64
import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'openstack', 'suite'))

import cloud
import guests
from kcs import Kcs, Person
from kubectl import Kubectl, condition
from report import check, end, eventually, phase, phases, say, story

NODE_ADDRESS = '198.19.255.1'
POOL = {'name': 'default', 'flavor': 'm1.small'}


def spec(masters, workers):
    # The node image lacks the registrar of CSI drivers, of which no module is published.
    return {'control_plane': {'count': masters, 'flavor': 'm1.medium'}, 'node_pools': [dict(POOL, count=workers)], 'addons': {'storage': False}}


class Cluster:
    """A cluster that KCS has made, and its member's kubectl."""

    def __init__(self, kcs, name, masters, workers):
        self.kcs, self.name = kcs, name
        self.person = Person(kcs, 'member-a')
        with phase('%s: create' % name):
            self.id, operation = self.person.create(name, spec(masters, workers))
            done = self.person.finish(operation, 900)
        for step in done['steps']:
            say('      %-20s %s - %s' % (step['key'], (step.get('started_at') or '')[11:19], (step.get('finished_at') or '')[11:19]))
        self.kubectl = Kubectl(self.person.kubeconfig(self.id, kcs.state))
        check('%d nodes are Ready by the kubeconfig that KCS issued' % (masters + workers),
              lambda: eventually('nodes', 60, lambda: self.kubectl.ready(masters + workers)))

    def nodes(self, role):
        return [n for n in self.person.nodes(self.id) if n['role'] == role]

    def phase(self):
        return self.person.cluster(self.id)['status']['phase']

    def resize(self, count):
        with phase('%s: resize to %d' % (self.name, count)):
            made = self.person.call('PATCH', '/clusters/%s/node-pools/default' % self.id, {'count': count})
            self.person.finish(made['operation'], 600)

    def verb(self, node, verb, seconds=900):
        with phase('%s: %s a %s' % (self.name, verb, node['role'])):
            made = self.person.call('POST', '/clusters/%s/nodes/%s/%s' % (self.id, node['id'], verb))
            self.person.finish(made['operation'], seconds)

    def delete(self):
        with phase('%s: delete' % self.name):
            receipt = self.person.delete(self.id, 600)
        say('      removed: %d objects' % len(receipt['removed']))


def user_data_is_what_kcs_made(c):
    """What cloud-init ran is what nova was given, and what it was given is KCS's own script and a token: nothing for this cloud."""
    for node in c.person.nodes(c.id):
        ran = guests.inside(node['server']['id'], 'cat', '/var/lib/cloud/instance/user-data.txt')
        told = cloud.connect().compute.get('/servers/%s' % node['server']['id'], microversion='2.3').json()['server']
        assert told.get('OS-EXT-SRV-ATTR:user_data'), 'nova shows no user data'
        assert base64.b64decode(told['OS-EXT-SRV-ATTR:user_data']).decode() == ran
        assert ran.startswith('#cloud-config') and 'PRIVATE KEY' not in ran


def secrets_are_gone(c):
    for node in c.person.nodes(c.id):
        left = guests.inside(node['server']['id'], 'sh', '-c', 'ls /etc/kcs')
        assert 'authorization' not in left and 'kubeadm.yaml' not in left and 'bundle.tar' not in left, left


def system_pods(c, nodes):
    k = c.kubectl
    def all_ready():
        there, ready = k.pods('kube-system', ready=False), k.pods('kube-system')
        assert set(there) == set(ready), 'not ready: %s' % sorted(set(there) - set(ready))
        return sum('kube-proxy' in p for p in ready) == nodes and sum('coredns' in p for p in ready) == 2
    eventually('all pods of kube-system are Ready', 180, all_ready)


def workload(c):
    k = c.kubectl
    k('apply', '-f', HERE + '/workload.yaml')
    k('rollout', 'status', 'deployment/echo', '--timeout=180s')
    k('wait', '--for=condition=Ready', 'pod/client', '--timeout=120s')


def from_client(c, *command, **more):
    return c.kubectl('exec', 'client', '--', *command, **more)


def service_answers(c):
    """By its name, from every pod behind it."""
    want, seen = set(c.kubectl.pods('default')) - {'client'}, set()

    def asked():
        seen.add(from_client(c, 'wget', '-qO-', '-T', '3', 'http://echo').strip())
        return want <= seen
    eventually('the Service has answered from %s' % want, 60, asked, every=0.1)


def names_resolve(c):
    assert 'Name:' in from_client(c, 'nslookup', 'kubernetes.default.svc.cluster.local')


def node_ports_answer(c):
    for node in c.person.nodes(c.id):
        eventually('NodePort at ' + node['address'], 20, lambda: 'echo-' in guests.sh('curl', '-fsS', '-m', '5', 'http://%s:30080/' % node['address']))


def load_balancer_answers(c):
    """The cloud controller makes a load balancer with a public address for a Service; both pods answer there."""
    c.kubectl('expose', 'deployment', 'echo', '--name', 'outside', '--type', 'LoadBalancer', '--port', '80', '--target-port', '8080')
    address = eventually('the Service has an address', 180, lambda: c.kubectl('get', 'service', 'outside', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'))
    eventually('it answers at ' + address, 60, lambda: 'echo-' in guests.sh('curl', '-fsS', '-m', '5', 'http://%s/' % address))


def nodes_know_their_servers(c):
    ids = {n['metadata']['name']: n['spec'].get('providerID', '') for n in c.kubectl.json('get', 'nodes')['items']}
    for node in c.person.nodes(c.id):
        assert ids[node['name']].endswith('/' + node['server']['id']), ids


def addons_are_ready(c):
    def ready():
        listed = c.person.get('/clusters/%s/addons' % c.id)['items']
        waiting = ['%s %s %s' % (a['name'], a['state'], a.get('message', '')) for a in listed if a['state'] != 'ready']
        assert not waiting, waiting
        return listed
    say('      %s' % [a['name'] for a in eventually('add-ons are ready', 180, ready, every=2)])


def logs_and_exec(c):
    pod = next(p for p in c.kubectl.pods('default') if p.startswith('echo'))
    assert 'serving as ' + pod in c.kubectl('logs', pod)
    assert c.kubectl('exec', pod, '--', 'hostname').strip() == pod
    page = c.person.get('/clusters/%s/kubernetes/pods?namespace=default' % c.id)
    assert pod in [p['name'] for p in page['items']], page


def console_log(c):
    for node in c.person.nodes(c.id):
        text = json.dumps(c.person.get('/clusters/%s/nodes/%s/console' % (c.id, node['id'])))
        assert 'cloud-init' in text or 'kcs-bootstrap' in text or 'systemd' in text, text[:300]


def balancer_is_online(c):
    conn = cloud.connect()

    def online():
        mine = [b for b in conn.load_balancer.load_balancers() if b.name.startswith('kcs-' + c.id)]
        members = [m.operating_status for b in mine for p in conn.load_balancer.pools(loadbalancer_id=b.id) for m in conn.load_balancer.members(p.id)]
        return [b.operating_status for b in mine] == ['ONLINE'] and members and set(members) == {'ONLINE'}
    eventually('load balancer and members are ONLINE', 60, online)


def nothing_left(before):
    with phase('look for what is left'):
        conn = cloud.connect()
        # A tenant's service identity outlives its clusters; it is the only thing that may.
        kept = lambda line: line.startswith('left: user ') and ' kcs-' in line
        rest = lambda: [l for l in cloud.difference(before, cloud.objects(conn)) if not kept(l)]
        check('the cloud is as before', lambda: eventually('difference: %s' % rest(), 60, lambda: not rest(), every=2))
        check('nothing is left on this machine', lambda: eventually('left: %s' % guests.left(), 20, lambda: not guests.left(), every=1))


def replaced(c, role, count):
    """A new node takes the place of an old one, of another name."""
    old = c.nodes(role)[-1]
    c.verb(old, 'replace')
    now = [n['name'] for n in c.nodes(role)]
    assert len(now) == count and old['name'] not in now, now


def rebooted(c):
    node = c.nodes('worker')[0]
    boot = lambda: c.kubectl('get', 'node', node['name'], '-o', 'jsonpath={.status.nodeInfo.bootID}')
    before = boot()
    c.verb(node, 'reboot')
    eventually('a new boot', 60, lambda: boot() not in ('', before))


def small(kcs):
    """One master, two workers; use; resize; replace and reboot a worker; delete."""
    c = Cluster(kcs, 'small', 1, 2)
    check('what booted is the user-data KCS made, unchanged', lambda: user_data_is_what_kcs_made(c))
    check('no secret of the bootstrap is left on the nodes', lambda: secrets_are_gone(c))
    check('all pods of kube-system are Ready: CoreDNS, kube-proxy', lambda: system_pods(c, 3))
    check('all add-ons are ready', lambda: addons_are_ready(c))
    check('nodes know their servers', lambda: nodes_know_their_servers(c))
    check('load balancer and its members are ONLINE', lambda: balancer_is_online(c))
    with phase('small: workload'):
        if check('a Deployment runs', lambda: workload(c)):
            check('its Service answers by name, from every pod', lambda: service_answers(c))
            check('names resolve', lambda: names_resolve(c))
            check('its NodePort answers at every node', lambda: node_ports_answer(c))
            check('a Service of type LoadBalancer answers at its public address', lambda: load_balancer_answers(c))
            check('logs and exec, and KCS shows the pods', lambda: logs_and_exec(c))
    check('console logs are shown', lambda: console_log(c))
    c.resize(3)
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(4)))
    c.resize(2)
    check('3 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(3)))
    check('a worker is replaced', lambda: replaced(c, 'worker', 2))
    check('3 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(3)))
    check('a worker is rebooted: Kubernetes sees a new boot', lambda: rebooted(c))
    check('the Service answers still', lambda: (c.kubectl('rollout', 'status', 'deployment/echo', '--timeout=120s'), service_answers(c))[1])
    c.delete()


def survives_a_power_cut(c):
    """A master dies on the spot: the API answers on, KCS says what is wrong; nova boots it again, and all is well."""
    victim = c.nodes('master')[-1]
    misses, asked, stop = [], [0], threading.Event()

    def ask():
        while not stop.is_set():
            asked[0] += 1
            if not c.kubectl.answers():
                misses.append(time.time())
            stop.wait(0.5)

    thread = threading.Thread(target=ask)
    thread.start()
    begun = time.time()
    guests.cut_power(victim['server']['id'])
    try:
        eventually('KCS says Degraded', 180, lambda: c.phase() == 'Degraded' or say('      ' + c.phase()), every=5)
        phases['power cut: said after'] = round(time.time() - begun, 1)
        conditions = c.person.cluster(c.id)['status']['conditions']
        said = [x for x in conditions if x['type'] == 'ControlPlaneHealthy']
        assert said and said[0]['status'] == 'False' and victim['name'] in said[0]['message'], conditions
    finally:
        time.sleep(max(0, begun + 60 - time.time()))  # the first minute is what is measured
        stop.set()
        thread.join()
    say('      %d of %d requests failed after the power cut' % (len(misses), asked[0]))
    assert len(misses) <= 3, misses
    with phase('power cut: healed'):
        cloud.connect().compute.reboot_server(victim['server']['id'], 'HARD')
        eventually('the cluster runs again', 240, lambda: c.phase() == 'Running')


def etcd_members(c):
    master = c.nodes('master')[0]
    pod = 'etcd-' + master['name']
    pki = '/etc/kubernetes/pki/etcd/'
    return json.loads(c.kubectl('-n', 'kube-system', 'exec', pod, '--', 'etcdctl', '--cacert', pki + 'ca.crt', '--cert', pki + 'server.crt',
                                '--key', pki + 'server.key', 'member', 'list', '-w', 'json'))['members']


def spread(c):
    """Anti-affinity: no two masters on one host."""
    servers = [cloud.connect().compute.get_server(n['server']['id']) for n in c.nodes('master')]
    hosts = [s.hypervisor_hostname or s.compute_host for s in servers]
    assert len(set(hosts)) == 3, hosts


def ha(kcs):
    """Three masters, one worker; a master's power cut; a master replaced; delete."""
    c = Cluster(kcs, 'ha', 3, 1)
    check('all pods of kube-system are Ready', lambda: system_pods(c, 4))
    check('no two masters share a host', lambda: spread(c))
    check('etcd has three members', lambda: len(etcd_members(c)) == 3)
    check('load balancer and its members are ONLINE', lambda: balancer_is_online(c))
    check("a master's power cut is survived, said and healed", lambda: survives_a_power_cut(c))
    check('etcd has three members', lambda: len(etcd_members(c)) == 3)
    check('4 nodes Ready', lambda: eventually('nodes', 120, lambda: c.kubectl.ready(4)))
    check('a master is replaced', lambda: replaced(c, 'master', 3))
    check('etcd has three members, all of them there', lambda: sorted(m['name'] for m in etcd_members(c)) == sorted(n['name'] for n in c.nodes('master')))
    check('4 nodes Ready', lambda: eventually('nodes', 120, lambda: c.kubectl.ready(4)))
    c.delete()


def main():
    wanted = sys.argv[1:] or ['small', 'ha']
    conn = cloud.connect()
    cloud.faults()
    before = cloud.objects(conn)
    kcs = Kcs(os.environ['KCS_BIN'], NODE_ADDRESS)
    try:
        for tell in (small, ha):
            if tell.__name__ in wanted:
                story(tell.__name__, lambda: tell(kcs))
                nothing_left(before)
    finally:
        kcs.stop()
    kcs.forget()
    end()


main()
