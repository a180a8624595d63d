"""A cluster of full nodes in the local cloud: `kcs dev --nodes full`, nothing else; called by local.sh. `local.py [full] [console] [refused]`, default all."""
import glob
import json
import os
import subprocess
import sys
import tempfile

from cluster import (Cluster, addons_are_ready, browse, console_log, load_balancer_answers, logs_and_exec, names_resolve, nodes_know_their_servers,
                     own_names_resolve, rebooted, secrets_are_gone, service_answers, system_pods, workload)
import guests
from kcs import PASSWORD, Kcs
from report import check, end, eventually, phase, story


class LocalKcs(Kcs):
    """`kcs dev` with a local cloud of full nodes."""

    def __init__(self, binary):
        super().__init__(binary, '127.0.0.1')

    def command(self):
        return ['--nodes', 'full'], {'KCS_DEV_PASSWORD': PASSWORD}

    def machine(self, server):
        """Where the scripts of guests keep a server: name space and directory."""
        found = glob.glob('%s/guests/full/guests/*/%s' % (self.state, server))[0]
        return os.path.basename(os.path.dirname(found)), found

    def inside(self, server, *args):
        env = dict(os.environ, NODES_NS=self.machine(server)[0], NODES_DIR=self.state + '/guests/full')
        return guests.sh(guests.GUESTS + '/guest-exec.sh', server, *args, env=env)


def left(state):
    """What there is of this KCS's guests on the machine."""
    return guests.traces('kl', state, ['/guests/kl'])


def user_data_is_a_real_clouds(c):
    for node in c.person.nodes(c.id):
        ran = c.inside(node, 'cat', '/var/lib/cloud/instance/user-data.txt')
        assert ran.startswith('#cloud-config') and 'PRIVATE KEY' not in ran, ran[:200]
        assert c.inside(node, 'cat', '/proc/1/comm').strip() == 'systemd'


def containers_run(c):
    """As processes of the node, by containerd."""
    tasks = ''.join(c.inside(node, 'ctr', '-n', 'k8s.io', 'tasks', 'list') for node in c.nodes('worker'))
    assert tasks.count('RUNNING') >= 4, tasks


def full(kcs):
    """One master, one worker; use; reboot; KCS stops, starts and dies; delete."""
    # Volumes of the local cloud are not attached to full nodes.
    c = Cluster(kcs, 'full', 1, 1, inside=kcs.inside, addons={'storage': False})
    check('what booted is the user-data of a real cloud, by systemd', lambda: user_data_is_a_real_clouds(c))
    check('no secret of the bootstrap is left on the nodes', lambda: secrets_are_gone(c))
    check('all pods of kube-system are Ready', lambda: system_pods(c, 2))
    check('all add-ons are ready', lambda: addons_are_ready(c))
    check('nodes know their servers', lambda: nodes_know_their_servers(c))
    with phase('full: workload'):
        if check('a Deployment runs', lambda: workload(c)):
            check('its Service answers by name, from every pod', lambda: service_answers(c))
            check('names resolve', lambda: names_resolve(c))
            check('a zone of their own, too, by a CoreDNS that was deleted and put back', lambda: own_names_resolve(c))
            check('a Service of type LoadBalancer answers at its public address', lambda: load_balancer_answers(c))
            check('logs and exec, and KCS shows the pods', lambda: logs_and_exec(c))
            check('containers are processes', lambda: containers_run(c))
    check('console logs are shown', lambda: console_log(c))
    check('a worker is rebooted: Kubernetes sees a new boot', lambda: rebooted(c))
    with phase('full: KCS is killed and started'):
        kcs.kill()
        check('its guests go with it', lambda: eventually(lambda: 'left: %s' % left(kcs.state), 30, lambda: not left(kcs.state)))
        kcs.start()
        check('2 nodes Ready again', lambda: eventually('nodes', 240, lambda: c.kubectl.ready(2)))
        check('the Service answers again', lambda: (workload(c), service_answers(c))[1])
    c.delete()


def console(kcs):
    """A person's walk through the console, in a browser: create, watch, nodes, pods, a log, kubeconfig, delete, receipt."""
    with phase('console'):
        browse(kcs, 'story.mjs', KCS_CLUSTER='walk')


def nothing_left(kcs):
    check('nothing is left on this machine', lambda: eventually('left: %s' % left(kcs.state), 20, lambda: not left(kcs.state)))
    check('no disk is left', lambda: not glob.glob(kcs.state + '/guests/full/guests/*/*') and not glob.glob(kcs.state + '/guests/servers/*'))


def refused(kcs):
    """Who may not make full nodes is told why, and so is who would mix them with others."""
    def says(state, *command):
        return subprocess.run([*command, '--state-dir', state, '--listen', '127.0.0.1:%d' % kcs.free_port()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120).stdout

    with tempfile.TemporaryDirectory(prefix='kcs-lab-') as state:
        os.chmod(state, 0o777)
        said = says(state, 'setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', kcs.binary, 'dev', '--nodes', 'full')
        assert 'full nodes need root' in said, said
        disk = state + '/guests/servers/a'
        os.makedirs(disk)
        with open(disk + '/guest.json', 'w') as f:
            json.dump({'name': 'a', 'network': 'n', 'subnet': '10.0.0.0/24', 'gateway': '10.0.0.1', 'address': '10.0.0.5', 'mac': 'fa:16:3e:00:00:01',
                       'vcpus': 1, 'ram_mib': 512, 'kubernetes_version': None}, f)
        said = says(state, kcs.binary, 'dev', '--nodes', 'full')
        assert 'clusters of simulated nodes' in said and '--reset' in said, said


def main():
    wanted = sys.argv[1:] or ['full', 'console', 'refused']
    kcs = LocalKcs(os.environ['KCS_BIN'])
    try:
        for tell in full, console, refused:
            if tell.__name__ in wanted:
                story(tell.__name__, lambda: tell(kcs))
                nothing_left(kcs)
    finally:
        kcs.stop()
    check('nothing is left when KCS has stopped', lambda: not left(kcs.state))
    kcs.forget()
    end()


main()
