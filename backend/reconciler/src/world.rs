//! One cluster's world in a pass: the cloud as its credential sees it, its secrets, and look-ups that several steps share.

use crate::addons::{AddonMemory, AddonSettings};
use crate::journal::{Journal, JournalError, Owner, secret};
use crate::kubernetes::{KubernetesApi, Rewriting, Target};
use crate::lists::Estate;
use cloud::compute::Flavor;
use cloud::error::CloudErrorKind;
use cloud::identity::{ApplicationCredential, Identity, ServiceUser};
use cloud::{Cloud, CloudError};
use domain::changes::Work;
use domain::clusters::Cluster;
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId, OperationId, TenantId};
use domain::ledger::{LedgerRow, ResourceState};
use domain::names;
use domain::nodes::Fault;
use domain::plan::{KubernetesView, SecretsView};
use domain::settings::ApiExposure;
use domain::tenants::ProjectState;
use domain::versions::CatalogueVersion;
use ipnet::Ipv4Net;
use moka::sync::Cache;
use sealed::ClusterPki;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// What all passes share.
pub struct Services {
    pub identity: Arc<dyn Identity>,
    pub kubernetes: Arc<dyn KubernetesApi>,
    pub versions: Vec<CatalogueVersion>,
    /// Where nodes fetch their bundle: `https://host:port`, and the authority they trust for it.
    pub node_endpoint: String,
    pub gate_ca_pem: String,
    /// Where KCS itself comes from, as clouds see it: let in where an API is restricted.
    pub egress: Vec<Ipv4Net>,
    /// How many cloud calls of one pass may run at the same time.
    pub parallel: usize,
    pub addons: AddonSettings,
    pub memory: Memory,
}

