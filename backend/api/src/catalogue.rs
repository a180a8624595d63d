//! What the cloud offers to build clusters from, as the person's own token sees it. Remembered for seconds, per person and project.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::lists::List;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use auth::Actor;
use cloud::{Cloud, CloudError};
use domain::tenants::Allowed;
use moka::future::Cache;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Flavor {
    pub id: String,
    pub name: String,
    pub vcpus: u32,
    pub ram_mib: u32,
    /// GiB; 0: boots from a volume only.
    pub disk_gib: u32,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Image {
    pub id: String,
    pub name: String,
    pub status: String,
    pub min_disk_gib: u32,
    pub min_ram_mib: u32,
    /// The Kubernetes version in it, if it is a node image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes_version: Option<String>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Zone {
    pub name: String,
    pub available: bool,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct VolumeType {
    pub id: String,
    pub name: String,
    pub default: bool,
}

/// An external network: routers and floating IPs come from it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ExternalNetwork {
    pub id: String,
    pub name: String,
}

/// A Kubernetes version offered, with the state of its node image.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Version {
    pub version: String,
    pub support: domain::versions::Support,
    /// Name of the node image.
    pub image: String,
    /// Glance's status; `missing` when there is no such image.
    pub image_status: String,
    /// Per cent, while the image is being prepared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_progress: Option<u32>,
}

/// All of it at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub flavors: Vec<cloud::compute::Flavor>,
    pub zones: Vec<cloud::compute::Zone>,
    pub volume_types: Vec<cloud::volumes::VolumeType>,
    /// Whether there are volumes at all.
    pub block_storage: bool,
    pub networks: Vec<cloud::network::Net>,
    pub images: Vec<cloud::images::Image>,
}

/// Snapshots by user and project: what one may see another may not.
pub struct CatalogueCache(Cache<(String, String, bool), Arc<Snapshot>>);

impl Default for CatalogueCache {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1000).time_to_live(Duration::from_secs(5)).build())
    }
}

impl CatalogueCache {
    /// The catalogue as this caller sees it.
    ///
    /// # Errors
    /// What the cloud or the database answered.
    pub async fn of(&self, state: &State, caller: &Caller) -> Answer<Arc<Snapshot>> {
        let key = (caller.actor.user.id.clone(), caller.actor.project.id.0.clone(), caller.keystone().is_some());
        let cloud = caller.cloud(state).await?;
        let look = async {
            let found = snapshot(cloud).await?;
            state.store.flavors_seen(&found.offers(&[]).flavors).await?;
            Ok::<_, Problem>(found)
        };
        self.0.try_get_with(key, look).await.map_err(|problem| (*problem).clone())
    }
}

async fn snapshot(cloud: Cloud) -> Result<Arc<Snapshot>, CloudError> {
    let (mut flavors, zones, volume_types, networks, images) = tokio::try_join!(
        cloud.compute.flavors(),
        cloud.compute.zones(),
        async { cloud::if_there(cloud.volumes.volume_types().await) },
        cloud.network.external_networks(),
        cloud.images.images(),
    )?;
    flavors.sort_by(|a, b| (a.ram_mib, a.vcpus, &a.name).cmp(&(b.ram_mib, b.vcpus, &b.name)));
    let block_storage = volume_types.is_some();
    Ok(Arc::new(Snapshot { flavors, zones, volume_types: volume_types.unwrap_or_default(), block_storage, networks, images }))
}

/// The property of an image that says how far its preparation is, in per cent.
pub const PROGRESS_PROPERTY: &str = "kcs_progress";

impl Snapshot {
    /// A version's image: `missing` without one.
    #[must_use]
    pub fn version(&self, version: &domain::versions::CatalogueVersion) -> Version {
        // Of several images of the name, one that can be booted.
        let named = self.images.iter().filter(|i| i.name == version.image);
        let image = named.max_by_key(|i| i.status == "active");
        Version {
            version: version.version.clone(),
            support: version.support,
            image: version.image.clone(),
            image_status: image.map_or_else(|| "missing".to_owned(), |i| i.status.clone()),
            image_progress: image.filter(|i| i.status != "active").and_then(|i| i.properties.get(PROGRESS_PROPERTY)).and_then(|p| p.parse().ok()),
        }
    }

