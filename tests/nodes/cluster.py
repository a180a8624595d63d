"""A cluster that KCS has made, and what is expected of it, whatever cloud it is in."""
import contextlib
import functools
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'openstack', 'suite'))

import guests
from kcs import PASSWORD, Person, spec
from kubectl import Kubectl
from report import check, eventually, phase, say


class Cluster:
    """A cluster that KCS has made, and its member's kubectl."""

    def __init__(self, kcs, name, masters, workers, inside=guests.inside, **more):
        self.kcs, self.name, self._inside = kcs, name, inside
        self.person = Person(kcs, 'member-a')
        with phase('%s: create' % name):
            self.id, operation = self.person.create(name, dict(spec(masters, workers), **more))
            done = self.person.finish(operation, 900)
        for step in done['steps']:
            say('      %-20s %s - %s' % (step['key'], (step.get('started_at') or '')[11:19], (step.get('finished_at') or '')[11:19]))
        self.kubectl = Kubectl(self.person.kubeconfig(self.id, kcs.state))
        check('%d nodes are Ready by the kubeconfig that KCS issued' % (masters + workers),
              lambda: eventually('nodes', 60, lambda: self.kubectl.ready(masters + workers)))

    @functools.cached_property
    def operator(self):
        return Person(self.kcs, 'operator')

    def nodes(self, role):
        return [n for n in self.person.nodes(self.id) if n['role'] == role]

    def inside(self, node, *command):
        """Runs a command in a node's server, as its console would."""
        return self._inside(node['server']['id'], *command)

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


def secrets_are_gone(c):
    for node in c.person.nodes(c.id):
        left = c.inside(node, 'sh', '-c', 'ls /etc/kcs')
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
    def applied():
        # Anew each time: a pod that is on its way out is `unchanged`, and then it is gone.
        k('apply', '-f', HERE + '/workload.yaml')
        k('rollout', 'status', 'deployment/echo', '--timeout=20s')
        k('wait', '--for=condition=Ready', 'pod/client', '--timeout=20s')
        return 'client' in k.pods('default')
    try:
        eventually('echo and client are Ready', 300, applied)
    except Exception as e:
        raise AssertionError('%s\n%s' % (e, k('get', 'pods', '-A', '-o', 'wide'))) from e


def from_client(c, *command, **more):
    return c.kubectl('exec', 'client', '-c', 'client', '--', *command, **more)


def service_answers(c):
    """By its name, from every pod behind it. Which these are may change: a node that has just come back gives some of them up."""
    seen = set()

    def asked():
        seen.add(from_client(c, 'wget', '-qO-', '-T', '3', 'http://echo').strip())
        behind = {p for p in c.kubectl.pods('default') if p.startswith('echo')}
        assert behind <= seen, 'behind it are %s, answered have %s' % (behind, seen)
        return behind
    eventually('the Service has answered from every pod', 60, asked, every=0.1)


def names_resolve(c):
    assert 'Name:' in from_client(c, 'nslookup', 'kubernetes.default.svc.cluster.local')


def own_names_resolve(c):
    """A zone that the cluster's people have added, and everything else, by a CoreDNS that somebody deleted and KCS put back."""
    k = c.kubectl
    zone = 'corp.example:53 {\n    errors\n    hosts {\n        192.0.2.7 db.corp.example\n    }\n}\n'
    k('-n', 'kube-system', 'create', 'configmap', 'coredns-custom', '--from-literal=corp.server=' + zone)
    k('-n', 'kube-system', 'delete', 'deployment/coredns', 'service/kube-dns', 'configmap/coredns', '--timeout=60s')

    def resolved():
        names_resolve(c)
        return '192.0.2.7' in from_client(c, 'nslookup', 'db.corp.example', check=False)
    eventually('names resolve again, and the own one', 240, resolved, every=2)


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


def by_both_protocols(c):
    """kubectl as it is, and as it was before 1.31."""
    return c.kubectl, c.kubectl.over_spdy()


def files_are_copied(c):
    """kubectl cp, into a container and out of it."""
    there, back = os.path.join(c.kcs.state, 'there'), os.path.join(c.kcs.state, 'back')
    for k in by_both_protocols(c):
        with open(there, 'wb') as f:
            f.write(os.urandom(3 << 20))
        k('cp', there, 'client:/tmp/there')
        k('cp', 'client:/tmp/there', back)
        with open(there, 'rb') as sent, open(back, 'rb') as got:
            assert sent.read() == got.read(), 'the file has changed on its way'


def a_port_is_reached(c):
    """kubectl port-forward to a pod."""
    pod = next(p for p in c.kubectl.pods('default') if p.startswith('echo'))
    for k in by_both_protocols(c):
        with k.background('port-forward', 'pod/' + pod, ':8080') as forward:
            assert pod in through(forward)


