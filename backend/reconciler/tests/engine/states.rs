//! Objects in odd states, answers that mislead, and engines that die at the worst moment: what is made once is there once, and nothing else is touched.

use crate::lab::{Changing, Cut, Hidden, Lab};
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::ledger::{ResourceKind, ResourceState};
use domain::nodes::NodeRole;
use domain::operations::{OperationKind, OperationState};
use domain::settings::DataVolume;
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

const SERVERS: &str = "/servers$";

fn creations(lab: &Lab) -> u64 {
    lab.cloud.calls(Service::Compute, "POST", "/compute/v2.1/servers")
}

#[tokio::test]
async fn case_01_an_error_500_that_made_nothing_is_tried_again_after_two_looks() {
    let mut lab = Lab::new(101, 1, 0);
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 500, body: None }).on(Service::Compute, "POST", SERVERS));
    let start = lab.now();
    lab.made().await;
    assert!(lab.now() - start >= domain::plan::SETTLE * 2);
    assert_eq!(creations(&lab), 2);
    lab.deleted().await;
}

#[tokio::test]
async fn case_04_a_server_that_shows_up_after_a_minute_is_adopted_or_taken_away_never_doubled() {
    let mut lab = Lab::new(104, 1, 0);
    lab.cloud.inject(FaultRule::new(Effect::AnswerLost).on(Service::Compute, "POST", SERVERS));
    // The list of servers does not show it for several looks.
    lab.fate.lock().unwrap().hidden = Some(Hidden { list: "servers", answers: 6 });
    lab.made().await;
    let servers = lab.ours_in_cloud().into_iter().filter(|o| o.starts_with("server ")).count();
    assert_eq!(servers, 1);
    lab.deleted().await;
}

#[tokio::test]
async fn case_09_a_refusal_nobody_knows_is_not_repeated_for_ever_and_shown_as_it_came() {
    let mut lab = Lab::new(109, 1, 0);
    let words = "<b>Invalid</b> foo: \"bar\" is not\u{7} a baz";
    let body = json!({"badRequest": {"code": 400, "message": words}});
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 400, body: Some(body) }).on(Service::Compute, "POST", SERVERS).count(None));
    assert_eq!(lab.settle().await, OperationState::Failed);
    let fault = lab.operation().fault.unwrap();
    assert_eq!(fault.code, Code::CloudRejected);
    assert!(fault.message.contains("<b>Invalid</b> foo"), "{}", fault.message);
    let calls = creations(&lab);
    lab.watch(Duration::hours(2)).await;
    assert_eq!(creations(&lab), calls);
    lab.cloud.clear_faults();
    lab.deleted().await;
}

/// Each list of the cloud's, not shown for so many answers while a cluster is looked at for so long: nothing is made, deleted or repaired for it.
async fn leave_out(seed: u64, answers: u64, watched: Duration) {
    for list in ["servers", "server_groups", "ports", "volumes", "networks", "subnets", "routers", "security_groups", "loadbalancers", "floatingips"]
    {
        let mut lab = Lab::new(seed, 3, 2);
        lab.made().await;
        let before = lab.ours_in_cloud();
        let deletions = lab.calls(Changing::deletes);
        lab.fate.lock().unwrap().hidden = Some(Hidden { list, answers });
        lab.watch(watched).await;
        assert!(lab.fate.lock().unwrap().hidden.as_ref().unwrap().answers < answers, "{list} were hidden");
        assert_eq!(lab.ours_in_cloud(), before, "after {list} were not shown {answers} times");
        assert_eq!(lab.calls(Changing::deletes), deletions);
        assert_eq!(lab.operation().kind, OperationKind::ClusterCreate, "no repair was begun for {list}");
    }
}

#[tokio::test]
async fn case_11_one_list_that_shows_nothing_makes_nothing_and_deletes_nothing() {
    leave_out(111, 1, Duration::minutes(3)).await;
}

#[tokio::test]
async fn case_11_lists_that_leave_out_what_is_there_make_nothing_and_delete_nothing() {
    leave_out(113, 40, Duration::minutes(30)).await;
}

