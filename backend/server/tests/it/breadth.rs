//! What a cluster can be asked to be, and what is promised before: templates of one's own, quota, protection, networks that stand already.

use crate::cluster_api::ClusterApi;
use crate::house::{House, Person};
use bytes::Bytes;
use domain::addons::{Addon, AddonState, AddonStatus};
use domain::changes::Change;
use local_cloud::{Effect, FaultRule, Service};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// What a plan says about one thing: its level and code.
fn said(plan: &Value, key: &str) -> (String, Option<String>) {
    let check = plan["checks"].as_array().unwrap().iter().find(|c| c["key"] == key).unwrap_or_else(|| panic!("no {key} in {plan}"));
    (check["level"].as_str().unwrap().to_owned(), check["code"].as_str().map(str::to_owned))
}

#[actix_web::test]
async fn what_is_offered_to_stand_behind_load_balancers_passes_the_preflight_and_nothing_else() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let offered = house.call(Some(&member), "GET", "/api/v1/load-balancer-providers", None).await.body;
    let mut names: Vec<&str> = offered["items"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"amphora"), "{offered}");
    let known = names.len();
    names.push("nobody");
    for (index, name) in names.iter().enumerate() {
        let wanted = json!({"name": "web", "template": "dev", "spec": {"api": {"provider": name}}});
        let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&wanted)).await.body;
        let check = plan["checks"].as_array().unwrap().iter().find(|c| c["key"] == "load_balancer").unwrap();
        assert_eq!(check["level"] == "ok", index < known, "{name}: {check}");
        assert_eq!(check["field"] == "spec.api.provider", index == known, "{name}: {check}");
    }
}

#[actix_web::test]
async fn a_project_keeps_templates_of_its_own() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let foreign = house.sign_in("member-b").await;
    let text = json!({"name": "batch", "description": "nightly", "spec": {"control_plane": {"count": 3}, "ntp_servers": ["ntp.example.com"]}});
    let kept = house.call(Some(&member), "POST", "/api/v1/templates", Some(&text)).await;
    assert_eq!((kept.status, &kept.body["own"]), (201, &json!(true)), "{}", kept.body);
    let twice = house.call(Some(&member), "POST", "/api/v1/templates", Some(&text)).await;
    assert_eq!((twice.status, twice.body["code"].as_str()), (409, Some("KCS-NAME-003")));
    let id = kept.body["id"].as_str().unwrap();
    let wanted = json!({"name": "web", "template": id});
    let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&wanted)).await;
    assert_eq!(plan.body["spec"]["control_plane"]["count"], 3, "{}", plan.body);
    assert_eq!(plan.body["spec"]["ntp_servers"], json!(["ntp.example.com"]));
    // Nobody else's.
    let theirs = house.call(Some(&foreign), "POST", "/api/v1/clusters/plan", Some(&wanted)).await;
    assert_eq!((theirs.status, theirs.body["field"].as_str()), (400, Some("template")));
    let list = house.call(Some(&foreign), "GET", "/api/v1/templates", None).await;
    assert!(list.body["items"].as_array().unwrap().iter().all(|t| t["own"] == json!(false)), "{}", list.body);
    let path = format!("/api/v1/templates/{id}");
    let changed = json!({"name": "batch", "spec": {"control_plane": {"count": 5}}});
    assert_eq!(house.call(Some(&member), "PUT", &path, Some(&changed)).await.body["spec"]["control_plane"]["count"], 5);
    assert_eq!(house.call(Some(&member), "DELETE", &path, None).await.status, 204);
    assert_eq!(house.call(Some(&member), "DELETE", &path, None).await.status, 404);
    // The log says which, and what was changed.
    let log = house.call(Some(&member), "GET", "/api/v1/audit", None).await.body;
    let line = |action: &str| log["items"].as_array().unwrap().iter().find(|line| line["action"] == action).unwrap()["detail"].clone();
    let (made, updated, gone) = (line("template_create"), line("template_update"), line("template_delete"));
    assert_eq!((&made["after"]["description"], &made["after"]["spec"]["ntp_servers"][0]), (&json!("nightly"), &json!("ntp.example.com")), "{made}");
    let count = |side: &str| updated[side]["spec"]["control_plane"]["count"].clone();
    assert_eq!((count("before"), count("after"), &updated["name"]), (json!(3), json!(5), &json!("batch")), "{updated}");
    assert_eq!(gone, json!({"name": "batch"}));
}

