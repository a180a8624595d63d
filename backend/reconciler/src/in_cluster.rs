//! The engine's side of `kube-access`: what the plan asks of a cluster's API, with the engine's own identity.

use crate::kubernetes::{Drain, KubernetesApi, KubernetesError, Target};
use async_trait::async_trait;
use kube_access::{ClusterTarget, Engine, KubeAccess, KubeError};
use sealed::JoinToken;
use secrecy::SecretString;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// A join token is good for this long after it was put into the cluster.
const JOIN_TOKEN_TTL: Duration = Duration::hours(1);

/// Real clusters.
pub struct InCluster(KubeAccess);

impl From<KubeError> for KubernetesError {
    fn from(error: KubeError) -> Self {
        Self(error.to_string())
    }
}

impl InCluster {
    #[must_use]
    pub fn new(access: KubeAccess) -> Self {
        Self(access)
    }

    async fn engine(&self, target: &Target) -> Result<Engine, KubernetesError> {
        let target = ClusterTarget { cluster: target.cluster, endpoint: target.endpoint.clone(), pki: target.pki.clone() };
        Ok(self.0.engine(&target).await?)
    }
}

#[async_trait]
impl KubernetesApi for InCluster {
    async fn nodes(&self, target: &Target) -> Result<BTreeMap<String, Option<bool>>, KubernetesError> {
        let nodes = self.engine(target).await?.nodes().await?;
        Ok(nodes.into_iter().map(|n| (n.name, n.ready)).collect())
    }

    async fn ensure_access(&self, target: &Target) -> Result<(), KubernetesError> {
        Ok(self.engine(target).await?.ensure_access_rules().await?)
    }

    async fn ensure_join_token(&self, target: &Target, token: &SecretString) -> Result<(), KubernetesError> {
        let token = JoinToken::parse(token).ok_or_else(|| KubernetesError("the stored join token cannot be read".to_owned()))?;
        Ok(self.engine(target).await?.ensure_join_token(&token, OffsetDateTime::now_utc() + JOIN_TOKEN_TTL).await?)
    }

    async fn drain(&self, target: &Target, node: &str) -> Result<Drain, KubernetesError> {
        let engine = self.engine(target).await?;
        Ok(match engine.drain(node, false).await? {
            kube_access::engine::Drain::Done => Drain::Done,
            kube_access::engine::Drain::Evicting(left) => Drain::Evicting(left),
            kube_access::engine::Drain::Blocked(budgets) => Drain::Blocked(budgets.join(", ")),
        })
    }

    async fn delete_node(&self, target: &Target, node: &str) -> Result<(), KubernetesError> {
        match self.engine(target).await?.delete_node(node).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => Ok(other?),
        }
    }
}
