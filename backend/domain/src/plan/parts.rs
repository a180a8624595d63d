//! The parts a cluster is made of, in the order they can be made, with what each needs.

use crate::changes::Work;
use crate::codes::Code;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use crate::names;
use crate::needs::{Machine, group_count};
use crate::nodes::{Node, NodeRole};
use crate::operations::StepKey;
use crate::settings::ApiExposure;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// One cloud object that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub key: String,
    pub kind: ResourceKind,
    pub name: String,
    /// Keys of parts whose objects must be ready first.
    pub needs: Vec<String>,
    /// Keys of parts whose objects must be known first (made, not necessarily ready).
    pub after: Vec<String>,
    pub step: StepKey,
}

impl Part {
    /// The node that it is a part of, if it is one of a node's.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        let of_node = matches!(self.kind, ResourceKind::Server | ResourceKind::Port | ResourceKind::Volume);
        of_node.then(|| self.key.split('/').nth(1)).flatten()
    }
}

/// The key of a node's part.
#[must_use]
pub fn node_key(kind: ResourceKind, node: &str) -> String {
    format!("{kind}/{node}")
}

/// The key of a node's data volume.
#[must_use]
pub fn data_volume_key(node: &str, volume: &str) -> String {
    format!("{}/{node}/{volume}", ResourceKind::Volume)
}

/// The key of the security group that nodes of this role are in.
#[must_use]
pub fn security_group_key(role: NodeRole) -> &'static str {
    match role {
        NodeRole::Master => "security_group/master",
        NodeRole::Worker => "security_group/worker",
    }
}

/// The key of one of a pool's server groups.
fn group_key(pool: &str, shard: u32) -> String {
    format!("{}/{pool}/{shard}", ResourceKind::ServerGroup)
}

/// The key of the masters' server group.
pub const MASTERS_GROUP: &str = "server_group/master";

/// The rows of a pool's server groups by their numbers.
#[must_use]
pub fn group_rows<'r>(ledger: &'r [LedgerRow], pool: &str) -> BTreeMap<u32, &'r LedgerRow> {
    let prefix = format!("{}/{pool}/", ResourceKind::ServerGroup);
    let live = ledger.iter().filter(|r| r.state != ResourceState::Gone);
    live.filter_map(|r| Some((r.key.strip_prefix(&prefix)?.parse::<u32>().ok()?, r))).collect()
}

/// Whether this is a pool's server group that the quota has no room for: its nodes are made without it, until there is.
pub(super) fn done_without(row: &LedgerRow) -> bool {
    let refused = row.cloud_id.is_none() && row.fault.as_ref().is_some_and(|f| f.code == Code::Quota);
    refused && row.kind == ResourceKind::ServerGroup && row.key != MASTERS_GROUP
}

/// The numbers of a pool's server groups: as many as its nodes need, and those there are already, for a group outlives a smaller pool. One that could not
/// be made does not.
fn shards(work: &Work, pool: &str, keep: &dyn Fn(&Node) -> bool) -> std::ops::Range<u32> {
    let nodes = work.nodes.iter().filter(|n| n.role == NodeRole::Worker && n.pool == pool && keep(n)).count();
    let needed = group_count(&work.cluster.spec, u32::try_from(nodes).unwrap_or(u32::MAX));
    let there = group_rows(&work.ledger, pool).into_iter().filter(|(_, row)| !done_without(row)).map(|(shard, _)| shard + 1).max();
    0..needed.max(there.unwrap_or(0))
}

/// Whom the API's listener lets in when it is restricted: those asked for, the nodes, the router they are seen from, and KCS. Empty: everybody.
#[must_use]
pub fn allowed_cidrs(work: &Work, egress: &[Ipv4Net]) -> Vec<String> {
    let spec = &work.cluster.spec;
    if spec.api.exposure != ApiExposure::Restricted {
        return Vec::new();
    }
    let own = work.ledger.iter().filter(|r| r.key == "router" && r.state != ResourceState::Gone).filter_map(|r| r.address.as_deref()?.parse().ok());
    let routers = spec.network.existing.iter().flat_map(|e| e.router_addresses.iter().copied()).chain(own);
    let ranges = spec.api.allowed_cidrs.iter().chain([&spec.network.node_cidr]).chain(egress).map(|r| r.trunc().to_string());
    let list: BTreeSet<String> = ranges.chain(routers.map(|address: Ipv4Addr| format!("{address}/32"))).collect();
    list.into_iter().collect()
}

