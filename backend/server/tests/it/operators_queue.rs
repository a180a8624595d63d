//! Operators and the engine's queue: what they see of all tenants' operations, the verbs they have, and what they hold back.

use crate::house::House;
use serde_json::{Value, json};

#[actix_web::test]
async fn an_operator_finds_operations_of_all_tenants() {
    let house = House::new().await;
    let (member, foreign, operator) = (house.sign_in("member-a").await, house.sign_in("member-b").await, house.sign_in("operator").await);
    let (_, ended) = house.running_cluster(&member, "web").await;
    let shop = house.call(Some(&foreign), "POST", "/api/v1/clusters", Some(&json!({"name": "shop", "template": "dev"}))).await.body;
    let list = async |query: &str| {
        let list = house.call(Some(&operator), "GET", &format!("/api/v1/admin/operations{query}"), None).await;
        assert_eq!(list.status, 200, "{}", list.body);
        let names = list.body["items"].as_array().unwrap().iter().map(|o| o["cluster"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        (names.join(" "), list.body)
    };
    let (all, body) = list("").await;
    assert_eq!((all.as_str(), &body["total"]), ("shop web", &json!(2)));
    assert_eq!((&body["items"][0]["project"]["name"], &body["items"][0]["created_by"]), (&json!("tenant-b"), &json!("member-b")));
    assert_eq!((&body["items"][0]["can_cancel"], &body["items"][1]["can_cancel"]), (&json!(true), &json!(false)));
    for (query, expected) in [
        ("?project=tenant-a", "web"),
        ("?search=SHO", "shop"),
        (&format!("?search={ended}"), "web"),
        ("?ended=false", "shop"),
        ("?ended=true", "web"),
        ("?state=succeeded", "web"),
        ("?kind=cluster_delete", ""),
        ("?kind=cluster_create&project=tenant-b", "shop"),
    ] {
        assert_eq!(list(query).await.0, expected, "{query}");
    }
    let (first, body) = list("?limit=1").await;
    assert_eq!((first.as_str(), list(&format!("?limit=1&cursor={}", body["next_cursor"].as_str().unwrap())).await.0.as_str()), ("shop", "web"));
    let cancel = format!("/api/v1/admin/operations/{}/cancel", shop["operation"]["id"].as_str().unwrap());
    let cancelled = house.call(Some(&operator), "POST", &cancel, None).await;
    assert_eq!((cancelled.status, &cancelled.body["state"]), (202, &json!("cancelled")), "{}", cancelled.body);
    assert_eq!(house.call(Some(&operator), "POST", &cancel, None).await.body["code"], "KCS-OP-004");
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=operation_cancel", None).await.body;
    assert_eq!((&log["items"][0]["user"]["name"], &log["items"][0]["detail"]["name"]), (&json!("operator"), &json!("shop")), "{log}");
}

/// The row of a list of the catalogue whose `key` is `name`.
fn of(catalogue: &Value, list: &str, key: &str, name: &Value) -> Value {
    let rows = catalogue.pointer(&format!("/{list}")).and_then(Value::as_array);
    rows.and_then(|rows| rows.iter().find(|row| row[key] == *name)).unwrap_or_else(|| panic!("{name} in {catalogue}")).clone()
}

#[actix_web::test]
async fn an_operator_sees_how_much_of_the_catalogue_is_used() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let look = async || house.call(Some(&operator), "GET", "/api/v1/admin/catalogue", None).await;
    let before = look().await;
    assert_eq!(before.status, 200, "{}", before.body);
    let (web, _) = house.running_cluster(&member, "web").await;
    let spec = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{web}"), None).await.body["spec"].clone();
    let after = look().await.body;
    let version = of(&after, "versions", "version", &spec["version"]);
    assert_eq!((&version["clusters"], version["offered"]["image"].is_string()), (&json!(1), true));
    let flavor = of(&after, "flavors", "name", &spec["node_pools"][0]["flavor"]);
    assert!(flavor["offered"] == true && flavor["clusters"] == 1 && flavor["machines"].as_u64().unwrap() >= 2, "{flavor}");
    assert!(after["templates"].as_array().unwrap().iter().any(|t| t["id"] == "dev" && t["missing"] == json!([])), "{after}");
    // The flavor is gone from the cloud and the version from the catalogue: clusters still have them.
    house
        .database
        .execute("UPDATE clusters SET spec = jsonb_set(jsonb_set(spec, '{version}', '\"v1.1.0\"'), '{control_plane,flavor}', '\"gone\"')")
        .await;
    let gone = look().await.body;
    assert_eq!(of(&gone, "versions", "version", &json!("v1.1.0")), json!({"version": "v1.1.0", "offered": null, "clusters": 1}));
    assert_eq!(of(&gone, "flavors", "name", &json!("gone"))["offered"], false);
}

#[actix_web::test]
async fn an_operator_sees_node_images_add_ons_and_what_has_no_price() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    house.running_cluster(&member, "web").await;
    let look = async || house.call(Some(&operator), "GET", "/api/v1/admin/catalogue", None).await.body;
    let catalogue = look().await;
    let image = of(&catalogue, "images", "name", &json!("kcs-node-v1.36.3"));
    assert_eq!((&image["status"], &image["visibility"]), (&json!("active"), &json!("public")), "{image}");
    assert_eq!((&image["kubernetes_version"], &image["versions"]), (&json!("v1.36.3"), &json!(["v1.36.3"])), "{image}");
    assert_eq!((&image["min_disk_gib"], &image["size_bytes"]), (&json!(10), &json!(2_u64 << 30)), "{image}");
    assert_eq!((&catalogue["images"][0]["id"], image["id"].as_str().unwrap().is_empty()), (&image["id"], false), "the newest is the first");
    let storage = of(&catalogue, "addons", "name", &json!("storage"));
    assert_eq!((&storage["clusters"], &storage["default"], &storage["essential"]), (&json!(1), &json!(true), &json!(true)), "{storage}");
    let mut images = storage["images"].as_array().unwrap().iter().map(|image| image.as_str().unwrap());
    assert!(images.all(|image| image.starts_with("registry.example.com/mirror/") && image.contains(":v")), "{storage}");
    let ingress = of(&catalogue, "addons", "name", &json!("ingress"));
    assert_eq!((&ingress["clusters"], &ingress["default"]), (&json!(0), &json!(false)), "{ingress}");
    // One for each version of Kubernetes: it is kubeadm's.
    let resolvers = ["v1.14.2", "v1.13.1"].map(|tag| format!("registry.example.com/mirror/coredns/coredns:{tag}"));
    let dns = json!({"name": "dns", "essential": true, "default": true, "images": resolvers, "clusters": 1});
    assert_eq!(of(&catalogue, "addons", "name", &json!("dns")), dns);
    assert_eq!(catalogue["prices"], Value::Null, "there is no price list");
    house.database.execute("UPDATE clusters SET spec = jsonb_set(spec, '{addons,storage}', 'false')").await;
    let list = json!({"currency": "EUR", "flavors": {"m1.medium": 0.1, "m9.giant": 2.5}, "volume_gib": {"default": 0.001}, "floating_ip": 0.02});
    let set = json!({"revision": 0, "limits": {}, "prices": list, "audit": {}});
    let saved = house.call(Some(&operator), "PUT", "/api/v1/admin/settings", Some(&set)).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    let catalogue = look().await;
    assert_eq!(of(&catalogue, "addons", "name", &json!("storage"))["clusters"], 0);
    assert_eq!((&catalogue["prices"]["currency"], &catalogue["prices"]["floating_ip"]), (&json!("EUR"), &json!(0.02)));
    for (among, row) in [
        ("flavors", json!({"name": "m1.medium", "offered": true, "per_hour": 0.1})),
        ("flavors", json!({"name": "m1.large", "offered": true})),
        ("flavors", json!({"name": "m9.giant", "offered": false, "per_hour": 2.5})),
        ("volume_gib", json!({"name": "default", "offered": true, "per_hour": 0.001})),
        ("volume_gib", json!({"name": "ssd", "offered": true})),
    ] {
        assert_eq!(of(&catalogue, &format!("prices/{among}"), "name", &row["name"]), row);
    }
}

