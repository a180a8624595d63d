//! Interfaces and volumes attached to a server.

use super::server_create::make_port;
use super::servers::{Disk, Interface, own, own_mut};
use crate::http::{Answer, Call, Failure, Reply, text, truth};
use crate::network::ports;
use crate::state::State;
use crate::volumes::volume;
use http::Method;
use serde_json::{Value, json};

pub(super) fn interfaces(state: &mut State, call: &Call<'_>, id: &str, rest: &[&str]) -> Answer {
    let server = own(state, call, id)?.clone();
    match (call.method, rest) {
        (&Method::GET, []) => {
            let list: Vec<Value> = server.interfaces.iter().filter_map(|i| interface(state, &i.port_id)).collect();
            Ok(Reply::json(200, json!({ "interfaceAttachments": list })))
        }
        (&Method::POST, []) => {
            call.writer("os_compute_api:os-attach-interfaces:create")?;
            let given = call.object("interfaceAttachment")?;
            let owner = format!("compute:{}", server.zone);
            let attached = if let Some(port) = text(given, "port_id") {
                let found = state.network.ports.get(port).filter(|p| call.actor.sees(&p.common.project_id));
                let found = found.ok_or_else(|| Failure::missing(format!("Port {port} could not be found.")))?;
                if !found.device_id.is_empty() {
                    return Err(Failure::conflict(format!("Port {port} is still in use.")));
                }
                ports::bind(state, port, id, &owner, &server.host());
                Interface { port_id: port.to_owned(), ours: false }
            } else {
                let network = text(given, "net_id").ok_or_else(|| Failure::bad("Either port_id or net_id must be given"))?;
                Interface { port_id: make_port(state, call, id, &owner, network)?, ours: true }
            };
            ports::set_status(state, &attached.port_id, "ACTIVE");
            let body = interface(state, &attached.port_id);
            own_mut(state, call, id)?.interfaces.push(attached);
            Ok(Reply::json(200, json!({ "interfaceAttachment": body })))
        }
        (&Method::DELETE, [port]) => {
            call.writer("os_compute_api:os-attach-interfaces:delete")?;
            let missing = || Failure::missing(format!("Instance {id} does not have a port with id {port}"));
            let attached = server.interfaces.iter().find(|i| i.port_id == *port).ok_or_else(missing)?;
            if attached.ours {
                ports::remove(state, port);
            } else {
                ports::unbind(state, port);
            }
            own_mut(state, call, id)?.interfaces.retain(|i| i.port_id != *port);
            Ok(Reply::empty(202))
        }
        _ => Err(Failure::no_route()),
    }
}

fn interface(state: &State, port: &str) -> Option<Value> {
    let port = state.network.ports.get(port)?;
    Some(
        json!({"port_id": port.common.id, "net_id": port.network_id, "mac_addr": port.mac_address, "port_state": port.status, "fixed_ips": port.fixed_ips}),
    )
}

pub(super) fn volumes(state: &mut State, call: &Call<'_>, id: &str, rest: &[&str]) -> Answer {
    let server = own(state, call, id)?.clone();
    match (call.method, rest) {
        (&Method::GET, []) => {
            let list: Vec<Value> = server.disks.iter().map(|d| attachment(id, d)).collect();
            Ok(Reply::json(200, json!({ "volumeAttachments": list })))
        }
        (&Method::POST, []) => {
            call.writer("os_compute_api:os-volumes-attachments:create")?;
            let given = call.object("volumeAttachment")?;
            let volume_id = text(given, "volumeId").unwrap_or_default().to_owned();
            if !matches!(server.status.as_str(), "ACTIVE" | "SHUTOFF") {
                return Err(Failure::conflict(format!("Cannot 'attach_volume' instance {id} while it is in vm_state building")));
            }
            volume::reserve(state, call, &volume_id, id)?;
            let letter = char::from(b'a' + u8::try_from(server.disks.len().min(25)).unwrap_or(25));
            let disk = Disk { volume_id, device: format!("/dev/vd{letter}"), delete_on_termination: truth(given, "delete_on_termination", false)? };
            volume::attach(state, &disk.volume_id, id, &disk.device, &server.host());
            let body = attachment(id, &disk);
            own_mut(state, call, id)?.disks.push(disk);
            Ok(Reply::json(200, json!({ "volumeAttachment": body })))
        }
        (&Method::DELETE, [volume_id]) => {
            call.writer("os_compute_api:os-volumes-attachments:delete")?;
            let position = server.disks.iter().position(|d| d.volume_id == *volume_id);
            match position {
                None => return Err(Failure::missing(format!("volume_id not found: {volume_id}"))),
                Some(0) if server.image_id.is_none() => return Err(Failure::forbidden("Cannot detach a root device volume")),
                Some(position) => own_mut(state, call, id)?.disks.remove(position),
            };
            volume::detach(state, volume_id);
            Ok(Reply::empty(202))
        }
        _ => Err(Failure::no_route()),
    }
}

fn attachment(server: &str, disk: &Disk) -> Value {
    json!({"id": disk.volume_id, "volumeId": disk.volume_id, "serverId": server, "device": disk.device, "tag": null,
        "delete_on_termination": disk.delete_on_termination})
}
