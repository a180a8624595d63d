//! What Neutron writes, and how rules are spelled.

use crate::lenient::{limit, or_default};
use cloud::compute::Limit;
use cloud::network::{Direction, FloatingIp, Net, NetworkLimits, Peer, Port, Router, Rule, SecurityGroup, Subnet};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

#[derive(Deserialize)]
pub(crate) struct NetView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(rename = "router:external")]
    pub external: Option<bool>,
    shared: Option<bool>,
    #[serde(default, alias = "tenant_id", deserialize_with = "or_default")]
    project: String,
    #[serde(default, deserialize_with = "or_default")]
    project_id: String,
}

impl From<NetView> for Net {
    fn from(view: NetView) -> Self {
        Self {
            id: view.id,
            name: view.name,
            description: view.description,
            external: view.external.unwrap_or(false),
            shared: view.shared.unwrap_or(false),
            project_id: if view.project_id.is_empty() { view.project } else { view.project_id },
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct SubnetView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    pub network_id: String,
    cidr: String,
    gateway_ip: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    allocation_pools: Vec<PoolView>,
}

#[derive(Deserialize)]
struct PoolView {
    start: String,
    end: String,
}

impl From<SubnetView> for Subnet {
    fn from(v: SubnetView) -> Self {
        let pools = v.allocation_pools.iter().filter_map(|p| Some((p.start.parse().ok()?, p.end.parse().ok()?))).collect();
        Self { id: v.id, name: v.name, description: v.description, network_id: v.network_id, cidr: v.cidr, gateway: v.gateway_ip, pools }
    }
}

#[derive(Deserialize)]
pub(crate) struct RouterView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    external_gateway_info: Option<Gateway>,
}

#[derive(Deserialize)]
pub(crate) struct RouterBody {
    pub router: RouterView,
}

#[derive(Deserialize)]
struct Gateway {
    network_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    external_fixed_ips: Vec<ExternalIp>,
}

/// Without `subnet_id` where the subnet is not the caller's to see.
#[derive(Deserialize)]
struct ExternalIp {
    ip_address: String,
}

impl From<RouterView> for Router {
    fn from(v: RouterView) -> Self {
        let (external_network_id, addresses) = v.external_gateway_info.map_or((None, Vec::new()), |g| (g.network_id, g.external_fixed_ips));
        let external_addresses = addresses.iter().filter_map(|ip| ip.ip_address.parse::<Ipv4Addr>().ok()).collect();
        Self { id: v.id, name: v.name, description: v.description, external_network_id, external_addresses }
    }
}

#[derive(Deserialize)]
pub(crate) struct PortView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    pub network_id: String,
    #[serde(default, deserialize_with = "or_default")]
    fixed_ips: Vec<FixedIp>,
    #[serde(default, deserialize_with = "or_default")]
    device_id: String,
    #[serde(default, deserialize_with = "or_default")]
    security_groups: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    device_owner: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
}

#[derive(Deserialize)]
struct FixedIp {
    subnet_id: String,
    ip_address: String,
}

