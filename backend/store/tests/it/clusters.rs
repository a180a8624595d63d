//! Clusters: tenants apart, names unique, requests repeated, deletion above all.

use crate::support::{create, member, operator, try_create};
use auth::{ClusterCreate, ClusterDelete, ClusterRepair, ControlPlaneResize, NodeOperate, NodePoolResize, OperationCancel, OperationRetry};
use domain::addons::Addon;
use domain::changes::Change;
use domain::clusters::Phase;
use domain::codes::Code;
use domain::ids::NodeId;
use domain::marks::PoolMarks;
use domain::nodes::{Node, NodeRole};
use domain::operations::{OperationKind, OperationState};
use domain::requests::FlavorSize;
use domain::settings::{ApiAuditLevel, ApiAuditSpec};
use domain::tenants::{Limited, Limits};
use domain::test_support::spec;
use serde_json::json;
use sqlx::ConnectOptions;
use std::collections::BTreeMap;
use std::time::Duration;
use store::test_support::Database;
use store::{
    ClusterFilter, ClusterSort, ClusterTotals, FlavorUse, Idempotency, MarkedPool, NewCluster, OperationFilter, OperationRecord, PageRequest,
    RequestContext, StoreError,
};
use time::OffsetDateTime;
use uuid::Uuid;

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Code {
    match result {
        Err(StoreError::Refused(code)) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tenants_do_not_see_each_other_and_operators_see_all() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b) = (member("a"), member("b"));
    let cluster = create(&store, &a, "demo").await.cluster;
    create(&store, &b, "demo").await;
    let (foreign, missing) = (store.cluster(&b.scope(), cluster.id).await, store.cluster(&b.scope(), domain::ids::ClusterId::generate()).await);
    assert!(matches!(foreign, Err(StoreError::NotFound)) && matches!(missing, Err(StoreError::NotFound)));
    assert!(store.nodes(&b.scope(), cluster.id).await.unwrap().is_empty());
    assert!(store.ledger(&b.scope(), cluster.id).await.unwrap().is_empty());
    assert!(store.kubeconfigs(&b.scope(), cluster.id).await.unwrap().is_empty());
    assert!(matches!(store.operation(&b.scope(), cluster.operation.unwrap()).await, Err(StoreError::NotFound)));
    let list = |scope| store.clusters(scope, ClusterFilter::default(), ClusterSort::Name, false, PageRequest::default());
    let (own, all) = (a.scope(), operator().operator().unwrap().scope());
    assert_eq!(list(&own).await.unwrap().total, Some(1));
    assert_eq!(list(&all).await.unwrap().total, Some(2));
    assert_eq!(store.operations(&a.scope(), OperationFilter::default(), PageRequest::default()).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn pages_hold_every_cluster_once() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    for number in 0..7 {
        create(&store, &a, &format!("c{number}")).await;
    }
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = PageRequest { limit: 3, cursor };
        let page = store.clusters(&a.scope(), ClusterFilter::default(), ClusterSort::Name, true, page).await.unwrap();
        names.extend(page.items.into_iter().map(|r| r.cluster.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["c6", "c5", "c4", "c3", "c2", "c1", "c0"]);
    let searched = ClusterFilter { search: Some("C3".into()), ..ClusterFilter::default() };
    assert_eq!(store.clusters(&a.scope(), searched, ClusterSort::Name, false, PageRequest::default()).await.unwrap().total, Some(1));
}

#[tokio::test]
async fn names_are_unique_until_deleted_and_requests_may_be_repeated() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let key = Idempotency { key: "k".into(), request_hash: [1; 32] };
    let first = try_create(&store, &a, "demo", Some(key.clone())).await.unwrap();
    let again = try_create(&store, &a, "demo", Some(key.clone())).await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!(first.cluster.cluster.id, again.cluster.cluster.id);
    assert_eq!(refused(try_create(&store, &a, "demo", None).await), Code::NameTaken);
    let other = Idempotency { request_hash: [2; 32], ..key };
    assert_eq!(refused(try_create(&store, &a, "demo2", Some(other)).await), Code::IdempotencyMismatch);
}

#[tokio::test]
async fn a_delete_cancels_what_is_under_way_and_is_asked_for_once() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "demo").await;
    let creating = record.cluster.operation.unwrap();
    let delete = || store.cluster_delete(a.may::<ClusterDelete>(&record).unwrap(), json!("keep"), RequestContext::default());
    let first = delete().await.unwrap();
    let second = delete().await.unwrap();
    assert_eq!(first.operation.id, second.operation.id);
    assert_eq!(first.operation.kind, OperationKind::ClusterDelete);
    assert_eq!(store.operation(&a.scope(), creating).await.unwrap().operation.state, OperationState::Cancelled);
    let resize =
        store.node_pool_resize(a.may::<NodePoolResize>(&record).unwrap(), "default".into(), 3, vec![], Limits::new(), RequestContext::default());
    assert_eq!(refused(resize.await), Code::Busy);
}

