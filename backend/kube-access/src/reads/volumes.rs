//! Persistent volumes: whose claim each is, which volume of the cloud, and what becomes of it once its claim is gone.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, created_at};
use crate::{Impersonation, KubeError};
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PersistentVolume {
    pub name: String,
    /// `Available`, `Bound`, `Released`, `Failed`.
    pub phase: String,
    /// A quantity, as Kubernetes writes it.
    pub capacity: String,
    /// `namespace/name` of the claim that has it, or had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `Delete`, `Retain`, `Recycle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaim_policy: Option<String>,
    /// `ReadWriteOnce`, ...
    pub access_modes: Vec<String>,
    /// `cinder.csi.openstack.org` for volumes of the cloud. Absent: no driver made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// What its driver calls it: of Cinder's the volume's id. Absent: no driver made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

impl Reads {
    pub async fn persistent_volumes(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<PersistentVolume>, KubeError> {
        self.list(who, query).await
    }
}

impl Listed for PersistentVolume {
    type Object = v1::PersistentVolume;
    const GROUP: &'static str = "/api/v1";
    const RESOURCE: &'static str = "persistentvolumes";
    const NAMESPACED: bool = false;

    fn metadata(object: &v1::PersistentVolume) -> &ObjectMeta {
        &object.metadata
    }

    fn of(volume: v1::PersistentVolume) -> Self {
        let created_at = created_at(&volume.metadata);
        let spec = volume.spec.unwrap_or_default();
        let (driver, handle) = spec.csi.map(|csi| (csi.driver, csi.volume_handle)).unzip();
        Self {
            name: volume.metadata.name.unwrap_or_default(),
            phase: volume.status.and_then(|status| status.phase).unwrap_or_else(|| "Pending".to_owned()),
            capacity: spec.capacity.unwrap_or_default().remove("storage").map(|size| size.0).unwrap_or_default(),
            claim: spec.claim_ref.and_then(|claim| Some(format!("{}/{}", claim.namespace?, claim.name?))),
            storage_class: spec.storage_class_name.filter(|class| !class.is_empty()),
            reclaim_policy: spec.persistent_volume_reclaim_policy,
            access_modes: spec.access_modes.unwrap_or_default(),
            driver,
            handle,
            created_at,
        }
    }
}
