//! What a running cluster's API writes down is changed master by master, its API answering all the while, and whatever happens meanwhile.

use crate::world::World;
use domain::clusters::{Phase, RepairPolicy};
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::ledger::ResourceKind;
use domain::nodes::{Node, NodeIntent, NodeRole};
use domain::operations::{OperationKind, OperationState, StepKey, StepState};
use domain::plan::{BLOCKED_REST, ObjectState};
use domain::settings::ApiAuditLevel;
use domain::wishes::{Undo, Wish};
use time::Duration;

fn running(masters: u32) -> World {
    let mut world = World::running(masters, 1);
    world.now += Duration::minutes(1);
    world
}

fn change(world: &mut World, level: ApiAuditLevel) -> Undo {
    let undo = Wish::ApiAuditChange { level }.apply(&mut world.work.cluster.spec).unwrap();
    world.work.cluster.generation += 1;
    world.begin(OperationKind::ApiAuditChange, &[]);
    undo
}

fn end(world: &mut World, state: OperationState) {
    let now = world.now;
    let operation = world.work.operation.as_mut().unwrap();
    (operation.state, operation.finished_at) = (state, Some(now));
    world.now += Duration::minutes(1);
}

fn cancel(world: &mut World, undo: Undo) {
    world.work.cluster.generation += i64::from(undo.apply(&mut world.work.cluster.spec));
    end(world, OperationState::Cancelled);
}

/// Masters that have a server.
fn masters(world: &World) -> impl Iterator<Item = &Node> {
    let there = move |n: &&Node| world.objects.values().any(|(kind, o)| *kind == ResourceKind::Server && o.name == n.name);
    world.work.nodes.iter().filter(|n| n.role == NodeRole::Master).filter(there)
}

/// Masters that stay and work.
fn working(world: &World) -> usize {
    masters(world).filter(|n| n.intent == NodeIntent::Keep && n.ready == Some(true)).count()
}

/// Those that work at this level.
fn at(world: &World, level: ApiAuditLevel) -> usize {
    masters(world).filter(|n| n.joined_at.is_some() && n.audited(&world.work.cluster.spec.audit) == level).count()
}

fn made(world: &World) -> usize {
    world.log.iter().filter(|entry| entry.starts_with("create server/")).count()
}

/// Passes until then; there are never fewer masters that work than there shall be.
fn until(world: &mut World, reached: impl Fn(&World) -> bool) {
    for _ in 0..2000 {
        if reached(world) {
            return;
        }
        world.step();
        assert!(working(world) >= world.work.cluster.spec.control_plane.count as usize, "{:#?}", world.log);
    }
    panic!("never: {:#?}", world.work.operation);
}

fn succeeds(world: &mut World) {
    until(world, |w| w.state().ended());
    whole(world);
}

/// Every master writes at the level that is wanted, and there are as many as there shall be.
fn whole(world: &World) {
    assert_eq!(world.state(), OperationState::Succeeded, "{:#?}", world.work.operation);
    let count = world.work.cluster.spec.control_plane.count as usize;
    assert_eq!((masters(world).count(), at(world, world.work.cluster.spec.audit.level)), (count, count));
    assert_eq!(world.work.cluster.observed_generation, world.work.cluster.generation);
}

#[test]
fn each_master_is_replaced_once_by_a_successor_that_joins_first() {
    for count in [1, 3] {
        let mut world = running(count);
        let before = world.names(NodeRole::Master);
        change(&mut world, ApiAuditLevel::Metadata);
        world.step();
        let begun = world.work.operation.clone().unwrap();
        assert_eq!((world.work.cluster.status.phase, begun.progress), (Phase::Updating, 0));
        assert_eq!(begun.steps.iter().map(|s| (s.key, s.done, s.total)).collect::<Vec<_>>(), [(StepKey::Masters, 0, count), (StepKey::Health, 0, 1)]);
        succeeds(&mut world);
        assert_eq!(made(&world), count as usize);
        assert!(world.names(NodeRole::Master).iter().all(|name| !before.contains(name)));
        for old in &before {
            let successors = world.log[..world.at(&format!("drain {old}"))].iter().filter(|e| e.starts_with("create server/")).count();
            assert!(successors > before.iter().filter(|o| o.as_str() < old.as_str()).count(), "{old} went first: {:#?}", world.log);
        }
        let ended = world.work.operation.clone().unwrap();
        assert!(ended.steps.iter().all(|s| s.state == StepState::Succeeded), "{:#?}", ended.steps);
        world.watch(Duration::hours(1));
        let after = world.work.operation.clone().unwrap();
        assert_eq!((after.kind, after.finished_at, made(&world)), (OperationKind::ApiAuditChange, ended.finished_at, count as usize));
    }
}

