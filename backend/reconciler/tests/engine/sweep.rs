//! Sweeps of whole projects: the real store, the real adapter, the local cloud in stepped time. For the database an hour passes by a statement.

use crate::kubernetes::InCluster;
use crate::lab::{Fate, PASSWORD, admin, authorities, delete_service_user, made_sure, services};
use auth::{Actor, ClusterCreate, Grants, Project, User, Via};
use cloud::Cloud;
use cloud::load_balancers::NewLoadBalancer;
use cloud::network::NewSubnet;
use cloud::volumes::NewVolume;
use domain::changes::Change;
use domain::ids::{ClusterId, TenantId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::names;
use domain::orphans::{Decision, Verdict};
use domain::permissions::Role;
use domain::tenants::ProjectState;
use domain::test_support::{gone_row, spec};
use local_cloud::{Effect, FaultRule, LocalCloud, LocalCloudConfig, Service, Time};
use reconciler::Deps;
use reconciler::pass::pass;
use reconciler::sweep::{LEASE, SweepError, Swept, run, sweep};
use reconciler::world::{Services, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::test_support::{Database, Pair};
use store::{Claim, NewCluster, OrphanRecord, RequestContext, SecretOwner, Store};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(600);

/// A project with one cluster that was just asked for, and KCS's service user.
pub struct Site {
    cloud: LocalCloud,
    pub database: Database,
    pub store: Store,
    pub services: Services,
    tenant: TenantId,
    pub cluster: ClusterId,
    pub claim: Claim,
    /// What the service user sees.
    eyes: Cloud,
    /// What was there before.
    before: BTreeSet<String>,
}

impl Site {
    pub async fn new() -> Self {
        Self::on(Database::new().await).await
    }

    async fn on(database: Database) -> Self {
        let config = LocalCloudConfig {
            time: Time::Stepped,
            seed: Some(7),
            password: PASSWORD.to_owned(),
            token_seconds: 400_000_000,
            ..LocalCloudConfig::default()
        };
        let cloud = LocalCloud::new(config);
        let services = services(&cloud, &Arc::new(Mutex::new(Fate::default())), &Arc::new(Mutex::new(InCluster::default())), PASSWORD);
        let store = database.store().await;
        let tenant = TenantId(cloud.project_id("tenant-a").unwrap());
        let member = person(&tenant, false);
        let mut spec = spec(3, 2);
        spec.network.external_network = cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "public").unwrap().id;
        let new = NewCluster { name: "demo".to_owned(), spec, limits: domain::tenants::Limits::new(), room: None };
        let permit = member.may::<ClusterCreate>(&member.project).unwrap();
        let cluster = store.cluster_create(permit, new, None, RequestContext::default()).await.unwrap().cluster.cluster.id;
        let claim = store.claim(Uuid::now_v7(), Duration::from_secs(3600)).await.unwrap().unwrap();
        store.secret_put(&claim, &SecretOwner::Cluster(cluster), "pki", &authorities()).await.unwrap();
        let work = store.load(&claim).await.unwrap();
        let journal = reconciler::claimed::Claimed { store: &store, claim: &claim };
        let user = World { services: &services, journal: &journal, now: claim.now() }.service_user(&work).await.unwrap().unwrap();
        let eyes = services.identity.as_service_user(&user, &tenant.0);
        let before = ids(&cloud);
        Self { cloud, database, store, services, tenant, cluster, claim, eyes, before }
    }

    /// A row that says of an object that it is gone.
    async fn gone(&self, kind: ResourceKind, cloud_id: &str) -> LedgerRow {
        let row = gone_row(self.cluster, kind, cloud_id);
        self.write(&row).await;
        row
    }

    async fn write(&self, row: &LedgerRow) {
        self.store.commit(&self.claim, &[Change::Ledger(row.clone())]).await.unwrap();
    }

    /// A network with the name and the mark of a row that says it is gone.
    async fn lost_network(&self) -> String {
        let mut row = gone_row(self.cluster, ResourceKind::Network, "");
        let id = self.eyes.network.create_network(&row.name, &names::mark(self.cluster, row.id)).await.unwrap();
        row.cloud_id = Some(id.clone());
        self.write(&row).await;
        id
    }

    /// The tenant's next turn.
    async fn turn(&self) -> Swept {
        self.try_turn().await.unwrap()
    }

    async fn try_turn(&self) -> Result<Swept, SweepError> {
        self.database.execute("UPDATE sweeps SET run_at = now()").await;
        let turn = self.store.sweep_claim(EVERY, LEASE).await.unwrap().expect("it is due");
        assert_eq!(turn.tenant, self.tenant);
        let swept = sweep(&self.services, &self.store, &turn).await;
        self.store.sweep_release(turn, None).await.unwrap();
        swept
    }

    async fn an_hour_later(&self) -> Swept {
        self.database.execute("UPDATE orphans SET first_seen_at = first_seen_at - interval '1 hour'").await;
        self.cloud.advance(Duration::from_secs(3600));
        self.turn().await
    }

    async fn orphans(&self) -> Vec<OrphanRecord> {
        self.store.orphans(person(&self.tenant, true).operator().unwrap()).await.unwrap()
    }

    async fn decide(&self, orphan: &OrphanRecord, decision: Decision) {
        let operator = person(&self.tenant, true);
        let scope = operator.operator().unwrap();
        self.store.orphan_decide(scope, &operator, orphan.id, decision, RequestContext::default()).await.unwrap();
    }

    fn is_there(&self, id: &str) -> bool {
        ids(&self.cloud).contains(id)
    }
}

fn ids(cloud: &LocalCloud) -> BTreeSet<String> {
    cloud.dump().into_iter().map(|o| o.id).collect()
}

fn person(tenant: &TenantId, operator: bool) -> Actor {
    let user = User { id: "u".into(), name: "somebody".into(), domain: "default".into() };
    let project = Project { id: tenant.clone(), name: "tenant-a".into() };
    Actor::new(user, project, Grants { roles: vec![Role::Member], operator }, None, Via::Session)
}

#[tokio::test]
async fn what_is_recorded_as_gone_and_is_there_goes_after_two_looks_and_a_while() {
    let site = Site::new().await;
    let network = site.lost_network().await;
    assert_eq!(site.turn().await, Swept { known: 1, ..Swept::default() });
    assert_eq!(site.turn().await, Swept { known: 1, ..Swept::default() }, "seen twice, but only now");
    let seen = site.orphans().await;
    assert_eq!(seen.iter().map(|o| (o.verdict, o.looks, o.object.cloud_id.as_str())).collect::<Vec<_>>(), [(Verdict::Ours, 2, network.as_str())]);
    assert_eq!(seen[0].cluster_name.as_deref(), Some("demo"));
    assert!(site.is_there(&network));
    assert_eq!(site.an_hour_later().await, Swept { known: 1, asked: 1, blind: 0 });
    assert!(!site.is_there(&network));
    assert_eq!(site.turn().await, Swept::default());
    assert_eq!(ids(&site.cloud), site.before);
}

#[tokio::test]
async fn case_45_an_object_without_a_row_waits_until_an_operator_has_decided() {
    let site = Site::new().await;
    let lost = async |name: &str| {
        let mark = names::mark(site.cluster, domain::ids::ResourceId::generate());
        site.eyes.network.create_network(name, &mark).await.unwrap()
    };
    let (one, other) = (lost("kcs-one-net").await, lost("kcs-other-net").await);
    for _ in 0..5 {
        assert_eq!(site.an_hour_later().await, Swept { known: 2, ..Swept::default() }, "time alone decides nothing");
    }
    let orphans = site.orphans().await;
    assert!(orphans.iter().all(|o| o.verdict == Verdict::NoRow));
    for (orphan, decision) in orphans.iter().zip([Decision::Delete, Decision::Keep]) {
        site.decide(orphan, decision).await;
    }
    let (goes, stays) = if orphans[0].object.cloud_id == one { (one, other) } else { (other, one) };
    site.turn().await;
    assert!(!site.is_there(&goes) && site.is_there(&stays));
    site.an_hour_later().await;
    let left = site.orphans().await;
    assert_eq!(left.iter().map(|o| (o.object.cloud_id.as_str(), o.decision)).collect::<Vec<_>>(), [(stays.as_str(), Some(Decision::Keep))]);
    assert!(site.is_there(&stays));
}

#[tokio::test]
async fn case_45_what_was_made_for_a_row_that_a_fail_over_has_lost_waits_for_an_operator() {
    let pair = Pair::new().await;
    let site = Site::on(pair.database()).await;
    pair.part().await;
    // Recorded, acknowledged, made: but the server that is to take the place of this one has not heard of it.
    let row = LedgerRow { state: ResourceState::Unknown, cloud_id: None, ..gone_row(site.cluster, ResourceKind::Network, "") };
    site.write(&row).await;
    let network = site.eyes.network.create_network(&row.name, &names::mark(site.cluster, row.id)).await.unwrap();
    site.write(&LedgerRow { state: ResourceState::Known, cloud_id: Some(network.clone()), ..row }).await;
    assert_eq!(site.an_hour_later().await, Swept::default(), "its cluster's engine looks after it");

    let database = pair.fail_over().await;
    let store = database.store().await;
    let site = Site { database, store, ..site };
    assert!(site.store.load(&site.claim).await.unwrap().ledger.is_empty(), "the cluster is there, and what was acknowledged last is not");
    for _ in 0..3 {
        assert_eq!(site.an_hour_later().await, Swept { known: 1, ..Swept::default() }, "nothing is asked to go");
    }
    let orphans = site.orphans().await;
    assert_eq!(orphans.iter().map(|o| (o.verdict, o.object.cloud_id.as_str())).collect::<Vec<_>>(), [(Verdict::NoRow, network.as_str())]);
    assert!(site.is_there(&network));
    site.store.close().await;
    pair.stop().await;
}

#[tokio::test]
async fn a_copied_mark_and_what_is_somebody_elses_are_never_touched() {
    let site = Site::new().await;
    let row = site.gone(ResourceKind::Network, "the-one-that-is-gone").await;
    let never_asked = LedgerRow { cloud_id: None, called_at: None, key: "router".into(), ..gone_row(site.cluster, ResourceKind::Router, "") };
    site.write(&never_asked).await;
    let network = &site.eyes.network;
    // The whole mark and the very name, but not the identity; the mark on another kind of object; that of a row of which nothing was ever made.
    network.create_network(&row.name, &names::mark(site.cluster, row.id)).await.unwrap();
    network.create_security_group("mine", &names::mark(site.cluster, row.id)).await.unwrap();
    let external = site.cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "public").unwrap().id;
    network.create_router(&never_asked.name, &names::mark(site.cluster, never_asked.id), &external).await.unwrap();
    // The name of a server group can be copied, its identity cannot.
    site.eyes.compute.create_server_group(&names::object(site.cluster, "masters")).await.unwrap();
    // And what looks like ours.
    network.create_network("like-ours", &format!("a copy of {}", names::mark(site.cluster, row.id))).await.unwrap();
    site.cloud.add_foreign(&site.tenant.0, &row.name);
    site.cloud.add_foreign(&site.tenant.0, "kcs-like");
    let all = ids(&site.cloud);
    for _ in 0..4 {
        assert_eq!(site.an_hour_later().await, Swept { known: 4, ..Swept::default() });
    }
    let verdicts = site.orphans().await.into_iter().map(|o| (o.object.kind, o.verdict)).collect::<BTreeSet<_>>();
    let contradicted = [ResourceKind::Network, ResourceKind::Router, ResourceKind::SecurityGroup].map(|k| (k, Verdict::Contradicted));
    assert_eq!(verdicts, contradicted.into_iter().chain([(ResourceKind::ServerGroup, Verdict::NoRow)]).collect());
    assert_eq!(ids(&site.cloud), all);
}

