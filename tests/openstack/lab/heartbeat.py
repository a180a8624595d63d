"""Stands in for the amphorae: sends octavia-health-manager the heartbeats they would send, so that operating
statuses are the real ones. faults.json: "octavia.members_down": ["10.0.0.5"], "octavia.silent": ["lb name"]."""
import collections
import os
import socket
import time

import pymysql

from octavia.amphorae.backends.health_daemon import status_message
import oslab_faults

INTERVAL = float(os.environ.get('OSLAB_HEARTBEAT', 2))
STATS = dict.fromkeys(('tx', 'rx', 'conns', 'totconns', 'ereq'), 0)


def status(members):
    return 'DOWN' if members and set(members.values()) == {'DOWN'} else 'UP'


def beats(cursor):
    def rows(query):
        cursor.execute(query)
        return cursor.fetchall()

    faults = oslab_faults.settings()
    down, silent = faults.get('octavia.members_down', []), faults.get('octavia.silent', [])
    checked = {pool for pool, in rows('select pool_id from health_monitor where enabled')}
    members, listeners = collections.defaultdict(dict), collections.defaultdict(list)
    for member, pool, address in rows('select id, pool_id, ip_address from member where enabled'):
        members[pool][member] = ('DOWN' if address in down else
                                 'UP' if pool in checked else 'no check')
    for listener, lb, pool in rows('select id, load_balancer_id, default_pool_id from listener where enabled'):
        listeners[lb].append((listener, pool))
    for amphora, lb, name in rows("select a.id, l.id, l.name from amphora a join load_balancer l on "
                                  "a.load_balancer_id = l.id where a.status = 'ALLOCATED' and "
                                  "l.provisioning_status = 'ACTIVE'"):
        if name not in silent:
            yield {'id': amphora, 'seq': 0, 'ver': 3,
                   'listeners': {i: {'status': 'OPEN', 'stats': STATS} for i, _ in listeners[lb]},
                   'pools': {'%s:%s' % (pool, i): {'status': status(members[pool]), 'members': members[pool]}
                             for i, pool in listeners[lb] if pool}}


db = None
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        db = db or pymysql.connect(unix_socket=os.environ['OSLAB_STATE'] + '/mysql.sock', user='root',
                                   database='octavia', autocommit=True)
        for beat in beats(db.cursor()):
            sock.sendto(status_message.wrap_envelope(beat, 'oslab'), ('127.0.0.1', 5555))
    except pymysql.Error as e:
        print(e, flush=True)
        db = None
    time.sleep(INTERVAL)
