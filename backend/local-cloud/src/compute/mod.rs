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

use crate::http::{Answer, Call, Failure, Reply};
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
        (&Method::GET, ["limits"]) => Ok(quotas::limits(state, call)),
        _ => Err(Failure::no_route()),
    }
}