#[tokio::test]
async fn only_what_failed_or_waits_is_retried_and_only_what_runs_is_cancelled() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "demo").await;
    let operation = store.operation(&a.scope(), record.cluster.operation.unwrap()).await.unwrap();
    let retry = store.operation_retry(a.may::<OperationRetry>(&operation).unwrap(), RequestContext::default()).await;
    assert_eq!(refused(retry), Code::NotRetryable);
    let cancelled = store.operation_cancel(a.may::<OperationCancel>(&operation).unwrap(), RequestContext::default()).await.unwrap();
    assert_eq!(cancelled.operation.state, OperationState::Cancelled);
    assert!(cancelled.revision > operation.revision);
    let again = store.operation_cancel(a.may::<OperationCancel>(&operation).unwrap(), RequestContext::default()).await;
    assert_eq!(refused(again), Code::NotCancellable);
}

#[tokio::test]
async fn a_change_of_the_key_of_secrets_lets_nothing_else_begin_and_is_stopped_by_a_deletion_only() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "demo").await;
    let context = RequestContext::default;
    let rotate = || store.encryption_key_rotate(a.may::<ClusterRepair>(&record).unwrap(), context());
    assert_eq!(refused(rotate().await), Code::Busy, "it is still being created");
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    let ended = async |state: OperationState| {
        let mut operation = store.load(&claim).await.unwrap().operation.unwrap();
        (operation.state, operation.started_at) = (state, operation.started_at.or(Some(OffsetDateTime::UNIX_EPOCH)));
        store.commit(&claim, &[Change::ObservedGeneration(1), Change::Operation(operation)]).await.unwrap();
    };
    ended(OperationState::Succeeded).await;
    let first = rotate().await.unwrap();
    assert_eq!((first.operation.kind, first.operation.state), (OperationKind::EncryptionKeyRotate, OperationState::Pending));
    assert_eq!(refused(rotate().await), Code::Busy);
    let resize = store.control_plane_resize(a.may::<ControlPlaneResize>(&record).unwrap(), 3, Limits::new(), context());
    assert_eq!(refused(resize.await), Code::Busy);
    let cancel = |operation: &OperationRecord| store.operation_cancel(a.may::<OperationCancel>(operation).unwrap(), context());
    assert_eq!(cancel(&first).await.unwrap().operation.state, OperationState::Cancelled, "nothing was begun");

    let second = rotate().await.unwrap();
    ended(OperationState::Running).await;
    assert_eq!(refused(cancel(&second).await), Code::NotCancellable);
    ended(OperationState::Failed).await;
    let again = store.operation_retry(a.may::<OperationRetry>(&second).unwrap(), context()).await.unwrap();
    assert_eq!(again.operation.state, OperationState::Pending);
    assert_eq!(refused(cancel(&second).await), Code::NotCancellable, "the second key is there");
    store.cluster_delete(a.may::<ClusterDelete>(&record).unwrap(), json!("keep"), context()).await.unwrap();
    assert_eq!(store.operation(&a.scope(), second.operation.id).await.unwrap().operation.state, OperationState::Cancelled);
}

