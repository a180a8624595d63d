//! Rules of what a cluster is told about its site: who reaches its API, time, proxy, mirror, authorities, disks.

use super::{Rules, is_dns_name, is_name, overlap};
use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::requests::{SpecLimits, Violation};
use crate::settings::{ApiExposure, DataVolume};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Octavia's longest time-out is a day.
const TIMEOUTS: std::ops::RangeInclusive<u32> = 60..=86_400;
const MOST_CIDRS: usize = 64;
/// Paths that hold what a node needs to start; a disk over one of them would hide it.
const OCCUPIED: [&str; 12] = ["/", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib", "/dev", "/proc", "/sys", "/run", "/var"];

pub(super) fn rules(rules: &mut Rules, spec: &ClusterSpec) {
    api(rules, spec);
    rules.must(spec.ntp_servers.len() <= 8, "spec.ntp_servers", "must be at most 8 servers");
    for (index, server) in spec.ntp_servers.iter().enumerate().take(8) {
        rules.must(is_host(server), &format!("spec.ntp_servers[{index}]"), "must be a host name or an address");
    }
    proxy(rules, spec);
    if let Some(mirror) = &spec.registry_mirror {
        rules.must(is_mirror(mirror), "spec.registry_mirror", "must be a host, with a port and a path if need be, without https://");
    }
    rules.must(spec.ca_certificates.len() <= 20, "spec.ca_certificates", "must be at most 20 certificates");
    for (index, pem) in spec.ca_certificates.iter().enumerate().take(20) {
        let field = format!("spec.ca_certificates[{index}]");
        rules.must(is_certificate(pem), &field, "must be one certificate in PEM form, and nothing else");
    }
}

fn api(rules: &mut Rules, spec: &ClusterSpec) {
    let api = &spec.api;
    match api.exposure {
        ApiExposure::Restricted => rules.must(!api.allowed_cidrs.is_empty(), "spec.api.allowed_cidrs", "must name who may connect"),
        _ => rules.must(api.allowed_cidrs.is_empty(), "spec.api.allowed_cidrs", "are for an API that is restricted"),
    }
    rules.must(api.allowed_cidrs.len() <= MOST_CIDRS, "spec.api.allowed_cidrs", "must be at most 64 ranges");
    for (index, cidr) in api.allowed_cidrs.iter().enumerate().take(MOST_CIDRS) {
        let begins = cidr.addr() == cidr.network();
        rules.must(begins, &format!("spec.api.allowed_cidrs[{index}]"), &format!("must begin at its network address: {}", cidr.trunc()));
    }
    rules.must(api.provider.as_deref().is_none_or(super::is_word), "spec.api.provider", "must name a provider of load balancers");
    for (field, seconds) in [("client_timeout_seconds", api.client_timeout_seconds), ("member_timeout_seconds", api.member_timeout_seconds)] {
        rules.must(TIMEOUTS.contains(&seconds), &format!("spec.api.{field}"), "must be 60 to 86400");
    }
}

/// Rules of who else may connect to the API of a cluster that is there; fields are those of that request. A floating IP is neither given nor taken away: the
/// address is in the certificate of every master and in whatever leads to the cluster.
#[must_use]
pub fn access_violations(spec: &ClusterSpec, exposure: ApiExposure, allowed_cidrs: &[Ipv4Net]) -> Vec<Violation> {
    let mut rules = Rules(Vec::new());
    if spec.api.exposure == ApiExposure::Private {
        rules.must(false, "exposure", "cannot be changed: the API is private, and a cluster that is there gets no floating IP; make another cluster");
    } else if exposure == ApiExposure::Private {
        rules.must(false, "exposure", "must be public or restricted: a cluster that is there keeps its floating IP; make another cluster");
    } else {
        let mut after = spec.clone();
        (after.api.exposure, after.api.allowed_cidrs) = (exposure, allowed_cidrs.to_vec());
        api(&mut rules, &after);
    }
    let own = |field: &str| field.strip_prefix("spec.api.").unwrap_or(field).to_owned();
    rules.0.into_iter().map(|v| Violation { field: own(&v.field), ..v }).collect()
}

fn proxy(rules: &mut Rules, spec: &ClusterSpec) {
    let Some(proxy) = &spec.proxy else { return };
    for (field, url) in [("http", &proxy.http), ("https", &proxy.https)] {
        let fits = url.as_deref().is_none_or(is_proxy);
        rules.must(fits, &format!("spec.proxy.{field}"), "must have the form http://host:port, without a user or password");
    }
    rules.must(proxy.no_proxy.len() <= 100, "spec.proxy.no_proxy", "must be at most 100 entries");
    for (index, entry) in proxy.no_proxy.iter().enumerate().take(100) {
        let fits = is_host(entry.strip_prefix('.').unwrap_or(entry)) || entry.parse::<Ipv4Net>().is_ok();
        rules.must(fits, &format!("spec.proxy.no_proxy[{index}]"), "must be a host, a domain or a range");
    }
}

/// Disks of a pool.
pub(super) fn data_volumes(rules: &mut Rules, at: &str, volumes: &[DataVolume], limits: &SpecLimits) {
    rules.must(volumes.len() <= 10, &format!("{at}.data_volumes"), "must be at most 10 volumes");
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (index, volume) in volumes.iter().enumerate().take(10) {
        let field = format!("{at}.data_volumes[{index}]");
        rules.must(is_name(&volume.name, 15), &format!("{field}.name"), "must be 1 to 15 of a-z, 0-9 and -, begin with a letter and not end with -");
        rules.must(names.insert(&volume.name), &format!("{field}.name"), "is the name of another volume too");
        if volume.size_gib == 0 || volume.size_gib > limits.root_volume_gib {
            rules.refuse(&format!("{field}.size_gib"), Code::InvalidInput, format!("must be 1 to {} GiB", limits.root_volume_gib));
        }
        rules.must(volume.volume_type.as_deref().is_none_or(super::is_word), &format!("{field}.type"), "must name a volume type");
        if let Some(path) = &volume.mount_path {
            rules.must(is_mount_path(path), &format!("{field}.mount_path"), "must be an absolute path that holds nothing of the system");
            rules.must(paths.insert(path), &format!("{field}.mount_path"), "is the path of another volume too");
        }
    }
}

fn is_mount_path(path: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p != "." && p != ".." && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let parts = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(part));
    parts && path.len() <= 200 && !OCCUPIED.contains(&path) && !path.starts_with("/etc/") && !path.starts_with("/run/")
}