impl Services {
    /// The service user of a tenant whose kept one is refused: made sure of for all who ask within a minute together. Where that has failed lately, or was
    /// of no use, Keystone is left alone for a while: it locks out who keeps trying.
    pub(crate) async fn renewed_user(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<ServiceUser, CloudError> {
        if let Some(error) = self.memory.unrenewed(tenant, now) {
            return Err(error);
        }
        let renew = async {
            tracing::warn!(%tenant, "Keystone refuses the tenant's service user: it is made sure of again");
            self.ensured_user(tenant, now).await
        };
        let renewed = self.memory.renewed.0.try_get_with(tenant.clone(), renew).await;
        renewed.map_err(|error: Arc<CloudError>| (*error).clone())
    }

    /// The tenant's service user, made sure of now. That it failed is remembered, unless the cloud only did not answer.
    async fn ensured_user(&self, tenant: &TenantId, now: OffsetDateTime) -> Result<ServiceUser, CloudError> {
        let ensured = self.identity.ensure_service_user(&names::service_user(tenant), &tenant.0).await;
        if let Err(error) = &ensured
            && !matches!(error.kind, CloudErrorKind::Unavailable | CloudErrorKind::RateLimited(_))
        {
            self.memory.note_unrenewed(tenant, error, now);
        }
        ensured
    }

    /// Takes over how Keystone took a service user that was just made sure of; None: well.
    pub(crate) async fn note_renewal(&self, tenant: &TenantId, refused: Option<&CloudError>, now: OffsetDateTime) {
        let Some(error) = refused else { return self.memory.forget_unrenewed(tenant) };
        self.memory.renewed.0.invalidate(tenant).await;
        self.memory.note_unrenewed(tenant, error, now);
    }
}

/// What may be forgotten at any time: it only saves repeating what is safe to repeat.
#[derive(Default)]
pub struct Memory {
    pub estate: Estate,
    clouds: Mutex<HashMap<ClusterId, (String, Cloud)>>,
    authorities: Authorities,
    /// For which version of the people the rules were written, and until when that is good enough.
    access: Mutex<HashMap<ClusterId, (i64, Instant)>>,
    nodes: Mutex<HashMap<NodeId, Notes>>,
    rewriting: Mutex<HashMap<ClusterId, SecretsNote>>,
    renewed: Renewed,
    unrenewed: Mutex<HashMap<TenantId, Unrenewed>>,
    projects: Mutex<HashMap<TenantId, ProjectNote>>,
    serving: Mutex<HashMap<ClusterId, ServingNote>>,
    pub addons: AddonMemory,
}

/// What was done for a node in its cluster.
#[derive(Clone, Debug, Default)]
struct Notes {
    /// When it was put in last, by the clock of passes.
    join_token: Option<OffsetDateTime>,
    /// In which operation it was emptied: it may be in use again after that.
    drained: Option<OperationId>,
    /// What keeps pods on it, and which operation was told so.
    held_up: Option<(OperationId, String)>,
    detached: bool,
    released: bool,
}

/// How far a cluster's Secrets are written anew.
struct SecretsNote {
    /// Of the list of keys.
    generation: u32,
    so_far: Rewriting,
    /// Why the last attempt failed.
    refused: Option<String>,
}

/// What the cloud's identity service said of a project whose clusters are refused.
struct ProjectNote {
    /// By the clock of passes.
    asked_at: OffsetDateTime,
    /// None: it has not answered yet.
    state: Option<ProjectState>,
}

/// What the load balancer of a cluster that does not answer us said of its masters.
struct ServingNote {
    /// By the clock of passes.
    asked_at: OffsetDateTime,
    /// None: it cannot be told.
    masters: Option<Vec<NodeId>>,
}

/// Of a cluster that does not answer us it is asked once a minute who else is answered; a little less, for passes do not come to the second.
const SERVING: time::Duration = time::Duration::seconds(55);
/// It is asked about a project no more often than this.
const PROJECT: time::Duration = time::Duration::MINUTE;
/// A join token is put in again after this, while its node has not joined: it is good for an hour, and a server may boot long after it was planned.
const JOIN_TOKEN: time::Duration = time::Duration::minutes(30);
/// The rules in a cluster are written anew after this: what was changed in them behind our back is put right.
const RULES: Duration = Duration::from_secs(900);
/// And after this where a namespace that somebody was given is not there yet.
const RULES_AGAIN: Duration = Duration::from_secs(60);
/// Opened authorities kept at most, some ten KiB each: as many as there are channels to clusters.
const AUTHORITIES: u64 = 4_000;

/// A service user that Keystone refused is made sure of no more often than this.
const RENEWED: Duration = Duration::from_secs(60);
/// Service users remembered for that long.
const TENANTS: u64 = 10_000;

/// Until when a tenant's service user is left as it is: to make sure of it has failed, or Keystone refuses it all the same.
struct Unrenewed {
    /// By the clock of passes.
    until: OffsetDateTime,
    /// How often in a row.
    times: u32,
    error: CloudError,
}

/// Doubling each time.
const UNRENEWED: time::Duration = time::Duration::MINUTE;
const UNRENEWED_LONGEST: time::Duration = time::Duration::minutes(10);

impl Unrenewed {
    fn rests(&self, now: OffsetDateTime) -> bool {
        let left = self.until - now;
        // More than the longest: the clock was set back.
        left.is_positive() && left <= UNRENEWED_LONGEST
    }
}

/// Service users that were made sure of lately, because Keystone refused those that were kept.
struct Renewed(moka::future::Cache<TenantId, ServiceUser>);

impl Default for Renewed {
    fn default() -> Self {
        Self(moka::future::Cache::builder().max_capacity(TENANTS).time_to_live(RENEWED).build())
    }
}

/// Those of clusters that were looked at lately.
struct Authorities(Cache<ClusterId, Arc<ClusterPki>>);

impl Default for Authorities {
    fn default() -> Self {
        Self(Cache::new(AUTHORITIES))
    }
}

impl Memory {
    pub(crate) fn note_authorities(&self, cluster: ClusterId, pki: &Arc<ClusterPki>) {
        self.authorities.0.insert(cluster, pki.clone());
    }

    pub fn note_access(&self, cluster: &Cluster, complete: bool) {
        let due = Instant::now() + if complete { RULES } else { RULES_AGAIN };
        lock(&self.access).insert(cluster.id, (cluster.people_version, due));
    }

    /// Whether the cluster's own rules were written for the people of now, and not so long ago that somebody will have changed them since.
    #[must_use]
    pub fn access(&self, cluster: &Cluster) -> bool {
        lock(&self.access).get(&cluster.id).is_some_and(|(version, due)| *version == cluster.people_version && Instant::now() < *due)
    }

    /// How far it is; from the beginning where it was another list of keys.
    pub(crate) fn rewriting(&self, cluster: ClusterId, generation: u32) -> Rewriting {
        lock(&self.rewriting).get(&cluster).filter(|note| note.generation == generation).map(|note| note.so_far.clone()).unwrap_or_default()
    }

    pub(crate) fn note_rewriting(&self, cluster: ClusterId, generation: u32, so_far: Rewriting, refused: Option<String>) {
        lock(&self.rewriting).insert(cluster, SecretsNote { generation, so_far, refused });
    }

