//! What the engine asks of a cluster's own API.

use async_trait::async_trait;
use domain::ids::ClusterId;
use domain::members::NamespaceAccess;
use ipnet::Ipv4Net;
use sealed::ClusterPki;
use secrecy::SecretString;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where a cluster's API is and what proves it.
#[derive(Clone)]
pub struct Target {
    pub cluster: ClusterId,
    /// `https://<floating IP>:6443`, or the address inside the cluster's network.
    pub endpoint: String,
    /// Reached by the way the operator configured for private APIs.
    pub private: bool,
    pub pki: Arc<ClusterPki>,
}

/// What of the rules by which people get in is left to do.
pub use kube_access::engine::AccessLeft;
/// What identifies an object (`Kind/namespace/name`), and a word that changes when somebody changes it.
pub use kube_access::engine::Marks;
/// How far writing all Secrets anew is.
pub use kube_access::engine::Rewriting;
/// A Deployment or DaemonSet of an add-on.
pub use kube_access::engine::Workload as WorkloadSeen;

/// How far emptying a node has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Nothing is left on it.
    Done,
    /// Pods still going.
    Evicting(usize),
    /// Nothing moves: the pods, and the API server's words for what stands in the way.
    Blocked(String),
}

/// A master's member of etcd, by the node's name and address: one that never started has no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub address: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    #[error("{0}")]
    Failed(String),
    /// No connection is opened to the API's address: waiting does not help.
    #[error("{0}")]
    NeverDialled(String),
}

#[async_trait]
pub trait KubernetesApi: Send + Sync {
    /// Whether each node is Ready; None where the control plane does not know. An error: the API does not answer.
    async fn nodes(&self, target: &Target) -> Result<BTreeMap<String, Option<bool>>, KubernetesError>;
    /// The rules by which the gateway may impersonate, and the tenant's groups and whoever comes into single namespaces may act.
    async fn ensure_access(&self, target: &Target, namespaces: &NamespaceAccess) -> Result<AccessLeft, KubernetesError>;
    /// A kubeadm token good for one hour.
    async fn ensure_join_token(&self, target: &Target, token: &SecretString) -> Result<(), KubernetesError>;
    /// Cordons, then evicts what may go now; to be repeated until `Done`. A node that is gone is drained.
    async fn drain(&self, target: &Target, node: &str) -> Result<Drain, KubernetesError>;
    /// Takes a master's member out of etcd, speaking to etcd on the master `through`; one that is not there is no error.
    async fn remove_member(&self, target: &Target, through: &str, member: &Member) -> Result<(), KubernetesError>;
    /// How many volumes Kubernetes still holds attached to the node, whether that is there or not. `off`: its server surely does not run, so its pods and
    /// volumes are let go without asking it; to be repeated until there are none.
    async fn attachments(&self, target: &Target, node: &str, off: bool) -> Result<usize, KubernetesError>;
    async fn delete_node(&self, target: &Target, node: &str) -> Result<(), KubernetesError>;
    /// Server-side apply of objects that do not depend on each other.
    async fn apply(&self, target: &Target, objects: &[&Value]) -> Result<(), KubernetesError>;
    /// How the objects of these kinds are that carry the label.
    async fn marks(&self, target: &Target, kinds: &BTreeSet<String>, label: &str) -> Result<Marks, KubernetesError>;
    /// Makes a storage class the default where nobody has chosen.
    async fn choose_default_class(&self, target: &Target, name: &str) -> Result<(), KubernetesError>;
    /// The Deployments and DaemonSets that carry the label, and the name service under the name `dns`.
    async fn workloads(&self, target: &Target, label: &str, dns: &str) -> Result<Vec<WorkloadSeen>, KubernetesError>;
    async fn namespaces(&self, target: &Target) -> Result<Vec<String>, KubernetesError>;
    /// The ranges from which nodes give their pods addresses.
    async fn pod_ranges(&self, target: &Target) -> Result<BTreeSet<Ipv4Net>, KubernetesError>;
    /// Puts one more page of the cluster's Secrets back as they were read. An error: that page is to be done again.
    async fn rewrite_secrets(&self, target: &Target, so_far: &Rewriting) -> Result<Rewriting, KubernetesError>;
}
