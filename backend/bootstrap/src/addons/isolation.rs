//! Policies of a namespace that is kept apart: its pods are reached from their own namespace, from the system's, and by whatever is no pod: what a
//! Service opens to the outside stays open, and the API server reaches webhooks. None reaches the cloud's metadata service, where the node's
//! user-data can be read.

use domain::namespaces::is_system;
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The metadata service of OpenStack.
const METADATA: &str = "169.254.169.254/32";

/// Whether a namespace is one of the tenant's own: the system's work for all.
#[must_use]
pub fn isolated(namespace: &str) -> bool {
    !is_system(namespace)
}

/// `pods`: the range of all pods; `ranges`: what each node has of it.
pub(super) fn policies(namespace: &str, pods: Ipv4Net, ranges: &BTreeSet<Ipv4Net>) -> [Value; 2] {
    let policy = |name: &str, spec: Value| {
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        })
    };
    let system = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}});
    let outside = json!({"ipBlock": {"cidr": "0.0.0.0/0", "except": [pods.to_string()]}});
    // What a node itself sends to a pod of another node, or passes on to it for a Service, comes from the first address of its range, flannel's;
    // the second is its bridge's, and then come pods.
    let nodes = ranges.iter().map(|range| json!({"ipBlock": {"cidr": format!("{}/31", range.network())}}));
    let from: Vec<Value> = [json!({"podSelector": {}}), system, outside].into_iter().chain(nodes).collect();
    [
        policy("kcs-own-namespace", json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": from}]})),
        policy(
            "kcs-no-metadata",
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [METADATA]}}]}]}),
        ),
    ]
}
