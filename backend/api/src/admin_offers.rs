//! Node images, add-ons and prices as operators see them: what there is, what names or uses it, and what is without a price.

use crate::catalogue::Snapshot;
use domain::addons::{Addon, AddonsRequest};
use domain::costs::{Money, Prices};
use domain::versions::{CatalogueVersion, IMAGE_PROPERTY, KubernetesVersion};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use store::CatalogueUse;

/// An image that a version names, or that says which Kubernetes version is in it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct NodeImage {
    pub id: String,
    pub name: String,
    /// Glance's word.
    pub status: String,
    /// As it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
    /// Absent until Glance has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    pub min_disk_gib: u32,
    pub min_ram_mib: u32,
    /// Glance's word: `public`, `private`, `shared`, `community`.
    pub visibility: String,
    /// Versions of the catalogue that name it.
    pub versions: Vec<String>,
}

/// An add-on, and how many clusters have it switched on.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AddonOffer {
    pub name: Addon,
    /// Of its main image; absent: it comes with Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// Without it a cluster is not called running.
    pub essential: bool,
    /// Whether clusters have it that were asked for without a word of it.
    pub default: bool,
    /// As nodes pull them: from the configured registry, if there is one.
    pub images: Vec<String>,
    pub clusters: u64,
}

/// What has a price, or should have one.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PriceOffer {
    pub name: String,
    /// Whether the cloud has it, as far as the operator's project sees.
    pub offered: bool,
    /// Absent: it has no price, and is in no sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    pub per_hour: Option<Money>,
}

/// The operator's prices, each for an hour, beside what is offered.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PriceList {
    pub currency: String,
    /// Those that are offered first.
    pub flavors: Vec<PriceOffer>,
    /// Of one GiB, by volume type; `default` is for volumes without a type.
    pub volume_gib: Vec<PriceOffer>,
    #[schema(value_type = f64)]
    pub load_balancer: Money,
    #[schema(value_type = f64)]
    pub floating_ip: Money,
}

/// The node images among those that the cloud has, the newest version's first.
pub(crate) fn images(versions: &[CatalogueVersion], snapshot: &Snapshot) -> Vec<NodeImage> {
    let mut found: Vec<_> = snapshot.images.iter().map(|image| node_image(image, versions)).collect();
    found.retain(|image| image.kubernetes_version.is_some() || !image.versions.is_empty());
    let version = |image: &NodeImage| image.kubernetes_version.as_deref().and_then(|text| text.parse::<KubernetesVersion>().ok());
    found.sort_by_cached_key(|image| (Reverse(version(image)), image.name.clone(), image.id.clone()));
    found
}

fn node_image(image: &cloud::images::Image, versions: &[CatalogueVersion]) -> NodeImage {
    NodeImage {
        id: image.id.clone(),
        name: image.name.clone(),
        status: image.status.clone(),
        kubernetes_version: image.properties.get(IMAGE_PROPERTY).cloned(),
        size_bytes: image.size_bytes,
        min_disk_gib: image.min_disk_gib,
        min_ram_mib: image.min_ram_mib,
        visibility: image.visibility.clone(),
        versions: versions.iter().filter(|v| v.image == image.name).map(|v| v.version.clone()).collect(),
    }
}

/// All add-ons, in the order in which each works.
pub(crate) fn addons(versions: &[CatalogueVersion], registry: Option<&str>, used: &CatalogueUse) -> Vec<AddonOffer> {
    let usual = AddonsRequest::default().complete().wanted();
    let offer = |name: Addon| AddonOffer {
        name,
        version: bootstrap::addons::version(name, None),
        essential: name.essential(),
        default: usual.contains(&name),
        images: bootstrap::addons::images(name, versions.iter().map(|v| v.version.as_str()), registry),
        clusters: used.addons.get(&name).copied().unwrap_or(0),
    };
    Addon::ALL.into_iter().map(offer).collect()
}

