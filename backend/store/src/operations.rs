//! Operations: starting, finding, listing, retrying, cancelling.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::{announce, wake};
use crate::clusters;
use crate::error::{StoreError, count};
use crate::operation_ends;
use crate::pages::{Page, PageRequest};
use crate::pool::{Store, read, write};
use auth::{Action, Actor, OperationCancel, OperationRetry, OperatorScope, Permit, Resource, Scope};
use domain::clusters::ClusterSpec;
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId, OperationId, TenantId};
use domain::nodes::Fault;
use domain::operations::{Operation, OperationKind, OperationState, Receipt, Step, VolumeChoice};
use domain::pauses::Pause;
use domain::plan::operation_steps;
use domain::wishes::Undo;
use serde_json::{Value, json};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// An operation with what names its cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationRecord {
    pub operation: Operation,
    pub tenant: TenantId,
    pub tenant_name: String,
    pub cluster_name: String,
    /// What operators hold it back by, until it has ended.
    pub pause: Option<Pause>,
    /// Whether it is its cluster's last one; others are history.
    pub last: bool,
    /// Rises with every write.
    pub revision: i64,
}

impl Resource for OperationRecord {
    type Id = OperationId;
    fn id(&self) -> OperationId {
        self.operation.id
    }
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn cluster(&self) -> Option<ClusterId> {
        Some(self.operation.cluster)
    }
}

/// Which operations a list shows.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    pub cluster: Option<ClusterId>,
    pub state: Option<OperationState>,
    /// Whether it has ended.
    pub ended: Option<bool>,
    pub kind: Option<OperationKind>,
    /// Part of the project's name, or its id; for the admin view.
    pub project: Option<String>,
    /// Part of the cluster's name, or the id of operation or cluster.
    pub search: Option<String>,
}

/// An operation to be started.
pub(crate) struct NewOperation<'a> {
    pub id: OperationId,
    pub cluster: ClusterId,
    pub kind: OperationKind,
    pub spec: &'a ClusterSpec,
    pub nodes: &'a [NodeId],
    pub request: Value,
    /// Of the request that asks for it; None: the engine begins it by itself.
    pub request_id: Option<&'a str>,
    pub created_by: &'a str,
}

struct OperationRow {
    id: Uuid,
    cluster_id: Uuid,
    kind: String,
    state: String,
    progress: i64,
    steps: Json<Vec<Step>>,
    nodes: Json<Vec<NodeId>>,
    volumes: Option<Json<VolumeChoice>>,
    fault: Option<Json<Fault>>,
    receipt: Option<Json<Receipt>>,
    created_at: OffsetDateTime,
    created_by: String,
    started_at: Option<OffsetDateTime>,
    resumed_at: Option<OffsetDateTime>,
    finished_at: Option<OffsetDateTime>,
    next_attempt_at: Option<OffsetDateTime>,
    deadline_at: OffsetDateTime,
    retries: i64,
    revision: i64,
    tenant_id: String,
    tenant_name: String,
    cluster_name: String,
    pause: Option<Json<Pause>>,
    last: bool,
}

impl TryFrom<OperationRow> for OperationRecord {
    type Error = StoreError;
    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        let operation = Operation {
            id: OperationId(row.id),
            cluster: ClusterId(row.cluster_id),
            kind: OperationKind::stored(row.kind),
            state: OperationState::stored(row.state),
            progress: count("progress", row.progress)?,
            steps: row.steps.0,
            nodes: row.nodes.0,
            volumes: row.volumes.map(|v| v.0),
            fault: row.fault.map(|f| f.0),
            receipt: row.receipt.map(|r| r.0),
            created_at: row.created_at,
            created_by: row.created_by,
            started_at: row.started_at,
            resumed_at: row.resumed_at,
            finished_at: row.finished_at,
            next_attempt_at: row.next_attempt_at,
            deadline_at: row.deadline_at,
            retries: count("retries", row.retries)?,
        };
        Ok(Self {
            pause: row.pause.map(|p| p.0).filter(|_| !operation.state.ended()),
            operation,
            tenant: TenantId(row.tenant_id),
            tenant_name: row.tenant_name,
            cluster_name: row.cluster_name,
            last: row.last,
            revision: row.revision,
        })
    }
}

impl Store {
    /// One operation; those of deleted clusters stay readable.
    pub async fn operation(&self, scope: &Scope, id: OperationId) -> Result<OperationRecord, StoreError> {
        read(&self.api, (scope.clone(), id), |db, (scope, id)| {
            Box::pin(async move {
                let found = find(db, scope.predicate(), *id).await?;
                clusters::reach(scope, found.operation.cluster)?;
                Ok(found)
            })
        })
        .await
    }

