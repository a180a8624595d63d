//! The audit log: who did what to what, from where, and how it ended. Append-only, in the same transaction as the deed.

use crate::error::StoreError;
use crate::pages::{Page, PageRequest};
use crate::pool::{Store, read, statement, write};
use auth::{Actor, Scope};
use domain::ids::{ClusterId, OperationId, TenantId};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The request behind a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestContext {
    pub request_id: String,
    /// The client's address.
    pub source: String,
}

/// One line to be written.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub actor: Actor,
    /// Whose thing it is, and who is told; None: the actor's own project.
    pub tenant: Option<TenantId>,
    /// `cluster_create`, `session_create`, …
    pub action: &'static str,
    pub object_kind: &'static str,
    pub object_id: String,
    pub cluster: Option<ClusterId>,
    pub operation: Option<OperationId>,
    /// `accepted`, `done`, `denied`, `failed`, `cancelled`.
    pub outcome: &'static str,
    pub detail: Value,
}

impl AuditEntry {
    /// A deed that was accepted.
    #[must_use]
    pub fn new(actor: &Actor, action: &'static str, object_kind: &'static str, object_id: impl ToString) -> Self {
        Self {
            actor: actor.clone(),
            tenant: None,
            action,
            object_kind,
            object_id: object_id.to_string(),
            cluster: None,
            operation: None,
            outcome: "accepted",
            detail: json!({}),
        }
    }

    /// An operator's deed on something of this tenant's.
    #[must_use]
    pub fn tenant(self, tenant: &TenantId) -> Self {
        Self { tenant: Some(tenant.clone()), ..self }
    }

    #[must_use]
    pub fn cluster(self, cluster: ClusterId) -> Self {
        Self { cluster: Some(cluster), ..self }
    }

    #[must_use]
    pub fn operation(self, operation: OperationId) -> Self {
        Self { operation: Some(operation), ..self }
    }

    #[must_use]
    pub fn outcome(self, outcome: &'static str) -> Self {
        Self { outcome, ..self }
    }

    #[must_use]
    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// One line as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    pub id: i64,
    pub at: OffsetDateTime,
    /// Id of the project; empty where nobody knew which.
    pub tenant: String,
    /// None: the tenant is not known to KCS (a person without clusters).
    pub tenant_name: Option<String>,
    pub user_id: String,
    pub user_name: String,
    pub via: String,
    /// Of the token or kubeconfig.
    pub via_id: Option<Uuid>,
    pub action: String,
    pub object_kind: String,
    pub object_id: String,
    pub cluster: Option<Uuid>,
    pub operation: Option<Uuid>,
    pub outcome: String,
    pub request_id: String,
    pub source: String,
    pub detail: Value,
}

/// Which lines a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Id of the project; for operators.
    pub tenant: Option<String>,
    /// Id or name of the person.
    pub user: Option<String>,
    /// Id of the token or kubeconfig.
    pub via_id: Option<Uuid>,
    pub action: Option<String>,
    pub outcome: Option<String>,
    pub cluster: Option<ClusterId>,
    pub object_id: Option<String>,
    pub from: Option<OffsetDateTime>,
    /// Before this.
    pub to: Option<OffsetDateTime>,
}

impl Store {
    /// For deeds that are no writes of the store: refusals, commands in containers, changes in a cluster. One statement, and so a transaction by itself, on a
    /// connection of the thread that waits for it: no other thread is woken, and a line that is held up holds up nothing but other lines.
    pub async fn audit_append(&self, entry: AuditEntry, context: RequestContext) -> Result<(), StoreError> {
        statement(&self.near.lines(), (entry, context), |db, (entry, context)| Box::pin(append(db, entry, context))).await
    }

    /// A sign-in that was refused, under the name that came with it: nobody knows whose it was. It is of no project, and told to operators.
    pub async fn audit_sign_in_refused(&self, name: String, detail: Value, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (name, detail, context), |db, (name, detail, context)| Box::pin(append_refused(db, name, detail, context))).await
    }

    /// Lines, the newest first. How many there are in all is not counted.
    pub async fn audit(&self, scope: &Scope, filter: AuditFilter, page: PageRequest) -> Result<Page<AuditRecord>, StoreError> {
        read(&self.api, (scope.clone(), filter, page), |db, (scope, filter, page)| Box::pin(list(db, scope, filter, page))).await
    }
}

/// What is written down of a deed, whoever's.
struct Line<'a> {
    /// None: nobody knows which.
    tenant: Option<&'a str>,
    user_id: &'a str,
    user_name: &'a str,
    via: &'a str,
    via_id: Option<Uuid>,
    action: &'a str,
    object_kind: &'a str,
    object_id: &'a str,
    cluster: Option<ClusterId>,
    operation: Option<OperationId>,
    outcome: &'a str,
    context: &'a RequestContext,
    detail: &'a Value,
}

