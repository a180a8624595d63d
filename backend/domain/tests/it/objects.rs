//! What is said of the cloud objects one by one: what is not well, since when, and that blindness is held against none of them.

use crate::world::World;
use domain::clusters::RepairPolicy;
use domain::codes::Code;
use domain::conditions::ConditionStatus::{self, False, True, Unknown};
use domain::health::{Health, KEPT, ObjectHealth};
use domain::ids::ResourceId;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::NodeRole;
use domain::operations::OperationState;
use domain::plan::{Object, ObjectState, STUCK};
use time::Duration;
use uuid::Uuid;

/// A cluster in use, whose damage is left.
fn running() -> World {
    let mut world = World::new(1, 1);
    assert_eq!(world.settle(), OperationState::Succeeded);
    world.work.cluster.spec.repair = RepairPolicy::Manual;
    world.watch(Duration::minutes(1));
    world
}

fn row(world: &World, kind: ResourceKind) -> LedgerRow {
    world.work.ledger.iter().find(|r| r.kind == kind && r.state == ResourceState::Known).unwrap().clone()
}

fn object(world: &mut World, row: ResourceId) -> &mut Object {
    &mut world.objects.values_mut().find(|(_, o)| o.owner == Some(row)).unwrap().1
}

fn health(world: &World, id: ResourceId) -> Option<Health> {
    let row = world.work.ledger.iter().find(|r| r.id == id).unwrap();
    Health::of(row, &world.work.cluster.status.objects)
}

fn told(world: &World, id: ResourceId) -> (ConditionStatus, String, Option<Code>) {
    let health = health(world, id).unwrap();
    assert_eq!(health.since.is_none(), health.status == True, "{health:?}");
    (health.status, health.reason, health.code)
}

#[test]
fn drift_is_said_of_the_object_since_it_was_seen_and_no_longer_than_it_lasts() {
    let mut world = running();
    assert!(world.work.cluster.status.objects.is_empty(), "{:#?}", world.work.cluster.status.objects);
    let (group, other) = (row(&world, ResourceKind::SecurityGroup).id, row(&world, ResourceKind::LoadBalancer).id);
    assert_eq!(told(&world, group), (True, "Well".into(), None));
    object(&mut world, group).drift = true;
    let seen = world.now;
    world.watch(Duration::minutes(20));
    assert_eq!(told(&world, group), (False, "Drifted".into(), Some(Code::Drifted)));
    assert_eq!(health(&world, group).unwrap().since, Some(seen), "since it was first seen, however often it is seen again");
    assert_eq!(told(&world, other).0, True, "of the others it is not said");
    object(&mut world, group).drift = false;
    world.watch(Duration::minutes(1));
    assert_eq!(told(&world, group), (True, "Well".into(), None));
    assert!(world.work.cluster.status.objects.is_empty());
}

#[test]
fn what_is_gone_is_missing_under_its_own_row_until_another_is_in_its_place() {
    let mut world = running();
    let lost = row(&world, ResourceKind::FloatingIp);
    world.vanish(ResourceKind::FloatingIp, &lost.name);
    world.step();
    assert_eq!(told(&world, lost.id), (Unknown, "NotSeen".into(), None), "one list without it proves nothing");
    world.watch(Duration::minutes(5));
    assert_eq!(told(&world, lost.id), (False, "Missing".into(), Some(Code::Drifted)));
    world.work.cluster.spec.repair = RepairPolicy::Automatic;
    world.watch(Duration::minutes(5));
    assert_eq!(health(&world, lost.id), None, "nobody wants it any more");
    let new = row(&world, ResourceKind::FloatingIp).id;
    assert_eq!(told(&world, new), (True, "Well".into(), None));
}

#[test]
fn what_the_cloud_calls_broken_or_off_is_said_with_a_code_and_what_changes_is_unknown_until_it_is_stuck() {
    let mut world = running();
    let worker = world.names(NodeRole::Worker)[0].clone();
    let server = world.work.ledger.iter().find(|r| r.kind == ResourceKind::Server && r.name == worker).unwrap().id;
    let (volume, balancer) = (row(&world, ResourceKind::Volume).id, row(&world, ResourceKind::LoadBalancer).id);
    object(&mut world, server).state = ObjectState::Off;
    object(&mut world, volume).state = ObjectState::Failed("error".into());
    object(&mut world, balancer).state = ObjectState::Pending;
    world.watch(Duration::minutes(2));
    assert_eq!(told(&world, server), (False, "Off".into(), Some(Code::NodeUnready)));
    assert_eq!(told(&world, volume), (False, "Failed".into(), Some(Code::VolumeFailed)));
    assert_eq!(told(&world, balancer), (Unknown, "Changing".into(), None));
    world.watch(STUCK);
    assert_eq!(told(&world, balancer), (False, "Stuck".into(), Some(Code::ObjectStuck)));
    world.watch(STUCK);
    assert_eq!(told(&world, balancer).1, "Stuck", "it stays so for as long as it is");
}

#[test]
fn blindness_is_unknown_for_all_of_the_kind_and_held_against_none() {
    let mut world = running();
    let (group, network) = (row(&world, ResourceKind::SecurityGroup).id, row(&world, ResourceKind::Network).id);
    object(&mut world, group).drift = true;
    world.watch(Duration::minutes(1));
    world.blind = Some(ResourceKind::SecurityGroup);
    let blind = world.now;
    world.watch(Duration::minutes(10));
    assert_eq!(told(&world, group), (Unknown, "Blind".into(), Some(Code::CloudUnavailable)));
    assert_eq!(health(&world, group).unwrap().since, Some(blind));
    assert_eq!(told(&world, network).0, True);
    assert!(world.work.cluster.status.objects.iter().all(|o| o.status != False), "{:#?}", world.work.cluster.status.objects);
    world.blind = None;
    world.watch(Duration::minutes(1));
    assert_eq!(told(&world, group).1, "Drifted");
}

#[test]
fn where_more_is_wrong_than_is_kept_an_object_of_which_nothing_is_said_is_not_called_well() {
    let world = running();
    let network = row(&world, ResourceKind::Network);
    let said = |count: usize| -> Vec<ObjectHealth> {
        let one = |_| ObjectHealth {
            kind: ResourceKind::Port,
            row: Some(ResourceId(Uuid::now_v7())),
            status: False,
            reason: "Missing".into(),
            since: world.now,
            code: None,
        };
        (0..count).map(one).collect()
    };
    assert_eq!(Health::of(&network, &said(KEPT - 1)).unwrap().status, True);
    assert_eq!(Health::of(&network, &said(KEPT)).unwrap().status, Unknown);
}
