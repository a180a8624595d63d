//! A database for each test, on one private Postgres for each test process; and pairs of servers, where one is to take the other's place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use crate::embedded::{self, Postgres};
use crate::pool::{Store, StoreOptions};
use sealed::KeyRing;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

static SERVER: OnceCell<(Postgres, tempfile::TempDir)> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Begins the names of folders with a server's data; the process's id follows.
const FOLDER: &str = "kcs-test-pg-";

/// A process's server outlives every test of it, and nobody is left at the end to remove its data: the next process does.
fn remove_left_over() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// One for servers of this process.
fn folder() -> tempfile::TempDir {
    remove_left_over();
    tempfile::Builder::new().prefix(&format!("{FOLDER}{}-", std::process::id())).tempdir().unwrap()
}

/// An empty database with the schema in it.
#[derive(Debug)]
pub struct Database {
    pub url: String,
    pub keys: Arc<KeyRing>,
}

impl Database {
    pub async fn new() -> Self {
        let (server, _) = SERVER
            .get_or_init(|| async {
                let folder = folder();
                let server = embedded::start_with(&folder.path().join("postgres"), &["fsync=off", "synchronous_commit=off"]).await.unwrap();
                // The schema is made once; what tests get are copies of it.
                Store::migrate(&StoreOptions::from_url(&server.url()).unwrap()).await.unwrap();
                (server, folder)
            })
            .await;
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        // From beside it: what is copied may have nobody in it.
        let options: sqlx::postgres::PgConnectOptions = server.url_of("postgres").parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE kcs"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        Self { url: server.url_of(&name), keys: Arc::new(KeyRing::generate().unwrap()) }
    }

    pub fn options(&self) -> StoreOptions {
        StoreOptions::from_url(&self.url).unwrap()
    }

    /// One more store on the same database, as another process would have.
    pub async fn store(&self) -> Store {
        Store::connect(&self.options(), self.keys.clone()).await.unwrap()
    }

    /// Statements past the store: how tests make time pass, or lose records.
    pub async fn execute(&self, statements: &'static str) {
        let mut connection = self.options().connect.connect().await.unwrap();
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        // As if the store had done it.
        crate::admissions::forgotten(&crate::pool::pool(self.options().connect, 1, Duration::from_secs(10))).await;
    }

    /// Makes the database slow: nobody may even read the table until it is released.
    pub async fn lock(&self, table: &'static str) -> LockedTable {
        let mut connection = self.options().connect.connect().await.unwrap();
        let statement = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        LockedTable { connection, table }
    }
}

/// A table that is held up.
#[derive(Debug)]
pub struct LockedTable {
    connection: PgConnection,
    table: &'static str,
}

impl LockedTable {
    /// How many statements wait for it at this moment. Databases are copies of one: their tables have the same number, and the server tells of all of them.
    pub async fn waiting(&mut self) -> i64 {
        let query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        sqlx::query_scalar(query).bind(self.table).fetch_one(&mut self.connection).await.unwrap()
    }

    pub async fn release(mut self) {
        sqlx::raw_sql("COMMIT").execute(&mut self.connection).await.unwrap();
    }
}

/// Two servers, of which the second follows the first: what the first has acknowledged comes to the second a moment later.
#[derive(Debug)]
pub struct Pair {
    primary: Postgres,
    standby: Postgres,
    keys: Arc<KeyRing>,
    folder: tempfile::TempDir,
}

impl Pair {
    pub async fn new() -> Self {
        let folder = folder();
        let settings: &[&str] = &["fsync=off"];
        let primary = embedded::start_with(&folder.path().join("primary"), settings).await.unwrap();
        let standby = primary.follower(&folder.path().join("standby"), settings).await.unwrap();
        let pair = Self { primary, standby, keys: Arc::new(KeyRing::generate().unwrap()), folder };
        Store::migrate(&pair.database().options()).await.unwrap();
        pair
    }

    /// The first's.
    #[must_use]
    pub fn database(&self) -> Database {
        Database { url: self.primary.url(), keys: self.keys.clone() }
    }

    /// Once the second has all that there is by now, nothing more comes to it.
    pub async fn part(&self) {
        let here: String = sqlx::query_scalar("SELECT pg_current_wal_lsn()::text").fetch_one(&mut connect(&self.primary).await).await.unwrap();
        let mut standby = connect(&self.standby).await;
        let follows = "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
                       AND coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)";
        while !sqlx::query_scalar::<_, bool>(follows).bind(&here).fetch_one(&mut standby).await.unwrap() {
            tokio::task::yield_now().await;
        }
        for statement in ["ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"] {
            sqlx::raw_sql(statement).execute(&mut standby).await.unwrap();
        }
        let receives = "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)";
        while sqlx::query_scalar::<_, bool>(receives).fetch_one(&mut standby).await.unwrap() {
            tokio::task::yield_now().await;
        }
    }

    /// The first dies, and the second takes its place.
    pub async fn fail_over(&self) -> Database {
        let file = self.folder.path().join("primary/data/postmaster.pid");
        let process = std::fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
        let promoted: bool = sqlx::query_scalar("SELECT pg_promote()").fetch_one(&mut connect(&self.standby).await).await.unwrap();
        assert!(promoted, "the second did not take the first's place in time");
        Database { url: self.standby.url(), keys: self.keys.clone() }
    }

    /// Ends the second, which took the first's place.
    pub async fn stop(self) {
        self.standby.stop().await.unwrap();
    }
}

async fn connect(server: &Postgres) -> PgConnection {
    let options: sqlx::postgres::PgConnectOptions = server.url().parse().unwrap();
    options.connect().await.unwrap()
}
