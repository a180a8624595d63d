//! One cluster, one engine, one stepped cloud, and the means to cut them at every call.

use crate::kubernetes::{Api, InCluster, running};
use crate::memory::{Db, MemoryJournal};
use async_trait::async_trait;
use bytes::Bytes;
use cloud_openstack::{Clock, Config, Interface, Limits, Manners, OpenStack, Transport, TransportError};
use domain::changes::Work;
use domain::conditions::{Condition, ConditionType};
use domain::ids::{ClusterId, NodeId, OperationId};
use domain::ledger::ResourceState;
use domain::nodes::{Bootstrap, NodeIntent, NodeRole};
use domain::operations::{Operation, OperationKind, OperationState};
use domain::test_support::{cluster, spec};
use domain::versions::{CatalogueVersion, Support};
use domain::wishes::{Undo, Wish};
use local_cloud::{DumpObject, LocalCloud, LocalCloudConfig, Service, Time};
use reconciler::journal::{Owner, secret};
use reconciler::memory::Memory;
use reconciler::pass::{Next, pass};
use reconciler::world::Services;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
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
    /// After the next deletion was done, before its answer is read.
    AfterDeletion,
}

/// A call of the engine's that changes something in the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changing {
    pub method: http::Method,
    pub path: String,
    /// How its query and its body begin.
    pub said: String,
}

impl Changing {
    /// None: it only reads, or signs in.
    fn of(request: &http::Request<Bytes>) -> Option<Self> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        if method == http::Method::GET || path.ends_with("/auth/tokens") {
            return None;
        }
        let body = String::from_utf8_lossy(request.body());
        let said = request.uri().query().unwrap_or_default().chars().chain(body.chars()).take(200).collect();
        Some(Self { method, path, said })
    }

    pub fn deletes(&self) -> bool {
        self.method == http::Method::DELETE
    }

    /// Deletes or lets go by force, or sets an object's state: `os-force_detach`, `forceDelete`, `os-reset_status`, `?force=true`.
    pub fn forces(&self) -> bool {
        let said = self.said.to_lowercase();
        (self.deletes() || self.path.ends_with("/action")) && (said.contains("force") || said.contains("reset"))
    }
}

/// A list that does not show what is there: the answer's list of this name is empty, for so many answers.
#[derive(Clone, Debug)]
pub struct Hidden {
    pub list: &'static str,
    pub answers: u64,
}

/// What the transport and the engine share about life and death.
#[derive(Default)]
pub struct Fate {
    pub calls: u64,
    /// The test took the cluster's credential away, not the engine.
    pub credential_lost: bool,
    pub cut: Option<Cut>,
    pub dead: bool,
    pub hidden: Option<Hidden>,
    /// Types of services that the catalogues of new tokens lack.
    pub unlisted: Vec<&'static str>,
    /// All of the engines' calls that change something.
    pub changing: Vec<Changing>,
    /// So many of them were in the ledger.
    checked: usize,
    /// When this engine's calls of the last second were made, in the cloud's milliseconds.
    recent: VecDeque<u64>,
}

/// Calls a second that an engine of a lab may make: so few that it has to wait often.
const RATE: u32 = 20;

