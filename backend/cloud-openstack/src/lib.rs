//! The port to a cloud, implemented for OpenStack: a thin client of Keystone, Nova, Neutron, Cinder, Glance and Octavia.
//!
//! Every call goes through one place (`session`), which holds the token, replays once after a 401, and turns whatever went wrong into a
//! `cloud::CloudError` that says whether the call may have had an effect. On the way (`connection`) it waits for its turn and is measured
//! ([`Manners`]). Beneath is a [`Transport`], which tests replace.

mod access;
mod call;
mod catalog;
mod compute;
mod config;
mod connection;
mod error;
mod identity;
mod images;
mod lenient;
mod load_balancers;
mod manners;
mod message;
mod network;
mod network_views;
mod paging;
mod people;
mod service_users;
mod session;
mod transport;
mod volumes;
mod websso;

pub use config::{Config, Interface};
pub use identity::OpenStack;
pub use manners::{Clock, Limits, Manners, ServiceState};
pub use transport::{ReqwestTransport, Transport, TransportError};
pub use websso::websso_url;

/// Log targets of the libraries beneath, with the level they are capped at: above it they would write headers, and so tokens.
pub const LOG_CAPS: &[(&str, tracing::Level)] = &[
    ("h2", tracing::Level::INFO),
    ("hyper", tracing::Level::INFO),
    ("hyper_util", tracing::Level::INFO),
    ("reqwest", tracing::Level::INFO),
    ("rustls", tracing::Level::INFO),
];
