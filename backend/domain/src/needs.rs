//! What a cluster or a change of it needs from the cloud: objects by kind, and quotas.

use crate::addons::Addon;
use crate::clusters::{ClusterSpec, ControlPlaneSpec, NodePoolSpec};
use crate::ledger::ResourceKind;
use crate::nodes::CONTROL_PLANE_POOL;
use crate::requests::FlavorSize;
use crate::settings::{ApiExposure, DataVolume};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Objects to be made: (kind, whose: a pool's name, `control-plane`, `ingress` for what the cloud controller makes for that add-on, or empty for the
/// cluster's own) → how many.
pub type Objects = BTreeMap<(ResourceKind, String), u32>;

/// Amounts by quota: `instances`, `vcpus`, `ram_mib`, `volumes`, `gigabytes`, `ports`, `networks`, ...; of volumes also by their type: `volumes_ssd`,
/// `gigabytes_ssd`, and `volumes_` for those of the cloud's default type.
pub type Amounts = BTreeMap<Cow<'static, str>, u64>;

/// How the quotas of single volume types begin.
const OF_TYPES: [&str; 2] = ["volumes_", "gigabytes_"];

/// Whether the quota is one of a single volume type.
#[must_use]
pub fn of_volume_type(quota: &str) -> bool {
    OF_TYPES.iter().any(|start| quota.starts_with(start))
}

/// The same, with what is of the default type under that type's name; nothing of it where there is none.
#[must_use]
pub fn with_default_type(mut amounts: Amounts, default: Option<&str>) -> Amounts {
    for start in OF_TYPES {
        if let (Some(amount), Some(name)) = (amounts.remove(start), default) {
            *amounts.entry(format!("{start}{name}").into()).or_insert(0) += amount;
        }
    }
    amounts
}

/// Rules of one of our security groups, those that Neutron puts into every group included.
const RULES_OF_A_GROUP: u64 = 12;

/// Ports of the Service of the ingress add-on: for each the cloud controller makes a listener with a pool, its monitor, and a member for each worker.
pub const INGRESS_PORTS: u32 = 2;

/// Whether the cloud controller makes a load balancer with an address for the ingress add-on.
#[must_use]
pub fn has_ingress(spec: &ClusterSpec) -> bool {
    spec.addons.ingress && spec.addons.cloud_controller
}

fn of_ingress(kind: ResourceKind) -> (ResourceKind, String) {
    (kind, Addon::Ingress.as_str().to_owned())
}

/// The same without what the cloud controller makes: that has no rows in the ledger.
#[must_use]
pub fn without_ingress(mut objects: Objects) -> Objects {
    objects.retain(|(kind, whose), _| !matches!(kind, ResourceKind::LoadBalancer | ResourceKind::FloatingIp) || whose.is_empty());
    objects
}

/// The objects of a whole cluster.
#[must_use]
pub fn cluster_objects(spec: &ClusterSpec) -> Objects {
    use ResourceKind::{ApplicationCredential, FloatingIp, LoadBalancer, Network, Router, RouterInterface, SecurityGroup, ServerGroup, Subnet};
    let mut objects: Objects = [ApplicationCredential, LoadBalancer].map(|k| ((k, String::new()), 1)).into();
    if spec.network.existing.is_none() {
        objects.extend([Network, Subnet, Router, RouterInterface].map(|k| ((k, String::new()), 1)));
    }
    if spec.api.exposure != ApiExposure::Private {
        objects.insert((FloatingIp, String::new()), 1);
    }
    if has_ingress(spec) {
        objects.extend([LoadBalancer, FloatingIp].map(|k| (of_ingress(k), 1)));
    }
    objects.insert((SecurityGroup, String::new()), 2);
    objects.extend(node_objects(spec, CONTROL_PLANE_POOL, spec.control_plane.count));
    for pool in &spec.node_pools {
        objects.extend(node_objects(spec, &pool.name, pool.count));
    }
    let whose = std::iter::once(CONTROL_PLANE_POOL).chain(spec.node_pools.iter().map(|p| p.name.as_str()));
    let groups = whose.map(|pool| ((ServerGroup, pool.to_owned()), wanted_groups(spec, pool)));
    objects.extend(groups.filter(|(_, count)| *count > 0));
    objects
}

/// Server groups that a pool, or the control plane, wants to have.
#[must_use]
pub fn wanted_groups(spec: &ClusterSpec, pool: &str) -> u32 {
    match spec.node_pools.iter().find(|p| p.name == pool) {
        Some(pool) if pool.anti_affinity == Some(true) => group_count(spec, pool.count),
        Some(_) => 0,
        None => u32::from(spec.control_plane.count > 1),
    }
}

/// Server groups that so many servers need.
#[must_use]
pub fn group_count(spec: &ClusterSpec, servers: u32) -> u32 {
    servers.div_ceil(spec.server_group_members.max(1)).max(1)
}

/// The objects of `count` nodes of a pool.
#[must_use]
pub fn node_objects(spec: &ClusterSpec, pool: &str, count: u32) -> Objects {
    let machine = Machine::of(spec, pool);
    let volumes = u32::from(machine.root_volume_gib > 0) + u32::try_from(machine.data_volumes.len()).unwrap_or(0);
    let kinds = [(ResourceKind::Port, count), (ResourceKind::Volume, count * volumes), (ResourceKind::Server, count)];
    kinds.into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| ((kind, pool.to_owned()), n)).collect()
}

