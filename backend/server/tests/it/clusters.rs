//! Creating, listing and deleting as the API promises it.

use crate::house::House;
use domain::changes::Change;
use domain::codes::Code;
use domain::conditions::ConditionStatus;
use domain::health::ObjectHealth;
use domain::ids::NodeId;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::nodes::{Node, NodeRole};
use domain::test_support::gone_row;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

#[actix_web::test]
async fn the_same_create_sent_twice_is_done_once() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let body = json!({"name": "web", "template": "dev"});
    let key = [("idempotency-key", "one")];
    let first = house.call_as(&member, &key, "POST", "/api/v1/clusters", Some(&body)).await;
    let second = house.call_as(&member, &key, "POST", "/api/v1/clusters", Some(&body)).await;
    assert_eq!((first.status, second.status), (202, 202), "{}", second.body);
    assert_eq!(first.body["cluster"]["id"], second.body["cluster"]["id"]);
    assert_eq!(first.body["operation"]["id"], second.body["operation"]["id"]);
    let other = house.call_as(&member, &key, "POST", "/api/v1/clusters", Some(&json!({"name": "web2", "template": "dev"}))).await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("KCS-CONF-003")));
    let again = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&body)).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("KCS-NAME-001")));
    let list = house.call(Some(&member), "GET", "/api/v1/clusters", None).await;
    assert_eq!(list.body["total"], 1);
}

#[actix_web::test]
async fn a_plan_says_what_is_needed_and_what_stands_against_it() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let good = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!((good.status, &good.body["blocked"]), (200, &json!(false)), "{}", good.body);
    assert_eq!(good.body["spec"]["version"], "v1.36.3");
    let need = |resource: &str| good.body["quota"].as_array().unwrap().iter().find(|q| q["resource"] == resource).unwrap()["need"].clone();
    assert_eq!((need("instances"), need("volumes"), need("load_balancers")), (json!(3), json!(3), json!(1)));
    let big = json!({"name": "big", "spec": {"node_pools": [{"name": "default", "flavor": "m1.large", "count": 90}]}});
    let plan = house.call(Some(&member), "POST", "/api/v1/clusters/plan", Some(&big)).await;
    assert_eq!((plan.status, &plan.body["blocked"]), (200, &json!(true)), "{}", plan.body);
    let create = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&big)).await;
    assert_eq!((create.status, create.body["code"].as_str()), (409, Some("KCS-QUOTA-001")), "{}", create.body);
}

#[actix_web::test]
async fn lists_are_paged_filtered_and_sorted() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    for name in ["alpha", "beta", "gamma"] {
        house.running_cluster(&member, name).await;
    }
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = house.call(Some(&member), "GET", &format!("/api/v1/clusters?limit=2&sort=name&cursor={cursor}"), None).await;
        assert_eq!((page.status, &page.body["total"]), (200, &json!(3)), "{}", page.body);
        names.extend(page.body["items"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(names, ["alpha", "beta", "gamma"]);
    let found = house.call(Some(&member), "GET", "/api/v1/clusters?search=ET&phase=Running", None).await;
    assert_eq!(found.body["items"][0]["name"], "beta");
    assert_eq!(found.body["total"], 1);
}

#[actix_web::test]
async fn a_delete_needs_the_name_and_answers_one_operation() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let path = format!("/api/v1/clusters/{id}");
    let wrong = house.call(Some(&member), "DELETE", &path, Some(&json!({"confirm": "other"}))).await;
    assert_eq!((wrong.status, wrong.body["code"].as_str()), (400, Some("KCS-CONF-004")));
    let first = house.call(Some(&member), "DELETE", &path, Some(&json!({"confirm": "web", "volumes": "erase"}))).await;
    let second = house.call(Some(&member), "DELETE", &path, Some(&json!({"confirm": "web", "volumes": "erase"}))).await;
    assert_eq!((first.status, second.status), (202, 202), "{}", second.body);
    assert_eq!(first.body["operation"]["id"], second.body["operation"]["id"]);
    assert_eq!(house.call(Some(&member), "GET", &path, None).await.body["status"]["phase"], "Deleting");
    let receipt =
        house.call(Some(&member), "GET", &format!("/api/v1/operations/{}/receipt", first.body["operation"]["id"].as_str().unwrap()), None).await;
    assert_eq!((receipt.status, receipt.body["code"].as_str()), (409, Some("KCS-OP-003")));
}

