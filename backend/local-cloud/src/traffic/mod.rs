//! Load balancers' traffic: TCP that really flows, between the machine, the guests' networks and the members.

mod frontend;
mod health;
mod member;
pub(crate) mod network;
mod networks;
mod portal;
mod relay;

use crate::machines::Frontend;
use frontend::Served;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use networks::Networks;
pub use portal::portal_main;

/// All load balancers in service. It has a runtime of its own, as the cloud's core is synchronous.
pub(crate) struct Traffic {
    runtime: Option<tokio::runtime::Runtime>,
    networks: Arc<Networks>,
    served: Mutex<HashMap<String, Arc<Served>>>,
    /// Load balancers' addresses, by network.
    addresses: Mutex<HashSet<(String, Ipv4Addr)>>,
}

impl Traffic {
    /// `networks` is given the handle of the runtime that will carry its traffic.
    pub fn new(networks: impl FnOnce(tokio::runtime::Handle) -> Networks) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("traffic").enable_all().build()?;
        let networks = Arc::new(networks(runtime.handle().clone()));
        Ok(Self { runtime: Some(runtime), networks, served: Mutex::default(), addresses: Mutex::default() })
    }

    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// Makes the traffic exactly this.
    pub fn set(&self, frontends: &[Frontend]) {
        let Some(runtime) = &self.runtime else { return };
        let _guard = runtime.enter();
        let mut served = self.lock();
        served.retain(|listener, service| {
            let stays = frontends.iter().any(|f| f.listener == *listener && service.same_place(f));
            if !stays {
                service.end();
            }
            stays
        });
        self.forget_addresses(frontends);
        for frontend in frontends {
            match served.get(&frontend.listener) {
                Some(service) => service.update(frontend),
                None => {
                    served.insert(frontend.listener.clone(), Served::start(frontend, Arc::clone(&self.networks)));
                }
            }
        }
    }

    /// Takes addresses that no load balancer has any more off the networks, so that servers can have them.
    fn forget_addresses(&self, frontends: &[Frontend]) {
        let wanted: HashSet<_> = frontends.iter().map(|f| (f.network.clone(), *f.vip.ip())).collect();
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        for (network, address) in addresses.difference(&wanted) {
            if let Some(network) = self.networks.find(network) {
                let address = *address;
                tokio::spawn(async move { network.remove_address(address).await });
            }
        }
        *addresses = wanted;
    }

    pub fn member_up(&self, member: &str) -> Option<bool> {
        self.lock().values().find_map(|service| service.member_up(member))
    }

    pub fn faults(&self) -> Vec<(String, String)> {
        self.lock().iter().filter_map(|(listener, service)| Some((listener.clone(), service.fault()?))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Served>>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background(); // the owner may itself be dropped inside another runtime
        }
    }
}
