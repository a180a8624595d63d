//! Nodes: whether new pods may come, and their end.

use super::{Engine, MERGE, segment};
use crate::KubeError;
use http::Method;
use serde_json::json;

impl Engine {
    /// No new pods come to the node.
    pub async fn cordon(&self, node: &str) -> Result<(), KubeError> {
        let path = format!("/api/v1/nodes/{}", segment(node));
        self.channel.write(Method::PATCH, &path, MERGE, &json!({"spec": {"unschedulable": true}})).await
    }

    /// Deletes the Node object; the server is another matter.
    pub async fn delete_node(&self, node: &str) -> Result<(), KubeError> {
        self.delete(&format!("/api/v1/nodes/{}", segment(node))).await
    }
}
