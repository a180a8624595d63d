//! Certificates handed out for calls past the gate: who got which. They end by themselves, within the hour.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::clusters;
use crate::error::StoreError;
use crate::pool::{Store, read, write};
use auth::{KubeconfigIssue, Permit, Scope};
use domain::ids::{CertificateId, ClusterId};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// A certificate that is about to be handed out.
#[derive(Clone, Debug)]
pub struct NewCertificate {
    pub name: String,
    /// SHA-256, in hex.
    pub fingerprint: String,
    /// What the cluster takes the person for.
    pub group: &'static str,
    pub expires_at: OffsetDateTime,
}

/// A certificate that was handed out.
#[derive(Clone, Debug)]
pub struct CertificateRecord {
    pub id: CertificateId,
    pub name: String,
    pub fingerprint: String,
    pub group: String,
    /// Keystone's id of the person.
    pub user_id: String,
    pub user_name: String,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

struct Row {
    id: Uuid,
    name: String,
    fingerprint: String,
    cluster_group: String,
    user_id: String,
    user_name: String,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

impl From<Row> for CertificateRecord {
    fn from(row: Row) -> Self {
        Self {
            id: CertificateId(row.id),
            name: row.name,
            fingerprint: row.fingerprint,
            group: row.cluster_group,
            user_id: row.user_id,
            user_name: row.user_name,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

impl Store {
    /// Those of a cluster in reach of the last thirty days, newest first; everybody's, or one person's.
    pub async fn certificates(&self, scope: &Scope, cluster: ClusterId, user: Option<String>) -> Result<Vec<CertificateRecord>, StoreError> {
        read(&self.api, (scope.clone(), cluster, user), |db, (scope, cluster, user)| Box::pin(list(db, scope, *cluster, user.as_deref()))).await
    }

    /// Notes it before it is handed out; what is older than the list goes.
    pub async fn certificate_issue(
        &self,
        permit: Permit<KubeconfigIssue>,
        new: NewCertificate,
        context: RequestContext,
    ) -> Result<CertificateId, StoreError> {
        write(&self.api, (permit, new, context), |db, (permit, new, context)| Box::pin(issue(db, permit, new, context))).await
    }
}

async fn list(db: &mut PgConnection, scope: &Scope, cluster: ClusterId, user: Option<&str>) -> Result<Vec<CertificateRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT k.id, k.name, k.fingerprint, k.cluster_group, k.user_id, k.user_name, k.created_at, k.expires_at
         FROM certificates k JOIN clusters c ON c.id = k.cluster_id
         WHERE k.cluster_id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) AND ($3::uuid[] IS NULL OR c.id = ANY($3))
           AND ($4::text IS NULL OR k.user_id = $4) AND k.expires_at > now() - interval '30 days'
         ORDER BY k.created_at DESC LIMIT 500",
        cluster.0,
        scope.predicate(),
        scope.clusters(),
        user,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(CertificateRecord::from).collect())
}

async fn issue(
    db: &mut PgConnection,
    permit: &Permit<KubeconfigIssue>,
    new: &NewCertificate,
    context: &RequestContext,
) -> Result<CertificateId, StoreError> {
    let cluster = clusters::lock(db, permit.tenant(), *permit.id()).await?;
    let (id, actor) = (CertificateId::generate(), permit.actor());
    sqlx::query!("DELETE FROM certificates WHERE cluster_id = $1 AND expires_at < now() - interval '30 days'", cluster.id.0)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "INSERT INTO certificates (id, cluster_id, name, fingerprint, cluster_group, user_id, user_name, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.0,
        cluster.id.0,
        new.name,
        new.fingerprint,
        new.group,
        actor.user.id,
        actor.user.name,
        new.expires_at,
    )
    .execute(&mut *db)
    .await?;
    let entry = AuditEntry::new(actor, "certificate_issue", "certificate", id).cluster(cluster.id).outcome("done");
    let entry =
        entry.detail(json!({ "name": new.name, "group": new.group, "fingerprint": new.fingerprint, "expires_at": new.expires_at.unix_timestamp() }));
    append(db, &entry, context).await?;
    Ok(id)
}