#[tokio::test]
async fn what_was_made_in_a_cluster_that_is_gone_waits_for_an_operator() {
    let site = Site::new().await;
    let (network, tag) = (&site.eyes.network, names::cluster_tag(site.cluster));
    let external = site.cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "public").unwrap().id;
    let theirs = network.create_network("theirs", "").await.unwrap();
    let subnet = NewSubnet {
        name: "theirs".into(),
        description: String::new(),
        network_id: theirs,
        cidr: "10.2.0.0/24".parse().unwrap(),
        dns_servers: vec![],
    };
    let balancer = NewLoadBalancer {
        name: format!("kube_service_{tag}_default_web"),
        description: "Kubernetes external service default/web from cluster".into(),
        vip_subnet_id: network.create_subnet(&subnet).await.unwrap(),
        vip_address: None,
        port: 80,
        members: vec![],
        allowed_cidrs: vec![],
        provider: None,
        client_timeout_seconds: 50,
        member_timeout_seconds: 50,
    };
    let volume = |tag: &str| NewVolume {
        name: "pvc-1".into(),
        size_gib: 1,
        image_id: None,
        volume_type: None,
        zone: None,
        metadata: [(names::VOLUME_CLUSTER.to_owned(), tag.to_owned())].into(),
    };
    let address = |tag: &str| format!("Floating IP for Kubernetes external service default/web from cluster {tag}");
    let group = |tag: &str| format!("Security Group for default/web Service LoadBalancer in cluster {tag}");
    let balancer = site.eyes.load_balancers.as_ref().unwrap().create_load_balancer(&balancer).await.unwrap();
    let kept = site.eyes.volumes.create_volume(&volume(&tag)).await.unwrap();
    let (floating_ip, _) = network.create_floating_ip(&external, &address(&tag)).await.unwrap();
    let group_of_service = network.create_security_group("lb-sg-web", &group(&tag)).await.unwrap();
    // Of clusters that have not the name of one of ours.
    site.eyes.volumes.create_volume(&volume("kubernetes")).await.unwrap();
    network.create_floating_ip(&external, &address("kcs-web")).await.unwrap();
    network.create_security_group("lb-sg-web", &group(&format!("{tag}0"))).await.unwrap();
    let all = ids(&site.cloud);
    assert_eq!(site.an_hour_later().await, Swept::default(), "it belongs to a cluster that is there");

    site.database.execute("UPDATE clusters SET deleted_at = now()").await;
    for _ in 0..4 {
        assert_eq!(site.an_hour_later().await, Swept { known: 4, ..Swept::default() }, "nothing is asked to go");
    }
    assert_eq!(ids(&site.cloud), all);
    let orphans = site.orphans().await;
    let goes = [balancer, floating_ip, group_of_service];
    let seen: BTreeSet<&str> = orphans.iter().map(|o| o.object.cloud_id.as_str()).collect();
    assert_eq!(seen, goes.iter().chain([&kept]).map(String::as_str).collect());
    for orphan in &orphans {
        assert_eq!((orphan.verdict, orphan.object.cluster, orphan.cluster_name.as_deref()), (Verdict::MadeInside, site.cluster, Some("demo")));
        let decision = if orphan.object.cloud_id == kept { Decision::Keep } else { Decision::Delete };
        site.decide(orphan, decision).await;
    }
    site.turn().await;
    site.an_hour_later().await;
    assert!(!goes.iter().any(|id| site.is_there(id)), "{:#?}", site.orphans().await);
    assert!(site.is_there(&kept));
}

