//! Octavia v2: load balancers, listeners, pools, members, health monitors, statuses, providers, quotas.
//!
//! A change makes the whole load balancer PENDING_*; nothing under it may be changed until it has settled.

mod balancers;
mod listeners;
mod members;
mod monitors;
mod pools;
mod quotas;
mod statuses;
pub(crate) mod traffic;

pub(crate) use balancers::Balancer;
pub(crate) use listeners::Listener;
pub(crate) use members::Member;
pub(crate) use monitors::HealthMonitor;
pub(crate) use pools::Pool;

use crate::faults::ObjectFault;
use crate::http::{Answer, Call, Failure, Reply, text, truth};
use crate::jobs::Job;
use crate::network::ports;
use crate::state::{State, Timer};
use crate::table::Table;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct LoadBalancers {
    pub balancers: Table<Balancer>,
    pub listeners: Table<Listener>,
    pub pools: Table<Pool>,
    pub members: Table<Member>,
    pub monitors: Table<HealthMonitor>,
    /// Limits that differ from the default, by project and resource.
    pub quotas: HashMap<String, HashMap<String, i64>>,
    /// What the machines last said of members.
    #[serde(skip)]
    pub health: HashMap<String, bool>,
    /// What may stand behind load balancers; the first does where none is named.
    #[serde(skip)]
    pub providers: Vec<&'static str>,
}

/// The provider that balances in the network itself, and can less than one that is a proxy.
const OVN: &str = "ovn";

/// Refuses what ovn cannot, where that stands behind the load balancer.
fn capable(state: &State, balancer: &str, can: bool, what: &str) -> Result<(), Failure> {
    let ovn = state.load_balancers.balancers.get(balancer).is_some_and(|b| b.provider == OVN);
    if can || !ovn {
        return Ok(());
    }
    let message = format!("Provider 'ovn' does not support a requested option: OVN provider does not support {what}");
    Err(Failure::new(501, "ProviderUnsupportedOption", message))
}

/// Octavia's provisioning status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Active,
    Error,
    PendingCreate,
    PendingUpdate,
    PendingDelete,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Error => "ERROR",
            Self::PendingCreate => "PENDING_CREATE",
            Self::PendingUpdate => "PENDING_UPDATE",
            Self::PendingDelete => "PENDING_DELETE",
        }
    }

    fn pending(self) -> bool {
        !matches!(self, Self::Active | Self::Error)
    }
}

/// What everything in Octavia has.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Common {
    pub id: String,
    pub name: String,
    pub description: String,
    pub project_id: String,
    /// The load balancer it belongs to; of a load balancer, itself.
    pub balancer: String,
    pub status: Status,
    pub admin_state_up: bool,
    pub tags: Vec<String>,
    pub created_at: String,
    pub updated_at: Option<String>,
}

impl Common {
    /// From the attributes of a create call; `balancer` empty: its own id.
    fn new(state: &mut State, project: &str, balancer: &str, given: &Map<String, Value>) -> Result<Self, Failure> {
        let id = state.id();
        Ok(Self {
            name: limited(given, "name")?,
            description: limited(given, "description")?,
            project_id: project.to_owned(),
            balancer: if balancer.is_empty() { id.clone() } else { balancer.to_owned() },
            status: Status::PendingCreate,
            admin_state_up: truth(given, "admin_state_up", true)?,
            tags: crate::http::texts(given, "tags"),
            created_at: state.clock.seconds(),
            updated_at: None,
            id,
        })
    }

    fn update(&mut self, given: &Map<String, Value>, now: String) -> Result<(), Failure> {
        if given.contains_key("name") {
            self.name = limited(given, "name")?;
        }
        if given.contains_key("description") {
            self.description = limited(given, "description")?;
        }
        self.admin_state_up = truth(given, "admin_state_up", self.admin_state_up)?;
        self.updated_at = Some(now);
        if self.status == Status::Active {
            self.status = Status::PendingUpdate;
        }
        Ok(())
    }

    fn fill(&self, operating: &str, mut own: Value) -> Value {
        if let Value::Object(map) = &mut own {
            map.insert("id".into(), json!(self.id));
            map.insert("name".into(), json!(self.name));
            map.insert("description".into(), json!(self.description));
            map.insert("project_id".into(), json!(self.project_id));
            map.insert("tenant_id".into(), json!(self.project_id));
            map.insert("provisioning_status".into(), json!(self.status.word()));
            map.insert("operating_status".into(), json!(operating));
            map.insert("admin_state_up".into(), json!(self.admin_state_up));
            map.insert("tags".into(), json!(self.tags));
            map.insert("created_at".into(), json!(self.created_at));
            map.insert("updated_at".into(), json!(self.updated_at));
        }
        own
    }