#[actix_web::test]
async fn an_operator_lets_what_stands_still_go_on() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await.body;
    let retry = format!("/api/v1/admin/operations/{}/retry", made["operation"]["id"].as_str().unwrap());
    assert_eq!(house.call(Some(&operator), "POST", &retry, None).await.body["code"], "KCS-OP-002", "it has not begun");
    for (state, words) in [("blocked", "blocked"), ("failed", "failed"), ("running", "waits for its next try")] {
        let statement = match state {
            "blocked" => "UPDATE operations SET state = 'blocked', next_attempt_at = now() + interval '10 minutes'",
            "failed" => "UPDATE operations SET state = 'failed', finished_at = now()",
            _ => "UPDATE operations SET state = 'running', next_attempt_at = now() + interval '5 minutes'",
        };
        house.database.execute(statement).await;
        let listed = house.call(Some(&operator), "GET", "/api/v1/admin/operations", None).await.body;
        assert_eq!(listed["items"][0]["can_retry"], true, "{words}");
        let retried = house.call(Some(&operator), "POST", &retry, None).await;
        assert_eq!((retried.status, &retried.body["state"], &retried.body["next_attempt_at"]), (202, &json!("pending"), &Value::Null), "{words}");
    }
    house.database.execute("UPDATE operations SET state = 'running'").await;
    assert_eq!(house.call(Some(&operator), "POST", &retry, None).await.body["code"], "KCS-OP-002", "it goes on by itself");
}

