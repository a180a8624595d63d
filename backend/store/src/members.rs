//! Members: what the owners of a project gave people in it, everywhere and in places. Whoever it is about is told at once.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::{announce_person, wake};
use crate::clusters::ensure_tenant;
use crate::error::{StoreError, unknown};
use crate::pool::{Store, read, write};
use crate::standing;
use auth::{MembersManage, Permit, Rights, Scope, User};
use domain::codes::Code;
use domain::ids::{ClusterId, RoleId, TenantId};
use domain::members::{GivenPlace, GivenRole, NamespacePerson};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::{BTreeSet, HashMap};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is given to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// In all of the project.
    pub role: GivenRole,
    pub places: Vec<GivenPlace>,
}

/// A person whom an owner gave something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    pub user: User,
    pub given: Given,
    pub changed_at: OffsetDateTime,
    /// Name of the owner.
    pub changed_by: String,
}

impl Store {
    /// All of a project, by name.
    pub async fn members(&self, scope: &Scope) -> Result<Vec<MemberRecord>, StoreError> {
        read(&self.api, scope.clone(), |db, scope| Box::pin(find(db, scope.predicate(), None))).await
    }

    /// What was given to a person; None: nothing was said, so that Keystone's role counts.
    pub async fn member_rights(&self, tenant: &TenantId, user: &str) -> Result<Option<Rights>, StoreError> {
        read(&self.api, (tenant.clone(), user.to_owned()), |db, (tenant, user)| {
            Box::pin(async move {
                let found = sqlx::query_scalar!(r#"SELECT member_rights($1, $2) AS "given: Json<Rights>""#, tenant.0, user).fetch_one(db).await?;
                Ok(found.map(|given| given.0))
            })
        })
        .await
    }

    /// From its commit on nothing else counts.
    pub async fn member_give(
        &self,
        permit: Permit<MembersManage>,
        user: User,
        given: Given,
        context: RequestContext,
    ) -> Result<MemberRecord, StoreError> {
        write(&self.api, (permit, user, given, context), |db, (permit, user, given, context)| Box::pin(give(db, permit, user, given, context))).await
    }

    /// From its commit on Keystone's role counts again.
    pub async fn member_reset(&self, permit: Permit<MembersManage>, user: String, context: RequestContext) -> Result<(), StoreError> {
        write(&self.api, (permit, user, context), |db, (permit, user, context)| Box::pin(reset(db, permit, user, context))).await
    }

    /// Who was given namespaces of a cluster and has a place in the project still, for the cluster's own rules.
    pub async fn namespace_people(&self, cluster: ClusterId) -> Result<BTreeSet<NamespacePerson>, StoreError> {
        read(&self.engine, cluster, |db, cluster| Box::pin(namespace_people(db, *cluster))).await
    }
}

fn role_of(role: Option<String>, id: Option<Uuid>) -> Result<GivenRole, StoreError> {
    match (role, id) {
        (_, Some(id)) => Ok(GivenRole::Own(RoleId(id))),
        (Some(text), None) => text.parse().map_err(|_| unknown("role", &text)),
        (None, None) => Err(unknown("role", "")),
    }
}

async fn find(db: &mut PgConnection, tenant: Option<&str>, user: Option<&str>) -> Result<Vec<MemberRecord>, StoreError> {
    let places = sqlx::query!(
        "SELECT p.user_id, p.cluster_id, p.namespace, p.role, p.role_id FROM member_places p
         WHERE ($1::text IS NULL OR p.tenant_id = $1) AND ($2::text IS NULL OR p.user_id = $2) ORDER BY p.cluster_id, p.namespace",
        tenant,
        user,
    );
    let mut of: HashMap<String, Vec<GivenPlace>> = HashMap::new();
    for place in places.fetch_all(&mut *db).await? {
        let given = GivenPlace { cluster: ClusterId(place.cluster_id), namespace: place.namespace, role: role_of(place.role, place.role_id)? };
        of.entry(place.user_id).or_default().push(given);
    }
    let rows = sqlx::query!(
        "SELECT user_id, user_name, user_domain, role, role_id, changed_at, changed_by FROM members
         WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR user_id = $2) ORDER BY user_name, user_id",
        tenant,
        user,
    );
    let mut members = Vec::new();
    for row in rows.fetch_all(db).await? {
        let given = Given { role: role_of(row.role, row.role_id)?, places: of.remove(&row.user_id).unwrap_or_default() };
        let user = User { id: row.user_id, name: row.user_name, domain: row.user_domain };
        members.push(MemberRecord { user, given, changed_at: row.changed_at, changed_by: row.changed_by });
    }
    Ok(members)
}

