"""kubectl with a kubeconfig that KCS has issued, and what a person looks at with it."""
import json
import os

from guests import sh

CACHE = os.environ.get('KCS_KUBERNETES_CACHE') or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'kcs/kubernetes')


class Kubectl:
    def __init__(self, kubeconfig, version='v1.36.3'):
        self.command = ['%s/%s/kubectl' % (CACHE, version), '--kubeconfig', kubeconfig]

    def __call__(self, *args, **more):
        return sh(*self.command, *args, **more)

    def json(self, *args):
        return json.loads(self(*args, '-o', 'json'))

    def ready(self, count):
        """Whether there are exactly so many nodes, all Ready."""
        nodes = self.json('get', 'nodes')['items']
        up = [n for n in nodes if condition(n, 'Ready') == 'True']
        return len(up) == count == len(nodes)

    def pods(self, namespace, ready=True):
        """Names of a namespace's pods: those that are Ready, or all."""
        pods = self.json('-n', namespace, 'get', 'pods')['items']
        return [p['metadata']['name'] for p in pods if not ready or condition(p, 'Ready') == 'True']

    def answers(self):
        return self('get', '--raw', '/readyz', '--request-timeout=5s', check=False).strip() == 'ok'


def condition(thing, kind):
    return next((c['status'] for c in thing.get('status', {}).get('conditions', []) if c['type'] == kind), None)
