//! How nodes and control plane are, as the cluster's own API says.

use super::Engine;
use crate::KubeError;
use http::HeaderMap;
use k8s_openapi::List;
use k8s_openapi::api::core::v1::{Node, Pod};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const PAGE: usize = 500;
/// Static pods of a master that must run.
const COMPONENTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// One Kubernetes node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHealth {
    pub name: String,
    /// None: the control plane does not know (the node went silent).
    pub ready: Option<bool>,
    /// Kubernetes' word and sentence for it.
    pub reason: String,
    pub message: String,
    /// Since when.
    pub since: Option<OffsetDateTime>,
    pub schedulable: bool,
    pub kubelet_version: String,
    pub internal_ip: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// The control plane on one master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterHealth {
    pub node: String,
    pub components: Vec<ComponentHealth>,
}

impl MasterHealth {
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.components.iter().all(|c| c.ready)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentHealth {
    /// `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`.
    pub name: &'static str,
    pub ready: bool,
    /// Why not, if not.
    pub reason: Option<String>,
}

impl Engine {
    /// All nodes.
    pub async fn nodes(&self) -> Result<Vec<NodeHealth>, KubeError> {
        let nodes: Vec<Node> = self.list("/api/v1/nodes?").await?;
        Ok(nodes.iter().map(node_health).collect())
    }

    /// The components of every master. A component that has no pod is not ready; neither is any on a node that is not.
    pub async fn control_plane_health(&self) -> Result<Vec<MasterHealth>, KubeError> {
        let masters: Vec<Node> = self.list("/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fcontrol-plane&").await?;
        let pods: Vec<Pod> = self.list("/api/v1/namespaces/kube-system/pods?labelSelector=tier%3Dcontrol-plane&").await?;
        Ok(masters
            .iter()
            .map(node_health)
            .map(|node| MasterHealth { components: COMPONENTS.iter().map(|name| component_health(name, &node, &pods)).collect(), node: node.name })
            .collect())
    }

    /// All pages of a list; `path` ends with `?` or `&`.
    pub(super) async fn list<T>(&self, path: &str) -> Result<Vec<T>, KubeError>
    where
        T: k8s_openapi::ListableResource + serde::de::DeserializeOwned,
    {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let page: List<T> = self.channel.get(&format!("{path}limit={PAGE}{next}"), HeaderMap::new()).await?;
            items.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => next = format!("&continue={}", super::segment(&token)),
                None => return Ok(items),
            }
        }
    }
}

fn node_health(node: &Node) -> NodeHealth {
    let status = node.status.as_ref();
    let condition = status.and_then(|s| s.conditions.as_ref()).and_then(|all| all.iter().find(|c| c.type_ == "Ready"));
    let ready = condition.map_or(Some(false), |c| match c.status.as_str() {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    });
    let addresses = status.and_then(|s| s.addresses.as_deref()).unwrap_or_default();
    NodeHealth {
        name: node.metadata.name.clone().unwrap_or_default(),
        ready,
        reason: condition.and_then(|c| c.reason.clone()).unwrap_or_else(|| "NotYetSeen".to_owned()),
        message: condition.and_then(|c| c.message.clone()).unwrap_or_default(),
        since: condition.and_then(|c| c.last_transition_time.as_ref()).and_then(time_of),
        schedulable: node.spec.as_ref().and_then(|s| s.unschedulable) != Some(true),
        kubelet_version: status.and_then(|s| s.node_info.as_ref()).map(|i| i.kubelet_version.clone()).unwrap_or_default(),
        internal_ip: addresses.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.clone()),
        labels: node.metadata.labels.clone().unwrap_or_default(),
    }
}

fn component_health(name: &'static str, node: &NodeHealth, pods: &[Pod]) -> ComponentHealth {
    let pod_name = format!("{name}-{}", node.name);
    let pod = pods.iter().find(|p| p.metadata.name.as_deref() == Some(&pod_name));
    let ready = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
        conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
    };
    let reason = match pod {
        // A node that went silent leaves its pods' last words behind.
        _ if node.ready.is_none() => Some("the node does not report".to_owned()),
        None => Some("it has no pod".to_owned()),
        Some(pod) if !ready(pod) => Some("its pod is not ready".to_owned()),
        Some(_) => None,
    };
    ComponentHealth { name, ready: reason.is_none(), reason }
}

/// A Kubernetes time, through its text: the two libraries' types are not the same.
pub(crate) fn time_of(time: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Time) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&time.0.to_string(), &Rfc3339).ok()
}
