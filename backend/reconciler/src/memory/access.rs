//! Whether the rules in clusters by which people get in are as they should be.

use super::{Memory, lock};
use domain::clusters::Cluster;
use std::time::{Duration, Instant};

/// They are written anew after this: what was changed in them behind our back is put right.
const RULES: Duration = Duration::from_secs(900);
/// And after this where a namespace that somebody is to come into is not there yet.
const RULES_AGAIN: Duration = Duration::from_secs(60);

impl Memory {
    pub(crate) fn note_access(&self, cluster: &Cluster, complete: bool) {
        let due = Instant::now() + if complete { RULES } else { RULES_AGAIN };
        lock(&self.access).insert(cluster.id, (cluster.people_version, due));
    }

    /// Whether the cluster's own rules were written for the people of now, and not so long ago that somebody will have changed them since.
    pub(super) fn access(&self, cluster: &Cluster) -> bool {
        lock(&self.access).get(&cluster.id).is_some_and(|(version, due)| *version == cluster.people_version && Instant::now() < *due)
    }
}
