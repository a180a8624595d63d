//! What somebody breaks behind our back in a cluster that runs: noticed within a minute, repaired by an operation of the engine's own.

use crate::lab::Lab;
use domain::clusters::{Phase, RepairPolicy, RuleDirection};
use domain::codes::Code;
use domain::conditions::{ConditionStatus, ConditionType};
use domain::nodes::NodeRole;
use domain::operations::{ENGINE, OperationKind, OperationState};
use domain::settings::DataVolume;
use domain::wishes::Wish;
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};
use time::Duration;

async fn running(seed: u64, masters: u32, workers: u32) -> Lab {
    let mut lab = Lab::new(seed, masters, workers);
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    lab
}

fn whole(lab: &Lab) {
    let operation = lab.operation();
    assert_eq!(
        (operation.kind, operation.created_by.as_str(), operation.state),
        (OperationKind::ClusterRepair, ENGINE, OperationState::Succeeded),
        "{operation:#?}"
    );
    assert!(lab.work().cluster.status.conditions.iter().all(|c| c.status == ConditionStatus::True), "{:#?}", lab.work().cluster.status);
    lab.check_settled();
}

/// Takes something away by hand; with the manual policy it is shown within a minute and left, with the automatic one mended.
async fn damage(seed: u64, what: &str, break_it: impl Fn(&Lab)) {
    damage_to(&mut running(seed, 1, 1).await, what, break_it).await;
}

async fn damage_to(lab: &mut Lab, what: &str, break_it: impl Fn(&Lab)) {
    lab.db.lock().unwrap().work.cluster.spec.repair = RepairPolicy::Manual;
    break_it(lab);
    lab.watch(Duration::minutes(1)).await;
    let shown = lab.condition(ConditionType::InfrastructureReady);
    assert_eq!((shown.status, shown.code), (ConditionStatus::False, Some(Code::Drifted)), "{what}: {shown:?}");
    assert_eq!(lab.operation().kind, OperationKind::ClusterCreate, "{what} is left to a person");
    lab.db.lock().unwrap().work.cluster.spec.repair = RepairPolicy::Automatic;
    lab.watch(Duration::minutes(3)).await;
    whole(lab);
}

/// The one object under the cluster's load balancer of such a kind.
fn under_balancer(lab: &Lab, kind: &str) -> Value {
    let list = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/{kind}?loadbalancer_id={}", lab.id_of("load_balancer")), &Value::Null);
    list[kind][0].clone()
}

fn pool(lab: &Lab) -> String {
    under_balancer(lab, "pools")["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn case_62_what_somebody_removes_by_hand_is_shown_and_made_again() {
    damage(200, "a rule", |lab| {
        let group = lab.id_of("security_group/worker");
        let rules = lab.person("GET", &format!("/network/v2.0/security-group-rules?security_group_id={group}&direction=ingress"), &Value::Null);
        let rule = rules["security_group_rules"][0]["id"].as_str().unwrap().to_owned();
        lab.person("DELETE", &format!("/network/v2.0/security-group-rules/{rule}"), &Value::Null);
    })
    .await;
    damage(201, "the load balancer", |lab| {
        lab.person("DELETE", &format!("/load-balancer/v2.0/lbaas/loadbalancers/{}?cascade=true", lab.id_of("load_balancer")), &Value::Null);
    })
    .await;
    damage(202, "the association of the address", |lab| {
        lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &json!({"floatingip": {"port_id": null}}));
    })
    .await;
    damage(203, "the router's interface", |lab| {
        lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &json!({"floatingip": {"port_id": null}}));
        let subnet = json!({"subnet_id": lab.id_of("subnet")});
        lab.person("PUT", &format!("/network/v2.0/routers/{}/remove_router_interface", lab.id_of("router")), &subnet);
    })
    .await;
    damage(204, "the router", |lab| {
        lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &json!({"floatingip": {"port_id": null}}));
        let (router, subnet) = (lab.id_of("router"), json!({"subnet_id": lab.id_of("subnet")}));
        lab.person("PUT", &format!("/network/v2.0/routers/{router}/remove_router_interface"), &subnet);
        lab.person("DELETE", &format!("/network/v2.0/routers/{router}"), &Value::Null);
    })
    .await;
}

