//! The engine: claims clusters, looks at the world, lets `domain::plan` decide, acts, records. The only caller of mutating cloud APIs.
//!
//! A pass (`pass.rs`): load desired + ledger → observe → plan → commit what was learnt and what is about to be called → call → commit
//! what came of it → say when to come back. It waits for nothing: waiting is coming back.

pub mod act;
mod act_in_cluster;
pub mod addons;
pub mod claimed;
mod delete;
pub mod driver;
mod encryption;
mod glance;
mod images;
pub mod in_cluster;
mod in_the_way;
mod inside;
pub mod journal;
mod kept;
pub mod kubernetes;
pub mod lists;
pub mod memory;
pub mod observe;
pub mod pass;
mod rotation;
mod rows;
pub mod rules;
mod service_user;
pub mod sweep;
mod sweep_look;
mod unlisted;
pub mod world;

pub use driver::{Deps, run};
