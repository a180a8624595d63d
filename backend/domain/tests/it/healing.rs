//! What breaks while nobody asks for anything: noticed, repaired when the policy says so, held by the brakes.

use crate::world::World;
use domain::clusters::{Phase, RepairPolicy};
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::ledger::{ResourceKind, ResourceState};
use domain::nodes::{NodeIntent, NodeRole};
use domain::operations::{ENGINE, OperationKind, OperationState, StepResource};
use domain::plan::{BLOCKED_REST, ObjectState, REPAIR_REST, REPAIR_RETRIES, UNREADY_LIMIT, broke_since, operation_steps, repair_rest};
use domain::settings::DataVolume;
use domain::test_support::spec;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use time::Duration;

/// The operation there is now was begun by the engine and succeeded.
fn repaired(world: &World) {
    let operation = world.work.operation.as_ref().unwrap();
    assert_eq!((operation.kind, operation.created_by.as_str()), (OperationKind::ClusterRepair, ENGINE));
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:#?}");
    assert!(world.work.cluster.status.conditions.iter().all(|c| c.status == ConditionStatus::True), "{:#?}", world.work.cluster.status);
}

#[test]
fn drift_is_said_and_mended_by_an_operation_of_the_engines_own() {
    let mut world = World::running(1, 1);
    world.objects.values_mut().find(|(k, o)| *k == ResourceKind::SecurityGroup && o.name.ends_with("worker")).unwrap().1.drift = true;
    world.watch(Duration::minutes(1));
    assert_eq!(world.log, ["update security_group/worker"]);
    repaired(&world);
}

#[test]
fn a_nodes_port_or_disk_that_is_not_as_it_should_be_is_said_and_mended() {
    for kind in [ResourceKind::Port, ResourceKind::Volume] {
        let mut world = World::running(1, 1);
        let worker = world.names(NodeRole::Worker)[0].clone();
        world.work.cluster.spec.repair = RepairPolicy::Manual;
        world.objects.values_mut().find(|(k, o)| *k == kind && o.name == worker).unwrap().1.drift = true;
        world.watch(Duration::minutes(1));
        let condition = world.condition(ConditionType::InfrastructureReady);
        assert_eq!((condition.reason.as_str(), condition.message.as_str(), condition.code), ("ObjectsDrifted", worker.as_str(), Some(Code::Drifted)));
        assert!(world.log.is_empty(), "{:?}", world.log);
        world.work.cluster.spec.repair = RepairPolicy::Automatic;
        world.watch(Duration::minutes(1));
        assert_eq!(world.log, [format!("update {kind}/{worker}")]);
        repaired(&world);
    }
}

#[test]
fn with_the_manual_policy_damage_is_shown_and_left() {
    let mut world = World::running(1, 1);
    world.work.cluster.spec.repair = RepairPolicy::Manual;
    world.objects.values_mut().find(|(k, _)| *k == ResourceKind::SecurityGroup).unwrap().1.drift = true;
    let worker = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Server, &worker);
    world.watch(Duration::minutes(20));
    assert!(world.log.is_empty(), "{:?}", world.log);
    let condition = world.condition(ConditionType::InfrastructureReady);
    assert_eq!((condition.status, condition.reason.as_str(), condition.code), (ConditionStatus::False, "ObjectsDrifted", Some(Code::Drifted)));
    world.begin(OperationKind::ClusterRepair, &[]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 2);
}

#[test]
fn what_is_gone_is_made_again() {
    for kind in [ResourceKind::Router, ResourceKind::RouterInterface, ResourceKind::LoadBalancer, ResourceKind::FloatingIp] {
        let mut world = World::running(1, 1);
        world.objects.retain(|_, (k, _)| *k != kind);
        world.watch(Duration::minutes(2));
        assert_eq!(world.log.iter().filter(|e| e.starts_with("create")).count(), 1, "{:?}", world.log);
        repaired(&world);
    }
}

#[test]
fn a_broken_load_balancer_is_replaced_under_what_stands_on_it() {
    let mut world = World::running(3, 0);
    world.objects.values_mut().find(|(k, _)| *k == ResourceKind::LoadBalancer).unwrap().1.state = ObjectState::Failed("ERROR".into());
    world.watch(Duration::minutes(2));
    assert_eq!(world.log, ["delete load_balancer", "create load_balancer"]);
    repaired(&world);
}

