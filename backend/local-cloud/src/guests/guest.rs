//! One guest: its disk (a directory), its processes, its console log.

use super::user_data;
use crate::machines::Boot;
use crate::process;
use crate::traffic::network::Network;
use ipnet::Ipv4Net;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Longest piece of the console log that is handed out.
const CONSOLE_BYTES: u64 = 1 << 20;
/// A guest takes 0.2 s; a busy machine may need longer.
const BOOT_LIMIT: Duration = Duration::from_secs(60);
/// How long an orderly power off may take, as Nova's `shutdown_timeout`, but shorter.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(15);

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
}

pub struct Guest {
    dir: PathBuf,
    pub settings: Settings,
    running: Option<Running>,
}

struct Running {
    /// `nsenter`, our child; it ends with the guest.
    outer: Child,
    /// The guest's first process.
    init: OwnedFd,
    /// Kept while the guest runs: the network ends when nobody holds it.
    _network: Arc<Network>,
}

impl Guest {
    /// Makes the disk of a new server.
    pub fn create(dir: PathBuf, boot: &Boot) -> Result<Self, String> {
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
        };
        let failed = |e: std::io::Error| format!("{}: {e}", dir.display());
        fs::create_dir_all(&dir).map_err(failed)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(failed)?; // user-data holds secrets
        if let Some(user_data) = &boot.user_data {
            fs::write(dir.join("user-data.sh"), user_data::script(user_data)).map_err(failed)?;
        }
        fs::write(dir.join("guest.json"), serde_json::to_vec_pretty(&settings).map_err(|e| e.to_string())?).map_err(failed)?;
        Ok(Self { dir, settings, running: None })
    }

    /// A server found on disk.
    pub fn load(dir: PathBuf) -> Option<Self> {
        let settings = serde_json::from_slice(&fs::read(dir.join("guest.json")).ok()?).ok()?;
        Some(Self { dir, settings, running: None })
    }

    pub fn running(&mut self) -> bool {
        let running = self.running.as_mut().is_some_and(|r| matches!(r.outer.try_wait(), Ok(None)));
        if !running {
            self.running = None;
        }
        running
    }

    /// Powers the guest on; returns when its network is up.
    pub fn start(&mut self, network: Arc<Network>, scripts: &Path, cache: &Path) -> Result<(), String> {
        if self.running() {
            return Ok(());
        }
        let (ours, theirs) = UnixStream::pair().map_err(|e| e.to_string())?;
        let mut outer = self.command(&network, scripts, cache, theirs)?.spawn().map_err(|e| format!("nsenter: {e}"))?;
        match self.plug_in(ours, outer.id(), &network) {
            Ok(init) => {
                self.running = Some(Running { outer, init, _network: network });
                Ok(())
            }
            Err(reason) => {
                for pid in [process::only_child(outer.id()), Some(outer.id())].into_iter().flatten() {
                    process::kill(pid); // `unshare --kill-child` takes the guest along
                }
                let _ = outer.wait();
                Err(format!("{} does not boot: {reason}", self.settings.name))
            }
        }
    }

    fn command(&self, network: &Network, scripts: &Path, cache: &Path, stdin: UnixStream) -> Result<Command, String> {
        let console = fs::OpenOptions::new().create(true).append(true).open(console_path(&self.dir)).map_err(|e| e.to_string())?;
        let errors = console.try_clone().map_err(|e| e.to_string())?;
        let settings = &self.settings;
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &network.pid().to_string(), "-U", "-n", "-m", "-p", "-u", "-i", "--preserve-credentials", "--"])
            .args(["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "bash"])
            .arg(scripts.join("init.sh"))
            .env("DIR", &self.dir)
            .env("NAME", &settings.name)
            .env("ADDRESS", settings.address.to_string())
            .env("PREFIX", settings.subnet.prefix_len().to_string())
            .env("GATEWAY", settings.gateway.to_string())
            .env("CACHE", cache)
            .env("VERSION", settings.kubernetes_version.as_deref().unwrap_or_default())
            .env("SCRIPTS", scripts)
            .env("VCPUS", settings.vcpus.to_string())
            .env("RAM_MIB", settings.ram_mib.to_string())
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(stdin)))
            .stdout(Stdio::from(console))
            .stderr(Stdio::from(errors))
            .process_group(0);
        Ok(command)
    }

    /// The guest's words and ours while it boots (see `scripts/init.sh`).
    fn plug_in(&self, socket: UnixStream, outer: u32, network: &Network) -> Result<OwnedFd, String> {
        socket.set_read_timeout(Some(BOOT_LIMIT)).map_err(|e| e.to_string())?;
        let mut writer = socket.try_clone().map_err(|e| e.to_string())?;
        let mut lines = BufReader::new(socket).lines();
        let mut expect = |word: &str| match lines.next() {
            Some(Ok(line)) if line == word => Ok(()),
            Some(Err(e)) => Err(e.to_string()),
            _ => Err(process::last_line(&console_path(&self.dir))),
        };
        expect("built")?;
        let pid = process::only_child(outer).and_then(process::only_child).ok_or("its first process is gone")?;
        let init = process::handle(pid).ok_or("its first process is gone")?;
        network.plug(pid, self.settings.address, &self.settings.mac)?;
        writer.write_all(b"plugged\n").map_err(|e| e.to_string())?;
        expect("booted")?;
        Ok(init)
    }

    /// Orderly power off; pulls the plug when it takes too long.
    pub fn stop(&mut self) {
        if let Some(running) = &self.running {
            process::signal(&running.init, Signal::TERM);
            process::wait_end(running.init.as_fd(), SHUTDOWN_LIMIT);
        }
        self.crash();
    }

    /// Pulls the plug.
    pub fn crash(&mut self) {
        if let Some(mut running) = self.running.take() {
            process::signal(&running.init, Signal::KILL);
            let _ = running.outer.wait();
        }
    }

    /// Pulls the plug and forgets the disk.
    pub fn erase(&mut self) -> Result<(), String> {
        self.crash();
        // The overlay file system leaves a directory that even its owner may not read.
        let _ = fs::set_permissions(self.dir.join("usr.work/work"), fs::Permissions::from_mode(0o700));
        match fs::remove_dir_all(&self.dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {e}", self.dir.display())),
            _ => Ok(()),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.crash();
    }
}

fn console_path(disk: &Path) -> PathBuf {
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
