//! The catalogue as operators see it: what is offered, and how much of it all tenants' clusters use.

use crate::admin_offers::{AddonOffer, NodeImage, PriceList, addons, images, prices};
use crate::catalogue::{Snapshot, Version};
use crate::errors::Answer;
use crate::operators::Operator;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::templates::Template;
use domain::versions::{CatalogueVersion, Support};
use serde::Serialize;
use std::collections::BTreeSet;
use store::CatalogueUse;

/// A version, and how many clusters have it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct VersionUse {
    pub version: String,
    /// What the catalogue says of it; null: it is not in the catalogue any more.
    #[schema(required)]
    pub offered: Option<Version>,
    pub clusters: u64,
}

/// A flavor, and how much of it there is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FlavorUsage {
    pub name: String,
    /// Whether the cloud has it, as far as the operator's project sees.
    pub offered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcpus: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ram_mib: Option<u32>,
    pub clusters: u64,
    /// Masters and nodes, as they were asked for.
    pub machines: u64,
}

/// A template of the operator's, and whether what it names is there.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TemplateOffer {
    pub id: String,
    pub name: String,
    pub name_zh: String,
    /// Absent: the newest current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub flavors: Vec<String>,
    /// Version and flavors that it names and that are not offered.
    pub missing: Vec<String>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AdminCatalogue {
    /// The newest first.
    pub versions: Vec<VersionUse>,
    /// The smallest first, then those that are not offered.
    pub flavors: Vec<FlavorUsage>,
    pub templates: Vec<TemplateOffer>,
    /// Those of the newest version first.
    pub images: Vec<NodeImage>,
    /// Each works only with those before it.
    pub addons: Vec<AddonOffer>,
    /// null: there is no price list, and costs are shown nowhere.
    #[schema(required)]
    pub prices: Option<PriceList>,
}

fn versions(offered: &[CatalogueVersion], snapshot: &Snapshot, used: &CatalogueUse) -> Vec<VersionUse> {
    let names: BTreeSet<&String> = offered.iter().map(|v| &v.version).chain(used.versions.keys()).collect();
    let mut all: Vec<_> = names
        .into_iter()
        .map(|name| VersionUse {
            version: name.clone(),
            offered: offered.iter().find(|v| v.version == *name).map(|v| snapshot.version(v)),
            clusters: used.versions.get(name).copied().unwrap_or(0),
        })
        .collect();
    all.sort_by_key(|v| std::cmp::Reverse(v.version.parse::<domain::versions::KubernetesVersion>().ok()));
    all
}

fn flavors(snapshot: &Snapshot, used: &CatalogueUse) -> Vec<FlavorUsage> {
    let usage = |name: &str, size: Option<(u32, u32)>| {
        let used = used.flavors.get(name).copied().unwrap_or_default();
        let (vcpus, ram_mib) = size.unzip();
        FlavorUsage { name: name.to_owned(), offered: size.is_some(), vcpus, ram_mib, clusters: used.clusters, machines: used.machines }
    };
    let offered = snapshot.flavors.iter().map(|f| usage(&f.name, Some((f.vcpus, f.ram_mib))));
    let gone = used.flavors.keys().filter(|name| snapshot.flavors.iter().all(|f| f.name != **name));
    offered.chain(gone.map(|name| usage(name, None))).collect()
}

fn template(template: &Template, versions: &[CatalogueVersion], snapshot: &Snapshot) -> TemplateOffer {
    let spec = &template.spec;
    let pools = spec.node_pools.iter().flatten().map(|pool| pool.flavor.clone());
    let flavors: BTreeSet<String> = spec.control_plane.flavor.iter().cloned().chain(pools).collect();
    let known = |name: &String| versions.iter().any(|v| v.version == *name && v.support != Support::Hidden);
    let no_version = spec.version.iter().filter(|name| !known(name));
    let no_flavor = flavors.iter().filter(|name| snapshot.flavors.iter().all(|f| f.name != **name));
    TemplateOffer {
        id: template.id.clone(),
        name: template.name.clone(),
        name_zh: template.name_zh.clone(),
        version: spec.version.clone(),
        missing: no_version.chain(no_flavor).cloned().collect(),
        flavors: flavors.into_iter().collect(),
    }
}

/// Versions, node images, flavors, templates, add-ons and prices: what is offered, and how many clusters of all projects use it. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = AdminCatalogue)))]
#[get("/admin/catalogue")]
pub async fn admin_catalogue_get(operator: Operator, state: Data<State>) -> Answer<Json<AdminCatalogue>> {
    let snapshot = state.catalogue.of(&state, &operator.caller).await?;
    let used = state.store.catalogue_use(operator.scope).await?;
    let now = state.in_force.now();
    let offered = &now.installation;
    Ok(Json(AdminCatalogue {
        versions: versions(&offered.versions, &snapshot, &used),
        flavors: flavors(&snapshot, &used),
        templates: offered.templates.iter().map(|t| template(t, &offered.versions, &snapshot)).collect(),
        images: images(&offered.versions, &snapshot),
        addons: addons(&offered.versions, state.settings.registry.as_deref(), &used),
        prices: offered.prices.clone().map(|list| prices(list, &snapshot)),
    }))
}
