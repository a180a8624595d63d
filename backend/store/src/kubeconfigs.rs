//! Kubeconfigs issued to people: only the hash of each one's token is kept.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce;
use crate::clusters;
use crate::error::StoreError;
use crate::pool::{Store, read, write};
use auth::{KubeconfigIssue, KubeconfigRevoke, Permit, Project, Resource, Scope, User};
use domain::ids::{ClusterId, KubeconfigId, TenantId};
use domain::permissions::Role;
use sealed::TokenHash;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// A kubeconfig to be issued.
#[derive(Clone, Debug)]
pub struct NewKubeconfig {
    pub name: String,
    pub token_hash: TokenHash,
    pub expires_at: OffsetDateTime,
}

/// An issued kubeconfig, whoever's.
#[derive(Clone, Debug)]
pub struct KubeconfigRecord {
    pub id: KubeconfigId,
    pub cluster: ClusterId,
    pub tenant: TenantId,
    pub name: String,
    pub user: User,
    /// The person's roles when it was issued.
    pub roles: Vec<Role>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
    pub last_used_at: Option<OffsetDateTime>,
}

impl Resource for KubeconfigRecord {
    type Id = KubeconfigId;
    fn id(&self) -> KubeconfigId {
        self.id
    }
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

/// A kubeconfig in use, with the project of its cluster.
#[derive(Clone, Debug)]
pub struct KubeconfigUse {
    pub kubeconfig: KubeconfigRecord,
    pub project: Project,
}

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    tenant_id: String,
    tenant_name: String,
    name: String,
    user_id: String,
    user_name: String,
    user_domain: String,
    roles: Json<Vec<Role>>,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl From<Row> for KubeconfigUse {
    fn from(row: Row) -> Self {
        let project = Project { id: TenantId(row.tenant_id), name: row.tenant_name };
        let kubeconfig = KubeconfigRecord {
            id: KubeconfigId(row.id),
            cluster: ClusterId(row.cluster_id),
            tenant: project.id.clone(),
            name: row.name,
            user: User { id: row.user_id, name: row.user_name, domain: row.user_domain },
            roles: row.roles.0,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        };
        Self { kubeconfig, project }
    }
}

impl Store {
    /// All of a cluster in reach, newest first.
    pub async fn kubeconfigs(&self, scope: &Scope, cluster: ClusterId) -> Result<Vec<KubeconfigRecord>, StoreError> {
        read(&self.api, (scope.clone(), cluster), |db, (scope, cluster)| Box::pin(list(db, scope, *cluster))).await
    }

    pub async fn kubeconfig(&self, scope: &Scope, id: KubeconfigId) -> Result<KubeconfigRecord, StoreError> {
        read(&self.api, (scope.clone(), id), |db, (scope, id)| Box::pin(find(db, scope, *id))).await
    }

    pub async fn kubeconfig_issue(
        &self,
        permit: Permit<KubeconfigIssue>,
        new: NewKubeconfig,
        context: RequestContext,
    ) -> Result<KubeconfigRecord, StoreError> {
        write(&self.api, (permit, new, context), |db, (permit, new, context)| Box::pin(issue(db, permit, new, context))).await
    }

    /// From its commit on no call with it is answered; whoever holds a stream open with it is told.
    pub async fn kubeconfig_revoke(&self, permit: Permit<KubeconfigRevoke>, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (permit, context), |db, (permit, context)| Box::pin(revoke(db, permit, context))).await
    }

    /// The one a token belongs to, if it is good now: not expired, not revoked, its cluster there. Notes the use, at most once a minute.
    pub async fn kubeconfig_by_token(&self, token: TokenHash) -> Result<Option<KubeconfigUse>, StoreError> {
        read(&self.api, token, |db, token| Box::pin(by_token(db, token))).await
    }
}

