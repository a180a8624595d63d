//! Requests of tenants for more than their limits, and what came of them. An approval raises the limits in its own transaction.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::clusters::ensure_tenant;
use crate::error::{StoreError, unknown};
use crate::newer::readable;
use crate::pages::{Page, PageRequest};
use crate::pool::{Store, read, write};
use crate::tenants;
use auth::{Actor, OperatorScope, Permit, QuotaRequest, Scope};
use domain::codes::Code;
use domain::ids::{QuotaRequestId, TenantId};
use domain::tenants::{Limits, QuotaAnswer, QuotaDecision, QuotaRequestState, Totals};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRequestRecord {
    pub id: QuotaRequestId,
    pub tenant: TenantId,
    pub tenant_name: String,
    /// What the limits shall be.
    pub wanted: Totals,
    pub reason: String,
    pub state: QuotaRequestState,
    pub created_at: OffsetDateTime,
    /// Name of the person.
    pub created_by: String,
    pub decided_at: Option<OffsetDateTime>,
    /// Name of the operator, or of whoever withdrew it.
    pub decided_by: Option<String>,
    /// The operator's.
    pub words: String,
}

struct Row {
    id: Uuid,
    tenant_id: String,
    tenant_name: String,
    wanted: Json<Totals>,
    reason: String,
    state: String,
    created_at: OffsetDateTime,
    created_by: String,
    decided_at: Option<OffsetDateTime>,
    decided_by: Option<String>,
    words: String,
}

impl TryFrom<Row> for QuotaRequestRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: QuotaRequestId(row.id),
            tenant: TenantId(row.tenant_id),
            tenant_name: row.tenant_name,
            wanted: row.wanted.0,
            reason: row.reason,
            state: QuotaRequestState::parse(&row.state).ok_or_else(|| unknown("state of a request", &row.state))?,
            created_at: row.created_at,
            created_by: row.created_by,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
            words: row.words,
        })
    }
}

impl Store {
    /// Requests in reach, the newest first.
    pub async fn quota_requests(
        &self,
        scope: &Scope,
        state: Option<QuotaRequestState>,
        page: PageRequest,
    ) -> Result<Page<QuotaRequestRecord>, StoreError> {
        read(&self.api, (scope.clone(), state, page), |db, (scope, state, page)| Box::pin(list(db, scope, *state, page))).await
    }

    pub async fn quota_request(&self, scope: &Scope, id: QuotaRequestId) -> Result<QuotaRequestRecord, StoreError> {
        read(&self.api, (scope.clone(), id), |db, (scope, id)| Box::pin(one(db, scope.predicate(), *id))).await
    }

    /// Refused while another one of the tenant's waits.
    pub async fn quota_request_create(
        &self,
        permit: Permit<QuotaRequest>,
        wanted: Totals,
        reason: String,
        context: RequestContext,
    ) -> Result<QuotaRequestRecord, StoreError> {
        let data = (permit, wanted, reason, context);
        write(&self.api, data, |db, (permit, wanted, reason, context)| Box::pin(create(db, permit, wanted, reason, context))).await
    }

    pub async fn quota_request_withdraw(
        &self,
        permit: Permit<QuotaRequest>,
        id: QuotaRequestId,
        context: RequestContext,
    ) -> Result<QuotaRequestRecord, StoreError> {
        write(&self.api, (permit, id, context), |db, (permit, id, context)| Box::pin(withdraw(db, permit, *id, context))).await
    }

    /// From the commit of an approval on, the limits are what was asked for, where they were less.
    pub async fn quota_request_decide(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: QuotaRequestId,
        decision: QuotaDecision,
        installation: Limits,
        context: RequestContext,
    ) -> Result<QuotaRequestRecord, StoreError> {
        let data = (actor.clone(), id, decision, installation, context);
        write(&self.api, data, |db, (actor, id, decision, installation, context)| Box::pin(decide(db, actor, *id, decision, installation, context)))
            .await
    }
}

async fn list(
    db: &mut PgConnection,
    scope: &Scope,
    state: Option<QuotaRequestState>,
    page: &PageRequest,
) -> Result<Page<QuotaRequestRecord>, StoreError> {
    let before = page.after()?.map(|(_, id)| id);
    let limit = page.limit();
    let state = state.map(QuotaRequestState::as_str);
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM quota_requests WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR state = $2)"#,
        scope.predicate(),
        state,
    );
    let total = total.fetch_one(&mut *db).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT q.id, q.tenant_id, t.name AS tenant_name, q.wanted AS "wanted: Json<Totals>", q.reason, q.state, q.created_at, q.created_by,
                  q.decided_at, q.decided_by, q.words
           FROM quota_requests q JOIN tenants t ON t.id = q.tenant_id
           WHERE ($1::text IS NULL OR q.tenant_id = $1) AND ($2::text IS NULL OR q.state = $2) AND ($3::uuid IS NULL OR q.id < $3)
           ORDER BY q.id DESC LIMIT $4::bigint + 1"#,
        scope.predicate(),
        state,
        before,
        limit,
    );
    let Page { items, next_cursor, total } = Page::cut(rows.fetch_all(db).await?, limit, total, |row| (String::new(), row.id));
    Ok(Page { items: readable(items), next_cursor, total })
}