#[test]
fn a_lost_worker_is_replaced_after_five_minutes_under_a_new_name() {
    let mut world = World::running(1, 3);
    let lost = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Server, &lost);
    world.watch(Duration::minutes(1));
    let ready = world.condition(ConditionType::NodesReady);
    assert_eq!((ready.status, ready.code), (ConditionStatus::False, Some(Code::NodeUnready)), "shown within a minute");
    world.watch(UNREADY_LIMIT - Duration::minutes(2));
    assert_eq!(world.servers(), 3, "not yet");
    world.watch(Duration::minutes(4));
    assert_eq!(world.servers(), 4);
    assert!(!world.names(NodeRole::Worker).contains(&lost));
    repaired(&world);
}

#[test]
fn case_38_what_a_lost_worker_held_is_let_go_after_its_server_whoever_deletes_its_kubernetes_node() {
    for cloud_controller in [false, true] {
        let mut world = World::running(1, 4);
        world.cloud_controller = cloud_controller;
        let workers = world.names(NodeRole::Worker);
        world.sick.push(workers[1].clone());
        world.step();
        world.resize(3);
        assert_eq!(world.settle(), OperationState::Succeeded);
        assert!(world.at(&format!("delete server/{}", workers[1])) < world.at(&format!("drain {}", workers[1])));
        // And where the server is gone first; a node that is gone is let go once.
        world.vanish(ResourceKind::Server, &workers[0]);
        world.watch(Duration::minutes(10));
        let released = |name: &str| world.log.iter().filter(|e| **e == format!("drain {name}")).count();
        assert_eq!((released(&workers[0]), released(&workers[1])), (1, 1), "{:?}", world.log);
        assert!(!world.names(NodeRole::Worker).contains(&workers[0]));
        repaired(&world);
    }
}

#[test]
fn a_node_whose_bundle_was_asked_for_twice_before_it_joined_is_replaced_and_its_server_remembers_why() {
    let mut world = World::running(1, 1);
    let before = world.names(NodeRole::Worker);
    world.resize(2);
    world.step();
    let new = world.names(NodeRole::Worker).into_iter().find(|name| !before.contains(name)).unwrap();
    world.sick.push(new.clone());
    while world.servers() < 3 {
        world.step();
    }
    world.work.nodes.iter_mut().find(|n| n.name == new).unwrap().alarm_at = Some(world.now);
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert!(!world.names(NodeRole::Worker).contains(&new));
    let why = |r: &domain::ledger::LedgerRow| r.fault.as_ref().map(|f| f.code) == Some(Code::BundleTwice);
    assert!(world.work.ledger.iter().any(|r| r.kind == ResourceKind::Server && r.name == new && why(r)));
    assert_eq!(world.condition(ConditionType::SelfHealing).status, ConditionStatus::True);
}

#[test]
fn a_node_that_works_and_whose_bundle_was_asked_for_twice_is_said_until_somebody_replaces_it() {
    let mut world = World::running(3, 1);
    let doubtful = world.names(NodeRole::Master)[1].clone();
    let node = world.work.nodes.iter_mut().find(|n| n.name == doubtful).unwrap();
    node.alarm_at = node.joined_at;
    let id = node.id;
    world.watch(Duration::minutes(20));
    assert!(world.log.is_empty(), "{:?}", world.log);
    let said = world.condition(ConditionType::SelfHealing).clone();
    assert_eq!((said.status, said.reason.as_str(), said.message.as_str()), (ConditionStatus::False, "BundleTwice", doubtful.as_str()));
    assert_eq!((said.code, world.work.cluster.status.phase), (Some(Code::BundleTwice), Phase::Degraded));
    world.begin(OperationKind::NodeReplace, &[id]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.condition(ConditionType::SelfHealing).status, ConditionStatus::True);
}

