//! The local cloud as `kcs dev` runs it: on a loopback port, its servers as guests of this machine.

use local_cloud::{GuestConfig, GuestMachines, LocalCloud, LocalCloudConfig};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A running local cloud.
pub struct Local {
    /// Where all its services are.
    pub base_url: String,
    /// Its Keystone.
    pub auth_url: String,
    machines: Arc<GuestMachines>,
    server: actix_web::dev::ServerHandle,
    cloud: LocalCloud,
}
