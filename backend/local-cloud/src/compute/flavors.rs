//! Flavors.

use crate::http::{Answer, Call, Failure, Reply};
use crate::state::State;
use crate::table::{Resource, page};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Flavor {
    pub id: String,
    pub name: String,
    pub vcpus: u32,
    pub ram: u32,
    pub disk: u32,
}

impl Resource for Flavor {
    fn id(&self) -> &str {
        &self.id
    }
    fn project(&self) -> &'static str {
        ""
    }
    fn text(&self, field: &str) -> Option<&str> {
        (field == "name").then_some(&self.name)
    }
}

fn short(call: &Call<'_>, flavor: &Flavor) -> Value {
    let href = format!("{}/flavors/{}", call.root, flavor.id);
    json!({"id": flavor.id, "name": flavor.name, "links": [{"rel": "self", "href": href}, {"rel": "bookmark", "href": href}]})
}

fn view(call: &Call<'_>, flavor: &Flavor) -> Value {
    let mut body = short(call, flavor);
    let own = json!({"vcpus": flavor.vcpus, "ram": flavor.ram, "disk": flavor.disk, "swap": if call.minor >= 75 { json!(0) } else { json!("") },
        "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": true, "rxtx_factor": 1.0});
    if let (Value::Object(body), Value::Object(own)) = (&mut body, own) {
        body.extend(own);
        if call.minor >= 55 {
            body.insert("description".into(), Value::Null);
        }
        if call.minor >= 61 {
            body.insert("extra_specs".into(), json!({}));
        }
    }
    body
}

pub(super) fn serve(state: &State, call: &Call<'_>, rest: &[&str]) -> Answer {
    let flavors = &state.compute.flavors;
    match rest {
        [] => page(&public(call), "flavors", flavors.values(), |f| short(call, f)),
        ["detail"] => page(&public(call), "flavors", flavors.values(), |f| view(call, f)),
        [id] => {
            let missing = || Failure::missing(format!("Flavor {id} could not be found."));
            Ok(Reply::json(200, json!({"flavor": view(call, flavors.get(*id).ok_or_else(missing)?)})))
        }
        [id, "os-extra_specs"] => {
            flavors.get(*id).ok_or_else(|| Failure::missing(format!("Flavor {id} could not be found.")))?;
            Ok(Reply::json(200, json!({"extra_specs": {}})))
        }
        _ => Err(Failure::no_route()),
    }
}

/// The call without `is_public` and the size filters: all flavors here are public.
fn public<'a>(call: &'a Call<'_>) -> Call<'a> {
    let paging = |(key, _): &&(String, String)| matches!(key.as_str(), "limit" | "marker");
    Call {
        service: call.service,
        method: call.method,
        path: call.path,
        origin: call.origin.clone(),
        url: call.url.clone(),
        root: call.root.clone(),
        query: call.query.iter().filter(paging).cloned().collect(),
        headers: call.headers,
        body: Value::Null,
        token: None,
        actor: call.actor.clone(),
        minor: call.minor,
        fault: None,
    }
}
