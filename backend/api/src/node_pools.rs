//! Node pools: sets of equal workers, and the control plane.

use crate::clusters::Check;
use crate::clusters::OperationAccepted;
use crate::clusters::PlannedObject;
use crate::clusters::QuotaNeed;
use crate::errors::{Answer, Problem};
use crate::idempotency::IdempotencyKey;
use crate::lists::List;
use actix_web::{HttpResponse, get, patch, post};
use domain::clusters::Taint;
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::nodes::NodeRole;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A pool as asked for and as it is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct NodePool {
    /// `control-plane` for the masters.
    pub name: String,
    pub role: NodeRole,
    /// Name of the flavor.
    pub flavor: String,
    pub root_volume_gib: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
    pub desired: u32,
    /// Nodes there are, in whatever state.
    pub current: u32,
    pub ready: u32,
    pub zones: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodePoolResize {
    /// How many nodes the pool shall have.
    pub count: u32,
}

/// What a resize would do.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct NodePoolPlan {
    pub from: u32,
    pub to: u32,
    /// Nodes that would be taken away.
    pub removed: Vec<String>,
    pub checks: Vec<Check>,
    pub quota: Vec<QuotaNeed>,
    pub objects: Vec<PlannedObject>,
    pub blocked: bool,
}

/// Pools of a cluster, the control plane first.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), responses((status = 200, body = List<NodePool>)))]
#[get("/clusters/{id}/node-pools")]
pub async fn node_pool_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// What a resize would make or remove, what quota it needs and what stands against it.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path)), request_body = NodePoolResize, responses((status = 200, body = NodePoolPlan)))]
#[post("/clusters/{id}/node-pools/{pool}/plan")]
pub async fn node_pool_resize_plan() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Resize a pool.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path), IdempotencyKey), request_body = NodePoolResize, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/node-pools/{pool}")]
pub async fn node_pool_resize() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
