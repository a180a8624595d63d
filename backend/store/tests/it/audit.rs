//! The audit log proves itself: whatever is changed, removed, moved or put in is found, and nothing else is complained of.

use crate::support::{create, member, operator};
use auth::{Actor, Via};
use domain::ids::TokenId;
use store::test_support::Database;
use store::{AuditEntry, AuditFilter, AuditFinding, AuditVerdict, PageRequest, RequestContext, Store};
use time::{Duration, OffsetDateTime};

/// A log of six sealed lines.
async fn log() -> (Database, Store) {
    let database = Database::new().await;
    let store = database.store().await;
    for number in 0..6 {
        let entry = AuditEntry::new(&member("a"), "session_create", "session", number).outcome("done");
        store.audit_append(entry, RequestContext { request_id: format!("r{number}"), source: "127.0.0.1".into() }).await.unwrap();
    }
    assert_eq!(store.audit_seal().await.unwrap(), 6);
    (database, store)
}

/// What is found after somebody with every right in the database did this.
async fn after(statements: &'static str) -> Vec<AuditFinding> {
    let (database, store) = log().await;
    database.execute(statements).await;
    store.audit_verify().await.unwrap().findings
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole_and_lines_just_written_may_wait() {
    let (database, store) = log().await;
    assert_eq!(store.audit_verify().await.unwrap(), AuditVerdict { lines: 6, waiting: 0, findings: vec![] });
    create(&store, &member("a"), "x").await;
    assert_eq!(store.audit_verify().await.unwrap(), AuditVerdict { lines: 6, waiting: 1, findings: vec![] });
    // Of several processes each line is sealed once.
    let other = database.store().await;
    let (one, two) = tokio::join!(store.audit_seal(), other.audit_seal());
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(store.audit_verify().await.unwrap(), AuditVerdict { lines: 7, waiting: 0, findings: vec![] });
}

#[tokio::test]
async fn a_changed_line_is_found() {
    let found = after("SET session_replication_role = replica; UPDATE audit SET source = '127.0.0.2' WHERE object_id = '2'").await;
    assert_eq!(found, [AuditFinding::Changed { seq: 3, id: 3 }]);
    let found = after("SET session_replication_role = replica; UPDATE audit SET detail = '{\"x\": 1}' WHERE object_id = '5'").await;
    assert_eq!(found, [AuditFinding::Changed { seq: 6, id: 6 }]);
    let found = after("SET session_replication_role = replica; UPDATE audit SET at = at + interval '1 microsecond' WHERE object_id = '0'").await;
    assert_eq!(found, [AuditFinding::Changed { seq: 1, id: 1 }]);
}

#[tokio::test]
async fn a_removed_line_is_found_with_its_seal_or_without() {
    let found = after("SET session_replication_role = replica; DELETE FROM audit WHERE object_id = '2'").await;
    assert_eq!(found, [AuditFinding::Missing { seq: 3, id: 3 }]);
    let found = after("SET session_replication_role = replica; DELETE FROM audit WHERE id = 3; DELETE FROM audit_seals WHERE seq = 3").await;
    assert_eq!(found, [AuditFinding::Gap { before: 4 }]);
    let closed = "SET session_replication_role = replica; DELETE FROM audit WHERE id = 3; DELETE FROM audit_seals WHERE seq = 3;
                  UPDATE audit_seals SET seq = seq - 1 WHERE seq > 3";
    let found = after(closed).await;
    assert!(found.contains(&AuditFinding::Changed { seq: 3, id: 4 }) && found.contains(&AuditFinding::Cut { expected: 6, found: 5 }), "{found:?}");
}

#[tokio::test]
async fn lines_that_changed_places_are_found() {
    let swapped = "SET session_replication_role = replica; UPDATE audit_seals SET audit_id = -2 WHERE seq = 2;
                   UPDATE audit_seals SET audit_id = 2 WHERE seq = 3; UPDATE audit_seals SET audit_id = 3 WHERE seq = 2";
    assert_eq!(after(swapped).await, [AuditFinding::Changed { seq: 2, id: 3 }, AuditFinding::Changed { seq: 3, id: 2 }]);
}

#[tokio::test]
async fn an_end_cut_off_is_found_even_where_the_end_was_moved() {
    let cut = "SET session_replication_role = replica; DELETE FROM audit WHERE id > 4; DELETE FROM audit_seals WHERE seq > 4";
    assert_eq!(after(cut).await, [AuditFinding::Cut { expected: 6, found: 4 }]);
    let moved = "SET session_replication_role = replica; DELETE FROM audit WHERE id > 4; DELETE FROM audit_seals WHERE seq > 4;
                 UPDATE audit_head SET last_seq = 4, last_mac = (SELECT mac FROM audit_seals WHERE seq = 4)";
    assert_eq!(after(moved).await, [AuditFinding::Head]);
}

#[tokio::test]
async fn a_line_put_in_beside_the_log_is_found() {
    let put = "INSERT INTO audit (user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source)
               VALUES ('u', 'u', 'session', 'cluster_delete', 'cluster', 'x', 'accepted', '', '')";
    assert_eq!(after(put).await, [AuditFinding::Foreign { id: 7 }]);
}

#[tokio::test]
async fn what_has_outlived_its_time_goes_and_the_rest_stays_whole() {
    let (database, store) = log().await;
    database.execute("SET session_replication_role = replica; UPDATE audit SET at = at - interval '40 days' WHERE id <= 4").await;
    // Made old before it was sealed, or the seals would tell.
    database
        .execute(
            "SET session_replication_role = replica; DELETE FROM audit_seals; DELETE FROM audit_head; INSERT INTO audit_pending SELECT id FROM audit",
        )
        .await;
    assert_eq!(store.audit_seal().await.unwrap(), 6);
    let month = OffsetDateTime::now_utc() - Duration::days(30);
    assert_eq!(store.audit_forget(month, true).await.unwrap(), 0, "none of it was handed on");
    let batch = store.audit_forward_claim(std::time::Duration::from_secs(60)).await.unwrap().unwrap();
    store.audit_forwarded(&batch, true).await.unwrap();
    assert_eq!(store.audit_forget(month, true).await.unwrap(), 4);
    assert_eq!(store.audit_forget(month, false).await.unwrap(), 0);
    assert_eq!(store.audit_verify().await.unwrap(), AuditVerdict { lines: 2, waiting: 0, findings: vec![] });
    assert_eq!(store.audit_forget(OffsetDateTime::now_utc() + Duration::days(1), false).await.unwrap(), 2);
    create(&store, &member("a"), "x").await;
    store.audit_seal().await.unwrap();
    assert_eq!(store.audit_verify().await.unwrap(), AuditVerdict { lines: 1, waiting: 0, findings: vec![] });
}

#[tokio::test]
async fn a_tenant_reads_its_own_lines_an_operator_all_by_pages() {
    let database = Database::new().await;
    let store = database.store().await;
    for name in ["x", "y", "z"] {
        create(&store, &member("a"), name).await;
    }
    create(&store, &member("b"), "x").await;
    let read = async |scope: &auth::Scope, filter: AuditFilter, cursor: Option<String>| {
        store.audit(scope, filter, PageRequest { limit: 2, cursor }).await.unwrap()
    };
    let first = read(&member("a").scope(), AuditFilter::default(), None).await;
    let rest = read(&member("a").scope(), AuditFilter::default(), first.next_cursor.clone()).await;
    let names: Vec<&str> = first.items.iter().chain(&rest.items).map(|line| line.detail["name"].as_str().unwrap()).collect();
    assert_eq!((names, rest.next_cursor), (vec!["z", "y", "x"], None));
    assert_eq!(first.items[0].cluster.map(|c| c.to_string()), Some(first.items[0].object_id.clone()));
    let all = operator().operator().unwrap().scope();
    let of_b = read(&all, AuditFilter { tenant: Some("b".into()), ..AuditFilter::default() }, None).await;
    assert_eq!(of_b.items.len(), 1);
    let foreign = AuditFilter { tenant: Some("b".into()), ..AuditFilter::default() };
    assert!(read(&member("a").scope(), foreign, None).await.items.is_empty());
    let later = AuditFilter { from: Some(OffsetDateTime::now_utc() + Duration::hours(1)), ..AuditFilter::default() };
    assert!(read(&all, later, None).await.items.is_empty());
    let token = TokenId::generate();
    create(&store, &Actor { via: Via::ApiToken(token), ..member("a") }, "by-token").await;
    let by_token = read(&member("a").scope(), AuditFilter { via_id: Some(token.0), ..AuditFilter::default() }, None).await.items;
    assert_eq!(by_token.iter().map(|line| line.detail["name"].as_str().unwrap()).collect::<Vec<_>>(), ["by-token"]);
}

#[tokio::test]
async fn lines_are_handed_on_in_order_by_one_at_a_time_and_again_when_they_did_not_arrive() {
    let (database, store) = log().await;
    let other = database.store().await;
    let lease = std::time::Duration::from_secs(60);
    let batch = store.audit_forward_claim(lease).await.unwrap().unwrap();
    let ids = |batch: &store::AuditBatch| batch.lines.iter().map(|l| l.object_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&batch), ["0", "1", "2", "3", "4", "5"]);
    assert!(other.audit_forward_claim(lease).await.unwrap().is_none());
    store.audit_forwarded(&batch, false).await.unwrap();
    let again = other.audit_forward_claim(lease).await.unwrap().unwrap();
    assert_eq!(ids(&again), ids(&batch));
    other.audit_forwarded(&again, true).await.unwrap();
    assert!(store.audit_forward_claim(lease).await.unwrap().is_none());
}
