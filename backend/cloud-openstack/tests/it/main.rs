//! Tests of the OpenStack adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bodies;
mod cases;
mod contract;
mod errors;
mod fault_proxy;
mod faults;
mod identity;
mod manners;
mod paging;
mod scripted;
mod tokens;
mod transport;