#[tokio::test]
async fn case_62_an_address_that_somebody_deletes_is_made_again_and_the_cluster_asked_at_the_new_one() {
    let mut lab = running(221, 1, 1).await;
    let of_network = |lab: &Lab, id: &str| {
        let read = lab.person("GET", &format!("/network/v2.0/floatingips/{id}"), &Value::Null);
        format!("https://{}:6443", read["floatingip"]["floating_ip_address"].as_str().unwrap())
    };
    let asked_at = |lab: &Lab| lab.in_cluster.lock().unwrap().dialled.clone();
    let before = lab.id_of("floating_ip");
    let old = of_network(&lab, &before);
    assert_eq!(asked_at(&lab), old);
    damage_to(&mut lab, "the address", |lab| {
        lab.person("DELETE", &format!("/network/v2.0/floatingips/{before}"), &Value::Null);
    })
    .await;
    let new = of_network(&lab, &lab.id_of("floating_ip"));
    assert_ne!(new, old);
    assert_eq!((asked_at(&lab), lab.work().cluster.status.api_endpoint), (new.clone(), Some(new)));
}

#[tokio::test]
async fn what_somebody_changes_in_the_network_is_shown_and_put_right() {
    damage(205, "the router's gateway", |lab| {
        lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &json!({"floatingip": {"port_id": null}}));
        lab.person("PUT", &format!("/network/v2.0/routers/{}", lab.id_of("router")), &json!({"router": {"external_gateway_info": null}}));
    })
    .await;
    damage(206, "where the address leads", |lab| {
        let port = lab.id_of(&format!("port/{}", lab.names(NodeRole::Worker)[0]));
        lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &json!({"floatingip": {"port_id": port}}));
    })
    .await;
    // A group that somebody put a node into stays; its own is back, whatever the port is called.
    let mut lab = running(207, 1, 1).await;
    let port = format!("/network/v2.0/ports/{}", lab.id_of(&format!("port/{}", lab.names(NodeRole::Worker)[0])));
    let theirs = lab.person("POST", "/network/v2.0/security-groups", &json!({"security_group": {"name": "office"}}));
    let theirs = theirs["security_group"]["id"].as_str().unwrap().to_owned();
    let only_theirs = json!({"port": {"security_groups": [theirs], "name": "office"}});
    damage_to(&mut lab, "a port's groups", |lab| {
        lab.person("PUT", &port, &only_theirs);
    })
    .await;
    let now = lab.person("GET", &port, &Value::Null);
    assert_eq!(now["port"]["security_groups"], json!([theirs, lab.id_of("security_group/worker")]));
}

#[tokio::test]
async fn what_somebody_renames_is_shown_and_gets_its_name_back() {
    for (seed, key, path, body) in [
        (215, "network", "/network/v2.0/networks", "network"),
        (216, "router", "/network/v2.0/routers", "router"),
        (217, "security_group/worker", "/network/v2.0/security-groups", "security_group"),
        (218, "load_balancer", "/load-balancer/v2.0/lbaas/loadbalancers", "loadbalancer"),
    ] {
        let mut lab = running(seed, 1, 1).await;
        let (id, object) = (lab.id_of(key), format!("{path}/{}", lab.id_of(key)));
        let name = |lab: &Lab| lab.person("GET", &object, &Value::Null)[body]["name"].clone();
        let ours = name(&lab);
        damage_to(&mut lab, key, |lab| {
            lab.person("PUT", &object, &json!({ body: { "name": "office" } }));
        })
        .await;
        assert_eq!((name(&lab), lab.id_of(key)), (ours, id));
    }
}

