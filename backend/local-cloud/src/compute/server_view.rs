//! How Nova shows a server.

use super::servers::Server;
use crate::http::Call;
use crate::network::FloatingIp;
use crate::state::State;
use crate::table::{Grouped, grouped};
use serde_json::{Map, Value, json};

fn links(call: &Call<'_>, id: &str) -> Value {
    let href = format!("{}/servers/{id}", call.root);
    json!([{"rel": "self", "href": href}, {"rel": "bookmark", "href": href}])
}

pub(super) fn short(call: &Call<'_>, server: &Server) -> Value {
    json!({"id": server.id, "name": server.name, "links": links(call, &server.id)})
}

/// (vm_state, power_state, progress) of a status.
fn states(server: &Server) -> (&'static str, u8) {
    match server.status.as_str() {
        "BUILD" => ("building", 0),
        "ACTIVE" | "REBOOT" | "HARD_REBOOT" => ("active", 1),
        "SHUTOFF" => ("stopped", 4),
        "PAUSED" => ("paused", 3),
        "SUSPENDED" => ("suspended", 4),
        _ => ("error", 0),
    }
}

/// Floating addresses by their ports.
pub(super) fn floating(state: &State) -> Grouped<'_, FloatingIp> {
    grouped(&state.network.floating_ips, |ip| ip.port_id.as_deref())
}

pub(super) fn view(state: &State, floating: &Grouped<'_, FloatingIp>, call: &Call<'_>, server: &Server) -> Value {
    let (vm_state, power_state) = states(server);
    let task = server.task.as_deref().or((server.status == "BUILD").then_some("spawning"));
    let mut body = json!({
        "id": server.id, "name": server.name, "status": server.status, "tenant_id": server.project_id, "user_id": server.user_id,
        "metadata": server.metadata, "hostId": format!("host-{}", server.zone), "key_name": server.key_name,
        "flavor": flavor(state, call, server), "image": image(call, server), "addresses": addresses(state, floating, server),
        "links": links(call, &server.id), "created": server.created, "updated": server.updated, "accessIPv4": "", "accessIPv6": "",
        "config_drive": "", "OS-DCF:diskConfig": "MANUAL", "OS-EXT-AZ:availability_zone": server.zone,
        "OS-EXT-STS:task_state": task, "OS-EXT-STS:vm_state": vm_state, "OS-EXT-STS:power_state": power_state,
        "OS-SRV-USG:launched_at": server.launched, "OS-SRV-USG:terminated_at": null,
        "os-extended-volumes:volumes_attached": volumes(call, server),
    });
    if matches!(server.status.as_str(), "ACTIVE" | "BUILD") {
        body["progress"] = json!(if server.status == "ACTIVE" { 100 } else { 0 });
    }
    if let Some(fault) = server.fault.as_ref().filter(|_| server.status == "ERROR") {
        body["fault"] = json!({"code": fault.code, "message": fault.message, "created": fault.created});
    }
    let groups: Vec<Value> = if server.status == "ERROR" { Vec::new() } else { security_groups(state, server) };
    if !groups.is_empty() {
        body["security_groups"] = Value::Array(groups);
    }
    by_version(call, server, &mut body);
    body
}

/// Fields that came with later microversions.
fn by_version(call: &Call<'_>, server: &Server, body: &mut Value) {
    let fields: [(u32, &str, Value); 6] = [
        (9, "locked", json!(false)),
        (19, "description", json!(server.description)),
        (26, "tags", json!(server.tags)),
        (63, "trusted_image_certificates", Value::Null),
        (71, "server_groups", server.group.iter().map(|g| json!(g)).collect()),
        (73, "locked_reason", Value::Null),
    ];
    for (since, key, value) in fields {
        if call.minor >= since {
            body[key] = value;
        }
    }
    if call.actor.admin {
        body["OS-EXT-SRV-ATTR:host"] = json!(server.host());
        body["OS-EXT-SRV-ATTR:instance_name"] = json!(format!("instance-{}", &server.id[..8.min(server.id.len())]));
    }
}

fn flavor(state: &State, call: &Call<'_>, server: &Server) -> Value {
    match state.compute.flavors.get(&server.flavor_id) {
        Some(f) if call.minor >= 47 => {
            json!({"vcpus": f.vcpus, "ram": f.ram, "disk": f.disk, "ephemeral": 0, "swap": 0, "original_name": f.name, "extra_specs": {}})
        }
        _ => json!({"id": server.flavor_id, "links": [{"rel": "bookmark", "href": format!("{}/flavors/{}", call.root, server.flavor_id)}]}),
    }
}

/// Empty for a server that boots from a volume.
fn image(call: &Call<'_>, server: &Server) -> Value {
    server.image_id.as_ref().map_or(json!(""), |id| json!({"id": id, "links": [{"rel": "bookmark", "href": format!("{}/images/{id}", call.root)}]}))
}

fn volumes(call: &Call<'_>, server: &Server) -> Value {
    let one = |disk: &super::servers::Disk| {
        let mut entry = json!({"id": disk.volume_id});
        if call.minor >= 3 {
            entry["delete_on_termination"] = json!(disk.delete_on_termination);
        }
        entry
    };
    server.disks.iter().map(one).collect()
}

fn addresses(state: &State, floating: &Grouped<'_, FloatingIp>, server: &Server) -> Value {
    let mut by_network: Map<String, Value> = Map::new();
    for port in server.interfaces.iter().filter_map(|i| state.network.ports.get(&i.port_id)) {
        let name = state.network.networks.get(&port.network_id).map_or_else(|| port.network_id.clone(), |n| n.common.name.clone());
        let fixed = port.fixed_ips.iter().map(|f| (f.ip_address, "fixed"));
        let floating = floating.get(port.common.id.as_str()).into_iter().flatten().map(|f| (f.address, "floating"));
        let entries = fixed
            .chain(floating)
            .map(|(ip, kind)| json!({"version": 4, "addr": ip, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": port.mac_address}));
        if let Value::Array(list) = by_network.entry(name).or_insert_with(|| json!([])) {
            list.extend(entries);
        }
    }
    Value::Object(by_network)
}

fn security_groups(state: &State, server: &Server) -> Vec<Value> {
    let ports = server.interfaces.iter().filter_map(|i| state.network.ports.get(&i.port_id));
    let groups = ports.flat_map(|p| &p.security_groups).filter_map(|id| state.network.groups.get(id));
    groups.map(|g| json!({"name": g.common.name})).collect()
}
