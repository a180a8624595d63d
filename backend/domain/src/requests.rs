//! From a request to a complete specification: template and defaults put together, and every rule a specification must keep.

use crate::addons::AddonsRequest;
use crate::clusters::{ClusterSpec, ClusterSpecRequest, ControlPlaneRequest, ControlPlaneSpec, NetworkRequest, NetworkSpec, NodePoolSpec};
use crate::codes::Code;
use crate::marks;
use crate::needs::has_ingress;
use crate::nodes::CONTROL_PLANE_POOL;
use crate::settings::{ApiAuditRequest, ApiAuditSpec, ApiRequest, ExistingNetwork};
use crate::versions::{CatalogueVersion, KubernetesVersion, Support};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Something a rule forbids, by the dotted path of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub field: String,
    pub code: Code,
    pub message: String,
}

/// The operator's limits for one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecLimits {
    pub nodes_per_pool: u32,
    pub pools: usize,
    pub nodes: u32,
    pub root_volume_gib: u32,
}

impl Default for SpecLimits {
    fn default() -> Self {
        Self { nodes_per_pool: 100, pools: 20, nodes: 500, root_volume_gib: 4096 }
    }
}

/// A flavor as far as rules and needs go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlavorSize {
    pub name: String,
    pub vcpus: u32,
    pub ram_mib: u32,
}

/// What defaults are chosen from.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    pub flavors: Vec<FlavorSize>,
    /// Ids, in the order to prefer.
    pub external_networks: Vec<String>,
    pub versions: Vec<CatalogueVersion>,
}

/// What a node needs at least: (vCPUs, MiB of memory).
pub const MASTER_MINIMUM: (u32, u32) = (2, 2048);
pub const WORKER_MINIMUM: (u32, u32) = (1, 1024);
/// GiB that a node's system needs at least.
pub const SMALLEST_ROOT_VOLUME: u32 = 10;
/// Addresses of a subnet that nodes cannot have: network, broadcast, gateway, the load balancer's VIP, three for DHCP. One more where ingress has a
/// load balancer of its own.
const TAKEN_ADDRESSES: u64 = 7;
/// Addresses each node hands to its pods: a /24.
const POD_PREFIX: u8 = 24;

/// `over` wins over `base`, field by field.
#[must_use]
pub fn merge(base: &ClusterSpecRequest, over: &ClusterSpecRequest) -> ClusterSpecRequest {
    fn pick<T: Clone>(over: &Option<T>, base: &Option<T>) -> Option<T> {
        over.as_ref().or(base.as_ref()).cloned()
    }
    let (n, bn, c, bc) = (&over.network, &base.network, &over.control_plane, &base.control_plane);
    let (a, ba) = (&over.api, &base.api);
    ClusterSpecRequest {
        version: pick(&over.version, &base.version),
        network: NetworkRequest {
            existing: pick(&n.existing, &bn.existing),
            external_network: pick(&n.external_network, &bn.external_network),
            node_cidr: pick(&n.node_cidr, &bn.node_cidr),
            pod_cidr: pick(&n.pod_cidr, &bn.pod_cidr),
            service_cidr: pick(&n.service_cidr, &bn.service_cidr),
            dns_servers: pick(&n.dns_servers, &bn.dns_servers),
        },
        api: ApiRequest {
            exposure: pick(&a.exposure, &ba.exposure),
            allowed_cidrs: pick(&a.allowed_cidrs, &ba.allowed_cidrs),
            provider: pick(&a.provider, &ba.provider),
            client_timeout_seconds: pick(&a.client_timeout_seconds, &ba.client_timeout_seconds),
            member_timeout_seconds: pick(&a.member_timeout_seconds, &ba.member_timeout_seconds),
        },
        audit: ApiAuditRequest { level: pick(&over.audit.level, &base.audit.level) },
        control_plane: ControlPlaneRequest {
            count: pick(&c.count, &bc.count),
            flavor: pick(&c.flavor, &bc.flavor),
            root_volume_gib: pick(&c.root_volume_gib, &bc.root_volume_gib),
            volume_type: pick(&c.volume_type, &bc.volume_type),
            zones: pick(&c.zones, &bc.zones),
            image: pick(&c.image, &bc.image),
            key_pair: pick(&c.key_pair, &bc.key_pair),
        },
        node_pools: pick(&over.node_pools, &base.node_pools),
        ntp_servers: pick(&over.ntp_servers, &base.ntp_servers),
        proxy: pick(&over.proxy, &base.proxy),
        registry_mirror: pick(&over.registry_mirror, &base.registry_mirror),
        ca_certificates: pick(&over.ca_certificates, &base.ca_certificates),
        addons: AddonsRequest {
            pod_network: pick(&over.addons.pod_network, &base.addons.pod_network),
            cloud_controller: pick(&over.addons.cloud_controller, &base.addons.cloud_controller),
            storage: pick(&over.addons.storage, &base.addons.storage),
            metrics: pick(&over.addons.metrics, &base.addons.metrics),
            ingress: pick(&over.addons.ingress, &base.addons.ingress),
            isolate_namespaces: pick(&over.addons.isolate_namespaces, &base.addons.isolate_namespaces),
        },
        repair: pick(&over.repair, &base.repair),
        deletion_protection: pick(&over.deletion_protection, &base.deletion_protection),
    }
}