impl Fate {
    /// I8: the calls of a second are no more than the agreed, and what may come at once.
    fn count(&mut self, now: u64) {
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|t| t + 1_000 <= now) {
            self.recent.pop_front();
        }
        assert!(self.recent.len() <= 3 * RATE as usize, "{} calls in a second", self.recent.len());
    }

    fn hide(&mut self, method: &http::Method, answer: http::Response<Bytes>) -> http::Response<Bytes> {
        let Some(hidden) = self.hidden.as_mut().filter(|h| h.answers > 0 && method == http::Method::GET) else { return answer };
        let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
        let Some(list) = body.get_mut(hidden.list).and_then(Value::as_array_mut).filter(|l| !l.is_empty()) else { return answer };
        list.clear();
        hidden.answers -= 1;
        answer.map(|_| Bytes::from(body.to_string()))
    }

    fn unlist(&self, answer: http::Response<Bytes>) -> http::Response<Bytes> {
        if self.unlisted.is_empty() {
            return answer;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
        let Some(catalog) = body.pointer_mut("/token/catalog").and_then(Value::as_array_mut) else { return answer };
        catalog.retain(|entry| !self.unlisted.iter().any(|kind| entry["type"] == *kind));
        answer.map(|_| Bytes::from(body.to_string()))
    }
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
            fate.count(self.cloud.now_ms());
            if fate.cut == Some(Cut::Before(fate.calls)) {
                fate.dead = true;
                return Err(lost(false));
            }
            fate.calls
        };
        let (method, changing) = (request.method().clone(), Changing::of(&request));
        let answer = self.cloud.handle_faulty(request).map_err(|l| lost(l.done));
        let mut fate = self.fate.lock().unwrap();
        fate.changing.extend(changing);
        let answer = answer.map(|a| fate.hide(&method, a)).map(|a| fate.unlist(a));
        match fate.cut {
            Some(Cut::After(n)) if n == number => {
                fate.dead = true;
                Err(lost(true))
            }
            Some(Cut::AfterDeletion) if method == http::Method::DELETE => {
                fate.dead = true;
                Err(lost(true))
            }
            Some(Cut::Lost(n)) if n == number => Err(lost(true)),
            _ => answer,
        }
    }
}

/// The cloud's time is everybody's: it passes at the end of a step, and when the engine's manners hold a call back.
struct Stepped(LocalCloud);

#[async_trait]
impl Clock for Stepped {
    fn now(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.now_ms())
    }

    async fn sleep(&self, wait: std::time::Duration) {
        self.0.advance(wait + std::time::Duration::from_millis(1));
    }
}

pub struct Lab {
    pub cloud: LocalCloud,
    pub db: Arc<Mutex<Db>>,
    pub fate: Arc<Mutex<Fate>>,
    pub in_cluster: Arc<Mutex<InCluster>>,
    tenant: String,
    /// The service account's, as engines are started with it.
    password: String,
    pub services: Services,
    journal: MemoryJournal,
    ids: u128,
    /// Objects that were there before the cluster.
    foreign: BTreeSet<String>,
    /// How often a cluster was begun before it was handed over.
    begun_before_use: u32,
}

/// Everybody's in the cloud.
pub const PASSWORD: &str = "stepped";

impl Lab {
    /// A lab whose cluster has not been begun. The same seed gives the same run.
    pub fn new(seed: u64, masters: u32, workers: u32) -> Self {
        Self::offering(LocalCloudConfig::default().providers, seed, masters, workers)
    }

