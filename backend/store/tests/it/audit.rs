//! The audit log proves itself: whatever is changed, removed, moved or put in is found, and nothing else is complained of.

use crate::support::{create, member, operator};
use auth::{Actor, Via};
use domain::ids::TokenId;
use serde_json::{Value, json};
use store::test_support::Database;
use store::{AuditEnd, AuditEnds, AuditEntry, AuditFilter, AuditFinding, AuditVerdict, PageRequest, RequestContext, Store, StoreError};
use time::{Duration, OffsetDateTime};

/// Writes lines about these objects, without their seals.
async fn write(store: &Store, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let entry = AuditEntry::new(&member("a"), "session_create", "session", number).outcome("done");
        store.audit_append(entry, RequestContext { request_id: format!("r{number}"), source: "127.0.0.1".into() }).await.unwrap();
    }
}

/// Seals what waits; answers how many lines that were.
async fn seal(store: &Store) -> usize {
    store.audit_seal(None).await.unwrap().lines
}

async fn verify(store: &Store) -> AuditVerdict {
    store.audit_verify(AuditEnds::default()).await.unwrap()
}

/// What keeps lines from being sealed.
async fn refused(store: &Store, known: Option<&AuditEnd>) -> AuditFinding {
    match store.audit_seal(known.cloned()).await {
        Err(StoreError::Broken(finding)) => finding,
        other => panic!("{other:?}"),
    }
}

/// What cannot be sealed, and how many lines were meanwhile.
async fn unsealable(store: &Store) -> (Option<AuditFinding>, usize) {
    let sealed = store.audit_seal(None).await.unwrap();
    (sealed.unsealable, sealed.lines)
}

/// A log of six sealed lines.
async fn log() -> (Database, Store) {
    let database = Database::new().await;
    let store = database.store().await;
    write(&store, 0..6).await;
    assert_eq!(seal(&store).await, 6);
    (database, store)
}

/// The same, and where it ended when two more lines were sealed.
async fn longer_log() -> (Database, Store, AuditEnd) {
    let (database, store) = log().await;
    database.execute("CREATE TABLE earlier AS SELECT * FROM audit_head").await;
    write(&store, 6..8).await;
    let end = store.audit_seal(None).await.unwrap().end.unwrap();
    assert_eq!(end.seq, 8);
    (database, store, end)
}

/// How the longer log is taken back to where it was, by a record that KCS itself once proved.
const TAKEN_BACK: &str = "SET session_replication_role = replica; DELETE FROM audit WHERE id > 6; DELETE FROM audit_seals WHERE seq > 6;
                          DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM earlier";