/// The complete specification. What has no default (a cloud without flavors) becomes empty text, which the checks refuse.
#[must_use]
pub fn complete(request: &ClusterSpecRequest, offers: &Offers) -> ClusterSpec {
    let smallest = |(vcpus, ram): (u32, u32)| {
        let fits = offers.flavors.iter().filter(|f| f.vcpus >= vcpus && f.ram_mib >= ram);
        fits.min_by_key(|f| (f.ram_mib, f.vcpus, f.name.clone())).map(|f| f.name.clone()).unwrap_or_default()
    };
    let net = |text: Option<Ipv4Net>, a: u8, b: u8, prefix: u8| text.unwrap_or_else(|| Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix));
    let (network, master) = (&request.network, &request.control_plane);
    ClusterSpec {
        version: request.version.clone().or_else(|| newest(&offers.versions)).unwrap_or_default(),
        network: NetworkSpec {
            existing: network.existing.as_ref().map(|e| ExistingNetwork {
                network_id: e.network_id.clone(),
                subnet_id: e.subnet_id.clone(),
                router_addresses: Vec::new(),
            }),
            external_network: network.external_network.clone().or_else(|| offers.external_networks.first().cloned()).unwrap_or_default(),
            node_cidr: net(network.node_cidr, 10, 6, 24),
            pod_cidr: net(network.pod_cidr, 172, 20, 16),
            service_cidr: net(network.service_cidr, 10, 254, 16),
            dns_servers: network.dns_servers.clone().unwrap_or_default(),
        },
        api: request.api.complete(),
        audit: ApiAuditSpec { level: request.audit.level.unwrap_or_default(), made_with: None },
        control_plane: ControlPlaneSpec {
            count: master.count.unwrap_or(1),
            flavor: master.flavor.clone().unwrap_or_else(|| smallest(MASTER_MINIMUM)),
            root_volume_gib: master.root_volume_gib.unwrap_or_else(crate::clusters::default_root_volume),
            volume_type: master.volume_type.clone(),
            zones: master.zones.clone().unwrap_or_default(),
            image: master.image.clone(),
            key_pair: master.key_pair.clone(),
        },
        node_pools: request.node_pools.clone().unwrap_or_else(|| {
            vec![NodePoolSpec {
                name: "default".to_owned(),
                flavor: smallest(MASTER_MINIMUM),
                count: 2,
                root_volume_gib: crate::clusters::default_root_volume(),
                ..NodePoolSpec::default()
            }]
        }),
        ntp_servers: request.ntp_servers.clone().unwrap_or_default(),
        proxy: request.proxy.clone().filter(|p| p.http.is_some() || p.https.is_some()),
        registry_mirror: request.registry_mirror.clone().filter(|m| !m.is_empty()),
        ca_certificates: request.ca_certificates.clone().unwrap_or_default(),
        key_pairs: Vec::new(),
        server_group_members: crate::clusters::default_group_members(),
        addons: request.addons.complete(),
        repair: request.repair.unwrap_or_default(),
        direct_access: false,
        deletion_protection: request.deletion_protection.unwrap_or(false),
    }
}

fn newest(versions: &[CatalogueVersion]) -> Option<String> {
    let current = versions.iter().filter(|v| v.support == Support::Current);
    let parsed = current.filter_map(|v| v.version.parse::<KubernetesVersion>().ok());
    parsed.max().map(|v| v.to_string())
}

/// Collects violations.
pub(crate) struct Rules(pub(crate) Vec<Violation>);

impl Rules {
    fn refuse(&mut self, field: &str, code: Code, message: impl Into<String>) {
        self.0.push(Violation { field: field.to_owned(), code, message: message.into() });
    }

    pub(crate) fn must(&mut self, holds: bool, field: &str, message: &str) {
        if !holds {
            self.refuse(field, Code::InvalidInput, message);
        }
    }
}

/// Every rule that `name` and `spec` break, whatever the cloud offers.
#[must_use]
pub fn violations(name: &str, spec: &ClusterSpec, limits: &SpecLimits) -> Vec<Violation> {
    let mut rules = Rules(Vec::new());
    rules.must(is_name(name, 40), "name", "must be 1 to 40 of a-z, 0-9 and -, begin with a letter and not end with -");
    rules.must(spec.version.parse::<KubernetesVersion>().is_ok(), "spec.version", "must have the form v1.36.3");
    control_plane(&mut rules, spec, limits);
    pools(&mut rules, spec, limits);
    network(&mut rules, spec);
    site::rules(&mut rules, spec);
    rules.0
}