#[tokio::test]
async fn case_11_a_list_that_leaves_out_a_server_which_is_being_deleted_does_not_end_the_deletion() {
    let mut lab = Lab::new(114, 1, 1);
    lab.made().await;
    lab.fate.lock().unwrap().hidden = Some(Hidden { list: "servers", answers: 40 });
    lab.deleted().await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_12_what_was_just_made_and_is_not_found_yet_is_asked_for_again() {
    let mut lab = Lab::new(112, 1, 0);
    let body = json!({"NeutronError": {"type": "NetworkNotFound", "message": "Network could not be found.", "detail": ""}});
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 404, body: Some(body) }).on(Service::Network, "POST", "/subnets$").count(Some(2)));
    lab.made().await;
    lab.deleted().await;
}

#[tokio::test]
async fn case_20_a_credential_whose_secret_was_lost_is_thrown_away_for_the_next_revision() {
    // The engine dies after Keystone made the credential, before the secret was stored. Which call that is, the calls themselves tell.
    let mut thrown_away = 0;
    for call in 1..12 {
        let mut lab = Lab::new(120, 1, 0);
        lab.cut(Some(Cut::After(call)));
        for _ in 0..6 {
            lab.step().await;
        }
        lab.cut(None);
        lab.made().await;
        let credentials: Vec<String> = lab.ours_in_cloud().into_iter().filter(|o| o.starts_with("application_credential ")).collect();
        assert_eq!(credentials.len(), 1, "cut after call {call}: {credentials:?}");
        let rows = lab.work().ledger.into_iter().filter(|r| r.kind == ResourceKind::ApplicationCredential);
        let lost = rows.filter(|r| r.state == ResourceState::Gone && r.cloud_id.is_some()).count();
        assert!(lost == 0 || credentials[0].contains("credential-2"), "cut after call {call}: {credentials:?}");
        thrown_away += lost;
        lab.deleted().await;
    }
    assert_eq!(thrown_away, 1, "one of the calls was the one");
}

#[tokio::test]
async fn case_27_without_free_addresses_the_load_balancer_stays_and_the_operation_waits() {
    let mut lab = Lab::new(127, 1, 0);
    let body = json!({"NeutronError": {"type": "ExternalIpAddressExhausted", "message": "Unable to find any IP address on external network.", "detail": ""}});
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 400, body: Some(body) }).on(Service::Network, "POST", "/floatingips$").count(None));
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let operation = lab.operation();
    assert_eq!(operation.fault.unwrap().code, Code::NoFloatingIp);
    assert!(operation.next_attempt_at.is_some());
    lab.watch(Duration::hours(1)).await;
    assert_eq!(lab.cloud.calls(Service::LoadBalancer, "POST", "/load-balancer/v2.0/lbaas/loadbalancers"), 1);
    lab.cloud.clear_faults();
    lab.watch(domain::plan::BLOCKED_REST).await;
    lab.made().await;
    lab.deleted().await;
}

#[tokio::test]
async fn case_32_a_load_balancer_that_stays_pending_is_left_alone_said_and_after_half_an_hour_an_alarm() {
    let mut lab = Lab::new(132, 1, 1);
    lab.made().await;
    let path = format!("/load-balancer/v2.0/lbaas/loadbalancers/{}", lab.id_of("load_balancer"));
    lab.cloud.inject(FaultRule::new(Effect::Stuck).on(Service::LoadBalancer, "PUT", "/loadbalancers/"));
    lab.person("PUT", &path, &json!({"loadbalancer": {"admin_state_up": true}}));
    // It, and what is under it.
    let edits = |lab: &Lab| lab.calls(|call| call.path.contains("/lbaas/"));
    let before = edits(&lab);
    assert!(before > 0, "it was made by such a call");
    lab.watch(Duration::minutes(2)).await;
    let condition = lab.condition(ConditionType::InfrastructureReady);
    assert_eq!((condition.status, condition.reason.as_str()), (ConditionStatus::Unknown, "ObjectsChanging"));
    lab.watch(Duration::minutes(32)).await;
    let condition = lab.condition(ConditionType::InfrastructureReady);
    assert_eq!((condition.status, condition.reason.as_str(), condition.code), (ConditionStatus::False, "ObjectsStuck", Some(Code::ObjectStuck)));
    assert_eq!(edits(&lab), before, "nothing was edited meanwhile");
}

