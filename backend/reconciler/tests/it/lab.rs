//! One cluster, one engine, one stepped cloud, and the means to cut them at every call.

use crate::kubernetes::{Api, InCluster, running};
use crate::memory::{Db, MemoryJournal};
use async_trait::async_trait;
use bytes::Bytes;
use cloud_openstack::{Config, Interface, OpenStack, Transport, TransportError};
use domain::changes::Work;
use domain::clusters::{Cluster, ClusterSpec, ClusterStatus, ControlPlaneSpec, NetworkSpec, NodePoolSpec};
use domain::ids::{ClusterId, OperationId, TenantId};
use domain::ledger::ResourceState;
use domain::nodes::{Bootstrap, NodeIntent, NodeRole};
use domain::operations::{Operation, OperationKind, OperationState};
use domain::versions::{CatalogueVersion, Support};
use domain::wishes::{Undo, Wish};
use local_cloud::{LocalCloud, LocalCloudConfig, Time};
use reconciler::pass::{Next, pass};
use reconciler::world::{Memory, Services};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Where the next engine dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the nth call leaves.
    Before(u64),
    /// After the nth call was done, before its answer is read.
    After(u64),
    /// The nth call is done, its answer is lost, the engine lives on.
    Lost(u64),
}

/// What the transport and the engine share about life and death.
#[derive(Default)]
pub struct Fate {
    pub calls: u64,
    pub cut: Option<Cut>,
    pub dead: bool,
}

struct Wire {
    cloud: LocalCloud,
    fate: Arc<Mutex<Fate>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let lost = |sent| TransportError { sent, message: "connection reset by peer".to_owned() };
        let number = {
            let mut fate = self.fate.lock().unwrap();
            if fate.dead {
                return Err(lost(false));
            }
            fate.calls += 1;
            if fate.cut == Some(Cut::Before(fate.calls)) {
                fate.dead = true;
                return Err(lost(false));
            }
            fate.calls
        };
        let answer = self.cloud.handle_faulty(request).map_err(|l| lost(l.done));
        let mut fate = self.fate.lock().unwrap();
        match fate.cut {
            Some(Cut::After(n)) if n == number => {
                fate.dead = true;
                Err(lost(true))
            }
            Some(Cut::Lost(n)) if n == number => Err(lost(true)),
            _ => answer,
        }
    }
}

pub struct Lab {
    pub cloud: LocalCloud,
    pub db: Arc<Mutex<Db>>,
    pub fate: Arc<Mutex<Fate>>,
    pub in_cluster: Arc<Mutex<InCluster>>,
    pub now: OffsetDateTime,
    tenant: String,
    services: Services,
    journal: MemoryJournal,
    ids: u128,
    /// Objects that were there before the cluster.
    foreign: BTreeSet<String>,
}

const PASSWORD: &str = "stepped";

