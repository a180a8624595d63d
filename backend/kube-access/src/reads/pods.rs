//! Pods, with the one word for their status that kubectl shows.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, count, created_at};
use crate::{Impersonation, KubeError};
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Pod {
    pub name: String,
    pub namespace: String,
    /// As kubectl shows it: `Running`, `CrashLoopBackOff`, `Completed`, ...
    pub status: String,
    /// Containers that are ready; `containers` has them all.
    pub ready: u32,
    pub restarts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    pub containers: Vec<Container>,
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub ready: bool,
    pub restarts: u32,
    /// `running`, `waiting`, `terminated`.
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it is an init container.
    pub init: bool,
}

impl Reads {
    pub async fn pods(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<Pod>, KubeError> {
        self.list(who, query).await
    }
}

impl Listed for Pod {
    type Object = v1::Pod;
    const GROUP: &'static str = "/api/v1";
    const RESOURCE: &'static str = "pods";
    const NAMESPACED: bool = true;

    fn metadata(object: &v1::Pod) -> &ObjectMeta {
        &object.metadata
    }

    fn of(pod: v1::Pod) -> Self {
        let word = status_word(&pod);
        let created_at = created_at(&pod.metadata);
        let status = pod.status.unwrap_or_default();
        let spec = pod.spec.unwrap_or_default();
        let mut containers = Vec::new();
        for (init, declared, statuses) in
            [(true, spec.init_containers.unwrap_or_default(), status.init_container_statuses), (false, spec.containers, status.container_statuses)]
        {
            let statuses = statuses.unwrap_or_default();
            containers.extend(declared.into_iter().map(|container| {
                let status = statuses.iter().find(|s| s.name == container.name);
                of_container(container, status, init)
            }));
        }
        Self {
            name: pod.metadata.name.unwrap_or_default(),
            namespace: pod.metadata.namespace.unwrap_or_default(),
            status: word,
            ready: containers.iter().filter(|c| c.ready && !c.init).fold(0, |n, _| n + 1),
            restarts: containers.iter().map(|c| c.restarts).sum(),
            ip: status.pod_ip,
            node: spec.node_name,
            containers,
            labels: pod.metadata.labels.unwrap_or_default(),
            created_at,
        }
    }
}

fn of_container(container: v1::Container, status: Option<&v1::ContainerStatus>, init: bool) -> Container {
    let state = status.and_then(|s| s.state.as_ref());
    let (word, reason) = match state {
        Some(v1::ContainerState { running: Some(_), .. }) => ("running", None),
        Some(v1::ContainerState { terminated: Some(t), .. }) => ("terminated", Some(ended(t))),
        Some(v1::ContainerState { waiting: Some(w), .. }) => ("waiting", w.reason.clone()),
        _ => ("waiting", None),
    };
    Container {
        name: container.name,
        image: container.image.unwrap_or_default(),
        ready: status.is_some_and(|s| s.ready),
        restarts: count(status.map(|s| s.restart_count)),
        state: word.to_owned(),
        reason,
        init,
    }
}

/// How kubectl names an end.
fn ended(state: &v1::ContainerStateTerminated) -> String {
    match (state.reason.as_deref(), state.signal) {
        (Some(reason), _) if !reason.is_empty() => reason.to_owned(),
        (_, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", state.exit_code),
    }
}

/// The rules of `kubectl get pods`.
fn status_word(pod: &v1::Pod) -> String {
    let Some(status) = pod.status.as_ref() else {
        return "Unknown".to_owned();
    };
    let phase = status.phase.as_deref().unwrap_or("Unknown");
    let mut word = status.reason.clone().filter(|r| !r.is_empty()).unwrap_or_else(|| phase.to_owned());
    match init_word(pod, status) {
        Some(init) => word = init,
        None => {
            let mut running = false;
            for container in status.container_statuses.iter().flatten().rev() {
                match container.state.as_ref() {
                    Some(v1::ContainerState { waiting: Some(w), .. }) if w.reason.as_deref().is_some_and(|r| !r.is_empty()) => {
                        word = w.reason.clone().unwrap_or_default();
                    }
                    Some(v1::ContainerState { terminated: Some(t), .. }) => word = ended(t),
                    Some(v1::ContainerState { running: Some(_), .. }) if container.ready => running = true,
                    _ => {}
                }
            }
            if word == "Completed" && running {
                let ready = status.conditions.iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True");
                word = if ready { "Running" } else { "NotReady" }.to_owned();
            }
        }
    }
    match pod.metadata.deletion_timestamp {
        Some(_) if status.reason.as_deref() == Some("NodeLost") => "Unknown".to_owned(),
        Some(_) if !matches!(phase, "Succeeded" | "Failed") => "Terminating".to_owned(),
        _ => word,
    }
}

/// What the first init container that is not through says; None: all are.
fn init_word(pod: &v1::Pod, status: &v1::PodStatus) -> Option<String> {
    let declared = pod.spec.as_ref().and_then(|s| s.init_containers.as_deref()).unwrap_or_default();
    let always = |name: &str| declared.iter().any(|c| c.name == name && c.restart_policy.as_deref() == Some("Always"));
    let statuses = status.init_container_statuses.as_deref().unwrap_or_default();
    for (index, container) in statuses.iter().enumerate() {
        match container.state.as_ref() {
            Some(v1::ContainerState { terminated: Some(t), .. }) if t.exit_code == 0 => {}
            Some(v1::ContainerState { terminated: Some(t), .. }) => return Some(format!("Init:{}", ended(t))),
            // A sidecar that has started does not hold the others up.
            _ if always(&container.name) && container.started == Some(true) => {}
            Some(v1::ContainerState { waiting: Some(w), .. }) if w.reason.as_deref().is_some_and(|r| !r.is_empty() && r != "PodInitializing") => {
                return Some(format!("Init:{}", w.reason.clone().unwrap_or_default()));
            }
            _ => return Some(format!("Init:{index}/{}", declared.len())),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn word(status: Value, extra: Value) -> String {
        let mut pod = json!({
            "metadata": {"name": "p", "namespace": "n"},
            "spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
            "status": status,
        });
        if extra.is_string() {
            pod["metadata"]["deletionTimestamp"] = extra;
        }
        Pod::of(serde_json::from_value(pod).unwrap()).status
    }

    fn container(state: Value, ready: bool) -> Value {
        json!({"name": "c", "ready": ready, "restartCount": 0, "image": "", "imageID": "", "state": state})
    }

    #[test]
    fn the_status_is_the_word_kubectl_shows() {
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        for (status, expected) in [
            (json!({"phase": "Pending"}), "Pending"),
            (json!({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
            (json!({"phase": "Running", "containerStatuses": [container(json!({"running": {}}), true)]}), "Running"),
            (json!({"phase": "Running", "containerStatuses": [container(waiting("CrashLoopBackOff"), false)]}), "CrashLoopBackOff"),
            (json!({"phase": "Failed", "containerStatuses": [container(json!({"terminated": {"exitCode": 3}}), false)]}), "ExitCode:3"),
            (
                json!({"phase": "Succeeded", "containerStatuses": [container(json!({"terminated": {"exitCode": 0, "reason": "Completed"}}), false)]}),
                "Completed",
            ),
            (json!({"phase": "Pending", "initContainerStatuses": [container(waiting("PodInitializing"), false)]}), "Init:0/2"),
            (json!({"phase": "Pending", "initContainerStatuses": [container(waiting("ErrImagePull"), false)]}), "Init:ErrImagePull"),
        ] {
            assert_eq!(word(status, Value::Null), expected);
        }
        let leaving = word(json!({"phase": "Running"}), json!("2026-01-01T00:00:00Z"));
        assert_eq!(leaving, "Terminating");
    }
}
