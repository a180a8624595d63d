//! Emptying a node: cordon, then evict, one step a call. Whoever stands in the way (a disruption budget, a webhook, a finalizer) is obeyed and named.

use super::{Engine, segment, time_of};
use crate::KubeError;
use futures::{FutureExt, StreamExt};
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;
use time::OffsetDateTime;

/// Pods that are asked to leave, or taken away, at the same time.
pub(super) const PARALLEL: usize = 8;

/// How far emptying a node has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Nothing that has to go is left on it.
    Done,
    /// So many pods are still going.
    Evicting(usize),
    /// Nothing moves: what stands in the way, `namespace/pod: the API server's words`.
    Blocked(Vec<String>),
}

impl Engine {
    /// One step, to be repeated until `Done`. A node that is gone is drained. With `force`, budgets are not asked: pods are deleted.
    pub async fn drain(&self, node: &str, force: bool) -> Result<Drain, KubeError> {
        match self.cordon(node).await {
            Err(error) if error.is_not_found() => return Ok(Drain::Done),
            Err(KubeError::Status { message, .. }) => return Ok(Drain::Blocked(vec![format!("{node}: {message}")])),
            other => other?,
        }
        let pods = self.pods_on(node).await?;
        let pods: Vec<_> = pods.iter().filter(|pod| must_go(pod)).collect();
        // Boxed: the compiler cannot prove a stream of borrowed futures sendable for every lifetime.
        let steps: Vec<_> = pods.iter().map(|pod| self.evict(pod, force).boxed()).collect();
        let results: Vec<_> = futures::stream::iter(steps).buffer_unordered(PARALLEL).collect().await;
        let mut blocked = Vec::new();
        for result in results {
            blocked.extend(result?);
        }
        Ok(match (pods.len(), blocked.len()) {
            (0, _) => Drain::Done,
            (all, stuck) if all == stuck => Drain::Blocked(blocked),
            (all, _) => Drain::Evicting(all),
        })
    }

    /// All pods that are bound to the node, whether that is there or not.
    pub(super) async fn pods_on(&self, node: &str) -> Result<Vec<Pod>, KubeError> {
        self.list(&format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{}&", segment(node))).await
    }

    /// Asks for one eviction; Some: what stands in the way.
    async fn evict(&self, pod: &Pod, force: bool) -> Result<Option<String>, KubeError> {
        let (namespace, name) = name_of(pod);
        if pod.metadata.deletion_timestamp.is_some() && !force {
            return Ok(kept(pod).map(|finalizers| format!("{namespace}/{name}: it was deleted and is kept by its finalizers: {finalizers}")));
        }
        let path = path_of(pod);
        if force {
            self.delete(&format!("{path}?gracePeriodSeconds=10")).await?;
            return Ok(None);
        }
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"namespace": namespace, "name": name},
        });
        let evicted = self.channel.write(Method::POST, &format!("{path}/eviction"), "application/json", &eviction).await;
        match evicted {
            Err(error) if error.is_not_found() => Ok(None),
            // By a budget, a webhook, a policy: the others go on all the same.
            Err(KubeError::Status { message, .. }) => Ok(Some(format!("{namespace}/{name}: {message}"))),
            other => other.map(|()| None),
        }
    }
}

/// Its namespace, and its name there.
fn name_of(pod: &Pod) -> (&str, &str) {
    (pod.metadata.namespace.as_deref().unwrap_or("default"), pod.metadata.name.as_deref().unwrap_or_default())
}

/// Where the API has it.
pub(super) fn path_of(pod: &Pod) -> String {
    let (namespace, name) = name_of(pod);
    format!("/api/v1/namespaces/{}/pods/{}", segment(namespace), segment(name))
}

/// Whether it has run to its end, well or not: it holds nothing any more.
pub(super) fn ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The finalizers for which a pod is still there though its time to end is over.
fn kept(pod: &Pod) -> Option<String> {
    let finalizers = pod.metadata.finalizers.as_deref().filter(|all| !all.is_empty())?;
    let end = pod.metadata.deletion_timestamp.as_ref().and_then(time_of)?;
    (end < OffsetDateTime::now_utc()).then(|| finalizers.join(", "))
}

/// Pods that end with their node stay: those of daemon sets, and static ones, whose mirrors come back.
fn must_go(pod: &Pod) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    let mirror = annotations.is_some_and(|a| a.contains_key("kubernetes.io/config.mirror"));
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let daemon = owners.iter().any(|o| o.kind == "DaemonSet" && o.controller == Some(true));
    !mirror && !daemon && !ended(pod)
}
