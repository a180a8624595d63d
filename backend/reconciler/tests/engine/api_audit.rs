//! What a cluster's API servers write down is changed wherever the engine dies meanwhile. At every step those who reach the cluster reach an API server, and at
//! the end every master has booted with what is wanted.

use crate::kubernetes::running as active;
use crate::lab::{Cut, Lab};
use domain::codes::Code;
use domain::nodes::NodeRole;
use domain::operations::{OperationKind, OperationState};
use domain::settings::ApiAuditLevel;
use domain::wishes::{Undo, Wish};
use local_cloud::{Effect, FaultRule, Service};
use std::collections::BTreeSet;
use time::Duration;

async fn running(seed: u64, masters: u32) -> Lab {
    let mut lab = Lab::new(seed, masters, 1);
    lab.made().await;
    lab
}

fn change(lab: &Lab, level: ApiAuditLevel) -> Undo {
    lab.wish(&Wish::ApiAuditChange { level })
}

/// Masters that booted at this level and have joined.
fn at(lab: &Lab, level: ApiAuditLevel) -> usize {
    let work = lab.work();
    work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.joined_at.is_some() && n.audited(&work.cluster.spec.audit) == level).count()
}

/// Goes on until so many are at this level.
async fn until(lab: &mut Lab, level: ApiAuditLevel, count: usize) {
    for _ in 0..2000 {
        if at(lab, level) == count {
            return;
        }
        lab.step().await;
    }
    panic!("{:#?}", lab.operation());
}

fn wanted(lab: &Lab) -> (usize, ApiAuditLevel) {
    let spec = lab.work().cluster.spec;
    (spec.control_plane.count as usize, spec.audit.level)
}

/// Every master is at the level that is wanted, and there are as many as there shall be.
fn whole(lab: &Lab) {
    let (count, level) = wanted(lab);
    assert_eq!((lab.names(NodeRole::Master).len(), at(lab, level)), (count, count), "{:#?}", lab.operation());
}

#[tokio::test]
async fn the_masters_of_now_take_the_place_of_those_before_one_after_the_other() {
    for (seed, masters) in [(420, 1), (421, 3)] {
        let mut lab = running(seed, masters).await;
        let before: BTreeSet<String> = lab.names(NodeRole::Master).into_iter().collect();
        let workers = lab.names(NodeRole::Worker);
        change(&lab, ApiAuditLevel::Metadata);
        while !lab.operation().state.ended() {
            lab.step().await;
            // As many members of etcd as there shall be run at any time, and one more at most.
            let up = active(&lab.cloud);
            let members = lab.in_cluster.lock().unwrap().members.intersection(&up).count();
            assert!((masters as usize..=masters as usize + 1).contains(&members), "{members} of {masters}");
        }
        lab.made().await;
        whole(&lab);
        assert!(lab.names(NodeRole::Master).iter().all(|name| !before.contains(name)));
        let last = lab.work().nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.ordinal).max();
        assert_eq!(last, Some(2 * masters - 1), "one round, and nobody more often");
        assert_eq!(lab.names(NodeRole::Worker), workers);
        lab.deleted().await;
    }
}

#[tokio::test]
async fn whichever_call_the_engine_dies_at_the_audit_is_changed() {
    let mut counted = running(422, 1).await;
    counted.cut(None);
    change(&counted, ApiAuditLevel::Request);
    counted.made().await;
    let calls = counted.fate.lock().unwrap().calls;
    assert!(calls > 10);
    for call in 1..=calls {
        let mut lab = running(422, 1).await;
        change(&lab, ApiAuditLevel::Request);
        let cuts = [Cut::Before(call), Cut::After(call), Cut::Lost(call)];
        lab.cut(Some(cuts[usize::try_from(call).unwrap() % cuts.len()]));
        lab.made().await;
        whole(&lab);
    }
}

#[tokio::test]
async fn an_engine_that_dies_between_two_masters_goes_on_with_the_next() {
    let mut lab = running(423, 3).await;
    change(&lab, ApiAuditLevel::Metadata);
    for done in 1..=2 {
        until(&mut lab, ApiAuditLevel::Metadata, done).await;
        lab.restart();
    }
    lab.made().await;
    whole(&lab);
    let last = lab.work().nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.ordinal).max();
    assert_eq!(last, Some(5), "nobody was replaced twice");
}

