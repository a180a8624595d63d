//! The control plane of a cluster that is there: its size, the key of its Secrets, the audit of its API, and the repair of whatever broke.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::Answer;
use crate::extract::Body;
use crate::operations::Operation;
use crate::plan;
use crate::size_plans::{Resized, SizePlan, leaving, size_plan};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, patch, post};
use auth::{ClusterRepair, ControlPlaneResize as ResizeAction};
use domain::clusters::Cluster;
use domain::ids::ClusterId;
use domain::nodes::{CONTROL_PLANE_POOL, Node, NodeRole};
use domain::requests::{Violation, violations};
use domain::settings::ApiAuditLevel;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlPlaneResize {
    /// How many masters there shall be: 1, 3 or 5.
    pub count: u32,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiAuditChange {
    pub level: ApiAuditLevel,
}

async fn plan_of(state: &State, caller: &Caller, cluster: &Cluster, to: u32) -> Answer<SizePlan> {
    let mut after = cluster.spec.clone();
    let from = std::mem::replace(&mut after.control_plane.count, to);
    let broken = violations(&cluster.name, &after, &state.spec_limits());
    plan::refuse(broken.into_iter().map(|v| Violation { field: "count".to_owned(), ..v }).collect())?;
    let nodes: Vec<Node> = state.store.nodes(&caller.actor.scope(), cluster.id).await?.into_iter().map(|r| r.node).collect();
    let removed = leaving(&nodes, &after, NodeRole::Master, CONTROL_PLANE_POOL, to, &[]);
    let sized = Resized { cluster: cluster.id, pool: CONTROL_PLANE_POOL, field: "count", from, to };
    size_plan(state, caller, &after, &sized, removed).await
}

/// What a resize of the control plane would make or remove, what quota it needs and what stands against it.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), request_body = ControlPlaneResize, responses((status = 200, body = SizePlan)))]
#[post("/clusters/{id}/control-plane/plan")]
pub async fn control_plane_resize_plan(
    caller: Caller,
    state: Data<State>,
    id: Path<ClusterId>,
    body: Body<ControlPlaneResize>,
) -> Answer<Json<SizePlan>> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    caller.actor.may::<ResizeAction>(&record)?;
    let (request, _) = body.read()?;
    Ok(Json(plan_of(&state, &caller, &record.cluster, request.count).await?))
}

/// Resize the control plane; masters come and go one at a time.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), request_body = ControlPlaneResize, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/control-plane")]
pub async fn control_plane_resize(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ControlPlaneResize>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ResizeAction>(&record)?;
    let (request, _) = body.read()?;
    plan::refuse_blocked(&plan_of(&state, &caller, &record.cluster, request.count).await?.checks)?;
    let operation = state.store.control_plane_resize(permit, request.count, state.tenant_limits(), caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// Put a new key in the place of the one that encrypts the cluster's Secrets in etcd: masters are replaced in rounds, and Secrets written anew.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/encryption-key/rotate")]
pub async fn encryption_key_rotate(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterRepair>(&record)?;
    plan::refuse_without_room(&state, &caller, &record.cluster.spec, CONTROL_PLANE_POOL).await?;
    let operation = state.store.encryption_key_rotate(permit, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// Have the cluster's own API write down more of its calls, less, or nothing: masters are replaced one after the other.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), request_body = ApiAuditChange, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/api-audit")]
pub async fn api_audit_change(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ApiAuditChange>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterRepair>(&record)?;
    let (request, _) = body.read()?;
    plan::refuse_without_room(&state, &caller, &record.cluster.spec, CONTROL_PLANE_POOL).await?;
    let operation = state.store.api_audit_change(permit, request.level, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// Make whole what is missing, broken or changed from outside.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/repair")]
pub async fn cluster_repair(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterRepair>(&record)?;
    let operation = state.store.cluster_repair(permit, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}
