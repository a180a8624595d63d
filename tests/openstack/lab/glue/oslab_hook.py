"""Runs a program at events in a server's life, so that something real can be booted in place of the guest.

The program is $OSLAB_HOOK (looked for at each event; where there is none, servers are only records). Its argument is
the event's name, its standard input a JSON document, its standard output goes to log/hook.log. nova waits for it, in
the background of the API call: exit status 0 lets the operation succeed, 75 sends a new server to another host, and
anything else fails the operation, with the program's standard error as the message.
"""
import base64
import json
import os
import tempfile

from nova import context as nova_context
from nova import exception
from nova import objects
from oslo_concurrency import processutils

TRY_ELSEWHERE = 75  # EX_TEMPFAIL


def console(instance):
    """What the program writes here is the server's console log."""
    return os.path.join(os.environ['OSLAB_STATE'], 'console', instance.uuid)


def volume(connection_info, **more):
    data = connection_info.get('data', {})
    return dict(more, id=data.get('volume_id'), path=data.get('path'))


def _volumes(instance):
    bdms = objects.BlockDeviceMappingList.get_by_instance_uuid(nova_context.get_admin_context(), instance.uuid)
    return [volume(json.loads(b.connection_info), device=b.device_name, size=b.volume_size, boot=b.boot_index == 0)
            for b in bdms if b.is_volume and b.connection_info]


def _ports(network_info):
    return [{'id': vif['id'], 'mac': vif['address'], 'network_id': vif['network']['id'],
             'network': vif['network']['label'], 'mtu': vif['network'].get_meta('mtu'),
             'fixed_ips': [{'address': ip['address'], 'cidr': subnet['cidr'],
                            'gateway': (subnet['gateway'] or {}).get('address'),
                            'dns': [d['address'] for d in subnet['dns']]}
                           for subnet in vif['network']['subnets'] for ip in subnet['ips']]}
            for vif in network_info]


def _document(event, instance, network_info, more):
    data = instance.user_data and base64.b64decode(instance.user_data)
    try:
        text = data and data.decode()
    except UnicodeDecodeError:  # compressed, say
        text = None
    flavor = instance.flavor
    return dict(
        more, event=event, id=instance.uuid, name=instance.display_name, hostname=instance.hostname,
        project_id=instance.project_id, host=instance.host, zone=instance.availability_zone,
        image_id=instance.image_ref or None, ssh_key=instance.key_data, metadata=dict(instance.metadata),
        flavor={'name': flavor.name, 'vcpus': flavor.vcpus, 'ram': flavor.memory_mb, 'disk': flavor.root_gb},
        user_data=text, user_data_base64=instance.user_data, ports=_ports(network_info),
        volumes=_volumes(instance), console=console(instance))


def run(event, instance, network_info=None, **more):
    program = os.environ.get('OSLAB_HOOK', '')
    # octavia's amphorae are servers too
    if not os.access(program, os.X_OK) or instance.flavor.flavorid == 'amphora':
        return
    if network_info is None:
        network_info = instance.get_network_info()
    document = json.dumps(_document(event, instance, network_info, more))
    os.makedirs(os.path.dirname(console(instance)), exist_ok=True)
    with tempfile.NamedTemporaryFile() as errors:
        try:
            # In a session of its own and without our mark, so that what it leaves running outlives nova-compute;
            # output to files, because a pipe held open by such a process would be waited for.
            processutils.execute('env', '-u', 'OSLAB_SERVICE', 'setsid', 'sh', '-c', 'exec "$0" "$1" >>"$2" 2>"$3"',
                                 program, event, os.path.join(os.environ['OSLAB_STATE'], 'log', 'hook.log'),
                                 errors.name, process_input=document)
        except processutils.ProcessExecutionError as e:
            reason = errors.read().decode(errors='replace').strip() or 'exit status %s' % e.exit_code
            if event == 'create' and e.exit_code != TRY_ELSEWHERE:
                raise exception.BuildAbortException(instance_uuid=instance.uuid, reason=reason)
            raise exception.NovaException(reason)