#[tokio::test]
async fn case_33_a_broken_load_balancer_is_made_anew_with_the_same_addresses() {
    let mut lab = Lab::new(133, 3, 1);
    lab.made().await;
    let (endpoint, vip) = (lab.work().cluster.status.api_endpoint.unwrap(), lab.work().cluster.status.api_vip.unwrap());
    let old = lab.id_of("load_balancer");
    lab.cloud.inject(FaultRule::new(Effect::Error { text: "amphora lost".into() }).on(Service::LoadBalancer, "PUT", "/loadbalancers/"));
    lab.person("PUT", &format!("/load-balancer/v2.0/lbaas/loadbalancers/{old}"), &json!({"loadbalancer": {"admin_state_up": true}}));
    lab.watch(Duration::minutes(5)).await;
    assert_ne!(lab.id_of("load_balancer"), old);
    let status = lab.work().cluster.status;
    assert_eq!((status.api_endpoint.unwrap(), status.api_vip.unwrap()), (endpoint, vip), "kubeconfigs stay good");
    assert_eq!((lab.operation().kind, lab.operation().state), (OperationKind::ClusterRepair, OperationState::Succeeded), "{:#?}", lab.operation());
    assert_eq!(lab.condition(ConditionType::InfrastructureReady).status, ConditionStatus::True);
    lab.check_settled();
    lab.deleted().await;
}

#[tokio::test]
async fn case_34_a_listener_without_its_pool_is_completed() {
    let mut lab = Lab::new(134, 1, 1);
    lab.made().await;
    let pools = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools?loadbalancer_id={}", lab.id_of("load_balancer")), &Value::Null);
    lab.person("DELETE", &format!("/load-balancer/v2.0/lbaas/pools/{}", pools["pools"][0]["id"].as_str().unwrap()), &Value::Null);
    lab.watch(Duration::minutes(3)).await;
    let pools = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools?loadbalancer_id={}", lab.id_of("load_balancer")), &Value::Null);
    assert_eq!(pools["pools"].as_array().unwrap().len(), 1);
    assert_eq!(pools["pools"][0]["members"].as_array().unwrap().len(), 1);
    assert_eq!(lab.condition(ConditionType::InfrastructureReady).status, ConditionStatus::True);
}

#[tokio::test]
async fn case_36_a_volume_that_ends_in_error_is_deleted_and_made_anew() {
    let broken = |count| FaultRule::new(Effect::Error { text: "no space".into() }).on(Service::BlockStorage, "POST", "/volumes$").count(count);
    let mut lab = Lab::new(136, 1, 1);
    lab.cloud.inject(broken(Some(2)));
    lab.made().await;
    lab.deleted().await;
    let mut lab = Lab::new(136, 1, 0);
    lab.cloud.inject(broken(None));
    assert_eq!(lab.settle().await, OperationState::Failed);
    assert_eq!(lab.operation().fault.unwrap().code, Code::VolumeFailed);
    lab.cloud.clear_faults();
    lab.retry();
    lab.made().await;
    lab.deleted().await;
}

