"""Clusters whose nodes really boot, made by KCS on a real OpenStack; called by test.sh. `suite.py [small] [ha] [addons] [site]`, default all."""
import base64
import os
import sys
import threading
import time

import requests

# first: it leads to the modules of both suites
from cluster import (HERE, Cluster, a_container_is_added_to_look_around, a_person_looks_around, a_port_is_reached, addons_are_ready, console_log,
                     files_are_copied, load_balancer_answers, logs_and_exec, much_is_watched, names_resolve, node_ports_answer,
                     nodes_know_their_servers, rebooted, replaced, secrets_are_gone, service_answers, system_pods,
                     ways_are_cut_with_their_kubeconfig, workload)
import cloud
import etcd
import guests
from kcs import Kcs, condition
from lost import (a_pool_that_cannot_join, case_30_a_node_on_which_kubeadm_fails_is_replaced_twice_and_its_last_words_are_shown,
                  case_38_a_mounted_volume_leaves_a_worker_without_power_once_its_server_is_gone,
                  case_54_a_worker_whose_server_is_deleted_behind_our_back_boots_again_under_another_name,
                  case_57_a_master_that_leads_etcd_without_a_kubelet_is_taken_out_and_replaced)
from optional import addons
from place import site
from report import check, end, eventually, phase, phases, say, skip, story
from rotation import Rotation

NODE_ADDRESS = '198.19.255.1'


def user_data_is_what_kcs_made(c):
    """What cloud-init ran is what nova was given, and what it was given is KCS's own script and a token: nothing for this cloud."""
    for node in c.person.nodes(c.id):
        ran = c.inside(node, 'cat', '/var/lib/cloud/instance/user-data.txt')
        told = cloud.connect().compute.get('/servers/%s' % node['server']['id'], microversion='2.3').json()['server']
        assert told.get('OS-EXT-SRV-ATTR:user_data'), 'nova shows no user data'
        assert base64.b64decode(told['OS-EXT-SRV-ATTR:user_data']).decode() == ran
        assert ran.startswith('#cloud-config') and 'PRIVATE KEY' not in ran


def a_token_of_the_openstack_client_opens_all_doors(c):
    """python-openstackclient's own token, on the API and on the way into the cluster."""
    token = cloud.command('member-a', 'token', 'issue', '-f', 'value', '-c', 'id').strip()
    with requests.Session() as http:
        http.trust_env, http.headers['X-Auth-Token'] = False, token
        listed = http.get(c.kcs.url + '/api/v1/clusters', timeout=30).json()['items']
        assert c.id in [one['id'] for one in listed], listed
        inside = http.get('%s/k8s/clusters/%s/api/v1/nodes' % (c.kcs.url, c.id), timeout=30)
        assert inside.status_code == 200 and inside.json()['kind'] == 'NodeList', inside.text[:300]


def balancer_is_online(c):
    conn = cloud.connect()

    def online():
        mine = [b for b in conn.load_balancer.load_balancers() if b.name.startswith('kcs-' + c.id)]
        members = [m.operating_status for b in mine for p in conn.load_balancer.pools(loadbalancer_id=b.id) for m in conn.load_balancer.members(p.id)]
        return [b.operating_status for b in mine] == ['ONLINE'] and members and set(members) == {'ONLINE'}
    eventually('load balancer and members are ONLINE', 60, online)


def claim(c):
    """Asks for a volume, which is made and attached while other things are looked at."""
    c.kubectl('apply', '-f', HERE + '/volume.yaml')


def writer_runs(c):
    k = c.kubectl
    try:
        eventually('the pod with the volume is Ready', 120, lambda: 'writer' in k.pods('default'))
    except Exception as e:
        told = [k('describe', 'pvc/data', 'pod/writer', check=False)]
        for app in 'csi-cinder-node', 'csi-cinder-controller':
            told.append(k('-n', 'kube-system', 'logs', '-l', 'k8s-app=' + app, '--all-containers', '--prefix', '--tail=15', check=False))
        raise AssertionError('%s\n%s' % (e, '\n'.join(told))) from e


def capable(bit):
    """Whether this process has a capability (linux/capability.h)."""
    with open('/proc/self/status') as f:
        return bool(int(next(line for line in f if line.startswith('CapEff')).split()[1], 16) >> bit & 1)


MAY_GROW_FILE_SYSTEMS = capable(24)  # CAP_SYS_RESOURCE: ext4 grows a mounted file system for nobody without it


