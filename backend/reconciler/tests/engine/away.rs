//! A cloud that is away, wants to be asked more slowly, or does not list all its services: shown as what it is, and nothing of the cluster is lost or changed for it.

use crate::lab::Lab;
use domain::clusters::Phase;
use domain::codes::Code;
use domain::conditions::{Condition, ConditionStatus, ConditionType};
use domain::operations::OperationState;
use local_cloud::{Effect, FaultRule};
use time::Duration;

fn reachable(lab: &Lab) -> Condition {
    let conditions = lab.work().cluster.status.conditions;
    conditions.into_iter().find(|c| c.r#type == ConditionType::CloudReachable).unwrap()
}

#[tokio::test]
async fn case_05_ten_minutes_of_503_are_shown_and_change_nothing() {
    let mut lab = Lab::new(105, 1, 2);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    lab.watch(Duration::minutes(20)).await;
    let (rows, objects, nodes) = (lab.live_rows(), lab.ours_in_cloud(), lab.work().nodes.len());
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 503, body: None }).count(None));
    lab.watch(Duration::minutes(10)).await;
    let condition = reachable(&lab);
    assert_eq!((condition.status, condition.code), (ConditionStatus::False, Some(Code::CloudUnavailable)));
    assert_eq!(lab.work().cluster.status.phase, Phase::Running, "not seeing is not being unwell");
    assert_eq!((lab.live_rows(), lab.work().nodes.len()), (rows.clone(), nodes));
    lab.cloud.clear_faults();
    lab.watch(Duration::minutes(2)).await;
    assert_eq!(reachable(&lab).status, ConditionStatus::True);
    assert_eq!((lab.live_rows(), lab.ours_in_cloud()), (rows, objects));
}

#[tokio::test]
async fn case_06_a_cloud_that_is_busy_worries_nobody() {
    let mut lab = Lab::new(106, 1, 1);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    lab.watch(Duration::minutes(20)).await;
    let rows = lab.live_rows();
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 429, body: None }).count(None));
    lab.watch(Duration::minutes(2)).await;
    let condition = reachable(&lab);
    assert_eq!((condition.status, condition.code), (ConditionStatus::Unknown, Some(Code::CloudBusy)));
    assert_eq!(lab.work().cluster.status.phase, Phase::Running);
    assert_eq!(lab.live_rows(), rows);
}

#[tokio::test]
async fn case_13_a_service_that_leaves_the_catalogue_is_named_and_nothing_of_it_is_given_up() {
    for (seed, service, unlisted) in [(113, "load-balancer", vec!["load-balancer"]), (114, "block-storage", vec!["block-storage", "volumev3"])] {
        let mut lab = Lab::new(seed, 1, 1);
        assert_eq!(lab.settle().await, OperationState::Succeeded);
        lab.watch(Duration::minutes(20)).await;
        let before = (lab.live_rows(), lab.ours_in_cloud());
        lab.fate.lock().unwrap().unlisted = unlisted;
        // Tokens bring the catalogue: an engine that begins anew has new ones, its service account's first.
        lab.restart();
        lab.services.identity.project_state(&lab.work().cluster.tenant.0).await.unwrap();
        lab.watch(Duration::minutes(10)).await;
        let condition = reachable(&lab);
        assert_eq!(condition.status, ConditionStatus::False);
        assert!(condition.message.contains(&format!("no {service} service")), "{}", condition.message);
        assert_eq!(lab.work().cluster.status.phase, Phase::Running);
        assert_eq!((lab.live_rows(), lab.ours_in_cloud()), before);
        lab.fate.lock().unwrap().unlisted.clear();
        lab.watch(Duration::minutes(2)).await;
        assert_eq!(reachable(&lab).status, ConditionStatus::True);
        assert_eq!((lab.live_rows(), lab.ours_in_cloud()), before);
        lab.deleted().await;
    }
}
