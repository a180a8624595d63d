//! Claims: shared, fenced, and careful with what people wrote meanwhile.

use crate::support::{create, member, operator};
use auth::{ClusterDelete, NodePoolResize, OperationCancel, OperationRetry};
use domain::addons::Addon;
use domain::changes::Change;
use domain::clusters::{ClusterStatus, Phase};
use domain::codes::Code;
use domain::conditions::ConditionType;
use domain::ids::{NodeId, OperationId, ResourceId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Fault, Node, NodeRole};
use domain::operations::{ENGINE, Operation, OperationKind, OperationState, ReceiptLine};
use domain::tenants::Limits;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use store::test_support::Database;
use store::{
    AuditEnds, AuditFilter, Claim, ClusterFilter, ClusterSort, CommitError, OperationFilter, PageRequest, RequestContext, SecretOwner, StoreError,
};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(60);

fn row(work: &domain::changes::Work, key: &str, state: ResourceState) -> LedgerRow {
    let now = time::OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
    LedgerRow { state, ..LedgerRow::new(ResourceId::generate(), work.cluster.id, key.into(), ResourceKind::Network, "n".into(), now) }
}

#[tokio::test]
async fn two_engines_share_clusters_and_hold_each_once() {
    let database = Database::new().await;
    let (one, two) = (database.store().await, database.store().await);
    create(&one, &member("a"), "x").await;
    create(&one, &member("b"), "y").await;
    let first = one.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let second = two.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    assert_ne!(first.cluster, second.cluster);
    assert!(one.claim(Uuid::now_v7(), LEASE).await.unwrap().is_none());
    let cluster = first.cluster;
    one.release(first, Duration::ZERO).await.unwrap();
    assert_eq!(two.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap().cluster, cluster);
}

#[tokio::test]
async fn a_tenants_clusters_are_left_to_whoever_is_at_work_for_it_for_a_second() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    for name in ["w", "x", "y", "z"] {
        create(&store, &a, name).await;
    }
    let (here, there) = (Uuid::now_v7(), Uuid::now_v7());
    let mut held = vec![store.claim(here, LEASE).await.unwrap().unwrap()];
    loop {
        let begun = std::time::Instant::now();
        database.execute("UPDATE work SET run_at = clock_timestamp() WHERE holder IS NULL").await;
        let claimed = store.claim(there, LEASE).await.unwrap();
        // On a machine that took so long over it, it says nothing.
        if begun.elapsed() < Duration::from_secs(1) {
            assert!(claimed.is_none());
            break;
        }
        if let Some(claim) = claimed {
            store.release(claim, Duration::ZERO).await.unwrap();
        }
    }
    held.extend(store.claim(here, LEASE).await.unwrap());
    // Who is too busy for them has had its time.
    database.execute("UPDATE work SET run_at = now() - interval '1 second' WHERE holder IS NULL").await;
    held.extend(store.claim(there, LEASE).await.unwrap());
    // Both are at work for it now: neither waits for the other.
    database.execute("UPDATE work SET run_at = clock_timestamp() WHERE holder IS NULL").await;
    held.extend(store.claim(there, LEASE).await.unwrap());
    assert_eq!(held.len(), 4);
}

#[tokio::test]
async fn case_49_a_holder_whose_lease_ran_out_writes_nothing() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    // The lease is over as soon as it begins: the holder was paused for too long.
    let paused = store.claim(Uuid::now_v7(), Duration::ZERO).await.unwrap().unwrap();
    let holder = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let work = store.load(&holder).await.unwrap();
    for result in [
        store.commit(&paused, &[Change::Ledger(row(&work, "network", ResourceState::Intended))]).await,
        store.renew(&paused).await,
        store.secret_put(&paused, &SecretOwner::Cluster(record.cluster.id), "pki", &"secret".into()).await,
        store.load(&paused).await.map(drop),
    ] {
        assert!(matches!(result, Err(CommitError::Fenced)), "{result:?}");
    }
    assert!(store.load(&holder).await.unwrap().ledger.is_empty());
    assert_eq!(paused.left(), Duration::ZERO);
    assert!(holder.left() > Duration::from_secs(50));
}