#[tokio::test]
async fn a_change_of_the_apis_audit_is_recorded_with_what_the_cluster_was_made_with_and_cancelled_as_if_it_had_not_been() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "demo").await;
    let context = RequestContext::default;
    let change = |level| store.api_audit_change(a.may::<ClusterRepair>(&record).unwrap(), level, context());
    assert_eq!(refused(change(ApiAuditLevel::Request).await), Code::Busy, "it is still being created");
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    let mut created = store.load(&claim).await.unwrap().operation.unwrap();
    created.state = OperationState::Succeeded;
    store.commit(&claim, &[Change::ObservedGeneration(1), Change::Operation(created)]).await.unwrap();
    let begun = change(ApiAuditLevel::Request).await.unwrap();
    assert_eq!((begun.operation.kind, begun.operation.state), (OperationKind::ApiAuditChange, OperationState::Pending));
    assert_eq!(refused(change(ApiAuditLevel::None).await), Code::Busy);
    let cluster = async || store.cluster(&a.scope(), record.cluster.id).await.unwrap().cluster;
    let wanted = cluster().await;
    assert_eq!(wanted.spec.audit, ApiAuditSpec { level: ApiAuditLevel::Request, made_with: Some(ApiAuditLevel::None) });
    let cancelled = store.operation_cancel(a.may::<OperationCancel>(&begun).unwrap(), context()).await.unwrap();
    assert_eq!(cancelled.operation.state, OperationState::Cancelled);
    let after = cluster().await;
    assert_eq!((after.spec.audit, after.generation), (ApiAuditSpec::default(), wanted.generation + 1));
}

#[tokio::test]
async fn a_request_sent_many_times_at_once_makes_one_cluster() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let key = Idempotency { key: "k".into(), request_hash: [7; 32] };
    let answers = futures::future::join_all((0..8).map(|_| try_create(&store, &a, "demo", Some(key.clone())))).await;
    let made: Vec<_> = answers.into_iter().map(|answer| answer.unwrap()).collect();
    assert_eq!(made.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(made.iter().all(|answer| answer.cluster.cluster.id == made[0].cluster.cluster.id));
    let rivals = futures::future::join_all((0..8).map(|_| try_create(&store, &a, "other", None))).await;
    let (won, lost): (Vec<_>, Vec<_>) = rivals.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    assert!(lost.into_iter().all(|answer| refused(answer) == Code::NameTaken));
}

#[tokio::test]
async fn the_limit_of_clusters_holds_when_all_come_at_once() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let create = |number: u32| {
        let new = NewCluster { name: format!("c{number}"), spec: spec(1, 1), limits: [(Limited::Clusters, 3)].into(), room: None };
        store.cluster_create(a.may::<ClusterCreate>(&a.project).unwrap(), new, None, RequestContext::default())
    };
    let (made, refusals): (Vec<_>, Vec<_>) = futures::future::join_all((0..8).map(create)).await.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 3);
    let short = |answer| matches!(answer, Err(StoreError::Short(shortage)) if shortage.limited == Limited::Clusters && shortage.used == 3);
    assert!(refusals.into_iter().all(short));
}

#[tokio::test]
async fn the_audit_log_tells_who_asked_and_cannot_be_changed() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    create(&store, &a, "demo").await;
    let mut admin = database.options().connect.connect().await.unwrap();
    let line: (String, String, String) =
        sqlx::query_as("SELECT user_name, action, outcome FROM audit WHERE tenant_id = 'a'").fetch_one(&mut admin).await.unwrap();
    assert_eq!((line.0.as_str(), line.1.as_str(), line.2.as_str()), ("member-of-a", "cluster_create", "accepted"));
    for attempt in ["UPDATE audit SET user_name = 'somebody else'", "DELETE FROM audit", "TRUNCATE audit"] {
        assert!(sqlx::raw_sql(attempt).execute(&mut admin).await.is_err(), "{attempt}");
    }
}

