//! Load balancers: made alone or with everything under them in one call, changed, deleted with or without their children.

use super::{Common, Status, invalid, known, listeners, missing, own, page, pools, quotas, resource, settle_later, statuses, whole};
use crate::faults::ObjectFault;
use crate::http::{Answer, Call, Failure, Reply, text};
use crate::network::addresses;
use crate::network::ports::{self, ServicePort};
use crate::state::State;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Balancer {
    pub common: Common,
    pub provider: String,
    pub vip_address: Ipv4Addr,
    pub vip_port_id: String,
    pub vip_subnet_id: String,
    pub vip_network_id: String,
    pub zone: Option<String>,
    /// Octavia made the VIP's port and takes it away.
    pub own_port: bool,
    /// Injected: the change under way ends in ERROR.
    pub failing: bool,
}
resource!(Balancer);

fn view(state: &State, row: &Balancer) -> Value {
    let ids = |list: Vec<&str>| list.into_iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
    let id = &row.common.id;
    let octavia = &state.load_balancers;
    let listeners = octavia.listeners.values().filter(|l| &l.common.balancer == id).map(|l| l.common.id.as_str()).collect();
    let pools = octavia.pools.values().filter(|p| &p.common.balancer == id).map(|p| p.common.id.as_str()).collect();
    row.common.fill(
        statuses::of_balancer(state, row),
        json!({
            "provider": row.provider, "vip_address": row.vip_address, "vip_port_id": row.vip_port_id, "vip_subnet_id": row.vip_subnet_id,
            "vip_network_id": row.vip_network_id, "vip_qos_policy_id": null, "vip_vnic_type": "normal", "additional_vips": [],
            "vip_sg_ids": [], "flavor_id": "", "availability_zone": row.zone, "listeners": ids(listeners), "pools": ids(pools),
        }),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, []) => {
            let rows = state.load_balancers.balancers.values().filter(|b| call.actor.sees(&b.common.project_id));
            page(call, "loadbalancers", rows, |b| view(state, b))
        }
        (&Method::GET, [id]) => {
            let row = own(&state.load_balancers.balancers, call, "Load Balancer", id)?;
            Ok(Reply::json(200, json!({"loadbalancer": view(state, row)})))
        }
        (&Method::GET, [id, "stats"]) => {
            own(&state.load_balancers.balancers, call, "Load Balancer", id)?;
            let stats = json!({"active_connections": 0, "bytes_in": 0, "bytes_out": 0, "request_errors": 0, "total_connections": 0});
            Ok(Reply::json(200, json!({ "stats": stats })))
        }
        (&Method::POST, []) => create(state, call),
        (&Method::PUT, [id]) => update(state, call, id),
        (&Method::DELETE, [id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

/// Where the VIP is to be.
struct Vip {
    port_id: String,
    subnet_id: String,
    network_id: String,
    address: Ipv4Addr,
    own_port: bool,
}

const ATTRIBUTES: [&str; 12] = [
    "vip_address",
    "vip_port_id",
    "vip_subnet_id",
    "vip_network_id",
    "vip_qos_policy_id",
    "vip_sg_ids",
    "additional_vips",
    "provider",
    "flavor_id",
    "availability_zone",
    "listeners",
    "pools",
];

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let given = call.object("loadbalancer")?;
    known(given, &ATTRIBUTES)?;
    let project = text(given, "project_id").filter(|_| call.actor.admin).unwrap_or(&call.actor.project_id).to_owned();
    let mut enabled = state.load_balancers.providers.iter().copied();
    let provider = match text(given, "provider") {
        None => enabled.next(),
        Some(named) => enabled.find(|name| *name == named),
    };
    let provider = match provider {
        Some("octavia") => "amphora",
        Some(provider) => provider,
        None => {
            let named = text(given, "provider").unwrap_or_default();
            return Err(Failure::new(501, "ProviderNotEnabled", format!("Provider '{named}' is not enabled.")));
        }
    };
    quotas::check(state, &project, "load_balancer", "Load Balancer")?;
    let common = Common::new(state, &project, "", given)?;
    let bound = text(given, "vip_port_id").and_then(|id| state.network.ports.get(id)).cloned();
    let vip = vip(state, call, given, &project, &common.id)?;
    let row = Balancer {
        provider: provider.to_owned(),
        vip_address: vip.address,
        vip_port_id: vip.port_id,
        vip_subnet_id: vip.subnet_id,
        vip_network_id: vip.network_id,
        zone: text(given, "availability_zone").map(str::to_owned),
        own_port: vip.own_port,
        failing: false,
        common,
    };
    let (id, vip_port) = (row.common.id.clone(), row.vip_port_id.clone());
    // A bad child leaves nothing behind.
    if let Err(refused) = whole(state, |state| insert(state, call, given, row)) {
        match bound {
            Some(before) => drop(state.network.ports.insert(vip_port, before)),
            None => ports::remove(state, &vip_port),
        }
        return Err(refused);
    }
    settle_later(state, call, &id);
    let row = own(&state.load_balancers.balancers, call, "Load Balancer", &id)?;
    Ok(Reply::json(201, json!({"loadbalancer": view(state, row)})))
}

/// Makes a load balancer with the pools and listeners given in it.
fn insert(state: &mut State, call: &Call<'_>, given: &Map<String, Value>, row: Balancer) -> Result<(), Failure> {
    let id = row.common.id.clone();
    state.load_balancers.balancers.insert(id.clone(), row);
    for pool in objects(given, "pools")? {
        pools::insert(state, call, &id, pool)?;
    }
    for listener in objects(given, "listeners")? {
        listeners::insert(state, call, &id, listener)?;
    }
    Ok(())
}

/// A list of objects under `key`.
pub(super) fn objects<'a>(given: &'a Map<String, Value>, key: &str) -> Result<Vec<&'a Map<String, Value>>, Failure> {
    let Some(list) = given.get(key).filter(|v| !v.is_null()) else { return Ok(Vec::new()) };
    let bad = || invalid(key, list, "Value should be a list of objects");
    list.as_array().ok_or_else(bad)?.iter().map(|item| item.as_object().ok_or_else(bad)).collect()
}