#[actix_web::test]
async fn a_revoked_kubeconfig_is_worthless_at_once() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let issued = house.call(Some(&member), "POST", &format!("/api/v1/clusters/{id}/kubeconfigs"), Some(&json!({"expires_in": 3600}))).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    let text = issued.body["kubeconfig"].as_str().unwrap();
    let token = text.split("token:").nth(1).unwrap().trim().trim_matches('"').lines().next().unwrap().trim_matches('"').to_owned();
    let bearer = format!("Bearer {token}");
    let path = format!("/k8s/clusters/{id}/api");
    // The cluster has no API: the kubeconfig was good, but there is nothing behind it.
    assert_eq!(house.call_with(&[("authorization", &bearer)], "GET", &path, None).await.status, 409);
    let revoke = format!("/api/v1/clusters/{id}/kubeconfigs/{}", issued.body["id"].as_str().unwrap());
    assert_eq!(house.call(Some(&member), "DELETE", &revoke, None).await.status, 204);
    let refused = house.call_with(&[("authorization", &bearer)], "GET", &path, None).await;
    assert_eq!((refused.status, refused.body["kind"].as_str()), (401, Some("Status")));
    let list = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{id}/kubeconfigs"), None).await;
    assert!(list.body["items"][0]["revoked_at"].is_string(), "{}", list.body);
    assert!(!list.body.to_string().contains(&token));
}

#[actix_web::test]
async fn case_64_a_websocket_of_somebody_elses_page_is_refused() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let path = format!("/k8s/clusters/{id}/api/v1/namespaces/default/pods/web/exec?command=sh");
    let own = house.url.clone();
    for (origin, status) in [("https://evil.example", 403), ("", 403), ("null", 403), (own.as_str(), 409)] {
        let headers = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("origin", origin),
        ];
        let answer = house.call_as(&member, &headers, "GET", &path, None).await;
        assert_eq!(answer.status, status, "{origin:?}: {}", answer.body);
    }
}

#[actix_web::test]
async fn a_websocket_by_cookie_brings_the_csrf_token_as_a_subprotocol() {
    let house = House::new().await;
    let (member, other) = (house.sign_in("member-a").await, house.sign_in("member-a").await);
    let (id, _) = house.running_cluster(&member, "web").await;
    let path = format!("/k8s/clusters/{id}/api/v1/namespaces/default/pods/web/exec?command=sh");
    // 409: it was let through, but the cluster of the test has no API.
    for (protocols, status) in [
        ("v5.channel.k8s.io".to_owned(), 403),
        ("v5.channel.k8s.io, csrf.kcs.".to_owned(), 403),
        (format!("v5.channel.k8s.io, csrf.kcs.{}", other.csrf), 403),
        (format!("v5.channel.k8s.io, csrf.kcs.{}", member.csrf), 409),
    ] {
        let headers = [
            ("cookie", member.cookie.as_str()),
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", protocols.as_str()),
            ("origin", house.url.as_str()),
        ];
        let answer = house.call_with(&headers, "GET", &path, None).await;
        assert_eq!(answer.status, status, "{protocols}: {}", answer.body);
        assert_eq!(answer.headers["connection"], "close", "what follows is nobody's next request");
    }
}

#[actix_web::test]
async fn a_reader_may_look_into_a_cluster_but_not_change_it_or_run_commands() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let reader = house.sign_in("reader-a").await;
    let (id, _) = house.running_cluster(&member, "web").await;
    let at = |path: &str| format!("/k8s/clusters/{id}{path}");
    // 409: it was allowed, but the cluster of the test has no API.
    for (method, path, status) in [
        ("GET", "/api/v1/pods", 409),
        ("GET", "/api/v1/namespaces/default/secrets", 403),
        ("POST", "/api/v1/namespaces", 403),
        ("DELETE", "/api/v1/namespaces/default/pods/web", 403),
        ("GET", "/api/v1/namespaces/default/pods/web/exec?command=sh", 403),
        ("GET", "/api/v1/namespaces/default/services/web/proxy/", 403),
        ("GET", "/api/v1//pods", 400),
    ] {
        let answer = house.call(Some(&reader), method, &at(path), None).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
}

