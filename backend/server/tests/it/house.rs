//! The program put together for a test: a database of its own, the local cloud in the same process, the API behind real HTTP.

use crate::cluster_api::ClusterApi;
use actix_web::web::Data;
use api::admin_health::ServiceHealth;
use api::in_force::{Configured, InForce};
use api::peers::Proxies;
use api::state::{Health, Settings, State};
use api::streams::StreamLimits;
use async_trait::async_trait;
use auth::{OperatorGrant, RoleNames};
use bytes::Bytes;
use cloud_openstack::{OpenStack, Transport, TransportError};
use domain::changes::Change;
use domain::clusters::Phase;
use domain::ids::{ClusterId, NodeId, OrphanId, ResourceId};
use domain::installation::Installation;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Node, NodeRole};
use domain::operations::{OperationState, Receipt};
use domain::orphans::{Marked, Verdict};
use domain::plan::node_key;
use domain::tenants::Limited;
use domain::test_support::gone_row;
use http::{Request, Response};
use kube_access::{Destinations, KubeAccess};
use local_cloud::machines::Machines;
use local_cloud::{LocalCloud, LocalCloudConfig};
use reconciler::Deps;
use reconciler::addons::AddonSettings;
use reconciler::in_cluster::InCluster;
use reconciler::memory::Memory;
use reconciler::world::Services;
use serde_json::{Value, json};
use server::audit::Messenger;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use store::test_support::Database;
use store::{SecretOwner, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const PASSWORD: &str = "correct-horse-battery";

/// Hands requests to the local cloud without a network.
struct InProcess(LocalCloud);

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.0.handle_faulty(request).map_err(|lost| TransportError { sent: lost.done, message: "the connection was lost".to_owned() })
    }
}

struct Well;

#[async_trait]
impl Health for Well {
    async fn parts(&self) -> Vec<(&'static str, bool, String)> {
        vec![("database", true, "answers at 192.0.2.77".to_owned())]
    }
    fn services(&self) -> Vec<ServiceHealth> {
        let away_since = Some(time::OffsetDateTime::UNIX_EPOCH);
        vec![ServiceHealth { service: "image".to_owned(), answered_at: None, away_since, why: Some("status 502".to_owned()) }]
    }
    fn figures(&self) -> String {
        "kcs_up 1\n".to_owned()
    }
}

/// The whole.
pub struct House {
    pub url: String,
    /// Where its figures are.
    pub figures_url: String,
    pub state: Data<State>,
    pub store: Store,
    pub database: Arc<Database>,
    pub cloud: LocalCloud,
    http: reqwest::Client,
    server: actix_web::dev::ServerHandle,
}

/// Somebody signed in.
#[derive(Clone)]
pub struct Person {
    pub cookie: String,
    pub csrf: String,
    pub cookie_attributes: String,
}

pub struct Got {
    pub status: u16,
    pub content_type: String,
    pub headers: reqwest::header::HeaderMap,
    /// JSON, or the text.
    pub body: Value,
}

impl Got {
    /// Who an answer signs in.
    pub fn person(&self) -> Person {
        assert_eq!(self.status, 200, "{}", self.body);
        let cookie = self.headers["set-cookie"].to_str().unwrap().to_owned();
        Person {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            csrf: self.body["csrf_token"].as_str().unwrap().to_owned(),
            cookie_attributes: cookie,
        }
    }
}

#[derive(serde::Deserialize)]
struct Catalogue {
    versions: Vec<domain::versions::CatalogueVersion>,
    templates: Vec<domain::templates::Template>,
}

fn settings() -> Settings {
    Settings {
        roles: RoleNames::default(),
        federation: vec![api::federation::Provider {
            id: "corp".to_owned(),
            label: "Corporate account".to_owned(),
            label_zh: "企业账号".to_owned(),
            page: cloud_openstack::websso_url(&"http://keystone.example/identity/v3".parse().unwrap(), "corp", "openid").unwrap(),
        }],
        registry: Some("registry.example.com/mirror/".to_owned()),
        load_balancer_provider: None,
        private_route: false,
        requests_per_minute: 100_000,
        gate_requests_per_minute: 0,
        sign_ins_per_minute: 600,
        failed_sign_ins_per_person: 5,
        streams: StreamLimits { of_person: 200, into_cluster: 1000, idle: Duration::from_secs(3600), longest: Duration::from_secs(24 * 3600) },
        direct_access: true,
        gate_url: "https://127.0.0.1:8443".to_owned(),
        gate_ca_pem: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
        origins: Vec::new(),
        proxies: Proxies::default(),
        demo: true,
    }
}

