//! How far the Secrets of clusters are written anew.

use super::{Memory, lock};
use crate::kubernetes::Rewriting;
use domain::ids::ClusterId;
use domain::plan::SecretsView;

pub(super) struct Note {
    /// Of the list of keys.
    generation: u32,
    so_far: Rewriting,
    /// Why the last attempt failed.
    refused: Option<String>,
}

impl Memory {
    /// How far it is; from the beginning where it was another list of keys.
    pub(crate) fn rewriting(&self, cluster: ClusterId, generation: u32) -> Rewriting {
        lock(&self.rewriting).get(&cluster).filter(|note| note.generation == generation).map(|note| note.so_far.clone()).unwrap_or_default()
    }

    pub(crate) fn note_rewriting(&self, cluster: ClusterId, generation: u32, so_far: Rewriting, refused: Option<String>) {
        lock(&self.rewriting).insert(cluster, Note { generation, so_far, refused });
    }

    pub(super) fn secrets(&self, cluster: ClusterId) -> Option<SecretsView> {
        let known = lock(&self.rewriting);
        let Note { generation, so_far, refused } = known.get(&cluster)?;
        Some(SecretsView { generation: *generation, done: so_far.done, refused: refused.clone() })
    }
}
