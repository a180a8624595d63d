//! A perfect little world for `plan`: what it decides happens, and what it did is written down.

use domain::changes::{Change, Work};
use domain::codes::Code;
use domain::conditions::ConditionStatus;
use domain::ids::{ClusterId, OperationId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Fault, NodeRole};
use domain::operations::{Operation, OperationKind, OperationState};
use domain::plan::{
    Action, AddonsView, KeyStage, KeysView, Kubernetes, KubernetesView, Look, Object, ObjectState, Observed, Release, SecretsView, masters_too_many,
    plan,
};
use domain::test_support::{cluster, spec};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub struct World {
    pub work: Work,
    pub objects: BTreeMap<String, (ResourceKind, Object)>,
    pub drained: Vec<String>,
    /// Masters whose member of etcd was taken out.
    pub detached: Vec<domain::ids::NodeId>,
    /// Nodes that are not ready, whatever their servers are.
    pub sick: Vec<String>,
    /// Masters whose API servers the load balancer does not find answering.
    pub mute: Vec<String>,
    /// A kind that the cloud does not answer for.
    pub blind: Option<ResourceKind>,
    pub api_down: bool,
    /// Kubernetes nodes go with their servers.
    pub cloud_controller: bool,
    pub access: bool,
    /// What is seen of the add-ons once the API answers.
    pub addons: Option<AddonsView>,
    /// What programs in the cluster made in the cloud.
    pub inside: Vec<domain::plan::Inside>,
    pub now: OffsetDateTime,
    pub ids: u64,
    pub log: Vec<String>,
    /// Server creations that end in ERROR, from the front.
    pub broken_servers: u32,
    /// How often each volume ends in ERROR before it is made.
    pub volumes_break: usize,
    pub quota_short: bool,
    /// What the cloud says to updates and reboots instead of making them.
    pub updates_refused: Option<Code>,
    /// Rows whose updates the cloud accepts, and nothing comes of it.
    pub updates_in_vain: Vec<String>,
    /// The list of keys for Secrets, and how far these are written anew.
    pub keys: KeysView,
    pub secrets: Option<SecretsView>,
    /// What the cluster says instead of taking a Secret back.
    pub secrets_refused: Option<String>,
}

pub fn operation(cluster: ClusterId, kind: OperationKind, now: OffsetDateTime) -> Operation {
    Operation::new(OperationId(Uuid::from_u128(7)), cluster, kind, "member-a", now)
}

