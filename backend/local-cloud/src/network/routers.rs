//! Routers, their external gateway and their interfaces on subnets.

use super::networks::usable;
use super::ports::{self, ServicePort};
use super::{Common, addresses, known, missing, own, own_mut, quotas, resource, wrapped};
use crate::http::{Answer, Call, Failure, Reply, truth};
use crate::state::State;
use crate::table::page;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) const INTERFACE: &str = "network:router_interface";
const GATEWAY: &str = "network:router_gateway";

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Router {
    pub common: Common,
    pub admin_state_up: bool,
    pub external_network: Option<String>,
    pub gateway_port: Option<String>,
}
resource!(Router);

const ATTRIBUTES: [&str; 6] = ["external_gateway_info", "distributed", "ha", "availability_zone_hints", "flavor_id", "routes"];

fn view(state: &State, router: &Router) -> Value {
    let gateway = router.external_network.as_ref().map(|network| {
        let port = router.gateway_port.as_ref().and_then(|id| state.network.ports.get(id));
        json!({"network_id": network, "enable_snat": true, "external_fixed_ips": port.map_or(json!([]), |p| json!(p.fixed_ips))})
    });
    router.common.fill(json!({
        "admin_state_up": router.admin_state_up, "status": "ACTIVE", "external_gateway_info": gateway, "distributed": false, "ha": false,
        "routes": [], "flavor_id": null, "availability_zone_hints": [], "availability_zones": ["nova"], "enable_ndp_proxy": null,
    }))
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => {
            page(call, "routers", state.network.routers.values().filter(|r| call.actor.sees(&r.common.project_id)), |r| view(state, r))
        }
        (&Method::GET, [_, id]) => Ok(wrapped(200, "router", view(state, own(&state.network.routers, call, "Router", id)?))),
        (&Method::POST, [_]) => create(state, call),
        (&Method::PUT, [_, id, "add_router_interface"]) => add_interface(state, call, id),
        (&Method::PUT, [_, id, "remove_router_interface"]) => remove_interface(state, call, id),
        (&Method::PUT, [_, id]) => update(state, call, id),
        (&Method::DELETE, [_, id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

/// The external network a call asks for; Some(None): no gateway any more.
fn gateway_wanted(state: &State, call: &Call<'_>, given: &Map<String, Value>) -> Result<Option<Option<String>>, Failure> {
    let Some(info) = given.get("external_gateway_info") else { return Ok(None) };
    let Some(id) = info.get("network_id").and_then(Value::as_str) else { return Ok(Some(None)) };
    if !usable(state, call, id)?.external {
        return Err(Failure::new(400, "BadRequest", format!("Bad router request: Network {id} is not an external network.")));
    }
    Ok(Some(Some(id.to_owned())))
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_router")?;
    let given = call.object("router")?;
    known(given, &ATTRIBUTES)?;
    let external = gateway_wanted(state, call, given)?.flatten();
    let admin_state_up = truth(given, "admin_state_up", true)?;
    let common = Common::from_call(state, call, given)?;
    quotas::check(state, &common.project_id, "router", 1)?;
    let mut router = Router { common, admin_state_up, external_network: None, gateway_port: None };
    if let Some(network) = external {
        set_gateway(state, &mut router, network)?;
    }
    let body = view(state, &router);
    state.network.routers.insert(router.common.id.clone(), router);
    Ok(wrapped(201, "router", body))
}

/// Gives the router a port on an external network; such a port belongs to no project.
fn set_gateway(state: &mut State, router: &mut Router, network: String) -> Result<(), Failure> {
    let exhausted = || Failure::new(400, "BadRequest", format!("Bad router request: No IPs available for external network {network}."));
    let subnet = addresses::subnet_of(state, &network).ok_or_else(exhausted)?;
    let wanted = ServicePort {
        project: "",
        name: "",
        network_id: &network,
        subnet_id: &subnet,
        address: None,
        device_id: &router.common.id,
        device_owner: GATEWAY,
        security_groups: Vec::new(),
    };
    router.gateway_port = Some(ports::make(state, wanted).map_err(|_| exhausted())?);
    router.external_network = Some(network);
    Ok(())
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("update_router")?;
    let given = call.object("router")?;
    known(given, &ATTRIBUTES)?;
    let wanted = gateway_wanted(state, call, given)?;
    let mut router = own(&state.network.routers, call, "Router", id)?.clone();
    if let Some(external) = wanted
        && external != router.external_network
    {
        if let Some(port) = router.gateway_port.take() {
            ports::remove(state, &port);
        }
        router.external_network = None;
        if let Some(network) = external {
            set_gateway(state, &mut router, network)?;
        }
    }
    router.common.update(given, &state.clock.seconds_z())?;
    router.admin_state_up = truth(given, "admin_state_up", router.admin_state_up)?;
    let body = view(state, &router);
    *own_mut(&mut state.network.routers, call, "Router", id)? = router;
    Ok(wrapped(200, "router", body))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("delete_router")?;
    let gateway = own(&state.network.routers, call, "Router", id)?.gateway_port.clone();
    if interfaces(state, id).next().is_some() {
        return Err(Failure::new(409, "RouterInUse", format!("Router {id} still has ports")));
    }
    if let Some(port) = gateway {
        ports::remove(state, &port);
    }
    state.network.routers.shift_remove(id);
    Ok(Reply::empty(204))
}

/// The router's ports on tenants' subnets.
pub(super) fn interfaces<'a>(state: &'a State, router: &'a str) -> impl Iterator<Item = &'a super::Port> {
    state.network.ports.values().filter(move |p| p.device_id == router && p.device_owner == INTERFACE)
}

/// The routers with an interface on a subnet.
pub(super) fn of_subnet<'a>(state: &'a State, subnet: &'a str) -> impl Iterator<Item = &'a Router> {
    let here = move |p: &&super::Port| p.device_owner == INTERFACE && p.fixed_ips.iter().any(|f| f.subnet_id == subnet);
    state.network.ports.values().filter(here).filter_map(|p| state.network.routers.get(&p.device_id))
}

fn add_interface(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("add_router_interface")?;
    own(&state.network.routers, call, "Router", id)?;
    if let Some(port) = call.body.get("port_id").and_then(Value::as_str) {
        return add_port(state, call, id, port);
    }
    let bad = || Failure::new(400, "BadRequest", "Bad router request: Either subnet_id or port_id must be specified.");
    let subnet_id = call.body.get("subnet_id").and_then(Value::as_str).ok_or_else(bad)?;
    let subnet = own(&state.network.subnets, call, "Subnet", subnet_id)?.clone();
    for port in interfaces(state, id) {
        for fixed in &port.fixed_ips {
            let other = state.network.subnets.get(&fixed.subnet_id);
            if fixed.subnet_id == subnet_id {
                return Err(Failure::new(400, "BadRequest", format!("Bad router request: Router already has a port on subnet {subnet_id}.")));
            }
            if let Some(other) = other.filter(|o| o.cidr.contains(&subnet.cidr) || subnet.cidr.contains(&o.cidr)) {
                let message = format!(
                    "Bad router request: Cidr {} of subnet {subnet_id} overlaps with cidr {} of subnet {}.",
                    subnet.cidr, other.cidr, other.common.id
                );
                return Err(Failure::new(400, "BadRequest", message));
            }
        }
    }
    let no_gateway = || Failure::new(400, "BadRequest", "Bad router request: Subnet for router interface must have a gateway IP.");
    let gateway = subnet.gateway.ok_or_else(no_gateway)?;
    let wanted = ServicePort {
        project: &call.actor.project_id,
        name: "",
        network_id: &subnet.network_id,
        subnet_id,
        address: Some(gateway),
        device_id: id,
        device_owner: INTERFACE,
        security_groups: Vec::new(),
    };
    let port = ports::make(state, wanted)?;
    Ok(interface_reply(call, id, &subnet, &port))
}

fn add_port(state: &mut State, call: &Call<'_>, router: &str, port_id: &str) -> Answer {
    let port = own(&state.network.ports, call, "Port", port_id)?;
    if !port.device_id.is_empty() {
        let message = format!(
            "Unable to complete operation on port {port_id} for network {}. Port already has an attached device {}.",
            port.network_id, port.device_id
        );
        return Err(Failure::new(409, "PortInUse", message));
    }
    let subnet_id = port.fixed_ips.first().map(|f| f.subnet_id.clone()).unwrap_or_default();
    let subnet = state.network.subnets.get(&subnet_id).cloned().ok_or_else(|| missing("Subnet", &subnet_id))?;
    ports::bind(state, port_id, router, INTERFACE, "");
    ports::set_status(state, port_id, "ACTIVE");
    Ok(interface_reply(call, router, &subnet, port_id))
}

fn interface_reply(call: &Call<'_>, router: &str, subnet: &super::Subnet, port: &str) -> Reply {
    let subnet_id = &subnet.common.id;
    Reply::json(
        200,
        json!({"id": router, "subnet_id": subnet_id, "subnet_ids": [subnet_id], "port_id": port, "network_id": subnet.network_id,
        "tenant_id": call.actor.project_id, "project_id": call.actor.project_id, "tags": []}),
    )
}

fn remove_interface(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("remove_router_interface")?;
    own(&state.network.routers, call, "Router", id)?;
    let field = |key: &str| call.body.get(key).and_then(Value::as_str);
    let wanted = |p: &&super::Port| {
        field("port_id").is_none_or(|port| port == p.common.id)
            && field("subnet_id").is_none_or(|subnet| p.fixed_ips.iter().any(|f| f.subnet_id == subnet))
    };
    let port = interfaces(state, id).find(wanted).cloned().ok_or_else(|| {
        let (what, which) = field("subnet_id").map_or(("interface with id", field("port_id").unwrap_or_default()), |s| ("interface on subnet", s));
        Failure::new(404, "RouterInterfaceNotFoundForSubnet", format!("Router {id} has no {what} {which}"))
    })?;
    let subnet_id = port.fixed_ips.first().map(|f| f.subnet_id.clone()).unwrap_or_default();
    let subnet = state.network.subnets.get(&subnet_id).cloned().ok_or_else(|| missing("Subnet", &subnet_id))?;
    let needed = |f: &super::FloatingIp| f.router_id.as_deref() == Some(id) && f.fixed_ip.is_some_and(|ip| subnet.cidr.contains(&ip));
    if state.network.floating_ips.values().any(needed) {
        let message =
            format!("Router interface for subnet {subnet_id} on router {id} cannot be deleted, as it is required by one or more floating IPs.");
        return Err(Failure::new(409, "RouterInterfaceInUseByFloatingIP", message));
    }
    ports::remove(state, &port.common.id);
    Ok(interface_reply(call, id, &subnet, &port.common.id))
}