#[actix_web::test]
async fn what_is_held_back_is_accepted_and_says_that_it_waits() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let reason = json!({"reason": " the cloud is upgraded "});
    let queue = house.call(Some(&operator), "PUT", "/api/v1/admin/queue/pause", Some(&reason)).await;
    assert_eq!((queue.status, &queue.body["paused"]["reason"]), (200, &json!("the cloud is upgraded")), "{}", queue.body);
    let resize = house.call(Some(&member), "PATCH", &format!("/api/v1/clusters/{web}/node-pools/default"), Some(&json!({"count": 3}))).await;
    let operation = &resize.body["operation"];
    assert_eq!((resize.status, &operation["paused"]["everything"], &operation["paused"]["by"]), (202, &json!(true), &json!("operator")));
    let queue = house.call(Some(&operator), "GET", "/api/v1/admin/queue", None).await.body;
    assert_eq!((&queue["pending"], &queue["due"], &queue["in_work"]), (&json!(1), &json!(1), &json!(0)), "{queue}");
    for _ in 0..2 {
        let queue = house.call(Some(&operator), "DELETE", "/api/v1/admin/queue/pause", None).await;
        assert_eq!((queue.status, &queue.body["paused"]), (200, &Value::Null), "resuming what is not held back is no error");
    }
    let of_web = format!("/api/v1/admin/clusters/{web}/pause");
    let paused = house.call(Some(&operator), "PUT", &of_web, Some(&reason)).await;
    assert_eq!((paused.status, &paused.body["paused"]["everything"]), (200, &json!(false)), "{}", paused.body);
    let seen = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{web}"), None).await.body;
    assert_eq!(seen["paused"]["reason"], "the cloud is upgraded");
    assert_eq!(house.call(Some(&operator), "DELETE", &of_web, None).await.body["paused"], Value::Null);
    let nobodys = "/api/v1/admin/clusters/01990000-0000-7000-8000-000000000000/pause";
    assert_eq!(house.call(Some(&operator), "PUT", nobodys, Some(&reason)).await.status, 404);
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit", None).await.body;
    let told = |action: &str| log["items"].as_array().unwrap().iter().filter(|line| line["action"] == action).count();
    assert_eq!(["queue_pause", "queue_resume", "cluster_pause", "cluster_resume"].map(told), [1, 1, 1, 1], "{log}");
}

#[actix_web::test]
async fn an_operator_finds_clusters_by_tenant_version_and_id_and_sees_what_they_are_together() {
    let house = House::new().await;
    let (member, foreign, operator) = (house.sign_in("member-a").await, house.sign_in("member-b").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let (_shop, _) = house.running_cluster(&foreign, "shop").await;
    let version = house.call(Some(&member), "GET", &format!("/api/v1/clusters/{web}"), None).await.body["spec"]["version"].clone();
    let version = version.as_str().unwrap();
    let minor = version.rsplit_once('.').unwrap().0;
    for (query, expected) in [
        (String::new(), 2),
        ("?search=tenant-b".to_owned(), 1),
        (format!("?search={web}"), 1),
        ("?project=tenant-a&search=shop".to_owned(), 0),
        (format!("?version={minor}"), 2),
        (format!("?version={version}&phase=Running&search=web"), 1),
        ("?version=v0.1".to_owned(), 0),
    ] {
        let list = house.call(Some(&operator), "GET", &format!("/api/v1/admin/clusters{query}"), None).await.body;
        let totals = house.call(Some(&operator), "GET", &format!("/api/v1/admin/clusters/totals{query}"), None).await.body;
        assert_eq!((&list["total"], &totals["clusters"]), (&json!(expected), &json!(expected)), "{query}: {totals}");
        assert_eq!((totals["nodes"] == 0, &totals["versions"]), (expected == 0, &json!([version])), "{query}: {totals}");
    }
    let wrong = house.call(Some(&operator), "GET", "/api/v1/admin/clusters/totals?limit=5", None).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}
