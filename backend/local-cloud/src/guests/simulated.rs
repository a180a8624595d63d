//! A simulated guest: the machine's own programs in namespaces of their own, without root, and a stand-in for the kubelet.

use super::guest::{Guest, SHUTDOWN_LIMIT, Settings, console_path, remove_disk};
use super::user_data;
use crate::process;
use crate::traffic::network::Network;
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A guest takes 0.2 s; a busy machine may need longer.
const BOOT_LIMIT: Duration = Duration::from_secs(60);

/// What all simulated guests run.
pub struct Programs {
    pub scripts: PathBuf,
    /// Kubernetes binaries.
    pub kubernetes_dir: PathBuf,
}

pub struct SimulatedGuest {
    dir: PathBuf,
    settings: Settings,
    programs: Arc<Programs>,
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

impl SimulatedGuest {
    pub fn new(dir: PathBuf, settings: Settings, programs: Arc<Programs>) -> Self {
        Self { dir, settings, programs, running: None }
    }

    /// Writes what a first boot needs onto a new disk.
    pub fn lay_down(dir: &Path, user_data: Option<&[u8]>) -> std::io::Result<()> {
        user_data.map_or(Ok(()), |user_data| fs::write(dir.join("user-data.sh"), user_data::script(user_data)))
    }

    fn command(&self, network: &Network, stdin: UnixStream) -> Result<Command, String> {
        let console = fs::OpenOptions::new().create(true).append(true).open(console_path(&self.dir)).map_err(|e| e.to_string())?;
        let errors = console.try_clone().map_err(|e| e.to_string())?;
        let settings = &self.settings;
        let mut command = Command::new("nsenter");
        command
            .args(["-t", &network.pid().to_string(), "-U", "-n", "-m", "-p", "-u", "-i", "--preserve-credentials", "--"])
            .args(["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "bash"])
            .arg(self.programs.scripts.join("init.sh"))
            .env("DIR", &self.dir)
            .env("NAME", &settings.name)
            .env("ADDRESS", settings.address.to_string())
            .env("PREFIX", settings.subnet.prefix_len().to_string())
            .env("GATEWAY", settings.gateway.to_string())
            .env("CACHE", &self.programs.kubernetes_dir)
            .env("VERSION", settings.kubernetes_version.as_deref().unwrap_or_default())
            .env("SCRIPTS", &self.programs.scripts)
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
}

impl Guest for SimulatedGuest {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn start(&mut self, network: Arc<Network>) -> Result<(), String> {
        if self.running() {
            return Ok(());
        }
        let (ours, theirs) = UnixStream::pair().map_err(|e| e.to_string())?;
        let mut outer = self.command(&network, theirs)?.spawn().map_err(|e| format!("nsenter: {e}"))?;
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

    fn running(&mut self) -> bool {
        let running = self.running.as_mut().is_some_and(|r| matches!(r.outer.try_wait(), Ok(None)));
        if !running {
            self.running = None;
        }
        running
    }

    fn stop(&mut self) {
        if let Some(running) = &self.running {
            process::signal(&running.init, Signal::TERM);
            process::wait_end(running.init.as_fd(), SHUTDOWN_LIMIT);
        }
        self.crash();
    }

    fn crash(&mut self) {
        if let Some(mut running) = self.running.take() {
            process::signal(&running.init, Signal::KILL);
            let _ = running.outer.wait();
        }
    }

    fn erase(&mut self) -> Result<(), String> {
        self.crash();
        // The overlay file system leaves a directory that even its owner may not read.
        let _ = fs::set_permissions(self.dir.join("usr.work/work"), fs::Permissions::from_mode(0o700));
        remove_disk(&self.dir)
    }
}

impl Drop for SimulatedGuest {
    fn drop(&mut self) {
        self.crash();
    }
}
