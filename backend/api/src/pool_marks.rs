//! Labels and taints of a node pool that is there: set on its nodes, and kept for those that come.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::inside::told;
use crate::node_pools::size;
use crate::node_verbs::said_of;
use crate::plan;
use crate::state::State;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, put};
use auth::NodeOperate;
use domain::clusters::Cluster;
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::marks::{NodeMarks, PoolMarks};
use domain::nodes::{Node, NodeIntent, NodeRole};
use futures::{StreamExt, TryStreamExt, stream};
use kube_access::{Group, Impersonation, KubeError};
use store::{AuditEntry, ClusterRecord, MarkedPool};

/// Nodes written at the same time.
const AT_ONCE: usize = 8;

/// Give a pool other labels and taints in the place of those it has: its nodes have them at once, and its next ones from the start. What was set on
/// one node alone stays there.
#[utoipa::path(tag = "nodes", params(("id" = ClusterId, Path), ("pool" = String, Path)), request_body = PoolMarks, responses((status = 204, description = "Done")))]
#[put("/clusters/{id}/node-pools/{pool}/marks")]
pub async fn node_pool_mark(caller: Caller, state: Data<State>, path: Path<(ClusterId, String)>, body: Body<PoolMarks>) -> Answer<HttpResponse> {
    let (id, pool) = path.into_inner();
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    let permit = caller.actor.may::<NodeOperate>(&record)?;
    size(&record.cluster, &pool)?;
    let (marks, _) = body.read()?;
    plan::refuse(marks.violations())?;
    let nodes = settled(&caller, &state, &record, &pool).await?;
    let before = current(&record.cluster, &pool);
    let change = marks.after(&before);
    // The nodes first: what a call that was cut short has not reached, the same call reaches once more.
    if !nodes.is_empty() && change != NodeMarks::default() {
        mark(&caller, &state, &record.cluster, &pool, &nodes, &change).await?;
    }
    let pool = MarkedPool { name: pool, before, nodes: nodes.into_iter().map(|n| n.id).collect() };
    state.store.node_pool_mark(permit, pool, marks, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn current(cluster: &Cluster, pool: &str) -> PoolMarks {
    let found = cluster.spec.node_pools.iter().find(|p| p.name == pool);
    PoolMarks { labels: found.map(|p| p.labels.clone()).unwrap_or_default(), taints: found.map(|p| p.taints.clone()).unwrap_or_default() }
}

/// The pool's nodes, once none comes that may have begun with what the pool has now. The store sees to it that none comes after this.
async fn settled(caller: &Caller, state: &State, record: &ClusterRecord, pool: &str) -> Answer<Vec<Node>> {
    if record.operation.as_ref().is_some_and(|operation| !operation.state.ended() && !operation.automatic()) {
        return Err(Problem::new(Code::Busy));
    }
    let nodes = state.store.nodes(&caller.actor.scope(), record.cluster.id).await?.into_iter().map(|n| n.node);
    let nodes: Vec<Node> = nodes.filter(|n| n.role == NodeRole::Worker && n.pool == pool && n.intent == NodeIntent::Keep).collect();
    if let Some(coming) = nodes.iter().find(|n| n.joined_at.is_none()) {
        return Err(Problem::new(Code::Busy).detail(format!("the node {} has not joined yet", coming.name)));
    }
    Ok(nodes)
}

async fn mark(caller: &Caller, state: &State, cluster: &Cluster, pool: &str, nodes: &[Node], change: &NodeMarks) -> Answer<()> {
    let mut detail = said_of(change);
    detail["pool"] = pool.into();
    let entry = AuditEntry::new(&caller.actor, "node_update", "cluster", cluster.id).cluster(cluster.id).detail(detail);
    told(state, caller, entry, async {
        let target = state.targets.of(state, &cluster.endpoint()).await?;
        // The permit was for this; in the cluster only members change nodes.
        let who = Impersonation::new(&caller.actor.user.id, &caller.actor.user.name, Group::Member);
        let gateway = state.kube.gateway(&target).await?;
        let one = async |node: &Node| match gateway.mark_node(&who, &node.name, change).await {
            // Its object was deleted: it is replaced, or comes back with what the pool has then.
            Err(KubeError::Status { status: 404, .. }) => Ok(()),
            done => done,
        };
        Answer::Ok(stream::iter(nodes).map(one).buffer_unordered(AT_ONCE).try_collect::<()>().await?)
    })
    .await
}
