//! Changing the keys that seal secrets while everybody works on: under writes, after a crash, by several processes, and past rows that do not open.

use crate::support::{create, member};
use domain::ids::TenantId;
use domain::permissions::Role;
use sealed::{KeyRing, Token, TokenHash, TokenKind};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{ConnectOptions, Connection};
use std::sync::Arc;
use std::time::Duration;
use store::test_support::Database;
use store::{Claim, NewSession, RewrapTurn, Rewrapped, SecretOwner, Store, session_identity};
use time::OffsetDateTime;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(60);
/// As if whoever had the turn had died a while ago.
const DIED: &str = "UPDATE rewraps SET held_until = now() - interval '1 second'";

/// A change from one key to another.
struct Change {
    database: Database,
    old: Arc<KeyRing>,
    new: Arc<KeyRing>,
}

impl Change {
    async fn begin() -> Self {
        let (database, new) = (Database::new().await, KeyRing::generate().unwrap());
        Self { old: database.keys.clone(), new: Arc::new(new), database }
    }

    /// A process with both keys, of which one is active.
    async fn process(&self, active: &KeyRing, other: &KeyRing) -> Store {
        let text = format!("{}{}", active.to_text().expose_secret(), other.to_text().expose_secret());
        self.with(Arc::new(KeyRing::parse(&SecretString::from(text)).unwrap())).await
    }

    async fn changed(&self) -> Store {
        self.process(&self.new, &self.old).await
    }

    async fn with(&self, ring: Arc<KeyRing>) -> Store {
        Store::connect(&self.database.options(), ring).await.unwrap()
    }

    /// A session sealed with a ring; answers its id and what it holds.
    async fn session(&self, ring: &KeyRing) -> (TokenHash, String) {
        let store = self.with(self.old.clone()).await;
        let (id, csrf) = (Token::generate(TokenKind::Session).unwrap(), Token::generate(TokenKind::Csrf).unwrap());
        let secret = format!("token of {}", id.text.expose_secret());
        let user = member("a").user;
        let project = auth::Project { id: TenantId("a".into()), name: "a".into() };
        let new = NewSession {
            id_hash: id.hash,
            csrf_hash: csrf.hash,
            sealed: ring.seal(&session_identity(&id.hash), secret.as_bytes()).unwrap(),
            user,
            projects: vec![project.clone()],
            project,
            roles: vec![Role::Member],
            operator: false,
            expires_at: OffsetDateTime::now_utc() + time::Duration::hours(1),
        };
        store.session_create(new).await.unwrap();
        (id.hash, secret)
    }
}

/// A cluster held by an engine, with so many secrets.
async fn cluster_with_secrets(store: &Store, secrets: usize) -> Claim {
    create(store, &member("a"), "web").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    for number in 0..secrets {
        let value = SecretString::from(format!("value {number}"));
        store.secret_put(&claim, &SecretOwner::Cluster(claim.cluster), &format!("kind {number:03}"), &value).await.unwrap();
    }
    claim
}

/// To the end of the pass; answers how many rows were sealed anew.
async fn finish(store: &Store, turn: &mut RewrapTurn) -> u64 {
    let mut all = 0;
    loop {
        match store.rewrap_batch(turn).await.unwrap() {
            Rewrapped::Rows(rows) => all += rows,
            Rewrapped::Finished => return all,
            Rewrapped::Lost => panic!("the turn was lost after {all} rows"),
        }
    }
}

async fn text(store: &Store, claim: &Claim, kind: &str) -> String {
    store.cluster_secret(claim.cluster, kind).await.unwrap().unwrap().expose_secret().to_owned()
}

