//! A database in trouble: restarts, full pools, deadlocks, nothing may be written. What was answered stays, what was not is whole or absent.

use crate::support::{create, member, try_create};
use domain::codes::Code;
use sqlx::{ConnectOptions, PgConnection};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use store::embedded::{self, Postgres};
use store::test_support::Database;
use store::{ClusterFilter, ClusterSort, Store, StoreError, StoreOptions};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(60);

/// A server of the test's own, so that it may be hurt, with a store on it.
async fn own(directory: &Path) -> (Postgres, Store) {
    let server = embedded::start(directory).await.unwrap();
    let options = StoreOptions::from_url(&server.url()).unwrap();
    Store::migrate(&options).await.unwrap();
    (server, Store::connect(&options, Arc::new(sealed::KeyRing::generate().unwrap())).await.unwrap())
}

async fn connect(url: &str) -> PgConnection {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}

async fn names(store: &Store) -> Vec<String> {
    let actor = member("a");
    let page = store.clusters(&actor.scope(), ClusterFilter::default(), ClusterSort::Name, false, Default::default()).await.unwrap();
    assert!(page.items.iter().all(|r| r.operation.is_some()), "each is there with its operation");
    page.items.into_iter().map(|r| r.cluster.name).collect()
}

/// A disk of a few megabytes, for the server's user.
struct Disk(PathBuf);

fn succeeds(program: &str, arguments: &[&str], path: &Path) -> bool {
    Command::new(program).args(arguments).arg(path).output().is_ok_and(|output| output.status.success())
}

