//! A full guest: the node image's own systemd, cloud-init, containerd and kubelet in namespaces and control groups of their own.
//!
//! Scripts make it (those of `tests/nodes`), as root. It is plugged into the same networks as simulated guests; its user-data and its
//! address come from a config drive. A guest is nobody's child: a reaper holds the end of a pipe of ours, and when we end, however we
//! end, it pulls the plug of every guest.

use super::guest::{Guest, SHUTDOWN_LIMIT, Settings, console_path, remove_disk};
use crate::process;
use crate::traffic::network::Network;
use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// Where the scripts and the node image are.
#[derive(Clone, Debug)]
pub struct FullGuests {
    /// Directory of `guest-up.sh` and its siblings.
    scripts: PathBuf,
    image: PathBuf,
}

impl FullGuests {
    /// Whether this machine lets us make full guests below this directory.
    ///
    /// # Errors
    /// What is missing, in words for the user.
    pub fn check(state_dir: &Path) -> Result<(), String> {
        fs::create_dir_all(state_dir).map_err(|e| format!("{}: {e}", state_dir.display()))?;
        usable(state_dir)
    }

    /// Builds the node image, if it is not there, with the recipe `image.sh` in a directory beside whose `guests` are the scripts.
    ///
    /// # Errors
    /// The recipe's last words.
    pub fn prepare(recipes: &Path, state_dir: &Path) -> Result<Self, String> {
        let (recipe, nodes_dir, log) = (recipes.join("image.sh"), super::nodes_dir(), state_dir.join("image.log"));
        let failed = |e: std::io::Error| format!("{}: {e}", recipe.display());
        let file = File::create(&log).map_err(failed)?;
        let errors = file.try_clone().map_err(failed)?;
        let mut command = Command::new(&recipe);
        command.env("NODES_DIR", &nodes_dir).stdin(Stdio::null()).stdout(file).stderr(errors);
        if !command.status().map_err(failed)?.success() {
            return Err(format!("the image of full nodes could not be built: {} (see {})", process::last_line(&log), log.display()));
        }
        Ok(Self { scripts: recipes.join("guests"), image: nodes_dir.join("image") })
    }
}

/// Whether this machine lets us make full guests; else what is missing.
fn usable(state_dir: &Path) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("full nodes need root: they mount file systems, make devices and join control groups".to_owned());
    }
    for (tool, package) in
        [("ip", "iproute2"), ("nsenter", "util-linux"), ("unshare", "util-linux"), ("setsid", "util-linux"), ("script", "bsdutils")]
    {
        if Command::new(tool).arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return Err(format!("full nodes need the command `{tool}` (Debian package {package})"));
        }
    }
    control_groups().map_err(|e| format!("full nodes need control groups of their own, which this machine refuses: {e}"))?;
    let probe = state_dir.join("probe");
    let laid = Command::new("unshare").args(["--mount", "sh", "-euc", OVERLAY_PROBE, "sh"]).arg(&probe).stdin(Stdio::null()).output();
    let laid = laid.map_err(|e| format!("unshare: {e}"))?;
    drop(fs::remove_dir_all(&probe));
    if laid.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&laid.stderr).trim().to_owned();
    Err(format!("full nodes need a state directory that an overlay file system can lie on, unlike {}: {why}", state_dir.display()))
}

const OVERLAY_PROBE: &str = "mkdir -p \"$1/lower\" \"$1/upper\" \"$1/work\" \"$1/root\"
    mount -t overlay overlay -o \"lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work\" \"$1/root\"";

/// Makes and removes a control group.
fn control_groups() -> std::io::Result<()> {
    let base = Path::new("/sys/fs/cgroup");
    let tree = if base.join("cgroup.controllers").exists() { base.to_owned() } else { base.join("memory") };
    let probe = tree.join(format!("kcs-probe-{}", std::process::id()));
    fs::create_dir(&probe)?;
    fs::remove_dir(probe)
}

/// What all full guests share.
pub struct Full {
    config: FullGuests,
    /// Disks and run-time state, as the scripts lay them out.
    dir: PathBuf,
    version: String,
    /// Networks are named one at a time.
    naming: Mutex<()>,
    /// Pulls every plug when its standard input ends. None: it was told to. Guests boot while this is read.
    reaper: RwLock<Option<Child>>,
}

impl Full {
    /// Pulls the plug of guests that an earlier run has left, and sees to it that ours do not outlive us.
    pub fn new(config: FullGuests, dir: PathBuf) -> Result<Self, String> {
        let failed = |e: std::io::Error| format!("{}: {e}", dir.display());
        fs::create_dir_all(&dir).map_err(failed)?;
        let version = fs::read_to_string(config.image.join("rootfs/etc/kubernetes-version"))
            .map_err(|e| format!("there is no node image in {}: {e}", config.image.display()))?;
        if fs::metadata(&config.image).map_err(failed)?.dev() != fs::metadata(&dir).map_err(failed)?.dev() {
            let (image, dir) = (config.image.display(), dir.display());
            return Err(format!("the node image ({image}) and the state directory ({dir}) must be on one file system: guests share its files"));
        }
        let full = Self { config, dir, version: version.trim().to_owned(), naming: Mutex::default(), reaper: RwLock::default() };
        full.run("", "all-down.sh", |_| (), &full.dir.join("down.log"))?;
        let reaper = full.command("", "all-down.sh").arg("--when-alone").stdin(Stdio::piped()).process_group(0).spawn();
        *full.reaper.write().unwrap_or_else(PoisonError::into_inner) = Some(reaper.map_err(|e| format!("all-down.sh: {e}"))?);
        Ok(full)
    }

