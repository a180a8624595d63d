//! One pass over one cluster.

use crate::journal::{Journal, JournalError};
use crate::world::{Services, World};
use domain::changes::Change;
use domain::plan::{Action, plan};
use futures::StreamExt;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again after this.
    Again(Duration),
    /// The cluster is gone.
    Never,
}

/// What only a newer program can bring about is left to it for so long, should it have been asked for just now: from then on it is not claimed here.
const LEFT: Duration = Duration::seconds(1);

/// Looks, decides, records, acts, records. `fresh` gives random ids (tests give reproducible ones).
pub async fn pass(
    services: &Services,
    journal: &dyn Journal,
    now: OffsetDateTime,
    fresh: &mut (dyn FnMut() -> Uuid + Send),
) -> Result<Next, JournalError> {
    let work = journal.load().await?;
    services.memory.works_on(&work.cluster, now);
    if work.operation.as_ref().is_some_and(|operation| operation.newer() && !operation.state.ended()) {
        return Ok(Next::Again(LEFT));
    }
    let world = World { services, journal, now };
    let observed = world.observe(&work).await?;
    let decided = plan(&work, &observed, now, fresh);

    let mut before = decided.changes;
    before.extend(decided.actions.iter().filter_map(|a| a.row().cloned().map(Change::Ledger)));
    let gone = before.contains(&Change::ClusterGone);
    if !before.is_empty() {
        journal.commit(&before).await?;
    }
    if gone {
        services.memory.forget(work.cluster.id);
        return Ok(Next::Never);
    }
    if decided.actions.is_empty() {
        return Ok(Next::Again(decided.again));
    }

    // Actions see what was just committed: node rows that this pass planned, addresses it learnt.
    let work = journal.load().await?;
    let step_forward = decided.actions.iter().any(|a| matches!(a, Action::Create(_) | Action::Delete(_)));
    let mut running = futures::stream::iter(decided.actions).map(|action| world.act(&work, action)).buffer_unordered(services.parallel.max(1));
    let mut failed = None;
    while let Some(outcome) = running.next().await {
        match outcome {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => journal.commit(&changes).await?,
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) => Err(error),
        // What was made lets the next thing be made: no reason to wait. (Mending waits: what cannot be mended must not spin.)
        None if step_forward => Ok(Next::Again(Duration::ZERO)),
        None => Ok(Next::Again(decided.again.min(Duration::seconds(1)))),
    }
}
