//! The connections, and how units of work run on them.
//!
//! A unit runs in a task of its own: a request that is dropped cannot cut it in half. Cancelling `begin()` would hand a connection that is
//! still inside a transaction to the next borrower, so nothing here is ever raced against a timer; the database's own time-outs end what
//! hangs, and every connection is rolled back when it comes back.

use crate::admissions;
use crate::changes::Hub;
use crate::error::{CommitError, StoreError};
use crate::near::Near;
use futures::future::BoxFuture;
use sealed::{KeyRing, MacKey};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::Instrument as _;

/// How to reach the database. `Debug` of the connection options shows no password.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub connect: PgConnectOptions,
    /// Connections for requests, and for the engine: a storm of one does not starve the other.
    pub api_connections: u32,
    pub engine_connections: u32,
    /// Besides, those of each thread that serves requests: so many for what is asked of every one, and so many for lines of the audit log.
    pub near_connections: u32,
    /// How long a request waits for a connection before it is answered 503.
    pub acquire_timeout: Duration,
}

impl StoreOptions {
    #[must_use]
    pub fn new(connect: PgConnectOptions) -> Self {
        Self { connect, api_connections: 10, engine_connections: 8, near_connections: 2, acquire_timeout: Duration::from_secs(3) }
    }

    /// `postgres://user:password@host:port/database`.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        // The error could hold the URL, and that a password.
        PgConnectOptions::from_str(url).map(Self::new).map_err(|_| StoreError::Unexpected("the database URL is not valid".to_owned()))
    }
}

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) api: PgPool,
    pub(crate) engine: PgPool,
    pub(crate) near: Arc<Near>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) installation_keys: Arc<Mutex<HashMap<&'static str, MacKey>>>,
}

const APPLICATION: &str = "kcs";
/// A connection that came back longer ago is looked at before it is lent again: a round trip, which a busy gate saves. No server restarts in so short a time.
const RESTED: Duration = Duration::from_millis(50);

fn bounded(options: &PgConnectOptions, statement: &str) -> PgConnectOptions {
    options.clone().application_name(APPLICATION).options([
        ("statement_timeout", statement),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("timezone", "UTC"),
        // A ROLLBACK where there is no transaction is no event.
        ("client_min_messages", "error"),
    ])
}

pub(crate) fn pool(options: PgConnectOptions, connections: u32, acquire: Duration) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire)
        .idle_timeout(Duration::from_secs(600))
        .test_before_acquire(false)
        .before_acquire(|connection, lent| {
            Box::pin(async move {
                // The pool itself rolls back and looks for life when a connection comes back. One that has rested may have died since: it is then
                // closed and another one taken.
                Ok(lent.idle_for < RESTED || sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.is_ok())
            })
        })
        .connect_lazy_with(options)
}

impl Store {
    /// Connects, and looks whether the database answers. Does not migrate.
    pub async fn connect(options: &StoreOptions, keys: Arc<KeyRing>) -> Result<Self, StoreError> {
        let api = pool(bounded(&options.connect, "10s"), options.api_connections, options.acquire_timeout);
        let engine = pool(bounded(&options.connect, "20s"), options.engine_connections, Duration::from_secs(10));
        let near = Arc::new(Near::new(bounded(&options.connect, "10s"), options.near_connections, options.acquire_timeout));
        let hub = Hub::new(options.connect.clone().application_name(APPLICATION));
        let store = Self { api, engine, near, hub, keys, installation_keys: Arc::default() };
        store.ping().await?;
        Ok(store)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        read(&self.api, (), |db, ()| Box::pin(async move { Ok(db.ping().await?) })).await
    }

    /// Brings the schema up to date. Any number of processes may call it at once: one migrates, the others wait and find it done.
    pub async fn migrate(options: &StoreOptions) -> Result<(), StoreError> {
        let connect = options.connect.clone().application_name(APPLICATION);
        crate::migrations::migrate(&connect).await
    }

    /// Ends every connection, the listener's included.
    pub async fn close(&self) {
        self.hub.close(&self.api).await;
        self.near.close().await;
        self.api.close().await;
        self.engine.close().await;
    }
}

/// How often a unit is run that the database asks to repeat.
const ATTEMPTS: u32 = 5;

/// Errors a unit may end with.
pub(crate) trait UnitError: From<StoreError> + Send + 'static {
    fn repeatable(&self) -> bool;
}

impl UnitError for StoreError {
    fn repeatable(&self) -> bool {
        self.serialization()
    }
}

impl UnitError for CommitError {
    fn repeatable(&self) -> bool {
        matches!(self, Self::Store(error) if error.serialization())
    }
}

/// Runs one transaction over `data`: all of it or nothing. Repeated a few times when another transaction stood in its way. Where it may have shut somebody out, it ends
/// once no process lets them in any more.
pub(crate) async fn write<D, T, E, F>(pool: &PgPool, data: D, unit: F) -> Result<T, E>
where
    D: Send + Sync + 'static,
    T: Send + 'static,
    E: UnitError,
    F: for<'c> Fn(&'c mut PgConnection, &'c D) -> BoxFuture<'c, Result<T, E>> + Send + Sync + 'static,
{
    let pool = pool.clone();
    spawned(async move {
        let mut attempt = 1;
        loop {
            match transaction(&pool, &data, &unit).await {
                Err(error) if error.repeatable() && attempt < ATTEMPTS => {
                    tracing::debug!(attempt, "the database asks to repeat a transaction");
                    // Different waits for those that met: a connection's process id is as good as a random number.
                    tokio::time::sleep(Duration::from_millis(u64::from(5 * attempt * attempt))).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
                Ok((value, access_changed)) => {
                    if access_changed {
                        admissions::forgotten(&pool).await;
                    }
                    return Ok(value);
                }
            }
        }
    })
    .await
}

/// What the unit ends with, and whether it may have shut somebody out.
async fn transaction<D, T, E, F>(pool: &PgPool, data: &D, unit: &F) -> Result<(T, bool), E>
where
    D: Sync,
    E: UnitError,
    F: for<'c> Fn(&'c mut PgConnection, &'c D) -> BoxFuture<'c, Result<T, E>>,
{
    let mut transaction = pool.begin().await.map_err(|e| E::from(StoreError::from(e)))?;
    match unit(&mut transaction, data).await {
        Ok(value) => {
            let access_changed = admissions::changed(&mut transaction).await.map_err(|e| E::from(StoreError::from(e)))?;
            transaction.commit().await.map_err(|e| E::from(StoreError::from(e)))?;
            Ok((value, access_changed))
        }
        Err(error) => {
            // A failed rollback closes the connection; the first error is the one to tell.
            drop(transaction.rollback().await);
            Err(error)
        }
    }
}

/// Runs statements that only read, without a transaction.
pub(crate) async fn read<D, T, F>(pool: &PgPool, data: D, unit: F) -> Result<T, StoreError>
where
    D: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut PgConnection, &'c D) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
{
    let pool = pool.clone();
    spawned(async move {
        let mut connection = pool.acquire().await?;
        unit(&mut connection, &data).await
    })
    .await
}

/// Runs statements of which each stands for itself: one that writes is a transaction of its own.
pub(crate) async fn statement<D, T, F>(pool: &PgPool, data: D, unit: F) -> Result<T, StoreError>
where
    D: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut PgConnection, &'c D) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
{
    read(pool, data, unit).await
}

async fn spawned<T: Send + 'static, E: UnitError>(unit: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E> {
    tokio::spawn(unit.in_current_span()).await.unwrap_or_else(|_| Err(E::from(StoreError::Unexpected("a unit of work ended early".to_owned()))))
}
