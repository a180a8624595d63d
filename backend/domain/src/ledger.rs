//! The ledger: one row for every cloud object of ours, committed before the call that makes it.

use crate::ids::{ClusterId, ResourceId};
use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;

/// A kind of cloud object. Children of a load balancer and rules of a security group live and die with their parent and have no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    ApplicationCredential,
    Network,
    Subnet,
    Router,
    RouterInterface,
    SecurityGroup,
    ServerGroup,
    LoadBalancer,
    FloatingIp,
    Port,
    Volume,
    Server,
}

impl ResourceKind {
    pub const ALL: [Self; 12] = [
        Self::ApplicationCredential,
        Self::Network,
        Self::Subnet,
        Self::Router,
        Self::RouterInterface,
        Self::SecurityGroup,
        Self::ServerGroup,
        Self::LoadBalancer,
        Self::FloatingIp,
        Self::Port,
        Self::Volume,
        Self::Server,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApplicationCredential => "application_credential",
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::Router => "router",
            Self::RouterInterface => "router_interface",
            Self::SecurityGroup => "security_group",
            Self::ServerGroup => "server_group",
            Self::LoadBalancer => "load_balancer",
            Self::FloatingIp => "floating_ip",
            Self::Port => "port",
            Self::Volume => "volume",
            Self::Server => "server",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What we know of a row's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// Wanted; no call was made, or the last one surely made nothing.
    Intended,
    /// A call was sent and its outcome is not known: the object may be there. Look before calling again.
    Unknown,
    /// It is there, and its id is recorded.
    Known,
    /// Its deletion was asked for; it may still be there.
    Deleting,
    /// Seen to be gone, or surely never made.
    Gone,
    /// Two or more objects match: nothing is done until an operator has looked.
    Ambiguous,
}

impl ResourceState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Unknown => "unknown",
            Self::Known => "known",
            Self::Deleting => "deleting",
            Self::Gone => "gone",
            Self::Ambiguous => "ambiguous",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Intended, Self::Unknown, Self::Known, Self::Deleting, Self::Gone, Self::Ambiguous].into_iter().find(|s| s.as_str() == text)
    }
}

/// One row. `key` says which part of the cluster it is (`network`, `server/kcs-1a2b3c4d-w0-3`); unique among a cluster's rows that are not gone.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerRow {
    pub id: ResourceId,
    pub cluster: ClusterId,
    pub key: String,
    pub kind: ResourceKind,
    /// Exact name of the object in the cloud.
    pub name: String,
    pub state: ResourceState,
    pub cloud_id: Option<String>,
    /// An address the object has (port: fixed IP; load balancer: VIP; floating IP), once known.
    pub address: Option<String>,
    /// When the last create or delete call was sent.
    pub called_at: Option<OffsetDateTime>,
    /// How often in a row a look after an unknown outcome found nothing, and when the last look was.
    pub empty_looks: u32,
    pub looked_at: Option<OffsetDateTime>,
    /// Calls that failed in a row; back-off grows with it.
    pub failures: u32,
    /// The cloud's words for the last failure.
    pub fault: Option<crate::nodes::Fault>,
    pub created_at: OffsetDateTime,
}

impl LedgerRow {
    /// One of whose object nothing is known, and for which nothing was called.
    #[must_use]
    pub fn new(id: ResourceId, cluster: ClusterId, key: String, kind: ResourceKind, name: String, now: OffsetDateTime) -> Self {
        Self {
            id,
            cluster,
            key,
            kind,
            name,
            state: ResourceState::Intended,
            cloud_id: None,
            address: None,
            called_at: None,
            empty_looks: 0,
            looked_at: None,
            failures: 0,
            fault: None,
            created_at: now,
        }
    }

    /// The node that this row's object is a part of, if it is one of a node's.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        // What programs in the cluster made belongs to no node.
        let of_node =
            self.key.starts_with(self.kind.as_str()) && matches!(self.kind, ResourceKind::Server | ResourceKind::Port | ResourceKind::Volume);
        of_node.then(|| self.key.split(['/', '~']).nth(1)).flatten()
    }

    /// The data volume of its pool that this row is; None: a root volume, or no volume.
    #[must_use]
    pub fn data_volume(&self) -> Option<&str> {
        (self.node().is_some() && self.kind == ResourceKind::Volume).then(|| self.key.split('~').next()?.split('/').nth(2)).flatten()
    }
}
