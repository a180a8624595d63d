//! What tenants may have in KCS, and have: terms that an operator set, clusters counted against them, and the gate that every creation and
//! enlargement passes in its own transaction.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::error::{StoreError, count};
use crate::newer::Readable;
use crate::pages::{Page, PageRequest};
use crate::pool::{Store, read, statement, write};
use auth::{Actor, OperatorScope, Scope};
use domain::clusters::ClusterSpec;
use domain::codes::Code;
use domain::ids::{ClusterId, TenantId};
use domain::requests::FlavorSize;
use domain::tenants::{Allowed, Holdings, Limits, OwnLimits, TenantTerms, Totals, shortages};
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// A tenant, as operators see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantRecord {
    pub id: TenantId,
    pub name: String,
    pub terms: TenantTerms,
    pub used: Totals,
    /// Its clusters, for who wants to know more of them.
    pub clusters: Vec<ClusterSpec>,
    /// Whether it waits for an answer.
    pub asks: bool,
    /// When its terms were last set, and by whom.
    pub changed_at: Option<OffsetDateTime>,
    pub changed_by: Option<String>,
}

/// Which tenants a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Part of the name, or the id.
    pub search: Option<String>,
    /// Those only that wait for an answer.
    pub asks: bool,
}

impl Store {
    /// What an operator said of a tenant.
    pub async fn tenant_terms(&self, tenant: &TenantId) -> Result<TenantTerms, StoreError> {
        read(&self.api, tenant.clone(), |db, tenant| Box::pin(terms(db, tenant))).await
    }

    /// The clusters that are there and in reach.
    pub async fn holdings(&self, scope: &Scope) -> Result<Holdings, StoreError> {
        read(&self.api, scope.clone(), |db, scope| Box::pin(holdings(db, scope.predicate(), scope.clusters()))).await
    }

    /// All of a tenant's, for what it may have besides.
    pub async fn tenant_holdings(&self, tenant: &TenantId) -> Result<Holdings, StoreError> {
        read(&self.api, tenant.clone(), |db, tenant| Box::pin(holdings(db, Some(&tenant.0), None))).await
    }

    /// Remembers how large flavors are, as the cloud has just told.
    pub async fn flavors_seen(&self, flavors: &[FlavorSize]) -> Result<(), StoreError> {
        statement(&self.api, flavors.to_vec(), |db, flavors| Box::pin(flavors_seen(db, flavors))).await
    }

    /// Tenants by name, page by page.
    pub async fn tenants(&self, _: OperatorScope, filter: TenantFilter, page: PageRequest) -> Result<Page<TenantRecord>, StoreError> {
        read(&self.api, (filter, page), |db, (filter, page)| Box::pin(list(db, filter, page))).await
    }

    pub async fn tenant(&self, _: OperatorScope, id: TenantId) -> Result<TenantRecord, StoreError> {
        read(&self.api, id, |db, id| Box::pin(one(db, id))).await
    }

    /// What each tenant may have by its own terms, and has: whom another limit of everybody's would touch.
    pub async fn tenant_uses(&self, _: OperatorScope) -> Result<Vec<(TenantTerms, Totals)>, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(uses(db))).await
    }

    /// What counts from now on. Nothing is taken from who has more: they may not have still more.
    pub async fn tenant_set_terms(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: TenantId,
        terms: TenantTerms,
        context: RequestContext,
    ) -> Result<TenantRecord, StoreError> {
        write(&self.api, (actor.clone(), id, terms, context), |db, (actor, id, terms, context)| Box::pin(change(db, actor, id, terms, context))).await
    }
}

/// Locks a tenant, so that two of its wishes cannot pass a limit together. Before any of its clusters is locked, like everywhere.
pub(crate) async fn lock(db: &mut PgConnection, tenant: &TenantId) -> Result<(), StoreError> {
    let found = sqlx::query!("SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE", tenant.0).fetch_optional(db).await?;
    found.map(|_| ()).ok_or(StoreError::NotFound)
}

/// Whether a cluster more, or (named) one that becomes this, is within the tenant's limits, and its flavors are allowed. The tenant is locked.
pub(crate) async fn admit(
    db: &mut PgConnection,
    tenant: &TenantId,
    installation: &Limits,
    changed: Option<ClusterId>,
    spec: &ClusterSpec,
) -> Result<(), StoreError> {
    let terms = terms(db, tenant).await?;
    let have = holdings(db, Some(&tenant.0), None).await?;
    let before = have.clusters.iter().find(|(id, _)| Some(*id) == changed).map(|(_, spec)| spec);
    let grows = |flavor: &str| before.is_none_or(|before| machines_of(spec, flavor) > machines_of(before, flavor));
    let mut flavors = std::iter::once(&spec.control_plane.flavor).chain(spec.node_pools.iter().map(|pool| &pool.flavor));
    let fits = changed.is_some() || (terms.allowed.version(&spec.version) && terms.allowed.external_network(&spec.network.external_network));
    if !fits || flavors.any(|flavor| grows(flavor) && !terms.allowed.flavor(flavor)) {
        return Err(StoreError::Refused(Code::NotAllowed));
    }
    let short = shortages(&terms.limits(installation), &have.totals(), &have.totals_with(changed, spec));
    short.into_iter().next().map_or(Ok(()), |short| Err(StoreError::Short(short)))
}

