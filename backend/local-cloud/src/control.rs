//! Steering the cloud from outside: faults, time, what is there, servers that die, what authenticators show. Paths under `/_local`, on loopback only, without a token.

use crate::cloud::LocalCloud;
use crate::compute::actions;
use crate::faults::FaultRule;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

type Outcome = Result<(u16, Value), (u16, String)>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    One(Box<FaultRule>),
    Many(Vec<FaultRule>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    milliseconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quota {
    service: crate::Service,
    /// Name or id.
    project: String,
    resource: String,
    /// -1: none.
    limit: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Foreign {
    /// Name or id.
    project: String,
    name: String,
}

#[derive(Serialize)]
struct Counted<K> {
    #[serde(flatten)]
    key: K,
    count: u64,
}

pub(crate) fn serve(cloud: &LocalCloud, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
    // A page in a browser must not steer it.
    let outcome =
        if request.headers().contains_key(header::ORIGIN) { Err((403, "not from a browser".to_owned())) } else { route(cloud, path, request) };
    let (status, body) = outcome.unwrap_or_else(|(status, message)| (status, json!({ "message": message })));
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

fn route(cloud: &LocalCloud, path: &str, request: &Request<Bytes>) -> Outcome {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["dump"]) => Ok((200, json!({ "objects": cloud.dump() }))),
        (&Method::GET, ["calls"]) => Ok((200, json!({ "calls": calls(cloud) }))),
        (&Method::GET, ["failures"]) => {
            let failures: Vec<_> = cloud.inner.lock().failures.iter().map(|(key, count)| Counted { key: key.clone(), count: *count }).collect();
            Ok((200, json!({ "failures": failures })))
        }
        (&Method::GET, ["faults"]) => {
            let faults: Vec<Value> = cloud.inner.lock().faults.iter().map(|f| json!({"rule": f.rule, "seen": f.seen})).collect();
            Ok((200, json!({ "faults": faults })))
        }
        (&Method::POST, ["faults"]) => faults(cloud, request),
        (&Method::DELETE, ["faults"]) => {
            cloud.clear_faults();
            Ok((200, json!({})))
        }
        (&Method::POST, ["advance"]) => {
            cloud.advance(Duration::from_millis(read::<Advance>(request)?.milliseconds));
            Ok((200, json!({ "now_ms": cloud.now_ms() })))
        }
        (&Method::POST, ["servers", server, action]) => server_action(cloud, server, action),
        (&Method::GET, ["users", user, "passcode"]) => {
            let passcode = cloud.passcode(user).ok_or_else(|| (404, format!("{user} has no authenticator")))?;
            Ok((200, json!({ "passcode": passcode })))
        }
        (&Method::POST, ["quota"]) => quota(cloud, &read(request)?),
        (&Method::POST, ["foreign"]) => {
            let wanted: Foreign = read(request)?;
            cloud.add_foreign(&project(cloud, &wanted.project)?, &wanted.name);
            Ok((201, json!({})))
        }
        _ => Err((404, format!("no /_local/{path}"))),
    }
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, (u16, String)> {
    serde_json::from_slice(request.body()).map_err(|e| (400, e.to_string()))
}

fn calls(cloud: &LocalCloud) -> Vec<Counted<crate::CallKey>> {
    cloud.inner.lock().calls.iter().map(|(key, count)| Counted { key: key.clone(), count: *count }).collect()
}

fn faults(cloud: &LocalCloud, request: &Request<Bytes>) -> Outcome {
    let rules = match read::<Rules>(request)? {
        Rules::One(rule) => vec![*rule],
        Rules::Many(rules) => rules,
    };
    for rule in rules {
        cloud.try_inject(rule).map_err(|e| (400, e))?;
    }
    Ok((201, json!({})))
}

/// `crash` and `start` of the machine itself, past Nova; the server by id or name.
fn server_action(cloud: &LocalCloud, server: &str, action: &str) -> Outcome {
    let id = {
        let state = cloud.inner.lock();
        let found = state.compute.servers.values().find(|s| s.id == server || s.name == server);
        found.map(|s| s.id.clone()).ok_or_else(|| (404, format!("no server {server}")))?
    };
    let machines = &cloud.inner.machines;
    match action {
        "crash" => {
            machines.crash(&id).map_err(|e| (409, e))?;
            cloud.inner.change(|state| actions::died(state, &id));
        }
        "start" => {
            machines.start(&id).map_err(|e| (409, e))?;
            cloud.inner.change(|state| actions::started(state, &id, Ok(())));
        }
        _ => return Err((404, format!("no action {action}"))),
    }
    Ok((200, json!({ "id": id })))
}

fn project(cloud: &LocalCloud, wanted: &str) -> Result<String, (u16, String)> {
    let state = cloud.inner.lock();
    let found = state.identity.projects.values().find(|p| p.id == wanted || p.name == wanted);
    found.map(|p| p.id.clone()).ok_or_else(|| (404, format!("no project {wanted}")))
}

fn quota(cloud: &LocalCloud, wanted: &Quota) -> Outcome {
    let project = project(cloud, &wanted.project)?;
    cloud.inner.change(|state| {
        let quotas = match wanted.service {
            crate::Service::Compute => &mut state.compute.quotas,
            crate::Service::Network => &mut state.network.quotas,
            crate::Service::BlockStorage => &mut state.volumes.quotas,
            crate::Service::LoadBalancer => &mut state.load_balancers.quotas,
            crate::Service::Identity | crate::Service::Image => return Err((400, "this service has no quotas".to_owned())),
        };
        quotas.entry(project).or_default().insert(wanted.resource.clone(), wanted.limit);
        Ok((200, json!({})))
    })
}
