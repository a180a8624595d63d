//! What the load balancers of clusters that do not answer us said of their masters.

use super::{Memory, lock};
use domain::ids::{ClusterId, NodeId};
use time::{Duration, OffsetDateTime};

/// They are asked once a minute; a little less, for passes do not come to the second.
const PAUSE: Duration = Duration::seconds(55);

pub(super) struct Note {
    /// By the clock of passes.
    asked_at: OffsetDateTime,
    /// None: it cannot be told.
    masters: Option<Vec<NodeId>>,
}

impl Memory {
    /// The masters that a silent cluster's load balancer finds answering: as `ask` says now, or as it said within the last minute.
    pub(crate) async fn serving(
        &self,
        cluster: ClusterId,
        now: OffsetDateTime,
        ask: impl Future<Output = Option<Vec<NodeId>>>,
    ) -> Option<Vec<NodeId>> {
        let known = lock(&self.serving).get(&cluster).filter(|note| (now - note.asked_at).abs() < PAUSE).map(|note| note.masters.clone());
        if let Some(masters) = known {
            return masters;
        }
        let masters = ask.await;
        lock(&self.serving).insert(cluster, Note { asked_at: now, masters: masters.clone() });
        masters
    }
}