#[tokio::test]
async fn after_a_change_of_keys_the_new_one_opens_everything_and_the_old_one_nothing() {
    let change = Change::begin().await;
    let before = change.database.store().await;
    let claim = cluster_with_secrets(&before, 120).await;
    let (session, secret) = change.session(&change.old).await;
    let store = change.changed().await;
    assert_eq!(store.rewrap_left().await.unwrap(), 121);
    let mut turn = store.rewrap_claim(LEASE).await.unwrap().unwrap();
    // Who works on meanwhile notices nothing, and what they write is sealed with the new key.
    assert_eq!(store.rewrap_batch(&mut turn).await.unwrap(), Rewrapped::Rows(100));
    let owner = SecretOwner::Cluster(claim.cluster);
    for kind in ["kind 001", "kind 119"] {
        store.secret_put(&claim, &owner, kind, &format!("new {kind}").into()).await.unwrap();
        assert_eq!(text(&store, &claim, kind).await, format!("new {kind}"));
    }
    assert_eq!((text(&store, &claim, "kind 000").await, text(&store, &claim, "kind 118").await), ("value 0".into(), "value 118".into()));
    assert_eq!(finish(&store, &mut turn).await, 20);
    store.rewrap_release(turn).await.unwrap();
    assert_eq!((store.rewrap_left().await.unwrap(), store.rewrap_claim(LEASE).await.unwrap().is_none()), (0, true));
    let uses = store.key_uses().await.unwrap();
    assert_eq!((uses.len(), uses.iter().map(|u| u.rows).sum::<u64>()), (121, 121));
    assert!(uses.iter().all(|u| u.key == change.new.active()));

    let after = change.with(change.new.clone()).await;
    assert!(after.keys_lacking().await.unwrap().is_empty());
    assert_eq!((text(&after, &claim, "kind 119").await, text(&after, &claim, "kind 118").await), ("new kind 119".into(), "value 118".into()));
    let record = after.session(session).await.unwrap().unwrap();
    assert_eq!(change.new.open(&session_identity(&session), &record.sealed).unwrap().as_slice(), secret.as_bytes());
    assert!(before.cluster_secret(claim.cluster, "kind 118").await.is_err());
    assert_eq!(before.keys_lacking().await.unwrap(), [change.new.active()]);
}

#[tokio::test]
async fn what_is_written_while_a_batch_is_under_way_stays_as_it_was_written() {
    let change = Change::begin().await;
    let before = change.database.store().await;
    let claim = cluster_with_secrets(&before, 2).await;
    change.database.execute("CREATE TABLE aside AS SELECT * FROM secrets").await;
    before.secret_put(&claim, &SecretOwner::Cluster(claim.cluster), "kind 001", &"an earlier one".into()).await.unwrap();
    let store = change.changed().await;
    let mut turn = store.rewrap_claim(LEASE).await.unwrap().unwrap();
    // A write that has begun and is not committed: the batch reads what was there before, and has to wait for it.
    let mut writer = change.database.options().connect.connect().await.unwrap();
    let mut write = writer.begin().await.unwrap();
    let statement = "UPDATE secrets s SET sealed = a.sealed FROM aside a WHERE s.kind = 'kind 001' AND a.owner = s.owner AND a.kind = s.kind";
    sqlx::query(statement).execute(&mut *write).await.unwrap();
    let batch = tokio::spawn(async move {
        let rows = store.rewrap_batch(&mut turn).await.unwrap();
        (store, rows)
    });
    let mut watch = change.database.options().connect.connect().await.unwrap();
    let waits = "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database())";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watch).await.unwrap() {
        tokio::task::yield_now().await;
    }
    write.commit().await.unwrap();
    let (store, rows) = batch.await.unwrap();
    assert_eq!(rows, Rewrapped::Rows(1));
    assert_eq!(text(&store, &claim, "kind 001").await, "value 1");
    // The next pass comes to it.
    change.database.execute(DIED).await;
    let mut turn = store.rewrap_claim(LEASE).await.unwrap().unwrap();
    assert_eq!(finish(&store, &mut turn).await, 1);
    assert_eq!(text(&change.with(change.new.clone()).await, &claim, "kind 001").await, "value 1");
}

#[tokio::test]
async fn a_change_goes_on_where_a_process_died_and_one_process_at_a_time_works_on_it() {
    let change = Change::begin().await;
    cluster_with_secrets(&change.database.store().await, 150).await;
    let (one, other) = (change.changed().await, change.changed().await);
    let mut first = one.rewrap_claim(LEASE).await.unwrap().unwrap();
    assert!(other.rewrap_claim(LEASE).await.unwrap().is_none(), "somebody has the turn");
    assert_eq!(one.rewrap_batch(&mut first).await.unwrap(), Rewrapped::Rows(100));
    change.database.execute(DIED).await;
    let mut second = other.rewrap_claim(LEASE).await.unwrap().unwrap();
    assert_eq!(one.rewrap_batch(&mut first).await.unwrap(), Rewrapped::Lost, "it was only asleep");
    one.rewrap_release(first).await.unwrap();
    assert!(one.rewrap_claim(LEASE).await.unwrap().is_none(), "whoever lost its turn ends nobody else's");
    assert_eq!(finish(&other, &mut second).await, 50, "what was done is done");
}

