//! Whatever a service answers is classified once: kind, outcome, the cloud's words, its request id.

use crate::scripted::{Answer, Scripted};
use bytes::Bytes;
use cloud::CloudError;
use cloud::error::{CloudErrorKind as Kind, Outcome};
use cloud::network::NewSubnet;
use cloud::volumes::NewVolume;
use cloud_openstack::TransportError;
use http::Response;
use serde_json::{Value, json};
use std::sync::Arc;

fn saying(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> Arc<Scripted> {
    let body = body.to_owned();
    answering(move || {
        let mut response = Response::builder().status(status).header("x-openstack-request-id", "req-7");
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Ok(response.body(Bytes::from(body.clone())).unwrap())
    })
}

fn answering(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Arc<Scripted> {
    Scripted::new(move |asked| (!asked.url.contains("keystone")).then(&answer))
}

async fn network(status: u16, body: Value) -> CloudError {
    saying(status, &[], &body.to_string()).cloud().network.create_network("n", "d").await.unwrap_err()
}

async fn compute(status: u16, body: Value) -> CloudError {
    saying(status, &[], &body.to_string()).cloud().compute.create_server_group("g").await.unwrap_err()
}

async fn volume(status: u16, headers: &'static [(&'static str, &'static str)], body: Value) -> CloudError {
    let volume =
        NewVolume { name: "v".into(), size_gib: 1, image_id: None, volume_type: None, zone: None, metadata: std::collections::BTreeMap::new() };
    saying(status, headers, &body.to_string()).cloud().volumes.create_volume(&volume).await.unwrap_err()
}

async fn balancer(status: u16, body: Value) -> CloudError {
    let cloud = saying(status, &[], &body.to_string()).cloud();
    cloud.load_balancers.unwrap().set_members("pool", 6443, &[]).await.unwrap_err()
}

fn neutron(kind: &str, message: &str) -> Value {
    json!({"NeutronError": {"type": kind, "message": message, "detail": ""}})
}

#[tokio::test]
async fn statuses_and_texts_become_kinds() {
    let nova = |word: &str, message: &str| json!({ word: {"code": 0, "message": message} });
    let octavia = |message: &str| json!({"faultcode": "Client", "faultstring": message, "debuginfo": null});
    let cases = [
        (compute(403, nova("forbidden", "Quota exceeded, too many server groups.")).await, Kind::Quota),
        (compute(403, nova("forbidden", "Policy doesn't allow os_compute_api:servers:create to be performed.")).await, Kind::Denied),
        (compute(400, nova("badRequest", "Invalid input for field/attribute name.")).await, Kind::Rejected),
        (compute(400, nova("badRequest", "No valid host was found. There are not enough hosts available.")).await, Kind::Exhausted),
        (compute(404, nova("itemNotFound", "gone")).await, Kind::NotFound),
        (compute(409, nova("conflictingRequest", "Cannot 'delete' instance while it is in task_state deleting")).await, Kind::Conflict),
        (compute(300, json!({"choices": []})).await, Kind::Unsupported),
        (network(409, neutron("OverQuota", "Quota exceeded for resources: ['network'].")).await, Kind::Quota),
        (network(409, neutron("NetworkInUse", "There are one or more ports still in use on the network")).await, Kind::Conflict),
        (network(409, neutron("IpAddressGenerationFailure", "No more IP addresses available on network x.")).await, Kind::Exhausted),
        (network(400, neutron("ExternalIpAddressExhausted", "Unable to find any IP address on external network x.")).await, Kind::Exhausted),
        (network(403, neutron("PolicyNotAuthorized", "rule:create_network is disallowed by policy")).await, Kind::Denied),
        (network(503, neutron("ServiceUnavailable", "busy")).await, Kind::Unavailable),
        (balancer(403, octavia("Quota has been met for resources: load_balancer")).await, Kind::Quota),
        (balancer(403, octavia("Policy does not allow this request to be performed.")).await, Kind::Denied),
        (balancer(409, octavia("Load Balancer x is immutable and cannot be updated.")).await, Kind::Conflict),
        (balancer(501, octavia("Provider 'x' does not support a requested option")).await, Kind::Unsupported),
    ];
    for (error, kind) in cases {
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(error.outcome, if error.status == Some(503) { Outcome::Unknown } else { Outcome::NotDone }, "{error}");
        assert_eq!(error.request_id.as_deref(), Some("req-7"));
    }
}

#[tokio::test]
async fn cinders_413_is_a_quota_or_a_limit_of_rate() {
    let quota = "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota.";
    let over = |message: &str| json!({"overLimit": {"code": 413, "message": message, "retryAfter": "0"}});
    assert_eq!(volume(413, &[("retry-after", "0")], over(quota)).await.kind, Kind::Quota);
    let large = "Requested volume size 30G is larger than maximum allowed limit 29G.";
    assert_eq!(volume(413, &[("retry-after", "0")], over(large)).await.kind, Kind::Quota);
    assert_eq!(volume(413, &[("retry-after", "17")], over("This request was rate-limited.")).await.kind, Kind::RateLimited(17));
    assert_eq!(volume(429, &[("retry-after", "soon")], over("Too many")).await.kind, Kind::RateLimited(10));
    assert_eq!(volume(429, &[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], over("Too many")).await.kind, Kind::RateLimited(1));
    assert_eq!(volume(413, &[], over("Body too large")).await.kind, Kind::Rejected);
    assert_eq!(volume(400, &[], json!({"badRequest": {"message": "Invalid volume: Volume status must be available"}})).await.kind, Kind::Conflict);
}

#[tokio::test]
async fn an_outcome_is_known_only_when_the_cloud_refused_or_was_not_reached() {
    let lost = |sent: bool| answering(move || Err(TransportError { sent, message: "reset".into() })).cloud();
    let unsent = lost(false).network.create_network("n", "d").await.unwrap_err();
    assert_eq!((unsent.kind, unsent.outcome), (Kind::Unavailable, Outcome::NotDone));
    let sent = lost(true).network.create_network("n", "d").await.unwrap_err();
    assert_eq!((sent.kind, sent.outcome), (Kind::Unavailable, Outcome::Unknown));
    let read = lost(true).network.networks_by_name("n").await.unwrap_err();
    assert_eq!(read.outcome, Outcome::NotDone, "a read does nothing");

    for body in ["", "<html>", "{}", r#"{"network": {}}"#] {
        let error = saying(201, &[], body).cloud().network.create_network("n", "d").await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown), "{body}");
    }
    for status in [408, 500, 502, 504] {
        let error = network(status, json!("?")).await;
        assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown), "{status}");
    }
}

