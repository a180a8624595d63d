//! What people ask of a cluster that is there: each verb ends with what was asked, one step at a time, and can be stopped or overtaken.

use crate::world::World;
use domain::codes::Code;
use domain::ids::NodeId;
use domain::ledger::ResourceKind;
use domain::nodes::{NodeIntent, NodeRole};
use domain::operations::{OperationKind, OperationState, StepKey, StepState};
use domain::plan::ObjectState;
use domain::settings::{ApiAuditLevel, ApiExposure};
use domain::wishes::Wish;
use ipnet::Ipv4Net;
use proptest::prelude::*;
use time::Duration;

fn wish(world: &mut World, wish: &Wish) {
    wish.apply(&mut world.work.cluster.spec).unwrap();
    world.work.cluster.generation += 1;
    world.begin(wish.kind(), &wish.nodes());
}

fn id(world: &World, name: &str) -> NodeId {
    world.work.nodes.iter().find(|n| n.name == name).unwrap().id
}

#[test]
fn a_resize_starts_at_nought_and_lets_the_named_node_go() {
    let mut world = World::running(1, 3);
    wish(&mut world, &Wish::NodePoolResize { pool: "default".into(), count: 5, remove: vec![] });
    world.step();
    let operation = world.work.operation.clone().unwrap();
    assert_eq!(operation.progress, 0, "{:#?}", operation.steps);
    assert_eq!(operation.steps[0].state, StepState::Skipped, "nothing is to be removed");
    assert_eq!(world.settle(), OperationState::Succeeded);

    let chosen = world.names(NodeRole::Worker)[0].clone();
    let named = id(&world, &chosen);
    wish(&mut world, &Wish::NodePoolResize { pool: "default".into(), count: 4, remove: vec![named] });
    world.step();
    assert_eq!(world.work.operation.as_ref().unwrap().progress, 0);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.names(NodeRole::Worker).len(), 4);
    assert!(!world.names(NodeRole::Worker).contains(&chosen));
}

#[test]
fn a_pool_comes_and_goes() {
    let mut world = World::running(1, 1);
    let second = domain::clusters::NodePoolSpec { name: "second".into(), count: 2, ..world.work.cluster.spec.node_pools[0].clone() };
    wish(&mut world, &Wish::NodePoolCreate { pool: second, key_pair: None });
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 4);
    wish(&mut world, &Wish::NodePoolDelete { pool: "default".into() });
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 3);
    assert!(world.work.nodes.iter().all(|n| n.pool != "default"));
    assert_eq!(world.work.cluster.observed_generation, world.work.cluster.generation);
}

#[test]
fn a_healthy_worker_is_replaced_only_when_its_successor_works_a_sick_one_at_once() {
    let mut world = World::running(1, 2);
    let old = world.names(NodeRole::Worker)[0].clone();
    let target = id(&world, &old);
    wish(&mut world, &Wish::NodeReplace { node: target });
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 3);
    let made = world.log.iter().position(|e| e.starts_with("create server/")).unwrap();
    assert!(made < world.at(&format!("drain {old}")));
    assert!(world.at(&format!("drain {old}")) < world.at(&format!("delete server/{old}")));

    let sick = world.names(NodeRole::Worker)[0].clone();
    world.log.clear();
    world.sick.push(sick.clone());
    world.step();
    let target = id(&world, &sick);
    wish(&mut world, &Wish::NodeReplace { node: target });
    assert_eq!(world.settle(), OperationState::Succeeded);
    let made = world.log.iter().position(|e| e.starts_with("create port/")).unwrap();
    assert!(made <= world.at(&format!("drain {sick}")) + 1);
    assert_eq!(world.servers(), 3);
}

#[test]
fn even_the_only_master_is_replaced_without_a_gap() {
    for masters in [1, 3] {
        let mut world = World::running(masters, 1);
        let old = world.names(NodeRole::Master)[0].clone();
        let target = id(&world, &old);
        wish(&mut world, &Wish::NodeReplace { node: target });
        assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
        assert_eq!(world.names(NodeRole::Master).len(), masters as usize);
        assert!(!world.names(NodeRole::Master).contains(&old));
        let made = world.log.iter().position(|e| e.starts_with("create server/")).unwrap();
        assert!(made < world.at(&format!("drain {old}")), "the new one joins first");
        assert!(world.detached.contains(&target));
    }
}