#[test]
fn masters_that_write_as_is_wanted_stay() {
    let mut world = running(3);
    change(&mut world, ApiAuditLevel::None);
    succeeds(&mut world);
    assert_eq!((made(&world), world.work.operation.as_ref().unwrap().steps[0].state), (0, StepState::Skipped));
    // One that was made since the wish has its level already.
    change(&mut world, ApiAuditLevel::Request);
    let current = masters(&world).next().unwrap().id;
    world.work.nodes.iter_mut().find(|n| n.id == current).unwrap().api_audit = Some(ApiAuditLevel::Request);
    succeeds(&mut world);
    assert_eq!(made(&world), 2);
    assert!(masters(&world).any(|n| n.id == current));
}

#[test]
fn a_master_that_a_program_of_before_gave_its_bundle_writes_at_the_level_that_its_cluster_was_made_with() {
    for first in [ApiAuditLevel::None, ApiAuditLevel::Metadata] {
        let mut world = running(3);
        world.work.cluster.spec.audit.level = first;
        world.work.nodes.iter_mut().for_each(|n| n.api_audit = None);
        world.watch(Duration::hours(2));
        world.begin(OperationKind::ClusterRepair, &[]);
        assert_eq!((world.settle(), made(&world)), (OperationState::Succeeded, 0));
        world.now += Duration::minutes(1);
        change(&mut world, first);
        succeeds(&mut world);
        assert_eq!(made(&world), 0, "nothing is changed");
        world.now += Duration::minutes(1);
        // Half way there and back again: those that were not replaced are as is wanted.
        let undo = change(&mut world, ApiAuditLevel::Request);
        until(&mut world, |w| at(w, ApiAuditLevel::Request) == 1 && masters(w).count() == 3);
        cancel(&mut world, undo);
        let before = made(&world);
        world.begin(OperationKind::ClusterRepair, &[]);
        succeeds(&mut world);
        assert!(made(&world) <= before + 1, "{:#?}", world.log);
        world.now += Duration::minutes(1);
        let before = made(&world);
        change(&mut world, ApiAuditLevel::Request);
        succeeds(&mut world);
        assert_eq!(made(&world), before + 3);
    }
}

/// Who is said not to write at the level that is wanted.
fn said(world: &World) -> Option<String> {
    let healing = world.condition(ConditionType::SelfHealing);
    assert_eq!(healing.status, ConditionStatus::True);
    (healing.reason == "AuditDiffers").then(|| healing.message.clone())
}

