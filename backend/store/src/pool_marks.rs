//! Labels and taints of a pool that is there: its next nodes get them.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce;
use crate::error::StoreError;
use crate::pool::{Store, write};
use crate::{clusters, nodes, operations};
use auth::{NodeOperate, Permit};
use domain::clusters::Cluster;
use domain::codes::Code;
use domain::ids::NodeId;
use domain::marks::PoolMarks;
use domain::nodes::{Node, NodeIntent, NodeRole};
use serde_json::json;
use sqlx::PgConnection;

/// What a change of a pool's marks was made from in the cluster.
#[derive(Clone, Debug)]
pub struct MarkedPool {
    pub name: String,
    /// What it had then.
    pub before: PoolMarks,
    /// The nodes that have the change.
    pub nodes: Vec<NodeId>,
}

impl Store {
    /// Other labels and taints of a pool in the place of those it has. Refused while somebody's operation is under way, which would put back what it
    /// found where it is cancelled, and where the pool is not any more what the change was made from.
    pub async fn node_pool_mark(
        &self,
        permit: Permit<NodeOperate>,
        pool: MarkedPool,
        marks: PoolMarks,
        context: RequestContext,
    ) -> Result<(), StoreError> {
        let data = (permit, pool, marks, context);
        write(&self.api, data, |db, (permit, pool, marks, context)| Box::pin(mark(db, permit, pool, marks, context))).await
    }
}

async fn mark(
    db: &mut PgConnection,
    permit: &Permit<NodeOperate>,
    pool: &MarkedPool,
    marks: &PoolMarks,
    context: &RequestContext,
) -> Result<(), StoreError> {
    let tenant = permit.tenant();
    let cluster = clusters::lock(db, tenant, *permit.id()).await?;
    idle(db, &cluster).await?;
    let mut pools = cluster.spec.node_pools.clone();
    let found = pools.iter_mut().find(|p| p.name == pool.name).ok_or(StoreError::Refused(Code::PoolMissing))?;
    let before = PoolMarks {
        labels: std::mem::replace(&mut found.labels, marks.labels.clone()),
        taints: std::mem::replace(&mut found.taints, marks.taints.clone()),
    };
    // What somebody else set meanwhile is on the nodes, too: only a change from that takes it away.
    if before != pool.before && before != *marks {
        return Err(StoreError::Refused(Code::Conflict));
    }
    complete(db, &cluster, pool).await?;
    clusters::lay_over(db, &cluster, json!({ "node_pools": pools })).await?;
    let entry = AuditEntry::new(permit.actor(), "node_pool_mark", "cluster", cluster.id).cluster(cluster.id).outcome("done");
    let entry = entry.detail(json!({ "name": cluster.name, "pool": pool.name, "before": before, "after": marks }));
    append(db, &entry, context).await?;
    announce(db, tenant, cluster.id, None).await
}

async fn idle(db: &mut PgConnection, cluster: &Cluster) -> Result<(), StoreError> {
    let current = match cluster.operation {
        Some(current) => operations::find(db, Some(&cluster.tenant.0), current).await?.operation,
        None => return Ok(()),
    };
    let busy = cluster.delete_requested_at.is_some() || (!current.state.ended() && !current.automatic());
    if busy { Err(StoreError::Refused(Code::Busy)) } else { Ok(()) }
}

/// A node that came meanwhile may have begun with what the pool had.
async fn complete(db: &mut PgConnection, cluster: &Cluster, pool: &MarkedPool) -> Result<(), StoreError> {
    let of_pool = |n: &Node| n.role == NodeRole::Worker && n.pool == pool.name && n.intent == NodeIntent::Keep;
    let there = nodes::rows(db, Some(&cluster.tenant.0), cluster.id).await?;
    let missed = there.iter().any(|r| of_pool(&r.node) && !pool.nodes.contains(&r.node.id));
    if missed { Err(StoreError::Refused(Code::Busy)) } else { Ok(()) }
}
