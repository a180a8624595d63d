//! Clusters: finding, listing, creating, deleting.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::changes::{announce, wake};
use crate::error::StoreError;
use crate::idempotency::{self, Idempotency};
use crate::newer::{Readable, readable};
use crate::operations::{self, NewOperation, OperationRecord};
use crate::pages::{Page, PageRequest};
use crate::pauses;
use crate::pool::{Store, read, write};
use crate::promises::{self, QuotaRoom};
use crate::tenants;
use auth::{Actor, ClusterCreate, ClusterDelete, ClusterUpdate, OperatorScope, Permit, Resource, Scope};
use domain::clusters::{Cluster, ClusterPatch, ClusterSpec, ClusterStatus, Phase};
use domain::codes::Code;
use domain::ids::{ClusterId, OperationId, TenantId};
use domain::needs::{amounts, cluster_objects};
use domain::operations::{Operation, OperationKind};
use domain::pauses::Pause;
use domain::tenants::Limits;
use domain::versions::KubernetesVersion;
use serde_json::{Value, json};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use uuid::Uuid;

/// A cluster with the operation under way, or the last one if it failed, and what operators hold it back by.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterRecord {
    pub cluster: Cluster,
    pub operation: Option<Operation>,
    pub pause: Option<Pause>,
}

impl Resource for ClusterRecord {
    type Id = ClusterId;
    fn id(&self) -> ClusterId {
        self.cluster.id
    }
    fn tenant(&self) -> &TenantId {
        &self.cluster.tenant
    }
    fn cluster(&self) -> Option<ClusterId> {
        Some(self.cluster.id)
    }
}

/// A cluster to be made.
#[derive(Clone, Debug)]
pub struct NewCluster {
    pub name: String,
    pub spec: ClusterSpec,
    /// What a tenant may have whose own limits say nothing else.
    pub limits: Limits,
    /// What the project's quotas leave; None: not looked at.
    pub room: Option<QuotaRoom>,
}

/// The answer to a creation; `replayed`: it is that of an earlier request with the same key.
#[derive(Clone, Debug)]
pub struct CreatedCluster {
    pub cluster: ClusterRecord,
    pub operation: OperationRecord,
    pub replayed: bool,
}

/// Which clusters a list shows. Deleted ones never.
#[derive(Clone, Debug, Default)]
pub struct ClusterFilter {
    /// Part of the name, case ignored, or the id; in the admin view the project's, too.
    pub search: Option<String>,
    pub phase: Option<Phase>,
    /// Part of the project's name, or its id; for the admin view.
    pub project: Option<String>,
    /// The version, or only its beginning up to a dot.
    pub version: Option<String>,
}

/// Clusters taken together, as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterTotals {
    pub clusters: u64,
    /// Masters and nodes.
    pub nodes: u64,
    pub vcpus: u64,
    pub ram_mib: u64,
    /// Nodes whose flavor's size the cloud has never told: their vCPU and memory are not counted.
    pub unsized_nodes: u64,
    /// Every version that any cluster has, whichever these are; the newest first.
    pub versions: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClusterSort {
    #[default]
    CreatedAt,
    Name,
    Phase,
    Project,
}

impl ClusterSort {
    fn word(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::Name => "name",
            Self::Phase => "phase",
            Self::Project => "project",
        }
    }
}

struct ClusterRow {
    id: Uuid,
    tenant_id: String,
    tenant_name: String,
    name: String,
    spec: Json<Readable<ClusterSpec>>,
    generation: i64,
    observed_generation: i64,
    status: Json<Readable<ClusterStatus>>,
    operation_id: Option<Uuid>,
    created_at: OffsetDateTime,
    created_by: String,
    people_version: i64,
    delete_requested_at: Option<OffsetDateTime>,
    deleted_at: Option<OffsetDateTime>,
}

impl TryFrom<ClusterRow> for Cluster {
    type Error = StoreError;
    fn try_from(row: ClusterRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ClusterId(row.id),
            tenant: TenantId(row.tenant_id),
            tenant_name: row.tenant_name,
            name: row.name,
            spec: row.spec.0.read("the specification of a cluster")?,
            generation: row.generation,
            observed_generation: row.observed_generation,
            status: row.status.0.read("the status of a cluster")?,
            operation: row.operation_id.map(OperationId),
            created_at: row.created_at,
            created_by: row.created_by,
            people_version: row.people_version,
            delete_requested_at: row.delete_requested_at,
            deleted_at: row.deleted_at,
        })
    }
}

