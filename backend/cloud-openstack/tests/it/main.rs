//! Tests of the OpenStack adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bodies;
mod contract;
mod errors;
mod faults;
mod identity;
mod paging;
mod scripted;
mod tokens;
mod transport;
