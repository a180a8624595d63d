//! The local cloud as `kcs dev` runs it: on a loopback port, its servers as guests of this machine.

use std::error::Error;
use std::path::Path;

/// A running local cloud.
pub struct Local {
    /// Where all its services are.
    pub base_url: String,
    /// Its Keystone.
    pub auth_url: String,
}

/// placeholder
pub async fn start(_: &Path, _: &str, _: u16) -> Result<Local, Box<dyn Error>> {
    Err("not yet".into())
}

impl Local {
    /// placeholder
    pub async fn stop(self) {}
}
