//! The service catalogue: where each service answers.

use crate::http::{Call, Reply, Service};
use crate::state::State;
use serde_json::{Value, json};

const REGION: &str = "RegionOne";

/// The catalogue as a token carries it. Block storage is listed under both names that real clouds use.
pub(crate) fn catalog(state: &State, base: &str, project: &str) -> Value {
    let services = [
        (Service::Identity, "identity", "keystone", format!("{base}/identity/v3")),
        (Service::Compute, "compute", "nova", format!("{base}/compute/v2.1")),
        (Service::Network, "network", "neutron", format!("{base}/network")),
        (Service::BlockStorage, "block-storage", "cinder", format!("{base}/volume/v3/{project}")),
        (Service::BlockStorage, "volumev3", "cinderv3", format!("{base}/volume/v3/{project}")),
        (Service::Image, "image", "glance", format!("{base}/image")),
        (Service::LoadBalancer, "load-balancer", "octavia", format!("{base}/load-balancer")),
    ];
    let entry = |(_, kind, name, url): &(Service, &str, &str, String)| {
        let endpoints: Vec<Value> = ["public", "internal"]
            .iter()
            .map(|interface| json!({"id": format!("{kind}-{interface}"), "interface": interface, "region": REGION, "region_id": REGION, "url": url}))
            .collect();
        json!({"id": kind, "type": kind, "name": name, "endpoints": endpoints})
    };
    services.iter().filter(|(service, ..)| !state.hidden.contains(service)).map(entry).collect()
}

pub(crate) fn show(state: &State, call: &Call<'_>) -> Reply {
    Reply::json(200, json!({"catalog": catalog(state, &call.origin, &call.actor.project_id), "links": {"self": call.url}}))
}
