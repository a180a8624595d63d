//! Tokens of nodes and kubeconfigs: known by hash, good once or until revoked.

use crate::support::{create, issue, member, person, try_issue};
use auth::{Actor, KubeconfigRevoke, User};
use domain::changes::Change;
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId};
use domain::nodes::{Bootstrap, CONTROL_PLANE_POOL, Node, NodeIntent, NodeRole};
use domain::permissions::Role;
use domain::settings::{ApiAuditLevel, ApiExposure};
use sealed::{ClusterPki, TokenHash};
use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use std::time::Duration;
use store::test_support::Database;
use store::{AuditFilter, BundleFetch, Claim, PageRequest, RequestContext, SecretOwner, Store, StoreError};
use time::OffsetDateTime;
use uuid::Uuid;

fn node(cluster: ClusterId, ordinal: u32) -> Node {
    Node::new(NodeId::generate(), cluster, NodeRole::Worker, "default", ordinal)
}

/// Two nodes of a new cluster, and the tokens for their bundles: one that is good, and one whose time is over.
struct Two {
    claim: Claim,
    cluster: ClusterId,
    good: Node,
    token: TokenHash,
    stale: TokenHash,
}

async fn two_nodes(store: &Store) -> Two {
    let cluster = create(store, &member("a"), "x").await.cluster.id;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let (good, late) = (node(cluster, 0), node(cluster, 1));
    store.commit(&claim, &[Change::Node(good.clone()), Change::Node(late.clone())]).await.unwrap();
    let (token, stale) = (TokenHash::of("good"), TokenHash::of("stale"));
    store.node_credential_put(&claim, good.id, *token.as_bytes(), Duration::from_secs(900)).await.unwrap();
    store.node_credential_put(&claim, late.id, *stale.as_bytes(), Duration::ZERO).await.unwrap();
    Two { claim, cluster, good, token, stale }
}

/// Whose bundle is handed out for it.
async fn given(store: &Store, token: TokenHash) -> Option<(ClusterId, NodeId)> {
    match store.node_fetch_bundle(token, RequestContext::default()).await.unwrap() {
        BundleFetch::First(parts) => Some((parts.work.cluster.id, parts.node)),
        BundleFetch::Refused | BundleFetch::Unknown => None,
    }
}

#[tokio::test]
async fn a_bundle_is_handed_out_once_and_in_time() {
    let database = Database::new().await;
    let store = database.store().await;
    let Two { claim, cluster, good, token, stale } = two_nodes(&store).await;
    let preparing = Bootstrap::Running { stage: "preparing".into(), at: OffsetDateTime::now_utc() };
    assert!(store.node_report(token, preparing.clone()).await.unwrap());
    assert!(!store.node_report(stale, preparing).await.unwrap(), "too late, and it never had its bundle");
    assert!(matches!(store.node_fetch_bundle(TokenHash::of("guess"), RequestContext::default()).await.unwrap(), BundleFetch::Unknown));
    assert!(matches!(store.node_fetch_bundle(stale, RequestContext::default()).await.unwrap(), BundleFetch::Refused));
    assert_eq!(given(&store, token).await, Some((cluster, good.id)));
    assert!(matches!(store.node_fetch_bundle(token, RequestContext::default()).await.unwrap(), BundleFetch::Refused));
    let done = Bootstrap::Done { at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap() };
    assert!(store.node_report(token, done.clone()).await.unwrap());
    // The engine writes the node without taking back what the node said.
    store.commit(&claim, &[Change::Node(Node { ready: Some(true), ..good.clone() })]).await.unwrap();
    let seen = store.load(&claim).await.unwrap().nodes.into_iter().find(|n| n.id == good.id).unwrap();
    assert_eq!((seen.bootstrap, seen.ready), (done, Some(true)));
}

#[tokio::test]
async fn a_bundle_that_is_asked_for_again_is_told_once_with_both_sources_and_known_of_its_node() {
    let database = Database::new().await;
    let store = database.store().await;
    let Two { claim, cluster, good, token, stale } = two_nodes(&store).await;
    let fetch = async |token: TokenHash, source: &str| {
        let context = RequestContext { request_id: "r".into(), source: source.into() };
        matches!(store.node_fetch_bundle(token, context).await.unwrap(), BundleFetch::First(_))
    };
    let alarmed = async || {
        let nodes = store.load(&claim).await.unwrap().nodes;
        nodes.into_iter().filter(|n| n.alarm_at.is_some()).map(|n| n.id).collect::<Vec<_>>()
    };
    assert!(fetch(token, "192.0.2.66").await && !fetch(stale, "10.0.0.8").await);
    assert_eq!(alarmed().await, [], "too late is no second time");
    assert!(!fetch(token, "10.0.0.7").await && !fetch(token, "10.0.0.9").await);
    assert_eq!(alarmed().await, [good.id]);
    // The engine writes the node, and what it did not know stays.
    store.commit(&claim, &[Change::Node(good.clone())]).await.unwrap();
    assert_eq!(alarmed().await, [good.id]);
    let filter = AuditFilter { action: Some("node_bundle_twice".to_owned()), ..AuditFilter::default() };
    let lines = store.audit(&member("a").scope(), filter, PageRequest::default()).await.unwrap().items;
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    assert_eq!((line.user_name.as_str(), line.via.as_str(), line.outcome.as_str()), ("kcs", "engine", "denied"));
    assert_eq!((line.object_id.clone(), line.cluster), (good.id.to_string(), Some(cluster.0)));
    assert_eq!((line.source.as_str(), line.detail["first_from"].as_str()), ("10.0.0.7", Some("192.0.2.66")));
    assert_eq!(line.detail["name"].as_str(), Some(good.name.as_str()));
    assert!(line.detail["first_at"].is_string(), "{}", line.detail);
}