fn differing(world: &World) -> Option<String> {
    let audit = &world.work.cluster.spec.audit;
    let names: Vec<_> = masters(world).filter(|n| n.joined_at.is_some() && n.audited(audit) != audit.level).map(|n| n.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[test]
fn wherever_it_is_cancelled_masters_keep_what_they_have_written_down_until_somebody_repairs() {
    for steps in (0..60).step_by(3) {
        for policy in [RepairPolicy::Automatic, RepairPolicy::Manual] {
            let mut world = running(3);
            world.work.cluster.spec.repair = policy;
            let undo = change(&mut world, ApiAuditLevel::Metadata);
            for _ in 0..steps {
                world.step();
            }
            if world.state().ended() {
                return;
            }
            cancel(&mut world, undo);
            let (made_before, end) = (made(&world), world.now + Duration::hours(1));
            until(&mut world, |w| w.now >= end);
            assert_eq!(made(&world), made_before, "after {steps} passes");
            assert_eq!(said(&world), differing(&world), "after {steps} passes");
            assert!(matches!(world.state(), OperationState::Succeeded | OperationState::Cancelled), "{:#?}", world.work.operation);
            world.begin(OperationKind::ClusterRepair, &[]);
            succeeds(&mut world);
            assert_eq!((at(&world, ApiAuditLevel::None), said(&world)), (3, None));
        }
    }
    panic!("not seen to its end");
}

#[test]
fn a_repair_has_as_long_for_each_master_that_it_puts_back_as_the_change_had() {
    let mut world = running(5);
    let begin = |world: &mut World| {
        world.begin(OperationKind::ClusterRepair, &[]);
        let begun = world.now;
        world.step();
        world.work.operation.as_ref().unwrap().deadline_at - begun
    };
    assert_eq!(begin(&mut world), OperationKind::ClusterRepair.limit());
    assert_eq!(world.settle(), OperationState::Succeeded);
    let longer = OperationKind::ClusterRepair.limit() + OperationKind::ApiAuditChange.limit();
    world.work.nodes.iter_mut().for_each(|n| n.api_audit = Some(ApiAuditLevel::Request));
    assert_eq!(begin(&mut world), longer);
    // An attempt after it was blocked has all of that again.
    world.quota_short = true;
    while world.state() != OperationState::Blocked {
        world.step();
    }
    world.watch(BLOCKED_REST);
    let again = world.work.operation.clone().unwrap();
    assert!(again.deadline_at - world.now > longer - Duration::minutes(5), "{again:#?}");
    world.quota_short = false;
    world.watch(BLOCKED_REST + Duration::minutes(1));
    succeeds(&mut world);
}

#[test]
fn what_failed_half_way_is_finished_by_a_retry_or_by_whoever_asks_again() {
    for again in [true, false] {
        let mut world = running(3);
        change(&mut world, ApiAuditLevel::Metadata);
        until(&mut world, |w| at(w, ApiAuditLevel::Metadata) == 1 && masters(w).count() == 3);
        end(&mut world, OperationState::Failed);
        if again {
            change(&mut world, ApiAuditLevel::Metadata);
        } else {
            let operation = world.work.operation.as_mut().unwrap();
            (operation.state, operation.finished_at, operation.retries) = (OperationState::Pending, None, 1);
        }
        succeeds(&mut world);
        assert_eq!(made(&world), 3, "nobody is replaced twice");
    }
}

#[test]
fn what_failed_half_way_stays_until_somebody_asks_also_once_something_else_went_well() {
    let mut world = running(3);
    change(&mut world, ApiAuditLevel::Metadata);
    // Between one master and the next.
    let one_is_done = |w: &World| at(w, ApiAuditLevel::Metadata) == 1 && masters(w).count() == 3;
    until(&mut world, |w| one_is_done(w) && w.work.nodes.iter().all(|n| n.intent == NodeIntent::Keep));
    end(&mut world, OperationState::Failed);
    world.watch(Duration::hours(1));
    assert_eq!((made(&world), world.state()), (1, OperationState::Failed));
    world.resize(2);
    assert_eq!(world.settle(), OperationState::Succeeded);
    world.watch(Duration::hours(1));
    assert_eq!((made(&world), said(&world)), (2, differing(&world)));
    assert!(said(&world).is_some());
    world.begin(OperationKind::ClusterRepair, &[]);
    succeeds(&mut world);
}

/// Somebody changes the rules of a group.
fn spoil_rules(world: &mut World) {
    world.objects.values_mut().find(|(kind, _)| *kind == ResourceKind::SecurityGroup).unwrap().1.drift = true;
}

fn rules_are_well(world: &World) -> bool {
    world.objects.values().all(|(_, object)| !object.drift)
}

#[test]
fn what_a_failed_change_has_left_is_left_alone_by_repairs_of_other_things_and_holds_none_of_them_up() {
    let mut world = running(3);
    let before = world.names(NodeRole::Master);
    world.broken_servers = 1000;
    change(&mut world, ApiAuditLevel::Metadata);
    until(&mut world, |w| w.state().ended());
    assert_eq!(world.state(), OperationState::Failed);
    world.watch(Duration::minutes(10));
    assert_eq!((world.names(NodeRole::Master), masters(&world).count()), (before, 3), "the successor that did not come up is taken away");
    let tried = made(&world);
    for _ in 0..8 {
        spoil_rules(&mut world);
        world.watch(Duration::minutes(3));
        assert!(rules_are_well(&world), "{:#?}", world.work.operation);
        assert_eq!((world.state(), made(&world)), (OperationState::Succeeded, tried), "{:#?}", world.work.operation);
    }
    assert!(world.work.cluster.observed_generation < world.work.cluster.generation, "what was asked for has not come about");
    // A master that somebody switches off is started, and not replaced.
    let off = world.names(NodeRole::Master)[1].clone();
    world.server(&off).state = ObjectState::Off;
    world.watch(Duration::minutes(10));
    assert_eq!((working(&world), made(&world)), (3, tried), "{:#?}", world.work.operation);
    // Until somebody asks.
    world.broken_servers = 0;
    world.begin(OperationKind::ClusterRepair, &[]);
    succeeds(&mut world);
    assert_eq!(at(&world, ApiAuditLevel::Metadata), 3);
}

#[test]
fn where_no_successor_comes_up_it_fails_with_the_reason_and_every_master_stays() {
    for count in [1, 3] {
        let mut world = running(count);
        let before = world.names(NodeRole::Master);
        world.broken_servers = 1000;
        change(&mut world, ApiAuditLevel::Metadata);
        until(&mut world, |w| w.state().ended());
        let failed = world.work.operation.clone().unwrap();
        assert_eq!((failed.state, failed.fault.map(|f| f.code)), (OperationState::Failed, Some(Code::NoCapacity)));
        assert_eq!(failed.steps[0].state, StepState::Failed);
        assert!(before.iter().all(|name| world.names(NodeRole::Master).contains(name)), "a master has left without a successor");
        world.broken_servers = 0;
        let operation = world.work.operation.as_mut().unwrap();
        (operation.state, operation.fault, operation.finished_at, operation.retries) = (OperationState::Pending, None, None, 1);
        world.now += Duration::minutes(1);
        succeeds(&mut world);
    }
}

#[test]
fn a_master_that_is_lost_meanwhile_comes_back_at_the_level_that_is_wanted() {
    for lost_at in 0..=2 {
        let mut world = running(3);
        change(&mut world, ApiAuditLevel::Request);
        until(&mut world, |w| at(w, ApiAuditLevel::Request) == lost_at && masters(w).count() == 3);
        let lost = world.names(NodeRole::Master)[2].clone();
        world.vanish(ResourceKind::Server, &lost);
        for _ in 0..2000 {
            if world.state().ended() {
                break;
            }
            world.step();
        }
        whole(&world);
        assert!(!world.names(NodeRole::Master).contains(&lost));
    }
}

#[test]
fn nobody_leaves_while_the_load_balancer_finds_no_successor_answering() {
    let mut world = running(3);
    let before = world.names(NodeRole::Master);
    change(&mut world, ApiAuditLevel::Metadata);
    for _ in 0..100 {
        world.mute = world.names(NodeRole::Master).into_iter().filter(|name| !before.contains(name)).collect();
        world.step();
    }
    assert_eq!((masters(&world).count(), at(&world, ApiAuditLevel::Metadata)), (4, 1));
    assert_eq!(world.work.operation.as_ref().unwrap().steps[0].waiting_for.as_deref(), Some("ApiServing"));
    world.mute.clear();
    succeeds(&mut world);
}

#[test]
fn a_deletion_wins_wherever_it_is() {
    for steps in (0..60).step_by(7) {
        let mut world = running(3);
        change(&mut world, ApiAuditLevel::Metadata);
        for _ in 0..steps {
            world.step();
        }
        world.delete();
        assert_eq!(world.settle(), OperationState::Succeeded, "after {steps} passes");
        assert!(world.objects.is_empty());
    }
}