    fn secrets(&self, cluster: ClusterId) -> Option<SecretsView> {
        let known = lock(&self.rewriting);
        let SecretsNote { generation, so_far, refused } = known.get(&cluster)?;
        Some(SecretsView { generation: *generation, done: so_far.done, refused: refused.clone() })
    }

    /// Whether it is time to ask about a project; whoever is told so asks, for all its clusters.
    pub(crate) fn asks_about(&self, project: &TenantId, now: OffsetDateTime) -> bool {
        let mut known = lock(&self.projects);
        if known.get(project).is_some_and(|note| (now - note.asked_at).abs() < PROJECT) {
            return false;
        }
        let state = known.get(project).and_then(|note| note.state);
        known.insert(project.clone(), ProjectNote { asked_at: now, state });
        true
    }

    pub(crate) fn note_project(&self, project: &TenantId, state: ProjectState) {
        if let Some(note) = lock(&self.projects).get_mut(project) {
            note.state = Some(state);
        }
    }

    pub(crate) fn forget_project(&self, project: &TenantId) {
        lock(&self.projects).remove(project);
    }

    pub(crate) fn project(&self, project: &TenantId) -> Option<ProjectState> {
        lock(&self.projects).get(project)?.state
    }

    /// What Keystone said when the tenant's service user was made sure of in vain, while it is left alone for that.
    fn unrenewed(&self, tenant: &TenantId, now: OffsetDateTime) -> Option<CloudError> {
        lock(&self.unrenewed).get(tenant).filter(|note| note.rests(now)).map(|note| note.error.clone())
    }

    fn note_unrenewed(&self, tenant: &TenantId, error: &CloudError, now: OffsetDateTime) {
        let mut known = lock(&self.unrenewed);
        let before = known.get(tenant);
        // Several clusters of the tenant have met the same.
        if before.is_some_and(|note| note.rests(now)) {
            return;
        }
        let times = before.map_or(0, |note| note.times);
        let rest = (UNRENEWED * 2_i32.pow(times.min(4))).min(UNRENEWED_LONGEST);
        known.insert(tenant.clone(), Unrenewed { until: now + rest, times: times + 1, error: error.clone() });
    }

    fn forget_unrenewed(&self, tenant: &TenantId) {
        lock(&self.unrenewed).remove(tenant);
    }

    /// The masters that a silent cluster's load balancer finds answering: as `ask` says now, or as it said within the last minute.
    pub(crate) async fn serving(
        &self,
        cluster: ClusterId,
        now: OffsetDateTime,
        ask: impl Future<Output = Option<Vec<NodeId>>>,
    ) -> Option<Vec<NodeId>> {
        let known = lock(&self.serving).get(&cluster).filter(|note| (now - note.asked_at).abs() < SERVING).map(|note| note.masters.clone());
        if let Some(masters) = known {
            return masters;
        }
        let masters = ask.await;
        lock(&self.serving).insert(cluster, ServingNote { asked_at: now, masters: masters.clone() });
        masters
    }

    fn note(&self, node: NodeId, write: impl FnOnce(&mut Notes)) {
        write(lock(&self.nodes).entry(node).or_default());
    }

    pub fn note_join_token(&self, node: NodeId, now: OffsetDateTime) {
        self.note(node, |n| n.join_token = Some(now));
    }

    pub fn note_drained(&self, node: NodeId, operation: Option<OperationId>) {
        self.note(node, |n| (n.drained, n.held_up) = (operation, None));
    }

    /// What keeps pods on a node that is to be emptied; None: they are moving.
    pub fn note_held_up(&self, node: NodeId, operation: Option<OperationId>, words: Option<String>) {
        self.note(node, |n| (n.drained, n.held_up) = (None, operation.zip(words)));
    }

    pub fn note_detached(&self, node: NodeId) {
        self.note(node, |n| n.detached = true);
    }

    pub fn note_released(&self, node: NodeId) {
        self.note(node, |n| n.released = true);
    }

