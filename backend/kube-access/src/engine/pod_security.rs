//! Namespaces in which somebody changes things who has no more of the cluster: no pod there reaches its node.

use super::{Engine, MERGE, segment};
use crate::KubeError;
use domain::namespaces::is_system;
use http::{HeaderMap, Method};
use k8s_openapi::api::core::v1::Namespace;
use serde_json::json;

/// What Kubernetes' own admission goes by (kubernetes.io/docs: pod security standards).
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const VERSION: &str = "pod-security.kubernetes.io/enforce-version";

impl Engine {
    /// Has the cluster refuse pods of the namespace that would reach their node: its files, its network, its processes. On a master that is the whole
    /// cluster. What somebody has made stricter stays; the system's own namespaces do not work without such pods.
    pub(super) async fn ensure_pod_security(&self, namespace: &str) -> Result<(), KubeError> {
        if is_system(namespace) {
            return Ok(());
        }
        let path = format!("/api/v1/namespaces/{}", segment(namespace));
        let found: Namespace = self.channel.get(&path, HeaderMap::new()).await?;
        let labels = found.metadata.labels.unwrap_or_default();
        let said = |label: &str| labels.get(label).map_or("", String::as_str);
        if matches!((said(ENFORCE), said(VERSION)), ("restricted", _) | ("baseline", "latest")) {
            return Ok(());
        }
        // Only as it was read: who makes it stricter meanwhile is not overruled. No apply, which would make a namespace that is gone.
        let labels = json!({ENFORCE: "baseline", VERSION: "latest"});
        let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version, "labels": labels}});
        self.channel.write(Method::PATCH, &path, MERGE, &patch).await
    }
}
