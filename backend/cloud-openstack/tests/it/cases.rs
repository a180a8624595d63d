//! What clouds and the networks before them do wrong, over real sockets, and what the adapter makes of it.

use crate::fault_proxy::{Deed, FaultProxy};
use cloud::Cloud;
use cloud::error::{CloudErrorKind as Kind, Outcome};
use cloud::identity::Identity;
use cloud::load_balancers::NewLoadBalancer;
use cloud_openstack::{Config, Limits, Manners, OpenStack, ReqwestTransport};
use http::Method;
use local_cloud::{LocalCloud, LocalCloudConfig, Time};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PAGE: (&str, &str) = ("content-type", "text/html");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn proxied() -> (FaultProxy, LocalCloud) {
    FaultProxy::before(|url| {
        LocalCloud::new(LocalCloudConfig { time: Time::Stepped, seed: Some(7), base_url: url.to_owned(), ..LocalCloudConfig::default() })
    })
    .await
}

/// Each project's cloud as its clusters see it.
async fn tenants(proxy: &FaultProxy, local: &LocalCloud, limits: Limits) -> (Cloud, Cloud) {
    let config = Config {
        auth_url: format!("{}/identity/v3", proxy.url).parse().unwrap(),
        region: None,
        service_password: "local".into(),
        ..crate::scripted::config()
    };
    let openstack = OpenStack::with_manners(config, Arc::new(ReqwestTransport::new(None).unwrap()), Manners::new(limits));
    let mut clouds = Vec::new();
    for tenant in ["tenant-a", "tenant-b"] {
        let project = local.project_id(tenant).unwrap();
        let user = openstack.ensure_service_user(&format!("kcs-{tenant}"), &project).await.unwrap();
        let credential = openstack.create_application_credential(&user, &project, "engine", "mark").await.unwrap();
        let cloud = openstack.as_credential(&credential);
        // Its token is there before anything goes wrong.
        cloud.network.networks_by_name("none").await.unwrap();
        clouds.push(cloud);
    }
    let second = clouds.pop().unwrap();
    (clouds.pop().unwrap(), second)
}

fn creating(seen: &crate::fault_proxy::Seen, path: &str) -> bool {
    seen.method == Method::POST && seen.path.ends_with(path)
}

/// After the deed the outcome is unknown, and the object is found under its name, once.
async fn made_but(deed: Deed) {
    let (proxy, local) = proxied().await;
    let (cloud, _) = tenants(&proxy, &local, Limits::default()).await;
    let shown = format!("{deed:?}");
    proxy.plan(move |seen| if creating(seen, "/networks") { deed.clone() } else { Deed::Pass });
    let error = cloud.network.create_network("n", "mark").await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown), "{shown}: {error}");
    assert_eq!(cloud.network.networks_by_name("n").await.unwrap().len(), 1, "{shown}");
}

