//! API tokens of people: only the hash of each is kept.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce_person;
use crate::error::StoreError;
use crate::pool::{Store, read, statement, write};
use crate::standing;
use auth::{Narrowing, Permit, Project, Resource, Rights, Scope, TokenCreate, TokenRevoke, User};
use domain::codes::Code;
use domain::ids::{ClusterId, TenantId, TokenId};
use domain::permissions::Role;
use ipnet::IpNet;
use sealed::TokenHash;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Most tokens that are good at once of a person in a project.
const MOST: i64 = 100;
/// A use is noted once in this time.
const NOTE_USE: Duration = Duration::minutes(1);

/// A token to be kept.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub token_hash: TokenHash,
    pub narrowing: Narrowing,
    /// Where it may come from; none: from anywhere.
    pub cidrs: Vec<IpNet>,
    pub expires_at: OffsetDateTime,
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRecord {
    pub id: TokenId,
    pub project: Project,
    pub name: String,
    pub user: User,
    /// The owner's roles when Keystone was last asked.
    pub roles: Vec<Role>,
    pub checked_at: OffsetDateTime,
    pub narrowing: Narrowing,
    pub cidrs: Vec<IpNet>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
    pub last_used_at: Option<OffsetDateTime>,
    /// The address it was last used from.
    pub last_used_from: Option<String>,
    /// What the project's owners gave the person; None: nothing was said.
    pub given: Option<Rights>,
}

impl Resource for TokenRecord {
    type Id = TokenId;
    fn id(&self) -> TokenId {
        self.id
    }
    fn tenant(&self) -> &TenantId {
        &self.project.id
    }
    fn cluster(&self) -> Option<ClusterId> {
        None
    }
}

struct Row {
    id: Uuid,
    tenant_id: String,
    tenant_name: String,
    name: String,
    user_id: String,
    user_name: String,
    user_domain: String,
    roles: Json<Vec<Role>>,
    checked_at: OffsetDateTime,
    narrowing: Json<Narrowing>,
    cidrs: Json<Vec<IpNet>>,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
    last_used_from: Option<String>,
    given: Option<Json<Rights>>,
}

impl From<Row> for TokenRecord {
    fn from(row: Row) -> Self {
        Self {
            id: TokenId(row.id),
            project: Project { id: TenantId(row.tenant_id), name: row.tenant_name },
            name: row.name,
            user: User { id: row.user_id, name: row.user_name, domain: row.user_domain },
            roles: row.roles.0,
            checked_at: row.checked_at,
            narrowing: row.narrowing.0,
            cidrs: row.cidrs.0,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            last_used_from: row.last_used_from,
            given: row.given.map(|given| given.0),
        }
    }
}

/// Which tokens are meant.
enum Wanted<'a> {
    /// A person's, or everybody's.
    Of(Option<&'a str>),
    One(TokenId),
}

impl Store {
    /// Tokens of a person, or of everybody, that are good or ended within thirty days, newest first.
    pub async fn tokens(&self, scope: &Scope, user: Option<String>) -> Result<Vec<TokenRecord>, StoreError> {
        read(&self.api, (scope.clone(), user), |db, (scope, user)| Box::pin(find(db, scope, Wanted::Of(user.as_deref())))).await
    }

    pub async fn token(&self, scope: &Scope, id: TokenId) -> Result<TokenRecord, StoreError> {
        let found = read(&self.api, (scope.clone(), id), |db, (scope, id)| Box::pin(find(db, scope, Wanted::One(*id)))).await?;
        found.into_iter().next().ok_or(StoreError::NotFound)
    }

    pub async fn token_create(&self, permit: Permit<TokenCreate>, new: NewToken, context: RequestContext) -> Result<TokenRecord, StoreError> {
        write(&self.api, (permit, new, context), |db, (permit, new, context)| Box::pin(create(db, permit, new, context))).await
    }

    /// From its commit on no call with it is answered; whoever holds a stream open with it is told.
    pub async fn token_revoke(&self, permit: Permit<TokenRevoke>, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (permit, context), |db, (permit, context)| Box::pin(revoke(db, permit, context))).await
    }

    /// The one with this hash, if it is good now. Notes the use and from where, at most once a minute.
    pub async fn token_by_hash(&self, token: TokenHash, source: String) -> Result<Option<TokenRecord>, StoreError> {
        statement(&self.near.questions(), (token, source), |db, (token, source)| Box::pin(by_hash(db, token, source))).await
    }

    /// Keystone confirmed the owner, with these roles; none: the person has no place in the project now.
    pub async fn token_checked(&self, id: TokenId, project: &TenantId, user: &str, roles: Vec<Role>) -> Result<(), StoreError> {
        write(&self.api, (id, project.clone(), user.to_owned(), roles), |db, (id, project, user, roles)| {
            Box::pin(async move {
                let was_gone = standing::is_gone(db, project, user).await?;
                sqlx::query!("UPDATE api_tokens SET checked_at = now(), roles = $2 WHERE id = $1", id.0, Json(roles) as _).execute(&mut *db).await?;
                standing::checked(db, project, user, was_gone).await
            })
        })
        .await
    }
}

