//! What a person does with one node: close it to new pods and open it again, label and taint it, empty it, reboot it, put another in its place.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::inside::told;
use crate::operations::Operation;
use crate::plan;
use crate::state::State;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch, post};
use auth::NodeOperate;
use domain::clusters::Cluster;
use domain::ids::{ClusterId, NodeId};
use domain::marks::NodeMarks;
use kube_access::{Group, Impersonation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{AuditEntry, ClusterRecord, NodeVerb};

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

/// What is asked of the cluster for a node.
enum Change {
    Schedulable(bool),
    Marks(NodeMarks),
}

/// A node that the person may operate, and its cluster.
async fn operated(caller: &Caller, state: &State, which: Which) -> Answer<(ClusterRecord, NodeId)> {
    let (id, node) = which.into_inner();
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    caller.actor.may::<NodeOperate>(&record)?;
    Ok((record, node))
}

/// Writes to the cluster as the person.
async fn change(caller: &Caller, state: &State, of: (ClusterRecord, NodeId), action: &'static str, change: Change) -> Answer<HttpResponse> {
    let (cluster, id) = (of.0.cluster, of.1);
    let nodes = state.store.nodes(&caller.actor.scope(), cluster.id).await?;
    let node = nodes.into_iter().find(|n| n.node.id == id).ok_or_else(Problem::not_found)?.node.name;
    let mut detail = match &change {
        Change::Schedulable(_) => json!({}),
        Change::Marks(marks) => said_of(marks),
    };
    detail["node"] = node.clone().into();
    let entry = AuditEntry::new(&caller.actor, action, "cluster", cluster.id).cluster(cluster.id).detail(detail);
    let made = async {
        let target = state.targets.of(state, &cluster.endpoint()).await?;
        // The permit was for this; in the cluster only members change nodes.
        let who = Impersonation::new(&caller.actor.user.id, &caller.actor.user.name, Group::Member);
        let gateway = state.kube.gateway(&target).await?;
        match &change {
            Change::Schedulable(on) => gateway.set_schedulable(&who, &node, *on).await?,
            Change::Marks(marks) => gateway.mark_node(&who, &node, marks).await?,
        }
        Answer::Ok(HttpResponse::NoContent().finish())
    };
    told(state, caller, entry, made).await
}

/// For the audit log: what is set, and what is taken away.
#[must_use]
pub fn said_of(marks: &NodeMarks) -> Value {
    let set: BTreeMap<&String, &String> = marks.labels.iter().filter_map(|(key, value)| Some((key, value.as_ref()?))).collect();
    let gone: Vec<&String> = marks.labels.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key).collect();
    let taints: Vec<String> = marks.taints.iter().map(ToString::to_string).collect();
    let removed: Vec<String> = marks.remove_taints.iter().map(ToString::to_string).collect();
    json!({ "after": { "labels": set, "taints": taints }, "removed": { "labels": gone, "taints": removed } })
}

/// No new pods come to the node; those there stay.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 204, description = "Done")))]
#[post("/clusters/{id}/nodes/{node}/cordon")]
pub async fn node_cordon(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    let of = operated(&caller, &state, which).await?;
    change(&caller, &state, of, "node_cordon", Change::Schedulable(false)).await
}

/// New pods may come to the node again.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), responses((status = 204, description = "Done")))]
#[post("/clusters/{id}/nodes/{node}/uncordon")]
pub async fn node_uncordon(caller: Caller, state: Data<State>, which: Which) -> Answer<HttpResponse> {
    let of = operated(&caller, &state, which).await?;
    change(&caller, &state, of, "node_uncordon", Change::Schedulable(true)).await
}

/// Set and take away labels and taints of one node. A node that takes its place has those of its pool.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("node" = NodeId, Path)), request_body = NodeMarks, responses((status = 204, description = "Done")))]
#[patch("/clusters/{id}/nodes/{node}")]
pub async fn node_update(caller: Caller, state: Data<State>, which: Which, body: Body<NodeMarks>) -> Answer<HttpResponse> {
    let of = operated(&caller, &state, which).await?;
    let (marks, _) = body.read()?;
    plan::refuse(marks.violations())?;
    change(&caller, &state, of, "node_update", Change::Marks(marks)).await
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