#[test]
fn a_master_that_works_stays_until_the_load_balancer_finds_its_successor_answering() {
    for masters in [1, 3] {
        let mut world = World::running(masters, 1);
        let (old, before) = (world.names(NodeRole::Master)[0].clone(), world.names(NodeRole::Master));
        let target = id(&world, &old);
        wish(&mut world, &Wish::NodeReplace { node: target });
        let successor = |w: &World| w.work.nodes.iter().find(|n| n.role == NodeRole::Master && !before.contains(&n.name)).cloned();
        for _ in 0..100 {
            world.mute = successor(&world).map(|n| n.name).into_iter().collect();
            world.step();
        }
        let successor = successor(&world).unwrap();
        assert_eq!(successor.ready, Some(true), "its kubelet is ready all the while");
        assert!(world.work.nodes.iter().any(|n| n.id == target && n.intent == NodeIntent::Keep));
        let steps = world.work.operation.clone().unwrap().steps;
        assert_eq!(steps[0].waiting_for.as_deref(), Some("ApiServing"), "{steps:#?}");
        world.mute.clear();
        assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
        assert!(!world.names(NodeRole::Master).contains(&old));
    }
}

#[test]
fn a_master_that_does_not_work_is_not_kept_for_its_successors_sake() {
    let mut world = World::running(3, 0);
    let sick = world.names(NodeRole::Master)[2].clone();
    world.sick.push(sick.clone());
    world.step();
    let target = id(&world, &sick);
    wish(&mut world, &Wish::NodeReplace { node: target });
    world.mute = world.names(NodeRole::Master);
    for _ in 0..40 {
        world.step();
    }
    assert!(world.detached.contains(&target));
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
}

#[test]
fn a_master_that_was_mute_before_holds_nobody_up_and_leaves_first_where_any_may() {
    let mute = |world: &mut World, ordinal: usize| {
        let name = world.names(NodeRole::Master)[ordinal].clone();
        world.mute.push(name.clone());
        name
    };
    let mut world = World::running(3, 0);
    let (old, silent) = (world.names(NodeRole::Master)[0].clone(), mute(&mut world, 1));
    let target = id(&world, &old);
    wish(&mut world, &Wish::NodeReplace { node: target });
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert!(!world.names(NodeRole::Master).contains(&old) && world.names(NodeRole::Master).contains(&silent));

    let mut world = World::running(3, 0);
    let silent = mute(&mut world, 0);
    wish(&mut world, &Wish::ControlPlaneResize { count: 1 });
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert_eq!(world.names(NodeRole::Master).len(), 1);
    assert!(!world.names(NodeRole::Master).contains(&silent));
}

#[test]
fn masters_that_are_too_many_do_not_hold_up_what_is_asked_of_workers() {
    let mut world = World::running(3, 1);
    world.mute = world.names(NodeRole::Master);
    world.work.cluster.spec.control_plane.count = 1;
    wish(&mut world, &Wish::NodePoolResize { pool: "default".into(), count: 2, remove: vec![] });
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert_eq!((world.names(NodeRole::Worker).len(), world.names(NodeRole::Master).len()), (2, 3));
}

#[test]
fn a_control_plane_that_shrinks_is_not_done_while_too_many_are_kept_for_those_that_stay() {
    let mut world = World::running(3, 0);
    wish(&mut world, &Wish::ControlPlaneResize { count: 1 });
    world.mute = world.names(NodeRole::Master);
    for _ in 0..60 {
        world.step();
    }
    assert_eq!((world.state(), world.names(NodeRole::Master).len()), (OperationState::Running, 3));
    let step = &world.work.operation.as_ref().unwrap().steps[0];
    assert_eq!((step.key, step.total, step.waiting_for.as_deref()), (StepKey::RemoveNodes, 2, Some("ApiServing")));
    world.mute.clear();
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.names(NodeRole::Master).len(), 1);
}