    /// Operations, newest first.
    pub async fn operations(&self, scope: &Scope, filter: OperationFilter, page: PageRequest) -> Result<Page<OperationRecord>, StoreError> {
        read(&self.api, (scope.clone(), filter, page), |db, (scope, filter, page)| Box::pin(list(db, scope, filter, page))).await
    }

    /// Lets a failed or blocked operation go on from where it stands.
    pub async fn operation_retry(&self, permit: Permit<OperationRetry>, context: RequestContext) -> Result<OperationRecord, StoreError> {
        self.by_member(permit, Verb::Retry, context).await
    }

    /// Stops an operation where it is. A deletion cannot be cancelled: what is gone is gone.
    pub async fn operation_cancel(&self, permit: Permit<OperationCancel>, context: RequestContext) -> Result<OperationRecord, StoreError> {
        self.by_member(permit, Verb::Cancel, context).await
    }

    /// As its tenant's members may: an operator lets an operation of any tenant go on.
    pub async fn operation_retry_any(
        &self,
        scope: OperatorScope,
        actor: &Actor,
        id: OperationId,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.by_operator(scope, actor, id, Verb::Retry, context).await
    }

    /// As its tenant's members may: an operator stops an operation of any tenant.
    pub async fn operation_cancel_any(
        &self,
        scope: OperatorScope,
        actor: &Actor,
        id: OperationId,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        self.by_operator(scope, actor, id, Verb::Cancel, context).await
    }

    async fn by_member<A: Action<Id = OperationId>>(
        &self,
        permit: Permit<A>,
        verb: Verb,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        let (actor, tenant) = (permit.actor().clone(), permit.tenant().clone());
        let deed = Deed { actor, tenant, id: *permit.id(), context };
        write(&self.api, (deed, verb), |db, (deed, verb)| Box::pin(deed.done(db, *verb))).await
    }

    async fn by_operator(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: OperationId,
        verb: Verb,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        write(&self.api, (actor.clone(), id, verb, context), |db, (actor, id, verb, context)| {
            Box::pin(async move {
                let tenant = find(db, None, *id).await?.tenant;
                Deed { actor: actor.clone(), tenant, id: *id, context: context.clone() }.done(db, *verb).await
            })
        })
        .await
    }
}

