//! `plan` against a perfect little world: it converges, in the right order, repairs nothing twice, and takes away what it made and only that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::changes::{Change, Work};
use domain::clusters::{Cluster, ClusterSpec, ClusterStatus, ControlPlaneSpec, NetworkSpec, NodePoolSpec, Phase};
use domain::codes::Code;
use domain::ids::{ClusterId, OperationId, ResourceId, TenantId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Bootstrap, Fault, NodeRole};
use domain::operations::{Operation, OperationKind, OperationState, StepState};
use domain::plan::{Action, Kubernetes, KubernetesView, Look, Object, ObjectState, Observed, plan};
use proptest::prelude::*;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

struct World {
    work: Work,
    objects: BTreeMap<String, (ResourceKind, Object)>,
    drained: Vec<String>,
    now: OffsetDateTime,
    ids: u64,
    log: Vec<String>,
    /// Server creations that end in ERROR, from the front.
    broken_servers: u32,
    quota_short: bool,
}

fn spec(masters: u32, workers: u32) -> ClusterSpec {
    ClusterSpec {
        version: "v1.36.3".into(),
        network: NetworkSpec {
            external_network: "ext".into(),
            node_cidr: "10.0.0.0/24".parse().unwrap(),
            pod_cidr: "10.128.0.0/16".parse().unwrap(),
            service_cidr: "10.96.0.0/16".parse().unwrap(),
            dns_servers: vec![],
        },
        control_plane: ControlPlaneSpec { count: masters, flavor: "m".into(), root_volume_gib: 20, volume_type: None, zones: vec![] },
        node_pools: vec![NodePoolSpec {
            name: "default".into(),
            flavor: "m".into(),
            count: workers,
            root_volume_gib: 20,
            volume_type: None,
            zones: vec![],
            labels: BTreeMap::new(),
            taints: vec![],
        }],
        deletion_protection: false,
    }
}

fn operation(cluster: ClusterId, kind: OperationKind, now: OffsetDateTime) -> Operation {
    Operation {
        id: OperationId(Uuid::from_u128(7)),
        cluster,
        kind,
        state: OperationState::Pending,
        progress: 0,
        steps: vec![],
        fault: None,
        receipt: None,
        created_at: now,
        created_by: "member-a".into(),
        started_at: None,
        finished_at: None,
        next_attempt_at: None,
        deadline_at: now + Duration::hours(1),
        retries: 0,
    }
}

