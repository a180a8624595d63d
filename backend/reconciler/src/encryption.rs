//! The engine's side of changing the key that encrypts a cluster's Secrets: the list of keys goes one step on, and the Secrets are written anew.

use crate::journal::{JournalError, Owner, secret};
use crate::kubernetes::{KubernetesError, Target};
use crate::world::World;
use domain::changes::Work;
use domain::plan::{KeyStage, KeysView, changes_key};
use sealed::{ClusterPki, EncryptionKeys, SealError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// A pass writes Secrets anew for so long, then gives other things their turn; one page may take longer.
const SLICE: Duration = Duration::from_secs(5);
const PAGE_LIMIT: Duration = Duration::from_secs(15);

fn unreadable(error: SealError) -> JournalError {
    JournalError::Unavailable(error.to_string())
}

fn view(keys: &EncryptionKeys) -> KeysView {
    let stage = match keys.stage {
        sealed::KeyStage::Settled => KeyStage::Settled,
        sealed::KeyStage::Introduced => KeyStage::Introduced,
        sealed::KeyStage::InUse => KeyStage::InUse,
    };
    KeysView { generation: keys.generation, stage, changed_at: keys.changed_at }
}

impl World<'_> {
    /// The list as it is kept, not as it is remembered: another process may have changed it. Only looked at while it is being changed.
    pub(crate) async fn look_at_keys(&self, work: &Work) -> Result<Option<KeysView>, JournalError> {
        if !changes_key(work) {
            return Ok(None);
        }
        Ok(self.kept_pki().await?.map(|pki| view(&pki.encryption)))
    }

    async fn kept_pki(&self) -> Result<Option<ClusterPki>, JournalError> {
        let Some(text) = self.journal.secret(Owner::Cluster, secret::PKI).await? else { return Ok(None) };
        ClusterPki::from_json(&text).map(Some).map_err(unreadable)
    }

    /// Safe to repeat at any point: a list that is not the one it was decided of stays as it is, and so does that of an operation that has ended.
    pub(crate) async fn advance_keys(&self, work: &Work, from: KeysView, at: OffsetDateTime) -> Result<(), JournalError> {
        let Some(pki) = self.kept_pki().await?.filter(|pki| changes_key(work) && view(&pki.encryption) == from) else { return Ok(()) };
        let next = ClusterPki { encryption: pki.encryption.advanced(at).map_err(unreadable)?, ..pki };
        self.journal.put_secret(Owner::Cluster, secret::PKI, &next.to_json().map_err(unreadable)?).await?;
        self.services.memory.note_authorities(work.cluster.id, &Arc::new(next));
        Ok(())
    }

    /// Some pages further. How far it is, is remembered only: whoever begins anew writes once more what was written.
    pub(crate) async fn rewrite_secrets(&self, target: &Target, generation: u32) -> Result<(), KubernetesError> {
        let (memory, begun) = (&self.services.memory, Instant::now());
        let mut so_far = memory.rewriting(target.cluster, generation);
        while !so_far.done && begun.elapsed() < SLICE {
            let page = tokio::time::timeout(PAGE_LIMIT, self.services.kubernetes.rewrite_secrets(target, &so_far));
            let late = |_| Err(KubernetesError::Failed(format!("a page of Secrets was not written within {} s", PAGE_LIMIT.as_secs())));
            match page.await.unwrap_or_else(late) {
                Ok(further) => so_far = further,
                Err(error) => {
                    memory.note_rewriting(target.cluster, generation, so_far, Some(error.to_string()));
                    return Err(error);
                }
            }
            memory.note_rewriting(target.cluster, generation, so_far.clone(), None);
        }
        Ok(())
    }
}
