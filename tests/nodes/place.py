"""What a cluster is told about the place it is in, looked for in its nodes: time servers, a mirror, an authority, name servers; who may log in; a further disk;
a zone."""
import contextlib
import datetime
import http.server
import ipaddress
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

# first: it leads to the modules of both suites
from cluster import Cluster, addons_are_ready, system_pods
import cloud
from report import check, eventually, phase

# Of addresses for documentation: the guests' DNS answers there.
NAME_SERVERS = ['192.0.2.53', '192.0.2.54']
TIME_SERVERS = ['ntp.example.org', '192.0.2.123']
# The one that pods ask for an image of is nowhere.
REGISTRY = 'registry.example.org'
KEY_PAIR = 'kcs-nodes-test'
ZONES = {'master': 'az3', 'worker': 'az2'}
DISK, GIB, PATH = 'data', 3, '/srv/data'
PEM = serialization.Encoding.PEM


def signed(name, key, issuer, issuers_key, extension):
    """A certificate of an hour."""
    title = lambda text: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
    now, hour = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(hours=1)
    made = x509.CertificateBuilder().subject_name(title(name)).issuer_name(title(issuer)).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - hour).not_valid_after(now + hour)
    return made.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints)).sign(issuers_key, hashes.SHA256())


class Mirror:
    """A registry that has no image and remembers what it was asked for. Nobody but an authority of its own vouches for it."""

    def __init__(self, address, folder):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200 if self.path == '/v2/' else 404)
                self.send_header('Content-Length', '0')
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = signed('nodes test', authority, 'nodes test', authority, x509.BasicConstraints(ca=True, path_length=None))
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        self.authority = ca.public_bytes(PEM).decode()
        with open(folder + '/mirror.pem', 'wb') as f:
            f.write(own.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            f.write(signed(address, own, 'nodes test', authority, names).public_bytes(PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder + '/mirror.pem')
        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        # Not when it is accepted: somebody who says nothing would keep all others waiting.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.host = '%s:%d' % (address, self.server.server_address[1])

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def key_pair():
    """A key pair of the member's in Nova, for as long as this lasts: the public key."""
    compute = cloud.connect('member-a').compute
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    text = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    made = compute.create_keypair(name=KEY_PAIR, public_key=text)
    try:
        yield text
    finally:
        compute.delete_keypair(made)


def site(kcs):
    """One master, one worker with a further disk, in zones of their own, told of time servers, a mirror, an authority, name servers and a key pair; delete."""
    with Mirror(kcs.node_address, kcs.state) as mirror, key_pair() as key:
        machine = lambda role, **more: dict(more, zones=[ZONES[role]], key_pair=KEY_PAIR)
        pool = machine('worker', name='default', flavor='m1.small', count=1, data_volumes=[{'name': DISK, 'size_gib': GIB, 'mount_path': PATH}])
        c = Cluster(kcs, 'site', 1, 1, control_plane=machine('master', count=1, flavor='m1.medium'), node_pools=[pool],
                    network={'dns_servers': NAME_SERVERS}, ntp_servers=TIME_SERVERS, registry_mirror=mirror.host, ca_certificates=[mirror.authority])
        check('all add-ons are ready', lambda: addons_are_ready(c))
        check('all pods of kube-system are Ready', lambda: system_pods(c, 2))
        with phase('site: look into the nodes'):
            check('the disk has a file system, is mounted where it was asked for, and will be again', lambda: the_disk_is_mounted(c))
            check('nodes trust the authority', lambda: the_authority_is_trusted(c, mirror))
            check('containerd asks the mirror for an image of another registry', lambda: the_mirror_is_asked(c, mirror))
            check('programs for the time are told of the time servers', lambda: the_time_servers_are_told(c))
            check('names are asked of the name servers', lambda: the_name_servers_are_asked(c))
            check("the key pair's owner may log in", lambda: the_key_opens(c, key))
            check('servers and nodes are in their zones', lambda: zones_are_kept(c))
            check('a setting that is changed afterwards changes nothing at the nodes', lambda: nodes_stay_as_they_are(c))
        c.delete()


def the_disk_is_mounted(c):
    """By the beginning of the volume's id, which is all that a server sees of it; and on no node that was given none."""
    worker = c.nodes('worker')[0]
    mine = [v for v in cloud.volumes(cloud.connect(), c.id) if v.size == GIB]
    assert [[a['server_id'] for a in v.attachments] for v in mine] == [[worker['server']['id']]], [v.to_dict() for v in mine]
    id = mine[0].id
    disk = c.inside(worker, 'readlink', '-f', '/dev/disk/by-id/virtio-' + id[:20]).strip()
    mounted = lambda node: c.inside(node, 'sh', '-c', 'findmnt --noheadings --output SOURCE,FSTYPE --mountpoint %s || true' % PATH).split()
    assert mounted(worker) == [disk, 'ext4'], (disk, mounted(worker))
    assert mounted(c.nodes('master')[0]) == []
    assert int(c.inside(worker, 'blockdev', '--getsize64', disk)) == GIB << 30
    about = lambda what: c.inside(worker, 'blkid', '-s', what, '-o', 'value', disk).strip()
    assert about('LABEL') == 'kcs-' + id[:8], about('LABEL')
    assert 'UUID=%s %s ext4 defaults,nofail 0 2' % (about('UUID'), PATH) in c.inside(worker, 'cat', '/etc/fstab').splitlines()
    c.inside(worker, 'sh', '-c', 'echo kept > %s/file && sync' % PATH)


def the_authority_is_trusted(c, mirror):
    for node in c.person.nodes(c.id):
        before = len(mirror.asked)
        c.inside(node, 'curl', '-fsS', '-m', '10', 'https://%s/v2/' % mirror.host)
        assert '/v2/' in mirror.asked[before:], node['name']


def the_mirror_is_asked(c, mirror):
    """By the way of every pod: kubelet, then containerd, which says whose image it is after. It trusts the mirror by the same authority."""
    k = c.kubectl
    k('run', 'far', '--image=%s/nothing:1' % REGISTRY, '--restart=Never')
    try:
        eventually(lambda: 'the mirror is asked for it: %s\n%s' % (mirror.asked, k('describe', 'pod/far', check=False)), 60,
                   lambda: '/v2/nothing/manifests/1?ns=' + REGISTRY in mirror.asked)
    finally:
        k('delete', 'pod/far', '--now', '--timeout=60s')


def the_time_servers_are_told(c):
    """Of either program that an image may have."""
    for node in c.person.nodes(c.id):
        told = c.inside(node, 'cat', '/etc/systemd/timesyncd.conf.d/50-kcs.conf', '/etc/chrony/sources.d/kcs.sources').splitlines()
        assert told == ['[Time]', 'NTP=' + ' '.join(TIME_SERVERS)] + ['server %s iburst' % s for s in TIME_SERVERS], told


def the_name_servers_are_asked(c):
    for node in c.person.nodes(c.id):
        lines = c.inside(node, 'cat', '/run/systemd/resolve/resolv.conf').splitlines()
        servers = [line.split()[1] for line in lines if line.startswith('nameserver ')]
        assert sorted(servers) == NAME_SERVERS, (node['name'], servers)


def the_key_opens(c, key):
    """It is with the image's user, and with nobody's private key."""
    for node in c.person.nodes(c.id):
        lines = c.inside(node, 'cat', '/home/debian/.ssh/authorized_keys').splitlines()
        assert [line.split()[:2] for line in lines if line.strip()] == [key.split()], (node['name'], lines)


def zones_are_kept(c):
    compute = cloud.connect().compute
    for node in c.person.nodes(c.id):
        zone = ZONES[node['role']]
        label = c.kubectl('get', 'node', node['name'], '-o', r'jsonpath={.metadata.labels.topology\.kubernetes\.io/zone}')
        places = (node['server']['zone'], compute.get_server(node['server']['id']).availability_zone, label)
        assert places == (zone,) * 3, (node['name'], places)


def nodes_stay_as_they_are(c):
    servers = lambda: sorted((n['name'], n['server']['id']) for n in c.person.nodes(c.id))
    operations = lambda: [o['id'] for o in c.person.get('/operations?cluster_id=' + c.id)['items']]
    before = servers(), operations()
    c.person.call('PATCH', '/clusters/' + c.id, {'repair': 'manual'})
    spec = c.person.cluster(c.id)['spec']
    assert spec['repair'] == 'manual' and spec['ntp_servers'] == TIME_SERVERS, spec
    assert (servers(), operations()) == before, 'a setting has begun something'
