//! What the cloud offers to build clusters from, as the person's own token sees it.

use crate::errors::{Answer, Problem};
use crate::lists::List;
use actix_web::{HttpResponse, get};
use domain::codes::Code;
use serde::Serialize;

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

/// Flavors the project may use.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Flavor>)))]
#[get("/flavors")]
pub async fn flavor_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Images the project may use.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Image>)))]
#[get("/images")]
pub async fn image_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Availability zones.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Zone>)))]
#[get("/zones")]
pub async fn zone_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Volume types.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<VolumeType>)))]
#[get("/volume-types")]
pub async fn volume_type_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// External networks.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<ExternalNetwork>)))]
#[get("/networks")]
pub async fn network_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Kubernetes versions offered.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Version>)))]
#[get("/versions")]
pub async fn version_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
