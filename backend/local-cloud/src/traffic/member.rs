//! A load balancer's member: whether it may be given connections, and those it has.

use super::health::{self, Health};
use super::network::Network;
use crate::machines::{Backend, Monitor};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub struct Member {
    pub backend: Backend,
    pub monitor: Option<Monitor>,
    /// Ends the checks and every connection.
    ended: CancellationToken,
    state: Mutex<State>,
}

struct State {
    health: Health,
    /// Cuts the connections the member has now.
    connections: CancellationToken,
}

impl Member {
    pub fn new(backend: Backend, monitor: Option<Monitor>, frontend: &CancellationToken) -> Arc<Self> {
        let ended = frontend.child_token();
        let state = Mutex::new(State { health: Health::default(), connections: ended.child_token() });
        Arc::new(Self { backend, monitor, ended, state })
    }

    /// None: never checked.
    pub fn up(&self) -> Option<bool> {
        self.lock().health.up
    }

    /// Whether it may be given a connection, and if so what cuts that.
    pub fn eligible(&self) -> Option<CancellationToken> {
        let state = self.lock();
        (self.monitor.is_none() || state.health.up == Some(true)).then(|| state.connections.clone())
    }

    pub fn end(&self) {
        self.ended.cancel();
    }

    /// Checks it, at once and then as often as the monitor says, until it or the network ends.
    pub async fn watch(self: Arc<Self>, network: Arc<Network>) {
        let Some(monitor) = &self.monitor else { return };
        let mut ticks = tokio::time::interval(Duration::from_millis(monitor.delay_ms.max(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let checks = async {
            loop {
                ticks.tick().await;
                let ok = health::check(&network, self.backend.address, monitor).await;
                self.note(ok, monitor);
            }
        };
        tokio::select! {
            () = checks => {}
            () = self.ended.cancelled() => {}
            () = network.ended().cancelled() => self.note_lost(),
        }
    }

    fn note(&self, ok: bool, monitor: &Monitor) {
        let mut state = self.lock();
        let before = state.health.up;
        state.health = state.health.after(ok, monitor);
        if before != state.health.up {
            tracing::debug!(member = %self.backend.member, address = %self.backend.address, up = ?state.health.up, "load balancer member");
        }
        if before == Some(true) && state.health.up == Some(false) {
            state.connections.cancel();
            state.connections = self.ended.child_token();
        }
    }

    fn note_lost(&self) {
        let mut state = self.lock();
        state.health = Health::default();
        state.connections.cancel();
        state.connections = self.ended.child_token();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
