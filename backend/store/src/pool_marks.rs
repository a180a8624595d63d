//! Labels and taints of a pool that is there: its next nodes get them.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce;
use crate::error::StoreError;
use crate::pool::{Store, write};
use crate::{clusters, operations};
use auth::{NodeOperate, Permit};
use domain::clusters::Cluster;
use domain::codes::Code;
use domain::marks::PoolMarks;
use serde_json::json;
use sqlx::PgConnection;

impl Store {
    /// Other labels and taints of a pool in the place of those it has. Refused while somebody's operation is under way, which would put back what it
    /// found where it is cancelled.
    pub async fn node_pool_mark(
        &self,
        permit: Permit<NodeOperate>,
        pool: String,
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
    pool: &str,
    marks: &PoolMarks,
    context: &RequestContext,
) -> Result<(), StoreError> {
    let tenant = permit.tenant();
    let cluster = clusters::lock(db, tenant, *permit.id()).await?;
    idle(db, &cluster).await?;
    let mut pools = cluster.spec.node_pools.clone();
    let found = pools.iter_mut().find(|p| p.name == pool).ok_or(StoreError::Refused(Code::PoolMissing))?;
    let labels = std::mem::replace(&mut found.labels, marks.labels.clone());
    let taints = std::mem::replace(&mut found.taints, marks.taints.clone());
    clusters::lay_over(db, &cluster, json!({ "node_pools": pools })).await?;
    let entry = AuditEntry::new(permit.actor(), "node_pool_mark", "cluster", cluster.id).cluster(cluster.id).outcome("done");
    let entry = entry.detail(json!({ "name": cluster.name, "pool": pool, "before": { "labels": labels, "taints": taints }, "after": marks }));
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
