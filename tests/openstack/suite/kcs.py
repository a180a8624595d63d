"""A running KCS against the lab's cloud, and people signed in to it. The program is the real one: `kcs dev --cloud` is `kcs serve` with a
private Postgres."""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile

import requests

from guests import sh
from report import eventually, say

PASSWORD = os.environ.get('OSLAB_PASSWORD', 'lab')
ENDED = ('succeeded', 'failed', 'cancelled')


class Refused(Exception):
    """A problem KCS answered with."""

    def __init__(self, status, problem):
        super().__init__('HTTP %d: %s' % (status, json.dumps(problem)[:2000]))
        self.status, self.problem = status, problem


def spec(masters, workers, **more):
    return {'control_plane': {'count': masters, 'flavor': 'm1.medium'}, 'node_pools': [{'name': 'default', 'flavor': 'm1.small', 'count': workers, **more}]}


class Kcs:
    def __init__(self, binary, node_address):
        self.binary, self.node_address = binary, node_address
        self.state = tempfile.mkdtemp(prefix='kcs-lab-')
        self.port = self.free_port()
        self.url = 'http://127.0.0.1:%d' % self.port
        self.figures = '127.0.0.1:%d' % self.free_port()
        self.start()

    def free_port(self):
        """TLS takes this port + 363, where nodes reach it."""
        while True:
            with socket.socket() as plain, socket.socket() as tls:
                plain.bind(('127.0.0.1', 0))
                port = plain.getsockname()[1]
                try:
                    tls.bind((self.node_address, port + 363))
                except (OSError, OverflowError):
                    continue
                return port

    def command(self):
        """What `kcs dev` is told, and its environment."""
        # The cloud as nodes reach it too; with this entry `kcs dev` finds the address of this machine that they reach.
        auth = {'auth_url': 'http://%s:5000/v3' % self.node_address, 'username': 'kcs', 'password': PASSWORD, 'project_name': 'service',
                'user_domain_name': 'Default', 'project_domain_name': 'Default'}
        with open(self.state + '/clouds.yaml', 'w') as f:
            json.dump({'clouds': {'lab': {'auth': auth, 'region_name': 'RegionOne'}}}, f)
        # The lab has its floating addresses on this machine itself, where otherwise no cluster's API may be.
        return ['--cloud', 'lab'], {'OS_CLIENT_CONFIG_FILE': self.state + '/clouds.yaml', 'KCS_ENGINE__API_CIDRS_ALLOWED': '[198.51.100.0/24]'}

    def start(self):
        options, settings = self.command()
        with open(self.state + '/kcs.out', 'a') as out:
            self.process = subprocess.Popen(
                [self.binary, 'dev', *options, '--state-dir', self.state, '--listen', '127.0.0.1:%d' % self.port],
                env=dict(os.environ, KCS_METRICS__LISTEN=self.figures, **settings), stdout=out, stderr=out, stdin=subprocess.DEVNULL)

        def ready():
            if self.process.poll() is not None:
                raise SystemExit('KCS ended: ' + self.log())
            return requests.get(self.url + '/readyz', timeout=5).status_code == 200

        eventually('KCS is ready', 120, ready)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def kill(self):
        """As a power cut would; Postgres lives on and is taken over at the next start."""
        self.process.kill()
        self.process.wait()

    def log(self, lines=40):
        text = ''
        for name in 'kcs.out', 'kcs.log':
            if os.path.exists('%s/%s' % (self.state, name)):
                with open('%s/%s' % (self.state, name)) as f:
                    text += ''.join(f.readlines()[-lines:])
        return text

    def sql(self, statement):
        """A statement of KCS's own database, and the values it answers: for what no surface shows, and for times that nobody waits for."""
        with open(self.state + '/config.yaml') as f:
            database = re.search(r'postgres://[^\s"\']+', f.read()).group()
        return sh('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', statement, database).strip()

    def check_cloud(self, project, **settings):
        """What `kcs check-cloud` says of the cloud with this configuration, but for these settings: its exit code, {what: (level, what was found, what
        mends it)}, and all that it printed."""
        # What else whoever runs the suite has set for KCS is in the file, or not meant.
        environment = {name: value for name, value in os.environ.items() if not name.startswith('KCS_')}
        asked = subprocess.run(
            [self.binary, 'check-cloud', '--config', self.state + '/config.yaml', '--project', project], env=dict(environment, **settings),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        lines = re.findall(r'^(\S.{7}) (.{24}) (.*)(?:\n {33} → (.*))?$', asked.stdout, re.M)
        said = {what.strip(): (level.strip(), found, remedy) for level, what, found, remedy in lines}
        return asked.returncode, said, asked.stdout + asked.stderr

    def figure(self, name, **labels):
        """A figure of its own, those with these labels taken together; 0 where it has not been counted yet."""
        lines = requests.get('http://%s/metrics' % self.figures, timeout=5).text.splitlines()
        wanted = [l for l in lines if re.match(name + '[{ ]', l) and all('%s="%s"' % label in l for label in labels.items())]
        return sum(float(l.rsplit(' ', 1)[1]) for l in wanted)

    def forget(self):
        shutil.rmtree(self.state, ignore_errors=True)


class Person:
    def __init__(self, kcs, user, **more):
        """`more`: what else, or other than usual, is sent to sign in."""
        self.kcs, self.http = kcs, requests.Session()
        self.http.trust_env = False
        session = self.call('POST', '/session', {'username': user, 'password': PASSWORD, **more})
        self.http.headers['X-CSRF-Token'] = session['csrf_token']

    def call(self, method, path, body=None):
        answer = self.http.request(method, self.kcs.url + '/api/v1' + path, json=body, timeout=60)
        parsed = answer.json() if answer.content else None
        if answer.status_code >= 400:
            raise Refused(answer.status_code, parsed)
        return parsed

    def get(self, path):
        return self.call('GET', path)

    def operation(self, id):
        return self.get('/operations/' + id)

    def finish(self, operation, seconds, state='succeeded'):
        """Waits for an operation's end, telling its steps."""
        told = [None]

        def ended():
            now = self.operation(operation['id'])
            step = (now.get('step') or [s.get('name') or s.get('key') for s in now['steps'] if s.get('state') == 'running'] or [None])
            fault = (now.get('fault') or {}).get('code')
            if (step, fault) != told[0]:
                told[0] = (step, fault)
                say('      %s %s%%: %s %s' % (now['kind'], now['progress'], step, fault or ''))
            return now if now['state'] in ENDED else None

        now = eventually('operation %s' % operation['kind'], seconds, ended)
        if now['state'] != state:
            raise AssertionError('operation %s: %s' % (now['kind'], json.dumps(now)[:3000]))
        return now

    def cluster(self, id):
        return self.get('/clusters/' + id)

    def nodes(self, id):
        return self.get('/clusters/%s/nodes' % id)['items']

    def create(self, name, spec):
        made = self.call('POST', '/clusters', {'name': name, 'spec': spec})
        return made['cluster']['id'], made['operation']

    def delete(self, id, seconds, volumes='erase'):
        """Deletes a cluster; answers the receipt, in which nothing must be left."""
        made = self.call('DELETE', '/clusters/' + id, {'confirm': self.cluster(id)['name'], 'volumes': volumes})
        self.finish(made['operation'], seconds)
        receipt = self.get('/operations/%s/receipt' % made['operation']['id'])
        if receipt['left']:
            raise AssertionError('left: %s' % receipt['left'])
        return receipt

    @contextlib.contextmanager
    def engine_paused(self):
        """As an operator: what the engine was at has ended, and it begins nothing until this is over."""
        self.call('PUT', '/admin/queue/pause', {'reason': 'something is being broken'})
        try:
            eventually('the engine rests', 60, lambda: self.get('/admin/queue')['in_work'] == 0, every=0.1)
            yield
        finally:
            self.call('DELETE', '/admin/queue/pause')

    def kubeconfig(self, id, folder):
        issued = self.call('POST', '/clusters/%s/kubeconfigs' % id, {'expires_in': 3600})
        path = '%s/kubeconfig-%s' % (folder, issued['id'])
        with open(path, 'w') as f:
            f.write(issued['kubeconfig'])
        return path


def condition(cluster, kind):
    """One of the things that KCS says of a cluster's state."""
    return next(c for c in cluster['status']['conditions'] if c['type'] == kind)


def blocked_by(person, operation, code, seconds=90):
    """Waits until an operation says what keeps it from going on."""
    def fault():
        now = person.operation(operation['id'])
        found = now.get('fault')
        return found if found and found['code'].startswith(code) else None
    fault = eventually('%s is said' % code, seconds, fault)
    assert fault['remedy'], fault
    say('      %s: %s; %s' % (fault['code'], fault.get('title'), fault.get('message')))
    return fault


def retired(person, cluster, kind, code):
    """Ids of objects that broke and were taken away, by what KCS keeps of them: a look at the cloud may come too late to see one."""
    rows = person.get('/clusters/%s/resources' % cluster)['items']
    return {r['cloud_id'] for r in rows if r['kind'] == kind and r['state'] == 'gone' and (r.get('fault') or {}).get('code') == code}