#[actix_web::test]
async fn a_node_nobody_can_see_is_told_from_one_that_has_not_joined_and_from_one_that_is_not_ready() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(30)).await.unwrap().expect("the cluster is due");
    house.store.load(&claim).await.unwrap();
    let then = Some(OffsetDateTime::UNIX_EPOCH);
    let node = |ordinal| Node::new(NodeId::generate(), claim.cluster, NodeRole::Worker, "default", ordinal);
    let nodes = [node(0), Node { joined_at: then, ..node(1) }, Node { joined_at: then, unready_since: then, ..node(2) }];
    house.store.commit(&claim, &nodes.map(Change::Node)).await.unwrap();
    let listed = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{}/nodes", claim.cluster), None).await;
    let told = |n: &Value| json!([n["ready"], n["joined_at"], n["unready_since"], n["unready_code"], n["unready_remedy"]]);
    let told: Vec<Value> = listed.body["items"].as_array().unwrap().iter().map(told).collect();
    let epoch = "1970-01-01T00:00:00Z";
    let code = Code::NodeUnready;
    let unready = json!([null, epoch, epoch, code.as_str(), code.remedy()]);
    assert_eq!(told, [json!([null, null, null, null, null]), json!([null, epoch, null, null, null]), unready]);
}

#[actix_web::test]
async fn a_node_that_is_not_ready_comes_with_the_clusters_own_words_for_it() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let ready = json!({"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "container runtime network not ready"});
    let (cluster, _api) = house.cluster_with_unready_worker(&member, "web", ready).await;
    let listed = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{cluster}/nodes"), None).await;
    let node = &listed.body["items"][0];
    let said = (&node["ready"], &node["unready_reason"], &node["unready_message"]);
    assert_eq!(said, (&json!(false), &json!("KubeletNotReady"), &json!("container runtime network not ready")), "{}", listed.body);
}

#[actix_web::test]
async fn each_cloud_object_comes_with_how_it_is_why_since_when_and_what_to_do() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    let claim = house.store.claim(Uuid::new_v4(), Duration::from_secs(30)).await.unwrap().expect("the cluster is due");
    let mut status = house.store.load(&claim).await.unwrap().cluster.status;
    let row = |kind, state| LedgerRow { state, ..gone_row(claim.cluster, kind, "id") };
    let rows = [
        row(ResourceKind::Network, ResourceState::Known),
        row(ResourceKind::SecurityGroup, ResourceState::Known),
        row(ResourceKind::Router, ResourceState::Gone),
        row(ResourceKind::Volume, ResourceState::Known),
        row(ResourceKind::Port, ResourceState::Deleting),
    ];
    let said = |row: &LedgerRow, alone: bool, status, reason: &str, code| ObjectHealth {
        kind: row.kind,
        row: alone.then_some(row.id),
        status,
        reason: reason.to_owned(),
        since: OffsetDateTime::UNIX_EPOCH,
        code: Some(code),
    };
    status.objects = vec![
        said(&rows[3], false, ConditionStatus::Unknown, "Blind", Code::CloudUnavailable),
        said(&rows[1], true, ConditionStatus::False, "Drifted", Code::Drifted),
        said(&rows[2], true, ConditionStatus::False, "Missing", Code::Drifted),
    ];
    let mut changes = vec![Change::Status(status)];
    changes.extend(rows.map(Change::Ledger));
    house.store.commit(&claim, &changes).await.unwrap();
    let path = format!("/api/v1/clusters/{}", claim.cluster);
    let listed = house.call(Some(&member), "GET", &format!("{path}/resources"), None).await;
    let health = |kind: &str| listed.body["items"].as_array().unwrap().iter().find(|r| r["kind"] == kind).unwrap()["health"].clone();
    let told = |status: &str, reason: &str, code: Code| {
        let since = "1970-01-01T00:00:00Z";
        json!({"status": status, "reason": reason, "since": since, "code": code.as_str(), "remedy": code.remedy()})
    };
    assert_eq!(health("network"), json!({"status": "True", "reason": "Well"}));
    assert_eq!(health("security_group"), told("False", "Drifted", Code::Drifted));
    assert_eq!(health("router"), told("False", "Missing", Code::Drifted));
    assert_eq!(health("volume"), told("Unknown", "Blind", Code::CloudUnavailable));
    assert_eq!(health("port"), Value::Null);
    let cluster = house.call(Some(&member), "GET", &path, None).await;
    assert_eq!(cluster.body["status"]["objects"], Value::Null, "it is told with the objects, once");
}
