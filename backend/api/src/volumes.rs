//! Volumes that workloads made, from both sides: as the cluster has them, and as the cloud does.

use crate::caller::Caller;
use crate::errors::Answer;
use crate::kubernetes::{DECORATION, persistent_volumes};
use crate::sight;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json, Path};
use cloud::volumes::Volume;
use domain::ids::ClusterId;
use domain::names;
use kube_access::reads::PersistentVolume;
use serde::Serialize;
use std::collections::BTreeMap;
use store::ClusterRecord;

/// A volume of workloads: in the cluster, in the cloud, or in both.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterVolume {
    /// Absent: the cluster has none that is this disk, or does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume: Option<PersistentVolume>,
    /// Absent: the cloud has no such disk that is marked as the cluster's, or does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
}

/// A volume of Cinder's.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Disk {
    pub id: String,
    pub name: String,
    /// Cinder's word: `available`, `in-use`, ...
    pub status: String,
    pub size_gib: u32,
    /// Claim that it was made for: `namespace/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterVolumes {
    pub items: Vec<ClusterVolume>,
    /// Whether the cluster has said what volumes it has.
    pub api_reachable: bool,
    /// Whether the cloud has said what disks the cluster has.
    pub cloud_reachable: bool,
}

impl ClusterVolume {
    fn claim(&self) -> Option<&str> {
        let inside = self.persistent_volume.as_ref().and_then(|volume| volume.claim.as_deref());
        inside.or_else(|| self.disk.as_ref()?.claim.as_deref())
    }
}

impl From<Volume> for Disk {
    fn from(volume: Volume) -> Self {
        Self { claim: claim(&volume), status: volume.status.as_str().to_owned(), id: volume.id, name: volume.name, size_gib: volume.size_gib }
    }
}

/// Volumes of workloads, each with its persistent volume in the cluster and its disk in the cloud.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = ClusterVolumes)))]
#[get("/clusters/{id}/volumes")]
pub async fn volume_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<ClusterVolumes>> {
    let record = sight::whole(&state, &caller.actor, *id).await?;
    let disks = tokio::time::timeout(DECORATION, in_cloud(&state, &caller, &record));
    let (disks, inside) = tokio::join!(disks, persistent_volumes(&state, &caller, &record));
    let disks = disks.ok().and_then(Result::ok);
    let (api_reachable, cloud_reachable) = (inside.is_some(), disks.is_some());
    let items = together(inside.unwrap_or_default(), disks.unwrap_or_default());
    Ok(Json(ClusterVolumes { items, api_reachable, cloud_reachable }))
}

/// Disks that workloads made, as the cloud knows them. The storage driver writes there whose they are.
///
/// # Errors
/// What the cloud answered.
pub async fn in_cloud(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<Vec<Volume>> {
    if !record.cluster.spec.addons.storage {
        return Ok(Vec::new());
    }
    let tag = names::cluster_tag(record.cluster.id);
    Ok(caller.cloud(state).await?.volumes.volumes_by_metadata(names::VOLUME_CLUSTER, &tag).await?)
}

/// The claim that a disk was made for, as the storage driver wrote it there.
#[must_use]
pub fn claim(disk: &Volume) -> Option<String> {
    let of = |key: &str| disk.metadata.get(key);
    Some(format!("{}/{}", of("csi.storage.k8s.io/pvc/namespace")?, of("csi.storage.k8s.io/pvc/name")?))
}

/// Each persistent volume with its disk, and the disks that are left.
fn together(inside: Vec<PersistentVolume>, disks: Vec<Volume>) -> Vec<ClusterVolume> {
    let mut left: BTreeMap<String, Volume> = disks.into_iter().map(|disk| (disk.id.clone(), disk)).collect();
    let mut items = Vec::new();
    for volume in inside {
        let disk = volume.handle.as_ref().and_then(|handle| left.remove(handle)).map(Disk::from);
        items.push(ClusterVolume { persistent_volume: Some(volume), disk });
    }
    items.extend(left.into_values().map(|disk| ClusterVolume { persistent_volume: None, disk: Some(disk.into()) }));
    items.sort_by(|a, b| a.claim().cmp(&b.claim()));
    items
}