#[actix_web::test]
async fn two_creates_are_not_both_told_yes_when_the_quota_is_for_one() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let plan = |name: &str| json!({"name": name, "template": "dev"});
    let before = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&plan("one"))).await;
    let of = |body: &serde_json::Value, key: &str| {
        let rows = body["quota"].as_array().unwrap().iter();
        rows.filter(|q| q["resource"] == "instances").map(|q| q[key].as_u64().unwrap()).next().unwrap()
    };
    assert_eq!(of(&before.body, "promised"), 0);
    // As many workers as leave less than a second cluster needs.
    let room = of(&before.body, "limit") - of(&before.body, "used");
    let most = json!({"name": "one", "spec": {"node_pools": [{"name": "default", "flavor": "m1.small", "count": room - 2}]}});
    let first = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&most)).await;
    assert_eq!(first.status, 202, "{}", first.body);
    let after = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&plan("two"))).await;
    assert_eq!((of(&after.body, "promised"), &after.body["blocked"]), (room - 1, &json!(true)), "{}", after.body);
    let second = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&plan("two"))).await;
    assert_eq!((second.status, second.body["code"].as_str()), (409, Some("KCS-QUOTA-001")), "{}", second.body);
}

#[actix_web::test]
async fn what_is_under_a_load_balancer_has_quotas_of_its_own() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let plan = async || {
        let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&json!({"name": "two", "template": "dev"}))).await.body;
        let short = plan["checks"].as_array().unwrap().iter().filter(|c| c["key"] == "quota" && c["level"] == "blocked");
        (plan["blocked"].clone(), short.map(|c| c["params"]["resource"].clone()).collect::<Vec<_>>())
    };
    for quota in ["listener", "pool", "member", "health_monitor"] {
        house.cloud_quota("load-balancer", quota, 0);
        assert_eq!(plan().await, (json!(true), vec![json!(format!("{quota}s"))]));
        house.cloud_quota("load-balancer", quota, 1);
        assert_eq!(plan().await, (json!(false), vec![]), "{quota}");
    }
    // What a create under way will still take counts.
    let first = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "one", "template": "dev"}))).await;
    assert_eq!(first.status, 202, "{}", first.body);
    let all = ["health_monitors", "listeners", "members", "pools"].map(|quota| json!(quota)).to_vec();
    assert_eq!(plan().await, (json!(true), all));
}

#[actix_web::test]
async fn the_load_balancer_of_ingress_is_planned_and_promised_until_it_is_there() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let body = |name: &str| json!({"name": name, "template": "dev", "spec": {"addons": {"ingress": true}}});
    let plan = async || house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&body("two"))).await.body;
    let short = async || {
        let plan = plan().await;
        let short = plan["checks"].as_array().unwrap().iter().filter(|c| c["key"] == "quota" && c["level"] == "blocked");
        short.map(|c| c["params"]["resource"].clone()).collect::<Vec<_>>()
    };
    for (service, quota, told) in [("network", "floatingip", "floating_ips"), ("load-balancer", "load_balancer", "load_balancers")] {
        house.cloud_quota(service, quota, 1);
        assert_eq!(short().await, [json!(told)]);
        house.cloud_quota(service, quota, 2);
        assert_eq!(short().await, Vec::<Value>::new());
    }
    assert_eq!(house.call(Some(&member), "POST", "/api/v1/clusters", Some(&body("one"))).await.status, 202);
    let promised = async || {
        let plan = plan().await;
        ["floating_ips", "load_balancers", "listeners"].map(|quota| {
            let row = plan["quota"].as_array().unwrap().iter().find(|q| q["resource"] == quota).unwrap();
            row["promised"].as_u64().unwrap()
        })
    };
    assert_eq!(promised().await, [2, 2, 3]);
    // It works, and the cloud's own figures have what it holds, while the rest is still being made.
    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(30)).await.unwrap().expect("the cluster is due");
    let mut status = house.store.load(&claim).await.unwrap().cluster.status;
    let ready = AddonStatus { name: Addon::Ingress, state: AddonState::Ready, ready: 2, desired: 2, message: String::new() };
    status.addons = vec![AddonStatus { name: Addon::Dns, state: AddonState::Progressing, ..ready.clone() }, ready];
    house.store.commit(&claim, &[Change::Status(status)]).await.unwrap();
    assert_eq!(promised().await, [1, 1, 1]);
}