def a_volume_is_used(c):
    """The claim has a volume of Cinder's, which Nova attaches and kubelet mounts; it grows under its pod, keeps what was written, and goes with the claim."""
    k, cinder = c.kubectl, cloud.connect().block_storage
    writer_runs(c)
    volume = k('get', 'pv', k('get', 'pvc', 'data', '-o', 'jsonpath={.spec.volumeName}'), '-o', 'jsonpath={.spec.csi.volumeHandle}')
    node = next(n for n in c.person.nodes(c.id) if n['name'] == k('get', 'pod', 'writer', '-o', 'jsonpath={.spec.nodeName}'))
    now = cinder.get_volume(volume)
    assert (now.status, now.size, [a['server_id'] for a in now.attachments]) == ('in-use', 1, [node['server']['id']]), now.to_dict()
    megabytes = lambda: int(k('exec', 'writer', '--', 'df', '-m', '/data').splitlines()[-1].split()[1])
    assert megabytes() < 1100, k('exec', 'writer', '--', 'df', '-m', '/data')
    k('patch', 'pvc', 'data', '-p', '{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}')
    disk = lambda: int(guests.inside(node['server']['id'], 'blockdev', '--getsize64', '/dev/disk/by-id/virtio-' + volume[:20]))
    eventually('the disk is bigger', 60, lambda: disk() == 2 << 30, every=1)

    def grown():
        # kubelet looks at a pod's volumes when the pod has changed, and otherwise once a minute
        k('annotate', 'pod/writer', 'looked-at=%s' % time.time(), '--overwrite')
        return megabytes() > 1800
    if MAY_GROW_FILE_SYSTEMS:
        try:
            eventually('the file system is bigger', 120, grown, every=2)
        except Exception as e:
            raise AssertionError('%s\n%s' % (e, k('describe', 'pvc/data', 'pod/writer', check=False))) from e
    else:
        skip('the file system of a volume grows under its pod', 'this machine gives nobody CAP_SYS_RESOURCE, which the kernel wants for it')
    assert cinder.get_volume(volume).size == 2 and k('exec', 'writer', '--', 'cat', '/data/file').strip() == 'kept'
    k('delete', '-f', HERE + '/volume.yaml', '--timeout=90s')
    eventually('Cinder has the volume no more', 90, lambda: volume not in [v.id for v in cinder.volumes(all_projects=True)])


