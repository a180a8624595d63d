//! Nova: servers, server groups, flavors, zones, limits.

use crate::Result;
use async_trait::async_trait;
use secrecy::SecretString;
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flavor {
    pub id: String,
    pub name: String,
    pub vcpus: u32,
    pub ram_mib: u32,
    /// GiB; 0: only servers that boot from a volume.
    pub disk_gib: u32,
    pub public: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub name: String,
    pub available: bool,
}

/// Used and allowed in the project; `None`: no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    pub used: u64,
    pub limit: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComputeLimits {
    pub instances: Limit,
    pub vcpus: Limit,
    pub ram_mib: Limit,
    pub server_groups: Limit,
    pub server_group_members: Option<u64>,
}

/// Nova's status, those we act on; the rest is `Other`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerStatus {
    Build,
    Active,
    Shutoff,
    Error,
    Deleted,
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub id: String,
    pub name: String,
    pub status: ServerStatus,
    pub metadata: BTreeMap<String, String>,
    /// Nova's fault text, when in ERROR.
    pub fault: Option<String>,
    pub zone: Option<String>,
    pub created_at: Option<OffsetDateTime>,
}

/// A person's public key, as Nova keeps it for that person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    pub name: String,
    pub public_key: String,
}

/// A server to be made, tied to a port made before: it boots from a volume, or from an image onto its flavor's own disk.
#[derive(Clone, Debug)]
pub struct NewServer {
    pub name: String,
    pub flavor_id: String,
    pub port_id: String,
    /// Root volume made before; deleted with the server. None: the flavor's own disk, from `image_id`.
    pub volume_id: Option<String>,
    pub image_id: Option<String>,
    /// Further volumes made before, in their order; deleted with the server.
    pub data_volume_ids: Vec<String>,
    pub server_group_id: Option<String>,
    pub zone: Option<String>,
    pub user_data: SecretString,
    pub metadata: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    pub id: String,
    pub name: String,
    pub members: Vec<String>,
}

#[async_trait]
pub trait Compute: Send + Sync {
    async fn flavors(&self) -> Result<Vec<Flavor>>;
    async fn zones(&self) -> Result<Vec<Zone>>;
    async fn limits(&self) -> Result<ComputeLimits>;
    /// Servers whose name begins with `prefix` (all pages).
    async fn servers(&self, prefix: &str) -> Result<Vec<Server>>;
    async fn server(&self, id: &str) -> Result<Server>;
    async fn create_server(&self, server: &NewServer) -> Result<String>;
    async fn delete_server(&self, id: &str) -> Result<()>;
    async fn start_server(&self, id: &str) -> Result<()>;
    async fn stop_server(&self, id: &str) -> Result<()>;
    async fn reboot_server(&self, id: &str, hard: bool) -> Result<()>;
    async fn attach_volume(&self, server_id: &str, volume_id: &str) -> Result<()>;
    /// The last `lines` lines; untrusted text.
    async fn console_output(&self, id: &str, lines: u32) -> Result<String>;
    /// Key pairs of the caller, not of the project.
    async fn key_pairs(&self) -> Result<Vec<KeyPair>>;
    async fn server_groups(&self) -> Result<Vec<ServerGroup>>;
    /// Policy `soft-anti-affinity` (microversion 2.15).
    async fn create_server_group(&self, name: &str) -> Result<String>;
    /// Fails when there is none of this id.
    async fn server_group(&self, id: &str) -> Result<()>;
    async fn delete_server_group(&self, id: &str) -> Result<()>;
}
