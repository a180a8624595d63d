//! Volumes that a node holds: how many, and making the cluster let go of those of a node that surely does not run.

use super::drain::{PARALLEL, ended, path_of};
use super::{Engine, MERGE, segment};
use crate::KubeError;
use futures::{FutureExt, StreamExt};
use http::{HeaderMap, Method};
use k8s_openapi::api::core::v1::{Node, Pod, Taint};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use serde_json::json;
use std::future::ready;
use std::time::Duration;

/// Kubernetes takes the pods of a node with this taint away and detaches its volumes without asking its kubelet. Whoever sets it vouches
/// that the machine is off (kubernetes.io/docs: non-graceful node shutdown).
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";

/// What is to be taken away in one step has this time for it, which is more than one call may take.
const STEP: Duration = Duration::from_secs(12);

impl Engine {
    /// How many volumes are attached to the node, as Kubernetes knows it.
    pub async fn attachments(&self, node: &str) -> Result<usize, KubeError> {
        Ok(self.attachments_of(node).await?.len())
    }

    async fn attachments_of(&self, node: &str) -> Result<Vec<VolumeAttachment>, KubeError> {
        let mut all: Vec<VolumeAttachment> = self.list(&format!("{ATTACHMENTS}?")).await?;
        all.retain(|a| a.spec.node_name == node);
        Ok(all)
    }

    /// Has the cluster let go what a node holds whose server surely does not run: one step, to be repeated.
    ///
    /// While its Kubernetes node is there, it is marked, and Kubernetes does the rest once the node's pods are gone; those that Kubernetes has told to end
    /// are not waited for. Where it is not, nobody can mark it any more, and Kubernetes would wait for a minute until it takes the pods away, and for six
    /// more until it takes away a volume that was mounted. So its pods are taken away, and once none is left its attachments: the driver's controller then
    /// detaches their volumes, as after any deletion of an attachment. A name of a node is not used twice, so nobody else's are meant.
    pub async fn let_go(&self, node: &str) -> Result<(), KubeError> {
        let there = self.mark_out_of_service(node).await?;
        let mut pods = self.pods_on(node).await?;
        pods.retain(|pod| !ended(pod));
        let told_to_end = |pod: &&Pod| pod.metadata.deletion_timestamp.is_some();
        let doomed = pods.iter().filter(|pod| !there || told_to_end(pod)).map(|pod| (path_of(pod), pod.metadata.uid.clone()));
        self.take_away(doomed.collect()).await;
        // What a pod still wants there would be attached there anew.
        if there || !pods.is_empty() {
            return Ok(());
        }
        let held = self.attachments_of(node).await?.into_iter().map(|a| a.metadata).filter(|a| a.deletion_timestamp.is_none());
        let doomed = held.filter_map(|a| Some((format!("{ATTACHMENTS}/{}", segment(a.name.as_deref()?)), a.uid)));
        self.take_away(doomed.collect()).await;
        Ok(())
    }

    /// Deletes these very objects, by path and uid, and does not ask the node that they are on: what has such a path by now but another uid is another's,
    /// as a stateful set's next pod. Whatever does not go holds up nothing else: the next look tells what is left, and whoever waits knows for how long.
    async fn take_away(&self, objects: Vec<(String, Option<String>)>) {
        // Boxed: the compiler cannot prove a stream of borrowed futures sendable for every lifetime.
        let steps: Vec<_> = objects.into_iter().map(|(path, uid)| self.take_one_away(path, uid).boxed()).collect();
        let all = futures::stream::iter(steps).buffer_unordered(PARALLEL).for_each(ready);
        drop(tokio::time::timeout(STEP, all).await);
    }

    async fn take_one_away(&self, path: String, uid: Option<String>) {
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": uid}});
        // It may be gone, another's by now, or kept by somebody's webhook: also by one that says nothing for longer than we wait, because it ran on that node.
        drop(self.channel.write(Method::DELETE, &path, "application/json", &options).await);
    }

    /// Marks a node whose server surely does not run, if it is there. The taints it has stay.
    async fn mark_out_of_service(&self, node: &str) -> Result<bool, KubeError> {
        let path = format!("/api/v1/nodes/{}", segment(node));
        let found: Node = match self.channel.get(&path, HeaderMap::new()).await {
            Err(error) if error.is_not_found() => return Ok(false),
            other => other?,
        };
        let mut taints = found.spec.and_then(|s| s.taints).unwrap_or_default();
        if taints.iter().any(|t| t.key == OUT_OF_SERVICE) {
            return Ok(true);
        }
        taints.push(Taint {
            key: OUT_OF_SERVICE.to_owned(),
            value: Some("nodeshutdown".to_owned()),
            effect: "NoExecute".to_owned(),
            time_added: None,
        });
        // The list is replaced as a whole: only as it was read.
        let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version}, "spec": {"taints": taints}});
        match self.channel.write(Method::PATCH, &path, MERGE, &patch).await {
            Err(error) if error.is_not_found() => Ok(false),
            other => other.map(|()| true),
        }
    }
}
