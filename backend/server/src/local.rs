//! The local cloud as `kcs dev` runs it: on a loopback port, its servers as guests of this machine.

use crate::progress::step;
use ipnet::Ipv4Net;
use local_cloud::{FullGuests, GuestConfig, GuestMachines, LocalCloud, LocalCloudConfig};
use std::error::Error;
use std::net::Ipv4Addr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The recipe that builds the Kubernetes binaries where they are missing.
const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/kubernetes/build.sh");

/// How full nodes are made.
const NODES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/nodes");

/// What stands behind servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Nodes {
    /// Real control planes, containers only pretended; needs no privileges
    Simulated,
    /// Whole systems with systemd, containerd and kubelet, containers that run; needs root
    Full,
}

/// A running local cloud.
pub struct Local {
    /// Where all its services are.
    pub base_url: String,
    /// Its Keystone.
    pub auth_url: String,
    cloud: LocalCloud,
    machines: Arc<GuestMachines>,
    server: actix_web::dev::ServerHandle,
}

/// Starts it, or the one of an earlier start again with everything in it. Guests reach `tls_port` of this machine.
///
/// # Errors
/// When this machine cannot make guests, or the state is not usable.
pub async fn start(state_dir: &Path, password: &str, tls_port: u16, nodes: Nodes) -> Result<Local, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let guests_dir = state_dir.join("guests");
    let full = match nodes {
        Nodes::Simulated => None,
        Nodes::Full => Some(full_guests(guests_dir.clone()).await?),
    };
    let guests = GuestConfig {
        state_dir: guests_dir,
        kubernetes_dir: local_cloud::kubernetes_dir(),
        helper: std::env::current_exe()?,
        // KCS for the nodes' first hour, the cloud for what runs in their clusters.
        outside_ports: vec![tls_port, listener.local_addr()?.port()],
        full,
    };
    let machines = Arc::new(actix_web::web::block(move || GuestMachines::new(guests)).await??);
    if nodes == Nodes::Simulated {
        let preparing = machines.clone();
        actix_web::web::block(move || preparing.prepare(&PathBuf::from(RECIPE))).await??;
    }
    let config = LocalCloudConfig {
        password: password.to_owned(),
        public: floating_range(tls_port),
        base_url: base_url.clone(),
        machines: Some(machines.clone()),
        state_file: Some(state_dir.join("cloud.json")),
        ..LocalCloudConfig::default()
    };
    let cloud = actix_web::web::block(move || LocalCloud::new(config)).await?;
    let running = cloud.serve(listener)?;
    let server = running.handle();
    actix_web::rt::spawn(running);
    Ok(Local { auth_url: format!("{base_url}/identity/v3"), base_url, cloud, machines, server })
}

/// Whether this machine can play such nodes.
///
/// # Errors
/// What it lacks, in words for the user.
pub fn check(nodes: Nodes, state_dir: &Path) -> Result<(), String> {
    match nodes {
        Nodes::Simulated => Ok(()), // found out when it is tried: that takes no time
        Nodes::Full => FullGuests::check(&state_dir.join("guests")),
    }
}

async fn full_guests(state_dir: PathBuf) -> Result<FullGuests, Box<dyn Error>> {
    let prepared = actix_web::web::block(move || FullGuests::prepare(Path::new(NODES), &state_dir));
    Ok(step("preparing the image of full nodes (the first time many minutes)", prepared).await??)
}

/// Where floating IPs of all local clouds are.
pub const FLOATING: &str = "127.64.0.0/10";

/// Floating IPs are loopback addresses of this machine: two local clouds side by side take different ones.
fn floating_range(tls_port: u16) -> Ipv4Net {
    let [high, low] = tls_port.to_be_bytes();
    Ipv4Net::new_assert(Ipv4Addr::new(127, 64 | (high & 0x3f), low, 0), 24)
}

impl Local {
    /// Lets sign-ins by its identity provider lead back to this console, by either name of this machine.
    pub fn trust_console(&self, http: std::net::SocketAddr) {
        for host in [http.to_string(), format!("localhost:{}", http.port())] {
            self.cloud.trust_dashboard(format!("http://{host}/api/v1/session/federation/callback"));
        }
    }

    /// The seed of the authenticator of the demo account that needs one.
    #[must_use]
    pub fn passcode_seed(&self) -> Option<String> {
        self.cloud.passcode_seed("totp-a")
    }

    /// Ends every guest and network; what was in the cloud is there again at the next start.
    pub async fn stop(self) {
        let Self { cloud, machines, server, .. } = self;
        server.stop(false).await;
        // Written down before the guests end, or they would count as having died by themselves.
        drop(cloud);
        drop(actix_web::web::block(move || machines.shut_down()).await);
    }
}