/// What is wanted and not made yet.
#[must_use]
pub fn outstanding(wanted: &Objects, made: &Objects) -> Objects {
    let left = |(key, count): (&(ResourceKind, String), &u32)| (key.clone(), count.saturating_sub(made.get(key).copied().unwrap_or(0)));
    wanted.iter().map(left).filter(|(_, count)| *count > 0).collect()
}

/// The sum of two needs.
pub fn add(to: &mut Amounts, more: &Amounts) {
    for (quota, amount) in more {
        *to.entry(quota.clone()).or_insert(0) += amount;
    }
}

/// What those objects take from the project's quotas. A load balancer and a router interface have a port of their own, and a load balancer a listener
/// with a pool, whose members the masters are; that of the ingress add-on has more of them, and the workers for members, all of them from the first.
#[must_use]
pub fn amounts(objects: &Objects, spec: &ClusterSpec, flavors: &[FlavorSize]) -> Amounts {
    let mut amounts = Amounts::new();
    let ingress_is_there = has_ingress(spec) && !objects.contains_key(&of_ingress(ResourceKind::LoadBalancer));
    for ((kind, pool), count) in objects {
        let count = u64::from(*count);
        let mut add = |quota: &'static str, n: u64| *amounts.entry(quota.into()).or_insert(0) += n;
        match kind {
            ResourceKind::Server => {
                let size = flavors.iter().find(|f| f.name == Machine::of(spec, pool).flavor);
                if pool == CONTROL_PLANE_POOL {
                    add("members", count);
                } else if ingress_is_there {
                    add("members", count * u64::from(INGRESS_PORTS));
                }
                add("instances", count);
                add("vcpus", count * size.map_or(0, |f| u64::from(f.vcpus)));
                add("ram_mib", count * size.map_or(0, |f| u64::from(f.ram_mib)));
            }
            ResourceKind::Volume => {
                let machine = Machine::of(spec, pool);
                let root = u64::from(machine.root_volume_gib > 0);
                let of_node = root + machine.data_volumes.len() as u64;
                let gib = u64::from(machine.root_volume_gib) + machine.data_volumes.iter().map(|v| u64::from(v.size_gib)).sum::<u64>();
                add("volumes", count);
                // Some of a node's volumes may be made and others not: as if the average of them were.
                add("gigabytes", (count * gib).div_ceil(of_node.max(1)));
                for (kind, (number, gib)) in volumes_by_type(machine) {
                    for (start, of_kind) in OF_TYPES.into_iter().zip([number, gib]) {
                        *amounts.entry(format!("{start}{kind}").into()).or_insert(0) += (count * of_kind).div_ceil(of_node.max(1));
                    }
                }
            }
            ResourceKind::Port | ResourceKind::RouterInterface => add("ports", count),
            ResourceKind::LoadBalancer => {
                let mut listeners = count;
                if !pool.is_empty() {
                    listeners *= u64::from(INGRESS_PORTS);
                    add("members", listeners * spec.node_pools.iter().map(|p| u64::from(p.count)).sum::<u64>());
                }
                add("load_balancers", count);
                add("listeners", listeners);
                add("pools", listeners);
                add("health_monitors", listeners);
                add("ports", count);
            }
            ResourceKind::Network => add("networks", count),
            ResourceKind::Subnet => add("subnets", count),
            ResourceKind::Router => add("routers", count),
            ResourceKind::SecurityGroup => {
                add("security_groups", count);
                add("security_group_rules", count * RULES_OF_A_GROUP);
            }
            ResourceKind::ServerGroup => add("server_groups", count),
            ResourceKind::FloatingIp => add("floating_ips", count),
            ResourceKind::ApplicationCredential => {}
        }
    }
    amounts
}

/// A node's volumes by their type, empty for the cloud's default: how many, and GiB.
fn volumes_by_type(machine: Machine<'_>) -> BTreeMap<&str, (u64, u64)> {
    let root = (machine.root_volume_gib > 0).then_some((machine.volume_type, machine.root_volume_gib));
    let data = machine.data_volumes.iter().map(|v| (v.volume_type.as_deref(), v.size_gib));
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (kind, gib) in root.into_iter().chain(data) {
        let (number, sum) = kinds.entry(kind.unwrap_or_default()).or_default();
        *number += 1;
        *sum += u64::from(gib);
    }
    kinds
}

