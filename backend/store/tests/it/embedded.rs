//! The private Postgres: it keeps what was committed, however it ended.

use sqlx::{ConnectOptions, Connection};
use std::path::Path;
use std::process::Command;
use store::embedded::{self, Postgres};

async fn connect(server: &Postgres) -> sqlx::PgConnection {
    let options: sqlx::postgres::PgConnectOptions = server.url().parse().unwrap();
    options.connect().await.unwrap()
}

fn process_of(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap().lines().next().unwrap().to_owned()
}

async fn written(server: &Postgres) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&mut connect(server).await).await.unwrap()
}

#[tokio::test]
async fn what_was_committed_survives_a_stop_and_a_kill() {
    let folder = tempfile::Builder::new().prefix("kcs-pg-").tempdir().unwrap();
    let directory = folder.path().join("postgres");
    let server = embedded::start(&directory).await.unwrap();
    sqlx::raw_sql("CREATE TABLE notes (id int); INSERT INTO notes VALUES (1)").execute(&mut connect(&server).await).await.unwrap();
    server.stop().await.unwrap();
    assert!(!directory.join("data/postmaster.pid").exists(), "stopped in order");

    let server = embedded::start(&directory).await.unwrap();
    assert_eq!(written(&server).await, 1);
    let mut open = connect(&server).await;
    sqlx::raw_sql("INSERT INTO notes VALUES (2)").execute(&mut open).await.unwrap();
    sqlx::raw_sql("BEGIN; INSERT INTO notes VALUES (3)").execute(&mut open).await.unwrap();
    assert!(Command::new("kill").args(["-9", &process_of(&directory)]).status().unwrap().success());
    let server = embedded::start(&directory).await.unwrap();
    assert!(open.ping().await.is_err(), "the old server's connections are gone");
    assert_eq!(written(&server).await, 2, "what was committed, and no more");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_stopped() {
    let folder = tempfile::Builder::new().prefix("kcs-pg-").tempdir().unwrap();
    let directory = folder.path().join("postgres");
    drop(embedded::start(&directory).await.unwrap());
    embedded::stop_left_over(&directory).await.unwrap();
    assert!(!directory.join("data/postmaster.pid").exists());
    embedded::stop_left_over(&directory).await.unwrap();
}