#[tokio::test]
async fn messages_are_the_clouds_words_without_html_and_cut_on_a_character() {
    let page = "<html><head><title>502 Bad Gateway</title><style>b{}</style></head>\n<body><h1>502 Bad Gateway</h1>\nThe &quot;server&quot; said &lt;no&gt;<hr></body></html>";
    let error = saying(502, &[], page).cloud().network.create_network("n", "d").await.unwrap_err();
    assert_eq!(error.message, "502 Bad Gateway The \"server\" said <no>");
    assert_eq!(error.to_string(), format!("network create network: {}", error.message));

    let long = network(400, neutron("X", &"吗".repeat(5_000))).await;
    assert_eq!(long.message.chars().count(), 2_000);
    assert_eq!(network(400, json!({"NeutronError": "just text"})).await.message, "just text");
    assert_eq!(saying(500, &[], "").cloud().network.create_network("n", "d").await.unwrap_err().message, "status 500");
}

#[tokio::test]
async fn an_id_that_would_make_it_another_call_is_never_sent() {
    for id in ["", ".", ".."] {
        let scripted = answering(|| panic!("must not be sent"));
        let error = scripted.cloud().network.delete_network(id).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Rejected, Outcome::NotDone));
    }
    let scripted = saying(204, &[], "");
    scripted.cloud().network.delete_network("a/../b?c#d").await.unwrap();
    assert_eq!(scripted.last().url, "neutron/v2.0/networks/a%2F..%2Fb%3Fc%23d");
}

