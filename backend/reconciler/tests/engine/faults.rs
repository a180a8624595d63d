//! Faults of the cloud, each with the state, code and words a user meets, and the retry that goes on from there.

use crate::lab::Lab;
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::nodes::NodeRole;
use domain::operations::{OperationKind, OperationState};
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};
use time::Duration;

fn servers(effect: Effect) -> FaultRule {
    FaultRule::new(effect).on(Service::Compute, "POST", "/servers$")
}

#[tokio::test]
async fn a_short_quota_blocks_with_the_clouds_words_and_a_retry_goes_on() {
    let mut lab = Lab::new(10, 1, 1);
    lab.cloud.inject(servers(Effect::Quota { resource: "cores".into() }).count(None));
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let fault = lab.operation().fault.unwrap();
    assert_eq!(fault.code, Code::Quota);
    assert!(fault.message.contains("Quota exceeded for cores"), "{}", fault.message);
    assert!(fault.cloud_request_id.is_some());
    lab.cloud.clear_faults();
    lab.retry();
    lab.made_and_deleted().await;
}

#[tokio::test]
async fn nodes_that_wait_longer_for_quota_than_a_join_token_lives_join_all_the_same() {
    let mut lab = Lab::new(36, 1, 1);
    lab.made().await;
    lab.cloud.inject(servers(Effect::Quota { resource: "instances".into() }).count(None));
    lab.resize(6);
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let planned = lab.names(NodeRole::Worker);
    assert_eq!(planned.len(), 6);
    lab.watch(Duration::minutes(70)).await;
    lab.cloud.clear_faults();
    lab.retry();
    lab.made().await;
    // None of them was given up: they were let in at their first try.
    assert_eq!(lab.names(NodeRole::Worker), planned);
}

#[tokio::test]
async fn case_26_no_valid_host_is_retried_under_new_names_then_fails_and_a_retry_goes_on() {
    let mut lab = Lab::new(11, 1, 1);
    lab.cloud.inject(servers(Effect::Error { text: "No valid host was found. There are not enough hosts available.".into() }).count(None));
    assert_eq!(lab.settle().await, OperationState::Failed);
    let fault = lab.operation().fault.unwrap();
    assert_eq!(fault.code, Code::NoCapacity);
    assert!(fault.message.contains("No valid host"));
    lab.cloud.clear_faults();
    lab.retry();
    lab.made_and_deleted().await;
}

#[tokio::test]
async fn a_missing_image_blocks() {
    let mut lab = Lab::new(12, 1, 1);
    lab.db.lock().unwrap().work.cluster.spec.version = "v1.20.0".into();
    assert_eq!(lab.settle().await, OperationState::Blocked);
    assert_eq!(lab.operation().fault.unwrap().code, Code::ImageMissing);
    lab.db.lock().unwrap().work.cluster.spec.version = "v1.36.3".into();
    lab.retry();
    lab.made_and_deleted().await;
}

#[tokio::test]
async fn case_02_an_error_500_after_the_server_was_made_makes_no_second() {
    let mut lab = Lab::new(13, 1, 1);
    lab.cloud.inject(servers(Effect::DoneBut { status: 500 }));
    lab.made_and_deleted().await;
    assert_eq!(lab.cloud.calls(Service::Compute, "POST", "/compute/v2.1/servers"), 2);
}

#[tokio::test]
async fn case_03_lost_answers_of_every_service_are_adopted() {
    for (service, path) in [
        (Service::Network, "/networks$"),
        (Service::Network, "/ports$"),
        (Service::Network, "/floatingips$"),
        (Service::BlockStorage, "/volumes$"),
        (Service::LoadBalancer, "/loadbalancers$"),
        (Service::Compute, "/servers$"),
    ] {
        let mut lab = Lab::new(14, 1, 1);
        lab.cloud.inject(FaultRule::new(Effect::AnswerLost).on(service, "POST", path));
        lab.made_and_deleted().await;
    }
}

#[tokio::test]
async fn a_broken_load_balancer_is_replaced_and_said_if_it_stays_broken() {
    let broken = || FaultRule::new(Effect::Error { text: "amphora boot failed".into() }).on(Service::LoadBalancer, "POST", "/loadbalancers$");
    let mut lab = Lab::new(15, 1, 1);
    lab.cloud.inject(broken());
    lab.made_and_deleted().await;

    let mut lab = Lab::new(16, 1, 1);
    lab.cloud.inject(broken().count(None));
    assert_eq!(lab.settle().await, OperationState::Failed);
    assert_eq!(lab.operation().fault.unwrap().code, Code::LoadBalancerFailed);
    lab.cloud.clear_faults();
    lab.retry();
    lab.made_and_deleted().await;
}

#[tokio::test]
async fn case_29_a_server_that_never_leaves_build_is_replaced() {
    let mut lab = Lab::new(17, 1, 1);
    lab.cloud.inject(servers(Effect::Stuck));
    let start = lab.now();
    lab.made_and_deleted().await;
    assert!(lab.now() - start > domain::plan::SERVER_LIMIT);
}

