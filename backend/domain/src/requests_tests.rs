//! Tests of the rules for requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

fn offers() -> Offers {
    let flavor = |name: &str, vcpus, ram_mib| FlavorSize { name: name.to_owned(), vcpus, ram_mib };
    let version = |v: &str, support| CatalogueVersion { version: v.to_owned(), support, image: format!("kcs-node-{v}") };
    Offers {
        flavors: vec![flavor("m1.large", 4, 8192), flavor("m1.medium", 2, 4096), flavor("m1.small", 1, 2048)],
        external_networks: vec!["net-1".to_owned()],
        versions: vec![version("v1.9.10", Support::Current), version("v1.36.3", Support::Current), version("v1.37.0", Support::Preview)],
    }
}

fn good() -> ClusterSpec {
    complete(&ClusterSpecRequest::default(), &offers())
}

fn fields(spec: &ClusterSpec) -> Vec<String> {
    violations("web", spec, &SpecLimits::default()).into_iter().map(|v| v.field).collect()
}

#[test]
fn defaults_are_complete_and_valid() {
    let spec = good();
    assert_eq!(spec.version, "v1.36.3");
    assert_eq!(spec.control_plane.flavor, "m1.medium");
    assert_eq!(spec.node_pools[0].count, 2);
    assert_eq!(fields(&spec), Vec::<String>::new());
}

#[test]
fn a_request_wins_over_its_template_field_by_field() {
    let base: ClusterSpecRequest =
        serde_json::from_value(serde_json::json!({"version": "v1.35.4", "control_plane": {"count": 3, "flavor": "a"}})).unwrap();
    let over: ClusterSpecRequest = serde_json::from_value(serde_json::json!({"control_plane": {"flavor": "b"}})).unwrap();
    let merged = merge(&base, &over);
    assert_eq!(
        (merged.version.as_deref(), merged.control_plane.count, merged.control_plane.flavor.as_deref()),
        (Some("v1.35.4"), Some(3), Some("b"))
    );
}

#[test]
fn names_are_checked() {
    for (name, valid) in
        [("a", true), ("web-1", true), ("", false), ("1a", false), ("a-", false), ("A", false), ("a_b", false), ("a\n", false), ("名", false)]
    {
        assert_eq!(violations(name, &good(), &SpecLimits::default()).is_empty(), valid, "{name:?}");
    }
    assert!(violations(&"a".repeat(40), &good(), &SpecLimits::default()).is_empty());
    assert!(!violations(&"a".repeat(41), &good(), &SpecLimits::default()).is_empty());
}

#[test]
fn ranges_may_not_overlap_nor_be_too_small() {
    let mut spec = good();
    spec.network.pod_cidr = "10.6.0.0/16".parse().unwrap();
    assert_eq!(violations("web", &spec, &SpecLimits::default())[0].code, Code::CidrOverlap);
    let mut spec = good();
    spec.network.node_cidr = "169.254.169.0/24".parse().unwrap();
    assert_eq!(fields(&spec), ["spec.network.node_cidr"]);
    let mut spec = good();
    spec.network.node_cidr = "10.6.0.0/28".parse().unwrap();
    spec.node_pools[0].count = 8;
    assert_eq!(violations("web", &spec, &SpecLimits::default())[0].code, Code::SubnetTooSmall);
    let mut spec = good();
    spec.network.node_cidr = "10.6.0.7/24".parse().unwrap();
    assert_eq!(fields(&spec), ["spec.network.node_cidr"]);
}

#[test]
fn a_subnet_that_is_there_has_the_range_that_it_has() {
    let told = |range: &str, existing: bool| {
        let mut spec = good();
        spec.network.node_cidr = range.parse().unwrap();
        let subnet = || ExistingNetwork { network_id: "n".to_owned(), subnet_id: "s".to_owned(), router_addresses: Vec::new() };
        spec.network.existing = existing.then(subnet);
        let found = violations("web", &spec, &SpecLimits::default());
        found.into_iter().map(|v| (v.code, v.field)).collect::<Vec<_>>()
    };
    let refused = |code| vec![(code, "spec.network.node_cidr".to_owned())];
    for range in ["10.128.0.0/12", "192.168.0.0/15", "192.168.7.0/29"] {
        assert_eq!(told(range, true), [], "{range}");
        assert_eq!(told(range, false), refused(Code::InvalidInput), "{range}");
    }
    // What overlaps does not work, whoever chose it.
    let overlaps = vec![(Code::CidrOverlap, "spec.network.pod_cidr".to_owned())];
    assert_eq!(told("172.16.0.0/12", true), overlaps);
    assert_eq!(told("198.18.0.0/16", true), refused(Code::CidrOverlap));
}

