//! Tests of the preflight.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::clusters::ClusterSpecRequest;
use crate::needs::{amounts, cluster_objects};
use crate::requests::{FlavorSize, Offers, complete};
use crate::settings::DataVolume;

fn facts() -> Facts {
    let flavor = |name: &str, vcpus, ram_mib, disk_gib| FlavorFact { name: name.into(), vcpus, ram_mib, disk_gib };
    let image = |name: &str, version: &str, min_disk_gib| ImageFact {
        name: name.into(),
        status: "active".into(),
        min_disk_gib,
        min_ram_mib: 1024,
        kubernetes_version: Some(version.into()),
        progress: None,
    };
    let version = |v: &str, support| CatalogueVersion { version: v.into(), support, image: format!("kcs-node-{v}") };
    Facts {
        versions: vec![
            version("v1.36.3", Support::Current),
            version("v1.35.4", Support::Deprecated),
            version("v1.34.1", Support::Hidden),
            version("v1.37.0", Support::Preview),
        ],
        images: vec![
            image("kcs-node-v1.36.3", "v1.36.3", 15),
            image("kcs-node-v1.35.4", "v1.35.4", 15),
            image("kcs-node-v1.37.0", "v1.37.0", 15),
            image("gpu-v1.36.3", "v1.36.3", 15),
        ],
        flavors: vec![flavor("m", 2, 4096, 40), flavor("diskless", 2, 4096, 0)],
        zones: vec!["az1".into()],
        volume_types: vec!["standard".into()],
        external_networks: vec!["ext".into()],
        providers: Some(vec!["amphora".into(), "ovn".into()]),
        provider: None,
        load_balancing: true,
        block_storage: true,
        existing: None,
        private_route: false,
    }
}

fn spec(request: serde_json::Value) -> ClusterSpec {
    let request: ClusterSpecRequest = serde_json::from_value(request).unwrap();
    let offers = Offers {
        flavors: vec![FlavorSize { name: "m".into(), vcpus: 2, ram_mib: 4096 }],
        external_networks: vec!["ext".into()],
        versions: facts().versions,
    };
    complete(&request, &offers)
}

