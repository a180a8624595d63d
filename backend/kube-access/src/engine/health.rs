//! How nodes are, as the cluster's own API says.

use super::Engine;
use crate::KubeError;
use http::HeaderMap;
use ipnet::Ipv4Net;
use k8s_openapi::List;
use k8s_openapi::api::core::v1::Node;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const PAGE: usize = 500;

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

impl Engine {
    /// All nodes.
    pub async fn nodes(&self) -> Result<Vec<NodeHealth>, KubeError> {
        let nodes: Vec<Node> = self.list("/api/v1/nodes?").await?;
        Ok(nodes.iter().map(node_health).collect())
    }

    /// The ranges from which nodes give their pods addresses, as far as the control plane has chosen them.
    pub async fn pod_ranges(&self) -> Result<BTreeSet<Ipv4Net>, KubeError> {
        let nodes: Vec<Node> = self.list("/api/v1/nodes?").await?;
        Ok(nodes.into_iter().filter_map(|node| node.spec?.pod_cidr?.parse().ok()).collect())
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

/// A Kubernetes time, through its text: the two libraries' types are not the same.
pub(crate) fn time_of(time: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Time) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&time.0.to_string(), &Rfc3339).ok()
}
