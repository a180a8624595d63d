//! Version discovery documents and microversions.

use crate::http::{Answer, Failure, Reply, Service};
use http::HeaderMap;
use serde_json::{Value, json};

/// Highest minor of Nova's 2.x and Cinder's 3.x that is spoken.
const NOVA_MAX: u32 = 96;
const CINDER_MAX: u32 = 71;

fn links(base: &str, version: &str) -> Value {
    json!([{"rel": "self", "href": format!("{base}/{version}/")}])
}

fn document(service: Service, base: &str) -> Value {
    const UPDATED: &str = "2023-01-01T00:00:00Z";
    match service {
        Service::Identity => json!({"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": links(base, "v3"),
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]}),
        Service::Compute => json!({"id": "v2.1", "status": "CURRENT", "version": format!("2.{NOVA_MAX}"), "min_version": "2.1",
            "updated": "2013-07-23T11:33:21Z", "links": links(base, "v2.1"),
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]}),
        Service::Network => json!({"id": "v2.0", "status": "CURRENT", "links": links(base, "v2.0")}),
        Service::BlockStorage => json!({"id": "v3.0", "status": "CURRENT", "version": format!("3.{CINDER_MAX}"), "min_version": "3.0",
            "updated": UPDATED, "links": links(base, "v3"),
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}]}),
        Service::Image => json!({"id": "v2.16", "status": "CURRENT", "links": links(base, "v2")}),
        Service::LoadBalancer => json!({"id": "v2.27", "status": "CURRENT", "updated": UPDATED, "links": links(base, "v2")}),
    }
}

/// All versions of a service, at its root.
pub(crate) fn root(service: Service, base: &str) -> Answer {
    let document = document(service, base);
    let (status, body) = match service {
        Service::Identity => (300, json!({"versions": {"values": [document]}})),
        Service::BlockStorage | Service::Image => (300, json!({"versions": [document]})),
        _ => (200, json!({"versions": [document]})),
    };
    Ok(Reply::json(status, body))
}

/// One version's document.
pub(crate) fn one(service: Service, base: &str) -> Answer {
    let document = document(service, base);
    Ok(Reply::json(
        200,
        match service {
            Service::BlockStorage => json!({"versions": [document]}),
            Service::Network => json!({"resources": []}),
            _ => json!({"version": document}),
        },
    ))
}

/// The minor version a call asks for: 2.1 and 3.0 without a header.
pub(crate) fn negotiate(service: Service, headers: &HeaderMap) -> Result<u32, Failure> {
    let (kind, major, least, most) = match service {
        Service::Compute => ("compute", "2", 1, NOVA_MAX),
        Service::BlockStorage => ("volume", "3", 0, CINDER_MAX),
        _ => return Ok(0),
    };
    let named = headers.get("openstack-api-version").and_then(|v| v.to_str().ok()).and_then(|v| {
        let (service, version) = v.split_once(' ')?;
        (service == kind).then_some(version.trim())
    });
    let legacy = headers.get("x-openstack-nova-api-version").and_then(|v| v.to_str().ok()).filter(|_| kind == "compute");
    let Some(asked) = named.or(legacy) else { return Ok(least) };
    if asked == "latest" {
        return Ok(most);
    }
    let Some((asked_major, minor)) = asked.split_once('.').and_then(|(a, b)| Some((a, b.parse::<u32>().ok()?))) else {
        return Err(Failure::bad(format!("API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum.")));
    };
    if asked_major != major || minor < least || minor > most {
        return Err(Failure::new(
            406,
            "HTTPNotAcceptable",
            format!("Version {asked} is not supported by the API. Minimum is {major}.{least} and maximum is {major}.{most}."),
        ));
    }
    Ok(minor)
}
