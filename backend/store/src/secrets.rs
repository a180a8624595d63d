//! Secrets: sealed before they reach the database, each bound to its place so that a row moved elsewhere does not open.

use crate::engine::{self, Claim};
use crate::error::{CommitError, StoreError};
use crate::pool::{Store, read, write};
use domain::ids::{ClusterId, NodeId, TenantId};
use secrecy::SecretString;
use sqlx::PgConnection;

/// Whose secret it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretOwner {
    Cluster(ClusterId),
    Tenant(TenantId),
    /// A node of the cluster.
    Node(ClusterId, NodeId),
}

impl SecretOwner {
    fn word(&self) -> String {
        match self {
            Self::Cluster(id) => format!("cluster/{id}"),
            Self::Tenant(id) => format!("tenant/{id}"),
            Self::Node(_, id) => format!("node/{id}"),
        }
    }

    fn cluster(&self) -> Option<ClusterId> {
        match self {
            Self::Cluster(id) | Self::Node(id, _) => Some(*id),
            Self::Tenant(_) => None,
        }
    }

    /// What a sealed secret is bound to.
    fn identity(&self, kind: &str) -> Vec<u8> {
        format!("secrets/{}/{kind}", self.word()).into_bytes()
    }
}

impl Store {
    /// Opens a secret.
    pub async fn secret(&self, owner: &SecretOwner, kind: &str) -> Result<Option<SecretString>, StoreError> {
        let sealed = read(&self.engine, (owner.word(), kind.to_owned()), |db, (owner, kind)| Box::pin(find(db, owner, kind))).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.keys.open_text(&owner.identity(kind), &sealed);
        opened.map(Some).map_err(|e| StoreError::Unexpected(format!("secret {kind} of {}: {e}", owner.word())))
    }

    /// Seals and keeps a secret, in place of an earlier one, while the claim holds.
    pub async fn secret_put(&self, claim: &Claim, owner: &SecretOwner, kind: &str, value: &SecretString) -> Result<(), CommitError> {
        let sealed = self.keys.seal_text(&owner.identity(kind), value).map_err(|e| StoreError::Unexpected(e.to_string()))?;
        let data = (claim.key(), owner.word(), kind.to_owned(), owner.cluster(), sealed);
        write(&self.engine, data, |db, (key, owner, kind, cluster, sealed)| {
            Box::pin(async move {
                engine::hold(db, key).await?;
                put(db, owner, kind, *cluster, sealed).await?;
                Ok::<_, CommitError>(())
            })
        })
        .await
    }

    /// A secret of a cluster the caller was found to be allowed to see.
    pub async fn cluster_secret(&self, cluster: ClusterId, kind: &str) -> Result<Option<SecretString>, StoreError> {
        self.secret(&SecretOwner::Cluster(cluster), kind).await
    }
}

async fn find(db: &mut PgConnection, owner: &str, kind: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(sqlx::query_scalar!("SELECT sealed FROM secrets WHERE owner = $1 AND kind = $2", owner, kind).fetch_optional(db).await?)
}

async fn put(db: &mut PgConnection, owner: &str, kind: &str, cluster: Option<ClusterId>, sealed: &[u8]) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO secrets (owner, kind, cluster_id, sealed) VALUES ($1, $2, $3, $4)
         ON CONFLICT (owner, kind) DO UPDATE SET sealed = $4, written_at = now()",
        owner,
        kind,
        cluster.map(|c| c.0),
        sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}
