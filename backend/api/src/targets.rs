//! Where clusters' APIs are and what proves them: the address recorded by the engine, the authorities from the sealed store.

use crate::errors::{Answer, Problem};
use crate::state::State;
use domain::clusters::ClusterEndpoint;
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::settings::ApiExposure;
use kube_access::ClusterTarget;
use moka::future::Cache;
use sealed::ClusterPki;
use std::sync::Arc;
use std::time::Duration;

/// Opened authorities, for a minute.
pub struct Targets(Cache<ClusterId, Arc<ClusterPki>>);

impl Default for Targets {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1000).time_to_live(Duration::from_secs(60)).build())
    }
}

impl Targets {
    /// The way to a cluster that the caller was found to be allowed to see.
    ///
    /// # Errors
    /// While the cluster has no address yet.
    pub async fn of(&self, state: &State, cluster: &ClusterEndpoint) -> Answer<ClusterTarget> {
        let endpoint = cluster.url.clone().ok_or_else(|| Problem::new(Code::ClusterApiNotReady))?;
        let private = cluster.exposure == ApiExposure::Private;
        let cluster = cluster.id;
        if let Some(pki) = self.0.get(&cluster).await {
            return Ok(ClusterTarget { cluster, endpoint, private, pki });
        }
        let sealed = state.store.cluster_secret(cluster, "pki").await?.ok_or_else(|| Problem::new(Code::ClusterApiNotReady))?;
        let pki = Arc::new(ClusterPki::from_json(&sealed)?);
        self.0.insert(cluster, pki.clone()).await;
        Ok(ClusterTarget { cluster, endpoint, private, pki })
    }
}
