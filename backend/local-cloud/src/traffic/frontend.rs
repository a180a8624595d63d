//! One address and port of a load balancer: accepts inside at the VIP and outside at the floating address, and leads each
//! connection to the next member that is well.

use super::member::Member;
use super::network::Network;
use super::networks::Networks;
use super::relay;
use crate::machines::Frontend;
use std::net::{IpAddr, SocketAddrV4};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// HAProxy's `timeout connect` as Octavia sets it.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How soon an address that could not be served is tried again.
const RETRY: Duration = Duration::from_secs(1);

const VIP: usize = 0;
const FLOATING: usize = 1;

/// A frontend in service.
pub struct Served {
    listener: String,
    networks: Arc<Networks>,
    settings: RwLock<Settings>,
    turn: AtomicUsize,
    /// The network it is served in, while that is up.
    network: Mutex<Option<Arc<Network>>>,
    /// Serves the floating address.
    floating: Mutex<Option<(SocketAddrV4, CancellationToken)>>,
    /// Why the VIP and the floating address are not served.
    faults: [Mutex<Option<String>>; 2],
    ended: CancellationToken,
}

struct Settings {
    frontend: Frontend,
    members: Vec<Arc<Member>>,
}

impl Served {
    /// Starts serving; must be called inside the traffic's runtime.
    pub fn start(frontend: &Frontend, networks: Arc<Networks>) -> Arc<Self> {
        let empty = Frontend { members: Vec::new(), floating: None, ..frontend.clone() };
        let served = Arc::new(Self {
            listener: frontend.listener.clone(),
            networks,
            settings: RwLock::new(Settings { frontend: empty, members: Vec::new() }),
            turn: AtomicUsize::new(0),
            network: Mutex::default(),
            floating: Mutex::default(),
            faults: Default::default(),
            ended: CancellationToken::new(),
        });
        served.update(frontend);
        tokio::spawn(Arc::clone(&served).serve_vip());
        served
    }

    /// Whether a changed frontend can be taken over without a new start.
    pub fn same_place(&self, frontend: &Frontend) -> bool {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.frontend.network == frontend.network && settings.frontend.vip == frontend.vip
    }

    /// Takes over changes: members that stay keep their health and their connections.
    pub fn update(self: &Arc<Self>, frontend: &Frontend) {
        self.update_members(frontend);
        let mut floating = lock(&self.floating);
        if floating.as_ref().map(|(address, _)| *address) == frontend.floating {
            return;
        }
        if let Some((_, old)) = floating.take() {
            old.cancel();
            self.tell(FLOATING, None);
        }
        if let Some(address) = frontend.floating {
            let ended = self.ended.child_token();
            tokio::spawn(Arc::clone(self).serve_floating(address, ended.clone()));
            *floating = Some((address, ended));
        }
    }

    fn update_members(&self, frontend: &Frontend) {
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        if settings.frontend == *frontend {
            return;
        }
        let network = lock(&self.network).clone();
        let mut members = Vec::new();
        for backend in &frontend.members {
            let kept = settings.members.iter().position(|m| m.backend == *backend && m.monitor == frontend.monitor);
            members.push(match kept {
                Some(index) => settings.members.swap_remove(index),
                None => {
                    let member = Member::new(backend.clone(), frontend.monitor.clone(), &self.ended);
                    if let Some(network) = &network {
                        tokio::spawn(Arc::clone(&member).watch(Arc::clone(network)));
                    }
                    member
                }
            });
        }
        settings.members.drain(..).for_each(|gone| gone.end());
        *settings = Settings { frontend: frontend.clone(), members };
    }

    pub fn end(&self) {
        self.ended.cancel();
    }

    /// Why it is not served.
    pub fn fault(&self) -> Option<String> {
        self.faults.iter().find_map(|fault| lock(fault).clone())
    }