/// A running cluster whose workers have a data volume each.
fn with_data_volumes(workers: u32) -> World {
    let mut world = World::new(1, workers);
    let data = DataVolume { name: "data".into(), size_gib: 3, volume_type: None, mount_path: Some("/srv/data".into()) };
    world.work.cluster.spec.node_pools[0].data_volumes = vec![data];
    assert_eq!(world.settle(), OperationState::Succeeded);
    world.log.clear();
    world
}

/// No disk was made for a node that had one: it would be neither formatted nor mounted.
fn no_disk_is_made_for(world: &World, node: &str) {
    let made = format!("create volume/{node}");
    assert!(!world.log.iter().any(|e| e.starts_with(&made)), "{:?}", world.log);
}

#[test]
fn a_worker_whose_data_volume_is_gone_is_replaced_after_five_minutes_though_it_is_ready() {
    let mut world = with_data_volumes(2);
    let lost = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Volume, &format!("{lost}-data"));
    world.watch(Duration::minutes(1));
    let shown = world.condition(ConditionType::InfrastructureReady).clone();
    assert_eq!((shown.reason.as_str(), shown.message, shown.code), ("ObjectsMissing", format!("{lost}-data"), Some(Code::Drifted)));
    world.watch(UNREADY_LIMIT - Duration::minutes(2));
    assert!(world.log.is_empty(), "not yet: {:?}", world.log);
    world.watch(Duration::minutes(4));
    assert!(!world.names(NodeRole::Worker).contains(&lost));
    assert!(world.at(&format!("drain {lost}")) < world.at(&format!("delete server/{lost}")), "what runs there is asked to leave");
    no_disk_is_made_for(&world, &lost);
    assert_eq!(world.servers(), 3);
    repaired(&world);
}

#[test]
fn with_the_manual_policy_a_worker_without_its_data_volume_is_replaced_when_somebody_asks_for_a_repair() {
    let mut world = with_data_volumes(1);
    world.work.cluster.spec.repair = RepairPolicy::Manual;
    let lost = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Volume, &format!("{lost}-data"));
    world.watch(Duration::minutes(20));
    assert!(world.log.is_empty(), "{:?}", world.log);
    assert_eq!(world.condition(ConditionType::InfrastructureReady).reason, "ObjectsMissing");
    world.begin(OperationKind::ClusterRepair, &[]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(!world.names(NodeRole::Worker).contains(&lost));
    no_disk_is_made_for(&world, &lost);
    assert_eq!(world.condition(ConditionType::InfrastructureReady).status, ConditionStatus::True);
}

#[test]
fn workers_that_all_lost_their_data_volumes_are_replaced_one_after_another() {
    let mut world = with_data_volumes(3);
    let before = world.names(NodeRole::Worker);
    for worker in &before {
        world.vanish(ResourceKind::Volume, &format!("{worker}-data"));
    }
    let end = world.now + Duration::minutes(30);
    while world.now < end {
        world.step();
        let staying = world.work.nodes.iter().filter(|n| n.role == NodeRole::Worker && n.intent == NodeIntent::Keep);
        assert!(staying.filter(|n| n.ready == Some(true)).count() >= 2, "{:#?}", world.work.nodes);
    }
    assert!(world.names(NodeRole::Worker).iter().all(|name| !before.contains(name)));
    repaired(&world);
}

#[test]
fn a_node_that_is_not_ready_for_long_is_replaced_and_one_that_recovers_is_not() {
    let mut world = World::running(1, 3);
    let sick = world.names(NodeRole::Worker)[1].clone();
    world.sick.push(sick.clone());
    world.watch(Duration::minutes(4));
    world.sick.clear();
    world.watch(Duration::minutes(10));
    assert!(world.log.is_empty(), "{:?}", world.log);
    world.sick.push(sick.clone());
    world.watch(Duration::minutes(7));
    assert!(!world.names(NodeRole::Worker).contains(&sick));
    assert_eq!(world.servers(), 4);
    repaired(&world);
    assert!(world.work.ledger.iter().any(|r| r.name == sick && r.fault.as_ref().is_some_and(|f| f.code == Code::NodeUnready)));
}