async fn list(db: &mut PgConnection, scope: &Scope, cluster: ClusterId) -> Result<Vec<KubeconfigRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.cluster_id, c.tenant_id, t.name AS tenant_name, k.name, k.user_id, k.user_name, k.user_domain,
                  k.roles AS "roles: Json<Vec<Role>>", k.created_at, k.expires_at, k.revoked_at, k.last_used_at
           FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id JOIN tenants t ON t.id = c.tenant_id
           WHERE k.cluster_id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) ORDER BY k.created_at DESC"#,
        cluster.0,
        scope.predicate(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| KubeconfigUse::from(r).kubeconfig).collect())
}

async fn find(db: &mut PgConnection, scope: &Scope, id: KubeconfigId) -> Result<KubeconfigRecord, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.cluster_id, c.tenant_id, t.name AS tenant_name, k.name, k.user_id, k.user_name, k.user_domain,
                  k.roles AS "roles: Json<Vec<Role>>", k.created_at, k.expires_at, k.revoked_at, k.last_used_at
           FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id JOIN tenants t ON t.id = c.tenant_id
           WHERE k.id = $1 AND ($2::text IS NULL OR c.tenant_id = $2)"#,
        id.0,
        scope.predicate(),
    )
    .fetch_optional(db)
    .await?;
    row.map(|r| KubeconfigUse::from(r).kubeconfig).ok_or(StoreError::NotFound)
}

async fn issue(
    db: &mut PgConnection,
    permit: &Permit<KubeconfigIssue>,
    new: &NewKubeconfig,
    context: &RequestContext,
) -> Result<KubeconfigRecord, StoreError> {
    let cluster = clusters::lock(db, permit.tenant(), *permit.id()).await?;
    let (id, actor) = (KubeconfigId::generate(), permit.actor());
    sqlx::query!(
        "INSERT INTO kubeconfigs (id, cluster_id, name, token_hash, user_id, user_name, user_domain, roles, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.0,
        cluster.id.0,
        new.name,
        new.token_hash.as_bytes() as &[u8],
        actor.user.id,
        actor.user.name,
        actor.user.domain,
        Json(&actor.roles) as _,
        new.expires_at,
    )
    .execute(&mut *db)
    .await?;
    let entry = AuditEntry {
        actor: actor.clone(),
        action: "kubeconfig_issue",
        object_kind: "kubeconfig",
        object_id: id.to_string(),
        outcome: "done",
        detail: json!({ "cluster": cluster.id, "name": new.name }),
    };
    append(db, &entry, context).await?;
    find(db, &actor.scope(), id).await
}

async fn revoke(db: &mut PgConnection, permit: &Permit<KubeconfigRevoke>, context: &RequestContext) -> Result<(), StoreError> {
    let row = sqlx::query!(
        "UPDATE kubeconfigs k SET revoked_at = COALESCE(k.revoked_at, now()) FROM clusters c
         WHERE k.id = $1 AND c.id = k.cluster_id AND c.tenant_id = $2 RETURNING k.cluster_id",
        permit.id().0,
        permit.tenant().0,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::NotFound)?;
    let entry = AuditEntry {
        actor: permit.actor().clone(),
        action: "kubeconfig_revoke",
        object_kind: "kubeconfig",
        object_id: permit.id().to_string(),
        outcome: "done",
        detail: json!({ "cluster": row.cluster_id }),
    };
    append(db, &entry, context).await?;
    announce(db, permit.tenant(), ClusterId(row.cluster_id), None).await
}

async fn by_token(db: &mut PgConnection, token: &TokenHash) -> Result<Option<KubeconfigUse>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.cluster_id, c.tenant_id, t.name AS tenant_name, k.name, k.user_id, k.user_name, k.user_domain,
                  k.roles AS "roles: Json<Vec<Role>>", k.created_at, k.expires_at, k.revoked_at, k.last_used_at
           FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id JOIN tenants t ON t.id = c.tenant_id
           WHERE k.token_hash = $1 AND k.revoked_at IS NULL AND k.expires_at > now() AND c.deleted_at IS NULL"#,
        token.as_bytes() as &[u8],
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query!(
        "UPDATE kubeconfigs SET last_used_at = now() WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')",
        row.id,
    )
    .execute(db)
    .await?;
    Ok(Some(row.into()))
}
