//! Policies of a namespace that is kept apart: pods are reached from their own namespace and from the system's, and none reaches the
//! cloud's metadata service, where the node's user-data can be read.

use serde_json::{Value, json};

/// The metadata service of OpenStack.
const METADATA: &str = "169.254.169.254/32";

/// Whether a namespace is one of the tenant's own: the system's work for all.
#[must_use]
pub fn isolated(namespace: &str) -> bool {
    !namespace.starts_with("kube-")
}

pub(super) fn policies(namespace: &str) -> [Value; 2] {
    let policy = |name: &str, spec: Value| {
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        })
    };
    let system = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}});
    [
        policy("kcs-own-namespace", json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}, system]}]})),
        policy(
            "kcs-no-metadata",
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [METADATA]}}]}]}),
        ),
    ]
}