fn vip(state: &mut State, call: &Call<'_>, given: &Map<String, Value>, project: &str, balancer: &str) -> Result<Vip, Failure> {
    if let Some(id) = text(given, "vip_port_id") {
        let port = state.network.ports.get(id).filter(|p| call.actor.sees(&p.common.project_id));
        let port = port.ok_or_else(|| Failure::bad(format!("Port {id} not found.")))?;
        let fixed = port.fixed_ips.first().ok_or_else(|| Failure::bad(format!("Port {id} has no fixed IP")))?;
        let (subnet_id, address, network_id) = (fixed.subnet_id.clone(), fixed.ip_address, port.network_id.clone());
        ports::bind(state, id, &format!("lb-{balancer}"), "Octavia", "");
        return Ok(Vip { port_id: id.to_owned(), subnet_id, network_id, address, own_port: false });
    }
    let network = text(given, "vip_network_id");
    let subnet_id = match (text(given, "vip_subnet_id"), network) {
        (Some(subnet), _) => subnet.to_owned(),
        (None, Some(network)) => addresses::subnet_of(state, network).ok_or_else(|| Failure::bad(format!("Network {network} not found.")))?,
        (None, None) => {
            return Err(Failure::bad("Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id."));
        }
    };
    let visible = |s: &&crate::network::Subnet| {
        call.actor.sees(&s.common.project_id) || state.network.networks.get(&s.network_id).is_some_and(|n| n.shared || n.external)
    };
    let subnet = state.network.subnets.get(&subnet_id).filter(visible).ok_or_else(|| Failure::bad(format!("Subnet {subnet_id} not found.")))?;
    let network_id = subnet.network_id.clone();
    let asked = match text(given, "vip_address") {
        Some(ip) => Some(ip.parse::<Ipv4Addr>().map_err(|_| invalid("vip_address", &json!(ip), "Value should be IPv4 or IPv6 format"))?),
        None => None,
    };
    let wanted = ServicePort {
        project,
        name: &format!("octavia-lb-{balancer}"),
        network_id: &network_id,
        subnet_id: &subnet_id,
        address: asked,
        device_id: &format!("lb-{balancer}"),
        device_owner: "Octavia",
        security_groups: Vec::new(),
    };
    let port_id = ports::make(state, wanted)?;
    ports::set_status(state, &port_id, "DOWN");
    let address = state.network.ports.get(&port_id).and_then(|p| p.fixed_ips.first()).map_or(Ipv4Addr::UNSPECIFIED, |f| f.ip_address);
    Ok(Vip { port_id, subnet_id, network_id, address, own_port: true })
}

/// A load balancer that is not in the middle of a change.
fn settled(state: &State, call: &Call<'_>, id: &str) -> Result<(), Failure> {
    let row = own(&state.load_balancers.balancers, call, "Load Balancer", id)?;
    let status = row.common.status;
    if status.pending() {
        return Err(Failure::conflict(format!("Invalid state {} of loadbalancer resource {id}", status.word())));
    }
    Ok(())
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let given = call.object("loadbalancer")?;
    settled(state, call, id)?;
    let now = state.clock.seconds();
    let row = state.load_balancers.balancers.get_mut(id).ok_or_else(|| missing("Load Balancer", id))?;
    if row.common.status != Status::Active {
        return Err(Failure::conflict(format!("Load Balancer {id} is immutable and cannot be updated.")));
    }
    row.common.update(given, now)?;
    if given.contains_key("tags") {
        row.common.tags = crate::http::texts(given, "tags");
    }
    settle_later(state, call, id);
    let row = own(&state.load_balancers.balancers, call, "Load Balancer", id)?;
    Ok(Reply::json(200, json!({"loadbalancer": view(state, row)})))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    settled(state, call, id)?;
    let cascade = call.query("cascade").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let octavia = &mut state.load_balancers;
    let children = octavia.listeners.values().any(|l| l.common.balancer == id) || octavia.pools.values().any(|p| p.common.balancer == id);
    if children && !cascade {
        return Err(Failure::bad(format!("Validation failure: Cannot delete Load Balancer {id} - it has children")));
    }
    if let Some(row) = octavia.balancers.get_mut(id) {
        row.common.status = Status::PendingDelete;
        row.failing = matches!(call.fault, Some(ObjectFault::Error(_)));
    }
    settle_later(state, call, id);
    Ok(Reply::empty(204))
}
