//! What a person does with one node: close it to new pods and open it again, empty it, reboot it, put another in its place.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::{Answer, Problem};
use crate::operations::Operation;
use crate::plan;
use crate::state::State;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use auth::NodeOperate;
use domain::clusters::Cluster;
use domain::ids::{ClusterId, NodeId};
use kube_access::{Group, Impersonation};
use store::{ClusterRecord, NodeVerb};

type Which = Path<(ClusterId, NodeId)>;

async fn begin(caller: &Caller, state: &State, which: Which, verb: NodeVerb) -> Answer<HttpResponse> {
    let (id, node) = which.into_inner();
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    let permit = caller.actor.may::<NodeOperate>(&record)?;
    if verb == NodeVerb::Replace {
        successor_fits(caller, state, &record.cluster, node).await?;
    }
    let operation = state.store.node_operate(permit, verb, node, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// One that does not work leaves first and needs no room.
async fn successor_fits(caller: &Caller, state: &State, cluster: &Cluster, node: NodeId) -> Answer<()> {
    let nodes = state.store.nodes(&caller.actor.scope(), cluster.id).await?;
    let working = nodes.into_iter().map(|n| n.node).find(|n| n.id == node && n.ready == Some(true));
    match working {
        Some(node) => plan::refuse_without_room(state, caller, &cluster.spec, &node.pool).await,
        None => Ok(()),
    }
}

/// Writes to the cluster as the person.
async fn schedulable(caller: &Caller, state: &State, which: Which, schedulable: bool) -> Answer<HttpResponse> {
    let (id, node) = which.into_inner();
    let record: ClusterRecord = state.store.cluster(&caller.actor.scope(), id).await?;
    caller.actor.may::<NodeOperate>(&record)?;
    let nodes = state.store.nodes(&caller.actor.scope(), id).await?;
    let found = nodes.into_iter().find(|n| n.node.id == node).ok_or_else(Problem::not_found)?;
    let target = state.targets.of(state, &record.cluster.endpoint()).await?;
    // The permit was for this; in the cluster only members change nodes.
    let who = Impersonation::new(&caller.actor.user.id, &caller.actor.user.name, Group::Member);
    state.kube.gateway(&target).await?.set_schedulable(&who, &found.node.name, schedulable).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// No new pods come to the node; those there stay.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 204, description = "Done")))]
#[post("/clusters/{id}/nodes/{node}/cordon")]
pub async fn node_cordon(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    schedulable(&caller, &state, which, false).await
}

/// New pods may come to the node again.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 204, description = "Done")))]
#[post("/clusters/{id}/nodes/{node}/uncordon")]
pub async fn node_uncordon(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    schedulable(&caller, &state, which, true).await
}

/// Empty a node, honouring disruption budgets; it stays, closed to new pods.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/nodes/{node}/drain")]
pub async fn node_drain(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    begin(&caller, &state, which, NodeVerb::Drain).await
}

/// Reboot a node's server.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/nodes/{node}/reboot")]
pub async fn node_reboot(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    begin(&caller, &state, which, NodeVerb::Reboot).await
}

/// Put a new node in the place of one: the new one first where the old one still works.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/nodes/{node}/replace")]
pub async fn node_replace(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    begin(&caller, &state, which, NodeVerb::Replace).await
}
