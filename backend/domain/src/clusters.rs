//! A cluster: what was asked for (spec) and how it is (phase, health).

use crate::addons::{AddonStatus, AddonsRequest, AddonsSpec};
use crate::conditions::Condition;
use crate::health::ObjectHealth;
use crate::ids::{ClusterId, OperationId, TenantId};
use crate::settings::{
    ApiAuditRequest, ApiAuditSpec, ApiExposure, ApiRequest, ApiSpec, DataVolume, ExistingNetwork, ExistingNetworkRequest, KeyPair, Proxy,
};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use time::OffsetDateTime;

/// A specification as a user or template gives it: what is left out gets a default (`ClusterSpecRequest::complete`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpecRequest {
    /// `v1.36.3`; default: the newest current version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    #[serde(default)]
    pub network: NetworkRequest,
    #[serde(default)]
    pub api: ApiRequest,
    /// What the cluster's own API writes down of its calls.
    #[serde(default)]
    pub audit: ApiAuditRequest,
    #[serde(default)]
    pub control_plane: ControlPlaneRequest,
    /// Default: one pool `default` of two nodes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node_pools: Option<Vec<NodePoolSpec>>,
    /// Time servers of the nodes; default: those of the image.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ntp_servers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<Proxy>,
    /// Host, with a path if need be, that stands in for all public registries: `mirror.example.com/proxy`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub registry_mirror: Option<String>,
    /// PEM of authorities that nodes trust besides those of their image.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ca_certificates: Option<Vec<String>>,
    #[serde(default)]
    pub addons: AddonsRequest,
    /// Whether what breaks is mended by itself; default: `automatic`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repair: Option<RepairPolicy>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deletion_protection: Option<bool>,
}

/// Who mends what breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairPolicy {
    /// What is safe is repaired at once, lost nodes are replaced, with brakes.
    #[default]
    Automatic,
    /// Damage is shown; a person asks for the repair.
    Manual,
}

/// Settings that may be changed at any time and change nothing in the cloud; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<RepairPolicy>,
    /// Off in every new cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direct_access: Option<bool>,
}

/// The network part of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRequest {
    /// A network and subnet of the project to use instead of new ones; then `node_cidr` is the subnet's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub existing: Option<ExistingNetworkRequest>,
    /// Id of the external network for router and floating IP; default: the first one there is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub node_cidr: Option<Ipv4Net>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub pod_cidr: Option<Ipv4Net>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub service_cidr: Option<Ipv4Net>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub dns_servers: Option<Vec<Ipv4Addr>>,
}

/// The control-plane part of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlPlaneRequest {
    /// 1, 3 or 5.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u32>,
    /// Name of the flavor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub flavor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub root_volume_gib: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub volume_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zones: Option<Vec<String>>,
    /// Name of a node image other than the version's own; it must hold the same Kubernetes version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
    /// Name of a key pair of yours whose owner may log in to the nodes; default: nobody may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_pair: Option<String>,
}

/// What was asked for, complete: every choice is made and recorded before anything is built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClusterSpec {
    pub version: String,
    pub network: NetworkSpec,
    #[serde(default)]
    pub api: ApiSpec,
    #[serde(default)]
    pub audit: ApiAuditSpec,
    pub control_plane: ControlPlaneSpec,
    pub node_pools: Vec<NodePoolSpec>,
    #[serde(default)]
    pub ntp_servers: Vec<String>,
    #[serde(default)]
    pub proxy: Option<Proxy>,
    #[serde(default)]
    pub registry_mirror: Option<String>,
    #[serde(default)]
    pub ca_certificates: Vec<String>,
    /// Public keys of the key pairs that the pools name, as they were when the cluster or the pool was asked for.
    #[serde(default)]
    pub key_pairs: Vec<KeyPair>,
    /// Servers that the cloud lets into one server group; pools use as many groups as that needs.
    #[serde(default = "default_group_members")]
    pub server_group_members: u32,
    #[serde(default)]
    pub addons: AddonsSpec,
    #[serde(default)]
    pub repair: RepairPolicy,
    /// Whether people get certificates with which they reach its API past the gate; counts where the operator lets projects choose.
    #[serde(default)]
    pub direct_access: bool,
    pub deletion_protection: bool,
}

