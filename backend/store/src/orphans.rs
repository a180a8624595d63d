//! Orphans: objects in the cloud with a mark of ours that nobody looks after, and whose turn it is to be looked through for them.

use crate::audit::{AuditEntry, OwnEntry, RequestContext, append, append_own};
use crate::error::{StoreError, count, unknown};
use crate::ledger;
use crate::newer::readable;
use crate::pool::{Store, read, statement, write};
use auth::{Actor, OperatorScope};
use domain::ids::{ClusterId, OrphanId, ResourceId, TenantId};
use domain::ledger::{LedgerRow, ResourceKind};
use domain::orphans::{Decision, Marked, Verdict};
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// A tenant's turn to be looked through, held by one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub tenant: TenantId,
    /// By the database's clock.
    pub now: OffsetDateTime,
    /// What tells this turn from a later one.
    held_until: OffsetDateTime,
}

/// What a look through a project found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphansSeen {
    /// All that are known of the tenant, the oldest first.
    pub known: Vec<OrphanRecord>,
    /// Those that were asked to go and are gone.
    pub removed: Vec<(ResourceKind, String)>,
}

/// An orphan as it is kept until it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanRecord {
    pub id: OrphanId,
    pub tenant: TenantId,
    pub tenant_name: String,
    pub object: Marked,
    pub verdict: Verdict,
    pub looks: u32,
    pub first_seen_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    pub decision: Option<Decision>,
    pub decided_by: Option<String>,
    /// The name of the cluster its mark tells of, if there is or was one.
    pub cluster_name: Option<String>,
    /// When it was last asked to go, and what the cloud had against it.
    pub called_at: Option<OffsetDateTime>,
    pub fault: Option<String>,
}

struct Row {
    id: Uuid,
    tenant_id: String,
    tenant_name: String,
    kind: String,
    cloud_id: String,
    name: String,
    cluster_id: Uuid,
    resource_id: Option<Uuid>,
    verdict: String,
    looks: i64,
    first_seen_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
    decision: Option<String>,
    decided_by: Option<String>,
    cluster_name: Option<String>,
    called_at: Option<OffsetDateTime>,
    fault: Option<String>,
}

impl TryFrom<Row> for OrphanRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: OrphanId(row.id),
            tenant: TenantId(row.tenant_id),
            tenant_name: row.tenant_name,
            object: Marked {
                kind: ResourceKind::parse(&row.kind).ok_or_else(|| unknown("kind of object", &row.kind))?,
                cloud_id: row.cloud_id,
                name: row.name,
                cluster: ClusterId(row.cluster_id),
                resource: row.resource_id.map(ResourceId),
            },
            verdict: Verdict::parse(&row.verdict).ok_or_else(|| unknown("verdict", &row.verdict))?,
            looks: count("looks", row.looks)?,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            decision: row.decision.map(|d| Decision::parse(&d).ok_or_else(|| unknown("decision", &d))).transpose()?,
            decided_by: row.decided_by,
            cluster_name: row.cluster_name,
            called_at: row.called_at,
            fault: row.fault,
        })
    }
}

impl Store {
    /// Takes the turn of a tenant whose project is due to be looked through, for at most `lease`; its next one comes after `every`. Each tenant has
    /// its own moment in that time, so that those who came together are not looked through together for ever: after a turn at another moment
    /// the next comes after half of it to one and a half. There are none while operators hold everything back.
    pub async fn sweep_claim(&self, every: Duration, lease: Duration) -> Result<Option<Turn>, StoreError> {
        write(&self.engine, (every.as_secs_f64(), lease.as_secs_f64()), |db, (every, lease)| {
            Box::pin(async move {
                sqlx::query!("INSERT INTO sweeps (tenant_id) SELECT DISTINCT tenant_id FROM clusters ON CONFLICT DO NOTHING")
                    .execute(&mut *db)
                    .await?;
                let turn = sqlx::query!(
                    r#"WITH due AS (
                           SELECT tenant_id, ((hashtext(tenant_id) & 65535) / 65536.0 - EXTRACT(EPOCH FROM now())::double precision / $1 - 0.5) AS moment FROM sweeps
                           WHERE (run_at <= now() OR run_at > now() + make_interval(secs => $1 * 1.5)) AND (held_until IS NULL OR held_until < now()) AND NOT EXISTS (SELECT FROM pauses WHERE cluster_id IS NULL)
                           ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                       UPDATE sweeps s SET run_at = now() + make_interval(secs => $1 * (0.5 + moment - floor(moment))), held_until = now() + make_interval(secs => $2)
                       FROM due WHERE s.tenant_id = due.tenant_id
                       RETURNING s.tenant_id, s.held_until AS "held_until!", now() AS "now!""#,
                    every,
                    lease,
                );
                let turn = turn.fetch_optional(db).await?;
                Ok(turn.map(|t| Turn { tenant: TenantId(t.tenant_id), now: t.now, held_until: t.held_until }))
            })
        })
        .await
    }

