//! The store on a real Postgres: a database for each test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod admissions;
mod audit;
mod clusters;
mod device_sign_ins;
mod embedded;
mod engine;
mod key_rotation;
mod members;
mod namespace_access;
mod orphans;
mod pools;
mod settings;
mod support;
mod tenants;
mod tokens;
mod troubles;
