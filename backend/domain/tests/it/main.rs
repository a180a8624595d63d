//! The decisions of the engine, without an engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addons;
mod api_audit;
mod encryption;
mod healing;
mod objects;
mod plan;
mod verbs;
mod world;
mod zones;