#[test]
fn a_master_that_works_keeps_its_member_of_etcd_while_the_load_balancer_leads_to_it() {
    let mut world = World::running(3, 0);
    let old = world.names(NodeRole::Master)[0].clone();
    let target = id(&world, &old);
    wish(&mut world, &Wish::NodeReplace { node: target });
    let leaves = |w: &World| w.work.nodes.iter().any(|n| n.id == target && n.intent == NodeIntent::Remove);
    while !leaves(&world) {
        world.step();
    }
    let balancer = |w: &mut World, state: &ObjectState| {
        w.objects.values_mut().filter(|(kind, _)| *kind == ResourceKind::LoadBalancer).for_each(|(_, o)| o.state = state.clone());
    };
    balancer(&mut world, &ObjectState::Pending);
    for _ in 0..10 {
        world.step();
    }
    assert!(!world.detached.contains(&target));
    balancer(&mut world, &ObjectState::Ready);
    world.blind = Some(ResourceKind::LoadBalancer);
    for _ in 0..10 {
        world.step();
    }
    assert!(!world.detached.contains(&target), "not seeing the load balancer is not seeing it gone");
    assert!(!world.log.contains(&format!("delete server/{old}")));
    world.blind = None;
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(world.detached.contains(&target));
}

#[test]
fn the_control_plane_grows_and_shrinks_one_master_at_a_time() {
    let mut world = World::running(1, 1);
    for count in [3, 5, 3, 1] {
        wish(&mut world, &Wish::ControlPlaneResize { count });
        let mut before = world.work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.joined_at.is_some()).count();
        for _ in 0..500 {
            world.step();
            let leaving = world.work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.leaving_since.is_some()).count();
            let joining = world.work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.joined_at.is_none() && n.started_at.is_some()).count();
            assert!(leaving + joining <= 1, "{leaving} leave and {joining} join at once");
            let now = world.work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.joined_at.is_some()).count();
            assert!(now.abs_diff(before) <= 1);
            before = now;
            if world.state().ended() {
                break;
            }
        }
        assert_eq!(world.state(), OperationState::Succeeded, "to {count}: {:#?}", world.work.operation);
        assert_eq!(world.names(NodeRole::Master).len(), count as usize);
    }
}

#[test]
fn a_reboot_is_asked_for_once() {
    let mut world = World::running(1, 1);
    let name = world.names(NodeRole::Worker)[0].clone();
    let node = id(&world, &name);
    wish(&mut world, &Wish::NodeReboot { node });
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.log, [format!("power server/{name}")]);
}

#[test]
fn a_reboot_that_the_cloud_refused_is_asked_for_again_once_what_stood_against_it_is_over() {
    let mut world = World::running(1, 1);
    let name = world.names(NodeRole::Worker)[0].clone();
    let node = id(&world, &name);
    wish(&mut world, &Wish::NodeReboot { node });
    world.updates_refused = Some(Code::TenantDisabled);
    world.step();
    let operation = world.work.operation.as_mut().unwrap();
    (operation.state, operation.next_attempt_at) = (OperationState::Blocked, Some(world.now));
    world.updates_refused = None;
    assert_eq!(world.settle(), OperationState::Succeeded);
    let asked = format!("power server/{name}");
    assert_eq!(world.log, [asked.clone(), asked]);
}

#[test]
fn a_reboot_that_the_cloud_refuses_for_good_ends_with_its_words() {
    let mut world = World::running(1, 1);
    let node = id(&world, &world.names(NodeRole::Worker)[0]);
    wish(&mut world, &Wish::NodeReboot { node });
    world.updates_refused = Some(Code::InUse);
    assert_eq!(world.settle(), OperationState::Failed);
    let fault = world.work.operation.as_ref().unwrap().fault.clone().unwrap();
    assert_eq!((fault.code, fault.message.as_str()), (Code::InUse, "refused"));
}

#[test]
fn a_server_in_error_is_rebooted_where_somebody_asks_for_that_and_not_replaced() {
    for role in [NodeRole::Worker, NodeRole::Master] {
        let mut world = World::running(3, 3);
        let name = world.names(role)[0].clone();
        world.server(&name).state = ObjectState::Failed("the hypervisor lost it".into());
        let node = id(&world, &name);
        wish(&mut world, &Wish::NodeReboot { node });
        assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
        assert_eq!(world.log, [format!("power server/{name}")]);
        assert!(world.names(role).contains(&name));
    }
}

#[test]
fn a_reboot_that_the_cloud_keeps_refusing_is_asked_for_less_and_less_often() {
    let mut world = World::running(1, 1);
    let node = id(&world, &world.names(NodeRole::Worker)[0]);
    wish(&mut world, &Wish::NodeReboot { node });
    world.updates_refused = Some(Code::ServerFailed);
    world.watch(Duration::minutes(1));
    assert!((3..=7).contains(&world.log.len()), "{:?}", world.log);
    let step = world.work.operation.as_ref().unwrap().steps[0].clone();
    assert_eq!((step.key, step.fault.map(|f| f.message).as_deref()), (StepKey::Reboot, Some("refused")), "why is said at once");
    world.updates_refused = None;
    assert_eq!(world.settle(), OperationState::Succeeded);
}