#[tokio::test]
async fn commits_are_whole_and_keys_are_unique_among_the_living() {
    let database = Database::new().await;
    let store = database.store().await;
    create(&store, &member("a"), "x").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let work = store.load(&claim).await.unwrap();
    let (first, twin) = (row(&work, "network", ResourceState::Known), row(&work, "network", ResourceState::Known));
    store.commit(&claim, &[Change::Ledger(first.clone())]).await.unwrap();
    let both = store.commit(&claim, &[Change::Ledger(row(&work, "subnet", ResourceState::Known)), Change::Ledger(twin.clone())]).await;
    assert!(matches!(both, Err(CommitError::Store(StoreError::Unexpected(_)))), "{both:?}");
    assert_eq!(store.load(&claim).await.unwrap().ledger, vec![first.clone()]);
    let gone = LedgerRow { state: ResourceState::Gone, ..first };
    store.commit(&claim, &[Change::Ledger(gone), Change::Ledger(twin)]).await.unwrap();
    assert_eq!(store.load(&claim).await.unwrap().ledger.len(), 2);
}

#[tokio::test]
async fn what_a_person_asked_meanwhile_is_not_undone() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "x").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let work = store.load(&claim).await.unwrap();
    store.cluster_delete(a.may::<ClusterDelete>(&record).unwrap(), json!("erase"), RequestContext::default()).await.unwrap();
    let mut operation = work.operation.clone().unwrap();
    operation.state = OperationState::Running;
    let mut status = work.cluster.status.clone();
    status.phase = Phase::Provisioning;
    let made = row(&work, "network", ResourceState::Unknown);
    store.commit(&claim, &[Change::Ledger(made.clone()), Change::Operation(operation.clone()), Change::Status(status)]).await.unwrap();
    // The wake-up is not lost with the release.
    store.release(claim, Duration::from_secs(600)).await.unwrap();
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let now = store.load(&claim).await.unwrap();
    assert_eq!(now.ledger, vec![made], "what was called is recorded all the same");
    assert_eq!(now.cluster.status.phase, Phase::Deleting);
    assert_eq!(now.operation.unwrap().kind, OperationKind::ClusterDelete);
    assert_eq!(store.operation(&a.scope(), operation.id).await.unwrap().operation.state, OperationState::Cancelled);
}

#[tokio::test]
async fn a_buried_cluster_leaves_a_receipt_and_no_secret() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "x").await;
    let id = record.cluster.id;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    store.secret_put(&claim, &SecretOwner::Cluster(id), "pki", &"very secret".into()).await.unwrap();
    assert!(store.cluster_secret(id, "pki").await.unwrap().is_some());
    store.commit(&claim, &[Change::ClusterGone]).await.unwrap();
    assert!(store.cluster_secret(id, "pki").await.unwrap().is_none());
    assert!(matches!(store.cluster(&a.scope(), id).await, Err(StoreError::NotFound)));
    assert!(store.operation(&a.scope(), record.cluster.operation.unwrap()).await.is_ok());
    assert!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().is_none());
    create(&store, &a, "x").await;
}

#[tokio::test]
async fn a_cluster_that_is_written_off_leaves_a_receipt_of_what_was_recorded_and_nothing_for_its_engine() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, operator) = (member("a"), operator());
    let scope = operator.operator().unwrap();
    let record = create(&store, &a, "x").await;
    let id = record.cluster.id;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let work = store.load(&claim).await.unwrap();
    let known = |key, cloud_id: &str, state| LedgerRow { cloud_id: Some(cloud_id.into()), ..row(&work, key, state) };
    let rows = [
        known("network", "there", ResourceState::Known),
        known("subnet", "going", ResourceState::Deleting),
        known("router", "gone", ResourceState::Gone),
        row(&work, "port", ResourceState::Unknown),
        row(&work, "server", ResourceState::Intended),
    ];
    store.commit(&claim, &rows.map(Change::Ledger)).await.unwrap();
    store.secret_put(&claim, &SecretOwner::Cluster(id), "pki", &"very secret".into()).await.unwrap();

    let ended = store.cluster_write_off(scope, &operator, id, RequestContext::default()).await.unwrap().operation;
    let receipt = ended.receipt.unwrap();
    let ids = |lines: &[ReceiptLine]| lines.iter().map(|line| line.cloud_id.clone().unwrap_or_default()).collect::<BTreeSet<_>>();
    assert_eq!((ended.kind, ended.state), (OperationKind::ClusterDelete, OperationState::Cancelled), "it was not carried out");
    assert_eq!(ids(&receipt.unseen.unwrap()), BTreeSet::from(["", "going", "there"].map(str::to_owned)));
    assert_eq!((ids(&receipt.removed), receipt.scanned_at), (BTreeSet::from(["gone".to_owned()]), None));
    let create_operation = store.operation(&a.scope(), record.cluster.operation.unwrap()).await.unwrap().operation;
    assert_eq!(create_operation.state, OperationState::Cancelled);
    assert!(store.ledger(&a.scope(), id).await.unwrap().iter().all(|row| row.state == ResourceState::Gone));
    assert!(store.cluster_secret(id, "pki").await.unwrap().is_none());
    let late = store.commit(&claim, &[Change::Ledger(row(&work, "late", ResourceState::Unknown))]).await;
    assert!(matches!(late, Err(CommitError::Fenced)), "{late:?}");
    assert!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().is_none());
    let again = store.cluster_write_off(scope, &operator, id, RequestContext::default()).await;
    assert!(matches!(again, Err(StoreError::NotFound)), "{again:?}");
    create(&store, &a, "x").await;
}

