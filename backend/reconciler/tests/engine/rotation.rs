//! The cluster's cloud credential: replaced on request wherever the engine dies meanwhile, and made anew when somebody deleted it.

use crate::lab::{Cut, Lab};
use domain::ledger::{ResourceKind, ResourceState};
use domain::operations::{OperationKind, OperationState};
use local_cloud::{Effect, FaultRule, Service};
use serde_json::json;
use time::Duration;

/// Cloud ids of the cluster's credentials in the ledger.
fn credentials(lab: &Lab) -> Vec<String> {
    let work = lab.work();
    let live = work.ledger.iter().filter(|r| r.kind == ResourceKind::ApplicationCredential && r.state != ResourceState::Gone);
    live.filter_map(|r| r.cloud_id.clone()).collect()
}

#[tokio::test]
async fn a_new_credential_takes_the_old_ones_place_whichever_call_the_engine_dies_at() {
    for call in 0..16 {
        let mut lab = Lab::new(300, 1, 1);
        lab.made().await;
        let before = credentials(&lab);
        lab.begin(OperationKind::CredentialRotate);
        if call > 0 {
            lab.cut(Some(Cut::After(call)));
            for _ in 0..4 {
                lab.step().await;
            }
            lab.cut(None);
            lab.restart();
        }
        lab.made().await;
        let after = credentials(&lab);
        assert_eq!((before.len(), after.len()), (1, 1), "killed after call {call}");
        assert_ne!(before, after, "killed after call {call}");
        let named = lab.ours_in_cloud().into_iter().filter(|o| o.starts_with("application_credential ")).count();
        assert_eq!(named, 1, "killed after call {call}: the old one is still there");
        // The new one is worth something: the cluster can be changed and deleted with it.
        lab.resize(2);
        lab.made().await;
        lab.deleted().await;
    }
}

#[tokio::test]
async fn case_18_a_credential_deleted_behind_our_back_is_made_anew_by_the_tenants_service_user() {
    let mut lab = Lab::new(318, 1, 1);
    lab.made().await;
    let before = credentials(&lab);
    lab.lose_credential().await;
    lab.watch(Duration::minutes(5)).await;
    let after = credentials(&lab);
    assert_eq!(after.len(), 1);
    assert_ne!(before, after, "{:#?}", lab.operation());
    lab.resize(2);
    lab.made().await;
    lab.deleted().await;
}

#[tokio::test]
async fn case_18_a_cluster_whose_credential_was_deleted_can_be_deleted_at_once() {
    let mut lab = Lab::new(319, 1, 1);
    lab.made().await;
    lab.lose_credential().await;
    lab.deleted().await;
    let named = lab.cloud.dump().into_iter().filter(|o| o.kind == "application_credential").count();
    assert_eq!(named, 0, "the one made for the delete stayed");
}

#[tokio::test]
async fn a_credential_lost_in_the_middle_of_a_delete_is_made_anew_wherever_it_was() {
    for passes in 1..8 {
        let mut lab = Lab::new(320, 1, 1);
        lab.made().await;
        lab.begin(OperationKind::ClusterDelete);
        for _ in 0..passes {
            lab.step().await;
        }
        lab.lose_credential().await;
        assert_eq!(lab.settle().await, OperationState::Succeeded, "after {passes} passes: {:#?}", lab.operation());
        assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn case_18_a_service_user_whose_password_is_another_by_now_is_made_sure_of_once() {
    for by_hand in [false, true] {
        let mut lab = Lab::new(321, 1, 1);
        lab.made().await;
        let before = credentials(&lab);
        if by_hand {
            lab.set_service_users_password("set by hand");
        } else {
            lab.change_password("changed").await;
        }
        let sure = lab.made_sure();
        lab.begin(OperationKind::CredentialRotate);
        lab.made().await;
        assert_ne!(before, credentials(&lab), "by hand: {by_hand}");
        assert_eq!(lab.made_sure(), sure + 1, "by hand: {by_hand}");
        // What is kept is good from then on, for engines that begin anew, too.
        lab.restart();
        lab.resize(2);
        lab.made().await;
        lab.deleted().await;
        assert_eq!(lab.made_sure(), sure + 1, "by hand: {by_hand}");
    }
}

#[tokio::test]
async fn case_18_a_service_user_that_was_deleted_is_made_anew_and_the_clusters_credential_with_it() {
    let mut lab = Lab::new(322, 1, 1);
    lab.made().await;
    let (before, sure) = (credentials(&lab), lab.made_sure());
    lab.delete_service_user();
    lab.watch(Duration::minutes(5)).await;
    let after = credentials(&lab);
    assert_eq!(after.len(), 1);
    assert_ne!(before, after, "{:#?}", lab.operation());
    lab.resize(2);
    lab.made().await;
    lab.deleted().await;
    assert_eq!(lab.made_sure(), sure + 1);
}

#[tokio::test]
async fn case_18_a_cluster_whose_service_user_was_deleted_can_be_deleted_at_once() {
    let mut lab = Lab::new(323, 1, 1);
    lab.made().await;
    lab.delete_service_user();
    lab.deleted().await;
}

#[tokio::test]
async fn a_service_user_that_stays_refused_is_made_sure_of_ever_more_rarely_and_is_good_again_once_that_helps() {
    let roles = FaultRule::new(Effect::Status { status: 403, body: None }).on(Service::Identity, "PUT", "/roles/");
    // Said to be done, and the password stays what somebody else has set.
    let password = FaultRule::new(Effect::Status { status: 200, body: Some(json!({"user": {}})) }).on(Service::Identity, "PATCH", "/users/");
    for (what, fault) in [("no rights to make sure of it", roles), ("made sure of in vain", password)] {
        let mut lab = Lab::new(324, 1, 1);
        lab.made().await;
        let before = credentials(&lab);
        lab.lose_credential().await;
        lab.set_service_users_password("set by hand");
        lab.cloud.inject(fault.count(None));
        let sure = lab.made_sure();
        lab.watch(Duration::minutes(30)).await;
        let times = lab.made_sure() - sure;
        // After 1, 2, 4, 8 and 10 minutes.
        assert!((5..=7).contains(&times), "{what}: {times} times in half an hour");
        lab.cloud.clear_faults();
        lab.watch(Duration::minutes(20)).await;
        let after = credentials(&lab);
        assert_eq!(after.len(), 1, "{what}");
        assert_ne!(before, after, "{what}");
        lab.deleted().await;
    }
}

#[tokio::test]
async fn a_first_service_user_that_cannot_be_made_is_tried_ever_more_rarely_until_it_can() {
    let mut lab = Lab::new(325, 1, 1);
    lab.cloud.inject(FaultRule::new(Effect::Status { status: 403, body: None }).on(Service::Identity, "PUT", "/roles/").count(None));
    lab.watch(Duration::minutes(20)).await;
    assert_eq!(lab.operation().state, OperationState::Blocked);
    // At once, and after 1, 2, 4 and 8 minutes.
    let times = lab.made_sure();
    assert!((4..=6).contains(&times), "{times} times in twenty minutes");
    lab.cloud.clear_faults();
    lab.watch(domain::plan::BLOCKED_REST).await;
    lab.made_and_deleted().await;
}