#[actix_web::test]
async fn quotas_of_a_volume_type_and_of_one_volume_are_looked_at_before() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let body = |name: &str| {
        let pool = json!({"name": "default", "flavor": "m1.small", "count": 1, "volume_type": "ssd", "root_volume_gib": 30});
        json!({"name": name, "spec": {"node_pools": [pool]}})
    };
    let short = async || {
        let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&body("two"))).await.body;
        let blocked = plan["checks"].as_array().unwrap().iter().filter(|c| c["level"] == "blocked");
        blocked.map(|c| json!([c["params"]["resource"], c["params"]["need"], c["params"]["left"]])).collect::<Vec<_>>()
    };
    assert_eq!(short().await, Vec::<Value>::new());
    house.cloud_quota("block-storage", "gigabytes_ssd", 29);
    assert_eq!(short().await, [json!(["gigabytes_ssd", 30, 29])]);
    house.cloud_quota("block-storage", "gigabytes_ssd", 59);
    // The master's is of the cloud's default type.
    house.cloud_quota("block-storage", "volumes_standard", 0);
    assert_eq!(short().await, [json!(["volumes_standard", 1, 0])]);
    house.cloud_quota("block-storage", "volumes_standard", -1);
    house.cloud_quota("block-storage", "per_volume_gigabytes", 29);
    assert_eq!(short().await, [json!(["per_volume_gigabytes", 30, 29])]);
    house.cloud_quota("block-storage", "per_volume_gigabytes", -1);
    // What a create under way will still take counts.
    assert_eq!(house.call(Some(&member), "POST", "/api/v1/clusters", Some(&body("one"))).await.status, 202);
    assert_eq!(short().await, [json!(["gigabytes_ssd", 30, 29])]);
}

#[actix_web::test]
async fn free_public_addresses_are_counted_where_the_cloud_tells_whoever_plans() {
    // Five of them are given out.
    let house = House::with_public("198.51.100.0/29").await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let told = async |person: &Person| {
        let plan = house.call(Some(person), "POST", "/api/v1/clusters/plan", Some(&json!({"name": "two", "template": "dev"}))).await;
        assert_eq!(plan.status, 200, "{}", plan.body);
        let check = plan.body["checks"].as_array().unwrap().iter().find(|c| c["key"] == "external_addresses");
        check.map(|c| (c["level"].clone(), c["params"]["free"].clone()))
    };
    assert_eq!(told(&operator).await, Some((json!("ok"), Value::Null)));
    let network = house.call(Some(&member), "GET", "/api/v1/networks", None).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let token = house.keystone_token("member-a", "tenant-a").await;
    (0..4).for_each(|_| house.floating_ip(&token, &network));
    // One for the API, one for the router.
    assert_eq!(told(&operator).await, Some((json!("blocked"), json!(1))));
    assert_eq!(told(&member).await, None, "by Neutron's own policy it is for administrators to see");
}

#[actix_web::test]
async fn what_a_resize_under_way_will_take_is_promised() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let promised = async || {
        let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&json!({"name": "two", "template": "dev"}))).await.body;
        plan["quota"].as_array().unwrap().iter().find(|q| q["resource"] == "instances").unwrap()["promised"].clone()
    };
    assert_eq!(promised().await, 0);
    let more = house.call(Some(&member), "PATCH", &format!("/api/v1/clusters/{id}/node-pools/default"), Some(&json!({"count": 4}))).await;
    assert_eq!(more.status, 202, "{}", more.body);
    // Nothing of the cluster is recorded as made: all of it will still be taken.
    assert_eq!(promised().await, 5);
}

#[actix_web::test]
async fn a_plan_says_whether_clusters_of_the_project_get_credentials() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let wanted = json!({"name": "web", "template": "dev"});
    let plan = async || house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&wanted)).await.body;
    let refused = FaultRule::new(Effect::Status { status: 403, body: None }).on(Service::Identity, "POST", "/users$");
    house.cloud.inject(refused.count(None));
    let seen = plan().await;
    assert_eq!((said(&seen, "credentials"), &seen["blocked"]), (("blocked".to_owned(), Some("KCS-CLOUD-002".to_owned())), &json!(true)));
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&wanted)).await;
    assert_eq!(made.body["code"], "KCS-CLOUD-002", "{}", made.body);
    house.cloud.clear_faults();
    assert_eq!(said(&plan().await, "credentials"), ("ok".to_owned(), None));
    // Somebody removes the service user behind our back: it is made sure of again.
    let users = house.keystone("GET", "/users", &Value::Null).await;
    let user = users["users"].as_array().unwrap().iter().find(|u| u["name"].as_str().unwrap().starts_with("kcs-")).unwrap()["id"].clone();
    house.keystone("DELETE", &format!("/users/{}", user.as_str().unwrap()), &Value::Null).await;
    assert_eq!(said(&plan().await, "credentials"), ("ok".to_owned(), None));
}

