//! The parts a cluster is made of, in the order they can be made, with what each needs.

use crate::changes::Work;
use crate::ledger::ResourceKind;
use crate::names;
use crate::nodes::{Node, NodeRole};
use crate::operations::StepKey;

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

/// The key of a node's part.
#[must_use]
pub fn node_key(kind: ResourceKind, node: &str) -> String {
    format!("{kind}/{node}")
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
    // A lost secret makes a credential worthless: the next one gets the next number.
    let revision = 1 + work.ledger.iter().filter(|r| r.kind == ApplicationCredential && r.state == crate::ledger::ResourceState::Gone).count();
    add("application_credential", ApplicationCredential, names::object(id, &format!("credential-{revision}")), &[], &[], StepKey::Credential);
    let credential = "application_credential";
    add("network", Network, names::object(id, "net"), &[credential], &[], StepKey::Network);
    add("subnet", Subnet, names::object(id, "subnet"), &["network"], &[], StepKey::Network);
    add("router", Router, names::object(id, "router"), &[credential], &[], StepKey::Network);
    add("router_interface", RouterInterface, names::object(id, "router"), &["router", "subnet"], &[], StepKey::Network);
    add("security_group/master", SecurityGroup, names::object(id, "master"), &[credential], &[], StepKey::Network);
    add("security_group/worker", SecurityGroup, names::object(id, "worker"), &[credential], &[], StepKey::Network);
    add("load_balancer", LoadBalancer, names::object(id, "api"), &["subnet"], &[], StepKey::ApiLoadBalancer);
    add("floating_ip", FloatingIp, names::object(id, "api"), &["router_interface"], &["load_balancer"], StepKey::ApiLoadBalancer);

    // Masters only: workers' groups would run into the usual quota of ten members.
    if work.cluster.spec.control_plane.count > 1 {
        add("server_group/master", ServerGroup, names::object(id, "masters"), &[credential], &[], StepKey::Network);
    }
    let first_master = work.nodes.iter().filter(|n| n.role == NodeRole::Master && keep(n)).map(|n| n.ordinal).min();
    for node in work.nodes.iter().filter(|n| keep(n)) {
        let step = match node.role {
            NodeRole::Master if Some(node.ordinal) == first_master => StepKey::FirstMaster,
            NodeRole::Master => StepKey::OtherMasters,
            NodeRole::Worker => StepKey::NodePools,
        };
        let group = if node.role == NodeRole::Master { "security_group/master" } else { "security_group/worker" };
        let (port, volume) = (node_key(Port, &node.name), node_key(Volume, &node.name));
        add(&port, Port, node.name.clone(), &["subnet", group], &[], step);
        add(&volume, Volume, node.name.clone(), &[credential], &[], step);
        let mut needs = vec![port.as_str(), volume.as_str(), "router_interface"];
        if node.role == NodeRole::Master {
            // kubeadm init itself talks to the address of the load balancer from its second half on.
            needs.push("load_balancer");
            if work.cluster.spec.control_plane.count > 1 {
                needs.push("server_group/master");
            }
        }
        add(&node_key(Server, &node.name), Server, node.name.clone(), &needs, &["load_balancer", "floating_ip"], step);
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
        ServerGroup => (&[Server], false),
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
