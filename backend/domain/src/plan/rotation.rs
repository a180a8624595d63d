//! Replacing the cluster's cloud credential without a moment in which anything works with one that is worth nothing: the next one is made
//! and proved, takes the old one's place, is handed to the programs in the cluster, and only when those work with it the old one goes.

use super::{Action, Draft};
use crate::addons::Addon;
use crate::changes::Work;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::names;
use crate::operations::{OperationKind, OperationState};
use time::Duration;

/// The key of the credential in use.
pub const CREDENTIAL: &str = "application_credential";
/// Of the one that is to take its place.
pub const NEXT_CREDENTIAL: &str = "application_credential~next";
/// Of the one whose place was taken.
pub const OLD_CREDENTIAL: &str = "application_credential~old";
/// What still holds the old credential ends within this.
const GRACE: Duration = Duration::seconds(10);

/// Keys and names of the credentials that there should be. A lost secret makes a credential worthless, and Keystone takes no name twice: each that is made
/// gets a number that none has had.
pub(super) fn credentials(work: &Work) -> Vec<(&'static str, String)> {
    let prefix = names::object(work.cluster.id, "credential-");
    let number = |r: &LedgerRow| r.name.strip_prefix(&prefix)?.parse::<u32>().ok();
    let rows = work.ledger.iter().filter(|r| r.kind == ResourceKind::ApplicationCredential);
    let mut last = rows.filter_map(number).max().unwrap_or(0);
    let mut named = |key: &'static str| match work.live(key) {
        Some(row) => (key, row.name.clone()),
        None => {
            last += 1;
            (key, format!("{prefix}{last}"))
        }
    };
    let current = named(CREDENTIAL);
    let next = wants_next(work).then(|| named(NEXT_CREDENTIAL));
    [current].into_iter().chain(next).collect()
}

/// Whether a rotation is under way that has not put the next credential into its place yet. What an earlier one has left is taken away first: there is
/// one place for an old credential.
fn wants_next(work: &Work) -> bool {
    let Some(operation) = &work.operation else { return false };
    operation.kind == OperationKind::CredentialRotate && !operation.state.ended() && !rotated(work) && work.live(OLD_CREDENTIAL).is_none()
}

/// Whether the credential in use was made by the operation under way.
pub(super) fn rotated(work: &Work) -> bool {
    let Some(started) = work.operation.as_ref().and_then(|o| o.started_at) else { return false };
    let current = work.ledger.iter().find(|r| r.key == CREDENTIAL && r.state == ResourceState::Known);
    current.is_some_and(|r| r.created_at >= started)
}

impl Draft<'_> {
    /// Lets a credential that is there take the place of the one in use.
    pub(super) fn decide_rotation(&mut self) {
        if self.deleting() || !self.active() || !wants_next(&self.next) {
            return;
        }
        let known = |key: &str| self.live(key).filter(|r| r.state == ResourceState::Known).cloned();
        if let (Some(next), Some(old)) = (known(NEXT_CREDENTIAL), known(CREDENTIAL)) {
            let wait = next.called_at.filter(|_| next.failures > 0).map(|t| super::back_off(next.failures) - (self.now - t));
            if let Some(wait) = wait.filter(|w| w.is_positive()) {
                self.look_again_in(wait);
                return;
            }
            let next = LedgerRow { called_at: Some(self.now), ..next };
            self.actions.push(Action::SwitchCredential { next, old: Box::new(old) });
        }
    }

    /// Whether nothing in the cluster holds the old credential any more, and what has the new one works.
    pub(super) fn handed_over(&self) -> bool {
        if !self.next.cluster.spec.addons.use_the_cloud() {
            return true;
        }
        let users = |addon: Addon| matches!(addon, Addon::CloudController | Addon::Storage);
        let seen = self.observed.kubernetes.view().and_then(|v| v.addons.as_ref());
        seen.is_some_and(|a| {
            let mut parts = a.workloads.iter().filter(|w| users(w.addon)).peekable();
            a.applied && parts.peek().is_some() && parts.all(|w| w.current && w.desired > 0 && w.ready >= w.desired)
        })
    }

    /// The old credential stays until the new one is proved where it is used.
    pub(super) fn still_held(&mut self, row: &LedgerRow) -> bool {
        if row.kind != ResourceKind::ApplicationCredential || row.key != OLD_CREDENTIAL || row.state != ResourceState::Known || self.deleting() {
            return false;
        }
        let fresh = self.live(CREDENTIAL).and_then(|r| r.called_at).is_some_and(|t| self.now - t < GRACE);
        let held = fresh || !self.handed_over();
        if held {
            self.look_again_in(Duration::seconds(1));
        }
        held
    }

    /// (done, total) of the step that takes the old credential away.
    pub(super) fn old_credential_gone(&self) -> (u32, u32) {
        (u32::from(rotated(&self.next) && self.live(OLD_CREDENTIAL).is_none()), 1)
    }

    /// (done, total) of the step that makes and proves the next one.
    pub(super) fn next_in_place(&self) -> (u32, u32) {
        let ended = self.next.operation.as_ref().is_some_and(|o| o.state == OperationState::Succeeded);
        (u32::from(ended || rotated(&self.next)), 1)
    }
}