impl Disk {
    /// None: whoever runs the test may not mount one.
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir(&path).unwrap();
        let disk = succeeds("mount", &["-t", "tmpfs", "-o", "size=8m", "kcs-disk"], &path).then(|| Self(path))?;
        assert!(succeeds("chown", &["postgres:postgres"], &disk.0));
        Some(disk)
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        let full = loop {
            if let Err(error) = ballast.write_all(&[1; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The server may still be at work on it.
        succeeds("umount", &["--lazy"], &self.0);
    }
}

fn unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_eq!(result.unwrap_err().code(), Code::StoreUnavailable);
}

#[tokio::test]
async fn case_44_a_restart_in_the_middle_of_a_transaction_loses_nothing_that_was_answered() {
    let folder = tempfile::Builder::new().prefix("kcs-pg-").tempdir().unwrap();
    let directory = folder.path().join("postgres");
    let (server, store) = own(&directory).await;
    let a = member("a");
    create(&store, &a, "before").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();

    // A create that is held in the middle, when the server is killed.
    let mut other = connect(&server.url()).await;
    sqlx::raw_sql("BEGIN; LOCK TABLE audit IN ACCESS EXCLUSIVE MODE").execute(&mut other).await.unwrap();
    let held = {
        let (store, a) = (store.clone(), a.clone());
        tokio::spawn(async move { try_create(&store, &a, "held", None).await.map(drop) })
    };
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit'::regclass";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut other).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let process = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap().lines().next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
    unavailable(held.await.unwrap());
    assert!(matches!(store.renew(&claim).await, Err(store::CommitError::Store(_))), "unknown, which is not the same as fenced");

    let server = embedded::start(&directory).await.unwrap();
    assert_eq!(names(&store).await, ["before"], "the same store goes on by itself");
    store.renew(&claim).await.unwrap();
    create(&store, &a, "held").await;
    store.close().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn case_46_a_deadlock_is_repeated_and_nobody_hears_of_it() {
    let database = Database::new().await;
    let mut other = connect(&database.url).await;
    // The store's sessions look for a deadlock once, after this time, by when there must be one; ours does not, and is never told to give way.
    let patience = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''2s''', current_database()); END $$";
    sqlx::raw_sql(patience).execute(&mut other).await.unwrap();
    sqlx::raw_sql("SET deadlock_timeout = '10min'; BEGIN; LOCK TABLE audit IN ACCESS EXCLUSIVE MODE").execute(&mut other).await.unwrap();
    let store = database.store().await;
    let create = {
        let store = store.clone();
        tokio::spawn(async move { try_create(&store, &member("a"), "x", None).await })
    };
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit'::regclass
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut other).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    // The create holds rows of clusters and waits for audit, we hold audit and ask for clusters: it is told to give way.
    sqlx::raw_sql("LOCK TABLE clusters IN ACCESS EXCLUSIVE MODE; COMMIT").execute(&mut other).await.unwrap();
    create.await.unwrap().unwrap();
    assert_eq!(names(&store).await, ["x"]);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    while sqlx::query_scalar::<_, i64>(deadlocks).fetch_one(&mut other).await.unwrap() == 0 {
        // The statistics come a moment later.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn case_48_a_full_pool_of_requests_is_said_soon_and_leaves_the_engine_alone() {
    let database = Database::new().await;
    let options = StoreOptions { api_connections: 2, acquire_timeout: Duration::from_secs(2), ..database.options() };
    let store = Store::connect(&options, database.keys.clone()).await.unwrap();
    create(&store, &member("a"), "x").await;
    let mut held = database.lock("audit").await;
    // Of two tenants, so that neither waits for the other.
    let writers: Vec<_> = ["b", "c"]
        .into_iter()
        .map(|tenant| {
            let store = store.clone();
            tokio::spawn(async move { try_create(&store, &member(tenant), "y", None).await.map(drop) })
        })
        .collect();
    while held.waiting().await < 2 {
        tokio::task::yield_now().await;
    }
    unavailable(try_create(&store, &member("a"), "one too many", None).await);
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().expect("the engine has connections of its own");
    store.renew(&claim).await.unwrap();
    held.release().await;
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    create(&store, &member("a"), "z").await;
    assert_eq!(names(&store).await, ["x", "z"]);
}

/// How many creates, `early0` and on, went through before one was refused, and what that was told.
async fn until_refused(store: &Store, actor: &auth::Actor) -> (usize, StoreError) {
    let mut fresh = 0;
    loop {
        match try_create(store, actor, &format!("early{fresh}"), None).await {
            Ok(_) => fresh += 1,
            Err(error) => {
                assert_eq!(error.code(), Code::StoreUnavailable);
                return (fresh, error);
            }
        }
    }
}

#[tokio::test]
async fn case_51_a_database_that_takes_no_writes_is_still_read() {
    let folder = tempfile::Builder::new().prefix("kcs-pg-").tempdir().unwrap();
    let (server, store) = own(&folder.path().join("postgres")).await;
    let a = member("a");
    create(&store, &a, "x").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let mut other = connect(&server.url()).await;
    let read_only = async |other: &mut PgConnection, value: &str| {
        let statement = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        sqlx::raw_sql("SET default_transaction_read_only = off").execute(&mut *other).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *other).await.unwrap();
        sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut *other).await.unwrap();
    };
    read_only(&mut other, "on").await;
    // Processes hear of the new setting a moment later.
    let (fresh, _) = until_refused(&store, &a).await;
    let before = names(&store).await;
    assert_eq!(before.len(), fresh + 1);
    assert!(matches!(store.renew(&claim).await, Err(store::CommitError::Store(error)) if error.code() == Code::StoreUnavailable));

    read_only(&mut other, "off").await;
    while try_create(&store, &a, "after", None).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(names(&store).await.len(), before.len() + 1);
    store.renew(&claim).await.unwrap();
    store.close().await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn case_51_a_full_disk_refuses_writes_whole_and_nothing_else() {
    let folder = tempfile::Builder::new().prefix("kcs-pg-").tempdir().unwrap();
    let (server, store) = own(&folder.path().join("postgres")).await;
    let Some(disk) = Disk::mount(folder.path().join("disk")) else {
        println!("SKIPPED: a full disk: a small one is mounted for it, which takes root");
        return server.stop().await.unwrap();
    };
    let a = member("a");
    create(&store, &a, "x").await;
    let claim = store.claim(Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    // What each write comes to last is on the disk that is full, and soon needs another page of it.
    let mut other = connect(&server.url()).await;
    let space = format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.display());
    for statement in [space.as_str(), "ALTER TABLE audit SET TABLESPACE small", "ALTER TABLE audit SET (fillfactor = 10)"] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut other).await.unwrap();
    }
    disk.fill();
    let (fresh, refused) = until_refused(&store, &a).await;
    let StoreError::Unavailable(sqlx::Error::Database(words)) = &refused else { panic!("{refused:?}") };
    assert_eq!(words.code().as_deref(), Some("53100"), "{words}");
    let refused = format!("early{fresh}");
    unavailable(try_create(&store, &a, &refused, None).await);
    assert_eq!(names(&store).await.len(), fresh + 1, "nothing of what was refused is there");
    store.renew(&claim).await.unwrap();

    disk.make_room();
    create(&store, &a, &refused).await;
    assert_eq!(names(&store).await.len(), fresh + 2);
    store.close().await;
    server.stop().await.unwrap();
}