    /// Images for somebody: who sees only places of the project is told of those that are everybody's. With a token of ours it is the project's service user who has
    /// asked for them, and sees all that are the project's.
    fn images_for(&self, actor: &Actor) -> impl Iterator<Item = Image> {
        let all = !actor.sees_places_only();
        self.images.iter().filter(move |image| all || image.visibility == "public").map(image)
    }

    /// What defaults are chosen from.
    #[must_use]
    pub fn offers(&self, versions: &[domain::versions::CatalogueVersion]) -> domain::requests::Offers {
        let flavor = |f: &cloud::compute::Flavor| domain::requests::FlavorSize { name: f.name.clone(), vcpus: f.vcpus, ram_mib: f.ram_mib };
        let mut networks: Vec<_> = self.networks.iter().map(|n| (n.name.clone(), n.id.clone())).collect();
        networks.sort();
        domain::requests::Offers {
            flavors: self.flavors.iter().map(flavor).collect(),
            external_networks: networks.into_iter().map(|(_, id)| id).collect(),
            versions: versions.to_vec(),
        }
    }
}

/// What of it the operator lets the project use.
async fn allowed(state: &State, caller: &Caller) -> Answer<Allowed> {
    Ok(state.store.tenant_terms(&caller.actor.project.id).await?.allowed)
}

/// Flavors the project may use.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Flavor>)))]
#[get("/flavors")]
pub async fn flavor_list(caller: Caller, state: Data<State>) -> Answer<Json<List<Flavor>>> {
    let catalogue = state.catalogue.of(&state, &caller).await?;
    let allowed = allowed(&state, &caller).await?;
    let items = catalogue
        .flavors
        .iter()
        .filter(|f| allowed.flavor(&f.name))
        .map(|f| Flavor { id: f.id.clone(), name: f.name.clone(), vcpus: f.vcpus, ram_mib: f.ram_mib, disk_gib: f.disk_gib })
        .collect();
    Ok(Json(List::whole(items)))
}

/// Images the project may use; to whoever sees only places of it those that are public.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Image>)))]
#[get("/images")]
pub async fn image_list(caller: Caller, state: Data<State>) -> Answer<Json<List<Image>>> {
    let catalogue = state.catalogue.of(&state, &caller).await?;
    Ok(Json(List::whole(catalogue.images_for(&caller.actor).collect())))
}

/// Availability zones.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Zone>)))]
#[get("/zones")]
pub async fn zone_list(caller: Caller, state: Data<State>) -> Answer<Json<List<Zone>>> {
    let catalogue = state.catalogue.of(&state, &caller).await?;
    let items = catalogue.zones.iter().map(|z| Zone { name: z.name.clone(), available: z.available }).collect();
    Ok(Json(List::whole(items)))
}

/// Volume types.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<VolumeType>)))]
#[get("/volume-types")]
pub async fn volume_type_list(caller: Caller, state: Data<State>) -> Answer<Json<List<VolumeType>>> {
    let catalogue = state.catalogue.of(&state, &caller).await?;
    let items = catalogue.volume_types.iter().map(|v| VolumeType { id: v.id.clone(), name: v.name.clone(), default: v.default }).collect();
    Ok(Json(List::whole(items)))
}

/// External networks the project may use.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<ExternalNetwork>)))]
#[get("/networks")]
pub async fn network_list(caller: Caller, state: Data<State>) -> Answer<Json<List<ExternalNetwork>>> {
    let catalogue = state.catalogue.of(&state, &caller).await?;
    let allowed = allowed(&state, &caller).await?;
    let items = catalogue
        .networks
        .iter()
        .filter(|n| allowed.external_network(&n.id))
        .map(|n| ExternalNetwork { id: n.id.clone(), name: n.name.clone() })
        .collect();
    Ok(Json(List::whole(items)))
}

/// Kubernetes versions offered to the project.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Version>)))]
#[get("/versions")]
pub async fn version_list(caller: Caller, state: Data<State>) -> Answer<Json<List<Version>>> {
    let catalogue = state.catalogue.of(&state, &caller).await?;
    let allowed = allowed(&state, &caller).await?;
    let versions = state.versions();
    let offered = versions.iter().filter(|v| v.support != domain::versions::Support::Hidden && allowed.version(&v.version));
    let items = offered.map(|v| catalogue.version(v)).collect();
    Ok(Json(List::whole(items)))
}