/// What is found after somebody with every right in the database did this.
async fn after(statements: &'static str) -> Vec<AuditFinding> {
    let (database, store) = log().await;
    database.execute(statements).await;
    verify(&store).await.findings
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole_and_lines_just_written_may_wait() {
    let (database, store) = log().await;
    assert_eq!(verify(&store).await, AuditVerdict { lines: 6, waiting: 0, findings: vec![] });
    create(&store, &member("a"), "x").await;
    assert_eq!(verify(&store).await, AuditVerdict { lines: 6, waiting: 1, findings: vec![] });
    // Of several processes each line is sealed once.
    let other = database.store().await;
    let (one, two) = tokio::join!(seal(&store), seal(&other));
    assert_eq!(one + two, 1);
    assert_eq!(verify(&store).await, AuditVerdict { lines: 7, waiting: 0, findings: vec![] });
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
    let database = Database::new().await;
    let store = database.store().await;
    assert_eq!(seal(&store).await, 0, "the chain begins without a line");
    write(&store, 0..6).await;
    // Made old before it was sealed, or the seals would tell.
    database.execute("SET session_replication_role = replica; UPDATE audit SET at = at - interval '40 days' WHERE id <= 4").await;
    assert_eq!(seal(&store).await, 6);
    let month = OffsetDateTime::now_utc() - Duration::days(30);
    assert_eq!(store.audit_forget(month, true).await.unwrap(), 0, "none of it was handed on");
    let batch = store.audit_forward_claim(std::time::Duration::from_secs(60)).await.unwrap().unwrap();
    store.audit_forwarded(&batch, true).await.unwrap();
    assert_eq!(store.audit_forget(month, true).await.unwrap(), 4);
    assert_eq!(store.audit_forget(month, false).await.unwrap(), 0);
    assert_eq!(verify(&store).await, AuditVerdict { lines: 2, waiting: 0, findings: vec![] });
    assert_eq!(store.audit_forget(OffsetDateTime::now_utc() + Duration::days(1), false).await.unwrap(), 2);
    create(&store, &member("a"), "x").await;
    seal(&store).await;
    assert_eq!(verify(&store).await, AuditVerdict { lines: 1, waiting: 0, findings: vec![] });
}

#[tokio::test]
async fn a_line_that_was_made_old_is_not_let_go_of() {
    let (database, store) = log().await;
    database.execute("SET session_replication_role = replica; UPDATE audit SET at = at - interval '40 days' WHERE id <= 4").await;
    let month = OffsetDateTime::now_utc() - Duration::days(30);
    let refused = store.audit_forget(month, false).await;
    assert!(matches!(refused, Err(StoreError::Broken(AuditFinding::Changed { seq: 1, id: 1 }))), "{refused:?}");
    assert_eq!(verify(&store).await.findings.len(), 4, "what proves it is there");
}

#[tokio::test]
async fn a_chain_is_begun_once_by_whoever_comes_first() {
    let database = Database::new().await;
    let (store, other) = (database.store().await, database.store().await);
    assert_eq!(verify(&store).await, AuditVerdict::default());
    write(&store, 0..3).await;
    let (one, two) = tokio::join!(seal(&store), seal(&other));
    assert_eq!(one + two, 3);
    assert_eq!(verify(&other).await, AuditVerdict { lines: 3, waiting: 0, findings: vec![] });
}

#[tokio::test]
async fn nobody_has_kcs_make_the_chain_anew() {
    let removed =
        "SET session_replication_role = replica; DELETE FROM audit_head; DELETE FROM audit_seals; UPDATE audit SET source = '127.0.0.2' WHERE id = 3;
                   INSERT INTO audit_pending SELECT id FROM audit";
    let (database, store) = log().await;
    database.execute(removed).await;
    assert_eq!(refused(&store, None).await, AuditFinding::Lost);
    assert_eq!(verify(&store).await.findings, [AuditFinding::Lost]);
    // Without the key there never was a chain, were it not for how old the lines are, and for what another place remembers.
    let (database, store) = log().await;
    let end = AuditEnd { seq: 6, mac: vec![1] };
    database.execute(removed).await;
    database.execute("DELETE FROM secrets WHERE kind = 'audit_chain'").await;
    assert_eq!(refused(&store, Some(&end)).await, AuditFinding::Lost);
    let known = AuditEnds { since: None, known: Some(end) };
    assert_eq!(store.audit_verify(known).await.unwrap().findings, [AuditFinding::Lost]);
    database.execute("SET session_replication_role = replica; UPDATE audit SET at = at - interval '6 minutes'").await;
    assert_eq!(refused(&store, None).await, AuditFinding::Lost);
    assert_eq!(verify(&store).await.findings.len(), 6);
}

#[tokio::test]
async fn without_its_record_or_its_key_a_log_is_not_whole() {
    assert_eq!(after("DELETE FROM audit_head").await, [AuditFinding::Lost]);
    assert_eq!(after("DELETE FROM secrets WHERE kind = 'audit_chain'").await, [AuditFinding::Key]);
    assert_eq!(after("SET session_replication_role = replica; DELETE FROM audit_head; DELETE FROM secrets").await, [AuditFinding::Lost]);
    let (database, store) = log().await;
    database.execute("DELETE FROM audit_head").await;
    assert_eq!(refused(&store, None).await, AuditFinding::Lost, "also while no line waits");
    let (database, store) = log().await;
    database.execute("DELETE FROM secrets WHERE kind = 'audit_chain'").await;
    write(&store, 6..7).await;
    assert_eq!(refused(&store, None).await, AuditFinding::Key, "also where a process has used it before");
}

#[tokio::test]
async fn kcs_puts_its_proof_under_nothing_that_it_has_not_proved() {
    let (database, store) = log().await;
    database.execute("UPDATE audit_head SET first_seq = 4, first_mac = (SELECT mac FROM audit_seals WHERE seq = 4)").await;
    write(&store, 6..7).await;
    assert_eq!(refused(&store, None).await, AuditFinding::Head);
    let forgotten = store.audit_forget(OffsetDateTime::now_utc() + Duration::days(1), false).await;
    assert!(matches!(forgotten, Err(StoreError::Broken(AuditFinding::Head))), "{forgotten:?}");
    assert_eq!(
        verify(&store).await.findings,
        [
            AuditFinding::Head,
            AuditFinding::Foreign { id: 1 },
            AuditFinding::Foreign { id: 2 },
            AuditFinding::Foreign { id: 3 },
            AuditFinding::Foreign { id: 4 }
        ]
    );
    // The time of the last line decides which come too late.
    let (database, store) = log().await;
    database.execute("SET session_replication_role = replica; UPDATE audit SET at = at - interval '1 year' WHERE id = 6").await;
    write(&store, 6..7).await;
    assert_eq!(refused(&store, None).await, AuditFinding::Changed { seq: 6, id: 6 });
}

#[tokio::test]
async fn lines_that_come_long_after_their_time_are_not_sealed_and_hold_up_no_others() {
    let (database, store) = log().await;
    let late = "WITH line AS (INSERT INTO audit (at, user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source)
                SELECT now() - make_interval(mins => late), 'u', 'u', 'session', 'cluster_delete', 'cluster', 'x', 'accepted', '', '' FROM UNNEST(ARRAY[6, 4]) late RETURNING id)
                INSERT INTO audit_pending SELECT id FROM line";
    database.execute(late).await;
    write(&store, 6..7).await;
    let late = Some(AuditFinding::Late { id: 7 });
    assert_eq!(unsealable(&store).await, (late.clone(), 2), "as late as a transaction may be");
    assert_eq!(unsealable(&store).await, (late.clone(), 0));
    assert_eq!(verify(&store).await, AuditVerdict { lines: 8, waiting: 0, findings: vec![AuditFinding::Late { id: 7 }] });
    write(&store, 7..8).await;
    assert_eq!(unsealable(&store).await, (late, 1), "it stays one while others are sealed");
}

