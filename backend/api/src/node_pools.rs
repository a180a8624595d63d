//! Node pools: sets of equal workers, and the control plane.

use crate::caller::Caller;
use crate::clusters::{Check, CheckLevel, OperationAccepted, PlannedObject, QuotaNeed};
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::operations::Operation;
use crate::plan;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use auth::{NodePoolCreate as CreateAction, NodePoolDelete as DeleteAction, NodePoolResize as ResizeAction};
use domain::clusters::{Cluster, NodePoolSpec, Taint};
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId};
use domain::needs::node_objects;
use domain::nodes::{CONTROL_PLANE_POOL, Node, NodeRole};
use domain::plan::surplus;
use domain::requests::{Violation, resize_violations, violations};
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

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodePoolResize {
    /// How many nodes the pool shall have.
    pub count: u32,
    /// Ids of nodes that shall leave first, no more than the pool shrinks by.
    #[serde(default)]
    pub remove: Vec<NodeId>,
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

impl NodePool {
    fn control_plane(cluster: &Cluster, nodes: &[Node]) -> Self {
        let spec = &cluster.spec.control_plane;
        let pool = NodePoolSpec {
            name: CONTROL_PLANE_POOL.to_owned(),
            flavor: spec.flavor.clone(),
            count: spec.count,
            root_volume_gib: spec.root_volume_gib,
            volume_type: spec.volume_type.clone(),
            zones: spec.zones.clone(),
            ..NodePoolSpec::default()
        };
        Self::new(pool, NodeRole::Master, nodes)
    }

    fn new(pool: NodePoolSpec, role: NodeRole, nodes: &[Node]) -> Self {
        let of_pool = |n: &&Node| n.role == role && n.pool == pool.name;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            current: count(nodes.iter().filter(of_pool).count()),
            ready: count(nodes.iter().filter(of_pool).filter(|n| n.ready == Some(true)).count()),
            name: pool.name.clone(),
            role,
            flavor: pool.flavor,
            root_volume_gib: pool.root_volume_gib,
            volume_type: pool.volume_type,
            desired: pool.count,
            zones: pool.zones,
            labels: pool.labels,
            taints: pool.taints,
        }
    }
}

/// Pools of a cluster, the control plane first.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), responses((status = 200, body = List<NodePool>)))]
#[get("/clusters/{id}/node-pools")]
pub async fn node_pool_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<NodePool>>> {
    let scope = caller.actor.scope();
    let cluster = state.store.cluster(&scope, *id).await?.cluster;
    let nodes = domain_nodes(state.store.nodes(&scope, *id).await?);
    let workers = cluster.spec.node_pools.iter().cloned().map(|pool| NodePool::new(pool, NodeRole::Worker, &nodes));
    Ok(Json(List::whole(std::iter::once(NodePool::control_plane(&cluster, &nodes)).chain(workers).collect())))
}

/// A pool's size now; the control plane has verbs of its own.
fn size(cluster: &Cluster, pool: &str) -> Answer<u32> {
    if pool == CONTROL_PLANE_POOL {
        return Err(Problem::new(Code::MethodNotAllowed).detail("the control plane is no node pool; see /control-plane"));
    }
    let found = cluster.spec.node_pools.iter().find(|p| p.name == pool);
    found.map(|p| p.count).ok_or_else(Problem::not_found)
}

async fn resize_plan(state: &State, caller: &Caller, cluster: &Cluster, pool: &str, to: u32, named: &[NodeId]) -> Answer<NodePoolPlan> {
    let from = size(cluster, pool)?;
    plan::refuse(resize_violations(&cluster.spec, pool, to, &state.settings.limits))?;
    let nodes = domain_nodes(state.store.nodes(&caller.actor.scope(), cluster.id).await?);
    refuse_named(&nodes, pool, from, to, named)?;
    let objects = node_objects(&cluster.spec, pool, to.saturating_sub(from));
    let catalogue = state.catalogue.of(state, caller).await?;
    let mut spec = cluster.spec.clone();
    spec.node_pools.retain(|p| p.name == pool);
    let mut checks = if to > from { plan::catalogue_checks(&spec, &catalogue, state, &caller.cloud(state)) } else { Vec::new() };
    let (quota, found) = plan::quota(state, caller, &cluster.spec, &objects, &catalogue).await?;
    checks.extend(found);
    let blocked = checks.iter().any(|c| c.level == CheckLevel::Blocked);
    Ok(NodePoolPlan {
        from,
        to,
        removed: surplus(&nodes, NodeRole::Worker, pool, to, named).into_iter().map(|n| n.name.clone()).collect(),
        checks,
        quota,
        objects: plan::planned(&objects),
        blocked,
    })
}

