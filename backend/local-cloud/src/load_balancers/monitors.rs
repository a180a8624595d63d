//! Health monitors: how a pool's members are checked.

use super::{Common, Status, begin, capable, changeable, missing, one_of, own, page, quotas, required, resource, whole};
use crate::http::{Answer, Call, Failure, Reply, number, text};
use crate::state::State;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const TYPES: [&str; 7] = ["HTTP", "HTTPS", "PING", "SCTP", "TCP", "TLS-HELLO", "UDP-CONNECT"];

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HealthMonitor {
    pub common: Common,
    pub pool: String,
    pub kind: String,
    /// Seconds.
    pub delay: i64,
    pub timeout: i64,
    pub max_retries: i64,
    pub max_retries_down: i64,
    pub url_path: Option<String>,
    pub http_method: Option<String>,
    pub expected_codes: Option<String>,
}
resource!(HealthMonitor);

fn view(row: &HealthMonitor) -> Value {
    row.common.fill(
        "ONLINE",
        json!({
            "type": row.kind, "delay": row.delay, "timeout": row.timeout, "max_retries": row.max_retries,
            "max_retries_down": row.max_retries_down, "url_path": row.url_path, "http_method": row.http_method,
            "expected_codes": row.expected_codes, "pools": [{"id": row.pool}], "http_version": null, "domain_name": null,
        }),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    let rows = &state.load_balancers.monitors;
    match (call.method, rest) {
        (&Method::GET, []) => page(call, "healthmonitors", rows.values().filter(|m| call.actor.sees(&m.common.project_id)), view),
        (&Method::GET, [id]) => Ok(Reply::json(200, json!({"healthmonitor": view(own(rows, call, "Health Monitor", id)?)}))),
        (&Method::POST, []) => create(state, call),
        (&Method::PUT, [id]) => update(state, call, id),
        (&Method::DELETE, [id]) => {
            let balancer = own(rows, call, "Health Monitor", id)?.common.balancer.clone();
            begin(state, call, &balancer)?;
            if let Some(row) = state.load_balancers.monitors.get_mut(*id) {
                row.common.status = Status::PendingDelete;
            }
            Ok(Reply::empty(204))
        }
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let given = call.object("healthmonitor")?;
    let pool = required(given, "pool_id")?;
    let balancer = own(&state.load_balancers.pools, call, "Pool", pool)?.common.balancer.clone();
    if state.load_balancers.monitors.values().any(|m| m.pool == pool) {
        return Err(Failure::conflict("This pool already has a health monitor"));
    }
    changeable(state, &balancer)?;
    let id = whole(state, |state| insert(state, pool, given))?;
    begin(state, call, &balancer)?;
    Ok(Reply::json(201, json!({"healthmonitor": view(own(&state.load_balancers.monitors, call, "Health Monitor", &id)?)})))
}

pub(super) fn insert(state: &mut State, pool: &str, given: &Map<String, Value>) -> Result<String, Failure> {
    let owner = state.load_balancers.pools.get(pool).ok_or_else(|| missing("Pool", pool))?;
    let (project, balancer) = (owner.common.project_id.clone(), owner.common.balancer.clone());
    quotas::check(state, &project, "health_monitor", "Health Monitor")?;
    let kind = one_of(given, "type", &TYPES)?;
    capable(state, &balancer, matches!(kind.as_str(), "TCP" | "UDP-CONNECT"), &format!("health monitor type: {kind}"))?;
    let http = kind.starts_with("HTTP");
    let default = |key: &str, value: &str| http.then(|| text(given, key).unwrap_or(value).to_owned());
    let (delay, timeout) = (positive(given, "delay")?, positive(given, "timeout")?);
    if timeout > delay {
        return Err(Failure::bad(format!("Validation failure: The timeout value {timeout} must not be greater than the delay value {delay}.")));
    }
    let row = HealthMonitor {
        url_path: default("url_path", "/"),
        http_method: default("http_method", "GET"),
        expected_codes: default("expected_codes", "200"),
        common: Common::new(state, &project, &balancer, given)?,
        pool: pool.to_owned(),
        kind,
        delay,
        timeout,
        max_retries: retries(given, "max_retries", None)?,
        max_retries_down: retries(given, "max_retries_down", Some(3))?,
    };
    let id = row.common.id.clone();
    state.load_balancers.monitors.insert(id.clone(), row);
    Ok(id)
}

fn positive(given: &Map<String, Value>, key: &str) -> Result<i64, Failure> {
    match number(given, key, -1)? {
        -1 => required(given, key).map(|_| 0),
        n if n > 0 => Ok(n),
        n => Err(super::invalid(key, &json!(n), "Value should be greater or equal to 1")),
    }
}

fn retries(given: &Map<String, Value>, key: &str, default: Option<i64>) -> Result<i64, Failure> {
    match number(given, key, default.unwrap_or(0))? {
        n @ 1..=10 => Ok(n),
        n => Err(super::invalid(key, &json!(n), "Value should be from 1 to 10")),
    }
}

fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let given = call.object("healthmonitor")?;
    let mut row = own(&state.load_balancers.monitors, call, "Health Monitor", id)?.clone();
    row.delay = number(given, "delay", row.delay)?;
    row.timeout = number(given, "timeout", row.timeout)?;
    row.max_retries = number(given, "max_retries", row.max_retries)?;
    row.max_retries_down = number(given, "max_retries_down", row.max_retries_down)?;
    if let Some(path) = text(given, "url_path") {
        row.url_path = Some(path.to_owned());
    }
    row.common.update(given, state.clock.seconds())?;
    begin(state, call, &row.common.balancer)?;
    let body = view(&row);
    state.load_balancers.monitors.insert(id.to_owned(), row);
    Ok(Reply::json(200, json!({ "healthmonitor": body })))
}