#[tokio::test]
async fn how_an_operation_ended_is_told_once_by_whoever_ends_it() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "x").await;
    let id = record.cluster.id;
    let asked = |request: &str| RequestContext { request_id: request.into(), source: "192.0.2.1".into() };
    let told = async || {
        let filter = AuditFilter { cluster: Some(id), ..AuditFilter::default() };
        let lines = store.audit(&a.scope(), filter, PageRequest::default()).await.unwrap().items;
        let own = lines.into_iter().rev().filter(|line| line.via == "engine");
        own.map(|line| (line.operation, line.action, line.outcome, line.request_id, line.detail)).collect::<Vec<_>>()
    };
    let line = |operation: OperationId, action: &str, outcome: &str, request: &str, detail: serde_json::Value| {
        (Some(operation.0), action.to_owned(), outcome.to_owned(), request.to_owned(), detail)
    };
    let brought = async |claim: &Claim, state: OperationState, fault: Option<Fault>| {
        let mut operation = store.load(claim).await.unwrap().operation.unwrap();
        (operation.state, operation.fault) = (state, fault);
        store.commit(claim, &[Change::ObservedGeneration(1), Change::Operation(operation)]).await.unwrap();
    };
    let fault = || Some(Fault { code: Code::Quota, message: "full".into(), cloud_request_id: None, retryable: true, object: None });

    // A holder that lost its lease ends nothing; whoever took over does, and says so once, however often it writes the operation.
    let lost = store.claim(Uuid::now_v7(), Duration::ZERO).await.unwrap().unwrap();
    let first = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let mut ended = store.load(&first).await.unwrap().operation.unwrap();
    ended.state = OperationState::Succeeded;
    assert!(matches!(store.commit(&lost, &[Change::Operation(ended)]).await, Err(CommitError::Fenced)));
    brought(&first, OperationState::Running, None).await;
    assert_eq!(told().await, []);
    brought(&first, OperationState::Succeeded, None).await;
    store.release(first, Duration::ZERO).await.unwrap();
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    brought(&claim, OperationState::Succeeded, None).await;
    let mut expected = vec![line(record.cluster.operation.unwrap(), "cluster_create", "done", "", json!({"name": "x"}))];
    assert_eq!(told().await, expected);

    // A failure has its code, a retry ends once more, and what is blocked has not ended until somebody stops it.
    let resize = a.may::<NodePoolResize>(&record).unwrap();
    let resize = store.node_pool_resize(resize, "default".into(), 3, vec![], Limits::new(), asked("asked")).await.unwrap();
    let of_resize = |outcome: &str| line(resize.operation.id, "node_pool_resize", outcome, "asked", json!({"name": "x", "code": Code::Quota}));
    brought(&claim, OperationState::Failed, fault()).await;
    store.operation_retry(a.may::<OperationRetry>(&resize).unwrap(), asked("again")).await.unwrap();
    brought(&claim, OperationState::Blocked, fault()).await;
    expected.push(of_resize("failed"));
    assert_eq!(told().await, expected);
    store.operation_cancel(a.may::<OperationCancel>(&resize).unwrap(), asked("stop")).await.unwrap();
    expected.push(of_resize("cancelled"));
    assert_eq!(told().await, expected);

    // A repair that began by itself gives way to a deletion, and that ends with the cluster.
    store.load(&claim).await.unwrap();
    let repair = Operation::new(OperationId::generate(), id, OperationKind::ClusterRepair, ENGINE, claim.now());
    store.commit(&claim, &[Change::OperationBegun(repair.clone())]).await.unwrap();
    let deletion = store.cluster_delete(a.may::<ClusterDelete>(&record).unwrap(), json!("keep"), asked("delete")).await.unwrap();
    let mut gone = store.load(&claim).await.unwrap().operation.unwrap();
    gone.state = OperationState::Succeeded;
    store.commit(&claim, &[Change::Operation(gone), Change::ClusterGone]).await.unwrap();
    expected.push(line(repair.id, "cluster_repair", "cancelled", "", json!({"name": "x"})));
    expected.push(line(deletion.operation.id, "cluster_delete", "done", "delete", json!({"name": "x"})));
    assert_eq!(told().await, expected);
    store.audit_seal(None).await.unwrap();
    assert_eq!(store.audit_verify(AuditEnds::default()).await.unwrap().findings, []);
}

