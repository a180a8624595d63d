//! Add-ons in the plan: applied once the API answers and again when changed, waited for as far as a cluster needs them; and the
//! credential they work with, replaced while they work.

use crate::world::World;
use domain::addons::{Addon, AddonState, AddonsRequest};
use domain::clusters::Phase;
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::ledger::{ResourceKind, ResourceState};
use domain::operations::{OperationKind, OperationState, StepKey, StepState, VolumeChoice, VolumeFate};
use domain::plan::{AddonsView, Inside, WorkloadView};
use domain::wishes::Wish;
use time::Duration;

fn workload(addon: Addon, ready: bool) -> WorkloadView {
    WorkloadView { addon, name: addon.as_str().to_owned(), ready: u32::from(ready), desired: 1, current: true }
}

/// A cluster with the default add-ons, all of them as `ready` says.
fn world(ready: impl Fn(Addon) -> bool) -> World {
    let mut world = World::new(1, 1);
    world.work.cluster.spec.addons = AddonsRequest::default().complete();
    let wanted = world.work.cluster.spec.addons.wanted();
    let workloads = wanted.into_iter().map(|a| workload(a, ready(a))).collect();
    world.addons = Some(AddonsView { applied: false, refused: None, workloads });
    world
}

fn set(world: &mut World, ready: impl Fn(Addon) -> bool) {
    let addons = world.addons.as_mut().unwrap();
    for workload in &mut addons.workloads {
        workload.ready = u32::from(ready(workload.addon));
    }
}

fn condition(world: &World) -> (ConditionStatus, String) {
    let found = world.work.cluster.status.conditions.iter().find(|c| c.r#type == ConditionType::AddonsHealthy).unwrap();
    (found.status, found.message.clone())
}

#[test]
fn a_cluster_runs_only_with_what_makes_it_of_use() {
    let mut world = world(|a| a != Addon::Storage && a != Addon::Metrics);
    for _ in 0..60 {
        world.step();
    }
    let operation = world.work.operation.clone().unwrap();
    assert_eq!(operation.state, OperationState::Running, "{:#?}", operation.steps);
    let step = operation.steps.iter().find(|s| s.key == StepKey::Addons).unwrap();
    assert_eq!((step.state, step.done, step.total), (StepState::Running, 3, 4));
    assert_eq!(world.work.cluster.status.phase, Phase::Provisioning);
    assert_eq!(condition(&world).0, ConditionStatus::False);
    assert!(condition(&world).1.contains("storage"), "{}", condition(&world).1);
    assert_eq!(world.condition(ConditionType::AddonsHealthy).code, Some(Code::AddonsNotReady));

    // Without figures a cluster does its work.
    set(&mut world, |a| a != Addon::Metrics);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.work.cluster.status.phase, Phase::Running);
    assert_eq!(condition(&world).0, ConditionStatus::True);
    let metrics = world.work.cluster.status.addons.iter().find(|a| a.name == Addon::Metrics).unwrap();
    assert_eq!(metrics.state, AddonState::Progressing);
}

#[test]
fn what_somebody_changed_is_applied_again_and_nothing_else_is() {
    let mut world = world(|_| true);
    assert_eq!(world.settle(), OperationState::Succeeded);
    let applied = |world: &World| world.log.iter().filter(|l| *l == "apply add-ons").count();
    assert_eq!(applied(&world), 1);
    for _ in 0..20 {
        world.step();
    }
    assert_eq!(applied(&world), 1, "nothing was changed");
    world.addons.as_mut().unwrap().applied = false;
    world.step();
    assert_eq!(applied(&world), 2);
}

#[test]
fn without_an_answer_nothing_is_said_to_be_broken() {
    let mut world = world(|_| true);
    assert_eq!(world.settle(), OperationState::Succeeded);
    world.api_down = true;
    world.step();
    assert_eq!(condition(&world).0, ConditionStatus::Unknown);
    assert!(world.work.cluster.status.addons.iter().all(|a| a.state == AddonState::Unknown));
}