    /// The version of Kubernetes in the node image.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Pulls the plug of every guest; their disks stay, and none boots any more.
    pub fn end(&self) {
        let reaper = self.reaper.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut reaper) = reaper {
            drop(reaper.stdin.take());
            drop(reaper.wait());
        }
    }

    /// Lets go of a network that no server is in any more.
    pub fn network_down(&self, network: &str) {
        let namespace = namespace(network);
        if self.dir.join("run").join(&namespace).exists() {
            if let Err(reason) = self.run(&namespace, "net-down.sh", |_| (), &self.dir.join("down.log")) {
                tracing::error!(network, "{reason}");
            }
            drop(fs::remove_dir(self.dir.join("guests").join(namespace)));
        }
    }

    fn command(&self, namespace: &str, script: &str) -> Command {
        let mut command = Command::new(self.config.scripts.join(script));
        command
            .env("NODES_DIR", &self.dir)
            .env("NODES_IMAGE", &self.config.image)
            .env("NODES_NS", namespace)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs a script; if it fails, its last words are the reason.
    fn run(&self, namespace: &str, script: &str, settings: impl FnOnce(&mut Command), log: &Path) -> Result<(), String> {
        // Not a pipe: what a script leaves running would hold it open.
        let errors = File::create(log).map_err(|e| format!("{}: {e}", log.display()))?;
        let mut command = self.command(namespace, script);
        settings(&mut command);
        let status = command.stderr(errors).status().map_err(|e| format!("{script}: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("{script}: {}", process::last_line(log))) }
    }
}

/// Of a network, as the scripts know it.
fn namespace(network: &str) -> String {
    format!("kl{}", network.chars().take(8).collect::<String>())
}

pub struct FullGuest {
    dir: PathBuf,
    settings: Settings,
    full: Arc<Full>,
    /// Its first process, and its network, which ends when nobody holds it.
    running: Option<(OwnedFd, Arc<Network>)>,
}

impl FullGuest {
    pub fn new(dir: PathBuf, settings: Settings, full: Arc<Full>) -> Self {
        Self { dir, settings, full, running: None }
    }

    /// Writes what a first boot needs onto a new disk.
    pub fn lay_down(dir: &Path, user_data: Option<&[u8]>) -> std::io::Result<()> {
        fs::write(dir.join("user-data"), user_data.unwrap_or_default())
    }

    /// The server's id.
    fn id(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn run(&self, script: &str, settings: impl FnOnce(&mut Command)) -> Result<(), String> {
        self.full.run(&namespace(&self.settings.network), script, settings, &self.dir.join("guest.log"))
    }

    fn boot(&self, network: &Network) -> Result<OwnedFd, String> {
        let (id, full, settings) = (self.id(), &self.full, &self.settings);
        if settings.kubernetes_version.as_ref().is_some_and(|v| *v != full.version) {
            return Err(format!("full nodes have Kubernetes {}, the only version there is a node image of", full.version));
        }
        let reaper = full.reaper.read().unwrap_or_else(PoisonError::into_inner);
        if reaper.is_none() {
            return Err("everything is being shut down".to_owned());
        }
        {
            let _one = full.naming.lock().unwrap_or_else(PoisonError::into_inner);
            let named = |command: &mut Command| {
                command.arg(network.pid().to_string());
                command.env("NODES_CIDR", settings.subnet.to_string()).env("NODES_GW", settings.gateway.to_string());
            };
            self.run("net-adopt.sh", named)?;
        }
        // One that ended by itself leaves its place in the network and its control groups.
        self.power_off(Duration::ZERO)?;
        let up = |command: &mut Command| {
            command.args([&id, &settings.address.to_string()]).arg(self.dir.join("user-data"));
            command.args(["--config-drive", "--id", &id, "--mac", &settings.mac, "--hostname", &settings.name]);
            command.args(["--memory", &format!("{}M", settings.ram_mib), "--console"]).arg(console_path(&self.dir));
        };
        self.run("guest-up.sh", up)?;
        let pid = full.dir.join("guests").join(namespace(&settings.network)).join(&id).join("pid");
        let pid = fs::read_to_string(pid).unwrap_or_default();
        pid.trim().parse().ok().and_then(process::handle).ok_or_else(|| format!("{} ended while it booted", settings.name))
    }

    fn power_off(&self, limit: Duration) -> Result<(), String> {
        let tenths = (limit.as_millis() / 100).to_string();
        self.run("guest-down.sh", |command| {
            command.args([self.id().as_str(), "--keep"]).env("STOP_TIMEOUT", tenths);
        })
    }

    fn end(&mut self, limit: Duration) {
        let Some((init, _)) = self.running.take() else { return };
        if !process::ended(init.as_fd())
            && let Err(reason) = self.power_off(limit)
        {
            tracing::error!(server = %self.settings.name, "{reason}");
        }
    }
}

impl Guest for FullGuest {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn start(&mut self, network: Arc<Network>) -> Result<(), String> {
        if !self.running() {
            let init = self.boot(&network)?;
            self.running = Some((init, network));
        }
        Ok(())
    }

    fn running(&mut self) -> bool {
        self.running.as_ref().is_some_and(|(init, network)| !process::ended(init.as_fd()) && !network.ended().is_cancelled())
    }

    fn stop(&mut self) {
        self.end(SHUTDOWN_LIMIT);
    }

    fn crash(&mut self) {
        self.end(Duration::ZERO);
    }

    fn erase(&mut self) -> Result<(), String> {
        self.running = None;
        let id = self.id();
        self.run("guest-down.sh", |command| {
            command.arg(id).env("STOP_TIMEOUT", "0");
        })?;
        remove_disk(&self.dir)
    }
}
