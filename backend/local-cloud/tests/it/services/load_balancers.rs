//! Octavia: one call makes everything, PENDING_* lets nothing through, statuses follow the servers.

use super::lab::{Person, cloud, config, sign_in};
use local_cloud::{LocalCloud, LocalCloudConfig};
use serde_json::{Value, json};

const LB: &str = "/load-balancer/v2/lbaas";

fn member() -> Person {
    sign_in(&cloud(), "member-a", "tenant-a")
}

pub fn balancer(name: &str, subnet: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|ip| json!({"address": ip, "protocol_port": 6443, "subnet_id": subnet})).collect();
    let monitor = json!({"type": "HTTPS", "url_path": "/readyz", "delay": 5, "timeout": 4, "max_retries": 1});
    let pool = json!({"name": "p", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "healthmonitor": monitor, "members": members});
    let listener = json!({"name": "l", "protocol": "TCP", "protocol_port": 6443, "default_pool": pool, "timeout_client_data": 3_600_000});
    json!({"loadbalancer": {"name": name, "description": "mark", "vip_subnet_id": subnet, "listeners": [listener]}})
}

#[test]
fn one_call_makes_everything_and_a_cascade_takes_it_away() {
    let member = member();
    let place = member.place();
    let (server, port, _) = member.server(&place, "cp-1");
    member.pass(1);
    let address = member.get(&format!("/network/v2.0/ports/{port}")).at("/port/fixed_ips/0/ip_address");
    let made = member.post(&format!("{LB}/loadbalancers"), &balancer("api", &place.subnet, &[&address])).is(201);
    let id = made.at("/loadbalancer/id");
    let vip = member.get(&format!("/network/v2.0/ports/{}", made.at("/loadbalancer/vip_port_id"))).is(200);
    assert_eq!(vip.at("/port/device_owner"), "Octavia");
    member.delete(&format!("{LB}/loadbalancers/{id}?cascade=true")).is(409);
    member.pass(1);
    let tree = member.get(&format!("{LB}/loadbalancers/{id}/status")).is(200);
    let pool = "/statuses/loadbalancer/listeners/0/pools/0";
    assert_eq!(tree.at("/statuses/loadbalancer/provisioning_status"), "ACTIVE");
    assert_eq!(tree.at(&format!("{pool}/members/0/operating_status")), "ONLINE");
    assert_eq!(tree.at(&format!("{pool}/health_monitor/type")), "HTTPS");
    member.post(&format!("/compute/v2.1/servers/{server}/action"), &json!({"os-stop": null})).is(202);
    member.pass(1);
    let tree = member.get(&format!("{LB}/loadbalancers/{id}/status"));
    assert_eq!(tree.at(&format!("{pool}/members/0/operating_status")), "ERROR");
    assert_eq!(tree.at("/statuses/loadbalancer/operating_status"), "ERROR");
    member.delete(&format!("{LB}/loadbalancers/{id}")).is(400);
    member.delete(&format!("{LB}/loadbalancers/{id}?cascade=true")).is(204);
    member.pass(1);
    member.get(&format!("{LB}/loadbalancers/{id}")).is(404);
    member.get(&format!("/network/v2.0/ports/{}", made.at("/loadbalancer/vip_port_id"))).is(404);
}

