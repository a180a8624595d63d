//! Operating statuses, from the members up, and the tree of all of them.

use super::{Balancer, HealthMonitor, Listener, Member, Pool, Status, own};
use crate::http::{Answer, Call, Reply};
use crate::network::ports;
use crate::state::State;
use serde_json::{Value, json};

fn monitor_of<'a>(state: &'a State, pool: &str) -> Option<&'a HealthMonitor> {
    state.load_balancers.monitors.values().find(|m| m.pool == pool)
}

/// Whether something answers at the member's address. Without real machines: whether its server runs.
fn answers(state: &State, member: &Member) -> Option<bool> {
    if state.real_machines {
        return state.load_balancers.health.get(&member.common.id).copied();
    }
    let network = &state.load_balancers.balancers.get(&member.common.balancer)?.vip_network_id;
    let server = ports::at(&state.network, network, member.address).and_then(|p| state.compute.servers.get(&p.device_id));
    Some(server.is_none_or(|s| s.status == "ACTIVE"))
}

pub(super) fn of_member(state: &State, member: &Member) -> &'static str {
    if member.common.status == Status::PendingCreate {
        return "OFFLINE";
    }
    if monitor_of(state, &member.pool).is_none() {
        return "NO_MONITOR";
    }
    match answers(state, member) {
        Some(true) => "ONLINE",
        Some(false) => "ERROR",
        None => "OFFLINE",
    }
}

pub(super) fn of_pool(state: &State, pool: &Pool) -> &'static str {
    if pool.common.status == Status::PendingCreate {
        return "OFFLINE";
    }
    let members = state.load_balancers.members.values().filter(|m| m.pool == pool.common.id);
    let (mut bad, mut all) = (0, 0);
    for member in members {
        all += 1;
        bad += usize::from(matches!(of_member(state, member), "ERROR" | "OFFLINE"));
    }
    match bad {
        0 => "ONLINE",
        n if n == all => "ERROR",
        _ => "DEGRADED",
    }
}

pub(super) fn of_listener(state: &State, listener: &Listener) -> &'static str {
    if listener.common.status == Status::PendingCreate {
        return "OFFLINE";
    }
    match listener.default_pool.as_ref().and_then(|id| state.load_balancers.pools.get(id)).map(|pool| of_pool(state, pool)) {
        Some("ERROR" | "DEGRADED") => "DEGRADED",
        _ => "ONLINE",
    }
}

/// The worst of its pools, as Octavia sums them up.
pub(super) fn of_balancer(state: &State, row: &Balancer) -> &'static str {
    match row.common.status {
        Status::PendingCreate => return "OFFLINE",
        Status::Error => return "ERROR",
        _ => {}
    }
    let pools = state.load_balancers.pools.values().filter(|p| p.common.balancer == row.common.id);
    let statuses: Vec<&str> = pools.map(|p| of_pool(state, p)).collect();
    if statuses.contains(&"ERROR") {
        "ERROR"
    } else if statuses.contains(&"DEGRADED") {
        "DEGRADED"
    } else {
        "ONLINE"
    }
}

fn node(common: &super::Common, operating: &str) -> Value {
    json!({"id": common.id, "name": common.name, "provisioning_status": common.status.word(), "operating_status": operating})
}

fn pool_node(state: &State, pool: &Pool) -> Value {
    let mut body = node(&pool.common, of_pool(state, pool));
    let member = |m: &Member| {
        let mut body = node(&m.common, of_member(state, m));
        body["address"] = json!(m.address);
        body["protocol_port"] = json!(m.port);
        body
    };
    body["members"] = state.load_balancers.members.values().filter(|m| m.pool == pool.common.id).map(member).collect();
    if let Some(monitor) = monitor_of(state, &pool.common.id) {
        let mut inner = node(&monitor.common, "ONLINE");
        inner["type"] = json!(monitor.kind);
        body["health_monitor"] = inner;
    }
    body
}

pub(super) fn serve(state: &State, call: &Call<'_>, id: &str) -> Answer {
    let octavia = &state.load_balancers;
    let row = own(&octavia.balancers, call, "Load Balancer", id)?;
    let mut body = node(&row.common, of_balancer(state, row));
    let listener = |l: &Listener| {
        let mut body = node(&l.common, of_listener(state, l));
        let pool = l.default_pool.as_ref().and_then(|id| octavia.pools.get(id));
        body["pools"] = pool.iter().map(|p| pool_node(state, p)).collect();
        body
    };
    body["listeners"] = octavia.listeners.values().filter(|l| l.common.balancer == id).map(listener).collect();
    let behind_listener = |p: &&Pool| octavia.listeners.values().any(|l| l.default_pool.as_deref() == Some(&p.common.id));
    body["pools"] = octavia.pools.values().filter(|p| p.common.balancer == id && !behind_listener(p)).map(|p| pool_node(state, p)).collect();
    Ok(Reply::json(200, json!({"statuses": {"loadbalancer": body}})))
}