async fn find(db: &mut PgConnection, scope: &Scope, wanted: Wanted<'_>) -> Result<Vec<TokenRecord>, StoreError> {
    let (user, id) = match wanted {
        Wanted::Of(user) => (user, None),
        Wanted::One(id) => (None, Some(id.0)),
    };
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.tenant_id, t.name AS tenant_name, k.name, k.user_id, k.user_name, k.user_domain, k.roles AS "roles: Json<Vec<Role>>",
                  k.checked_at, k.narrowing AS "narrowing: Json<Narrowing>", k.cidrs AS "cidrs: Json<Vec<IpNet>>", k.created_at, k.expires_at,
                  k.revoked_at, k.last_used_at, k.last_used_from, member_rights(k.tenant_id, k.user_id) AS "given: Json<Rights>"
           FROM api_tokens k JOIN tenants t ON t.id = k.tenant_id
           WHERE ($1::text IS NULL OR k.tenant_id = $1) AND ($2::text IS NULL OR k.user_id = $2) AND ($3::uuid IS NULL OR k.id = $3)
             AND ($3::uuid IS NOT NULL OR LEAST(k.revoked_at, k.expires_at) > now() - interval '30 days')
           ORDER BY k.created_at DESC, k.id LIMIT 1000"#,
        scope.predicate(),
        user,
        id,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(TokenRecord::from).collect())
}

pub(crate) async fn create(
    db: &mut PgConnection,
    permit: &Permit<TokenCreate>,
    new: &NewToken,
    context: &RequestContext,
) -> Result<TokenRecord, StoreError> {
    let (id, actor) = (TokenId::generate(), permit.actor());
    crate::clusters::ensure_tenant(db, &actor.project).await?;
    let good = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM api_tokens WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()"#,
        actor.project.id.0,
        actor.user.id,
    );
    if good.fetch_one(&mut *db).await? >= MOST {
        return Err(StoreError::Refused(Code::TokenQuota));
    }
    sqlx::query!(
        "INSERT INTO api_tokens (id, tenant_id, name, token_hash, user_id, user_name, user_domain, roles, narrowing, cidrs, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id.0,
        actor.project.id.0,
        new.name,
        new.token_hash.as_bytes() as &[u8],
        actor.user.id,
        actor.user.name,
        actor.user.domain,
        Json(&actor.roles) as _,
        Json(&new.narrowing) as _,
        Json(&new.cidrs) as _,
        new.expires_at,
    )
    .execute(&mut *db)
    .await?;
    let detail = json!({ "name": new.name, "narrowing": new.narrowing, "cidrs": new.cidrs, "expires_at": new.expires_at.unix_timestamp() });
    append(db, &AuditEntry::new(actor, "token_create", "token", id).outcome("done").detail(detail), context).await?;
    find(db, &actor.scope(), Wanted::One(id)).await?.into_iter().next().ok_or(StoreError::NotFound)
}

async fn revoke(db: &mut PgConnection, permit: &Permit<TokenRevoke>, context: &RequestContext) -> Result<(), StoreError> {
    let row = sqlx::query!(
        "UPDATE api_tokens SET revoked_at = COALESCE(revoked_at, now()) WHERE id = $1 AND tenant_id = $2 RETURNING name, user_id, user_name",
        permit.id().0,
        permit.tenant().0,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::NotFound)?;
    let entry = AuditEntry::new(permit.actor(), "token_revoke", "token", permit.id()).outcome("done");
    append(db, &entry.detail(json!({ "name": row.name, "owner": row.user_name })), context).await?;
    announce_person(db, &row.user_id).await
}

async fn by_hash(db: &mut PgConnection, token: &TokenHash, source: &str) -> Result<Option<TokenRecord>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT k.id, k.tenant_id, t.name AS tenant_name, k.name, k.user_id, k.user_name, k.user_domain, k.roles AS "roles: Json<Vec<Role>>",
                  k.checked_at, k.narrowing AS "narrowing: Json<Narrowing>", k.cidrs AS "cidrs: Json<Vec<IpNet>>", k.created_at, k.expires_at,
                  k.revoked_at, k.last_used_at, k.last_used_from, member_rights(k.tenant_id, k.user_id) AS "given: Json<Rights>"
           FROM api_tokens k JOIN tenants t ON t.id = k.tenant_id
           WHERE k.token_hash = $1 AND k.revoked_at IS NULL AND k.expires_at > now()"#,
        token.as_bytes() as &[u8],
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.last_used_at.is_none_or(|at| at < OffsetDateTime::now_utc() - NOTE_USE) {
        sqlx::query!("UPDATE api_tokens SET last_used_at = now(), last_used_from = $2 WHERE id = $1", row.id, source).execute(db).await?;
    }
    Ok(Some(row.into()))
}
