//! Tokens of nodes and kubeconfigs: known by hash, good once or until revoked.

use crate::support::{create, member, person};
use auth::{KubeconfigIssue, KubeconfigRevoke};
use domain::changes::Change;
use domain::ids::NodeId;
use domain::nodes::{Bootstrap, Node, NodeIntent, NodeRole};
use domain::permissions::Role;
use sealed::{Token, TokenHash, TokenKind};
use std::time::Duration;
use store::test_support::Database;
use store::{BundleFetch, NewKubeconfig, RequestContext};
use time::OffsetDateTime;
use uuid::Uuid;

#[tokio::test]
async fn a_bundle_is_handed_out_once_and_in_time() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let node = |name: &str, ordinal| Node {
        id: NodeId::generate(),
        cluster: record.cluster.id,
        name: name.into(),
        role: NodeRole::Worker,
        pool: "default".into(),
        ordinal,
        intent: NodeIntent::Keep,
        bootstrap: Bootstrap::Waiting,
        ready: None,
        started_at: None,
        joined_at: None,
        fault: None,
    };
    let (good, late) = (node("w-0", 0), node("w-1", 1));
    store.commit(&claim, &[Change::Node(good.clone()), Change::Node(late.clone())]).await.unwrap();
    let (token, stale) = (TokenHash::of("good"), TokenHash::of("stale"));
    store.node_credential_put(&claim, good.id, *token.as_bytes(), Duration::from_secs(900)).await.unwrap();
    store.node_credential_put(&claim, late.id, *stale.as_bytes(), Duration::ZERO).await.unwrap();
    let preparing = Bootstrap::Running { stage: "preparing".into(), at: OffsetDateTime::now_utc() };
    assert!(store.node_report(token, preparing.clone()).await.unwrap());
    assert!(!store.node_report(stale, preparing).await.unwrap(), "too late, and it never had its bundle");
    assert_eq!(store.node_fetch_bundle(TokenHash::of("guess")).await.unwrap(), BundleFetch::Unknown);
    assert_eq!(store.node_fetch_bundle(stale).await.unwrap(), BundleFetch::Refused);
    assert_eq!(store.node_fetch_bundle(token).await.unwrap(), BundleFetch::First(record.cluster.id, good.id));
    assert_eq!(store.node_fetch_bundle(token).await.unwrap(), BundleFetch::Refused);
    let done = Bootstrap::Done { at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap() };
    assert!(store.node_report(token, done.clone()).await.unwrap());
    // The engine writes the node without taking back what the node said.
    store.commit(&claim, &[Change::Node(Node { ready: Some(true), ..good.clone() })]).await.unwrap();
    let seen = store.load(&claim).await.unwrap().nodes.into_iter().find(|n| n.id == good.id).unwrap();
    assert_eq!((seen.bootstrap, seen.ready), (done, Some(true)));
}

#[tokio::test]
async fn a_kubeconfig_is_good_until_it_is_revoked() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, reader) = (member("a"), person("a", Role::Reader));
    let record = create(&store, &a, "x").await;
    let token = Token::generate(TokenKind::Kubeconfig).unwrap();
    let new = NewKubeconfig { name: "laptop".into(), token_hash: token.hash, expires_at: OffsetDateTime::now_utc() + time::Duration::hours(1) };
    let issued = store.kubeconfig_issue(reader.may::<KubeconfigIssue>(&record).unwrap(), new, RequestContext::default()).await.unwrap();
    let used = store.kubeconfig_by_token(token.hash).await.unwrap().unwrap();
    assert_eq!((used.kubeconfig.id, used.kubeconfig.roles, used.project.name.as_str()), (issued.id, vec![Role::Reader], "a"));
    assert!(store.kubeconfig(&a.scope(), issued.id).await.unwrap().last_used_at.is_some());
    assert!(store.kubeconfig(&member("b").scope(), issued.id).await.is_err());
    store.kubeconfig_revoke(a.may::<KubeconfigRevoke>(&issued).unwrap(), RequestContext::default()).await.unwrap();
    assert!(store.kubeconfig_by_token(token.hash).await.unwrap().is_none());
}
