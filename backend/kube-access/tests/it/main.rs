//! The access to clusters against an API server of our own: real TLS with client certificates, HTTP/1.1, streams and upgrades.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod across;
mod actix;
mod engine;
mod fake_api;
mod gateway;
mod hostile;
mod nodes;
mod reads;
mod real_cluster;
mod storage_classes;
mod transport;