#[actix_web::test]
async fn plans_do_not_keep_showing_keystone_a_service_user_that_it_refuses() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let plan = async || house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&json!({"name": "web", "template": "dev"}))).await.body;
    let asked = || house.cloud.calls(Service::Identity, "GET", "/identity/v3/users/{id}/application_credentials");
    let refused = FaultRule::new(Effect::Status { status: 401, body: None }).on(Service::Identity, "GET", "/application_credentials$");
    house.cloud.inject(refused.count(None));
    let blocked = ("blocked".to_owned(), Some("KCS-AUTH-002".to_owned()));
    assert_eq!(said(&plan().await, "credentials"), blocked);
    let before = asked();
    assert!(before > 0);
    assert_eq!((said(&plan().await, "credentials"), asked()), (blocked, before));
}

#[actix_web::test]
async fn a_cloud_without_volumes_takes_clusters_that_need_none() {
    let house = House::new().await;
    house.cloud.hide(Service::BlockStorage);
    let member = house.sign_in("member-a").await;
    let plan = async |spec: Value| {
        let wanted = json!({"name": "web", "spec": spec});
        (house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&wanted)).await.body, wanted)
    };
    let (usual, _) = plan(json!({})).await;
    assert_eq!(said(&usual, "block_storage"), ("blocked".to_owned(), Some("KCS-VOL-003".to_owned())));
    let pool = json!({"name": "default", "flavor": "m1.medium", "count": 1, "root_volume_gib": 0});
    let masters = json!({"count": 1, "flavor": "m1.medium", "root_volume_gib": 0});
    let (bare, wanted) = plan(json!({"control_plane": masters, "node_pools": [pool], "addons": {"storage": false}})).await;
    assert_eq!(said(&bare, "block_storage"), ("warning".to_owned(), Some("KCS-VOL-003".to_owned())));
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&wanted)).await;
    assert_eq!(made.status, 202, "{}", made.body);
}

#[actix_web::test]
async fn a_pool_grows_only_as_far_as_its_subnet_has_addresses() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let token = house.keystone_token("member-a", "tenant-a").await;
    let neutron = |method: &str, path: &str, body: Value| {
        let request = http::Request::builder().method(method).uri(format!("http://cloud/network/v2.0/{path}"));
        let request = request.header("x-auth-token", &token).header("content-type", "application/json");
        let answer = house.cloud.handle(request.body(Bytes::from(body.to_string())).unwrap());
        assert!(answer.status().is_success(), "{method} {path}: {:?}", answer.body());
        serde_json::from_slice::<Value>(answer.body()).unwrap()
    };
    let id = |answer: &Value, key: &str| answer[key]["id"].as_str().unwrap().to_owned();
    let network = id(&neutron("POST", "networks", json!({"network": {"name": "office"}})), "network");
    let subnet = json!({"subnet": {"name": "office", "network_id": network, "ip_version": 4, "cidr": "10.50.0.0/27"}});
    let subnet = id(&neutron("POST", "subnets", subnet), "subnet");
    let networks = house.call(Some(&member), "GET", "/api/v1/networks", None).await.body;
    let external = networks["items"][0]["id"].clone();
    let router = json!({"router": {"name": "office", "external_gateway_info": {"network_id": external}}});
    let router = id(&neutron("POST", "routers", router), "router");
    neutron("PUT", &format!("routers/{router}/add_router_interface"), json!({"subnet_id": subnet}));
    let pool = json!({"name": "default", "flavor": "m1.small", "count": 1});
    let spec = json!({"network": {"external_network": external, "existing": {"network_id": network, "subnet_id": subnet}}, "node_pools": [pool]});
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "spec": spec}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    let cluster = made.body["cluster"]["id"].as_str().unwrap().to_owned();
    house.finish(&cluster).await;
    // Others leave three of the twenty-nine addresses.
    for number in 0..26 {
        neutron("POST", "ports", json!({"port": {"name": format!("other-{number}"), "network_id": network}}));
    }
    let path = format!("/api/v1/clusters/{cluster}/node-pools/default");
    let plan = async |count: u32| house.call(Some(&member), "POST", &format!("{path}/plan"), Some(&json!({"count": count}))).await.body;
    assert_eq!(said(&plan(3).await, "addresses"), ("ok".to_owned(), None));
    assert_eq!(said(&plan(4).await, "addresses"), ("blocked".to_owned(), Some("KCS-NET-003".to_owned())));
    let refused = house.call(Some(&member), "PATCH", &path, Some(&json!({"count": 4}))).await;
    assert_eq!((refused.body["code"].as_str(), refused.body["field"].as_str()), (Some("KCS-NET-003"), Some("count")), "{}", refused.body);
}