/// Rules of a pool's new size.
#[must_use]
pub fn resize_violations(spec: &ClusterSpec, pool: &str, count: u32, limits: &SpecLimits) -> Vec<Violation> {
    let mut rules = Rules(Vec::new());
    let mut next = spec.clone();
    if let Some(found) = next.node_pools.iter_mut().find(|p| p.name == pool) {
        found.count = count;
    }
    if count > limits.nodes_per_pool {
        rules.refuse("count", Code::InvalidInput, format!("must be at most {}", limits.nodes_per_pool));
    } else if total_nodes(&next) > u64::from(limits.nodes) {
        rules.refuse("count", Code::InvalidInput, format!("the cluster may have at most {} nodes", limits.nodes));
    } else {
        let mut room = Rules(Vec::new());
        room_for_nodes(&mut room, &next);
        rules.0.extend(room.0.into_iter().map(|v| Violation { field: "count".to_owned(), ..v }));
    }
    rules.0
}

fn is_name(text: &str, longest: usize) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    !bytes.is_empty() && bytes.len() <= longest && bytes[0].is_ascii_lowercase() && bytes.iter().all(plain) && bytes[bytes.len() - 1] != b'-'
}

fn total_nodes(spec: &ClusterSpec) -> u64 {
    u64::from(spec.control_plane.count) + spec.node_pools.iter().map(|p| u64::from(p.count)).sum::<u64>()
}

fn control_plane(rules: &mut Rules, spec: &ClusterSpec, limits: &SpecLimits) {
    let master = &spec.control_plane;
    rules.must(matches!(master.count, 1 | 3 | 5), "spec.control_plane.count", "must be 1, 3 or 5");
    machine(rules, "spec.control_plane", &master.flavor, master.root_volume_gib, master.volume_type.as_deref(), &master.zones, limits);
    names_of(rules, "spec.control_plane", master.image.as_deref(), master.key_pair.as_deref());
}

fn machine(rules: &mut Rules, at: &str, flavor: &str, volume: u32, volume_type: Option<&str>, zones: &[String], limits: &SpecLimits) {
    rules.must(is_word(flavor), &format!("{at}.flavor"), "must name a flavor");
    if volume != 0 && !(SMALLEST_ROOT_VOLUME..=limits.root_volume_gib).contains(&volume) {
        let message = format!("must be {SMALLEST_ROOT_VOLUME} to {} GiB, or 0 for the flavor's own disk", limits.root_volume_gib);
        rules.refuse(&format!("{at}.root_volume_gib"), Code::InvalidInput, message);
    }
    rules.must(volume_type.is_none_or(is_word), &format!("{at}.volume_type"), "must name a volume type");
    rules.must(zones.len() <= 20, &format!("{at}.zones"), "must be at most 20 zones");
    let mut seen = BTreeSet::new();
    for (index, zone) in zones.iter().enumerate().take(20) {
        rules.must(is_word(zone) && seen.insert(zone), &format!("{at}.zones[{index}]"), "must name a zone, each once");
    }
}

fn names_of(rules: &mut Rules, at: &str, image: Option<&str>, key_pair: Option<&str>) {
    rules.must(image.is_none_or(is_word), &format!("{at}.image"), "must name an image");
    rules.must(key_pair.is_none_or(is_word), &format!("{at}.key_pair"), "must name a key pair");
}

/// A name of the cloud's: printable, not empty, not endless.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control)
}

fn pools(rules: &mut Rules, spec: &ClusterSpec, limits: &SpecLimits) {
    if spec.node_pools.len() > limits.pools {
        rules.refuse("spec.node_pools", Code::InvalidInput, format!("must be at most {} pools", limits.pools));
        return;
    }
    let mut names = BTreeSet::new();
    for (index, pool) in spec.node_pools.iter().enumerate() {
        let at = format!("spec.node_pools[{index}]");
        let (name_field, count_field) = (format!("{at}.name"), format!("{at}.count"));
        rules.must(is_name(&pool.name, 20), &name_field, "must be 1 to 20 of a-z, 0-9 and -, begin with a letter and not end with -");
        rules.must(pool.name != CONTROL_PLANE_POOL, &name_field, "is the name of the control plane");
        rules.must(names.insert(&pool.name), &name_field, "is the name of another pool too");
        if pool.count > limits.nodes_per_pool {
            rules.refuse(&count_field, Code::InvalidInput, format!("must be at most {}", limits.nodes_per_pool));
        }
        machine(rules, &at, &pool.flavor, pool.root_volume_gib, pool.volume_type.as_deref(), &pool.zones, limits);
        marks::labels(rules, &format!("{at}.labels"), pool.labels.iter().map(|(key, value)| (key, Some(value))));
        marks::taints(rules, &format!("{at}.taints"), &pool.taints);
        site::data_volumes(rules, &at, &pool.data_volumes, limits);
        names_of(rules, &at, pool.image.as_deref(), pool.key_pair.as_deref());
    }
    if total_nodes(spec) > u64::from(limits.nodes) {
        rules.refuse("spec.node_pools", Code::InvalidInput, format!("the cluster may have at most {} nodes", limits.nodes));
    }
}