pub(crate) async fn insert(db: &mut PgConnection, new: &NewOperation<'_>) -> Result<(), StoreError> {
    let mut steps = operation_steps(new.kind, new.spec);
    for usual in usual_seconds(db, new.kind).await? {
        if let Some(step) = steps.iter_mut().find(|s| step_word(s) == usual.0) {
            step.usual_seconds = usual.1;
        }
    }
    let seconds = new.kind.limit().as_seconds_f64();
    let mut request = new.request.clone();
    if let Some(id) = new.request_id {
        request["request_id"] = json!(id);
    }
    sqlx::query!(
        "INSERT INTO operations (id, cluster_id, kind, state, steps, request, created_by, deadline_at, nodes)
         VALUES ($1, $2, $3, 'pending', $4, $5, $6, now() + make_interval(secs => $7), $8)",
        new.id.0,
        new.cluster.0,
        new.kind.as_str(),
        Json(&steps) as _,
        request,
        new.created_by,
        seconds,
        Json(new.nodes) as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The step's key as stored in `step_durations`.
pub(crate) fn step_word(step: &Step) -> String {
    serde_json::to_value(step.key).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The median of the last twenty of each step, in seconds, at least one.
async fn usual_seconds(db: &mut PgConnection, kind: OperationKind) -> Result<Vec<(String, u32)>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT step, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS "median!"
           FROM (SELECT step, seconds, row_number() OVER (PARTITION BY step ORDER BY measured_at DESC) AS age
                 FROM step_durations WHERE kind = $1) newest
           WHERE age <= 20 GROUP BY step"#,
        kind.as_str(),
    )
    .fetch_all(db)
    .await?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, at least one, at most a day")]
    let whole = |seconds: f64| seconds.round().clamp(1.0, 86_400.0) as u32;
    Ok(rows.into_iter().map(|r| (r.step, whole(r.median))).collect())
}

pub(crate) async fn find(db: &mut PgConnection, tenant: Option<&str>, id: OperationId) -> Result<OperationRecord, StoreError> {
    let row = sqlx::query_as!(
        OperationRow,
        r#"SELECT o.id, o.cluster_id, o.kind, o.state, o.progress, o.steps AS "steps: Json<Vec<Step>>", o.nodes AS "nodes: Json<Vec<NodeId>>", o.fault AS "fault: Json<Fault>",
                  o.receipt AS "receipt: Json<Receipt>", o.created_at, o.created_by, o.started_at, o.resumed_at, o.finished_at, o.next_attempt_at,
                  o.deadline_at, o.retries, o.revision, c.tenant_id, t.name AS tenant_name, c.name AS cluster_name,
                  pause_of(c.id) AS "pause: Json<Pause>", (c.operation_id = o.id AND c.deleted_at IS NULL) IS TRUE AS "last!",
                  o.request -> 'volumes' AS "volumes: Json<VolumeChoice>"
           FROM operations o JOIN clusters c ON c.id = o.cluster_id JOIN tenants t ON t.id = c.tenant_id
           WHERE o.id = $1 AND ($2::text IS NULL OR c.tenant_id = $2)"#,
        id.0,
        tenant,
    )
    .fetch_optional(db)
    .await?;
    row.ok_or(StoreError::NotFound)?.try_into()
}

pub(crate) async fn find_all(db: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Vec<OperationRecord>, StoreError> {
    let rows = sqlx::query_as!(
        OperationRow,
        r#"SELECT o.id, o.cluster_id, o.kind, o.state, o.progress, o.steps AS "steps: Json<Vec<Step>>", o.nodes AS "nodes: Json<Vec<NodeId>>", o.fault AS "fault: Json<Fault>",
                  o.receipt AS "receipt: Json<Receipt>", o.created_at, o.created_by, o.started_at, o.resumed_at, o.finished_at, o.next_attempt_at,
                  o.deadline_at, o.retries, o.revision, c.tenant_id, t.name AS tenant_name, c.name AS cluster_name,
                  pause_of(c.id) AS "pause: Json<Pause>", (c.operation_id = o.id AND c.deleted_at IS NULL) IS TRUE AS "last!",
                  o.request -> 'volumes' AS "volumes: Json<VolumeChoice>"
           FROM operations o JOIN clusters c ON c.id = o.cluster_id JOIN tenants t ON t.id = c.tenant_id
           WHERE o.id = ANY($1) AND ($2::text IS NULL OR c.tenant_id = $2)"#,
        ids,
        scope.predicate(),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(OperationRecord::try_from).collect()
}

async fn list(db: &mut PgConnection, scope: &Scope, filter: &OperationFilter, page: &PageRequest) -> Result<Page<OperationRecord>, StoreError> {
    let after = page.after()?;
    let limit = page.limit();
    let rows = sqlx::query!(
        r#"WITH found AS (
               SELECT o.id, to_char(o.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') AS sort_key
               FROM operations o JOIN clusters c ON c.id = o.cluster_id JOIN tenants t ON t.id = c.tenant_id
               WHERE ($1::text IS NULL OR c.tenant_id = $1) AND ($2::uuid IS NULL OR o.cluster_id = $2) AND ($3::text IS NULL OR o.state = $3)
                 AND ($7::uuid[] IS NULL OR c.id = ANY($7)) AND ($8::text IS NULL OR o.kind = $8)
                 AND ($9::bool IS NULL OR $9 = (o.state IN ('succeeded', 'failed', 'cancelled')))
                 AND ($10::text IS NULL OR c.tenant_id = $10 OR t.name ILIKE $11)
                 AND ($12::text IS NULL OR c.name ILIKE $13 OR o.id::text = $12 OR c.id::text = $12))
           SELECT id AS "id!", sort_key AS "sort_key!", (SELECT count(*) FROM found) AS "total!" FROM found
           WHERE $4::text IS NULL OR (sort_key, id) < ($4, $5::uuid)
           ORDER BY sort_key DESC, id DESC LIMIT $6::bigint + 1"#,
        scope.predicate(),
        filter.cluster.map(|c| c.0),
        filter.state.map(OperationState::as_str),
        after.as_ref().map(|(key, _)| key.as_str()),
        after.as_ref().map(|(_, id)| *id),
        limit,
        scope.clusters(),
        filter.kind.map(OperationKind::as_str),
        filter.ended,
        filter.project,
        filter.project.as_deref().map(clusters::containing),
        filter.search,
        filter.search.as_deref().map(clusters::containing),
    )
    .fetch_all(&mut *db)
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let ids = Page::cut(rows, limit, total, |r| (r.sort_key.clone(), r.id));
    let wanted: Vec<Uuid> = ids.items.iter().map(|r| r.id).collect();
    let found = find_all(db, scope, &wanted).await?;
    let in_order = wanted.iter().filter_map(|id| found.iter().find(|r| r.operation.id.0 == *id).cloned()).collect();
    Ok(Page { items: in_order, next_cursor: ids.next_cursor, total: ids.total })
}

/// Ends an operation: a deletion or a wish takes its place, or somebody stops it.
pub(crate) async fn cancel(db: &mut PgConnection, record: &OperationRecord) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE operations SET state = 'cancelled', finished_at = now(), next_attempt_at = NULL, revision = nextval('operation_revisions') WHERE id = $1",
        record.operation.id.0,
    )
    .execute(&mut *db)
    .await?;
    operation_ends::tell(db, record, OperationState::Cancelled, record.operation.fault.as_ref()).await
}

/// What somebody does to an operation.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Retry,
    Cancel,
}

