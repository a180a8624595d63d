//! Whether the rules in clusters by which people get in are as they should be.

use super::{Memory, lock};
use crate::kubernetes::AccessLeft;
use domain::clusters::Cluster;
use std::time::{Duration, Instant};

/// They are written anew after this: what was changed in them behind our back is put right.
const RULES: Duration = Duration::from_secs(900);
/// And after this where a namespace that somebody is to come into is not there yet, or a binding could not be as it should.
const RULES_AGAIN: Duration = Duration::from_secs(60);

impl Memory {
    pub(crate) fn note_access(&self, cluster: &Cluster, left: &AccessLeft) {
        let complete = left.missing.is_empty() && left.refused.is_empty();
        let due = Instant::now() + if complete { RULES } else { RULES_AGAIN };
        lock(&self.access).insert(cluster.id, (cluster.people_version, due));
    }

    /// Whether the cluster's own rules were written for the people of now, and not so long ago that somebody will have changed them since.
    pub(super) fn access(&self, cluster: &Cluster) -> bool {
        lock(&self.access).get(&cluster.id).is_some_and(|(version, due)| *version == cluster.people_version && Instant::now() < *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ClusterId;
    use domain::test_support::{cluster, spec};
    use time::OffsetDateTime;

    #[test]
    fn what_is_left_is_looked_at_again_after_a_minute_and_until_then_the_rules_count_as_written() {
        let cluster = cluster(ClusterId::generate(), "a", spec(1, 1), OffsetDateTime::UNIX_EPOCH);
        let missing = AccessLeft { missing: ["later".to_owned()].into(), ..AccessLeft::default() };
        let refused = AccessLeft { refused: vec!["web/kcs:view: no".to_owned()], ..AccessLeft::default() };
        for (left, again) in [(AccessLeft::default(), RULES), (missing, RULES_AGAIN), (refused, RULES_AGAIN)] {
            let (memory, before) = (Memory::default(), Instant::now());
            assert!(!memory.access(&cluster));
            memory.note_access(&cluster, &left);
            assert!(memory.access(&cluster), "{left:?}");
            let due = lock(&memory.access)[&cluster.id].1;
            assert!(due >= before + again && due <= Instant::now() + again, "{left:?}");
        }
    }
}