fn is_host(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || is_dns_name(text)
}

fn is_host_port(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((host, port)) => is_host(host) && port.parse::<u16>().is_ok_and(|p| p > 0),
        None => is_host(text),
    }
}

fn is_proxy(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| is_host_port(rest.strip_suffix('/').unwrap_or(rest)))
}

fn is_mirror(text: &str) -> bool {
    let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    is_host_port(host) && path.is_none_or(|path| path.split('/').all(part)) && text.len() <= 255
}

/// One PEM block with one certificate, and nothing else.
fn is_certificate(pem: &str) -> bool {
    let block = pem.trim();
    let alone = pem.len() <= 16 * 1024 && block.starts_with("-----BEGIN CERTIFICATE-----") && block.matches("-----BEGIN").count() == 1;
    let parsed = x509_parser::pem::parse_x509_pem(block.as_bytes());
    alone
        && parsed
            .is_ok_and(|(rest, pem)| rest.is_empty() && x509_parser::parse_x509_certificate(&pem.contents).is_ok_and(|(rest, _)| rest.is_empty()))
}

/// Ranges of a network that stands already and of those routed with it must keep clear of the cluster's own.
pub(crate) fn overlapping(spec: &ClusterSpec, other: Ipv4Net) -> Option<&'static str> {
    let network = &spec.network;
    [("spec.network.pod_cidr", network.pod_cidr), ("spec.network.service_cidr", network.service_cidr)]
        .into_iter()
        .find(|(_, range)| overlap(*range, other))
        .map(|(field, _)| field)
}
