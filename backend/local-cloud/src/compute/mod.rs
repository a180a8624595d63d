//! Nova 2.1 with microversions: servers, what is attached to them, server groups, flavors, zones, limits and quotas.

pub(crate) mod actions;
mod attachments;
pub(crate) mod flavors;
mod groups;
mod place;
mod quotas;
mod server_create;
mod server_view;
pub(crate) mod servers;

pub(crate) use flavors::Flavor;
pub(crate) use groups::ServerGroup;
pub(crate) use servers::Server;

use crate::http::{Answer, Call, Failure, Reply, text};
use crate::state::State;
use crate::table::Table;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Compute {
    pub servers: Table<Server>,
    pub groups: Table<ServerGroup>,
    pub flavors: Table<Flavor>,
    /// One host each.
    pub zones: Vec<String>,
    /// Limits that differ from the default, by project and resource.
    pub quotas: HashMap<String, HashMap<String, i64>>,
    #[serde(default)]
    pub key_pairs: Vec<KeyPair>,
}

/// A public key; it belongs to a user, not to a project.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub user_id: String,
    pub name: String,
    pub public_key: String,
}

pub(crate) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (_, ["servers", id, "action"]) => actions::serve(state, call, id),
        (_, ["servers", id, "os-interface", rest @ ..]) => attachments::interfaces(state, call, id, rest),
        (_, ["servers", id, "os-volume_attachments", rest @ ..]) => attachments::volumes(state, call, id, rest),
        (_, ["servers", rest @ ..]) => servers::serve(state, call, rest),
        (_, ["os-server-groups", rest @ ..]) => groups::serve(state, call, rest),
        (_, ["os-quota-sets", rest @ ..]) => quotas::serve(state, call, rest),
        (&Method::GET, ["flavors", rest @ ..]) => flavors::serve(state, call, rest),
        (&Method::GET, ["os-availability-zone"]) => {
            let zone = |name: &String| json!({"zoneName": name, "zoneState": {"available": true}, "hosts": null});
            Ok(Reply::json(200, json!({"availabilityZoneInfo": state.compute.zones.iter().map(zone).collect::<Vec<Value>>()})))
        }
        (&Method::GET, ["os-keypairs"]) => {
            let own = state.compute.key_pairs.iter().filter(|k| k.user_id == call.actor.user_id);
            let view = |k: &KeyPair| json!({"keypair": {"name": k.name, "public_key": k.public_key, "fingerprint": ""}});
            Ok(Reply::json(200, json!({"keypairs": own.map(view).collect::<Vec<Value>>()})))
        }
        (&Method::POST, ["os-keypairs"]) => key_pair(state, call),
        (&Method::GET, ["limits"]) => Ok(quotas::limits(state, call)),
        _ => Err(Failure::no_route()),
    }
}

fn key_pair(state: &mut State, call: &Call<'_>) -> Answer {
    let given = call.object("keypair")?;
    let required = |key: &str| {
        text(given, key).ok_or_else(|| Failure::bad(format!("Invalid input for field/attribute keypair. '{key}' is a required property")))
    };
    let pair = KeyPair { user_id: call.actor.user_id.clone(), name: required("name")?.to_owned(), public_key: required("public_key")?.to_owned() };
    if state.compute.key_pairs.iter().any(|k| k.user_id == pair.user_id && k.name == pair.name) {
        return Err(Failure::conflict(format!("Key pair '{}' already exists.", pair.name)));
    }
    let body = json!({"keypair": {"name": pair.name, "public_key": pair.public_key, "user_id": pair.user_id}});
    state.compute.key_pairs.push(pair);
    Ok(Reply::json(200, body))
}
