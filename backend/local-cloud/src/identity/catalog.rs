//! The service catalogue: where each service answers.

use crate::http::{Call, Reply};
use serde_json::{Value, json};

const REGION: &str = "RegionOne";

/// The catalogue as a token carries it. Block storage is listed under both names that real clouds use.
pub(crate) fn catalog(base: &str, project: &str) -> Value {
    let services = [
        ("identity", "keystone", format!("{base}/identity/v3")),
        ("compute", "nova", format!("{base}/compute/v2.1")),
        ("network", "neutron", format!("{base}/network")),
        ("block-storage", "cinder", format!("{base}/volume/v3/{project}")),
        ("volumev3", "cinderv3", format!("{base}/volume/v3/{project}")),
        ("image", "glance", format!("{base}/image")),
        ("load-balancer", "octavia", format!("{base}/load-balancer")),
    ];
    let entry = |(kind, name, url): &(&str, &str, String)| {
        let endpoints: Vec<Value> = ["public", "internal"]
            .iter()
            .map(|interface| json!({"id": format!("{kind}-{interface}"), "interface": interface, "region": REGION, "region_id": REGION, "url": url}))
            .collect();
        json!({"id": kind, "type": kind, "name": name, "endpoints": endpoints})
    };
    services.iter().map(entry).collect()
}

pub(crate) fn show(call: &Call<'_>) -> Reply {
    Reply::json(200, json!({"catalog": catalog(&call.origin, &call.actor.project_id), "links": {"self": call.url}}))
}