impl Lab {
    /// A lab whose cluster has not been begun. The same seed gives the same run.
    pub fn new(seed: u64, masters: u32, workers: u32) -> Self {
        let config = LocalCloudConfig {
            time: Time::Stepped,
            seed: Some(seed),
            password: PASSWORD.to_owned(),
            token_seconds: 400_000_000,
            ..LocalCloudConfig::default()
        };
        let cloud = LocalCloud::new(config);
        let tenant = cloud.project_id("tenant-a").unwrap();
        let external = cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "public").unwrap().id;
        let foreign = cloud.dump().into_iter().map(|o| o.id).collect();
        let now = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(i64::try_from(cloud.now_ms()).unwrap());
        let db = Arc::new(Mutex::new(Db {
            work: new_work(seed, &tenant, &external, masters, workers, now),
            secrets: BTreeMap::new(),
            gone: false,
            fence: 0,
            commits: 0,
        }));
        let fate = Arc::new(Mutex::new(Fate::default()));
        let in_cluster = Arc::new(Mutex::new(InCluster::default()));
        let services = services(&cloud, &fate, &in_cluster);
        let journal = MemoryJournal::claim(&db);
        Self { cloud, db, fate, in_cluster, now, tenant, services, journal, ids: u128::from(seed) << 64, foreign }
    }

    /// Makes objects of the tenant's own whose names look like ours; they must survive everything.
    pub fn add_lookalikes(&mut self) {
        let cluster = self.work().cluster.id;
        self.cloud.add_foreign(&self.tenant, &format!("kcs-{cluster}-net"));
        self.cloud.add_foreign(&self.tenant, "kcs-like");
        self.foreign = self.cloud.dump().into_iter().map(|o| o.id).collect();
    }

    pub fn work(&self) -> Work {
        self.db.lock().unwrap().work.clone()
    }

    pub fn operation(&self) -> Operation {
        self.work().operation.unwrap()
    }

    /// A new engine after the old one's death: new caches, new claim, the old one fenced out.
    pub fn restart(&mut self) {
        {
            let mut fate = self.fate.lock().unwrap();
            fate.dead = false;
            fate.cut = None;
        }
        self.services = services(&self.cloud, &self.fate, &self.in_cluster);
        self.journal = MemoryJournal::claim(&self.db);
    }

    pub fn cut(&self, cut: Option<Cut>) {
        let mut fate = self.fate.lock().unwrap();
        fate.calls = 0;
        fate.cut = cut;
    }

    /// One pass and the time to the next; false once the cluster is gone.
    pub async fn step(&mut self) -> bool {
        self.play_nodes();
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        let outcome = pass(&self.services, &self.journal, self.now, &mut fresh).await;
        let wait = match outcome {
            Ok(Next::Never) => return false,
            Ok(Next::Again(wait)) => wait,
            Err(error) => {
                if std::env::var_os("KCS_CHAOS_TRACE").is_some() {
                    println!("{}: {error}", self.now);
                }
                Duration::seconds(1)
            }
        };
        if self.fate.lock().unwrap().dead {
            self.restart();
        }
        self.advance(wait.max(Duration::milliseconds(100)).min(Duration::seconds(20)));
        self.check_always();
        true
    }

    pub fn advance(&mut self, by: Duration) {
        self.now += by;
        self.cloud.advance(by.unsigned_abs());
    }

    /// Runs until the operation ended or is blocked, or the cluster is gone.
    pub async fn settle(&mut self) -> OperationState {
        for _ in 0..4000 {
            if !self.step().await {
                break;
            }
            let state = self.operation().state;
            if state.ended() || state == OperationState::Blocked {
                return state;
            }
        }
        self.operation().state
    }

    /// Nodes whose servers are up call home and join as the real ones do.
    fn play_nodes(&self) {
        let up = running(&self.cloud);
        let mut db = self.db.lock().unwrap();
        self.in_cluster.lock().unwrap().play(&db.work, &up);
        for node in &mut db.work.nodes {
            if up.contains(&node.name) && node.bootstrap == Bootstrap::Waiting {
                node.bootstrap = Bootstrap::Done { at: self.now };
            }
        }
    }

    pub fn begin(&self, kind: OperationKind) {
        let mut db = self.db.lock().unwrap();
        let cluster = db.work.cluster.id;
        db.work.operation = Some(new_operation(cluster, kind, self.now));
        if kind == OperationKind::ClusterDelete {
            db.work.cluster.delete_requested_at = Some(self.now);
        }
    }

    pub fn resize(&self, count: u32) {
        self.wish(&Wish::NodePoolResize { pool: "default".into(), count, remove: vec![] });
    }

    /// What a person's wish does in the store.
    pub fn wish(&self, wish: &Wish) -> Undo {
        let mut db = self.db.lock().unwrap();
        let before = db.work.cluster.spec.clone();
        let undo = wish.apply(&mut db.work.cluster.spec).unwrap();
        db.work.cluster.generation += i64::from(db.work.cluster.spec != before);
        let operation = new_operation(db.work.cluster.id, wish.kind(), self.now);
        db.work.operation = Some(Operation { nodes: wish.nodes(), ..operation });
        undo
    }

    /// What a person's cancelling does in the store.
    pub fn cancel(&self, undo: Undo) {
        let mut db = self.db.lock().unwrap();
        db.work.cluster.generation += i64::from(undo.apply(&mut db.work.cluster.spec));
        let operation = db.work.operation.as_mut().unwrap();
        operation.state = OperationState::Cancelled;
        operation.finished_at = Some(self.now);
        operation.next_attempt_at = None;
    }

    /// What a person's retry does in the store.
    pub fn retry(&self) {
        let mut db = self.db.lock().unwrap();
        let operation = db.work.operation.as_mut().unwrap();
        operation.state = OperationState::Pending;
        operation.fault = None;
        operation.finished_at = None;
        operation.next_attempt_at = None;
        operation.retries += 1;
        operation.deadline_at = self.now + operation.kind.limit();
    }

    /// Ids of the cloud's objects that are neither there from the beginning nor the tenant's service user.
    pub fn ours_in_cloud(&self) -> Vec<String> {
        let new = self.cloud.dump().into_iter().filter(|o| !self.foreign.contains(&o.id) && o.kind != "user");
        new.map(|o| format!("{} {} {}", o.kind, o.name, o.id)).collect()
    }

    /// Key, state and cloud id of every row that is not gone.
    pub fn live_rows(&self) -> Vec<String> {
        let rows = self.work().ledger.into_iter().filter(|r| r.state != ResourceState::Gone);
        rows.map(|r| format!("{} {} {}", r.key, r.state.as_str(), r.cloud_id.unwrap_or_default())).collect()
    }

    pub fn foreign_untouched(&self) -> bool {
        let here: BTreeSet<String> = self.cloud.dump().into_iter().map(|o| o.id).collect();
        self.foreign.is_subset(&here)
    }

    /// Invariants that hold after every step: at most one server a node, nothing foreign touched, generations in order.
    fn check_always(&self) {
        let mut names = BTreeSet::new();
        for server in self.cloud.dump().into_iter().filter(|o| o.kind == "server" && !self.foreign.contains(&o.id)) {
            assert!(names.insert(server.name.clone()), "two servers are named {}", server.name);
        }
        assert!(self.foreign_untouched(), "a foreign object was touched");
        self.check_etcd(&self.work());
    }

    /// Members of etcd are masters we know, and no server of one was deleted by the engine while its member was in.
    fn check_etcd(&self, work: &Work) {
        let state = self.in_cluster.lock().unwrap();
        if work.cluster.delete_requested_at.is_some() {
            return;
        }
        let masters: BTreeSet<&str> = work.nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.name.as_str()).collect();
        let servers: BTreeSet<String> = self.cloud.dump().into_iter().filter(|o| o.kind == "server").map(|o| o.name).collect();
        for member in state.members.iter().filter(|m| !state.killed.contains(*m) && work.cluster.observed_generation > 0) {
            assert!(masters.contains(member.as_str()), "the member of {member} was left in etcd");
            assert!(servers.contains(member), "the server of {member} went before its member");
        }
        assert!(state.begun <= 1 || work.cluster.observed_generation == 0, "a cluster in use was begun anew");
        let joined = work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep && n.joined_at.is_some()).count();
        assert!(state.members.len().abs_diff(joined) <= 1 || work.cluster.observed_generation == 0, "{:?} are not {joined} masters", state.members);
    }

    /// Every object of ours in the cloud has exactly one live row, and every known row its object.
    pub fn check_settled(&self) {
        let work = self.work();
        let dump = self.cloud.dump();
        let known: BTreeMap<&str, &str> =
            work.ledger.iter().filter(|r| r.state != ResourceState::Gone).filter_map(|r| Some((r.cloud_id.as_deref()?, r.key.as_str()))).collect();
        let here: BTreeSet<&str> = dump.iter().map(|o| o.id.as_str()).collect();
        for (id, key) in &known {
            assert!(here.contains(id), "{key} is recorded but not there");
        }
        let marked =
            dump.iter().filter(|o| !self.foreign.contains(&o.id) && o.mark.as_deref().is_some_and(|m| m.contains(&work.cluster.id.to_string())));
        for object in marked {
            assert!(known.contains_key(object.id.as_str()), "orphan: {} {} {}", object.kind, object.name, object.id);
        }
    }
}

