//! Whether people still have a place in a project, by what Keystone said last of those who hold a token or kubeconfig of ours there: the rules in clusters are not of
//! those who have none. Who holds nothing was never asked about.

use crate::error::StoreError;
use crate::members::told_of_person;
use crate::pool::{Store, statement, write};
use domain::ids::TenantId;
use domain::permissions::Role;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::BTreeSet;

impl Store {
    /// Keystone has just called good what somebody came with and KCS keeps nothing of, and gives them these roles. Only where they were gone is anything written.
    pub async fn person_confirmed(&self, project: &TenantId, user: &str, roles: Vec<Role>) -> Result<(), StoreError> {
        let who = (project.clone(), user.to_owned());
        if !statement(&self.near.questions(), who, |db, (project, user)| Box::pin(is_gone(db, project, user))).await? {
            return Ok(());
        }
        write(&self.api, (project.clone(), user.to_owned(), roles), |db, (project, user, roles)| Box::pin(signed_in(db, project, user, roles))).await
    }
}

/// Who had no place in the project any more when Keystone was last asked about them, or whether this person had none.
pub(crate) async fn gone(db: &mut PgConnection, tenant: &str, user: Option<&str>) -> Result<BTreeSet<String>, StoreError> {
    let gone = sqlx::query_scalar!(
        r#"SELECT user_id AS "user_id!" FROM (
               SELECT DISTINCT ON (user_id) user_id, roles FROM (
                   SELECT t.user_id, t.roles, t.checked_at FROM api_tokens t WHERE t.tenant_id = $1
                   UNION ALL
                   SELECT k.user_id, k.roles, k.checked_at FROM kubeconfigs k JOIN clusters c ON c.id = k.cluster_id WHERE c.tenant_id = $1) AS checks
               WHERE $2::text IS NULL OR user_id = $2 ORDER BY user_id, checked_at DESC) AS newest
           WHERE roles = '[]'"#,
        tenant,
        user,
    );
    Ok(gone.fetch_all(db).await?.into_iter().collect())
}

pub(crate) async fn is_gone(db: &mut PgConnection, tenant: &TenantId, user: &str) -> Result<bool, StoreError> {
    Ok(!gone(db, &tenant.0, Some(user)).await?.is_empty())
}

/// What Keystone said has been written down. Whoever is gone since, or back, is told of to the clusters.
pub(crate) async fn checked(db: &mut PgConnection, tenant: &TenantId, user: &str, was_gone: bool) -> Result<(), StoreError> {
    if is_gone(db, tenant, user).await? == was_gone {
        return Ok(());
    }
    told_of_person(db, tenant, user).await
}

/// Keystone let somebody in with these roles. What they came with does not stay, so who was gone and is back is written down where that they were gone was.
pub(crate) async fn signed_in(db: &mut PgConnection, tenant: &TenantId, user: &str, roles: &[Role]) -> Result<(), StoreError> {
    if roles.is_empty() || !is_gone(db, tenant, user).await? {
        return Ok(());
    }
    let tokens = sqlx::query!(
        "UPDATE api_tokens SET roles = $3, checked_at = now() WHERE tenant_id = $1 AND user_id = $2 AND roles = '[]'",
        tenant.0,
        user,
        Json(roles) as _,
    );
    tokens.execute(&mut *db).await?;
    let kubeconfigs = sqlx::query!(
        "UPDATE kubeconfigs k SET roles = $3, checked_at = now() FROM clusters c
         WHERE c.id = k.cluster_id AND c.tenant_id = $1 AND k.user_id = $2 AND k.roles = '[]'",
        tenant.0,
        user,
        Json(roles) as _,
    );
    kubeconfigs.execute(&mut *db).await?;
    told_of_person(db, tenant, user).await
}
