//! Kubeconfigs issued to people: only the hash of each one's token is kept.

use crate::admissions;
use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::{announce, announce_person};
use crate::clusters;
use crate::error::StoreError;
use crate::pool::{Store, read, statement, write};
use crate::standing;
use auth::{KubeconfigIssue, KubeconfigRevoke, KubeconfigRevokeAll, MembersManage, Narrowing, Permit, Project, Resource, Rights, Scope, User};
use domain::clusters::ClusterEndpoint;
use domain::codes::Code;
use domain::ids::{ClusterId, KubeconfigId, TenantId};
use domain::permissions::Role;
use domain::settings::ApiExposure;
use sealed::TokenHash;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Most kubeconfigs that are good at once of a person in a cluster.
const MOST: i64 = 100;
/// The last use is noted once in this time: it is shown to people.
const USE_NOTED_EVERY: Duration = Duration::minutes(1);

/// A kubeconfig to be issued.
#[derive(Clone, Debug)]
pub struct NewKubeconfig {
    pub name: String,
    pub token_hash: TokenHash,
    pub narrowing: Narrowing,
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
    /// The person's roles when Keystone was last asked.
    pub roles: Vec<Role>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
    pub last_used_at: Option<OffsetDateTime>,
    /// When Keystone last confirmed the person.
    pub checked_at: OffsetDateTime,
    pub narrowing: Narrowing,
}

impl Resource for KubeconfigRecord {
    type Id = KubeconfigId;
    fn id(&self) -> KubeconfigId {
        self.id
    }
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn cluster(&self) -> Option<ClusterId> {
        Some(self.cluster)
    }
}

/// A kubeconfig in use, with the way into its cluster and the project of that.
#[derive(Clone, Debug)]
pub struct KubeconfigUse {
    pub kubeconfig: KubeconfigRecord,
    pub cluster: ClusterEndpoint,
    /// What the project's owners gave the person; None: nothing was said.
    pub given: Option<Rights>,
    pub project: Project,
}

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    tenant_id: String,
    name: String,
    user_id: String,
    user_name: String,
    user_domain: String,
    roles: Json<Vec<Role>>,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
    checked_at: OffsetDateTime,
    narrowing: Json<Narrowing>,
}

impl From<Row> for KubeconfigRecord {
    fn from(row: Row) -> Self {
        Self {
            id: KubeconfigId(row.id),
            cluster: ClusterId(row.cluster_id),
            tenant: TenantId(row.tenant_id),
            name: row.name,
            user: User { id: row.user_id, name: row.user_name, domain: row.user_domain },
            roles: row.roles.0,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            checked_at: row.checked_at,
            narrowing: row.narrowing.0,
        }
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

    /// Makes all of a cluster worthless, or all of one person's in it; answers how many those were.
    pub async fn kubeconfig_revoke_all(
        &self,
        permit: Permit<KubeconfigRevokeAll>,
        user: Option<String>,
        context: RequestContext,
    ) -> Result<u64, StoreError> {
        write(&self.api, (permit, user, context), |db, (permit, user, context)| Box::pin(revoke_all(db, permit, user.as_deref(), context))).await
    }

    /// Makes all of a person's in the project worthless; answers how many those were. None: whoever holds none here is nobody here.
    pub async fn kubeconfig_revoke_of(&self, permit: Permit<MembersManage>, user: String, context: RequestContext) -> Result<u64, StoreError> {
        write(&self.api, (permit, user, context), |db, (permit, user, context)| Box::pin(revoke_of(db, permit, user, context))).await
    }

    /// Keystone confirmed the person, with these roles; none: the person has no place in the project now.
    pub async fn kubeconfig_checked(
        &self,
        id: KubeconfigId,
        token: &TokenHash,
        project: &TenantId,
        user: &str,
        roles: Vec<Role>,
    ) -> Result<(), StoreError> {
        let checked = write(&self.api, (id, project.clone(), user.to_owned(), roles), |db, (id, project, user, roles)| {
            Box::pin(async move {
                let was_gone = standing::is_gone(db, project, user).await?;
                sqlx::query!("UPDATE kubeconfigs SET checked_at = now(), roles = $2 WHERE id = $1", id.0, Json(roles) as _).execute(&mut *db).await?;
                standing::checked(db, project, user, was_gone).await
            })
        });
        checked.await?;
        self.hub.admissions.forget(token);
        Ok(())
    }

    /// The one a token belongs to, if it is good now: not expired, not revoked, its cluster there. Notes the use, at most once a minute. The database is not
    /// asked as long as it must say what it said before.
    pub async fn kubeconfig_by_token(&self, token: TokenHash) -> Result<Option<KubeconfigUse>, StoreError> {
        let admissions = &self.hub.admissions;
        if let Some(found) = admissions.get(&token) {
            return Ok(Some(found));
        }
        self.hub.start();
        let ticket = admissions.ticket();
        let found = statement(&self.near.questions(), token, |db, token| Box::pin(by_token(db, token))).await?;
        Ok(found.map(|(found, left)| {
            admissions.keep(ticket, token, &found, left);
            found
        }))
    }
}

async fn list(db: &mut PgConnection, scope: &Scope, cluster: ClusterId) -> Result<Vec<KubeconfigRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.cluster_id, c.tenant_id, k.name, k.user_id, k.user_name, k.user_domain, k.roles AS "roles: Json<Vec<Role>>",
                  k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.checked_at, k.narrowing AS "narrowing: Json<Narrowing>"
           FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id
           WHERE k.cluster_id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) AND ($3::uuid[] IS NULL OR c.id = ANY($3)) ORDER BY k.created_at DESC"#,
        cluster.0,
        scope.predicate(),
        scope.clusters(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(KubeconfigRecord::from).collect())
}

