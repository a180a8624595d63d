//! The security group rules of masters and workers.

use cloud::network::{Direction, Peer, Rule};
use domain::clusters::NetworkSpec;

/// Ids of the two groups, once they exist: rules name each other's group.
#[derive(Clone, Debug)]
pub struct Groups {
    pub master: String,
    pub worker: String,
}

/// Rules of the masters' group.
#[must_use]
pub fn master(groups: &Groups, network: &NetworkSpec) -> Vec<Rule> {
    let mut rules = common(groups, network);
    // Not every provider reaches its members from its own subnet; the listener is what filters clients (docs/decisions/0015).
    rules.push(ingress("tcp", 6443, 6443, Peer::Anyone));
    rules.push(ingress("tcp", 2379, 2380, Peer::Group(groups.master.clone())));
    rules
}

/// Rules of the workers' group.
#[must_use]
pub fn worker(groups: &Groups, network: &NetworkSpec) -> Vec<Rule> {
    common(groups, network)
}

/// Whether Neutron itself puts this rule into every new group.
#[must_use]
pub fn is_neutrons(rule: &Rule) -> bool {
    *rule == Rule { direction: Direction::Egress, protocol: None, ports: None, peer: Peer::Anyone }
}

fn common(groups: &Groups, network: &NetworkSpec) -> Vec<Rule> {
    let mut rules = Vec::new();
    for group in [&groups.master, &groups.worker] {
        let peer = Peer::Group(group.clone());
        // kubelet; VXLAN of the pod network (Linux' and the IANA port).
        rules.push(ingress("tcp", 10250, 10250, peer.clone()));
        rules.push(ingress("udp", 4789, 4789, peer.clone()));
        rules.push(ingress("udp", 8472, 8472, peer));
    }
    // Node ports: load balancers of Services reach them from the node subnet. Behind ovn clients do so themselves: the cloud controller lets them in, by a
    // group for each Service (bootstrap's cloud.conf).
    for protocol in ["tcp", "udp"] {
        rules.push(ingress(protocol, 30000, 32767, Peer::Cidr(network.node_cidr.trunc().to_string())));
    }
    rules
}

fn ingress(protocol: &str, from: u16, to: u16, peer: Peer) -> Rule {
    Rule { direction: Direction::Ingress, protocol: Some(protocol.to_owned()), ports: Some((from, to)), peer }
}