#[tokio::test]
async fn what_is_announced_and_cannot_be_sealed_is_told() {
    let (database, store) = log().await;
    write(&store, 6..7).await;
    database.execute("SET session_replication_role = replica; DELETE FROM audit WHERE id = 7").await;
    assert_eq!(unsealable(&store).await, (Some(AuditFinding::Removed { id: 7 }), 0));
    assert_eq!(verify(&store).await.findings, [AuditFinding::Removed { id: 7 }]);
    let (database, store) = log().await;
    database.execute("INSERT INTO audit_pending VALUES (2)").await;
    write(&store, 6..7).await;
    assert_eq!(unsealable(&store).await, (Some(AuditFinding::Again { id: 2 }), 1));
    assert_eq!(unsealable(&store).await, (Some(AuditFinding::Again { id: 2 }), 0));
}

#[tokio::test]
async fn a_line_beside_the_log_is_found_also_with_a_seal_that_is_not_of_the_chain() {
    for seal in ["INSERT INTO audit_seals VALUES (0, 7, '')", "INSERT INTO audit_seals VALUES (7, 7, '')"] {
        let (database, store) = log().await;
        let put = "INSERT INTO audit (user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source)
                   VALUES ('u', 'u', 'session', 'cluster_delete', 'cluster', 'x', 'accepted', '', '')";
        database.execute(put).await;
        database.execute(seal).await;
        assert_eq!(verify(&store).await.findings, [AuditFinding::Foreign { id: 7 }], "{seal}");
    }
}

