//! Changing the keys that seal secrets: every row that is sealed with another key than the active one is sealed anew, batch after batch, by one
//! process at a time. The rows themselves say how far it is, so that whoever comes next goes on where somebody died.

use crate::error::{StoreError, count};
use crate::pool::{Store, read, statement, write};
use crate::{secrets, sessions};
use domain::key_rotation::{KeyUse, Ring};
use sealed::SealError;
use sqlx::PgConnection;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows sealed anew in one transaction.
const BATCH: i64 = 100;
/// A process that has not been heard of for so long does not run.
const SILENCE: f64 = 60.0;
/// Rows that do not open are tried again after this.
const AGAIN: f64 = 600.0;
/// Of rows that do not open, so many are told.
const TOLD: usize = 20;

/// A process and its key ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingRecord {
    pub ring: Ring,
    /// Of the program; None: a version that does not say.
    pub version: Option<String>,
    pub seen_at: OffsetDateTime,
}

/// The turn to seal anew, held by one process.
#[derive(Clone, Debug)]
pub struct RewrapTurn {
    /// Keys to be got rid of.
    old: Vec<String>,
    place: Place,
    lease: f64,
    /// What tells this turn from a later one.
    held_until: OffsetDateTime,
    unopened: Vec<String>,
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrapped {
    /// So many rows were sealed anew. There may be more.
    Rows(u64),
    /// All have been looked at.
    Finished,
    /// The turn is another's, or the processes no longer agree on the active key.
    Lost,
}

/// Behind which row the next batch begins.
#[derive(Clone, Debug)]
enum Place {
    Secrets { owner: String, kind: String },
    Sessions { id_hash: Vec<u8> },
}

/// A row as it was read, and as it is to be.
struct Fresh<K> {
    key: K,
    sealed: Vec<u8>,
    fresh: Vec<u8>,
}

impl Store {
    /// Says that this process runs and which keys it has, and forgets those that do not run any more.
    pub async fn ring_announce(&self, process: Uuid, name: &str) -> Result<(), StoreError> {
        let ids: Vec<String> = self.keys.ids().map(str::to_owned).collect();
        let data = (process, name.to_owned(), self.keys.active().to_owned(), ids);
        write(&self.engine, data, |db, (process, name, active, ids)| {
            Box::pin(async move {
                sqlx::query!("DELETE FROM key_rings WHERE seen_at < now() - make_interval(secs => $1)", SILENCE).execute(&mut *db).await?;
                sqlx::query!(
                    "INSERT INTO key_rings (process, name, active_key, key_ids, version) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (process) DO UPDATE SET seen_at = now()",
                    process,
                    name.as_str(),
                    active.as_str(),
                    ids,
                    env!("CARGO_PKG_VERSION"),
                )
                .execute(db)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Says that this process ends.
    pub async fn ring_withdraw(&self, process: Uuid) -> Result<(), StoreError> {
        statement(&self.engine, process, |db, process| {
            Box::pin(async move {
                sqlx::query!("DELETE FROM key_rings WHERE process = $1", process).execute(db).await?;
                Ok(())
            })
        })
        .await
    }

    /// The rings of all processes that run. It tells of no tenant.
    pub async fn rings(&self) -> Result<Vec<RingRecord>, StoreError> {
        read(&self.engine, (), |db, ()| {
            Box::pin(async move {
                let rows = sqlx::query!(
                    "SELECT name, active_key, key_ids, version, seen_at FROM key_rings WHERE seen_at > now() - make_interval(secs => $1) ORDER BY name, process",
                    SILENCE,
                );
                let rows = rows.fetch_all(db).await?;
                let each = rows.into_iter().map(|r| RingRecord {
                    ring: Ring { name: r.name, active: r.active_key, keys: r.key_ids.into_iter().collect() },
                    version: Some(r.version).filter(|version| !version.is_empty()),
                    seen_at: r.seen_at,
                });
                Ok(each.collect())
            })
        })
        .await
    }

    /// How many rows are sealed with which key, by kind. It tells of no tenant.
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        read(&self.engine, (), |db, ()| Box::pin(uses(db))).await
    }

    /// Which rows did not open when it was last tried, and why: some of them.
    pub async fn rewrap_unopened(&self) -> Result<Vec<String>, StoreError> {
        read(&self.engine, (), |db, ()| {
            Box::pin(async move { Ok(sqlx::query_scalar!("SELECT unopened FROM rewraps").fetch_optional(db).await?.unwrap_or_default()) })
        })
        .await
    }

    /// Ids of keys that rows are sealed with and that this process does not have.
    pub async fn keys_lacking(&self) -> Result<Vec<String>, StoreError> {
        let mut used = read(&self.engine, (), |db, ()| Box::pin(keys_in_use(db))).await?;
        used.retain(|key| self.keys.ids().all(|id| id != key));
        Ok(used)
    }

    /// How many rows are still to be sealed anew: those under other keys than this process's active one.
    pub async fn rewrap_left(&self) -> Result<u64, StoreError> {
        let active = self.keys.active().to_owned();
        read(&self.engine, active, |db, active| {
            Box::pin(async move {
                let old = old_keys(db, active).await?;
                if old.is_empty() {
                    return Ok(0);
                }
                let left = sqlx::query_scalar!(
                    r#"SELECT (SELECT count(*) FROM secrets WHERE sealing_key(sealed) = ANY($1))
                            + (SELECT count(*) FROM sessions WHERE sealing_key(sealed) = ANY($1)) AS "left!""#,
                    &old,
                );
                Ok(count("rows", left.fetch_one(db).await?)?.into())
            })
        })
        .await
    }

    /// Takes the turn to seal anew for `lease`, which each batch renews. None: there is nothing to do, somebody else does it, or the processes
    /// that run do not all have and use this one's active key: they would undo each other's work, or not be able to read it.
    pub async fn rewrap_claim(&self, lease: Duration) -> Result<Option<RewrapTurn>, StoreError> {
        let data = (self.keys.active().to_owned(), lease.as_secs_f64());
        write(&self.engine, data, |db, (active, lease)| Box::pin(claim(db, active, *lease))).await
    }

    /// Seals the next rows anew. What somebody wrote meanwhile is left as they wrote it.
    pub async fn rewrap_batch(&self, turn: &mut RewrapTurn) -> Result<Rewrapped, StoreError> {
        match turn.place.clone() {
            Place::Secrets { owner, kind } => self.rewrap_secrets(turn, owner, kind).await,
            Place::Sessions { id_hash } => self.rewrap_sessions(turn, id_hash).await,
        }
    }

    async fn rewrap_secrets(&self, turn: &mut RewrapTurn, owner: String, kind: String) -> Result<Rewrapped, StoreError> {
        let rows = read(&self.engine, (owner, kind, turn.old.clone()), |db, (owner, kind, old)| {
            Box::pin(async move {
                let rows = sqlx::query!(
                    "SELECT owner, kind, sealed FROM secrets WHERE (owner, kind) > ($1, $2) AND sealing_key(sealed) = ANY($3)
                     ORDER BY owner, kind LIMIT $4",
                    owner.as_str(),
                    kind.as_str(),
                    old,
                    BATCH,
                );
                Ok(rows.fetch_all(db).await?.into_iter().map(|r| ((r.owner, r.kind), r.sealed)).collect::<Vec<_>>())
            })
        })
        .await?;
        turn.place = match rows.last() {
            Some(((owner, kind), _)) => Place::Secrets { owner: owner.clone(), kind: kind.clone() },
            None => Place::Sessions { id_hash: Vec::new() },
        };
        let fresh = self.seal_anew(turn, rows, |(owner, kind)| secrets::identity(owner, kind), |(owner, kind)| format!("{kind} of {owner}"));
        self.exchange(turn, fresh, |db, rows| Box::pin(exchange_secrets(db, rows))).await
    }

    async fn rewrap_sessions(&self, turn: &mut RewrapTurn, id_hash: Vec<u8>) -> Result<Rewrapped, StoreError> {
        let rows = read(&self.engine, (id_hash, turn.old.clone()), |db, (id_hash, old)| {
            Box::pin(async move {
                let rows = sqlx::query!(
                    "SELECT id_hash, sealed FROM sessions WHERE id_hash > $1 AND sealing_key(sealed) = ANY($2) ORDER BY id_hash LIMIT $3",
                    id_hash.as_slice(),
                    old,
                    BATCH,
                );
                Ok(rows.fetch_all(db).await?.into_iter().map(|r| (r.id_hash, r.sealed)).collect::<Vec<_>>())
            })
        })
        .await?;
        let Some((last, _)) = rows.last() else { return Ok(Rewrapped::Finished) };
        turn.place = Place::Sessions { id_hash: last.clone() };
        let fresh = self.seal_anew(turn, rows, |id_hash| sessions::identity(id_hash), |_| "a session".to_owned());
        self.exchange(turn, fresh, |db, rows| Box::pin(exchange_sessions(db, rows))).await
    }

    /// Wraps with the active key what opens, and notes what does not.
    fn seal_anew<K>(
        &self,
        turn: &mut RewrapTurn,
        rows: Vec<(K, Vec<u8>)>,
        identity: impl Fn(&K) -> Vec<u8>,
        words: impl Fn(&K) -> String,
    ) -> Vec<Fresh<K>> {
        let mut fresh = Vec::new();
        for (key, sealed) in rows {
            match self.keys.rewrap(&identity(&key), &sealed) {
                Ok(anew) => fresh.push(Fresh { key, sealed, fresh: anew }),
                Err(error) => turn.note(&words(&key), &error),
            }
        }
        fresh
    }

    async fn exchange<K, F>(&self, turn: &mut RewrapTurn, rows: Vec<Fresh<K>>, exchange: F) -> Result<Rewrapped, StoreError>
    where
        K: Send + Sync + 'static,
        F: for<'c> Fn(&'c mut PgConnection, &'c [Fresh<K>]) -> futures::future::BoxFuture<'c, Result<u64, StoreError>> + Send + Sync + 'static,
    {
        let data = (self.keys.active().to_owned(), turn.held_until, turn.lease, rows, exchange);
        let done = write::<_, _, StoreError, _>(&self.engine, data, |db, (active, held_until, lease, rows, exchange)| {
            Box::pin(async move {
                let Some(held_until) = hold(db, active, *held_until, *lease).await? else { return Ok(None) };
                Ok(Some((held_until, exchange(db, rows.as_slice()).await?)))
            })
        })
        .await?;
        let Some((held_until, rows)) = done else { return Ok(Rewrapped::Lost) };
        turn.held_until = held_until;
        Ok(Rewrapped::Rows(rows))
    }

    /// Ends a turn. A turn that was lost is no error.
    pub async fn rewrap_release(&self, turn: RewrapTurn) -> Result<(), StoreError> {
        statement(&self.engine, turn, |db, turn| {
            Box::pin(async move {
                sqlx::query!(
                    "UPDATE rewraps SET held_until = NULL, unopened = $2, run_at = now() + make_interval(secs => $3) WHERE held_until = $1",
                    turn.held_until,
                    &turn.unopened,
                    if turn.unopened.is_empty() { 0.0 } else { AGAIN },
                )
                .execute(db)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

impl RewrapTurn {
    /// Rows that did not open, and why.
    #[must_use]
    pub fn unopened(&self) -> &[String] {
        &self.unopened
    }

    fn note(&mut self, row: &str, error: &SealError) {
        if self.unopened.len() < TOLD {
            self.unopened.push(format!("{row}: {error}"));
        }
    }
}

async fn uses(db: &mut PgConnection) -> Result<Vec<KeyUse>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT kind AS "kind!", key AS "key!", amount AS "amount!" FROM (
               SELECT kind, sealing_key(sealed) AS key, count(*) AS amount FROM secrets GROUP BY 1, 2
               UNION ALL SELECT 'session', sealing_key(sealed), count(*) FROM sessions GROUP BY 2) AS used
           ORDER BY kind, key"#
    );
    rows.fetch_all(db).await?.into_iter().map(|r| Ok(KeyUse { kind: r.kind, key: r.key, rows: count("rows", r.amount)?.into() })).collect()
}

/// Goes from key to key in the indices, however many rows there are of each.
async fn keys_in_use(db: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let keys = sqlx::query_scalar!(
        r#"WITH RECURSIVE
               of_secrets AS (
                   (SELECT sealing_key(sealed) AS key FROM secrets ORDER BY 1 LIMIT 1)
                   UNION ALL
                   SELECT (SELECT sealing_key(s.sealed) FROM secrets s WHERE sealing_key(s.sealed) > k.key ORDER BY 1 LIMIT 1)
                   FROM of_secrets k WHERE k.key IS NOT NULL),
               of_sessions AS (
                   (SELECT sealing_key(sealed) AS key FROM sessions ORDER BY 1 LIMIT 1)
                   UNION ALL
                   SELECT (SELECT sealing_key(s.sealed) FROM sessions s WHERE sealing_key(s.sealed) > k.key ORDER BY 1 LIMIT 1)
                   FROM of_sessions k WHERE k.key IS NOT NULL)
           SELECT key AS "key!" FROM (SELECT key FROM of_secrets UNION SELECT key FROM of_sessions) AS used WHERE key IS NOT NULL ORDER BY 1"#
    );
    Ok(keys.fetch_all(db).await?)
}

async fn old_keys(db: &mut PgConnection, active: &str) -> Result<Vec<String>, StoreError> {
    let mut keys = keys_in_use(db).await?;
    keys.retain(|key| key != active);
    Ok(keys)
}

async fn claim(db: &mut PgConnection, active: &str, lease: f64) -> Result<Option<RewrapTurn>, StoreError> {
    let old = old_keys(db, active).await?;
    if old.is_empty() {
        return Ok(None);
    }
    let turn = sqlx::query_scalar!(
        r#"UPDATE rewraps SET held_until = now() + make_interval(secs => $2)
           WHERE run_at <= now() AND (held_until IS NULL OR held_until < now())
             AND NOT EXISTS (SELECT FROM key_rings WHERE seen_at > now() - make_interval(secs => $3) AND active_key <> $1)
           RETURNING held_until AS "held_until!""#,
        active,
        lease,
        SILENCE,
    );
    let place = Place::Secrets { owner: String::new(), kind: String::new() };
    let held_until = turn.fetch_optional(db).await?;
    Ok(held_until.map(|held_until| RewrapTurn { old, place, lease, held_until, unopened: Vec::new() }))
}

/// Whether the turn is still ours and all agree on the active key; renews it.
async fn hold(db: &mut PgConnection, active: &str, held_until: OffsetDateTime, lease: f64) -> Result<Option<OffsetDateTime>, StoreError> {
    let held = sqlx::query_scalar!(
        r#"UPDATE rewraps SET held_until = now() + make_interval(secs => $3)
           WHERE held_until = $2 AND held_until > now()
             AND NOT EXISTS (SELECT FROM key_rings WHERE seen_at > now() - make_interval(secs => $4) AND active_key <> $1)
           RETURNING held_until AS "held_until!""#,
        active,
        held_until,
        lease,
        SILENCE,
    );
    Ok(held.fetch_optional(db).await?)
}

async fn exchange_secrets(db: &mut PgConnection, rows: &[Fresh<(String, String)>]) -> Result<u64, StoreError> {
    let owners: Vec<String> = rows.iter().map(|r| r.key.0.clone()).collect();
    let kinds: Vec<String> = rows.iter().map(|r| r.key.1.clone()).collect();
    let sealed: Vec<Vec<u8>> = rows.iter().map(|r| r.sealed.clone()).collect();
    let fresh: Vec<Vec<u8>> = rows.iter().map(|r| r.fresh.clone()).collect();
    let changed = sqlx::query!(
        "UPDATE secrets s SET sealed = n.fresh FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) AS n (owner, kind, sealed, fresh)
         WHERE s.owner = n.owner AND s.kind = n.kind AND s.sealed = n.sealed",
        &owners,
        &kinds,
        &sealed,
        &fresh,
    );
    Ok(changed.execute(db).await?.rows_affected())
}

async fn exchange_sessions(db: &mut PgConnection, rows: &[Fresh<Vec<u8>>]) -> Result<u64, StoreError> {
    let ids: Vec<Vec<u8>> = rows.iter().map(|r| r.key.clone()).collect();
    let sealed: Vec<Vec<u8>> = rows.iter().map(|r| r.sealed.clone()).collect();
    let fresh: Vec<Vec<u8>> = rows.iter().map(|r| r.fresh.clone()).collect();
    let changed = sqlx::query!(
        "UPDATE sessions s SET sealed = n.fresh FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS n (id_hash, sealed, fresh)
         WHERE s.id_hash = n.id_hash AND s.sealed = n.sealed",
        &ids,
        &sealed,
        &fresh,
    );
    Ok(changed.execute(db).await?.rows_affected())
}