pub(crate) async fn append(db: &mut PgConnection, entry: &AuditEntry, context: &RequestContext) -> Result<(), StoreError> {
    let own = &entry.actor.project;
    let tenant = entry.tenant.as_ref().unwrap_or(&own.id);
    let mut detail = entry.detail.clone();
    if *tenant != own.id {
        // An operator: nobody else acts beyond the own project.
        detail["from_project"] = own.name.clone().into();
    }
    let line = Line {
        tenant: Some(&tenant.0),
        user_id: &entry.actor.user.id,
        user_name: &entry.actor.user.name,
        via: entry.actor.via.as_str(),
        via_id: entry.actor.via.id(),
        action: entry.action,
        object_kind: entry.object_kind,
        object_id: &entry.object_id,
        cluster: entry.cluster,
        operation: entry.operation,
        outcome: entry.outcome,
        context,
        detail: &detail,
    };
    insert(db, &line).await
}

/// KCS's own deed, or what befell it: nobody's whom it knows. Without a project it is told to operators.
pub(crate) struct OwnEntry<'a> {
    pub tenant: Option<&'a TenantId>,
    pub action: &'static str,
    /// Kind and id.
    pub object: (&'static str, &'a str),
    pub cluster: Option<ClusterId>,
    pub operation: Option<OperationId>,
    pub outcome: &'static str,
    pub detail: Value,
}

pub(crate) async fn append_own(db: &mut PgConnection, entry: &OwnEntry<'_>, context: &RequestContext) -> Result<(), StoreError> {
    let line = Line {
        tenant: entry.tenant.map(|tenant| tenant.0.as_str()),
        user_id: "",
        user_name: "kcs",
        via: "engine",
        via_id: None,
        action: entry.action,
        object_kind: entry.object.0,
        object_id: entry.object.1,
        cluster: entry.cluster,
        operation: entry.operation,
        outcome: entry.outcome,
        context,
        detail: &entry.detail,
    };
    insert(db, &line).await
}

async fn append_refused(db: &mut PgConnection, name: &str, detail: &Value, context: &RequestContext) -> Result<(), StoreError> {
    let line = Line {
        tenant: None,
        user_id: "",
        user_name: name,
        via: "sign_in",
        via_id: None,
        action: "sign_in",
        object_kind: "session",
        object_id: "",
        cluster: None,
        operation: None,
        outcome: "denied",
        context,
        detail,
    };
    insert(db, &line).await
}

async fn insert(db: &mut PgConnection, line: &Line<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "WITH line AS (
             INSERT INTO audit (tenant_id, user_id, user_name, via, via_id, action, object_kind, object_id, cluster_id, operation_id, outcome, request_id, source, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id)
         INSERT INTO audit_pending (audit_id) SELECT id FROM line",
        line.tenant,
        line.user_id,
        line.user_name,
        line.via,
        line.via_id,
        line.action,
        line.object_kind,
        line.object_id,
        line.cluster.map(|c| c.0),
        line.operation.map(|o| o.0),
        line.outcome,
        line.context.request_id,
        line.context.source,
        line.detail,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn list(db: &mut PgConnection, scope: &Scope, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditRecord>, StoreError> {
    let before: Option<i64> = page.after()?.map(|(id, _)| id.parse().map_err(|_| StoreError::BadCursor)).transpose()?;
    let limit = page.limit();
    let rows = sqlx::query_as!(
        AuditRecord,
        r#"SELECT a.id, a.at, COALESCE(a.tenant_id, '') AS "tenant!", t.name AS "tenant_name?", a.user_id, a.user_name, a.via, a.via_id, a.action, a.object_kind, a.object_id,
                  a.cluster_id AS cluster, a.operation_id AS operation, a.outcome, a.request_id, a.source, a.detail
           FROM audit a LEFT JOIN tenants t ON t.id = a.tenant_id
           WHERE ($1::text IS NULL OR a.tenant_id = $1) AND ($2::text IS NULL OR a.tenant_id = $2) AND ($12::uuid[] IS NULL OR a.cluster_id = ANY($12))
             AND ($3::text IS NULL OR a.user_id = $3 OR a.user_name = $3) AND ($4::text IS NULL OR a.action = $4)
             AND ($5::text IS NULL OR a.outcome = $5) AND ($6::uuid IS NULL OR a.cluster_id = $6) AND ($7::text IS NULL OR a.object_id = $7)
             AND ($8::timestamptz IS NULL OR a.at >= $8) AND ($9::timestamptz IS NULL OR a.at < $9) AND ($10::bigint IS NULL OR a.id < $10)
             AND ($13::uuid IS NULL OR a.via_id = $13)
           ORDER BY a.id DESC LIMIT $11::bigint + 1"#,
        scope.predicate(),
        filter.tenant,
        filter.user,
        filter.action,
        filter.outcome,
        filter.cluster.map(|c| c.0),
        filter.object_id,
        filter.from,
        filter.to,
        before,
        limit,
        scope.clusters(),
        filter.via_id,
    )
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, None, |record| (record.id.to_string(), Uuid::nil())))
}
