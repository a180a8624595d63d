//! How operations end, told to the audit log in the transaction in which they do.

use crate::audit::{OwnEntry, RequestContext, append_own};
use crate::error::StoreError;
use crate::operations::OperationRecord;
use domain::nodes::Fault;
use domain::operations::OperationState;
use serde_json::json;
use sqlx::PgConnection;

/// A line of KCS's own, under the request that asked for the operation. `record` is the operation before it ended; one that had ended already, and a
/// state that is no end, are not told.
pub(crate) async fn tell(db: &mut PgConnection, record: &OperationRecord, state: OperationState, fault: Option<&Fault>) -> Result<(), StoreError> {
    let outcome = match state {
        OperationState::Succeeded => "done",
        OperationState::Failed => "failed",
        OperationState::Cancelled => "cancelled",
        _ => return Ok(()),
    };
    let operation = &record.operation;
    if operation.state.ended() {
        return Ok(());
    }
    // None: the engine's own, or from before requests were kept.
    let asked = sqlx::query_scalar!("SELECT request ->> 'request_id' FROM operations WHERE id = $1", operation.id.0).fetch_one(&mut *db).await?;
    let mut detail = json!({ "name": record.cluster_name });
    if let Some(fault) = fault {
        detail["code"] = json!(fault.code);
    }
    let id = operation.cluster.to_string();
    let entry = OwnEntry {
        tenant: Some(&record.tenant),
        action: operation.kind.as_str(),
        object: ("cluster", &id),
        cluster: Some(operation.cluster),
        operation: Some(operation.id),
        outcome,
        detail,
    };
    append_own(db, &entry, &RequestContext { request_id: asked.unwrap_or_default(), source: String::new() }).await
}
