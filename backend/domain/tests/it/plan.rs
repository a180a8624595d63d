//! `plan` against a perfect little world: it converges, in the right order, repairs nothing twice, and takes away what it made and only that.

use crate::world::World;
use domain::changes::Change;
use domain::clusters::Phase;
use domain::codes::Code;
use domain::ids::{ResourceId, TenantId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Bootstrap, Fault, NodeRole};
use domain::operations::{OperationState, StepState};
use domain::plan::{BOOTSTRAP_LIMIT, Kubernetes, Look, Object, ObjectState, Observed, plan};
use domain::tenants::ProjectState;
use proptest::prelude::*;
use std::collections::BTreeSet;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

#[test]
fn a_cluster_is_made_in_order_and_then_left_alone() {
    let mut world = World::new(3, 2);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.work.cluster.status.phase, Phase::Running);
    assert_eq!(world.servers(), 5);
    assert!(world.at("create network") < world.at("create subnet"));
    assert!(world.at("create load_balancer") < world.at("create floating_ip"));
    let masters: Vec<usize> =
        world.work.nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| world.at(&format!("create server/{}", n.name))).collect();
    assert!(masters.is_sorted());
    assert!(masters[0] > world.at("create load_balancer"));
    let operation = world.work.operation.clone().unwrap();
    assert_eq!(operation.progress, 100);
    assert!(operation.steps.iter().all(|s| s.state == StepState::Succeeded), "{:#?}", operation.steps);
    assert_eq!(world.work.cluster.observed_generation, 1);
    let before = (world.work.clone(), world.log.len());
    for _ in 0..5 {
        assert_eq!(world.step(), 0);
    }
    assert_eq!((world.work.clone(), world.log.len()), before, "a settled cluster is not written to");
}

#[test]
fn settled_clusters_of_a_tenant_are_looked_at_in_the_same_moments() {
    let due = |tenant: &str, seconds: i64| {
        let mut world = World::new(1, 1);
        world.settle();
        world.work.cluster.tenant = TenantId(tenant.into());
        world.now = OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap();
        let again = plan(&world.work, &world.observed(), world.now, &mut || Uuid::from_u128(1)).again;
        assert!(again > Duration::ZERO && again <= domain::plan::WATCH, "{again}");
        world.now + again
    };
    let of_a: BTreeSet<OffsetDateTime> = (0..60).map(|seconds| due("a", seconds)).collect();
    assert!(of_a.len() <= 3, "{of_a:?}");
    assert!(!of_a.contains(&due("b", 0)), "another tenant has other moments");
}

#[test]
fn a_delete_takes_away_everything_the_credential_last() {
    let mut world = World::new(1, 2);
    world.settle();
    let foreign = Object { id: "x".into(), name: "kcs-like".into(), owner: None, state: ObjectState::Ready, address: None, drift: false };
    world.objects.insert("x".into(), (ResourceKind::Server, foreign));
    let made = world.objects.len() - 1;
    world.delete();
    while !world.state().ended() {
        world.step();
        let blamed = world.work.nodes.iter().filter(|n| n.fault.is_some()).count();
        assert_eq!(blamed, 0, "what a deletion takes away is nobody's fault");
    }
    assert_eq!(world.state(), OperationState::Succeeded);
    assert_eq!(world.objects.keys().collect::<Vec<_>>(), vec!["x"]);
    assert!(world.work.cluster.deleted_at.is_some());
    assert_eq!(world.log.last().unwrap(), "delete application_credential");
    let receipt = world.work.operation.clone().unwrap().receipt.unwrap();
    assert_eq!(receipt.removed.len(), made);
    assert!(receipt.left.is_empty() && receipt.scanned_at.is_some());
}

#[test]
fn shrinking_drains_before_it_takes_servers_away() {
    let mut world = World::new(1, 3);
    world.settle();
    world.resize(1);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 2);
    let drained = world.drained.clone();
    assert_eq!(drained.len(), 2);
    for name in drained {
        assert!(world.at(&format!("drain {name}")) < world.at(&format!("delete server/{name}")));
    }
    world.resize(3);
    assert_eq!(world.settle(), OperationState::Succeeded);
    let mut names: Vec<&str> = world.work.nodes.iter().map(|n| n.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4, "no name is used twice");
    assert!(world.log.iter().filter(|e| e.starts_with("create server/")).count() == 6);
}

