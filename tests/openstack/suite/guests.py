"""The guests behind the servers: commands in them, power cuts, and what they leave on this machine."""
import json
import os
import signal
import subprocess

STATE = os.environ.get('OSLAB_STATE', '/var/tmp/oslab')
GUESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))), 'nodes', 'guests')
NODES_DIR = os.environ.get('NODES_DIR') or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'kcs/nodes')
PREFIX = 'kn'  # of everything the hook makes


def sh(*args, check=True, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if check and done.returncode:
        raise AssertionError('%s: %s' % (' '.join(args)[:200], done.stdout[-2000:]))
    return done.stdout


def namespace(server):
    with open('%s/guests/servers/%s' % (STATE, server)) as f:
        return json.load(f)['NODES_NS']


def inside(server, *args, **more):
    """Runs a command in a server, as its console would."""
    return sh(GUESTS + '/guest-exec.sh', server, *args, env=dict(os.environ, NODES_NS=namespace(server), NODES_DIR=NODES_DIR), **more)


def cut_power(server):
    """The guest dies on the spot; nova believes it runs."""
    with open('%s/guests/%s/%s/pid' % (NODES_DIR, namespace(server), server)) as f:
        os.kill(int(f.read()), signal.SIGKILL)


def traces(prefix, mounts, words):
    """Name spaces and cgroups that begin with a prefix, mounts below a directory, processes with one of these words."""
    found = ['name space ' + l for l in sh('ip', 'netns').splitlines() if l.startswith(prefix)]
    found += ['mount ' + l.split()[1] for l in open('/proc/self/mounts') if mounts in l]
    for base in '/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/unified':
        if os.path.isdir(base):
            found += ['cgroup %s/%s' % (base, d) for d in os.listdir(base) if d.startswith(prefix)]
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid) as f:
                line = f.read().replace('\0', ' ')
        except OSError:
            continue
        if any(word in line for word in words):
            found.append('process ' + line[:150])
    return found


def left():
    """What there is of guests on this machine."""
    found = traces(PREFIX, NODES_DIR + '/guests/', ['/guests/' + PREFIX, '/run/' + PREFIX])
    found += ['link ' + l for l in sh('ip', '-br', 'link').splitlines() if l.startswith(PREFIX)]
    found += ['loop ' + l for l in sh('losetup', '--list', '--noheadings', '--output', 'BACK-FILE').splitlines() if STATE in l]
    for d in NODES_DIR + '/guests', NODES_DIR + '/run', STATE + '/guests/servers':
        if os.path.isdir(d):
            found += ['%s/%s' % (d, name) for name in os.listdir(d)]
    return found