fn machines_of(spec: &ClusterSpec, flavor: &str) -> u64 {
    let masters = if spec.control_plane.flavor == flavor { spec.control_plane.count } else { 0 };
    u64::from(masters) + spec.node_pools.iter().filter(|pool| pool.flavor == flavor).map(|pool| u64::from(pool.count)).sum::<u64>()
}

pub(crate) async fn terms(db: &mut PgConnection, tenant: &TenantId) -> Result<TenantTerms, StoreError> {
    let row = sqlx::query!(
        r#"SELECT limits AS "limits: Json<OwnLimits>", allowed AS "allowed: Json<Allowed>" FROM tenant_limits WHERE tenant_id = $1"#,
        tenant.0
    );
    let row = row.fetch_optional(db).await?;
    Ok(row.map(|row| TenantTerms { limits: row.limits.0, allowed: row.allowed.0 }).unwrap_or_default())
}

async fn holdings(db: &mut PgConnection, tenant: Option<&str>, among: Option<&[Uuid]>) -> Result<Holdings, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT id, spec AS "spec: Json<ClusterSpec>" FROM clusters
           WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::uuid[] IS NULL OR id = ANY($2)) AND deleted_at IS NULL"#,
        tenant,
        among,
    );
    let clusters = rows.fetch_all(&mut *db).await?.into_iter().map(|row| (ClusterId(row.id), row.spec.0)).collect();
    Ok(Holdings { clusters, flavors: flavor_sizes(db).await? })
}

async fn flavor_sizes(db: &mut PgConnection) -> Result<Vec<FlavorSize>, StoreError> {
    let rows = sqlx::query!("SELECT name, vcpus, ram_mib FROM flavor_sizes").fetch_all(db).await?;
    rows.into_iter()
        .map(|row| Ok(FlavorSize { name: row.name, vcpus: count("vcpus", row.vcpus)?, ram_mib: count("ram_mib", row.ram_mib)? }))
        .collect()
}

/// Rows that say the same already are not even locked.
async fn flavors_seen(db: &mut PgConnection, flavors: &[FlavorSize]) -> Result<(), StoreError> {
    let names: Vec<String> = flavors.iter().map(|f| f.name.clone()).collect();
    let vcpus: Vec<i64> = flavors.iter().map(|f| i64::from(f.vcpus)).collect();
    let ram: Vec<i64> = flavors.iter().map(|f| i64::from(f.ram_mib)).collect();
    sqlx::query!(
        "INSERT INTO flavor_sizes (name, vcpus, ram_mib)
         SELECT DISTINCT ON (s.name) s.name, s.vcpus, s.ram_mib FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS s (name, vcpus, ram_mib)
         WHERE NOT EXISTS (SELECT FROM flavor_sizes f WHERE (f.name, f.vcpus, f.ram_mib) = (s.name, s.vcpus, s.ram_mib))
         ORDER BY s.name
         ON CONFLICT (name) DO UPDATE SET vcpus = EXCLUDED.vcpus, ram_mib = EXCLUDED.ram_mib",
        &names,
        &vcpus,
        &ram,
    )
    .execute(db)
    .await?;
    Ok(())
}

struct Row {
    id: String,
    name: String,
    limits: Option<Json<OwnLimits>>,
    allowed: Option<Json<Allowed>>,
    changed_at: Option<OffsetDateTime>,
    changed_by: Option<String>,
    asks: bool,
    sort_key: String,
    total: i64,
}

impl Row {
    fn record(self, holdings: Holdings) -> TenantRecord {
        let terms = TenantTerms { limits: self.limits.map(|l| l.0).unwrap_or_default(), allowed: self.allowed.map(|a| a.0).unwrap_or_default() };
        let (id, used) = (TenantId(self.id), holdings.totals());
        let clusters = holdings.clusters.into_iter().map(|(_, spec)| spec).collect();
        TenantRecord { id, name: self.name, terms, used, clusters, asks: self.asks, changed_at: self.changed_at, changed_by: self.changed_by }
    }
}

