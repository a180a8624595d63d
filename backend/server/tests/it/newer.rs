//! A newer program beside this one: what only that knows is told as far as this one can, and keeps nothing else from being told or asked for.

use crate::house::House;
use crate::members;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

#[actix_web::test]
async fn an_operation_of_a_kind_that_nobody_here_knows_is_told_of_and_left_alone() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let pool = format!("/api/v1/clusters/{web}/node-pools/default");
    let resize = house.call(Some(&member), "PATCH", &pool, Some(&json!({"count": 3}))).await;
    assert_eq!(resize.status, 202, "{}", resize.body);
    house.database.execute("UPDATE operations SET kind = 'etcd_defragment' WHERE kind = 'node_pool_resize'").await;
    let get = async |path: &str| {
        let got = house.call(Some(if path.contains("/admin/") { &operator } else { &member }), "GET", path, None).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        got.body
    };
    let one = format!("/api/v1/operations/{}", resize.body["operation"]["id"].as_str().unwrap());
    for (path, place) in [
        ("/api/v1/operations", "/items/0/kind"),
        ("/api/v1/admin/operations", "/items/0/kind"),
        (one.as_str(), "/kind"),
        ("/api/v1/clusters", "/items/0/operation/kind"),
        ("/api/v1/admin/clusters", "/items/0/operation/kind"),
        (&format!("/api/v1/clusters/{web}"), "/operation/kind"),
    ] {
        assert_eq!(get(path).await.pointer(place), Some(&json!("etcd_defragment")), "{path}");
    }
    let row = get("/api/v1/admin/operations").await["items"][0].clone();
    assert_eq!((&row["can_retry"], &row["can_cancel"]), (&json!(false), &json!(false)));
    let filtered = house.call(Some(&operator), "GET", "/api/v1/admin/operations?kind=etcd_defragment", None).await;
    assert_eq!((filtered.status, &filtered.body["field"]), (400, &json!("kind")), "{}", filtered.body);
    for (method, path, body, code) in [
        ("POST", format!("{one}/cancel"), None, "KCS-OP-004"),
        ("POST", format!("{one}/retry"), None, "KCS-OP-002"),
        ("PATCH", pool.clone(), Some(json!({"count": 4})), "KCS-CONF-002"),
    ] {
        let refused = house.call(Some(&member), method, &path, body.as_ref()).await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!(code)), "{}", refused.body);
    }
    assert!(house.store.claim(Uuid::new_v4(), Duration::from_secs(60)).await.unwrap().is_none(), "whoever knows it goes on with it");
    // A state that is not known is no end, either.
    house.database.execute("UPDATE operations SET state = 'waiting' WHERE kind = 'etcd_defragment'").await;
    assert_eq!(get("/api/v1/operations").await["items"][0]["state"], "waiting");
    house.database.execute("UPDATE operations SET state = 'succeeded', finished_at = now() WHERE kind = 'etcd_defragment'").await;
    let next = house.call(Some(&member), "PATCH", &pool, Some(&json!({"count": 4}))).await;
    assert_eq!(next.status, 202, "{}", next.body);
}

#[actix_web::test]
async fn rows_that_nobody_here_can_read_keep_no_list_from_being_told() {
    let house = House::new().await;
    let (owner, reader, operator) = (house.sign_in("owner-a").await, house.sign_in("reader-a").await, house.sign_in("operator").await);
    house.running_cluster(&owner, "web").await;
    house.running_cluster(&owner, "odd").await;
    house.orphan("kcs-lost-net").await;
    let role = json!({"name": "scaler", "permissions": ["node_pool_resize"]});
    let role = house.call(Some(&owner), "POST", "/api/v1/roles", Some(&role)).await.body;
    members::give(&house, &owner, "reader-a", json!({"role": role["id"]})).await;
    house
        .database
        .execute(
            r#"UPDATE clusters SET spec = jsonb_set(spec, '{audit}', '{"level": "none", "sink": "s3"}') WHERE name = 'odd';
               UPDATE orphans SET verdict = 'adopted';
               UPDATE roles SET permissions = permissions || '["bucket_make"]'"#,
        )
        .await;
    let list = async |path: &str| {
        let person = if path.contains("/admin/") { &operator } else { &owner };
        let got = house.call(Some(person), "GET", path, None).await;
        assert_eq!(got.status, 200, "{path}: {}", got.body);
        got.body["items"].clone()
    };
    let names = |items: &Value| items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    for path in ["/api/v1/clusters", "/api/v1/admin/clusters"] {
        assert_eq!(names(&list(path).await), ["web"], "{path}");
    }
    assert!(names(&list("/api/v1/admin/tenants").await).contains(&"tenant-a".to_owned()));
    assert_eq!(list("/api/v1/admin/orphans").await, json!([]));
    assert_eq!(list("/api/v1/roles").await[0]["permissions"], json!(["node_pool_resize"]));
    // Who was given more than this program knows may do what it knows.
    assert_eq!(house.call(Some(&reader), "GET", "/api/v1/clusters", None).await.status, 200);
    let created = house.call(Some(&reader), "POST", "/api/v1/clusters", Some(&json!({"name": "mine", "template": "dev"}))).await;
    assert_eq!(created.status, 403, "{}", created.body);
}