/// Somebody lets an operation go on or stops it: a member of its tenant, by permit, or an operator.
struct Deed {
    actor: Actor,
    tenant: TenantId,
    id: OperationId,
    context: RequestContext,
}

impl Deed {
    async fn done(&self, db: &mut PgConnection, verb: Verb) -> Result<OperationRecord, StoreError> {
        match verb {
            Verb::Retry => retry(db, self).await,
            Verb::Cancel => cancel_by_person(db, self).await,
        }
    }

    /// Locks the operation's cluster and finds the operation as it is now; refuses one that another has followed with `history`.
    async fn locked(&self, db: &mut PgConnection, history: Code) -> Result<OperationRecord, StoreError> {
        let seen = find(db, Some(&self.tenant.0), self.id).await?;
        let cluster = clusters::lock(db, &self.tenant, seen.operation.cluster).await?;
        let now = find(db, Some(&self.tenant.0), self.id).await?;
        // An older operation of the cluster is history.
        if cluster.operation == Some(now.operation.id) { Ok(now) } else { Err(StoreError::Refused(history)) }
    }

    async fn written(&self, db: &mut PgConnection, record: &OperationRecord, action: &'static str) -> Result<OperationRecord, StoreError> {
        let cluster = record.operation.cluster;
        sqlx::query!("UPDATE clusters SET intent = intent + 1 WHERE id = $1 AND tenant_id = $2", cluster.0, self.tenant.0).execute(&mut *db).await?;
        let entry = AuditEntry::new(&self.actor, action, "operation", self.id).tenant(&self.tenant).cluster(cluster).operation(self.id);
        let detail = json!({ "kind": record.operation.kind, "tenant": record.tenant, "name": record.cluster_name });
        append(db, &entry.detail(detail), &self.context).await?;
        wake(db, cluster).await?;
        announce(db, &self.tenant, cluster, Some(self.id)).await?;
        find(db, Some(&self.tenant.0), self.id).await
    }
}

async fn retry(db: &mut PgConnection, deed: &Deed) -> Result<OperationRecord, StoreError> {
    let record = deed.locked(db, Code::NotRetryable).await?;
    if !record.operation.retryable() {
        return Err(StoreError::Refused(Code::NotRetryable));
    }
    let seconds = record.operation.kind.limit().as_seconds_f64();
    sqlx::query!(
        "UPDATE operations SET state = 'pending', fault = NULL, finished_at = NULL, next_attempt_at = NULL, retries = retries + 1,
                deadline_at = now() + make_interval(secs => $2), revision = nextval('operation_revisions') WHERE id = $1",
        deed.id.0,
        seconds,
    )
    .execute(&mut *db)
    .await?;
    // Faults of calls are forgotten, so that they are tried again at once; why an object was given up stays with its row.
    sqlx::query!(
        "UPDATE ledger SET failures = 0, fault = NULL WHERE cluster_id = $1 AND state IN ('intended', 'unknown', 'deleting')",
        record.operation.cluster.0,
    )
    .execute(&mut *db)
    .await?;
    deed.written(db, &record, "operation_retry").await
}

async fn cancel_by_person(db: &mut PgConnection, deed: &Deed) -> Result<OperationRecord, StoreError> {
    let record = deed.locked(db, Code::NotCancellable).await?;
    if !record.operation.cancellable() {
        return Err(StoreError::Refused(Code::NotCancellable));
    }
    cancel(db, &record).await?;
    put_back(db, &deed.tenant, &record.operation).await?;
    deed.written(db, &record, "operation_cancel").await
}

/// What the operation had put aside is wanted again; the engine's next passes bring it about.
async fn put_back(db: &mut PgConnection, tenant: &TenantId, operation: &Operation) -> Result<(), StoreError> {
    let undo = sqlx::query_scalar!("SELECT request -> 'undo' FROM operations WHERE id = $1", operation.id.0).fetch_one(&mut *db).await?;
    let undo = undo.map(serde_json::from_value::<Undo>).transpose();
    let undo = undo.map_err(|error| StoreError::Unexpected(format!("what the operation has put aside cannot be read: {error}")))?.unwrap_or_default();
    let mut spec = clusters::find(db, Some(&tenant.0), operation.cluster).await?.spec;
    if undo.apply(&mut spec) {
        sqlx::query!(
            "UPDATE clusters SET spec = $3, generation = generation + 1 WHERE id = $1 AND tenant_id = $2",
            operation.cluster.0,
            tenant.0,
            Json(&spec) as _,
        )
        .execute(db)
        .await?;
    }
    Ok(())
}