#[test]
fn case_55_nothing_is_replaced_while_too_many_workers_are_unwell() {
    let mut world = World::running(1, 5);
    let workers = world.names(NodeRole::Worker);
    world.sick = workers[..3].to_vec();
    world.watch(Duration::minutes(30));
    assert!(world.log.is_empty(), "{:?}", world.log);
    let healing = world.condition(ConditionType::SelfHealing);
    assert_eq!((healing.status, healing.reason.as_str(), healing.code), (ConditionStatus::False, "HealingPaused", Some(Code::HealingPaused)));
    assert_eq!(healing.message, "3 of 5 workers are not ready");
    // A person's repair says why it cannot; naming a node is a person's own decision.
    world.begin(OperationKind::ClusterRepair, &[]);
    assert_eq!(world.settle(), OperationState::Failed);
    assert_eq!(world.work.operation.as_ref().unwrap().fault.as_ref().unwrap().code, Code::HealingPaused);
    let id = world.work.nodes.iter().find(|n| n.name == workers[0]).unwrap().id;
    world.begin(OperationKind::NodeReplace, &[id]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(!world.names(NodeRole::Worker).contains(&workers[0]));
    // Two of five is below the brake.
    world.watch(Duration::minutes(20));
    assert!(world.sick.iter().all(|n| !world.names(NodeRole::Worker).contains(n)));
    assert_eq!(world.servers(), 6);
    assert!(world.work.cluster.status.conditions.iter().all(|c| c.status == ConditionStatus::True), "{:#?}", world.work.cluster.status);
}

#[test]
fn an_unreachable_api_is_blindness_not_sickness() {
    let mut world = World::running(3, 3);
    let worker = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Server, &worker);
    world.api_down = true;
    world.watch(Duration::hours(1));
    assert!(world.log.is_empty(), "{:?}", world.log);
    assert!(world.work.nodes.iter().filter(|n| n.name != worker).all(|n| n.ready.is_none() && n.unready_since.is_none() && n.fault.is_none()));
    assert_eq!(world.condition(ConditionType::SelfHealing).status, ConditionStatus::Unknown);
    // What does not hang on the cluster's API is repaired all the same: it may be why it does not answer.
    world.objects.values_mut().find(|(k, _)| *k == ResourceKind::FloatingIp).unwrap().1.drift = true;
    world.watch(Duration::minutes(2));
    assert_eq!(world.log, ["update floating_ip"]);
    world.api_down = false;
    world.watch(Duration::minutes(10));
    assert_eq!(world.servers(), 6);
    repaired(&world);
}

#[test]
fn case_53_a_cluster_that_does_not_answer_us_is_unknown_and_what_the_cloud_sees_broken_is_unhealthy() {
    let mut world = World::running(3, 2);
    let masters = world.names(NodeRole::Master);
    let said = |w: &World| (w.condition(ConditionType::ControlPlaneHealthy).status, w.work.cluster.status.phase);
    world.api_down = true;
    world.watch(Duration::minutes(10));
    let api = world.condition(ConditionType::ApiReachable);
    assert_eq!((api.status, api.code), (ConditionStatus::False, Some(Code::ClusterApiDown)));
    assert_eq!(world.condition(ConditionType::NodesReady).status, ConditionStatus::Unknown);
    assert_eq!(said(&world), (ConditionStatus::Unknown, Phase::Running));
    // The load balancer does not get an answer from one of them either.
    world.mute = vec![masters[1].clone()];
    world.watch(Duration::minutes(1));
    assert_eq!(said(&world), (ConditionStatus::False, Phase::Degraded));
    let shown = world.condition(ConditionType::ControlPlaneHealthy);
    assert_eq!((&shown.message, shown.code), (&masters[1], Some(Code::NodeUnready)));
    assert_eq!(world.condition(ConditionType::NodesReady).status, ConditionStatus::Unknown, "workers are not behind it");
    // It cannot be asked itself: nothing is known again.
    world.blind = Some(ResourceKind::LoadBalancer);
    world.watch(Duration::minutes(1));
    assert_eq!(said(&world), (ConditionStatus::Unknown, Phase::Running));
    // A server that is off is off, whoever sees it.
    world.server(&masters[2]).state = ObjectState::Off;
    world.watch(Duration::minutes(1));
    assert_eq!(said(&world), (ConditionStatus::False, Phase::Degraded));
    assert_eq!(world.condition(ConditionType::ControlPlaneHealthy).message, masters[2]);
    assert!(world.log.is_empty(), "{:?}", world.log);
}