#[tokio::test]
async fn a_cluster_counts_once_for_each_flavor_and_with_all_its_machines() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b) = (member("a"), member("b"));
    for (actor, name) in [(&a, "one"), (&b, "two"), (&b, "gone")] {
        create(&store, actor, name).await;
    }
    database.execute("UPDATE clusters SET deleted_at = now() WHERE name = 'gone'").await;
    let more = r#"UPDATE clusters SET spec = jsonb_set(spec, '{node_pools,1}', '{"name": "more", "flavor": "l", "count": 4}') WHERE name = 'two'"#;
    database.execute(more).await;
    let used = store.catalogue_use(operator().operator().unwrap()).await.unwrap();
    let asked = spec(1, 2);
    assert_eq!(used.versions, [(asked.version, 2)].into());
    assert_eq!(used.flavors["l"], FlavorUse { clusters: 1, machines: 4 });
    let mut others = std::collections::BTreeMap::<String, FlavorUse>::new();
    for (flavor, count) in [(&asked.control_plane.flavor, 1), (&asked.node_pools[0].flavor, 2)] {
        let all = others.entry(flavor.clone()).or_default();
        (all.clusters, all.machines) = (2, all.machines + 2 * count);
    }
    assert!(others.iter().all(|(flavor, all)| used.flavors[flavor] == *all), "{used:?}");
}

#[tokio::test]
async fn a_cluster_counts_for_each_add_on_that_it_has() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b) = (member("a"), member("b"));
    for (actor, name) in [(&a, "usual"), (&b, "metrics"), (&b, "none"), (&b, "old"), (&b, "gone")] {
        create(&store, actor, name).await;
    }
    for statement in [
        r#"UPDATE clusters SET spec = jsonb_set(spec, '{addons}', '{"pod_network": true, "storage": true, "metrics": true}')
           WHERE name IN ('usual', 'gone')"#,
        r#"UPDATE clusters SET spec = jsonb_set(spec, '{addons}', '{"metrics": true, "storage": false, "later": true}') WHERE name = 'metrics'"#,
        "UPDATE clusters SET spec = spec - 'addons' WHERE name = 'old'",
        "UPDATE clusters SET deleted_at = now() WHERE name = 'gone'",
    ] {
        database.execute(statement).await;
    }
    let used = store.catalogue_use(operator().operator().unwrap()).await.unwrap();
    // Kubernetes' own DNS is among them as soon as there is one.
    assert_eq!(used.addons, [(Addon::PodNetwork, 1), (Addon::Storage, 1), (Addon::Dns, 2), (Addon::Metrics, 2)].into());
}

