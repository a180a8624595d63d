//! When a look that is shared with other clusters, and some seconds old, will do: where nothing was done lately, nothing is being done,
//! and the look shows everything as it should be. Whatever else it shows is looked at anew before anything is concluded.

use domain::changes::Work;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::plan::{Look, ObjectState};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// A pass that began so long ago has sent its calls, most likely. What one does later the next look shows: an object that is missing, or should not be
/// there, or is not as it should be, is looked at anew, and nothing else is concluded here.
const LONG_AGO: Duration = Duration::minutes(1);

/// Nothing is under way, and nothing was for a while.
pub(crate) fn settled(work: &Work, now: OffsetDateTime) -> bool {
    let resting = |row: &LedgerRow| match row.state {
        ResourceState::Known => row.empty_looks == 0 && row.called_at.is_none_or(|at| now - at >= LONG_AGO),
        ResourceState::Gone => row.called_at.is_none_or(|at| now - at >= LONG_AGO),
        _ => false,
    };
    let operating = work.operation.as_ref().is_some_and(|operation| !operation.state.ended());
    // Whether a node that is unwell is replaced depends on what its server does at this moment.
    let well = work.nodes.iter().all(|node| node.unready_since.is_none() && node.fault.is_none());
    work.cluster.delete_requested_at.is_none() && !operating && well && work.ledger.iter().all(resting)
}

/// Every object is there and well, and there is none that should not be.
pub(crate) fn unremarkable(work: &Work, looks: &BTreeMap<ResourceKind, Look>) -> bool {
    looks.iter().all(|(kind, look)| {
        let Look::Seen(objects) = look else { return false };
        let well = |id: &str| objects.iter().any(|o| o.id == id && o.state == ObjectState::Ready && !o.drift);
        let mut known = work.ledger.iter().filter(|r| r.kind == *kind && r.state == ResourceState::Known).filter_map(|r| r.cloud_id.as_deref());
        let expected = |id: &str| work.ledger.iter().any(|r| r.kind == *kind && r.state == ResourceState::Known && r.cloud_id.as_deref() == Some(id));
        known.all(well) && objects.iter().filter(|o| o.owner.is_some()).all(|o| expected(&o.id))
    })
}
