//! Orphans: objects in the cloud with a mark of ours that nobody looks after, and whose turn it is to be looked through for them.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::error::{StoreError, count, unknown};
use crate::ledger;
use crate::pool::{Store, read, write};
use auth::{Actor, OperatorScope};
use domain::ids::{ClusterId, ResourceId, TenantId};
use domain::ledger::{LedgerRow, ResourceKind};
use domain::orphans::{Decision, Marked, Verdict};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// An orphan as it is kept until it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanRecord {
    pub id: Uuid,
    pub tenant: TenantId,
    pub tenant_name: String,
    pub object: Marked,
    pub verdict: Verdict,
    pub looks: u32,
    pub first_seen_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    pub decision: Option<Decision>,
    pub decided_by: Option<String>,
}

struct Row {
    id: Uuid,
    tenant_id: String,
    tenant_name: String,
    kind: String,
    cloud_id: String,
    name: String,
    cluster_id: Uuid,
    resource_id: Uuid,
    verdict: String,
    looks: i64,
    first_seen_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
    decision: Option<String>,
    decided_by: Option<String>,
}

impl TryFrom<Row> for OrphanRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            tenant: TenantId(row.tenant_id),
            tenant_name: row.tenant_name,
            object: Marked {
                kind: ResourceKind::parse(&row.kind).ok_or_else(|| unknown("kind of object", &row.kind))?,
                cloud_id: row.cloud_id,
                name: row.name,
                cluster: ClusterId(row.cluster_id),
                resource: ResourceId(row.resource_id),
            },
            verdict: Verdict::parse(&row.verdict).ok_or_else(|| unknown("verdict", &row.verdict))?,
            looks: count("looks", row.looks)?,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            decision: row.decision.map(|d| Decision::parse(&d).ok_or_else(|| unknown("decision", &d))).transpose()?,
            decided_by: row.decided_by,
        })
    }
}

impl Store {
    /// Takes the tenant whose project is due to be looked through; for the others, and other replicas, it is done for `every`.
    pub async fn sweep_claim(&self, every: Duration) -> Result<Option<TenantId>, StoreError> {
        write(&self.engine, every.as_secs_f64(), |db, seconds| {
            Box::pin(async move {
                sqlx::query!("INSERT INTO sweeps (tenant_id) SELECT DISTINCT tenant_id FROM clusters ON CONFLICT DO NOTHING")
                    .execute(&mut *db)
                    .await?;
                let tenant = sqlx::query_scalar!(
                    "UPDATE sweeps SET run_at = now() + make_interval(secs => $1) WHERE tenant_id =
                         (SELECT tenant_id FROM sweeps WHERE run_at <= now() ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                     RETURNING tenant_id",
                    seconds,
                );
                Ok(tenant.fetch_optional(db).await?.map(TenantId))
            })
        })
        .await
    }

    /// The ledger's rows of these ids, whoever's.
    pub async fn ledger_rows(&self, ids: &[ResourceId]) -> Result<Vec<LedgerRow>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        read(&self.engine, ids, |db, ids| Box::pin(ledger::rows_by_id(db, ids))).await
    }

    /// Records a whole look through a tenant's project: what is here now, and that nothing else of these kinds is. Answers all that is known.
    pub async fn orphans_seen(
        &self,
        tenant: &TenantId,
        seen: Vec<(Marked, Verdict)>,
        whole: Vec<ResourceKind>,
    ) -> Result<Vec<OrphanRecord>, StoreError> {
        write(&self.engine, (tenant.clone(), seen, whole), |db, (tenant, seen, whole)| Box::pin(record(db, tenant, seen, whole))).await
    }

    /// All orphans, the oldest first. Operators only.
    pub async fn orphans(&self, _: OperatorScope) -> Result<Vec<OrphanRecord>, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(list(db, None))).await
    }

    /// What an operator says of an orphan.
    pub async fn orphan_decide(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: Uuid,
        decision: Decision,
        context: RequestContext,
    ) -> Result<(), StoreError> {
        write(&self.api, (actor.clone(), id, decision, context), |db, (actor, id, decision, context)| {
            Box::pin(decide(db, actor, *id, *decision, context))
        })
        .await
    }
}

async fn record(
    db: &mut PgConnection,
    tenant: &TenantId,
    seen: &[(Marked, Verdict)],
    whole: &[ResourceKind],
) -> Result<Vec<OrphanRecord>, StoreError> {
    for (object, verdict) in seen {
        sqlx::query!(
            "INSERT INTO orphans (id, tenant_id, kind, cloud_id, name, cluster_id, resource_id, verdict) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (tenant_id, kind, cloud_id) DO UPDATE SET name = $5, cluster_id = $6, resource_id = $7, verdict = $8,
                 looks = orphans.looks + 1, last_seen_at = now()",
            Uuid::now_v7(),
            tenant.0,
            object.kind.as_str(),
            object.cloud_id,
            object.name,
            object.cluster.0,
            object.resource.0,
            verdict.as_str(),
        )
        .execute(&mut *db)
        .await?;
    }
    let kinds: Vec<String> = whole.iter().map(|k| k.as_str().to_owned()).collect();
    let here: Vec<String> = seen.iter().map(|(o, _)| o.cloud_id.clone()).collect();
    sqlx::query!("DELETE FROM orphans WHERE tenant_id = $1 AND kind = ANY($2) AND NOT cloud_id = ANY($3)", tenant.0, &kinds, &here)
        .execute(&mut *db)
        .await?;
    list(db, Some(tenant)).await
}

async fn list(db: &mut PgConnection, tenant: Option<&TenantId>) -> Result<Vec<OrphanRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT o.id, o.tenant_id, t.name AS tenant_name, o.kind, o.cloud_id, o.name, o.cluster_id, o.resource_id, o.verdict, o.looks,
                o.first_seen_at, o.last_seen_at, o.decision, o.decided_by
         FROM orphans o JOIN tenants t ON t.id = o.tenant_id WHERE $1::text IS NULL OR o.tenant_id = $1
         ORDER BY o.first_seen_at, o.id LIMIT 1000",
        tenant.map(|t| t.0.as_str()),
    );
    rows.fetch_all(db).await?.into_iter().map(OrphanRecord::try_from).collect()
}

async fn decide(db: &mut PgConnection, actor: &Actor, id: Uuid, decision: Decision, context: &RequestContext) -> Result<(), StoreError> {
    let orphan = sqlx::query!(
        "UPDATE orphans SET decision = $2, decided_by = $3, decided_at = now() WHERE id = $1 RETURNING tenant_id, kind, cloud_id, name",
        id,
        decision.as_str(),
        actor.user.name,
    );
    let orphan = orphan.fetch_optional(&mut *db).await?.ok_or(StoreError::NotFound)?;
    // The deed is looked for again at once, not at the next turn.
    sqlx::query!("UPDATE sweeps SET run_at = now() WHERE tenant_id = $1", orphan.tenant_id).execute(&mut *db).await?;
    let entry = AuditEntry {
        actor: actor.clone(),
        action: "orphan_decide",
        object_kind: "orphan",
        object_id: id.to_string(),
        outcome: "done",
        detail: json!({"tenant": orphan.tenant_id, "kind": orphan.kind, "cloud_id": orphan.cloud_id, "name": orphan.name, "decision": decision}),
    };
    append(db, &entry, context).await
}
