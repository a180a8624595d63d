//! Server groups: servers that should, or must, be on different hosts.

use super::quotas;
use crate::http::{Answer, Call, Failure, Reply, text, texts};
use crate::state::State;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServerGroup {
    pub id: String,
    pub name: String,
    pub policy: String,
    pub project_id: String,
    pub user_id: String,
}

fn view(state: &State, call: &Call<'_>, group: &ServerGroup) -> Value {
    let members: Vec<&str> = members(state, &group.id).collect();
    let mut body = json!({"id": group.id, "name": group.name, "members": members});
    if call.minor >= 64 {
        body["policy"] = json!(group.policy);
        body["rules"] = json!({});
    } else {
        body["policies"] = json!([group.policy]);
        body["metadata"] = json!({});
    }
    if call.minor >= 13 {
        body["project_id"] = json!(group.project_id);
        body["user_id"] = json!(group.user_id);
    }
    body
}

/// Ids of the servers in a group.
pub(super) fn members<'a>(state: &'a State, group: &'a str) -> impl Iterator<Item = &'a str> {
    state.compute.servers.values().filter(move |s| s.group.as_deref() == Some(group)).map(|s| s.id.as_str())
}

pub(super) fn own<'a>(state: &'a State, call: &Call<'_>, id: &str) -> Option<&'a ServerGroup> {
    state.compute.groups.get(id).filter(|g| call.actor.sees(&g.project_id))
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    let missing = |id: &str| Failure::missing(format!("Instance group {id} could not be found."));
    match (call.method, rest) {
        (&Method::GET, []) => {
            let all = call.actor.admin && call.query("all_projects").is_some();
            let limit = call.query("limit").and_then(|l| l.parse().ok()).unwrap_or(1000);
            let offset = call.query("offset").and_then(|o| o.parse().ok()).unwrap_or(0);
            let seen = state.compute.groups.values().filter(|g| all || g.project_id == call.actor.project_id);
            let groups: Vec<Value> = seen.skip(offset).take(limit).map(|g| view(state, call, g)).collect();
            Ok(Reply::json(200, json!({ "server_groups": groups })))
        }
        (&Method::GET, [id]) => {
            let group = own(state, call, id).ok_or_else(|| missing(id))?;
            Ok(Reply::json(200, json!({"server_group": view(state, call, group)})))
        }
        (&Method::POST, []) => create(state, call),
        (&Method::DELETE, [id]) => {
            call.writer("os_compute_api:os-server-groups:delete")?;
            own(state, call, id).ok_or_else(|| missing(id))?;
            state.compute.groups.shift_remove(*id);
            for server in state.compute.servers.values_mut().filter(|s| s.group.as_deref() == Some(*id)) {
                server.group = None;
            }
            Ok(Reply::empty(204))
        }
        _ => Err(Failure::no_route()),
    }
}

fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.writer("os_compute_api:os-server-groups:create")?;
    let given = call.object("server_group")?;
    let name = text(given, "name").filter(|n| !n.is_empty() && n.chars().count() <= 255);
    let name = name.ok_or_else(|| Failure::bad("Invalid input for field/attribute name. 'name' is a required property"))?.to_owned();
    let policy = policy(call, given)?;
    quotas::check_groups(state, &call.actor.project_id)?;
    let group = ServerGroup { id: state.id(), name, policy, project_id: call.actor.project_id.clone(), user_id: call.actor.user_id.clone() };
    let body = view(state, call, &group);
    state.compute.groups.insert(group.id.clone(), group);
    Ok(Reply::json(200, json!({ "server_group": body })))
}

/// One policy; the soft ones came with 2.15, the singular field with 2.64.
fn policy(call: &Call<'_>, given: &Map<String, Value>) -> Result<String, Failure> {
    let asked = if call.minor >= 64 { text(given, "policy").map(str::to_owned) } else { texts(given, "policies").into_iter().next() };
    let field = if call.minor >= 64 { "policy" } else { "policies" };
    let asked = asked.ok_or_else(|| Failure::bad(format!("Invalid input for field/attribute server_group. '{field}' is a required property")))?;
    match asked.as_str() {
        "affinity" | "anti-affinity" => Ok(asked),
        "soft-affinity" | "soft-anti-affinity" if call.minor >= 15 => Ok(asked),
        _ => Err(Failure::bad(format!(
            "Invalid input for field/attribute {field}. Value: {asked}. '{asked}' is not one of ['anti-affinity', 'affinity']"
        ))),
    }
}