#[tokio::test]
async fn a_name_that_the_cloud_refuses_keeps_nothing_else_of_its_object_from_being_put_right() {
    let get = |lab: &Lab, path: &str| lab.person("GET", path, &Value::Null);
    let rules = |lab: &Lab| {
        let path = format!("/network/v2.0/security-group-rules?security_group_id={}", lab.id_of("security_group/worker"));
        get(lab, &path)["security_group_rules"].as_array().unwrap().clone()
    };
    let members = |lab: &Lab| format!("/load-balancer/v2.0/lbaas/pools/{}/members", pool(lab));
    // What there is of it besides its name.
    let within = |lab: &Lab, key: &str| match key {
        "router" => get(lab, &format!("/network/v2.0/routers/{}", lab.id_of(key)))["router"]["external_gateway_info"]["network_id"].clone(),
        "load_balancer" => get(lab, &members(lab))["members"][0]["address"].clone(),
        _ => json!(rules(lab).len()),
    };
    let spoil = |lab: &Lab, key: &str| match key {
        "router" => {
            lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &json!({"floatingip": {"port_id": null}}));
            lab.person("PUT", &format!("/network/v2.0/routers/{}", lab.id_of(key)), &json!({"router": {"external_gateway_info": null}}))
        }
        "load_balancer" => {
            let member = get(lab, &members(lab))["members"][0]["id"].as_str().unwrap().to_owned();
            lab.person("DELETE", &format!("{}/{member}", members(lab)), &Value::Null)
        }
        _ => {
            let rule = rules(lab).into_iter().find(|rule| rule["direction"] == "ingress").unwrap()["id"].as_str().unwrap().to_owned();
            lab.person("DELETE", &format!("/network/v2.0/security-group-rules/{rule}"), &Value::Null)
        }
    };
    for (seed, key, service, path, body) in [
        (271, "security_group/worker", Service::Network, "/network/v2.0/security-groups", "security_group"),
        (272, "router", Service::Network, "/network/v2.0/routers", "router"),
        (273, "load_balancer", Service::LoadBalancer, "/load-balancer/v2.0/lbaas/loadbalancers", "loadbalancer"),
    ] {
        let mut lab = running(seed, 1, 1).await;
        let (object, before) = (format!("{path}/{}", lab.id_of(key)), within(&lab, key));
        let name = |lab: &Lab| get(lab, &object)[body]["name"].clone();
        let ours = name(&lab);
        spoil(&lab, key);
        // A load balancer takes one change at a time.
        lab.advance(Duration::MINUTE);
        lab.person("PUT", &object, &json!({ body: { "name": "office" } }));
        lab.advance(Duration::MINUTE);
        assert_ne!(within(&lab, key), before, "{key}");
        let refused = FaultRule::new(Effect::Status { status: 403, body: None }).on(service, "PUT", &format!("{path}/[^/]+$"));
        lab.cloud.inject(refused.named("kcs-").count(None));
        lab.watch(Duration::minutes(3)).await;
        assert_eq!((within(&lab, key), name(&lab)), (before, json!("office")), "{key}");
        assert!(lab.work().live(key).is_some_and(|row| row.fault.is_some()), "{key}: its refusal is said");
        lab.cloud.clear_faults();
        lab.retry();
        lab.made().await;
        assert_eq!(name(&lab), ours);
    }
}

#[tokio::test]
async fn what_has_lost_its_name_or_mark_is_put_right_like_everything_else() {
    damage(219, "a rule of a group with another name", |lab| {
        let group = lab.id_of("security_group/worker");
        let rules = lab.person("GET", &format!("/network/v2.0/security-group-rules?security_group_id={group}&direction=ingress"), &Value::Null);
        let rule = rules["security_group_rules"][0]["id"].as_str().unwrap().to_owned();
        lab.person("DELETE", &format!("/network/v2.0/security-group-rules/{rule}"), &Value::Null);
        lab.person("PUT", &format!("/network/v2.0/security-groups/{group}"), &json!({"security_group": {"name": "office"}}));
    })
    .await;
    damage(220, "where an address with another description leads", |lab| {
        let changed = json!({"floatingip": {"port_id": null, "description": "office"}});
        lab.person("PUT", &format!("/network/v2.0/floatingips/{}", lab.id_of("floating_ip")), &changed);
    })
    .await;
}

#[tokio::test]
async fn rules_that_somebody_adds_are_shown_and_left_alone() {
    let mut lab = running(214, 1, 1).await;
    assert_eq!(lab.work().cluster.status.added_rules, []);
    let group = lab.id_of("security_group/worker");
    let add = |ethertype: &str, range: &str| {
        let rule = json!({"security_group_id": group, "direction": "ingress", "ethertype": ethertype, "protocol": "tcp", "port_range_min": 22,
            "port_range_max": 22, "remote_ip_prefix": range});
        let made = lab.person("POST", "/network/v2.0/security-group-rules", &json!({ "security_group_rule": rule }));
        made["security_group_rule"]["id"].as_str().unwrap().to_owned()
    };
    let theirs = [add("IPv4", "192.0.2.0/24"), add("IPv6", "2001:db8::/32")];
    lab.watch(Duration::minutes(1)).await;
    let shown = lab.work().cluster.status.added_rules;
    let seen: Vec<_> = shown.iter().map(|r| (r.direction, r.ip_version, r.first_port, r.peer.as_deref())).collect();
    let (port, ingress) = (Some(22), RuleDirection::Ingress);
    assert_eq!(seen, [(ingress, 4, port, Some("192.0.2.0/24")), (ingress, 6, port, Some("2001:db8::/32"))]);
    assert!(shown.iter().all(|r| r.group.ends_with("-worker") && r.protocol.as_deref() == Some("tcp")), "{shown:?}");
    assert_eq!(lab.operation().kind, OperationKind::ClusterCreate, "nothing is repaired for it");
    for rule in theirs {
        lab.person("DELETE", &format!("/network/v2.0/security-group-rules/{rule}"), &Value::Null);
    }
    lab.watch(Duration::minutes(1)).await;
    assert_eq!(lab.work().cluster.status.added_rules, []);
}