/// Nova's own default.
#[must_use]
pub fn default_group_members() -> u32 {
    10
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NetworkSpec {
    /// A network of the project's own instead of a new one.
    #[serde(default)]
    pub existing: Option<ExistingNetwork>,
    /// Id of the external network.
    pub external_network: String,
    #[schema(value_type = String)]
    pub node_cidr: Ipv4Net,
    #[schema(value_type = String)]
    pub pod_cidr: Ipv4Net,
    #[schema(value_type = String)]
    pub service_cidr: Ipv4Net,
    #[schema(value_type = Vec<String>)]
    pub dns_servers: Vec<Ipv4Addr>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ControlPlaneSpec {
    /// 1, 3 or 5.
    pub count: u32,
    /// Name of the flavor.
    pub flavor: String,
    /// GiB; 0: the flavor's own disk instead of a volume.
    pub root_volume_gib: u32,
    /// None: the cloud's default type.
    pub volume_type: Option<String>,
    /// Availability zones to spread over; empty: the cloud chooses.
    pub zones: Vec<String>,
    /// None: the version's own image.
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub key_pair: Option<String>,
}

/// A set of equal workers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodePoolSpec {
    /// Unique in the cluster, `[a-z]([a-z0-9-]{0,19})`.
    pub name: String,
    /// Name of the flavor.
    pub flavor: String,
    pub count: u32,
    /// GiB; 0: the flavor's own disk instead of a volume.
    #[serde(default = "default_root_volume")]
    pub root_volume_gib: u32,
    #[serde(default)]
    pub volume_type: Option<String>,
    #[serde(default)]
    pub zones: Vec<String>,
    /// Kubernetes labels of the nodes.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub taints: Vec<Taint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_volumes: Vec<DataVolume>,
    /// Name of a node image other than the version's own; it must hold the same Kubernetes version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Name of a key pair whose owner may log in to the nodes; default: nobody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_pair: Option<String>,
    /// Whether the pool's servers are kept on different hosts as far as there are hosts. Default: as far as the quota of server groups lets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anti_affinity: Option<bool>,
}

impl ClusterSpec {
    /// The public key that a pool's nodes accept.
    #[must_use]
    pub fn public_key(&self, key_pair: Option<&str>) -> Option<&str> {
        let name = key_pair?;
        self.key_pairs.iter().find(|k| k.name == name).map(|k| k.public_key.as_str())
    }

    /// What nodes reach without the proxy: what was asked for, and the cluster's own addresses.
    #[must_use]
    pub fn no_proxy(&self) -> Vec<String> {
        let own = ["localhost", "127.0.0.1", "169.254.169.254", ".svc", ".cluster.local"].map(str::to_owned);
        let ranges = [self.network.node_cidr, self.network.pod_cidr, self.network.service_cidr].map(|r| r.to_string());
        let mut list: Vec<String> = self.proxy.iter().flat_map(|p| p.no_proxy.iter().cloned()).chain(own).chain(ranges).collect();
        let mut seen = std::collections::BTreeSet::new();
        list.retain(|entry| seen.insert(entry.clone()));
        list
    }
}

/// GiB of a node's root volume where nothing is said.
#[must_use]
pub fn default_root_volume() -> u32 {
    20
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    pub key: String,
    #[serde(default)]
    pub value: String,
    pub effect: TaintEffect,
}

/// As kubectl takes it: `key=value:NoSchedule`.
impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { "=" };
        write!(f, "{}{equals}{}:{}", self.key, self.value, self.effect.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

impl TaintEffect {
    /// As Kubernetes writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// Where a cluster stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Phase {
    Provisioning,
    Running,
    Degraded,
    Updating,
    Deleting,
    Failed,
}

impl Phase {
    /// As stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "Provisioning",
            Self::Running => "Running",
            Self::Degraded => "Degraded",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
            Self::Failed => "Failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Provisioning, Self::Running, Self::Degraded, Self::Updating, Self::Deleting, Self::Failed].into_iter().find(|p| p.as_str() == text)
    }
}

/// How a cluster is, as last observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClusterStatus {
    pub phase: Phase,
    #[serde(deserialize_with = "crate::newer::known")]
    pub conditions: Vec<Condition>,
    /// `https://<floating IP>:6443`, once the address is there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_endpoint: Option<String>,
    /// Address of the load balancer inside the cluster's network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_vip: Option<String>,
    pub masters_ready: u32,
    pub nodes_ready: u32,
    /// What runs in the cluster for it to be of use, in the order of its making.
    #[serde(default, deserialize_with = "crate::newer::known", skip_serializing_if = "Vec::is_empty")]
    pub addons: Vec<AddonStatus>,
    /// Rules that somebody added to the cluster's security groups: they are left alone. No more than a hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added_rules: Vec<AddedRule>,
    /// The cloud objects that are not well. Whoever asks is told of each object with the object.
    #[serde(default, deserialize_with = "crate::newer::known", skip_serializing_if = "Vec::is_empty")]
    #[schema(ignore)]
    pub objects: Vec<ObjectHealth>,
}

/// A rule of a security group that is not of KCS's making.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AddedRule {
    /// Name of the security group.
    pub group: String,
    pub direction: RuleDirection,
    pub ip_version: u8,
    /// Absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// First and last port, or what stands in their places; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_port: Option<u16>,
    /// A range of addresses, or the id of a security group; absent: anyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleDirection {
    Ingress,
    Egress,
}

impl ClusterStatus {
    /// The status of a cluster nothing has been done for yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            phase: Phase::Provisioning,
            conditions: Vec::new(),
            api_endpoint: None,
            api_vip: None,
            masters_ready: 0,
            nodes_ready: 0,
            addons: Vec::new(),
            added_rules: Vec::new(),
            objects: Vec::new(),
        }
    }
}

impl Default for ClusterStatus {
    fn default() -> Self {
        Self::new()
    }
}

/// A cluster as the store keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    pub id: ClusterId,
    pub tenant: TenantId,
    pub tenant_name: String,
    pub name: String,
    pub spec: ClusterSpec,
    /// Rises with every change of the spec.
    pub generation: i64,
    /// The generation that the engine has brought about.
    pub observed_generation: i64,
    pub status: ClusterStatus,
    /// The operation under way, if any.
    pub operation: Option<OperationId>,
    pub created_at: OffsetDateTime,
    pub created_by: String,
    /// Rises when who comes into single namespaces of it, and has a place in the project still, may have changed: the engine then writes the cluster's own rules anew.
    pub people_version: i64,
    /// Set once deletion was asked for; deletion wins over everything.
    pub delete_requested_at: Option<OffsetDateTime>,
    /// Set once nothing is left; the row stays as a tombstone for its receipt.
    pub deleted_at: Option<OffsetDateTime>,
}

impl Cluster {
    /// How its API is reached.
    #[must_use]
    pub fn endpoint(&self) -> ClusterEndpoint {
        ClusterEndpoint { id: self.id, tenant: self.tenant.clone(), url: self.status.api_endpoint.clone(), exposure: self.spec.api.exposure }
    }
}

/// What a call of a cluster's API has to know of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterEndpoint {
    pub id: ClusterId,
    pub tenant: TenantId,
    /// None: there is no address yet.
    pub url: Option<String>,
    pub exposure: ApiExposure,
}
