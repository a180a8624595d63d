//! Small pools for each runtime: one for what is asked of every request, one for lines of the audit log that a request waits for.
//!
//! Each thread that serves requests has a runtime, and a connection belongs to the runtime that made it: lent to another thread, every answer of the database
//! wakes its own thread first, and that one the thread that waits.

use crate::pool::pool;
use sqlx::postgres::{PgConnectOptions, PgPool};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Id};

/// The pools of all runtimes. Those of one that has ended stay until the end: those that serve requests live as long as the program.
#[derive(Debug)]
pub(crate) struct Near {
    connect: PgConnectOptions,
    each: u32,
    acquire: Duration,
    pools: Mutex<HashMap<Id, Pools>>,
}

/// Those of one runtime. A line may have to wait for a lock or for the disk: nobody who only asks is to wait behind it.
#[derive(Clone, Debug)]
struct Pools {
    questions: PgPool,
    lines: PgPool,
}

impl Near {
    pub fn new(connect: PgConnectOptions, each: u32, acquire: Duration) -> Self {
        Self { connect, each, acquire, pools: Mutex::default() }
    }

    /// That of the calling runtime for questions.
    pub fn questions(&self) -> PgPool {
        self.own().questions
    }

    /// That of the calling runtime for lines of the audit log.
    pub fn lines(&self) -> PgPool {
        self.own().lines
    }

    /// Connections are made when they are first wanted.
    fn own(&self) -> Pools {
        let make = || pool(self.connect.clone(), self.each, self.acquire);
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(Handle::current().id()).or_insert_with(|| Pools { questions: make(), lines: make() }).clone()
    }

    /// Ends every connection.
    pub async fn close(&self) {
        let pools: Vec<Pools> = self.pools.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for Pools { questions, lines } in pools {
            questions.close().await;
            lines.close().await;
        }
    }
}
