//! Operators and the doubtful: what they see, what they say, and that nobody else does.

use crate::house::House;
use serde_json::{Value, json};

#[actix_web::test]
async fn an_operator_sees_orphans_and_decides_on_them() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    house.running_cluster(&member, "web").await;
    let operator = house.sign_in("operator").await;
    let none = house.call(Some(&operator), "GET", "/api/v1/admin/orphans", None).await;
    assert_eq!((none.status, &none.body["items"], &none.body["total"]), (200, &json!([]), &json!(0)));

    let id = house.orphan("kcs-lost-net").await;
    let list = house.call(Some(&operator), "GET", "/api/v1/admin/orphans", None).await;
    let orphan = &list.body["items"][0];
    assert_eq!((orphan["id"].as_str(), orphan["name"].as_str()), (Some(id.to_string().as_str()), Some("kcs-lost-net")));
    assert_eq!((&orphan["kind"], &orphan["verdict"], &orphan["looks"]), (&json!("network"), &json!("no_row"), &json!(1)));
    assert_eq!(orphan["project"]["name"], "tenant-a");
    assert_eq!(orphan["decision"], Value::Null);

    let path = format!("/api/v1/admin/orphans/{id}/decision");
    for decision in ["delete", "keep"] {
        let said = house.call(Some(&operator), "POST", &path, Some(&json!({"decision": decision}))).await;
        assert_eq!((said.status, said.body["decision"].as_str()), (200, Some(decision)), "{}", said.body);
        assert_eq!(said.body["decided_by"], "operator");
    }
    let missing = "/api/v1/admin/orphans/01990000-0000-7000-8000-000000000000/decision";
    for address in [missing, "/api/v1/admin/orphans/7/decision"] {
        assert_eq!(house.call(Some(&operator), "POST", address, Some(&json!({"decision": "keep"}))).await.status, 404, "{address}");
    }
    let refused = house.call(Some(&member), "POST", &path, Some(&json!({"decision": "delete"}))).await;
    assert_eq!(refused.status, 403);
    let kept = house.call(Some(&operator), "GET", "/api/v1/admin/orphans", None).await;
    assert_eq!(kept.body["items"][0]["decision"], "keep");
}
