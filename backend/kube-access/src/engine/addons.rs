//! Add-ons in a cluster: applying their objects, and looking at what became of them.

use super::{Engine, segment};
use crate::KubeError;
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds that an add-on is made of: (apiVersion, kind) → the path's word and whether it lives in a namespace.
const KINDS: [(&str, &str, &str, bool); 16] = [
    ("v1", "ServiceAccount", "serviceaccounts", true),
    ("v1", "ConfigMap", "configmaps", true),
    ("v1", "Secret", "secrets", true),
    ("v1", "Service", "services", true),
    ("apps/v1", "Deployment", "deployments", true),
    ("apps/v1", "DaemonSet", "daemonsets", true),
    ("rbac.authorization.k8s.io/v1", "Role", "roles", true),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", false),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
    ("storage.k8s.io/v1", "CSIDriver", "csidrivers", false),
    ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
    ("networking.k8s.io/v1", "IngressClass", "ingressclasses", false),
    ("apiregistration.k8s.io/v1", "APIService", "apiservices", false),
    ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true),
];
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// What identifies an object, and what changes when somebody changes it: its generation where it has one, else its version.
pub type Marks = BTreeMap<String, String>;

/// A Deployment or DaemonSet of an add-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The value of its label.
    pub addon: String,
    pub name: String,
    pub ready: u32,
    pub desired: u32,
    /// The controller has seen the newest specification, and all pods are of it.
    pub current: bool,
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    generation: i64,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    managed_fields: Vec<Managed>,
}

/// Who wrote which fields last: `metadata.managedFields`.
#[derive(Deserialize)]
struct Managed {
    #[serde(default)]
    manager: String,
    #[serde(default)]
    time: String,
    #[serde(default)]
    subresource: String,
}

impl Metadata {
    /// A word that is another one once somebody has changed the object. What the cluster notes in its status is no change.
    fn change(&self) -> String {
        if self.generation > 0 {
            return self.generation.to_string();
        }
        if self.managed_fields.iter().all(|m| m.subresource.is_empty()) {
            return self.resource_version.clone();
        }
        let wishes = self.managed_fields.iter().filter(|m| m.subresource.is_empty());
        wishes.map(|m| format!("{}@{}", m.manager, m.time)).collect::<Vec<_>>().join(",")
    }
}

impl Engine {
    /// Server-side apply of one object.
    pub async fn apply_object(&self, object: &Value) -> Result<(), KubeError> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let entry = KINDS.iter().find(|(v, k, ..)| *v == version && *k == kind);
        let (version, _, word, namespaced) = entry.ok_or(KubeError::Refused("an object of a kind that add-ons do not have"))?;
        let name = text(&object["metadata"]["name"]);
        let namespace = text(&object["metadata"]["namespace"]);
        let path = if *namespaced {
            format!("{}/namespaces/{}/{word}/{}", root(version), segment(&namespace), segment(&name))
        } else {
            format!("{}/{word}/{}", root(version), segment(&name))
        };
        self.apply(&path, object).await
    }

    /// The objects of these kinds that carry `label`: one list a kind, metadata only.
    pub async fn marks(&self, kinds: &BTreeSet<String>, label: &str) -> Result<Marks, KubeError> {
        let mut marks = Marks::new();
        for (version, kind, word, _) in KINDS.iter().filter(|(_, kind, ..)| kinds.contains(*kind)) {
            let path = format!("{}/{word}?labelSelector={}", root(version), segment(label));
            let mut headers = HeaderMap::new();
            headers.insert(http::header::ACCEPT, http::HeaderValue::from_static(METADATA_ONLY));
            let body = self.channel.call(Method::GET, &path, headers, bytes::Bytes::new()).await?;
            let list: Items = serde_json::from_slice(&body).map_err(|e| KubeError::BadAnswer(e.to_string()))?;
            for Item { metadata, .. } in list.items {
                marks.insert(key(kind, &metadata.namespace, &metadata.name), format!("{}/{}", metadata.uid, metadata.change()));
            }
        }
        Ok(marks)
    }

    /// The workloads that carry `label`, and CoreDNS where it does not: then kubeadm made it.
    pub async fn workloads(&self, label: &str, dns: &str) -> Result<Vec<Workload>, KubeError> {
        let mut found = Vec::new();
        let apps = "/apis/apps/v1/namespaces/kube-system";
        for (path, of) in [
            (format!("{apps}/deployments?labelSelector={}", segment(label)), None),
            (format!("{apps}/daemonsets?labelSelector={}", segment(label)), None),
            (format!("{apps}/deployments?labelSelector={}", segment("k8s-app=kube-dns")), Some(dns)),
        ] {
            let list: Items = self.channel.get(&path, HeaderMap::new()).await?;
            let told = |item: &&Item| of.is_none() || !item.metadata.labels.contains_key(label);
            found.extend(list.items.iter().filter(told).map(|item| workload(item, label, of)));
        }
        Ok(found)
    }

    /// Names of all namespaces that are not on their way out.
    pub async fn namespace_names(&self) -> Result<Vec<String>, KubeError> {
        let list: Items = self.channel.get("/api/v1/namespaces", HeaderMap::new()).await?;
        let stays = |item: &Item| item.status["phase"] != "Terminating";
        Ok(list.items.into_iter().filter(stays).map(|item| item.metadata.name).collect())
    }
}

/// The key of an object among marks.
#[must_use]
pub fn key_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    key(&text(&object["kind"]), &text(&object["metadata"]["namespace"]), &text(&object["metadata"]["name"]))
}

fn key(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind}/{namespace}/{name}")
}

fn root(version: &str) -> String {
    if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") }
}

fn workload(item: &Item, label: &str, of: Option<&str>) -> Workload {
    let number = |value: &Value| u32::try_from(value.as_i64().unwrap_or(0)).unwrap_or(0);
    let status = &item.status;
    let daemon = status.get("desiredNumberScheduled").is_some();
    let desired =
        if daemon { number(&status["desiredNumberScheduled"]) } else { item.spec["replicas"].as_i64().map_or(1, |n| u32::try_from(n).unwrap_or(0)) };
    let ready = number(&status[if daemon { "numberReady" } else { "readyReplicas" }]);
    let updated = number(&status[if daemon { "updatedNumberScheduled" } else { "updatedReplicas" }]);
    let seen = status["observedGeneration"].as_i64().unwrap_or(0) >= item.metadata.generation;
    Workload {
        addon: of.map_or_else(|| item.metadata.labels.get(label).cloned().unwrap_or_default(), str::to_owned),
        name: item.metadata.name.clone(),
        ready,
        desired,
        // Pods that are on their way out still work with what they were started with.
        current: seen && updated >= desired && number(&status["replicas"]) <= updated.max(desired) && number(&status["terminatingReplicas"]) == 0,
    }
}
