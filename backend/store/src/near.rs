//! Connections of each runtime's own, for what is asked of every request.
//!
//! Each thread that serves requests has a runtime, and a connection belongs to the runtime that made it: lent to another thread, every answer of the database
//! wakes its own thread first, and that one the thread that waits. The pool lends to whoever asks, and asks the database for a sign of life each time a
//! connection comes back, which is a round trip more. Here a connection is lent where it was made, and comes back as it is.

use crate::error::StoreError;
use crate::pool::{RESTED, Store, spawned};
use futures::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A connection that nobody used for as long is closed.
const IDLE: Duration = Duration::from_secs(600);

/// The connections of all runtimes.
#[derive(Debug)]
pub(crate) struct Near {
    connect: PgConnectOptions,
    /// As many as a runtime has at most.
    each: usize,
    /// How long the database may take to let us in, or to give a sign of life.
    patience: Duration,
    /// None: closed.
    shelves: Mutex<Option<HashMap<Id, Arc<Shelf>>>>,
}

/// The connections of one runtime.
#[derive(Debug)]
struct Shelf {
    /// One for each connection that is lent or being made. None is made while one lies idle, so these are never more with the idle ones.
    turns: Arc<Semaphore>,
    /// With the moment they came back.
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// A connection that is lent; dropped it is closed.
struct Lent {
    connection: PgConnection,
    shelf: Arc<Shelf>,
    _turn: OwnedSemaphorePermit,
}

/// Closes what has been idle for too long. It runs on the runtime that the connections belong to, is dropped with it, and takes them away then.
struct Keeper {
    near: Weak<Near>,
    runtime: Id,
    shelf: Weak<Shelf>,
}

/// Runs statements of which each stands for itself by a connection of the calling runtime. Where none is free it is one of the pool of requests: nobody
/// waits for a connection here, nor for one to be made.
pub(crate) async fn ask<D, T, F>(store: &Store, data: D, unit: F) -> Result<T, StoreError>
where
    D: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut PgConnection, &'c D) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
{
    let (near, pool) = (store.near.clone(), store.api.clone());
    spawned(async move {
        let Some(mut lent) = near.lend().await? else {
            let mut connection = pool.acquire().await?;
            return unit(&mut connection, &data).await;
        };
        let answer = unit(&mut lent.connection, &data).await;
        // After an error of the connection's nobody knows how it is.
        if !matches!(answer, Err(StoreError::Unavailable(_))) {
            lent.give_back();
        }
        answer
    })
    .await
}

impl Near {
    pub fn new(connect: PgConnectOptions, each: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self { connect, each, patience, shelves: Mutex::new(Some(HashMap::new())) })
    }

    /// Ends every connection; none is made any more.
    pub async fn close(&self) {
        let shelves = self.shelves().take();
        for shelf in shelves.into_iter().flat_map(HashMap::into_values) {
            shelf.close_idle_for(Duration::ZERO).await;
        }
    }

    /// One that works. None: they are all in use, there is none yet, or it had died; then the next one is being made.
    async fn lend(self: &Arc<Self>) -> Result<Option<Lent>, StoreError> {
        let Some(shelf) = self.shelf() else { return Ok(None) };
        let Ok(turn) = shelf.turns.clone().try_acquire_owned() else { return Ok(None) };
        let Some((mut connection, since)) = shelf.take() else {
            self.make(shelf, turn);
            return Ok(None);
        };
        if since.elapsed() >= RESTED {
            match timeout(self.patience, connection.ping()).await {
                Ok(Ok(())) => (),
                Ok(Err(_)) => {
                    drop(connection);
                    self.make(shelf, turn);
                    return Ok(None);
                }
                // The pool would wait in vain for as long again.
                Err(_) => return Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
            }
        }
        Ok(Some(Lent { connection, shelf, _turn: turn }))
    }

    fn make(&self, shelf: Arc<Shelf>, turn: OwnedSemaphorePermit) {
        let (connect, patience) = (self.connect.clone(), self.patience);
        tokio::spawn(async move {
            // Whoever asked uses the pool, and hears from it what is wrong.
            if let Ok(Ok(connection)) = timeout(patience, connect.connect()).await {
                shelf.put(connection);
            }
            drop(turn);
        });
    }

    /// That of the calling runtime.
    fn shelf(self: &Arc<Self>) -> Option<Arc<Shelf>> {
        let runtime = Handle::current().id();
        let shelf = {
            let mut shelves = self.shelves();
            let shelves = shelves.as_mut()?;
            if let Some(shelf) = shelves.get(&runtime) {
                return Some(shelf.clone());
            }
            let shelf = Arc::new(Shelf { turns: Arc::new(Semaphore::new(self.each)), idle: Mutex::default() });
            shelves.insert(runtime, shelf.clone());
            shelf
        };
        // A runtime that is ending drops it at once, and the shelf with it.
        tokio::spawn(Keeper { near: Arc::downgrade(self), runtime, shelf: Arc::downgrade(&shelf) }.keep());
        Some(shelf)
    }

    fn shelves(&self) -> MutexGuard<'_, Option<HashMap<Id, Arc<Shelf>>>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// The one used last: the others may rest long enough to be closed.
    fn take(&self) -> Option<(PgConnection, Instant)> {
        self.idle().pop()
    }

    fn put(&self, connection: PgConnection) {
        self.idle().push((connection, Instant::now()));
    }

    async fn close_idle_for(&self, rest: Duration) {
        let rested: Vec<_> = self.idle().extract_if(.., |(_, since)| since.elapsed() >= rest).collect();
        for (connection, _) in rested {
            drop(connection.close().await);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    fn give_back(self) {
        self.shelf.put(self.connection);
    }
}

impl Keeper {
    async fn keep(self) {
        loop {
            tokio::time::sleep(IDLE).await;
            let Some(shelf) = self.shelf.upgrade() else { return };
            shelf.close_idle_for(IDLE).await;
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let Some(near) = self.near.upgrade() else { return };
        let gone = near.shelves().as_mut().and_then(|shelves| shelves.remove(&self.runtime));
        // Not under the lock.
        drop(gone);
    }
}
