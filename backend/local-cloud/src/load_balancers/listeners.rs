//! Listeners: a port of the VIP and the pool behind it.

use super::{
    Common, Status, begin, capable, changeable, invalid, missing, one_of, own, page, pools, port, quotas, required, resource, statuses, whole,
};
use crate::http::{Answer, Call, Failure, Reply, number, text, texts};
use crate::state::State;
use http::Method;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(super) const PROTOCOLS: [&str; 8] = ["HTTP", "HTTPS", "PROMETHEUS", "SCTP", "TCP", "TERMINATED_HTTPS", "UDP", "PROXY"];

/// Milliseconds after which an idle connection is cut, when nothing is said.
const TIMEOUT_MS: i64 = 50_000;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Listener {
    pub common: Common,
    pub protocol: String,
    pub port: u16,
    pub default_pool: Option<String>,
    pub allowed_cidrs: Vec<String>,
    pub connection_limit: i64,
    pub timeout_client_data: i64,
    pub timeout_member_connect: i64,
    pub timeout_member_data: i64,
}
resource!(Listener);

fn view(state: &State, row: &Listener) -> Value {
    row.common.fill(
        statuses::of_listener(state, row),
        json!({
            "protocol": row.protocol, "protocol_port": row.port, "default_pool_id": row.default_pool,
            "allowed_cidrs": if row.allowed_cidrs.is_empty() { Value::Null } else { json!(row.allowed_cidrs) },
            "connection_limit": row.connection_limit, "timeout_client_data": row.timeout_client_data,
            "timeout_member_connect": row.timeout_member_connect, "timeout_member_data": row.timeout_member_data, "timeout_tcp_inspect": 0,
            "loadbalancers": [{"id": row.common.balancer}], "l7policies": [], "insert_headers": {}, "sni_container_refs": [],
            "default_tls_container_ref": null, "client_authentication": "NONE", "client_ca_tls_container_ref": null,
            "client_crl_container_ref": null, "tls_ciphers": null, "tls_versions": null, "alpn_protocols": null,
        }),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    let rows = &state.load_balancers.listeners;
    match (call.method, rest) {
        (&Method::GET, []) => page(call, "listeners", rows.values().filter(|l| call.actor.sees(&l.common.project_id)), |l| view(state, l)),
        (&Method::GET, [id]) => Ok(Reply::json(200, json!({"listener": view(state, own(rows, call, "Listener", id)?)}))),
        (&Method::POST, []) => create(state, call),
        (&Method::PUT, [id]) => update(state, call, id),
        (&Method::DELETE, [id]) => {
            let balancer = own(rows, call, "Listener", id)?.common.balancer.clone();
            begin(state, call, &balancer)?;
            if let Some(row) = state.load_balancers.listeners.get_mut(*id) {
                row.common.status = Status::PendingDelete;
            }
            Ok(Reply::empty(204))
        }
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let given = call.object("listener")?;
    let balancer = required(given, "loadbalancer_id")?;
    own(&state.load_balancers.balancers, call, "Load Balancer", balancer)?;
    changeable(state, balancer)?;
    let id = whole(state, |state| insert(state, call, balancer, given))?;
    begin(state, call, balancer)?;
    let row = own(&state.load_balancers.listeners, call, "Listener", &id)?;
    Ok(Reply::json(201, json!({"listener": view(state, row)})))
}

fn allowed_cidrs(given: &Map<String, Value>) -> Result<Vec<String>, Failure> {
    let cidrs = texts(given, "allowed_cidrs");
    match cidrs.iter().find(|c| c.parse::<IpNet>().is_err()) {
        Some(bad) => Err(invalid("allowed_cidrs", &json!(bad), "Value should be IPv4 or IPv6 CIDR format")),
        None => Ok(cidrs),
    }
}

/// Makes a listener, with its default pool if that is given in full.
pub(super) fn insert(state: &mut State, call: &Call<'_>, balancer: &str, given: &Map<String, Value>) -> Result<String, Failure> {
    let project = state.load_balancers.balancers.get(balancer).map_or_else(String::new, |b| b.common.project_id.clone());
    let protocol = one_of(given, "protocol", &PROTOCOLS)?;
    capable(state, balancer, pools::OF_OVN.contains(&protocol.as_str()), &format!("{protocol} protocol"))?;
    let allowed_cidrs = allowed_cidrs(given)?;
    capable(state, balancer, allowed_cidrs.is_empty(), "allowed_cidrs option")?;
    let port = port(given, "protocol_port")?;
    let taken = |l: &&Listener| l.common.balancer == balancer && l.port == port && l.common.status != Status::PendingDelete;
    if state.load_balancers.listeners.values().any(|l| taken(&l)) {
        let message = format!("Another Listener on this Load Balancer is already using protocol_port {port} and protocol {protocol}");
        return Err(Failure::conflict(message));
    }
    quotas::check(state, &project, "listener", "Listener")?;
    let default_pool = match (given.get("default_pool").and_then(Value::as_object), text(given, "default_pool_id")) {
        (Some(pool), _) => Some(pools::insert(state, call, balancer, pool)?),
        (None, Some(id)) => Some(own(&state.load_balancers.pools, call, "Pool", id)?.common.id.clone()),
        (None, None) => None,
    };
    let row = Listener {
        common: Common::new(state, &project, balancer, given)?,
        protocol,
        port,
        default_pool,
        allowed_cidrs,
        connection_limit: number(given, "connection_limit", -1)?,
        timeout_client_data: number(given, "timeout_client_data", TIMEOUT_MS)?,
        timeout_member_connect: number(given, "timeout_member_connect", 5_000)?,
        timeout_member_data: number(given, "timeout_member_data", TIMEOUT_MS)?,
    };
    let id = row.common.id.clone();
    state.load_balancers.listeners.insert(id.clone(), row);
    Ok(id)
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let given = call.object("listener")?;
    let mut row = own(&state.load_balancers.listeners, call, "Listener", id)?.clone();
    if given.contains_key("allowed_cidrs") {
        row.allowed_cidrs = allowed_cidrs(given)?;
        capable(state, &row.common.balancer, row.allowed_cidrs.is_empty(), "allowed_cidrs option")?;
    }
    if given.contains_key("default_pool_id") {
        row.default_pool = match text(given, "default_pool_id") {
            Some(pool) => Some(own(&state.load_balancers.pools, call, "Pool", pool)?.common.id.clone()),
            None => None,
        };
    }
    row.connection_limit = number(given, "connection_limit", row.connection_limit)?;
    row.timeout_client_data = number(given, "timeout_client_data", row.timeout_client_data)?;
    row.timeout_member_data = number(given, "timeout_member_data", row.timeout_member_data)?;
    row.common.update(given, state.clock.seconds())?;
    begin(state, call, &row.common.balancer)?;
    state.load_balancers.listeners.insert(id.to_owned(), row);
    let row = state.load_balancers.listeners.get(id).ok_or_else(|| missing("Listener", id))?;
    Ok(Reply::json(200, json!({"listener": view(state, row)})))
}