/// Those of these clusters that are there: of one tenant's, or of some alone, where that is said.
async fn among(db: &mut PgConnection, ids: &[Uuid], tenant: Option<&str>, only: Option<&[Uuid]>) -> Result<BTreeSet<ClusterId>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM clusters WHERE id = ANY($1) AND deleted_at IS NULL AND ($2::text IS NULL OR tenant_id = $2)
                       AND ($3::uuid[] IS NULL OR id = ANY($3))",
        ids,
        tenant,
        only,
    );
    Ok(found.fetch_all(db).await?.into_iter().map(ClusterId).collect())
}

impl Store {
    /// Those of these that are there and in reach.
    pub async fn clusters_among(&self, scope: &Scope, ids: impl IntoIterator<Item = ClusterId>) -> Result<BTreeSet<ClusterId>, StoreError> {
        let ids: Vec<Uuid> = ids.into_iter().map(|id| id.0).collect();
        read(&self.api, (scope.clone(), ids), |db, (scope, ids)| Box::pin(among(db, ids, scope.predicate(), scope.clusters()))).await
    }

    /// Those of these that are there, whosever they are.
    pub async fn clusters_living(&self, ids: &BTreeSet<ClusterId>) -> Result<BTreeSet<ClusterId>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        read(&self.engine, ids, |db, ids| Box::pin(among(db, ids, None, None))).await
    }

    /// One cluster. Tombstones count as missing.
    pub async fn cluster(&self, scope: &Scope, id: ClusterId) -> Result<ClusterRecord, StoreError> {
        read(&self.api, (scope.clone(), id), |db, (scope, id)| {
            Box::pin(async move {
                reach(scope, *id)?;
                record(db, scope.predicate(), *id).await
            })
        })
        .await
    }

    /// The clusters in reach, page by page.
    pub async fn clusters(
        &self,
        scope: &Scope,
        filter: ClusterFilter,
        sort: ClusterSort,
        descending: bool,
        page: PageRequest,
    ) -> Result<Page<ClusterRecord>, StoreError> {
        let data = (scope.clone(), filter, sort, descending, page);
        read(&self.api, data, |db, (scope, filter, sort, descending, page)| Box::pin(list(db, scope, filter, *sort, *descending, page))).await
    }

    /// What all clusters that a filter finds are together.
    pub async fn cluster_totals(&self, _: OperatorScope, filter: ClusterFilter) -> Result<ClusterTotals, StoreError> {
        read(&self.api, filter, |db, filter| Box::pin(totals(db, filter))).await
    }

    /// Records the wish for a cluster: desired state, operation, audit and wake-up, all or nothing.
    pub async fn cluster_create(
        &self,
        permit: Permit<ClusterCreate>,
        new: NewCluster,
        idempotency: Option<Idempotency>,
        context: RequestContext,
    ) -> Result<CreatedCluster, StoreError> {
        write(&self.api, (permit, new, idempotency, context), |db, (permit, new, idempotency, context)| {
            Box::pin(create(db, permit, new, idempotency.as_ref(), context))
        })
        .await
    }

    /// Changes settings; the engine looks at the cluster with the new ones at once.
    pub async fn cluster_update(
        &self,
        permit: Permit<ClusterUpdate>,
        patch: ClusterPatch,
        context: RequestContext,
    ) -> Result<ClusterRecord, StoreError> {
        write(&self.api, (permit, patch, context), |db, (permit, patch, context)| Box::pin(update(db, permit, patch, context))).await
    }

    /// Records the wish that a cluster be gone. It wins over what is under way: that operation is cancelled. Asked again while the deletion
    /// is under way, it answers the same operation. `volumes` says what is to become of the workloads' volumes.
    pub async fn cluster_delete(
        &self,
        permit: Permit<ClusterDelete>,
        volumes: Value,
        context: RequestContext,
    ) -> Result<OperationRecord, StoreError> {
        write(&self.api, (permit, volumes, context), |db, (permit, volumes, context)| Box::pin(delete(db, permit, volumes, context))).await
    }
}