#[tokio::test]
async fn a_bundle_of_a_cluster_that_cannot_be_read_here_does_not_count_as_fetched() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let node = node(record.cluster.id, 0);
    store.commit(&claim, &[Change::Node(node.clone())]).await.unwrap();
    let token = TokenHash::of("token");
    store.node_credential_put(&claim, node.id, *token.as_bytes(), Duration::from_secs(900)).await.unwrap();
    let authorities = ClusterPki::generate(OffsetDateTime::now_utc()).unwrap().to_json().unwrap();
    let put = async |text: &SecretString| store.secret_put(&claim, &SecretOwner::Cluster(record.cluster.id), "pki", text).await.unwrap();
    put(&authorities).await;
    // A newer program has written the specification, or the authorities.
    database.execute(r#"UPDATE clusters SET spec = jsonb_set(spec, '{audit}', '{"level": "none", "sink": "s3"}')"#).await;
    assert!(store.node_fetch_bundle(token, RequestContext::default()).await.is_err());
    database.execute("UPDATE clusters SET spec = spec #- '{audit,sink}'").await;
    put(&SecretString::from("{}")).await;
    assert!(store.node_fetch_bundle(token, RequestContext::default()).await.is_err());
    put(&authorities).await;
    assert_eq!(store.load(&claim).await.unwrap().nodes[0].bootstrap, Bootstrap::Waiting);
    let BundleFetch::First(parts) = store.node_fetch_bundle(token, RequestContext::default()).await.unwrap() else {
        panic!("it was never handed out")
    };
    assert_eq!((parts.node, parts.work.nodes.len(), parts.pki.is_some(), parts.join_token.is_some()), (node.id, 1, true, false));
    assert!(matches!(store.node_fetch_bundle(token, RequestContext::default()).await.unwrap(), BundleFetch::Refused));
}

