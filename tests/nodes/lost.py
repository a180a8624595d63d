"""Nodes that do not get as far as joining, die, or are taken away behind KCS's back: what is said, what comes in their place, and what becomes of their
volumes."""
import time

# first: it leads to the modules of both suites
from cluster import HERE
import cloud
import etcd
import guests
from faults import looks_again, minutes_pass
from kcs import condition, retired
from kubectl import condition as of_kubernetes
from report import eventually, phase, say

IN_THE_WAY = '/var/lib/kubelet/config.yaml'


def names(c, role):
    """Of the nodes that are to stay."""
    return {n['name'] for n in c.nodes(role) if not n['removing']}


def missed(c, kind, name):
    """KCS says of a node that it is not well."""
    begun = time.time()

    def said():
        looks_again(c)
        told = condition(c.person.cluster(c.id), kind)
        return told['status'] == 'False' and name in told['message']
    eventually('KCS says that %s is not well' % name, 180, said, every=1)
    say('      said after %.0f s' % (time.time() - begun))


def succeeded(c, role, before, lost):
    """One new node has come in the place of the lost one, which nobody asked for; the others are those of before."""
    works = lambda n: n['ready'] and not n['removing'] and n['name'] != lost
    last = lambda: c.person.get('/operations?cluster_id=' + c.id)['items'][0]

    def there():
        nodes, repair = c.nodes(role), last()
        assert (repair['kind'], repair['state']) == ('cluster_repair', 'succeeded'), repair
        return nodes if len(nodes) == len(before) and all(map(works, nodes)) else None
    begun = time.time()
    now = {n['name'] for n in eventually('%s has a successor' % lost, 400, there)}
    assert len(now & before) == len(before) - 1, (before, now)
    say('      replaced after %.0f s' % (time.time() - begun))
    eventually('the cluster runs again', 240, lambda: (looks_again(c), c.phase() == 'Running')[1], every=1)


class Database:
    """One pod with a claim, which goes on elsewhere when its node is lost."""

    def __init__(self, c):
        self.c, self.cinder = c, cloud.connect().block_storage
        c.kubectl('apply', '-f', HERE + '/database.yaml')

    def runs(self):
        """The pod, Ready and with its volume attached where it is, and there only; and its node."""
        k = self.c.kubectl

        def there():
            stays = lambda p: of_kubernetes(p, 'Ready') == 'True' and 'deletionTimestamp' not in p['metadata']
            pods = [p for p in k.json('get', 'pods', '-l', 'app=db')['items'] if stays(p)]
            assert [p['spec']['nodeName'] for p in pods] == self.held_by() and len(pods) == 1, self.held_by()
            return pods[0]
        why = lambda: 'the pod runs with its volume: ' + k('describe', 'pvc,pods', '-l', 'app=db', check=False)[-3000:]
        pod = eventually(why, 240, there)
        return pod['metadata']['name'], next(n for n in self.c.person.nodes(self.c.id) if n['name'] == pod['spec']['nodeName'])

    def claim(self):
        """The names of its volume in Kubernetes and in Cinder."""
        volume = self.c.kubectl('get', 'pvc/db', '-o', 'jsonpath={.spec.volumeName}')
        return volume, self.c.kubectl('get', 'pv/' + volume, '-o', 'jsonpath={.spec.csi.volumeHandle}')

    def held_by(self):
        """Nodes that the volume is attached to, as Kubernetes knows it."""
        attachments = self.c.kubectl.json('get', 'volumeattachments')['items']
        volume = self.claim()[0]
        return [a['spec']['nodeName'] for a in attachments if a['spec']['source'].get('persistentVolumeName') == volume]

    def servers(self):
        """Those that the volume is attached to, as Cinder knows it."""
        return [a['server_id'] for a in self.cinder.get_volume(self.claim()[1]).attachments]

    def first(self, pod):
        """What the first of its pods wrote, read by this one."""
        return self.c.kubectl('exec', pod, '--', 'cat', '/data/first').strip()

    def delete(self):
        self.c.kubectl('delete', '-f', HERE + '/database.yaml', '--timeout=120s')


def a_pool_that_cannot_join(c):
    """Asks for a pool in whose node a directory is where kubeadm wants to write a file; it is made while other things are looked at."""
    volume = {'name': 'data', 'size_gib': 1, 'mount_path': IN_THE_WAY + '/data'}
    pool = {'name': 'broken', 'flavor': 'm1.small', 'count': 1, 'data_volumes': [volume]}
    return c.person.call('POST', '/clusters/%s/node-pools' % c.id, pool)['operation']


