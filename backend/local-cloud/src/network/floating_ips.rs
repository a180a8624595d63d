//! Floating IPs: an address of an external network, led to a port's fixed address through a router.

use super::networks::usable;
use super::{Common, addresses, invalid, known, own, quotas, required, resource, routers, wrapped};
use crate::http::{Answer, Call, Failure, Reply, text};
use crate::jobs::Job;
use crate::state::State;
use crate::table::page;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FloatingIp {
    pub common: Common,
    pub network_id: String,
    pub subnet_id: String,
    pub address: Ipv4Addr,
    pub port_id: Option<String>,
    pub fixed_ip: Option<Ipv4Addr>,
    pub router_id: Option<String>,
}
resource!(FloatingIp, "floating_network_id" => network_id);

const ATTRIBUTES: [&str; 7] = ["floating_network_id", "port_id", "fixed_ip_address", "floating_ip_address", "subnet_id", "dns_name", "dns_domain"];

fn view(state: &State, ip: &FloatingIp) -> Value {
    let port = ip.port_id.as_ref().and_then(|id| state.network.ports.get(id));
    let details = port.map(|p| {
        json!({"name": p.common.name, "network_id": p.network_id, "mac_address": p.mac_address, "admin_state_up": p.admin_state_up,
            "status": p.status, "device_id": p.device_id, "device_owner": p.device_owner})
    });
    let mut body = ip.common.fill(json!({
        "floating_network_id": ip.network_id, "floating_ip_address": ip.address, "port_id": ip.port_id, "fixed_ip_address": ip.fixed_ip,
        "router_id": ip.router_id, "status": if ip.port_id.is_some() { "ACTIVE" } else { "DOWN" }, "port_details": details,
        "qos_policy_id": null, "qos_network_policy_id": null, "port_forwardings": [], "dns_name": "", "dns_domain": "",
    }));
    // Neutron's floating IPs have no name.
    if let Value::Object(map) = &mut body {
        map.remove("name");
    }
    body
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => {
            let rows = state.network.floating_ips.values().filter(|f| call.actor.sees(&f.common.project_id));
            page(call, "floatingips", rows, |f| view(state, f))
        }
        (&Method::GET, [_, id]) => Ok(wrapped(200, "floatingip", view(state, own(&state.network.floating_ips, call, "FloatingIP", id)?))),
        (&Method::POST, [_]) => create(state, call),
        (&Method::PUT, [_, id]) => update(state, call, id),
        (&Method::DELETE, [_, id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_floatingip")?;
    let given = call.object("floatingip")?;
    known(given, &ATTRIBUTES)?;
    let network_id = required(given, "floating_network_id")?.to_owned();
    if !usable(state, call, &network_id)?.external {
        let message = format!("Bad floatingip request: Network {network_id} is not a valid external network.");
        return Err(Failure::new(400, "BadRequest", message));
    }
    let target = match text(given, "port_id") {
        Some(port) => Some((port.to_owned(), route(state, call, port, &network_id, None)?)),
        None => None,
    };
    let asked = match text(given, "floating_ip_address") {
        Some(ip) => Some(ip.parse::<Ipv4Addr>().map_err(|_| invalid("floating_ip_address", &format!("'{ip}' is not a valid IP address")))?),
        None => None,
    };
    let common = Common::from_call(state, call, given)?;
    quotas::check(state, &common.project_id, "floatingip", 1)?;
    let exhausted = || Failure::new(400, "ExternalIpAddressExhausted", format!("Unable to find any IP address on external network {network_id}."));
    let subnet_id = addresses::subnet_of(state, &network_id).ok_or_else(exhausted)?;
    let address = addresses::take(state, &subnet_id, asked).map_err(|f| if f.kind == "IpAddressGenerationFailure" { exhausted() } else { f })?;
    let mut ip = FloatingIp { common, network_id, subnet_id, address, port_id: None, fixed_ip: None, router_id: None };
    if let Some((port, (fixed, router))) = target {
        (ip.port_id, ip.fixed_ip, ip.router_id) = (Some(port), Some(fixed), Some(router));
    }
    let body = view(state, &ip);
    state.network.floating_ips.insert(ip.common.id.clone(), ip);
    state.job(Job::Balance);
    Ok(wrapped(201, "floatingip", body))
}

/// The fixed address and the router by which the external network reaches a port.
fn route(state: &State, call: &Call<'_>, port_id: &str, external: &str, except: Option<&str>) -> Result<(Ipv4Addr, String), Failure> {
    let port = own(&state.network.ports, call, "Port", port_id)?;
    let fixed = port
        .fixed_ips
        .first()
        .ok_or_else(|| Failure::new(400, "BadRequest", format!("Bad floatingip request: Port {port_id} does not have fixed ip address.")))?;
    let taken = |f: &&super::FloatingIp| f.port_id.as_deref() == Some(port_id) && Some(f.common.id.as_str()) != except;
    if let Some(other) = state.network.floating_ips.values().find(taken) {
        let message = format!(
            "Cannot associate floating IP {} ({}) with port {port_id} using fixed IP {}, as that fixed IP already has a floating IP on external network {external}.",
            other.address, other.common.id, fixed.ip_address
        );
        return Err(Failure::new(409, "FloatingIPPortAlreadyAssociated", message));
    }
    let reaches = |r: &&super::Router| r.external_network.as_deref() == Some(external);
    // From the subnet to its routers: an estate has many routers, a subnet few.
    let router = routers::of_subnet(state, &fixed.subnet_id).find(reaches).ok_or_else(|| {
        let message = format!(
            "External network {external} is not reachable from subnet {}.  Therefore, cannot associate Port {port_id} with a Floating IP.",
            fixed.subnet_id
        );
        Failure::new(404, "ExternalGatewayForFloatingIPNotFound", message)
    })?;
    Ok((fixed.ip_address, router.common.id.clone()))
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("update_floatingip")?;
    let given = call.object("floatingip")?;
    known(given, &ATTRIBUTES)?;
    let mut ip = own(&state.network.floating_ips, call, "FloatingIP", id)?.clone();
    if given.contains_key("port_id") {
        match text(given, "port_id") {
            Some(port) => {
                let (fixed, router) = route(state, call, port, &ip.network_id, Some(id))?;
                (ip.port_id, ip.fixed_ip, ip.router_id) = (Some(port.to_owned()), Some(fixed), Some(router));
            }
            None => (ip.port_id, ip.fixed_ip, ip.router_id) = (None, None, None),
        }
    }
    ip.common.update(given, &state.clock.seconds_z())?;
    let body = view(state, &ip);
    state.network.floating_ips.insert(id.to_owned(), ip);
    state.job(Job::Balance);
    Ok(wrapped(200, "floatingip", body))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("delete_floatingip")?;
    own(&state.network.floating_ips, call, "FloatingIP", id)?;
    if let Some(ip) = state.network.floating_ips.shift_remove(id) {
        addresses::give_back(state, &ip.subnet_id, ip.address);
    }
    state.job(Job::Balance);
    Ok(Reply::empty(204))
}

/// Floating IPs outlive the port they led to.
pub(super) fn port_gone(state: &mut State, port: &str) {
    for ip in state.network.floating_ips.values_mut().filter(|f| f.port_id.as_deref() == Some(port)) {
        (ip.port_id, ip.fixed_ip, ip.router_id) = (None, None, None);
    }
}