fn of<const N: usize>(amounts: [(&'static str, u64); N]) -> Amounts {
    Amounts::from(amounts.map(|(quota, amount)| (quota.into(), amount)))
}

/// (key, level, code, field) of everything that is not well.
fn found(spec: &ClusterSpec, facts: &Facts) -> Vec<(String, CheckLevel, Code, String)> {
    let bad = offers(spec, facts).into_iter().filter(|c| c.level != CheckLevel::Ok);
    bad.map(|c| (c.key, c.level, c.code.unwrap(), c.field.unwrap_or_default())).collect()
}

#[test]
fn what_is_offered_passes_and_every_check_says_so() {
    let checks = offers(&spec(json!({})), &facts());
    assert!(checks.iter().all(|c| c.level == CheckLevel::Ok), "{checks:?}");
    let keys: Vec<&str> = checks.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["version", "image", "flavors", "zones", "volume_types", "block_storage", "external_network", "load_balancer"]);
}

#[test]
fn versions_are_offered_by_their_support() {
    let of = |v: &str| found(&spec(json!({ "version": v })), &facts());
    assert_eq!(of("v1.35.4"), [("version".to_owned(), CheckLevel::Warning, Code::VersionSupport, "spec.version".to_owned())]);
    assert_eq!(of("v1.37.0"), [("version".to_owned(), CheckLevel::Warning, Code::VersionSupport, "spec.version".to_owned())]);
    assert_eq!(of("v1.34.1")[0].2, Code::VersionMissing);
    assert_eq!(of("v1.20.0")[0].2, Code::VersionMissing);
}

#[test]
fn a_pools_own_image_must_hold_the_clusters_version() {
    let of = |image: &str| found(&spec(json!({"node_pools": [{"name": "a", "flavor": "m", "count": 1, "image": image}]})), &facts());
    assert_eq!(of("gpu-v1.36.3"), []);
    let field = "spec.node_pools[0].image".to_owned();
    assert_eq!(of("kcs-node-v1.35.4"), [("image".to_owned(), CheckLevel::Blocked, Code::ImageMismatch, field.clone())]);
    assert_eq!(of("nothing"), [("image".to_owned(), CheckLevel::Blocked, Code::ImageMissing, field)]);
}

#[test]
fn disks_must_hold_the_image() {
    let of =
        |flavor: &str, gib: u32| found(&spec(json!({"node_pools": [{"name": "a", "flavor": flavor, "count": 1, "root_volume_gib": gib}]})), &facts());
    assert_eq!(of("m", 0), []);
    let too_small = |field: &str| [("flavors".to_owned(), CheckLevel::Blocked, Code::DiskTooSmall, format!("spec.node_pools[0].{field}"))];
    assert_eq!(of("diskless", 0), too_small("flavor"));
    assert_eq!(of("diskless", 12), too_small("root_volume_gib"));
    let mut facts = facts();
    facts.flavors.push(FlavorFact { name: "diskless".into(), vcpus: 2, ram_mib: 4096, disk_gib: 0 });
    let mut spec = spec(json!({"node_pools": [{"name": "a", "flavor": "m", "count": 1}]}));
    spec.node_pools[0].data_volumes = vec![DataVolume { name: "d".into(), size_gib: 1, volume_type: Some("gold".into()), mount_path: None }];
    assert_eq!(found(&spec, &facts)[0].3, "spec.node_pools[0].data_volumes[0].type");
}

#[test]
fn an_existing_network_must_lead_out_have_room_and_keep_clear_of_the_clusters_ranges() {
    let spec = spec(json!({"network": {"existing": {"network_id": "n", "subnet_id": "s"}, "node_cidr": "10.9.0.0/24"}}));
    let good = ExistingFact {
        network_found: true,
        cidr: Some("10.9.0.0/24".parse().unwrap()),
        free_addresses: 100,
        external_network: Some("ext".into()),
        neighbours: vec!["192.168.0.0/24".parse().unwrap()],
    };
    let with = |fact: ExistingFact| found(&spec, &Facts { existing: Some(fact), ..facts() });
    assert_eq!(with(good.clone()), []);
    assert_eq!(with(ExistingFact { cidr: None, ..good.clone() })[0].2, Code::NetworkMissing);
    assert_eq!(with(ExistingFact { external_network: None, ..good.clone() })[0].2, Code::NetworkNotRouted);
    // One master, two workers, one for a replacement, the load balancer.
    assert_eq!(with(ExistingFact { free_addresses: 5, ..good.clone() }), []);
    assert_eq!(with(ExistingFact { free_addresses: 4, ..good.clone() })[0].2, Code::SubnetTooSmall);
    // A load balancer more, with an address that a router has to lead to whatever the API has.
    let mut open = spec.clone();
    open.addons.ingress = true;
    let with_ingress = |fact: ExistingFact| found(&open, &Facts { existing: Some(fact), ..facts() });
    assert_eq!(with_ingress(ExistingFact { free_addresses: 6, ..good.clone() }), []);
    assert_eq!(with_ingress(ExistingFact { free_addresses: 5, ..good.clone() })[0].2, Code::SubnetTooSmall);
    open.api.exposure = ApiExposure::Private;
    let unrouted = Facts { existing: Some(ExistingFact { external_network: None, ..good.clone() }), private_route: true, ..facts() };
    assert_eq!(found(&open, &unrouted)[0].1, CheckLevel::Blocked);
    let overlap = with(ExistingFact { neighbours: vec!["172.20.4.0/24".parse().unwrap()], ..good });
    assert_eq!(overlap[0], ("network".to_owned(), CheckLevel::Blocked, Code::CidrOverlap, "spec.network.pod_cidr".to_owned()));
}

#[test]
fn what_the_cloud_cannot_do_is_said_beforehand() {
    let without = Facts { load_balancing: false, ..facts() };
    assert_eq!(found(&spec(json!({})), &without)[0].2, Code::NoLoadBalancer);
    assert_eq!(found(&spec(json!({"api": {"provider": "f5"}})), &facts())[0].2, Code::ProviderMissing);
    let restricted = json!({"api": {"provider": "ovn", "exposure": "restricted", "allowed_cidrs": ["192.0.2.0/24"]}});
    assert_eq!(found(&spec(restricted), &facts())[0].2, Code::ProviderMissing);
    let private = spec(json!({"api": {"exposure": "private"}}));
    assert_eq!(found(&private, &facts())[0].2, Code::PrivateRouteMissing);
    assert_eq!(found(&private, &Facts { private_route: true, ..facts() }), []);
}

#[test]
fn an_api_is_restricted_only_where_its_load_balancer_can_whoever_has_named_that() {
    let restricted =
        |provider: Option<&str>| spec(json!({"api": {"provider": provider, "exposure": "restricted", "allowed_cidrs": ["192.0.2.0/24"]}}));
    let with = |configured: Option<&str>, offered: &[&str]| {
        let offered = offered.iter().map(|name| (*name).to_owned()).collect();
        Facts { provider: configured.map(str::to_owned), providers: Some(offered), ..facts() }
    };
    let at = |level| vec![("load_balancer".to_owned(), level, Code::ProviderMissing, "spec.api.provider".to_owned())];
    let both = ["amphora", "ovn"];
    assert_eq!(found(&restricted(None), &with(Some("ovn"), &both)), at(CheckLevel::Blocked), "configured");
    assert_eq!(found(&restricted(Some("amphora")), &with(Some("ovn"), &both)), [], "the cluster's own word comes first");
    assert_eq!(found(&restricted(Some("ovn")), &with(Some("amphora"), &both)), at(CheckLevel::Blocked));
    assert_eq!(found(&restricted(None), &with(None, &["ovn"])), at(CheckLevel::Blocked), "there is no other");
    assert_eq!(found(&restricted(None), &with(None, &both)), at(CheckLevel::Warning), "nobody knows the default");
    assert_eq!(found(&restricted(None), &with(None, &["amphora"])), []);
    assert_eq!(found(&restricted(None), &Facts { providers: None, ..facts() }), [], "not to be known");
    let open = spec(json!({}));
    for (configured, offered) in [(Some("ovn"), &both[..]), (None, &["ovn"][..]), (None, &both[..])] {
        assert_eq!(found(&open, &with(configured, offered)), []);
    }
}

#[test]
fn without_volumes_nodes_run_on_their_flavors_disks_and_claims_are_known_to_get_none() {
    let without = Facts { block_storage: false, ..facts() };
    let pool = |gib: u32| json!([{"name": "a", "flavor": "m", "count": 1, "root_volume_gib": gib}]);
    let masters = |gib: u32| json!({"count": 1, "flavor": "m", "root_volume_gib": gib});
    let full = spec(json!({"control_plane": masters(20), "node_pools": pool(20)}));
    let fields: Vec<String> = found(&full, &without).into_iter().filter(|c| c.1 == CheckLevel::Blocked).map(|c| c.3).collect();
    assert_eq!(fields, ["spec.control_plane.root_volume_gib", "spec.node_pools[0].root_volume_gib", "spec.addons.storage"]);
    let bare = spec(json!({"control_plane": masters(0), "node_pools": pool(0), "addons": {"storage": false}}));
    assert_eq!(found(&bare, &without), [("block_storage".to_owned(), CheckLevel::Warning, Code::NoBlockStorage, String::new())]);
    assert_eq!(found(&bare, &facts()), []);
}

#[test]
fn promised_quota_is_counted_and_room_for_a_replacement_is_a_warning() {
    let limits: BTreeMap<String, Allowance> =
        [("instances".to_owned(), Allowance { used: 2, limit: Some(10) }), ("vcpus".to_owned(), Allowance { used: 0, limit: None })].into();
    let need = of([("instances", 3), ("vcpus", 6)]);
    let one = of([("instances", 1)]);
    let levels = |promised: u64| -> Vec<(String, CheckLevel)> {
        let promised = of([("instances", promised)]);
        quota(&need, &one, &limits, &promised).1.into_iter().map(|c| (c.key, c.level)).collect()
    };
    let row = |key: &str, level| (key.to_owned(), level);
    assert_eq!(levels(4), [row("quota", CheckLevel::Ok), row("replacement_room", CheckLevel::Ok)]);
    assert_eq!(levels(5), [row("quota", CheckLevel::Ok), row("replacement_room", CheckLevel::Warning)]);
    assert_eq!(levels(6), [row("quota", CheckLevel::Blocked), row("replacement_room", CheckLevel::Ok)]);
    let tight = quota(&need, &one, &limits, &of([("instances", 5)])).1.pop().unwrap().params;
    assert_eq!([&tight["reason"], &tight["left"], &tight["surplus"]], [&json!("replacement"), &json!(3), &json!(1)]);
}

#[test]
fn a_cluster_needs_addresses_of_the_external_network_for_its_api_and_its_router() {
    let level = |request: serde_json::Value, left: u64, promised: Amounts| {
        let wanted = spec(request);
        external_addresses(&amounts(&cluster_objects(&wanted), &wanted, &[]), left, &promised)[0].level
    };
    let other = of([("floating_ips", 1), ("instances", 9), ("routers", 1)]);
    assert_eq!(level(json!({}), 4, other.clone()), CheckLevel::Ok);
    assert_eq!(level(json!({}), 3, other.clone()), CheckLevel::Warning);
    assert_eq!(level(json!({}), 2, Amounts::new()), CheckLevel::Ok);
    assert_eq!(level(json!({}), 1, other), CheckLevel::Blocked);
    assert_eq!(level(json!({"api": {"exposure": "private"}}), 1, Amounts::new()), CheckLevel::Ok);
    // And for the ingress add-on.
    assert_eq!(level(json!({"addons": {"ingress": true}}), 3, Amounts::new()), CheckLevel::Ok);
    assert_eq!(level(json!({"addons": {"ingress": true}}), 2, Amounts::new()), CheckLevel::Blocked);
}

#[test]
fn no_volume_is_larger_than_one_may_be() {
    let mut wanted = spec(json!({"node_pools": [{"name": "a", "flavor": "m", "count": 1, "root_volume_gib": 50}]}));
    wanted.node_pools[0].data_volumes = vec![DataVolume { name: "d".into(), size_gib: 51, volume_type: None, mount_path: None }];
    let fields = |most: u64| volume_sizes(&wanted, most).into_iter().filter_map(|c| c.field).collect::<Vec<_>>();
    assert_eq!(fields(51), Vec::<String>::new());
    assert_eq!(fields(50), ["spec.node_pools[0].data_volumes[0].size_gib"]);
    assert_eq!(fields(49), ["spec.node_pools[0].root_volume_gib", "spec.node_pools[0].data_volumes[0].size_gib"]);
}

#[test]
fn pools_are_kept_apart_as_far_as_server_groups_last() {
    let pools = |n: u32| (0..n).map(|i| json!({"name": format!("p{i}"), "flavor": "m", "count": 11})).collect::<Vec<_>>();
    let mut wanted = spec(json!({"control_plane": {"count": 3}, "node_pools": pools(2)}));
    let checks = settle_groups(&mut wanted, Some(10), Some(3));
    // One for the masters, two of ten for the eleven of the first pool, none left for the second.
    assert_eq!(wanted.node_pools.iter().map(|p| p.anti_affinity).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(checks[0].level, CheckLevel::Warning);
    let objects = cluster_objects(&wanted);
    assert_eq!(amounts(&objects, &wanted, &[])["server_groups"], 3);
}

#[test]
fn a_pool_that_comes_later_is_kept_apart_as_far_as_server_groups_last() {
    let pool = |name: &str| json!({"name": name, "flavor": "m", "count": 11});
    let settled = |room: Option<u64>| {
        let mut wanted = spec(json!({"node_pools": [pool("first"), pool("second")]}));
        let told = settle_new_pool(&mut wanted, room).map(|c| (c.level, c.field));
        (wanted.node_pools.iter().map(|p| p.anti_affinity).collect::<Vec<_>>(), told)
    };
    // What the first was made with is left as it is.
    assert_eq!(settled(None), (vec![None, Some(true)], None));
    assert_eq!(settled(Some(2)), (vec![None, Some(true)], None));
    let few = Some((CheckLevel::Warning, Some("anti_affinity".to_owned())));
    assert_eq!(settled(Some(1)), (vec![None, Some(false)], few));
}

#[test]
fn a_pool_that_grows_has_the_groups_that_there_is_room_for() {
    let told = |need: u32, room: Option<u64>| {
        let (fit, check) = groups_with_room(need, room);
        (fit, check.map(|c| (c.level, c.params["need"].clone(), c.params["left"].clone())))
    };
    assert_eq!(told(2, None), (2, None));
    assert_eq!(told(2, Some(2)), (2, None));
    assert_eq!(told(2, Some(1)), (1, Some((CheckLevel::Warning, json!(2), json!(1)))));
    assert_eq!(told(0, Some(0)), (0, None));
}
