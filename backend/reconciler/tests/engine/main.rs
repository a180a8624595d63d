//! The real engine and the real adapter against the local cloud in stepped time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod api_audit;
mod authorities;
mod away;
mod breadth;
mod chaos;
mod encryption;
mod faults;
mod handover;
mod healing;
mod kubernetes;
mod lab;
mod memory;
mod projects;
mod reboots;
mod rotation;
mod states;
mod sweep;
mod withdrawn;

/// A life is mostly the making and reading of JSON: with this one, half as many again pass in the same time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