impl From<PortView> for Port {
    fn from(v: PortView) -> Self {
        Self {
            id: v.id,
            name: v.name,
            description: v.description,
            network_id: v.network_id,
            address: v.fixed_ips.first().map(|ip| ip.ip_address.clone()),
            subnet_ids: v.fixed_ips.into_iter().map(|ip| ip.subnet_id).collect(),
            security_group_ids: v.security_groups,
            device_id: v.device_id,
            device_owner: v.device_owner,
            status: v.status,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct FloatingIpView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    floating_ip_address: String,
    port_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
}

impl From<FloatingIpView> for FloatingIp {
    fn from(v: FloatingIpView) -> Self {
        let port_id = v.port_id.filter(|id| !id.is_empty());
        Self { id: v.id, description: v.description, address: v.floating_ip_address, port_id, status: v.status }
    }
}

#[derive(Deserialize)]
pub(crate) struct GroupView {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    #[serde(default, deserialize_with = "or_default")]
    security_group_rules: Vec<RuleView>,
}

impl From<GroupView> for SecurityGroup {
    fn from(v: GroupView) -> Self {
        let (ipv4, ipv6): (Vec<RuleView>, Vec<RuleView>) = v.security_group_rules.into_iter().partition(RuleView::is_ipv4);
        let rules = |views: Vec<RuleView>| views.into_iter().map(Rule::from).collect();
        Self { id: v.id, name: v.name, description: v.description, rules: rules(ipv4), ipv6_rules: rules(ipv6) }
    }
}

#[derive(Deserialize)]
struct RuleView {
    direction: String,
    ethertype: Option<String>,
    protocol: Option<Value>,
    port_range_min: Option<i64>,
    port_range_max: Option<i64>,
    remote_ip_prefix: Option<String>,
    remote_group_id: Option<String>,
    remote_address_group_id: Option<String>,
}

impl RuleView {
    fn is_ipv4(&self) -> bool {
        self.ethertype.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case("IPv4"))
    }
}

impl From<RuleView> for Rule {
    fn from(v: RuleView) -> Self {
        let number = |n: Option<i64>| n.and_then(|n| u16::try_from(n).ok());
        let group = v.remote_group_id.or(v.remote_address_group_id);
        Self {
            direction: if v.direction == "egress" { Direction::Egress } else { Direction::Ingress },
            protocol: v.protocol.and_then(protocol),
            ports: number(v.port_range_min).zip(number(v.port_range_max)),
            peer: match (group, v.remote_ip_prefix) {
                (Some(id), _) => Peer::Group(id),
                (None, Some(cidr)) if !matches!(cidr.as_str(), "0.0.0.0/0" | "::/0") => Peer::Cidr(cidr),
                _ => Peer::Anyone,
            },
        }
    }
}

/// Protocols are written by name or number, also as a number; equal rules must compare equal.
fn protocol(value: Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(spelled(&text))
}

fn spelled(protocol: &str) -> String {
    let usual = match protocol {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "ipip" => "4",
        "vrrp" => "112",
        other => other,
    };
    usual.to_owned()
}

/// The rule in the one spelling that read rules have.
pub(crate) fn normal(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    rule.protocol = rule.protocol.map(|p| spelled(&p.to_ascii_lowercase())).filter(|p| p != "any");
    if matches!(&rule.peer, Peer::Cidr(cidr) if cidr == "0.0.0.0/0") {
        rule.peer = Peer::Anyone;
    }
    rule
}

/// The rule as Neutron takes it.
pub(crate) fn rule_body(group_id: &str, rule: &Rule) -> Value {
    let direction = match rule.direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    };
    let mut body = json!({"security_group_id": group_id, "direction": direction, "ethertype": "IPv4"});
    if let Some(protocol) = &rule.protocol {
        body["protocol"] = json!(protocol);
    }
    if let Some((first, last)) = rule.ports {
        body["port_range_min"] = json!(first);
        body["port_range_max"] = json!(last);
    }
    match &rule.peer {
        Peer::Anyone => {}
        Peer::Cidr(cidr) => body["remote_ip_prefix"] = json!(cidr),
        Peer::Group(id) => body["remote_group_id"] = json!(id),
    }
    body
}

#[derive(Deserialize)]
pub(crate) struct AvailabilityBody {
    network_ip_availability: Availability,
}

#[derive(Deserialize)]
struct Availability {
    subnet_ip_availability: Vec<SubnetAvailability>,
}

/// Of IPv6 there may be more than any number holds.
#[derive(Deserialize)]
struct SubnetAvailability {
    ip_version: u8,
    total_ips: Value,
    used_ips: Value,
}

impl AvailabilityBody {
    /// Addresses of IPv4 that are left.
    pub(crate) fn left(&self) -> u64 {
        let subnets = self.network_ip_availability.subnet_ip_availability.iter().filter(|s| s.ip_version == 4);
        subnets.map(|s| s.total_ips.as_u64().unwrap_or(0).saturating_sub(s.used_ips.as_u64().unwrap_or(0))).sum()
    }
}

#[derive(Deserialize)]
pub(crate) struct Quotas {
    quota: BTreeMap<String, Value>,
}

impl Quotas {
    pub(crate) fn limits(&self) -> NetworkLimits {
        let of = |key: &str| {
            let number = |name| self.quota.get(key).and_then(|detail| detail.get(name)).and_then(Value::as_i64);
            let sum = number("used").unwrap_or(0) + number("reserved").unwrap_or(0);
            Limit { used: u64::try_from(sum).unwrap_or(0), limit: number("limit").and_then(limit) }
        };
        NetworkLimits {
            networks: of("network"),
            subnets: of("subnet"),
            routers: of("router"),
            ports: of("port"),
            floating_ips: of("floatingip"),
            security_groups: of("security_group"),
            security_group_rules: of("security_group_rule"),
        }
    }
}
