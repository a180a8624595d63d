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
