//! Volumes that a node holds: how many, and making the cluster let go of those of a node that surely does not run.

use super::{Engine, MERGE, segment};
use crate::KubeError;
use http::{HeaderMap, Method};
use k8s_openapi::api::core::v1::{Node, Taint};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use serde_json::json;

/// Kubernetes takes the pods of a node with this taint away and detaches its volumes without asking its kubelet. Whoever sets it vouches
/// that the machine is off (kubernetes.io/docs: non-graceful node shutdown).
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

impl Engine {
    /// How many volumes are attached to the node, as Kubernetes knows it.
    pub async fn attachments(&self, node: &str) -> Result<usize, KubeError> {
        let all: Vec<VolumeAttachment> = self.list("/apis/storage.k8s.io/v1/volumeattachments?").await?;
        Ok(all.iter().filter(|a| a.spec.node_name == node).count())
    }

    /// Marks a node whose server surely does not run. The taints it has stay; one that is gone needs none.
    pub async fn mark_out_of_service(&self, node: &str) -> Result<(), KubeError> {
        let path = format!("/api/v1/nodes/{}", segment(node));
        let found: Node = match self.channel.get(&path, HeaderMap::new()).await {
            Err(error) if error.is_not_found() => return Ok(()),
            other => other?,
        };
        let mut taints = found.spec.and_then(|s| s.taints).unwrap_or_default();
        if taints.iter().any(|t| t.key == OUT_OF_SERVICE) {
            return Ok(());
        }
        taints.push(Taint {
            key: OUT_OF_SERVICE.to_owned(),
            value: Some("nodeshutdown".to_owned()),
            effect: "NoExecute".to_owned(),
            time_added: None,
        });
        // The list is replaced as a whole: only as it was read.
        let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version}, "spec": {"taints": taints}});
        self.channel.write(Method::PATCH, &path, MERGE, &patch).await
    }
}
