//! Repeated requests: the key of a create, kept with what the first one made, in the same transaction.

use crate::error::StoreError;
use crate::pool::{Store, read};
use domain::codes::Code;
use domain::ids::{ClusterId, OperationId, TenantId};
use sqlx::PgConnection;

/// The `Idempotency-Key` of a request, and a hash of everything the request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub key: String,
    pub request_hash: [u8; 32],
}

impl Store {
    /// Whether this very request was accepted before: then its checks need not hold any more.
    pub async fn idempotency_known(&self, tenant: &TenantId, idempotency: Option<&Idempotency>) -> Result<bool, StoreError> {
        let Some(idempotency) = idempotency.cloned() else { return Ok(false) };
        read(&self.api, (tenant.clone(), idempotency), |db, (tenant, idempotency)| {
            Box::pin(async move {
                let known = sqlx::query_scalar!(
                    r#"SELECT EXISTS (SELECT FROM idempotency_keys WHERE tenant_id = $1 AND key = $2) AS "known!""#,
                    tenant.0,
                    idempotency.key
                );
                Ok(known.fetch_one(db).await?)
            })
        })
        .await
    }
}

/// Takes the key for these ids. Some: an earlier request of the same content had taken it, for those ids.
pub(crate) async fn claim(
    db: &mut PgConnection,
    tenant: &TenantId,
    idempotency: &Idempotency,
    cluster: ClusterId,
    operation: OperationId,
) -> Result<Option<(ClusterId, OperationId)>, StoreError> {
    sqlx::query!("DELETE FROM idempotency_keys WHERE tenant_id = $1 AND created_at < now() - interval '1 day'", tenant.0).execute(&mut *db).await?;
    // A concurrent request with the same key waits here until this one has ended.
    let taken = sqlx::query!(
        "INSERT INTO idempotency_keys (tenant_id, key, request_hash, cluster_id, operation_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        tenant.0,
        idempotency.key,
        &idempotency.request_hash,
        cluster.0,
        operation.0,
    )
    .execute(&mut *db)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let earlier = sqlx::query!(
        "SELECT request_hash, cluster_id, operation_id FROM idempotency_keys WHERE tenant_id = $1 AND key = $2",
        tenant.0,
        idempotency.key
    )
    .fetch_one(db)
    .await?;
    if earlier.request_hash != idempotency.request_hash {
        return Err(StoreError::Refused(Code::IdempotencyMismatch));
    }
    Ok(Some((ClusterId(earlier.cluster_id), OperationId(earlier.operation_id))))
}