fn services(cloud: &LocalCloud, fate: &Arc<Mutex<Fate>>, in_cluster: &Arc<Mutex<InCluster>>) -> Services {
    let config = Config {
        auth_url: "http://local-cloud/identity/v3".parse().unwrap(),
        region: None,
        interface: Interface::Public,
        service_username: "kcs".into(),
        service_password: PASSWORD.into(),
        service_project: "service".into(),
        service_domain: "Default".into(),
        tenant_domain: "Default".into(),
        load_balancer_provider: None,
    };
    let wire = Arc::new(Wire { cloud: cloud.clone(), fate: fate.clone() });
    let versions = vec![CatalogueVersion { version: "v1.36.3".into(), support: Support::Current, image: "kcs-node-v1.36.3".into() }];
    Services {
        identity: Arc::new(OpenStack::new(config, wire)),
        kubernetes: Arc::new(Api { cloud: cloud.clone(), state: in_cluster.clone() }),
        versions,
        node_endpoint: "https://198.18.0.1:8443".into(),
        gate_ca_pem: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".into(),
        egress: vec![],
        addons: reconciler::addons::AddonSettings::default(),
        // One at a time: a run is repeatable.
        parallel: 1,
        memory: Memory::default(),
    }
}

fn new_operation(cluster: ClusterId, kind: OperationKind, now: OffsetDateTime) -> Operation {
    Operation::new(OperationId(Uuid::from_u128(1)), cluster, kind, "member-a", now)
}

fn new_work(seed: u64, tenant: &str, external: &str, masters: u32, workers: u32, now: OffsetDateTime) -> Work {
    let id = ClusterId(Uuid::from_u128((u128::from(seed) << 64) | 0xc1));
    let pool = NodePoolSpec { name: "default".into(), flavor: "m1.medium".into(), count: workers, root_volume_gib: 20, ..NodePoolSpec::default() };
    let cluster = Cluster {
        id,
        tenant: TenantId(tenant.into()),
        tenant_name: "tenant-a".into(),
        name: "demo".into(),
        spec: ClusterSpec {
            version: "v1.36.3".into(),
            network: NetworkSpec {
                external_network: external.into(),
                node_cidr: "10.0.0.0/24".parse().unwrap(),
                pod_cidr: "10.128.0.0/16".parse().unwrap(),
                service_cidr: "10.96.0.0/16".parse().unwrap(),
                ..NetworkSpec::default()
            },
            control_plane: ControlPlaneSpec { count: masters, flavor: "m1.medium".into(), root_volume_gib: 20, ..ControlPlaneSpec::default() },
            node_pools: vec![pool],
            server_group_members: 10,
            ..ClusterSpec::default()
        },
        generation: 1,
        observed_generation: 0,
        status: ClusterStatus::new(),
        operation: None,
        created_at: now,
        created_by: "member-a".into(),
        delete_requested_at: None,
        deleted_at: None,
    };
    let operation = Some(new_operation(id, OperationKind::ClusterCreate, now));
    Work { cluster, nodes: vec![], ledger: vec![], operation }
}
