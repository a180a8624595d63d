//! The audit log: who did what to what, from where, and how it ended. Append-only, in the same transaction as the deed.

use crate::error::StoreError;
use crate::pool::{Store, write};
use auth::Actor;
use serde_json::Value;
use sqlx::PgConnection;

/// The request behind a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestContext {
    pub request_id: String,
    /// The client's address.
    pub source: String,
}

/// One line.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub actor: Actor,
    /// `cluster_create`, `session_create`, …
    pub action: &'static str,
    pub object_kind: &'static str,
    pub object_id: String,
    /// `accepted`, `done`, `denied`, `failed`.
    pub outcome: &'static str,
    pub detail: Value,
}

impl Store {
    /// For deeds that are no writes of the store: refusals, commands in containers, changes in a cluster.
    pub async fn audit_append(&self, entry: AuditEntry, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (entry, context), |db, (entry, context)| Box::pin(append(db, entry, context))).await
    }
}

pub(crate) async fn append(db: &mut PgConnection, entry: &AuditEntry, context: &RequestContext) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit (tenant_id, user_id, user_name, via, action, object_kind, object_id, outcome, request_id, source, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        entry.actor.project.id.0,
        entry.actor.user.id,
        entry.actor.user.name,
        entry.actor.via.as_str(),
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.outcome,
        context.request_id,
        context.source,
        entry.detail,
    )
    .execute(db)
    .await?;
    Ok(())
}
