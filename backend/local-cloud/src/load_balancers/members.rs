//! Members of a pool: one by one, or all in one call.

use super::balancers::objects;
use super::{Common, Status, changeable, invalid, missing, own, page, port, quotas, required, resource, statuses, whole};
use crate::http::{Answer, Call, Failure, Reply, number, text, truth};
use crate::state::State;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub common: Common,
    pub pool: String,
    pub address: Ipv4Addr,
    pub port: u16,
    pub subnet_id: Option<String>,
    pub weight: i64,
    pub backup: bool,
}
resource!(Member);

fn view(state: &State, row: &Member) -> Value {
    row.common.fill(
        statuses::of_member(state, row),
        json!({
            "address": row.address, "protocol_port": row.port, "subnet_id": row.subnet_id, "weight": row.weight, "backup": row.backup,
            "monitor_address": null, "monitor_port": null, "vnic_type": "normal",
        }),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, pool: &str, rest: &[&str]) -> Answer {
    let balancer = own(&state.load_balancers.pools, call, "Pool", pool)?.common.balancer.clone();
    let rows = &state.load_balancers.members;
    match (call.method, rest) {
        (&Method::GET, []) => page(call, "members", rows.values().filter(|m| m.pool == pool), |m| view(state, m)),
        (&Method::GET, [id]) => Ok(Reply::json(200, json!({"member": view(state, of_pool(state, pool, id)?)}))),
        (&Method::POST, []) => {
            let given = call.object("member")?;
            changeable(state, &balancer)?;
            let id = whole(state, |state| insert(state, call, pool, given))?;
            begin(state, call, &balancer, pool)?;
            Ok(Reply::json(201, json!({"member": view(state, of_pool(state, pool, &id)?)})))
        }
        (&Method::PUT, []) => batch(state, call, &balancer, pool),
        (&Method::PUT, [id]) => update(state, call, &balancer, pool, id),
        (&Method::DELETE, [id]) => {
            of_pool(state, pool, id)?;
            begin(state, call, &balancer, pool)?;
            if let Some(row) = state.load_balancers.members.get_mut(*id) {
                row.common.status = Status::PendingDelete;
            }
            Ok(Reply::empty(204))
        }
        _ => Err(Failure::no_route()),
    }
}

/// Begins a change of a member, which is one of its pool, too.
fn begin(state: &mut State, call: &Call<'_>, balancer: &str, pool: &str) -> Result<(), Failure> {
    super::begin(state, call, balancer)?;
    let now = state.clock.seconds();
    if let Some(row) = state.load_balancers.pools.get_mut(pool) {
        row.common.updated_at = Some(now);
    }
    Ok(())
}

fn of_pool<'a>(state: &'a State, pool: &str, id: &str) -> Result<&'a Member, Failure> {
    state.load_balancers.members.get(id).filter(|m| m.pool == pool).ok_or_else(|| missing("Member", id))
}

fn address(given: &Map<String, Value>) -> Result<Ipv4Addr, Failure> {
    let text = required(given, "address")?;
    text.parse().map_err(|_| invalid("address", &json!(text), "Value should be IPv4 or IPv6 format"))
}

pub(super) fn insert(state: &mut State, call: &Call<'_>, pool: &str, given: &Map<String, Value>) -> Result<String, Failure> {
    let owner = state.load_balancers.pools.get(pool).ok_or_else(|| missing("Pool", pool))?;
    let (project, balancer) = (owner.common.project_id.clone(), owner.common.balancer.clone());
    let (address, port) = (address(given)?, port(given, "protocol_port")?);
    let same = |m: &&Member| m.pool == pool && m.address == address && m.port == port && m.common.status != Status::PendingDelete;
    if state.load_balancers.members.values().any(|m| same(&m)) {
        return Err(Failure::conflict(format!("Another member on this pool is already using ip {address} on protocol_port {port}")));
    }
    quotas::check(state, &project, "member", "Member")?;
    let subnet_id = text(given, "subnet_id").map(str::to_owned);
    if let Some(id) = &subnet_id {
        let visible = state.network.subnets.get(id).filter(|s| call.actor.sees(&s.common.project_id));
        visible.ok_or_else(|| Failure::bad(format!("Subnet {id} not found.")))?;
    }
    let row = Member {
        common: Common::new(state, &project, &balancer, given)?,
        pool: pool.to_owned(),
        address,
        port,
        subnet_id,
        weight: number(given, "weight", 1)?,
        backup: truth(given, "backup", false)?,
    };
    let id = row.common.id.clone();
    state.load_balancers.members.insert(id.clone(), row);
    Ok(id)
}

fn update(state: &mut State, call: &Call<'_>, balancer: &str, pool: &str, id: &str) -> Answer {
    let given = call.object("member")?;
    let mut row = of_pool(state, pool, id)?.clone();
    row.weight = number(given, "weight", row.weight)?;
    row.backup = truth(given, "backup", row.backup)?;
    row.common.update(given, state.clock.seconds())?;
    begin(state, call, balancer, pool)?;
    state.load_balancers.members.insert(id.to_owned(), row);
    Ok(Reply::json(200, json!({"member": view(state, of_pool(state, pool, id)?)})))
}

/// Makes the members exactly those given, told apart by address and port; `additive_only` takes none away.
fn batch(state: &mut State, call: &Call<'_>, balancer: &str, pool: &str) -> Answer {
    let body = call.body.as_object().ok_or_else(|| Failure::bad("members are required"))?;
    let wanted = objects(body, "members")?;
    changeable(state, balancer)?;
    let before: Vec<Member> = state.load_balancers.members.values().filter(|m| m.pool == pool).cloned().collect();
    let taken = whole(state, |state| wanted.iter().map(|given| one_of_batch(state, call, pool, given)).collect::<Result<Vec<_>, _>>());
    if taken.is_err() {
        state.load_balancers.members.extend(before.into_iter().map(|row| (row.common.id.clone(), row)));
    }
    let kept = taken?;
    begin(state, call, balancer, pool)?;
    if !call.query("additive_only").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        for row in state.load_balancers.members.values_mut().filter(|m| m.pool == pool && !kept.contains(&m.common.id)) {
            row.common.status = Status::PendingDelete;
        }
    }
    Ok(Reply::empty(202))
}

/// A member as given, which may be there already; its id.
fn one_of_batch(state: &mut State, call: &Call<'_>, pool: &str, given: &Map<String, Value>) -> Result<String, Failure> {
    let (address, port) = (address(given)?, port(given, "protocol_port")?);
    let now = state.clock.seconds();
    let found = state.load_balancers.members.values_mut().find(|m| m.pool == pool && m.address == address && m.port == port);
    let Some(row) = found else { return insert(state, call, pool, given) };
    row.weight = number(given, "weight", row.weight)?;
    row.common.update(given, now)?;
    Ok(row.common.id.clone())
}
