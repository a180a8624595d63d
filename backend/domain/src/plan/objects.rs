//! What is said of the cloud objects one by one: which are not well, and of which nobody can tell.

use super::rows::failed_code;
use super::{Draft, Look, ObjectState, STUCK};
use crate::codes::Code;
use crate::conditions::ConditionStatus::{self, False, Unknown};
use crate::health::{KEPT, ObjectHealth};
use crate::ids::ResourceId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};

/// Why an object is not well.
type Ailment = (ConditionStatus, &'static str, Option<Code>);

impl Draft<'_> {
    /// All that there is to say of objects; what was said before keeps its `since` while the reason stays.
    pub(super) fn object_healths(&self) -> Vec<ObjectHealth> {
        let missing = self.missing();
        let mut one_by_one: Vec<ObjectHealth> = self
            .next
            .ledger
            .iter()
            .filter_map(|row| {
                let ailment = if missing.contains(&row.id) { Some((False, "Missing", Some(Code::Drifted))) } else { self.ailment(row) };
                ailment.map(|ailment| self.said(row.kind, Some(row.id), ailment))
            })
            .collect();
        // Of more than are kept those go first that may be well.
        one_by_one.sort_by_key(|one| (one.status != False, one.row));
        one_by_one.truncate(KEPT);
        self.unseen().into_iter().chain(one_by_one).collect()
    }

    /// The kinds of objects that we are blind for: that is no word against any of them.
    fn unseen(&self) -> Vec<ObjectHealth> {
        let there = |kind: ResourceKind| {
            let row = |r: &LedgerRow| r.kind == kind && !matches!(r.state, ResourceState::Gone | ResourceState::Deleting);
            self.next.ledger.iter().any(row)
        };
        let blind = ResourceKind::ALL.into_iter().filter(|kind| self.look(*kind).is_none() && there(*kind));
        blind.map(|kind| self.said(kind, None, (Unknown, "Blind", self.blindness(kind)))).collect()
    }

    fn blindness(&self, kind: ResourceKind) -> Option<Code> {
        match self.observed.looks.get(&kind) {
            Some(Look::Blind(fault)) => Some(fault.code),
            _ => None,
        }
    }

    /// Rows of what a cluster in use has lost: nothing has taken their place yet.
    fn missing(&self) -> Vec<ResourceId> {
        if self.deleting() || self.next.cluster.observed_generation == 0 {
            return Vec::new();
        }
        let lost = self.wanted().into_iter().filter(|part| self.live(&part.key).is_none());
        lost.filter_map(|part| self.newest(&part.key).map(|row| row.id)).collect()
    }

    fn ailment(&self, row: &LedgerRow) -> Option<Ailment> {
        // Of a kind that we are blind for it is said as a whole.
        self.look(row.kind)?;
        match row.state {
            ResourceState::Ambiguous => Some((False, "Ambiguous", Some(Code::Ambiguous))),
            // The call that would make it was refused.
            ResourceState::Intended => row.fault.as_ref().map(|fault| (False, "Missing", Some(fault.code))),
            ResourceState::Known => self.seen_ailment(row),
            // Under way, going or gone: the row says it itself.
            ResourceState::Unknown | ResourceState::Deleting | ResourceState::Gone => None,
        }
    }

    fn seen_ailment(&self, row: &LedgerRow) -> Option<Ailment> {
        // Not seen once: it may be the list that is not whole.
        let Some(object) = self.object(row) else { return Some((Unknown, "NotSeen", None)) };
        match &object.state {
            ObjectState::Failed(words) => Some((False, "Failed", Some(failed_code(row.kind, words)))),
            ObjectState::Off => Some((False, "Off", Some(Code::NodeUnready))),
            ObjectState::Pending if self.stuck(row) => Some((False, "Stuck", Some(Code::ObjectStuck))),
            ObjectState::Pending => Some((Unknown, "Changing", None)),
            // What is being made for the first time is not complete before all of it is there.
            ObjectState::Ready if object.drift && self.next.cluster.observed_generation == 0 => Some((Unknown, "Incomplete", None)),
            ObjectState::Ready if object.drift => Some((False, "Drifted", Some(Code::Drifted))),
            ObjectState::Ready => None,
        }
    }

    /// Whether an object has been changing for too long.
    fn stuck(&self, row: &LedgerRow) -> bool {
        self.before(row.kind, Some(row.id)).is_some_and(|before| match before.reason.as_str() {
            "Stuck" => true,
            "Changing" => self.now - before.since >= STUCK,
            _ => false,
        })
    }

    fn before(&self, kind: ResourceKind, row: Option<ResourceId>) -> Option<&ObjectHealth> {
        self.next.cluster.status.objects.iter().find(|one| one.kind == kind && one.row == row)
    }

    fn said(&self, kind: ResourceKind, row: Option<ResourceId>, (status, reason, code): Ailment) -> ObjectHealth {
        let same = self.before(kind, row).filter(|before| before.reason == reason);
        ObjectHealth { kind, row, status, reason: reason.to_owned(), since: same.map_or(self.now, |before| before.since), code }
    }
}