    /// What is known of a cluster besides its nodes' readiness.
    #[must_use]
    pub fn view(&self, work: &Work, now: OffsetDateTime) -> KubernetesView {
        let notes = lock(&self.nodes);
        let which = |is: &dyn Fn(&Notes) -> bool| work.nodes.iter().map(|n| n.id).filter(|id| notes.get(id).is_some_and(is)).collect();
        let operation = work.operation.as_ref().map(|o| o.id);
        let held_up = |id: NodeId| {
            let (by, words) = notes.get(&id)?.held_up.as_ref()?;
            (Some(*by) == operation).then(|| (id, words.clone()))
        };
        KubernetesView {
            access: self.access(&work.cluster),
            // Those that may have run out by the time a server boots are to be put in again.
            join_tokens: which(&|n| n.join_token.is_some_and(|at| (now - at).abs() < JOIN_TOKEN)),
            drained: which(&|n| n.drained.is_some() && n.drained == operation),
            detached: which(&|n| n.detached),
            released: which(&|n| n.released),
            held_up: work.nodes.iter().filter_map(|n| held_up(n.id)).collect(),
            secrets: self.secrets(work.cluster.id),
            ..KubernetesView::default()
        }
    }

    pub fn forget(&self, work: &Work) {
        lock(&self.clouds).remove(&work.cluster.id);
        self.authorities.0.invalidate(&work.cluster.id);
        lock(&self.access).remove(&work.cluster.id);
        lock(&self.rewriting).remove(&work.cluster.id);
        lock(&self.serving).remove(&work.cluster.id);
        self.addons.forget(work.cluster.id);
        for node in &work.nodes {
            lock(&self.nodes).remove(&node.id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Serialize, Deserialize)]
struct StoredCredential {
    id: String,
    secret: String,
}

#[derive(Serialize, Deserialize)]
struct StoredUser {
    user_id: String,
    password: String,
}

/// A pass's access to one cluster.
pub struct World<'a> {
    pub services: &'a Services,
    pub journal: &'a dyn Journal,
    /// When the pass began.
    pub now: OffsetDateTime,
}

impl World<'_> {
    /// The cloud through the cluster's own credential; None before there is one.
    pub async fn cloud(&self, cluster: ClusterId) -> Result<Option<Cloud>, JournalError> {
        let Some(text) = self.journal.secret(Owner::Cluster, secret::APPLICATION_CREDENTIAL).await? else { return Ok(None) };
        let stored: StoredCredential = parse(&text)?;
        let mut clouds = lock(&self.services.memory.clouds);
        if let Some((id, cloud)) = clouds.get(&cluster)
            && *id == stored.id
        {
            return Ok(Some(cloud.clone()));
        }
        let credential = ApplicationCredential { id: stored.id.clone(), secret: stored.secret.into() };
        let cloud = self.services.identity.as_credential(&credential);
        clouds.insert(cluster, (stored.id, cloud.clone()));
        Ok(Some(cloud))
    }

    /// The cluster's own credential, secret and all.
    pub async fn stored_credential(&self) -> Result<Option<ApplicationCredential>, JournalError> {
        let Some(text) = self.journal.secret(Owner::Cluster, secret::APPLICATION_CREDENTIAL).await? else { return Ok(None) };
        let stored: StoredCredential = parse(&text)?;
        Ok(Some(ApplicationCredential { id: stored.id, secret: stored.secret.into() }))
    }

    /// The one that is to take its place.
    pub async fn next_credential(&self) -> Result<Option<ApplicationCredential>, JournalError> {
        let Some(text) = self.journal.secret(Owner::Cluster, secret::NEXT_CREDENTIAL).await? else { return Ok(None) };
        let stored: StoredCredential = parse(&text)?;
        Ok(Some(ApplicationCredential { id: stored.id, secret: stored.secret.into() }))
    }

    pub async fn put_next_credential(&self, credential: &ApplicationCredential) -> Result<(), JournalError> {
        let stored = StoredCredential { id: credential.id.clone(), secret: credential.secret.expose_secret().to_owned() };
        self.journal.put_secret(Owner::Cluster, secret::NEXT_CREDENTIAL, &render(&stored)?).await
    }

    pub async fn put_credential(&self, credential: &ApplicationCredential) -> Result<(), JournalError> {
        let stored = StoredCredential { id: credential.id.clone(), secret: credential.secret.expose_secret().to_owned() };
        self.journal.put_secret(Owner::Cluster, secret::APPLICATION_CREDENTIAL, &render(&stored)?).await
    }

