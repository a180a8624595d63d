//! Whom kubeconfigs let in, remembered for as long as nobody may have been shut out, so that not every request into a cluster asks the database.
//!
//! A process remembers under a lease only. It takes and renews the lease on the connection by which it hears of changes: while the lease lasts, what others change is heard.
//! Triggers of the schema see whatever may shut somebody out, and have all processes forget everything; the transaction's own process answers once each that has a lease
//! has said that it did, or that lease is over (`docs/decisions/0017-admissions-under-a-lease.md`).

use crate::kubeconfigs::KubeconfigUse;
use sealed::TokenHash;
use sqlx::PgConnection;
use sqlx::postgres::{PgListener, PgPool};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use uuid::Uuid;

/// Where changes of access are told: with a number, whoever has a lease says that it has obeyed.
pub(crate) const ACCESS: &str = "kcs_access";
/// How long a lease lasts: for so long a process that ended without a word holds up who shuts somebody out.
const LEASE: Duration = Duration::from_secs(3);
/// For so long the process itself counts on it: its clock may run slower than the database's.
const HELD: Duration = Duration::from_millis(2_950);
/// A lease that is made use of is renewed when this is left of it.
const LEFT: Duration = Duration::from_secs(2);
/// The database is asked again after this, whoever heard what: it notes uses, and what is remembered costs memory.
const REMEMBERED: Duration = Duration::from_secs(30);
/// Kubeconfigs that are remembered at once; of others the database is asked.
const MOST: usize = 10_000;
/// A process that renews its lease and does not say that it has forgotten is waited for no longer: that would be an error in this program.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a process remembers.
#[derive(Debug, Default)]
pub(crate) struct Admissions {
    lease: Mutex<Lease>,
    /// Somebody asked since the lease was last renewed.
    wanted: AtomicBool,
    asked: Notify,
}

#[derive(Debug, Default)]
struct Lease {
    id: Uuid,
    until: Option<Instant>,
    /// It is not asked for before.
    next: Option<Instant>,
    /// Rises when all is forgotten: what is still being asked then counts no more.
    era: u64,
    known: HashMap<TokenHash, Admission>,
}

#[derive(Debug)]
struct Admission {
    found: Arc<KubeconfigUse>,
    until: Instant,
}

impl Lease {
    fn forget(&mut self) {
        self.era += 1;
        self.known.clear();
    }
}

/// Taken before the database is asked: what it answers may be remembered if nobody was shut out since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    asked: Instant,
    era: u64,
}

impl Admissions {
    fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom a token lets in, if that is known and cannot have changed.
    pub fn get(&self, token: &TokenHash) -> Option<KubeconfigUse> {
        if !self.wanted.swap(true, Ordering::Relaxed) {
            self.asked.notify_one();
        }
        let found = {
            let (lease, now) = (self.lease(), Instant::now());
            lease.known.get(token).filter(|known| lease.until > Some(now) && known.until > now)?.found.clone()
        };
        Some(Arc::unwrap_or_clone(found))
    }

    pub fn ticket(&self) -> Ticket {
        Ticket { asked: Instant::now(), era: self.lease().era }
    }

    /// Remembers what the database answered, which holds for no longer than `left`.
    pub fn keep(&self, ticket: Ticket, token: TokenHash, found: &KubeconfigUse, left: Duration) {
        let known = Admission { found: Arc::new(found.clone()), until: ticket.asked + left.min(REMEMBERED) };
        let mut lease = self.lease();
        if lease.era == ticket.era && lease.known.len() < MOST {
            lease.known.insert(token, known);
        }
    }

    /// Forgets one whose record this process has written itself, in a way that shuts nobody out.
    pub fn forget(&self, token: &TokenHash) {
        self.lease().known.remove(token);
    }

    /// Somebody may have been shut out; with a number, somebody waits to hear that all is forgotten.
    pub async fn changed(&self, listener: &mut PgListener, number: &str) -> Result<(), sqlx::Error> {
        let id = {
            let mut lease = self.lease();
            lease.forget();
            lease.until.map(|_| lease.id)
        };
        if let (Some(id), Ok(number)) = (id, number.parse::<i64>()) {
            // Calls may come in another order than their numbers were drawn in.
            let heard = sqlx::query!("UPDATE access_leases SET heard = GREATEST(heard, $2) WHERE id = $1", id, number);
            written(in_time(heard.execute(listener)).await.map(drop))?;
        }
        Ok(())
    }

    /// Nobody listens any more. Answers which lease there was.
    pub fn end(&self) -> Option<Uuid> {
        let mut lease = self.lease();
        let last = lease.until.map(|_| lease.id);
        *lease = Lease { era: lease.era + 1, ..Lease::default() };
        last
    }

