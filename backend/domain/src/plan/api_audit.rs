//! What a running cluster's API servers write down of their calls is changed by replacing the masters that booted with another level, one after the other.

use super::Draft;
use crate::nodes::Node;
use crate::operations::OperationKind;

impl Draft<'_> {
    pub(super) fn changes_audit(&self) -> bool {
        !self.deleting() && self.next.operation.as_ref().is_some_and(|o| o.kind == OperationKind::ApiAuditChange && !o.state.ended())
    }

    /// Masters that work at another level than the one that is wanted now, those that are leaving included.
    pub(super) fn masters_at_another_level(&self) -> impl Iterator<Item = &Node> {
        let audit = &self.next.cluster.spec.audit;
        self.masters().filter(move |n| n.joined_at.is_some() && n.audited(audit) != audit.level)
    }

    /// Those of them that the operation under way replaces: what they have written down goes with them, so somebody has asked for it.
    pub(super) fn masters_to_level(&self) -> impl Iterator<Item = &Node> {
        let operation = self.next.operation.as_ref().filter(|o| !self.deleting() && !o.state.ended() && !o.automatic());
        let replaces = operation.is_some_and(|o| matches!(o.kind, OperationKind::ApiAuditChange | OperationKind::ClusterRepair));
        self.masters_at_another_level().filter(move |_| replaces)
    }

    /// The next master that is replaced for its level.
    pub(super) fn master_to_level(&self) -> Option<&Node> {
        self.next_of_round(self.masters_to_level())
    }
}
