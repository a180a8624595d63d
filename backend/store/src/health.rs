//! How the service itself is, as far as the database knows: its schema, the engine's queue, the looks for orphans.

use crate::error::StoreError;
use crate::migrations;
use crate::pool::{Store, read};
use auth::OperatorScope;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// All tenants taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthRecord {
    /// The newest step that the database's schema has taken.
    pub schema: i64,
    /// The newest one that this program knows.
    pub schema_known: i64,
    /// Since when the cluster that has waited longest for the engine is due; None: none is.
    pub oldest_due_at: Option<OffsetDateTime>,
    /// Projects that are being looked through for orphans.
    pub sweeping: u64,
    /// Projects whose turn it is, and that nobody looks through yet.
    pub sweeps_due: u64,
    pub oldest_sweep_due_at: Option<OffsetDateTime>,
}

impl Store {
    pub async fn health(&self, _: OperatorScope) -> Result<HealthRecord, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(health(db))).await
    }
}

async fn health(db: &mut PgConnection) -> Result<HealthRecord, StoreError> {
    let row = sqlx::query!(
        r#"SELECT (SELECT COALESCE(max(version), 0) FROM _sqlx_migrations WHERE success) AS "schema!",
                  (SELECT min(run_at) FROM work WHERE run_at <= now() AND (lease_until IS NULL OR lease_until <= now())) AS "oldest_due?",
                  (SELECT count(*) FROM sweeps WHERE held_until > now()) AS "sweeping!",
                  (SELECT count(*) FROM sweeps WHERE run_at <= now() AND (held_until IS NULL OR held_until <= now())) AS "sweeps_due!",
                  (SELECT min(run_at) FROM sweeps WHERE run_at <= now() AND (held_until IS NULL OR held_until <= now())) AS "oldest_sweep?""#
    );
    let row = row.fetch_one(db).await?;
    Ok(HealthRecord {
        schema: row.schema,
        schema_known: migrations::newest(),
        oldest_due_at: row.oldest_due,
        sweeping: row.sweeping.unsigned_abs(),
        sweeps_due: row.sweeps_due.unsigned_abs(),
        oldest_sweep_due_at: row.oldest_sweep,
    })
}
