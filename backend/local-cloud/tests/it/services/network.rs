//! Neutron: what is in use cannot go, what is full says so, rules are told apart by content.

use super::lab::{Person, cloud, sign_in};
use serde_json::{Value, json};

fn member() -> Person {
    sign_in(&cloud(), "member-a", "tenant-a")
}

fn error_type(reply: &super::lab::Reply) -> String {
    reply.at("/NeutronError/type")
}

#[test]
fn a_network_is_taken_away_from_the_outside_in() {
    let member = member();
    let place = member.place();
    let (port, address) = member.port(&place);
    assert_eq!(address, "10.6.0.2");
    let (network, subnet, router) = (
        format!("/network/v2.0/networks/{}", place.network),
        format!("/network/v2.0/subnets/{}", place.subnet),
        format!("/network/v2.0/routers/{}", place.router),
    );
    assert_eq!(error_type(&member.delete(&network).is(409)), "NetworkInUse");
    assert_eq!(error_type(&member.delete(&subnet).is(409)), "SubnetInUse");
    assert_eq!(error_type(&member.delete(&router).is(409)), "RouterInUse");
    let interface = member.get(&format!("/network/v2.0/ports?device_id={}", place.router)).at("/ports/0/id");
    assert_eq!(error_type(&member.delete(&format!("/network/v2.0/ports/{interface}")).is(409)), "ServicePortInUse");
    member.put(&format!("{router}/remove_router_interface"), &json!({"subnet_id": place.subnet})).is(200);
    member.put(&format!("{router}/remove_router_interface"), &json!({"subnet_id": place.subnet})).is(404);
    member.delete(&router).is(204);
    member.delete(&format!("/network/v2.0/ports/{port}")).is(204);
    member.delete(&subnet).is(204);
    member.delete(&network).is(204);
    member.get(&network).is(404);
}

#[test]
fn lists_filter_exactly_and_page() {
    let member = member();
    for name in ["prod", "prod-2", "prod"] {
        member.post("/network/v2.0/networks", &json!({"network": {"name": name, "description": format!("of {name}")}})).is(201);
    }
    let named = |filter: &str| member.get(&format!("/network/v2.0/networks?{filter}")).is(200).body["networks"].as_array().unwrap().len();
    assert_eq!(named("name=prod"), 2);
    assert_eq!(named("name=pro"), 0);
    assert_eq!(named("description=of%20prod-2"), 1);
    assert_eq!(named("name=prod&name=prod-2"), 3);
    let mut next = "/network/v2.0/networks?limit=1".to_owned();
    let mut seen = 0;
    loop {
        let page = member.get(&next).is(200);
        seen += page.body["networks"].as_array().unwrap().len();
        let Some(link) = page.body.pointer("/networks_links/0/href").and_then(Value::as_str) else { break };
        next = link.strip_prefix("http://local-cloud").unwrap().to_owned();
    }
    assert_eq!(seen, 4, "three of ours and the external one");
}

#[test]
fn a_full_subnet_says_so() {
    let member = member();
    let network = member.post("/network/v2.0/networks", &json!({"network": {"name": "small"}})).at("/network/id");
    let subnet = json!({"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/30"}});
    member.post("/network/v2.0/subnets", &subnet).is(201);
    member.post("/network/v2.0/subnets", &subnet).is(400);
    let port = json!({"port": {"network_id": network}});
    let first = member.post("/network/v2.0/ports", &port).is(201).at("/port/id");
    assert_eq!(error_type(&member.post("/network/v2.0/ports", &port).is(409)), "IpAddressGenerationFailure");
    member.delete(&format!("/network/v2.0/ports/{first}")).is(204);
    member.post("/network/v2.0/ports", &port).is(201);
}

