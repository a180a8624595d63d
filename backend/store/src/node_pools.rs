//! Node pools: changing how many nodes one has.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::{announce, wake};
use crate::clusters;
use crate::error::StoreError;
use crate::operations::{self, NewOperation, OperationRecord};
use crate::pool::{Store, write};
use auth::{NodePoolResize, Permit};
use domain::codes::Code;
use domain::ids::OperationId;
use domain::operations::OperationKind;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;

impl Store {
    /// Records the wish for another count. Refused while another operation is under way.
    pub async fn node_pool_resize(
        &self,
        permit: Permit<NodePoolResize>,
        pool: String,
        count: u32,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        write(&self.api, (permit, pool, count, context), |db, (permit, pool, count, context)| Box::pin(resize(db, permit, pool, *count, context)))
            .await
    }
}

async fn resize(
    db: &mut PgConnection,
    permit: &Permit<NodePoolResize>,
    pool: &str,
    count: u32,
    context: &RequestContext,
) -> Result<OperationRecord, StoreError> {
    let tenant = permit.tenant();
    let cluster = clusters::lock(db, tenant, *permit.id()).await?;
    if cluster.delete_requested_at.is_some() {
        return Err(StoreError::Refused(Code::Busy));
    }
    if let Some(current) = cluster.operation {
        let current = operations::find(db, Some(&tenant.0), current).await?.operation;
        // A create that failed is to be retried or deleted: a cluster that was never up has no pool to resize.
        if !current.state.ended() || (current.kind == OperationKind::ClusterCreate && cluster.observed_generation == 0) {
            return Err(StoreError::Refused(Code::Busy));
        }
    }
    let mut spec = cluster.spec.clone();
    let found = spec.node_pools.iter_mut().find(|p| p.name == pool).ok_or(StoreError::Refused(Code::PoolMissing))?;
    let before = std::mem::replace(&mut found.count, count);
    let request = json!({ "pool": pool, "from": before, "to": count });
    let operation = NewOperation {
        id: OperationId::generate(),
        cluster: cluster.id,
        kind: OperationKind::NodePoolResize,
        spec: &spec,
        request: request.clone(),
        created_by: &permit.actor().user.name,
    };
    operations::insert(db, &operation).await?;
    sqlx::query!(
        "UPDATE clusters SET spec = $3, generation = generation + 1, operation_id = $4, intent = intent + 1 WHERE id = $1 AND tenant_id = $2",
        cluster.id.0,
        tenant.0,
        Json(&spec) as _,
        operation.id.0,
    )
    .execute(&mut *db)
    .await?;
    let entry = AuditEntry {
        actor: permit.actor().clone(),
        action: "node_pool_resize",
        object_kind: "cluster",
        object_id: cluster.id.to_string(),
        outcome: "accepted",
        detail: request,
    };
    append(db, &entry, context).await?;
    wake(db, cluster.id).await?;
    announce(db, tenant, cluster.id, Some(operation.id)).await?;
    operations::find(db, Some(&tenant.0), operation.id).await
}