    /// The same in a cloud with these providers of load balancers, the default first.
    pub fn offering(providers: Vec<&'static str>, seed: u64, masters: u32, workers: u32) -> Self {
        let config = LocalCloudConfig {
            time: Time::Stepped,
            seed: Some(seed),
            password: PASSWORD.to_owned(),
            token_seconds: 400_000_000,
            providers,
            ..LocalCloudConfig::default()
        };
        let cloud = LocalCloud::new(config);
        let tenant = cloud.project_id("tenant-a").unwrap();
        let external = cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "public").unwrap().id;
        let foreign = cloud.dump().into_iter().map(|o| o.id).collect();
        let now = now(&cloud);
        let db = Arc::new(Mutex::new(Db {
            work: new_work(seed, &tenant, &external, masters, workers, now),
            secrets: BTreeMap::from([((Owner::Cluster, secret::PKI.to_owned()), authorities())]),
            gone: false,
            fence: 0,
            commits: 0,
        }));
        let fate = Arc::new(Mutex::new(Fate::default()));
        let in_cluster = Arc::new(Mutex::new(InCluster::default()));
        let services = services(&cloud, &fate, &in_cluster, PASSWORD);
        let journal = MemoryJournal::claim(&db);
        Self {
            cloud,
            db,
            fate,
            in_cluster,
            tenant,
            password: PASSWORD.to_owned(),
            services,
            journal,
            ids: u128::from(seed) << 64,
            foreign,
            begun_before_use: 0,
        }
    }

    /// Makes objects of the tenant's own whose names look like ours; they must survive everything.
    pub fn add_lookalikes(&mut self) {
        let cluster = self.work().cluster.id;
        self.cloud.add_foreign(&self.tenant, &format!("kcs-{cluster}-net"));
        self.cloud.add_foreign(&self.tenant, "kcs-like");
        self.foreign = self.cloud.dump().into_iter().map(|o| o.id).collect();
    }

    pub fn add_lookalike(&mut self, name: &str) {
        self.cloud.add_foreign(&self.tenant, name);
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
            fate.recent.clear();
        }
        self.services = services(&self.cloud, &self.fate, &self.in_cluster, &self.password);
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
        let now = self.now();
        let ids = &mut self.ids;
        let mut fresh = || {
            *ids += 1;
            Uuid::from_u128(*ids)
        };
        // Nobody else is there to be fair to: a turn that only yields would look like one that waits.
        let outcome = tokio::task::unconstrained(pass(&self.services, &self.journal, now, &mut fresh)).await;
        let wait = match outcome {
            Ok(Next::Never) => return false,
            Ok(Next::Again(wait)) => wait,
            Err(error) => {
                if std::env::var_os("KCS_CHAOS_TRACE").is_some() {
                    println!("{}: {error}", self.now());
                }
                Duration::seconds(1)
            }
        };
        if self.fate.lock().unwrap().dead {
            self.restart();
        }
        self.advance(wait.max(Duration::milliseconds(100)).min(Duration::seconds(20)));
        if self.db.lock().unwrap().work.cluster.observed_generation == 0 {
            self.begun_before_use = self.in_cluster.lock().unwrap().begun;
        }
        self.check_always();
        true
    }

    pub fn now(&self) -> OffsetDateTime {
        now(&self.cloud)
    }

    pub fn advance(&mut self, by: Duration) {
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

    /// The operation succeeds, and the cloud and the ledger agree.
    pub async fn made(&mut self) {
        assert_eq!(self.settle().await, OperationState::Succeeded, "{:#?}", self.operation());
        self.check_settled();
    }

    /// The cluster is deleted, nothing of it is left, and nothing else was touched.
    pub async fn deleted(&mut self) {
        self.begin(OperationKind::ClusterDelete);
        assert_eq!(self.settle().await, OperationState::Succeeded, "{:#?}", self.operation());
        assert_eq!(self.ours_in_cloud(), Vec::<String>::new());
        assert!(self.foreign_untouched());
    }

    /// Both, one after the other.
    pub async fn made_and_deleted(&mut self) {
        self.made().await;
        self.deleted().await;
    }

    /// Nodes whose servers are up call home and join as the real ones do.
    fn play_nodes(&self) {
        let up = running(&self.cloud);
        let mut db = self.db.lock().unwrap();
        let mut in_cluster = self.in_cluster.lock().unwrap();
        let pki = db.secrets.get(&(Owner::Cluster, secret::PKI.to_owned())).cloned();
        let audit = db.work.cluster.spec.audit.level;
        for node in &mut db.work.nodes {
            if up.contains(&node.name) && node.bootstrap == Bootstrap::Waiting {
                node.bootstrap = Bootstrap::Done { at: self.now() };
                if let Some(pki) = pki.as_ref().filter(|_| node.role == NodeRole::Master) {
                    let keys = sealed::ClusterPki::from_json(pki).unwrap().encryption;
                    node.key_generation = keys.generation;
                    node.api_audit = Some(audit);
                    in_cluster.boot(&node.name, &keys);
                }
            }
        }
        let now = self.cloud.now_ms();
        let token = |node: NodeId| db.secrets.get(&(Owner::Node(node), secret::JOIN_TOKEN.to_owned()));
        let is_dead = |node: &NodeId| token(*node).and_then(|t| in_cluster.tokens.get(t.expose_secret())).is_some_and(|until| *until <= now);
        let dead: BTreeSet<NodeId> = db.work.nodes.iter().map(|n| n.id).filter(is_dead).collect();
        in_cluster.play(&db.work, &up, &dead);
    }

    /// The list of keys for Secrets, as it is kept.
    pub fn keys(&self) -> sealed::EncryptionKeys {
        let db = self.db.lock().unwrap();
        sealed::ClusterPki::from_json(&db.secrets[&(Owner::Cluster, secret::PKI.to_owned())]).unwrap().encryption
    }

    /// A call of the tenant's own, past KCS.
    pub fn person(&self, method: &str, path: &str, body: &Value) -> Value {
        call_as(&self.cloud, "member-a", "tenant-a", method, path, body)
    }

    /// A call of the cloud's administrator.
    pub fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        admin(&self.cloud, method, path, body)
    }

    /// The operator gives KCS's service account another password, and somebody makes sure of the tenant's service user with it before this engine does.
    pub async fn change_password(&mut self, password: &str) {
        set_password(&self.cloud, "kcs", password);
        self.password = password.to_owned();
        let other = services(&self.cloud, &self.fate, &self.in_cluster, password);
        let tenant = self.work().cluster.tenant;
        other.identity.ensure_service_user(&domain::names::service_user(&tenant), &tenant.0).await.unwrap();
        self.restart();
    }

    /// Somebody sets the password of the tenant's service user by hand.
    pub fn set_service_users_password(&self, password: &str) {
        set_password(&self.cloud, &domain::names::service_user(&self.work().cluster.tenant), password);
    }

    /// Somebody deletes the tenant's service user, and with it its credentials.
    pub fn delete_service_user(&self) {
        delete_service_user(&self.cloud, &self.tenant);
        self.fate.lock().unwrap().credential_lost = true;
    }

    /// How many calls of the engine's that change something are so.
    pub fn calls(&self, so: impl Fn(&Changing) -> bool) -> usize {
        self.fate.lock().unwrap().changing.iter().filter(|call| so(call)).count()
    }

    /// How often it was made sure of the tenant's service user; whoever looks a user up by name counts.
    pub fn made_sure(&self) -> u64 {
        made_sure(&self.cloud)
    }

    /// The recorded cloud id of a part.
    pub fn id_of(&self, key: &str) -> String {
        let row = self.work().ledger.into_iter().find(|r| r.key == key && r.state != ResourceState::Gone);
        row.and_then(|r| r.cloud_id).unwrap_or_else(|| panic!("no {key}"))
    }

    pub fn names(&self, role: NodeRole) -> Vec<String> {
        self.work().nodes.into_iter().filter(|n| n.role == role).map(|n| n.name).collect()
    }

    pub fn node(&self, name: &str) -> NodeId {
        self.work().nodes.into_iter().find(|n| n.name == name).unwrap().id
    }

    /// Somebody deletes a node's server by hand.
    pub fn lose_server(&self, name: &str) {
        self.in_cluster.lock().unwrap().killed.insert(name.to_owned());
        self.person("DELETE", &format!("/compute/v2.1/servers/{}", self.id_of(&format!("server/{name}"))), &Value::Null);
    }

    /// Looks on for so long, whatever operations there are.
    pub async fn watch(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end {
            self.step().await;
        }
    }

    pub fn condition(&self, wanted: ConditionType) -> Condition {
        self.work().cluster.status.conditions.into_iter().find(|c| c.r#type == wanted).unwrap()
    }

    pub fn begin(&self, kind: OperationKind) {
        let mut db = self.db.lock().unwrap();
        let cluster = db.work.cluster.id;
        db.work.operation = Some(new_operation(cluster, kind, self.now()));
        if kind == OperationKind::ClusterDelete {
            db.work.cluster.delete_requested_at = Some(self.now());
        }
    }

    /// Somebody deletes the cluster's credential behind the engine's back.
    pub async fn lose_credential(&self) {
        let work = self.work();
        let world = reconciler::world::World { services: &self.services, journal: &self.journal, now: self.now() };
        let user = world.service_user(&work).await.unwrap().unwrap();
        let row = work.ledger.iter().find(|r| r.key == domain::plan::CREDENTIAL && r.state == ResourceState::Known).unwrap();
        let id = row.cloud_id.as_deref().unwrap();
        self.services.identity.delete_application_credential(&user, &work.cluster.tenant.0, id).await.unwrap();
        self.fate.lock().unwrap().credential_lost = true;
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
        let operation = new_operation(db.work.cluster.id, wish.kind(), self.now());
        db.work.operation = Some(Operation { nodes: wish.nodes(), ..operation });
        undo
    }

    /// What a person's cancelling does in the store.
    pub fn cancel(&self, undo: Undo) {
        let mut db = self.db.lock().unwrap();
        db.work.cluster.generation += i64::from(undo.apply(&mut db.work.cluster.spec));
        let operation = db.work.operation.as_mut().unwrap();
        operation.state = OperationState::Cancelled;
        operation.finished_at = Some(self.now());
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
        operation.deadline_at = self.now() + operation.kind.limit();
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

    /// Invariants that hold after every step. (Generations are watched by the journal, tries in all by whoever settles.)
    fn check_always(&self) {
        let work = self.work();
        let dump = self.cloud.dump();
        let ours: Vec<&DumpObject> = dump.iter().filter(|o| !self.foreign.contains(&o.id) && o.kind != "user").collect();
        let here: BTreeSet<&str> = dump.iter().map(|o| o.id.as_str()).collect();
        assert!(self.foreign.iter().all(|id| here.contains(id.as_str())), "a foreign object was touched");
        // I1: at most one server a node.
        let mut servers = BTreeSet::new();
        for server in ours.iter().filter(|o| o.kind == "server") {
            assert!(servers.insert(server.name.as_str()), "two servers are named {}", server.name);
        }
        // I2: whatever carries a mark of this cluster has a row.
        let rows: BTreeSet<String> = work.ledger.iter().map(|r| r.id.to_string()).collect();
        for object in &ours {
            let mark = object.mark.as_deref().unwrap_or_default();
            let row = mark.split([' ', '=']).skip_while(|w| !matches!(*w, "resource" | "kcs_resource")).nth(1);
            assert!(row.is_none_or(|row| rows.contains(row)), "no row for {} {}", object.kind, object.name);
        }
        self.check_etcd(&work, &servers);
        if work.cluster.delete_requested_at.is_none() {
            self.in_cluster.lock().unwrap().check_keys(&running(&self.cloud));
        }
        // I5: nothing is deleted that is not in the ledger, members of its load balancers and what holds its volumes apart.
        let known: BTreeSet<&str> = work.ledger.iter().filter_map(|r| r.cloud_id.as_deref()).collect();
        let mut fate = self.fate.lock().unwrap();
        for Changing { path, .. } in fate.changing.iter().skip(fate.checked).filter(|call| call.deletes()) {
            let id = path.rsplit('/').next().unwrap_or_default();
            assert!(path.contains("/members/") || path.contains("/attachments/") || known.contains(id), "{path} is not in the ledger");
        }
        fate.checked = fate.changing.len();
        // I7: the credential outlives everything made with it.
        let credential = |o: &&&DumpObject| o.kind == "application_credential";
        let made = ours.iter().any(|o| !matches!(o.kind, "application_credential" | "port") && o.mark.is_some());
        assert!(!made || fate.credential_lost || ours.iter().any(|o| credential(&o)), "the credential went first");
    }

    /// I3: members of etcd are masters we know, and no server of one was deleted by the engine while its member was in.
    fn check_etcd(&self, work: &Work, servers: &BTreeSet<&str>) {
        let state = self.in_cluster.lock().unwrap();
        if work.cluster.delete_requested_at.is_some() || work.cluster.observed_generation == 0 {
            return;
        }
        let masters: BTreeSet<&str> = work.nodes.iter().filter(|n| n.role == NodeRole::Master).map(|n| n.name.as_str()).collect();
        for member in state.members.iter().filter(|m| !state.killed.contains(*m)) {
            assert!(masters.contains(member.as_str()), "the member of {member} was left in etcd");
            assert!(servers.contains(member.as_str()), "the server of {member} went before its member");
        }
        assert!(state.begun <= 1 || state.begun == self.begun_before_use, "a cluster in use was begun anew");
        let kept = work.nodes.iter().filter(|n| n.role == NodeRole::Master && n.intent == NodeIntent::Keep);
        let joined = kept.filter(|n| state.nodes.contains(&n.name)).count();
        assert!(state.members.len().abs_diff(joined) <= 1, "{:?} are not {joined} masters", state.members);
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
        self.check_changed_key(&work);
        self.check_changed_audit(&work);
    }

    /// Once a change of the audit has ended well, all masters write at the level that is wanted.
    fn check_changed_audit(&self, work: &Work) {
        let changed = work.operation.as_ref().is_some_and(|o| o.kind == OperationKind::ApiAuditChange && o.state == OperationState::Succeeded);
        let audit = &work.cluster.spec.audit;
        let unlike = |n: &&domain::nodes::Node| n.role == NodeRole::Master && n.audited(audit) != audit.level;
        assert_eq!(work.nodes.iter().find(unlike).filter(|_| changed).map(|n| n.name.as_str()), None);
    }

    /// Once a change of the key has ended well, there is one, and nothing is written with another.
    fn check_changed_key(&self, work: &Work) {
        let changed = work.operation.as_ref().is_some_and(|o| o.kind == OperationKind::EncryptionKeyRotate && o.state == OperationState::Succeeded);
        if !changed {
            return;
        }
        let keys = self.keys();
        assert_eq!((keys.stage, keys.keys.len()), (sealed::KeyStage::Settled, 1));
        let behind = |n: &&domain::nodes::Node| n.role == NodeRole::Master && n.key_generation != keys.generation;
        assert_eq!(work.nodes.iter().find(behind).map(|n| n.name.as_str()), None);
        let (in_cluster, only) = (self.in_cluster.lock().unwrap(), keys.keys[0].name.as_str());
        assert!(in_cluster.secrets.values().all(|key| key.as_deref() == Some(only)), "{:?} but {only}", in_cluster.secrets);
    }
}

fn call_as(cloud: &LocalCloud, user: &str, project: &str, method: &str, path: &str, body: &Value) -> Value {
    let send = |method: &str, path: &str, token: Option<&str>, body: &Value| {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("http://local-cloud{path}"))
            .header("content-type", "application/json")
            .header("openstack-api-version", "volume 3.27");
        if let Some(token) = token {
            request = request.header("x-auth-token", token);
        }
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        cloud.handle(request.body(bytes).unwrap())
    };
    let scope = json!({"project": {"name": project, "domain": {"id": "default"}}});
    let user = json!({"name": user, "domain": {"id": "default"}, "password": PASSWORD});
    let auth = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}});
    let signed_in = send("POST", "/identity/v3/auth/tokens", None, &auth);
    let token = signed_in.headers().get("x-subject-token").unwrap().to_str().unwrap().to_owned();
    let answer = send(method, path, Some(&token), body);
    assert!(answer.status().is_success(), "{method} {path}: {} {:?}", answer.status(), answer.body());
    serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
}