def through(forward):
    port = forward.stdout.readline().split(' -> ')[0].rsplit(':', 1)[1]
    return guests.sh('curl', '-fsS', '-m', '5', 'http://127.0.0.1:%s/' % port)


def ways_are_cut_with_their_kubeconfig(c):
    """Both ways into a pod by a kubeconfig of their own end when it is revoked."""
    pod = next(p for p in c.kubectl.pods('default') if p.startswith('echo'))
    path = c.person.kubeconfig(c.id, c.kcs.state)
    own = Kubectl(path)
    with contextlib.ExitStack() as stack:
        ways = [stack.enter_context(k.background('port-forward', 'pod/' + pod, ':8080')) for k in (own, own.over_spdy())]
        assert all(pod in through(way) for way in ways)
        with phase('%s: ways are cut' % c.name):
            c.person.call('DELETE', '/clusters/%s/kubeconfigs/%s' % (c.id, path.rsplit('kubeconfig-', 1)[1]))
            eventually('kubectl has been cut off', 10, lambda: all(way.poll() is not None for way in ways), every=0.05)


def a_container_is_added_to_look_around(c):
    """kubectl debug and attach: what is typed gets in."""
    for n, k in enumerate(by_both_protocols(c)):
        name, program = 'look-%d' % n, 'read word; echo "from beside: $word"'
        k('debug', 'client', '--image=localhost/busybox:1', '--container=' + name, '--target=client', '--stdin', '--attach=false', '--', '/bin/sh', '-c', program)
        eventually(name + ' runs', 60, lambda: 'running' in k('get', 'pod', 'client', '-o', 'jsonpath={.status.ephemeralContainerStatuses[%d].state}' % n))
        said = k('attach', 'client', '--container=' + name, '--stdin', '--quiet', input='hello\n')
        # Of the log: what a program writes as it ends may be lost on the way to who is attached.
        eventually('it has read: ' + said, 30, lambda: 'from beside: hello' in k('logs', 'client', '-c', name))


def much_is_watched(c):
    """What a terminal console for Kubernetes keeps open: a watch of every kind that can be watched, all at once, and none of them breaks."""
    kinds = c.kubectl('api-resources', '--verbs=list,watch', '-o', 'name').split()
    with contextlib.ExitStack() as stack:
        watches = {k: stack.enter_context(c.kubectl.background('get', k, '-A', '--watch', '-o', 'name')) for k in kinds if k != 'secrets'}
        c.kubectl('create', 'configmap', 'seen')
        try:
            assert any(line.strip() == 'configmap/seen' for line in watches['configmaps'].stdout)
        finally:
            c.kubectl('delete', 'configmap', 'seen')
        assert len(watches) > 20, kinds
        ended = {kind: said(watch) for kind, watch in watches.items() if watch.poll() is not None}
        assert not ended, ended


def said(process):
    """The end of what a kubectl in the background complained of."""
    process.complaints.seek(0)
    return process.complaints.read()[-300:]


def browse(kcs, script, **settings):
    """A person's way through the console, in Chromium: a script of frontend/e2e. KCS_SCREENS: where its pictures go."""
    env = dict(os.environ, KCS_URL=kcs.url, KCS_USER='member-a', KCS_PASSWORD=PASSWORD, **settings)
    lines = []
    with subprocess.Popen(['node', HERE + '/../../frontend/e2e/' + script], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as walk:
        for line in walk.stdout:
            lines.append(line.strip())
            say('      ' + line.rstrip())
    assert walk.returncode == 0, '%s: %s' % (script, ' | '.join(lines[-40:])[-2500:])


def a_person_looks_around(c, nodes):
    """The console shows the cluster in a browser, and the kubeconfig that is saved there leads into a pod."""
    path = os.path.join(c.kcs.state, 'kubeconfig-browser')
    with phase('%s: browser' % c.name):
        browse(c.kcs, 'walk.mjs', KCS_CLUSTER=c.name, KCS_NODES=str(nodes), KCS_DEPLOYMENT='echo', KCS_KUBECONFIG=path)
    pod = next(p for p in c.kubectl.pods('default') if p.startswith('echo'))
    assert Kubectl(path)('exec', pod, '--', 'hostname').strip() == pod


def console_log(c):
    for node in c.person.nodes(c.id):
        text = json.dumps(c.person.get('/clusters/%s/nodes/%s/console' % (c.id, node['id'])))
        assert 'cloud-init' in text or 'kcs-bootstrap' in text or 'systemd' in text, text[:300]


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