#[test]
fn a_lost_master_is_taken_out_of_etcd_before_another_joins() {
    let mut world = World::running(3, 1);
    let lost = world.names(NodeRole::Master)[0].clone();
    let id = world.work.nodes.iter().find(|n| n.name == lost).unwrap().id;
    world.vanish(ResourceKind::Server, &lost);
    world.watch(Duration::minutes(10));
    assert_eq!(world.servers(), 4);
    assert!(world.detached.contains(&id));
    let made = world.log.iter().position(|e| e.starts_with("create server/")).unwrap();
    assert!(world.at(&format!("drain {lost}")) < made);
    repaired(&world);
}

#[test]
fn case_58_with_the_quorum_lost_nothing_is_done_by_itself() {
    let mut world = World::running(3, 1);
    let masters = world.names(NodeRole::Master);
    world.sick = masters[..2].to_vec();
    world.watch(Duration::minutes(40));
    assert!(world.log.is_empty(), "{:?}", world.log);
    let healing = world.condition(ConditionType::SelfHealing);
    assert_eq!((healing.reason.as_str(), healing.code), ("QuorumLost", Some(Code::ControlPlaneLost)));
    assert_eq!(world.condition(ConditionType::ControlPlaneHealthy).code, Some(Code::ControlPlaneLost));
    // The only master of a cluster in use is not thrown away either.
    let mut world = World::running(1, 1);
    let master = world.names(NodeRole::Master)[0].clone();
    world.server(&master).state = ObjectState::Failed("hypervisor gone".into());
    world.api_down = true;
    world.watch(Duration::hours(2));
    assert!(world.log.is_empty(), "{:?}", world.log);
    assert_eq!(world.condition(ConditionType::SelfHealing).reason, "QuorumLost");
}

#[test]
fn case_31_a_server_that_somebody_stopped_is_started_again_not_replaced() {
    let mut world = World::running(1, 3);
    let stopped = world.names(NodeRole::Worker)[2].clone();
    world.server(&stopped).state = ObjectState::Off;
    world.watch(Duration::minutes(4));
    assert!(world.log.is_empty(), "{:?}", world.log);
    assert_eq!(world.condition(ConditionType::NodesReady).status, ConditionStatus::False);
    world.watch(Duration::minutes(3));
    assert_eq!(world.log, [format!("power server/{stopped}")]);
    repaired(&world);
    // One that is being moved or paused is in somebody's hands.
    world.server(&stopped).state = ObjectState::Pending;
    world.log.clear();
    world.watch(Duration::minutes(12));
    assert!(world.log.is_empty(), "{:?}", world.log);
}

#[test]
fn a_repair_that_fails_is_tried_less_and_less_often_and_then_left_to_a_person() {
    let mut world = World::running(1, 3);
    let lost = world.names(NodeRole::Worker)[0].clone();
    world.broken_servers = 1000;
    world.vanish(ResourceKind::Server, &lost);
    world.watch(Duration::minutes(15));
    let first = world.work.operation.clone().unwrap();
    assert_eq!((first.state, first.retries), (OperationState::Failed, 0), "{first:#?}");
    world.watch(REPAIR_REST * 8);
    let last = world.work.operation.clone().unwrap();
    assert_eq!((last.id, last.state, last.retries), (first.id, OperationState::Failed, REPAIR_RETRIES));
    assert_eq!(world.condition(ConditionType::SelfHealing).reason, "RetryLimit");
    let calls = world.log.len();
    world.watch(Duration::hours(6));
    assert_eq!(world.log.len(), calls, "it waits for a person");
    world.broken_servers = 0;
    world.begin(OperationKind::ClusterRepair, &[]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 4);
}

