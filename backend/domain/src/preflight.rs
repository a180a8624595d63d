//! The preflight: everything that can be known before anything is made, against what the cloud was found to offer. Pure.

use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::needs::{Amounts, Machine, has_ingress};
use crate::nodes::CONTROL_PLANE_POOL;
use crate::requests::{MASTER_MINIMUM, SMALLEST_ROOT_VOLUME, WORKER_MINIMUM};
use crate::settings::{ApiExposure, OVN};
use crate::versions::{CatalogueVersion, Support};
use ipnet::Ipv4Net;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckLevel {
    Ok,
    Warning,
    Blocked,
}

/// One thing looked at before anything is built.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Check {
    /// `name`, `version`, `image`, `flavors`, `zones`, `volume_types`, `volume_size`, `block_storage`, `external_network`,
    /// `external_addresses`, `network`, `addresses`, `load_balancer`, `api_route`, `credentials`, `quota`, `replacement_room`, `server_groups`,
    /// `allowed`, `cluster_quota`, `tenant_quota`, `deletion_protection`; of the installation's settings `values`, `limits`, `versions`, `templates`,
    /// `prices`, `audit_retention`, `audit_forward`, `audit_test_line`.
    pub key: String,
    pub level: CheckLevel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    #[schema(value_type = BTreeMap<String, Object>)]
    pub params: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What is needed of one quota of the cloud's, or of one limit of the project's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QuotaNeed {
    /// `instances`, `vcpus`, `ram_mib`, `volumes`, `gigabytes`, `ports`, ...; of limits `clusters`, `nodes`, `vcpus`, `memory_gib`, ...
    pub resource: String,
    pub used: u64,
    /// null: no limit.
    #[schema(required)]
    pub limit: Option<u64>,
    pub need: u64,
    /// What other operations under way will still take.
    pub promised: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlavorFact {
    pub name: String,
    pub vcpus: u32,
    pub ram_mib: u32,
    pub disk_gib: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFact {
    pub name: String,
    pub status: String,
    pub min_disk_gib: u32,
    pub min_ram_mib: u32,
    pub kubernetes_version: Option<String>,
    /// Per cent, while it is being prepared.
    pub progress: Option<u32>,
}

/// A network of the project's own, as far as a cluster in it needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExistingFact {
    pub network_found: bool,
    /// None: the network has no such subnet.
    pub cidr: Option<Ipv4Net>,
    /// Addresses left, as far as the project sees its ports.
    pub free_addresses: u64,
    /// The external network that the subnet's router leads to; None: no router with a gateway was found.
    pub external_network: Option<String>,
    /// Ranges of other subnets at the same router.
    pub neighbours: Vec<Ipv4Net>,
}

/// What the cloud was found to offer, and what the operator configured.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub versions: Vec<CatalogueVersion>,
    pub images: Vec<ImageFact>,
    pub flavors: Vec<FlavorFact>,
    /// Zones that are available.
    pub zones: Vec<String>,
    pub volume_types: Vec<String>,
    pub external_networks: Vec<String>,
    /// Names of Octavia's providers; None: not asked, or the caller may not know.
    pub providers: Option<Vec<String>>,
    /// The provider where a cluster names none; None: the cloud's default.
    pub provider: Option<String>,
    pub load_balancing: bool,
    pub block_storage: bool,
    pub existing: Option<ExistingFact>,
    /// Whether KCS reaches APIs without a public address.
    pub private_route: bool,
}

/// Used and allowed; None: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    pub used: u64,
    pub limit: Option<u64>,
}

/// Collects checks.
#[derive(Default)]
pub struct Checks(pub Vec<Check>);

impl Checks {
    /// Adds what was found about `key`, or that nothing was.
    pub fn conclude(&mut self, key: &str, found: Vec<Check>) {
        if found.is_empty() {
            self.0.push(check(CheckLevel::Ok, None, String::new(), None, &json!({})));
        }
        self.0.extend(found);
        for check in self.0.iter_mut().filter(|c| c.key.is_empty()) {
            key.clone_into(&mut check.key);
        }
    }
}

fn check(level: CheckLevel, code: Option<Code>, message: String, field: Option<String>, params: &Value) -> Check {
    let params = params.as_object().map(|o| o.clone().into_iter().collect()).unwrap_or_default();
    Check { key: String::new(), level, code, message, remedy: code.map(|c| c.remedy().to_owned()), params, field }
}

