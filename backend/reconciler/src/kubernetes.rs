//! What the engine asks of a cluster's own API.

use async_trait::async_trait;
use domain::ids::ClusterId;
use sealed::ClusterPki;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a cluster's API is and what proves it.
#[derive(Clone)]
pub struct Target {
    pub cluster: ClusterId,
    /// `https://<floating IP>:6443`
    pub endpoint: String,
    pub pki: Arc<ClusterPki>,
}

/// How far emptying a node has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Nothing is left on it.
    Done,
    /// Pods still going.
    Evicting(usize),
    /// A disruption budget stands in the way: its name.
    Blocked(String),
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KubernetesError(pub String);

#[async_trait]
pub trait KubernetesApi: Send + Sync {
    /// Whether each node is Ready; None where the control plane does not know. An error: the API does not answer.
    async fn nodes(&self, target: &Target) -> Result<BTreeMap<String, Option<bool>>, KubernetesError>;
    /// The rules by which the gateway may impersonate and the tenant's groups may act.
    async fn ensure_access(&self, target: &Target) -> Result<(), KubernetesError>;
    /// A kubeadm token good for one hour.
    async fn ensure_join_token(&self, target: &Target, token: &SecretString) -> Result<(), KubernetesError>;
    /// Cordons, then evicts what may go now; to be repeated until `Done`.
    async fn drain(&self, target: &Target, node: &str) -> Result<Drain, KubernetesError>;
    async fn delete_node(&self, target: &Target, node: &str) -> Result<(), KubernetesError>;
}
