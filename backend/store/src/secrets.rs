//! Secrets: sealed before they reach the database, each bound to its place so that a row moved elsewhere does not open.

use crate::engine::{self, Claim};
use crate::error::{CommitError, StoreError};
use crate::orphans::Turn;
use crate::pool::{Store, read, write};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ids::{ClusterId, NodeId, TenantId};
use sealed::{KeyRing, MacKey};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use std::sync::PoisonError;

/// Whose secret it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SecretOwner {
    Cluster(ClusterId),
    Tenant(TenantId),
    /// A node of the cluster.
    Node(ClusterId, NodeId),
    /// All of KCS on this database.
    Installation,
}

impl SecretOwner {
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Cluster(id) => format!("cluster/{id}"),
            Self::Tenant(id) => format!("tenant/{id}"),
            Self::Node(_, id) => format!("node/{id}"),
            Self::Installation => "installation".to_owned(),
        }
    }

    fn cluster(&self) -> Option<ClusterId> {
        match self {
            Self::Cluster(id) | Self::Node(id, _) => Some(*id),
            Self::Tenant(_) | Self::Installation => None,
        }
    }

    /// What a sealed secret is bound to.
    pub(crate) fn identity(&self, kind: &str) -> Vec<u8> {
        identity(&self.word(), kind)
    }
}

/// The same, of a row as it is.
pub(crate) fn identity(owner: &str, kind: &str) -> Vec<u8> {
    format!("secrets/{owner}/{kind}").into_bytes()
}

impl Store {
    /// Opens a secret.
    pub async fn secret(&self, owner: &SecretOwner, kind: &str) -> Result<Option<SecretString>, StoreError> {
        let data = (self.keys.clone(), owner.clone(), kind.to_owned());
        read(&self.engine, data, |db, (keys, owner, kind)| Box::pin(opened(db, keys, owner, kind))).await
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

    /// The same of the tenant whose project is being looked through.
    pub async fn sweep_secret_put(&self, turn: &Turn, kind: &str, value: &SecretString) -> Result<(), StoreError> {
        let owner = SecretOwner::Tenant(turn.tenant.clone());
        let sealed = self.keys.seal_text(&owner.identity(kind), value).map_err(|e| StoreError::Unexpected(e.to_string()))?;
        write(&self.engine, (owner.word(), kind.to_owned(), sealed), |db, (owner, kind, sealed)| Box::pin(put(db, owner, kind, None, sealed))).await
    }

    /// Seals and keeps a secret unless there is one, while the claim holds; answers with the one that is kept.
    pub async fn secret_keep(&self, claim: &Claim, owner: &SecretOwner, kind: &str, fresh: &SecretString) -> Result<SecretString, CommitError> {
        let unexpected = |e: sealed::SealError| StoreError::Unexpected(format!("secret {kind} of {}: {e}", owner.word()));
        let sealed = self.keys.seal_text(&owner.identity(kind), fresh).map_err(unexpected)?;
        let data = (claim.key(), owner.clone(), kind.to_owned(), sealed);
        let kept = write(&self.engine, data, |db, (key, owner, kind, sealed)| {
            Box::pin(async move {
                engine::hold(db, key).await?;
                put_first(db, owner, kind, sealed).await?;
                Ok::<_, CommitError>(find(db, &owner.word(), kind).await?)
            })
        })
        .await?;
        let kept = kept.ok_or_else(|| StoreError::Unexpected(format!("secret {kind} of {} was not kept", owner.word())))?;
        Ok(self.keys.open_text(&owner.identity(kind), &kept).map_err(unexpected)?)
    }

    /// A key of the whole installation, made when it is asked for first and remembered by this process.
    pub async fn installation_key(&self, kind: &'static str) -> Result<MacKey, StoreError> {
        if let Some(key) = self.installation_keys.lock().unwrap_or_else(PoisonError::into_inner).get(kind) {
            return Ok(key.clone());
        }
        let data = (self.keys.clone(), kind);
        let found = read(&self.engine, data.clone(), |db, (keys, kind)| Box::pin(installation_key(db, keys, kind))).await?;
        let key = match found {
            Some(key) => key,
            None => write(&self.engine, data, |db, (keys, kind)| Box::pin(make_installation_key(db, keys, kind))).await?,
        };
        self.installation_keys.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, key.clone());
        Ok(key)
    }

    /// A secret of a cluster the caller was found to be allowed to see.
    pub async fn cluster_secret(&self, cluster: ClusterId, kind: &str) -> Result<Option<SecretString>, StoreError> {
        self.secret(&SecretOwner::Cluster(cluster), kind).await
    }
}

/// Finds and opens a secret.
pub(crate) async fn opened(db: &mut PgConnection, keys: &KeyRing, owner: &SecretOwner, kind: &str) -> Result<Option<SecretString>, StoreError> {
    let Some(sealed) = find(db, &owner.word(), kind).await? else { return Ok(None) };
    let opened = keys.open_text(&owner.identity(kind), &sealed);
    opened.map(Some).map_err(|e| StoreError::Unexpected(format!("secret {kind} of {}: {e}", owner.word())))
}

/// A key of the whole installation, if there is one.
pub(crate) async fn installation_key(db: &mut PgConnection, keys: &KeyRing, kind: &str) -> Result<Option<MacKey>, StoreError> {
    let Some(text) = opened(db, keys, &SecretOwner::Installation, kind).await? else { return Ok(None) };
    let bytes = STANDARD.decode(text.expose_secret()).map_err(|_| unreadable(kind))?;
    Ok(Some(MacKey::new(&bytes.into())))
}

/// The same, made where there is none; the one that is kept, whoever made it.
pub(crate) async fn make_installation_key(db: &mut PgConnection, keys: &KeyRing, kind: &str) -> Result<MacKey, StoreError> {
    let (owner, unexpected) = (SecretOwner::Installation, |e: sealed::SealError| StoreError::Unexpected(e.to_string()));
    let fresh = MacKey::generate().map_err(unexpected)?;
    let text = SecretString::from(STANDARD.encode(fresh.expose_secret()));
    let sealed = keys.seal_text(&owner.identity(kind), &text).map_err(unexpected)?;
    put_first(db, &owner, kind, &sealed).await?;
    installation_key(db, keys, kind).await?.ok_or_else(|| unreadable(kind))
}

fn unreadable(kind: &str) -> StoreError {
    StoreError::Unexpected(format!("the installation's key {kind} cannot be read"))
}

async fn find(db: &mut PgConnection, owner: &str, kind: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(sqlx::query_scalar!("SELECT sealed FROM secrets WHERE owner = $1 AND kind = $2", owner, kind).fetch_optional(db).await?)
}

pub(crate) async fn put(db: &mut PgConnection, owner: &str, kind: &str, cluster: Option<ClusterId>, sealed: &[u8]) -> Result<(), StoreError> {
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

/// Keeps a secret unless there is one.
async fn put_first(db: &mut PgConnection, owner: &SecretOwner, kind: &str, sealed: &[u8]) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO secrets (owner, kind, cluster_id, sealed) VALUES ($1, $2, $3, $4) ON CONFLICT (owner, kind) DO NOTHING",
        owner.word(),
        kind,
        owner.cluster().map(|c| c.0),
        sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets a secret. One that is not there is no error.
pub(crate) async fn forget(db: &mut PgConnection, owner: &str, kind: &str) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM secrets WHERE owner = $1 AND kind = $2", owner, kind).execute(db).await?;
    Ok(())
}
