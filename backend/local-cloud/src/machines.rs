//! What stands behind servers and load balancers: the seam between the cloud's records and the machines that play them.

use ipnet::Ipv4Net;
use std::net::{Ipv4Addr, SocketAddrV4};

/// A server about to be powered on for the first time.
#[derive(Clone, Debug)]
pub struct Boot {
    pub server: String,
    /// Host name.
    pub name: String,
    pub network: String,
    pub subnet: Ipv4Net,
    pub gateway: Ipv4Addr,
    pub address: Ipv4Addr,
    pub mac: String,
    pub vcpus: u32,
    pub ram_mib: u32,
    /// Raw bytes, not base64.
    pub user_data: Option<Vec<u8>>,
    /// Property `kcs_kubernetes_version` of the image the root volume was made from.
    pub kubernetes_version: Option<String>,
}

/// One address and port a load balancer answers at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frontend {
    /// Id of the listener.
    pub listener: String,
    /// The network the members are in.
    pub network: String,
    pub subnet: Ipv4Net,
    pub gateway: Ipv4Addr,
    /// Where clients inside the network connect.
    pub vip: SocketAddrV4,
    /// Where clients outside connect, if the VIP's port has a floating IP.
    pub floating: Option<SocketAddrV4>,
    pub allowed_cidrs: Vec<Ipv4Net>,
    pub members: Vec<Backend>,
    pub monitor: Option<Monitor>,
    pub client_timeout_ms: u64,
    pub member_timeout_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backend {
    /// Id of the member.
    pub member: String,
    pub address: SocketAddrV4,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Monitor {
    /// `TCP`, `HTTPS` (TLS without verification, as Octavia does).
    pub kind: String,
    pub path: String,
    pub delay_ms: u64,
    pub timeout_ms: u64,
    /// Checks that must succeed to rise, and fail to fall.
    pub rise: u32,
    pub fall: u32,
}

/// Machines and wires. Calls may block for seconds: the cloud makes them from threads of their own, never while it holds its lock.
pub trait Machines: Send + Sync + 'static {
    /// Boots a server for the first time. An error becomes Nova's fault.
    fn boot(&self, boot: &Boot) -> Result<(), String>;
    /// Powers a stopped server on again with its disk.
    fn start(&self, server: &str) -> Result<(), String>;
    fn stop(&self, server: &str) -> Result<(), String>;
    fn reboot(&self, server: &str, hard: bool) -> Result<(), String>;
    /// Pulls the plug, as if the server had died by itself.
    fn crash(&self, server: &str) -> Result<(), String> {
        self.stop(server)
    }
    /// Powers off and forgets the disk. A server never seen is no error.
    fn delete(&self, server: &str) -> Result<(), String>;
    /// Whether it is powered on; a guest that died by itself is not.
    fn running(&self, server: &str) -> bool;
    /// The whole console log.
    fn console(&self, server: &str) -> String;
    /// Makes the load balancers' traffic exactly this.
    fn balance(&self, frontends: &[Frontend]);
    /// Whether a member answered its last check; None: not checked.
    fn member_up(&self, member: &str) -> Option<bool>;
    /// The network has no ports of servers or load balancers left.
    fn network_down(&self, network: &str);
    /// Versions whose node image can boot, and how far the others are: (version, per cent, ready).
    fn images(&self) -> Vec<(String, u8, bool)>;
}