    fn text(&self, field: &str) -> Option<&str> {
        match field {
            "id" => Some(&self.id),
            "name" => Some(&self.name),
            "description" => Some(&self.description),
            "project_id" => Some(&self.project_id),
            "provisioning_status" => Some(self.status.word()),
            "loadbalancer_id" | "load_balancer_id" => Some(&self.balancer),
            _ => None,
        }
    }
}

fn limited(given: &Map<String, Value>, key: &str) -> Result<String, Failure> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(s)) if s.chars().count() <= 255 => Ok(s.clone()),
        Some(other) => Err(invalid(key, other, "Value should have a maximum character requirement of 255")),
    }
}

fn invalid(key: &str, value: &Value, why: &str) -> Failure {
    Failure::bad(format!("Invalid input for field/attribute {key}. Value: '{value}'. {why}"))
}

fn required<'a>(given: &'a Map<String, Value>, key: &str) -> Result<&'a str, Failure> {
    text(given, key).ok_or_else(|| Failure::bad(format!("Invalid input for field/attribute {key}. Value: 'None'. Mandatory field missing.")))
}

/// A port number.
fn port(given: &Map<String, Value>, key: &str) -> Result<u16, Failure> {
    let value = given.get(key).cloned().unwrap_or(Value::Null);
    let port = value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
    port.ok_or_else(|| invalid(key, &value, "Value should be a port number from 1 to 65535"))
}

fn one_of(given: &Map<String, Value>, key: &str, allowed: &[&str]) -> Result<String, Failure> {
    let value = required(given, key)?;
    if allowed.contains(&value) {
        Ok(value.to_owned())
    } else {
        Err(invalid(key, &json!(value), &format!("Value should be one of: {}", allowed.join(", "))))
    }
}

fn missing(kind: &str, id: &str) -> Failure {
    Failure::missing(format!("{kind} {id} not found."))
}

/// Octavia's refusal of callers without its own role.
fn may_write(call: &Call<'_>) -> Result<(), Failure> {
    if call.actor.balancer { Ok(()) } else { Err(denied()) }
}

pub(crate) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    if call.method != Method::GET {
        may_write(call)?;
    }
    let ["lbaas", path @ ..] = call.path else { return Err(Failure::no_route()) };
    match path {
        ["loadbalancers", id, "status" | "statuses"] => statuses::serve(state, call, id),
        ["loadbalancers", rest @ ..] => balancers::serve(state, call, rest),
        ["listeners", rest @ ..] => listeners::serve(state, call, rest),
        ["pools", pool, "members", rest @ ..] => members::serve(state, call, pool, rest),
        ["pools", rest @ ..] => pools::serve(state, call, rest),
        ["healthmonitors", rest @ ..] => monitors::serve(state, call, rest),
        ["quotas", rest @ ..] => quotas::serve(state, call, rest),
        ["providers"] if call.method == Method::GET => {
            let described = |name: &str| match name {
                "amphora" => "The Octavia Amphora driver.",
                "octavia" => "Deprecated alias of the Octavia Amphora driver.",
                _ => "Another driver.",
            };
            let providers = state.load_balancers.providers.iter();
            let list: Vec<Value> = providers.map(|name| json!({"name": name, "description": described(name)})).collect();
            Ok(Reply::json(200, json!({ "providers": list })))
        }
        _ => Err(Failure::no_route()),
    }
}

/// Begins a change under a load balancer, which must be ACTIVE; `what` is named in the refusal.
fn begin(state: &mut State, call: &Call<'_>, balancer: &str) -> Result<(), Failure> {
    changeable(state, balancer)?;
    if let Some(row) = state.load_balancers.balancers.get_mut(balancer) {
        row.common.status = Status::PendingUpdate;
    }
    settle_later(state, call, balancer);
    Ok(())
}