/// Something that stands against it; its key comes with the conclusion.
#[must_use]
pub fn blocked(code: Code, message: String, field: Option<String>, params: &Value) -> Check {
    check(CheckLevel::Blocked, Some(code), message, field, params)
}

/// Something to know beforehand.
#[must_use]
pub fn warning(code: Code, message: String, field: Option<String>, params: &Value) -> Check {
    check(CheckLevel::Warning, Some(code), message, field, params)
}

/// The machines of the control plane and of each pool, with the field that speaks of them and what they need at least.
fn machines(spec: &ClusterSpec) -> Vec<(String, Machine<'_>, (u32, u32))> {
    let masters = ("spec.control_plane".to_owned(), Machine::of_control_plane(&spec.control_plane), MASTER_MINIMUM);
    let pools = spec.node_pools.iter().enumerate().map(|(i, p)| (format!("spec.node_pools[{i}]"), Machine::of_pool(p), WORKER_MINIMUM));
    std::iter::once(masters).chain(pools).collect()
}

/// What the offers say to a specification.
#[must_use]
pub fn offers(spec: &ClusterSpec, facts: &Facts) -> Vec<Check> {
    let mut checks = Checks::default();
    checks.conclude("version", version(spec, facts));
    let all = machines(spec);
    let mut images: Vec<Check> = all.iter().flat_map(|(at, machine, _)| image(spec, at, machine, facts)).collect();
    // What is wrong with the version's own image is wrong for every pool: said once.
    let mut said = Vec::new();
    images.retain(|c| {
        !said.contains(&(c.code, c.field.clone())) && {
            said.push((c.code, c.field.clone()));
            true
        }
    });
    checks.conclude("image", images);
    checks.conclude("flavors", all.iter().flat_map(|(at, machine, minimum)| flavor(spec, at, machine, *minimum, facts)).collect());
    checks.conclude("zones", all.iter().flat_map(|(at, machine, _)| zones(at, machine, facts)).collect());
    checks.conclude("volume_types", all.iter().flat_map(|(at, machine, _)| volume_types(at, machine, facts)).collect());
    checks.conclude("block_storage", block_storage(spec, &all, facts));
    let external = &spec.network.external_network;
    let missing = !facts.external_networks.contains(external);
    let found = missing.then(|| {
        let field = Some("spec.network.external_network".to_owned());
        blocked(Code::ExternalNetworkMissing, format!("there is no external network {external:?}"), field, &json!({ "network": external }))
    });
    checks.conclude("external_network", found.into_iter().collect());
    if let (Some(_), Some(fact)) = (&spec.network.existing, &facts.existing) {
        checks.conclude("network", existing(spec, fact));
    }
    checks.conclude("load_balancer", load_balancer(spec, facts));
    if spec.api.exposure == ApiExposure::Private {
        let field = Some("spec.api.exposure".to_owned());
        let found =
            (!facts.private_route).then(|| blocked(Code::PrivateRouteMissing, Code::PrivateRouteMissing.title().to_owned(), field, &json!({})));
        checks.conclude("api_route", found.into_iter().collect());
    }
    checks.0
}

fn version(spec: &ClusterSpec, facts: &Facts) -> Vec<Check> {
    let field = Some("spec.version".to_owned());
    let params = json!({ "version": spec.version });
    match facts.versions.iter().find(|v| v.version == spec.version).map(|v| v.support) {
        None | Some(Support::Hidden) => {
            vec![blocked(Code::VersionMissing, format!("{} is not among the versions offered", spec.version), field, &params)]
        }
        Some(Support::Preview) => vec![warning(Code::VersionSupport, format!("{} is a preview", spec.version), field, &params)],
        Some(Support::Deprecated) => vec![warning(Code::VersionSupport, format!("{} is deprecated", spec.version), field, &params)],
        Some(Support::Current) => Vec::new(),
    }
}

/// Of several of the name, one that can be booted.
fn image_named<'f>(name: &str, facts: &'f Facts) -> Option<&'f ImageFact> {
    facts.images.iter().filter(|i| i.name == name).max_by_key(|i| i.status == "active")
}