/// A call of the cloud's administrator.
pub fn admin(cloud: &LocalCloud, method: &str, path: &str, body: &Value) -> Value {
    call_as(cloud, "operator", "admin", method, path, body)
}

/// The path of a user.
fn user_path(cloud: &LocalCloud, name: &str) -> String {
    let id = cloud.dump().into_iter().find(|o| o.kind == "user" && o.name == name).unwrap().id;
    format!("/identity/v3/users/{id}")
}

fn set_password(cloud: &LocalCloud, user: &str, password: &str) {
    admin(cloud, "PATCH", &user_path(cloud, user), &json!({"user": {"password": password}}));
}

pub fn delete_service_user(cloud: &LocalCloud, tenant: &str) {
    admin(cloud, "DELETE", &user_path(cloud, &format!("kcs-{tenant}")), &Value::Null);
}

pub fn made_sure(cloud: &LocalCloud) -> u64 {
    cloud.calls(Service::Identity, "GET", "/identity/v3/users")
}

/// The same for all labs: making some takes as long as a whole life.
pub fn authorities() -> secrecy::SecretString {
    static AUTHORITIES: std::sync::OnceLock<secrecy::SecretString> = std::sync::OnceLock::new();
    AUTHORITIES.get_or_init(|| sealed::ClusterPki::generate(OffsetDateTime::now_utc()).unwrap().to_json().unwrap()).clone()
}