#[tokio::test]
async fn a_log_that_was_taken_back_is_found_by_an_end_that_was_seen_before() {
    let (database, store, end) = longer_log().await;
    let since = |end: &AuditEnd| AuditEnds { since: Some(end.clone()), known: None };
    let earlier: AuditEnd = "6:AAAA".parse().unwrap();
    assert_eq!(store.audit_verify(since(&end)).await.unwrap().findings, []);
    assert_eq!(store.audit_verify(since(&earlier)).await.unwrap().findings, [AuditFinding::NotHeld { seq: 6 }], "another log's");
    assert_eq!(end.to_string().parse::<AuditEnd>().unwrap(), end);
    database.execute(TAKEN_BACK).await;
    assert_eq!(verify(&store).await.findings, [], "by itself it does not tell");
    assert_eq!(store.audit_verify(since(&end)).await.unwrap().findings, [AuditFinding::NotHeld { seq: 8 }]);
    // Nothing is put behind it that would make it longer than it was.
    write(&store, 8..10).await;
    assert_eq!(refused(&store, Some(&end)).await, AuditFinding::NotHeld { seq: 8 });
    assert_eq!(verify(&store).await.waiting, 2);
    assert_eq!(seal(&store).await, 2, "a process that knows nothing of it");
    assert_eq!(store.audit_verify(since(&end)).await.unwrap().findings, [AuditFinding::NotHeld { seq: 8 }], "it is as long, and another one");
}

#[tokio::test]
async fn an_end_from_before_what_was_let_go_of_proves_nothing_and_stops_nothing() {
    let (_database, store, end) = longer_log().await;
    write(&store, 8..9).await;
    seal(&store).await;
    assert_eq!(store.audit_forget(OffsetDateTime::now_utc() + Duration::days(1), false).await.unwrap(), 9);
    let since = AuditEnds { since: Some(end.clone()), known: None };
    assert_eq!(store.audit_verify(since).await.unwrap().findings, [AuditFinding::LetGo { seq: 8 }]);
    let known = AuditEnds { since: None, known: Some(end.clone()) };
    assert_eq!(store.audit_verify(known).await.unwrap().findings, []);
    write(&store, 9..10).await;
    assert_eq!(store.audit_seal(Some(end)).await.unwrap().lines, 1);
}

/// The detail of the line that tells of it.
async fn accepted(store: &Store) -> Value {
    let filter = AuditFilter { action: Some("audit_accept".into()), ..AuditFilter::default() };
    let found = store.audit(&operator().operator().unwrap().scope(), filter, PageRequest { limit: 2, cursor: None }).await.unwrap();
    assert_eq!(found.items.len(), 1);
    found.items[0].detail.clone()
}

#[tokio::test]
async fn after_a_backup_was_put_back_an_operator_goes_on_and_it_is_told() {
    let (database, store, end) = longer_log().await;
    assert_eq!(store.audit_accept(Some(end.clone()), "nothing".into()).await.unwrap(), None);
    database.execute(TAKEN_BACK).await;
    let done = store.audit_accept(Some(end.clone()), "the backup of Monday".into()).await.unwrap().unwrap();
    assert_eq!((done.findings, done.anew, done.lines, done.end.seq), (vec![AuditFinding::NotHeld { seq: 8 }], false, 1, 7));
    let said = accepted(&store).await;
    let found = [AuditFinding::NotHeld { seq: 8 }.to_string()];
    assert_eq!(said, json!({"reason": "the backup of Monday", "findings": found, "more": 0, "given_up": end.to_string(), "anew": false}));
    write(&store, 8..9).await;
    assert_eq!(store.audit_seal(Some(done.end)).await.unwrap().lines, 1);
    assert_eq!(verify(&store).await, AuditVerdict { lines: 8, waiting: 0, findings: vec![] });
    write(&store, 9..10).await;
    assert_eq!(refused(&store, Some(&end)).await, AuditFinding::NotHeld { seq: 8 }, "another machine gives up for itself what it has seen");
}

