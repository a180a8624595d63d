//! What a cluster can be asked to be: networks that are not ours, APIs that are restricted or private, disks, server groups in shards, and zones.

use crate::lab::Lab;
use domain::clusters::RepairPolicy;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::nodes::NodeRole;
use domain::operations::{OperationKind, OperationState, StepKey, StepState};
use domain::settings::{ApiExposure, DataVolume, ExistingNetwork};
use domain::wishes::Wish;
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};
use time::Duration;

async fn done(lab: &mut Lab) {
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    lab.check_settled();
}

async fn delete(lab: &mut Lab) {
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
}

/// A network of the tenant's own, routed to the outside: (network, subnet, router).
fn network(lab: &Lab) -> (String, String, String) {
    let id = |answer: &Value, key: &str| answer[key]["id"].as_str().unwrap().to_owned();
    let network = id(&lab.person("POST", "/network/v2.0/networks", &json!({"network": {"name": "office"}})), "network");
    let subnet = json!({"subnet": {"name": "office", "network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24"}});
    let subnet = id(&lab.person("POST", "/network/v2.0/subnets", &subnet), "subnet");
    let external = lab.work().cluster.spec.network.external_network;
    let router = json!({"router": {"name": "office", "external_gateway_info": {"network_id": external}}});
    let router = id(&lab.person("POST", "/network/v2.0/routers", &router), "router");
    lab.person("PUT", &format!("/network/v2.0/routers/{router}/add_router_interface"), &json!({"subnet_id": subnet}));
    (network, subnet, router)
}

/// All that the cloud says of it.
fn dump(lab: &Lab, (network, subnet, router): &(String, String, String)) -> Vec<Value> {
    let get = |path: String| lab.person("GET", &format!("/network/v2.0/{path}"), &Value::Null);
    vec![
        get(format!("networks/{network}")),
        get(format!("subnets/{subnet}")),
        get(format!("routers/{router}")),
        get(format!("ports?network_id={network}")),
    ]
}

#[tokio::test]
async fn an_existing_network_is_byte_for_byte_as_before_when_its_cluster_is_gone() {
    let mut lab = Lab::new(60, 3, 2);
    let office = network(&lab);
    let (before, there) = (dump(&lab, &office), lab.ours_in_cloud());
    lab.db.lock().unwrap().work.cluster.spec.network.existing =
        Some(ExistingNetwork { network_id: office.0.clone(), subnet_id: office.1.clone(), router_addresses: vec![] });
    done(&mut lab).await;
    let keys: Vec<String> = lab.work().ledger.into_iter().map(|r| r.key).collect();
    for foreign in ["network", "subnet", "router", "router_interface"] {
        assert!(!keys.iter().any(|k| k == foreign), "{foreign} is not ours to have");
    }
    assert!(lab.work().cluster.status.api_endpoint.is_some());
    // Five nodes and the load balancer beside the router.
    assert_eq!(dump(&lab, &office)[3]["ports"].as_array().unwrap().len(), before[3]["ports"].as_array().unwrap().len() + 6);
    delete(&mut lab).await;
    assert_eq!(dump(&lab, &office), before);
    assert_eq!(lab.ours_in_cloud(), there);
}