/// What a resize would make or remove, what quota it needs and what stands against it.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path)), request_body = NodePoolResize, responses((status = 200, body = NodePoolPlan)))]
#[post("/clusters/{id}/node-pools/{pool}/plan")]
pub async fn node_pool_resize_plan(
    caller: Caller,
    state: Data<State>,
    path: Path<(ClusterId, String)>,
    body: Body<NodePoolResize>,
) -> Answer<Json<NodePoolPlan>> {
    let (id, pool) = path.into_inner();
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    caller.actor.may::<ResizeAction>(&record)?;
    size(&record.cluster, &pool)?;
    let (request, _) = body.read()?;
    Ok(Json(resize_plan(&state, &caller, &record.cluster, &pool, request.count, &request.remove).await?))
}

/// Resize a pool.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path)), request_body = NodePoolResize, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/node-pools/{pool}")]
pub async fn node_pool_resize(
    caller: Caller,
    state: Data<State>,
    path: Path<(ClusterId, String)>,
    body: Body<NodePoolResize>,
) -> Answer<HttpResponse> {
    let (id, pool) = path.into_inner();
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    let permit = caller.actor.may::<ResizeAction>(&record)?;
    size(&record.cluster, &pool)?;
    let (request, _) = body.read()?;
    let planned = resize_plan(&state, &caller, &record.cluster, &pool, request.count, &request.remove).await?;
    plan::refuse_blocked(&planned.checks)?;
    let operation = state.store.node_pool_resize(permit, pool, request.count, request.remove, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::new(operation) }))
}

/// Add a pool.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), request_body = NodePoolSpec, responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/node-pools")]
pub async fn node_pool_create(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<NodePoolSpec>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<CreateAction>(&record)?;
    let (pool, _) = body.read()?;
    refuse_pool(&state, &caller, &record.cluster, &pool).await?;
    let operation = state.store.node_pool_create(permit, pool, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::new(operation) }))
}

/// What stands against one more pool.
async fn refuse_pool(state: &State, caller: &Caller, cluster: &Cluster, pool: &NodePoolSpec) -> Answer<()> {
    let mut spec = cluster.spec.clone();
    spec.node_pools.push(pool.clone());
    let of_pool = format!("spec.node_pools[{}].", cluster.spec.node_pools.len());
    let mut broken = violations(&cluster.name, &spec, &state.settings.limits);
    for violation in &mut broken {
        violation.field = violation.field.strip_prefix(&of_pool).unwrap_or(&violation.field).to_owned();
    }
    if pool.key_pair.is_some() && spec.public_key(pool.key_pair.as_deref()).is_none() {
        let message = "must be one of the key pairs that the cluster was made with".to_owned();
        broken.push(Violation { field: "key_pair".to_owned(), code: Code::InvalidInput, message });
    }
    plan::refuse(broken)?;
    let catalogue = state.catalogue.of(state, caller).await?;
    let objects = node_objects(&spec, &pool.name, pool.count);
    spec.node_pools.retain(|p| p.name == pool.name);
    let mut checks = plan::catalogue_checks(&spec, &catalogue, state, &caller.cloud(state));
    checks.extend(plan::quota(state, caller, &spec, &objects, &catalogue).await?.1);
    plan::refuse_blocked(&checks)
}

/// Delete a pool with its nodes, which are emptied first.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path)), responses((status = 202, body = OperationAccepted)))]
#[delete("/clusters/{id}/node-pools/{pool}")]
pub async fn node_pool_delete(caller: Caller, state: Data<State>, path: Path<(ClusterId, String)>) -> Answer<HttpResponse> {
    let (id, pool) = path.into_inner();
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    let permit = caller.actor.may::<DeleteAction>(&record)?;
    size(&record.cluster, &pool)?;
    let operation = state.store.node_pool_delete(permit, pool, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::new(operation) }))
}

/// Nodes that are named to leave must be of the pool, and no more than it shrinks by.
fn refuse_named(nodes: &[Node], pool: &str, from: u32, to: u32, named: &[NodeId]) -> Answer<()> {
    let of_pool = |id: &NodeId| nodes.iter().any(|n| n.id == *id && n.role == NodeRole::Worker && n.pool == pool);
    if !named.iter().all(of_pool) {
        return Err(Problem::field("remove", "must be ids of nodes of this pool"));
    }
    if named.len() > from.saturating_sub(to) as usize {
        return Err(Problem::field("remove", "must not be more nodes than the pool shrinks by"));
    }
    Ok(())
}

fn domain_nodes(records: Vec<store::NodeRecord>) -> Vec<Node> {
    records.into_iter().map(|r| r.node).collect()
}
