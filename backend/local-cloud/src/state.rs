//! Everything the cloud knows: one value that can be copied, saved and loaded. Handlers change it; timers move it on.

use crate::clock::{Clock, Delays, Time, millis};
use crate::faults::ActiveFault;
use crate::http::Service;
use crate::jobs::Job;
use crate::{compute, identity, images, load_balancers, network, volumes};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;
use uuid::Uuid;

/// A change that becomes due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Timer {
    ServerBuilt(String),
    ServerStarted(String),
    ServerStopped(String),
    ServerRebooted(String),
    ServerGone(String),
    VolumeStep(String),
    VolumeGone(String),
    SnapshotReady(String),
    SnapshotGone(String),
    LoadBalancerSettled(String),
}

/// How often a service's path was called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct CallKey {
    pub service: Service,
    pub method: String,
    /// With `{id}` in place of identifiers.
    pub path: String,
}

/// An answer of 400 or more: who was told so, of what call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct FailureKey {
    /// The address that the caller asked at.
    pub origin: String,
    #[serde(flatten)]
    pub call: CallKey,
    pub status: u16,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub clock: Clock,
    pub time: Time,
    pub delays: Delays,
    pub token_seconds: u64,
    /// Where clients reach the cloud; no slash at the end.
    #[serde(skip)]
    pub base_url: String,
    /// Where sign-ins by an identity provider may lead back to.
    #[serde(skip)]
    pub dashboards: Vec<String>,
    /// Whether guests and traffic are real; then the machines decide when a server is up.
    #[serde(skip)]
    pub real_machines: bool,
    entropy: u64,
    seeded: bool,
    sequence: u64,
    timers: BinaryHeap<Reverse<(u64, u64, Timer)>>,
    #[serde(skip)]
    pub jobs: Vec<Job>,
    #[serde(skip)]
    pub faults: Vec<ActiveFault>,
    #[serde(skip)]
    pub calls: BTreeMap<CallKey, u64>,
    #[serde(skip)]
    pub failures: BTreeMap<FailureKey, u64>,
    #[serde(skip)]
    pub down_until_ms: u64,
    /// Services that the catalogue does not list.
    #[serde(skip)]
    pub hidden: Vec<Service>,
    pub identity: identity::Identity,
    pub compute: compute::Compute,
    pub network: network::Network,
    pub volumes: volumes::Volumes,
    pub images: images::Images,
    pub load_balancers: load_balancers::LoadBalancers,
}

impl State {
    pub(crate) fn new(time: Time, delays: Delays, token_seconds: u64, base_url: String, seed: Option<u64>) -> Self {
        Self {
            clock: Clock::new(time),
            time,
            delays,
            token_seconds,
            base_url,
            dashboards: Vec::new(),
            real_machines: false,
            entropy: seed.unwrap_or_else(rand::random),
            seeded: seed.is_some(),
            sequence: 0,
            timers: BinaryHeap::new(),
            jobs: Vec::new(),
            faults: Vec::new(),
            calls: BTreeMap::new(),
            failures: BTreeMap::new(),
            down_until_ms: 0,
            hidden: Vec::new(),
            identity: identity::Identity::default(),
            compute: compute::Compute::default(),
            network: network::Network::default(),
            volumes: volumes::Volumes::default(),
            images: images::Images::default(),
            load_balancers: load_balancers::LoadBalancers::default(),
        }
    }

    /// SplitMix64: identifiers must be repeatable under a seed, cheap, and part of what is saved.
    fn draw(&mut self) -> u64 {
        self.entropy = self.entropy.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.entropy;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uuid(&mut self) -> Uuid {
        let bits = (u128::from(self.draw()) << 64) | u128::from(self.draw());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// An identifier as most services make them.
    pub(crate) fn id(&mut self) -> String {
        self.uuid().hyphenated().to_string()
    }

    /// An identifier as Keystone makes them.
    pub(crate) fn hex_id(&mut self) -> String {
        self.uuid().simple().to_string()
    }

    /// A token or secret: from the system's randomness, unless a test wants to repeat the run.
    pub(crate) fn secret(&mut self) -> String {
        let bits: u128 = if self.seeded { self.uuid().as_u128() } else { rand::random() };
        hex::encode(bits.to_be_bytes())
    }

    /// A MAC address with OpenStack's prefix.
    pub(crate) fn mac(&mut self) -> String {
        let b = self.draw().to_be_bytes();
        format!("fa:16:3e:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2])
    }

    /// Has `timer` become due after `delay`.
    pub(crate) fn after(&mut self, delay: Duration, timer: Timer) {
        self.sequence += 1;
        self.timers.push(Reverse((self.clock.now_ms() + millis(delay), self.sequence, timer)));
    }

    /// When the next timer is due.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.timers.peek().map(|Reverse((due, ..))| *due)
    }

    pub(crate) fn has_timer(&self, wanted: &Timer) -> bool {
        self.timers.iter().any(|Reverse((_, _, timer))| timer == wanted)
    }

    /// Fires the timers due until `until_ms`, in order; whether there were any. Stepped time follows them.
    pub(crate) fn settle(&mut self, until_ms: u64) -> bool {
        let mut fired = false;
        while let Some(Reverse((due, ..))) = self.timers.peek() {
            if *due > until_ms {
                break;
            }
            let Some(Reverse((due, _, timer))) = self.timers.pop() else { break };
            self.clock.step_to(due);
            self.fire(&timer);
            fired = true;
        }
        self.clock.step_to(until_ms);
        fired
    }

    fn fire(&mut self, timer: &Timer) {
        match timer {
            Timer::ServerBuilt(id) => compute::servers::built(self, id),
            Timer::ServerStarted(id) => compute::actions::started(self, id, Ok(())),
            Timer::ServerStopped(id) => compute::actions::stopped(self, id, Ok(())),
            Timer::ServerRebooted(id) => compute::actions::rebooted(self, id, Ok(())),
            Timer::ServerGone(id) => compute::servers::gone(self, id),
            Timer::VolumeStep(id) => volumes::volume::step(self, id),
            Timer::VolumeGone(id) => volumes::volume::gone(self, id),
            Timer::SnapshotReady(id) => volumes::snapshots::ready(self, id),
            Timer::SnapshotGone(id) => volumes::snapshots::gone(self, id),
            Timer::LoadBalancerSettled(id) => load_balancers::settled(self, id),
        }
    }

    /// Hands work to the machines, where there are any.
    pub(crate) fn job(&mut self, job: Job) {
        if self.real_machines {
            self.jobs.push(job);
        }
    }
}
