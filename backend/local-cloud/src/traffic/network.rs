//! A Neutron network as a set of Linux namespaces: one private network stack with a bridge, reached through its portal.

use super::portal::{self, Reply, Request, What};
use crate::process;
use futures::channel::oneshot;
use ipnet::Ipv4Net;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Where machines inside reach the machine outside (RFC 2544 benchmark range: nobody's real network).
pub const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Option<OwnedFd>, String>>>>>;

/// A running network. Dropping it ends everything in it.
pub struct Network {
    parent: Mutex<Child>,
    pid: u32,
    socket: Arc<OwnedFd>,
    /// Cancelled when it is down.
    ended: CancellationToken,
    waiting: Waiting,
    next: AtomicU64,
}

impl Network {
    /// Starts the namespaces with `helper portal` as their first process; `log` takes what it says.
    pub fn start(helper: &Path, log: &Path) -> Result<Self, String> {
        let failed = |e: &dyn std::fmt::Display| format!("the network's namespaces cannot be made: {e}");
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(|e| failed(&e))?;
        let log_file = std::fs::OpenOptions::new().create(true).append(true).open(log).map_err(|e| failed(&e))?;
        let mut parent = Command::new("unshare")
            .args(["--user", "--map-root-user", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .arg(helper)
            .arg("portal")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::from(log_file))
            .process_group(0) // Ctrl-C is for the local cloud, which ends its networks itself
            .spawn()
            .map_err(|e| failed(&format!("unshare: {e}")))?;
        let greeted = portal::receive(ours.as_fd());
        if !matches!(greeted, Ok(Some(_))) {
            let _ = parent.kill();
            let _ = parent.wait();
            return Err(failed(&process::last_line(log)));
        }
        let pid = process::only_child(parent.id()).ok_or_else(|| failed(&"its first process is gone"))?;
        let network = Self {
            parent: Mutex::new(parent),
            pid,
            socket: Arc::new(ours),
            ended: CancellationToken::new(),
            waiting: Waiting::default(),
            next: AtomicU64::new(1),
        };
        network.receive_replies();
        network.ip(vec![
            "link set lo up".to_owned(),
            "link add br0 type bridge forward_delay 0".to_owned(),
            "link set br0 up".to_owned(),
            format!("addr add {OUTSIDE}/32 dev br0"),
        ])?;
        Ok(network)
    }

    fn receive_replies(&self) {
        let (socket, waiting, ended) = (Arc::clone(&self.socket), Arc::clone(&self.waiting), self.ended.clone());
        std::thread::spawn(move || {
            while let Ok(Some((message, descriptor))) = portal::receive(socket.as_fd()) {
                let Ok(reply) = serde_json::from_slice::<Reply>(&message) else { break };
                let waiter = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.id);
                if let Some(waiter) = waiter {
                    let _ = waiter.send(reply.error.map_or(Ok(descriptor), Err));
                }
            }
            ended.cancel();
            waiting.lock().unwrap_or_else(PoisonError::into_inner).clear(); // whoever waits learns that the portal is gone
        });
    }

    /// The first process's id, as seen on the machine.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Cancelled when the network is down.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    async fn ask(&self, what: What) -> Result<Option<OwnedFd>, String> {
        const GONE: &str = "the network is down";
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let message = serde_json::to_vec(&Request { id, what }).map_err(|e| e.to_string())?;
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        if self.ended.is_cancelled() || portal::send(self.socket.as_fd(), &message, None).is_err() {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            return Err(GONE.to_owned());
        }
        receiver.await.map_err(|_| GONE.to_owned())?
    }

    async fn socket(&self, what: What) -> Result<OwnedFd, String> {
        self.ask(what).await?.ok_or_else(|| "the portal passed no socket".to_owned())
    }

    /// A connection from inside the network.
    pub async fn connect(&self, to: SocketAddrV4, timeout: Duration) -> Result<tokio::net::TcpStream, String> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let stream = std::net::TcpStream::from(self.socket(What::Connect { to, timeout_ms }).await?);
        stream.set_nonblocking(true).map_err(|e| e.to_string())?;
        tokio::net::TcpStream::from_std(stream).map_err(|e| e.to_string())
    }

    /// A listener inside the network.
    pub async fn listen(&self, at: SocketAddrV4) -> Result<tokio::net::TcpListener, String> {
        let listener = std::net::TcpListener::from(self.socket(What::Listen { at }).await?);
        listener.set_nonblocking(true).map_err(|e| e.to_string())?;
        tokio::net::TcpListener::from_std(listener).map_err(|e| e.to_string())
    }

    fn ip(&self, lines: Vec<String>) -> Result<(), String> {
        futures::executor::block_on(self.ask(What::Ip { lines })).map(|_| ())
    }

    /// Gives the bridge a subnet's gateway address.
    pub fn add_gateway(&self, gateway: Ipv4Addr, subnet: Ipv4Net) -> Result<(), String> {
        self.ip(vec![format!("addr replace {gateway}/{} dev br0", subnet.prefix_len())])
    }

    /// Gives the bridge a load balancer's address.
    pub async fn add_address(&self, address: Ipv4Addr) -> Result<(), String> {
        self.ask(What::Ip { lines: vec![format!("addr replace {address}/32 dev br0")] }).await.map(|_| ())
    }

    pub async fn remove_address(&self, address: Ipv4Addr) -> Result<(), String> {
        self.ask(What::Ip { lines: vec![format!("?addr del {address}/32 dev br0")] }).await.map(|_| ())
    }

    /// Plugs a cable from the bridge into a guest, whose first process is given as the machine sees it.
    pub fn plug(&self, guest_pid: u32, address: Ipv4Addr, mac: &str) -> Result<(), String> {
        let inner = process::pid_inside(guest_pid).ok_or("the guest is gone")?;
        let port = format!("v{:08x}", address.to_bits());
        self.ip(vec![
            format!("?link del {port}"), // the kernel takes its time to forget the cable of a guest that was just switched off
            format!("link add {port} type veth peer name eth0 address {mac} netns {inner}"),
            format!("link set {port} master br0 up"),
        ])
    }
}

impl Network {
    /// Ends the network and every process in it.
    pub fn end(&self) {
        let mut parent = self.parent.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(parent.try_wait(), Ok(None)) {
            process::kill(self.pid);
            let _ = parent.wait();
        }
        self.ended.cancel();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.end();
    }
}
