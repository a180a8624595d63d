//! How much of the catalogue clusters use, counted where they are: versions, add-ons, and flavors with their machines, as they were asked for.

use crate::error::StoreError;
use crate::pool::{Store, read};
use auth::OperatorScope;
use domain::addons::{Addon, AddonsSpec};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlavorUse {
    pub clusters: u64,
    /// Masters and nodes.
    pub machines: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogueUse {
    /// Clusters by version.
    pub versions: BTreeMap<String, u64>,
    pub flavors: BTreeMap<String, FlavorUse>,
    /// Clusters by what they have switched on.
    pub addons: BTreeMap<Addon, u64>,
}

impl Store {
    pub async fn catalogue_use(&self, _: OperatorScope) -> Result<CatalogueUse, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(catalogue_use(db))).await
    }
}

async fn catalogue_use(db: &mut PgConnection) -> Result<CatalogueUse, StoreError> {
    let versions =
        sqlx::query!(r#"SELECT spec ->> 'version' AS "version!", count(*) AS "clusters!" FROM clusters WHERE deleted_at IS NULL GROUP BY 1"#);
    let versions = versions.fetch_all(&mut *db).await?;
    // A row for each choice of add-ons, of which there are few: which add-ons a choice comes to is known in one place only.
    let addons = sqlx::query!(
        r#"SELECT spec -> 'addons' AS "addons: Json<AddonsSpec>", count(*) AS "clusters!" FROM clusters WHERE deleted_at IS NULL GROUP BY 1"#
    );
    let mut by_addon = BTreeMap::<Addon, u64>::new();
    for row in addons.fetch_all(&mut *db).await? {
        let spec = row.addons.map(|Json(spec)| spec).unwrap_or_default();
        for addon in spec.wanted() {
            *by_addon.entry(addon).or_default() += row.clusters.unsigned_abs();
        }
    }
    let flavors = sqlx::query!(
        r#"SELECT g.one ->> 'flavor' AS "flavor!", count(DISTINCT c.id) AS "clusters!", sum((g.one ->> 'count')::int)::bigint AS "machines!"
           FROM clusters c CROSS JOIN LATERAL
                (SELECT c.spec -> 'control_plane' AS one UNION ALL SELECT jsonb_array_elements(c.spec -> 'node_pools')) g
           WHERE c.deleted_at IS NULL GROUP BY 1"#
    );
    let flavors = flavors.fetch_all(db).await?;
    let flavor = |clusters: i64, machines: i64| FlavorUse { clusters: clusters.unsigned_abs(), machines: machines.unsigned_abs() };
    Ok(CatalogueUse {
        versions: versions.into_iter().map(|row| (row.version, row.clusters.unsigned_abs())).collect(),
        flavors: flavors.into_iter().map(|row| (row.flavor, flavor(row.clusters, row.machines))).collect(),
        addons: by_addon,
    })
}