/// What the nodes of a pool, or of the control plane, are made of.
#[derive(Clone, Copy, Debug)]
pub struct Machine<'a> {
    pub flavor: &'a str,
    /// 0: the flavor's own disk.
    pub root_volume_gib: u32,
    pub volume_type: Option<&'a str>,
    pub zones: &'a [String],
    pub image: Option<&'a str>,
    pub key_pair: Option<&'a str>,
    pub data_volumes: &'a [DataVolume],
    pub anti_affinity: bool,
}

impl<'a> Machine<'a> {
    /// Of this pool; the control plane's where no pool has the name.
    #[must_use]
    pub fn of(spec: &'a ClusterSpec, pool: &str) -> Self {
        let found = spec.node_pools.iter().find(|p| p.name == pool);
        found.map_or_else(|| Self::of_control_plane(&spec.control_plane), Self::of_pool)
    }

    #[must_use]
    pub fn of_pool(pool: &'a NodePoolSpec) -> Self {
        Self {
            flavor: &pool.flavor,
            root_volume_gib: pool.root_volume_gib,
            volume_type: pool.volume_type.as_deref(),
            zones: &pool.zones,
            image: pool.image.as_deref(),
            key_pair: pool.key_pair.as_deref(),
            data_volumes: &pool.data_volumes,
            anti_affinity: pool.anti_affinity == Some(true),
        }
    }

    #[must_use]
    pub fn of_control_plane(masters: &'a ControlPlaneSpec) -> Self {
        Self {
            flavor: &masters.flavor,
            root_volume_gib: masters.root_volume_gib,
            volume_type: masters.volume_type.as_deref(),
            zones: &masters.zones,
            image: masters.image.as_deref(),
            key_pair: masters.key_pair.as_deref(),
            data_volumes: &[],
            anti_affinity: masters.count > 1,
        }
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
        assert_eq!(["load_balancers", "listeners", "pools", "members", "health_monitors"].map(|quota| amounts[quota]), [1; 5]);
    }

    #[test]
    fn the_load_balancer_of_ingress_is_counted_once_with_all_that_is_under_it() {
        let mut spec = complete(&ClusterSpecRequest::default(), &Offers::default());
        let of = |objects: &Objects, spec: &ClusterSpec| {
            let all = amounts(objects, spec, &[]);
            let quotas = ["load_balancers", "listeners", "pools", "health_monitors", "members", "floating_ips", "ports"];
            quotas.map(|quota| all.get(quota).copied().unwrap_or(0))
        };
        let without = of(&cluster_objects(&spec), &spec);
        assert_eq!(without, [1, 1, 1, 1, 1, 1, 5]);
        spec.addons.ingress = true;
        // Two ports, behind each of which both workers are.
        assert_eq!(of(&cluster_objects(&spec), &spec), [2, 3, 3, 3, 5, 2, 6]);
        assert_eq!(of(&without_ingress(cluster_objects(&spec)), &spec), [1, 1, 1, 1, 5, 1, 5], "workers that come to one that is there");
        assert_eq!(of(&node_objects(&spec, "default", 3), &spec), [0, 0, 0, 0, 6, 0, 3]);
        assert_eq!(of(&node_objects(&spec, CONTROL_PLANE_POOL, 1), &spec), [0, 0, 0, 0, 1, 0, 1]);
        spec.api.exposure = ApiExposure::Private;
        assert_eq!(of(&cluster_objects(&spec), &spec)[5], 1, "its address does not depend on the API's");
        // Nobody makes one.
        spec.addons.cloud_controller = false;
        spec.api.exposure = ApiExposure::Public;
        assert_eq!(of(&cluster_objects(&spec), &spec), without);
    }

    #[test]
    fn volumes_are_counted_by_their_type_too() {
        let mut spec = complete(&ClusterSpecRequest::default(), &Offers::default());
        let data = |size_gib, kind: &str| DataVolume { name: "d".into(), size_gib, volume_type: Some(kind.into()), mount_path: None };
        spec.node_pools[0].data_volumes = vec![data(7, "ssd"), data(3, "standard")];
        let all = amounts(&cluster_objects(&spec), &spec, &[]);
        let of_types = |all: &Amounts| {
            let some = all.iter().filter(|(quota, _)| of_volume_type(quota));
            some.map(|(quota, amount)| format!("{quota} {amount}")).collect::<Vec<_>>()
        };
        // A master and two workers with root volumes of the default type.
        let each = ["gigabytes_ 60", "gigabytes_ssd 14", "gigabytes_standard 6", "volumes_ 3", "volumes_ssd 2", "volumes_standard 2"];
        assert_eq!(of_types(&all), each);
        let named = ["gigabytes_ssd 14", "gigabytes_standard 66", "volumes_ssd 2", "volumes_standard 5"];
        assert_eq!(of_types(&with_default_type(all.clone(), Some("standard"))), named);
        assert_eq!(of_types(&with_default_type(all, None)), [each[1], each[2], each[4], each[5]]);
    }
}