#[test]
fn what_a_cancelled_resize_had_made_is_taken_away_again() {
    let mut world = World::running(1, 2);
    let wanted = Wish::NodePoolResize { pool: "default".into(), count: 4, remove: vec![] };
    let undo = wanted.clone().apply(&mut world.work.cluster.spec.clone()).unwrap();
    wish(&mut world, &wanted);
    while world.servers() < 4 {
        world.step();
    }
    // What the store does.
    assert!(undo.apply(&mut world.work.cluster.spec));
    world.work.cluster.generation += 1;
    let operation = world.work.operation.as_mut().unwrap();
    operation.state = OperationState::Cancelled;
    operation.finished_at = Some(world.now);
    world.watch(Duration::minutes(5));
    assert_eq!(world.servers(), 3);
    assert_eq!(world.state(), OperationState::Succeeded);
    assert_eq!(world.work.operation.as_ref().unwrap().kind, OperationKind::ClusterRepair);
}

#[test]
fn a_retry_has_its_own_time_and_its_own_budget() {
    let mut world = World::new(1, 1);
    world.broken_servers = 3;
    assert_eq!(world.settle(), OperationState::Failed);
    // Three more break in the second attempt.
    world.broken_servers = 3;
    let operation = world.work.operation.as_mut().unwrap();
    operation.state = OperationState::Pending;
    operation.fault = None;
    operation.retries += 1;
    let started = operation.started_at;
    let made = |world: &World| world.log.iter().filter(|e| e.starts_with("create server/")).count();
    let first = made(&world);
    assert_eq!(world.settle(), OperationState::Failed);
    let operation = world.work.operation.clone().unwrap();
    assert_eq!(operation.started_at, started);
    assert!(operation.resumed_at > started);
    assert_eq!(made(&world) - first, 3, "one, and two more by itself");
}

#[test]
fn an_operation_that_was_blocked_long_has_time_again_when_it_goes_on() {
    let mut world = World::new(1, 1);
    world.quota_short = true;
    assert_eq!(world.settle(), OperationState::Blocked);
    world.watch(Duration::hours(3));
    // It may be looking again at this very moment.
    assert_eq!(world.settle(), OperationState::Blocked);
    let blocked = world.work.operation.clone().unwrap();
    assert!(blocked.fault.is_some() && blocked.next_attempt_at.is_some() && blocked.deadline_at > world.now);
    world.quota_short = false;
    world.watch(domain::plan::BLOCKED_REST);
    assert_eq!(world.settle(), OperationState::Succeeded);
}

#[test]
fn a_step_that_only_a_newer_program_knows_is_shown_and_never_taken_for_done() {
    let mut world = World::running(1, 1);
    wish(&mut world, &Wish::NodePoolResize { pool: "default".into(), count: 2, remove: vec![] });
    world.step();
    let newer = |world: &mut World, state| {
        let step = world.work.operation.as_mut().unwrap().steps.last_mut().unwrap();
        step.key = serde_json::from_str("\"first_backup\"").unwrap();
        step.state = state;
    };
    newer(&mut world, StepState::Pending);
    world.watch(Duration::minutes(10));
    let operation = world.work.operation.clone().unwrap();
    let step = operation.steps.last().unwrap();
    assert_eq!(serde_json::to_string(&step.key).unwrap(), "\"first_backup\"");
    assert_eq!((operation.state, step.state, step.waiting_for.as_deref()), (OperationState::Running, StepState::Running, Some("NewerVersion")));
    assert_eq!(world.servers(), 3, "all else is done");
    newer(&mut world, StepState::Succeeded);
    assert_eq!(world.settle(), OperationState::Succeeded);
}

#[test]
fn an_operation_that_a_newer_program_has_ended_stays_as_it_was_left() {
    let mut world = World::running(1, 1);
    let operation = world.work.operation.as_mut().unwrap();
    operation.kind = OperationKind::Newer("etcd_defragment");
    let network = operation.steps.iter_mut().find(|step| step.key == StepKey::Network).unwrap();
    (network.done, network.total) = (77, 77);
    let left = operation.clone();
    world.watch(Duration::minutes(10));
    assert_eq!(world.work.operation, Some(left));
}

