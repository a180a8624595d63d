//! The schema, carried in the program. Forward only; one topic a file.

use crate::error::StoreError;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Held by the transaction of the one who migrates; ends with it, however it ends.
const LOCK: i64 = 0x006b_6373_5f6d_6967;

/// The newest step that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|step| step.version).max().unwrap_or_default()
}

pub(crate) async fn migrate(connect: &PgConnectOptions) -> Result<(), StoreError> {
    let connect = connect.clone();
    // A task of its own for the same reason as any other unit: see `pool`.
    tokio::spawn(async move {
        let mut guard = connect.connect().await?;
        let mut lock = guard.begin().await?;
        sqlx::query!("SELECT pg_advisory_xact_lock($1)", LOCK).execute(&mut *lock).await?;
        let mut connection = connect.connect().await?;
        connection.ping().await?;
        let result = apply(&mut connection).await;
        connection.close().await?;
        lock.commit().await?;
        result
    })
    .await
    .unwrap_or_else(|_| Err(StoreError::Unexpected("the migration ended early".to_owned())))
}

async fn apply(connection: &mut sqlx::PgConnection) -> Result<(), StoreError> {
    let mut migrator = Migrator { migrations: MIGRATIONS.migrations.clone(), ..Migrator::DEFAULT };
    // sqlx's own lock belongs to the session and outlives a failed migration behind a connection pooler; ours replaces it.
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await.map_err(|error| StoreError::Unexpected(format!("migration: {error}")))
}
