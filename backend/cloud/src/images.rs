//! Glance: node images.

use crate::Result;
use async_trait::async_trait;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub id: String,
    pub name: String,
    /// `queued`, `saving`, `importing`, `active`, ...
    pub status: String,
    pub min_disk_gib: u32,
    pub min_ram_mib: u32,
    /// Of its bytes; None until Glance has them.
    pub size_bytes: Option<u64>,
    /// `public`, `private`, `shared`, `community`
    pub visibility: String,
    /// Free properties: `kcs_kubernetes_version`, `kcs_progress` (per cent, while it is being prepared), ...
    pub properties: BTreeMap<String, String>,
}

#[async_trait]
pub trait Images: Send + Sync {
    async fn images(&self) -> Result<Vec<Image>>;
    async fn images_by_name(&self, name: &str) -> Result<Vec<Image>>;
}
