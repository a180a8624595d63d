"""Add-ons that a cluster has where they are asked for: an ingress controller, and namespaces that are kept apart."""
import json

import guests
from cluster import HERE, Cluster, addons_are_ready, system_pods, workload
from report import check, eventually, phase

HOST = 'echo.example.org'
INGRESS = {
    'apiVersion': 'networking.k8s.io/v1', 'kind': 'Ingress', 'metadata': {'name': 'echo'},
    'spec': {'rules': [{'host': HOST, 'http': {'paths': [{'path': '/', 'pathType': 'Prefix', 'backend': {'service': {'name': 'echo', 'port': {'number': 80}}}}]}}]}}
# Refused without a word: a connection is not made in this time.
SECONDS = '3'


def addons(kcs):
    """One master, one worker, Traefik and kube-network-policies: an Ingress answers at the controller's public address; the pods of a namespace are reached from
    it, from nodes and from outside, and from no other namespace; delete."""
    c = Cluster(kcs, 'addons', 1, 1, addons={'ingress': True, 'isolate_namespaces': True})
    check('all add-ons are ready', lambda: addons_are_ready(c))
    check('all pods of kube-system are Ready', lambda: system_pods(c, 2))
    with phase('addons: use'):
        check('a Deployment runs', lambda: workload(c))
        check('an Ingress leads to its Service, by its host name alone', lambda: ingress_answers(c))
        check('pods are reached from their own namespace and from no other', lambda: other_namespaces_are_refused(c))
        check('and from nodes and from outside', lambda: what_is_no_pod_is_let_in(c))
        check('where a person lets a namespace in, it gets in', lambda: a_policy_of_a_persons_own_opens_it(c))
        check("no pod of a person's own reaches the metadata service", lambda: metadata_is_refused(c))
    c.delete()


def ingress_answers(c):
    k = c.kubectl
    k('apply', '-f', '-', input=json.dumps(INGRESS))
    address = eventually('the Ingress has an address', 180, lambda: k('get', 'ingress', 'echo', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}'))
    ask = lambda host: guests.sh('curl', '-sS', '-m', '5', '-o', '/dev/stdout', '-w', '%{http_code}', '-H', 'Host: ' + host, 'http://%s/' % address)
    eventually('it answers at ' + address, 60, lambda: ask(HOST).startswith('echo-') and ask(HOST).endswith('200'))
    assert ask('other.example.org').endswith('404'), ask('other.example.org')


def reaches(c, namespace, url):
    """Whether a pod of a namespace gets an answer."""
    return c.kubectl('-n', namespace, 'exec', 'client', '--', 'sh', '-c', 'timeout %s wget -qO- %s 2>/dev/null || true' % (SECONDS, url)).strip() != ''


def a_client_in(c, namespace):
    with open(HERE + '/workload.yaml') as f:
        client = next(part for part in f.read().split('---\n') if 'kind: Pod' in part)

    def made():
        # Refused where the namespace is so new that its service account is not there yet.
        c.kubectl('-n', namespace, 'apply', '-f', '-', input=client)
        c.kubectl('-n', namespace, 'wait', '--for=condition=Ready', 'pod/client', '--timeout=20s')
        return True
    eventually('a client in %s is Ready' % namespace, 180, made)


def other_namespaces_are_refused(c):
    k = c.kubectl
    k('create', 'namespace', 'other')
    a_client_in(c, 'other')
    eventually('the policies are there', 90, lambda: 'kcs-own-namespace' in k('-n', 'other', 'get', 'networkpolicies', '-o', 'name'))
    pods = [p['status']['podIP'] for p in k.json('get', 'pods', '-l', 'app=echo')['items']]
    try:
        eventually('the other namespace is refused by the Service', 60, lambda: not reaches(c, 'other', 'http://echo.default'))
    except Exception as e:
        told = [k('-n', 'kube-system', 'logs', '-l', 'k8s-app=kube-network-policies', '--prefix', '--tail=20', check=False)]
        told += [c.inside(node, 'nft', 'list', 'ruleset')[-3000:] for node in c.person.nodes(c.id)]
        raise AssertionError('%s\n%s' % (e, '\n'.join(told))) from e
    for _ in range(3):
        for address in pods:
            assert reaches(c, 'default', 'http://%s:8080' % address), 'its own namespace does not reach ' + address
            assert not reaches(c, 'other', 'http://%s:8080' % address), 'another namespace reaches ' + address


def what_is_no_pod_is_let_in(c):
    pods = [p['status']['podIP'] for p in c.kubectl.json('get', 'pods', '-l', 'app=echo')['items']]
    for node in c.person.nodes(c.id):
        for address in pods:
            assert 'echo-' in c.inside(node, 'curl', '-fsS', '-m', '5', 'http://%s:8080/' % address), (node['name'], address)
        assert 'echo-' in guests.sh('curl', '-fsS', '-m', '5', 'http://%s:30080/' % node['address']), node['name']


def a_policy_of_a_persons_own_opens_it(c):
    policy = {
        'apiVersion': 'networking.k8s.io/v1', 'kind': 'NetworkPolicy', 'metadata': {'name': 'from-other'},
        'spec': {'podSelector': {'matchLabels': {'app': 'echo'}}, 'policyTypes': ['Ingress'],
                 'ingress': [{'from': [{'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'other'}}}]}]}}
    c.kubectl('apply', '-f', '-', input=json.dumps(policy))
    eventually('the other namespace is let in', 30, lambda: reaches(c, 'other', 'http://echo.default'))
    c.kubectl('delete', 'networkpolicy', 'from-other')
    eventually('and is not any more', 30, lambda: not reaches(c, 'other', 'http://echo.default'))


def metadata_is_refused(c):
    url = 'http://169.254.169.254/openstack/latest/meta_data.json'
    a_client_in(c, 'kube-system')
    eventually('the system reaches it: nothing is shown otherwise', 60, lambda: reaches(c, 'kube-system', url))
    assert not reaches(c, 'default', url)
