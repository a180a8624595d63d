//! Who comes into single namespaces of a cluster only, for the cluster's own rules: people who were given them, and whoever holds a kubeconfig or token that was narrowed
//! to them and is good now.

use crate::error::StoreError;
use crate::members::namespace_people;
use crate::pool::{Store, read};
use auth::{Narrowing, Rights};
use domain::ids::ClusterId;
use domain::members::{Inside, NamespaceAccess};
use domain::permissions::Role;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::BTreeMap;

impl Store {
    /// Who is to be let into namespaces of a cluster. Of what changes it, `people_version` rises: the triggers of `migrations/0033_narrowed_namespaces.sql` and
    /// `migrations/0034_narrowed_at_once.sql` see to that where kubeconfigs and tokens are concerned.
    pub async fn namespace_access(&self, cluster: ClusterId) -> Result<NamespaceAccess, StoreError> {
        read(&self.engine, cluster, |db, cluster| Box::pin(find(db, *cluster))).await
    }
}

async fn find(db: &mut PgConnection, cluster: ClusterId) -> Result<NamespaceAccess, StoreError> {
    Ok(NamespaceAccess { people: namespace_people(&mut *db, cluster).await?, narrowed: narrowed(db, cluster).await? })
}

/// As much as the gate lets through of what their owners may do at this moment.
async fn narrowed(db: &mut PgConnection, cluster: ClusterId) -> Result<BTreeMap<String, Inside>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT k.narrowing AS "narrowing!: Json<Narrowing>", k.roles AS "roles!: Json<Vec<Role>>",
                  member_rights(k.tenant_id, k.user_id) AS "given: Json<Rights>"
           FROM (SELECT f.narrowing, f.roles, c.tenant_id, f.user_id FROM kubeconfigs f JOIN clusters c ON c.id = f.cluster_id
                 WHERE c.id = $1 AND f.revoked_at IS NULL AND f.expires_at > now()
                 UNION
                 SELECT t.narrowing, t.roles, t.tenant_id, t.user_id FROM api_tokens t JOIN clusters c ON c.tenant_id = t.tenant_id
                 WHERE c.id = $1 AND t.revoked_at IS NULL AND t.expires_at > now()) k
           WHERE k.narrowing ->> 'namespaces' IS NOT NULL"#,
        cluster.0,
    );
    let mut all: BTreeMap<String, Inside> = BTreeMap::new();
    for row in rows.fetch_all(db).await? {
        // Whom Keystone gives nothing in the project has nothing of what was given here either.
        if row.roles.0.is_empty() {
            continue;
        }
        let rights = Rights::of(&row.roles.0, row.given.map(|given| given.0));
        for (namespace, inside) in row.narrowing.0.namespaces_of(&rights, cluster).unwrap_or_default() {
            let most = all.entry(namespace).or_insert(inside);
            *most = inside.max(*most);
        }
    }
    Ok(all)
}