async fn find(db: &mut PgConnection, scope: &Scope, id: KubeconfigId) -> Result<KubeconfigRecord, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.cluster_id, c.tenant_id, k.name, k.user_id, k.user_name, k.user_domain, k.roles AS "roles: Json<Vec<Role>>",
                  k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.checked_at, k.narrowing AS "narrowing: Json<Narrowing>"
           FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id
           WHERE k.id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) AND ($3::uuid[] IS NULL OR c.id = ANY($3))"#,
        id.0,
        scope.predicate(),
        scope.clusters(),
    )
    .fetch_optional(db)
    .await?;
    row.map(KubeconfigRecord::from).ok_or(StoreError::NotFound)
}

async fn issue(
    db: &mut PgConnection,
    permit: &Permit<KubeconfigIssue>,
    new: &NewKubeconfig,
    context: &RequestContext,
) -> Result<KubeconfigRecord, StoreError> {
    let cluster = clusters::lock(db, permit.tenant(), *permit.id()).await?;
    let (id, actor) = (KubeconfigId::generate(), permit.actor());
    let good = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM kubeconfigs WHERE cluster_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()"#,
        cluster.id.0,
        actor.user.id,
    );
    if good.fetch_one(&mut *db).await? >= MOST {
        return Err(StoreError::Refused(Code::KubeconfigQuota));
    }
    sqlx::query!(
        "INSERT INTO kubeconfigs (id, cluster_id, name, token_hash, user_id, user_name, user_domain, roles, expires_at, narrowing)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        id.0,
        cluster.id.0,
        new.name,
        new.token_hash.as_bytes() as &[u8],
        actor.user.id,
        actor.user.name,
        actor.user.domain,
        Json(&actor.roles) as _,
        new.expires_at,
        Json(&new.narrowing) as _,
    )
    .execute(&mut *db)
    .await?;
    let entry = AuditEntry::new(actor, "kubeconfig_issue", "kubeconfig", id).cluster(cluster.id).outcome("done");
    let entry = entry.detail(json!({ "name": new.name, "narrowing": new.narrowing }));
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
    // Also where it was revoked already.
    admissions::shut_out(db).await?;
    let cluster = ClusterId(row.cluster_id);
    let entry = AuditEntry::new(permit.actor(), "kubeconfig_revoke", "kubeconfig", permit.id()).cluster(cluster).outcome("done");
    append(db, &entry, context).await?;
    announce(db, permit.tenant(), cluster, None).await
}

