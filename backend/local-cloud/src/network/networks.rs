//! Networks.

use super::{Common, invalid, known, missing, own, own_mut, quotas, resource, wrapped};
use crate::http::{Answer, Call, Failure, Reply, truth};
use crate::jobs::Job;
use crate::state::State;
use crate::table::page;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Net {
    pub common: Common,
    pub admin_state_up: bool,
    pub shared: bool,
    pub external: bool,
    pub mtu: u32,
}
resource!(Net);

const ATTRIBUTES: [&str; 7] = ["shared", "router:external", "mtu", "port_security_enabled", "availability_zone_hints", "dns_domain", "is_default"];

pub(super) fn view(state: &State, net: &Net) -> Value {
    let subnets: Vec<&str> = state.network.subnets.values().filter(|s| s.network_id == net.common.id).map(|s| s.common.id.as_str()).collect();
    net.common.fill(json!({
        "admin_state_up": net.admin_state_up, "status": "ACTIVE", "shared": net.shared, "router:external": net.external, "mtu": net.mtu,
        "subnets": subnets, "port_security_enabled": true, "availability_zone_hints": [], "availability_zones": ["nova"],
        "ipv4_address_scope": null, "ipv6_address_scope": null, "is_default": net.external, "dns_domain": "", "qos_policy_id": null,
    }))
}

fn visible(call: &Call<'_>, net: &Net) -> bool {
    net.shared || net.external || call.actor.sees(&net.common.project_id)
}

/// A network the caller may use.
pub(crate) fn usable<'a>(state: &'a State, call: &Call<'_>, id: &str) -> Result<&'a Net, Failure> {
    state.network.networks.get(id).filter(|net| visible(call, net)).ok_or_else(|| missing("Network", id))
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_]) => page(call, "networks", state.network.networks.values().filter(|n| visible(call, n)), |n| view(state, n)),
        (&Method::GET, [_, id]) => Ok(wrapped(200, "network", view(state, usable(state, call, id)?))),
        (&Method::POST, [_]) => create(state, call),
        (&Method::PUT, [_, id]) => update(state, call, id),
        (&Method::DELETE, [_, id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("create_network")?;
    let given = call.object("network")?;
    known(given, &ATTRIBUTES)?;
    let (shared, external) = (truth(given, "shared", false)?, truth(given, "router:external", false)?);
    if shared || external {
        call.admin("create_network:shared")?;
    }
    let mtu = given.get("mtu").map_or(Some(1450), Value::as_u64).and_then(|m| u32::try_from(m).ok()).ok_or_else(|| invalid("mtu", "not a number"))?;
    let admin_state_up = truth(given, "admin_state_up", true)?;
    let common = Common::from_call(state, call, given)?;
    quotas::check(state, &common.project_id, "network", 1)?;
    let net = Net { common, admin_state_up, shared, external, mtu };
    let body = view(state, &net);
    state.network.networks.insert(net.common.id.clone(), net);
    Ok(wrapped(201, "network", body))
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("update_network")?;
    let given = call.object("network")?;
    known(given, &ATTRIBUTES)?;
    let now = state.clock.seconds_z();
    usable(state, call, id)?;
    let net = own_mut(&mut state.network.networks, call, "Network", id).map_err(|_| disallowed("update_network"))?;
    net.common.update(given, &now)?;
    net.admin_state_up = truth(given, "admin_state_up", net.admin_state_up)?;
    let net = own(&state.network.networks, call, "Network", id)?;
    Ok(wrapped(200, "network", view(state, net)))
}

fn disallowed(rule: &str) -> Failure {
    Failure::new(403, "PolicyNotAuthorized", format!("rule:{rule} is disallowed by policy"))
}

fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.writer("delete_network")?;
    usable(state, call, id)?;
    own(&state.network.networks, call, "Network", id).map_err(|_| disallowed("delete_network"))?;
    if let Some(port) = state.network.ports.values().find(|p| p.network_id == id) {
        let message = format!(
            "Unable to complete operation on network {id}. There are one or more ports still in use on the network, id for one of these ports is {}.",
            port.common.id
        );
        return Err(Failure::new(409, "NetworkInUse", message));
    }
    state.network.networks.shift_remove(id);
    state.network.subnets.retain(|_, subnet| subnet.network_id != id);
    state.job(Job::NetworkDown(id.to_owned()));
    Ok(Reply::empty(204))
}
