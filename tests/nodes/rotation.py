"""The cluster's cloud credential is replaced while cloud controller and storage driver are at work: none of their calls fails, and the old one is worth
nothing afterwards."""
import collections
import re
import threading

import requests
import yaml

# first: it leads to the modules of both suites
from cluster import HERE
import cloud
from report import phase, say

KEYSTONE, NEUTRON = 'http://127.0.0.1:5000/v3', 'http://127.0.0.1:9696/v2.0'


def handed_over(kubectl):
    """Id and secret of the credential that the programs in the cluster work with."""
    config = kubectl('-n', 'kube-system', 'get', 'secret', 'cloud-config', '-o', 'go-template={{index .data "cloud.conf" | base64decode}}')
    return tuple(re.search(r'^application-credential-%s = "(.*)"$' % key, config, re.M).group(1) for key in ('id', 'secret'))


def sign_in(id, secret):
    """What Keystone answers to an application credential, and the token."""
    identity = {'methods': ['application_credential'], 'application_credential': {'id': id, 'secret': secret}}
    answer = requests.post(KEYSTONE + '/auth/tokens', json={'auth': {'identity': identity}}, timeout=60)
    return answer.status_code, answer.headers.get('X-Subject-Token')


def networks_with(token):
    """What Neutron answers to a token that asks for networks."""
    return requests.get(NEUTRON + '/networks', headers={'X-Auth-Token': token}, timeout=60).status_code


def signs_in(call):
    return call.path.startswith('/v3/auth/tokens')


def failed(call):
    """Whether a call was refused or broke. What is not there or is just changing is no refusal: services say so with 404 and 409, Cinder and Nova of a
    volume on its way with 400. Of a credential that is not there it is one."""
    if signs_in(call):
        return call.status >= 400
    of_volume = call.service == 'cinder-api' or '/os-volume_attachments' in call.path
    return call.status >= 400 and call.status not in (404, 409) and not (call.status == 400 and of_volume)


class Load:
    """Services of type LoadBalancer come and go, and beside them claims with a pod, which are mounted and grown, until it is enough."""

    def __init__(self, kubectl):
        self.kubectl, self.rounds, self.wrong, self._enough = kubectl, collections.Counter(), [], threading.Event()
        self._threads = [threading.Thread(target=self._again, args=(once,), daemon=True) for once in (self.service, self.claim)]
        for thread in self._threads:
            thread.start()

    def _again(self, once):
        while not self._enough.is_set():
            try:
                once('load-%d' % self.rounds[once.__name__])
            except Exception as e:  # noqa: told when the load has ended
                self.wrong.append('%s: %s' % (once.__name__, e))
                return
            self.rounds[once.__name__] += 1

    def service(self, name):
        k = self.kubectl
        k('create', 'service', 'loadbalancer', name, '--tcp=80:8080')
        k('wait', '--for=jsonpath={.status.loadBalancer.ingress[0].ip}', 'service/' + name, '--timeout=180s')
        k('delete', 'service/' + name, '--timeout=120s')

    def claim(self, name):
        k = self.kubectl
        with open(HERE + '/volume.yaml') as f:
            claim, pod = yaml.safe_load_all(f)
        claim['metadata']['name'] = pod['metadata']['name'] = pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName'] = name
        k('apply', '-f', '-', input=yaml.safe_dump_all([claim, pod]))
        k('wait', '--for=condition=Ready', 'pod/' + name, '--timeout=240s')
        volume = 'pv/' + k('get', 'pvc/' + name, '-o', 'jsonpath={.spec.volumeName}')
        k('patch', 'pvc/' + name, '-p', '{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}')
        k('wait', '--for=jsonpath={.spec.capacity.storage}=2Gi', volume, '--timeout=120s')
        k('delete', 'pod/' + name, 'pvc/' + name, '--timeout=120s')
        k('wait', '--for=delete', volume, '--timeout=120s')

    def enough(self):
        """Nothing is begun any more."""
        self._enough.set()

    def ended(self):
        """What was begun has come to its end."""
        self.enough()
        for thread in self._threads:
            thread.join(300)
            assert not thread.is_alive(), 'a round of the load does not end'
        assert not self.wrong, '\n'.join(self.wrong)


class Rotation:
    """Begun with the load when it is made. What else is looked at goes on meanwhile; each of the rest is a check of its own."""

    def __init__(self, c):
        self.c, self.old = c, handed_over(c.kubectl)
        status, self.token = sign_in(*self.old)
        assert (status, networks_with(self.token)) == (201, 200), 'the credential is no good before it is replaced: HTTP %d' % status
        self.asked = cloud.Asked()
        self.load = Load(c.kubectl)
        self.operation = c.person.call('POST', '/clusters/%s/credential/rotate' % c.id)['operation']

    def ends(self):
        """The operation does; what the load has begun goes on beside what comes next."""
        try:
            with phase('%s: wait for the new credential' % self.c.name):
                done = self.c.person.finish(self.operation, 300)
        finally:
            self.load.enough()
        say('      replaced between %s and %s' % (done['started_at'][11:19], done['finished_at'][11:19]))

    def old_is_refused(self):
        """By Keystone, which has it no more; and what was got with it, by a service that asks Keystone anew."""
        identity = cloud.connect().identity
        project = identity.find_project(cloud.TENANT, ignore_missing=False)
        user = identity.find_user('kcs-' + project.id, ignore_missing=False)
        there = {credential.id for credential in identity.application_credentials(user.id)}
        new = handed_over(self.c.kubectl)
        assert new[0] in there and self.old[0] not in there and new[0] != self.old[0], (self.old[0], new[0], there)
        answered = sign_in(*self.old)[0]
        assert answered in (401, 404), 'Keystone answers HTTP %d to the old credential' % answered
        cloud.forget_tokens()
        assert networks_with(self.token) == 401, 'a token of the old credential is good'
        assert sign_in(*new)[0] == 201, 'the new credential is no good'

    def no_call_failed(self):
        """Of all that the masters, where both programs are, have asked of the cloud since before it began. Each has signed in anew meanwhile."""
        self.load.ended()
        masters = [node['address'] for node in self.c.nodes('master')]
        calls = [call for call in self.asked.so_far() if call.address in masters]
        wrong = [call for call in calls if failed(call)]
        came = self.load.rounds
        say('      %d calls of cloud controller and storage driver, %d failed; %d Services and %d claims came and went'
            % (len(calls), len(wrong), came['service'], came['claim']))
        assert not wrong, wrong[:20]
        services = {call.service for call in calls}
        assert {'keystone', 'neutron', 'nova-api', 'cinder-api', 'octavia-api'} <= services, 'asked were only %s' % sorted(services)
        assert len([call for call in calls if signs_in(call)]) >= 2, 'they have not signed in anew'
        assert came['service'] and came['claim'], came
