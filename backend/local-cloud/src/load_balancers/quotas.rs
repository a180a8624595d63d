//! Octavia's quotas; unlimited unless the admin says otherwise.

use super::Common;
use crate::http::{Answer, Call, Failure, Reply, number};
use crate::state::State;
use http::Method;
use serde_json::{Map, Value, json};

const RESOURCES: [&str; 7] = ["load_balancer", "listener", "pool", "member", "health_monitor", "l7policy", "l7rule"];

fn limit(state: &State, project: &str, resource: &str) -> i64 {
    state.load_balancers.quotas.get(project).and_then(|q| q.get(resource)).copied().unwrap_or(-1)
}

/// Whether the project may have one more of these, under a load balancer or by itself.
pub(super) fn check(state: &State, project: &str, resource: &str, title: &str) -> Result<(), Failure> {
    let limit = limit(state, project, resource);
    let (octavia, of_project) = (&state.load_balancers, |common: &Common| common.project_id == project);
    let used = match resource {
        "listener" => octavia.listeners.values().filter(|l| of_project(&l.common)).count(),
        "pool" => octavia.pools.values().filter(|p| of_project(&p.common)).count(),
        "member" => octavia.members.values().filter(|m| of_project(&m.common)).count(),
        "health_monitor" => octavia.monitors.values().filter(|m| of_project(&m.common)).count(),
        _ => octavia.balancers.values().filter(|b| of_project(&b.common)).count(),
    };
    if limit >= 0 && i64::try_from(used).unwrap_or(i64::MAX) >= limit {
        return Err(Failure::forbidden(format!("Quota has been met for resources: {title}")));
    }
    Ok(())
}

/// Old names are given beside the new ones.
fn view(state: &State, project: &str) -> Map<String, Value> {
    let mut quota: Map<String, Value> = RESOURCES.iter().map(|r| ((*r).to_owned(), json!(limit(state, project, r)))).collect();
    for (old, new) in [("loadbalancer", "load_balancer"), ("healthmonitor", "health_monitor")] {
        quota.insert(old.into(), json!(limit(state, project, new)));
    }
    quota
}

pub(super) fn serve(state: &mut State, call: &Call<'_>, rest: &[&str]) -> Answer {
    match (call.method, rest) {
        (&Method::GET, [project]) => {
            if *project != "defaults" && !call.actor.sees(project) {
                return Err(Failure::forbidden("Policy does not allow this request to be performed."));
            }
            Ok(Reply::json(200, json!({"quota": view(state, project)})))
        }
        (&Method::PUT, [project]) => {
            call.admin("os_load-balancer_api:quota:put")?;
            let given = call.object("quota")?;
            for key in given.keys() {
                let value = number(given, key, -1)?;
                let resource = match key.as_str() {
                    "loadbalancer" => "load_balancer",
                    "healthmonitor" => "health_monitor",
                    other => other,
                };
                state.load_balancers.quotas.entry((*project).to_owned()).or_default().insert(resource.to_owned(), value);
            }
            Ok(Reply::json(202, json!({"quota": view(state, project)})))
        }
        (&Method::DELETE, [project]) => {
            call.admin("os_load-balancer_api:quota:delete")?;
            state.load_balancers.quotas.remove(*project);
            Ok(Reply::empty(202))
        }
        _ => Err(Failure::no_route()),
    }
}
