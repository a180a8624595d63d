//! Names and ownership marks of cloud objects. They carry identifiers only, never text of a user, and are matched exactly.

use crate::ids::{ClusterId, ResourceId, TenantId};
use crate::nodes::NodeRole;

/// The name of an object a cluster has one of: `kcs-<cluster>-<part>`.
#[must_use]
pub fn object(cluster: ClusterId, part: &str) -> String {
    format!("kcs-{cluster}-{part}")
}

/// The name of a tenant's service user.
#[must_use]
pub fn service_user(tenant: &TenantId) -> String {
    format!("kcs-{tenant}")
}

/// The prefix of a cluster's node names, `kcs-<first 8 digits of the random part>-`: short enough for a host name (63 characters).
#[must_use]
pub fn node_prefix(cluster: ClusterId) -> String {
    let simple = cluster.0.simple().to_string();
    format!("kcs-{}-", &simple[simple.len() - 8..])
}

/// The prefix of the names of masters, or of workers; their number follows.
#[must_use]
pub fn role_prefix(cluster: ClusterId, role: NodeRole) -> String {
    format!("{}{}-", node_prefix(cluster), if role == NodeRole::Master { "cp" } else { "w" })
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

/// The cluster that has this name for its cloud controller and storage driver; None: no such name.
#[must_use]
pub fn tagged(tag: &str) -> Option<ClusterId> {
    let cluster = tag.strip_prefix("kcs-")?.parse().ok()?;
    (cluster_tag(cluster) == tag).then_some(cluster)
}

/// The cluster whose Service a load balancer of this name was made for.
#[must_use]
pub fn service_balancer(name: &str) -> Option<ClusterId> {
    tagged(name.strip_prefix("kube_service_")?.split_once('_')?.0)
}

/// The cluster whose Service a floating IP of this description was made for.
#[must_use]
pub fn service_address(description: &str) -> Option<ClusterId> {
    let (_, tag) = description.rsplit_once(" from cluster ")?;
    tagged(tag).filter(|_| is_service_address(description, tag))
}

/// The cluster whose Service a security group of this description was made for.
#[must_use]
pub fn service_group(description: &str) -> Option<ClusterId> {
    let (_, tag) = description.rsplit_once(" in cluster ")?;
    tagged(tag).filter(|_| is_service_group(description, tag))
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

/// What a mark in a description says; None: it is not exactly such a mark.
#[must_use]
pub fn marked(description: &str) -> Option<(ClusterId, ResourceId)> {
    let (cluster, resource) = description.strip_prefix("kcs cluster=")?.split_once(" resource=")?;
    let (cluster, resource) = (cluster.parse().ok()?, resource.parse().ok()?);
    (mark(cluster, resource) == description).then_some((cluster, resource))
}

/// Whose a server group is by its name, the only thing of it that can carry a mark; None: no name of ours.
#[must_use]
pub fn server_group(name: &str) -> Option<ClusterId> {
    let rest = name.strip_prefix("kcs-")?;
    let (cluster, part) = (rest.get(..36)?.parse().ok()?, rest.get(37..)?);
    let shard = part.split_once('-').is_some_and(|(pool, shard)| pool.len() == 8 && shard.parse::<u32>().is_ok());
    (object(cluster, part) == name && (part == "masters" || shard)).then_some(cluster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_marks_are_read() {
        let (cluster, resource) = (ClusterId::generate(), ResourceId::generate());
        let text = mark(cluster, resource);
        assert_eq!(marked(&text), Some((cluster, resource)));
        for other in [format!("{text} "), format!("copy of {text}"), text.to_uppercase(), text.replace('-', ""), String::new()] {
            assert_eq!(marked(&other), None, "{other}");
        }
    }

    #[test]
    fn what_controllers_made_is_known_by_the_whole_name_of_their_cluster() {
        let cluster = ClusterId::generate();
        let tag = cluster_tag(cluster);
        assert_eq!(service_balancer(&format!("kube_service_{tag}_default_web")), Some(cluster));
        assert_eq!(service_address(&format!("Floating IP for Kubernetes external service default/web from cluster {tag}")), Some(cluster));
        assert_eq!(service_group(&format!("Security Group for default/web Service LoadBalancer in cluster {tag}")), Some(cluster));
        for other in [format!("kcs-{cluster}"), format!("{tag}2"), tag.to_uppercase(), tag.replace("kcs-", ""), "kcs-web".to_owned(), String::new()] {
            assert_eq!(tagged(&other), None, "{other}");
            assert_eq!(service_balancer(&format!("kube_service_{other}_default_web")), None, "{other}");
            assert_eq!(service_address(&format!("Floating IP for Kubernetes external service default/web from cluster {other}")), None, "{other}");
            assert_eq!(service_group(&format!("Security Group for default/web Service LoadBalancer in cluster {other}")), None, "{other}");
        }
        assert_eq!(service_balancer(&format!("kube_service_{tag}")), None);
        assert_eq!(service_address(&format!("mine, not from cluster {tag}")), None);
        assert_eq!(service_group(&format!("mine, not in cluster {tag}")), None);
    }

    #[test]
    fn server_groups_are_known_by_their_whole_name() {
        let cluster = ClusterId::generate();
        for part in ["masters".to_owned(), format!("{}-0", pool_digest("default"))] {
            assert_eq!(server_group(&object(cluster, &part)), Some(cluster));
        }
        for name in [
            object(cluster, "net"),
            object(cluster, "masters-2"),
            format!("my-{}", object(cluster, "masters")),
            "kcs-masters".to_owned(),
            "kcs-ä".repeat(20),
        ] {
            assert_eq!(server_group(&name), None, "{name}");
        }
    }
}