    /// Ends a turn; with `again`, the next one comes after that already. A turn that was lost is no error.
    pub async fn sweep_release(&self, turn: Turn, again: Option<Duration>) -> Result<(), StoreError> {
        statement(&self.engine, (turn, again.map(|a| a.as_secs_f64())), |db, (turn, again)| {
            Box::pin(async move {
                sqlx::query!(
                    "UPDATE sweeps SET held_until = NULL, run_at = LEAST(run_at, now() + make_interval(secs => $3))
                     WHERE tenant_id = $1 AND held_until = $2",
                    turn.tenant.0,
                    turn.held_until,
                    again.unwrap_or(f64::from(u32::MAX)),
                )
                .execute(db)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The ledger's rows that may tell of objects with marks in a tenant's project: another tenant's rows prove nothing here.
    pub async fn ledger_rows(&self, tenant: &TenantId, marked: &[Marked]) -> Result<Vec<LedgerRow>, StoreError> {
        let ids: Vec<Uuid> = marked.iter().filter_map(|m| Some(m.resource?.0)).collect();
        let clusters: Vec<Uuid> = marked.iter().filter(|m| m.resource.is_none()).map(|m| m.cluster.0).collect();
        read(&self.engine, (tenant.clone(), ids, clusters), |db, (tenant, ids, clusters)| Box::pin(ledger::rows_of_marks(db, tenant, ids, clusters)))
            .await
    }

    /// Records a whole look through a tenant's project: what is here now, and that nothing else of these kinds is. Answers all that is known.
    pub async fn orphans_seen(&self, tenant: &TenantId, seen: Vec<(Marked, Verdict)>, whole: Vec<ResourceKind>) -> Result<OrphansSeen, StoreError> {
        write(&self.engine, (tenant.clone(), seen, whole), |db, (tenant, seen, whole)| Box::pin(record(db, tenant, seen, whole))).await
    }

    /// Whether an orphan may be asked to go now: the turn is still ours, and no operator has said otherwise. Said in the audit log before it is done.
    pub async fn orphan_call(&self, turn: &Turn, orphan: &OrphanRecord) -> Result<bool, StoreError> {
        write(&self.engine, (turn.clone(), orphan.clone()), |db, (turn, orphan)| Box::pin(call(db, turn, orphan))).await
    }

    /// What the cloud had against the going of an orphan.
    pub async fn orphan_fault(&self, id: OrphanId, words: Option<String>) -> Result<(), StoreError> {
        statement(&self.engine, (id, words), |db, (id, words)| {
            Box::pin(async move {
                sqlx::query!("UPDATE orphans SET fault = $2 WHERE id = $1", id.0, words.as_deref()).execute(db).await?;
                Ok(())
            })
        })
        .await
    }

    /// How many orphans there are of each verdict, all tenants taken together.
    pub async fn orphan_counts(&self) -> Result<Vec<(Verdict, u64)>, StoreError> {
        read(&self.engine, (), |db, ()| {
            Box::pin(async move {
                let rows = sqlx::query!(r#"SELECT verdict, count(*) AS "count!" FROM orphans GROUP BY verdict"#).fetch_all(db).await?;
                // One that only a newer program knows is counted there.
                Ok(rows.into_iter().filter_map(|r| Some((Verdict::parse(&r.verdict)?, r.count.unsigned_abs()))).collect())
            })
        })
        .await
    }

    /// A thousand orphans, in the order of `list`. Operators only.
    pub async fn orphans(&self, _: OperatorScope) -> Result<Vec<OrphanRecord>, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(list(db, None, None))).await
    }

    /// What an operator says of an orphan.
    pub async fn orphan_decide(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: OrphanId,
        decision: Decision,
        context: RequestContext,
    ) -> Result<OrphanRecord, StoreError> {
        write(&self.api, (actor.clone(), id, decision, context), |db, (actor, id, decision, context)| {
            Box::pin(decide(db, actor, *id, *decision, context))
        })
        .await
    }
}

async fn record(db: &mut PgConnection, tenant: &TenantId, seen: &[(Marked, Verdict)], whole: &[ResourceKind]) -> Result<OrphansSeen, StoreError> {
    // An object may stand twice in a list that moved between its pages.
    let mut keys = BTreeSet::new();
    let once: Vec<&(Marked, Verdict)> = seen.iter().filter(|(object, _)| keys.insert((object.kind, object.cloud_id.as_str()))).collect();
    let ids: Vec<Uuid> = once.iter().map(|_| Uuid::now_v7()).collect();
    let seen_kinds: Vec<String> = once.iter().map(|(o, _)| o.kind.as_str().to_owned()).collect();
    let cloud_ids: Vec<String> = once.iter().map(|(o, _)| o.cloud_id.clone()).collect();
    let names: Vec<String> = once.iter().map(|(o, _)| o.name.clone()).collect();
    let clusters: Vec<Uuid> = once.iter().map(|(o, _)| o.cluster.0).collect();
    let resources: Vec<Option<Uuid>> = once.iter().map(|(o, _)| o.resource.map(|r| r.0)).collect();
    let verdicts: Vec<String> = once.iter().map(|(_, v)| v.as_str().to_owned()).collect();
    // With another mark, name or verdict it is another case: looks and decisions were about the former one.
    sqlx::query!(
        "DELETE FROM orphans o USING unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[])
             AS s (kind, cloud_id, name, cluster_id, resource_id, verdict)
         WHERE o.tenant_id = $1 AND o.kind = s.kind AND o.cloud_id = s.cloud_id
             AND (o.name, o.cluster_id, o.resource_id, o.verdict) IS DISTINCT FROM (s.name, s.cluster_id, s.resource_id, s.verdict)",
        tenant.0,
        &seen_kinds,
        &cloud_ids,
        &names,
        &clusters,
        &resources as &[Option<Uuid>],
        &verdicts,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO orphans (id, tenant_id, kind, cloud_id, name, cluster_id, resource_id, verdict)
         SELECT id, $1, kind, cloud_id, name, cluster_id, resource_id, verdict
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[])
             AS s (id, kind, cloud_id, name, cluster_id, resource_id, verdict)
         ON CONFLICT (tenant_id, kind, cloud_id) DO UPDATE SET looks = orphans.looks + 1, last_seen_at = now()",
        tenant.0,
        &ids,
        &seen_kinds,
        &cloud_ids,
        &names,
        &clusters,
        &resources as &[Option<Uuid>],
        &verdicts,
    )
    .execute(&mut *db)
    .await?;
    let kinds: Vec<String> = whole.iter().map(|k| k.as_str().to_owned()).collect();
    let here: Vec<String> = seen.iter().map(|(o, _)| o.cloud_id.clone()).collect();
    let left = sqlx::query!(
        r#"DELETE FROM orphans WHERE tenant_id = $1 AND kind = ANY($2) AND NOT cloud_id = ANY($3)
           RETURNING kind, name, called_at IS NOT NULL AS "called!""#,
        tenant.0,
        &kinds,
        &here,
    );
    let left = left.fetch_all(&mut *db).await?;
    let removed = left.into_iter().filter(|l| l.called).filter_map(|l| Some((ResourceKind::parse(&l.kind)?, l.name))).collect();
    Ok(OrphansSeen { known: list(db, Some(tenant), None).await?, removed })
}

/// The oldest first; after the others what was made in clusters, of which volumes that were kept on purpose may be any number, and last what is to stay: neither
/// hides what is to go or to be decided.
async fn list(db: &mut PgConnection, tenant: Option<&TenantId>, id: Option<OrphanId>) -> Result<Vec<OrphanRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT o.id, o.tenant_id, t.name AS tenant_name, o.kind, o.cloud_id, o.name, o.cluster_id, o.resource_id, o.verdict, o.looks,
                  o.first_seen_at, o.last_seen_at, o.decision, o.decided_by, c.name AS "cluster_name?", o.called_at, o.fault
           FROM orphans o JOIN tenants t ON t.id = o.tenant_id LEFT JOIN clusters c ON c.id = o.cluster_id AND c.tenant_id = o.tenant_id
           WHERE ($1::text IS NULL OR o.tenant_id = $1) AND ($2::uuid IS NULL OR o.id = $2)
           ORDER BY o.decision IS NOT DISTINCT FROM 'keep', o.verdict = 'made_inside', o.first_seen_at, o.id LIMIT 1000"#,
        tenant.map(|t| t.0.as_str()),
        id.map(|id| id.0),
    );
    Ok(readable(rows.fetch_all(db).await?))
}

async fn call(db: &mut PgConnection, turn: &Turn, orphan: &OrphanRecord) -> Result<bool, StoreError> {
    let held = sqlx::query_scalar!(
        "SELECT tenant_id FROM sweeps WHERE tenant_id = $1 AND held_until = $2 AND held_until > now() FOR UPDATE",
        turn.tenant.0,
        turn.held_until,
    );
    if held.fetch_optional(&mut *db).await?.is_none() {
        return Ok(false);
    }
    let kept = sqlx::query_scalar!("SELECT called_at FROM orphans WHERE id = $1 AND decision IS DISTINCT FROM 'keep' FOR UPDATE", orphan.id.0);
    let Some(called) = kept.fetch_optional(&mut *db).await? else { return Ok(false) };
    sqlx::query!("UPDATE orphans SET called_at = now() WHERE id = $1", orphan.id.0).execute(&mut *db).await?;
    if called.is_none() {
        let detail = told(&orphan.object, json!({"verdict": orphan.verdict, "decision": orphan.decision, "looks": orphan.looks}));
        let (id, tenant) = (orphan.id.to_string(), Some(&turn.tenant));
        let entry =
            OwnEntry { tenant, action: "orphan_remove", object: ("orphan", &id), cluster: None, operation: None, outcome: "accepted", detail };
        append_own(db, &entry, &RequestContext::default()).await?;
    }
    Ok(true)
}

/// What the audit log tells of an orphan.
fn told(object: &Marked, mut detail: serde_json::Value) -> serde_json::Value {
    detail["kind"] = json!(object.kind);
    detail["cloud_id"] = json!(object.cloud_id);
    detail["name"] = json!(object.name);
    detail["cluster"] = json!(object.cluster);
    detail
}

async fn decide(
    db: &mut PgConnection,
    actor: &Actor,
    id: OrphanId,
    decision: Decision,
    context: &RequestContext,
) -> Result<OrphanRecord, StoreError> {
    sqlx::query!("UPDATE orphans SET decision = $2, decided_by = $3, decided_at = now() WHERE id = $1", id.0, decision.as_str(), actor.user.name,)
        .execute(&mut *db)
        .await?;
    let orphan = list(db, None, Some(id)).await?.into_iter().next().ok_or(StoreError::NotFound)?;
    // The deed is looked for again at once, not at the next turn.
    sqlx::query!("UPDATE sweeps SET run_at = now() WHERE tenant_id = $1", orphan.tenant.0).execute(&mut *db).await?;
    let detail = told(&orphan.object, json!({"tenant": orphan.tenant, "decision": decision}));
    let entry = AuditEntry::new(actor, "orphan_decide", "orphan", id).tenant(&orphan.tenant).outcome("done").detail(detail);
    append(db, &entry, context).await?;
    Ok(orphan)
}