#[test]
fn a_node_that_breaks_after_a_repair_was_given_up_is_replaced_all_the_same() {
    let mut world = World::running(1, 3);
    world.objects.values_mut().find(|(k, _)| *k == ResourceKind::SecurityGroup).unwrap().1.drift = true;
    world.updates_refused = Some(Code::NetworkFailed);
    world.watch(Duration::hours(6));
    assert_eq!(world.condition(ConditionType::SelfHealing).reason, "RetryLimit");
    let given_up = world.work.operation.as_ref().unwrap().id;
    let lost = world.names(NodeRole::Worker)[0].clone();
    world.vanish(ResourceKind::Server, &lost);
    world.watch(Duration::minutes(30));
    assert!(!world.names(NodeRole::Worker).contains(&lost));
    assert_eq!(world.servers(), 4);
    // What could not be mended before rests again after as many tries.
    let next = world.work.operation.as_ref().unwrap().id;
    assert_ne!(next, given_up);
    world.watch(Duration::hours(6));
    let calls = world.log.len();
    world.watch(Duration::hours(6));
    assert_eq!((world.log.len(), world.work.operation.as_ref().unwrap().id), (calls, next));
}

#[test]
fn a_node_that_breaks_while_a_repair_has_tries_left_waits_for_ten_minutes_at_most_and_takes_one_of_them() {
    let mut world = World::running(1, 3);
    let workers = world.names(NodeRole::Worker);
    world.objects.values_mut().find(|(k, o)| *k == ResourceKind::Volume && o.name == workers[0]).unwrap().1.drift = true;
    world.updates_refused = Some(Code::InUse);
    let tried = |world: &World| world.work.operation.as_ref().map(|o| (o.state, o.retries));
    let end = world.now + Duration::hours(3);
    while tried(&world) != Some((OperationState::Failed, 2)) {
        assert!(world.now < end, "{:#?}", world.work.operation);
        world.step();
    }
    let begun = world.work.operation.as_ref().unwrap().id;
    world.vanish(ResourceKind::Server, &workers[1]);
    world.watch(REPAIR_REST * 2);
    assert!(!world.names(NodeRole::Worker).contains(&workers[1]), "{:#?}", world.work.operation);
    assert_eq!((world.servers(), tried(&world)), (4, Some((OperationState::Failed, REPAIR_RETRIES))));
    // What is not let go of has had its tries.
    let calls = world.log.len();
    world.watch(Duration::hours(12));
    assert_eq!((world.log.len(), world.work.operation.as_ref().unwrap().id), (calls, begun));
}

#[test]
fn nodes_that_do_not_come_up_keep_objects_waiting_for_ten_minutes_at_most() {
    let mut world = World::running(1, 2);
    world.broken_servers = 1000;
    world.resize(5);
    assert_eq!(world.settle(), OperationState::Failed);
    for _ in 0..8 {
        let group = |world: &World| world.objects.values().find(|(k, _)| *k == ResourceKind::SecurityGroup).unwrap().1.drift;
        world.objects.values_mut().find(|(k, _)| *k == ResourceKind::SecurityGroup).unwrap().1.drift = true;
        world.watch(REPAIR_REST + Duration::minutes(2));
        assert!(!group(&world), "{:#?}", world.work.operation);
    }
}

