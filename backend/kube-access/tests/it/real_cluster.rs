//! The same operations in a real cluster: `KCS_TEST_CLUSTER=<https endpoint>` and `KCS_TEST_CLUSTER_PKI=<copy of /etc/kubernetes/pki>`.

use crate::fake_api::{access, install_provider};
use domain::ids::ClusterId;
use domain::members::{Inside, NamespaceAccess, NamespacePerson};
use futures::StreamExt;
use kube_access::engine::AccessLeft;
use kube_access::gateway::Answer;
use kube_access::reads::ReadQuery;
use kube_access::{ClusterTarget, Gateway, GatewayRequest, Group, Impersonation};
use sealed::{Authority, ClusterPki, JoinToken};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

fn target() -> ClusterTarget {
    let (endpoint, pki) = (std::env::var("KCS_TEST_CLUSTER").unwrap(), std::env::var("KCS_TEST_CLUSTER_PKI").unwrap());
    let read = |name: &str| std::fs::read_to_string(Path::new(&pki).join(name)).unwrap();
    let mut all = ClusterPki::generate(OffsetDateTime::now_utc()).unwrap();
    all.cluster = Authority { certificate_pem: read("ca.crt"), key_pem: SecretString::from(read("ca.key")) };
    ClusterTarget { cluster: ClusterId::generate(), endpoint, private: false, pki: Arc::new(all) }
}

async fn status(gateway: &Gateway, who: &Impersonation, method: &str, path: &str) -> (u16, String) {
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    let request = GatewayRequest::new(method, path, query, Box::pin(futures::stream::empty())).unwrap();
    match gateway.forward(who, request).await.unwrap() {
        Answer::Response(response) => {
            let status = response.status().as_u16();
            let pieces: Vec<_> = response.into_body().collect().await;
            let text: Vec<u8> = pieces.into_iter().flat_map(|p| p.unwrap()).collect();
            (status, String::from_utf8_lossy(&text).into_owned())
        }
        Answer::Tunnel(_) => panic!("a tunnel"),
    }
}

