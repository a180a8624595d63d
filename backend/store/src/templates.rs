//! Cluster templates of tenants' own.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::clusters::ensure_tenant;
use crate::error::StoreError;
use crate::pool::{Store, read, write};
use auth::{Action, Permit, Resource, Scope, TemplateChange, TemplateCreate};
use domain::clusters::ClusterSpecRequest;
use domain::codes::Code;
use domain::ids::{ClusterId, TemplateId, TenantId};
use serde_json::{Value, json};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Most templates that a tenant may keep.
const MOST: i64 = 200;

/// What a template says.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateText {
    pub name: String,
    pub description: String,
    pub spec: ClusterSpecRequest,
}

/// A tenant's template.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateRecord {
    pub id: TemplateId,
    pub tenant: TenantId,
    pub text: TemplateText,
    pub created_at: OffsetDateTime,
    pub created_by: String,
}

impl Resource for TemplateRecord {
    type Id = TemplateId;
    fn id(&self) -> TemplateId {
        self.id
    }
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn cluster(&self) -> Option<ClusterId> {
        None
    }
}

struct Row {
    id: Uuid,
    tenant_id: String,
    name: String,
    description: String,
    spec: Json<ClusterSpecRequest>,
    created_at: OffsetDateTime,
    created_by: String,
}

impl From<Row> for TemplateRecord {
    fn from(row: Row) -> Self {
        Self {
            id: TemplateId(row.id),
            tenant: TenantId(row.tenant_id),
            text: TemplateText { name: row.name, description: row.description, spec: row.spec.0 },
            created_at: row.created_at,
            created_by: row.created_by,
        }
    }
}

impl Store {
    /// The tenant's templates, by name.
    pub async fn templates(&self, scope: &Scope) -> Result<Vec<TemplateRecord>, StoreError> {
        read(&self.api, scope.clone(), |db, scope| Box::pin(find(db, scope.predicate(), None))).await
    }

    /// One template.
    pub async fn template(&self, scope: &Scope, id: TemplateId) -> Result<TemplateRecord, StoreError> {
        let found = read(&self.api, (scope.clone(), id), |db, (scope, id)| Box::pin(find(db, scope.predicate(), Some(*id)))).await?;
        found.into_iter().next().ok_or(StoreError::NotFound)
    }

    pub async fn template_create(
        &self,
        permit: Permit<TemplateCreate>,
        text: TemplateText,
        context: RequestContext,
    ) -> Result<TemplateRecord, StoreError> {
        write(&self.api, (permit, text, context), |db, (permit, text, context)| Box::pin(create(db, permit, text, context))).await
    }

    pub async fn template_update(
        &self,
        permit: Permit<TemplateChange>,
        text: TemplateText,
        context: RequestContext,
    ) -> Result<TemplateRecord, StoreError> {
        write(&self.api, (permit, text, context), |db, (permit, text, context)| Box::pin(update(db, permit, text, context))).await
    }

    pub async fn template_delete(&self, permit: Permit<TemplateChange>, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (permit, context), |db, (permit, context)| Box::pin(delete(db, permit, context))).await
    }
}

async fn find(db: &mut PgConnection, tenant: Option<&str>, id: Option<TemplateId>) -> Result<Vec<TemplateRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, tenant_id, name, description, spec AS "spec: Json<ClusterSpecRequest>", created_at, created_by FROM templates
           WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::uuid IS NULL OR id = $2) ORDER BY name, id"#,
        tenant,
        id.map(|id| id.0),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(TemplateRecord::from).collect())
}

async fn one(db: &mut PgConnection, tenant: &TenantId, id: TemplateId) -> Result<TemplateRecord, StoreError> {
    find(db, Some(&tenant.0), Some(id)).await?.into_iter().next().ok_or(StoreError::NotFound)
}

async fn create(
    db: &mut PgConnection,
    permit: &Permit<TemplateCreate>,
    text: &TemplateText,
    context: &RequestContext,
) -> Result<TemplateRecord, StoreError> {
    let tenant = permit.tenant();
    ensure_tenant(db, &permit.actor().project).await?;
    let there = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM templates WHERE tenant_id = $1"#, tenant.0).fetch_one(&mut *db).await?;
    if there >= MOST {
        return Err(StoreError::Refused(Code::ClusterQuota));
    }
    let id = TemplateId::generate();
    sqlx::query!(
        "INSERT INTO templates (id, tenant_id, name, description, spec, created_by) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id",
        id.0,
        tenant.0,
        text.name,
        text.description,
        Json(&text.spec) as _,
        permit.actor().user.name,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::Refused(Code::TemplateNameTaken))?;
    note(db, permit, "template_create", id, json!({ "name": text.name, "after": words(text) }), context).await?;
    one(db, tenant, id).await
}

async fn update(
    db: &mut PgConnection,
    permit: &Permit<TemplateChange>,
    text: &TemplateText,
    context: &RequestContext,
) -> Result<TemplateRecord, StoreError> {
    let (tenant, id) = (permit.tenant(), *permit.id());
    let before = one(db, tenant, id).await?.text;
    sqlx::query!(
        "UPDATE templates SET name = $3, description = $4, spec = $5 WHERE id = $1 AND tenant_id = $2
           AND NOT EXISTS (SELECT FROM templates other WHERE other.tenant_id = $2 AND other.name = $3 AND other.id <> $1) RETURNING id",
        id.0,
        tenant.0,
        text.name,
        text.description,
        Json(&text.spec) as _,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::Refused(Code::TemplateNameTaken))?;
    let detail = json!({ "name": text.name, "before": words(&before), "after": words(text) });
    note(db, permit, "template_update", id, detail, context).await?;
    one(db, tenant, id).await
}

async fn delete(db: &mut PgConnection, permit: &Permit<TemplateChange>, context: &RequestContext) -> Result<(), StoreError> {
    let (tenant, id) = (permit.tenant(), *permit.id());
    let before = one(db, tenant, id).await?.text;
    sqlx::query!("DELETE FROM templates WHERE id = $1 AND tenant_id = $2", id.0, tenant.0).execute(&mut *db).await?;
    note(db, permit, "template_delete", id, json!({ "name": before.name }), context).await
}

/// What the audit log tells of a template.
fn words(text: &TemplateText) -> Value {
    json!({ "name": text.name, "description": text.description, "spec": text.spec })
}

async fn note<A: Action>(
    db: &mut PgConnection,
    permit: &Permit<A>,
    action: &'static str,
    id: TemplateId,
    detail: Value,
    context: &RequestContext,
) -> Result<(), StoreError> {
    append(db, &AuditEntry::new(permit.actor(), action, "template", id).detail(detail), context).await
}