#[tokio::test]
async fn nothing_is_sealed_anew_until_all_processes_that_run_use_the_same_key() {
    let change = Change::begin().await;
    cluster_with_secrets(&change.database.store().await, 150).await;
    let (ahead, behind) = (change.changed().await, change.process(&change.old, &change.new).await);
    let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
    ahead.ring_announce(a, "a").await.unwrap();
    behind.ring_announce(b, "b").await.unwrap();
    let rings = ahead.rings().await.unwrap();
    assert_eq!(
        rings.iter().map(|r| (r.ring.name.as_str(), r.ring.active.as_str())).collect::<Vec<_>>(),
        [("a", change.new.active()), ("b", change.old.active())]
    );
    assert!(ahead.rewrap_claim(LEASE).await.unwrap().is_none());
    assert!(behind.rewrap_claim(LEASE).await.unwrap().is_none(), "everything is under its key");
    behind.ring_withdraw(b).await.unwrap();
    let mut turn = ahead.rewrap_claim(LEASE).await.unwrap().unwrap();
    assert_eq!(ahead.rewrap_batch(&mut turn).await.unwrap(), Rewrapped::Rows(100));
    // Somebody thinks better of it in the middle.
    behind.ring_announce(b, "b").await.unwrap();
    assert_eq!(ahead.rewrap_batch(&mut turn).await.unwrap(), Rewrapped::Lost);
    ahead.ring_withdraw(a).await.unwrap();
    change.database.execute(DIED).await;
    let mut back = behind.rewrap_claim(LEASE).await.unwrap().unwrap();
    assert_eq!(finish(&behind, &mut back).await, 100);
    // A process that was not heard of for a minute does not run.
    behind.rewrap_release(back).await.unwrap();
    change.database.execute("UPDATE key_rings SET seen_at = now() - interval '2 minutes'").await;
    assert!(ahead.rings().await.unwrap().is_empty());
    assert!(ahead.rewrap_claim(LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_row_that_was_moved_does_not_open_and_holds_up_no_other() {
    let change = Change::begin().await;
    let claim = cluster_with_secrets(&change.database.store().await, 3).await;
    let (kept, _) = change.session(&change.old).await;
    let (robbed, _) = change.session(&change.old).await;
    let store = change.changed().await;
    change.database.execute("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE kind = 'kind 000') WHERE kind = 'kind 001'").await;
    let mut raw = change.database.options().connect.connect().await.unwrap();
    let statement = "UPDATE sessions SET sealed = (SELECT sealed FROM sessions WHERE id_hash = $1) WHERE id_hash = $2";
    sqlx::query(statement).bind(kept.as_bytes().as_slice()).bind(robbed.as_bytes().as_slice()).execute(&mut raw).await.unwrap();

    let mut turn = store.rewrap_claim(LEASE).await.unwrap().unwrap();
    assert_eq!(finish(&store, &mut turn).await, 3);
    store.rewrap_release(turn).await.unwrap();
    assert!(store.cluster_secret(claim.cluster, "kind 001").await.is_err(), "sealing anew must not make it open");
    let session = store.session(robbed).await.unwrap().unwrap();
    assert!(change.old.open(&session_identity(&robbed), &session.sealed).is_err());
    assert!(change.old.open(&session_identity(&kept), &session.sealed).is_ok(), "it is left as it was found");
    assert_eq!(store.rewrap_left().await.unwrap(), 2);
    let told = store.rewrap_unopened().await.unwrap();
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with(&format!("kind 001 of cluster/{}: ", claim.cluster)) && !told.concat().contains("value"), "{told:?}");
    assert!(store.rewrap_claim(LEASE).await.unwrap().is_none(), "it is tried again later");
    change.database.execute("UPDATE rewraps SET run_at = now()").await;
    assert!(store.rewrap_claim(LEASE).await.unwrap().is_some());
}