impl World {
    fn new(masters: u32, workers: u32) -> Self {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let id = ClusterId(Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0));
        let cluster = Cluster {
            id,
            tenant: TenantId("t".into()),
            tenant_name: "t".into(),
            name: "demo".into(),
            spec: spec(masters, workers),
            generation: 1,
            observed_generation: 0,
            status: ClusterStatus::new(),
            operation: None,
            created_at: now,
            created_by: "u".into(),
            delete_requested_at: None,
            deleted_at: None,
        };
        let operation = Some(operation(id, OperationKind::ClusterCreate, now));
        Self {
            work: Work { cluster, nodes: vec![], ledger: vec![], operation },
            objects: BTreeMap::new(),
            drained: vec![],
            now,
            ids: 100,
            log: vec![],
            broken_servers: 0,
            quota_short: false,
        }
    }

    fn observed(&self) -> Observed {
        let mut looks: BTreeMap<ResourceKind, Look> = ResourceKind::ALL.into_iter().map(|k| (k, Look::Seen(vec![]))).collect();
        for (kind, object) in self.objects.values() {
            if let Some(Look::Seen(list)) = looks.get_mut(kind) {
                list.push(object.clone());
            }
        }
        let up = |name: &str| self.objects.values().any(|(k, o)| *k == ResourceKind::Server && o.name == name && o.state == ObjectState::Ready);
        let masters = self.work.nodes.iter().any(|n| n.role == NodeRole::Master && up(&n.name));
        let kubernetes = if masters {
            let nodes = self.work.nodes.iter().filter(|n| up(&n.name) && !self.drained.contains(&n.name)).map(|n| (n.name.clone(), Some(true)));
            Kubernetes::Reachable(KubernetesView { nodes: nodes.collect(), access: self.log.contains(&"access".to_owned()), join_tokens: vec![] })
        } else {
            Kubernetes::NotTried
        };
        Observed { looks, kubernetes }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Status(s) => self.work.cluster.status = s,
                Change::ObservedGeneration(g) => self.work.cluster.observed_generation = g,
                Change::Ledger(row) => self.put(row),
                Change::Node(node) => match self.work.nodes.iter_mut().find(|n| n.id == node.id) {
                    Some(old) => *old = node,
                    None => self.work.nodes.push(node),
                },
                Change::NodeGone(id) => self.work.nodes.retain(|n| n.id != id),
                Change::Operation(o) => self.work.operation = Some(o),
                Change::ClusterGone => self.work.cluster.deleted_at = Some(self.now),
            }
        }
    }

    fn put(&mut self, row: LedgerRow) {
        let live = |r: &LedgerRow| r.key == row.key && r.id != row.id && r.state != ResourceState::Gone;
        assert!(row.state == ResourceState::Gone || !self.work.ledger.iter().any(live), "two live rows of {}", row.key);
        match self.work.ledger.iter_mut().find(|r| r.id == row.id) {
            Some(old) => *old = row,
            None => self.work.ledger.push(row),
        }
    }

    /// One pass; answers how many actions there were.
    fn step(&mut self) -> usize {
        let observed = self.observed();
        let mut ids = self.ids;
        let plan = plan(&self.work, &observed, self.now, &mut || {
            ids += 1;
            Uuid::from_u128(u128::from(ids))
        });
        self.ids = ids;
        self.apply(plan.changes);
        let count = plan.actions.len();
        for action in plan.actions {
            self.act(action);
        }
        self.now += plan.again.clamp(Duration::milliseconds(10), Duration::seconds(30));
        count
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Create(mut row) => {
                self.log.push(format!("create {}", row.key));
                if self.quota_short && row.kind == ResourceKind::Server {
                    row.state = ResourceState::Intended;
                    row.failures += 1;
                    row.fault = Some(Fault {
                        code: Code::Quota,
                        message: "Quota exceeded for cores".into(),
                        cloud_request_id: None,
                        retryable: false,
                        object: None,
                    });
                    return self.put(row);
                }
                let state = if row.kind == ResourceKind::Server && self.broken_servers > 0 {
                    self.broken_servers -= 1;
                    ObjectState::Failed("No valid host was found.".into())
                } else {
                    ObjectState::Ready
                };
                let id = format!("cloud-{}", row.id);
                let object =
                    Object { id: id.clone(), name: row.name.clone(), owner: Some(row.id), state, address: Some("10.0.0.9".into()), drift: false };
                self.objects.insert(id.clone(), (row.kind, object));
                row.state = ResourceState::Known;
                row.cloud_id = Some(id);
                row.address = Some("10.0.0.9".into());
                self.put(row);
            }
            Action::Delete(mut row) => {
                self.log.push(format!("delete {}", row.key));
                let id = row.cloud_id.clone().expect("only what is known is deleted");
                self.objects.remove(&id);
                row.state = ResourceState::Gone;
                self.put(row);
            }
            Action::Update(_) | Action::EnsureJoinToken(_) | Action::ForgetNode(_) => {}
            Action::EnsureAccess => self.log.push("access".into()),
            Action::Drain(id) => {
                let name = self.work.nodes.iter().find(|n| n.id == id).unwrap().name.clone();
                self.log.push(format!("drain {name}"));
                self.drained.push(name);
            }
        }
    }

    fn state(&self) -> OperationState {
        self.work.operation.as_ref().unwrap().state
    }

    fn settle(&mut self) -> OperationState {
        for _ in 0..500 {
            self.step();
            if self.state().ended() || self.state() == OperationState::Blocked {
                break;
            }
        }
        self.state()
    }

    fn resize(&mut self, count: u32) {
        self.work.cluster.spec.node_pools[0].count = count;
        self.work.cluster.generation += 1;
        self.work.operation = Some(operation(self.work.cluster.id, OperationKind::NodePoolResize, self.now));
    }

    fn delete(&mut self) {
        self.work.cluster.delete_requested_at = Some(self.now);
        self.work.operation = Some(operation(self.work.cluster.id, OperationKind::ClusterDelete, self.now));
    }

    fn at(&self, entry: &str) -> usize {
        self.log.iter().position(|e| e == entry).unwrap_or_else(|| panic!("{entry} not in {:#?}", self.log))
    }

    fn servers(&self) -> usize {
        self.objects.values().filter(|(k, _)| *k == ResourceKind::Server).count()
    }
}

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
    let before = (world.work.clone(), world.log.len());
    for _ in 0..5 {
        assert_eq!(world.step(), 0);
    }
    assert_eq!((world.work.clone(), world.log.len()), before, "a settled cluster is not written to");
}

#[test]
fn a_delete_takes_away_everything_the_credential_last() {
    let mut world = World::new(1, 2);
    world.settle();
    let foreign = Object { id: "x".into(), name: "kcs-like".into(), owner: None, state: ObjectState::Ready, address: None, drift: false };
    world.objects.insert("x".into(), (ResourceKind::Server, foreign));
    let made = world.objects.len() - 1;
    world.delete();
    assert_eq!(world.settle(), OperationState::Succeeded);
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
fn nothing_is_concluded_from_blindness() {
    let mut world = World::new(1, 1);
    world.settle();
    let fault = Fault { code: Code::CloudUnavailable, message: "503".into(), cloud_request_id: None, retryable: true, object: None };
    let blind =
        Observed { looks: ResourceKind::ALL.into_iter().map(|k| (k, Look::Blind(fault.clone()))).collect(), kubernetes: Kubernetes::NotTried };
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
fn a_node_that_says_it_failed_is_replaced() {
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