#[tokio::test]
async fn a_deletion_under_way_is_the_one_that_a_write_off_ends() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, operator) = (member("a"), operator());
    let record = create(&store, &a, "x").await;
    let deletion = store.cluster_delete(a.may::<ClusterDelete>(&record).unwrap(), json!("keep"), RequestContext::default()).await.unwrap();
    let ended = store.cluster_write_off(operator.operator().unwrap(), &operator, record.cluster.id, RequestContext::default()).await.unwrap();
    assert_eq!((ended.operation.id, ended.operation.state), (deletion.operation.id, OperationState::Cancelled));
    assert_eq!(ended.operation.receipt.unwrap().unseen, Some(vec![]));
}

#[tokio::test]
async fn of_secrets_made_at_once_the_first_is_kept_and_answered() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    let owner = SecretOwner::Cluster(record.cluster.id);
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let fresh = ["one", "two", "three"].map(SecretString::from);
    let kept = futures::future::try_join_all(fresh.iter().map(|f| store.secret_keep(&claim, &owner, "pki", f))).await.unwrap();
    let stored = store.secret(&owner, "pki").await.unwrap().unwrap();
    assert!(kept.iter().all(|k| k.expose_secret() == stored.expose_secret()));
    store.commit(&claim, &[Change::ClusterGone]).await.unwrap();
    assert!(store.secret(&owner, "pki").await.unwrap().is_none(), "it goes with its cluster");
}

#[tokio::test]
async fn a_wake_up_is_heard() {
    let database = Database::new().await;
    let store = database.store().await;
    let mut wakeups = store.wakeups();
    while !matches!(wakeups.recv().await.unwrap(), store::WakeUp::Resync) {}
    let record = create(&store, &member("a"), "x").await;
    assert_eq!(wakeups.recv().await.unwrap(), store::WakeUp::Cluster(record.cluster.id));
}

#[tokio::test]
async fn what_operators_hold_back_is_claimed_by_nobody_until_they_let_it() {
    let database = Database::new().await;
    let store = database.store().await;
    let held = create(&store, &member("a"), "x").await.cluster.id;
    let other = create(&store, &member("b"), "y").await.cluster.id;
    let operator = operator();
    let scope = operator.operator().unwrap();
    let context = RequestContext::default;
    store.pause(scope, &operator, Some(held), "its network is moved".into(), context()).await.unwrap();
    let claims = store.claim_some(Uuid::now_v7(), LEASE, 5).await.unwrap();
    assert_eq!(claims.iter().map(|c| c.cluster).collect::<Vec<_>>(), [other]);
    for claim in claims {
        store.release(claim, Duration::ZERO).await.unwrap();
    }
    store.pause(scope, &operator, None, "the cloud is upgraded".into(), context()).await.unwrap();
    assert!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().is_none() && store.next_due().await.unwrap().is_none());
    assert!(store.sweep_claim(LEASE, LEASE).await.unwrap().is_none());
    let shown = store.cluster(&scope.scope(), held).await.unwrap();
    assert_eq!(shown.pause.map(|p| (p.everything, p.reason)), Some((true, "the cloud is upgraded".into())), "the greater one");
    store.resume(scope, &operator, None, context()).await.unwrap();
    assert_eq!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap().cluster, other);
    assert!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().is_none() && store.sweep_claim(LEASE, LEASE).await.unwrap().is_some());
    store.resume(scope, &operator, Some(held), context()).await.unwrap();
    assert_eq!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap().cluster, held);
}