/// Finds a cluster that is not deleted.
pub(crate) async fn find(db: &mut PgConnection, tenant: Option<&str>, id: ClusterId) -> Result<Cluster, StoreError> {
    sqlx::query_as!(
        ClusterRow,
        r#"SELECT c.id, c.tenant_id, t.name AS tenant_name, c.name, c.spec AS "spec: Json<Readable<ClusterSpec>>", c.generation, c.observed_generation,
                  c.status AS "status: Json<Readable<ClusterStatus>>", c.operation_id, c.created_at, c.created_by, c.people_version, c.delete_requested_at, c.deleted_at
           FROM clusters c JOIN tenants t ON t.id = c.tenant_id
           WHERE c.id = $1 AND ($2::text IS NULL OR c.tenant_id = $2) AND c.deleted_at IS NULL"#,
        id.0,
        tenant,
    )
    .fetch_optional(db)
    .await?
    .ok_or(StoreError::NotFound)?
    .try_into()
}

/// Locks a cluster that is not deleted. First of all in every transaction that writes about one, so that none can deadlock over it.
pub(crate) async fn lock(db: &mut PgConnection, tenant: &TenantId, id: ClusterId) -> Result<Cluster, StoreError> {
    sqlx::query!("SELECT id FROM clusters WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE", id.0, tenant.0)
        .fetch_optional(&mut *db)
        .await?
        .ok_or(StoreError::NotFound)?;
    find(db, Some(&tenant.0), id).await
}

async fn record(db: &mut PgConnection, tenant: Option<&str>, id: ClusterId) -> Result<ClusterRecord, StoreError> {
    let cluster = find(db, tenant, id).await?;
    let operation = match cluster.operation {
        Some(operation) => Some(operations::find(db, tenant, operation).await?.operation),
        None => None,
    };
    let pause = pauses::of_clusters(db, &[id.0]).await?.remove(&id);
    Ok(ClusterRecord { cluster, operation, pause })
}

/// A cluster that a token was not narrowed to looks like one that is not there.
pub(crate) fn reach(scope: &Scope, id: ClusterId) -> Result<(), StoreError> {
    if scope.clusters().is_none_or(|all| all.contains(&id.0)) { Ok(()) } else { Err(StoreError::NotFound) }
}