    pub fn member_up(&self, member: &str) -> Option<bool> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.members.iter().find(|m| m.backend.member == member)?.up()
    }

    async fn serve_vip(self: Arc<Self>) {
        let ended = self.ended.clone();
        let service = async {
            loop {
                match self.open_vip().await {
                    Ok((network, listener)) => {
                        self.tell(VIP, None);
                        let _ = network.ended().run_until_cancelled(self.accept(listener, &self.ended)).await;
                        *lock(&self.network) = None;
                    }
                    Err(reason) => self.tell(VIP, Some(format!("its address in the network is not served: {reason}"))),
                }
                tokio::time::sleep(RETRY).await;
            }
        };
        ended.run_until_cancelled(service).await;
    }

    async fn open_vip(&self) -> Result<(Arc<Network>, TcpListener), String> {
        let frontend = self.settings.read().unwrap_or_else(PoisonError::into_inner).frontend.clone();
        let networks = Arc::clone(&self.networks);
        let up = tokio::task::spawn_blocking(move || networks.up(&frontend.network, frontend.gateway, frontend.subnet));
        let network = up.await.map_err(|e| e.to_string())??;
        network.add_address(*frontend.vip.ip()).await?;
        let listener = network.listen(frontend.vip).await?;
        // Members that come from now on are watched by whoever adds them, those there are by us.
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        *lock(&self.network) = Some(Arc::clone(&network));
        for member in &settings.members {
            tokio::spawn(Arc::clone(member).watch(Arc::clone(&network)));
        }
        Ok((network, listener))
    }

    async fn serve_floating(self: Arc<Self>, address: SocketAddrV4, ended: CancellationToken) {
        let service = async {
            loop {
                match TcpListener::bind(address).await {
                    Ok(listener) => {
                        self.tell(FLOATING, None);
                        self.accept(listener, &ended).await;
                    }
                    Err(e) => self.tell(FLOATING, Some(format!("its floating address {address} cannot be bound on this machine: {e}"))),
                }
                tokio::time::sleep(RETRY).await;
            }
        };
        ended.run_until_cancelled(service).await;
    }

    /// Notes why an address is not served, or that it is; says a new reason once.
    fn tell(&self, place: usize, reason: Option<String>) {
        let Some(fault) = self.faults.get(place) else { return };
        let mut fault = lock(fault);
        if let Some(reason) = reason.as_ref().filter(|reason| fault.as_ref() != Some(reason)) {
            tracing::error!(listener = %self.listener, "load balancer: {reason}");
        }
        *fault = reason;
    }

    async fn accept(self: &Arc<Self>, listener: TcpListener, ended: &CancellationToken) {
        while let Ok((client, peer)) = listener.accept().await {
            if !self.allows(peer.ip()) {
                continue; // closed, as a firewall in front would have it
            }
            let (served, ended) = (Arc::clone(self), ended.clone());
            tokio::spawn(async move { ended.run_until_cancelled(served.lead(client)).await });
        }
    }

    fn allows(&self, peer: IpAddr) -> bool {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        let cidrs = &settings.frontend.allowed_cidrs;
        cidrs.is_empty() || matches!(peer, IpAddr::V4(peer) if cidrs.iter().any(|c| c.contains(&peer)))
    }

    /// Leads a connection to the first member in turn that takes it.
    async fn lead(&self, client: TcpStream) {
        let (members, idle) = self.candidates();
        let Some(network) = lock(&self.network).clone() else { return };
        for member in members {
            let Some(cut) = member.eligible() else { continue };
            if let Ok(connection) = network.connect(member.backend.address, CONNECT_LIMIT).await {
                return relay::relay(client, connection, idle, &cut).await;
            }
        }
    }

    /// The members, beginning with the one whose turn it is, and how long a connection may be idle.
    fn candidates(&self) -> (Vec<Arc<Member>>, Duration) {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        let mut members: Vec<_> = settings.members.iter().filter(|m| m.eligible().is_some()).cloned().collect();
        if !members.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % members.len();
            members.rotate_left(turn);
        }
        let limits = [settings.frontend.client_timeout_ms, settings.frontend.member_timeout_ms];
        let idle = limits.into_iter().filter(|ms| *ms > 0).min().unwrap_or(0);
        (members, Duration::from_millis(idle))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
