//! Servers as guests: sets of Linux namespaces with their own network stack, disk and processes.
//!
//! A guest runs its server's user-data and the real Kubernetes binaries. Simulated guests need no root, daemon or image, and only
//! pretend to run containers; full ones are whole systems. Nothing outlives the local cloud: networks end when it ends, and guests
//! end, too; their disks stay and [`Machines::start`] boots them again.

mod full;
mod guest;
mod images;
mod preparation;
mod scripts;
mod simulated;
mod user_data;

use crate::machines::{Boot, Frontend, Machines};
use crate::traffic::{Networks, Traffic};
use full::Full;
use guest::{Guest, Players};
use preparation::Preparation;
use simulated::Programs;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

pub use full::FullGuests;
use images::nodes_dir;
pub use images::{VERSIONS, kubernetes_dir};

/// Where guests live and what they may reach.
#[derive(Clone, Debug)]
pub struct GuestConfig {
    /// Disks, console logs, scripts.
    pub state_dir: PathBuf,
    /// Kubernetes binaries, as the recipe in `tests/kubernetes` lays them down.
    pub kubernetes_dir: PathBuf,
    /// Executable whose subcommand `portal` is [`crate::portal_main`].
    pub helper: PathBuf,
    /// TCP ports of the machine's 127.0.0.1 that guests reach at 198.18.0.1.
    pub outside_ports: Vec<u16>,
    /// New servers are full guests; None: simulated ones.
    pub full: Option<FullGuests>,
}

/// A guest as several threads hold it.
type Shared = Arc<Mutex<Box<dyn Guest>>>;

/// [`Machines`] played by guests.
pub struct GuestMachines {
    config: GuestConfig,
    guests: Mutex<HashMap<String, Shared>>,
    players: Players,
    traffic: Traffic,
    /// The recipe that prepares the Kubernetes binaries, while it runs.
    preparation: Mutex<Option<Preparation>>,
    closing: AtomicBool,
}

impl GuestMachines {
    /// Fails, with the reason in words for the user, where the machine cannot make guests.
    pub fn new(config: GuestConfig) -> Result<Self, String> {
        namespaces_work()?;
        let write = |e: std::io::Error| format!("{}: {e}", config.state_dir.display());
        let networks_dir = config.state_dir.join("networks");
        std::fs::create_dir_all(&networks_dir).map_err(write)?;
        scripts::write(&config.state_dir.join("scripts")).map_err(write)?;
        let full = match config.full.clone() {
            Some(settings) => Some(Arc::new(Full::new(settings, config.state_dir.join("full"))?)),
            None => None,
        };
        let programs = Programs { scripts: config.state_dir.join("scripts"), kubernetes_dir: config.kubernetes_dir.clone() };
        let players = Players { programs: Arc::new(programs), full };
        let mut guests = HashMap::new();
        let servers = config.state_dir.join("servers");
        std::fs::create_dir_all(&servers).map_err(write)?;
        for entry in std::fs::read_dir(&servers).map_err(write)?.flatten() {
            if let (Some(guest), Ok(id)) = (guest::load(entry.path(), &players)?, entry.file_name().into_string()) {
                guests.insert(id, Arc::new(Mutex::new(guest)));
            }
        }
        let (helper, ports) = (config.helper.clone(), config.outside_ports.clone());
        let traffic = Traffic::new(|runtime| Networks::new(networks_dir, helper, ports, runtime)).map_err(|e| e.to_string())?;
        Ok(Self { config, guests: Mutex::new(guests), players, traffic, preparation: Mutex::default(), closing: AtomicBool::new(false) })
    }

    /// Lets the recipe (`build.sh`) prepare the Kubernetes versions that are not there yet, beside everything else;
    /// [`Machines::images`] tells how far it is. It ends with [`Self::shut_down`].
    pub fn prepare(&self, recipe: &Path) -> Result<(), String> {
        let mut preparation = lock(&self.preparation);
        if preparation.is_none() && !images::all_ready(&self.config.kubernetes_dir) {
            let log = self.config.state_dir.join("kubernetes.log");
            *preparation = Some(Preparation::start(recipe, &self.config.kubernetes_dir, &log)?);
        }
        Ok(())
    }

    /// Ends every process: guests (their disks stay), networks, the preparation of binaries.
    pub fn shut_down(&self) {
        self.closing.store(true, Ordering::SeqCst);
        lock(&self.preparation).take(); // dropping it ends it
        self.traffic.set(&[]);
        if let Some(full) = &self.players.full {
            full.end();
        }
        self.traffic.networks().end_all();
        for guest in lock(&self.guests).values() {
            // One that is just being booted goes down with its network.
            if let Ok(mut guest) = guest.try_lock() {
                guest.crash();
            }
        }
    }