#[tokio::test]
async fn the_first_masters_bundle_does_not_count_as_fetched_where_a_join_token_of_another_node_cannot_be_read() {
    let database = Database::new().await;
    let store = database.store().await;
    let cluster = create(&store, &member("a"), "x").await.cluster.id;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let master = |ordinal| Node::new(NodeId::generate(), cluster, NodeRole::Master, CONTROL_PLANE_POOL, ordinal);
    let (first, second, worker) = (master(0), master(1), node(cluster, 0));
    let leaving = Node { intent: NodeIntent::Remove, ..node(cluster, 1) };
    let nodes = [&first, &second, &worker, &leaving];
    store.commit(&claim, &nodes.map(|n| Change::Node(n.clone()))).await.unwrap();
    let join = async |node: &Node, text: &str| {
        store.secret_put(&claim, &SecretOwner::Node(cluster, node.id), "join_token", &SecretString::from(text.to_owned())).await.unwrap();
    };
    for (node, text) in nodes.into_iter().zip(["first", "second", "worker", "leaving"]) {
        join(node, text).await;
    }
    let (token, later) = (TokenHash::of("first"), TokenHash::of("second"));
    store.node_credential_put(&claim, first.id, *token.as_bytes(), Duration::from_secs(900)).await.unwrap();
    store.node_credential_put(&claim, second.id, *later.as_bytes(), Duration::from_secs(900)).await.unwrap();
    database.execute("UPDATE secrets SET sealed = 'x' WHERE kind = 'join_token'").await;
    join(&first, "first").await;
    assert!(store.node_fetch_bundle(token, RequestContext::default()).await.is_err());
    join(&second, "second").await;
    join(&worker, "worker").await;
    let handed = async |token| match store.node_fetch_bundle(token, RequestContext::default()).await.unwrap() {
        BundleFetch::First(parts) => parts.later_join_tokens.iter().map(|t| t.expose_secret().to_owned()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let mut told = handed(token).await;
    told.sort();
    assert_eq!(told, ["second", "worker"]);
    assert_eq!(handed(later).await, [""; 0], "it joins, and what others join with is none of its");
}

#[tokio::test]
async fn what_a_master_was_given_stays_noted_whatever_the_engine_writes() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let master = Node::new(NodeId::generate(), record.cluster.id, NodeRole::Master, CONTROL_PLANE_POOL, 0);
    store.commit(&claim, &[Change::Node(master.clone())]).await.unwrap();
    let noted = async || store.load(&claim).await.unwrap().nodes.into_iter().find(|n| n.id == master.id).unwrap();
    assert_eq!((noted().await.key_generation, noted().await.api_audit), (0, None));
    store.master_given(record.cluster.id, master.id, 2, ApiAuditLevel::Request).await.unwrap();
    // The engine has seen it before that.
    store.commit(&claim, &[Change::Node(Node { ready: Some(true), ..master.clone() })]).await.unwrap();
    let after = noted().await;
    assert_eq!((after.key_generation, after.api_audit, after.ready), (2, Some(ApiAuditLevel::Request), Some(true)));
    // A node that is gone is to get nothing, nor is one of another cluster.
    assert!(store.master_given(ClusterId::generate(), master.id, 3, ApiAuditLevel::None).await.is_err());
    store.commit(&claim, &[Change::NodeGone(master.id)]).await.unwrap();
    assert!(store.master_given(record.cluster.id, master.id, 3, ApiAuditLevel::None).await.is_err());
}

#[tokio::test]
async fn a_kubeconfig_is_good_until_it_is_revoked() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, reader) = (member("a"), person("a", Role::Reader));
    let record = create(&store, &a, "x").await;
    let (issued, token) = issue(&store, &reader, &record).await;
    let used = store.kubeconfig_by_token(token).await.unwrap().unwrap();
    assert_eq!((used.kubeconfig.id, used.kubeconfig.roles, used.project.name.as_str()), (issued.id, vec![Role::Reader], "a"));
    assert_eq!(used.cluster, record.cluster.endpoint());
    let moved = r#"UPDATE clusters SET status = status || '{"api_endpoint": "https://192.0.2.1:6443"}', spec = jsonb_set(spec, '{api,exposure}', '"private"')"#;
    database.execute(moved).await;
    let used = store.kubeconfig_by_token(token).await.unwrap().unwrap();
    assert_eq!((used.cluster.url.as_deref(), used.cluster.exposure), (Some("https://192.0.2.1:6443"), ApiExposure::Private));
    assert_eq!(used.cluster, store.cluster(&a.scope(), record.cluster.id).await.unwrap().cluster.endpoint());
    assert!(store.kubeconfig(&a.scope(), issued.id).await.unwrap().last_used_at.is_some());
    assert!(store.kubeconfig(&member("b").scope(), issued.id).await.is_err());
    store.kubeconfig_revoke(a.may::<KubeconfigRevoke>(&issued).unwrap(), RequestContext::default()).await.unwrap();
    assert!(store.kubeconfig_by_token(token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_node_that_speaks_while_the_engine_writes_waits_holding_nothing() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let node = node(record.cluster.id, 0);
    store.commit(&claim, &[Change::Node(node.clone())]).await.unwrap();
    let token = TokenHash::of("token");
    store.node_credential_put(&claim, node.id, *token.as_bytes(), Duration::from_secs(900)).await.unwrap();

    let mut engine = database.options().connect.connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1 FROM clusters FOR NO KEY UPDATE; SELECT 1 FROM work FOR UPDATE").execute(&mut engine).await.unwrap();
    let speaker = tokio::spawn({
        let store = store.clone();
        async move { given(&store, token).await }
    });
    // A connection of its own: within a transaction the server's activity looks the same all the time.
    let mut observer = database.options().connect.connect().await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut observer).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql("SELECT 1 FROM nodes FOR UPDATE NOWAIT; SELECT 1 FROM node_credentials FOR UPDATE NOWAIT; COMMIT")
        .execute(&mut engine)
        .await
        .unwrap();
    assert_eq!(speaker.await.unwrap(), Some((record.cluster.id, node.id)));
}

#[tokio::test]
async fn a_person_has_so_many_good_kubeconfigs_of_a_cluster_and_no_more() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let (cluster, other) = (create(&store, &a, "x").await, create(&store, &a, "y").await);
    let made = "INSERT INTO kubeconfigs (id, cluster_id, name, token_hash, user_id, user_name, user_domain, roles, expires_at, revoked_at)
                SELECT gen_random_uuid(), c.id, '', sha256((c.id::text || n)::bytea), 'id-of-a', 'member-of-a', 'default', '[\"member\"]'::jsonb,
                       now() + CASE WHEN n <= 99 OR n > 150 THEN interval '1 hour' ELSE interval '-1 hour' END,
                       CASE WHEN n > 150 THEN now() END
                FROM clusters c, generate_series(1, 200) n WHERE c.name = 'x'";
    database.execute(made).await;
    let (last, _) = try_issue(&store, &a, &cluster).await.unwrap();
    let refused = try_issue(&store, &a, &cluster).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(Code::KubeconfigQuota)), "{refused:?}");
    issue(&store, &a, &other).await;
    let colleague = Actor { user: User { id: "id-of-another".into(), ..a.user.clone() }, ..a.clone() };
    issue(&store, &colleague, &cluster).await;
    store.kubeconfig_revoke(a.may::<KubeconfigRevoke>(&last).unwrap(), RequestContext::default()).await.unwrap();
    issue(&store, &a, &cluster).await;
}
