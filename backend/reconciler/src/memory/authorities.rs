//! The opened authorities of clusters that were looked at lately.

use super::Memory;
use domain::ids::ClusterId;
use moka::sync::Cache;
use sealed::ClusterPki;
use std::sync::Arc;

/// Kept at most, some ten KiB each: as many as there are channels to clusters.
const MOST: u64 = 4_000;

pub(super) struct Authorities(Cache<ClusterId, Arc<ClusterPki>>);

impl Default for Authorities {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Authorities {
    pub(super) fn forget(&self, cluster: ClusterId) {
        self.0.invalidate(&cluster);
    }
}

impl Memory {
    pub(crate) fn authorities(&self, cluster: ClusterId) -> Option<Arc<ClusterPki>> {
        self.authorities.0.get(&cluster)
    }

    pub(crate) fn note_authorities(&self, cluster: ClusterId, pki: &Arc<ClusterPki>) {
        self.authorities.0.insert(cluster, pki.clone());
    }
}
