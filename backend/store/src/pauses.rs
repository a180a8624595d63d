//! Pauses of the engine, said by operators, and how much work there is. A claim looks at them; a pass that has begun goes to its end.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce;
use crate::error::StoreError;
use crate::pool::{Store, read, write};
use auth::{Actor, OperatorScope};
use domain::ids::{ClusterId, OperationId, TenantId};
use domain::pauses::Pause;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// The engine's work, all tenants taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRecord {
    pub pause: Option<Pause>,
    /// Operations that have not begun.
    pub pending: u64,
    pub running: u64,
    pub blocked: u64,
    /// Clusters that are held back by a pause of their own.
    pub paused_clusters: u64,
    /// Clusters that somebody works on at this moment.
    pub in_work: u64,
    /// Clusters that are due and wait for somebody to be free.
    pub due: u64,
}

impl Store {
    pub async fn queue(&self, _: OperatorScope) -> Result<QueueRecord, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(queue(db))).await
    }

    /// Holds the engine back from a cluster, or (None) from all. Said again, the reason is another one.
    pub async fn pause(
        &self,
        _: OperatorScope,
        actor: &Actor,
        cluster: Option<ClusterId>,
        reason: String,
        context: RequestContext,
    ) -> Result<(), StoreError> {
        let data = (actor.clone(), cluster, reason, context);
        write(&self.api, data, |db, (actor, cluster, reason, context)| Box::pin(pause(db, actor, *cluster, reason, context))).await
    }

    /// Lets the engine go on. What the operations under way stood still does not count against their deadlines.
    pub async fn resume(&self, _: OperatorScope, actor: &Actor, cluster: Option<ClusterId>, context: RequestContext) -> Result<(), StoreError> {
        let data = (actor.clone(), cluster, context);
        write(&self.api, data, |db, (actor, cluster, context)| Box::pin(resume(db, actor, *cluster, context))).await
    }
}

/// What holds each of these back.
pub(crate) async fn of_clusters(db: &mut PgConnection, clusters: &[Uuid]) -> Result<HashMap<ClusterId, Pause>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT c.id AS "id!", p.cluster_id, p.reason, p.paused_at, p.paused_by FROM unnest($1::uuid[]) AS c (id)
           JOIN pauses p ON p.cluster_id IS NULL OR p.cluster_id = c.id ORDER BY p.cluster_id NULLS LAST"#,
        clusters,
    );
    let pause = |everything, reason, since, by| Pause { everything, reason, since, by };
    // That of all comes last and stands in the place of its own.
    let each = rows.fetch_all(db).await?.into_iter().map(|r| (ClusterId(r.id), pause(r.cluster_id.is_none(), r.reason, r.paused_at, r.paused_by)));
    Ok(each.collect())
}

async fn queue(db: &mut PgConnection) -> Result<QueueRecord, StoreError> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM operations WHERE state = 'pending') AS "pending!",
                  (SELECT count(*) FROM operations WHERE state = 'running') AS "running!",
                  (SELECT count(*) FROM operations WHERE state = 'blocked') AS "blocked!",
                  (SELECT count(*) FROM pauses WHERE cluster_id IS NOT NULL) AS "paused!",
                  (SELECT count(*) FROM work WHERE lease_until > now()) AS "in_work!",
                  (SELECT count(*) FROM work WHERE run_at <= now() AND (lease_until IS NULL OR lease_until <= now())) AS "due!""#
    );
    let row = row.fetch_one(&mut *db).await?;
    let all = sqlx::query!("SELECT reason, paused_at, paused_by FROM pauses WHERE cluster_id IS NULL").fetch_optional(db).await?;
    let count = |n: i64| n.unsigned_abs();
    Ok(QueueRecord {
        pause: all.map(|p| Pause { everything: true, reason: p.reason, since: p.paused_at, by: p.paused_by }),
        pending: count(row.pending),
        running: count(row.running),
        blocked: count(row.blocked),
        paused_clusters: count(row.paused),
        in_work: count(row.in_work),
        due: count(row.due),
    })
}

async fn pause(db: &mut PgConnection, actor: &Actor, cluster: Option<ClusterId>, reason: &str, context: &RequestContext) -> Result<(), StoreError> {
    let entry = match cluster {
        Some(id) => of_cluster(db, actor, id, "cluster_pause").await?,
        None => AuditEntry::new(actor, "queue_pause", "queue", "all"),
    };
    sqlx::query!(
        "INSERT INTO pauses (cluster_id, reason, paused_by) VALUES ($1, $2, $3)
         ON CONFLICT (key) DO UPDATE SET reason = EXCLUDED.reason, paused_by = EXCLUDED.paused_by",
        cluster.map(|c| c.0),
        reason,
        actor.user.name,
    )
    .execute(&mut *db)
    .await?;
    let mut detail = entry.detail.clone();
    detail["reason"] = reason.into();
    append(db, &entry.detail(detail).outcome("done"), context).await?;
    tell(db, cluster, None).await
}

async fn resume(db: &mut PgConnection, actor: &Actor, cluster: Option<ClusterId>, context: &RequestContext) -> Result<(), StoreError> {
    let entry = match cluster {
        Some(id) => of_cluster(db, actor, id, "cluster_resume").await?,
        None => AuditEntry::new(actor, "queue_resume", "queue", "all"),
    };
    let ended = sqlx::query_scalar!("DELETE FROM pauses WHERE cluster_id IS NOT DISTINCT FROM $1 RETURNING paused_at", cluster.map(|c| c.0));
    let Some(since) = ended.fetch_optional(&mut *db).await? else { return Ok(()) };
    append(db, &entry.outcome("done"), context).await?;
    tell(db, cluster, Some(since)).await
}

/// What the audit log tells of a cluster that is there.
async fn of_cluster(db: &mut PgConnection, actor: &Actor, id: ClusterId, action: &'static str) -> Result<AuditEntry, StoreError> {
    let cluster = crate::clusters::find(db, None, id).await?;
    let detail = json!({ "tenant": cluster.tenant, "name": cluster.name });
    Ok(AuditEntry::new(actor, action, "cluster", id).tenant(&cluster.tenant).cluster(id).detail(detail))
}

/// Tells of the operations under way that they are held back, or (after a pause that began then) are no more. Of two pauses at once each
/// answers for the time before the other began.
async fn tell(db: &mut PgConnection, cluster: Option<ClusterId>, ended: Option<OffsetDateTime>) -> Result<(), StoreError> {
    let rows = sqlx::query!(
        r#"UPDATE operations o SET revision = nextval('operation_revisions'), deadline_at = o.deadline_at + CASE WHEN $2::timestamptz IS NULL
               THEN interval '0' ELSE GREATEST(interval '0',
                   LEAST(now(), (SELECT min(p.paused_at) FROM pauses p WHERE p.cluster_id IS NULL OR p.cluster_id = o.cluster_id))
                   - GREATEST($2, o.created_at)) END
           FROM clusters c WHERE c.id = o.cluster_id AND o.state IN ('pending', 'running', 'blocked') AND ($1::uuid IS NULL OR c.id = $1)
           RETURNING o.id, o.cluster_id, c.tenant_id"#,
        cluster.map(|c| c.0),
        ended,
    );
    for row in rows.fetch_all(&mut *db).await? {
        announce(db, &TenantId(row.tenant_id), ClusterId(row.cluster_id), Some(OperationId(row.id))).await?;
    }
    Ok(())
}
