//! Changing the key that encrypts a running cluster's Secrets: masters are replaced in rounds, each round with the next list of keys, so that all of
//! them read with a key before any writes with it, and nothing is left that needs the old one before any goes without it.

use super::{Action, Draft};
use crate::changes::Work;
use crate::codes::Code;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::names;
use crate::nodes::{Fault, Node, NodeIntent, NodeRole};
use crate::operations::{Operation, OperationKind, OperationState, StepKey};
use time::{Duration, OffsetDateTime};

/// Where a list of keys stands between one key and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStage {
    /// One key, or none: nothing is being changed.
    Settled,
    /// The new key is read with; what wrote before still writes.
    Introduced,
    /// The new key writes; what wrote before is still read.
    InUse,
}

/// The list of keys that API servers get now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysView {
    /// Rises with every change of what API servers get.
    pub generation: u32,
    pub stage: KeyStage,
    /// None: it is as it was when the cluster was made.
    pub changed_at: Option<OffsetDateTime>,
}

/// How far writing all Secrets anew is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretsView {
    /// The list of keys that all API servers had meanwhile.
    pub generation: u32,
    /// Every Secret was put back, or written by somebody else since.
    pub done: bool,
    /// Why the last attempt failed, in the cluster's words.
    pub refused: Option<String>,
}

/// The three rounds of masters, in their order.
const ROUNDS: [StepKey; 3] = [StepKey::KeyReadable, StepKey::KeyInUse, StepKey::OldKeyRemoved];

/// Whether the operation under way changes the key.
#[must_use]
pub fn changes_key(work: &Work) -> bool {
    let changes = |o: &Operation| o.kind == OperationKind::EncryptionKeyRotate && !o.state.ended();
    work.cluster.delete_requested_at.is_none() && work.operation.as_ref().is_some_and(changes)
}

impl<'a> Draft<'a> {
    /// The list as it was read in this pass, while the operation under way changes it.
    fn keys(&self) -> Option<&'a KeysView> {
        self.observed.encryption.as_ref().filter(|_| changes_key(&self.next))
    }

    /// Whether the operation under way has changed the list. What an earlier one left half way it takes up where it stands.
    fn own_change(&self, keys: &KeysView) -> bool {
        let started = self.next.operation.as_ref().and_then(|o| o.started_at);
        keys.changed_at.zip(started).is_some_and(|(changed, started)| changed >= started)
    }

    /// Whether every master booted with the list of this generation, those that are leaving included, and no other has a server.
    fn all_masters_have(&self, generation: u32) -> bool {
        let prefix = names::role_prefix(self.next.cluster.id, NodeRole::Master);
        let stray = |row: &LedgerRow| {
            let master = row.kind == ResourceKind::Server && row.state != ResourceState::Gone && row.name.starts_with(&prefix);
            master && !self.masters().any(|n| n.name == row.name)
        };
        self.masters().all(|n| n.key_generation == generation) && !self.next.ledger.iter().any(stray)
    }

    /// Whether all Secrets were written anew while every API server wrote with the first key of this list.
    fn rewritten(&self, generation: u32) -> bool {
        self.secrets().is_some_and(|s| s.generation == generation && s.done)
    }

    fn secrets(&self) -> Option<&'a SecretsView> {
        self.observed.kubernetes.view().and_then(|v| v.secrets.as_ref())
    }

    /// One step on, once the last one is true of every master.
    pub(super) fn decide_encryption(&mut self) {
        let Some(keys) = self.keys().copied().filter(|_| self.active()) else { return };
        if !self.all_masters_have(keys.generation) || (keys.stage == KeyStage::Settled && self.own_change(&keys)) {
            return;
        }
        if keys.stage == KeyStage::InUse && !self.rewritten(keys.generation) {
            if self.observed.kubernetes.view().is_some() {
                self.actions.push(Action::RewriteSecrets(keys.generation));
            }
        } else {
            self.actions.push(Action::AdvanceKeys { from: keys, at: self.now });
        }
        self.look_again_in(Duration::seconds(1));
    }

    /// The next master that did not boot with the list of now.
    pub(super) fn master_to_rekey(&self) -> Option<&Node> {
        let generation = self.keys()?.generation;
        self.next_of_round(self.masters().filter(move |n| n.key_generation != generation))
    }

    /// The round of masters that is under way, as its position; None: none was begun, or it is not to be seen.
    fn round(&self) -> Option<usize> {
        let keys = self.keys()?;
        match keys.stage {
            KeyStage::Settled => self.own_change(keys).then_some(2),
            KeyStage::Introduced => Some(0),
            KeyStage::InUse => Some(1),
        }
    }

    /// The step that shows the round of masters that is under way; None: the operation is none that replaces all of them.
    pub(super) fn round_step(&self) -> Option<StepKey> {
        let of_key = changes_key(&self.next).then(|| ROUNDS[self.round().unwrap_or(0)]);
        of_key.or_else(|| self.changes_audit().then_some(StepKey::Masters))
    }

    fn key_changed(&self) -> bool {
        self.next.operation.as_ref().is_some_and(|o| o.state == OperationState::Succeeded)
    }

    /// (done, total) of a round of masters.
    pub(super) fn round_of_masters(&self, step: StepKey) -> (u32, u32) {
        let total = self.next.cluster.spec.control_plane.count;
        if self.key_changed() {
            return (total, total);
        }
        let (Some(keys), Some(now)) = (self.keys(), self.round()) else { return (0, total) };
        let at = ROUNDS.iter().position(|r| *r == step).unwrap_or(0);
        let there = self.masters().filter(|n| n.intent == NodeIntent::Keep && n.joined_at.is_some() && n.key_generation == keys.generation).count();
        let there = u32::try_from(there).unwrap_or(u32::MAX).min(total);
        match at.cmp(&now) {
            std::cmp::Ordering::Less => (total, total),
            std::cmp::Ordering::Greater => (0, total),
            std::cmp::Ordering::Equal if self.all_masters_have(keys.generation) => (there, total),
            // Of those that are leaving one has still another list.
            std::cmp::Ordering::Equal => (there.min(total.saturating_sub(1)), total),
        }
    }

    /// (done, total) of writing the Secrets anew.
    pub(super) fn secrets_written_anew(&self) -> (u32, u32) {
        let done = match (self.keys(), self.round()) {
            (Some(keys), Some(1)) => self.all_masters_have(keys.generation) && self.rewritten(keys.generation),
            (_, round) => round == Some(2) || self.key_changed(),
        };
        (u32::from(done), 1)
    }

    /// Why the cluster does not take its Secrets back.
    pub(super) fn secrets_refused(&self) -> Option<Fault> {
        let words = self.secrets().filter(|s| self.keys().is_some_and(|k| k.generation == s.generation) && !s.done)?.refused.clone()?;
        Some(Fault { code: Code::SecretsRefused, message: words, cloud_request_id: None, retryable: true, object: None })
    }
}
