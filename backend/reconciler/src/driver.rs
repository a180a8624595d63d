//! Shares the clusters among any number of workers and replicas: claim, heartbeat, pass, release. No leader.

use crate::claimed::Claimed;
use crate::journal::JournalError;
use crate::pass::{Next, pass};
use crate::world::Services;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use store::{Claim, Store, StoreError, WakeUp};
use tokio::sync::broadcast;
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
/// Between two looks for due clusters, where none is due at once.
const BREATH: Duration = Duration::from_millis(100);
/// After an error of the store or a panic, a cluster rests.
const REST: Duration = Duration::from_secs(5);

/// Runs until `shutdown` is cancelled; passes under way end first.
pub async fn run(deps: Arc<Deps>, shutdown: CancellationToken) {
    let holder = Uuid::now_v7();
    let mut wakeups = deps.store.wakeups();
    let mut passes = JoinSet::new();
    tracing::debug!(%holder, workers = deps.workers, "the engine is looking for work");
    while !shutdown.is_cancelled() {
        let free = deps.workers.max(1) - passes.len();
        let wait = match claim(&deps, holder, free).await {
            Ok(claims) => {
                let found = claims.len();
                for claim in claims {
                    let deps = deps.clone();
                    passes.spawn(async move { hold(&deps, claim).await });
                }
                if found > 0 { BREATH } else { deps.store.next_due().await.ok().flatten().unwrap_or(POLL).clamp(BREATH, POLL) }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the engine cannot reach the store");
                REST
            }
        };
        rest(wait, deps.workers.max(1), &mut passes, &mut wakeups, &shutdown).await;
    }
    while passes.join_next().await.is_some() {}
}

async fn claim(deps: &Deps, holder: Uuid, free: usize) -> Result<Vec<Claim>, StoreError> {
    if free == 0 { Ok(Vec::new()) } else { deps.store.claim_some(holder, deps.lease, free).await }
}

/// Until there may be work again and somebody to do it: the time is over, a cluster was woken, or one wants to go on at once. Who was full does not look
/// after each pass that ends, but when half of the workers are free or the time is over: the clusters of a project are due together, and a look for one
/// costs as much as a look for eight.
async fn rest(
    wait: Duration,
    workers: usize,
    passes: &mut JoinSet<Duration>,
    wakeups: &mut broadcast::Receiver<WakeUp>,
    shutdown: &CancellationToken,
) {
    let time = tokio::time::sleep(wait);
    tokio::pin!(time);
    let full = passes.len() >= workers;
    loop {
        let busy = passes.len() >= workers;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = &mut time, if !busy => return,
            _ = wakeups.recv(), if !busy => return,
            Some(ended) = passes.join_next() => {
                if (full && passes.len() <= workers / 2) || ended.is_ok_and(|again| again < BREATH) {
                    return;
                }
            }
        }
    }
}

/// One pass over a claimed cluster with a heartbeat beside it, then lets go. Answers when it is due again.
async fn hold(deps: &Deps, claim: Claim) -> Duration {
    let started = std::time::Instant::now();
    let outcome = {
        let heart = beat(deps, &claim);
        let journal = Claimed { store: &deps.store, claim: &claim };
        let mut fresh = Uuid::now_v7;
        let span = tracing::info_span!("pass", cluster = %claim.cluster);
        let one = tracing::Instrument::instrument(pass(&deps.services, &journal, claim.now(), &mut fresh), span);
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
        Ok(Ok(Next::Never)) => return POLL,
        Ok(Ok(Next::Again(wait))) => wait.unsigned_abs(),
        Ok(Err(JournalError::Fenced)) => {
            tracing::warn!(cluster = %claim.cluster, "another engine has taken the cluster over");
            return POLL;
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
    again
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, sleep};

    /// Milliseconds of rest beside passes that end after so many, and want to go on after so many.
    async fn rested(workers: usize, ends: &[(u64, u64)]) -> u128 {
        let (_sender, mut wakeups) = broadcast::channel(1);
        let mut passes = JoinSet::new();
        for (end, again) in ends.iter().copied() {
            passes.spawn(async move {
                sleep(Duration::from_millis(end)).await;
                Duration::from_millis(again)
            });
        }
        let begun = Instant::now();
        rest(BREATH, workers, &mut passes, &mut wakeups, &CancellationToken::new()).await;
        begun.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_full_looks_again_when_half_of_the_workers_are_free_or_the_time_is_over() {
        assert_eq!(rested(4, &[(10, 9_000), (20, 9_000), (30, 9_000), (40, 9_000)]).await, 20);
        assert_eq!(rested(4, &[(500, 9_000), (600, 9_000), (700, 9_000), (800, 9_000)]).await, 500, "nobody is free before");
        assert_eq!(rested(4, &[(10, 9_000), (600, 9_000), (700, 9_000), (800, 9_000)]).await, 100);
        assert_eq!(rested(1, &[(10, 9_000)]).await, 10);
        assert_eq!(rested(4, &[(10, 0), (600, 9_000), (700, 9_000), (800, 9_000)]).await, 10, "one goes on at once");
        assert_eq!(rested(4, &[(10, 9_000), (20, 9_000)]).await, 100, "it was not full");
    }
}