/// A network that nodes may be put into.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ProjectNetwork {
    pub id: String,
    pub name: String,
    /// Another project's, shared with this one.
    pub shared: bool,
    pub subnets: Vec<ProjectSubnet>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ProjectSubnet {
    pub id: String,
    pub name: String,
    pub cidr: String,
}

/// Networks and subnets that nodes may be put into; none to whoever sees only places of the project, for they make no clusters, and others' clusters are in them.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<ProjectNetwork>)))]
#[get("/project-networks")]
pub async fn project_network_list(caller: Caller, state: Data<State>) -> Answer<Json<List<ProjectNetwork>>> {
    if caller.actor.sees_places_only() {
        return Ok(Json(List::whole(Vec::new())));
    }
    let cloud = caller.cloud(&state).await?;
    let (networks, subnets) = tokio::try_join!(cloud.network.networks(), cloud.network.subnets())?;
    let subnets_of = |network: &str| {
        let of_network = subnets.iter().filter(|s| s.network_id == network);
        of_network.map(|s| ProjectSubnet { id: s.id.clone(), name: s.name.clone(), cidr: s.cidr.clone() }).collect()
    };
    let own = |n: &cloud::network::Net| n.project_id == caller.actor.project.id.0;
    let items = networks.iter().map(|n| ProjectNetwork { id: n.id.clone(), name: n.name.clone(), shared: !own(n), subnets: subnets_of(&n.id) });
    Ok(Json(List::whole(items.collect())))
}

/// A public key of the person's.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct KeyPairName {
    pub name: String,
}

/// Key pairs of the person, whose owner may be let into nodes.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<KeyPairName>)))]
#[get("/key-pairs")]
pub async fn key_pair_list(caller: Caller, state: Data<State>) -> Answer<Json<List<KeyPairName>>> {
    let found = caller.cloud(&state).await?.compute.key_pairs().await?;
    Ok(Json(List::whole(found.into_iter().map(|k| KeyPairName { name: k.name }).collect())))
}

/// What can stand behind a cluster's API load balancer.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LoadBalancerProvider {
    pub name: String,
}

/// Octavia's providers; none where the cloud has no load balancing.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<LoadBalancerProvider>)))]
#[get("/load-balancer-providers")]
pub async fn load_balancer_provider_list(caller: Caller, state: Data<State>) -> Answer<Json<List<LoadBalancerProvider>>> {
    let found = match caller.cloud(&state).await?.load_balancers {
        Some(service) => service.providers().await?,
        None => Vec::new(),
    };
    Ok(Json(List::whole(found.into_iter().map(|name| LoadBalancerProvider { name }).collect())))
}

fn image(image: &cloud::images::Image) -> Image {
    Image {
        id: image.id.clone(),
        name: image.name.clone(),
        status: image.status.clone(),
        min_disk_gib: image.min_disk_gib,
        min_ram_mib: image.min_ram_mib,
        kubernetes_version: image.properties.get(domain::versions::IMAGE_PROPERTY).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::{Grants, Narrowing, Project, User, Via};
    use domain::ids::TenantId;
    use domain::permissions::Role;

    #[test]
    fn who_sees_only_places_is_told_of_images_that_are_everybodys() {
        let image = |name: &str, visibility: &str| cloud::images::Image {
            id: name.to_owned(),
            name: name.to_owned(),
            status: "active".to_owned(),
            min_disk_gib: 0,
            min_ram_mib: 0,
            size_bytes: None,
            visibility: visibility.to_owned(),
            properties: std::collections::BTreeMap::new(),
        };
        let images = vec![image("node", "public"), image("own", "private"), image("lent", "shared")];
        let catalogue = Snapshot { flavors: vec![], zones: vec![], volume_types: vec![], block_storage: false, networks: vec![], images };
        let user = User { id: "u".to_owned(), name: "u".to_owned(), domain: "default".to_owned() };
        let project = Project { id: TenantId("a".to_owned()), name: "a".to_owned() };
        let member = Actor::new(user, project, Grants { roles: vec![Role::Member], operator: false }, None, Via::Session);
        let narrowing = Narrowing { namespaces: Some(["web".to_owned()].into()), ..Narrowing::default() };
        let names = |actor: &Actor| catalogue.images_for(actor).map(|image| image.name).collect::<Vec<_>>();
        assert_eq!(names(&member), ["node", "own", "lent"]);
        assert_eq!(names(&Actor { narrowing, ..member }), ["node"]);
    }
}
