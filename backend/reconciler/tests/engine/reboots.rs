//! Somebody asks for the reboot of a node, most of all where its server does not run.

use crate::lab::Lab;
use domain::clusters::RepairPolicy;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::nodes::NodeRole;
use domain::operations::OperationState;
use domain::wishes::Wish;
use local_cloud::{Effect, FaultRule, Service};
use serde_json::json;
use time::Duration;

/// A cluster that runs, one of its workers, and the path of its server's actions.
async fn running(seed: u64) -> (Lab, String, String) {
    let mut lab = Lab::new(seed, 1, 2);
    lab.made().await;
    let worker = lab.names(NodeRole::Worker)[0].clone();
    let actions = format!("/compute/v2.1/servers/{}/action", lab.id_of(&format!("server/{worker}")));
    (lab, worker, actions)
}

#[tokio::test]
async fn a_server_that_does_not_run_is_rebooted_all_the_same() {
    let states = [json!({"os-stop": null}), json!({"pause": null}), json!({"suspend": null}), json!({"os-resetState": {"state": "error"}})];
    for (seed, state) in (280..).zip(states) {
        for repair in [RepairPolicy::Manual, RepairPolicy::Automatic] {
            let (mut lab, worker, actions) = running(seed).await;
            lab.db.lock().unwrap().work.cluster.spec.repair = repair;
            lab.admin("POST", &actions, &state);
            lab.watch(Duration::minutes(1)).await;
            assert_eq!(lab.condition(ConditionType::NodesReady).status, ConditionStatus::False, "{state}");
            lab.wish(&Wish::NodeReboot { node: lab.node(&worker) });
            assert_eq!(lab.settle().await, OperationState::Succeeded, "{state}: {:#?}", lab.operation());
            assert!(lab.names(NodeRole::Worker).contains(&worker), "{state}: it was replaced");
            lab.watch(Duration::minutes(1)).await;
            assert_eq!(lab.condition(ConditionType::NodesReady).status, ConditionStatus::True, "{state}");
            lab.check_settled();
        }
    }
}

#[tokio::test]
async fn why_nova_does_not_reboot_is_said_while_it_is_asked_again() {
    let (mut lab, worker, _) = running(289).await;
    let words = "Cannot 'reboot' instance while it is in task_state migrating";
    let body = json!({"conflictingRequest": {"code": 409, "message": words}});
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 409, body: Some(body) }).on(Service::Compute, "POST", "/action$").count(None));
    lab.wish(&Wish::NodeReboot { node: lab.node(&worker) });
    lab.watch(Duration::seconds(20)).await;
    let step = lab.operation().steps[0].clone();
    assert!(step.fault.as_ref().is_some_and(|fault| fault.message.contains(words)), "{step:#?}");
    lab.cloud.clear_faults();
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
}
