//! Changing the keys that seal secrets in the store: how far a change is, and what an operator does next. Pure.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The key ring of one process, by the ids of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Of the process.
    pub name: String,
    /// What is sealed now is sealed with this one.
    pub active: String,
    pub keys: BTreeSet<String>,
}

/// How many rows of a kind are sealed with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    pub kind: String,
    pub key: String,
    pub rows: u64,
}

/// What an operator does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStep {
    /// A process lacks a key that rows are sealed with, or will be: give it to all.
    AddMissing,
    /// Processes seal with different keys: make the same one active in all.
    MakeActive,
    /// Rows are being sealed anew; nothing to do.
    Wait,
    /// Keys that seal nothing are in a ring. A new one is made active once all processes have it; an old one can be removed.
    Spare,
    /// Everything is sealed with the one key there is.
    Settled,
}

/// A key, by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeyStanding {
    pub id: String,
    /// Rows sealed with it.
    pub rows: u64,
    /// Processes that seal with it.
    pub active_in: Vec<String>,
    /// Processes that do not have it.
    pub missing_in: Vec<String>,
}

/// The rows of a kind of secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KindStanding {
    pub kind: String,
    pub rows: u64,
    /// Not sealed with the active key yet.
    pub left: u64,
}

/// How far a change of keys is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeyRotation {
    pub next_step: KeyStep,
    /// The key that everything comes to be sealed with.
    pub active: String,
    pub rows: u64,
    /// Sealed with the active key.
    pub rewrapped: u64,
    /// Still sealed with others.
    pub left: u64,
    pub kinds: Vec<KindStanding>,
    pub keys: Vec<KeyStanding>,
}

impl KeyRotation {
    /// Of the rings of all processes that run, and all rows. `own`: the active key of whoever asks, which counts where no process runs or they disagree.
    #[must_use]
    pub fn of(own: &str, rings: &[Ring], uses: &[KeyUse]) -> Self {
        let actives: BTreeSet<&str> = rings.iter().map(|r| r.active.as_str()).collect();
        let active = match actives.iter().collect::<Vec<_>>().as_slice() {
            [one] => (**one).to_owned(),
            _ => own.to_owned(),
        };
        let count = |of: &dyn Fn(&KeyUse) -> bool| uses.iter().filter(|u| of(u)).map(|u| u.rows).sum::<u64>();
        let (rows, left) = (count(&|_| true), count(&|u| u.key != active));
        let kinds: BTreeSet<&str> = uses.iter().map(|u| u.kind.as_str()).collect();
        let kind = |kind: &str| KindStanding {
            kind: kind.to_owned(),
            rows: count(&|u| u.kind == kind),
            left: count(&|u| u.kind == kind && u.key != active),
        };
        let kinds = kinds.into_iter().map(kind).collect();
        let mut keys: BTreeMap<&str, KeyStanding> = BTreeMap::new();
        let known = rings.iter().flat_map(|r| r.keys.iter().map(String::as_str));
        for id in uses.iter().map(|u| u.key.as_str()).chain(known).chain([active.as_str()]) {
            let of = |which: &dyn Fn(&Ring) -> bool| rings.iter().filter(|r| which(r)).map(|r| r.name.clone()).collect();
            keys.entry(id).or_insert_with(|| KeyStanding {
                id: id.to_owned(),
                rows: count(&|u| u.key == id),
                active_in: of(&|r| r.active == id),
                missing_in: of(&|r| !r.keys.contains(id)),
            });
        }
        let keys: Vec<KeyStanding> = keys.into_values().collect();
        let needed = |k: &KeyStanding| k.rows > 0 || !k.active_in.is_empty();
        let next_step = if keys.iter().any(|k| needed(k) && !k.missing_in.is_empty()) {
            KeyStep::AddMissing
        } else if actives.len() > 1 {
            KeyStep::MakeActive
        } else if left > 0 {
            KeyStep::Wait
        } else if keys.iter().any(|k| k.id != active) {
            KeyStep::Spare
        } else {
            KeyStep::Settled
        };
        Self { next_step, active, rows, rewrapped: rows - left, left, kinds, keys }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ring(name: &str, keys: &[&str]) -> Ring {
        Ring { name: name.into(), active: keys[0].into(), keys: keys.iter().map(|k| (*k).to_owned()).collect() }
    }

    fn rows(kind: &str, key: &str, rows: u64) -> KeyUse {
        KeyUse { kind: kind.into(), key: key.into(), rows }
    }

    #[test]
    fn a_change_of_keys_goes_from_step_to_step() {
        let used = [rows("pki", "old", 3), rows("session", "old", 2)];
        let step = |a: &[&str], b: &[&str], uses: &[KeyUse]| KeyRotation::of(a[0], &[ring("a", a), ring("b", b)], uses).next_step;
        assert_eq!(step(&["old"], &["old"], &used), KeyStep::Settled);
        assert_eq!(step(&["old", "new"], &["old"], &used), KeyStep::Spare);
        assert_eq!(step(&["old", "new"], &["old", "new"], &used), KeyStep::Spare);
        assert_eq!(step(&["new", "old"], &["old", "new"], &used), KeyStep::MakeActive);
        assert_eq!(step(&["new", "old"], &["new", "old"], &used), KeyStep::Wait);
        let moved = [rows("pki", "new", 3), rows("session", "new", 2)];
        assert_eq!(step(&["new", "old"], &["new", "old"], &moved), KeyStep::Spare);
        assert_eq!(step(&["new"], &["new"], &moved), KeyStep::Settled);
        // Out of order: what one seals another cannot open.
        assert_eq!(step(&["new", "old"], &["old"], &used), KeyStep::AddMissing);
        assert_eq!(step(&["new"], &["new", "old"], &used), KeyStep::AddMissing);
    }

    #[test]
    fn rows_are_counted_by_kind_and_key() {
        let uses = [rows("pki", "new", 3), rows("pki", "old", 1), rows("session", "lost", 2)];
        let seen = KeyRotation::of("new", &[ring("a", &["new", "old"]), ring("b", &["new"])], &uses);
        assert_eq!((seen.rows, seen.rewrapped, seen.left), (6, 3, 3));
        assert_eq!(seen.kinds.iter().map(|k| (k.kind.as_str(), k.rows, k.left)).collect::<Vec<_>>(), [("pki", 4, 1), ("session", 2, 2)]);
        let keys: Vec<_> = seen.keys.iter().map(|k| (k.id.as_str(), k.rows, k.active_in.len(), k.missing_in.join(" "))).collect();
        assert_eq!(keys, [("lost", 2, 0, "a b".to_owned()), ("new", 3, 2, String::new()), ("old", 1, 0, "b".to_owned())]);
    }

    #[test]
    fn where_no_process_runs_the_ring_of_whoever_asks_counts() {
        let seen = KeyRotation::of("new", &[], &[rows("pki", "old", 1)]);
        assert_eq!((seen.active.as_str(), seen.left, seen.next_step), ("new", 1, KeyStep::Wait));
    }
}
