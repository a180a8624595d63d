//! The key that encrypts a running cluster's Secrets: its change goes on only when the step before is true of every master, and whatever happens meanwhile.

use crate::world::World;
use domain::clusters::Phase;
use domain::codes::Code;
use domain::ledger::ResourceKind;
use domain::nodes::{Node, NodeRole};
use domain::operations::{Operation, OperationKind, OperationState, StepKey, StepState};
use domain::plan::{KeyStage, KeysView};
use time::Duration;

fn rotate(world: &mut World) {
    world.begin(OperationKind::EncryptionKeyRotate, &[]);
}

/// Masters that have a server.
fn masters(world: &World) -> Vec<&Node> {
    let there = |n: &&Node| world.objects.values().any(|(kind, o)| *kind == ResourceKind::Server && o.name == n.name);
    world.work.nodes.iter().filter(|n| n.role == NodeRole::Master).filter(there).collect()
}

/// One pass: the list goes on only from what every master has, and no two masters are further apart than lists that understand each other.
fn step(world: &mut World) {
    let before = world.keys.generation;
    let behind = masters(world).iter().any(|n| n.key_generation != before);
    world.step();
    assert!(world.keys.generation == before || !behind, "the list went on while a master had an older one: {:#?}", world.log);
    let generations: Vec<u32> = masters(world).iter().map(|n| n.key_generation).collect();
    let (least, most) = (generations.iter().min().unwrap_or(&0), generations.iter().max().unwrap_or(&0));
    assert!(most - least <= 1, "{generations:?}");
}

fn until(world: &mut World, reached: impl Fn(&World) -> bool) {
    for _ in 0..1000 {
        if reached(world) {
            return;
        }
        step(world);
    }
    panic!("never: {:#?}", world.work.operation);
}