/// By name and id: `only` is one tenant's.
async fn rows(
    db: &mut PgConnection,
    filter: &TenantFilter,
    only: Option<&TenantId>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"WITH found AS (
               SELECT t.id, t.name, (lower(t.name) || E'\x01' || t.id) COLLATE "C" AS sort_key,
                      EXISTS (SELECT FROM quota_requests q WHERE q.tenant_id = t.id AND q.state = 'pending') AS asks
               FROM tenants t
               WHERE ($1::text IS NULL OR t.id = $1) AND ($2::text IS NULL OR t.id = $2 OR strpos(lower(t.name), lower($2)) > 0)),
           kept AS (SELECT * FROM found WHERE asks OR NOT $3::bool)
           SELECT k.id AS "id!", k.name AS "name!", l.limits AS "limits?: Json<OwnLimits>", l.allowed AS "allowed?: Json<Allowed>",
                  l.changed_at AS "changed_at?", l.changed_by AS "changed_by?", k.asks AS "asks!", k.sort_key AS "sort_key!",
                  (SELECT count(*) FROM kept) AS "total!"
           FROM kept k LEFT JOIN tenant_limits l ON l.tenant_id = k.id
           WHERE $4::text IS NULL OR k.sort_key > ($4 COLLATE "C")
           ORDER BY k.sort_key LIMIT $5::bigint + 1"#,
        only.map(|id| id.0.as_str()),
        filter.search,
        filter.asks,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}

/// What each of these has.
async fn holdings_of(db: &mut PgConnection, tenants: &[String]) -> Result<HashMap<String, Holdings>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT tenant_id, id, spec AS "spec: Json<Readable<ClusterSpec>>" FROM clusters WHERE tenant_id = ANY($1) AND deleted_at IS NULL"#,
        tenants,
    );
    let rows = rows.fetch_all(&mut *db).await?;
    let flavors = flavor_sizes(db).await?;
    let mut of: HashMap<String, Vec<(ClusterId, ClusterSpec)>> = tenants.iter().map(|id| (id.clone(), Vec::new())).collect();
    for row in rows {
        // One that only a newer program can read is counted there.
        if let Ok(spec) = row.spec.0.read("the specification of a cluster") {
            of.entry(row.tenant_id).or_default().push((ClusterId(row.id), spec));
        }
    }
    Ok(of.into_iter().map(|(id, clusters)| (id, Holdings { clusters, flavors: flavors.clone() })).collect())
}

async fn uses(db: &mut PgConnection) -> Result<Vec<(TenantTerms, Totals)>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT t.id, l.limits AS "limits?: Json<OwnLimits>", l.allowed AS "allowed?: Json<Allowed>"
           FROM tenants t LEFT JOIN tenant_limits l ON l.tenant_id = t.id"#
    );
    let rows = rows.fetch_all(&mut *db).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let holdings = holdings_of(db, &ids).await?;
    let each = rows.into_iter().map(|row| {
        let terms = TenantTerms { limits: row.limits.map(|l| l.0).unwrap_or_default(), allowed: row.allowed.map(|a| a.0).unwrap_or_default() };
        (terms, holdings.get(&row.id).map(Holdings::totals).unwrap_or_default())
    });
    Ok(each.collect())
}

async fn list(db: &mut PgConnection, filter: &TenantFilter, page: &PageRequest) -> Result<Page<TenantRecord>, StoreError> {
    let after = page.after()?.map(|(key, _)| key);
    let limit = page.limit();
    let found = rows(db, filter, None, after.as_deref(), limit).await?;
    let total = found.first().map_or(0, |row| row.total);
    let cut = Page::cut(found, limit, total, |row| (row.sort_key.clone(), Uuid::nil()));
    let ids: Vec<String> = cut.items.iter().map(|row| row.id.clone()).collect();
    let mut holdings = holdings_of(db, &ids).await?;
    let items = cut.items.into_iter().map(|row| {
        let its = holdings.remove(&row.id).unwrap_or_default();
        row.record(its)
    });
    Ok(Page { items: items.collect(), next_cursor: cut.next_cursor, total: cut.total })
}

pub(crate) async fn one(db: &mut PgConnection, id: &TenantId) -> Result<TenantRecord, StoreError> {
    let row = rows(db, &TenantFilter::default(), Some(id), None, 1).await?.into_iter().next().ok_or(StoreError::NotFound)?;
    let its = holdings_of(db, std::slice::from_ref(&row.id)).await?.remove(&row.id).unwrap_or_default();
    Ok(row.record(its))
}

pub(crate) async fn set(db: &mut PgConnection, tenant: &TenantId, terms: &TenantTerms, by: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO tenant_limits (tenant_id, limits, allowed, changed_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant_id) DO UPDATE SET limits = $2, allowed = $3, changed_by = $4, changed_at = now()",
        tenant.0,
        Json(&terms.limits) as _,
        Json(&terms.allowed) as _,
        by,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn change(
    db: &mut PgConnection,
    actor: &Actor,
    id: &TenantId,
    after: &TenantTerms,
    context: &RequestContext,
) -> Result<TenantRecord, StoreError> {
    lock(db, id).await?;
    let before = terms(db, id).await?;
    set(db, id, after, &actor.user.name).await?;
    let record = one(db, id).await?;
    let detail = json!({ "name": record.name, "before": words(&before), "after": words(after) });
    append(db, &AuditEntry::new(actor, "tenant_update", "tenant", &id.0).tenant(id).outcome("done").detail(detail), context).await?;
    Ok(record)
}

/// What the audit log tells of a tenant's terms.
pub(crate) fn words(terms: &TenantTerms) -> serde_json::Value {
    json!({ "limits": terms.limits, "allowed": terms.allowed })
}
