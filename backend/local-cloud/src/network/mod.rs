//! Neutron v2.0: networks, subnets, ports, routers, floating IPs, security groups, tags, quotas.

pub(crate) mod addresses;
mod availability;
mod floating_ips;
mod networks;
pub(crate) mod ports;
mod quotas;
pub(crate) mod routers;
pub(crate) mod security_groups;
mod subnets;
mod tags;

pub(crate) use networks::Net;
pub(crate) use ports::Port;
pub(crate) use routers::Router;
pub(crate) use security_groups::{Group, Rule};
pub(crate) use subnets::Subnet;

pub(crate) use floating_ips::FloatingIp;

use crate::http::{Answer, Call, Failure, Reply};
use crate::state::State;
use crate::table::{Resource, Table};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// What every Neutron object has.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Common {
    pub id: String,
    pub name: String,
    pub description: String,
    pub project_id: String,
    pub tags: Vec<String>,
    pub created_at: String,
    pub updated_at: String,
    pub revision: u64,
}

impl Common {
    pub(crate) fn new(state: &mut State, project: &str, name: &str, description: &str) -> Self {
        let now = state.clock.seconds_z();
        Self {
            id: state.id(),
            name: name.to_owned(),
            description: description.to_owned(),
            project_id: project.to_owned(),
            tags: Vec::new(),
            created_at: now.clone(),
            updated_at: now,
            revision: 1,
        }
    }

    /// From a create call: the caller's project, or another one if the caller is the admin.
    fn from_call(state: &mut State, call: &Call<'_>, given: &Map<String, Value>) -> Result<Self, Failure> {
        let asked = given.get("project_id").or_else(|| given.get("tenant_id")).and_then(Value::as_str);
        let project = match asked {
            Some(other) if other != call.actor.project_id => {
                call.admin("create_for_other_project")?;
                other
            }
            _ => &call.actor.project_id,
        };
        let (name, description) = (limited(given, "name", 255)?, limited(given, "description", 255)?);
        let project = project.to_owned();
        Ok(Self::new(state, &project, &name, &description))
    }

    /// Takes over a changed name or description.
    fn update(&mut self, given: &Map<String, Value>, now: &str) -> Result<(), Failure> {
        if given.contains_key("name") {
            self.name = limited(given, "name", 255)?;
        }
        if given.contains_key("description") {
            self.description = limited(given, "description", 255)?;
        }
        self.touch(now);
        Ok(())
    }

    pub(crate) fn touch(&mut self, now: &str) {
        now.clone_into(&mut self.updated_at);
        self.revision += 1;
    }

    /// Adds the common fields to an object's own.
    fn fill(&self, mut own: Value) -> Value {
        if let Value::Object(map) = &mut own {
            map.insert("id".into(), json!(self.id));
            map.insert("name".into(), json!(self.name));
            map.insert("description".into(), json!(self.description));
            map.insert("project_id".into(), json!(self.project_id));
            map.insert("tenant_id".into(), json!(self.project_id));
            map.insert("tags".into(), json!(self.tags));
            map.insert("created_at".into(), json!(self.created_at));
            map.insert("updated_at".into(), json!(self.updated_at));
            map.insert("revision_number".into(), json!(self.revision));
        }
        own
    }

    fn text(&self, field: &str) -> Option<&str> {
        match field {
            "id" => Some(&self.id),
            "name" => Some(&self.name),
            "description" => Some(&self.description),
            "project_id" => Some(&self.project_id),
            _ => None,
        }
    }
}

/// Gives a kind of object its place in listings; `$extra` are text fields often filtered by.
macro_rules! resource {
    ($kind:ty $(, $extra:literal => $field:ident)*) => {
        impl crate::table::Resource for $kind {
            fn id(&self) -> &str {
                &self.common.id
            }
            fn project(&self) -> &str {
                &self.common.project_id
            }
            fn text(&self, field: &str) -> Option<&str> {
                match field {
                    $($extra => Some(&self.$field),)*
                    _ => self.common.text(field),
                }
            }
        }
    };
}
pub(crate) use resource;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Network {
    pub networks: Table<Net>,
    pub subnets: Table<Subnet>,
    pub ports: Table<Port>,
    pub routers: Table<Router>,
    pub floating_ips: Table<FloatingIp>,
    pub groups: Table<Group>,
    pub rules: Table<Rule>,
    /// Ports by network and address; those in the records are entered by [`ports::enter_all`].
    #[serde(skip)]
    pub held: HashMap<String, HashMap<Ipv4Addr, String>>,
    /// Limits that differ from the default, by project and resource.
    pub quotas: HashMap<String, HashMap<String, i64>>,
}