#[test]
fn a_floating_ip_needs_a_way_and_outlives_its_port() {
    let member = member();
    let external = member.external();
    let place = member.place();
    let (port, _) = member.port(&place);
    let made = member.post("/network/v2.0/floatingips", &json!({"floatingip": {"floating_network_id": external, "description": "mark"}})).is(201);
    assert_eq!(made.at("/floatingip/status"), "DOWN");
    assert!(made.at("/floatingip/floating_ip_address").starts_with("127.30."));
    let path = format!("/network/v2.0/floatingips/{}", made.at("/floatingip/id"));
    assert_eq!(member.put(&path, &json!({"floatingip": {"port_id": port}})).is(200).at("/floatingip/fixed_ip_address"), "10.6.0.2");
    let other = member.post("/network/v2.0/floatingips", &json!({"floatingip": {"floating_network_id": external}})).is(201).at("/floatingip/id");
    let taken = member.put(&format!("/network/v2.0/floatingips/{other}"), &json!({"floatingip": {"port_id": port}})).is(409);
    assert_eq!(error_type(&taken), "FloatingIPPortAlreadyAssociated");
    let remove = format!("/network/v2.0/routers/{}/remove_router_interface", place.router);
    assert_eq!(error_type(&member.put(&remove, &json!({"subnet_id": place.subnet})).is(409)), "RouterInterfaceInUseByFloatingIP");
    member.delete(&format!("/network/v2.0/ports/{port}")).is(204);
    assert!(member.get(&path).is(200).body["floatingip"]["port_id"].is_null());
    let island = member.post("/network/v2.0/networks", &json!({"network": {"name": "island"}})).at("/network/id");
    member.post("/network/v2.0/subnets", &json!({"subnet": {"network_id": island, "ip_version": 4, "cidr": "10.8.0.0/24"}})).is(201);
    let cut_off = member.post("/network/v2.0/ports", &json!({"port": {"network_id": island}})).at("/port/id");
    assert_eq!(error_type(&member.put(&path, &json!({"floatingip": {"port_id": cut_off}})).is(404)), "ExternalGatewayForFloatingIPNotFound");
}

#[test]
fn equal_rules_conflict_and_a_batch_is_all_or_nothing() {
    let member = member();
    let group = member.post("/network/v2.0/security-groups", &json!({"security_group": {"name": "cp"}})).is(201);
    assert_eq!(group.body["security_group"]["security_group_rules"].as_array().unwrap().len(), 2, "everything out");
    let id = group.at("/security_group/id");
    let rule =
        |port: u16| json!({"security_group_id": id, "direction": "ingress", "protocol": "tcp", "port_range_min": port, "port_range_max": port});
    let path = "/network/v2.0/security-group-rules";
    member.post(path, &json!({"security_group_rule": rule(6443)})).is(201);
    assert_eq!(error_type(&member.post(path, &json!({"security_group_rule": rule(6443)})).is(409)), "SecurityGroupRuleExists");
    member.post(path, &json!({"security_group_rules": [rule(22), rule(6443)]})).is(409);
    let count = || member.get(&format!("{path}?security_group_id={id}")).body["security_group_rules"].as_array().unwrap().len();
    assert_eq!(count(), 3);
    member.post(path, &json!({"security_group_rules": [rule(22), rule(10250)]})).is(201);
    assert_eq!(count(), 5);
    let place = member.place();
    let port = json!({"port": {"network_id": place.network, "security_groups": [id]}});
    let port = member.post("/network/v2.0/ports", &port).is(201).at("/port/id");
    let path = format!("/network/v2.0/security-groups/{id}");
    assert_eq!(error_type(&member.delete(&path).is(409)), "SecurityGroupInUse");
    member.delete(&format!("/network/v2.0/ports/{port}")).is(204);
    member.delete(&path).is(204);
}

#[test]
fn quotas_refuse_and_tell_what_is_used() {
    let member = member();
    let admin = sign_in(&member.cloud, "kcs", "service");
    let path = format!("/network/v2.0/quotas/{}", member.project);
    member.put(&path, &json!({"quota": {"network": 1}})).is(403);
    admin.put(&path, &json!({"quota": {"network": 1}})).is(200);
    member.post("/network/v2.0/networks", &json!({"network": {"name": "a"}})).is(201);
    let over = member.post("/network/v2.0/networks", &json!({"network": {"name": "b"}})).is(409);
    assert_eq!(error_type(&over), "OverQuota");
    let details = member.get(&format!("{path}/details")).is(200);
    assert_eq!(details.body["quota"]["network"], json!({"limit": 1, "used": 1, "reserved": 0}));
}

#[test]
fn unknown_attributes_are_refused_and_tags_are_kept() {
    let member = member();
    member.post("/network/v2.0/networks", &json!({"network": {"nam": "x"}})).is(400);
    let id = member.post("/network/v2.0/networks", &json!({"network": {"name": "x"}})).at("/network/id");
    member.put(&format!("/network/v2.0/networks/{id}/tags"), &json!({"tags": ["a", "b"]})).is(200);
    member.put(&format!("/network/v2.0/networks/{id}/tags/c"), &Value::Null).is(201);
    assert_eq!(member.get("/network/v2.0/networks?tags=a,c").body["networks"].as_array().unwrap().len(), 1);
    member.delete(&format!("/network/v2.0/networks/{id}/tags/c")).is(204);
    assert_eq!(member.get(&format!("/network/v2.0/networks/{id}")).body["network"]["tags"], json!(["a", "b"]));
}