#[tokio::test]
async fn case_01_an_error_500_with_nothing_made_leaves_an_unknown_outcome_and_nothing_is_found() {
    for deed in [Deed::Instead(500, JSON, "{}"), Deed::Cut] {
        let (proxy, local) = proxied().await;
        let (cloud, _) = tenants(&proxy, &local, Limits::default()).await;
        proxy.plan(move |seen| if creating(seen, "/networks") { deed.clone() } else { Deed::Pass });
        let error = cloud.network.create_network("n", "mark").await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown), "{error}");
        assert!(cloud.network.networks_by_name("n").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn case_02_an_error_500_after_the_create_leaves_an_unknown_outcome_and_the_object_is_found() {
    made_but(Deed::DoneBut(500, JSON, r#"{"computeFault": {"code": 500, "message": "boom"}}"#)).await;
}

#[tokio::test]
async fn case_03_a_connection_cut_after_the_create_leaves_an_unknown_outcome_and_the_object_is_found() {
    made_but(Deed::DoneThenCut).await;
}

#[tokio::test]
async fn case_08_a_504_of_the_gateway_on_a_load_balancer_is_looked_for_by_name() {
    let (proxy, local) = proxied().await;
    let (cloud, _) = tenants(&proxy, &local, Limits::default()).await;
    let network = cloud.network.create_network("n", "").await.unwrap();
    let subnet = cloud::network::NewSubnet {
        name: "s".into(),
        description: String::new(),
        network_id: network,
        cidr: "10.0.0.0/24".parse().unwrap(),
        dns_servers: vec![],
    };
    let vip_subnet_id = cloud.network.create_subnet(&subnet).await.unwrap();
    proxy.plan(|seen| {
        if creating(seen, "/loadbalancers") { Deed::DoneBut(504, PAGE, "<html><body>504 Gateway Time-out</body></html>") } else { Deed::Pass }
    });
    let balancing = cloud.load_balancers.as_ref().unwrap();
    let wanted = NewLoadBalancer {
        name: "lb".into(),
        description: "mark".into(),
        vip_subnet_id,
        vip_address: None,
        port: 6443,
        members: vec![],
        allowed_cidrs: vec![],
        client_timeout_seconds: 3_600,
        member_timeout_seconds: 3_600,
        provider: None,
    };
    let error = balancing.create_load_balancer(&wanted).await.unwrap_err();
    assert_eq!((error.kind, error.outcome, error.status), (Kind::Unavailable, Outcome::Unknown, Some(504)));
    assert!(error.message.contains("504 Gateway Time-out") && !error.message.contains('<'), "{}", error.message);
    let found = balancing.load_balancers_by_name("lb").await.unwrap();
    assert_eq!(found.iter().map(|lb| lb.description.as_str()).collect::<Vec<_>>(), ["mark"]);
}

#[tokio::test]
async fn case_06_a_time_to_wait_is_obeyed_by_the_project_it_was_told_and_by_no_other() {
    let (proxy, local) = proxied().await;
    let (slow, other) = tenants(&proxy, &local, Limits::default()).await;
    proxy.plan(|seen| if seen.path.ends_with("/subnets") { Deed::Instead(429, ("retry-after", "120"), "") } else { Deed::Pass });
    let first = slow.network.subnets_of("n").await.unwrap_err();
    assert_eq!((first.kind, first.outcome), (Kind::RateLimited(120), Outcome::NotDone));
    let before = proxy.seen("/");
    for _ in 0..20 {
        let error = slow.compute.zones().await.unwrap_err();
        assert!(matches!(error.kind, Kind::RateLimited(110..=120)), "{error:?}");
        assert_eq!(error.outcome, Outcome::NotDone);
    }
    assert_eq!(proxy.seen("/"), before, "nothing was sent while the cloud asked to wait");
    other.compute.zones().await.unwrap();
    assert_eq!(proxy.seen("/"), before + 1);
}

#[tokio::test]
async fn case_10_what_is_not_the_services_answer_is_never_absence() {
    const NONE: &str = "";
    let page = "<html><body><h1>Not Found</h1></body></html>";
    for deed in [
        Deed::DoneThenHalf,
        Deed::DoneBut(200, PAGE, "<html><body>Welcome to the hotel</body></html>"),
        Deed::DoneBut(200, JSON, NONE),
        Deed::DoneBut(201, JSON, "null"),
        Deed::DoneBut(404, PAGE, page),
        Deed::DoneBut(404, JSON, NONE),
    ] {
        made_but(deed.clone()).await;
        let (proxy, local) = proxied().await;
        let (cloud, _) = tenants(&proxy, &local, Limits::default()).await;
        cloud.network.create_network("n", "mark").await.unwrap();
        let shown = format!("{deed:?}");
        proxy.plan(move |_| deed.clone());
        let error = cloud.network.networks_by_name("n").await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::NotDone), "{shown}");
    }
    // A gateway that does not know the path has deleted nothing.
    let (proxy, local) = proxied().await;
    let (cloud, _) = tenants(&proxy, &local, Limits::default()).await;
    let id = cloud.network.create_network("n", "mark").await.unwrap();
    proxy.plan(move |seen| if seen.method == Method::DELETE { Deed::Instead(404, PAGE, page) } else { Deed::Pass });
    let error = cloud.network.delete_network(&id).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown));
    assert_eq!(cloud.network.networks_by_name("n").await.unwrap().len(), 1);
}

#[tokio::test]
async fn case_15_an_answer_that_trickles_in_ends_at_the_deadline() {
    let (proxy, local) = proxied().await;
    let deadline = Duration::from_millis(400);
    let limits = Limits { read_deadline: deadline, change_deadline: deadline, ..Limits::default() };
    let (cloud, _) = tenants(&proxy, &local, limits).await;
    proxy.plan(|_| Deed::DoneThenTrickle(Duration::from_millis(50)));
    let begun = Instant::now();
    let error = cloud.network.create_network("n", "mark").await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unavailable, Outcome::Unknown), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it took {:?}", begun.elapsed());
    assert_eq!(cloud.network.networks_by_name("n").await.unwrap_err().outcome, Outcome::NotDone);
}