fn now(cloud: &LocalCloud) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(i64::try_from(cloud.now_ms()).unwrap())
}

pub fn services(cloud: &LocalCloud, fate: &Arc<Mutex<Fate>>, in_cluster: &Arc<Mutex<InCluster>>, password: &str) -> Services {
    let config = Config {
        auth_url: "http://local-cloud/identity/v3".parse().unwrap(),
        region: None,
        interface: Interface::Public,
        service_username: "kcs".into(),
        service_password: password.into(),
        service_project: "service".into(),
        service_domain: "Default".into(),
        tenant_domain: "Default".into(),
        load_balancer_provider: None,
    };
    let limits = Limits { calls_per_second: Some(RATE), calls_per_second_per_project: None, ..Limits::default() };
    let manners = Manners::by_clock(limits, Arc::new(Stepped(cloud.clone())));
    let wire = Arc::new(Wire { cloud: cloud.clone(), fate: fate.clone() });
    let versions = vec![CatalogueVersion { version: "v1.36.3".into(), support: Support::Current, image: "kcs-node-v1.36.3".into() }];
    Services {
        identity: Arc::new(OpenStack::with_manners(config, wire, manners)),
        kubernetes: Arc::new(Api { cloud: cloud.clone(), state: in_cluster.clone() }),
        versions: Arc::new(move || versions.clone()),
        node_endpoint: "https://198.18.0.1:8443".into(),
        gate_ca_pem: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".into(),
        egress: vec![],
        addons: reconciler::addons::AddonSettings::default(),
        // As many as the program makes; on one thread a run is repeatable all the same.
        parallel: 8,
        memory: Memory::default(),
    }
}

/// Each moment's has an id of its own.
fn new_operation(cluster: ClusterId, kind: OperationKind, now: OffsetDateTime) -> Operation {
    let id = OperationId(Uuid::from_u128(now.unix_timestamp_nanos().unsigned_abs()));
    Operation::new(id, cluster, kind, "member-a", now)
}

fn new_work(seed: u64, tenant: &str, external: &str, masters: u32, workers: u32, now: OffsetDateTime) -> Work {
    let id = ClusterId(Uuid::from_u128((u128::from(seed) << 64) | 0xc1));
    let mut spec = spec(masters, workers);
    spec.network.external_network = external.to_owned();
    let cluster = cluster(id, tenant, spec, now);
    let operation = Some(new_operation(id, OperationKind::ClusterCreate, now));
    Work { cluster, nodes: vec![], ledger: vec![], operation }
}