#[test]
fn the_old_credential_stays_until_the_new_one_works_where_it_is_used() {
    let mut world = world(|_| true);
    assert_eq!(world.settle(), OperationState::Succeeded);
    let live = |world: &World| -> Vec<String> {
        let rows = world.work.ledger.iter().filter(|r| r.kind == ResourceKind::ApplicationCredential && r.state != ResourceState::Gone);
        rows.map(|r| r.key.clone()).collect()
    };
    world.now += Duration::minutes(1);
    let before = world.work.ledger.iter().find(|r| r.kind == ResourceKind::ApplicationCredential).unwrap().cloud_id.clone();
    world.begin(Wish::CredentialRotate.kind(), &[]);
    set(&mut world, |a| a != Addon::Storage);
    for _ in 0..60 {
        world.step();
    }
    assert_eq!(world.work.operation.as_ref().unwrap().state, OperationState::Running);
    assert_eq!(live(&world).len(), 2, "the storage driver has not shown that it works: {:?}", live(&world));
    set(&mut world, |_| true);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(live(&world), [domain::plan::CREDENTIAL]);
    let after = world.work.ledger.iter().find(|r| r.key == domain::plan::CREDENTIAL && r.state == ResourceState::Known).unwrap();
    assert_ne!(before, after.cloud_id);
    let rotated = world.work.operation.as_ref().unwrap();
    assert!(rotated.steps.iter().all(|s| s.state == StepState::Succeeded), "{:#?}", rotated.steps);
}

#[test]
fn a_rotation_after_one_that_was_given_up_behind_its_switch_takes_the_old_credential_away_before_it_makes_another() {
    let mut world = world(|_| true);
    assert_eq!(world.settle(), OperationState::Succeeded);
    let rows = |world: &World, live: bool| -> Vec<String> {
        let credentials = world.work.ledger.iter().filter(|r| r.kind == ResourceKind::ApplicationCredential);
        let wanted = credentials.filter(|r| !live || r.state != ResourceState::Gone);
        wanted.map(|r| if live { r.key.clone() } else { r.name.rsplit('-').next().unwrap().to_owned() }).collect()
    };
    let rotate = |world: &mut World| {
        world.now += Duration::minutes(1);
        world.begin(Wish::CredentialRotate.kind(), &[]);
        for _ in 0..30 {
            world.step();
        }
        assert_eq!(world.state(), OperationState::Running);
        let mut keys = rows(world, true);
        keys.sort();
        assert_eq!(keys, [domain::plan::CREDENTIAL, domain::plan::OLD_CREDENTIAL]);
    };
    set(&mut world, |a| a != Addon::Storage);
    rotate(&mut world);
    world.work.operation.as_mut().unwrap().state = OperationState::Failed;
    // While the storage driver does not work with the second, the first stays, and there is no third.
    rotate(&mut world);
    assert_eq!(rows(&world, false), ["1", "2"]);
    set(&mut world, |_| true);
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert_eq!(rows(&world, true), [domain::plan::CREDENTIAL]);
    assert_eq!(rows(&world, false), ["1", "2", "3"]);
}

#[test]
fn a_deletion_takes_what_the_controllers_made_and_keeps_the_volumes_it_was_told_to() {
    let mut world = world(|_| true);
    assert_eq!(world.settle(), OperationState::Succeeded);
    let inside = |kind, id: &str| Inside { kind, id: id.to_owned(), name: id.to_owned() };
    world.inside = vec![inside(ResourceKind::LoadBalancer, "lb"), inside(ResourceKind::Volume, "kept"), inside(ResourceKind::Volume, "erased")];
    world.begin(OperationKind::ClusterDelete, &[]);
    world.work.cluster.delete_requested_at = Some(world.now);
    let fates = [("erased".to_owned(), VolumeFate::Erase)].into();
    world.work.operation.as_mut().unwrap().volumes = Some(VolumeChoice::Each(fates));
    assert_eq!(world.settle(), OperationState::Succeeded);
    let receipt = world.work.operation.as_ref().unwrap().receipt.clone().unwrap();
    let ids = |lines: &[domain::operations::ReceiptLine]| -> Vec<String> { lines.iter().filter_map(|l| l.cloud_id.clone()).collect() };
    assert_eq!(ids(&receipt.kept), ["kept"]);
    assert!(ids(&receipt.removed).contains(&"lb".to_owned()) && ids(&receipt.removed).contains(&"erased".to_owned()));
    assert!(receipt.left.is_empty());
}
