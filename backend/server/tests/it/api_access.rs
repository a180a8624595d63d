//! Who may connect to the API of a cluster that is there: asked for by a person, recorded, and put back where it is cancelled.

use crate::house::House;
use serde_json::{Value, json};

#[actix_web::test]
async fn who_may_connect_is_changed_by_an_operation_that_is_recorded_and_taken_back_when_it_is_cancelled() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let (one, path) = (format!("/api/v1/clusters/{cluster}"), format!("/api/v1/clusters/{cluster}/api-access"));
    let wanted = json!({"exposure": "restricted", "allowed_cidrs": ["192.0.2.0/24", "198.51.100.7/32"]});
    let begun = house.call(Some(&member), "PATCH", &path, Some(&wanted)).await;
    assert_eq!((begun.status, begun.body["operation"]["kind"].as_str()), (202, Some("api_access_change")), "{}", begun.body);
    let recorded = async || {
        let api = house.call(Some(&member), "GET", &one, None).await.body["spec"]["api"].clone();
        json!({"exposure": api["exposure"], "allowed_cidrs": api["allowed_cidrs"]})
    };
    assert_eq!(recorded().await, wanted);
    let again = house.call(Some(&member), "PATCH", &path, Some(&json!({"exposure": "public"}))).await;
    assert_eq!((again.status, again.body["code"].as_str()), (409, Some("KCS-CONF-002")), "{}", again.body);
    let line = house.call(Some(&member), "GET", "/api/v1/audit?action=api_access_change", None).await.body["items"][0]["detail"].clone();
    assert_eq!((&line["before"]["exposure"], &line["after"]["exposure"]), (&json!("public"), &json!("restricted")), "{line}");
    assert_eq!((&line["before"]["allowed_cidrs"], &line["after"]["allowed_cidrs"]), (&json!([]), &wanted["allowed_cidrs"]), "{line}");

    let operation = begun.body["operation"]["id"].as_str().unwrap();
    let cancelled = house.call(Some(&member), "POST", &format!("/api/v1/operations/{operation}/cancel"), None).await;
    assert_eq!(cancelled.status, 202, "{}", cancelled.body);
    assert_eq!(recorded().await, json!({"exposure": "public", "allowed_cidrs": []}));
}

#[actix_web::test]
async fn a_session_says_where_its_person_comes_from() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    assert_eq!(session["address"], Value::from("127.0.0.1"), "{session}");
}