#[test]
fn a_failed_server_is_replaced_under_a_new_name_a_few_times_then_said() {
    let mut world = World::new(1, 1);
    world.broken_servers = 2;
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 2);

    let mut world = World::new(1, 1);
    world.broken_servers = 50;
    assert_eq!(world.settle(), OperationState::Failed);
    let operation = world.work.operation.clone().unwrap();
    assert_eq!(operation.fault.unwrap().code, Code::NoCapacity);
    assert!(operation.steps.iter().any(|s| s.state == StepState::Failed));
    assert_eq!(world.work.cluster.status.phase, Phase::Failed);
    world.broken_servers = 0;
    let operation = world.work.operation.as_mut().unwrap();
    operation.state = OperationState::Pending;
    operation.fault = None;
    operation.retries += 1;
    assert_eq!(world.settle(), OperationState::Succeeded, "a retry goes on from where it stood");
}

#[test]
fn volumes_of_many_nodes_that_break_together_are_replaced_each_a_few_times_then_it_is_said() {
    let mut world = World::new(3, 3);
    world.volumes_break = 2;
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert_eq!(world.servers(), 6);

    let mut world = World::new(1, 3);
    world.volumes_break = 3;
    assert_eq!(world.settle(), OperationState::Failed);
    assert_eq!(world.work.operation.as_ref().unwrap().fault.as_ref().unwrap().code, Code::VolumeFailed);
    for row in world.work.ledger.iter().filter(|r| r.kind == ResourceKind::Volume) {
        assert_eq!(world.times(&format!("create {}", row.key)), 3);
    }
}

#[test]
fn a_short_quota_blocks_and_goes_on_by_itself_when_raised() {
    let mut world = World::new(1, 1);
    world.quota_short = true;
    assert_eq!(world.settle(), OperationState::Blocked);
    assert_eq!(world.work.operation.as_ref().unwrap().fault.as_ref().unwrap().code, Code::Quota);
    let calls = world.log.len();
    for _ in 0..10 {
        world.step();
    }
    assert_eq!(world.log.len(), calls, "blocked means no calls");
    world.quota_short = false;
    world.now += domain::plan::BLOCKED_REST;
    assert_eq!(world.settle(), OperationState::Succeeded);
}

#[test]
fn what_is_blocked_says_that_its_project_is_closed_as_soon_as_that_is_known_and_goes_on_when_it_is_back() {
    let mut world = World::new(1, 1);
    world.quota_short = true;
    assert_eq!(world.settle(), OperationState::Blocked);
    let rests_until = world.work.operation.as_ref().unwrap().next_attempt_at;
    let refused = Fault { code: Code::CredentialInvalid, message: "401".into(), cloud_request_id: None, retryable: true, object: None };
    let said = |world: &mut World, project: Option<ProjectState>| {
        let looks = ResourceKind::ALL.into_iter().map(|kind| (kind, Look::Blind(refused.clone()))).collect();
        let decided = plan(&world.work, &Observed { looks, project, ..Observed::default() }, world.now, &mut Uuid::now_v7);
        assert!(decided.actions.is_empty());
        world.apply(decided.changes);
        let operation = world.work.operation.clone().unwrap();
        assert_eq!((operation.state, operation.next_attempt_at), (OperationState::Blocked, rests_until));
        operation.fault.unwrap().code
    };
    assert_eq!(said(&mut world, None), Code::Quota);
    assert_eq!(said(&mut world, Some(ProjectState::Disabled)), Code::TenantDisabled);
    assert_eq!(said(&mut world, Some(ProjectState::Gone)), Code::TenantGone);
    assert_eq!(said(&mut world, None), Code::TenantGone, "while nobody says otherwise");
    world.quota_short = false;
    assert_eq!(world.settle(), OperationState::Succeeded, "it does not rest any longer once the cloud lets it look");
}

#[test]
fn nothing_is_concluded_from_blindness() {
    let mut world = World::new(1, 1);
    world.settle();
    let fault = Fault { code: Code::CloudUnavailable, message: "503".into(), cloud_request_id: None, retryable: true, object: None };
    let looks = ResourceKind::ALL.into_iter().map(|k| (k, Look::Blind(fault.clone()))).collect();
    let blind = Observed { looks, kubernetes: Kubernetes::NotTried, ..Observed::default() };
    let decided = plan(&world.work, &blind, world.now, &mut Uuid::now_v7);
    assert!(decided.actions.is_empty());
    assert!(!decided.changes.iter().any(|c| matches!(c, Change::Ledger(_) | Change::NodeGone(_))), "{:?}", decided.changes);
    world.delete();
    let decided = plan(&world.work, &blind, world.now, &mut Uuid::now_v7);
    assert!(!decided.changes.iter().any(|c| matches!(c, Change::ClusterGone | Change::Ledger(_))));
}

