//! Faults: each does what it says, to the calls it is meant for, as often as asked.

use super::lab::{Person, cloud, sign_in};
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};

fn member() -> Person {
    sign_in(&cloud(), "member-a", "tenant-a")
}

const NETWORKS: &str = "/network/v2.0/networks";

fn net(name: &str) -> Value {
    json!({"network": {"name": name}})
}

fn count(member: &Person, name: &str) -> usize {
    member.get(&format!("{NETWORKS}?name={name}")).body["networks"].as_array().unwrap().len()
}

#[test]
fn connections_break_before_or_after_the_deed() {
    let member = member();
    member.cloud.inject(FaultRule::new(Effect::Reset).on(Service::Network, "POST", "/networks$"));
    assert!(!member.try_ask("POST", NETWORKS, &net("a")).err().unwrap().done);
    assert_eq!(count(&member, "a"), 0);
    member.cloud.inject(FaultRule::new(Effect::AnswerLost).on(Service::Network, "POST", "/networks$"));
    assert!(member.try_ask("POST", NETWORKS, &net("a")).err().unwrap().done);
    assert_eq!(count(&member, "a"), 1);
    member.cloud.inject(FaultRule::new(Effect::DoneBut { status: 500 }).on(Service::Network, "POST", "/networks$"));
    member.post(NETWORKS, &net("b")).is(500);
    assert_eq!(count(&member, "b"), 1);
    member.post(NETWORKS, &net("c")).is(201);
}

#[test]
fn a_status_is_given_in_the_services_words_so_many_times() {
    let member = member();
    member.cloud.inject(FaultRule::new(Effect::Status { status: 503, body: None }).on(Service::Network, "GET", "/networks$").nth(2).count(Some(2)));
    let statuses: Vec<u16> = (0..4).map(|_| member.get(NETWORKS).status).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    member.cloud.inject(FaultRule::new(Effect::Quota { resource: "port".into() }).on(Service::Network, "POST", "/networks$").named("prod"));
    member.post(NETWORKS, &net("test")).is(201);
    assert_eq!(member.post(NETWORKS, &net("prod-1")).is(409).at("/NeutronError/type"), "OverQuota");
}

#[test]
fn objects_are_stuck_or_fail() {
    let member = member();
    let place = member.place();
    let servers = || FaultRule::new(Effect::Stuck).on(Service::Compute, "POST", "/servers$");
    member.cloud.inject(servers());
    let (stuck, ..) = member.server(&place, "a");
    member.cloud.inject(FaultRule { effect: Effect::Error { text: "No valid host was found. ".into() }, ..servers() });
    let (failed, ..) = member.server(&place, "b");
    member.pass(3600);
    assert_eq!(member.server_status(&stuck), "BUILD");
    assert_eq!(member.server_status(&failed), "ERROR");
    member.delete(&format!("/compute/v2.1/servers/{stuck}")).is(204);
    member.pass(1);
    member.get(&format!("/compute/v2.1/servers/{stuck}")).is(404);

    let volumes = || FaultRule::new(Effect::Stuck).on(Service::BlockStorage, "POST", "/volumes$");
    let volume = || member.post(&member.volume_path("/volumes"), &json!({"volume": {"size": 1}})).is(202).at("/volume/id");
    let status = |id: &str| member.get(&member.volume_path(&format!("/volumes/{id}"))).at("/volume/status");
    member.cloud.inject(volumes());
    let stuck = volume();
    member.cloud.inject(FaultRule { effect: Effect::Error { text: "out of space".into() }, ..volumes() });
    let failed = volume();
    member.pass(3600);
    assert_eq!((status(&stuck).as_str(), status(&failed).as_str()), ("creating", "error"));

    let balancers = || FaultRule::new(Effect::Stuck).on(Service::LoadBalancer, "POST", "/loadbalancers$");
    let lb = "/load-balancer/v2/lbaas/loadbalancers";
    let balancer = || member.post(lb, &json!({"loadbalancer": {"vip_subnet_id": place.subnet}})).is(201).at("/loadbalancer/id");
    let status = |id: &str| member.get(&format!("{lb}/{id}")).at("/loadbalancer/provisioning_status");
    member.cloud.inject(balancers());
    let stuck = balancer();
    member.cloud.inject(FaultRule { effect: Effect::Error { text: "amphora".into() }, ..balancers() });
    let failed = balancer();
    member.pass(3600);
    assert_eq!((status(&stuck).as_str(), status(&failed).as_str()), ("PENDING_CREATE", "ERROR"));
    member.delete(&format!("{lb}/{failed}")).is(204);
    member.delete(&format!("{lb}/{stuck}")).is(409);
}

#[test]
fn tokens_end_and_the_cloud_goes_away_and_comes_back() {
    let member = member();
    member.cloud.inject(FaultRule::new(Effect::TokensExpire).on(Service::Network, "GET", "/networks$"));
    member.get(NETWORKS).is(401);
    let member = sign_in(&member.cloud, "member-a", "tenant-a");
    member.cloud.inject(FaultRule::new(Effect::CloudDown { seconds: 300 }).on(Service::Network, "GET", "/networks$"));
    for _ in 0..3 {
        assert!(!member.try_ask("GET", "/compute/v2.1/servers", &Value::Null).is_err_and(|lost| lost.done));
        assert!(member.try_ask("GET", NETWORKS, &Value::Null).is_err());
    }
    assert!(member.try_ask("GET", "/compute/v2.1/servers", &Value::Null).is_err());
    member.pass(301);
    member.get(NETWORKS).is(200);
}

#[test]
fn calls_are_counted_by_path() {
    let member = member();
    let id = member.post(NETWORKS, &net("a")).at("/network/id");
    member.get(&format!("{NETWORKS}/{id}"));
    member.get(&format!("{NETWORKS}/{id}?fields=id"));
    assert_eq!(member.cloud.calls(Service::Network, "GET", "/network/v2.0/networks/{id}"), 2);
    assert_eq!(member.cloud.calls(Service::Network, "POST", NETWORKS), 1);
}