#[tokio::test]
async fn what_is_cancelled_in_the_middle_is_put_back_by_whoever_repairs() {
    for (seed, done) in [(424, 0), (425, 1), (426, 2)] {
        let mut lab = running(seed, 3).await;
        let undo = change(&lab, ApiAuditLevel::Metadata);
        lab.step().await;
        until(&mut lab, ApiAuditLevel::Metadata, done).await;
        lab.cancel(undo);
        lab.watch(Duration::hours(1)).await;
        lab.check_settled();
        let replaced = lab.work().nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.ordinal).max();
        lab.watch(Duration::hours(1)).await;
        let later = lab.work().nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.ordinal).max();
        assert_eq!(replaced, later, "nobody is replaced by itself");
        assert!(at(&lab, ApiAuditLevel::Metadata) >= done);
        lab.begin(OperationKind::ClusterRepair);
        lab.made().await;
        assert_eq!(wanted(&lab), (3, ApiAuditLevel::None));
        whole(&lab);
        lab.deleted().await;
    }
}

#[tokio::test]
async fn a_master_that_is_made_meanwhile_for_another_reason_has_what_is_wanted() {
    let mut lab = running(427, 3).await;
    change(&lab, ApiAuditLevel::Metadata);
    until(&mut lab, ApiAuditLevel::Metadata, 1).await;
    let lost = lab.names(NodeRole::Master)[1].clone();
    lab.lose_server(&lost);
    lab.made().await;
    whole(&lab);
    assert!(!lab.names(NodeRole::Master).contains(&lost));
    // And so has one that is added later.
    lab.wish(&Wish::ControlPlaneResize { count: 5 });
    lab.made().await;
    assert_eq!(wanted(&lab), (5, ApiAuditLevel::Metadata));
    whole(&lab);
}

#[tokio::test]
async fn where_no_server_comes_up_it_fails_and_the_masters_that_are_there_go_on() {
    let mut lab = running(428, 3).await;
    let before = lab.names(NodeRole::Master);
    let none = Effect::Error { text: "No valid host was found. There are not enough hosts available.".into() };
    lab.cloud.inject(FaultRule::new(none).on(Service::Compute, "POST", "/servers$").count(None));
    change(&lab, ApiAuditLevel::Metadata);
    assert_eq!(lab.settle().await, OperationState::Failed);
    assert_eq!(lab.operation().fault.map(|f| f.code), Some(Code::NoCapacity));
    let up = active(&lab.cloud);
    assert!(before.iter().all(|name| up.contains(name) && lab.names(NodeRole::Master).contains(name)));
    lab.cloud.clear_faults();
    lab.retry();
    lab.made().await;
    whole(&lab);
    lab.deleted().await;
}

#[tokio::test]
async fn a_cluster_is_deleted_from_the_middle_of_it() {
    for done in 1..=3 {
        let mut lab = running(429, 3).await;
        change(&lab, ApiAuditLevel::Metadata);
        until(&mut lab, ApiAuditLevel::Metadata, done).await;
        lab.deleted().await;
    }
}

#[tokio::test]
async fn a_program_of_before_has_noted_nothing_and_its_masters_write_as_their_cluster_was_made() {
    let mut lab = running(430, 1).await;
    let before = lab.names(NodeRole::Master);
    lab.db.lock().unwrap().work.nodes.iter_mut().for_each(|n| n.api_audit = None);
    lab.watch(Duration::hours(1)).await;
    assert_eq!(lab.operation().kind, OperationKind::ClusterCreate, "nothing was begun for it");
    change(&lab, ApiAuditLevel::None);
    lab.made().await;
    assert_eq!(lab.names(NodeRole::Master), before, "they write so");
    change(&lab, ApiAuditLevel::Metadata);
    lab.made().await;
    whole(&lab);
    assert!(lab.names(NodeRole::Master).iter().all(|name| !before.contains(name)));
}
