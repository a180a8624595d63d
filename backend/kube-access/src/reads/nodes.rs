//! Nodes, as Kubernetes sees them.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, created_at};
use crate::{Impersonation, KubeError};
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use std::collections::BTreeMap;
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
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
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
        let capacity = status.capacity.unwrap_or_default();
        let quantity = |name: &str| capacity.get(name).map(|q| q.0.clone()).unwrap_or_default();
        let labels = node.metadata.labels.unwrap_or_default();
        Self {
            name: node.metadata.name.unwrap_or_default(),
            status: match ready.map(|c| c.status.as_str()) {
                Some("True") => "Ready",
                Some("Unknown") => "Unknown",
                _ => "NotReady",
            }
            .to_owned(),
            schedulable: node.spec.and_then(|s| s.unschedulable) != Some(true),
            roles: labels.keys().filter_map(|k| k.strip_prefix(ROLE_LABEL)).map(str::to_owned).collect(),
            version: status.node_info.map(|i| i.kubelet_version).unwrap_or_default(),
            address: status.addresses.into_iter().flatten().find(|a| a.type_ == "InternalIP").map(|a| a.address),
            cpu: quantity("cpu"),
            memory: quantity("memory"),
            pods: quantity("pods"),
            labels,
            created_at,
        }
    }
}
