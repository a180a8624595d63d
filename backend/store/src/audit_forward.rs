//! Handing sealed lines of the audit log on, in order, to where the operator wants them: by one process at a time, each line at least once.

use crate::audit::AuditRecord;
use crate::audit_chain::AuditEnd;
use crate::error::StoreError;
use crate::pool::{Store, statement, write};
use sqlx::PgConnection;
use std::time::Duration;

/// Lines handed on at once.
const BATCH: i64 = 500;

/// Lines to be handed on, and the right to do it for a while.
#[derive(Clone, Debug)]
pub struct AuditBatch {
    /// Each with its seal: where the log ended with it.
    pub lines: Vec<(AuditRecord, AuditEnd)>,
    after: i64,
    up_to: i64,
}

impl Store {
    /// The next lines, if there are any and nobody else has them.
    pub async fn audit_forward_claim(&self, lease: Duration) -> Result<Option<AuditBatch>, StoreError> {
        write(&self.engine, lease.as_secs_f64(), |db, lease| Box::pin(claim(db, *lease))).await
    }

    /// The lines have arrived, or not.
    pub async fn audit_forwarded(&self, batch: &AuditBatch, arrived: bool) -> Result<(), StoreError> {
        let up_to = if arrived { batch.up_to } else { batch.after };
        statement(&self.engine, (batch.after, up_to), |db, (after, up_to)| {
            Box::pin(async move {
                sqlx::query!("UPDATE audit_forward SET last_seq = $2, held_until = NULL WHERE last_seq = $1", after, up_to).execute(db).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn claim(db: &mut PgConnection, lease: f64) -> Result<Option<AuditBatch>, StoreError> {
    let after = sqlx::query_scalar!(
        "UPDATE audit_forward SET held_until = now() + make_interval(secs => $1)
         WHERE (held_until IS NULL OR held_until < now()) AND last_seq < (SELECT max(seq) FROM audit_seals) RETURNING last_seq",
        lease,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(after) = after else { return Ok(None) };
    let up_to = sqlx::query_scalar!(
        r#"SELECT max(seq) AS "seq!" FROM (SELECT seq FROM audit_seals WHERE seq > $1 ORDER BY seq LIMIT $2) next"#,
        after,
        BATCH,
    )
    .fetch_one(&mut *db)
    .await?;
    let rows = sqlx::query!(
        r#"SELECT s.seq, s.mac, a.id, a.at, COALESCE(a.tenant_id, '') AS "tenant!", t.name AS "tenant_name?", a.user_id, a.user_name, a.via, a.via_id, a.action, a.object_kind,
                  a.object_id, a.cluster_id AS cluster, a.operation_id AS operation, a.outcome, a.request_id, a.source, a.detail
           FROM audit_seals s JOIN audit a ON a.id = s.audit_id LEFT JOIN tenants t ON t.id = a.tenant_id
           WHERE s.seq > $1 AND s.seq <= $2 ORDER BY s.seq"#,
        after,
        up_to,
    )
    .fetch_all(db)
    .await?;
    let lines = rows.into_iter().map(|r| {
        let line = AuditRecord {
            id: r.id,
            at: r.at,
            tenant: r.tenant,
            tenant_name: r.tenant_name,
            user_id: r.user_id,
            user_name: r.user_name,
            via: r.via,
            via_id: r.via_id,
            action: r.action,
            object_kind: r.object_kind,
            object_id: r.object_id,
            cluster: r.cluster,
            operation: r.operation,
            outcome: r.outcome,
            request_id: r.request_id,
            source: r.source,
            detail: r.detail,
        };
        (line, AuditEnd { seq: r.seq, mac: r.mac })
    });
    Ok(Some(AuditBatch { lines: lines.collect(), after, up_to }))
}