#[actix_web::test]
async fn a_node_that_works_is_replaced_only_where_the_quota_has_room_for_its_successor_beside_it() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let path = |verb: &str| format!("/api/v1/clusters/{id}/{verb}");
    let ask = async |verb: &str| {
        let answer = house.call(Some(&member), "POST", &path(verb), None).await;
        (answer.status, answer.body["code"].as_str().map(str::to_owned))
    };
    assert_eq!(ask("repair").await, (202, None));
    let nodes = house.finish_with_workers(&id, &[true, false]).await;
    // Another cluster takes all that is left, and nothing of it is made yet.
    let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&json!({"name": "all", "template": "dev"}))).await;
    let room = plan.body["quota"].as_array().unwrap().iter().find(|q| q["resource"] == "instances").unwrap();
    let left = room["limit"].as_u64().unwrap() - room["used"].as_u64().unwrap() - room["promised"].as_u64().unwrap();
    let all = json!({"name": "all", "spec": {"node_pools": [{"name": "default", "flavor": "m1.small", "count": left - 1}]}});
    assert_eq!(house.call(Some(&member), "POST", "/api/v1/clusters", Some(&all)).await.status, 202);

    let short = (409, Some("KCS-QUOTA-001".to_owned()));
    assert_eq!(ask(&format!("nodes/{}/replace", nodes[0])).await, short);
    assert_eq!(ask("encryption-key/rotate").await, short);
    let audited = house.call(Some(&member), "PATCH", &path("api-audit"), Some(&json!({"level": "metadata"}))).await;
    assert_eq!((audited.status, audited.body["code"].as_str().map(str::to_owned)), short);
    assert_eq!(ask(&format!("nodes/{}/replace", nodes[1])).await, (202, None), "one that does not work leaves first");
}

#[actix_web::test]
async fn a_protected_cluster_is_deleted_only_after_its_protection_was_switched_off() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let path = format!("/api/v1/clusters/{id}");
    let set = |on: bool| json!({"deletion_protection": on});
    let protected = house.call(Some(&member), "PATCH", &path, Some(&set(true))).await;
    assert_eq!((protected.status, &protected.body["spec"]["deletion_protection"]), (200, &json!(true)), "{}", protected.body);
    let plan = house.call(Some(&member), "GET", &format!("{path}/delete-plan"), None).await;
    assert_eq!(plan.body["blocked"][0]["code"], "KCS-CONF-005", "{}", plan.body);
    let refused = house.call(Some(&member), "DELETE", &path, Some(&json!({"confirm": "web"}))).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("KCS-CONF-005")));
    house.call(Some(&member), "PATCH", &path, Some(&set(false))).await;
    assert_eq!(house.call(Some(&member), "DELETE", &path, Some(&json!({"confirm": "web"}))).await.status, 202);
}

#[actix_web::test]
async fn a_deletes_plan_says_what_the_cluster_would_do_with_each_volume() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let token = house.keystone_token("member-a", "tenant-a").await;
    let [kept, gone, unknown] = ["kept", "gone", "unknown"].map(|name| house.volume(&token, name));
    let api = ClusterApi::with_volumes(&[(&kept, "Retain"), (&gone, "Delete")]);
    let (cluster, _api) = house.cluster_of(&member, "web", api).await;
    let tag = domain::names::cluster_tag(cluster.parse().unwrap());
    for id in [&kept, &gone, &unknown] {
        house.cinder(&token, &format!("volumes/{id}/metadata"), &json!({"metadata": {(domain::names::VOLUME_CLUSTER): tag}}));
    }
    let plan = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{cluster}/delete-plan"), None).await.body;
    let policy = |id: &str| plan["volumes"].as_array().unwrap().iter().find(|v| v["id"] == id).unwrap().get("reclaim_policy").cloned();
    assert_eq!((policy(&kept), policy(&gone), policy(&unknown)), (Some(json!("retain")), Some(json!("delete")), None), "{plan}");
}