#[test]
fn behind_ovn_what_ovn_cannot_is_refused_and_the_default_is_the_first_provider() {
    let cloud = LocalCloud::new(LocalCloudConfig { providers: vec!["ovn", "amphora"], ..config(9) });
    let member = sign_in(&cloud, "member-a", "tenant-a");
    let place = member.place();
    let offered = member.get(&format!("{LB}/providers")).is(200);
    assert_eq!(offered.body["providers"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect::<Vec<_>>(), ["ovn", "amphora"]);
    member.post(&format!("{LB}/loadbalancers"), &json!({"loadbalancer": {"vip_subnet_id": place.subnet, "provider": "f5"}})).is(501);
    let before = cloud.dump().len();
    let whole = balancer("api", &place.subnet, &["10.6.0.10"]);
    let refused = member.post(&format!("{LB}/loadbalancers"), &whole).is(501);
    assert!(refused.at("/faultstring").contains("OVN provider does not support ROUND_ROBIN algorithm"));
    assert_eq!(cloud.dump().len(), before);
    let mut named = whole;
    named["loadbalancer"]["provider"] = json!("amphora");
    member.post(&format!("{LB}/loadbalancers"), &named).is(201);

    let made = member.post(&format!("{LB}/loadbalancers"), &json!({"loadbalancer": {"vip_subnet_id": place.subnet}})).is(201);
    assert_eq!(made.at("/loadbalancer/provider"), "ovn");
    let id = made.at("/loadbalancer/id");
    let make = |kind: &str, body: &Value| {
        member.pass(1);
        member.post(&format!("{LB}/{kind}s"), &json!({ kind: body }))
    };
    let listener = json!({"loadbalancer_id": id, "protocol": "TCP", "protocol_port": 6443});
    let with = |base: &Value, key: &str, value: Value| {
        let mut changed = base.clone();
        changed[key] = value;
        changed
    };
    make("listener", &with(&listener, "protocol", json!("HTTP"))).is(501);
    make("listener", &with(&listener, "allowed_cidrs", json!(["192.0.2.0/24"]))).is(501);
    let listener = make("listener", &listener).is(201).at("/listener/id");
    let pool = json!({"listener_id": listener, "protocol": "TCP", "lb_algorithm": "SOURCE_IP_PORT"});
    make("pool", &with(&pool, "lb_algorithm", json!("ROUND_ROBIN"))).is(501);
    let pool = make("pool", &pool).is(201).at("/pool/id");
    let monitor = json!({"pool_id": pool, "type": "TCP", "delay": 3, "timeout": 2, "max_retries": 1});
    make("healthmonitor", &with(&monitor, "type", json!("HTTPS"))).is(501);
    make("healthmonitor", &monitor).is(201);
    member.pass(1);
    let limited = json!({"listener": {"allowed_cidrs": ["192.0.2.0/24"]}});
    member.put(&format!("{LB}/listeners/{listener}"), &limited).is(501);
    member.put(&format!("{LB}/listeners/{listener}"), &json!({"listener": {"allowed_cidrs": []}})).is(200);
}

#[test]
fn a_bad_child_leaves_nothing_behind() {
    let member = member();
    let place = member.place();
    let before = member.cloud.dump().len();
    let mut body = balancer("api", &place.subnet, &["10.6.0.9"]);
    body["loadbalancer"]["listeners"][0]["default_pool"]["members"][0]["address"] = json!("nonsense");
    member.post(&format!("{LB}/loadbalancers"), &body).is(400);
    assert_eq!(member.cloud.dump().len(), before);
}

#[test]
fn members_are_made_exactly_those_given_while_nothing_else_may_change() {
    let member = member();
    let place = member.place();
    let made = member.post(&format!("{LB}/loadbalancers"), &balancer("api", &place.subnet, &["10.6.0.10", "10.6.0.11"])).is(201);
    member.pass(1);
    let pool = member.get(&format!("{LB}/loadbalancers/{}", made.at("/loadbalancer/id"))).at("/loadbalancer/pools/0/id");
    let path = format!("{LB}/pools/{pool}/members");
    let wanted = json!({"members": [{"address": "10.6.0.11", "protocol_port": 6443}, {"address": "10.6.0.12", "protocol_port": 6443}]});
    member.put(&path, &wanted).is(202);
    let busy = member.put(&path, &wanted).is(409);
    assert!(busy.at("/faultstring").ends_with("is immutable and cannot be updated."));
    member.pass(1);
    let listed = member.get(&path).is(200);
    let mut addresses: Vec<&str> = listed.body["members"].as_array().unwrap().iter().filter_map(|m| m["address"].as_str()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["10.6.0.11", "10.6.0.12"]);
    let kept = listed.body["members"].as_array().unwrap().iter().find(|m| m["address"] == "10.6.0.11").unwrap();
    assert_eq!(kept["provisioning_status"], "ACTIVE");
}