/// A name that Kubernetes takes for most of its objects: a DNS name in small letters.
#[must_use]
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

fn is_dns_label(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// Ranges nobody may use, with what they are.
fn reserved_ranges() -> [(Ipv4Net, &'static str); 6] {
    let net = |a, b, prefix| Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix);
    [
        (net(0, 0, 8), "this host"),
        (net(127, 0, 8), "loopback"),
        (net(169, 254, 16), "link-local and metadata"),
        (net(198, 18, 15), "the service's own"),
        (net(224, 0, 4), "multicast"),
        (net(240, 0, 4), "reserved"),
    ]
}

fn network(rules: &mut Rules, spec: &ClusterSpec) {
    let net = &spec.network;
    if let Some(existing) = &net.existing {
        rules.must(is_word(&existing.network_id), "spec.network.existing.network_id", "must be the id of a network");
        rules.must(is_word(&existing.subnet_id), "spec.network.existing.subnet_id", "must be the id of a subnet of it");
    }
    rules.must(is_word(&net.external_network), "spec.network.external_network", "must be the id of an external network");
    let ranges = [("node_cidr", net.node_cidr, 16..=28), ("pod_cidr", net.pod_cidr, 8..=22), ("service_cidr", net.service_cidr, 12..=24)];
    for (index, (name, range, prefixes)) in ranges.iter().enumerate() {
        let field = format!("spec.network.{name}");
        // A subnet that is there has the range that it has.
        let chosen = index > 0 || net.existing.is_none();
        rules.must(!chosen || range.addr() == range.network(), &field, &format!("must begin at its network address: {}", range.trunc()));
        if chosen && !prefixes.contains(&range.prefix_len()) {
            let message = format!("the prefix must be /{} to /{}", prefixes.start(), prefixes.end());
            rules.refuse(&field, Code::InvalidInput, message);
        }
        for (reserved, what) in reserved_ranges() {
            if overlap(*range, reserved) {
                rules.refuse(&field, Code::CidrOverlap, format!("overlaps {reserved} ({what})"));
            }
        }
        for (other, other_range, _) in &ranges[..index] {
            if overlap(*range, *other_range) {
                rules.refuse(&field, Code::CidrOverlap, format!("{range} overlaps {other} {other_range}"));
            }
        }
    }
    dns(rules, &net.dns_servers);
    if rules.0.is_empty() {
        room_for_nodes(rules, spec);
    }
}

fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

fn dns(rules: &mut Rules, servers: &[Ipv4Addr]) {
    rules.must(servers.len() <= 3, "spec.network.dns_servers", "must be at most 3 servers");
    let mut seen = BTreeSet::new();
    for (index, server) in servers.iter().enumerate().take(3) {
        let good = !server.is_loopback() && !server.is_unspecified() && !server.is_multicast() && !server.is_broadcast() && !server.is_link_local();
        rules.must(good && seen.insert(server), &format!("spec.network.dns_servers[{index}]"), "must be the address of a host, each once");
    }
}

/// Whether the ranges have room for the nodes, and one more for a replacement. Of a subnet that is there, the cloud says what is left of it.
fn room_for_nodes(rules: &mut Rules, spec: &ClusterSpec) {
    let need = total_nodes(spec) + 1;
    let taken = TAKEN_ADDRESSES + u64::from(has_ingress(spec));
    let addresses = (1u64 << (32 - spec.network.node_cidr.prefix_len())).saturating_sub(taken);
    if addresses < need && spec.network.existing.is_none() {
        let message = format!("has room for {addresses} nodes, {need} are needed (one for a replacement)");
        rules.refuse("spec.network.node_cidr", Code::SubnetTooSmall, message);
    }
    let pod_ranges = 1u64 << POD_PREFIX.saturating_sub(spec.network.pod_cidr.prefix_len());
    if pod_ranges < need {
        let message = format!("has room for the pods of {pod_ranges} nodes, {need} are needed (one for a replacement)");
        rules.refuse("spec.network.pod_cidr", Code::SubnetTooSmall, message);
    }
}

#[path = "requests_site.rs"]
mod site;

pub use site::access_violations;
pub(crate) use site::overlapping;

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;
