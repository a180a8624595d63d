//! What a cluster can be asked to be, and what is promised before: templates of one's own, quota, protection, networks that stand already.

use crate::house::House;
use serde_json::{Value, json};

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
