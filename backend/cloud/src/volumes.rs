//! Cinder: volumes, volume types, quotas. Ownership is marked in metadata.

use crate::Result;
use crate::compute::{Limit, Zone};
use async_trait::async_trait;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeType {
    pub id: String,
    pub name: String,
    pub public: bool,
    pub default: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeStatus {
    Creating,
    Downloading,
    Available,
    InUse,
    Deleting,
    Error,
    Other(String),
}

impl VolumeStatus {
    /// Cinder's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "creating",
            Self::Downloading => "downloading",
            Self::Available => "available",
            Self::InUse => "in-use",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::Other(word) => word,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub id: String,
    pub name: String,
    pub status: VolumeStatus,
    pub size_gib: u32,
    pub metadata: BTreeMap<String, String>,
    /// Servers it is attached to.
    pub attached_to: Vec<String>,
}

/// Who holds a volume, as Cinder sees it: also a server that has only reserved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeAttachment {
    pub id: String,
    pub server_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub id: String,
    pub name: String,
    pub volume_id: String,
    pub size_gib: u32,
}

#[derive(Clone, Debug)]
pub struct NewVolume {
    pub name: String,
    pub size_gib: u32,
    pub image_id: Option<String>,
    pub volume_type: Option<String>,
    pub zone: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeLimits {
    pub volumes: Limit,
    pub gigabytes: Limit,
    /// Of single volume types, those that have a limit: `volumes_ssd`, `gigabytes_ssd`. None where the cloud does not tell.
    pub of_types: BTreeMap<String, Limit>,
    /// GiB that one volume may have; None: no limit, or not told.
    pub largest_gib: Option<u64>,
}

#[async_trait]
pub trait Volumes: Send + Sync {
    async fn volume_types(&self) -> Result<Vec<VolumeType>>;
    /// Those that volumes are in, which need not be Nova's.
    async fn zones(&self) -> Result<Vec<Zone>>;
    /// All of the project's.
    async fn volumes(&self) -> Result<Vec<Volume>>;
    /// Volumes carrying this metadata pair (all pages).
    async fn volumes_by_metadata(&self, key: &str, value: &str) -> Result<Vec<Volume>>;
    async fn volume(&self, id: &str) -> Result<Volume>;
    async fn create_volume(&self, volume: &NewVolume) -> Result<String>;
    /// Refused while it has snapshots.
    async fn delete_volume(&self, id: &str) -> Result<()>;
    /// With its snapshots: for one whose data is to be erased.
    async fn erase_volume(&self, id: &str) -> Result<()>;
    async fn volume_attachments(&self, volume: &str) -> Result<Vec<VolumeAttachment>>;
    /// Refused while Nova has the server (CVE-2023-2088).
    async fn delete_volume_attachment(&self, id: &str) -> Result<()>;
    /// All snapshots of the project.
    async fn snapshots(&self) -> Result<Vec<Snapshot>>;
    async fn delete_snapshot(&self, id: &str) -> Result<()>;
    async fn limits(&self, project_id: &str) -> Result<VolumeLimits>;
}