/// The text as a pattern for LIKE that matches it anywhere.
pub(crate) fn containing(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

struct ListRow {
    id: Uuid,
    sort_key: String,
    total: i64,
}

async fn list(
    db: &mut PgConnection,
    scope: &Scope,
    filter: &ClusterFilter,
    sort: ClusterSort,
    descending: bool,
    page: &PageRequest,
) -> Result<Page<ClusterRecord>, StoreError> {
    let after = page.after()?;
    let limit = page.limit();
    let ids = sqlx::query_as!(
        ListRow,
        r#"WITH found AS (
               SELECT c.id, (CASE $5::text WHEN 'name' THEN lower(c.name) WHEN 'phase' THEN c.phase WHEN 'project' THEN lower(t.name)
                   ELSE to_char(c.created_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') END) COLLATE "C" AS sort_key
               FROM clusters c JOIN tenants t ON t.id = c.tenant_id
               WHERE ($1::text IS NULL OR c.tenant_id = $1) AND ($11::uuid[] IS NULL OR c.id = ANY($11)) AND c.deleted_at IS NULL
                 AND ($2::text IS NULL OR c.name ILIKE $2 OR c.id::text = lower($12::text)
                      OR ($1 IS NULL AND (t.name ILIKE $2 OR c.tenant_id = $12)))
                 AND ($3::text IS NULL OR c.phase = $3) AND ($4::text IS NULL OR t.name ILIKE $4 OR c.tenant_id = $10)
                 AND ($13::text IS NULL OR c.spec ->> 'version' = $13 OR starts_with(c.spec ->> 'version', $13 || '.')))
           SELECT id AS "id!", sort_key AS "sort_key!", (SELECT count(*) FROM found) AS "total!" FROM found
           WHERE $7::text IS NULL
              OR (NOT $6::bool AND (sort_key, id) > ($7 COLLATE "C", $8::uuid)) OR ($6 AND (sort_key, id) < ($7 COLLATE "C", $8))
           ORDER BY CASE WHEN NOT $6 THEN sort_key END, CASE WHEN $6 THEN sort_key END DESC,
                    CASE WHEN NOT $6 THEN id END, CASE WHEN $6 THEN id END DESC
           LIMIT $9::bigint + 1"#,
        scope.predicate(),
        filter.search.as_deref().map(containing),
        filter.phase.map(Phase::as_str),
        filter.project.as_deref().map(containing),
        sort.word(),
        descending,
        after.as_ref().map(|(key, _)| key.as_str()),
        after.as_ref().map(|(_, id)| *id),
        limit,
        filter.project.as_deref(),
        scope.clusters(),
        filter.search.as_deref(),
        filter.version.as_deref(),
    )
    .fetch_all(&mut *db)
    .await?;
    let total = ids.first().map_or(0, |row| row.total);
    let ids = Page::cut(ids, limit, total, |row| (row.sort_key.clone(), row.id));
    let records = records(db, scope, &ids.items.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    // A cluster may have gone since, or be one that only a newer program can tell of.
    let mut items = Vec::with_capacity(records.len());
    for row in &ids.items {
        items.extend(records.iter().find(|record| record.cluster.id.0 == row.id).cloned());
    }
    Ok(Page { items, next_cursor: ids.next_cursor, total: ids.total })
}

/// By the same rules as the list's.
async fn totals(db: &mut PgConnection, filter: &ClusterFilter) -> Result<ClusterTotals, StoreError> {
    let row = sqlx::query!(
        r#"WITH found AS (
               SELECT c.spec FROM clusters c JOIN tenants t ON t.id = c.tenant_id
               WHERE c.deleted_at IS NULL
                 AND ($1::text IS NULL OR c.name ILIKE $1 OR c.id::text = lower($2::text) OR t.name ILIKE $1 OR c.tenant_id = $2)
                 AND ($3::text IS NULL OR c.phase = $3) AND ($4::text IS NULL OR t.name ILIKE $4 OR c.tenant_id = $5)
                 AND ($6::text IS NULL OR c.spec ->> 'version' = $6 OR starts_with(c.spec ->> 'version', $6 || '.'))),
             machines AS (
               SELECT g.one ->> 'flavor' AS flavor, (g.one ->> 'count')::bigint AS count FROM found CROSS JOIN LATERAL
                      (SELECT found.spec -> 'control_plane' AS one UNION ALL SELECT jsonb_array_elements(found.spec -> 'node_pools')) g)
           SELECT (SELECT count(*) FROM found) AS "clusters!", COALESCE(sum(m.count), 0)::bigint AS "nodes!",
                  COALESCE(sum(m.count * f.vcpus), 0)::bigint AS "vcpus!", COALESCE(sum(m.count * f.ram_mib), 0)::bigint AS "ram_mib!",
                  COALESCE(sum(m.count) FILTER (WHERE f.name IS NULL), 0)::bigint AS "unknown!"
           FROM machines m LEFT JOIN flavor_sizes f ON f.name = m.flavor"#,
        filter.search.as_deref().map(containing),
        filter.search.as_deref(),
        filter.phase.map(Phase::as_str),
        filter.project.as_deref().map(containing),
        filter.project.as_deref(),
        filter.version.as_deref(),
    );
    let row = row.fetch_one(&mut *db).await?;
    let versions = sqlx::query_scalar!(r#"SELECT DISTINCT spec ->> 'version' AS "version!" FROM clusters WHERE deleted_at IS NULL"#);
    let mut versions = versions.fetch_all(db).await?;
    versions.sort_by_key(|version| Reverse(version.parse::<KubernetesVersion>().ok()));
    Ok(ClusterTotals {
        clusters: row.clusters.unsigned_abs(),
        nodes: row.nodes.unsigned_abs(),
        vcpus: row.vcpus.unsigned_abs(),
        ram_mib: row.ram_mib.unsigned_abs(),
        unsized_nodes: row.unknown.unsigned_abs(),
        versions,
    })
}

async fn records(db: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Vec<ClusterRecord>, StoreError> {
    let clusters = sqlx::query_as!(
        ClusterRow,
        r#"SELECT c.id, c.tenant_id, t.name AS tenant_name, c.name, c.spec AS "spec: Json<Readable<ClusterSpec>>", c.generation, c.observed_generation,
                  c.status AS "status: Json<Readable<ClusterStatus>>", c.operation_id, c.created_at, c.created_by, c.people_version, c.delete_requested_at, c.deleted_at
           FROM clusters c JOIN tenants t ON t.id = c.tenant_id
           WHERE c.id = ANY($1) AND ($2::text IS NULL OR c.tenant_id = $2) AND c.deleted_at IS NULL"#,
        ids,
        scope.predicate(),
    )
    .fetch_all(&mut *db)
    .await?;
    let clusters: Vec<Cluster> = readable(clusters);
    let wanted: Vec<Uuid> = clusters.iter().filter_map(|c| c.operation).map(|o| o.0).collect();
    let operations = operations::find_all(db, scope, &wanted).await?;
    let mut pauses = pauses::of_clusters(db, &clusters.iter().map(|c| c.id.0).collect::<Vec<_>>()).await?;
    let of = |cluster: &Cluster| operations.iter().find(|o| Some(o.operation.id) == cluster.operation).map(|o| o.operation.clone());
    let record = |cluster: Cluster| ClusterRecord { operation: of(&cluster), pause: pauses.remove(&cluster.id), cluster };
    Ok(clusters.into_iter().map(record).collect())
}

/// Makes the tenant known, and locks it.
pub(crate) async fn ensure_tenant(db: &mut PgConnection, project: &auth::Project) -> Result<(), StoreError> {
    sqlx::query!("INSERT INTO tenants (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name", project.id.0, project.name)
        .execute(db)
        .await?;
    Ok(())
}

async fn create(
    db: &mut PgConnection,
    permit: &Permit<ClusterCreate>,
    new: &NewCluster,
    idempotency: Option<&Idempotency>,
    context: &RequestContext,
) -> Result<CreatedCluster, StoreError> {
    let tenant = permit.tenant();
    // Also locks the tenant, so that two creations cannot pass a limit together.
    ensure_tenant(db, &permit.actor().project).await?;
    let id = ClusterId::generate();
    let operation = NewOperation {
        id: OperationId::generate(),
        cluster: id,
        kind: OperationKind::ClusterCreate,
        spec: &new.spec,
        nodes: &[],
        request: json!({}),
        request_id: Some(&context.request_id),
        created_by: &permit.actor().user.name,
    };
    if let Some(key) = idempotency
        && let Some((cluster, operation)) = idempotency::claim(db, tenant, key, id, operation.id).await?
    {
        let cluster = record(db, Some(&tenant.0), cluster).await?;
        return Ok(CreatedCluster { cluster, operation: operations::find(db, Some(&tenant.0), operation).await?, replayed: true });
    }
    tenants::admit(db, tenant, &new.limits, None, &new.spec).await?;
    if let Some(room) = &new.room {
        let need = amounts(&cluster_objects(&new.spec), &new.spec, &room.flavors);
        if !room.holds(need, promises::promised(db, tenant, &room.flavors).await?) {
            return Err(StoreError::Refused(Code::Quota));
        }
    }
    sqlx::query!(
        "INSERT INTO clusters (id, tenant_id, name, spec, status, operation_id, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, name) WHERE deleted_at IS NULL DO NOTHING RETURNING id",
        id.0,
        tenant.0,
        new.name,
        Json(&new.spec) as _,
        Json(ClusterStatus::new()) as _,
        operation.id.0,
        permit.actor().user.name,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::Refused(Code::NameTaken))?;
    operations::insert(db, &operation).await?;
    sqlx::query!("INSERT INTO work (cluster_id, tenant_id) VALUES ($1, $2)", id.0, tenant.0).execute(&mut *db).await?;
    let entry = AuditEntry::new(permit.actor(), "cluster_create", "cluster", id).cluster(id).operation(operation.id);
    let entry = entry.detail(json!({ "name": new.name, "after": new.spec }));
    append(db, &entry, context).await?;
    wake(db, id).await?;
    announce(db, tenant, id, Some(operation.id)).await?;
    let cluster = record(db, Some(&tenant.0), id).await?;
    Ok(CreatedCluster { cluster, operation: operations::find(db, Some(&tenant.0), operation.id).await?, replayed: false })
}

async fn update(
    db: &mut PgConnection,
    permit: &Permit<ClusterUpdate>,
    patch: &ClusterPatch,
    context: &RequestContext,
) -> Result<ClusterRecord, StoreError> {
    let tenant = permit.tenant();
    let cluster = lock(db, tenant, *permit.id()).await?;
    lay_over(db, &cluster, json!(patch)).await?;
    let before = json!({ "deletion_protection": cluster.spec.deletion_protection, "repair": cluster.spec.repair, "direct_access": cluster.spec.direct_access });
    let entry = AuditEntry::new(permit.actor(), "cluster_update", "cluster", cluster.id).cluster(cluster.id);
    let entry = entry.detail(json!({ "name": cluster.name, "before": before, "after": patch }));
    append(db, &entry, context).await?;
    wake(db, cluster.id).await?;
    announce(db, tenant, cluster.id, None).await?;
    record(db, Some(&tenant.0), cluster.id).await
}

/// Lays parts of a specification over that of a locked cluster.
pub(crate) async fn lay_over(db: &mut PgConnection, cluster: &Cluster, parts: Value) -> Result<(), StoreError> {
    sqlx::query!("UPDATE clusters SET spec = spec || $3::jsonb WHERE id = $1 AND tenant_id = $2", cluster.id.0, cluster.tenant.0, parts)
        .execute(db)
        .await?;
    Ok(())
}

async fn delete(
    db: &mut PgConnection,
    permit: &Permit<ClusterDelete>,
    volumes: &Value,
    context: &RequestContext,
) -> Result<OperationRecord, StoreError> {
    let tenant = permit.tenant();
    let cluster = lock(db, tenant, *permit.id()).await?;
    if cluster.spec.deletion_protection {
        return Err(StoreError::Refused(Code::DeletionProtected));
    }
    let (deletion, new) = deletion(db, permit.actor(), &cluster, volumes, context).await?;
    if new {
        let id = deletion.operation.id;
        let entry = AuditEntry::new(permit.actor(), "cluster_delete", "cluster", cluster.id).cluster(cluster.id).operation(id);
        let entry = entry.detail(json!({ "name": cluster.name, "volumes": volumes }));
        append(db, &entry, context).await?;
        wake(db, cluster.id).await?;
        announce(db, tenant, cluster.id, Some(id)).await?;
    }
    Ok(deletion)
}

/// The deletion of a locked cluster that is under way, or a new one in the place of whatever is: (operation, whether it is new).
pub(crate) async fn deletion(
    db: &mut PgConnection,
    actor: &Actor,
    cluster: &Cluster,
    volumes: &Value,
    context: &RequestContext,
) -> Result<(OperationRecord, bool), StoreError> {
    let tenant = &cluster.tenant;
    if let Some(current) = cluster.operation {
        let current = operations::find(db, Some(&tenant.0), current).await?;
        if !current.operation.state.ended() {
            if current.operation.kind == OperationKind::ClusterDelete {
                return Ok((current, false));
            }
            operations::cancel(db, &current).await?;
            announce(db, tenant, cluster.id, Some(current.operation.id)).await?;
        }
    }
    let operation = NewOperation {
        id: OperationId::generate(),
        cluster: cluster.id,
        kind: OperationKind::ClusterDelete,
        spec: &cluster.spec,
        nodes: &[],
        request: json!({ "volumes": volumes }),
        request_id: Some(&context.request_id),
        created_by: &actor.user.name,
    };
    operations::insert(db, &operation).await?;
    sqlx::query!(
        r#"UPDATE clusters SET delete_requested_at = COALESCE(delete_requested_at, now()), operation_id = $3, intent = intent + 1,
                  status = jsonb_set(status, '{phase}', '"Deleting"')
           WHERE id = $1 AND tenant_id = $2"#,
        cluster.id.0,
        tenant.0,
        operation.id.0,
    )
    .execute(&mut *db)
    .await?;
    Ok((operations::find(db, Some(&tenant.0), operation.id).await?, true))
}
