//! The ledger: one row for every cloud object of ours.

use crate::error::{StoreError, count, unknown};
use crate::newer::readable;
use crate::pool::{Store, read};
use auth::Scope;
use domain::ids::{ClusterId, ResourceId, TenantId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::Fault;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

struct Row {
    id: Uuid,
    cluster_id: Uuid,
    key: String,
    kind: String,
    name: String,
    state: String,
    cloud_id: Option<String>,
    address: Option<String>,
    called_at: Option<OffsetDateTime>,
    empty_looks: i64,
    looked_at: Option<OffsetDateTime>,
    failures: i64,
    fault: Option<Json<Fault>>,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for LedgerRow {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ResourceId(row.id),
            cluster: ClusterId(row.cluster_id),
            kind: ResourceKind::parse(&row.kind).ok_or_else(|| unknown("kind of object", &row.kind))?,
            state: ResourceState::parse(&row.state).ok_or_else(|| unknown("state of an object", &row.state))?,
            key: row.key,
            name: row.name,
            cloud_id: row.cloud_id,
            address: row.address,
            called_at: row.called_at,
            empty_looks: count("empty_looks", row.empty_looks)?,
            looked_at: row.looked_at,
            failures: count("failures", row.failures)?,
            fault: row.fault.map(|f| f.0),
            created_at: row.created_at,
        })
    }
}

impl Store {
    /// All rows of a cluster in reach, oldest first, those of objects that are gone included.
    pub async fn ledger(&self, scope: &Scope, cluster: ClusterId) -> Result<Vec<LedgerRow>, StoreError> {
        crate::clusters::reach(scope, cluster)?;
        let found = read(&self.api, (scope.clone(), cluster), |db, (scope, cluster)| Box::pin(find(db, scope.predicate(), *cluster))).await?;
        Ok(readable(found))
    }
}

/// Every one of them: whoever cannot read one does nothing about the cluster.
pub(crate) async fn rows(db: &mut PgConnection, tenant: Option<&str>, cluster: ClusterId) -> Result<Vec<LedgerRow>, StoreError> {
    find(db, tenant, cluster).await?.into_iter().map(LedgerRow::try_from).collect()
}

async fn find(db: &mut PgConnection, tenant: Option<&str>, cluster: ClusterId) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT l.id, l.cluster_id, l.key, l.kind, l.name, l.state, l.cloud_id, l.address, l.called_at, l.empty_looks, l.looked_at,
                  l.failures, l.fault AS "fault: Json<Fault>", l.created_at
           FROM ledger l JOIN clusters c ON c.id = l.cluster_id
           WHERE l.cluster_id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) ORDER BY l.created_at, l.id"#,
        cluster.0,
        tenant,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// A tenant's rows of these ids, and those of the server groups of these clusters; what is another tenant's is left out.
pub(crate) async fn rows_of_marks(db: &mut PgConnection, tenant: &TenantId, ids: &[Uuid], clusters: &[Uuid]) -> Result<Vec<LedgerRow>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT l.id, l.cluster_id, l.key, l.kind, l.name, l.state, l.cloud_id, l.address, l.called_at, l.empty_looks, l.looked_at,
                  l.failures, l.fault AS "fault: Json<Fault>", l.created_at
           FROM ledger l JOIN clusters c ON c.id = l.cluster_id
           WHERE c.tenant_id = $1 AND (l.id = ANY($2) OR (l.cluster_id = ANY($3) AND l.kind = 'server_group'))"#,
        tenant.0,
        ids,
        clusters,
    );
    rows.fetch_all(db).await?.into_iter().map(LedgerRow::try_from).collect()
}

pub(crate) async fn put(db: &mut PgConnection, row: &LedgerRow) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO ledger (id, cluster_id, key, kind, name, state, cloud_id, address, called_at, empty_looks, looked_at, failures, fault, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (id) DO UPDATE SET key = $3, state = $6, cloud_id = $7, address = $8, called_at = $9, empty_looks = $10, looked_at = $11,
             failures = $12, fault = $13",
        row.id.0,
        row.cluster.0,
        row.key,
        row.kind.as_str(),
        row.name,
        row.state.as_str(),
        row.cloud_id,
        row.address,
        row.called_at,
        i64::from(row.empty_looks),
        row.looked_at,
        i64::from(row.failures),
        row.fault.as_ref().map(Json) as _,
        row.created_at,
    )
    .execute(db)
    .await?;
    Ok(())
}