#[test]
fn pools_are_checked() {
    let mut spec = good();
    spec.node_pools.push(spec.node_pools[0].clone());
    assert_eq!(fields(&spec), ["spec.node_pools[1].name"]);
    let mut spec = good();
    spec.node_pools[0].count = 1_000_000_000;
    assert!(fields(&spec).contains(&"spec.node_pools[0].count".to_owned()));
    let mut spec = good();
    spec.node_pools[0].labels.insert("node.kubernetes.io/x".to_owned(), "y".to_owned());
    assert_eq!(fields(&spec).len(), 1);
    let mut spec = good();
    spec.node_pools[0].labels.insert("example.com/tier".to_owned(), "web_1".to_owned());
    assert_eq!(fields(&spec).len(), 0);
    let mut spec = good();
    spec.control_plane.count = 2;
    assert_eq!(fields(&spec), ["spec.control_plane.count"]);
}

#[test]
fn a_resize_is_held_to_limits_and_room() {
    let spec = good();
    assert!(resize_violations(&spec, "default", 50, &SpecLimits::default()).is_empty());
    assert_eq!(resize_violations(&spec, "default", 101, &SpecLimits::default())[0].field, "count");
    let mut small = good();
    small.network.node_cidr = "10.6.0.0/28".parse().unwrap();
    assert_eq!(resize_violations(&small, "default", 9, &SpecLimits::default())[0].code, Code::SubnetTooSmall);
}

proptest! {
    #[test]
    fn no_text_makes_the_rules_fail(name in ".{0,60}", flavor in ".{0,300}", key in ".{0,90}", count: u32, gib: u32, prefix in 0u8..=32) {
        let mut spec = good();
        spec.network.node_cidr = Ipv4Net::new_assert(Ipv4Addr::new(10, 6, 0, 0), prefix);
        spec.control_plane.flavor = flavor;
        spec.node_pools[0].count = count;
        spec.node_pools[0].root_volume_gib = gib;
        spec.node_pools[0].labels.insert(key, name.clone());
        let found = violations(&name, &spec, &SpecLimits::default());
        prop_assert!(found.iter().all(|v| !v.field.is_empty() && !v.message.is_empty()));
    }
}

#[test]
fn a_specification_stored_before_there_were_these_settings_is_still_read() {
    let stored = r#"{"version":"v1.36.3","network":{"external_network":"ext","node_cidr":"10.6.0.0/24","pod_cidr":"172.20.0.0/16",
        "service_cidr":"10.254.0.0/16","dns_servers":[]},"control_plane":{"count":3,"flavor":"m","root_volume_gib":20,"volume_type":null,"zones":[]},
        "node_pools":[{"name":"default","flavor":"m","count":2,"root_volume_gib":20,"volume_type":null,"zones":[],"labels":{},"taints":[]}],
        "deletion_protection":false}"#;
    let spec: ClusterSpec = serde_json::from_str(stored).unwrap();
    assert_eq!(fields(&spec), Vec::<String>::new());
    assert_eq!((spec.api, spec.server_group_members), (crate::settings::ApiSpec::default(), 10));
    assert_eq!(spec.node_pools[0].anti_affinity, None);
}

