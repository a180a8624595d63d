//! Storage classes: which volumes claims get.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, created_at};
use crate::{Impersonation, KubeError};
use domain::addons::LABEL;
use domain::storage_classes::{CINDER, is_default};
use k8s_openapi::api::storage::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use time::OffsetDateTime;

/// A storage class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StorageClass {
    pub name: String,
    /// The driver that makes the volumes: `cinder.csi.openstack.org` for those of the cloud.
    pub provisioner: String,
    /// The cloud's volume type. Absent: the cloud's default type, or no volumes of the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
    /// `Delete`, `Retain`: what becomes of a volume once its claim is gone.
    pub reclaim_policy: String,
    /// `WaitForFirstConsumer`, `Immediate`: when a claim gets its volume.
    pub binding: String,
    /// Whether claims may grow.
    pub expandable: bool,
    /// Whether claims that name no class get this one.
    pub default: bool,
    /// Of an add-on of the cluster's, which makes it again where it is deleted.
    pub managed: bool,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

impl Reads {
    pub async fn storage_classes(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<StorageClass>, KubeError> {
        self.list(who, query).await
    }
}

impl Listed for StorageClass {
    type Object = v1::StorageClass;
    const GROUP: &'static str = "/apis/storage.k8s.io/v1";
    const RESOURCE: &'static str = "storageclasses";
    const NAMESPACED: bool = false;

    fn metadata(object: &v1::StorageClass) -> &ObjectMeta {
        &object.metadata
    }

    fn of(class: v1::StorageClass) -> Self {
        let cinder = class.provisioner == CINDER;
        Self {
            default: is_default(class.metadata.annotations.as_ref()),
            managed: class.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(LABEL)),
            created_at: created_at(&class.metadata),
            name: class.metadata.name.unwrap_or_default(),
            provisioner: class.provisioner,
            volume_type: class.parameters.unwrap_or_default().remove("type").filter(|_| cinder),
            reclaim_policy: class.reclaim_policy.unwrap_or_else(|| "Delete".to_owned()),
            binding: class.volume_binding_mode.unwrap_or_else(|| "Immediate".to_owned()),
            expandable: class.allow_volume_expansion == Some(true),
        }
    }
}