/// What operators may change while it runs.
pub fn configured() -> Configured {
    let catalogue: Catalogue = serde_yaml_ng::from_str(include_str!("../../src/dev_catalogue.yaml")).unwrap();
    let installation = Installation {
        of_projects: [(Limited::Clusters, 20)].into(),
        nodes_per_pool: 100,
        nodes_per_cluster: 500,
        kubeconfig_days: 30,
        versions: catalogue.versions,
        templates: catalogue.templates,
        prices: None,
        retention_days: None,
        forward: None,
    };
    Configured { installation, authorization: None }
}

/// The clusters of a test are on this machine.
fn clusters_here() -> KubeAccess {
    KubeAccess::new().with_destinations(Destinations::new(vec!["127.0.0.0/8".parse().unwrap()], Vec::new()))
}

impl House {
    pub async fn new() -> Self {
        let cloud = LocalCloud::new(LocalCloudConfig { password: PASSWORD.to_owned(), ..LocalCloudConfig::default() });
        Self::on(Arc::new(Database::new().await), cloud, settings()).await
    }

    /// One whose cloud has these public addresses.
    pub async fn with_public(public: &str) -> Self {
        let public = public.parse().unwrap();
        let cloud = LocalCloud::new(LocalCloudConfig { password: PASSWORD.to_owned(), public, ..LocalCloudConfig::default() });
        Self::on(Arc::new(Database::new().await), cloud, settings()).await
    }

    /// One on whose cloud servers boot on these machines.
    pub async fn with_machines(machines: Arc<dyn Machines>) -> Self {
        let cloud = LocalCloud::new(LocalCloudConfig { password: PASSWORD.to_owned(), machines: Some(machines), ..LocalCloudConfig::default() });
        Self::on(Arc::new(Database::new().await), cloud, settings()).await
    }

    /// The engine, until it is told to stop.
    pub fn engine(&self, stop: CancellationToken) -> JoinHandle<()> {
        let in_force = self.state.in_force.clone();
        let services = Services {
            identity: self.state.identity.clone(),
            kubernetes: Arc::new(InCluster::new(clusters_here())),
            versions: Arc::new(move || in_force.now().installation.versions.clone()),
            node_endpoint: self.state.settings.gate_url.clone(),
            gate_ca_pem: self.state.settings.gate_ca_pem.clone(),
            egress: Vec::new(),
            parallel: 8,
            addons: AddonSettings::default(),
            memory: Memory::default(),
        };
        let deps = Deps { services, store: self.store.clone(), workers: 2, lease: Duration::from_secs(30) };
        actix_web::rt::spawn(reconciler::run(Arc::new(deps), stop))
    }

    /// One more replica on the same database and cloud.
    pub async fn beside(&self) -> Self {
        Self::on(self.database.clone(), self.cloud.clone(), settings()).await
    }

    /// One more replica whose streams last no longer than this.
    pub async fn beside_brief(&self, longest: Duration) -> Self {
        let settings = settings();
        let streams = StreamLimits { longest, ..settings.streams };
        Self::on(self.database.clone(), self.cloud.clone(), Settings { streams, ..settings }).await
    }

    /// One more replica in which so many streams of a person may be open at once, and so many into a cluster.
    pub async fn beside_few(&self, of_person: u32, into_cluster: u32) -> Self {
        let settings = settings();
        let streams = StreamLimits { of_person, into_cluster, ..settings.streams };
        Self::on(self.database.clone(), self.cloud.clone(), Settings { streams, ..settings }).await
    }

    /// One more replica, behind a proxy on this machine.
    pub async fn beside_behind_proxy(&self) -> Self {
        let proxies = Proxies { trusted: vec!["127.0.0.0/8".parse().unwrap()], ..Proxies::default() };
        Self::on(self.database.clone(), self.cloud.clone(), Settings { proxies, ..settings() }).await
    }

    /// One more replica that closes ways into pods through which nothing has gone for so long.
    pub async fn beside_idle(&self, idle: Duration) -> Self {
        let settings = settings();
        let streams = StreamLimits { idle, ..settings.streams };
        Self::on(self.database.clone(), self.cloud.clone(), Settings { streams, ..settings }).await
    }

    /// One more replica that lets so many people in a minute sign in whose browsers it does not know.
    pub async fn beside_limited(&self, sign_ins_per_minute: u32) -> Self {
        Self::on(self.database.clone(), self.cloud.clone(), Settings { sign_ins_per_minute, ..settings() }).await
    }

