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

/// The name a cluster has for the cloud controller and the storage driver: what they make in the cloud carries it.
#[must_use]
pub fn cluster_tag(cluster: ClusterId) -> String {
    format!("kcs-{}", cluster.0.simple())
}

/// The key of a volume's metadata under which the storage driver writes the cluster's name.
pub const VOLUME_CLUSTER: &str = "cinder.csi.openstack.org/cluster";

/// How the names of load balancers that a cluster's Services made begin: whole names only, for another cluster's may begin like this one's.
#[must_use]
pub fn service_balancer_prefix(tag: &str) -> String {
    format!("kube_service_{tag}_")
}

/// Whether the cloud controller of the cluster with this tag wrote such a description of a floating IP.
#[must_use]
pub fn is_service_address(description: &str, tag: &str) -> bool {
    description.starts_with("Floating IP for Kubernetes external service ") && description.ends_with(&format!(" from cluster {tag}"))
}

/// Whether it wrote such a description of a security group.
#[must_use]
pub fn is_service_group(description: &str, tag: &str) -> bool {
    description.starts_with("Security Group for ") && description.ends_with(&format!(" in cluster {tag}"))
}

/// A pool's name as a part of other names: eight digits of a hash (FNV-1a), for names carry no text of a user.
#[must_use]
pub fn pool_digest(pool: &str) -> String {
    let hash = pool.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

/// The ownership mark in an object's description or metadata: which row of whose ledger it belongs to.
#[must_use]
pub fn mark(cluster: ClusterId, resource: ResourceId) -> String {
    format!("kcs cluster={cluster} resource={resource}")
}