#[tokio::test]
async fn deleting_what_is_gone_is_not_found() {
    let scripted = saying(404, &[], &neutron("SubnetNotFound", "Subnet s could not be found.").to_string());
    assert!(scripted.cloud().network.delete_subnet("s").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_service_the_catalogue_does_not_have_is_unsupported() {
    let scripted = Scripted::new(|asked| {
        let mut response = crate::scripted::token("t", 3_600);
        let mut body: Value = serde_json::from_slice(response.body()).unwrap();
        body["token"]["catalog"].as_array_mut().unwrap().retain(|entry| entry["type"] != "load-balancer");
        *response.body_mut() = Bytes::from(body.to_string());
        Some(Ok(if asked.url.starts_with("keystone") { response } else { crate::scripted::answer(200, &json!({"networks": []})) }))
    });
    let cloud = scripted.openstack();
    let seen =
        |id: &str| cloud::identity::Identity::as_credential(&cloud, &cloud::identity::ApplicationCredential { id: id.into(), secret: "s".into() });
    let first = seen("a");
    let error = first.load_balancers.as_ref().unwrap().load_balancer("x").await.unwrap_err();
    assert_eq!((error.kind, error.code()), (Kind::Unsupported, domain::codes::Code::NoLoadBalancer));
    assert!(cloud.as_service().load_balancers.is_none(), "known from then on");
    let again = seen("b").load_balancers.unwrap().load_balancer("x").await.unwrap_err();
    assert_eq!(again.code(), domain::codes::Code::NoLoadBalancer, "a cluster's is not taken for gone");
    first.network.networks_by_name("n").await.unwrap();
}

#[tokio::test]
async fn rules_that_exist_already_are_no_error() {
    let rule = |port: u16| cloud::network::Rule {
        direction: cloud::network::Direction::Ingress,
        protocol: Some("tcp".into()),
        ports: Some((port, port)),
        peer: cloud::network::Peer::Anyone,
    };
    let scripted = Scripted::new(move |asked| {
        if asked.url.contains("keystone") {
            return None;
        }
        if asked.method == http::Method::GET {
            let exists = json!({"direction": "ingress", "ethertype": "IPv4", "protocol": "6", "port_range_min": 1, "port_range_max": 1,
                "remote_ip_prefix": "0.0.0.0/0", "remote_group_id": null});
            return crate::scripted::ok(200, &json!({"security_group": {"id": "g", "name": "g", "security_group_rules": [exists]}}));
        }
        let rules = asked.body["security_group_rules"].as_array().unwrap();
        // Port 3 is added by somebody else at the same moment.
        let conflict = rules.iter().any(|r| r["port_range_min"] == 1 || r["port_range_min"] == 3);
        crate::scripted::ok(if conflict { 409 } else { 201 }, &neutron("SecurityGroupRuleExists", "Security group rule already exists."))
    });
    scripted.cloud().network.add_rules("g", &[rule(1), rule(2), rule(3)]).await.unwrap();
    let posted: Vec<usize> = scripted.calls().iter().filter_map(|a| a.body["security_group_rules"].as_array().map(Vec::len)).collect();
    assert_eq!(posted, [3, 1, 1]);
}

#[tokio::test]
async fn a_router_interface_that_exists_is_found() {
    let scripted = Scripted::new(|asked| match asked.method {
        _ if asked.url.contains("keystone") => None,
        http::Method::PUT => crate::scripted::ok(400, &neutron("BadRequest", "Bad router request: Router already has a port on subnet s.")),
        _ => crate::scripted::ok(
            200,
            &json!({"ports": [
            {"id": "other", "device_id": "r", "fixed_ips": [{"subnet_id": "t", "ip_address": "10.0.1.1"}]},
            {"id": "mine", "device_id": "r", "fixed_ips": [{"subnet_id": "s", "ip_address": "10.0.0.1"}]}]}),
        ),
    });
    assert_eq!(scripted.cloud().network.add_router_interface("r", "s").await.unwrap(), "mine");
    assert!(scripted.cloud().network.add_router_interface("r", "elsewhere").await.is_err());
}

#[tokio::test]
async fn subnets_are_made_as_told() {
    let scripted = saying(201, &[], r#"{"subnet": {"id": "s1"}}"#);
    let subnet = NewSubnet {
        name: "s".into(),
        description: "mark".into(),
        network_id: "n".into(),
        cidr: "10.9.0.0/16".parse().unwrap(),
        dns_servers: vec!["1.1.1.1".parse().unwrap()],
    };
    assert_eq!(scripted.cloud().network.create_subnet(&subnet).await.unwrap(), "s1");
    let expected =
        json!({"name": "s", "description": "mark", "network_id": "n", "ip_version": 4, "cidr": "10.9.0.0/16", "dns_nameservers": ["1.1.1.1"]});
    assert_eq!(scripted.last().body["subnet"], expected);
}
