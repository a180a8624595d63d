//! Pools: members, how to choose among them, and how to tell who is alive.

use super::balancers::objects;
use super::listeners::PROTOCOLS;
use super::{Common, Status, begin, capable, changeable, members, missing, monitors, one_of, own, page, quotas, resource, statuses, whole};
use crate::http::{Answer, Call, Failure, Reply, text};
use crate::state::State;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const ALGORITHMS: [&str; 4] = ["LEAST_CONNECTIONS", "ROUND_ROBIN", "SOURCE_IP", "SOURCE_IP_PORT"];
/// The protocols that ovn balances.
pub(super) const OF_OVN: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Which member it will be: ovn chooses by addresses and ports alone.
fn algorithm(state: &State, balancer: &str, given: &Map<String, Value>) -> Result<String, Failure> {
    let algorithm = one_of(given, "lb_algorithm", &ALGORITHMS)?;
    capable(state, balancer, algorithm == "SOURCE_IP_PORT", &format!("{algorithm} algorithm"))?;
    Ok(algorithm)
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub common: Common,
    pub protocol: String,
    pub algorithm: String,
    pub session_persistence: Value,
}
resource!(Pool);

fn view(state: &State, row: &Pool) -> Value {
    let id = &row.common.id;
    let octavia = &state.load_balancers;
    let ids = |list: Vec<&str>| list.into_iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
    let members = octavia.members.values().filter(|m| &m.pool == id).map(|m| m.common.id.as_str()).collect();
    let listeners = octavia.listeners.values().filter(|l| l.default_pool.as_ref() == Some(id)).map(|l| l.common.id.as_str()).collect();
    let monitor = octavia.monitors.values().find(|m| &m.pool == id).map(|m| m.common.id.as_str());
    row.common.fill(
        statuses::of_pool(state, row),
        json!({
            "protocol": row.protocol, "lb_algorithm": row.algorithm, "session_persistence": row.session_persistence,
            "members": ids(members), "listeners": ids(listeners), "loadbalancers": [{"id": row.common.balancer}], "healthmonitor_id": monitor,
            "tls_enabled": false, "tls_container_ref": null, "ca_tls_container_ref": null, "crl_container_ref": null, "tls_ciphers": null,
            "tls_versions": null, "alpn_protocols": null,
        }),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    let rows = &state.load_balancers.pools;
    match (call.method, rest) {
        (&Method::GET, []) => page(call, "pools", rows.values().filter(|p| call.actor.sees(&p.common.project_id)), |p| view(state, p)),
        (&Method::GET, [id]) => Ok(Reply::json(200, json!({"pool": view(state, own(rows, call, "Pool", id)?)}))),
        (&Method::POST, []) => create(state, call),
        (&Method::PUT, [id]) => update(state, call, id),
        (&Method::DELETE, [id]) => delete(state, call, id),
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let given = call.object("pool")?;
    let listener = match text(given, "listener_id") {
        Some(id) => Some(own(&state.load_balancers.listeners, call, "Listener", id)?.clone()),
        None => None,
    };
    if listener.as_ref().is_some_and(|l| l.default_pool.is_some()) {
        let message = format!("Listener {} already has a default pool.", text(given, "listener_id").unwrap_or_default());
        return Err(Failure::conflict(message));
    }
    let balancer = match (&listener, text(given, "loadbalancer_id")) {
        (Some(listener), _) => listener.common.balancer.clone(),
        (None, Some(id)) => own(&state.load_balancers.balancers, call, "Load Balancer", id)?.common.id.clone(),
        (None, None) => return Err(Failure::bad("Validation failure: Must provide at least one of: loadbalancer_id, listener_id")),
    };
    changeable(state, &balancer)?;
    let id = whole(state, |state| insert(state, call, &balancer, given))?;
    begin(state, call, &balancer)?;
    if let Some(row) = listener.and_then(|l| state.load_balancers.listeners.get_mut(&l.common.id)) {
        row.default_pool = Some(id.clone());
    }
    let row = own(&state.load_balancers.pools, call, "Pool", &id)?;
    Ok(Reply::json(201, json!({"pool": view(state, row)})))
}

/// Makes a pool with the members and the monitor given in it.
pub(super) fn insert(state: &mut State, call: &Call<'_>, balancer: &str, given: &Map<String, Value>) -> Result<String, Failure> {
    let project = state.load_balancers.balancers.get(balancer).map_or_else(String::new, |b| b.common.project_id.clone());
    quotas::check(state, &project, "pool", "Pool")?;
    let protocol = one_of(given, "protocol", &PROTOCOLS)?;
    capable(state, balancer, OF_OVN.contains(&protocol.as_str()), &format!("{protocol} protocol"))?;
    let row = Pool {
        protocol,
        algorithm: algorithm(state, balancer, given)?,
        session_persistence: given.get("session_persistence").cloned().unwrap_or(Value::Null),
        common: Common::new(state, &project, balancer, given)?,
    };
    let id = row.common.id.clone();
    state.load_balancers.pools.insert(id.clone(), row);
    for member in objects(given, "members")? {
        members::insert(state, call, &id, member)?;
    }
    if let Some(monitor) = given.get("healthmonitor").and_then(Value::as_object) {
        monitors::insert(state, &id, monitor)?;
    }
    Ok(id)
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let given = call.object("pool")?;
    let mut row = own(&state.load_balancers.pools, call, "Pool", id)?.clone();
    if given.contains_key("lb_algorithm") {
        row.algorithm = algorithm(state, &row.common.balancer, given)?;
    }
    row.common.update(given, state.clock.seconds())?;
    begin(state, call, &row.common.balancer)?;
    state.load_balancers.pools.insert(id.to_owned(), row);
    let row = state.load_balancers.pools.get(id).ok_or_else(|| missing("Pool", id))?;
    Ok(Reply::json(200, json!({"pool": view(state, row)})))
}

/// A pool goes with its members and monitor; listeners forget it.
fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let balancer = own(&state.load_balancers.pools, call, "Pool", id)?.common.balancer.clone();
    begin(state, call, &balancer)?;
    let octavia = &mut state.load_balancers;
    if let Some(row) = octavia.pools.get_mut(id) {
        row.common.status = Status::PendingDelete;
    }
    for member in octavia.members.values_mut().filter(|m| m.pool == id) {
        member.common.status = Status::PendingDelete;
    }
    for monitor in octavia.monitors.values_mut().filter(|m| m.pool == id) {
        monitor.common.status = Status::PendingDelete;
    }
    for listener in octavia.listeners.values_mut().filter(|l| l.default_pool.as_deref() == Some(id)) {
        listener.default_pool = None;
    }
    Ok(Reply::empty(204))
}
