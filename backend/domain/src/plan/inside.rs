//! What a cluster's own controllers made in the cloud: found when the cluster is deleted, taken into the ledger, and taken away with the rest.

use super::{Draft, Inside};
use crate::ids::ResourceId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::operations::ReceiptLine;
use uuid::Uuid;

/// Keys of such rows begin so.
const PREFIX: &str = "inside/";

impl LedgerRow {
    /// Whether a program in the cluster made the object, not KCS.
    #[must_use]
    pub fn made_inside(&self) -> bool {
        self.key.starts_with(PREFIX)
    }
}

impl Draft<'_> {
    /// While servers live, the controllers on them would make such objects again: only then do they go.
    pub(super) fn adopt_inside(&mut self, fresh: &mut dyn FnMut() -> Uuid) {
        if !self.deleting() {
            return;
        }
        let missing: Vec<Inside> = self.observed.inside.iter().flatten().filter(|i| !self.kept(i) && !self.in_ledger(i)).cloned().collect();
        for object in missing {
            let key = format!("{PREFIX}{}/{}", object.kind, object.id);
            let row = LedgerRow::new(ResourceId(fresh()), self.next.cluster.id, key, object.kind, object.name, self.now);
            self.next.ledger.push(LedgerRow { state: ResourceState::Known, cloud_id: Some(object.id), ..row });
        }
    }

    fn in_ledger(&self, object: &Inside) -> bool {
        self.next.ledger.iter().any(|r| r.kind == object.kind && r.cloud_id.as_deref() == Some(object.id.as_str()) && r.state != ResourceState::Gone)
    }

    /// A volume is kept unless its deletion was asked for.
    fn kept(&self, object: &Inside) -> bool {
        let erased = |id: &str| self.next.operation.as_ref().and_then(|o| o.volumes.as_ref()).is_some_and(|v| v.erases(id));
        object.kind == ResourceKind::Volume && !erased(&object.id)
    }

    /// What stays, for the receipt.
    pub(super) fn kept_inside(&self) -> Option<Vec<ReceiptLine>> {
        let kept = self.observed.inside.as_ref()?.iter().filter(|i| self.kept(i));
        Some(kept.map(|i| ReceiptLine { kind: i.kind, name: i.name.clone(), cloud_id: Some(i.id.clone()) }).collect())
    }

    /// Whether anything is there that is still to be taken away.
    pub(super) fn inside_is_clean(&self) -> bool {
        match &self.observed.inside {
            Some(list) => list.iter().all(|i| self.kept(i)),
            None => !self.next.cluster.spec.addons.use_the_cloud(),
        }
    }
}
