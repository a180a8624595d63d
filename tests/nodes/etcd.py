"""What the etcd of a cluster says of itself, asked beside one of its members."""
import json

PKI = '/etc/kubernetes/pki/etcd/'


def etcdctl(c, master, *command):
    files = ['--cacert', PKI + 'ca.crt', '--cert', PKI + 'server.crt', '--key', PKI + 'server.key']
    return json.loads(c.kubectl('-n', 'kube-system', 'exec', 'etcd-' + master['name'], '--', 'etcdctl', *files, *command, '-w', 'json'))


def members(c):
    return etcdctl(c, c.nodes('master')[0], 'member', 'list')['members']


def leader(c):
    """The master whose member leads."""
    masters = c.nodes('master')
    id = etcdctl(c, masters[0], 'endpoint', 'status')[0]['Status']['leader']
    name = next(m['name'] for m in members(c) if m['ID'] == id)
    return next(n for n in masters if n['name'] == name)


def is_of_the_masters(c):
    """Each master has a member that votes, and nobody else has one."""
    there = members(c)
    assert sorted(m.get('name', '') for m in there) == sorted(n['name'] for n in c.nodes('master')), there
    assert not [m for m in there if m.get('isLearner')], there
