//! Storage classes: the driver of Cinder's volumes, the word by which one class is the default, and what a person asks for.

use crate::requests::{Rules, Violation, is_dns_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The driver of Cinder's volumes.
pub const CINDER: &str = "cinder.csi.openstack.org";
/// The annotation that says whether claims that name no class get this one.
pub const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
/// Its older form, which Kubernetes obeys, too.
pub const DEFAULT_BETA: &str = "storageclass.beta.kubernetes.io/is-default-class";

/// Whether a class of these annotations is the default.
#[must_use]
pub fn is_default(annotations: Option<&BTreeMap<String, String>>) -> bool {
    let says = |word| annotations.and_then(|words| words.get(word)).is_some_and(|value| value == "true");
    says(DEFAULT) || says(DEFAULT_BETA)
}

/// A class of Cinder's volumes as asked for. But for which one is the default, a class is not changed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageClassRequest {
    pub name: String,
    /// Name of a volume type of the cloud.
    pub volume_type: String,
    /// Default: `Delete`.
    #[serde(default)]
    pub reclaim_policy: StorageReclaim,
    /// Default: `WaitForFirstConsumer`.
    #[serde(default)]
    pub binding: StorageBinding,
    /// Whether claims may grow. Default: true.
    #[serde(default = "yes")]
    pub expandable: bool,
}

/// What becomes of a volume once its claim is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum StorageReclaim {
    #[default]
    Delete,
    Retain,
}

/// When a claim gets its volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum StorageBinding {
    /// Once a pod uses the claim.
    #[default]
    WaitForFirstConsumer,
    /// At once.
    Immediate,
}

fn yes() -> bool {
    true
}

impl StorageClassRequest {
    /// Every rule that is broken, whatever the cloud offers.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut rules = Rules(Vec::new());
        rules.must(is_dns_name(&self.name), "name", "must be a DNS name of a-z, 0-9, - and .");
        rules.must(!self.volume_type.is_empty(), "volume_type", "must name a volume type");
        rules.0
    }
}
