//! A small pool for each runtime, for what is asked of every request.
//!
//! Each thread that serves requests has a runtime, and a connection belongs to the runtime that made it: lent to another thread, every answer of the database
//! wakes its own thread first, and that one the thread that waits.

use crate::pool::pool;
use sqlx::postgres::{PgConnectOptions, PgPool};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Id};

/// The pools of all runtimes. That of one that has ended stays until the end: those that serve requests live as long as the program.
#[derive(Debug)]
pub(crate) struct Near {
    connect: PgConnectOptions,
    each: u32,
    acquire: Duration,
    pools: Mutex<HashMap<Id, PgPool>>,
}

impl Near {
    pub fn new(connect: PgConnectOptions, each: u32, acquire: Duration) -> Self {
        Self { connect, each, acquire, pools: Mutex::default() }
    }

    /// That of the calling runtime.
    pub fn pool(&self) -> PgPool {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(Handle::current().id()).or_insert_with(|| pool(self.connect.clone(), self.each, self.acquire)).clone()
    }

    /// Ends every connection.
    pub async fn close(&self) {
        let pools: Vec<PgPool> = self.pools.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for pool in pools {
            pool.close().await;
        }
    }
}