    /// One more replica to which these roles make an operator, and no others.
    pub async fn beside_operators(&self, operators: Vec<OperatorGrant>) -> Self {
        let roles = RoleNames { operators, ..RoleNames::default() };
        Self::on(self.database.clone(), self.cloud.clone(), Settings { roles, ..settings() }).await
    }

    /// One more replica that lets so many requests of a person's in a minute through the gate, and so many to the API.
    pub async fn beside_gate_limited(&self, gate_requests_per_minute: u32, requests_per_minute: u32) -> Self {
        let settings = Settings { gate_requests_per_minute, requests_per_minute, ..settings() };
        Self::on(self.database.clone(), self.cloud.clone(), settings).await
    }

    /// One more replica whose operator lets nobody past the gate.
    pub async fn beside_closed(&self) -> Self {
        Self::on(self.database.clone(), self.cloud.clone(), Settings { direct_access: false, ..settings() }).await
    }

    async fn on(database: Arc<Database>, cloud: LocalCloud, settings: Settings) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let config = cloud_openstack::Config {
            auth_url: format!("{}/identity/v3", cloud.base_url()).parse().unwrap(),
            region: None,
            interface: cloud_openstack::Interface::Public,
            service_username: "kcs".to_owned(),
            service_password: PASSWORD.to_owned().into(),
            service_project: "service".to_owned(),
            service_domain: "Default".to_owned(),
            tenant_domain: "Default".to_owned(),
            load_balancer_provider: None,
        };
        let identity = Arc::new(OpenStack::new(config, Arc::new(InProcess(cloud.clone()))));
        let store = database.store().await;
        let in_force = InForce::new(configured(), Box::new(Messenger::new().unwrap()));
        in_force.look(&store).await.unwrap();
        let state = Data::new(State::new(store.clone(), identity, database.keys.clone(), clusters_here(), settings, in_force, Arc::new(Well)));
        let followed = state.clone();
        actix_web::rt::spawn(async move { followed.in_force.follow(&followed.store, &followed.stopping).await });
        let [listener, figures] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [url, figures_url] = [&listener, &figures].map(|socket| format!("http://{}", socket.local_addr().unwrap()));
        let builder = actix_web::dev::Server::build().workers(1).disable_signals();
        cloud.trust_dashboard(format!("{url}/api/v1/session/federation/callback"));
        let builder = server::listeners::plain(builder, listener, &state).unwrap();
        let running = server::listeners::figures(builder, figures, &state).unwrap().run();
        let server = running.handle();
        actix_web::rt::spawn(running);
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, figures_url, state, store, database, cloud, http, server }
    }

    /// One request; streams are left after their head.
    async fn send(&self, headers: &[(&str, &str)], method: &str, path: &str, content_type: &str, body: Option<Vec<u8>>) -> Got {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let content_type = headers.get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let text = if content_type == "text/event-stream" { String::new() } else { answer.text().await.unwrap() };
        Got { status, content_type, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// What is at an address of the listener for figures.
    pub async fn figures(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("{}{path}", self.figures_url)).send().await.unwrap()
    }

    pub async fn call_as(&self, person: &Person, headers: &[(&str, &str)], method: &str, path: &str, body: Option<&Value>) -> Got {
        let mut all = vec![("cookie", person.cookie.as_str()), ("x-csrf-token", person.csrf.as_str())];
        all.extend_from_slice(headers);
        self.call_with(&all, method, path, body).await
    }

    pub async fn call(&self, person: Option<&Person>, method: &str, path: &str, body: Option<&Value>) -> Got {
        match person {
            Some(person) => self.call_as(person, &[], method, path, body).await,
            None => self.call_with(&[], method, path, body).await,
        }
    }

    pub async fn call_with(&self, headers: &[(&str, &str)], method: &str, path: &str, body: Option<&Value>) -> Got {
        let content_type = if body.is_some() { "application/json" } else { "" };
        self.send(headers, method, path, content_type, body.map(|b| b.to_string().into_bytes())).await
    }

    pub async fn raw(&self, person: Option<&Person>, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Got {
        let mut headers = Vec::new();
        if let Some(person) = person {
            headers.extend([("cookie", person.cookie.as_str()), ("x-csrf-token", person.csrf.as_str())]);
        }
        self.send(&headers, method, path, content_type, Some(body)).await
    }

    /// A form, as a browser sends it.
    pub async fn form(&self, headers: &[(&str, &str)], path: &str, form: String) -> Got {
        self.send(headers, "POST", path, "application/x-www-form-urlencoded", Some(form.into_bytes())).await
    }

    /// How many streams more somebody may open.
    pub fn free_streams(&self, user: &str) -> usize {
        let mut open = Vec::new();
        while let Ok(one) = self.state.streams.open(user, None) {
            open.push(one);
        }
        open.len()
    }

    pub async fn sign_in(&self, user: &str) -> Person {
        let answer = self.call(None, "POST", "/api/v1/session", Some(&json!({"username": user, "password": PASSWORD}))).await;
        answer.person()
    }

    /// A token of Keystone's own, as OpenStack's tools have it.
    pub async fn keystone_token(&self, user: &str, project: &str) -> String {
        use secrecy::ExposeSecret;
        let identity = &self.state.identity;
        let unscoped = identity.sign_in(user, "Default", &PASSWORD.to_owned().into(), None).await.unwrap().token().unwrap();
        let project = identity.projects(&unscoped.secret).await.unwrap().into_iter().find(|p| p.name == project).unwrap();
        identity.rescope(&unscoped.secret, &project.id).await.unwrap().secret.expose_secret().to_owned()
    }

    /// A call of the cloud's administrator to Keystone.
    pub async fn keystone(&self, method: &str, path: &str, body: &Value) -> Value {
        let token = self.keystone_token("operator", "admin").await;
        let request = Request::builder().method(method).uri(format!("http://cloud/identity/v3{path}"));
        let request = request.header("x-auth-token", token).header("content-type", "application/json");
        let answer = self.cloud.handle(request.body(Bytes::from(body.to_string())).unwrap());
        assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
        serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
    }

    /// What the project of member-a may have of a service of the cloud from now on.
    pub fn cloud_quota(&self, service: &str, resource: &str, limit: i64) {
        let body = json!({"service": service, "project": "tenant-a", "resource": resource, "limit": limit});
        let request = Request::builder().method("POST").uri("http://cloud/_local/quota");
        let answer = self.cloud.handle(request.body(Bytes::from(body.to_string())).unwrap());
        assert!(answer.status().is_success(), "{resource}: {:?}", answer.body());
    }

    /// A key pair of a person's in Nova.
    pub async fn key_pair(&self, user: &str, name: &str, public_key: &str) {
        let token = self.keystone_token(user, "tenant-a").await;
        let request = Request::builder().method("POST").uri("http://cloud/compute/v2.1/os-keypairs");
        let request = request.header("x-auth-token", token).header("content-type", "application/json");
        let body = json!({"keypair": {"name": name, "public_key": public_key}});
        let answer = self.cloud.handle(request.body(Bytes::from(body.to_string())).unwrap());
        assert!(answer.status().is_success(), "{name}: {:?}", answer.body());
    }

    /// Somebody takes an address of this external network.
    pub fn floating_ip(&self, token: &str, network: &str) {
        let body = json!({"floatingip": {"floating_network_id": network}});
        let request = Request::builder().method("POST").uri("http://cloud/network/v2.0/floatingips");
        let request = request.header("x-auth-token", token).header("content-type", "application/json");
        let answer = self.cloud.handle(request.body(Bytes::from(body.to_string())).unwrap());
        assert!(answer.status().is_success(), "{:?}", answer.body());
    }

    /// A call of a person's to Cinder, by their token.
    pub fn cinder(&self, token: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder().method("POST").uri(format!("http://cloud/volume/v3/{path}"));
        let request = request.header("x-auth-token", token).header("content-type", "application/json");
        let answer = self.cloud.handle(request.body(Bytes::from(body.to_string())).unwrap());
        assert!(answer.status().is_success(), "{path}: {:?}", answer.body());
        serde_json::from_slice(answer.body()).unwrap()
    }

    /// A network of a person's, by their token.
    pub fn network(&self, token: &str, name: &str) {
        let body = json!({"network": {"name": name}}).to_string();
        let request = Request::builder().method("POST").uri("http://cloud/network/v2.0/networks");
        let request = request.header("x-auth-token", token).header("content-type", "application/json");
        let answer = self.cloud.handle(request.body(Bytes::from(body)).unwrap());
        assert!(answer.status().is_success(), "{name}: {:?}", answer.body());
    }

    /// A volume of a person's, by their token: its id.
    pub fn volume(&self, token: &str, name: &str) -> String {
        let made = self.cinder(token, "volumes", &json!({"volume": {"name": name, "size": 1}}));
        made["volume"]["id"].as_str().unwrap().to_owned()
    }

    /// A cluster whose creation has ended well, as far as the store knows: (cluster, operation).
    pub async fn running_cluster(&self, person: &Person, name: &str) -> (String, String) {
        let (cluster, operation) = self.begun_cluster(person, name).await;
        self.finish(&cluster).await;
        (cluster, operation)
    }

    /// What the engine would record at the end.
    pub async fn finish(&self, cluster: &str) {
        self.finish_at(cluster, None, Vec::new()).await;
    }

    /// The same, of a cluster with workers, which are ready or not.
    pub async fn finish_with_workers(&self, cluster: &str, ready: &[bool]) -> Vec<NodeId> {
        let id = cluster.parse().unwrap();
        let worker = |(ordinal, ready)| Node { ready: Some(ready), ..Node::new(NodeId::generate(), id, NodeRole::Worker, "default", ordinal) };
        let workers: Vec<Node> = (0..).zip(ready.iter().copied()).map(worker).collect();
        self.finish_at(cluster, None, workers.iter().cloned().map(Change::Node).collect()).await;
        workers.into_iter().map(|node| node.id).collect()
    }

    /// A cluster that runs and whose API answers.
    pub async fn cluster_with_api(&self, person: &Person, name: &str) -> (String, ClusterApi) {
        self.cluster_of(person, name, ClusterApi::start()).await
    }

    /// A cluster that runs, whose API has every namespace and answers all else with an empty list.
    pub async fn cluster_with_answering_api(&self, person: &Person, name: &str) -> (String, ClusterApi) {
        self.cluster_of(person, name, ClusterApi::answering()).await
    }

    /// A cluster that runs and whose API refuses everything.
    pub async fn cluster_with_refusing_api(&self, person: &Person, name: &str) -> (String, ClusterApi) {
        self.cluster_of(person, name, ClusterApi::refusing()).await
    }

    /// A cluster that runs, in which the ways into pods say back what they are told.
    pub async fn cluster_with_echoing_api(&self, person: &Person, name: &str) -> (String, ClusterApi) {
        self.cluster_of(person, name, ClusterApi::echoing().await).await
    }

    /// A cluster that runs, whose API has a pod and a deployment in each namespace and lets nobody look over all of them.
    pub async fn cluster_with_inhabited_api(&self, person: &Person, name: &str) -> (String, ClusterApi) {
        self.cluster_of(person, name, ClusterApi::inhabited()).await
    }

    /// A cluster that runs, with this API.
    pub async fn cluster_of(&self, person: &Person, name: &str, api: ClusterApi) -> (String, ClusterApi) {
        let (cluster, _) = self.begun_cluster(person, name).await;
        self.finish_at(&cluster, Some(&api), Vec::new()).await;
        (cluster, api)
    }

    /// A cluster that runs, with an API that answers and a worker whose server is in the ledger: (cluster, operation, worker, API).
    pub async fn cluster_with_worker(&self, person: &Person, name: &str) -> (String, String, NodeId, ClusterApi) {
        let (cluster, operation) = self.begun_cluster(person, name).await;
        let (id, api) = (cluster.parse().unwrap(), ClusterApi::answering());
        let joined_at = Some(time::OffsetDateTime::now_utc());
        let worker = Node { ready: Some(true), joined_at, ..Node::new(NodeId::generate(), id, NodeRole::Worker, "default", 0) };
        let key = node_key(ResourceKind::Server, &worker.name);
        let server = LedgerRow { key, state: ResourceState::Known, ..gone_row(id, ResourceKind::Server, "id-of-server") };
        self.finish_at(&cluster, Some(&api), vec![Change::Node(worker.clone()), Change::Ledger(server)]).await;
        (cluster, operation, worker.id, api)
    }

    /// A cluster that runs, with a worker that joined and is not ready, of which its API says this of being Ready.
    pub async fn cluster_with_unready_worker(&self, person: &Person, name: &str, ready: Value) -> (String, ClusterApi) {
        let (cluster, _) = self.begun_cluster(person, name).await;
        let since = Some(time::OffsetDateTime::UNIX_EPOCH);
        let new = Node::new(NodeId::generate(), cluster.parse().unwrap(), NodeRole::Worker, "default", 0);
        let worker = Node { ready: Some(false), joined_at: since, unready_since: since, ..new };
        let inside = json!({"metadata": {"name": worker.name}, "status": {"conditions": [ready]}});
        let api = ClusterApi::holding("/api/v1/nodes", vec![inside]);
        self.finish_at(&cluster, Some(&api), vec![Change::Node(worker)]).await;
        (cluster, api)
    }

    /// The operation of a cluster that was deleted, as far as the store knows: its receipt is empty.
    pub async fn deleted_cluster(&self, person: &Person, name: &str) -> String {
        let (cluster, _) = self.running_cluster(person, name).await;
        let deleted = self.call(Some(person), "DELETE", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"confirm": name}))).await;
        assert_eq!(deleted.status, 202, "{}", deleted.body);
        let claim = self.store.claim(Uuid::new_v4(), Duration::from_secs(30)).await.unwrap().expect("a cluster is due");
        assert_eq!(claim.cluster.to_string(), cluster);
        let mut operation = self.store.load(&claim).await.unwrap().operation.unwrap();
        (operation.state, operation.receipt) = (OperationState::Succeeded, Some(Receipt::default()));
        let id = operation.id.to_string();
        self.store.commit(&claim, &[Change::Operation(operation), Change::ClusterGone]).await.unwrap();
        id
    }

    /// A cluster that is being created: (cluster, operation).
    async fn begun_cluster(&self, person: &Person, name: &str) -> (String, String) {
        let made = self.call(Some(person), "POST", "/api/v1/clusters", Some(&json!({"name": name, "template": "dev"}))).await;
        assert_eq!(made.status, 202, "{}", made.body);
        let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
        (text(&made.body["cluster"]), text(&made.body["operation"]))
    }

    /// A network that a sweep has just found in the project of a cluster's, and that no row tells of.
    pub async fn orphan(&self, name: &str) -> OrphanId {
        let turn = self.store.sweep_claim(Duration::from_secs(600), Duration::from_secs(60)).await.unwrap().expect("a project with clusters");
        let object = Marked {
            kind: ResourceKind::Network,
            cloud_id: Uuid::new_v4().to_string(),
            name: name.to_owned(),
            cluster: ClusterId::generate(),
            resource: Some(ResourceId::generate()),
        };
        let seen = self.store.orphans_seen(&turn.tenant, vec![(object, Verdict::NoRow)], vec![]).await.unwrap();
        self.store.sweep_release(turn, Some(Duration::ZERO)).await.unwrap();
        seen.known.into_iter().find(|o| o.object.name == name).unwrap().id
    }

    /// What the audit log tells a person of an action, the oldest first: (outcome, detail).
    pub async fn told(&self, person: &Person, action: &str) -> Vec<(String, Value)> {
        let log = self.call(Some(person), "GET", &format!("/api/v1/audit?action={action}"), None).await.body;
        let lines = log["items"].as_array().unwrap().iter().rev();
        lines.map(|line| (line["outcome"].as_str().unwrap().to_owned(), line["detail"].clone())).collect()
    }

    /// A kubeconfig of a person: (id, token).
    pub async fn kubeconfig(&self, person: &Person, cluster: &str) -> (String, String) {
        let path = format!("/api/v1/clusters/{cluster}/kubeconfigs");
        let issued = self.call(Some(person), "POST", &path, Some(&json!({"expires_in": 3600}))).await;
        assert_eq!(issued.status, 201, "{}", issued.body);
        let text = issued.body["kubeconfig"].as_str().unwrap();
        let token = text.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().trim_matches('"');
        (issued.body["id"].as_str().unwrap().to_owned(), token.to_owned())
    }

    async fn finish_at(&self, cluster: &str, api: Option<&ClusterApi>, besides: Vec<Change>) {
        let claim = self.store.claim(Uuid::new_v4(), Duration::from_secs(30)).await.unwrap().expect("a cluster is due");
        assert_eq!(claim.cluster.to_string(), cluster);
        let work = self.store.load(&claim).await.unwrap();
        let mut operation = work.operation.unwrap();
        operation.state = OperationState::Succeeded;
        operation.progress = 100;
        let mut status = work.cluster.status;
        status.phase = Phase::Running;
        if let Some(api) = api {
            status.api_endpoint = Some(api.endpoint.clone());
            self.store.secret_put(&claim, &SecretOwner::Cluster(claim.cluster), "pki", &api.pki.to_json().unwrap()).await.unwrap();
        }
        let mut changes = vec![Change::Status(status), Change::ObservedGeneration(work.cluster.generation), Change::Operation(operation)];
        changes.extend(besides);
        self.store.commit(&claim, &changes).await.unwrap();
        self.store.release(claim, Duration::from_secs(3600)).await.unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}