#[tokio::test]
async fn case_37_a_volume_that_does_not_let_go_holds_up_nothing_else_of_a_delete() {
    let mut lab = Lab::new(137, 1, 1);
    let data = DataVolume { name: "data".into(), size_gib: 3, volume_type: None, mount_path: Some("/srv/data".into()) };
    lab.db.lock().unwrap().work.cluster.spec.node_pools[0].data_volumes = vec![data];
    lab.made().await;
    let worker = lab.names(NodeRole::Worker)[0].clone();
    let (server, volume) = (lab.id_of(&format!("server/{worker}")), lab.id_of(&format!("volume/{worker}/data")));
    // Nova deletes what its servers have: this it does not have any more, and Cinder is not done with it.
    lab.person("DELETE", &format!("/compute/v2.1/servers/{server}/os-volume_attachments/{volume}"), &Value::Null);
    let body = json!({"badRequest": {"code": 400, "message": "Invalid volume: Volume status must be available, in-use, error but current status is: detaching."}});
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 400, body: Some(body) }).on(Service::BlockStorage, "DELETE", &volume).count(None));
    lab.begin(OperationKind::ClusterDelete);
    lab.watch(Duration::minutes(10)).await;
    let left = lab.ours_in_cloud();
    let expected = |o: &String| *o == format!("volume {worker}-data {volume}") || o.starts_with("application_credential ");
    assert!(left.len() == 2 && left.iter().all(expected), "{left:?}");
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let fault = lab.operation().fault.unwrap();
    assert_eq!((fault.code, fault.object), (Code::InUse, Some(format!("{worker}-data"))));
    assert!(fault.message.contains("current status is: detaching"), "{}", fault.message);
    assert_eq!(lab.calls(Changing::forces), 0);
    lab.cloud.clear_faults();
    lab.watch(domain::plan::BLOCKED_REST * 2).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_37_a_volume_reserved_for_a_server_that_nova_forgot_is_let_go_and_deleted() {
    let mut lab = Lab::new(138, 1, 1);
    // Held back, so that the volumes are there and no server has taken them.
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 503, body: None }).on(Service::Compute, "POST", "/servers$").count(None));
    let free = |lab: &Lab| lab.work().ledger.into_iter().find(|r| r.kind == ResourceKind::Volume && r.state == ResourceState::Known);
    while free(&lab).is_none() {
        lab.step().await;
    }
    let volume = free(&lab).unwrap().cloud_id.unwrap();
    let path = format!("/volume/v3/volumes/{volume}");
    while lab.person("GET", &path, &Value::Null)["volume"]["status"] != "available" {
        lab.step().await;
    }
    let reservation = json!({"attachment": {"volume_uuid": volume, "instance_uuid": Uuid::from_u128(7)}});
    assert_eq!(lab.person("POST", "/volume/v3/attachments", &reservation)["attachment"]["status"], "reserved");
    lab.cloud.clear_faults();
    lab.deleted().await;
    assert_eq!(lab.calls(Changing::forces), 0);
    assert_eq!(lab.calls(|call| call.deletes() && call.path.contains("/attachments/")), 1, "what a server holds that Nova does not know is let go");
}

/// The answer to the network's making is lost, and there is another of its name and mark: the operation is blocked, and names both. Answers their ids.
async fn two_of_one_mark(lab: &mut Lab) -> [String; 2] {
    lab.cloud.inject(FaultRule::new(Effect::AnswerLost).on(Service::Network, "POST", "/networks$"));
    while !lab.work().ledger.iter().any(|r| r.key == "network" && r.state == ResourceState::Unknown) {
        lab.step().await;
    }
    let row = lab.work().ledger.into_iter().find(|r| r.key == "network").unwrap();
    let twin = json!({"network": {"name": row.name, "description": domain::names::mark(row.cluster, row.id)}});
    let twin = lab.person("POST", "/network/v2.0/networks", &twin)["network"]["id"].as_str().unwrap().to_owned();
    let all = lab.person("GET", "/network/v2.0/networks", &Value::Null);
    let id = |network: &Value| network["id"].as_str().unwrap().to_owned();
    let first = all["networks"].as_array().unwrap().iter().find(|n| n["name"] == row.name.as_str() && id(n) != twin).map(id).unwrap();
    assert_eq!(lab.settle().await, OperationState::Blocked);
    let fault = lab.operation().fault.unwrap();
    assert_eq!(fault.code, Code::Ambiguous);
    assert!(fault.message.contains(&first) && fault.message.contains(&twin), "{}", fault.message);
    assert_eq!(lab.calls(Changing::deletes), 0);
    [first, twin]
}

#[tokio::test]
async fn case_40_two_objects_of_one_mark_stop_everything_and_are_named() {
    let mut lab = Lab::new(140, 1, 0);
    let [_, twin] = two_of_one_mark(&mut lab).await;
    lab.person("DELETE", &format!("/network/v2.0/networks/{twin}"), &Value::Null);
    lab.retry();
    lab.made().await;
    let faults: Vec<_> = lab.work().ledger.into_iter().filter(|r| r.state != ResourceState::Gone).filter_map(|r| r.fault).collect();
    assert!(faults.is_empty(), "what was mended is still said: {faults:?}");
    lab.deleted().await;
}

