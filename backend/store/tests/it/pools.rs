//! The connections: a request that is dropped in the middle poisons nothing, and threads have some of their own.

use crate::support::{create, member, try_create};
use auth::{Narrowing, TokenCreate};
use domain::codes::Code;
use futures::FutureExt;
use sealed::TokenHash;
use sqlx::{ConnectOptions, Connection};
use std::sync::Arc;
use std::time::Duration;
use store::test_support::Database;
use store::{AuditEntry, AuditFilter, NewToken, PageRequest, RequestContext, Store, StoreError, StoreOptions};
use time::OffsetDateTime;

#[tokio::test]
async fn case_47_dropped_requests_leave_whole_writes_and_clean_connections() {
    let database = Database::new().await;
    let options = StoreOptions { api_connections: 1, ..database.options() };
    let store = Store::connect(&options, database.keys.clone()).await.unwrap();
    let a = member("a");
    for number in 0..20 {
        let name = format!("c{number}");
        // Polled once, then dropped: the unit of work goes on by itself.
        drop(try_create(&store, &a, &name, None).now_or_never());
    }
    create(&store, &a, "last").await;
    let page =
        store.clusters(&a.scope(), store::ClusterFilter::default(), store::ClusterSort::Name, false, store::PageRequest::default()).await.unwrap();
    assert!(page.items.iter().all(|r| r.operation.is_some()), "each is there with its operation");
    // On the one connection: were it still inside a transaction, another store would not see this.
    let other = database.store().await;
    create(&store, &a, "after").await;
    let scope = a.scope();
    let seen = other.clusters(
        &scope,
        store::ClusterFilter { search: Some("after".into()), ..Default::default() },
        store::ClusterSort::Name,
        false,
        Default::default(),
    );
    assert_eq!(seen.await.unwrap().total, Some(1));
}

/// The connections that stores have to the database, by their process ids. Nobody listens for changes in these tests.
async fn connections(database: &Database) -> Vec<i32> {
    let mut other = database.options().connect.connect().await.unwrap();
    let query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kcs'";
    let pids = sqlx::query_scalar(query).fetch_all(&mut other).await.unwrap();
    other.close().await.unwrap();
    pids
}

/// What is asked of every request.
async fn ask(store: &Store) -> Result<(), StoreError> {
    assert!(store.session(TokenHash::of("nobody's")).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_thread_asks_by_connections_of_its_own_which_no_other_gets_and_no_write_keeps_it_waiting() {
    let database = Arc::new(Database::new().await);
    let options = StoreOptions { api_connections: 1, near_connections: 1, ..database.options() };
    let store = Store::connect(&options, database.keys.clone()).await.unwrap();
    ask(&store).await.unwrap();
    let own = connections(&database).await;
    ask(&store).await.unwrap();
    assert_eq!((own.len(), connections(&database).await.len()), (2, 2), "one of the pool of requests, one of this thread");

    // Another thread is not lent the one that lies idle here: it makes itself one.
    let (there, asking) = (database.clone(), store.clone());
    let thread = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            ask(&asking).await.unwrap();
            connections(&there).await
        })
    });
    assert_eq!(thread.await.unwrap().iter().filter(|pid| !own.contains(pid)).count(), 1);

    // The one connection of the pool is taken, and nobody who asks notices.
    let mut held = database.lock("audit").await;
    let writer = {
        let store = store.clone();
        tokio::spawn(async move { try_create(&store, &member("a"), "x", None).await.map(drop) })
    };
    while held.waiting().await < 1 {
        tokio::task::yield_now().await;
    }
    ask(&store).await.unwrap();
    assert_eq!(held.waiting().await, 1, "it waited for the pool");
    held.release().await;
    writer.await.unwrap().unwrap();

    store.close().await;
    assert_eq!(ask(&store).await.unwrap_err().code(), Code::StoreUnavailable);
    while !connections(&database).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_thread_has_no_more_connections_of_its_own_than_it_may() {
    let database = Database::new().await;
    let options = StoreOptions { api_connections: 1, near_connections: 2, acquire_timeout: Duration::from_secs(30), ..database.options() };
    let store = Store::connect(&options, database.keys.clone()).await.unwrap();
    let mut held = database.lock("sessions").await;
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { ask(&store).await })
        })
        .collect();
    while held.waiting().await < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(connections(&database).await.len(), 3);
    held.release().await;
    for answer in asking {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(connections(&database).await.len(), 3);
}

#[tokio::test]
async fn lines_that_wait_for_a_held_up_audit_log_hold_up_neither_who_asks_on_their_thread_nor_other_requests() {
    let database = Database::new().await;
    let options = StoreOptions { api_connections: 1, near_connections: 1, acquire_timeout: Duration::from_secs(30), ..database.options() };
    let store = Store::connect(&options, database.keys.clone()).await.unwrap();
    let (a, token) = (member("a"), TokenHash::of("token"));
    let new = NewToken {
        name: "ci".into(),
        token_hash: token,
        narrowing: Narrowing::default(),
        cidrs: Vec::new(),
        expires_at: OffsetDateTime::now_utc() + Duration::from_secs(600),
    };
    store.token_create(a.may::<TokenCreate>(&a.project).unwrap(), new, RequestContext::default()).await.unwrap();
    let mut held = database.lock("audit").await;
    let lines: Vec<_> = (0..3)
        .map(|number| {
            let (store, entry) = (store.clone(), AuditEntry::new(&a, "kubernetes_exec", "cluster", number));
            tokio::spawn(async move { store.audit_append(entry, RequestContext::default()).await })
        })
        .collect();
    while held.waiting().await < 1 {
        tokio::task::yield_now().await;
    }
    ask(&store).await.unwrap();
    assert!(store.token_by_hash(token, "192.0.2.1".to_owned()).await.unwrap().is_some());
    // By the one connection of the pool.
    store.ping().await.unwrap();
    assert_eq!(held.waiting().await, 1, "the others wait for the connection, and nobody who asked has waited for any of them");
    assert_eq!(connections(&database).await.len(), 3, "one of the pool of requests, one to ask by, one for lines");
    held.release().await;
    for line in lines {
        line.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_line_of_the_audit_log_is_there_for_everybody_once_it_was_said_to_be() {
    let database = Database::new().await;
    let (store, other) = (database.store().await, database.store().await);
    let a = member("a");
    for number in 1..=5 {
        store.audit_append(AuditEntry::new(&a, "kubernetes_exec", "cluster", number), RequestContext::default()).await.unwrap();
        let seen = other.audit(&a.scope(), AuditFilter::default(), PageRequest::default()).await.unwrap();
        assert_eq!(seen.items.len(), number);
    }
}
