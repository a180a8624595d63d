//! A process that is told to end, as at an upgrade: the next one need not wait for it.

use crate::sweep::Site;
use reconciler::Deps;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Longer than anybody waits for.
const LEASE: Duration = Duration::from_secs(600);

#[tokio::test]
async fn case_52_a_process_that_is_told_to_end_ends_its_pass_and_gives_its_lease_back() {
    let Site { database, store, services, claim, cluster, .. } = Site::new().await;
    store.release(claim, Duration::ZERO).await.unwrap();
    let deps = Arc::new(Deps { services, store: database.store().await, workers: 1, lease: LEASE });
    let shutdown = CancellationToken::new();
    let mut ledger = database.lock("ledger").await;
    let process = tokio::spawn(reconciler::run(deps, shutdown.clone()));
    // It holds the cluster, and is in the middle of a pass.
    while ledger.waiting().await == 0 {
        tokio::task::yield_now().await;
    }
    database.execute("UPDATE work SET run_at = now()").await;
    assert!(store.claim(Uuid::now_v7(), LEASE).await.unwrap().is_none());
    shutdown.cancel();
    ledger.release().await;
    process.await.unwrap();
    // Another takes over as soon as there is something to do.
    database.execute("UPDATE work SET run_at = now()").await;
    let next = store.claim(Uuid::now_v7(), LEASE).await.unwrap().expect("its lease runs on");
    assert_eq!(next.cluster, cluster);
    assert!(!store.load(&next).await.unwrap().ledger.is_empty(), "its pass was broken off");
}