#[tokio::test]
async fn a_restricted_api_lets_in_who_was_named_the_nodes_and_their_router_and_is_mended() {
    let mut lab = Lab::new(61, 1, 1);
    {
        let mut db = lab.db.lock().unwrap();
        db.work.cluster.spec.api.exposure = ApiExposure::Restricted;
        db.work.cluster.spec.api.allowed_cidrs = vec!["192.0.2.0/24".parse().unwrap()];
        db.work.cluster.spec.api.member_timeout_seconds = 7200;
    }
    done(&mut lab).await;
    let listener = |lab: &Lab| lab.person("GET", "/load-balancer/v2.0/lbaas/listeners", &Value::Null)["listeners"][0].clone();
    let router = lab.person("GET", &format!("/network/v2.0/routers/{}", lab.id_of("router")), &Value::Null);
    let seen_from = router["router"]["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].as_str().unwrap().to_owned();
    let mut wanted = vec!["192.0.2.0/24".to_owned(), "10.0.0.0/24".to_owned(), format!("{seen_from}/32")];
    wanted.sort();
    let now = listener(&lab);
    assert_eq!(now["allowed_cidrs"], json!(wanted));
    assert_eq!((&now["timeout_client_data"], &now["timeout_member_data"]), (&json!(3_600_000), &json!(7_200_000)));
    // Somebody opens it to everybody behind our back.
    let path = format!("/load-balancer/v2.0/lbaas/listeners/{}", now["id"].as_str().unwrap());
    lab.person("PUT", &path, &json!({"listener": {"allowed_cidrs": ["0.0.0.0/0"]}}));
    lab.begin(OperationKind::ClusterRepair);
    done(&mut lab).await;
    assert_eq!(listener(&lab)["allowed_cidrs"], json!(wanted));
    delete(&mut lab).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn who_may_connect_to_a_running_api_is_changed_and_nothing_is_made_anew() {
    let mut lab = Lab::new(68, 1, 1);
    // Nobody puts right what drifts unless asked.
    lab.db.lock().unwrap().work.cluster.spec.repair = RepairPolicy::Manual;
    done(&mut lab).await;
    let made = (lab.id_of("load_balancer"), lab.id_of("floating_ip"), lab.ours_in_cloud());
    let listener = |lab: &Lab| lab.person("GET", "/load-balancer/v2.0/lbaas/listeners", &Value::Null)["listeners"][0].clone();
    assert_eq!(listener(&lab)["allowed_cidrs"], Value::Null);
    let router = lab.person("GET", &format!("/network/v2.0/routers/{}", lab.id_of("router")), &Value::Null);
    let seen_from = router["router"]["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].as_str().unwrap().to_owned();
    let (office, branch) = ("192.0.2.0/24", "198.51.100.0/25");
    let to = |ranges: &[&str]| Wish::ApiAccessChange {
        exposure: if ranges.is_empty() { ApiExposure::Public } else { ApiExposure::Restricted },
        allowed_cidrs: ranges.iter().map(|range| range.parse().unwrap()).collect(),
    };
    for ranges in [&[office][..], &[branch], &[branch, office], &[]] {
        lab.wish(&to(ranges));
        done(&mut lab).await;
        let steps: Vec<_> = lab.operation().steps.iter().map(|s| (s.key, s.state, s.total)).collect();
        assert_eq!(steps, [(StepKey::ApiLoadBalancer, StepState::Succeeded, 1), (StepKey::Health, StepState::Succeeded, 1)], "{ranges:?}");
        let mut wanted = [ranges, &["10.0.0.0/24"]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
        wanted.push(format!("{seen_from}/32"));
        wanted.sort();
        let expected = if ranges.is_empty() { Value::Null } else { json!(wanted) };
        assert_eq!(listener(&lab)["allowed_cidrs"], expected, "{ranges:?}");
        assert_eq!((lab.id_of("load_balancer"), lab.id_of("floating_ip"), lab.ours_in_cloud()), made);
    }
    // What is so already is left as it is.
    lab.wish(&to(&[]));
    done(&mut lab).await;
    assert_eq!(lab.operation().steps[0].state, StepState::Skipped);
    delete(&mut lab).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn an_api_is_balanced_as_its_provider_can_whether_or_not_anybody_has_named_that() {
    let lists = |lab: &Lab, kind: &str| lab.person("GET", &format!("/load-balancer/v2.0/lbaas/{kind}"), &Value::Null)[kind].clone();
    let (ovn, proxy) = (("ovn", "SOURCE_IP_PORT", "TCP"), ("amphora", "ROUND_ROBIN", "HTTPS"));
    let clouds = [
        (vec!["ovn"], None, ovn),
        (vec!["ovn", "amphora"], None, ovn),
        (vec!["amphora", "ovn"], None, proxy),
        (vec!["amphora", "ovn"], Some("ovn"), ovn),
        (vec!["ovn", "amphora"], Some("amphora"), proxy),
    ];
    for (seed, (providers, named, (behind, algorithm, check))) in (240..).zip(clouds) {
        let mut lab = Lab::offering(providers.clone(), seed, 3, 0);
        lab.db.lock().unwrap().work.cluster.spec.api.provider = named.map(str::to_owned);
        done(&mut lab).await;
        let is = |lab: &Lab| {
            let (balancers, pools, monitors) = (lists(lab, "loadbalancers"), lists(lab, "pools"), lists(lab, "healthmonitors"));
            assert_eq!(balancers[0]["provider"], behind, "{providers:?}, {named:?}");
            assert_eq!((&pools[0]["lb_algorithm"], &monitors[0]["type"]), (&json!(algorithm), &json!(check)), "{providers:?}, {named:?}");
            assert_eq!(pools[0]["members"].as_array().unwrap().len(), 3);
        };
        is(&lab);
        // What somebody takes away comes back as it was.
        let pool = lists(&lab, "pools")[0]["id"].as_str().unwrap().to_owned();
        lab.person("DELETE", &format!("/load-balancer/v2.0/lbaas/pools/{pool}"), &Value::Null);
        lab.begin(OperationKind::ClusterRepair);
        done(&mut lab).await;
        is(&lab);
        delete(&mut lab).await;
        assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn behind_ovn_nothing_listens_for_an_api_that_shall_be_restricted() {
    for (seed, providers) in [(250, vec!["ovn"]), (251, vec!["ovn", "amphora"])] {
        let mut lab = Lab::offering(providers, seed, 1, 0);
        {
            let mut db = lab.db.lock().unwrap();
            db.work.cluster.spec.api.exposure = ApiExposure::Restricted;
            db.work.cluster.spec.api.allowed_cidrs = vec!["192.0.2.0/24".parse().unwrap()];
        }
        assert_eq!(lab.settle().await, OperationState::Failed, "{:#?}", lab.operation());
        let fault = lab.operation().fault.unwrap();
        assert!(fault.message.contains("the ovn provider lets everybody connect"), "{fault:?}");
        assert_eq!(lab.person("GET", "/load-balancer/v2.0/lbaas/listeners", &Value::Null)["listeners"], json!([]));
        delete(&mut lab).await;
        assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_private_api_has_no_address_outside() {
    let mut lab = Lab::new(62, 1, 1);
    lab.db.lock().unwrap().work.cluster.spec.api.exposure = ApiExposure::Private;
    done(&mut lab).await;
    let status = lab.work().cluster.status;
    assert_eq!(status.api_endpoint, Some(format!("https://{}:6443", status.api_vip.unwrap())));
    assert!(!lab.work().ledger.iter().any(|r| r.kind == domain::ledger::ResourceKind::FloatingIp));
    delete(&mut lab).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn nodes_have_the_disks_they_were_asked_with() {
    let mut lab = Lab::new(63, 1, 2);
    {
        let mut db = lab.db.lock().unwrap();
        let pool = &mut db.work.cluster.spec.node_pools[0];
        pool.root_volume_gib = 0;
        let volume = |name: &str, size_gib, volume_type: Option<&str>| DataVolume {
            name: name.into(),
            size_gib,
            volume_type: volume_type.map(str::to_owned),
            mount_path: Some(format!("/srv/{name}")),
        };
        pool.data_volumes = vec![volume("data", 7, Some("ssd")), volume("scratch", 3, None)];
    }
    done(&mut lab).await;
    let all = lab.person("GET", "/volume/v3/volumes/detail", &Value::Null);
    let sizes = |name: &str| {
        let list = all["volumes"].as_array().unwrap().iter().filter(|v| v["name"].as_str().unwrap().ends_with(name));
        list.map(|v| (v["size"].as_u64().unwrap(), v["status"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(sizes("-data"), [(7, "in-use".to_owned()), (7, "in-use".to_owned())]);
    assert_eq!(sizes("-scratch"), [(3, "in-use".to_owned()), (3, "in-use".to_owned())]);
    // The master's root is the only other: workers run on their flavor's disk.
    assert_eq!(all["volumes"].as_array().unwrap().len(), 5);
    delete(&mut lab).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_25_the_eleventh_worker_goes_into_the_next_server_group() {
    let mut lab = Lab::new(64, 1, 10);
    lab.db.lock().unwrap().work.cluster.spec.node_pools[0].anti_affinity = Some(true);
    done(&mut lab).await;
    let groups = |lab: &Lab| {
        let answer = lab.person("GET", "/compute/v2.1/os-server-groups", &Value::Null);
        let mut sizes: Vec<usize> = answer["server_groups"].as_array().unwrap().iter().map(|g| g["members"].as_array().unwrap().len()).collect();
        sizes.sort_unstable();
        sizes
    };
    assert_eq!(groups(&lab), [10]);
    lab.resize(11);
    done(&mut lab).await;
    assert_eq!(groups(&lab), [1, 10]);
    // A group outlives the smaller pool, and is filled again.
    lab.resize(3);
    done(&mut lab).await;
    assert_eq!(groups(&lab).iter().sum::<usize>(), 3);
    lab.resize(12);
    done(&mut lab).await;
    assert_eq!(groups(&lab).iter().sum::<usize>(), 12);
    assert!(groups(&lab).iter().all(|n| *n <= 10));
    delete(&mut lab).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_25_where_the_quota_has_no_room_for_a_server_group_the_nodes_are_made_without_it() {
    let mut lab = Lab::new(67, 1, 2);
    lab.db.lock().unwrap().work.cluster.spec.node_pools[0].anti_affinity = Some(true);
    let quota = |lab: &Lab, limit: i64| {
        let path = format!("/compute/v2.1/os-quota-sets/{}", lab.work().cluster.tenant);
        lab.admin("PUT", &path, &json!({"quota_set": {"server_groups": limit}}));
    };
    let members = |lab: &Lab| {
        let answer = lab.person("GET", "/compute/v2.1/os-server-groups", &Value::Null);
        answer["server_groups"].as_array().unwrap().iter().map(|g| g["members"].as_array().unwrap().len()).collect::<Vec<_>>()
    };
    let told = |lab: &Lab| {
        let found = lab.condition(ConditionType::InfrastructureReady);
        (found.status, found.reason, found.message)
    };
    let shared = (ConditionStatus::True, "HostsShared".to_owned(), "default".to_owned());
    quota(&lab, 0);
    done(&mut lab).await;
    assert_eq!((lab.names(NodeRole::Worker).len(), members(&lab), told(&lab)), (2, vec![], shared.clone()));
    // It is said, and nothing for a repair to try again and again.
    lab.watch(Duration::minutes(30)).await;
    assert_eq!((lab.operation().kind, told(&lab)), (OperationKind::ClusterCreate, shared.clone()));
    // Of the two groups that eleven nodes need there is room for one: nodes that come now are in it.
    quota(&lab, 1);
    lab.resize(11);
    done(&mut lab).await;
    assert_eq!((lab.names(NodeRole::Worker).len(), members(&lab), told(&lab)), (11, vec![9], shared));
    // One group is enough for ten of them. Both had been asked for at once: it is the cloud that has chosen which.
    lab.resize(10);
    done(&mut lab).await;
    assert_eq!(members(&lab).len(), 1);
    quota(&lab, -1);
    lab.resize(12);
    done(&mut lab).await;
    assert_eq!((members(&lab).len(), told(&lab).1.as_str()), (2, "AllThere"));
    assert!(members(&lab).iter().all(|servers| *servers <= 10), "{:?}", members(&lab));
    delete(&mut lab).await;
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn masters_are_in_a_zone_each_after_any_of_them_was_replaced() {
    let mut lab = Lab::new(66, 3, 0);
    lab.db.lock().unwrap().work.cluster.spec.control_plane.zones = ["az1", "az2", "az3"].map(str::to_owned).to_vec();
    done(&mut lab).await;
    let zones = |lab: &Lab| {
        let servers = lab.person("GET", "/compute/v2.1/servers/detail", &Value::Null);
        let zone = |server: &Value| server["OS-EXT-AZ:availability_zone"].as_str().unwrap().to_owned();
        let mut zones: Vec<String> = servers["servers"].as_array().unwrap().iter().map(zone).collect();
        zones.sort_unstable();
        zones
    };
    assert_eq!(zones(&lab), ["az1", "az2", "az3"]);
    let second = lab.names(NodeRole::Master)[1].clone();
    lab.wish(&Wish::NodeReplace { node: lab.node(&second) });
    done(&mut lab).await;
    assert_eq!(zones(&lab), ["az1", "az2", "az3"]);
    delete(&mut lab).await;
}

#[tokio::test]
async fn a_nodes_volumes_are_in_its_zone_where_volumes_have_one_of_that_name_and_can_be_there() {
    let denied = FaultRule::new(Effect::Status { status: 403, body: None }).on(Service::BlockStorage, "GET", "/os-availability-zone$").count(None);
    let broken = FaultRule::new(Effect::Error { text: "no space".into() }).on(Service::BlockStorage, "POST", "/volumes$").count(Some(3));
    let of_other_zones = json!({"badRequest": {"message": "Volume type is not in the zone", "code": 400}});
    let refused =
        FaultRule::new(Effect::Status { status: 400, body: Some(of_other_zones) }).on(Service::BlockStorage, "POST", "/volumes$").count(Some(1));
    // Where it is not said, the cloud takes its first zone.
    let clouds = [(67, 1, None, "az2"), (68, 1, Some(denied), "az1"), (69, 3, Some(broken), "az1"), (70, 1, Some(refused), "az1")];
    for (seed, masters, fault, zone) in clouds {
        let mut lab = Lab::new(seed, masters, 0);
        lab.db.lock().unwrap().work.cluster.spec.control_plane.zones = vec!["az2".to_owned()];
        if let Some(fault) = fault {
            lab.cloud.inject(fault);
        }
        done(&mut lab).await;
        let all = lab.person("GET", "/volume/v3/volumes/detail", &Value::Null);
        let zones: Vec<&str> = all["volumes"].as_array().unwrap().iter().map(|v| v["availability_zone"].as_str().unwrap()).collect();
        assert_eq!(zones, vec![zone; masters as usize], "{seed}");
        delete(&mut lab).await;
    }
}

#[tokio::test]
async fn core_dns_keeps_the_pods_that_somebody_has_given_it_and_has_two_at_least() {
    let mut lab = Lab::new(71, 1, 0);
    lab.db.lock().unwrap().work.cluster.spec.addons.metrics = true;
    done(&mut lab).await;
    assert_eq!(lab.in_cluster.lock().unwrap().dns_pods, 2);
    for (given, kept) in [(8, 8), (1, 2)] {
        lab.in_cluster.lock().unwrap().dns_pods = given;
        // A new process does not know what was applied, and applies all of it.
        lab.restart();
        lab.watch(Duration::minutes(2)).await;
        assert_eq!(lab.in_cluster.lock().unwrap().dns_pods, kept);
    }
    delete(&mut lab).await;
}
