//! The networks that are up, and the way out of each of them.

use super::network::{Network, OUTSIDE};
use super::relay;
use ipnet::Ipv4Net;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Networks by id; each is started when something in it is first needed.
pub struct Networks {
    dir: PathBuf,
    helper: PathBuf,
    outside_ports: Vec<u16>,
    runtime: tokio::runtime::Handle,
    up: Mutex<HashMap<String, Slot>>,
}

/// Networks start side by side, but none of them twice.
type Slot = Arc<Mutex<Option<Arc<Network>>>>;

impl Networks {
    pub fn new(dir: PathBuf, helper: PathBuf, outside_ports: Vec<u16>, runtime: tokio::runtime::Handle) -> Self {
        Self { dir, helper, outside_ports, runtime, up: Mutex::default() }
    }

    /// The network, running and with this gateway. Blocks for the 0.1 s a start takes.
    pub fn up(&self, id: &str, gateway: Ipv4Addr, subnet: Ipv4Net) -> Result<Arc<Network>, String> {
        let slot = Arc::clone(self.lock().entry(id.to_owned()).or_default());
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(network) = slot.as_ref().filter(|n| !n.ended().is_cancelled()) {
            network.add_gateway(gateway, subnet)?;
            return Ok(Arc::clone(network));
        }
        let network = Arc::new(Network::start(&self.helper, &self.dir.join(format!("{id}.log")))?);
        network.add_gateway(gateway, subnet)?;
        for port in &self.outside_ports {
            self.lead_out(&network, *port)?;
        }
        *slot = Some(Arc::clone(&network));
        Ok(network)
    }

    /// The network, if it is up.
    pub fn find(&self, id: &str) -> Option<Arc<Network>> {
        let slot = self.lock().get(id).cloned()?;
        let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().filter(|n| !n.ended().is_cancelled()).cloned()
    }

    /// Leads 198.18.0.1:port inside to 127.0.0.1:port of the machine.
    fn lead_out(&self, network: &Network, port: u16) -> Result<(), String> {
        let _guard = self.runtime.enter();
        let listener = futures::executor::block_on(network.listen(SocketAddrV4::new(OUTSIDE, port)))?;
        let target = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let ended = network.ended().clone();
        self.runtime.spawn(async move {
            while let Some(Ok((inside, _))) = ended.run_until_cancelled(listener.accept()).await {
                let ended = ended.clone();
                tokio::spawn(async move {
                    // A refused connection outside is a closed one inside: nobody listens at that port.
                    if let Ok(outside) = tokio::net::TcpStream::connect(target).await {
                        relay::relay(inside, outside, relay::NO_LIMIT, &ended).await;
                    }
                });
            }
        });
        Ok(())
    }

    /// Ends a network and everything in it.
    pub fn end(&self, id: &str) {
        let slot = self.lock().remove(id);
        if let Some(slot) = slot
            && let Some(network) = slot.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            network.end();
        }
        let _ = std::fs::remove_file(self.dir.join(format!("{id}.log")));
    }

    pub fn end_all(&self) {
        let ids: Vec<String> = self.lock().keys().cloned().collect();
        for id in ids {
            self.end(&id);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Slot>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