#[tokio::test]
async fn a_router_that_serves_somebody_else_too_stays() {
    let site = Site::new().await;
    let network = &site.eyes.network;
    let subnet = async |name: &str, description: &str, network_id: &str, cidr: &str| {
        let subnet = NewSubnet {
            name: name.into(),
            description: description.into(),
            network_id: network_id.into(),
            cidr: cidr.parse().unwrap(),
            dns_servers: vec![],
        };
        network.create_subnet(&subnet).await.unwrap()
    };
    let ours = site.lost_network().await;
    let theirs = network.create_network("theirs", "").await.unwrap();
    let mut rows = [ResourceKind::Subnet, ResourceKind::Router].map(|kind| gone_row(site.cluster, kind, ""));
    let marks = rows.each_ref().map(|row| names::mark(site.cluster, row.id));
    let external = site.cloud.dump().into_iter().find(|o| o.kind == "network" && o.name == "public").unwrap().id;
    rows[0].cloud_id = Some(subnet(&rows[0].name, &marks[0], &ours, "10.1.0.0/24").await);
    rows[1].cloud_id = Some(network.create_router(&rows[1].name, &marks[1], &external).await.unwrap());
    for row in &rows {
        site.write(row).await;
    }
    let (our_subnet, router) = (rows[0].cloud_id.clone().unwrap(), rows[1].cloud_id.clone().unwrap());
    let their_subnet = subnet("theirs", "", &theirs, "10.2.0.0/24").await;
    network.add_router_interface(&router, &our_subnet).await.unwrap();
    let interface = network.add_router_interface(&router, &their_subnet).await.unwrap();
    site.turn().await;
    site.an_hour_later().await;
    assert!(!site.is_there(&our_subnet) && !site.is_there(&ours), "{:#?}", site.orphans().await);
    assert!(site.is_there(&router) && site.is_there(&interface) && site.is_there(&their_subnet));
    site.turn().await;
    let left = site.orphans().await;
    assert_eq!(left.iter().map(|o| o.object.cloud_id.as_str()).collect::<Vec<_>>(), [router.as_str()]);
    assert!(left[0].fault.as_deref().is_some_and(|words| words.contains("delete router")), "{:?}", left[0].fault);
    network.remove_router_interface(&router, &their_subnet).await.unwrap();
    site.turn().await;
    assert!(!site.is_there(&router), "it goes when nobody needs it any more");
}