/// The image of a machine: its own, or the version's.
fn image_of<'f>(spec: &ClusterSpec, machine: &Machine<'_>, facts: &'f Facts) -> Option<&'f ImageFact> {
    let own = facts.versions.iter().find(|v| v.version == spec.version).map(|v| v.image.as_str());
    image_named(machine.image.or(own)?, facts)
}

fn image(spec: &ClusterSpec, at: &str, machine: &Machine<'_>, facts: &Facts) -> Vec<Check> {
    let Some(offered) = facts.versions.iter().find(|v| v.version == spec.version) else { return Vec::new() };
    let own = machine.image.is_some();
    let field = if own { format!("{at}.image") } else { "spec.version".to_owned() };
    version_image(&spec.version, machine.image.unwrap_or(&offered.image), own, facts, field).into_iter().collect()
}

/// What stands against booting a version from the image of this name. A machine's `own` choice has to say itself what it holds.
pub(crate) fn version_image(version: &str, name: &str, own: bool, facts: &Facts, field: String) -> Option<Check> {
    let field = Some(field);
    let Some(image) = image_named(name, facts) else {
        let params = json!({ "v": version, "image": name });
        return Some(blocked(Code::ImageMissing, format!("there is no image {name}"), field, &params));
    };
    let params = json!({ "v": version, "image": name, "progress": image.progress });
    if image.status != "active" {
        return Some(blocked(Code::ImageNotReady, format!("the image {name} is {}", image.status), field, &params));
    }
    let holds = image.kubernetes_version.as_deref();
    let wrong = holds.is_some_and(|held| held != version) || (holds.is_none() && own);
    let message = || format!("the image {name} holds {}, not {version}", holds.unwrap_or("no Kubernetes version that is named"));
    wrong.then(|| blocked(Code::ImageMismatch, message(), field, &params))
}

fn flavor(spec: &ClusterSpec, at: &str, machine: &Machine<'_>, minimum: (u32, u32), facts: &Facts) -> Vec<Check> {
    let field = Some(format!("{at}.flavor"));
    let name = machine.flavor;
    let Some(flavor) = facts.flavors.iter().find(|f| f.name == name) else {
        return vec![blocked(Code::FlavorMissing, format!("there is no flavor {name:?}"), field, &json!({ "flavor": name }))];
    };
    let (vcpus, ram) = minimum;
    if flavor.vcpus < vcpus || flavor.ram_mib < ram {
        let params = json!({ "flavor": name, "vcpus": vcpus, "ram_mib": ram });
        return vec![blocked(Code::FlavorTooSmall, format!("{name} has less than {vcpus} vCPU and {ram} MiB"), field, &params)];
    }
    let (min_disk, min_ram) = image_of(spec, machine, facts).map_or((0, 0), |i| (i.min_disk_gib, i.min_ram_mib));
    if flavor.ram_mib < min_ram {
        let params = json!({ "flavor": name, "ram_mib": min_ram });
        return vec![blocked(Code::DiskTooSmall, format!("{name} has less memory than the image's minimum of {min_ram} MiB"), field, &params)];
    }
    let local = machine.root_volume_gib == 0;
    let (disk, least) = if local { (flavor.disk_gib, min_disk.max(SMALLEST_ROOT_VOLUME)) } else { (machine.root_volume_gib, min_disk) };
    if disk < least {
        let field = Some(format!("{at}.{}", if local { "flavor" } else { "root_volume_gib" }));
        let params = json!({ "flavor": name, "disk_gib": disk, "minimum_gib": least });
        return vec![blocked(Code::DiskTooSmall, format!("{disk} GiB for the system, {least} GiB are needed"), field, &params)];
    }
    Vec::new()
}

fn zones(at: &str, machine: &Machine<'_>, facts: &Facts) -> Vec<Check> {
    let missing = machine.zones.iter().enumerate().filter(|(_, zone)| !facts.zones.contains(zone));
    let found = missing.map(|(index, zone)| {
        let field = Some(format!("{at}.zones[{index}]"));
        blocked(Code::ZoneMissing, format!("there is no zone {zone:?} available"), field, &json!({ "az": zone }))
    });
    found.collect()
}

