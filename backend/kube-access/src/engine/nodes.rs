//! Nodes: their labels, whether new pods may come, and their end.

use super::{Engine, MERGE, segment};
use crate::KubeError;
use http::Method;
use serde_json::json;
use std::collections::BTreeMap;

impl Engine {
    /// Sets these labels and leaves all others; for those a kubelet may not give itself.
    pub async fn ensure_node_labels(&self, node: &str, labels: &BTreeMap<String, String>) -> Result<(), KubeError> {
        self.patch_node(node, &json!({"metadata": {"labels": labels}})).await
    }

    /// No new pods come to the node.
    pub async fn cordon(&self, node: &str) -> Result<(), KubeError> {
        self.patch_node(node, &json!({"spec": {"unschedulable": true}})).await
    }

    /// Deletes the Node object; the server is another matter.
    pub async fn delete_node(&self, node: &str) -> Result<(), KubeError> {
        self.delete(&format!("/api/v1/nodes/{}", segment(node))).await
    }

    async fn patch_node(&self, node: &str, patch: &serde_json::Value) -> Result<(), KubeError> {
        let path = format!("/api/v1/nodes/{}", segment(node));
        self.channel.write(Method::PATCH, &path, MERGE, patch).await
    }
}