/// Everything `work` should consist of. Nodes that are to be removed have parts as long as `keep` says so.
#[must_use]
pub fn parts(work: &Work, keep: &dyn Fn(&Node) -> bool) -> Vec<Part> {
    use ResourceKind::{
        ApplicationCredential, FloatingIp, LoadBalancer, Network, Port, Router, RouterInterface, SecurityGroup, Server, ServerGroup, Subnet, Volume,
    };
    let id = work.cluster.id;
    let mut list = Vec::new();
    let mut add = |key: &str, kind, name: String, needs: &[&str], after: &[&str], step| {
        let owned = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect();
        list.push(Part { key: key.to_owned(), kind, name, needs: owned(needs), after: owned(after), step });
    };
    for (key, name) in super::rotation::credentials(work) {
        add(key, ApplicationCredential, name, &[], &[], StepKey::Credential);
    }
    let credential = super::rotation::CREDENTIAL;
    let spec = &work.cluster.spec;
    // A network that is not ours has no parts: nothing of it is made, so nothing of it can be taken away.
    let own_network = spec.network.existing.is_none();
    if own_network {
        add("network", Network, names::object(id, "net"), &[credential], &[], StepKey::Network);
        add("subnet", Subnet, names::object(id, "subnet"), &["network"], &[], StepKey::Network);
        add("router", Router, names::object(id, "router"), &[credential], &[], StepKey::Network);
        add("router_interface", RouterInterface, names::object(id, "router"), &["router", "subnet"], &[], StepKey::Network);
    }
    let subnet = if own_network { "subnet" } else { credential };
    let routed = if own_network { "router_interface" } else { credential };
    add("security_group/master", SecurityGroup, names::object(id, "master"), &[credential], &[], StepKey::Network);
    add("security_group/worker", SecurityGroup, names::object(id, "worker"), &[credential], &[], StepKey::Network);
    // The listener of a restricted API lets the router's address in: it is known once the router was seen.
    let router = if own_network && spec.api.exposure == ApiExposure::Restricted { "router" } else { subnet };
    add("load_balancer", LoadBalancer, names::object(id, "api"), &[subnet, router], &[], StepKey::ApiLoadBalancer);
    let public = spec.api.exposure != ApiExposure::Private;
    if public {
        add("floating_ip", FloatingIp, names::object(id, "api"), &[routed], &["load_balancer"], StepKey::ApiLoadBalancer);
    }
    if spec.control_plane.count > 1 {
        add(MASTERS_GROUP, ServerGroup, names::object(id, "masters"), &[credential], &[], StepKey::Network);
    }
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for pool in spec.node_pools.iter().filter(|p| p.anti_affinity == Some(true)) {
        let shards: Vec<u32> = shards(work, &pool.name, keep).collect();
        for shard in &shards {
            let name = names::object(id, &format!("{}-{shard}", names::pool_digest(&pool.name)));
            add(&group_key(&pool.name, *shard), ServerGroup, name, &[credential], &[], StepKey::Network);
        }
        let rows = group_rows(&work.ledger, &pool.name);
        let needed = shards.iter().filter(|shard| !rows.get(*shard).is_some_and(|row| done_without(row)));
        groups.insert(&pool.name, needed.map(|shard| group_key(&pool.name, *shard)).collect());
    }
    let first_master = work.nodes.iter().filter(|n| n.role == NodeRole::Master && keep(n)).map(|n| n.ordinal).min();
    for node in work.nodes.iter().filter(|n| keep(n)) {
        let step = match node.role {
            NodeRole::Master if Some(node.ordinal) == first_master => StepKey::FirstMaster,
            NodeRole::Master => StepKey::OtherMasters,
            NodeRole::Worker => StepKey::NodePools,
        };
        let group = security_group_key(node.role);
        let machine = match node.role {
            NodeRole::Master => Machine::of_control_plane(&spec.control_plane),
            NodeRole::Worker => Machine::of(spec, &node.pool),
        };
        let (port, root) = (node_key(Port, &node.name), node_key(Volume, &node.name));
        add(&port, Port, node.name.clone(), &[subnet, group], &[], step);
        let mut volumes: Vec<String> = Vec::new();
        if machine.root_volume_gib > 0 {
            add(&root, Volume, node.name.clone(), &[credential], &[], step);
            volumes.push(root);
        }
        for volume in machine.data_volumes {
            let key = data_volume_key(&node.name, &volume.name);
            add(&key, Volume, format!("{}-{}", node.name, volume.name), &[credential], &[], step);
            volumes.push(key);
        }
        let mut needs = vec![port.as_str(), routed];
        needs.extend(volumes.iter().map(String::as_str));
        if node.role == NodeRole::Master {
            // kubeadm init itself talks to the address of the load balancer from its second half on.
            needs.push("load_balancer");
            if spec.control_plane.count > 1 {
                needs.push(MASTERS_GROUP);
            }
        } else {
            needs.extend(groups.get(node.pool.as_str()).into_iter().flatten().map(String::as_str));
        }
        let after: &[&str] = if public { &["load_balancer", "floating_ip"] } else { &["load_balancer"] };
        add(&node_key(Server, &node.name), Server, node.name.clone(), &needs, after, step);
    }
    // The load balancer is made with its masters in it, in one call: their addresses come first.
    let master_ports: Vec<String> = work.nodes.iter().filter(|n| n.role == NodeRole::Master && keep(n)).map(|n| node_key(Port, &n.name)).collect();
    if let Some(balancer) = list.iter_mut().find(|p| p.kind == LoadBalancer) {
        balancer.after.extend(master_ports);
    }
    list
}

/// Kinds whose live rows forbid the deletion of a row of `kind`; with `true`, only rows of the same node count.
pub(super) fn blockers(kind: ResourceKind) -> (&'static [ResourceKind], bool) {
    use ResourceKind::{
        ApplicationCredential, FloatingIp, LoadBalancer, Network, Port, Router, RouterInterface, SecurityGroup, Server, ServerGroup, Subnet, Volume,
    };
    match kind {
        Server | FloatingIp => (&[], false),
        Port | Volume => (&[Server], true),
        // Nova lets a group go while servers are in it.
        ServerGroup => (&[], false),
        LoadBalancer => (&[FloatingIp], false),
        RouterInterface => (&[FloatingIp, LoadBalancer, Server], false),
        Router => (&[RouterInterface], false),
        Subnet => (&[Port, LoadBalancer, RouterInterface, Server], false),
        Network => (&[Subnet], false),
        SecurityGroup => (&[Port, Server], false),
        // The credential outlives everything it was used to make.
        ApplicationCredential => {
            (&[Network, Subnet, Router, RouterInterface, SecurityGroup, ServerGroup, LoadBalancer, FloatingIp, Port, Volume, Server], false)
        }
    }
}