#[actix_web::test]
async fn who_repairs_a_cluster_can_be_changed_and_leaves_other_settings_alone() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let path = format!("/api/v1/clusters/{id}");
    house.call(Some(&member), "PATCH", &path, Some(&json!({"deletion_protection": true}))).await;
    let manual = house.call(Some(&member), "PATCH", &path, Some(&json!({"repair": "manual"}))).await;
    let told = |answer: &Value| (answer["spec"]["repair"].clone(), answer["spec"]["deletion_protection"].clone());
    assert_eq!((manual.status, told(&manual.body)), (200, (json!("manual"), json!(true))), "{}", manual.body);
    let found = house.call(Some(&member), "GET", &path, None).await;
    assert_eq!(told(&found.body), (json!("manual"), json!(true)));
}

#[actix_web::test]
async fn every_check_has_a_level_and_what_is_not_well_has_a_remedy() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let wanted = json!({"name": "web", "spec": {"api": {"exposure": "private"}, "control_plane": {"zones": ["az9"]}}});
    let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&wanted)).await;
    assert_eq!((plan.status, &plan.body["blocked"]), (200, &json!(true)), "{}", plan.body);
    let checks = plan.body["checks"].as_array().unwrap();
    for check in checks {
        assert_eq!(check["level"] == "ok", check["remedy"].is_null(), "{check}");
    }
    let level = |key: &str| checks.iter().find(|c| c["key"] == key).unwrap()["level"].clone();
    assert_eq!((level("api_route"), level("zones"), level("quota")), (json!("blocked"), json!("blocked"), json!("ok")));
    assert_eq!(plan.body.get("cost"), None);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/costs", None).await.body, json!({"clusters": []}));
}

#[actix_web::test]
async fn more_nodes_are_planned_before_they_are_asked_for() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let plan = async |path: &str, wanted: serde_json::Value| {
        let answer = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{id}/{path}/plan"), Some(&wanted)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    };
    let servers = |plan: &Value| {
        let of = plan["objects"].as_array().unwrap().iter().filter(|o| o["kind"] == "server");
        of.map(|o| o["count"].as_u64().unwrap()).sum::<u64>()
    };
    let pool = plan("node-pools", json!({"name": "second", "flavor": "m1.medium", "count": 2})).await;
    assert_eq!((servers(&pool), &pool["from"], &pool["to"], &pool["blocked"]), (2, &json!(0), &json!(2), &json!(false)), "{pool}");
    let unknown = plan("node-pools", json!({"name": "second", "flavor": "m9.giant", "count": 2})).await;
    assert_eq!(
        (&unknown["blocked"], unknown["checks"].as_array().unwrap().iter().any(|c| c["key"] == "flavors" && c["level"] == "blocked")),
        (&json!(true), true)
    );
    let masters = plan("control-plane", json!({"count": 3})).await;
    assert_eq!((servers(&masters), &masters["from"], &masters["to"], &masters["removed"]), (2, &json!(1), &json!(3), &json!([])), "{masters}");
    let over = plan("node-pools", json!({"name": "huge", "flavor": "m1.medium", "count": 90})).await;
    assert!(over["checks"].as_array().unwrap().iter().any(|c| c["key"] == "quota" && c["level"] == "blocked"), "{over}");
}

#[actix_web::test]
async fn a_pool_that_comes_later_is_kept_apart_as_one_of_the_create_is() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let pools = format!("/api/v1/clusters/{id}/node-pools");
    let add = async |name: &str| {
        let body = json!({"name": name, "flavor": "m1.medium", "count": 1});
        let plan = house.call(Some(&member), "POST", &format!("{pools}/plan"), Some(&body)).await.body;
        let level = plan["checks"].as_array().unwrap().iter().find(|c| c["key"] == "server_groups").unwrap()["level"].clone();
        let made = house.call(Some(&member), "POST", &pools, Some(&body)).await;
        assert_eq!(made.status, 202, "{}", made.body);
        house.finish(&id).await;
        let cluster = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{id}"), None).await.body;
        let pool = cluster["spec"]["node_pools"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap();
        (plan["blocked"].clone(), level, pool["anti_affinity"].clone())
    };
    assert_eq!(add("second").await, (json!(false), json!("ok"), json!(true)));
    house.cloud_quota("compute", "server_groups", 0);
    assert_eq!(add("third").await, (json!(false), json!("warning"), json!(false)));
}

