//! Names and ownership marks of cloud objects. They carry identifiers only, never text of a user, and are matched exactly.

use crate::ids::{ClusterId, ResourceId};

/// The name of an object a cluster has one of: `kcs-<cluster>-<part>`.
#[must_use]
pub fn object(cluster: ClusterId, part: &str) -> String {
    format!("kcs-{cluster}-{part}")
}

/// The prefix of a cluster's node names, `kcs-<first 8 digits of the random part>-`: short enough for a host name (63 characters).
#[must_use]
pub fn node_prefix(cluster: ClusterId) -> String {
    let simple = cluster.0.simple().to_string();
    format!("kcs-{}-", &simple[simple.len() - 8..])
}

/// The ownership mark in an object's description or metadata: which row of whose ledger it belongs to.
#[must_use]
pub fn mark(cluster: ClusterId, resource: ResourceId) -> String {
    format!("kcs cluster={cluster} resource={resource}")
}