#[tokio::test]
async fn what_an_operation_was_held_back_does_not_count_against_its_deadline() {
    let database = Database::new().await;
    let store = database.store().await;
    let made = create(&store, &member("a"), "x").await;
    let (cluster, operation) = (made.cluster.id, made.operation.unwrap());
    let operator = operator();
    let scope = operator.operator().unwrap();
    let context = RequestContext::default;
    let find = async || store.operation(&scope.scope(), operation.id).await.unwrap();
    store.pause(scope, &operator, None, "first".into(), context()).await.unwrap();
    store.pause(scope, &operator, Some(cluster), "second".into(), context()).await.unwrap();
    let paused = find().await;
    assert_eq!((paused.operation.deadline_at, paused.pause.unwrap().reason.as_str()), (operation.deadline_at, "first"));
    // The first began three hours ago, the second two hours later.
    database
        .execute(
            "UPDATE operations SET created_at = now() - interval '9 hours';
             UPDATE pauses SET paused_at = now() - CASE WHEN cluster_id IS NULL THEN interval '3 hours' ELSE interval '1 hour' END",
        )
        .await;
    store.resume(scope, &operator, None, context()).await.unwrap();
    let minute = |d: time::Duration| d.whole_seconds().div_euclid(60);
    let (one, longer) = (find().await, find().await.operation.deadline_at - operation.deadline_at);
    assert_eq!((minute(longer), one.pause.unwrap().reason.as_str()), (120, "second"));
    store.resume(scope, &operator, Some(cluster), context()).await.unwrap();
    let none = find().await;
    assert_eq!((minute(none.operation.deadline_at - operation.deadline_at), none.pause), (180, None));
    assert!(none.revision > paused.revision, "who follows it is told");
}

#[tokio::test]
async fn where_a_node_was_planned_for_is_kept() {
    let database = Database::new().await;
    let store = database.store().await;
    let record = create(&store, &member("a"), "x").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let zones = vec!["full".to_owned(), "own".to_owned()];
    let node = Node { zones: zones.clone(), ..Node::new(NodeId::generate(), record.cluster.id, NodeRole::Worker, "default", 0) };
    for ready in [None, Some(true)] {
        store.commit(&claim, &[Change::Node(Node { ready, ..node.clone() })]).await.unwrap();
        assert_eq!(store.load(&claim).await.unwrap().nodes[0].zones, zones);
    }
}

#[tokio::test]
async fn case_52_what_a_newer_program_says_is_wrong_is_read_and_kept_as_it_is_by_an_older_one() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "x").await;
    let operation = record.operation.unwrap().id;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let network = row(&store.load(&claim).await.unwrap(), "network", ResourceState::Intended);
    store.commit(&claim, &[Change::Ledger(network)]).await.unwrap();
    // The newer one has a code that did not exist before.
    database
        .execute(
            r#"UPDATE clusters SET status = jsonb_set(status, '{conditions}', '[{"type": "CloudReachable", "status": "False", "reason": "New", "message": "",
                   "since": "2026-11-23T00:00:00Z", "code": "KCS-NEWER-001"}]');
               UPDATE ledger SET fault = '{"code": "KCS-NEWER-002", "message": "m", "retryable": true}';
               UPDATE operations SET fault = '{"code": "KCS-NEWER-002", "message": "m", "retryable": true}'"#,
        )
        .await;
    let said = |fault: Option<domain::nodes::Fault>| fault.map(|fault| fault.code.as_str());
    for _ in 0..2 {
        let cluster = store.cluster(&a.scope(), record.cluster.id).await.unwrap().cluster;
        assert_eq!(cluster.status.conditions[0].code.map(|code| code.as_str()), Some("KCS-NEWER-001"));
        assert_eq!(said(store.operation(&a.scope(), operation).await.unwrap().operation.fault), Some("KCS-NEWER-002"));
        let work = store.load(&claim).await.unwrap();
        assert_eq!(said(work.ledger[0].fault.clone()), Some("KCS-NEWER-002"));
        // The older one's engine writes it back with what it has changed.
        let status = ClusterStatus { phase: Phase::Degraded, ..work.cluster.status };
        let network = LedgerRow { empty_looks: 1, ..work.ledger[0].clone() };
        store.commit(&claim, &[Change::Status(status), Change::Ledger(network), Change::Operation(work.operation.unwrap())]).await.unwrap();
    }
}