#[test]
fn settings_of_a_site_are_checked_each_by_its_field() {
    let wrong = |change: &dyn Fn(&mut ClusterSpec)| {
        let mut spec = good();
        change(&mut spec);
        fields(&spec)
    };
    let proxy = |http: &str, without: &str| crate::settings::Proxy { http: Some(http.into()), https: None, no_proxy: vec![without.into()] };
    let volume = |path: &str| crate::settings::DataVolume { name: "data".into(), size_gib: 10, volume_type: None, mount_path: Some(path.into()) };
    assert_eq!(wrong(&|s| s.ntp_servers = vec!["ntp.example.com".into(), "10.0.0.1".into()]), Vec::<String>::new());
    assert_eq!(wrong(&|s| s.ntp_servers = vec!["a b".into()]), ["spec.ntp_servers[0]"]);
    assert_eq!(wrong(&|s| s.proxy = Some(proxy("http://proxy.example.com:3128", ".example.com"))), Vec::<String>::new());
    // A password here would be read by everybody who may see the cluster.
    assert_eq!(wrong(&|s| s.proxy = Some(proxy("http://user:password@proxy:3128", "10.0.0.0/8"))), ["spec.proxy.http"]);
    assert_eq!(wrong(&|s| s.proxy = Some(proxy("http://proxy:3128", "a\nb"))), ["spec.proxy.no_proxy[0]"]);
    assert_eq!(wrong(&|s| s.registry_mirror = Some("mirror.example.com:5000/proxy".into())), Vec::<String>::new());
    assert_eq!(wrong(&|s| s.registry_mirror = Some("https://mirror".into())), ["spec.registry_mirror"]);
    let authority = include_str!("test_authority.pem");
    assert_eq!(wrong(&|s| s.ca_certificates = vec![authority.into()]), Vec::<String>::new());
    for bad in ["", "no PEM", &authority.replace("MII", "AAA"), &format!("{authority}{authority}"), &format!("{authority}\n#!/bin/sh")] {
        assert_eq!(wrong(&|s| s.ca_certificates = vec![bad.to_owned()]), ["spec.ca_certificates[0]"], "{bad}");
    }
    assert_eq!(wrong(&|s| s.node_pools[0].data_volumes = vec![volume("/srv/data")]), Vec::<String>::new());
    for bad in ["/", "/etc/kubernetes", "srv", "/srv/../etc", "/srv/a b"] {
        assert_eq!(wrong(&|s| s.node_pools[0].data_volumes = vec![volume(bad)]), ["spec.node_pools[0].data_volumes[0].mount_path"], "{bad}");
    }
    assert_eq!(wrong(&|s| s.node_pools[0].data_volumes = vec![volume("/a"), volume("/b")]), ["spec.node_pools[0].data_volumes[1].name"]);
    assert_eq!(wrong(&|s| s.control_plane.count = 5), Vec::<String>::new());
    assert_eq!(wrong(&|s| s.control_plane.count = 4), ["spec.control_plane.count"]);
    assert_eq!(wrong(&|s| s.control_plane.root_volume_gib = 0), Vec::<String>::new());
}

#[test]
fn an_api_is_restricted_to_ranges_or_to_none() {
    use crate::settings::ApiExposure;
    let mut spec = good();
    spec.api.exposure = ApiExposure::Restricted;
    assert_eq!(fields(&spec), ["spec.api.allowed_cidrs"]);
    spec.api.allowed_cidrs = vec!["192.0.2.0/24".parse().unwrap()];
    assert_eq!(fields(&spec), Vec::<String>::new());
    spec.api.exposure = ApiExposure::Public;
    assert_eq!(fields(&spec), ["spec.api.allowed_cidrs"]);
    spec.api = crate::settings::ApiSpec { member_timeout_seconds: 5, ..Default::default() };
    assert_eq!(fields(&spec), ["spec.api.member_timeout_seconds"]);
}

#[test]
fn who_may_connect_is_changed_between_everybody_and_ranges_and_a_floating_ip_neither_given_nor_taken() {
    use crate::settings::ApiExposure::{Private, Public, Restricted};
    let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Ipv4Net>>();
    let wrong = |from, to, texts: &[&str]| {
        let mut spec = good();
        spec.api.exposure = from;
        access_violations(&spec, to, &ranges(texts)).into_iter().map(|v| v.field).collect::<Vec<_>>()
    };
    let office = ["192.0.2.0/24"];
    for from in [Public, Restricted] {
        assert_eq!(wrong(from, Restricted, &office), Vec::<String>::new());
        assert_eq!(wrong(from, Public, &[]), Vec::<String>::new());
        assert_eq!(wrong(from, Restricted, &[]), ["allowed_cidrs"]);
        assert_eq!(wrong(from, Public, &office), ["allowed_cidrs"]);
        assert_eq!(wrong(from, Restricted, &["192.0.2.0/24", "198.51.100.1/24"]), ["allowed_cidrs[1]"]);
        assert_eq!(wrong(from, Restricted, &["192.0.2.0/24"; 65]), ["allowed_cidrs"]);
        assert_eq!(wrong(from, Private, &[]), ["exposure"]);
    }
    for to in [Public, Restricted, Private] {
        assert_eq!(wrong(Private, to, &office), ["exposure"]);
    }
}

#[test]
fn nodes_reach_their_own_cluster_without_the_proxy() {
    let mut spec = good();
    spec.proxy = Some(crate::settings::Proxy { http: Some("http://p:1".into()), https: None, no_proxy: vec![".example.com".into(), ".svc".into()] });
    let list = spec.no_proxy();
    for needed in [".example.com", ".svc", ".cluster.local", "10.6.0.0/24", "172.20.0.0/16", "10.254.0.0/16", "169.254.169.254"] {
        assert_eq!(list.iter().filter(|e| *e == needed).count(), 1, "{needed}");
    }
}
