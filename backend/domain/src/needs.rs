//! What a cluster or a change of it needs from the cloud: objects by kind, and quotas.

use crate::clusters::ClusterSpec;
use crate::ledger::ResourceKind;
use crate::requests::FlavorSize;
use std::collections::BTreeMap;

/// Objects to be made: (kind, whose: a pool's name, `control-plane`, or empty for the cluster's own) → how many.
pub type Objects = BTreeMap<(ResourceKind, String), u32>;

/// Amounts by quota: `instances`, `vcpus`, `ram_mib`, `volumes`, `gigabytes`, `ports`, `networks`, ...
pub type Amounts = BTreeMap<&'static str, u64>;

/// The objects of a whole cluster.
#[must_use]
pub fn cluster_objects(spec: &ClusterSpec) -> Objects {
    use ResourceKind::{ApplicationCredential, FloatingIp, LoadBalancer, Network, Router, RouterInterface, SecurityGroup, ServerGroup, Subnet};
    let mut objects: Objects =
        [ApplicationCredential, Network, Subnet, Router, RouterInterface, LoadBalancer, FloatingIp].map(|k| ((k, String::new()), 1)).into();
    objects.insert((SecurityGroup, String::new()), 2);
    if spec.control_plane.count > 1 {
        objects.insert((ServerGroup, crate::nodes::CONTROL_PLANE_POOL.to_owned()), 1);
    }
    objects.extend(node_objects(crate::nodes::CONTROL_PLANE_POOL, spec.control_plane.count));
    for pool in &spec.node_pools {
        objects.extend(node_objects(&pool.name, pool.count));
    }
    objects
}

/// The objects of `count` nodes of a pool.
#[must_use]
pub fn node_objects(pool: &str, count: u32) -> Objects {
    let kinds = [ResourceKind::Port, ResourceKind::Volume, ResourceKind::Server];
    kinds.into_iter().filter(|_| count > 0).map(|kind| ((kind, pool.to_owned()), count)).collect()
}

/// What those objects take from the project's quotas. A load balancer and a router interface have a port of their own.
#[must_use]
pub fn amounts(objects: &Objects, spec: &ClusterSpec, flavors: &[FlavorSize]) -> Amounts {
    let mut amounts = Amounts::new();
    for ((kind, pool), count) in objects {
        let count = u64::from(*count);
        let mut add = |quota: &'static str, n: u64| *amounts.entry(quota).or_insert(0) += n;
        match kind {
            ResourceKind::Server => {
                let (flavor, _) = machine(spec, pool);
                let size = flavors.iter().find(|f| f.name == flavor);
                add("instances", count);
                add("vcpus", count * size.map_or(0, |f| u64::from(f.vcpus)));
                add("ram_mib", count * size.map_or(0, |f| u64::from(f.ram_mib)));
            }
            ResourceKind::Volume => {
                add("volumes", count);
                add("gigabytes", count * u64::from(machine(spec, pool).1));
            }
            ResourceKind::Port | ResourceKind::RouterInterface => add("ports", count),
            ResourceKind::LoadBalancer => {
                add("load_balancers", count);
                add("ports", count);
            }
            ResourceKind::Network => add("networks", count),
            ResourceKind::Subnet => add("subnets", count),
            ResourceKind::Router => add("routers", count),
            ResourceKind::SecurityGroup => add("security_groups", count),
            ResourceKind::ServerGroup => add("server_groups", count),
            ResourceKind::FloatingIp => add("floating_ips", count),
            ResourceKind::ApplicationCredential => {}
        }
    }
    amounts
}

/// (flavor, GiB of the root volume) of a pool's machines.
fn machine<'a>(spec: &'a ClusterSpec, pool: &str) -> (&'a str, u32) {
    match spec.node_pools.iter().find(|p| p.name == pool) {
        Some(found) => (&found.flavor, found.root_volume_gib),
        None => (&spec.control_plane.flavor, spec.control_plane.root_volume_gib),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::clusters::ClusterSpecRequest;
    use crate::requests::{Offers, complete};

    #[test]
    fn a_cluster_of_three_nodes_needs_three_of_everything_a_node_has() {
        let flavors = vec![FlavorSize { name: "m".to_owned(), vcpus: 2, ram_mib: 4096 }];
        let spec = complete(&ClusterSpecRequest::default(), &Offers { flavors: flavors.clone(), ..Offers::default() });
        let amounts = amounts(&cluster_objects(&spec), &spec, &flavors);
        assert_eq!((amounts["instances"], amounts["vcpus"], amounts["ram_mib"]), (3, 6, 12288));
        assert_eq!((amounts["volumes"], amounts["gigabytes"], amounts["ports"]), (3, 60, 5));
        assert_eq!(amounts.get("server_groups"), None);
    }
}