#[tokio::test]
async fn what_cannot_be_seen_is_neither_gone_nor_in_the_way_of_the_rest() {
    let site = Site::new().await;
    let network = site.lost_network().await;
    let broken = FaultRule::new(Effect::Status { status: 503, body: None }).on(Service::Network, "GET", "/networks").count(Some(1));
    site.turn().await;
    site.cloud.inject(broken.clone());
    // The networks, and with them their subnets.
    let blind = site.an_hour_later().await;
    assert_eq!((blind.known, blind.asked), (1, 0));
    assert!(blind.blind >= 1 && site.is_there(&network), "it is not known to be there at this moment");
    assert_eq!(site.turn().await, Swept { known: 1, asked: 1, blind: 0 });

    // Where nothing at all can be seen, it is said.
    let dead = FaultRule::new(Effect::Status { status: 503, body: None }).count(None);
    site.cloud.inject(dead);
    site.database.execute("UPDATE sweeps SET run_at = now()").await;
    let turn = site.store.sweep_claim(EVERY, LEASE).await.unwrap().unwrap();
    assert!(sweep(&site.services, &site.store, &turn).await.is_err());
}

#[tokio::test]
async fn a_service_user_that_was_deleted_is_made_anew_and_kept() {
    let site = Site::new().await;
    let network = site.lost_network().await;
    delete_service_user(&site.cloud, &site.tenant.0);
    let sure = made_sure(&site.cloud);
    assert_eq!(site.turn().await, Swept { known: 1, ..Swept::default() });
    assert_eq!(site.an_hour_later().await, Swept { known: 1, asked: 1, blind: 0 });
    assert!(!site.is_there(&network));
    assert_eq!(made_sure(&site.cloud), sure + 1, "what is kept is good from then on");
}