#[tokio::test]
async fn operators_find_clusters_of_all_tenants_and_what_they_are_together() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b) = (member("tenant-a"), member("tenant-b"));
    let web = create(&store, &a, "web").await.cluster;
    create(&store, &a, "shop").await;
    create(&store, &b, "web").await;
    database
        .execute(
            r#"UPDATE clusters SET status = jsonb_set(status, '{phase}', '"Degraded"'), spec = jsonb_set(jsonb_set(spec, '{version}', '"v1.9.12"'),
                   '{node_pools,1}', '{"name": "more", "flavor": "m1.odd", "count": 4}') WHERE tenant_id = 'tenant-b'"#,
        )
        .await;
    let size = FlavorSize { name: "m1.medium".to_owned(), vcpus: 2, ram_mib: 4096 };
    store.flavors_seen(&[size]).await.unwrap();
    let operator = operator().operator().unwrap();
    let none = ClusterFilter::default;
    // Three machines of the known size in each; four more of an unknown one in tenant B's.
    for (filter, clusters, nodes, unsized_nodes) in [
        (none(), 3, 13, 4),
        (ClusterFilter { search: Some("WEB".into()), ..none() }, 2, 10, 4),
        (ClusterFilter { search: Some("nant-a".into()), ..none() }, 2, 6, 0),
        (ClusterFilter { search: Some("tenant-b".into()), ..none() }, 1, 7, 4),
        (ClusterFilter { search: Some(web.id.to_string().to_uppercase()), ..none() }, 1, 3, 0),
        (ClusterFilter { project: Some("tenant-a".into()), search: Some("web".into()), ..none() }, 1, 3, 0),
        (ClusterFilter { phase: Some(Phase::Degraded), ..none() }, 1, 7, 4),
        (ClusterFilter { version: Some("v1.36".into()), ..none() }, 2, 6, 0),
        (ClusterFilter { version: Some("v1.9.12".into()), ..none() }, 1, 7, 4),
        (ClusterFilter { version: Some("v1.3".into()), ..none() }, 0, 0, 0),
    ] {
        let page = store.clusters(&operator.scope(), filter.clone(), ClusterSort::Name, false, PageRequest::default()).await.unwrap();
        assert_eq!(page.total, Some(clusters), "{filter:?}");
        let known = nodes - unsized_nodes;
        let versions = vec!["v1.36.3".to_owned(), "v1.9.12".to_owned()];
        let expected = ClusterTotals { clusters, nodes, vcpus: 2 * known, ram_mib: 4096 * known, unsized_nodes, versions };
        assert_eq!(store.cluster_totals(operator, filter.clone()).await.unwrap(), expected, "{filter:?}");
    }
    // A tenant's own list knows of no project but its own, by whatever it is searched.
    let by_project = ClusterFilter { search: Some("tenant".into()), ..none() };
    let own = store.clusters(&a.scope(), by_project, ClusterSort::Name, false, PageRequest::default()).await.unwrap();
    assert_eq!(own.total, Some(0));
}

#[tokio::test]
async fn marks_of_a_pool_are_kept_only_if_all_its_nodes_have_them_and_nobody_else_set_others_meanwhile() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "demo").await;
    let claim = store.claim(Uuid::now_v7(), Duration::from_secs(60)).await.unwrap().unwrap();
    let mut operation = store.load(&claim).await.unwrap().operation.unwrap();
    (operation.state, operation.started_at) = (OperationState::Succeeded, Some(OffsetDateTime::UNIX_EPOCH));
    let worker = |ordinal| Node::new(NodeId::generate(), record.cluster.id, NodeRole::Worker, "default", ordinal);
    let (first, late) = (worker(0), worker(1));
    store.commit(&claim, &[Change::ObservedGeneration(1), Change::Operation(operation), Change::Node(first.clone())]).await.unwrap();
    let tier = |value: &str| PoolMarks { labels: [("tier".to_owned(), value.to_owned())].into(), taints: Vec::new() };
    let mark = async |before: &PoolMarks, nodes: Vec<NodeId>, wanted: &PoolMarks| {
        let pool = MarkedPool { name: "default".into(), before: before.clone(), nodes };
        store.node_pool_mark(a.may::<NodeOperate>(&record).unwrap(), pool, wanted.clone(), RequestContext::default()).await
    };
    let (nothing, web, data) = (PoolMarks { labels: BTreeMap::new(), taints: Vec::new() }, tier("web"), tier("data"));
    mark(&nothing, vec![first.id], &web).await.unwrap();
    assert_eq!(refused(mark(&nothing, vec![first.id], &data).await), Code::Conflict);
    // The same call once more.
    mark(&nothing, vec![first.id], &web).await.unwrap();
    store.commit(&claim, &[Change::Node(late.clone())]).await.unwrap();
    assert_eq!(refused(mark(&web, vec![first.id], &data).await), Code::Busy);
    let kept = async || store.cluster(&a.scope(), record.cluster.id).await.unwrap().cluster.spec.node_pools[0].labels.clone();
    assert_eq!(kept().await, web.labels);
    mark(&web, vec![first.id, late.id], &data).await.unwrap();
    assert_eq!(kept().await, data.labels);
}
