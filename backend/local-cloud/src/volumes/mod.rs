//! Cinder v3: volumes, snapshots, types, zones, limits and quotas.

mod attachments;
mod create;
mod quotas;
pub(crate) mod snapshots;
mod types;
pub(crate) mod volume;

pub(crate) use snapshots::Snapshot;
pub(crate) use types::VolumeType;
pub(crate) use volume::Volume;

use crate::http::{Answer, Call, Failure, Reply};
use crate::state::State;
use crate::table::Table;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Volumes {
    pub volumes: Table<Volume>,
    pub snapshots: Table<Snapshot>,
    pub types: Table<VolumeType>,
    /// Limits that differ from the default, by project and resource.
    pub quotas: HashMap<String, HashMap<String, i64>>,
}

const RESOURCES: [&str; 7] = ["attachments", "volumes", "snapshots", "types", "limits", "os-quota-sets", "os-availability-zone"];

pub(crate) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    // The project in the URL is optional since microversion 3.67.
    let path = match call.path {
        [first, rest @ ..] if !RESOURCES.contains(first) => {
            if *first != call.actor.project_id && !call.actor.admin {
                return Err(Failure::bad("Malformed request url"));
            }
            rest
        }
        all => all,
    };
    match (call.method, path) {
        (_, ["volumes", rest @ ..]) => volume::serve(state, call, rest),
        (_, ["attachments", rest @ ..]) => attachments::serve(state, call, rest),
        (_, ["snapshots", rest @ ..]) => snapshots::serve(state, call, rest),
        (&Method::GET, ["types", rest @ ..]) => types::serve(state, rest),
        (&Method::GET, ["limits"]) => Ok(quotas::limits(state, call)),
        (_, ["os-quota-sets", rest @ ..]) => quotas::serve(state, call, rest),
        (&Method::GET, ["os-availability-zone"]) => {
            let zones: Vec<Value> = zones(state).iter().map(|z| json!({"zoneName": z, "zoneState": {"available": true}})).collect();
            Ok(Reply::json(200, json!({"availabilityZoneInfo": zones})))
        }
        _ => Err(Failure::no_route()),
    }
}

/// Volumes live in Nova's zones.
fn zones(state: &State) -> &[String] {
    &state.compute.zones
}

/// A map of texts, as metadata must be.
pub(crate) fn metadata(given: &Map<String, Value>, key: &str) -> Result<BTreeMap<String, String>, Failure> {
    let Some(value) = given.get(key).filter(|v| !v.is_null()) else { return Ok(BTreeMap::new()) };
    let bad =
        || Failure::bad(format!("Invalid input for field/attribute {key}. Value: {value}. keys and values must be text of at most 255 characters"));
    let one = |(k, v): (&String, &Value)| {
        let v = v.as_str().filter(|v| v.chars().count() <= 255 && !k.is_empty() && k.chars().count() <= 255).ok_or_else(bad)?;
        Ok((k.clone(), v.to_owned()))
    };
    value.as_object().ok_or_else(bad)?.iter().map(one).collect()
}
