//! Neutron: networks, subnets, routers, ports, floating IPs, security groups, quotas. Ownership is marked in `description`, which is set at creation.

use crate::Result;
use crate::compute::Limit;
use async_trait::async_trait;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    pub id: String,
    pub name: String,
    pub description: String,
    pub external: bool,
    pub shared: bool,
    pub project_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub id: String,
    pub name: String,
    pub description: String,
    pub network_id: String,
    pub cidr: String,
    pub gateway: Option<String>,
    /// First and last address of each range that ports get theirs from.
    pub pools: Vec<(Ipv4Addr, Ipv4Addr)>,
}

#[derive(Clone, Debug)]
pub struct NewSubnet {
    pub name: String,
    pub description: String,
    pub network_id: String,
    pub cidr: Ipv4Net,
    pub dns_servers: Vec<Ipv4Addr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    pub id: String,
    pub name: String,
    pub description: String,
    pub external_network_id: Option<String>,
    /// Its addresses on the external network: what is behind it is seen from there.
    pub external_addresses: Vec<Ipv4Addr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub id: String,
    pub name: String,
    pub description: String,
    pub network_id: String,
    pub subnet_ids: Vec<String>,
    /// First fixed IP.
    pub address: Option<String>,
    pub security_group_ids: Vec<String>,
    /// What it is bound to; empty: nothing.
    pub device_id: String,
    /// `network:router_interface` and the like.
    pub device_owner: String,
    pub status: String,
}

#[derive(Clone, Debug)]
pub struct NewPort {
    pub name: String,
    pub description: String,
    pub network_id: String,
    pub subnet_id: String,
    pub security_group_ids: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatingIp {
    pub id: String,
    pub description: String,
    pub address: String,
    pub port_id: Option<String>,
    pub status: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    Ingress,
    Egress,
}

/// Where a rule's traffic comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    Anyone,
    Cidr(String),
    /// Id of a security group.
    Group(String),
}

/// A rule; equality is by content, which is also how Neutron tells duplicates. What is written is for IPv4.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    pub direction: Direction,
    /// `tcp`, `udp`, a number as text; None: any.
    pub protocol: Option<String>,
    pub ports: Option<(u16, u16)>,
    pub peer: Peer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityGroup {
    pub id: String,
    pub name: String,
    pub description: String,
    /// Those for IPv4.
    pub rules: Vec<Rule>,
    /// Those for IPv6, of which none is ours.
    pub ipv6_rules: Vec<Rule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkLimits {
    pub networks: Limit,
    pub subnets: Limit,
    pub routers: Limit,
    pub ports: Limit,
    pub floating_ips: Limit,
    pub security_groups: Limit,
    pub security_group_rules: Limit,
}

/// Neutron's kinds of objects that are asked for by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Network,
    Subnet,
    Router,
    Port,
    SecurityGroup,
    FloatingIp,
}

/// All `*_by_name` filters are exact. Lists read all pages.
#[async_trait]
pub trait Network: Send + Sync {
    /// Fails when there is none of this id.
    async fn find(&self, kind: Kind, id: &str) -> Result<()>;
    /// Gives it this name. Floating IPs have none.
    async fn rename(&self, kind: Kind, id: &str, name: &str) -> Result<()>;

    async fn networks_by_name(&self, name: &str) -> Result<Vec<Net>>;
    async fn external_networks(&self) -> Result<Vec<Net>>;
    /// Networks that servers may be put into: the project's own and those shared with it.
    async fn networks(&self) -> Result<Vec<Net>>;
    async fn create_network(&self, name: &str, description: &str) -> Result<String>;
    async fn delete_network(&self, id: &str) -> Result<()>;

    async fn subnets_of(&self, network_id: &str) -> Result<Vec<Subnet>>;
    /// All subnets the project sees.
    async fn subnets(&self) -> Result<Vec<Subnet>>;
    async fn create_subnet(&self, subnet: &NewSubnet) -> Result<String>;
    async fn delete_subnet(&self, id: &str) -> Result<()>;

    /// All of the project's.
    async fn routers(&self) -> Result<Vec<Router>>;
    async fn routers_by_name(&self, name: &str) -> Result<Vec<Router>>;
    async fn router(&self, id: &str) -> Result<Router>;
    /// The ports of a router, those on other networks included.
    async fn ports_of_device(&self, device_id: &str) -> Result<Vec<Port>>;
    async fn create_router(&self, name: &str, description: &str, external_network_id: &str) -> Result<String>;
    /// Leads the router to this external network.
    async fn set_gateway(&self, router_id: &str, external_network_id: &str) -> Result<()>;
    async fn delete_router(&self, id: &str) -> Result<()>;
    /// Answers the id of the router's port on the subnet.
    async fn add_router_interface(&self, router_id: &str, subnet_id: &str) -> Result<String>;
    async fn remove_router_interface(&self, router_id: &str, subnet_id: &str) -> Result<()>;

    /// With its rules.
    async fn security_group(&self, id: &str) -> Result<SecurityGroup>;
    /// All of the project's, without their rules.
    async fn security_groups(&self) -> Result<Vec<SecurityGroup>>;
    /// All of the project's, with their rules.
    async fn security_groups_with_rules(&self) -> Result<Vec<SecurityGroup>>;
    async fn create_security_group(&self, name: &str, description: &str) -> Result<String>;
    async fn delete_security_group(&self, id: &str) -> Result<()>;
    /// Adds rules in one call; rules that exist already are no error.
    async fn add_rules(&self, group_id: &str, rules: &[Rule]) -> Result<()>;

    /// All of the project's, and those of others on its networks.
    async fn ports(&self) -> Result<Vec<Port>>;
    /// All ports on a network, those of others included.
    async fn ports_of(&self, network_id: &str) -> Result<Vec<Port>>;
    async fn port(&self, id: &str) -> Result<Port>;
    /// Answers (id, fixed address).
    async fn create_port(&self, port: &NewPort) -> Result<(String, String)>;
    /// Puts the port into exactly these, with port security on.
    async fn set_security_groups(&self, port_id: &str, group_ids: &[String]) -> Result<()>;
    async fn delete_port(&self, id: &str) -> Result<()>;

    /// Floating IPs of the project whose description is exactly this.
    async fn floating_ips_by_description(&self, description: &str) -> Result<Vec<FloatingIp>>;
    /// All of the project's.
    async fn floating_ips(&self) -> Result<Vec<FloatingIp>>;
    /// Answers (id, address). Not associated yet.
    async fn create_floating_ip(&self, external_network_id: &str, description: &str) -> Result<(String, String)>;
    async fn associate_floating_ip(&self, id: &str, port_id: Option<&str>) -> Result<()>;
    async fn delete_floating_ip(&self, id: &str) -> Result<()>;

    /// IPv4 addresses that a network has left. None: the cloud does not tell whoever asks.
    async fn addresses_left(&self, network_id: &str) -> Result<Option<u64>>;
    async fn limits(&self, project_id: &str) -> Result<NetworkLimits>;
}