#[test]
fn what_the_cloud_accepts_and_nothing_comes_of_is_repaired_less_and_less_often_and_holds_up_nothing_that_breaks_later() {
    let mut world = World::running(1, 1);
    let rows = world.work.ledger.iter().filter(|r| r.kind == ResourceKind::SecurityGroup && r.state == ResourceState::Known);
    let groups: Vec<(String, String)> = rows.map(|r| (r.key.clone(), r.cloud_id.clone().unwrap())).collect();
    let [(stubborn, first), (_, second), ..] = groups.as_slice() else { panic!("{groups:?}") };
    world.updates_in_vain.push(stubborn.clone());
    world.objects.get_mut(first).unwrap().1.drift = true;
    world.watch(Duration::minutes(70));
    let begun = world.work.operation.as_ref().unwrap().id;
    world.watch(Duration::hours(6));
    let last = world.work.operation.clone().unwrap();
    assert_eq!((last.id, last.state, last.retries), (begun, OperationState::Failed, REPAIR_RETRIES), "{last:#?}");
    assert_eq!(world.condition(ConditionType::SelfHealing).reason, "RetryLimit");
    let calls = world.log.len();
    world.watch(Duration::hours(12));
    assert_eq!((world.log.len(), world.work.operation.as_ref().unwrap().id), (calls, begun), "it has had its tries");
    // What was well when that ended waits for nothing.
    world.objects.get_mut(second).unwrap().1.drift = true;
    world.watch(Duration::minutes(5));
    assert!(!world.objects[second].1.drift, "{:#?}", world.work.operation);
    // The other rests again after as many tries.
    world.watch(Duration::hours(6));
    let (next, calls) = (world.work.operation.as_ref().unwrap().id, world.log.len());
    world.watch(Duration::hours(12));
    assert_eq!((world.log.len(), world.work.operation.as_ref().unwrap().id), (calls, next));
    world.updates_in_vain.clear();
    world.watch(Duration::DAY);
    repaired(&world);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn only_what_the_last_repair_left_well_has_another_begin_soon(
        left in vec(select(vec!["ready", "known", "drifted", "pending", "failed", "off", "intended", "unknown", "deleting"]), 0..8),
        damaged in vec(any::<bool>(), 10),
    ) {
        let names: Vec<String> = (0..damaged.len()).map(|n| format!("group-{n}")).collect();
        let mut steps = operation_steps(OperationKind::ClusterRepair, &spec(1, 1));
        for (name, state) in names.iter().zip(&left) {
            let resource = StepResource { kind: ResourceKind::SecurityGroup, name: name.clone(), cloud_id: None, state: (*state).to_owned() };
            steps[0].resources.push(resource);
        }
        let now = names.iter().zip(&damaged).filter(|(_, damaged)| **damaged).map(|(name, _)| (ResourceKind::SecurityGroup, name.as_str()));
        let expected = damaged.iter().zip(&left).any(|(damaged, state)| *damaged && matches!(*state, "ready" | "known"));
        prop_assert_eq!(broke_since(&steps, now), expected);
    }

    #[test]
    fn repairs_of_the_same_damage_rest_longer_each_time_and_never_for_more_than_a_day(retries in 0u32..1000) {
        let rest = |retries| repair_rest(retries, false);
        prop_assert!(rest(retries) >= REPAIR_REST && rest(retries) <= rest(retries + 1) && rest(retries) <= Duration::DAY);
        prop_assert!(retries >= REPAIR_RETRIES || rest(retries) * 2 <= rest(retries + 1));
        prop_assert_eq!(repair_rest(retries, true), REPAIR_REST);
    }
}

#[test]
fn a_server_that_was_in_error_for_a_while_and_is_well_again_is_no_reason_to_replace_its_node() {
    let mut world = World::running(1, 3);
    let worker = world.names(NodeRole::Worker)[0].clone();
    let fault = |world: &World| world.work.nodes.iter().find(|n| n.name == worker).unwrap().fault.as_ref().map(|f| f.code);
    world.server(&worker).state = ObjectState::Failed("the migration failed".into());
    world.watch(Duration::minutes(1));
    assert_eq!(fault(&world), Some(Code::ServerFailed));
    world.server(&worker).state = ObjectState::Ready;
    world.watch(Duration::minutes(1));
    assert_eq!(fault(&world), None);
    world.begin(OperationKind::ClusterRepair, &[]);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(world.names(NodeRole::Worker).contains(&worker));
}

#[test]
fn an_object_that_was_not_to_be_seen_for_a_while_keeps_its_place() {
    for kind in [ResourceKind::Router, ResourceKind::LoadBalancer, ResourceKind::Server] {
        let mut world = World::running(1, 1);
        world.work.cluster.spec.repair = RepairPolicy::Manual;
        let row = world.work.ledger.iter().find(|r| r.kind == kind).unwrap().clone();
        let object = world.objects.remove(row.cloud_id.as_ref().unwrap()).unwrap();
        world.watch(Duration::minutes(2));
        assert_eq!(world.work.ledger.iter().find(|r| r.id == row.id).unwrap().state, ResourceState::Gone);
        world.objects.insert(object.1.id.clone(), object);
        world.work.cluster.spec.repair = RepairPolicy::Automatic;
        world.watch(Duration::minutes(2));
        let now = world.work.ledger.iter().find(|r| r.id == row.id).unwrap();
        assert_eq!((now.key.as_str(), now.state), (row.key.as_str(), ResourceState::Known));
        assert!(world.log.is_empty(), "{:?}", world.log);
    }
}