#[tokio::test]
async fn what_somebody_changes_of_the_load_balancer_is_shown_and_put_right() {
    damage(208, "the listener's time-outs", |lab| {
        let listener = under_balancer(lab, "listeners")["id"].as_str().unwrap().to_owned();
        let short = json!({"listener": {"timeout_client_data": 50_000}});
        lab.person("PUT", &format!("/load-balancer/v2.0/lbaas/listeners/{listener}"), &short);
    })
    .await;
    damage(209, "a pool that is switched off", |lab| {
        lab.person("PUT", &format!("/load-balancer/v2.0/lbaas/pools/{}", pool(lab)), &json!({"pool": {"admin_state_up": false}}));
    })
    .await;
    damage(210, "a load balancer that is switched off", |lab| {
        let off = json!({"loadbalancer": {"admin_state_up": false}});
        lab.person("PUT", &format!("/load-balancer/v2.0/lbaas/loadbalancers/{}", lab.id_of("load_balancer")), &off);
    })
    .await;
    damage(211, "a member's port", |lab| {
        let members = format!("/load-balancer/v2.0/lbaas/pools/{}/members", pool(lab));
        let listed = lab.person("GET", &members, &Value::Null);
        let moved = json!({"members": [{"address": listed["members"][0]["address"], "protocol_port": 6444}]});
        lab.person("PUT", &members, &moved);
    })
    .await;
    // Members are not asked for but where their pool says that one was changed.
    let mut lab = running(212, 1, 1).await;
    lab.watch(Duration::minutes(2)).await;
    let reads = |lab: &Lab| lab.cloud.calls(Service::LoadBalancer, "GET", "/load-balancer/v2.0/lbaas/pools/{id}/members");
    let before = reads(&lab);
    lab.watch(Duration::minutes(5)).await;
    assert_eq!(reads(&lab), before);
    damage_to(&mut lab, "a member that is switched off", |lab| {
        let members = format!("/load-balancer/v2.0/lbaas/pools/{}/members", pool(lab));
        let listed = lab.person("GET", &members, &Value::Null);
        let member = format!("{members}/{}", listed["members"][0]["id"].as_str().unwrap());
        lab.person("PUT", &member, &json!({"member": {"admin_state_up": false}}));
    })
    .await;
}

#[tokio::test]
async fn a_data_volume_that_somebody_detaches_is_shown_and_attached_again() {
    let mut lab = Lab::new(213, 1, 1);
    let data = DataVolume { name: "data".into(), size_gib: 3, volume_type: None, mount_path: Some("/srv/data".into()) };
    lab.db.lock().unwrap().work.cluster.spec.node_pools[0].data_volumes = vec![data];
    lab.made().await;
    let worker = lab.names(NodeRole::Worker)[0].clone();
    let (server, volume) = (lab.id_of(&format!("server/{worker}")), lab.id_of(&format!("volume/{worker}/data")));
    damage_to(&mut lab, "a data volume", |lab| {
        lab.person("DELETE", &format!("/compute/v2.1/servers/{server}/os-volume_attachments/{volume}"), &Value::Null);
    })
    .await;
    let now = lab.person("GET", &format!("/volume/v3/volumes/{volume}"), &Value::Null);
    assert_eq!(now["volume"]["attachments"][0]["server_id"], json!(server));
}

#[tokio::test]
async fn case_62_a_worker_whose_data_volume_somebody_deletes_is_replaced_and_gets_no_empty_one() {
    let mut lab = Lab::new(222, 1, 2);
    let data = DataVolume { name: "data".into(), size_gib: 3, volume_type: None, mount_path: Some("/srv/data".into()) };
    lab.db.lock().unwrap().work.cluster.spec.node_pools[0].data_volumes = vec![data];
    lab.made().await;
    let worker = lab.names(NodeRole::Worker)[0].clone();
    let (server, key) = (lab.id_of(&format!("server/{worker}")), format!("volume/{worker}/data"));
    let volume = lab.id_of(&key);
    lab.person("DELETE", &format!("/compute/v2.1/servers/{server}/os-volume_attachments/{volume}"), &Value::Null);
    lab.person("DELETE", &format!("/volume/v3/volumes/{volume}"), &Value::Null);
    lab.watch(Duration::minutes(1)).await;
    let shown = lab.condition(ConditionType::InfrastructureReady);
    assert_eq!((shown.status, shown.reason.as_str(), shown.code), (ConditionStatus::False, "ObjectsMissing", Some(Code::Drifted)));
    assert!(lab.names(NodeRole::Worker).contains(&worker), "not at once");
    lab.watch(Duration::minutes(12)).await;
    assert!(!lab.names(NodeRole::Worker).contains(&worker));
    let rows: Vec<Option<String>> = lab.work().ledger.into_iter().filter(|r| r.key == key).map(|r| r.cloud_id).collect();
    assert_eq!(rows, [Some(volume)], "there was never another");
    whole(&lab);
}