#[tokio::test]
async fn case_40_where_both_of_them_are_removed_another_is_made() {
    let mut lab = Lab::new(240, 1, 0);
    for one in two_of_one_mark(&mut lab).await {
        lab.person("DELETE", &format!("/network/v2.0/networks/{one}"), &Value::Null);
    }
    // Seen twice.
    lab.watch(Duration::minutes(2)).await;
    lab.retry();
    lab.made().await;
    lab.deleted().await;
}

#[tokio::test]
async fn case_41_a_cluster_with_a_name_that_begins_like_anothers_is_not_touched() {
    let mut lab = Lab::new(141, 1, 1);
    lab.add_lookalikes();
    let cluster = lab.work().cluster.id;
    for suffix in ["net-2", "router-2", "api-2", "master", "worker"] {
        lab.add_lookalike(&format!("kcs-{cluster}-{suffix}"));
    }
    lab.add_lookalike(&format!("{}w-0", domain::names::node_prefix(cluster)));
    lab.made().await;
    lab.deleted().await;
}

#[tokio::test]
async fn case_43_an_engine_that_dies_after_a_deletion_finds_it_done() {
    let mut lab = Lab::new(143, 1, 0);
    lab.made().await;
    lab.begin(OperationKind::ClusterDelete);
    // Dies after each of its deletions, before the row says so.
    for _ in 0..4000 {
        lab.cut(Some(Cut::AfterDeletion));
        if !lab.step().await {
            break;
        }
    }
    assert!(lab.calls(Changing::deletes) > 7, "it did not die often");
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
    assert_eq!(lab.operation().state, OperationState::Succeeded);
}

#[tokio::test]
async fn case_60_a_delete_wins_over_every_kind_of_operation() {
    use domain::wishes::Wish;
    for steps in [1, 4, 9] {
        for kind in 0..8 {
            let mut lab = Lab::new(160 + kind, 1, 2);
            lab.made().await;
            let worker = lab.node(&lab.names(domain::nodes::NodeRole::Worker)[0]);
            lab.wish(&match kind {
                0 => Wish::NodePoolResize { pool: "default".into(), count: 4, remove: vec![] },
                1 => Wish::ControlPlaneResize { count: 3 },
                2 => Wish::NodeReplace { node: worker },
                3 => Wish::NodeReboot { node: worker },
                4 => Wish::EncryptionKeyRotate,
                5 => Wish::ApiAuditChange { level: domain::settings::ApiAuditLevel::Metadata },
                6 => Wish::ApiAccessChange {
                    exposure: domain::settings::ApiExposure::Restricted,
                    allowed_cidrs: vec!["192.0.2.0/24".parse().unwrap()],
                },
                _ => Wish::NodePoolDelete { pool: "default".into() },
            });
            for _ in 0..steps {
                lab.step().await;
            }
            lab.deleted().await;
        }
    }
}

#[tokio::test]
async fn an_operation_that_only_a_newer_program_knows_is_left_to_it_until_it_has_ended() {
    let unknown =
        [(OperationKind::Newer("etcd_defragment"), OperationState::Running), (OperationKind::NodePoolResize, OperationState::Newer("waiting"))];
    for (seed, (kind, state)) in (170..).zip(unknown) {
        let mut lab = Lab::new(seed, 1, 1);
        lab.made().await;
        let becomes = |lab: &Lab, state| lab.db.lock().unwrap().work.operation.as_mut().unwrap().state = state;
        lab.begin(kind);
        becomes(&lab, state);
        let lost = lab.names(NodeRole::Worker)[0].clone();
        lab.lose_server(&lost);
        let (before, calls) = (lab.work(), lab.fate.lock().unwrap().calls);
        lab.watch(Duration::minutes(10)).await;
        assert_eq!((lab.work(), lab.fate.lock().unwrap().calls), (before, calls), "nothing is looked at, done or written");
        becomes(&lab, OperationState::Succeeded);
        lab.watch(Duration::minutes(20)).await;
        assert!(!lab.names(NodeRole::Worker).contains(&lost), "{:#?}", lab.operation());
    }
}
