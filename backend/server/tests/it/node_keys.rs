//! What a master is given for its API server: the list of keys and the level of the audit of the moment, and from then on its row tells of both.

use crate::house::House;
use domain::changes::Change;
use domain::ids::{ClusterId, NodeId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{CONTROL_PLANE_POOL, Node, NodeRole};
use domain::plan::node_key;
use domain::settings::ApiAuditLevel;
use domain::test_support::gone_row;
use sealed::{ClusterPki, JoinToken, Token, TokenKind};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;
use store::{Claim, SecretOwner};
use time::OffsetDateTime;
use uuid::Uuid;

fn master(cluster: ClusterId, ordinal: u32) -> Node {
    // The first one has begun the cluster.
    let joined_at = (ordinal == 0).then_some(OffsetDateTime::UNIX_EPOCH);
    Node { joined_at, ..Node::new(NodeId::generate(), cluster, NodeRole::Master, CONTROL_PLANE_POOL, ordinal) }
}

fn row(cluster: ClusterId, kind: ResourceKind, key: String, address: &str) -> LedgerRow {
    LedgerRow { key, state: ResourceState::Known, address: Some(address.to_owned()), ..gone_row(cluster, kind, address) }
}

/// What a new master of this number is given.
async fn bundle(house: &House, claim: &Claim, ordinal: u32) -> String {
    fetched(house, claim, ordinal).await.0
}

/// The same, and what it proved itself with.
async fn fetched(house: &House, claim: &Claim, ordinal: u32) -> (String, String) {
    let (cluster, node) = (claim.cluster, master(claim.cluster, ordinal));
    let port = row(cluster, ResourceKind::Port, node_key(ResourceKind::Port, &node.name), &format!("10.0.0.{}", 20 + ordinal));
    house.store.commit(claim, &[Change::Node(node.clone()), Change::Ledger(port)]).await.unwrap();
    let join = JoinToken::generate().unwrap();
    house.store.secret_put(claim, &SecretOwner::Node(cluster, node.id), "join_token", join.text()).await.unwrap();
    let token = Token::generate(TokenKind::Node).unwrap();
    house.store.node_credential_put(claim, node.id, *token.hash.as_bytes(), Duration::from_secs(60)).await.unwrap();
    let bearer = format!("Bearer {}", token.text.expose_secret());
    let answer = house.call_with(&[("authorization", &bearer)], "POST", "/node/v1/bundle", None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (answer.body.as_str().unwrap().to_owned(), bearer)
}

#[actix_web::test]
async fn a_bundle_that_is_asked_for_twice_is_refused_and_its_project_reads_from_where() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let begun = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/encryption-key/rotate"), None).await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(60)).await.unwrap().expect("the cluster was woken");
    house.store.load(&claim).await.unwrap();
    let balancer = row(claim.cluster, ResourceKind::LoadBalancer, "load_balancer".to_owned(), "10.0.0.10");
    house.store.commit(&claim, &[Change::Node(master(claim.cluster, 0)), Change::Ledger(balancer)]).await.unwrap();
    let (_, bearer) = fetched(&house, &claim, 1).await;
    let log = async || house.call(Some(&member), "GET", "/api/v1/audit?action=node_bundle_twice", None).await.body["items"].clone();
    assert_eq!(log().await, json!([]));
    for _ in 0..2 {
        let again = house.call_with(&[("authorization", &bearer)], "POST", "/node/v1/bundle", None).await;
        assert_eq!(again.status, 410, "{}", again.body);
    }
    let told = log().await;
    let line = &told[0];
    assert_eq!((told.as_array().unwrap().len(), &line["user"]["name"], &line["object_kind"]), (1, &json!("kcs"), &json!("node")), "{told:#}");
    assert!(line["source"].as_str().is_some_and(|source| !source.is_empty()) && line["source"] == line["detail"]["first_from"], "{line:#}");
    assert!(!told.to_string().contains(bearer.trim_start_matches("Bearer ")), "the token is no line's");
}

#[actix_web::test]
async fn a_master_gets_the_list_of_keys_of_the_moment_and_its_row_says_which() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_api(&member, "web").await;
    let begun = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{cluster}/encryption-key/rotate"), None).await;
    assert_eq!((begun.status, begun.body["operation"]["kind"].as_str()), (202, Some("encryption_key_rotate")), "{}", begun.body);
    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(60)).await.unwrap().expect("the cluster was woken");
    house.store.load(&claim).await.unwrap();
    let balancer = row(claim.cluster, ResourceKind::LoadBalancer, "load_balancer".to_owned(), "10.0.0.10");
    house.store.commit(&claim, &[Change::Node(master(claim.cluster, 0)), Change::Ledger(balancer)]).await.unwrap();

    let mut pki = api.pki.clone();
    for generation in 0..=3 {
        let given = bundle(&house, &claim, generation + 1).await;
        let names: Vec<&str> = pki.encryption.keys.iter().map(|key| key.name.as_str()).collect();
        let places: Vec<usize> = names.iter().map(|name| given.find(&format!("\"name\": \"{name}\"")).expect("the key is in the bundle")).collect();
        assert!(places.is_sorted(), "{names:?} at {places:?}");
        let nodes = house.store.load(&claim).await.unwrap().nodes;
        let noted: Vec<u32> = nodes.iter().map(|node| node.key_generation).collect();
        assert_eq!(noted.last(), Some(&generation), "{noted:?}");
        let encryption = pki.encryption.advanced(OffsetDateTime::now_utc()).unwrap();
        pki = ClusterPki { encryption, ..pki };
        house.store.secret_put(&claim, &SecretOwner::Cluster(claim.cluster), "pki", &pki.to_json().unwrap()).await.unwrap();
    }
    let first = format!("\"name\": \"{}\"", api.pki.encryption.keys[0].name);
    assert!(!bundle(&house, &claim, 9).await.contains(&first), "the first key is gone");
}

