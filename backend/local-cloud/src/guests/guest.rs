//! One guest: its disk (a directory), its console log, and what plays it.

use super::full::{Full, FullGuest};
use super::simulated::{Programs, SimulatedGuest};
use crate::machines::Boot;
use crate::traffic::network::Network;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Longest piece of the console log that is handed out.
const CONSOLE_BYTES: u64 = 1 << 20;
/// How long an orderly power off may take, as Nova's `shutdown_timeout`, but shorter.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(15);

/// What a guest is started with, kept on its disk.
#[derive(Clone, Serialize, Deserialize)]
pub struct Settings {
    pub name: String,
    pub network: String,
    pub subnet: Ipv4Net,
    pub gateway: Ipv4Addr,
    pub address: Ipv4Addr,
    pub mac: String,
    pub vcpus: u32,
    pub ram_mib: u32,
    pub kubernetes_version: Option<String>,
    /// A whole system with containers; else one that simulates them.
    #[serde(default)]
    pub full: bool,
}

/// Ways to play a guest.
pub struct Players {
    pub programs: Arc<Programs>,
    /// Servers are full guests if there is this.
    pub full: Option<Arc<Full>>,
}

/// A server's machine.
pub trait Guest: Send {
    fn settings(&self) -> &Settings;
    /// Powers it on; returns when its network is up. Nothing to do for one that runs.
    fn start(&mut self, network: Arc<Network>) -> Result<(), String>;
    fn running(&mut self) -> bool;
    /// Orderly power off; pulls the plug when it takes too long.
    fn stop(&mut self);
    /// Pulls the plug.
    fn crash(&mut self);
    /// Pulls the plug and forgets the disk.
    fn erase(&mut self) -> Result<(), String>;
}

/// Makes the disk of a new server.
pub fn create(dir: PathBuf, boot: &Boot, players: &Players) -> Result<Box<dyn Guest>, String> {
    let settings = Settings {
        name: host_name(&boot.name),
        network: boot.network.clone(),
        subnet: boot.subnet,
        gateway: boot.gateway,
        address: boot.address,
        mac: boot.mac.clone(),
        vcpus: boot.vcpus,
        ram_mib: boot.ram_mib,
        kubernetes_version: boot.kubernetes_version.clone(),
        full: players.full.is_some(),
    };
    let failed = |e: std::io::Error| format!("{}: {e}", dir.display());
    fs::create_dir_all(&dir).map_err(failed)?;
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(failed)?; // user-data holds secrets
    let user_data = boot.user_data.as_deref();
    if settings.full {
        FullGuest::lay_down(&dir, user_data).map_err(failed)?;
    } else {
        SimulatedGuest::lay_down(&dir, user_data).map_err(failed)?;
    }
    fs::write(dir.join("guest.json"), serde_json::to_vec_pretty(&settings).map_err(|e| e.to_string())?).map_err(failed)?;
    Ok(guest(dir, settings, players))
}

/// A server found on disk, if there is one.
///
/// # Errors
/// When an earlier run has made it of the other kind: half a cluster of each would be no use.
pub fn load(dir: PathBuf, players: &Players) -> Result<Option<Box<dyn Guest>>, String> {
    let read = |file: PathBuf| serde_json::from_slice::<Settings>(&fs::read(file).ok()?).ok();
    let Some(settings) = read(dir.join("guest.json")) else { return Ok(None) };
    if settings.full != players.full.is_some() {
        let kind = if settings.full { "full" } else { "simulated" };
        return Err(format!("there are clusters of {kind} nodes: go on with --nodes {kind}, or forget them with --reset"));
    }
    Ok(Some(guest(dir, settings, players)))
}

fn guest(dir: PathBuf, settings: Settings, players: &Players) -> Box<dyn Guest> {
    match &players.full {
        Some(full) => Box::new(FullGuest::new(dir, settings, Arc::clone(full))),
        None => Box::new(SimulatedGuest::new(dir, settings, Arc::clone(&players.programs))),
    }
}

/// Removes a server's disk; one that is not there is no error.
pub fn remove_disk(dir: &Path) -> Result<(), String> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", dir.display())),
        _ => Ok(()),
    }
}

pub fn console_path(disk: &Path) -> PathBuf {
    disk.join("console.log")
}

/// The end of the console log, all of it unless it is very long.
pub fn console(disk: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = fs::File::open(console_path(disk)) {
        let length = file.metadata().map_or(0, |m| m.len());
        let _ = file.seek(SeekFrom::Start(length.saturating_sub(CONSOLE_BYTES)));
        let _ = file.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A server's name as a host name, as Nova makes it.
fn host_name(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' || c == '_' { '-' } else { c })
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        .take(63)
        .collect();
    let trimmed = kept.trim_matches(['-', '.']);
    if trimmed.is_empty() { "server".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn makes_host_names_of_server_names() {
        for (name, host) in [("k-prod-m1", "k-prod-m1"), ("My Server_1", "my-server-1"), ("-测试-", "server"), ("a..", "a")] {
            assert_eq!(super::host_name(name), host);
        }
    }
}
