//! Whether the rules in clusters by which people get in are as they should be.

use super::{Memory, lock};
use crate::kubernetes::AccessLeft;
use domain::clusters::Cluster;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// They are written anew after this: what was changed in them behind our back is put right.
const RULES: Duration = Duration::from_secs(900);
/// And after this where a binding could not be as it should; so often it is looked, too, whether a namespace that somebody is to come into is there by now.
const RULES_AGAIN: Duration = Duration::from_secs(60);

/// For whom the rules were written, and what was left.
pub(super) struct Note {
    /// Of the people.
    version: i64,
    /// Namespaces that were not there.
    missing: BTreeSet<String>,
    /// Until when it is good enough that they were written.
    written: Instant,
    /// Until when it is good enough that it was looked for those.
    looked: Instant,
}

impl Note {
    fn new(version: i64, left: &AccessLeft, now: Instant) -> Self {
        let written = now + if left.refused.is_empty() { RULES } else { RULES_AGAIN };
        let looked = if left.missing.is_empty() { written } else { now + RULES_AGAIN };
        Self { version, missing: left.missing.clone(), written, looked }
    }

    fn holds(&self, version: i64, now: Instant) -> bool {
        self.version == version && now < self.written && now < self.looked
    }

    /// Whether it is to be looked for namespaces, and nothing else is due.
    fn awaits(&self, version: i64, now: Instant) -> bool {
        self.version == version && now < self.written && now >= self.looked
    }

    /// It was looked for them: whether all is as it was. One that went is missed, too: what it had is taken out of the rules.
    fn as_before(&mut self, missing: &BTreeSet<String>, now: Instant) -> bool {
        let same = self.missing == *missing;
        if same {
            self.looked = now + RULES_AGAIN;
        }
        same
    }
}

impl Memory {
    pub(crate) fn note_access(&self, cluster: &Cluster, left: &AccessLeft) {
        lock(&self.access).insert(cluster.id, Note::new(cluster.people_version, left, Instant::now()));
    }

    /// Whether the cluster's own rules were written for the people of now, and not so long ago that somebody will have changed them since.
    pub(super) fn access(&self, cluster: &Cluster) -> bool {
        lock(&self.access).get(&cluster.id).is_some_and(|note| note.holds(cluster.people_version, Instant::now()))
    }

    /// Whether nothing is to be done about the rules but to look for namespaces that were not there: there may be hundreds of clusters that will never have the one
    /// that a token of the project's is narrowed to.
    pub(crate) fn awaits_namespaces(&self, cluster: &Cluster) -> bool {
        lock(&self.access).get(&cluster.id).is_some_and(|note| note.awaits(cluster.people_version, Instant::now()))
    }

    /// It was looked for them, and these are not there: whether that is as it was when the rules were written.
    pub(crate) fn missing_as_before(&self, cluster: &Cluster, missing: &BTreeSet<String>) -> bool {
        lock(&self.access).get_mut(&cluster.id).is_some_and(|note| note.as_before(missing, Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ClusterId;
    use domain::test_support::{cluster, spec};
    use time::OffsetDateTime;

    fn missing(names: &[&str]) -> AccessLeft {
        AccessLeft { missing: names.iter().map(|name| (*name).to_owned()).collect(), refused: Vec::new() }
    }

    fn refused(left: AccessLeft) -> AccessLeft {
        AccessLeft { refused: vec!["web/kcs:view: no".to_owned()], ..left }
    }

    #[test]
    fn what_is_left_is_looked_at_again_after_a_minute_and_until_then_the_rules_count_as_written() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        for (left, again, looks_only) in [
            (missing(&[]), RULES, false),
            (missing(&["later"]), RULES_AGAIN, true),
            (refused(missing(&[])), RULES_AGAIN, false),
            (refused(missing(&["later"])), RULES_AGAIN, false),
        ] {
            let note = Note::new(7, &left, now);
            assert!(note.holds(7, now) && note.holds(7, now + again - second) && !note.holds(7, now + again), "{left:?}");
            assert!(!note.awaits(7, now) && note.awaits(7, now + again) == looks_only, "{left:?}");
            assert!(!note.holds(8, now) && !note.awaits(8, now + again), "who comes in is others by now: {left:?}");
        }
    }

    #[test]
    fn for_a_namespace_that_is_not_there_it_is_looked_each_minute_and_written_only_once_others_are_missing() {
        let now = Instant::now();
        let mut note = Note::new(7, &missing(&["ci", "later"]), now);
        let (mut looks, mut at) = (0, now);
        while note.holds(7, at) || note.awaits(7, at) {
            if note.awaits(7, at) {
                assert!(note.as_before(&missing(&["ci", "later"]).missing, at) && note.holds(7, at));
                looks += 1;
            }
            at += Duration::from_secs(1);
        }
        assert_eq!((looks, at), (14, now + RULES), "all is written anew as where nothing is missing");
        for others in [&["later"][..], &["ci", "gone", "later"], &[]] {
            let mut note = Note::new(7, &missing(&["ci", "later"]), now);
            assert!(!note.as_before(&missing(others).missing, now + RULES_AGAIN), "{others:?}");
            assert!(!note.holds(7, now + RULES_AGAIN), "they are to be written: {others:?}");
        }
    }

    #[test]
    fn a_cluster_that_nothing_is_remembered_of_has_its_rules_written() {
        let (memory, cluster) = (Memory::default(), cluster(ClusterId::generate(), "a", spec(1, 1), OffsetDateTime::UNIX_EPOCH));
        let left = missing(&["later"]);
        assert!(!memory.access(&cluster) && !memory.awaits_namespaces(&cluster) && !memory.missing_as_before(&cluster, &left.missing));
        memory.note_access(&cluster, &refused(left.clone()));
        assert!(memory.access(&cluster) && !memory.awaits_namespaces(&cluster) && memory.missing_as_before(&cluster, &left.missing));
    }
}
