//! Clusters: what is asked for and how they are. Writes only record what is wanted; the engine brings it about.

use crate::errors::{Answer, Problem};
use crate::idempotency::IdempotencyKey;
use crate::lists::List;
use crate::operations::Operation;
use crate::session::ProjectRef;
use actix_web::{HttpResponse, delete, get, post};
use domain::clusters::ClusterSpec;
use domain::clusters::ClusterSpecRequest;
use domain::clusters::ClusterStatus;
use domain::clusters::Phase;
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::ids::OperationId;
use domain::ledger::ResourceKind;
use domain::ledger::ResourceState;
use domain::nodes::Fault;
use domain::operations::OperationKind;
use domain::operations::OperationState;
use domain::operations::StepKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// A cluster asked for: from a template, in full, or a template with parts of it replaced.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterRequest {
    /// `^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`, unique in the project.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", max_length = 40)]
    pub name: String,
    /// Id of a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What is given here wins over the template; what is in neither gets a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<ClusterSpecRequest>,
}

/// A cluster.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Cluster {
    pub id: ClusterId,
    pub name: String,
    pub project: ProjectRef,
    pub spec: ClusterSpec,
    pub status: ClusterStatus,
    pub masters_desired: u32,
    pub nodes_desired: u32,
    /// The operation under way, or the last one if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationBrief>,
    /// Rises with every change of the spec.
    pub generation: i64,
    /// The generation that has been brought about.
    pub observed_generation: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Name of the person.
    pub created_by: String,
}

/// An operation in short.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OperationBrief {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    pub progress: u32,
    /// The step under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepKey>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterAccepted {
    pub cluster: Cluster,
    pub operation: Operation,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OperationAccepted {
    pub operation: Operation,
}

/// What a list of clusters may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ClusterQuery {
    /// Part of the name, or an id.
    pub search: Option<String>,
    pub phase: Option<Phase>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// `name`, `created_at`, with a leading `-` for falling; default `-created_at`.
    pub sort: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckLevel {
    Ok,
    Warning,
    Blocked,
}

/// One thing looked at before anything is built.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// `name`, `version`, `image`, `flavors`, `zones`, `volume_types`, `external_network`, `ranges`, `quota`, `load_balancer`, `cluster_quota`.
    pub key: String,
    pub level: CheckLevel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    pub message: String,
    #[schema(value_type = BTreeMap<String, Object>)]
    pub params: BTreeMap<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What is needed of one quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QuotaNeed {
    /// `instances`, `vcpus`, `ram_mib`, `volumes`, `gigabytes`, `ports`, ...
    pub resource: String,
    pub used: u64,
    /// null: no limit.
    #[schema(required)]
    pub limit: Option<u64>,
    pub need: u64,
}

/// Cloud objects that would be made or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlannedObject {
    pub kind: ResourceKind,
    /// What for: a pool's name, `control-plane`, or empty.
    pub name: String,
    pub count: u32,
}

/// What a create would do.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterPlan {
    /// Complete: template and defaults applied.
    pub spec: ClusterSpec,
    pub checks: Vec<Check>,
    pub quota: Vec<QuotaNeed>,
    pub objects: Vec<PlannedObject>,
    /// Whether a check stands against it.
    pub blocked: bool,
}

/// What a delete would remove.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeletePlan {
    pub objects: Vec<Resource>,
    /// Volumes made by workloads in the cluster: they hold data and are kept unless said otherwise.
    pub volumes: Vec<DataVolume>,
    /// What stands against it.
    pub blocked: Vec<Check>,
    /// Whether the cluster's API answers (only then are `volumes` known for sure).
    pub api_reachable: bool,
}

/// A volume with data of workloads.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DataVolume {
    pub id: String,
    pub name: String,
    pub size_gib: u32,
    /// Claim that made it: `namespace/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolumeFate {
    Keep,
    Erase,
}

/// One word for all volumes, or one for each id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum VolumeChoice {
    All(VolumeFate),
    Each(BTreeMap<String, VolumeFate>),
}

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterDeletion {
    /// The cluster's name, typed.
    pub confirm: String,
    /// Default: keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<VolumeChoice>,
}

/// A cloud object of the cluster, from the ledger.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Resource {
    pub kind: ResourceKind,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_id: Option<String>,
    pub state: ResourceState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// Clusters of the project.
#[utoipa::path(tag = "clusters", params(ClusterQuery), responses((status = 200, body = List<Cluster>)))]
#[get("/clusters")]
pub async fn cluster_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Create a cluster.
#[utoipa::path(tag = "clusters", request_body = ClusterRequest, params(IdempotencyKey), responses((status = 202, description = "Recorded; the operation tells how it goes", body = ClusterAccepted)))]
#[post("/clusters")]
pub async fn cluster_create() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// What a create would make, what quota it needs and what stands against it.
#[utoipa::path(tag = "clusters", request_body = ClusterRequest, responses((status = 200, body = ClusterPlan)))]
#[post("/clusters/plan")]
pub async fn cluster_create_plan() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// One cluster.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = Cluster)))]
#[get("/clusters/{id}")]
pub async fn cluster_get() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// What a delete would remove.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = DeletePlan)))]
#[get("/clusters/{id}/delete-plan")]
pub async fn cluster_delete_plan() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Delete a cluster with everything of its own in the cloud.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), request_body = ClusterDeletion, responses((status = 202, body = OperationAccepted)))]
#[delete("/clusters/{id}")]
pub async fn cluster_delete() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Cloud objects of a cluster.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Resource>)))]
#[get("/clusters/{id}/resources")]
pub async fn resource_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
