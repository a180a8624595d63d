//! Persistent volumes: which volume of the cloud each is, and what becomes of it once its claim is gone.

use super::Reads;
use super::list::{Listed, Page, ReadQuery};
use crate::{Impersonation, KubeError};
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistentVolume {
    /// What its driver calls it: of Cinder's the volume's id. None: no driver made it.
    pub handle: Option<String>,
    /// `Delete`, `Retain`, `Recycle`.
    pub reclaim_policy: Option<String>,
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
        let spec = volume.spec.unwrap_or_default();
        Self { handle: spec.csi.map(|csi| csi.volume_handle), reclaim_policy: spec.persistent_volume_reclaim_policy }
    }
}
