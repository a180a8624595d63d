//! Shares the clusters among any number of workers and replicas: claim, heartbeat, pass, release. No leader.

use crate::claimed::Claimed;
use crate::journal::JournalError;
use crate::pass::{Next, pass};
use crate::world::Services;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use store::{Claim, Store};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What the engine runs on.
pub struct Deps {
    pub services: Services,
    pub store: Store,
    /// Passes at the same time in this process.
    pub workers: usize,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
}

/// A heartbeat comes this many times in a lease.
const BEATS: u32 = 4;
/// Without a wake-up, due clusters are looked for at least this often.
const POLL: Duration = Duration::from_secs(1);
/// After an error of the store or a panic, a cluster rests.
const REST: Duration = Duration::from_secs(5);

/// Runs until `shutdown` is cancelled; passes under way end first.
pub async fn run(deps: Arc<Deps>, shutdown: CancellationToken) {
    let mut workers = JoinSet::new();
    for number in 0..deps.workers.max(1) {
        workers.spawn(work(deps.clone(), shutdown.clone(), number));
    }
    while workers.join_next().await.is_some() {}
}

async fn work(deps: Arc<Deps>, shutdown: CancellationToken, number: usize) {
    let holder = Uuid::now_v7();
    let mut wakeups = deps.store.wakeups();
    tracing::debug!(%holder, number, "an engine worker is looking for work");
    while !shutdown.is_cancelled() {
        match deps.store.claim(holder, deps.lease).await {
            Ok(Some(claim)) => hold(&deps, claim).await,
            Ok(None) => {
                let due = deps.store.next_due().await.ok().flatten().unwrap_or(POLL).clamp(Duration::from_millis(20), POLL);
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    _ = wakeups.recv() => {}
                    () = tokio::time::sleep(due) => {}
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the engine cannot reach the store");
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = tokio::time::sleep(REST) => {}
                }
            }
        }
    }
}

/// One pass over a claimed cluster with a heartbeat beside it, then lets go.
async fn hold(deps: &Deps, claim: Claim) {
    let started = std::time::Instant::now();
    let outcome = {
        let heart = beat(deps, &claim);
        let journal = Claimed { store: &deps.store, claim: &claim };
        let mut fresh = Uuid::now_v7;
        let span = tracing::info_span!("pass", cluster = %claim.cluster);
        let one = tracing::Instrument::instrument(pass(&deps.services, &journal, OffsetDateTime::now_utc(), &mut fresh), span);
        let guarded = AssertUnwindSafe(one).catch_unwind();
        tokio::pin!(guarded, heart);
        // The heart never stops by itself; the pass is never dropped: a lost lease ends it at its next step.
        tokio::select! {
            outcome = &mut guarded => outcome,
            () = &mut heart => guarded.await,
        }
    };
    metrics::histogram!("kcs_engine_pass_seconds").record(started.elapsed().as_secs_f64());
    let again = match outcome {
        Ok(Ok(Next::Never)) => return,
        Ok(Ok(Next::Again(wait))) => wait.unsigned_abs(),
        Ok(Err(JournalError::Fenced)) => {
            tracing::warn!(cluster = %claim.cluster, "another engine has taken the cluster over");
            return;
        }
        Ok(Err(JournalError::Unavailable(error))) => {
            tracing::warn!(cluster = %claim.cluster, error, "a pass could not be recorded");
            REST
        }
        Err(_) => {
            metrics::counter!("kcs_engine_panics_total").increment(1);
            tracing::error!(cluster = %claim.cluster, "a pass ended in a panic");
            REST
        }
    };
    let cluster = claim.cluster;
    if let Err(error) = deps.store.release(claim, again).await {
        // Its lease will run out.
        tracing::warn!(%cluster, error = &error as &dyn std::error::Error, "a cluster could not be released");
    }
}

/// Keeps the lease alive; ends when it is lost.
async fn beat(deps: &Deps, claim: &Claim) {
    loop {
        tokio::time::sleep(deps.lease / BEATS).await;
        match deps.store.renew(claim).await {
            Ok(()) => {}
            Err(store::CommitError::Fenced) => return,
            Err(error) => tracing::warn!(cluster = %claim.cluster, error = &error as &dyn std::error::Error, "a heartbeat failed"),
        }
    }
}
