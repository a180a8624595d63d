//! The store on a real Postgres: a database for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clusters;
mod embedded;
mod engine;
mod orphans;
mod pools;
mod support;
mod tokens;
mod troubles;