    /// Nobody listens here any more, nor will again: nobody is to wait for it until the lease is over.
    pub async fn give_up(&self, pool: &PgPool) {
        let Some(id) = self.end() else { return };
        if let Err(error) = sqlx::query!("DELETE FROM access_leases WHERE id = $1", id).execute(pool).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "the lease was not given up");
        }
    }

    /// Ends when the lease is to be taken or renewed: somebody has asked, and the time has come. May be dropped at any time.
    pub async fn due(&self) {
        while !self.wanted.load(Ordering::Relaxed) {
            self.asked.notified().await;
        }
        let next = self.lease().next;
        if let Some(next) = next {
            tokio::time::sleep_until(next.into()).await;
        }
    }

    /// Takes the lease, or renews it.
    pub async fn renew(&self, listener: &mut PgListener) -> Result<(), sqlx::Error> {
        self.wanted.store(false, Ordering::Relaxed);
        let begun = Instant::now();
        let last = { Some(self.lease()).filter(|lease| lease.until > Some(begun)).map(|lease| lease.id) };
        let id = last.unwrap_or_else(Uuid::now_v7);
        let taken = written(in_time(take(listener, id)).await)?;
        let mut lease = self.lease();
        // Where the last one was over before the database had the new one, others may have waited for nobody.
        let goes_on = last.is_some() && lease.until > Some(Instant::now());
        if !goes_on {
            lease.forget();
        }
        lease.known.retain(|_, known| known.until > begun);
        (lease.id, lease.next) = (id, Some(begun + LEASE - LEFT));
        if taken {
            lease.until = Some(begun + HELD);
        }
        Ok(())
    }
}

/// A connection on which nothing is answered for so long is lost, and none of its notices come either.
async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(LEFT, answer).await.map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))?
}

/// By the database's clock, and from a moment on that is later than the one the process counts from. What was called out before is obeyed: nothing is remembered
/// under this lease yet.
async fn take(listener: &mut PgListener, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH gone AS (DELETE FROM access_leases WHERE until < now() - interval '1 minute')
         INSERT INTO access_leases (id, until, heard) VALUES ($1, clock_timestamp() + make_interval(secs => $2), (SELECT last_value FROM access_changes))
         ON CONFLICT (id) DO UPDATE SET until = excluded.until",
        id,
        LEASE.as_secs_f64(),
    )
    .execute(listener)
    .await?;
    Ok(())
}

/// Whether the database took it. One that takes no writes, as a standby does, is listened to all the same: without a lease each request asks it.
fn written(result: Result<(), sqlx::Error>) -> Result<bool, sqlx::Error> {
    match result {
        Err(sqlx::Error::Database(error)) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "the database takes no lease");
            Ok(false)
        }
        result => result.map(|()| true),
    }
}

/// Whether this transaction may have shut somebody out.
pub(crate) async fn changed(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let changed = sqlx::query_scalar!("SELECT current_setting('kcs.access_changed', true) = 'yes'").fetch_one(db).await?;
    Ok(changed.unwrap_or(false))
}

/// Has this transaction wait as if it had shut somebody out itself: whoever did so before may be waiting still, or have ended without.
pub(crate) async fn shut_out(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT set_config('kcs.access_changed', 'yes', true)").fetch_one(db).await?;
    Ok(())
}

/// Waits until no process remembers what was so before; after the commit of what may have shut somebody out.
pub(crate) async fn forgotten(pool: &PgPool) {
    let (begun, mut number, mut pause) = (Instant::now(), None, Duration::from_millis(2));
    while begun.elapsed() < PATIENCE {
        match remembered(pool, &mut number).await {
            Ok(false) => return,
            Ok(true) => (),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "who remembers what was so before is not known"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    tracing::error!("a process has not said that it forgot who may come in");
}

/// Whether somebody who has a lease has not yet heard the call to forget, which is made the first time.
async fn remembered(pool: &PgPool, number: &mut Option<i64>) -> Result<bool, sqlx::Error> {
    let mut db = pool.acquire().await?;
    let called = match number {
        Some(called) => *called,
        None => {
            let call = sqlx::query!(r#"SELECT number AS "number!", pg_notify($1, number::text) FROM nextval('access_changes') AS number"#, ACCESS);
            *number.insert(call.fetch_one(&mut *db).await?.number)
        }
    };
    // `now()` is from before the leases are seen: one that is over by then and renewed unseen was over for its process, too. A clock read later would pass over
    // one that was renewed in between and never was over.
    let waits = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM access_leases WHERE heard < $1 AND until > now()) AS "waits!""#, called);
    waits.fetch_one(&mut *db).await
}
