//! The control plane of a cluster that is there: its size, and the repair of whatever broke.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::Answer;
use crate::extract::Body;
use crate::operations::Operation;
use crate::plan;
use crate::state::State;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch, post};
use auth::{ClusterRepair, ControlPlaneResize as ResizeAction};
use domain::clusters::Cluster;
use domain::ids::ClusterId;
use domain::needs::node_objects;
use domain::nodes::CONTROL_PLANE_POOL;
use domain::requests::{Violation, violations};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlPlaneResize {
    /// How many masters there shall be: 1, 3 or 5.
    pub count: u32,
}

/// What stands against that many masters.
async fn refuse(state: &State, caller: &Caller, cluster: &Cluster, count: u32) -> Answer<()> {
    let mut spec = cluster.spec.clone();
    spec.control_plane.count = count;
    let broken = violations(&cluster.name, &spec, &state.settings.limits);
    plan::refuse(broken.into_iter().map(|v| Violation { field: "count".to_owned(), ..v }).collect())?;
    let more = count.saturating_sub(cluster.spec.control_plane.count);
    if more == 0 {
        return Ok(());
    }
    let catalogue = state.catalogue.of(state, caller).await?;
    let objects = node_objects(&spec, CONTROL_PLANE_POOL, more);
    let (_, checks) = plan::quota(state, caller, &spec, &objects, &catalogue).await?;
    plan::refuse_blocked(&checks)
}

/// Resize the control plane; masters come and go one at a time.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), request_body = ControlPlaneResize, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/control-plane")]
pub async fn control_plane_resize(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ControlPlaneResize>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ResizeAction>(&record)?;
    let (request, _) = body.read()?;
    refuse(&state, &caller, &record.cluster, request.count).await?;
    let operation = state.store.control_plane_resize(permit, request.count, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::new(operation) }))
}

/// Make whole what is missing, broken or changed from outside.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/repair")]
pub async fn cluster_repair(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterRepair>(&record)?;
    let operation = state.store.cluster_repair(permit, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::new(operation) }))
}