    /// The tenant's service user, made at first use. Where that has failed lately, Keystone is left alone for a while.
    pub async fn service_user(&self, work: &Work) -> Result<Result<ServiceUser, CloudError>, JournalError> {
        if let Some(text) = self.journal.secret(Owner::Tenant, secret::SERVICE_USER).await? {
            return Ok(Ok(stored_user(&text)?));
        }
        let (services, tenant) = (self.services, &work.cluster.tenant);
        if let Some(error) = services.memory.unrenewed(tenant, self.now) {
            return Ok(Err(error));
        }
        let user = match services.ensured_user(tenant, self.now).await {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        self.journal.put_secret(Owner::Tenant, secret::SERVICE_USER, &kept_user(&user)?).await?;
        Ok(Ok(user))
    }

    /// What Keystone answers to the tenant's service user. Where it refuses the one that is kept, whose password is another by now or who is gone, the
    /// user is made sure of, and asks once more.
    pub(crate) async fn as_service_user<T, A>(&self, work: &Work, ask: impl Fn(ServiceUser) -> A) -> Result<Result<T, CloudError>, JournalError>
    where
        A: Future<Output = Result<T, CloudError>>,
    {
        let user = match self.service_user(work).await? {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        let answer = ask(user).await;
        let (services, tenant) = (self.services, &work.cluster.tenant);
        if !is_refused(&answer) {
            services.memory.forget_unrenewed(tenant);
            return Ok(answer);
        }
        // Into a project that is closed nobody is let, made sure of or not.
        if matches!(services.memory.project(tenant), Some(ProjectState::Disabled | ProjectState::Gone)) {
            return Ok(answer);
        }
        let user = match services.renewed_user(tenant, self.now).await {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        self.journal.put_secret(Owner::Tenant, secret::SERVICE_USER, &kept_user(&user)?).await?;
        let answer = ask(user).await;
        services.note_renewal(tenant, refusal(&answer), self.now).await;
        Ok(answer)
    }

    /// The cluster's authorities, made at first use: everything a node needs is known before the first server exists. Remembered: the keys for Secrets
    /// among them may have been changed by another process since (`encryption.rs`).
    pub async fn pki(&self, cluster: ClusterId) -> Result<Arc<ClusterPki>, JournalError> {
        let memory = &self.services.memory;
        if let Some(known) = memory.authorities.0.get(&cluster) {
            return Ok(known);
        }
        let unreadable = |e: sealed::SealError| JournalError::Unavailable(e.to_string());
        let text = match self.journal.secret(Owner::Cluster, secret::PKI).await? {
            Some(text) => text,
            // The servers of a new cluster are made side by side, and each asks for them.
            None => {
                let fresh = ClusterPki::generate(OffsetDateTime::now_utc()).map_err(unreadable)?;
                self.journal.keep_secret(Owner::Cluster, secret::PKI, &fresh.to_json().map_err(unreadable)?).await?
            }
        };
        let pki = Arc::new(ClusterPki::from_json(&text).map_err(unreadable)?);
        memory.note_authorities(cluster, &pki);
        Ok(pki)
    }

    pub async fn join_token(&self, node: NodeId) -> Result<SecretString, JournalError> {
        if let Some(token) = self.journal.secret(Owner::Node(node), secret::JOIN_TOKEN).await? {
            return Ok(token);
        }
        let token = sealed::JoinToken::generate().map_err(|e| JournalError::Unavailable(e.to_string()))?;
        self.journal.keep_secret(Owner::Node(node), secret::JOIN_TOKEN, token.text()).await
    }

    /// The cluster's API, once its address is known.
    pub async fn target(&self, work: &Work) -> Result<Option<Target>, JournalError> {
        let private = work.cluster.spec.api.exposure == ApiExposure::Private;
        let row = live(work, if private { "load_balancer" } else { "floating_ip" });
        let Some(address) = row.and_then(|r| r.address.clone()) else { return Ok(None) };
        Ok(Some(Target { cluster: work.cluster.id, endpoint: format!("https://{address}:6443"), private, pki: self.pki(work.cluster.id).await? }))
    }

    /// The flavor of this name.
    pub async fn flavor(&self, cloud: &Cloud, name: &str) -> Result<Flavor, Fault> {
        let flavors = cloud.compute.flavors().await.map_err(|e| e.fault(name))?;
        flavors.into_iter().find(|f| f.name == name).ok_or_else(|| local_fault(Code::FlavorMissing, format!("there is no flavor {name}"), name))
    }

    /// Id of the image a pool's nodes boot: one of its own, or the version's.
    pub async fn image_of(&self, cloud: &Cloud, work: &Work, own: Option<&str>) -> Result<String, Fault> {
        let version = &work.cluster.spec.version;
        let Some(name) = own else { return self.image(cloud, version).await };
        let images = cloud.images.images_by_name(name).await.map_err(|e| e.fault(name))?;
        let of_version = |i: &&cloud::images::Image| i.properties.get(domain::versions::IMAGE_PROPERTY) == Some(version);
        match images.iter().filter(of_version).collect::<Vec<_>>().as_slice() {
            [] => Err(local_fault(Code::ImageMismatch, format!("no image named {name} holds {version}"), name)),
            [image] if image.status == "active" => Ok(image.id.clone()),
            [image] => Err(local_fault(Code::ImageNotReady, format!("image {name} is {}", image.status), name)),
            several => Err(local_fault(Code::Ambiguous, format!("{} images are named {name}", several.len()), name)),
        }
    }

    /// Id of the node image for the cluster's version, ready to boot.
    pub async fn image(&self, cloud: &Cloud, version: &str) -> Result<String, Fault> {
        let entry = self.services.versions.iter().find(|v| v.version == version);
        let name =
            entry.map(|v| v.image.as_str()).ok_or_else(|| local_fault(Code::ImageMissing, format!("version {version} is not offered"), version))?;
        let images = cloud.images.images_by_name(name).await.map_err(|e| e.fault(name))?;
        match images.as_slice() {
            [] => Err(local_fault(Code::ImageMissing, format!("there is no image named {name}"), name)),
            [image] if image.status == "active" => Ok(image.id.clone()),
            [image] => Err(local_fault(Code::ImageNotReady, format!("image {name} is {}", image.status), name)),
            _ => Err(local_fault(Code::Ambiguous, format!("{} images are named {name}", images.len()), name)),
        }
    }
}

/// A fault found by ourselves, before any call.
#[must_use]
pub fn local_fault(code: Code, message: String, object: &str) -> Fault {
    Fault { code, message, cloud_request_id: None, retryable: code.retryable(), object: Some(object.to_owned()) }
}

/// The live row of a key.
#[must_use]
pub fn live<'w>(work: &'w Work, key: &str) -> Option<&'w LedgerRow> {
    work.ledger.iter().find(|r| r.key == key && r.state != ResourceState::Gone)
}

/// The recorded cloud id of a live row.
#[must_use]
pub fn cloud_id<'w>(work: &'w Work, key: &str) -> Option<&'w str> {
    live(work, key)?.cloud_id.as_deref()
}

