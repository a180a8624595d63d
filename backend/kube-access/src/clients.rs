//! Channels to clusters, one for each cluster, identity and, where people are served, thread, kept while they are used.

use crate::channel::Channel;
use crate::destinations::Destinations;
use crate::route::Route;
use crate::{ENGINE, Engine, GATEWAY, Gateway, KubeError, Reads};
use domain::ids::ClusterId;
use moka::future::Cache;
use sealed::ClusterPki;
use std::sync::Arc;
use std::thread::ThreadId;
use time::{Duration, OffsetDateTime};

/// How long a certificate of ours lives, and how long before its end a channel is made anew.
const CERTIFICATE_LIFETIME: Duration = Duration::hours(1);
const CHANNEL_LIFETIME: std::time::Duration = std::time::Duration::from_secs(45 * 60);
const CHANNEL_IDLE: std::time::Duration = std::time::Duration::from_secs(10 * 60);
const CHANNELS: u64 = 4_000;

/// Where a cluster's API is and what proves it. The address is one that we made and recorded, never one that a user gave.
#[derive(Clone, Debug)]
pub struct ClusterTarget {
    pub cluster: ClusterId,
    /// `https://<floating IP>:6443`, or the address inside the cluster's network.
    pub endpoint: String,
    /// Reached by the way configured for private APIs.
    pub private: bool,
    pub pki: Arc<ClusterPki>,
}

/// Who we are towards a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Identity {
    Engine,
    Gateway,
}

impl Identity {
    /// User and group, as the certificate says.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Engine => (ENGINE, "system:masters"),
            Self::Gateway => (GATEWAY, GATEWAY),
        }
    }
}

/// The threads that serve people have connections each: an answer that another thread's connection brings wakes that thread for every piece. The
/// engine's runtime moves its work between threads anyway.
type Key = (ClusterId, Identity, Option<ThreadId>, String);

fn key(cluster: ClusterId, identity: Identity, endpoint: &str) -> Key {
    let thread = (identity == Identity::Gateway).then(|| std::thread::current().id());
    (cluster, identity, thread, endpoint.to_owned())
}

/// The access to all clusters. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KubeAccess {
    channels: Cache<Key, Channel>,
    private: Route,
    destinations: Destinations,
}

impl KubeAccess {
    #[must_use]
    pub fn new() -> Self {
        let channels = Cache::builder().max_capacity(CHANNELS).time_to_live(CHANNEL_LIFETIME).time_to_idle(CHANNEL_IDLE).build();
        Self { channels, private: Route::Direct, destinations: Destinations::default() }
    }

    /// The way to APIs without a public address.
    #[must_use]
    pub fn with_private_route(self, private: Route) -> Self {
        Self { private, ..self }
    }

    /// Where APIs may be.
    #[must_use]
    pub fn with_destinations(self, destinations: Destinations) -> Self {
        Self { destinations, ..self }
    }

    /// The engine's operations in a cluster. For the reconciler only.
    pub async fn engine(&self, target: &ClusterTarget) -> Result<Engine, KubeError> {
        self.channel(target, Identity::Engine).await.map(Engine::new)
    }

    /// Raw requests as a person.
    pub async fn gateway(&self, target: &ClusterTarget) -> Result<Gateway, KubeError> {
        self.channel(target, Identity::Gateway).await.map(Gateway::new)
    }

    /// The same by a channel that is there already, for which nothing has to be known of the cluster's authorities.
    pub async fn known_gateway(&self, cluster: ClusterId, endpoint: &str) -> Option<Gateway> {
        self.channels.get(&key(cluster, Identity::Gateway, endpoint)).await.map(Gateway::new)
    }

    /// Typed reads as a person.
    pub async fn reads(&self, target: &ClusterTarget) -> Result<Reads, KubeError> {
        self.channel(target, Identity::Gateway).await.map(Reads::new)
    }

    async fn channel(&self, target: &ClusterTarget, identity: Identity) -> Result<Channel, KubeError> {
        let key = key(target.cluster, identity, &target.endpoint);
        if let Some(channel) = self.channels.get(&key).await {
            return Ok(channel);
        }
        let (user, group) = identity.names();
        let certificate = target
            .pki
            .client_certificate(user, Some(group), CERTIFICATE_LIFETIME, OffsetDateTime::now_utc())
            .map_err(|e| KubeError::Access(e.to_string()))?;
        let route = if target.private { &self.private } else { &Route::Direct };
        let channel = Channel::new(&target.endpoint, route, &self.destinations, &target.pki.cluster.certificate_pem, &certificate)?;
        self.channels.insert(key, channel.clone()).await;
        Ok(channel)
    }
}

impl Default for KubeAccess {
    fn default() -> Self {
        Self::new()
    }
}