async fn give(
    db: &mut PgConnection,
    permit: &Permit<MembersManage>,
    user: &User,
    given: &Given,
    context: &RequestContext,
) -> Result<MemberRecord, StoreError> {
    let (tenant, actor) = (permit.tenant(), permit.actor());
    ensure_tenant(db, &actor.project).await?;
    let before = find(db, Some(&tenant.0), Some(&user.id)).await?.pop().map(|member| member.given);
    there(db, tenant, given).await?;
    let (role, role_id) = given.role.columns();
    sqlx::query!(
        "INSERT INTO members (tenant_id, user_id, user_name, user_domain, role, role_id, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, user_id) DO UPDATE SET user_name = $3, user_domain = $4, role = $5, role_id = $6, changed_by = $7, changed_at = now()",
        tenant.0,
        user.id,
        user.name,
        user.domain,
        role,
        role_id,
        actor.user.name,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM member_places WHERE tenant_id = $1 AND user_id = $2", tenant.0, user.id).execute(&mut *db).await?;
    for place in &given.places {
        let (role, role_id) = place.role.columns();
        sqlx::query!(
            "INSERT INTO member_places (tenant_id, user_id, cluster_id, namespace, role, role_id) VALUES ($1, $2, $3, $4, $5, $6)",
            tenant.0,
            user.id,
            place.cluster.0,
            place.namespace,
            role,
            role_id,
        )
        .execute(&mut *db)
        .await?;
    }
    told(db, &user.id, before.iter().flat_map(|b| &b.places).chain(&given.places)).await?;
    let entry = AuditEntry::new(actor, "member_give", "person", &user.id).outcome("done");
    append(db, &entry.detail(json!({ "name": user.name, "before": before.as_ref().map(text), "after": text(given) })), context).await?;
    find(db, Some(&tenant.0), Some(&user.id)).await?.pop().ok_or(StoreError::NotFound)
}

/// Whether the roles are the project's own, and stay there until the end of the transaction; and the clusters, too.
async fn there(db: &mut PgConnection, tenant: &TenantId, given: &Given) -> Result<(), StoreError> {
    let roles: BTreeSet<Uuid> = given.places.iter().map(|p| p.role).chain([given.role]).filter_map(|role| role.own().map(|id| id.0)).collect();
    let roles: Vec<Uuid> = roles.into_iter().collect();
    let found = sqlx::query!("SELECT id FROM roles WHERE tenant_id = $1 AND id = ANY($2) FOR KEY SHARE", tenant.0, &roles);
    if found.fetch_all(&mut *db).await?.len() != roles.len() {
        return Err(StoreError::Refused(Code::RoleMissing));
    }
    let clusters: BTreeSet<Uuid> = given.places.iter().map(|p| p.cluster.0).collect();
    let clusters: Vec<Uuid> = clusters.into_iter().collect();
    let found =
        sqlx::query!("SELECT id FROM clusters WHERE tenant_id = $1 AND id = ANY($2) AND deleted_at IS NULL FOR KEY SHARE", tenant.0, &clusters);
    if found.fetch_all(db).await?.len() == clusters.len() { Ok(()) } else { Err(StoreError::NotFound) }
}

fn text(given: &Given) -> serde_json::Value {
    json!({ "role": given.role, "places": given.places })
}

async fn reset(db: &mut PgConnection, permit: &Permit<MembersManage>, user: &str, context: &RequestContext) -> Result<(), StoreError> {
    let tenant = permit.tenant();
    let before = find(db, Some(&tenant.0), Some(user)).await?.pop().ok_or(StoreError::NotFound)?;
    sqlx::query!("DELETE FROM members WHERE tenant_id = $1 AND user_id = $2", tenant.0, user).execute(&mut *db).await?;
    told(db, user, before.given.places.iter()).await?;
    let entry = AuditEntry::new(permit.actor(), "member_reset", "person", user).outcome("done");
    append(db, &entry.detail(json!({ "name": before.user.name, "before": text(&before.given) })), context).await
}

/// Tells whoever holds a stream open for the person, and has the clusters write their own rules anew.
pub(crate) async fn told<'a>(db: &mut PgConnection, user: &str, places: impl Iterator<Item = &'a GivenPlace>) -> Result<(), StoreError> {
    announce_person(db, user).await?;
    let clusters: BTreeSet<ClusterId> = places.filter(|place| place.namespace.is_some()).map(|place| place.cluster).collect();
    for cluster in clusters {
        sqlx::query!("UPDATE clusters SET people_version = people_version + 1 WHERE id = $1 AND deleted_at IS NULL", cluster.0)
            .execute(&mut *db)
            .await?;
        wake(db, cluster).await?;
    }
    Ok(())
}

/// Whoever was given this role of the project's own, everywhere or somewhere.
pub(crate) async fn told_of_role(db: &mut PgConnection, tenant: &TenantId, role: RoleId) -> Result<(), StoreError> {
    for member in find(db, Some(&tenant.0), None).await? {
        let given = &member.given;
        if given.role.own() == Some(role) || given.places.iter().any(|place| place.role.own() == Some(role)) {
            told(db, &member.user.id, given.places.iter()).await?;
        }
    }
    Ok(())
}

/// The same for somebody of whom only Keystone says something else than before.
pub(crate) async fn told_of_person(db: &mut PgConnection, tenant: &TenantId, user: &str) -> Result<(), StoreError> {
    match find(db, Some(&tenant.0), Some(user)).await?.pop() {
        Some(member) => told(db, user, member.given.places.iter()).await,
        None => Ok(()),
    }
}

pub(crate) async fn namespace_people(db: &mut PgConnection, cluster: ClusterId) -> Result<BTreeSet<NamespacePerson>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT p.tenant_id, p.namespace AS "namespace!", p.user_id, member_grade(p.role, p.role_id) AS "grade!: Json<auth::Grade>" FROM member_places p
           WHERE p.cluster_id = $1 AND p.namespace IS NOT NULL"#,
        cluster.0,
    );
    let rows = rows.fetch_all(&mut *db).await?;
    let gone = match rows.first() {
        Some(row) => standing::gone(db, &row.tenant_id, None).await?,
        None => BTreeSet::new(),
    };
    let there = rows.into_iter().filter(|row| row.grade.0.looks() && !gone.contains(&row.user_id));
    Ok(there.map(|row| NamespacePerson { namespace: row.namespace, user: row.user_id, changes: row.grade.0.changes_inside() }).collect())
}