#[tokio::test]
async fn tokens_that_end_midway_are_renewed() {
    let mut lab = Lab::new(18, 1, 1);
    lab.cloud.inject(FaultRule::new(Effect::TokensExpire).on(Service::Network, "POST", "/routers$"));
    lab.cloud.inject(FaultRule::new(Effect::TokensExpire).on(Service::Compute, "POST", "/servers$"));
    lab.made_and_deleted().await;
}

#[tokio::test]
async fn five_minutes_without_a_cloud_cost_five_minutes() {
    let mut lab = Lab::new(19, 1, 1);
    lab.cloud.inject(FaultRule::new(Effect::CloudDown { seconds: 300 }).on(Service::BlockStorage, "POST", "/volumes$"));
    let start = lab.now();
    lab.made_and_deleted().await;
    assert!(lab.now() - start > Duration::minutes(5));
}

#[tokio::test]
async fn case_39_a_foreign_port_in_the_way_of_a_delete_is_named() {
    let mut lab = Lab::new(20, 1, 0);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    let network = lab.id_of("network");
    let first = lab.cloud.add_foreign_port(&network);
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let fault = lab.operation().fault.unwrap();
    assert_eq!(fault.code, Code::InUse);
    assert!(fault.message.ends_with(&format!("subnet. In the way: port {first} (foreign)")), "{}", fault.message);
    // Of many some are named, and how many more there are.
    let mut ports: Vec<String> = (0..6).map(|_| lab.cloud.add_foreign_port(&network)).chain([first]).collect();
    lab.retry();
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let message = lab.operation().fault.unwrap().message;
    ports.sort();
    let named: Vec<&String> = ports.iter().filter(|id| message.contains(id.as_str())).collect();
    assert_eq!(named, ports.iter().take(5).collect::<Vec<_>>(), "{message}");
    assert!(message.ends_with("; and 2 more"), "{message}");
    for port in &ports {
        lab.cloud.remove_foreign_port(port);
    }
    lab.retry();
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

/// Makes a port of somebody's in the tenant's project; answers its id.
fn port(lab: &Lab, port: &Value) -> String {
    lab.person("POST", "/network/v2.0/ports", &json!({ "port": port }))["port"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ports_that_keep_a_network_alone_or_a_security_group_from_elsewhere_are_named() {
    let mut lab = Lab::new(220, 1, 0);
    lab.add_lookalike("theirs");
    lab.made().await;
    let theirs = lab.cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "theirs").unwrap().id;
    // Without an address it is on no subnet.
    let bare = port(&lab, &json!({"network_id": lab.id_of("network"), "name": "bare", "fixed_ips": []}));
    let guest = port(&lab, &json!({"network_id": theirs, "name": "guest", "security_groups": [lab.id_of("security_group/worker")]}));
    let said = |lab: &Lab, key: &str| lab.work().live(key).and_then(|row| row.fault.clone()).map(|fault| fault.message);
    lab.begin(OperationKind::ClusterDelete);
    while said(&lab, "network").is_none() || said(&lab, "security_group/worker").is_none() {
        lab.step().await;
    }
    let (network, group) = (said(&lab, "network").unwrap(), said(&lab, "security_group/worker").unwrap());
    assert!(network.ends_with(&format!("In the way: port {bare} (bare)")), "{network}");
    assert!(group.ends_with(&format!("In the way: port {guest} (guest)")), "{group}");
    for port in [bare, guest] {
        lab.person("DELETE", &format!("/network/v2.0/ports/{port}"), &Value::Null);
    }
    lab.retry();
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert!(lab.foreign_untouched());
}

#[tokio::test]
async fn a_port_that_the_outside_reaches_by_the_router_of_a_cluster_is_named_and_no_other() {
    let mut lab = Lab::new(221, 1, 0);
    lab.made().await;
    let network = lab.id_of("network");
    let quiet = lab.cloud.add_foreign_port(&network);
    let reached = port(&lab, &json!({"network_id": network, "name": "reached"}));
    let external = lab.work().cluster.spec.network.external_network;
    let address = json!({"floatingip": {"floating_network_id": external, "port_id": reached}});
    let address = lab.person("POST", "/network/v2.0/floatingips", &address)["floatingip"]["id"].as_str().unwrap().to_owned();
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let message = lab.operation().fault.unwrap().message;
    assert!(message.ends_with(&format!("In the way: port {reached} (reached)")), "{message}");
    for path in [format!("floatingips/{address}"), format!("ports/{reached}"), format!("ports/{quiet}")] {
        lab.person("DELETE", &format!("/network/v2.0/{path}"), &Value::Null);
    }
    lab.retry();
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_60_a_delete_in_the_middle_of_a_create_wins() {
    let mut lab = Lab::new(21, 1, 2);
    for _ in 0..6 {
        lab.step().await;
    }
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn an_api_where_nothing_is_dialled_is_said_and_not_only_waited_for() {
    let mut lab = Lab::new(64, 1, 1);
    lab.in_cluster.lock().unwrap().denied = true;
    lab.watch(Duration::minutes(5)).await;
    let shown = lab.condition(ConditionType::ApiReachable);
    assert_eq!((shown.status, shown.code), (ConditionStatus::False, Some(Code::ClusterApiDown)), "{shown:?}");
    assert!(shown.message.contains("no connection is opened"), "{shown:?}");
    lab.in_cluster.lock().unwrap().denied = false;
    lab.made_and_deleted().await;
}