impl World {
    pub fn new(masters: u32, workers: u32) -> Self {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let id = ClusterId(Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0));
        let cluster = cluster(id, "t", spec(masters, workers), now);
        let operation = Some(operation(id, OperationKind::ClusterCreate, now));
        Self {
            work: Work { cluster, nodes: vec![], ledger: vec![], operation },
            objects: BTreeMap::new(),
            drained: vec![],
            detached: vec![],
            sick: vec![],
            mute: vec![],
            blind: None,
            api_down: false,
            cloud_controller: false,
            access: false,
            addons: None,
            inside: vec![],
            now,
            ids: 100,
            log: vec![],
            broken_servers: 0,
            volumes_break: 0,
            quota_short: false,
            updates_refused: None,
            updates_in_vain: vec![],
            keys: KeysView { generation: 0, stage: KeyStage::Settled, changed_at: None },
            secrets: None,
            secrets_refused: None,
        }
    }

    /// A cluster that was made; what that took is not in the log.
    pub fn running(masters: u32, workers: u32) -> Self {
        let mut world = Self::new(masters, workers);
        assert_eq!(world.settle(), OperationState::Succeeded);
        world.log.clear();
        world
    }

    pub fn observed(&self) -> Observed {
        let mut looks: BTreeMap<ResourceKind, Look> = ResourceKind::ALL.into_iter().map(|k| (k, Look::Seen(vec![]))).collect();
        for (kind, object) in self.objects.values() {
            if let Some(Look::Seen(list)) = looks.get_mut(kind) {
                list.push(object.clone());
            }
        }
        let up = |name: &str| self.objects.values().any(|(k, o)| *k == ResourceKind::Server && o.name == name && o.state == ObjectState::Ready);
        let masters = self.work.nodes.iter().any(|n| n.role == NodeRole::Master && up(&n.name));
        let kubernetes = if self.api_down {
            Kubernetes::Unreachable("connection refused".into())
        } else if masters {
            let server = |name: &str| self.objects.values().any(|(k, o)| *k == ResourceKind::Server && o.name == name);
            let here = self.work.nodes.iter().filter(|n| (n.joined_at.is_some() || up(&n.name)) && !self.drained.contains(&n.name));
            let here = here.filter(|n| !self.cloud_controller || server(&n.name));
            let nodes = here.map(|n| (n.name.clone(), Some(up(&n.name) && !self.sick.contains(&n.name))));
            Kubernetes::Reachable(KubernetesView {
                nodes: nodes.collect(),
                access: self.access,
                addons: self.addons.clone(),
                detached: self.detached.clone(),
                released: self.work.nodes.iter().filter(|n| self.drained.contains(&n.name)).map(|n| n.id).collect(),
                secrets: self.secrets.clone(),
                ..KubernetesView::default()
            })
        } else {
            Kubernetes::NotTried
        };
        for made in &self.inside {
            let row = self.work.ledger.iter().find(|r| r.cloud_id.as_ref() == Some(&made.id));
            if let (Some(row), Some(Look::Seen(list))) = (row, looks.get_mut(&made.kind)) {
                let (id, name) = (made.id.clone(), made.name.clone());
                list.push(Object { id, name, owner: Some(row.id), state: ObjectState::Ready, address: None, drift: false });
            }
        }
        if let Some(kind) = self.blind {
            let message = "the cloud does not answer".to_owned();
            looks.insert(kind, Look::Blind(Fault { code: Code::CloudUnavailable, message, cloud_request_id: None, retryable: true, object: None }));
        }
        let serves = |n: &&domain::nodes::Node| n.role == NodeRole::Master && up(&n.name) && !self.mute.contains(&n.name);
        let asked = (masters_too_many(&self.work) > 0 || self.api_down) && self.blind != Some(ResourceKind::LoadBalancer);
        let serving = asked.then(|| self.work.nodes.iter().filter(serves).map(|n| n.id).collect());
        Observed { looks, kubernetes, inside: Some(self.inside.clone()), encryption: Some(self.keys), serving, added_rules: None, project: None }
    }

    pub fn apply(&mut self, changes: Vec<Change>) {
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
                Change::Operation(o) | Change::OperationBegun(o) => self.work.operation = Some(o),
                Change::ClusterGone => self.work.cluster.deleted_at = Some(self.now),
            }
        }
    }

    pub fn put(&mut self, row: LedgerRow) {
        let live = |r: &LedgerRow| r.key == row.key && r.id != row.id && r.state != ResourceState::Gone;
        assert!(row.state == ResourceState::Gone || !self.work.ledger.iter().any(live), "two live rows of {}", row.key);
        match self.work.ledger.iter_mut().find(|r| r.id == row.id) {
            Some(old) => *old = row,
            None => self.work.ledger.push(row),
        }
    }

    /// One pass; answers how many actions there were.
    pub fn step(&mut self) -> usize {
        let observed = self.observed();
        let mut ids = self.ids;
        let plan = plan(&self.work, &observed, self.now, &mut || {
            ids += 1;
            Uuid::from_u128(u128::from(ids))
        });
        self.ids = ids;
        let handed_over = self.work.cluster.observed_generation > 0;
        self.apply(plan.changes);
        // What is wrong with a cluster in use has a code, by which the console knows what to do about it.
        let conditions = &self.work.cluster.status.conditions;
        let without = conditions.iter().find(|c| handed_over && c.status == ConditionStatus::False && c.code.is_none());
        assert_eq!(without, None);
        let count = plan.actions.len();
        for action in plan.actions {
            self.act(action);
        }
        self.now += plan.again.clamp(Duration::milliseconds(10), Duration::seconds(30));
        count
    }

    pub fn act(&mut self, action: Action) {
        match action {
            Action::Create(mut row) => {
                self.log.push(format!("create {}", row.key));
                let named = |(kind, object): &(ResourceKind, Object)| *kind == ResourceKind::ApplicationCredential && object.name == row.name;
                assert!(!self.objects.values().any(named), "Keystone takes no second credential of the name {}", row.name);
                if self.quota_short && row.kind == ResourceKind::Server {
                    row.state = ResourceState::Intended;
                    return self.refuse(row, Code::Quota);
                }
                let state = match row.kind {
                    ResourceKind::Server if self.broken_servers > 0 => {
                        self.broken_servers -= 1;
                        ObjectState::Failed("No valid host was found.".into())
                    }
                    ResourceKind::Volume if self.times(&format!("create {}", row.key)) <= self.volumes_break => {
                        ObjectState::Failed("no space".into())
                    }
                    _ => ObjectState::Ready,
                };
                let id = format!("cloud-{}", row.id);
                let object =
                    Object { id: id.clone(), name: row.name.clone(), owner: Some(row.id), state, address: Some("10.0.0.9".into()), drift: false };
                self.objects.insert(id.clone(), (row.kind, object));
                // A server boots at once, with the list and the audit of this moment.
                if let Some(node) = self.work.nodes.iter_mut().find(|n| row.kind == ResourceKind::Server && n.name == row.name) {
                    node.key_generation = self.keys.generation;
                    node.api_audit = Some(self.work.cluster.spec.audit.level);
                }
                row.state = ResourceState::Known;
                row.cloud_id = Some(id);
                row.address = Some("10.0.0.9".into());
                self.put(row);
            }
            Action::Delete(mut row) => {
                self.log.push(format!("delete {}", row.key));
                let id = row.cloud_id.clone().expect("only what is known is deleted");
                self.objects.remove(&id);
                self.inside.retain(|made| made.id != id);
                row.state = ResourceState::Gone;
                self.put(row);
            }
            Action::Update(mut row) => {
                self.log.push(format!("update {}", row.key));
                if let Some(code) = self.updates_refused {
                    return self.refuse(row, code);
                }
                if let Some((_, object)) = row.cloud_id.as_ref().and_then(|id| self.objects.get_mut(id)) {
                    object.drift = self.updates_in_vain.contains(&row.key);
                }
                (row.failures, row.fault) = (0, None);
                self.put(row);
            }
            Action::Start(mut row) | Action::Reboot(mut row) => {
                self.log.push(format!("power {}", row.key));
                if let Some(code) = self.updates_refused {
                    return self.refuse(row, code);
                }
                if let Some((_, object)) = row.cloud_id.as_ref().and_then(|id| self.objects.get_mut(id)) {
                    object.state = ObjectState::Ready;
                }
                (row.failures, row.fault) = (0, None);
                self.put(row);
            }
            Action::EnsureJoinToken(_) | Action::ForgetNode(_) | Action::Drain(_) => {}
            Action::ApplyAddons => {
                self.log.push("apply add-ons".to_owned());
                if let Some(addons) = &mut self.addons {
                    addons.applied = true;
                }
            }
            Action::SwitchCredential { mut next, mut old } => {
                self.log.push("switch the credential".to_owned());
                (old.key, next.key) = (domain::plan::OLD_CREDENTIAL.to_owned(), domain::plan::CREDENTIAL.to_owned());
                self.put(*old);
                self.put(next);
                if let Some(addons) = &mut self.addons {
                    addons.applied = false;
                }
            }
            Action::AdvanceKeys { from, at } => {
                assert_eq!(from, self.keys);
                let stage = match from.stage {
                    KeyStage::Settled => KeyStage::Introduced,
                    KeyStage::Introduced => KeyStage::InUse,
                    KeyStage::InUse => KeyStage::Settled,
                };
                self.keys = KeysView { generation: from.generation + 1, stage, changed_at: Some(at) };
                self.log.push(format!("keys {}", self.keys.generation));
            }
            Action::RewriteSecrets(generation) => {
                self.log.push(format!("write Secrets {generation}"));
                let refused = self.secrets_refused.clone();
                self.secrets = Some(SecretsView { generation, done: refused.is_none(), refused });
            }
            Action::EnsureAccess => self.access = true,
            Action::Release(Release { node, .. }) => {
                let name = self.work.nodes.iter().find(|n| n.id == node).unwrap().name.clone();
                self.log.push(format!("drain {name}"));
                self.drained.push(name);
                self.detached.push(node);
            }
        }
    }

    fn refuse(&mut self, mut row: LedgerRow, code: Code) {
        row.failures += 1;
        row.fault = Some(Fault { code, message: "refused".into(), cloud_request_id: None, retryable: code.retryable(), object: None });
        self.put(row);
    }

    pub fn state(&self) -> OperationState {
        self.work.operation.as_ref().unwrap().state
    }

    pub fn settle(&mut self) -> OperationState {
        for _ in 0..500 {
            self.step();
            if self.state().ended() || self.state() == OperationState::Blocked {
                break;
            }
        }
        self.state()
    }

    pub fn resize(&mut self, count: u32) {
        self.work.cluster.spec.node_pools[0].count = count;
        self.work.cluster.generation += 1;
        self.work.operation = Some(operation(self.work.cluster.id, OperationKind::NodePoolResize, self.now));
    }

    pub fn begin(&mut self, kind: OperationKind, nodes: &[domain::ids::NodeId]) {
        self.work.operation = Some(Operation { nodes: nodes.to_vec(), ..operation(self.work.cluster.id, kind, self.now) });
    }

    pub fn names(&self, role: NodeRole) -> Vec<String> {
        self.work.nodes.iter().filter(|n| n.role == role).map(|n| n.name.clone()).collect()
    }

    pub fn server(&mut self, name: &str) -> &mut Object {
        &mut self.objects.values_mut().find(|(k, o)| *k == ResourceKind::Server && o.name == name).unwrap().1
    }

    /// Somebody takes an object away behind our back.
    pub fn vanish(&mut self, kind: ResourceKind, name: &str) {
        self.objects.retain(|_, (k, o)| *k != kind || o.name != name);
    }

    /// Lets so much time pass, looking every fifteen seconds.
    pub fn watch(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    pub fn condition(&self, wanted: domain::conditions::ConditionType) -> &domain::conditions::Condition {
        self.work.cluster.status.conditions.iter().find(|c| c.r#type == wanted).unwrap()
    }

    pub fn delete(&mut self) {
        self.work.cluster.delete_requested_at = Some(self.now);
        self.work.operation = Some(operation(self.work.cluster.id, OperationKind::ClusterDelete, self.now));
    }

    pub fn at(&self, entry: &str) -> usize {
        self.log.iter().position(|e| e == entry).unwrap_or_else(|| panic!("{entry} not in {:#?}", self.log))
    }

    pub fn times(&self, entry: &str) -> usize {
        self.log.iter().filter(|e| *e == entry).count()
    }

    pub fn servers(&self) -> usize {
        self.objects.values().filter(|(k, _)| *k == ResourceKind::Server).count()
    }
}