async fn one(db: &mut PgConnection, tenant: Option<&str>, id: QuotaRequestId) -> Result<QuotaRequestRecord, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT q.id, q.tenant_id, t.name AS tenant_name, q.wanted AS "wanted: Json<Totals>", q.reason, q.state, q.created_at, q.created_by,
                  q.decided_at, q.decided_by, q.words
           FROM quota_requests q JOIN tenants t ON t.id = q.tenant_id WHERE q.id = $1 AND ($2::text IS NULL OR q.tenant_id = $2)"#,
        id.0,
        tenant,
    );
    row.fetch_optional(db).await?.ok_or(StoreError::NotFound)?.try_into()
}

async fn create(
    db: &mut PgConnection,
    permit: &Permit<QuotaRequest>,
    wanted: &Totals,
    reason: &str,
    context: &RequestContext,
) -> Result<QuotaRequestRecord, StoreError> {
    let (tenant, actor) = (permit.tenant(), permit.actor());
    ensure_tenant(db, &actor.project).await?;
    let id = QuotaRequestId::generate();
    sqlx::query!(
        "INSERT INTO quota_requests (id, tenant_id, wanted, reason, created_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id) WHERE state = 'pending' DO NOTHING RETURNING id",
        id.0,
        tenant.0,
        Json(wanted) as _,
        reason,
        actor.user.name,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::Refused(Code::RequestPending))?;
    let entry = AuditEntry::new(actor, "quota_request_create", "quota_request", id);
    append(db, &entry.detail(json!({ "wanted": wanted, "reason": reason })), context).await?;
    one(db, Some(&tenant.0), id).await
}

/// The end of a request that waits.
async fn end(db: &mut PgConnection, id: QuotaRequestId, state: QuotaRequestState, by: &str, words: &str) -> Result<(), StoreError> {
    let ended = sqlx::query!(
        "UPDATE quota_requests SET state = $2, decided_at = now(), decided_by = $3, words = $4 WHERE id = $1 AND state = 'pending' RETURNING id",
        id.0,
        state.as_str(),
        by,
        words,
    );
    ended.fetch_optional(db).await?.map(|_| ()).ok_or(StoreError::Refused(Code::RequestDecided))
}

async fn withdraw(
    db: &mut PgConnection,
    permit: &Permit<QuotaRequest>,
    id: QuotaRequestId,
    context: &RequestContext,
) -> Result<QuotaRequestRecord, StoreError> {
    let (tenant, actor) = (permit.tenant(), permit.actor());
    one(db, Some(&tenant.0), id).await?;
    end(db, id, QuotaRequestState::Withdrawn, &actor.user.name, "").await?;
    append(db, &AuditEntry::new(actor, "quota_request_withdraw", "quota_request", id).outcome("done"), context).await?;
    one(db, Some(&tenant.0), id).await
}

async fn decide(
    db: &mut PgConnection,
    actor: &Actor,
    id: QuotaRequestId,
    decision: &QuotaDecision,
    installation: &Limits,
    context: &RequestContext,
) -> Result<QuotaRequestRecord, StoreError> {
    let request = one(db, None, id).await?;
    tenants::lock(db, &request.tenant).await?;
    let before = tenants::terms(db, &request.tenant).await?;
    let mut after = before.clone();
    let state = match decision.answer {
        QuotaAnswer::Approve => {
            after.raise(installation, &request.wanted);
            QuotaRequestState::Approved
        }
        QuotaAnswer::Decline => QuotaRequestState::Declined,
    };
    end(db, id, state, &actor.user.name, &decision.words).await?;
    if after != before {
        tenants::set(db, &request.tenant, &after, &actor.user.name).await?;
    }
    let detail = json!({ "tenant": request.tenant, "name": request.tenant_name, "wanted": request.wanted, "answer": decision.answer, "words": decision.words,
        "before": tenants::words(&before), "after": tenants::words(&after) });
    let entry = AuditEntry::new(actor, "quota_request_decide", "quota_request", id).tenant(&request.tenant).outcome("done");
    append(db, &entry.detail(detail), context).await?;
    one(db, None, id).await
}