/// A text attribute of limited length.
fn limited(given: &Map<String, Value>, key: &str, most: usize) -> Result<String, Failure> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(s)) if s.chars().count() <= most => Ok(s.clone()),
        Some(Value::String(s)) => Err(invalid(key, &format!("'{s}' exceeds maximum length of {most}"))),
        Some(other) => Err(invalid(key, &format!("'{other}' is not a valid string"))),
    }
}

/// `Invalid input for name. Reason: … .`
fn invalid(attribute: &str, reason: &str) -> Failure {
    Failure::bad(format!("Invalid input for {attribute}. Reason: {reason}."))
}

/// Refuses attributes that the kind does not have.
fn known(given: &Map<String, Value>, attributes: &[&str]) -> Result<(), Failure> {
    const COMMON: [&str; 6] = ["name", "description", "project_id", "tenant_id", "admin_state_up", "revision_number"];
    let unknown: Vec<String> =
        given.keys().filter(|k| !COMMON.contains(&k.as_str()) && !attributes.contains(&k.as_str())).map(|k| format!("'{k}'")).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Failure::bad(format!("Unrecognized attribute(s) {}", unknown.join(", ")))) }
}

fn required<'a>(given: &'a Map<String, Value>, key: &str) -> Result<&'a str, Failure> {
    let message = || Failure::bad(format!("Failed to parse request. Required attribute '{key}' not specified"));
    given.get(key).and_then(Value::as_str).ok_or_else(message)
}

/// What one kind calls itself in a 404: (type, message).
fn missing(kind: &'static str, id: &str) -> Failure {
    match kind {
        "SecurityGroup" => Failure::new(404, "SecurityGroupNotFound", format!("Security group {id} does not exist")),
        "SecurityGroupRule" => Failure::new(404, "SecurityGroupRuleNotFound", format!("Security group rule {id} does not exist")),
        "FloatingIP" => Failure::new(404, "FloatingIPNotFound", format!("Floating IP {id} could not be found")),
        "Router" => Failure::new(404, "RouterNotFound", format!("Router {id} could not be found")),
        "Subnet" => Failure::new(404, "SubnetNotFound", format!("Subnet {id} could not be found.")),
        "Port" => Failure::new(404, "PortNotFound", format!("Port {id} could not be found.")),
        _ => Failure::new(404, "NetworkNotFound", format!("Network {id} could not be found.")),
    }
}

/// The caller's own object of this id.
fn own<'a, T: Resource>(table: &'a Table<T>, call: &Call<'_>, kind: &'static str, id: &str) -> Result<&'a T, Failure> {
    table.get(id).filter(|row| call.actor.sees(row.project())).ok_or_else(|| missing(kind, id))
}

fn own_mut<'a, T: Resource>(table: &'a mut Table<T>, call: &Call<'_>, kind: &'static str, id: &str) -> Result<&'a mut T, Failure> {
    table.get_mut(id).filter(|row| call.actor.sees(row.project())).ok_or_else(|| missing(kind, id))
}

/// An object under its key.
fn wrapped(status: u16, key: &str, object: Value) -> Reply {
    Reply::json(status, json!({ key: object }))
}

pub(crate) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    let get = call.method == Method::GET;
    match call.path {
        ["networks", ..] if call.path.len() < 3 => networks::serve(state, call),
        ["subnets", ..] if call.path.len() < 3 => subnets::serve(state, call),
        ["ports", ..] if call.path.len() < 3 => ports::serve(state, call),
        ["routers", ..] if !call.path.contains(&"tags") => routers::serve(state, call),
        ["floatingips", ..] if call.path.len() < 3 => floating_ips::serve(state, call),
        ["security-groups", ..] if call.path.len() < 3 => security_groups::serve(state, call),
        ["security-group-rules", ..] if call.path.len() < 3 => security_groups::serve_rules(state, call),
        ["quotas", ..] => quotas::serve(state, call),
        ["network-ip-availabilities", id] if get => availability::serve(state, call, id),
        [kind, id, "tags", rest @ ..] => tags::serve(state, call, kind, id, rest),
        ["extensions"] if get => Ok(Reply::json(200, json!({"extensions": extensions()}))),
        ["availability_zones"] if get => Ok(Reply::json(
            200,
            json!({"availability_zones": [
            {"name": "nova", "resource": "network", "state": "available"}, {"name": "nova", "resource": "router", "state": "available"}]}),
        )),
        _ => Err(Failure::no_route()),
    }
}

fn extensions() -> Vec<Value> {
    const ALIASES: [&str; 9] = [
        "router",
        "external-net",
        "security-group",
        "quotas",
        "quota_details",
        "standard-attr-tag",
        "standard-attr-description",
        "pagination",
        "network-ip-availability",
    ];
    ALIASES
        .iter()
        .map(|alias| json!({"alias": alias, "name": alias, "description": "", "links": [], "updated": "2024-01-01T00:00:00-00:00"}))
        .collect()
}