/// The price list beside what the cloud has.
pub(crate) fn prices(list: Prices, snapshot: &Snapshot) -> PriceList {
    let flavors: Vec<&str> = snapshot.flavors.iter().map(|flavor| flavor.name.as_str()).collect();
    let types = snapshot.volume_types.iter().map(|kind| kind.name.as_str()).filter(|name| *name != "default");
    let volumes: Vec<&str> = snapshot.block_storage.then_some("default").into_iter().chain(types).collect();
    PriceList {
        flavors: priced(&flavors, &list.flavors),
        volume_gib: priced(&volumes, &list.volume_gib),
        currency: list.currency,
        load_balancer: list.load_balancer,
        floating_ip: list.floating_ip,
    }
}

fn priced(offered: &[&str], list: &BTreeMap<String, Money>) -> Vec<PriceOffer> {
    let offer = |name: &str, there: bool| PriceOffer { name: name.to_owned(), offered: there, per_hour: list.get(name).copied() };
    let gone = list.keys().map(String::as_str).filter(|name| !offered.contains(name));
    offered.iter().copied().map(|name| offer(name, true)).chain(gone.map(|name| offer(name, false))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloud::images::Image;
    use cloud::volumes::VolumeType;
    use domain::versions::Support;

    fn image(id: &str, name: &str, holds: Option<&str>) -> Image {
        Image {
            id: id.to_owned(),
            name: name.to_owned(),
            status: "active".to_owned(),
            min_disk_gib: 0,
            min_ram_mib: 0,
            size_bytes: None,
            visibility: "private".to_owned(),
            properties: holds.map(|version| (IMAGE_PROPERTY.to_owned(), version.to_owned())).into_iter().collect(),
        }
    }

    fn snapshot(images: Vec<Image>, types: &[&str], block_storage: bool) -> Snapshot {
        let kind = |name: &&str| VolumeType { id: (*name).to_owned(), name: (*name).to_owned(), public: true, default: false };
        let volume_types = types.iter().map(kind).collect();
        Snapshot { flavors: Vec::new(), zones: Vec::new(), volume_types, block_storage, networks: Vec::new(), images }
    }

    #[test]
    fn images_are_those_that_a_version_names_or_that_say_what_they_hold() {
        let named = |version: &str, image: &str| CatalogueVersion { version: version.to_owned(), support: Support::Current, image: image.to_owned() };
        let all = vec![
            image("1", "ubuntu", None),
            image("2", "nodes", None),
            image("3", "old", Some("v1.9.12")),
            image("4", "new", Some("v1.36.3")),
            image("5", "new", Some("v1.36.3")),
        ];
        let found = images(&[named("v1.36.3", "new"), named("v1.36.2", "nodes")], &snapshot(all, &[], true));
        let told: Vec<_> = found.iter().map(|image| (image.id.as_str(), image.versions.join(" "))).collect();
        let expected = [("4", "v1.36.3"), ("5", "v1.36.3"), ("3", ""), ("2", "v1.36.2")];
        assert_eq!(told, expected.map(|(id, versions)| (id, versions.to_owned())));
    }

    #[test]
    fn volumes_without_a_type_need_a_price_where_there_are_volumes() {
        let list = |names: &[&str]| Prices { volume_gib: names.iter().map(|name| ((*name).to_owned(), Money(1))).collect(), ..Prices::default() };
        for (types, block_storage, priced, expected) in [
            (vec!["ssd"], true, vec!["ssd"], "default:true:false ssd:true:true"),
            (vec!["default", "ssd"], true, vec!["default", "tape"], "default:true:true ssd:true:false tape:false:true"),
            (vec![], false, vec![], ""),
        ] {
            let found = prices(list(&priced), &snapshot(Vec::new(), &types, block_storage)).volume_gib;
            let told: Vec<_> = found.iter().map(|row| format!("{}:{}:{}", row.name, row.offered, row.per_hour.is_some())).collect();
            assert_eq!(told.join(" "), expected);
        }
    }
}
