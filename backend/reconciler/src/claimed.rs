//! The journal of one claimed cluster in Postgres.

use crate::journal::{Journal, JournalError, Owner};
use async_trait::async_trait;
use domain::changes::{Change, Work};
use domain::ids::NodeId;
use domain::members::NamespaceAccess;
use secrecy::SecretString;
use std::time::Duration;
use store::{Claim, CommitError, SecretOwner, Store, StoreError};

/// The store through one claim.
pub struct Claimed<'a> {
    pub store: &'a Store,
    pub claim: &'a Claim,
}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<CommitError> for JournalError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Fenced => Self::Fenced,
            CommitError::Store(error) => error.into(),
        }
    }
}

impl Claimed<'_> {
    fn owner(&self, owner: Owner) -> SecretOwner {
        match owner {
            Owner::Cluster => SecretOwner::Cluster(self.claim.cluster),
            Owner::Tenant => SecretOwner::Tenant(self.claim.tenant.clone()),
            Owner::Node(node) => SecretOwner::Node(self.claim.cluster, node),
        }
    }
}

#[async_trait]
impl Journal for Claimed<'_> {
    async fn load(&self) -> Result<Work, JournalError> {
        Ok(self.store.load(self.claim).await?)
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), JournalError> {
        Ok(self.store.commit(self.claim, changes).await?)
    }

    async fn secret(&self, owner: Owner, name: &str) -> Result<Option<SecretString>, JournalError> {
        Ok(self.store.secret(&self.owner(owner), name).await?)
    }

    async fn put_secret(&self, owner: Owner, name: &str, value: &SecretString) -> Result<(), JournalError> {
        Ok(self.store.secret_put(self.claim, &self.owner(owner), name, value).await?)
    }

    async fn keep_secret(&self, owner: Owner, name: &str, fresh: &SecretString) -> Result<SecretString, JournalError> {
        Ok(self.store.secret_keep(self.claim, &self.owner(owner), name, fresh).await?)
    }

    async fn put_node_credential(&self, node: NodeId, token_hash: &[u8; 32], ttl: Duration) -> Result<(), JournalError> {
        Ok(self.store.node_credential_put(self.claim, node, *token_hash, ttl).await?)
    }

    async fn namespace_access(&self) -> Result<NamespaceAccess, JournalError> {
        Ok(self.store.namespace_access(self.claim.cluster).await?)
    }

    fn lease_left(&self) -> Duration {
        self.claim.left()
    }
}
