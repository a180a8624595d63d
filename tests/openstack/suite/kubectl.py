"""kubectl with a kubeconfig that KCS has issued, and what a person looks at with it."""
import contextlib
import copy
import json
import os
import subprocess
import tempfile

from guests import sh

# As ../../kubernetes/build.sh lays it down.
CACHE = (os.environ.get('KCS_KUBERNETES_DIR') or os.environ.get('KCS_KUBERNETES_CACHE')
         or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'kcs/kubernetes'))


class Kubectl:
    def __init__(self, kubeconfig, version='v1.36.3'):
        self.command = ['%s/%s/kubectl' % (CACHE, version), '--kubeconfig', kubeconfig]

    def over_spdy(self):
        """The same as it was before 1.31, and as older client libraries are: ways into pods over SPDY."""
        other = copy.copy(self)
        other.command = ['env', 'KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false', 'KUBECTL_PORT_FORWARD_WEBSOCKETS=false', *self.command]
        return other

    def __call__(self, *args, **more):
        return sh(*self.command, *args, **more)

    @contextlib.contextmanager
    def background(self, *args):
        """A kubectl that goes on, its output piped; ended with the block. What it complains of is in `complaints`."""
        with tempfile.TemporaryFile('w+') as complaints:
            process = subprocess.Popen([*self.command, *args], stdout=subprocess.PIPE, stderr=complaints, text=True)
            process.complaints = complaints
            try:
                yield process
            finally:
                process.kill()
                process.wait()
                process.stdout.close()

    def json(self, *args):
        return json.loads(self(*args, '-o', 'json'))

    def ready(self, count):
        """Whether there are exactly so many nodes, all Ready."""
        nodes = self.json('get', 'nodes')['items']
        up = [n for n in nodes if condition(n, 'Ready') == 'True']
        return len(up) == count == len(nodes)

    def pods(self, namespace, ready=True):
        """Names of a namespace's pods: those that are Ready and stay, or all."""
        pods = self.json('-n', namespace, 'get', 'pods')['items']
        stays = lambda p: condition(p, 'Ready') == 'True' and 'deletionTimestamp' not in p['metadata']
        return [p['metadata']['name'] for p in pods if not ready or stays(p)]

    def answers(self):
        return self('get', '--raw', '/readyz', '--request-timeout=5s', check=False).strip() == 'ok'


def condition(thing, kind):
    return next((c['status'] for c in thing.get('status', {}).get('conditions', []) if c['type'] == kind), None)
