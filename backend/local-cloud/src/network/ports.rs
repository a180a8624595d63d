//! Ports: a place on a network with addresses and security groups, bound to a server, a router or a load balancer, or to nothing.

use super::networks::usable;
use super::{Common, Network, addresses, invalid, known, missing, own, own_mut, quotas, required, resource, security_groups, wrapped};
use crate::http::{Answer, Call, Failure, Reply, text, text_or_empty, texts, truth};
use crate::jobs::Job;
use crate::state::State;
use crate::table::page;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FixedIp {
    pub subnet_id: String,
    pub ip_address: Ipv4Addr,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Port {
    pub common: Common,
    pub network_id: String,
    pub mac_address: String,
    pub fixed_ips: Vec<FixedIp>,
    pub device_id: String,
    pub device_owner: String,
    pub status: String,
    pub admin_state_up: bool,
    pub security_groups: Vec<String>,
    pub host: String,
    pub allowed_address_pairs: Value,
}
resource!(Port, "network_id" => network_id, "device_id" => device_id, "device_owner" => device_owner, "status" => status);

const ATTRIBUTES: [&str; 15] = [
    "network_id",
    "mac_address",
    "fixed_ips",
    "device_id",
    "device_owner",
    "security_groups",
    "port_security_enabled",
    "allowed_address_pairs",
    "binding:host_id",
    "binding:vnic_type",
    "binding:profile",
    "extra_dhcp_opts",
    "dns_name",
    "qos_policy_id",
    "propagate_uplink_status",
];

pub(super) fn view(port: &Port) -> Value {
    port.common.fill(json!({
        "network_id": port.network_id, "mac_address": port.mac_address, "fixed_ips": port.fixed_ips, "device_id": port.device_id,
        "device_owner": port.device_owner, "status": port.status, "admin_state_up": port.admin_state_up,
        "security_groups": port.security_groups, "allowed_address_pairs": port.allowed_address_pairs, "extra_dhcp_opts": [],
        "port_security_enabled": true, "binding:vnic_type": "normal", "binding:host_id": port.host, "qos_policy_id": null,
        "qos_network_policy_id": null, "propagate_uplink_status": true, "dns_name": "",
    }))
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => page(call, "ports", state.network.ports.values().filter(|p| visible(state, call, p)), view),
        (&Method::GET, [_, id]) => {
            let port = state.network.ports.get(*id).filter(|p| visible(state, call, p)).ok_or_else(|| missing("Port", id))?;
            Ok(wrapped(200, "port", view(port)))
        }
        (&Method::POST, [_]) => create(state, call),
        (&Method::PUT, [_, id]) => update(state, call, id),
        (&Method::DELETE, [_, id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

/// The owner of a network sees all its ports, whoever made them.
fn visible(state: &State, call: &Call<'_>, port: &Port) -> bool {
    let owner = || state.network.networks.get(&port.network_id).is_some_and(|n| n.common.project_id == call.actor.project_id);
    call.actor.sees(&port.common.project_id) || owner()
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_port")?;
    let given = call.object("port")?;
    known(given, &ATTRIBUTES)?;
    let network_id = required(given, "network_id")?.to_owned();
    usable(state, call, &network_id)?;
    let groups = groups(state, call, given)?;
    let admin_state_up = truth(given, "admin_state_up", true)?;
    let common = Common::from_call(state, call, given)?;
    quotas::check(state, &common.project_id, "port", 1)?;
    let wanted = wanted_ips(state, &network_id, given)?;
    let fixed_ips = take_all(state, &wanted)?;
    let port = Port {
        common,
        network_id,
        mac_address: text(given, "mac_address").map_or_else(|| state.mac(), str::to_owned),
        fixed_ips,
        device_id: text_or_empty(given, "device_id"),
        device_owner: text_or_empty(given, "device_owner"),
        status: "DOWN".into(),
        admin_state_up,
        security_groups: groups,
        host: String::new(),
        allowed_address_pairs: given.get("allowed_address_pairs").cloned().unwrap_or_else(|| json!([])),
    };
    let body = view(&port);
    enter(&mut state.network, port);
    Ok(wrapped(201, "port", body))
}

/// The groups asked for, each of which must exist; the project's default group when not said.
fn groups(state: &mut State, call: &Call<'_>, given: &Map<String, Value>) -> Result<Vec<String>, Failure> {
    if given.get("security_groups").is_none_or(Value::is_null) {
        return Ok(vec![security_groups::default_group(state, &call.actor.project_id)]);
    }
    let asked = texts(given, "security_groups");
    for id in &asked {
        own(&state.network.groups, call, "SecurityGroup", id)?;
    }
    Ok(asked)
}

/// (subnet, address) pairs asked for; without any, the network's first subnet.
fn wanted_ips(state: &State, network_id: &str, given: &Map<String, Value>) -> Result<Vec<(String, Option<Ipv4Addr>)>, Failure> {
    let of_network = |s: &&super::Subnet| s.network_id == network_id;
    let Some(asked) = given.get("fixed_ips").and_then(Value::as_array) else {
        return Ok(state.network.subnets.values().find(of_network).map(|s| (s.common.id.clone(), None)).into_iter().collect());
    };
    let one = |item: &Value| {
        let ip = match item["ip_address"].as_str() {
            None => None,
            Some(text) => Some(text.parse::<Ipv4Addr>().map_err(|_| invalid("fixed_ips", &format!("'{text}' is not a valid IP address")))?),
        };
        let subnet = match item["subnet_id"].as_str() {
            Some(id) => state.network.subnets.get(id).filter(of_network).ok_or_else(|| {
                let message = format!(
                    "Invalid input for operation: Failed to create port on network {network_id}, because fixed_ips included invalid subnet {id}."
                );
                Failure::new(400, "InvalidInput", message)
            })?,
            None => state.network.subnets.values().filter(of_network).find(|s| ip.is_none_or(|ip| s.cidr.contains(&ip))).ok_or_else(|| {
                Failure::new(400, "InvalidIpForNetwork", "IP address is not a valid IP for any of the subnets on the specified network.")
            })?,
        };
        Ok((subnet.common.id.clone(), ip))
    };
    asked.iter().map(one).collect()
}

/// Takes every address or none.
fn take_all(state: &mut State, wanted: &[(String, Option<Ipv4Addr>)]) -> Result<Vec<FixedIp>, Failure> {
    let mut taken: Vec<FixedIp> = Vec::new();
    for (subnet_id, asked) in wanted {
        match addresses::take(state, subnet_id, *asked) {
            Ok(ip_address) => taken.push(FixedIp { subnet_id: subnet_id.clone(), ip_address }),
            Err(failure) => {
                for fixed in taken {
                    addresses::give_back(state, &fixed.subnet_id, fixed.ip_address);
                }
                return Err(failure);
            }
        }
    }
    Ok(taken)
}

/// A port that a service makes for itself: Nova for a server, a router for an interface, Octavia for a VIP.
pub(crate) struct ServicePort<'a> {
    pub project: &'a str,
    pub name: &'a str,
    pub network_id: &'a str,
    pub subnet_id: &'a str,
    pub address: Option<Ipv4Addr>,
    pub device_id: &'a str,
    pub device_owner: &'a str,
    pub security_groups: Vec<String>,
}

pub(crate) fn make(state: &mut State, wanted: ServicePort<'_>) -> Result<String, Failure> {
    if !wanted.project.is_empty() {
        quotas::check(state, wanted.project, "port", 1)?;
    }
    let fixed_ips = take_all(state, &[(wanted.subnet_id.to_owned(), wanted.address)])?;
    let port = Port {
        common: Common::new(state, wanted.project, wanted.name, ""),
        network_id: wanted.network_id.to_owned(),
        mac_address: state.mac(),
        fixed_ips,
        device_id: wanted.device_id.to_owned(),
        device_owner: wanted.device_owner.to_owned(),
        status: "ACTIVE".into(),
        admin_state_up: true,
        security_groups: wanted.security_groups,
        host: String::new(),
        allowed_address_pairs: json!([]),
    };
    let id = port.common.id.clone();
    enter(&mut state.network, port);
    Ok(id)
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("update_port")?;
    let given = call.object("port")?;
    known(given, &ATTRIBUTES)?;
    own(&state.network.ports, call, "Port", id)?;
    let groups = if given.contains_key("security_groups") { Some(groups(state, call, given)?) } else { None };
    let now = state.clock.seconds_z();
    let port = own_mut(&mut state.network.ports, call, "Port", id)?;
    port.common.update(given, &now)?;
    port.admin_state_up = truth(given, "admin_state_up", port.admin_state_up)?;
    if let Some(groups) = groups {
        port.security_groups = groups;
    }
    for (key, field) in [("device_id", &mut port.device_id), ("device_owner", &mut port.device_owner)] {
        if given.contains_key(key) {
            *field = text_or_empty(given, key);
        }
    }
    if let Some(pairs) = given.get("allowed_address_pairs") {
        port.allowed_address_pairs = pairs.clone();
    }
    Ok(wrapped(200, "port", view(port)))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("delete_port")?;
    let port = own(&state.network.ports, call, "Port", id)?;
    if port.device_owner.starts_with("network:router_") {
        let message = format!("Port {id} cannot be deleted directly via the port API: has device owner {}.", port.device_owner);
        return Err(Failure::new(409, "ServicePortInUse", message));
    }
    remove(state, id);
    Ok(Reply::empty(204))
}

fn enter(network: &mut Network, port: Port) {
    let held = network.held.entry(port.network_id.clone()).or_default();
    held.extend(port.fixed_ips.iter().map(|fixed| (fixed.ip_address, port.common.id.clone())));
    network.ports.insert(port.common.id.clone(), port);
}

/// Enters the ports of an earlier run's records.
pub(crate) fn enter_all(network: &mut Network) {
    std::mem::take(&mut network.ports).into_values().for_each(|port| enter(network, port));
}

/// The port that has an address of a network.
pub(crate) fn at<'a>(network: &'a Network, id: &str, address: Ipv4Addr) -> Option<&'a Port> {
    network.ports.get(network.held.get(id)?.get(&address)?)
}

/// Takes a port away, with its addresses; its floating IPs stay, pointing at nothing.
pub(crate) fn remove(state: &mut State, id: &str) {
    let Some(port) = state.network.ports.shift_remove(id) else { return };
    for fixed in &port.fixed_ips {
        addresses::give_back(state, &fixed.subnet_id, fixed.ip_address);
        if let Some(held) = state.network.held.get_mut(&port.network_id) {
            held.remove(&fixed.ip_address);
        }
    }
    super::floating_ips::port_gone(state, id);
    vacated(state, &port.network_id, &port.device_owner);
}

/// Ties a port to a server or the like.
pub(crate) fn bind(state: &mut State, id: &str, device_id: &str, device_owner: &str, host: &str) {
    let now = state.clock.seconds_z();
    if let Some(port) = state.network.ports.get_mut(id) {
        device_id.clone_into(&mut port.device_id);
        device_owner.clone_into(&mut port.device_owner);
        host.clone_into(&mut port.host);
        port.common.touch(&now);
    }
}

pub(crate) fn unbind(state: &mut State, id: &str) {
    let now = state.clock.seconds_z();
    let Some(port) = state.network.ports.get_mut(id) else { return };
    let owner = std::mem::take(&mut port.device_owner);
    port.device_id.clear();
    port.host.clear();
    port.status = "DOWN".into();
    port.common.touch(&now);
    let network = port.network_id.clone();
    vacated(state, &network, &owner);
}

pub(crate) fn set_status(state: &mut State, id: &str, status: &str) {
    if let Some(port) = state.network.ports.get_mut(id) {
        status.clone_into(&mut port.status);
    }
}

fn carries_traffic(owner: &str) -> bool {
    owner.starts_with("compute:") || owner == "Octavia"
}

/// Tells the machines when the last server and load balancer has left a network.
fn vacated(state: &mut State, network: &str, owner: &str) {
    let inhabited = state.network.ports.values().any(|p| p.network_id == network && carries_traffic(&p.device_owner));
    if carries_traffic(owner) && !inhabited {
        state.job(Job::NetworkDown(network.to_owned()));
    }
}
