//! The API from outside: real Postgres, the local cloud, HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod admin_health;
mod announcements;
mod audit;
mod authorization;
mod bad_input;
mod breadth;
mod canary;
mod certificates;
mod cluster_api;
mod clusters;
mod credentials;
mod device;
mod documents;
mod events;
mod federation;
mod foreign;
mod fuzz;
mod gate;
mod gate_limit;
mod house;
mod keys;
mod keystone_tokens;
mod members;
mod node_keys;
mod operator_scopes;
mod operators_queue;
mod orphans;
mod proxies;
mod quota;
mod revocation;
mod sessions;
mod settings;
mod tokens;
mod vault;
mod write_offs;