#[tokio::test]
async fn a_data_volume_that_somebody_attached_elsewhere_is_not_taken_from_there_and_holds_up_nothing_else() {
    let mut lab = Lab::new(214, 1, 2);
    let data = DataVolume { name: "data".into(), size_gib: 3, volume_type: None, mount_path: Some("/srv/data".into()) };
    lab.db.lock().unwrap().work.cluster.spec.node_pools[0].data_volumes = vec![data];
    lab.made().await;
    let workers = lab.names(NodeRole::Worker);
    let volume = lab.id_of(&format!("volume/{}/data", workers[0]));
    let attachments = |lab: &Lab, worker: &str| format!("/compute/v2.1/servers/{}/os-volume_attachments", lab.id_of(&format!("server/{worker}")));
    let (own, other) = (attachments(&lab, &workers[0]), attachments(&lab, &workers[1]));
    lab.person("DELETE", &format!("{own}/{volume}"), &Value::Null);
    lab.person("POST", &other, &json!({"volumeAttachment": {"volumeId": volume}}));
    lab.watch(Duration::minutes(5)).await;
    let repair = lab.operation();
    assert_eq!((repair.kind, repair.state), (OperationKind::ClusterRepair, OperationState::Failed), "{repair:#?}");
    let fault = repair.fault.unwrap();
    assert_eq!(fault.code, Code::InUse);
    assert!(fault.message.contains(&lab.id_of(&format!("server/{}", workers[1]))), "{}", fault.message);
    lab.resize(3);
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    lab.person("DELETE", &format!("{other}/{volume}"), &Value::Null);
    lab.watch(Duration::minutes(5)).await;
    whole(&lab);
}