def case_30_a_node_on_which_kubeadm_fails_is_replaced_twice_and_its_last_words_are_shown(c, operation):
    """Then it is given up on: the operation and the last node say why, in kubeadm's own words. The pool can be deleted."""
    with phase('%s: wait for the pool that cannot join' % c.name):
        ended = c.person.finish(operation, 400, 'failed')
    assert ended['fault']['code'] == 'KCS-CMP-005', ended['fault']
    # Of several there may be one that is still being taken away.
    failed = [n['bootstrap']['lines'] for n in c.nodes('worker') if n['pool'] == 'broken' and n['bootstrap']['state'] == 'failed']
    assert failed, c.nodes('worker')
    for words in ended['fault']['message'], *failed:
        assert IN_THE_WAY + ': is a directory' in words, words
    eventually('two were taken away before', 90, lambda: len(retired(c.person, c.id, 'server', 'KCS-CMP-005')) >= 2)
    with phase('%s: delete the pool that cannot join' % c.name):
        c.person.finish(c.person.call('DELETE', '/clusters/%s/node-pools/broken' % c.id)['operation'], 300)
    assert not [n for n in c.nodes('worker') if n['pool'] == 'broken']


def case_38_a_mounted_volume_leaves_a_worker_without_power_once_its_server_is_gone(c, count):
    """The power of a worker is cut on which a claim is mounted. As long as its server may run, by what Nova says, nobody else gets the volume. The pool gives
    it up, with so many workers left, and the pod goes on at another with what it had written."""
    db, conn = Database(c), cloud.connect()
    pod, lost = db.runs()
    server, before = lost['server']['id'], names(c, 'worker')
    assert db.servers() == [server] and db.first(pod) == pod, (db.servers(), server, db.first(pod))
    guests.cut_power(server)
    missed(c, 'NodesReady', lost['name'])
    there = lambda: server in [s.id for s in cloud.servers(conn, c.id)]
    assert there() and db.held_by() == [lost['name']] and db.servers() == [server], (there(), db.held_by(), db.servers())
    asked = c.person.call('PATCH', '/clusters/%s/node-pools/default' % c.id, {'count': count})['operation']
    seen = []

    def let_go():
        if lost['name'] in db.held_by():
            return False
        # In this order: what is there now was there when the volume was let go.
        seen.append(there())
        return True
    with phase('%s: the volume is let go' % c.name):
        eventually('the volume is let go', 300, let_go)
    assert seen == [False], 'the volume was let go while the server was there'
    with phase('%s: the volume is mounted elsewhere' % c.name):
        successor, node = db.runs()
    assert node['name'] != lost['name'] and db.servers() == [node['server']['id']], (node, db.servers())
    assert db.first(successor) == pod, db.first(successor)
    c.person.finish(asked, 300)
    assert names(c, 'worker') == before - {lost['name']}, (before, names(c, 'worker'))
    db.delete()


def case_54_a_worker_whose_server_is_deleted_behind_our_back_boots_again_under_another_name(c):
    """It is said at once, and a new node replaces it after five minutes; it is not made again as it was."""
    before, lost = names(c, 'worker'), c.nodes('worker')[0]
    cloud.connect('member-a').compute.delete_server(lost['server']['id'])
    missed(c, 'NodesReady', lost['name'])
    assert names(c, 'worker') == before, 'not at once'
    minutes_pass(c, 6, lost['name'], 'unready_since')
    succeeded(c, 'worker', before, lost['name'])
    known = [n['metadata']['name'] for n in c.kubectl.json('get', 'nodes')['items']]
    assert lost['name'] not in known, known


def case_57_a_master_that_leads_etcd_without_a_kubelet_is_taken_out_and_replaced(c):
    """Its etcd and its API server run on as containers, and its server is well by all that Nova says: only Kubernetes misses it."""
    before, silent = names(c, 'master'), etcd.leader(c)
    c.inside(silent, 'systemctl', 'stop', 'kubelet')
    missed(c, 'ControlPlaneHealthy', silent['name'])
    run = c.inside(silent, 'sh', '-c', 'cat /proc/[0-9]*/comm 2> /dev/null; true').split()
    assert {'etcd', 'kube-apiserver'} <= set(run) and 'kubelet' not in run and names(c, 'master') == before, run
    minutes_pass(c, 6, silent['name'], 'unready_since')
    succeeded(c, 'master', before, silent['name'])
    etcd.is_of_the_masters(c)