/// The cloud id of a part, or of what stands in for it: a network that is not ours.
#[must_use]
pub fn part_id<'w>(work: &'w Work, key: &str) -> Option<&'w str> {
    match (&work.cluster.spec.network.existing, key) {
        (Some(existing), "network") => Some(&existing.network_id),
        (Some(existing), "subnet") => Some(&existing.subnet_id),
        _ => cloud_id(work, key),
    }
}

/// The metadata pairs by which servers and volumes are known for ours.
#[must_use]
pub fn marks(row: &LedgerRow) -> std::collections::BTreeMap<String, String> {
    [("kcs_cluster".to_owned(), row.cluster.to_string()), ("kcs_resource".to_owned(), row.id.to_string())].into()
}

/// The mark in a description.
#[must_use]
pub fn description(row: &LedgerRow) -> String {
    names::mark(row.cluster, row.id)
}

/// That Keystone does not know who asked.
pub(crate) fn refusal<T>(answer: &Result<T, CloudError>) -> Option<&CloudError> {
    answer.as_ref().err().filter(|error| error.kind == CloudErrorKind::Unauthenticated)
}

/// Whether Keystone does not know who asked.
pub(crate) fn is_refused<T>(answer: &Result<T, CloudError>) -> bool {
    refusal(answer).is_some()
}

/// How a tenant's service user is kept.
pub(crate) fn kept_user(user: &ServiceUser) -> Result<SecretString, JournalError> {
    render(&StoredUser { user_id: user.user_id.clone(), password: user.password.expose_secret().to_owned() })
}

/// A tenant's service user as it is kept.
pub(crate) fn stored_user(text: &SecretString) -> Result<ServiceUser, JournalError> {
    let stored: StoredUser = parse(text)?;
    Ok(ServiceUser { user_id: stored.user_id, password: stored.password.into() })
}

fn parse<T: for<'d> Deserialize<'d>>(text: &SecretString) -> Result<T, JournalError> {
    serde_json::from_str(text.expose_secret()).map_err(|_| JournalError::Unavailable("a stored secret cannot be read".to_owned()))
}

fn render<T: Serialize>(value: &T) -> Result<SecretString, JournalError> {
    serde_json::to_string(value).map(SecretString::from).map_err(|_| JournalError::Unavailable("a secret cannot be written".to_owned()))
}
