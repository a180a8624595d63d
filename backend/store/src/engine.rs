//! The engine's side: claiming clusters with a fenced lease, loading and committing. Only the database's clock counts.

use crate::changes::{announce, wake};
use crate::error::{CommitError, StoreError};
use crate::operations::{NewOperation, step_word};
use crate::pool::{Store, read, statement, write};
use crate::{clusters, ledger, nodes, operation_ends, operations};
use domain::changes::{Change, Work};
use domain::clusters::ClusterStatus;
use domain::ids::{ClusterId, NodeId, TenantId};
use domain::operations::{Operation, OperationKind, OperationState};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use uuid::Uuid;

/// A cluster held by one worker for a while. Every write carries its fence: after it has passed to another, nothing is written.
#[derive(Debug)]
pub struct Claim {
    pub cluster: ClusterId,
    pub tenant: TenantId,
    holder: Uuid,
    fence: i64,
    lease: Duration,
    /// When, by our own clock, the lease may be over: counted from before the database was asked.
    until: Mutex<Instant>,
    /// What the database's clock said, and when by ours that was.
    clock: (OffsetDateTime, Instant),
    /// What was there when the work was loaded: later wake-ups and writes of people are seen by these.
    wakes: AtomicI64,
    intent: AtomicI64,
}

impl Claim {
    /// Time for which the claim surely holds.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.until.lock().unwrap_or_else(PoisonError::into_inner).saturating_duration_since(Instant::now())
    }

    /// The time by the database's clock: replicas whose own clocks differ must agree on how long ago something was.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.clock.0 + self.clock.1.elapsed()
    }

    fn extended(&self, from: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = from + self.lease;
    }

    pub(crate) fn key(&self) -> Key {
        Key { cluster: self.cluster, tenant: self.tenant.clone(), holder: self.holder, fence: self.fence, intent: self.intent.load(Ordering::SeqCst) }
    }
}

/// What identifies a claim in statements.
pub(crate) struct Key {
    cluster: ClusterId,
    tenant: TenantId,
    holder: Uuid,
    fence: i64,
    intent: i64,
}

impl Store {
    /// Claims one due cluster.
    pub async fn claim(&self, holder: Uuid, lease: Duration) -> Result<Option<Claim>, StoreError> {
        Ok(self.claim_some(holder, lease, 1).await?.pop())
    }

