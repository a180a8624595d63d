//! The HTTP API: one list of routes, its document, and one file per noun. Handlers validate and record; only the engine changes the cloud.

pub mod admin;
pub mod catalogue;
pub mod clusters;
pub mod docs;
pub mod errors;
pub mod events;
pub mod extract;
pub mod health;
pub mod idempotency;
pub mod json;
pub mod kubeconfigs;
pub mod kubernetes;
pub mod lists;
pub mod node_bootstrap;
pub mod node_pools;
pub mod nodes;
pub mod openapi;
pub mod operations;
pub mod projects;
pub mod request_id;
pub mod routes;
pub mod session;
pub mod templates;
