//! Nodes, as Kubernetes sees them.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, created_at};
use crate::{Impersonation, KubeError};
use domain::marks::is_reserved;
use k8s_openapi::api::core::v1::{self, Node};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

const ROLE_LABEL: &str = "node-role.kubernetes.io/";

/// A node as Kubernetes sees it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct KubernetesNode {
    pub name: String,
    /// `Ready`, `NotReady`, `Unknown`.
    pub status: String,
    /// Whether new pods may be put on it.
    pub schedulable: bool,
    pub roles: Vec<String>,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Quantities, as Kubernetes writes them.
    pub cpu: String,
    pub memory: String,
    pub pods: String,
    /// What of it pods may use.
    pub allocatable_cpu: String,
    pub allocatable_memory: String,
    pub conditions: Vec<NodeCondition>,
    /// As kubectl takes them: `key=value:NoSchedule`.
    pub taints: Vec<String>,
    pub operating_system: String,
    pub container_runtime: String,
    pub labels: BTreeMap<String, String>,
    /// Keys of those labels and taints that belong to Kubernetes or KCS: nobody else sets them.
    pub reserved: BTreeSet<String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

/// One thing that a node's kubelet, or whoever watches it, says of it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NodeCondition {
    /// `Ready`, `MemoryPressure`, `DiskPressure`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False`, `Unknown`.
    pub status: String,
    pub reason: String,
    pub message: String,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub since: Option<OffsetDateTime>,
}

impl Reads {
    pub async fn nodes(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<KubernetesNode>, KubeError> {
        self.list(who, query).await
    }
}

impl Listed for KubernetesNode {
    type Object = Node;
    const GROUP: &'static str = "/api/v1";
    const RESOURCE: &'static str = "nodes";
    const NAMESPACED: bool = false;

    fn metadata(object: &Node) -> &ObjectMeta {
        &object.metadata
    }

    fn of(node: Node) -> Self {
        let created_at = created_at(&node.metadata);
        let status = node.status.unwrap_or_default();
        let ready = status.conditions.iter().flatten().find(|c| c.type_ == "Ready");
        let (capacity, allocatable) = (status.capacity.unwrap_or_default(), status.allocatable.unwrap_or_default());
        let quantity = |name: &str| capacity.get(name).map(|q| q.0.clone()).unwrap_or_default();
        let usable = |name: &str| allocatable.get(name).map(|q| q.0.clone()).unwrap_or_default();
        let spec = node.spec.unwrap_or_default();
        let info = status.node_info.unwrap_or_default();
        let labels = node.metadata.labels.unwrap_or_default();
        let keys = labels.keys().chain(spec.taints.iter().flatten().map(|t| &t.key));
        let reserved = keys.filter(|key| is_reserved(key)).cloned().collect();
        Self {
            name: node.metadata.name.unwrap_or_default(),
            status: match ready.map(|c| c.status.as_str()) {
                Some("True") => "Ready",
                Some("Unknown") => "Unknown",
                _ => "NotReady",
            }
            .to_owned(),
            schedulable: spec.unschedulable != Some(true),
            roles: labels.keys().filter_map(|k| k.strip_prefix(ROLE_LABEL)).map(str::to_owned).collect(),
            version: info.kubelet_version,
            address: status.addresses.into_iter().flatten().find(|a| a.type_ == "InternalIP").map(|a| a.address),
            cpu: quantity("cpu"),
            memory: quantity("memory"),
            pods: quantity("pods"),
            allocatable_cpu: usable("cpu"),
            allocatable_memory: usable("memory"),
            conditions: status.conditions.into_iter().flatten().map(condition).collect(),
            taints: spec.taints.into_iter().flatten().map(taint).collect(),
            operating_system: info.os_image,
            container_runtime: info.container_runtime_version,
            labels,
            reserved,
            created_at,
        }
    }
}

fn condition(condition: v1::NodeCondition) -> NodeCondition {
    NodeCondition {
        since: condition.last_transition_time.as_ref().and_then(crate::engine::time_of),
        kind: condition.type_,
        status: condition.status,
        reason: condition.reason.unwrap_or_default(),
        message: condition.message.unwrap_or_default(),
    }
}

fn taint(taint: v1::Taint) -> String {
    match taint.value.filter(|value| !value.is_empty()) {
        Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
        None => format!("{}:{}", taint.key, taint.effect),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_tells_of_its_conditions_taints_and_what_pods_may_use() {
        let node = KubernetesNode::of(
            serde_json::from_value(json!({
                "metadata": {"name": "w-0", "labels": {"kubernetes.io/os": "linux", "kcs.io/pool": "default", "tier": "web"}},
                "spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, {"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "bare", "effect": "NoExecute"}]},
                "status": {
                    "capacity": {"cpu": "4", "memory": "8Gi"},
                    "allocatable": {"cpu": "3800m", "memory": "7Gi"},
                    "conditions": [
                        {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": "full", "lastTransitionTime": "2026-01-02T03:04:05Z"},
                        {"type": "Ready", "status": "True"},
                    ],
                },
            }))
            .unwrap(),
        );
        assert_eq!((node.status.as_str(), node.schedulable), ("Ready", true));
        assert_eq!((node.cpu.as_str(), node.allocatable_cpu.as_str(), node.allocatable_memory.as_str()), ("4", "3800m", "7Gi"));
        assert_eq!(node.taints, ["node.kubernetes.io/unschedulable:NoSchedule", "gpu=yes:NoSchedule", "bare:NoExecute"]);
        assert_eq!(Vec::from_iter(node.reserved), ["kcs.io/pool", "kubernetes.io/os", "node.kubernetes.io/unschedulable"]);
        let full = &node.conditions[0];
        assert_eq!((full.kind.as_str(), full.status.as_str(), full.message.as_str()), ("DiskPressure", "True", "full"));
        assert_eq!(full.since.unwrap().unix_timestamp(), 1_767_323_045);
        assert_eq!(node.conditions[1].since, None);
    }
}