#[tokio::test]
#[ignore = "needs KCS_TEST_CLUSTER and KCS_TEST_CLUSTER_PKI"]
async fn a_real_cluster_obeys() {
    let target = target();
    install_provider();
    let access = access();
    let engine = access.engine(&target).await.unwrap();
    engine.readyz().await.unwrap();
    let nodes = engine.nodes().await.unwrap();
    assert!(nodes.iter().any(|n| n.ready == Some(true)), "{nodes:?}");
    let person = |namespace: &str, changes| NamespacePerson { namespace: namespace.into(), user: "u1".into(), changes };
    let given = |people: [NamespacePerson; 2], narrowed: &[(&str, Inside)]| NamespaceAccess {
        people: BTreeSet::from(people),
        narrowed: narrowed.iter().map(|(name, inside)| ((*name).to_owned(), *inside)).collect(),
    };
    let groups = [("default", Inside::Changes), ("kube-public", Inside::Looks)];
    let people = given([person("default", true), person("kube-public", false)], &groups);
    for _ in 0..2 {
        assert_eq!(engine.ensure_access_rules(&people).await.unwrap(), AccessLeft::default());
    }
    let missing = given([person("not-there", true), person("default", true)], &[("not-there", Inside::Changes), groups[0], groups[1]]);
    let left = engine.ensure_access_rules(&missing).await.unwrap();
    assert_eq!(left, AccessLeft { missing: ["not-there".to_owned()].into(), refused: vec![] });
    let token = JoinToken::generate().unwrap();
    let soon = OffsetDateTime::now_utc() + Duration::hours(1);
    engine.ensure_join_token(&token, soon).await.unwrap();
    engine.ensure_join_token(&token, soon + Duration::hours(1)).await.unwrap();

    let gateway = access.gateway(&target).await.unwrap();
    for (role, method, path, expected) in [
        (Group::Member, "GET", "/api/v1/nodes", 200),
        (Group::Member, "GET", "/api/v1/namespaces/kube-system/secrets", 200),
        (Group::Member, "GET", "/openapi/v3", 200),
        (Group::Reader, "GET", "/api/v1/pods?limit=1", 200),
        (Group::Reader, "GET", "/apis/apps/v1/deployments", 200),
        (Group::Reader, "GET", "/api/v1/namespaces/kube-system/secrets", 403),
        (Group::Reader, "DELETE", "/api/v1/namespaces/kube-system/configmaps/kubeadm-config", 403),
        (Group::Reader, "GET", "/api/v1/namespaces/kube-system/pods/etcd-m1/exec?command=id", 403),
        (Group::Member, "GET", "/no/such/path", 404),
        (Group::Guest, "GET", "/api/v1", 200),
        (Group::Guest, "GET", "/api/v1/namespaces/default", 200),
        (Group::Guest, "GET", "/api/v1/namespaces/default/secrets", 200),
        (Group::Guest, "DELETE", "/api/v1/namespaces/default/configmaps/none", 404),
        (Group::Guest, "GET", "/api/v1/namespaces/kube-public/configmaps", 403),
        (Group::Guest, "GET", "/api/v1/pods", 403),
        (Group::Guest, "GET", "/api/v1/namespaces", 403),
        (Group::Guest, "DELETE", "/api/v1/namespaces/default", 403),
    ] {
        let (status, text) = status(&gateway, &Impersonation::new("u1", "\u{738b}", role), method, path).await;
        assert_eq!(status, expected, "{method} {path}: {text}");
    }
    let narrowed = Impersonation::narrowed("u1", "n", groups.map(|(name, inside)| (name.to_owned(), inside)).into());
    for (method, path, expected) in [
        ("GET", "/api/v1", 200),
        ("GET", "/api/v1/namespaces/default/secrets", 200),
        ("DELETE", "/api/v1/namespaces/default/configmaps/none", 404),
        ("GET", "/api/v1/namespaces/kube-public/configmaps", 200),
        ("GET", "/api/v1/namespaces/kube-public/secrets", 403),
        ("DELETE", "/api/v1/namespaces/kube-public/configmaps/none", 403),
        ("GET", "/api/v1/namespaces/kube-system/configmaps", 403),
        ("GET", "/api/v1/nodes", 403),
    ] {
        let (status, text) = status(&gateway, &narrowed, method, path).await;
        assert_eq!(status, expected, "narrowed, {method} {path}: {text}");
    }
    let reader = Impersonation::new("u1", "r", Group::Reader);
    let who = status(&gateway, &reader, "GET", "/api/v1/namespaces/kube-system/secrets").await.1;
    assert!(who.contains("kcs:u1"), "{who}");

    let reads = access.reads(&target).await.unwrap();
    let reader = Impersonation::new("u2", "r", Group::Reader);
    assert_eq!(reads.nodes(&reader, &ReadQuery::default()).await.unwrap().items.len(), nodes.len());
    let pods = reads.pods(&reader, &ReadQuery { search: Some("etcd"), ..ReadQuery::default() }).await.unwrap();
    assert!(pods.items.iter().all(|p| p.name.contains("etcd")) && !pods.items.is_empty(), "{pods:?}");
    assert!(!reads.deployments(&reader, &ReadQuery::default()).await.unwrap().items.is_empty());
    assert!(reads.namespaces(&reader, &ReadQuery::default()).await.unwrap().items.iter().any(|n| n.name == "kube-system"));

    let guest = Impersonation::new("u1", "g", Group::Guest);
    let seen = reads.namespaces_of(&guest, &["default".to_owned(), "kube-system".to_owned(), "not-there".to_owned()]).await.unwrap();
    assert_eq!(seen.iter().map(|namespace| namespace.name.as_str()).collect::<Vec<_>>(), ["default"]);

    exec(&gateway, &pods.items[0].name).await;
}

/// A command in a pod over a WebSocket: its output comes through the tunnel, and then the tunnel ends.
async fn exec(gateway: &Gateway, pod: &str) {
    let path = format!("/api/v1/namespaces/kube-system/pods/{pod}/exec");
    let mut request =
        GatewayRequest::new("GET", &path, Some("command=echo&command=so-it-is&stdout=true"), Box::pin(futures::stream::empty())).unwrap();
    for (name, value) in [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "v5.channel.k8s.io"),
    ] {
        request.add_header(name, value.as_bytes());
    }
    let who = Impersonation::new("u1", "m", Group::Member);
    let tunnel = match gateway.forward(&who, request).await.unwrap() {
        Answer::Tunnel(tunnel) => tunnel,
        Answer::Response(response) => panic!("{}", response.status()),
    };
    assert_eq!(tunnel.head.headers()["sec-websocket-protocol"], "v5.channel.k8s.io");
    let (_, from_cluster, _to_cluster) = tunnel.split();
    let mut text = String::new();
    let mut pieces = from_cluster;
    while !text.contains("so-it-is") {
        let piece = crate::fake_api::soon(pieces.next()).await.expect("the tunnel ended early").unwrap();
        text.push_str(&String::from_utf8_lossy(&piece));
    }
}