/// Makes what is asked for under a load balancer whole or not at all. What comes new is the last of its kind: where the rest is refused it is cut off again.
fn whole<T>(state: &mut State, make: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, Failure> {
    let before = &state.load_balancers;
    let [balancers, listeners, pools] = [before.balancers.len(), before.listeners.len(), before.pools.len()];
    let [members, monitors] = [before.members.len(), before.monitors.len()];
    let made = make(state);
    if made.is_err() {
        let octavia = &mut state.load_balancers;
        octavia.balancers.truncate(balancers);
        octavia.listeners.truncate(listeners);
        octavia.pools.truncate(pools);
        octavia.members.truncate(members);
        octavia.monitors.truncate(monitors);
    }
    made
}

/// Refuses a change under a load balancer that is not ACTIVE.
fn changeable(state: &State, balancer: &str) -> Result<(), Failure> {
    let row = state.load_balancers.balancers.get(balancer).ok_or_else(|| missing("Load Balancer", balancer))?;
    if row.common.status == Status::Active {
        return Ok(());
    }
    Err(Failure::conflict(format!("Load Balancer {balancer} is immutable and cannot be updated.")))
}

/// Has a change end after its time, unless a fault says otherwise.
fn settle_later(state: &mut State, call: &Call<'_>, balancer: &str) {
    match &call.fault {
        Some(ObjectFault::Stuck) => return,
        Some(ObjectFault::Error(_)) => {
            if let Some(row) = state.load_balancers.balancers.get_mut(balancer) {
                row.failing = true;
            }
        }
        None => {}
    }
    state.after(state.delays.load_balancer, Timer::LoadBalancerSettled(balancer.to_owned()));
}

/// A change has ended: what was to go is gone, the rest is ACTIVE or in ERROR.
pub(crate) fn settled(state: &mut State, id: &str) {
    let octavia = &mut state.load_balancers;
    let Some(row) = octavia.balancers.get_mut(id) else { return };
    let failing = std::mem::take(&mut row.failing);
    if row.common.status == Status::PendingDelete && !failing {
        return remove(state, id);
    }
    row.common.status = if failing { Status::Error } else { Status::Active };
    macro_rules! settle_children {
        ($($table:ident),*) => {$(
            octavia.$table.retain(|_, child| child.common.balancer != id || child.common.status != Status::PendingDelete);
            for child in octavia.$table.values_mut().filter(|c| c.common.balancer == id && c.common.status.pending()) {
                child.common.status = if failing { Status::Error } else { Status::Active };
            }
        )*};
    }
    settle_children!(listeners, pools, members, monitors);
    state.job(Job::Balance);
}

/// Takes a load balancer away with everything under it and its VIP's port.
fn remove(state: &mut State, id: &str) {
    let octavia = &mut state.load_balancers;
    let row = octavia.balancers.shift_remove(id);
    octavia.listeners.retain(|_, child| child.common.balancer != id);
    octavia.pools.retain(|_, child| child.common.balancer != id);
    octavia.members.retain(|_, child| child.common.balancer != id);
    octavia.monitors.retain(|_, child| child.common.balancer != id);
    if let Some(row) = row.filter(|row| row.own_port) {
        ports::remove(state, &row.vip_port_id);
    }
    state.job(Job::Balance);
}

/// Gives a kind of object its place in listings.
macro_rules! resource {
    ($kind:ty) => {
        impl crate::table::Resource for $kind {
            fn id(&self) -> &str {
                &self.common.id
            }
            fn project(&self) -> &str {
                &self.common.project_id
            }
            fn text(&self, field: &str) -> Option<&str> {
                self.common.text(field)
            }
        }
    };
}
use resource;

/// The caller's own object of this id.
fn own<'a, T: crate::table::Resource>(table: &'a Table<T>, call: &Call<'_>, kind: &str, id: &str) -> Result<&'a T, Failure> {
    let row = table.get(id).ok_or_else(|| missing(kind, id))?;
    if call.actor.sees(row.project()) { Ok(row) } else { Err(denied()) }
}

fn denied() -> Failure {
    Failure::forbidden("Policy does not allow this request to be performed.")
}

/// Refuses attributes that the kind does not have.
fn known(given: &Map<String, Value>, attributes: &[&str]) -> Result<(), Failure> {
    const COMMON: [&str; 6] = ["name", "description", "project_id", "tenant_id", "admin_state_up", "tags"];
    match given.keys().find(|k| !COMMON.contains(&k.as_str()) && !attributes.contains(&k.as_str())) {
        Some(unknown) => Err(Failure::bad(format!("Unknown attribute: {unknown}"))),
        None => Ok(()),
    }
}

/// A listing as Octavia gives it: only the fields asked for, and links also when there are none.
fn page<'a, T: crate::table::Resource + 'a>(call: &Call<'_>, key: &str, rows: impl Iterator<Item = &'a T>, view: impl Fn(&T) -> Value) -> Answer {
    let fields: Vec<&str> = call.query.iter().filter(|(k, _)| k == "fields").map(|(_, v)| v.as_str()).collect();
    let mut reply = crate::table::page(call, key, rows, view)?;
    if let Some(Value::Object(body)) = &mut reply.body {
        body.entry(format!("{key}_links")).or_insert_with(|| json!([]));
        if let Some(Value::Array(items)) = body.get_mut(key).filter(|_| !fields.is_empty()) {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                item.retain(|field, _| fields.contains(&field.as_str()));
            }
        }
    }
    Ok(reply)
}
