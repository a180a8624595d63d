//! What a running cluster's API servers write down of their calls is changed by replacing the masters that booted with another level, one after the other.

use super::Draft;
use crate::nodes::Node;
use crate::operations::OperationKind;

impl Draft<'_> {
    /// Whether the operation under way is of this kind.
    fn under_way(&self, kind: OperationKind) -> bool {
        !self.deleting() && self.next.operation.as_ref().is_some_and(|o| o.kind == kind && !o.state.ended())
    }

    pub(super) fn changes_audit(&self) -> bool {
        self.under_way(OperationKind::ApiAuditChange)
    }

    /// Masters that work at another level than the one that is wanted now, those that are leaving included.
    pub(super) fn masters_at_another_level(&self) -> impl Iterator<Item = &Node> {
        let audit = &self.next.cluster.spec.audit;
        self.masters().filter(move |n| n.joined_at.is_some() && n.audited(audit) != audit.level)
    }

    /// The next master that is replaced for its level: while that is changed, and in a repair, which ends what a change that was cancelled has left.
    pub(super) fn master_to_level(&self) -> Option<&Node> {
        let replaced = self.changes_audit() || self.under_way(OperationKind::ClusterRepair);
        self.next_of_round(self.masters_at_another_level().filter(|_| replaced))
    }
}
