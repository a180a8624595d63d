//! The tenant's project is deleted or disabled under its cluster: said as what it is, waited for, and nothing is made or taken away meanwhile.

use crate::lab::Lab;
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::ledger::ResourceKind;
use domain::operations::{OperationKind, OperationState};
use local_cloud::Service;
use serde_json::{Value, json};
use time::Duration;

fn project(lab: &Lab) -> String {
    format!("/identity/v3/projects/{}", lab.work().cluster.tenant)
}

fn enable(lab: &Lab, enabled: bool) {
    lab.admin("PATCH", &project(lab), &json!({"project": {"enabled": enabled}}));
}

fn said(lab: &Lab) -> (ConditionStatus, String, Option<Code>) {
    let condition = lab.condition(ConditionType::CloudReachable);
    (condition.status, condition.reason, condition.code)
}

/// Looks on, and sees that neither the ledger nor the cloud changes.
async fn nothing_changes(lab: &mut Lab, time: Duration) {
    let before = (lab.live_rows(), lab.ours_in_cloud());
    lab.watch(time).await;
    assert_eq!((lab.live_rows(), lab.ours_in_cloud()), before);
}

/// The project is enabled again, and what waits for it goes on by itself.
async fn enabled_again(lab: &mut Lab) {
    enable(lab, true);
    let begun = lab.now();
    while lab.operation().state == OperationState::Blocked {
        // A credential that Keystone refused is shown to it again within ten minutes.
        assert!(lab.now() - begun < Duration::minutes(12), "{:#?}", lab.operation());
        lab.step().await;
    }
}

#[tokio::test]
async fn case_21_a_project_that_is_deleted_is_said_and_nothing_recorded_is_forgotten() {
    let mut lab = Lab::new(210, 1, 1);
    lab.made().await;
    // Its credentials go with the project.
    lab.fate.lock().unwrap().credential_lost = true;
    lab.admin("DELETE", &project(&lab), &Value::Null);
    nothing_changes(&mut lab, Duration::minutes(3)).await;
    assert_eq!(said(&lab), (ConditionStatus::False, "TenantGone".to_owned(), Some(Code::TenantGone)));
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Blocked);
    assert_eq!(lab.operation().fault.map(|fault| fault.code), Some(Code::TenantGone));
    nothing_changes(&mut lab, Duration::hours(3)).await;
    let delete = lab.operation();
    assert_eq!((delete.state, delete.fault.map(|fault| fault.code)), (OperationState::Blocked, Some(Code::TenantGone)));
}

#[tokio::test]
async fn case_22_a_create_whose_project_is_disabled_waits_and_goes_on_wherever_it_was() {
    use ResourceKind::{ApplicationCredential, LoadBalancer, Network, Server};
    for begun in [None, Some(ApplicationCredential), Some(Network), Some(LoadBalancer), Some(Server)] {
        let mut lab = Lab::new(220, 1, 1);
        while begun.is_some_and(|kind| !lab.work().ledger.iter().any(|row| row.kind == kind)) {
            lab.step().await;
        }
        enable(&lab, false);
        assert_eq!(lab.settle().await, OperationState::Blocked, "{begun:?}");
        assert_eq!(lab.operation().fault.map(|fault| fault.code), Some(Code::TenantDisabled), "{begun:?}");
        assert_eq!(said(&lab), (ConditionStatus::False, "TenantDisabled".to_owned(), Some(Code::TenantDisabled)));
        nothing_changes(&mut lab, Duration::hours(1)).await;
        enabled_again(&mut lab).await;
        lab.made_and_deleted().await;
    }
}

#[tokio::test]
async fn case_22_a_delete_waits_for_a_disabled_project_and_is_finished_once_it_is_enabled() {
    let mut lab = Lab::new(221, 1, 1);
    lab.made().await;
    lab.begin(OperationKind::ClusterDelete);
    for _ in 0..2 {
        lab.step().await;
    }
    enable(&lab, false);
    assert_eq!(lab.settle().await, OperationState::Blocked);
    // What was asked to go goes.
    lab.watch(Duration::minutes(2)).await;
    nothing_changes(&mut lab, Duration::hours(1)).await;
    enabled_again(&mut lab).await;
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn the_cloud_is_asked_about_a_project_once_a_minute() {
    let mut lab = Lab::new(222, 1, 1);
    lab.made().await;
    let asked = |lab: &Lab| lab.cloud.calls(Service::Identity, "GET", "/identity/v3/projects/{id}");
    assert_eq!(asked(&lab), 0, "nobody was refused");
    enable(&lab, false);
    lab.watch(Duration::minutes(30)).await;
    assert!((10..=31).contains(&asked(&lab)), "{} times in half an hour", asked(&lab));
}
