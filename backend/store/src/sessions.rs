//! Browser sessions, found by the hash of their cookie.

use crate::changes::announce_person;
use crate::error::StoreError;
use crate::pool::{Store, statement, write};
use crate::standing;
use auth::{Project, Rights, User};
use domain::ids::TenantId;
use domain::permissions::Role;
use sealed::TokenHash;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

/// A session to be kept.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub id_hash: TokenHash,
    pub csrf_hash: TokenHash,
    /// The Keystone token and what else only the session's bearer may have.
    pub sealed: Vec<u8>,
    pub user: User,
    pub project: Project,
    pub projects: Vec<Project>,
    pub roles: Vec<Role>,
    pub operator: bool,
    pub expires_at: OffsetDateTime,
}

/// A session that is not over.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    pub sealed: Vec<u8>,
    pub user: User,
    pub project: Project,
    pub projects: Vec<Project>,
    pub roles: Vec<Role>,
    pub operator: bool,
    /// What the project's owners gave the person; None: nothing was said.
    pub given: Option<Rights>,
    /// When Keystone last confirmed it.
    pub checked_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// What a session's secrets are bound to.
#[must_use]
pub fn session_identity(id: &TokenHash) -> Vec<u8> {
    identity(id.as_bytes())
}

pub(crate) fn identity(id_hash: &[u8]) -> Vec<u8> {
    [b"session/".as_slice(), id_hash].concat()
}

impl Store {
    pub async fn session_create(&self, new: NewSession) -> Result<(), StoreError> {
        write(&self.api, new, |db, new| Box::pin(create(db, new))).await
    }

    pub async fn session(&self, id: TokenHash) -> Result<Option<SessionRecord>, StoreError> {
        statement(&self.near.questions(), id, |db, id| Box::pin(find(db, id))).await
    }

    /// Keystone confirmed it, with these roles.
    pub async fn session_checked(&self, id: TokenHash, roles: Vec<Role>, operator: bool) -> Result<(), StoreError> {
        write(&self.api, (id, roles, operator), |db, (id, roles, operator)| Box::pin(checked(db, id, roles, *operator))).await
    }

    /// Ends it; one that is over is no error. Whoever holds a stream open with it is told.
    pub async fn session_delete(&self, id: TokenHash) -> Result<(), StoreError> {
        write(&self.api, id, |db, id| Box::pin(delete(db, id))).await
    }
}

async fn create(db: &mut PgConnection, new: &NewSession) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM sessions WHERE expires_at < now()").execute(&mut *db).await?;
    sqlx::query!(
        "INSERT INTO sessions (id_hash, csrf_hash, sealed, user_id, user_name, user_domain, project_id, project_name, projects, roles, operator, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        new.id_hash.as_bytes() as &[u8],
        new.csrf_hash.as_bytes() as &[u8],
        new.sealed,
        new.user.id,
        new.user.name,
        new.user.domain,
        new.project.id.0,
        new.project.name,
        Json(&new.projects) as _,
        Json(&new.roles) as _,
        new.operator,
        new.expires_at,
    )
    .execute(&mut *db)
    .await?;
    standing::signed_in(db, &new.project.id, &new.user.id, &new.roles).await
}

async fn find(db: &mut PgConnection, id: &TokenHash) -> Result<Option<SessionRecord>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT sealed, user_id, user_name, user_domain, project_id, project_name, projects AS "projects: Json<Vec<Project>>",
                  roles AS "roles: Json<Vec<Role>>", operator, checked_at, expires_at,
                  member_rights(project_id, user_id) AS "given: Json<Rights>"
           FROM sessions WHERE id_hash = $1 AND expires_at > now()"#,
        id.as_bytes() as &[u8],
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| SessionRecord {
        sealed: r.sealed,
        user: User { id: r.user_id, name: r.user_name, domain: r.user_domain },
        project: Project { id: TenantId(r.project_id), name: r.project_name },
        projects: r.projects.0,
        roles: r.roles.0,
        operator: r.operator,
        given: r.given.map(|given| given.0),
        checked_at: r.checked_at,
        expires_at: r.expires_at,
    }))
}

async fn checked(db: &mut PgConnection, id: &TokenHash, roles: &[Role], operator: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE sessions SET checked_at = now(), last_seen_at = now(), roles = $2, operator = $3 WHERE id_hash = $1",
        id.as_bytes() as &[u8],
        Json(roles) as _,
        operator,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn delete(db: &mut PgConnection, id: &TokenHash) -> Result<(), StoreError> {
    let ended = sqlx::query_scalar!("DELETE FROM sessions WHERE id_hash = $1 RETURNING user_id", id.as_bytes() as &[u8]);
    match ended.fetch_optional(&mut *db).await? {
        Some(user) => announce_person(db, &user).await,
        None => Ok(()),
    }
}