#[test]
fn case_24_a_quota_is_not_short_while_ports_of_dead_servers_leave_it() {
    let mut world = World::running(1, 2);
    let lost = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Server, &lost);
    world.watch(Duration::minutes(10));
    let gone = world.at(&format!("delete port/{lost}"));
    let made = world.log.iter().position(|e| e.starts_with("create server/")).unwrap();
    assert!(gone < made, "{:?}", world.log);
    assert_eq!(world.servers(), 3);
}

fn any_wish(world: &World, choice: u8, number: u32) -> Option<Wish> {
    let workers: Vec<NodeId> = world.work.nodes.iter().filter(|n| n.role == NodeRole::Worker).map(|n| n.id).collect();
    let nodes: Vec<NodeId> = world.work.nodes.iter().map(|n| n.id).collect();
    let pick = |list: &[NodeId]| (!list.is_empty()).then(|| list[number as usize % list.len()]);
    Some(match choice % 9 {
        0 => Wish::ControlPlaneResize { count: [1, 3, 5][number as usize % 3] },
        1 => Wish::NodePoolResize { pool: "default".into(), count: number % 5, remove: pick(&workers).into_iter().collect() },
        2 => Wish::NodeReplace { node: pick(&nodes)? },
        3 => Wish::NodeReboot { node: pick(&nodes)? },
        4 => Wish::Repair,
        5 => Wish::EncryptionKeyRotate,
        6 => Wish::ApiAuditChange { level: [ApiAuditLevel::None, ApiAuditLevel::Metadata, ApiAuditLevel::Request][number as usize % 3] },
        7 => Wish::ApiAccessChange { exposure: ApiExposure::Restricted, allowed_cidrs: vec![Ipv4Net::new_assert(number.into(), 32)] },
        _ => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]
    #[test]
    fn any_life_of_wishes_and_losses_ends_whole_and_a_delete_wins_over_all(
        masters in prop_oneof![Just(1u32), Just(3u32)], steps in proptest::collection::vec((any::<u8>(), any::<u32>(), 0usize..30), 1..6), last in 0usize..20,
    ) {
        let mut world = World::new(masters, 2);
        prop_assert_eq!(world.settle(), OperationState::Succeeded);
        for (choice, number, for_steps) in steps {
            if let Some(wanted) = any_wish(&world, choice, number) {
                if world.state().ended() {
                    wish(&mut world, &wanted);
                }
            } else {
                // A worker's server breaks; one at a time, and never a second before the first is mended.
                let well = world.work.nodes.iter().all(|n| n.ready == Some(true) && n.fault.is_none());
                let workers = world.names(NodeRole::Worker);
                if well && workers.len() > 2 {
                    world.server(&workers[number as usize % workers.len()]).state = ObjectState::Failed("broken".into());
                }
            }
            for _ in 0..for_steps {
                world.step();
            }
        }
        // Faults have stopped: everything is as asked for in the end.
        world.watch(Duration::minutes(60));
        let spec = world.work.cluster.spec.clone();
        prop_assert!(world.state() == OperationState::Succeeded, "{:#?}", world.work.operation);
        prop_assert_eq!(world.names(NodeRole::Master).len(), spec.control_plane.count as usize);
        prop_assert_eq!(world.servers(), (spec.control_plane.count + spec.node_pools[0].count) as usize);
        // Deletion wins at the next step, whatever is under way.
        wish(&mut world, &Wish::NodePoolResize { pool: "default".into(), count: 4, remove: vec![] });
        for _ in 0..last {
            world.step();
        }
        world.delete();
        prop_assert_eq!(world.settle(), OperationState::Succeeded);
        prop_assert!(world.objects.is_empty());
    }
}

#[test]
fn every_kind_of_operation_has_steps_a_limit_and_a_name() {
    let spec = World::new(3, 2).work.cluster.spec;
    for kind in OperationKind::ALL {
        let steps = domain::plan::operation_steps(kind, &spec);
        let keys: std::collections::BTreeSet<StepKey> = steps.iter().map(|s| s.key).collect();
        assert!(!steps.is_empty() && keys.len() == steps.len(), "{kind:?}");
        assert!(kind.limit() > Duration::ZERO);
        assert_eq!(OperationKind::parse(kind.as_str()), Some(kind));
    }
    assert!(Code::ALL.contains(&Code::DrainBlocked));
}