#[actix_web::test]
async fn more_nodes_need_server_groups_which_masters_cannot_do_without() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let plan = async |path: &str, count: u32| {
        let body = json!({ "count": count });
        let plan = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{id}/{path}/plan"), Some(&body)).await.body;
        let groups = plan["objects"].as_array().unwrap().iter().find(|o| o["kind"] == "server_group").map(|o| o["count"].clone());
        let level = |key: &str| plan["checks"].as_array().unwrap().iter().find(|c| c["key"] == key).unwrap()["level"].clone();
        (groups, level("server_groups"), level("quota"))
    };
    let (one, two) = (Some(json!(1)), Some(json!(2)));
    // Nothing of the cluster is recorded as made. Ten servers go into one group.
    assert_eq!(plan("node-pools/default", 11).await, (two, json!("ok"), json!("ok")));
    assert_eq!(plan("control-plane", 3).await, (one.clone(), json!("ok"), json!("ok")));
    house.cloud_quota("compute", "server_groups", 1);
    assert_eq!(plan("node-pools/default", 11).await, (one.clone(), json!("warning"), json!("ok")));
    house.cloud_quota("compute", "server_groups", 0);
    assert_eq!(plan("node-pools/default", 11).await, (None, json!("warning"), json!("ok")));
    assert_eq!(plan("control-plane", 3).await, (one, json!("ok"), json!("blocked")));
}

#[actix_web::test]
async fn a_pool_that_comes_later_may_name_a_key_pair_of_whoever_adds_it() {
    let house = House::new().await;
    let (member, owner) = (house.sign_in("member-a").await, house.sign_in("owner-a").await);
    let (id, _) = house.running_cluster(&member, "web").await;
    let pools = format!("/api/v1/clusters/{id}/node-pools");
    let pool = |name: &str| json!({"name": name, "flavor": "m1.small", "count": 1, "key_pair": "mine"});
    let keys = async || house.call(Some(&member), "GET", &format!("/api/v1/clusters/{id}"), None).await.body["spec"]["key_pairs"].clone();
    let missing = house.call(Some(&member), "POST", &pools, Some(&pool("second"))).await;
    assert_eq!((missing.status, missing.body["field"].as_str()), (400, Some("key_pair")), "{}", missing.body);
    house.key_pair("member-a", "mine", "ssh-ed25519 AAAA member-a\n").await;
    let made = house.call(Some(&member), "POST", &pools, Some(&pool("second"))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    house.finish(&id).await;
    let known = json!([{"name": "mine", "public_key": "ssh-ed25519 AAAA member-a"}]);
    assert_eq!(keys().await, known);
    // Who has none of the name means the cluster's; who has another would get a key that is not theirs.
    let made = house.call(Some(&owner), "POST", &pools, Some(&pool("third"))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    house.finish(&id).await;
    house.key_pair("owner-a", "mine", "ssh-ed25519 BBBB owner-a").await;
    let other = house.call(Some(&owner), "POST", &pools, Some(&pool("fourth"))).await;
    assert_eq!((other.status, other.body["field"].as_str()), (400, Some("key_pair")), "{}", other.body);
    assert_eq!(keys().await, known);
}

#[actix_web::test]
async fn pods_are_listed_by_their_node() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _, _, api) = house.cluster_with_worker(&member, "web").await;
    let inside = async |path: &str| house.call(Some(&member), "GET", &format!("/api/v1/clusters/{cluster}/kubernetes/{path}"), None).await;
    assert_eq!(inside("pods?node=w-0").await.status, 200);
    let asked = api.heads.lock().unwrap().clone();
    assert!(asked.iter().any(|head| head.contains("/api/v1/pods?") && head.contains("fieldSelector=spec%2EnodeName%3Dw%2D0")), "{asked:?}");
    for path in ["pods?node=w-0,status.phase%3DFailed", "deployments?node=w-0", "nodes?node=w-0"] {
        let refused = inside(path).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (400, Some("node")), "{path}: {}", refused.body);
    }
}
