//! What a running cluster's API servers write down of their calls is changed by replacing the masters that booted with another level, one after the other.

use super::Draft;
use crate::nodes::Node;
use crate::operations::{Operation, OperationKind};

impl Draft<'_> {
    pub(super) fn changes_audit(&self) -> bool {
        !self.deleting() && self.next.operation.as_ref().is_some_and(|o| o.kind == OperationKind::ApiAuditChange && !o.state.ended())
    }

    /// Masters that work at another level than the one that is wanted now, those that are leaving included.
    pub(super) fn masters_at_another_level(&self) -> impl Iterator<Item = &Node> {
        let audit = &self.next.cluster.spec.audit;
        self.masters().filter(move |n| n.joined_at.is_some() && n.audited(audit) != audit.level)
    }

    /// Those of them that the operation under way replaces: a change of the level all, and so does a repair that somebody asked for; a repair that began by
    /// itself those that it was begun for, and none where it was begun for something else.
    pub(super) fn masters_to_level(&self) -> impl Iterator<Item = &Node> {
        let operation = self.next.operation.as_ref().filter(|o| !self.deleting() && !o.state.ended());
        let replaced = |o: &Operation, master: &Node| match o.kind {
            OperationKind::ApiAuditChange => true,
            OperationKind::ClusterRepair => !o.automatic() || o.nodes.contains(&master.id),
            _ => false,
        };
        self.masters_at_another_level().filter(move |n| operation.is_some_and(|o| replaced(o, n)))
    }

    /// The next master that is replaced for its level.
    pub(super) fn master_to_level(&self) -> Option<&Node> {
        self.next_of_round(self.masters_to_level())
    }

    /// Whether a repair began by itself for what masters write down, and some of them are as they were. One that is broken is replaced for that.
    pub(super) fn begun_for_level(&self, operation: &Operation) -> bool {
        operation.automatic() && self.masters_at_another_level().any(|n| n.fault.is_none() && operation.nodes.contains(&n.id))
    }
}