#[test]
fn an_unknown_outcome_is_looked_for_twice_and_found_late_is_taken_away() {
    let mut world = World::new(1, 1);
    while !world.log.contains(&"create router".to_owned()) {
        world.step();
    }
    // The answer was lost and the object does not show.
    let row = world.work.ledger.iter_mut().find(|r| r.key == "router").unwrap();
    row.state = ResourceState::Unknown;
    let hidden = world.objects.remove(&row.cloud_id.take().unwrap()).unwrap();
    let first = row.id;
    let start = world.now;
    while world.log.iter().filter(|e| *e == "create router").count() < 2 {
        world.step();
    }
    assert!(world.now - start >= domain::plan::SETTLE * 2);
    world.objects.insert(hidden.1.id.clone(), hidden);
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(world.objects.values().all(|(_, o)| o.owner != Some(first)), "the late twin is gone");
    assert_eq!(world.objects.values().filter(|(k, _)| *k == ResourceKind::Router).count(), 1);
}

#[test]
fn two_objects_with_one_mark_stop_everything() {
    let mut world = World::new(1, 0);
    while !world.log.contains(&"create network".to_owned()) {
        world.step();
    }
    let row = world.work.ledger.iter_mut().find(|r| r.key == "network").unwrap();
    row.state = ResourceState::Unknown;
    row.cloud_id = None;
    let mut twin = world.objects.values().find(|(k, _)| *k == ResourceKind::Network).unwrap().clone();
    twin.1.id = "twin".into();
    world.objects.insert("twin".into(), twin);
    assert_eq!(world.settle(), OperationState::Blocked);
    assert_eq!(world.work.operation.as_ref().unwrap().fault.as_ref().unwrap().code, Code::Ambiguous);
    assert!(!world.log.iter().any(|e| e.starts_with("delete")));
}

#[test]
fn case_30_a_node_that_says_it_failed_is_replaced() {
    let mut world = World::new(1, 1);
    while world.servers() < 2 {
        world.step();
    }
    let master = world.work.nodes.iter_mut().find(|n| n.role == NodeRole::Master).unwrap();
    let name = master.name.clone();
    master.bootstrap = Bootstrap::Failed { lines: "error: kubeadm".into(), at: world.now };
    master.joined_at = None;
    world.drained.push(name.clone());
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(world.log.contains(&format!("delete server/{name}")));
    let gone: ResourceId = world.work.ledger.iter().find(|r| r.key == format!("server/{name}")).unwrap().id;
    assert!(
        world.work.ledger.iter().any(|r| r.id == gone && r.state == ResourceState::Gone && r.fault.as_ref().unwrap().code == Code::BootstrapFailed)
    );
}

#[test]
fn case_30_a_node_that_is_never_heard_of_is_replaced_once_its_time_is_over() {
    let mut world = World::new(1, 1);
    while world.servers() < 2 {
        world.step();
    }
    let silent = world.names(NodeRole::Worker)[0].clone();
    world.sick.push(silent.clone());
    world.watch(BOOTSTRAP_LIMIT - Duration::minutes(1));
    assert_eq!(world.names(NodeRole::Worker), [silent.as_str()], "not before");
    world.watch(Duration::minutes(2));
    assert_eq!(world.settle(), OperationState::Succeeded);
    assert!(!world.names(NodeRole::Worker).contains(&silent) && world.servers() == 2);
    let late = |r: &LedgerRow| r.key == format!("server/{silent}") && r.fault.as_ref().is_some_and(|f| f.code == Code::BootstrapTimeout);
    assert!(world.work.ledger.iter().any(|r| late(r) && r.state == ResourceState::Gone));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn any_sequence_of_resizes_ends_with_what_was_asked_and_a_delete_with_nothing(
        masters in prop_oneof![Just(1u32), Just(3u32)], sizes in proptest::collection::vec((0u32..6, 0usize..40), 1..5), broken in 0u32..3,
    ) {
        let mut world = World::new(masters, 2);
        world.broken_servers = broken;
        for (size, interrupted_after) in sizes {
            for _ in 0..interrupted_after {
                world.step();
            }
            if world.state() == OperationState::Running || world.state() == OperationState::Pending {
                // The spec changes in the middle: the store would refuse it, the plan must cope.
                world.work.cluster.spec.node_pools[0].count = size;
            } else {
                world.resize(size);
            }
        }
        prop_assert_eq!(world.settle(), OperationState::Succeeded);
        let wanted = masters as usize + world.work.cluster.spec.node_pools[0].count as usize;
        prop_assert_eq!(world.servers(), wanted);
        world.delete();
        prop_assert_eq!(world.settle(), OperationState::Succeeded);
        prop_assert!(world.objects.is_empty());
        prop_assert!(world.work.ledger.iter().all(|r| r.state == ResourceState::Gone));
    }
}
