//! What a pass needs of the store, bound to one fenced claim of one cluster. Postgres implements it; the chaos tests have one in memory.

use async_trait::async_trait;
use domain::changes::{Change, Work};
use domain::ids::NodeId;
use domain::members::NamespaceAccess;
use secrecy::SecretString;
use std::time::Duration;

/// Whose secret it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// Of the claimed cluster; erased with it.
    Cluster,
    /// Of the cluster's tenant; shared by its clusters.
    Tenant,
    /// Of one node; erased with it.
    Node(NodeId),
}

/// The names of secrets.
pub mod secret {
    /// The cluster's certificate authorities and service account key (JSON).
    pub const PKI: &str = "pki";
    /// `{id, secret}` of the application credential the engine works with.
    pub const APPLICATION_CREDENTIAL: &str = "application_credential";
    /// The same of the one that is to take its place.
    pub const NEXT_CREDENTIAL: &str = "next_credential";
    /// `{user_id, password}` of the tenant's service user.
    pub const SERVICE_USER: &str = "service_user";
    /// The kubeadm token a node joins with.
    pub const JOIN_TOKEN: &str = "join_token";
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Somebody else holds the cluster now: stop at once, write nothing.
    #[error("the claim on the cluster was lost")]
    Fenced,
    #[error("the store does not answer: {0}")]
    Unavailable(String),
}

/// The store as seen through one claim.
#[async_trait]
pub trait Journal: Send + Sync {
    async fn load(&self) -> Result<Work, JournalError>;
    /// All or nothing, only while the claim holds.
    async fn commit(&self, changes: &[Change]) -> Result<(), JournalError>;
    async fn secret(&self, owner: Owner, name: &str) -> Result<Option<SecretString>, JournalError>;
    async fn put_secret(&self, owner: Owner, name: &str, value: &SecretString) -> Result<(), JournalError>;
    /// Keeps `fresh` unless there is one already, and answers with what is kept: of several who make a secret at once, all use the same.
    async fn keep_secret(&self, owner: Owner, name: &str, fresh: &SecretString) -> Result<SecretString, JournalError>;
    /// Lets a node fetch its bundle once within `ttl` with the token of this hash. An earlier one of the node is void.
    async fn put_node_credential(&self, node: NodeId, token_hash: &[u8; 32], ttl: Duration) -> Result<(), JournalError>;
    /// Who comes into single namespaces of the cluster only.
    async fn namespace_access(&self) -> Result<NamespaceAccess, JournalError>;
    /// Time for which the claim surely holds: no cloud call is begun with less than its own time limit left.
    fn lease_left(&self) -> Duration;
}