fn volume_types(at: &str, machine: &Machine<'_>, facts: &Facts) -> Vec<Check> {
    let root = machine.volume_type.map(|name| (format!("{at}.volume_type"), name));
    let data = machine.data_volumes.iter().enumerate();
    let data = data.filter_map(|(i, v)| Some((format!("{at}.data_volumes[{i}].type"), v.volume_type.as_deref()?)));
    let missing = root.into_iter().chain(data).filter(|(_, name)| !facts.volume_types.iter().any(|v| v == name));
    let found = missing.map(|(field, name)| {
        blocked(Code::VolumeTypeMissing, format!("there is no volume type {name:?}"), Some(field), &json!({ "volume_type": name }))
    });
    found.collect()
}

/// What stands against a cloud without volumes, or what will not work in it.
fn block_storage(spec: &ClusterSpec, all: &[(String, Machine<'_>, (u32, u32))], facts: &Facts) -> Vec<Check> {
    if facts.block_storage {
        return Vec::new();
    }
    let message = |what: &str| format!("the cloud has no block storage service: {what}");
    let no = |field: String, reason: &str, what: &str| blocked(Code::NoBlockStorage, message(what), Some(field), &json!({ "reason": reason }));
    let mut found = Vec::new();
    for (at, machine, _) in all {
        if machine.root_volume_gib > 0 {
            found.push(no(format!("{at}.root_volume_gib"), "root", "servers have their flavor's disk only, which 0 GiB stands for"));
        }
        if !machine.data_volumes.is_empty() {
            found.push(no(format!("{at}.data_volumes"), "data", "nodes have no data volumes"));
        }
    }
    let claims = "claims get no volumes, and the storage add-on does not work";
    if spec.addons.storage {
        found.push(no("spec.addons.storage".to_owned(), "claims", claims));
    }
    if found.is_empty() {
        found.push(warning(Code::NoBlockStorage, message(claims), None, &json!({ "reason": "claims" })));
    }
    found
}

/// What stands against so many ports more in a subnet.
#[must_use]
pub fn addresses(cidr: &str, free: u64, need: u64, field: Option<String>) -> Option<Check> {
    let message = || format!("{cidr} has {free} addresses left, {need} are needed");
    (free < need).then(|| blocked(Code::SubnetTooSmall, message(), field, &json!({ "free": free, "need": need })))
}

fn existing(spec: &ClusterSpec, fact: &ExistingFact) -> Vec<Check> {
    let at = |field: &str| Some(format!("spec.network.existing.{field}"));
    let Some(cidr) = fact.cidr else {
        let field = at(if fact.network_found { "subnet_id" } else { "network_id" });
        return vec![blocked(Code::NetworkMissing, Code::NetworkMissing.title().to_owned(), field, &json!({}))];
    };
    let mut found = Vec::new();
    let wanted = spec.api.exposure != ApiExposure::Private || has_ingress(spec);
    if fact.external_network.as_deref() != Some(spec.network.external_network.as_str()) {
        let params = json!({ "network": spec.network.external_network, "found": fact.external_network });
        let message = match &fact.external_network {
            None => "the subnet has no router with a gateway that is to be seen".to_owned(),
            Some(other) => format!("the subnet's router leads to the external network {other}"),
        };
        let level = if wanted { blocked } else { warning };
        found.push(level(Code::NetworkNotRouted, message, at("subnet_id"), &params));
    }
    // Nodes, one more for a replacement, and the load balancers.
    let nodes = u64::from(spec.control_plane.count) + spec.node_pools.iter().map(|p| u64::from(p.count)).sum::<u64>();
    let need = nodes + 2 + u64::from(has_ingress(spec));
    found.extend(addresses(&cidr.to_string(), fact.free_addresses, need, at("subnet_id")));
    for neighbour in &fact.neighbours {
        if let Some(field) = crate::requests::overlapping(spec, *neighbour) {
            let message = format!("overlaps {neighbour}, which is routed together with the subnet");
            found.push(blocked(Code::CidrOverlap, message, Some(field.to_owned()), &json!({ "range": neighbour.to_string() })));
        }
    }
    found
}

fn load_balancer(spec: &ClusterSpec, facts: &Facts) -> Vec<Check> {
    if !facts.load_balancing {
        let message = "the cloud has no load balancing service: neither a cluster's API nor Services of type LoadBalancer can be made".to_owned();
        return vec![blocked(Code::NoLoadBalancer, message, None, &json!({}))];
    }
    let provider = spec.api.provider.as_deref().or(facts.provider.as_deref());
    let restricted = spec.api.exposure == ApiExposure::Restricted;
    let offered = facts.providers.as_deref().unwrap_or_default();
    let field = || Some("spec.api.provider".to_owned());
    let params = json!({ "provider": provider });
    match provider {
        Some(name) if facts.providers.is_some() && !offered.iter().any(|p| p == name) => {
            vec![blocked(Code::ProviderMissing, format!("there is no provider {name:?}"), field(), &params)]
        }
        Some(OVN) if restricted => vec![unrestrictable(field())],
        None if restricted && !offered.is_empty() && offered.iter().all(|p| p == OVN) => vec![unrestrictable(field())],
        None if restricted && offered.iter().any(|p| p == OVN) => {
            let message =
                "the cloud has the ovn provider, which lets everybody connect, and does not say whether it is the default: nothing listens then";
            vec![warning(Code::ProviderMissing, message.to_owned(), field(), &params)]
        }
        _ => Vec::new(),
    }
}

/// An API that shall be restricted, and stands behind ovn.
#[must_use]
pub fn unrestrictable(field: Option<String>) -> Check {
    blocked(Code::ProviderMissing, "the ovn provider lets everybody connect".to_owned(), field, &json!({ "provider": OVN }))
}

/// What the quotas say: what is needed besides what others were promised, and room for one node more, which rolling replacement takes.
#[must_use]
pub fn quota(need: &Amounts, one_node: &Amounts, limits: &BTreeMap<String, Allowance>, promised: &Amounts) -> (Vec<QuotaNeed>, Vec<Check>) {
    let (mut rows, mut short, mut tight) = (Vec::new(), Vec::new(), Vec::new());
    for (resource, need) in need {
        let Allowance { used, limit } = limits.get(&**resource).copied().unwrap_or_default();
        let promised = promised.get(resource).copied().unwrap_or(0);
        let left = limit.map(|l| l.saturating_sub(used).saturating_sub(promised));
        let mut params = json!({ "resource": resource, "need": need, "left": left, "limit": limit, "used": used, "promised": promised });
        let surplus = one_node.get(resource).copied().unwrap_or(0);
        match left {
            Some(left) if left < *need => {
                let message = format!("{resource}: {need} needed, {left} left");
                short.push(blocked(Code::Quota, message, None, &params));
            }
            Some(left) if left < need + surplus => {
                let message = format!("{resource}: {left} left, and replacing a node takes {surplus} more for a while");
                (params["reason"], params["surplus"]) = (json!("replacement"), json!(surplus));
                tight.push(warning(Code::Quota, message, None, &params));
            }
            _ => {}
        }
        rows.push(QuotaNeed { resource: resource.clone().into_owned(), used, limit, need: *need, promised });
    }
    let mut checks = Checks::default();
    checks.conclude("quota", short);
    checks.conclude("replacement_room", tight);
    (rows, checks.0)
}

/// Volumes that are larger than the cloud lets one be.
#[must_use]
pub fn volume_sizes(spec: &ClusterSpec, largest_gib: u64) -> Vec<Check> {
    let mut checks = Checks::default();
    let mut found = Vec::new();
    for (at, machine, _) in machines(spec) {
        let data = machine.data_volumes.iter().enumerate().map(|(i, v)| (format!("{at}.data_volumes[{i}].size_gib"), v.size_gib));
        let all = std::iter::once((format!("{at}.root_volume_gib"), machine.root_volume_gib)).chain(data);
        found.extend(all.filter(|(_, gib)| u64::from(*gib) > largest_gib).map(|(field, gib)| {
            let params = json!({ "resource": "per_volume_gigabytes", "need": gib, "left": largest_gib });
            blocked(Code::Quota, format!("a volume may have {largest_gib} GiB, not {gib}"), Some(field), &params)
        }));
    }
    checks.conclude("volume_size", found);
    checks.0
}

/// What there is to know about the addresses that these amounts take of the external network, where it is known how many are left: of floating IPs, and of
/// routers. What others were promised may come from another network.
#[must_use]
pub fn external_addresses(need: &Amounts, left: u64, promised: &Amounts) -> Vec<Check> {
    let of = |amounts: &Amounts| ["floating_ips", "routers"].iter().filter_map(|quota| amounts.get(*quota)).sum::<u64>();
    let (need, promised) = (of(need), of(promised));
    let field = Some("spec.network.external_network".to_owned());
    let mut params = json!({ "free": left, "need": need, "promised": promised });
    let message = format!("the external network has {left} addresses left, {need} are needed, and {promised} by what is under way");
    let found = if left < need {
        Some(blocked(Code::NoFloatingIp, message, field, &params))
    } else if left < need + promised {
        params["reason"] = json!("promised");
        Some(warning(Code::NoFloatingIp, message, field, &params))
    } else {
        None
    };
    let mut checks = Checks::default();
    checks.conclude("external_addresses", found.into_iter().collect());
    checks.0
}

/// Decides for each pool that does not say so whether its servers are kept apart: as long as there is room for server groups.
pub fn settle_groups(spec: &mut ClusterSpec, members: Option<u64>, room: Option<u64>) -> Vec<Check> {
    if let Some(members) = members.and_then(|m| u32::try_from(m).ok()).filter(|m| *m > 0) {
        spec.server_group_members = members;
    }
    let of_masters = u64::from(spec.control_plane.count > 1);
    let asked: u64 =
        spec.node_pools.iter().filter(|p| p.anti_affinity == Some(true)).map(|p| u64::from(crate::needs::group_count(spec, p.count))).sum();
    let mut left = room.map(|r| r.saturating_sub(of_masters + asked));
    let field = |index: usize| Some(format!("spec.node_pools[{index}].anti_affinity"));
    let found = (0..spec.node_pools.len()).filter_map(|index| settle(spec, index, &mut left, field(index))).collect();
    let mut checks = Checks::default();
    checks.conclude("server_groups", found);
    checks.0
}

/// The same for the pool that comes last, to a cluster that is there; its key comes with the conclusion.
pub fn settle_new_pool(spec: &mut ClusterSpec, room: Option<u64>) -> Option<Check> {
    let mut left = room;
    let last = spec.node_pools.len().checked_sub(1)?;
    settle(spec, last, &mut left, Some("anti_affinity".to_owned()))
}

/// Of the server groups that a pool of a cluster that is there needs, those that can be made: nodes without one are better than none.
#[must_use]
pub fn groups_with_room(need: u32, room: Option<u64>) -> (u32, Option<Check>) {
    let fit = room.and_then(|r| u32::try_from(r).ok()).map_or(need, |r| need.min(r));
    (fit, (fit < need).then(|| few_groups(need.into(), fit.into(), None)))
}

/// One pool, if it does not say so itself; what there is to know where the groups do not last.
fn settle(spec: &mut ClusterSpec, index: usize, left: &mut Option<u64>, field: Option<String>) -> Option<Check> {
    if spec.node_pools[index].anti_affinity.is_some() {
        return None;
    }
    let groups = u64::from(crate::needs::group_count(spec, spec.node_pools[index].count));
    let fits = left.is_none_or(|l| l >= groups);
    spec.node_pools[index].anti_affinity = Some(fits);
    if fits {
        *left = left.map(|l| l - groups);
        return None;
    }
    Some(few_groups(groups, left.unwrap_or(0), field))
}

/// The quota of server groups does not last for all that a pool wants.
fn few_groups(need: u64, left: u64, field: Option<String>) -> Check {
    let message = format!("{need} server groups needed, {left} left: nodes of the pool may share a host");
    warning(Code::Quota, message, field, &json!({ "resource": "server_groups", "need": need, "left": left }))
}

/// The pool whose node takes most: what one node more needs at most.
#[must_use]
pub fn largest_pool(spec: &ClusterSpec, flavors: &[crate::requests::FlavorSize]) -> String {
    let size = |pool: &str| flavors.iter().find(|f| f.name == Machine::of(spec, pool).flavor).map_or((0, 0), |f| (f.ram_mib, f.vcpus));
    let pools = spec.node_pools.iter().filter(|p| p.count > 0).map(|p| p.name.as_str());
    std::iter::once(CONTROL_PLANE_POOL).chain(pools).max_by_key(|p| size(p)).unwrap_or(CONTROL_PLANE_POOL).to_owned()
}

#[cfg(test)]
#[path = "preflight_tests.rs"]
mod tests;
