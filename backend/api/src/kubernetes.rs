//! Typed reads of what runs in a cluster, as the person (impersonated), paged and filtered on the server.

use crate::errors::{Answer, Problem};
use crate::lists::List;
use actix_web::{HttpResponse, get};
use domain::codes::Code;
use domain::ids::ClusterId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// What a list of Kubernetes objects may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct KubernetesQuery {
    /// Default: all namespaces.
    pub namespace: Option<String>,
    /// Part of the name.
    pub search: Option<String>,
    /// A Kubernetes label selector.
    pub label: Option<String>,
    /// 1 to 500; default 100.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// A node as Kubernetes sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct KubernetesNode {
    pub name: String,
    /// `Ready`, `NotReady`, `Unknown`.
    pub status: String,
    /// Whether new pods may be put on it.
    pub schedulable: bool,
    pub roles: Vec<String>,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Quantities, as Kubernetes writes them.
    pub cpu: String,
    pub memory: String,
    pub pods: String,
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Namespace {
    pub name: String,
    /// `Active`, `Terminating`.
    pub status: String,
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Deployment {
    pub name: String,
    pub namespace: String,
    pub desired: u32,
    pub ready: u32,
    pub updated: u32,
    pub available: u32,
    pub images: Vec<String>,
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
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

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
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

/// Kubernetes nodes.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<KubernetesNode>)))]
#[get("/clusters/{id}/kubernetes/nodes")]
pub async fn kubernetes_node_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Namespaces.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<Namespace>)))]
#[get("/clusters/{id}/kubernetes/namespaces")]
pub async fn namespace_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Deployments.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<Deployment>)))]
#[get("/clusters/{id}/kubernetes/deployments")]
pub async fn deployment_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Pods.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), KubernetesQuery), responses((status = 200, body = List<Pod>)))]
#[get("/clusters/{id}/kubernetes/pods")]
pub async fn pod_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