fn succeeds(world: &mut World) {
    until(world, |w| w.state().ended());
    assert_eq!(world.state(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert_eq!(world.keys.stage, KeyStage::Settled);
    assert!(masters(world).iter().all(|n| n.key_generation == world.keys.generation));
    assert_eq!(masters(world).len(), world.work.cluster.spec.control_plane.count as usize);
}

fn made(world: &World) -> usize {
    world.log.iter().filter(|entry| entry.starts_with("create server/")).count()
}

#[test]
fn the_key_is_changed_in_three_rounds_of_masters_and_secrets_are_written_anew_before_the_last() {
    for count in [1, 3] {
        let mut world = World::running(count, 1);
        rotate(&mut world);
        step(&mut world);
        assert_eq!(world.work.cluster.status.phase, Phase::Updating);
        succeeds(&mut world);
        let order: Vec<&str> = world.log.iter().filter(|e| e.starts_with("keys") || e.starts_with("write")).map(String::as_str).collect();
        assert_eq!(order, ["keys 1", "keys 2", "write Secrets 2", "keys 3"]);
        assert_eq!(made(&world), 3 * count as usize);
        assert_eq!(world.work.cluster.status.phase, Phase::Running);
        let operation = world.work.operation.clone().unwrap();
        let steps: Vec<StepKey> = operation.steps.iter().map(|s| s.key).collect();
        assert_eq!(steps, [StepKey::KeyReadable, StepKey::KeyInUse, StepKey::SecretsRewritten, StepKey::OldKeyRemoved, StepKey::Health]);
        assert!(operation.steps.iter().all(|s| s.state == StepState::Succeeded), "{:#?}", operation.steps);
        // What has ended well has ended when it did.
        world.step();
        let ends = |o: &Operation| o.steps.iter().map(|s| (s.state, s.finished_at)).collect::<Vec<_>>();
        assert_eq!(ends(world.work.operation.as_ref().unwrap()), ends(&operation));
    }
}

#[test]
fn the_next_key_takes_three_rounds_again() {
    let mut world = World::running(1, 1);
    for generation in [3, 6] {
        rotate(&mut world);
        succeeds(&mut world);
        assert_eq!(world.keys.generation, generation);
        world.now += Duration::minutes(1);
    }
}

#[test]
fn a_master_that_has_the_list_of_now_is_not_replaced_for_it() {
    let mut world = World::running(3, 1);
    world.keys = KeysView { generation: 1, stage: KeyStage::Introduced, changed_at: Some(world.now - Duration::HOUR) };
    let current = world.names(NodeRole::Master)[1].clone();
    world.work.nodes.iter_mut().find(|n| n.name == current).unwrap().key_generation = 1;
    rotate(&mut world);
    until(&mut world, |w| w.keys.generation == 2);
    assert_eq!(made(&world), 2, "the third had it");
    assert!(world.names(NodeRole::Master).contains(&current));
    succeeds(&mut world);
    assert_eq!((made(&world), world.keys.generation), (2 + 3 + 3, 3), "what was begun before is finished, and no other key is made");
}

#[test]
fn what_an_operation_left_half_way_the_next_one_finishes() {
    for left_at in 1..=3 {
        let mut world = World::running(1, 1);
        rotate(&mut world);
        until(&mut world, |w| w.keys.generation == left_at);
        let operation = world.work.operation.as_mut().unwrap();
        operation.state = OperationState::Failed;
        operation.finished_at = Some(world.now);
        world.now += Duration::minutes(1);
        rotate(&mut world);
        succeeds(&mut world);
        // Left in the last round, the first key is changed for good: who asks again gets another.
        assert_eq!(world.keys.generation, if left_at == 3 { 6 } else { 3 });
    }
}

#[test]
fn a_retry_goes_on_with_the_key_that_was_made() {
    let mut world = World::running(1, 1);
    rotate(&mut world);
    until(&mut world, |w| w.keys.generation == 3);
    let operation = world.work.operation.as_mut().unwrap();
    operation.state = OperationState::Pending;
    operation.retries += 1;
    assert!(!operation.cancellable(), "it was begun");
    world.now += Duration::minutes(1);
    succeeds(&mut world);
    assert_eq!(world.keys.generation, 3);
}

#[test]
fn the_old_key_stays_until_the_cluster_has_taken_every_secret_back() {
    let mut world = World::running(1, 1);
    world.secrets_refused = Some("the Secret a/b was not taken back: 403 Forbidden".into());
    rotate(&mut world);
    until(&mut world, |w| w.secrets.is_some());
    for _ in 0..60 {
        step(&mut world);
    }
    assert_eq!((world.state(), world.keys.generation), (OperationState::Running, 2));
    let stuck = world.work.operation.clone().unwrap().steps.into_iter().find(|s| s.key == StepKey::SecretsRewritten).unwrap();
    assert_eq!((stuck.state, stuck.fault.map(|f| f.code)), (StepState::Running, Some(Code::SecretsRefused)));
    world.secrets_refused = None;
    succeeds(&mut world);
}

#[test]
fn a_master_that_is_lost_meanwhile_is_replaced_and_the_list_waits_for_it() {
    for lost_at in 1..=3 {
        let mut world = World::running(3, 1);
        rotate(&mut world);
        until(&mut world, |w| w.keys.generation == lost_at && masters(w).len() == 3);
        let lost = world.names(NodeRole::Master)[1].clone();
        world.vanish(ResourceKind::Server, &lost);
        succeeds(&mut world);
        assert!(!world.names(NodeRole::Master).contains(&lost));
    }
}

#[test]
fn a_master_whose_api_server_answers_nobody_is_the_first_to_be_replaced() {
    let mut world = World::running(3, 1);
    let mute = world.names(NodeRole::Master)[1].clone();
    world.mute.push(mute.clone());
    rotate(&mut world);
    until(&mut world, |w| made(w) == 2);
    assert!(!world.names(NodeRole::Master).contains(&mute));
    succeeds(&mut world);
}

#[test]
fn nothing_goes_on_while_the_clusters_api_does_not_answer() {
    let mut world = World::running(1, 1);
    rotate(&mut world);
    until(&mut world, |w| w.keys.generation == 2 && masters(w).iter().all(|n| n.key_generation == 2));
    world.api_down = true;
    for _ in 0..20 {
        step(&mut world);
    }
    assert_eq!((world.keys.generation, world.state()), (2, OperationState::Running));
    world.api_down = false;
    succeeds(&mut world);
}

#[test]
fn it_is_stopped_by_a_deletion_only_once_it_was_begun() {
    let mut world = World::running(1, 1);
    rotate(&mut world);
    assert!(world.work.operation.as_ref().unwrap().cancellable());
    step(&mut world);
    assert!(!world.work.operation.as_ref().unwrap().cancellable());
    for steps in (0..80).step_by(9) {
        let mut world = World::running(3, 1);
        rotate(&mut world);
        for _ in 0..steps {
            step(&mut world);
        }
        world.delete();
        assert_eq!(world.settle(), OperationState::Succeeded, "after {steps} passes");
        assert!(world.objects.is_empty());
    }
}
