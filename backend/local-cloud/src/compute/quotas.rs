//! Nova's limits and quotas.

use super::Flavor;
use crate::http::{Answer, Call, Failure, Reply, number};
use crate::state::State;
use http::Method;
use serde_json::{Map, Value, json};

const DEFAULTS: [(&str, i64); 7] = [
    ("instances", 10),
    ("cores", 20),
    ("ram", 51_200),
    ("metadata_items", 128),
    ("key_pairs", 100),
    ("server_groups", 10),
    ("server_group_members", 10),
];

fn limit(state: &State, project: &str, resource: &str) -> i64 {
    let default = DEFAULTS.iter().find(|(name, _)| *name == resource).map_or(-1, |(_, default)| *default);
    state.compute.quotas.get(project).and_then(|q| q.get(resource)).copied().unwrap_or(default)
}

fn used(state: &State, project: &str, resource: &str) -> i64 {
    let servers = state.compute.servers.values().filter(|s| s.project_id == project);
    let flavors = || servers.clone().filter_map(|s| state.compute.flavors.get(&s.flavor_id));
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match resource {
        "instances" => count(servers.count()),
        "cores" => flavors().map(|f| i64::from(f.vcpus)).sum(),
        "ram" => flavors().map(|f| i64::from(f.ram)).sum(),
        "server_groups" => count(state.compute.groups.values().filter(|g| g.project_id == project).count()),
        _ => 0,
    }
}

/// Whether the project may have one more server of this flavor.
pub(super) fn check_server(state: &State, project: &str, flavor: &Flavor) -> Result<(), Failure> {
    let wanted = [("cores", i64::from(flavor.vcpus)), ("instances", 1), ("ram", i64::from(flavor.ram))];
    let mut over: Vec<(&str, i64, i64, i64)> = Vec::new();
    for (resource, more) in wanted {
        let (limit, used) = (limit(state, project, resource), used(state, project, resource));
        if limit >= 0 && used + more > limit {
            over.push((resource, more, used, limit));
        }
    }
    if over.is_empty() {
        return Ok(());
    }
    let join = |part: fn(&(&str, i64, i64, i64)) -> String| over.iter().map(part).collect::<Vec<_>>().join(", ");
    Err(Failure::forbidden(format!(
        "Quota exceeded for {}: Requested {}, but already used {} of {} {}",
        join(|o| o.0.to_owned()),
        join(|o| o.1.to_string()),
        join(|o| o.2.to_string()),
        join(|o| o.3.to_string()),
        join(|o| o.0.to_owned()),
    )))
}

pub(super) fn check_groups(state: &State, project: &str) -> Result<(), Failure> {
    let limit = limit(state, project, "server_groups");
    if limit >= 0 && used(state, project, "server_groups") >= limit {
        return Err(Failure::forbidden("Quota exceeded, too many server groups."));
    }
    Ok(())
}

pub(super) fn check_group_members(state: &State, project: &str, members: usize) -> Result<(), Failure> {
    let limit = limit(state, project, "server_group_members");
    if limit >= 0 && i64::try_from(members).unwrap_or(i64::MAX) >= limit {
        return Err(Failure::forbidden("Quota exceeded, too many servers in group"));
    }
    Ok(())
}

pub(super) fn check_metadata(state: &State, project: &str, items: usize) -> Result<(), Failure> {
    let limit = limit(state, project, "metadata_items");
    if limit >= 0 && i64::try_from(items).unwrap_or(i64::MAX) > limit {
        return Err(Failure::forbidden(format!("Maximum number of metadata items exceeds {limit}")));
    }
    Ok(())
}

pub(super) fn limits(state: &State, call: &Call<'_>) -> Reply {
    let project = call.query("tenant_id").filter(|_| call.actor.admin).unwrap_or(&call.actor.project_id);
    let (limit, used) = (|name| limit(state, project, name), |name| used(state, project, name));
    Reply::json(
        200,
        json!({"limits": {"rate": [], "absolute": {
            "maxTotalInstances": limit("instances"), "totalInstancesUsed": used("instances"),
            "maxTotalCores": limit("cores"), "totalCoresUsed": used("cores"),
            "maxTotalRAMSize": limit("ram"), "totalRAMUsed": used("ram"),
            "maxServerGroups": limit("server_groups"), "totalServerGroupsUsed": used("server_groups"),
            "maxServerGroupMembers": limit("server_group_members"), "maxServerMeta": limit("metadata_items"), "maxTotalKeypairs": limit("key_pairs"),
        }}}),
    )
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, [project]) => {
            readable(call, project)?;
            Ok(Reply::json(200, json!({"quota_set": view(state, project, false)})))
        }
        (&Method::GET, [project, "detail"]) => {
            readable(call, project)?;
            Ok(Reply::json(200, json!({"quota_set": view(state, project, true)})))
        }
        (&Method::PUT, [project]) => {
            call.admin("os_compute_api:os-quota-sets:update")?;
            let given = call.object("quota_set")?;
            for key in given.keys().filter(|key| *key != "force") {
                if !DEFAULTS.iter().any(|(name, _)| name == key) {
                    return Err(Failure::bad(format!(
                        "Invalid input for field/attribute quota_set. Additional properties are not allowed ('{key}' was unexpected)"
                    )));
                }
                let value = number(given, key, -1)?;
                state.compute.quotas.entry((*project).to_owned()).or_default().insert(key.clone(), value);
            }
            Ok(Reply::json(200, json!({"quota_set": view(state, project, false)})))
        }
        (&Method::DELETE, [project]) => {
            call.admin("os_compute_api:os-quota-sets:delete")?;
            state.compute.quotas.remove(*project);
            Ok(Reply::empty(202))
        }
        _ => Err(Failure::no_route()),
    }
}

fn readable(call: &Call<'_>, project: &str) -> Result<(), Failure> {
    if call.actor.sees(project) { Ok(()) } else { call.admin("os_compute_api:os-quota-sets:show") }
}

fn view(state: &State, project: &str, detail: bool) -> Map<String, Value> {
    let one = |(name, _): &(&str, i64)| {
        let limit = limit(state, project, name);
        let value = if detail { json!({"limit": limit, "in_use": used(state, project, name), "reserved": 0}) } else { json!(limit) };
        ((*name).to_owned(), value)
    };
    let mut set: Map<String, Value> = DEFAULTS.iter().map(one).collect();
    set.insert("id".into(), json!(project));
    set
}