#[tokio::test]
async fn a_project_that_is_closed_rests_and_is_looked_through_again_once_it_is_open() {
    let site = Site::new().await;
    let network = site.lost_network().await;
    site.turn().await;
    let (path, sure) = (format!("/identity/v3/projects/{}", site.tenant), made_sure(&site.cloud));
    let enable = |enabled: bool| admin(&site.cloud, "PATCH", &path, &json!({"project": {"enabled": enabled}}));
    enable(false);
    for _ in 0..2 {
        site.cloud.advance(Duration::from_secs(3600));
        assert!(matches!(site.try_turn().await, Err(SweepError::Closed(ProjectState::Disabled))));
    }
    assert_eq!(site.orphans().await.len(), 1, "what is known of it is not forgotten");
    enable(true);
    assert_eq!(site.an_hour_later().await, Swept { known: 1, asked: 1, blind: 0 });
    assert!(!site.is_there(&network));
    admin(&site.cloud, "DELETE", &path, &Value::Null);
    site.cloud.advance(Duration::from_secs(3600));
    assert!(matches!(site.try_turn().await, Err(SweepError::Closed(ProjectState::Gone))));
    assert_eq!(made_sure(&site.cloud), sure, "its service user is nobody's trouble");
}

#[tokio::test]
async fn processes_share_the_turns_and_end_when_they_are_told_to() {
    let site = Site::new().await;
    let network = site.lost_network().await;
    site.turn().await;
    site.database.execute("UPDATE orphans SET first_seen_at = first_seen_at - interval '1 hour'; UPDATE sweeps SET run_at = now()").await;
    let Site { cloud, database, services, .. } = site;
    let store = database.store().await;
    let deps = Arc::new(Deps { services, store, workers: 1, lease: LEASE });
    let shutdown = CancellationToken::new();
    let processes: Vec<_> = (0..2).map(|_| tokio::spawn(run(deps.clone(), EVERY, shutdown.clone()))).collect();
    while ids(&cloud).contains(&network) {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    for process in processes {
        process.await.unwrap();
    }
    assert_eq!(cloud.calls(Service::Network, "DELETE", "/network/v2.0/networks/{id}"), 1);
}

#[tokio::test]
async fn a_cluster_under_construction_is_left_alone_and_one_that_was_forgotten_goes_whole() {
    let site = Site::new().await;
    let journal = reconciler::claimed::Claimed { store: &site.store, claim: &site.claim };
    let mut kinds = BTreeSet::new();
    for _ in 0..60 {
        let now = site.claim.now();
        pass(&site.services, &journal, now, &mut Uuid::now_v7).await.unwrap();
        assert_eq!(site.an_hour_later().await, Swept::default(), "{:#?}", site.orphans().await);
        let ledger = site.store.load(&site.claim).await.unwrap().ledger;
        kinds = ledger.iter().filter(|r| r.state == ResourceState::Known).map(|r| r.kind).collect();
        if kinds.len() == ResourceKind::ALL.len() {
            break;
        }
    }
    assert_eq!(kinds, BTreeSet::from(ResourceKind::ALL), "objects of every kind were made under the sweep's eyes");
    let made = ids(&site.cloud).len() - site.before.len();

    // Nobody looks after it any more.
    site.database.execute("UPDATE ledger SET state = 'gone'").await;
    let first = site.turn().await;
    assert_eq!((first.asked, first.blind), (0, 0));
    assert!(site.orphans().await.iter().all(|o| o.verdict == Verdict::Ours));
    assert_eq!(ids(&site.cloud).len(), made + site.before.len());
    let mut turns = 0;
    while ids(&site.cloud) != site.before {
        turns += 1;
        assert!(turns <= 4, "{:#?}", site.orphans().await);
        site.an_hour_later().await;
    }
    assert_eq!(site.turn().await.known, 0);
}