    /// Why load balancers' addresses are not served, by listener.
    pub fn traffic_faults(&self) -> Vec<(String, String)> {
        self.traffic.faults()
    }

    /// The directory that is a server's disk.
    pub fn disk(&self, server: &str) -> PathBuf {
        self.config.state_dir.join("servers").join(server)
    }

    fn guest(&self, server: &str) -> Result<Shared, String> {
        lock(&self.guests).get(server).cloned().ok_or_else(|| format!("server {server} has no disk on this host"))
    }

    /// A guest that does not boot because everything is being shut down is no fault of its server's: the caller must not write that
    /// down, and the process is about to end.
    fn power_on(&self, guest: &mut dyn Guest) -> Result<(), String> {
        let outcome = self.try_power_on(guest);
        while outcome.is_err() && self.closing.load(Ordering::SeqCst) {
            std::thread::park();
        }
        outcome
    }

    fn try_power_on(&self, guest: &mut dyn Guest) -> Result<(), String> {
        let settings = guest.settings().clone();
        if let Some(version) = &settings.kubernetes_version
            && !settings.full
            && !images::ready(&self.config.kubernetes_dir, version)
        {
            return Err(format!("the node image of Kubernetes {version} is still being prepared"));
        }
        let network = self.traffic.networks().up(&settings.network, settings.gateway, settings.subnet)?;
        guest.start(network)
    }
}

impl Machines for GuestMachines {
    fn boot(&self, boot: &Boot) -> Result<(), String> {
        let guest = {
            let mut guests = lock(&self.guests);
            if !guests.contains_key(&boot.server) {
                let guest = guest::create(self.disk(&boot.server), boot, &self.players)?;
                guests.insert(boot.server.clone(), Arc::new(Mutex::new(guest)));
            }
            guests.get(&boot.server).cloned().ok_or("the guest is gone")?
        };
        self.power_on(&mut **lock(&guest))
    }

    fn start(&self, server: &str) -> Result<(), String> {
        let guest = self.guest(server)?;
        self.power_on(&mut **lock(&guest))
    }

    fn stop(&self, server: &str) -> Result<(), String> {
        lock(&*self.guest(server)?).stop();
        Ok(())
    }

    fn reboot(&self, server: &str, hard: bool) -> Result<(), String> {
        let guest = self.guest(server)?;
        let mut guest = lock(&guest);
        if hard {
            guest.crash()
        } else {
            guest.stop()
        }
        self.power_on(&mut **guest)
    }

    fn crash(&self, server: &str) -> Result<(), String> {
        lock(&*self.guest(server)?).crash();
        Ok(())
    }

    fn delete(&self, server: &str) -> Result<(), String> {
        let guest = lock(&self.guests).remove(server);
        guest.map_or(Ok(()), |guest| lock(&guest).erase())
    }

    fn running(&self, server: &str) -> bool {
        // A guest that is just being started or stopped has not died by itself, and whoever asks must not wait for it.
        self.guest(server).is_ok_and(|guest| match guest.try_lock() {
            Ok(mut guest) => guest.running(),
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Poisoned(guest)) => guest.into_inner().running(),
        })
    }

    fn console(&self, server: &str) -> String {
        guest::console(&self.disk(server))
    }

    fn balance(&self, frontends: &[Frontend]) {
        self.traffic.set(frontends);
    }

    fn member_up(&self, member: &str) -> Option<bool> {
        self.traffic.member_up(member)
    }

    fn network_down(&self, network: &str) {
        if let Some(full) = &self.players.full {
            full.network_down(network);
        }
        self.traffic.networks().end(network);
    }

    fn images(&self) -> Vec<(String, u8, bool)> {
        match &self.players.full {
            Some(full) => vec![(full.version().to_owned(), 100, true)],
            None => images::images(&self.config.kubernetes_dir),
        }
    }
}

impl Drop for GuestMachines {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// A panic of one caller must not take every server along.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this machine lets us make namespaces; else what is missing.
fn namespaces_work() -> Result<(), String> {
    for tool in ["ip", "nsenter", "setpriv", "curl"] {
        if Command::new(tool).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return Err(format!("guests need the command `{tool}` (Debian packages util-linux, iproute2, curl)"));
        }
    }
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "true"])
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("guests need the command `unshare` (util-linux): {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("guests need unprivileged user namespaces, which this machine refuses: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