#[test]
fn an_object_found_late_is_taken_away_without_anybody_asking() {
    let mut world = World::running(1, 1);
    let row = world.work.ledger.iter_mut().find(|r| r.key == "router").unwrap();
    let (id, object) = (row.cloud_id.clone().unwrap(), row.clone());
    // An older row of the same part, whose object was never seen.
    let mut late = object;
    late.id = domain::ids::ResourceId(uuid::Uuid::from_u128(99));
    late.cloud_id = None;
    late.state = ResourceState::Gone;
    let mut twin = world.objects[&id].clone();
    twin.1.id = "late".into();
    twin.1.owner = Some(late.id);
    world.work.ledger.push(late);
    world.objects.insert("late".into(), twin);
    world.watch(Duration::minutes(2));
    assert!(!world.objects.contains_key("late"));
    assert!(world.objects.contains_key(&id));
    repaired(&world);
}

#[test]
fn a_repair_that_a_quota_blocks_goes_on_after_one_rest() {
    let mut world = World::running(1, 1);
    world.objects.values_mut().find(|(k, _)| *k == ResourceKind::SecurityGroup).unwrap().1.drift = true;
    world.updates_refused = Some(Code::Quota);
    world.watch(Duration::minutes(5));
    let operation = world.work.operation.clone().unwrap();
    assert_eq!((operation.kind, operation.state), (OperationKind::ClusterRepair, OperationState::Blocked), "{operation:#?}");
    world.updates_refused = None;
    world.watch(BLOCKED_REST);
    repaired(&world);
}

#[test]
fn what_is_not_let_go_of_ends_a_repair_and_holds_up_nothing_that_somebody_asks_for() {
    let mut world = World::running(1, 2);
    let worker = world.names(NodeRole::Worker)[0].clone();
    world.objects.values_mut().find(|(k, o)| *k == ResourceKind::Volume && o.name == worker).unwrap().1.drift = true;
    world.updates_refused = Some(Code::InUse);
    world.watch(Duration::minutes(5));
    let repair = world.work.operation.clone().unwrap();
    assert_eq!((repair.kind, repair.state), (OperationKind::ClusterRepair, OperationState::Failed), "{repair:#?}");
    assert_eq!(repair.fault.unwrap().code, Code::InUse);
    world.resize(3);
    assert_eq!(world.settle(), OperationState::Succeeded, "{:#?}", world.work.operation);
    assert_eq!(world.condition(ConditionType::InfrastructureReady).reason, "ObjectsDrifted", "it is shown as long as it is so");
    world.updates_refused = None;
    world.watch(Duration::minutes(10));
    repaired(&world);
}

#[test]
fn what_is_not_let_go_of_keeps_nothing_else_from_being_repaired() {
    let mut world = World::running(1, 3);
    let workers = world.names(NodeRole::Worker);
    world.objects.values_mut().find(|(k, o)| *k == ResourceKind::Volume && o.name == workers[0]).unwrap().1.drift = true;
    world.updates_refused = Some(Code::InUse);
    world.server(&workers[1]).state = ObjectState::Failed("broken".into());
    while world.names(NodeRole::Worker).len() == workers.len() {
        world.step();
    }
    // The successor's server takes its time.
    world.blind = Some(ResourceKind::Server);
    world.watch(Duration::minutes(5));
    assert_eq!(world.state(), OperationState::Running, "{:#?}", world.work.operation);
    world.blind = None;
    world.watch(Duration::minutes(5));
    assert_eq!((world.state(), world.servers()), (OperationState::Failed, 4), "{:#?}", world.work.operation);
    assert!(!world.names(NodeRole::Worker).contains(&workers[1]));
    assert_eq!(world.work.operation.as_ref().unwrap().fault.as_ref().unwrap().code, Code::InUse);
    world.updates_refused = None;
    world.watch(REPAIR_REST);
    repaired(&world);
}
