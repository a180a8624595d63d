//! The API from outside: real Postgres, the local cloud, HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod authorization;
mod bad_input;
mod breadth;
mod cluster_api;
mod clusters;
mod documents;
mod events;
mod gate;
mod house;
mod orphans;
mod revocation;
mod sessions;
