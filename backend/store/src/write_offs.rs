//! Writing clusters off whose project was deleted in the cloud: nothing of them can be looked at or deleted any more, so their records are closed as they stand.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::announce;
use crate::error::StoreError;
use crate::operations::{self, OperationRecord};
use crate::pool::{Store, write};
use crate::{clusters, engine, ledger};
use auth::{Actor, OperatorScope};
use domain::ids::ClusterId;
use domain::operations::{Receipt, VolumeChoice, VolumeFate};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;

impl Store {
    /// Closes the records of a cluster; whoever calls has just been told that its project is gone. The deletion that this ends was not carried out: it
    /// counts as cancelled, and its receipt names what was recorded. Whichever engine holds the cluster is fenced out.
    pub async fn cluster_write_off(
        &self,
        _: OperatorScope,
        actor: &Actor,
        cluster: ClusterId,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        let data = (actor.clone(), cluster, context);
        write(&self.api, data, |db, (actor, cluster, context)| Box::pin(write_off(db, actor, *cluster, context))).await
    }
}

async fn write_off(db: &mut PgConnection, actor: &Actor, id: ClusterId, context: &RequestContext) -> Result<OperationRecord, StoreError> {
    let tenant = clusters::find(db, None, id).await?.tenant;
    let cluster = clusters::lock(db, &tenant, id).await?;
    let kept = json!(VolumeChoice::All(VolumeFate::Keep));
    let deletion = clusters::deletion(db, actor, &cluster, &kept, context).await?.0;
    operations::cancel(db, &deletion).await?;
    let operation = deletion.operation;
    let receipt = Receipt::written_off(operation.receipt, &ledger::rows(db, Some(&tenant.0), id).await?);
    sqlx::query!("UPDATE operations SET receipt = $2 WHERE id = $1", operation.id.0, Json(&receipt) as _).execute(&mut *db).await?;
    sqlx::query!("UPDATE ledger SET state = 'gone' WHERE cluster_id = $1", id.0).execute(&mut *db).await?;
    engine::bury(db, id).await?;
    let unseen = receipt.unseen.map_or(0, |lines| lines.len());
    let entry = AuditEntry::new(actor, "cluster_write_off", "cluster", id).tenant(&tenant).cluster(id).operation(operation.id).outcome("done");
    append(db, &entry.detail(json!({ "name": cluster.name, "unseen": unseen })), context).await?;
    announce(db, &tenant, id, Some(operation.id)).await?;
    operations::find(db, Some(&tenant.0), operation.id).await
}
