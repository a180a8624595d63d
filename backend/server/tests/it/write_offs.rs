//! A cluster whose project was deleted in the cloud is written off: by operators only, with its name typed, and on Keystone's word.

use crate::house::House;
use local_cloud::{Effect, FaultRule};
use serde_json::{Value, json};

#[actix_web::test]
async fn case_21_a_cluster_is_written_off_once_keystone_says_that_its_project_is_gone() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (web, _) = house.running_cluster(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &web).await;
    let network = "INSERT INTO ledger (id, cluster_id, key, kind, name, state, cloud_id, created_at)
                   SELECT gen_random_uuid(), id, 'network', 'network', 'kcs-net', 'known', 'id-of-net', now() FROM clusters";
    house.database.execute(network).await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let project = format!("/projects/{}", session["project"]["id"].as_str().unwrap());
    let path = format!("/api/v1/admin/clusters/{web}/write-off");
    let write_off = async |name: &str| house.call(Some(&operator), "POST", &path, Some(&json!({"confirm": name}))).await;
    let refused = async |words: &str| {
        let answer = write_off("web").await;
        let listed = house.call(Some(&operator), "GET", "/api/v1/admin/clusters", None).await.body;
        assert_eq!(listed["total"], 1, "{words}");
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };

    assert_eq!(refused("it is there").await, (409, "KCS-CONF-007".to_owned()));
    house.keystone("PATCH", &project, &json!({"project": {"enabled": false}})).await;
    assert_eq!(refused("it is disabled").await, (409, "KCS-CONF-007".to_owned()));
    house.keystone("DELETE", &project, &Value::Null).await;
    house.cloud.inject(FaultRule::new(Effect::Status { status: 503, body: None }).count(None));
    assert_eq!(refused("nobody answers").await, (503, "KCS-CLOUD-001".to_owned()));
    house.cloud.clear_faults();
    let mistyped = write_off("wbe").await;
    assert_eq!((mistyped.status, &mistyped.body["code"]), (400, &json!("KCS-CONF-004")), "{}", mistyped.body);

    let receipt = write_off("web").await;
    assert_eq!(receipt.status, 200, "{}", receipt.body);
    assert_eq!(receipt.body["unseen"], json!([{"kind": "network", "name": "kcs-net", "cloud_id": "id-of-net"}]), "{}", receipt.body);
    assert_eq!((&receipt.body["scanned_at"], &receipt.body["removed"]), (&Value::Null, &json!([])), "the cloud was not looked at");
    assert_eq!(house.call(Some(&operator), "GET", "/api/v1/admin/clusters", None).await.body["total"], 0);
    let operations = house.call(Some(&operator), "GET", "/api/v1/admin/operations?kind=cluster_delete", None).await.body;
    assert_eq!((&operations["items"][0]["state"], &operations["items"][0]["can_retry"]), (&json!("cancelled"), &json!(false)), "{operations}");
    // Its project is gone, but the receipt can be fetched again.
    let again = format!("/api/v1/admin/operations/{}/receipt", operations["items"][0]["id"].as_str().unwrap());
    assert_eq!(house.call(Some(&operator), "GET", &again, None).await.body, receipt.body);
    let text = house.call(Some(&operator), "GET", &format!("{again}?format=text"), None).await.body;
    assert!(text.as_str().unwrap().contains("network kcs-net id-of-net"), "{text}");
    let bearer = format!("Bearer {token}");
    let gate = house.call_with(&[("authorization", &bearer)], "GET", &format!("/k8s/clusters/{web}/api"), None).await;
    assert_eq!(gate.status, 401, "{}", gate.body);
    let log = house.call(Some(&operator), "GET", "/api/v1/admin/audit?action=cluster_write_off", None).await.body;
    assert_eq!((&log["items"][0]["user"]["name"], &log["items"][0]["detail"]["name"]), (&json!("operator"), &json!("web")), "{log}");
    assert_eq!(log["items"][0]["detail"]["unseen"], 1, "{log}");
    assert_eq!(write_off("web").await.status, 404);
}