#[actix_web::test]
async fn a_master_is_told_of_the_audit_that_is_wanted_as_it_asks() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let path = format!("/api/v1/clusters/{cluster}/api-audit");
    let begun = house.call(Some(&member), "PATCH", &path, Some(&json!({"level": "request"}))).await;
    assert_eq!((begun.status, begun.body["operation"]["kind"].as_str()), (202, Some("api_audit_change")), "{}", begun.body);
    let again = house.call(Some(&member), "PATCH", &path, Some(&json!({"level": "none"}))).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("KCS-CONF-002")), "{}", again.body);
    let line = house.call(Some(&member), "GET", "/api/v1/audit?action=api_audit_change", None).await.body["items"][0]["detail"].clone();
    assert_eq!((&line["before"]["level"], &line["after"]["level"]), (&json!("none"), &json!("request")), "{line}");

    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(60)).await.unwrap().expect("the cluster was woken");
    house.store.load(&claim).await.unwrap();
    let balancer = row(claim.cluster, ResourceKind::LoadBalancer, "load_balancer".to_owned(), "10.0.0.10");
    house.store.commit(&claim, &[Change::Node(master(claim.cluster, 0)), Change::Ledger(balancer)]).await.unwrap();
    let given = async |ordinal: u32| {
        let text = bundle(&house, &claim, ordinal).await;
        let nodes = house.store.load(&claim).await.unwrap().nodes;
        (text.contains("\"level\": \"Request\""), text.contains("--audit-policy-file="), nodes.last().unwrap().api_audit)
    };
    assert_eq!(given(1).await, (true, true, Some(ApiAuditLevel::Request)), "kubeadm's configuration in the cluster does not tell of it");
    let operation = begun.body["operation"]["id"].as_str().unwrap();
    let cancelled = house.call(Some(&member), "POST", &format!("/api/v1/operations/{operation}/cancel"), None).await;
    assert_eq!(cancelled.status, 202, "{}", cancelled.body);
    assert_eq!(given(2).await, (false, false, Some(ApiAuditLevel::None)));
}