#[tokio::test]
async fn a_log_of_any_length_has_the_time_to_be_accepted() {
    let (database, store, end) = longer_log().await;
    database.execute(TAKEN_BACK).await;
    // What goes through the whole log is not ended after seconds.
    let hurried = "CREATE FUNCTION no_hurry() RETURNS trigger LANGUAGE plpgsql AS $$
                   BEGIN
                       IF current_setting('statement_timeout') <> '1h' THEN RAISE EXCEPTION 'it is ended after %', current_setting('statement_timeout'); END IF;
                       RETURN NULL;
                   END $$;
                   CREATE TRIGGER no_hurry BEFORE DELETE ON audit_pending FOR EACH STATEMENT EXECUTE FUNCTION no_hurry()";
    database.execute(hurried).await;
    assert!(store.audit_accept(Some(end), "the backup of Monday".into()).await.unwrap().is_some());
    // Of that one transaction alone.
    write(&store, 8..9).await;
    assert!(store.audit_seal(None).await.is_err());
}

#[tokio::test]
async fn a_log_of_many_lines_is_sealed_anew_to_its_last() {
    let (database, store) = log().await;
    let put = "INSERT INTO audit (user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source)
               SELECT 'u', 'u', 'session', 'cluster_delete', 'cluster', number::text, 'accepted', '', '' FROM generate_series(1, 2500) number;
               DELETE FROM audit_head";
    database.execute(put).await;
    let done = store.audit_accept(None, "it was me".into()).await.unwrap().unwrap();
    assert_eq!((done.anew, done.lines), (true, 2_507), "with the line that tells of it");
    assert_eq!(verify(&store).await, AuditVerdict { lines: 2_507, waiting: 0, findings: vec![] });
}

#[tokio::test]
async fn a_broken_log_is_accepted_with_new_seals_and_what_is_late_or_beside_it_with_it() {
    for broken in [
        "DELETE FROM audit_head",
        "DELETE FROM secrets WHERE kind = 'audit_chain'",
        "SET session_replication_role = replica; UPDATE audit SET source = '127.0.0.2' WHERE id = 3",
        "SET session_replication_role = replica; DELETE FROM audit WHERE id = 6; DELETE FROM audit_seals WHERE seq = 6",
    ] {
        let (database, store, end) = longer_log().await;
        database.execute(broken).await;
        let done = store.audit_accept(Some(end.clone()), "it was me".into()).await.unwrap().unwrap();
        assert!(done.anew && done.end.seq > end.seq, "{broken}: {done:?}");
        let lines = u64::try_from(done.lines).unwrap();
        assert_eq!(verify(&store).await, AuditVerdict { lines, waiting: 0, findings: vec![] }, "{broken}");
        assert_eq!(accepted(&store).await["anew"], true);
        write(&store, 8..9).await;
        assert_eq!(store.audit_seal(Some(end)).await.unwrap().lines, 1, "{broken}: what was seen before is given up everywhere");
    }
    let (database, store, end) = longer_log().await;
    let put = "SET session_replication_role = replica; INSERT INTO audit_pending VALUES (3), (99); INSERT INTO audit_seals VALUES (-1, 99, '');
               INSERT INTO audit (at, user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source)
               VALUES (now() - interval '1 year', 'u', 'u', 'session', 'cluster_delete', 'cluster', 'x', 'accepted', '', '')";
    database.execute(put).await;
    let done = store.audit_accept(Some(end.clone()), "it was me".into()).await.unwrap().unwrap();
    assert_eq!((done.anew, done.lines), (false, 2), "{done:?}");
    let still = AuditEnds { since: Some(end), known: Some(done.end) };
    assert_eq!(store.audit_verify(still).await.unwrap(), AuditVerdict { lines: 10, waiting: 0, findings: vec![] });
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
    let ids = |batch: &store::AuditBatch| batch.lines.iter().map(|(line, _)| line.object_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&batch), ["0", "1", "2", "3", "4", "5"]);
    assert!(other.audit_forward_claim(lease).await.unwrap().is_none());
    store.audit_forwarded(&batch, false).await.unwrap();
    let again = other.audit_forward_claim(lease).await.unwrap().unwrap();
    assert_eq!(ids(&again), ids(&batch));
    other.audit_forwarded(&again, true).await.unwrap();
    assert!(store.audit_forward_claim(lease).await.unwrap().is_none());
}
