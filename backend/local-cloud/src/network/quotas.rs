//! Neutron's quotas: how much of each kind a project may have.

use crate::http::{Answer, Call, Failure, Reply, number};
use crate::state::State;
use http::Method;
use serde_json::{Map, Value, json};

const DEFAULTS: [(&str, i64); 9] = [
    ("network", 100),
    ("subnet", 100),
    ("subnetpool", -1),
    ("port", 500),
    ("router", 10),
    ("floatingip", 50),
    ("security_group", 10),
    ("security_group_rule", 100),
    ("rbac_policy", 10),
];

fn limit(state: &State, project: &str, resource: &str, default: i64) -> i64 {
    state.network.quotas.get(project).and_then(|q| q.get(resource)).copied().unwrap_or(default)
}

fn used(state: &State, project: &str, resource: &str) -> i64 {
    fn of<'a, T: crate::table::Resource + 'a>(rows: &'a crate::table::Table<T>, project: &str) -> usize {
        rows.values().filter(|row| row.project() == project).count()
    }
    let network = &state.network;
    let count = match resource {
        "network" => of(&network.networks, project),
        "subnet" => of(&network.subnets, project),
        "port" => of(&network.ports, project),
        "router" => of(&network.routers, project),
        "floatingip" => of(&network.floating_ips, project),
        "security_group" => of(&network.groups, project),
        "security_group_rule" => of(&network.rules, project),
        _ => 0,
    };
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Refuses `more` of a resource when they exceed the quota.
pub(super) fn check(state: &State, project: &str, resource: &str, more: i64) -> Result<(), Failure> {
    let default = DEFAULTS.iter().find(|(name, _)| *name == resource).map_or(-1, |(_, default)| *default);
    let limit = limit(state, project, resource, default);
    if limit < 0 || used(state, project, resource) + more <= limit {
        return Ok(());
    }
    Err(Failure::new(409, "OverQuota", format!("Quota exceeded for resources: ['{resource}'].")))
}

pub(super) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::GET, [_, project]) => plain(state, call, project),
        (&Method::GET, [_, project, "details" | "details.json"]) => details(state, call, project),
        (&Method::PUT, [_, project]) => update(state, call, project),
        (&Method::DELETE, [_, project]) => {
            call.admin("delete_quota")?;
            state.network.quotas.remove(*project);
            Ok(Reply::empty(204))
        }
        _ => Err(Failure::no_route()),
    }
}

fn of_own_project(call: &Call<'_>, project: &str) -> Result<(), Failure> {
    if call.actor.sees(project) { Ok(()) } else { call.admin("get_quota") }
}

fn limits(state: &State, project: &str) -> Map<String, Value> {
    DEFAULTS.iter().map(|(name, default)| ((*name).to_owned(), json!(limit(state, project, name, *default)))).collect()
}

fn plain(state: &State, call: &Call<'_>, project: &str) -> Answer {
    of_own_project(call, project)?;
    Ok(Reply::json(200, json!({"quota": limits(state, project)})))
}

fn details(state: &State, call: &Call<'_>, project: &str) -> Answer {
    of_own_project(call, project)?;
    let one = |(name, limit): (String, Value)| {
        let detail = json!({"limit": limit, "used": used(state, project, &name), "reserved": 0});
        (name, detail)
    };
    let details: Map<String, Value> = limits(state, project).into_iter().map(one).collect();
    Ok(Reply::json(200, json!({ "quota": details })))
}

fn update(state: &mut State, call: &Call<'_>, project: &str) -> Answer {
    call.admin("update_quota")?;
    let given = call.object("quota")?;
    for key in given.keys().filter(|key| *key != "tenant_id" && *key != "project_id") {
        if !DEFAULTS.iter().any(|(name, _)| name == key) {
            return Err(Failure::bad(format!("Unrecognized attribute(s) '{key}'")));
        }
        let value = number(given, key, -1)?;
        state.network.quotas.entry(project.to_owned()).or_default().insert(key.clone(), value);
    }
    Ok(Reply::json(200, json!({"quota": limits(state, project)})))
}
