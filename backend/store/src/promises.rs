//! What operations under way will still take from a project's quotas: wanted, but not made yet.

use crate::error::StoreError;
use crate::pool::{Store, read};
use domain::clusters::ClusterSpec;
use domain::ids::TenantId;
use domain::ledger::ResourceKind;
use domain::needs::{Amounts, Objects, add, amounts, cluster_objects, outstanding, with_default_type, without_ingress};
use domain::requests::FlavorSize;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a new cluster may take, as the cloud said a moment ago. Whether it is still free is decided where clusters of one tenant are created
/// one after the other.
#[derive(Clone, Debug, Default)]
pub struct QuotaRoom {
    pub flavors: Vec<FlavorSize>,
    /// The cloud's, which volumes have where no type is named.
    pub default_volume_type: Option<String>,
    /// By quota; one that is not here has no limit.
    pub left: BTreeMap<String, u64>,
}

impl QuotaRoom {
    /// Whether `need` fits beside what was promised.
    #[must_use]
    pub fn holds(&self, need: Amounts, promised: Amounts) -> bool {
        let [need, promised] = [need, promised].map(|amounts| with_default_type(amounts, self.default_volume_type.as_deref()));
        need.iter().all(|(quota, need)| self.left.get(&**quota).is_none_or(|left| need + promised.get(quota).copied().unwrap_or(0) <= *left))
    }
}

impl Store {
    /// What the tenant's operations under way will still take.
    pub async fn promised(&self, tenant: &TenantId, flavors: &[FlavorSize]) -> Result<Amounts, StoreError> {
        read(&self.api, (tenant.clone(), flavors.to_vec()), |db, (tenant, flavors)| Box::pin(promised(db, tenant, flavors))).await
    }
}

/// Objects made in the last seconds count as not made: the cloud may have been asked for its figures just before. What the cloud controller makes for
/// ingress has no rows: until the add-on works, it is still to come where the cluster is being made, and there, and in the cloud's figures, afterwards.
pub(crate) async fn promised(db: &mut PgConnection, tenant: &TenantId, flavors: &[FlavorSize]) -> Result<Amounts, StoreError> {
    let clusters = sqlx::query!(
        r#"SELECT c.id, c.spec AS "spec: Json<ClusterSpec>",
                  o.kind = 'cluster_create' AND NOT c.status @> '{"addons": [{"name": "ingress", "state": "ready"}]}' AS "ingress_to_come!"
           FROM clusters c JOIN operations o ON o.id = c.operation_id
           WHERE c.tenant_id = $1 AND c.deleted_at IS NULL AND c.delete_requested_at IS NULL AND o.state IN ('pending', 'running', 'blocked')"#,
        tenant.0,
    )
    .fetch_all(&mut *db)
    .await?;
    let ids: Vec<Uuid> = clusters.iter().map(|c| c.id).collect();
    let made = sqlx::query!(
        r#"SELECT l.cluster_id, l.kind, count(*) AS "count!",
                  CASE WHEN l.key = 'server_group/master' THEN 'control-plane' WHEN l.kind = 'server_group' THEN split_part(l.key, '/', 2)
                       ELSE COALESCE(n.pool, '') END AS "pool!"
           FROM ledger l LEFT JOIN nodes n ON n.cluster_id = l.cluster_id AND n.name = split_part(l.key, '/', 2)
           WHERE l.cluster_id = ANY($1) AND l.state <> 'gone' AND l.cloud_id IS NOT NULL AND l.created_at < now() - interval '5 seconds'
           GROUP BY 1, 2, 4"#,
        &ids,
    )
    .fetch_all(db)
    .await?;
    let mut sum = Amounts::new();
    for cluster in clusters {
        let rows = made.iter().filter(|m| m.cluster_id == cluster.id);
        let rows = rows.filter_map(|m| Some(((ResourceKind::parse(&m.kind)?, m.pool.clone()), u32::try_from(m.count).unwrap_or(u32::MAX))));
        let made: Objects = rows.collect();
        let mut wanted = cluster_objects(&cluster.spec);
        if !cluster.ingress_to_come {
            wanted = without_ingress(wanted);
        }
        add(&mut sum, &amounts(&outstanding(&wanted, &made), &cluster.spec, flavors));
    }
    Ok(sum)
}