#[tokio::test]
async fn case_52_what_only_a_newer_program_knows_keeps_an_older_one_from_nothing_else() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let record = create(&store, &a, "x").await;
    let operation = record.operation.unwrap().id;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    // The newer one has a condition, an add-on, something to say of objects, a step and a kind of object that did not exist before.
    database
        .execute(
            r#"UPDATE clusters SET status = status || '{
                   "conditions": [{"type": "BackedUp", "status": "True", "reason": "New", "message": "", "since": "2026-11-23T00:00:00Z"},
                                  {"type": "CloudReachable", "status": "True", "reason": "Answers", "message": "", "since": "2026-11-23T00:00:00Z"}],
                   "objects": [{"kind": "bucket", "status": "False", "reason": "New", "since": "2026-11-23T00:00:00Z"},
                               {"kind": "network", "status": "Unknown", "reason": "New", "since": "2026-11-23T00:00:00Z", "cause": "new"}],
                   "addons": [{"name": "backups", "state": "ready", "ready": 1, "desired": 1}, {"name": "dns", "state": "ready", "ready": 1, "desired": 1}]}';
               UPDATE operations SET steps = jsonb_set(jsonb_set(steps, '{0,key}', '"first_backup"'), '{0,resources}',
                   '[{"kind": "bucket", "name": "b", "state": "ready"}, {"kind": "network", "name": "n", "state": "ready"}]')"#,
        )
        .await;
    for _ in 0..2 {
        let status = store.cluster(&a.scope(), record.cluster.id).await.unwrap().cluster.status;
        assert_eq!(status.conditions.iter().map(|c| c.r#type).collect::<Vec<_>>(), [ConditionType::CloudReachable]);
        assert_eq!(status.addons.iter().map(|a| a.name).collect::<Vec<_>>(), [Addon::Dns]);
        assert_eq!(status.objects.iter().map(|o| (o.kind, o.reason.as_str())).collect::<Vec<_>>(), [(ResourceKind::Network, "New")]);
        let steps = store.operation(&a.scope(), operation).await.unwrap().operation.steps;
        assert_eq!(json!(steps[0].key), "first_backup", "what is to be done is not forgotten");
        assert_eq!(steps[0].resources.iter().map(|r| r.kind).collect::<Vec<_>>(), [ResourceKind::Network]);
        // The older one's engine writes it back.
        let work = store.load(&claim).await.unwrap();
        store.commit(&claim, &[Change::Status(work.cluster.status), Change::Operation(work.operation.unwrap())]).await.unwrap();
    }
}

#[tokio::test]
async fn case_52_an_operation_of_a_kind_that_only_a_newer_program_knows_is_shown_and_left_to_it() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, holder) = (member("a"), Uuid::now_v7());
    let (newer, known) = (create(&store, &a, "x").await, create(&store, &a, "y").await);
    let id = newer.operation.unwrap().id;
    database.execute("UPDATE operations o SET kind = 'etcd_defragment' FROM clusters c WHERE c.id = o.cluster_id AND c.name = 'x'").await;
    let kinds = async || {
        let all = store.operations(&a.scope(), OperationFilter::default(), PageRequest::default()).await.unwrap().items;
        all.iter().map(|o| o.operation.kind.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(kinds().await, ["cluster_create", "etcd_defragment"]);
    let clusters = store.clusters(&a.scope(), ClusterFilter::default(), ClusterSort::Name, false, PageRequest::default()).await.unwrap().items;
    let shown: Vec<_> = clusters.iter().map(|c| json!(c.operation.as_ref().unwrap().kind)).collect();
    assert_eq!(shown, ["etcd_defragment", "cluster_create"]);
    // Neither is it claimed, nor does it have anybody look for work again and again.
    let claims = store.claim_some(holder, LEASE, 8).await.unwrap();
    assert_eq!(claims.iter().map(|c| c.cluster).collect::<Vec<_>>(), [known.cluster.id]);
    for claim in claims {
        store.release(claim, Duration::from_secs(600)).await.unwrap();
    }
    assert!(store.next_due().await.unwrap().unwrap() > Duration::from_secs(60));
    // How it goes on, and whether it may be stopped, is not known here.
    let refused = async |code: Code| {
        let found = store.operation(&a.scope(), id).await.unwrap();
        let outcome = match code {
            Code::NotCancellable => store.operation_cancel(a.may::<OperationCancel>(&found).unwrap(), RequestContext::default()).await,
            _ => store.operation_retry(a.may::<OperationRetry>(&found).unwrap(), RequestContext::default()).await,
        };
        assert!(matches!(outcome, Err(StoreError::Refused(said)) if said == code), "{outcome:?}");
    };
    refused(Code::NotCancellable).await;
    // Once it has ended, the cluster is everybody's, and the row is as the newer one has left it.
    database.execute("UPDATE operations SET state = 'failed' WHERE kind = 'etcd_defragment'; UPDATE work SET run_at = now()").await;
    refused(Code::NotRetryable).await;
    let mut claims = store.claim_some(holder, LEASE, 8).await.unwrap();
    assert_eq!(claims.len(), 2);
    claims.retain(|claim| claim.cluster == newer.cluster.id);
    let work = store.load(&claims[0]).await.unwrap();
    store.commit(&claims[0], &[Change::Operation(work.operation.unwrap())]).await.unwrap();
    assert_eq!(kinds().await, ["cluster_create", "etcd_defragment"]);
}

#[tokio::test]
async fn case_52_what_only_a_newer_program_can_read_keeps_nothing_else_from_being_listed() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, holder) = (member("a"), Uuid::now_v7());
    let (odd, even) = (create(&store, &a, "odd").await, create(&store, &a, "even").await);
    let claims = store.claim_some(holder, LEASE, 8).await.unwrap();
    let claim = claims.iter().find(|claim| claim.cluster == even.cluster.id).unwrap();
    let work = store.load(claim).await.unwrap();
    let (network, bucket) = (row(&work, "network", ResourceState::Known), row(&work, "bucket", ResourceState::Known));
    let node = |ordinal| Node::new(NodeId::generate(), even.cluster.id, NodeRole::Worker, "default", ordinal);
    let changes = [Change::Ledger(network.clone()), Change::Ledger(bucket), Change::Node(node(0)), Change::Node(node(1))];
    store.commit(claim, &changes).await.unwrap();
    let (ledger, nodes) =
        (async || store.ledger(&a.scope(), even.cluster.id).await.unwrap(), async || store.nodes(&a.scope(), even.cluster.id).await.unwrap());
    assert_eq!((ledger().await.len(), nodes().await.len()), (2, 2));
    database
        .execute(
            r#"UPDATE clusters SET spec = jsonb_set(spec, '{audit,level}', '"everything"') WHERE name = 'odd';
               UPDATE ledger SET kind = 'bucket' WHERE key = 'bucket';
               UPDATE nodes SET bootstrap = '{"state": "sealed"}' WHERE ordinal = 1;
               UPDATE operations SET receipt = '{"removed": [{"kind": "bucket", "name": "b"}, {"kind": "network", "name": "n"}], "kept": [], "left": []}',
                   steps = jsonb_set(steps, '{0,state}', '"resting"')"#,
        )
        .await;
    let listed = store.clusters(&a.scope(), ClusterFilter::default(), ClusterSort::Name, false, PageRequest::default()).await.unwrap();
    assert_eq!(listed.items.iter().map(|c| c.cluster.name.as_str()).collect::<Vec<_>>(), ["even"]);
    assert_eq!(ledger().await, [network]);
    assert_eq!(nodes().await.iter().map(|n| n.node.ordinal).collect::<Vec<_>>(), [0]);
    let operations = store.operations(&a.scope(), OperationFilter::default(), PageRequest::default()).await.unwrap().items;
    assert_eq!(operations.len(), 2);
    for operation in operations {
        let removed = operation.operation.receipt.unwrap().removed;
        assert_eq!(removed.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["n"]);
    }
    // The engine does nothing about clusters of which it does not see all.
    assert!(matches!(store.cluster(&a.scope(), odd.cluster.id).await, Err(StoreError::Unexpected(_))));
    for claim in &claims {
        assert!(matches!(store.load(claim).await, Err(CommitError::Store(StoreError::Unexpected(_)))));
    }
}
