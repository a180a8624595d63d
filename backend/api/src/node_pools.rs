//! Node pools: sets of equal workers. Their list begins with the control plane, which has a file of its own besides.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::operations::Operation;
use crate::plan;
use crate::preflight::{missing_key, own_key_pairs};
use crate::sight;
use crate::size_plans::{Resized, SizePlan, leaving, new_pool_plan, size_plan};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use auth::{NodePoolCreate as CreateAction, NodePoolDelete as DeleteAction, NodePoolResize as ResizeAction};
use domain::clusters::{Cluster, ClusterSpec, NodePoolSpec, Taint};
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId};
use domain::nodes::{CONTROL_PLANE_POOL, Node, NodeRole};
use domain::requests::{Violation, resize_violations, violations};
use domain::settings::KeyPair;
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
    let cluster = sight::whole(&state, &caller.actor, *id).await?.cluster;
    let nodes = domain_nodes(state.store.nodes(&caller.actor.scope(), *id).await?);
    let workers = cluster.spec.node_pools.iter().cloned().map(|pool| NodePool::new(pool, NodeRole::Worker, &nodes));
    Ok(Json(List::whole(std::iter::once(NodePool::control_plane(&cluster, &nodes)).chain(workers).collect())))
}

/// A pool's size now; the control plane has verbs of its own.
///
/// # Errors
/// When there is no such pool of workers.
pub fn size(cluster: &Cluster, pool: &str) -> Answer<u32> {
    if pool == CONTROL_PLANE_POOL {
        return Err(Problem::new(Code::MethodNotAllowed).detail("the control plane is no node pool; see /control-plane"));
    }
    let found = cluster.spec.node_pools.iter().find(|p| p.name == pool);
    found.map(|p| p.count).ok_or_else(Problem::not_found)
}

async fn resize_plan(state: &State, caller: &Caller, cluster: &Cluster, pool: &str, to: u32, named: &[NodeId]) -> Answer<SizePlan> {
    let from = size(cluster, pool)?;
    plan::refuse(resize_violations(&cluster.spec, pool, to, &state.spec_limits()))?;
    let nodes = domain_nodes(state.store.nodes(&caller.actor.scope(), cluster.id).await?);
    refuse_named(&nodes, pool, from, to, named)?;
    let mut after = cluster.spec.clone();
    if let Some(found) = after.node_pools.iter_mut().find(|p| p.name == pool) {
        found.count = to;
    }
    let removed = leaving(&nodes, &after, NodeRole::Worker, pool, to, named);
    size_plan(state, caller, &after, &Resized { cluster: cluster.id, pool, field: "count", from, to }, removed).await
}

/// What a resize would make or remove, what quota it needs and what stands against it.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path)), request_body = NodePoolResize, responses((status = 200, body = SizePlan)))]
#[post("/clusters/{id}/node-pools/{pool}/plan")]
pub async fn node_pool_resize_plan(
    caller: Caller,
    state: Data<State>,
    path: Path<(ClusterId, String)>,
    body: Body<NodePoolResize>,
) -> Answer<Json<SizePlan>> {
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
    let limits = state.tenant_limits();
    let operation = state.store.node_pool_resize(permit, pool, request.count, request.remove, limits, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// What one more pool would make, what quota it needs and what stands against it.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), request_body = NodePoolSpec, responses((status = 200, body = SizePlan)))]
#[post("/clusters/{id}/node-pools/plan")]
pub async fn node_pool_create_plan(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<NodePoolSpec>) -> Answer<Json<SizePlan>> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    caller.actor.may::<CreateAction>(&record)?;
    let (pool, _) = body.read()?;
    Ok(Json(create_plan(&state, &caller, &record.cluster, pool).await?.plan))
}

/// Add a pool.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path)), request_body = NodePoolSpec, responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/node-pools")]
pub async fn node_pool_create(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<NodePoolSpec>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<CreateAction>(&record)?;
    let (pool, _) = body.read()?;
    let planned = create_plan(&state, &caller, &record.cluster, pool).await?;
    plan::refuse_blocked(&planned.plan.checks)?;
    let operation = state.store.node_pool_create(permit, planned.pool, planned.key_pair, state.tenant_limits(), caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// A pool to be, with every choice made, and what comes of it.
struct PlannedPool {
    plan: SizePlan,
    pool: NodePoolSpec,
    /// The one that it names, where the cluster does not have it yet.
    key_pair: Option<KeyPair>,
}

/// The cluster with one more pool; a broken rule is named by the pool's own field.
async fn create_plan(state: &State, caller: &Caller, cluster: &Cluster, mut pool: NodePoolSpec) -> Answer<PlannedPool> {
    let mut after = cluster.spec.clone();
    after.node_pools.push(pool.clone());
    let of_pool = format!("spec.node_pools[{}].", cluster.spec.node_pools.len());
    let own = |field: &str| field.strip_prefix(&of_pool).unwrap_or(field).to_owned();
    let mut broken = violations(&cluster.name, &after, &state.spec_limits());
    for violation in &mut broken {
        violation.field = own(&violation.field);
    }
    let key_pair = new_key_pair(state, caller, &cluster.spec, &pool, &mut broken).await?;
    plan::refuse(broken)?;
    let sized = Resized { cluster: cluster.id, pool: &pool.name, field: "flavor", from: 0, to: pool.count };
    let plan = new_pool_plan(state, caller, &mut after, &sized).await?;
    pool.anti_affinity = after.node_pools.last().and_then(|p| p.anti_affinity);
    Ok(PlannedPool { plan, pool, key_pair })
}

/// The key pair that a pool names: one that the cluster has, or else the person's own. A name stands for one key in a cluster.
async fn new_key_pair(
    state: &State,
    caller: &Caller,
    spec: &ClusterSpec,
    pool: &NodePoolSpec,
    broken: &mut Vec<Violation>,
) -> Answer<Option<KeyPair>> {
    let Some(name) = pool.key_pair.as_deref() else { return Ok(None) };
    let field = "key_pair".to_owned();
    let own = own_key_pairs(&caller.cloud(state).await?, &[name]).await?.pop();
    match (spec.public_key(Some(name)), own) {
        (None, Some(own)) => return Ok(Some(own)),
        (None, None) => broken.push(missing_key(field, name)),
        (Some(known), Some(own)) if own.public_key != known => {
            let message = format!("the cluster has another key pair {name:?}");
            broken.push(Violation { field, code: Code::InvalidInput, message });
        }
        (Some(_), _) => {}
    }
    Ok(None)
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
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
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