def small(kcs):
    """One master, two workers; use; another cloud credential under load; a node that cannot join; resize, a worker without power; a worker replaced, another
    taken away behind KCS's back, another rebooted; delete."""
    c = Cluster(kcs, 'small', 1, 2)
    check('what booted is the user-data KCS made, unchanged', lambda: user_data_is_what_kcs_made(c))
    check('no secret of the bootstrap is left on the nodes', lambda: secrets_are_gone(c))
    check('all pods of kube-system are Ready: CoreDNS, kube-proxy', lambda: system_pods(c, 3))
    check('all add-ons are ready', lambda: addons_are_ready(c))
    check('nodes know their servers', lambda: nodes_know_their_servers(c))
    check('load balancer and its members are ONLINE', lambda: balancer_is_online(c))
    with phase('small: workload'):
        if check('a Deployment runs', lambda: workload(c)):
            claim(c)
            # It waits more than it works: what has nothing to do with the cloud is looked at beside it.
            rotation = Rotation(c)
            check('its Service answers by name, from every pod', lambda: service_answers(c))
            check('names resolve', lambda: names_resolve(c))
            check('its NodePort answers at every node', lambda: node_ports_answer(c))
            check('logs and exec, and KCS shows the pods', lambda: logs_and_exec(c))
            check('files are copied into a container and out of it', lambda: files_are_copied(c))
            check('a port of a pod is reached', lambda: a_port_is_reached(c))
            check('revoked, a kubeconfig leads nowhere at once', lambda: ways_are_cut_with_their_kubeconfig(c))
            check('a container is added to a pod to look around', lambda: a_container_is_added_to_look_around(c))
            check("the cluster's cloud credential is replaced while Services and claims come and go", rotation.ends)
            check('a Service of type LoadBalancer answers at its public address', lambda: load_balancer_answers(c))
            check('the old credential is refused, and what was got with it', rotation.old_is_refused)
            check('a person sees all of it in a browser, and gets in with what is saved there', lambda: a_person_looks_around(c, 3))
            # Its servers boot beside what comes next, which asks nothing of them.
            broken = a_pool_that_cannot_join(c)
            check('a claim gets a volume of Cinder, which is mounted, grows and goes with it', lambda: a_volume_is_used(c))
            check('every kind is watched at once', lambda: much_is_watched(c))
            check("a token of the OpenStack client opens the API and the cluster", lambda: a_token_of_the_openstack_client_opens_all_doors(c))
            check('no call of the cloud controller or the storage driver has failed meanwhile', rotation.no_call_failed)
            check('a node on which kubeadm fails is replaced, then given up on with its last words',
                  lambda: case_30_a_node_on_which_kubeadm_fails_is_replaced_twice_and_its_last_words_are_shown(c, broken))
    check('console logs are shown', lambda: console_log(c))
    c.resize(3)
    check('4 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(4)))
    with phase('small: a worker loses its power'):
        check('a mounted volume leaves a worker without power once its server is gone, and is mounted elsewhere with what is on it',
              lambda: case_38_a_mounted_volume_leaves_a_worker_without_power_once_its_server_is_gone(c, 2))
    check('3 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(3)))
    check('a worker is replaced', lambda: replaced(c, 'worker', 2))
    check('3 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(3)))
    with phase("small: a worker's server is deleted"):
        check("a worker whose server is deleted behind KCS's back is replaced after five minutes",
              lambda: case_54_a_worker_whose_server_is_deleted_behind_our_back_boots_again_under_another_name(c))
    check('3 nodes Ready', lambda: eventually('nodes', 60, lambda: c.kubectl.ready(3)))
    check('a worker is rebooted: Kubernetes sees a new boot', lambda: rebooted(c))
    # once more: the client is a bare pod, which leaves for good with its node
    check('the Service answers still', lambda: (workload(c), service_answers(c))[1])
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
        said = condition(c.person.cluster(c.id), 'ControlPlaneHealthy')
        assert said['status'] == 'False' and victim['name'] in said['message'], said
    finally:
        time.sleep(max(0, begun + 60 - time.time()))  # the first minute is what is measured
        stop.set()
        thread.join()
    say('      %d of %d requests failed after the power cut' % (len(misses), asked[0]))
    assert len(misses) <= 3, misses
    with phase('power cut: healed'):
        cloud.connect().compute.reboot_server(victim['server']['id'], 'HARD')
        eventually('the cluster runs again', 240, lambda: c.phase() == 'Running')


def spread(c):
    """Anti-affinity: no two masters on one host."""
    servers = [cloud.connect().compute.get_server(n['server']['id']) for n in c.nodes('master')]
    hosts = [s.hypervisor_hostname or s.compute_host for s in servers]
    assert len(set(hosts)) == 3, hosts


def ha(kcs):
    """Three masters, one worker; a master's power cut; a master whose kubelet stops while it leads etcd; a master replaced; delete."""
    c = Cluster(kcs, 'ha', 3, 1)
    check('all pods of kube-system are Ready', lambda: system_pods(c, 4))
    check('no two masters share a host', lambda: spread(c))
    check('etcd has three members', lambda: len(etcd.members(c)) == 3)
    check('load balancer and its members are ONLINE', lambda: balancer_is_online(c))
    check("a master's power cut is survived, said and healed", lambda: survives_a_power_cut(c))
    check('etcd has three members', lambda: len(etcd.members(c)) == 3)
    check('4 nodes Ready', lambda: eventually('nodes', 120, lambda: c.kubectl.ready(4)))
    with phase('ha: a kubelet stops'):
        check('a master whose kubelet has stopped while it leads etcd is taken out of etcd and replaced',
              lambda: case_57_a_master_that_leads_etcd_without_a_kubelet_is_taken_out_and_replaced(c))
    check('4 nodes Ready', lambda: eventually('nodes', 120, lambda: c.kubectl.ready(4)))
    check('a master is replaced', lambda: replaced(c, 'master', 3))
    check('etcd has three members, all of them there', lambda: etcd.is_of_the_masters(c))
    check('4 nodes Ready', lambda: eventually('nodes', 120, lambda: c.kubectl.ready(4)))
    c.delete()


def main():
    wanted = sys.argv[1:] or ['small', 'ha', 'addons', 'site']
    conn = cloud.connect()
    cloud.faults()
    before = cloud.objects(conn)
    kcs = Kcs(os.environ['KCS_BIN'], NODE_ADDRESS)
    try:
        for tell in (small, ha, addons, site):
            if tell.__name__ in wanted:
                story(tell.__name__, lambda: tell(kcs))
                with phase('%s: look for what is left' % tell.__name__):
                    cloud.nothing_left(cloud.connect(), before)
    finally:
        kcs.stop()
    kcs.forget()
    end()


main()