async fn revoke_all(
    db: &mut PgConnection,
    permit: &Permit<KubeconfigRevokeAll>,
    user: Option<&str>,
    context: &RequestContext,
) -> Result<u64, StoreError> {
    let cluster = *permit.id();
    let revoked = sqlx::query!(
        "UPDATE kubeconfigs k SET revoked_at = now() FROM clusters c
         WHERE k.cluster_id = $1 AND c.id = k.cluster_id AND c.tenant_id = $2 AND k.revoked_at IS NULL AND k.expires_at > now()
           AND ($3::text IS NULL OR k.user_id = $3)",
        cluster.0,
        permit.tenant().0,
        user,
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    // Also where all were revoked already.
    admissions::shut_out(db).await?;
    let entry = AuditEntry::new(permit.actor(), "kubeconfig_revoke_all", "cluster", cluster).cluster(cluster).outcome("done");
    append(db, &entry.detail(json!({ "user": user, "count": revoked })), context).await?;
    announce(db, permit.tenant(), cluster, None).await?;
    Ok(revoked)
}

async fn revoke_of(db: &mut PgConnection, permit: &Permit<MembersManage>, user: &str, context: &RequestContext) -> Result<u64, StoreError> {
    let revoked = sqlx::query!(
        "UPDATE kubeconfigs k SET revoked_at = now() FROM clusters c
         WHERE k.user_id = $1 AND c.id = k.cluster_id AND c.tenant_id = $2 AND k.revoked_at IS NULL AND k.expires_at > now()",
        user,
        permit.tenant().0,
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    if revoked == 0 {
        // Somebody may have revoked them just now.
        admissions::shut_out(db).await?;
        return Ok(0);
    }
    let entry = AuditEntry::new(permit.actor(), "kubeconfig_revoke_all", "person", user).outcome("done");
    append(db, &entry.detail(json!({ "user": user, "count": revoked })), context).await?;
    announce_person(db, user).await?;
    Ok(revoked)
}

/// All that a request into a cluster has to know, and no more, in one statement; and how long until it expires, by the database's clock. What it reads, a trigger
/// watches (`migrations/0023_access_leases.sql`).
async fn by_token(db: &mut PgConnection, token: &TokenHash) -> Result<Option<(KubeconfigUse, std::time::Duration)>, StoreError> {
    let found = sqlx::query!(
        r#"SELECT k.id, k.cluster_id, k.name, k.user_id, k.user_name, k.user_domain, k.roles AS "roles: Json<Vec<Role>>",
                  k.created_at, k.expires_at, k.revoked_at, k.last_used_at, k.checked_at, k.narrowing AS "narrowing: Json<Narrowing>",
                  member_rights(c.tenant_id, k.user_id) AS "given: Json<Rights>", c.tenant_id, t.name AS tenant_name,
                  c.status ->> 'api_endpoint' AS api_endpoint, c.spec -> 'api' -> 'exposure' AS "exposure: Json<ApiExposure>", now() AS "now!"
           FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id JOIN tenants t ON t.id = c.tenant_id
           WHERE k.token_hash = $1 AND k.revoked_at IS NULL AND k.expires_at > now() AND c.deleted_at IS NULL"#,
        token.as_bytes() as &[u8],
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = found else { return Ok(None) };
    if row.last_used_at.is_none_or(|last| row.now - last > USE_NOTED_EVERY) {
        sqlx::query!("UPDATE kubeconfigs SET last_used_at = now() WHERE id = $1", row.id).execute(&mut *db).await?;
    }
    let left = (row.expires_at - row.now).try_into().unwrap_or_default();
    let kubeconfig = Row {
        id: row.id,
        cluster_id: row.cluster_id,
        tenant_id: row.tenant_id.clone(),
        name: row.name,
        user_id: row.user_id,
        user_name: row.user_name,
        user_domain: row.user_domain,
        roles: row.roles,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
        checked_at: row.checked_at,
        narrowing: row.narrowing,
    };
    let cluster = ClusterEndpoint {
        id: ClusterId(row.cluster_id),
        tenant: TenantId(row.tenant_id.clone()),
        url: row.api_endpoint,
        // What the specification does not say is as its type says.
        exposure: row.exposure.map(|exposure| exposure.0).unwrap_or_default(),
    };
    let project = Project { id: TenantId(row.tenant_id), name: row.tenant_name };
    Ok(Some((KubeconfigUse { kubeconfig: kubeconfig.into(), cluster, given: row.given.map(|given| given.0), project }, left)))
}