    /// Claims up to so many due clusters that nobody holds and no operator holds back; where an operation is under way that only a newer program knows, the
    /// cluster is left to that. Tenants take turns: one more of whoever has the fewest under way, and of each tenant's the longest due first. Where another
    /// holder alone is at work for a tenant, the tenant's others are left to it until one has waited for a second: they are due together, and it has likely
    /// just read the project's lists.
    pub async fn claim_some(&self, holder: Uuid, lease: Duration, most: usize) -> Result<Vec<Claim>, StoreError> {
        let asked = Instant::now();
        let data = (holder, lease.as_secs_f64(), i64::try_from(most).unwrap_or(i64::MAX), known_kinds());
        let rows = statement(&self.engine, data, |db, (holder, seconds, most, kinds)| {
            Box::pin(async move {
                let claimed = sqlx::query!(
                    // The first row of a tenant comes after the first rows of all tenants before it: more tenants than rows are never needed.
                    r#"WITH kept_back AS (
                           SELECT cluster_id FROM pauses WHERE cluster_id IS NOT NULL
                           UNION ALL SELECT cluster_id FROM operations WHERE state IN ('pending', 'running', 'blocked') AND kind <> ALL($4)),
                       open AS (
                           SELECT tenant_id, holder, run_at, COALESCE(lease_until > now(), false) AS held FROM work
                           WHERE lease_until > now()
                              OR (run_at <= now() AND NOT EXISTS (SELECT FROM pauses WHERE cluster_id IS NULL)
                                  AND cluster_id NOT IN (SELECT cluster_id FROM kept_back))),
                       tenants AS (
                           SELECT tenant_id, count(*) FILTER (WHERE held) AS held FROM open GROUP BY tenant_id
                           HAVING NOT bool_and(held)
                              AND (NOT bool_or(held) OR bool_or(held AND holder = $1) OR min(run_at) FILTER (WHERE NOT held) <= now() - interval '1 second')
                           ORDER BY held, min(run_at) FILTER (WHERE NOT held) LIMIT $3),
                       due AS (
                           SELECT d.cluster_id, d.run_at, t.held + row_number() OVER (PARTITION BY t.tenant_id ORDER BY d.run_at) AS turn
                           FROM tenants t CROSS JOIN LATERAL (
                               SELECT w.cluster_id, w.run_at FROM work w
                               WHERE w.tenant_id = t.tenant_id AND w.run_at <= now() AND (w.lease_until IS NULL OR w.lease_until < now())
                                 AND w.cluster_id NOT IN (SELECT cluster_id FROM kept_back)
                               ORDER BY w.run_at LIMIT $3) d),
                       chosen AS (
                           SELECT w.cluster_id FROM (SELECT cluster_id FROM due ORDER BY turn, run_at) d CROSS JOIN LATERAL (
                               SELECT w.cluster_id FROM work w
                               WHERE w.cluster_id = d.cluster_id AND w.run_at <= now() AND (w.lease_until IS NULL OR w.lease_until < now())
                               FOR UPDATE SKIP LOCKED) w
                           LIMIT $3)
                       UPDATE work w SET holder = $1, fence = nextval('fences'), lease_until = now() + make_interval(secs => $2)
                       WHERE w.cluster_id = ANY(ARRAY(SELECT cluster_id FROM chosen))
                       RETURNING w.cluster_id, w.fence, w.wakes, w.tenant_id, clock_timestamp() AS "now!""#,
                    holder,
                    seconds,
                    most,
                    kinds,
                );
                Ok(claimed.fetch_all(db).await?)
            })
        })
        .await?;
        let claims = rows.into_iter().map(|r| Claim {
            cluster: ClusterId(r.cluster_id),
            tenant: TenantId(r.tenant_id),
            holder,
            fence: r.fence,
            lease,
            until: Mutex::new(asked + lease),
            clock: (r.now, Instant::now()),
            wakes: AtomicI64::new(r.wakes),
            intent: AtomicI64::new(0),
        });
        Ok(claims.collect())
    }

    /// Holds on to the cluster for another lease; `Fenced` when it has passed to another.
    pub async fn renew(&self, claim: &Claim) -> Result<(), CommitError> {
        let asked = Instant::now();
        let held = statement(&self.engine, (claim.key(), claim.lease.as_secs_f64()), |db, (key, seconds)| {
            Box::pin(async move {
                let done = sqlx::query!(
                    "UPDATE work SET lease_until = now() + make_interval(secs => $4) WHERE cluster_id = $1 AND holder = $2 AND fence = $3 AND lease_until > now()",
                    key.cluster.0,
                    key.holder,
                    key.fence,
                    seconds,
                );
                Ok(done.execute(db).await?.rows_affected() == 1)
            })
        })
        .await?;
        if !held {
            return Err(CommitError::Fenced);
        }
        claim.extended(asked);
        Ok(())
    }

    /// Lets go; due again after `again`, or at once if somebody woke it meanwhile. A claim that was lost is no error.
    pub async fn release(&self, claim: Claim, again: Duration) -> Result<(), StoreError> {
        let data = (claim.key(), again.as_secs_f64(), claim.wakes.load(Ordering::SeqCst));
        statement(&self.engine, data, |db, (key, again, wakes)| {
            Box::pin(async move {
                sqlx::query!(
                    "UPDATE work SET holder = NULL, lease_until = NULL, run_at = CASE WHEN wakes > $5 THEN now() ELSE now() + make_interval(secs => $4) END
                     WHERE cluster_id = $1 AND holder = $2 AND fence = $3",
                    key.cluster.0,
                    key.holder,
                    key.fence,
                    again,
                    wakes,
                )
                .execute(db)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// When the next cluster is due that may be claimed then; None: there is none.
    pub async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let seconds = read(&self.engine, known_kinds(), |db, kinds| {
            Box::pin(async move {
                let next = sqlx::query_scalar!(
                    r#"SELECT EXTRACT(EPOCH FROM min(GREATEST(run_at, COALESCE(lease_until, run_at))) - now())::double precision AS "seconds" FROM work w
                       WHERE NOT EXISTS (SELECT FROM pauses p WHERE p.cluster_id IS NULL OR p.cluster_id = w.cluster_id)
                         AND w.cluster_id NOT IN (SELECT cluster_id FROM operations WHERE state IN ('pending', 'running', 'blocked') AND kind <> ALL($1))"#,
                    kinds,
                );
                Ok(next.fetch_one(db).await?)
            })
        })
        .await?;
        Ok(seconds.map(|s| Duration::from_secs_f64(s.clamp(0.0, 3600.0))))
    }

    /// Everything about the claimed cluster.
    pub async fn load(&self, claim: &Claim) -> Result<Work, CommitError> {
        let loaded = statement(&self.engine, claim.key(), |db, key| Box::pin(load(db, key))).await?;
        let (work, wakes, intent) = loaded.ok_or(CommitError::Fenced)?;
        claim.wakes.store(wakes, Ordering::SeqCst);
        claim.intent.store(intent, Ordering::SeqCst);
        Ok(work)
    }

    /// Writes all changes or none, only while the claim holds. Where a person has changed the cluster since it was loaded, what would undo
    /// that (status, operation, observed generation) is left out; the next pass sees the new state.
    pub async fn commit(&self, claim: &Claim, changes: &[Change]) -> Result<(), CommitError> {
        write(&self.engine, (claim.key(), changes.to_vec()), |db, (key, changes)| Box::pin(commit(db, key, changes))).await
    }

    /// Lets a node fetch its bundle once within `ttl`. Void after that, and when another is put in its place.
    pub async fn node_credential_put(&self, claim: &Claim, node: NodeId, token_hash: [u8; 32], ttl: Duration) -> Result<(), CommitError> {
        let data = (claim.key(), node, token_hash, ttl.as_secs_f64());
        write(&self.engine, data, |db, (key, node, hash, seconds)| {
            Box::pin(async move {
                hold(db, key).await?;
                sqlx::query!(
                    "INSERT INTO node_credentials (node_id, token_hash, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))
                     ON CONFLICT (node_id) DO UPDATE SET token_hash = $2, expires_at = EXCLUDED.expires_at, fetched_at = NULL, alarm_at = NULL",
                    node.0,
                    hash.as_slice(),
                    seconds,
                )
                .execute(db)
                .await?;
                Ok::<_, CommitError>(())
            })
        })
        .await
    }
}

/// The kinds of operations that this program can bring about.
fn known_kinds() -> Vec<String> {
    OperationKind::ALL.into_iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// Locks the cluster, then its claim; the order of every transaction that writes about a cluster.
pub(crate) async fn hold(db: &mut PgConnection, key: &Key) -> Result<i64, CommitError> {
    let intent = sqlx::query_scalar!("SELECT intent FROM clusters WHERE id = $1 FOR NO KEY UPDATE", key.cluster.0).fetch_optional(&mut *db).await?;
    let held = sqlx::query!(
        "SELECT fence FROM work WHERE cluster_id = $1 AND holder = $2 AND fence = $3 AND lease_until > now() FOR UPDATE",
        key.cluster.0,
        key.holder,
        key.fence,
    )
    .fetch_optional(db)
    .await?;
    match (intent, held) {
        (Some(intent), Some(_)) => Ok(intent),
        _ => Err(CommitError::Fenced),
    }
}

/// Without locks: the engine alone writes what it reads here, and what people change meanwhile is told by the intent, which is read first.
async fn load(db: &mut PgConnection, key: &Key) -> Result<Option<(Work, i64, i64)>, StoreError> {
    let held = sqlx::query!(
        "SELECT c.intent, w.wakes FROM work w JOIN clusters c ON c.id = w.cluster_id
         WHERE w.cluster_id = $1 AND w.holder = $2 AND w.fence = $3 AND w.lease_until > now()",
        key.cluster.0,
        key.holder,
        key.fence,
    );
    let Some(held) = held.fetch_optional(&mut *db).await? else { return Ok(None) };
    let cluster = clusters::find(db, None, key.cluster).await?;
    let operation = match cluster.operation {
        Some(id) => Some(operations::find(db, None, id).await?.operation),
        None => None,
    };
    let nodes = nodes::rows(db, None, key.cluster).await?.into_iter().map(|r| r.node).collect();
    let ledger = ledger::rows(db, None, key.cluster).await?;
    Ok(Some((Work { cluster, nodes, ledger, operation }, held.wakes, held.intent)))
}

async fn commit(db: &mut PgConnection, key: &Key, changes: &[Change]) -> Result<(), CommitError> {
    let overtaken = hold(db, key).await? != key.intent;
    let mut told = None;
    for change in changes {
        match change {
            Change::Ledger(row) => ledger::put(db, row).await?,
            Change::Node(node) => nodes::put(db, node).await?,
            Change::NodeGone(node) => nodes::remove(db, key.cluster, *node).await?,
            Change::Status(_) | Change::ObservedGeneration(_) | Change::Operation(_) | Change::OperationBegun(_) | Change::ClusterGone
                if overtaken => {}
            Change::Status(status) => put_status(db, key.cluster, status).await?,
            Change::ObservedGeneration(generation) => {
                sqlx::query!("UPDATE clusters SET observed_generation = $2 WHERE id = $1", key.cluster.0, generation).execute(&mut *db).await?;
            }
            Change::Operation(operation) => {
                put_operation(db, operation).await?;
                told = Some(operation.id);
            }
            Change::OperationBegun(operation) => {
                begin_operation(db, key.cluster, operation).await?;
                told = Some(operation.id);
            }
            Change::ClusterGone => bury(db, key.cluster).await?,
        }
    }
    announce(db, &key.tenant, key.cluster, told).await?;
    if overtaken {
        wake(db, key.cluster).await?;
    }
    Ok(())
}

async fn put_status(db: &mut PgConnection, cluster: ClusterId, status: &ClusterStatus) -> Result<(), StoreError> {
    sqlx::query!("UPDATE clusters SET status = $2 WHERE id = $1", cluster.0, Json(status) as _).execute(db).await?;
    Ok(())
}

/// An operation of the engine's own, in the place of the last one.
async fn begin_operation(db: &mut PgConnection, cluster: ClusterId, operation: &Operation) -> Result<(), StoreError> {
    let spec = clusters::find(db, None, cluster).await?.spec;
    let new = NewOperation {
        id: operation.id,
        cluster,
        kind: operation.kind,
        spec: &spec,
        nodes: &operation.nodes,
        request: serde_json::json!({}),
        request_id: None,
        created_by: &operation.created_by,
    };
    operations::insert(db, &new).await?;
    put_operation(db, operation).await?;
    sqlx::query!("UPDATE clusters SET operation_id = $2 WHERE id = $1", cluster.0, operation.id.0).execute(db).await?;
    Ok(())
}

async fn put_operation(db: &mut PgConnection, operation: &Operation) -> Result<(), StoreError> {
    // Only an end is compared with what was before: it is told once.
    let before = if operation.state.ended() { Some(operations::find(db, None, operation.id).await?) } else { None };
    sqlx::query!(
        "UPDATE operations SET state = $2, progress = $3, steps = $4, fault = $5, receipt = $6, started_at = $7, finished_at = $8, next_attempt_at = $9,
                resumed_at = $10, deadline_at = $11, retries = $12, revision = nextval('operation_revisions') WHERE id = $1",
        operation.id.0,
        operation.state.as_str(),
        i64::from(operation.progress),
        Json(&operation.steps) as _,
        operation.fault.as_ref().map(Json) as _,
        operation.receipt.as_ref().map(Json) as _,
        operation.started_at,
        operation.finished_at,
        operation.next_attempt_at,
        operation.resumed_at,
        operation.deadline_at,
        i64::from(operation.retries),
    )
    .execute(&mut *db)
    .await?;
    if let Some(before) = before {
        operation_ends::tell(db, &before, operation.state, operation.fault.as_ref()).await?;
    }
    if operation.state == OperationState::Succeeded && operation.retries == 0 {
        remember_durations(db, operation).await?;
    }
    Ok(())
}

/// What a step took is what it usually takes the next time.
async fn remember_durations(db: &mut PgConnection, operation: &Operation) -> Result<(), StoreError> {
    for step in &operation.steps {
        if let (Some(started), Some(finished)) = (step.started_at, step.finished_at) {
            sqlx::query!(
                "INSERT INTO step_durations (operation_id, kind, step, seconds) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                operation.id.0,
                operation.kind.as_str(),
                step_word(step),
                (finished - started).as_seconds_f64(),
            )
            .execute(&mut *db)
            .await?;
        }
    }
    Ok(())
}

/// The cluster is gone: secrets erased, kubeconfigs worthless, no work left; the row stays for the receipt.
pub(crate) async fn bury(db: &mut PgConnection, cluster: ClusterId) -> Result<(), StoreError> {
    sqlx::query!("DELETE FROM secrets WHERE cluster_id = $1", cluster.0).execute(&mut *db).await?;
    // Before its kubeconfigs end: what they were narrowed to is no affair of a cluster that is gone.
    sqlx::query!("UPDATE clusters SET deleted_at = now() WHERE id = $1", cluster.0).execute(&mut *db).await?;
    sqlx::query!("UPDATE kubeconfigs SET revoked_at = now() WHERE cluster_id = $1 AND revoked_at IS NULL", cluster.0).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM nodes WHERE cluster_id = $1", cluster.0).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM work WHERE cluster_id = $1", cluster.0).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM pauses WHERE cluster_id = $1", cluster.0).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM member_places WHERE cluster_id = $1", cluster.0).execute(db).await?;
    Ok(())
}
