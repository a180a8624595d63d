//! Roles that projects composed themselves.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::clusters::ensure_tenant;
use crate::error::StoreError;
use crate::members::told_of_role;
use crate::pool::{Store, read, write};
use auth::{MembersManage, Permit, Scope};
use domain::codes::Code;
use domain::ids::RoleId;
use domain::permissions::{Kept, Permission};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// Most roles that a project may keep.
const MOST: i64 = 50;

/// What a role says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleText {
    pub name: String,
    /// Besides looking.
    pub permissions: BTreeSet<Permission>,
}

/// A role of a project's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRecord {
    pub id: RoleId,
    pub text: RoleText,
    /// How many people have it, everywhere or somewhere.
    pub people: i64,
    pub changed_at: OffsetDateTime,
    pub changed_by: String,
}

impl Store {
    /// The project's roles, by name.
    pub async fn roles(&self, scope: &Scope) -> Result<Vec<RoleRecord>, StoreError> {
        read(&self.api, scope.clone(), |db, scope| Box::pin(find(db, scope.predicate(), None))).await
    }

    pub async fn role_create(&self, permit: Permit<MembersManage>, text: RoleText, context: RequestContext) -> Result<RoleRecord, StoreError> {
        write(&self.api, (permit, text, context), |db, (permit, text, context)| Box::pin(create(db, permit, text, context))).await
    }

    /// From its commit on it is worth what it says now, to whoever has it.
    pub async fn role_update(
        &self,
        permit: Permit<MembersManage>,
        id: RoleId,
        text: RoleText,
        context: RequestContext,
    ) -> Result<RoleRecord, StoreError> {
        write(&self.api, (permit, id, text, context), |db, (permit, id, text, context)| Box::pin(update(db, permit, *id, text, context))).await
    }

    /// Refused while somebody has it.
    pub async fn role_delete(&self, permit: Permit<MembersManage>, id: RoleId, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (permit, id, context), |db, (permit, id, context)| Box::pin(delete(db, permit, *id, context))).await
    }
}

async fn find(db: &mut PgConnection, tenant: Option<&str>, id: Option<RoleId>) -> Result<Vec<RoleRecord>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT r.id, r.name, r.permissions AS "permissions: Json<Kept>", r.changed_at, r.changed_by,
                  (SELECT count(*) FROM (SELECT m.user_id FROM members m WHERE m.role_id = r.id
                                         UNION SELECT p.user_id FROM member_places p WHERE p.role_id = r.id) who) AS "people!"
           FROM roles r WHERE ($1::text IS NULL OR r.tenant_id = $1) AND ($2::uuid IS NULL OR r.id = $2) ORDER BY r.name"#,
        tenant,
        id.map(|id| id.0),
    );
    let rows = rows.fetch_all(db).await?.into_iter();
    Ok(rows
        .map(|row| RoleRecord {
            id: RoleId(row.id),
            text: RoleText { name: row.name, permissions: row.permissions.0.0 },
            people: row.people,
            changed_at: row.changed_at,
            changed_by: row.changed_by,
        })
        .collect())
}

async fn one(db: &mut PgConnection, permit: &Permit<MembersManage>, id: RoleId) -> Result<RoleRecord, StoreError> {
    find(db, Some(&permit.tenant().0), Some(id)).await?.pop().ok_or(StoreError::NotFound)
}

async fn create(db: &mut PgConnection, permit: &Permit<MembersManage>, text: &RoleText, context: &RequestContext) -> Result<RoleRecord, StoreError> {
    let tenant = permit.tenant();
    ensure_tenant(db, &permit.actor().project).await?;
    let there = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM roles WHERE tenant_id = $1"#, tenant.0).fetch_one(&mut *db).await?;
    if there >= MOST {
        return Err(StoreError::Refused(Code::RoleQuota));
    }
    let id = RoleId::generate();
    sqlx::query!(
        "INSERT INTO roles (id, tenant_id, name, permissions, changed_by) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id",
        id.0,
        tenant.0,
        text.name,
        Json(&text.permissions) as _,
        permit.actor().user.name,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::Refused(Code::RoleNameTaken))?;
    note(db, permit, "role_create", id, json!({ "name": text.name, "permissions": text.permissions }), context).await?;
    one(db, permit, id).await
}

async fn update(
    db: &mut PgConnection,
    permit: &Permit<MembersManage>,
    id: RoleId,
    text: &RoleText,
    context: &RequestContext,
) -> Result<RoleRecord, StoreError> {
    let before = one(db, permit, id).await?.text;
    let taken = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM roles WHERE tenant_id = $1 AND name = $2 AND id <> $3) AS "taken!""#,
        permit.tenant().0,
        text.name,
        id.0,
    );
    if taken.fetch_one(&mut *db).await? {
        return Err(StoreError::Refused(Code::RoleNameTaken));
    }
    sqlx::query!(
        "UPDATE roles SET name = $3, permissions = $4, changed_by = $5, changed_at = now() WHERE id = $1 AND tenant_id = $2",
        id.0,
        permit.tenant().0,
        text.name,
        Json(&text.permissions) as _,
        permit.actor().user.name,
    )
    .execute(&mut *db)
    .await?;
    told_of_role(db, permit.tenant(), id).await?;
    let words = |text: &RoleText| json!({ "name": text.name, "permissions": text.permissions });
    note(db, permit, "role_update", id, json!({ "name": text.name, "before": words(&before), "after": words(text) }), context).await?;
    one(db, permit, id).await
}

async fn delete(db: &mut PgConnection, permit: &Permit<MembersManage>, id: RoleId, context: &RequestContext) -> Result<(), StoreError> {
    // Nobody may be given it while it goes.
    let there = sqlx::query!("SELECT id FROM roles WHERE id = $1 AND tenant_id = $2 FOR UPDATE", id.0, permit.tenant().0);
    there.fetch_optional(&mut *db).await?.ok_or(StoreError::NotFound)?;
    let role = one(db, permit, id).await?;
    if role.people > 0 {
        return Err(StoreError::Refused(Code::RoleInUse));
    }
    sqlx::query!("DELETE FROM roles WHERE id = $1 AND tenant_id = $2", id.0, permit.tenant().0).execute(&mut *db).await?;
    note(db, permit, "role_delete", id, json!({ "name": role.text.name }), context).await
}

async fn note(
    db: &mut PgConnection,
    permit: &Permit<MembersManage>,
    action: &'static str,
    id: RoleId,
    detail: serde_json::Value,
    context: &RequestContext,
) -> Result<(), StoreError> {
    append(db, &AuditEntry::new(permit.actor(), action, "role", id).outcome("done").detail(detail), context).await
}