#[tokio::test]
async fn case_35_the_load_balancer_forgets_a_master_before_its_server_goes() {
    let mut lab = running(235, 3, 0).await;
    let members = |lab: &Lab| {
        let pools = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools?loadbalancer_id={}", lab.id_of("load_balancer")), &Value::Null);
        let pool = pools["pools"][0]["id"].as_str().unwrap().to_owned();
        let members = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools/{pool}/members"), &Value::Null);
        members["members"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let old = lab.names(NodeRole::Master)[0].clone();
    lab.wish(&Wish::NodeReplace { node: lab.node(&old) });
    let server = format!("server {old} ");
    loop {
        lab.step().await;
        let gone = !lab.ours_in_cloud().iter().any(|o| o.starts_with(&server));
        if gone {
            assert!(!members(&lab).contains(&old), "the server went while the load balancer led to it");
            break;
        }
        assert!(!lab.operation().state.ended(), "{:#?}", lab.operation());
    }
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    assert_eq!(members(&lab).len(), 3);
    // A member somebody adds or removes by hand is put right.
    let pools = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools?loadbalancer_id={}", lab.id_of("load_balancer")), &Value::Null);
    let pool = pools["pools"][0]["id"].as_str().unwrap().to_owned();
    let listed = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools/{pool}/members"), &Value::Null);
    lab.person("DELETE", &format!("/load-balancer/v2.0/lbaas/pools/{pool}/members/{}", listed["members"][0]["id"].as_str().unwrap()), &Value::Null);
    lab.watch(Duration::minutes(2)).await;
    assert_eq!(members(&lab).len(), 3);
    whole(&lab);
}

#[tokio::test]
async fn case_38_volumes_of_a_lost_worker_are_let_go_though_its_kubernetes_node_went_with_its_server() {
    let mut lab = running(238, 1, 4).await;
    lab.in_cluster.lock().unwrap().cloud_controller = true;
    let workers = lab.names(NodeRole::Worker);
    let holds = |lab: &Lab, name: &str| lab.in_cluster.lock().unwrap().attached.contains(name);
    let there = |lab: &Lab, name: &str| lab.ours_in_cloud().iter().any(|o| o.starts_with(&format!("server {name} ")));
    // Without power, to Nova it runs.
    let silent = &workers[1];
    lab.in_cluster.lock().unwrap().silent.insert(silent.clone());
    lab.watch(Duration::minutes(1)).await;
    lab.resize(3);
    while there(&lab, silent) {
        assert!(holds(&lab, silent), "its volume was let go while its server was there");
        assert!(!lab.operation().state.ended(), "{:#?}", lab.operation());
        lab.step().await;
    }
    let gone = lab.now();
    while holds(&lab, silent) {
        assert!(lab.now() - gone < Duration::seconds(20) && !lab.operation().state.ended(), "its volume stayed: {:#?}", lab.operation());
        lab.step().await;
    }
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert!(!lab.names(NodeRole::Worker).contains(silent));
    // One whose server somebody deletes holds its volume until it is replaced.
    lab.lose_server(&workers[0]);
    lab.watch(Duration::minutes(10)).await;
    assert!(!lab.names(NodeRole::Worker).contains(&workers[0]) && !holds(&lab, &workers[0]));
    whole(&lab);
}

#[tokio::test]
async fn case_53_no_way_to_the_api_makes_no_cluster_unhealthy_and_masters_that_answer_nobody_do() {
    let mut lab = running(253, 3, 1).await;
    let said = |lab: &Lab| (lab.condition(ConditionType::ControlPlaneHealthy).status, lab.work().cluster.status.phase);
    lab.in_cluster.lock().unwrap().cut_off = true;
    lab.watch(Duration::minutes(10)).await;
    assert_eq!(lab.condition(ConditionType::ApiReachable).status, ConditionStatus::False);
    assert_eq!(lab.condition(ConditionType::NodesReady).status, ConditionStatus::Unknown);
    assert_eq!(said(&lab), (ConditionStatus::Unknown, Phase::Running));
    // The load balancer gets no answer either.
    let pools = lab.person("GET", &format!("/load-balancer/v2.0/lbaas/pools?loadbalancer_id={}", lab.id_of("load_balancer")), &Value::Null);
    let path = format!("/load-balancer/v2.0/lbaas/pools/{}/members", pools["pools"][0]["id"].as_str().unwrap());
    let mut members = lab.person("GET", &path, &Value::Null);
    for member in members["members"].as_array_mut().unwrap() {
        member["operating_status"] = json!("ERROR");
    }
    let dead = FaultRule::new(Effect::Status { status: 200, body: Some(members) }).on(Service::LoadBalancer, "GET", "/members$");
    lab.cloud.inject(dead.count(None));
    lab.watch(Duration::minutes(1)).await;
    assert_eq!(said(&lab), (ConditionStatus::False, Phase::Degraded));
    lab.cloud.clear_faults();
    lab.in_cluster.lock().unwrap().cut_off = false;
    lab.watch(Duration::minutes(2)).await;
    assert_eq!(said(&lab), (ConditionStatus::True, Phase::Running));
    assert_eq!(lab.operation().kind, OperationKind::ClusterCreate, "nothing was repaired for it");
}

#[tokio::test]
async fn the_load_balancer_of_a_cluster_that_does_not_answer_is_asked_once_a_minute() {
    let mut lab = running(265, 3, 1).await;
    let asked = |lab: &Lab| lab.cloud.calls(Service::LoadBalancer, "GET", "/load-balancer/v2.0/lbaas/pools/{id}/members");
    lab.watch(Duration::minutes(2)).await;
    let before = asked(&lab);
    lab.watch(Duration::minutes(10)).await;
    assert_eq!(asked(&lab), before, "a cluster that answers speaks for itself");
    lab.in_cluster.lock().unwrap().cut_off = true;
    lab.watch(Duration::minutes(10)).await;
    let times = asked(&lab) - before;
    assert!((8..=11).contains(&times), "{times} times in ten minutes");
}

#[tokio::test]
async fn case_54_a_worker_whose_server_is_deleted_by_hand_is_replaced_after_five_minutes() {
    let mut lab = running(254, 1, 3).await;
    let lost = lab.names(NodeRole::Worker)[1].clone();
    lab.lose_server(&lost);
    lab.watch(Duration::minutes(1)).await;
    assert_eq!(lab.condition(ConditionType::NodesReady).status, ConditionStatus::False);
    lab.watch(Duration::minutes(3)).await;
    assert!(lab.names(NodeRole::Worker).contains(&lost), "not at once");
    lab.watch(Duration::minutes(6)).await;
    assert!(!lab.names(NodeRole::Worker).contains(&lost));
    assert_eq!(lab.names(NodeRole::Worker).len(), 3);
    whole(&lab);
}

#[tokio::test]
async fn case_24_where_the_quota_of_ports_is_full_the_port_of_a_dead_server_makes_room_for_its_successors() {
    let mut lab = running(224, 1, 3).await;
    let lost = lab.names(NodeRole::Worker)[0].clone();
    let (port, quota) = (lab.id_of(&format!("port/{lost}")), format!("/network/v2.0/quotas/{}", lab.work().cluster.tenant));
    let used = lab.person("GET", &format!("{quota}/details.json"), &Value::Null)["quota"]["port"]["used"].clone();
    lab.admin("PUT", &quota, &json!({"quota": {"port": used}}));
    let there = |lab: &Lab| lab.cloud.dump().iter().any(|o| o.id == port);
    let asked = |lab: &Lab| lab.cloud.calls(Service::Network, "POST", "/network/v2.0/ports");
    let before = asked(&lab);
    lab.lose_server(&lost);
    lab.watch(Duration::minutes(4)).await;
    assert!(there(&lab), "Nova leaves ports that it has not made");
    lab.watch(Duration::minutes(6)).await;
    assert!(!there(&lab) && lab.names(NodeRole::Worker).len() == 3);
    assert!(asked(&lab) <= before + 2, "at most one was asked for before the other had left, and its refusal worried nobody");
    whole(&lab);
}

#[tokio::test]
async fn case_31_a_server_stopped_by_hand_is_started_after_five_minutes() {
    let mut lab = running(231, 1, 3).await;
    let stopped = lab.names(NodeRole::Worker)[0].clone();
    let before = lab.names(NodeRole::Worker);
    lab.person("POST", &format!("/compute/v2.1/servers/{}/action", lab.id_of(&format!("server/{stopped}"))), &json!({"os-stop": null}));
    lab.watch(Duration::minutes(9)).await;
    assert_eq!(lab.names(NodeRole::Worker), before, "not replaced");
    whole(&lab);
}

#[tokio::test]
async fn case_55_when_most_workers_are_unwell_nothing_is_replaced() {
    let mut lab = running(255, 1, 5).await;
    let workers = lab.names(NodeRole::Worker);
    lab.in_cluster.lock().unwrap().sick.extend(workers[..3].iter().cloned());
    lab.watch(Duration::minutes(30)).await;
    assert_eq!(lab.names(NodeRole::Worker), workers);
    assert_eq!(lab.condition(ConditionType::SelfHealing).reason, "HealingPaused");
    lab.in_cluster.lock().unwrap().sick.clear();
    lab.watch(Duration::minutes(2)).await;
    assert_eq!(lab.condition(ConditionType::SelfHealing).status, ConditionStatus::True);
}

#[tokio::test]
async fn case_56_a_lost_master_leaves_etcd_before_its_successor_joins() {
    let mut lab = running(256, 3, 1).await;
    let lost = lab.names(NodeRole::Master)[0].clone();
    lab.lose_server(&lost);
    lab.watch(Duration::minutes(12)).await;
    let members = lab.in_cluster.lock().unwrap().members.clone();
    assert!(!members.contains(&lost) && members.len() == 3, "{members:?}");
    assert_eq!(lab.in_cluster.lock().unwrap().begun, 1);
    whole(&lab);
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_57_a_master_that_is_silent_for_long_is_taken_out_of_etcd_and_replaced() {
    let mut lab = running(257, 3, 1).await;
    let silent = lab.names(NodeRole::Master)[2].clone();
    lab.in_cluster.lock().unwrap().sick.insert(silent.clone());
    lab.watch(Duration::minutes(12)).await;
    let members = lab.in_cluster.lock().unwrap().members.clone();
    assert!(!members.contains(&silent) && members.len() == 3, "{members:?}");
    whole(&lab);
}

#[tokio::test]
async fn case_58_with_two_of_three_masters_lost_nothing_is_done_by_itself() {
    let mut lab = running(258, 3, 1).await;
    let masters = lab.names(NodeRole::Master);
    lab.lose_server(&masters[0]);
    lab.lose_server(&masters[1]);
    lab.watch(Duration::minutes(1)).await;
    let before = lab.ours_in_cloud();
    lab.watch(Duration::hours(1)).await;
    assert_eq!(lab.ours_in_cloud(), before);
    let healing = lab.condition(ConditionType::SelfHealing);
    assert_eq!((healing.reason.as_str(), healing.code), ("QuorumLost", Some(Code::ControlPlaneLost)));
    lab.begin(OperationKind::ClusterDelete);
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    assert_eq!(lab.ours_in_cloud(), Vec::<String>::new());
}

#[tokio::test]
async fn case_59_pods_that_may_not_leave_are_named_and_given_up_on_in_time() {
    let mut lab = running(259, 1, 2).await;
    let node = lab.names(NodeRole::Worker)[0].clone();
    lab.in_cluster.lock().unwrap().pinned = Some("shop/db-0: Cannot evict pod as it would violate the pod's disruption budget.".into());
    lab.wish(&Wish::NodeDrain { node: lab.node(&node) });
    lab.watch(Duration::minutes(1)).await;
    let step = lab.operation().steps[0].clone();
    assert_eq!(step.fault.as_ref().map(|f| f.code), Some(Code::DrainBlocked));
    assert!(step.fault.unwrap().message.contains("shop/db-0"));
    assert_eq!(lab.settle().await, OperationState::Failed);
    assert_eq!(lab.operation().fault.unwrap().code, Code::DrainBlocked);
    // The budget is relaxed.
    lab.in_cluster.lock().unwrap().pinned = None;
    lab.retry();
    assert_eq!(lab.settle().await, OperationState::Succeeded);
    // A removal goes on without the pods' leave once its time is over.
    lab.in_cluster.lock().unwrap().pinned = Some("shop/db-0".into());
    lab.wish(&Wish::NodePoolResize { pool: "default".into(), count: 1, remove: vec![lab.node(&node)] });
    let start = lab.now();
    assert_eq!(lab.settle().await, OperationState::Succeeded, "{:#?}", lab.operation());
    assert!(lab.now() - start > domain::plan::DRAIN_LIMIT);
    assert!(!lab.names(NodeRole::Worker).contains(&node));
}

#[tokio::test]
async fn what_held_up_a_drain_that_was_cancelled_is_not_said_when_another_node_leaves() {
    let mut lab = running(263, 1, 2).await;
    let workers = lab.names(NodeRole::Worker);
    lab.in_cluster.lock().unwrap().pinned = Some("shop/db-0".into());
    let undo = lab.wish(&Wish::NodeDrain { node: lab.node(&workers[0]) });
    lab.watch(Duration::minutes(1)).await;
    assert_eq!(lab.operation().steps[0].fault.as_ref().map(|f| f.code), Some(Code::DrainBlocked));
    lab.cancel(undo);
    lab.in_cluster.lock().unwrap().pinned = None;
    lab.wish(&Wish::NodePoolResize { pool: "default".into(), count: 1, remove: vec![lab.node(&workers[1])] });
    while !lab.operation().state.ended() {
        lab.step().await;
        let faults: Vec<_> = lab.operation().steps.into_iter().filter_map(|s| s.fault).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }
    assert_eq!(lab.operation().state, OperationState::Succeeded);
    assert_eq!(lab.names(NodeRole::Worker), [workers[0].as_str()]);
}

#[tokio::test]
async fn case_59_a_webhook_that_refuses_evictions_has_a_code_of_its_own() {
    for words in
        ["admission webhook \"deny.example.com\" denied the request: no", "Internal error occurred: failed calling webhook \"deny.example.com\": EOF"]
    {
        let mut lab = running(262, 1, 1).await;
        let node = lab.names(NodeRole::Worker)[0].clone();
        lab.in_cluster.lock().unwrap().pinned = Some(format!("shop/db-0: {words}"));
        lab.wish(&Wish::NodeDrain { node: lab.node(&node) });
        lab.watch(Duration::minutes(1)).await;
        let fault = lab.operation().steps[0].fault.clone().unwrap();
        assert!(fault.code == Code::WebhookRefuses && fault.message.contains("deny.example.com"), "{fault:?}");
        lab.in_cluster.lock().unwrap().pinned = None;
        assert_eq!(lab.settle().await, OperationState::Succeeded);
    }
}

#[tokio::test]
async fn the_control_plane_grows_and_shrinks_with_its_etcd() {
    let mut lab = running(260, 1, 1).await;
    for count in [3, 5, 3, 1] {
        lab.wish(&Wish::ControlPlaneResize { count });
        assert_eq!(lab.settle().await, OperationState::Succeeded, "to {count}: {:#?}", lab.operation());
        assert_eq!(lab.in_cluster.lock().unwrap().members.len(), count as usize);
        lab.check_settled();
    }
    assert_eq!(lab.in_cluster.lock().unwrap().begun, 1);
}

#[tokio::test]
async fn a_cancelled_resize_is_undone() {
    let mut lab = running(261, 1, 1).await;
    let undo = lab.wish(&Wish::NodePoolResize { pool: "default".into(), count: 3, remove: vec![] });
    while lab.names(NodeRole::Worker).len() < 3 {
        lab.step().await;
    }
    lab.step().await;
    lab.cancel(undo);
    lab.watch(Duration::minutes(3)).await;
    assert_eq!(lab.names(NodeRole::Worker).len(), 1);
    whole(&lab);
}
