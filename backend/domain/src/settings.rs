//! Settings of a cluster beyond its size: how its API is reached, what network it is put into, and what a site without internet needs.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Who can reach a cluster's API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiExposure {
    /// A floating IP, open to everybody who has a credential.
    #[default]
    Public,
    /// A floating IP, its listener limited to `allowed_cidrs`.
    Restricted,
    /// No floating IP: only from the cluster's network, and for KCS by the way the operator configured.
    Private,
}

/// Octavia's provider that balances in the network itself: members see their clients' addresses, and it refuses what only a proxy can, ranges of clients too.
pub const OVN: &str = "ovn";

/// An idle connection lives this long where nothing is said: `kubectl logs -f` is silent for long.
pub const IDLE_SECONDS: u32 = 3600;

/// How a cluster's API is reached, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSpec {
    pub exposure: ApiExposure,
    /// Clients that may connect, when it is restricted. KCS adds the cluster's own ranges and its own addresses.
    #[schema(value_type = Vec<String>)]
    pub allowed_cidrs: Vec<Ipv4Net>,
    /// Octavia's provider; None: the operator's or the cloud's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Seconds a connection may be silent on the client's side.
    pub client_timeout_seconds: u32,
    /// Seconds a connection may be silent on the master's side.
    pub member_timeout_seconds: u32,
}

impl Default for ApiSpec {
    fn default() -> Self {
        Self {
            exposure: ApiExposure::Public,
            allowed_cidrs: Vec::new(),
            provider: None,
            client_timeout_seconds: IDLE_SECONDS,
            member_timeout_seconds: IDLE_SECONDS,
        }
    }
}

/// How a cluster's API is to be reached, as asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiRequest {
    /// Default: public.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exposure: Option<ApiExposure>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed_cidrs: Option<Vec<Ipv4Net>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provider: Option<String>,
    /// Default: 3600.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_timeout_seconds: Option<u32>,
    /// Default: 3600.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub member_timeout_seconds: Option<u32>,
}

impl ApiRequest {
    /// Every choice made.
    #[must_use]
    pub fn complete(&self) -> ApiSpec {
        ApiSpec {
            exposure: self.exposure.unwrap_or_default(),
            allowed_cidrs: self.allowed_cidrs.clone().unwrap_or_default(),
            provider: self.provider.clone(),
            client_timeout_seconds: self.client_timeout_seconds.unwrap_or(IDLE_SECONDS),
            member_timeout_seconds: self.member_timeout_seconds.unwrap_or(IDLE_SECONDS),
        }
    }
}

/// What a cluster's own API writes down of the calls to it. All its masters write alike, but for the time in which it is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApiAuditLevel {
    /// Nothing.
    #[default]
    None,
    /// Who did what to which object, when and how it ended.
    Metadata,
    /// Bodies of changes, too, but for those that may hold secrets.
    Request,
}

impl ApiAuditLevel {
    /// As stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Metadata => "metadata",
            Self::Request => "request",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Metadata, Self::Request].into_iter().find(|level| level.as_str() == text)
    }
}

/// The audit of a cluster's own API, as recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiAuditSpec {
    #[serde(default)]
    pub level: ApiAuditLevel,
    /// The level that the cluster was made with, where that is another: what kubeadm keeps in the cluster goes by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_with: Option<ApiAuditLevel>,
}

impl ApiAuditSpec {
    /// The level that the cluster was made with.
    #[must_use]
    pub fn first(&self) -> ApiAuditLevel {
        self.made_with.unwrap_or(self.level)
    }

    /// The same cluster's at another level.
    #[must_use]
    pub fn at(&self, level: ApiAuditLevel) -> Self {
        let first = self.first();
        Self { level, made_with: (first != level).then_some(first) }
    }
}

/// The audit of a cluster's own API, as asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiAuditRequest {
    /// Default: none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<ApiAuditLevel>,
}

/// A network of the project's own to put nodes into, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingNetworkRequest {
    pub network_id: String,
    pub subnet_id: String,
}

/// A network that is not ours: never changed, never deleted. What was found about it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExistingNetwork {
    pub network_id: String,
    pub subnet_id: String,
    /// External addresses of the router on the subnet: nodes reach a restricted API from there.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub router_addresses: Vec<Ipv4Addr>,
}

/// A way out for nodes without internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// `http://host:port`, without a user or password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub https: Option<String>,
    /// Hosts, domains and ranges reached without it. KCS adds the cluster's own.
    #[serde(default)]
    pub no_proxy: Vec<String>,
}

/// A disk of a node beside its root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DataVolumeSpec)]
pub struct DataVolume {
    /// Unique in the pool, `[a-z]([a-z0-9-]{0,13}[a-z0-9])?`.
    pub name: String,
    pub size_gib: u32,
    /// Volume type; default: the cloud's.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", default)]
    pub volume_type: Option<String>,
    /// Where it is mounted, with an ext4 file system; None: attached only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mount_path: Option<String>,
}

/// A person's public key that nodes accept, as it was when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyPair {
    pub name: String,
    pub public_key: String,
}
