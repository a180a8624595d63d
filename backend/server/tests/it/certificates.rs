//! Certificates for calls past the gate: where they are switched on, for whom, and what they say.

use crate::house::{House, Person};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use x509_parser::pem::parse_x509_pem;

async fn switch(house: &House, person: &Person, cluster: &str, on: bool) -> u16 {
    house.call(Some(person), "PATCH", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"direct_access": on}))).await.status
}

async fn ask(house: &House, person: &Person, cluster: &str, read_only: bool) -> (u16, Value) {
    let body = json!({"expires_in": 3600, "name": "night shift", "read_only": read_only});
    let answer = house.call(Some(person), "POST", &format!("/api/v1/clusters/{cluster}/certificates"), Some(&body)).await;
    (answer.status, answer.body)
}

/// (subject, seconds it is good for from now) of the certificate in an answer, once it was found to be signed by the cluster's authority.
fn certificate(answer: &Value, authority: &str) -> (String, i64) {
    let file: Value = serde_yaml_ng::from_str(answer["kubeconfig"].as_str().unwrap()).unwrap();
    assert_eq!(file["clusters"][0]["cluster"]["tls-server-name"], "kubernetes", "the address may be one that the API's certificate does not have");
    let part = |name: &str| STANDARD.decode(file["users"][0]["user"][name].as_str().unwrap()).unwrap();
    assert!(String::from_utf8(part("client-key-data")).unwrap().contains("PRIVATE KEY"));
    let (_, pem) = parse_x509_pem(&part("client-certificate-data")).unwrap();
    let certificate = pem.parse_x509().unwrap();
    let (_, ca) = parse_x509_pem(authority.as_bytes()).unwrap();
    certificate.verify_signature(Some(ca.parse_x509().unwrap().public_key())).unwrap();
    let left = certificate.validity().not_after.timestamp() - OffsetDateTime::now_utc().unix_timestamp();
    (certificate.subject().to_string(), left)
}

async fn person_id(house: &House, name: &str) -> String {
    let owner = house.sign_in("owner-a").await;
    let members = house.call(Some(&owner), "GET", "/api/v1/members", None).await.body;
    members["items"].as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
}

async fn give(house: &House, name: &str, given: Value) {
    let owner = house.sign_in("owner-a").await;
    let path = format!("/api/v1/members/{}", person_id(house, name).await);
    let answer = house.call(Some(&owner), "PUT", &path, Some(&given)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[actix_web::test]
async fn a_certificate_past_the_gate_says_who_one_is_and_ends_within_the_hour() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, api) = house.cluster_with_api(&member, "web").await;
    assert_eq!(switch(&house, &member, &cluster, true).await, 200);
    let id = person_id(&house, "member-a").await;
    for (person, read_only, group) in [(&member, false, "kcs:member"), (&member, true, "kcs:reader"), (&reader, false, "kcs:reader")] {
        let (status, answer) = ask(&house, person, &cluster, read_only).await;
        assert_eq!(status, 201, "{answer}");
        let (subject, left) = certificate(&answer, &api.pki.cluster.certificate_pem);
        assert!(subject.contains(&format!("O={group}")) && subject.contains("CN=kcs:"), "{subject}");
        assert!((3500..=3600).contains(&left), "{left}");
        assert!(answer["kubeconfig"].as_str().unwrap().contains(&api.endpoint), "it leads to the cluster itself");
    }
    let (_, answer) = ask(&house, &member, &cluster, false).await;
    assert!(certificate(&answer, &api.pki.cluster.certificate_pem).0.contains(&format!("CN=kcs:{id}")));

    let path = format!("/api/v1/clusters/{cluster}/certificates");
    let list = house.call(Some(&member), "GET", &path, None).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 4);
    assert!(!list.body.to_string().contains("PRIVATE") && list.body["items"][0]["fingerprint"].as_str().unwrap().len() == 64);
    let own = house.call(Some(&reader), "GET", &path, None).await;
    let own = own.body["items"].as_array().unwrap();
    assert!(own.len() == 1 && own[0]["mine"] == true, "a reader sees their own: {own:?}");
    let log = house.call(Some(&member), "GET", "/api/v1/audit?action=certificate_issue", None).await;
    assert_eq!(log.body["items"][0]["detail"]["group"], "kcs:member", "{}", log.body);
}

#[actix_web::test]
async fn nobody_gets_a_certificate_where_it_is_not_switched_on() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let refused = |(status, answer): (u16, Value)| (status, answer["code"].as_str().unwrap_or_default().to_owned());
    let off = (403, "KCS-RBAC-005".to_owned());
    assert_eq!(refused(ask(&house, &member, &cluster, false).await), off, "off in every new cluster");
    assert_eq!(switch(&house, &member, &cluster, true).await, 200);
    assert_eq!(ask(&house, &member, &cluster, false).await.0, 201);
    let closed = house.beside_closed().await;
    assert_eq!(refused(ask(&closed, &member, &cluster, false).await), off, "the operator has the last word");
    assert_eq!(switch(&closed, &member, &cluster, true).await, 403);
    assert_eq!(switch(&closed, &member, &cluster, false).await, 200);
    assert_eq!(refused(ask(&house, &member, &cluster, false).await), off);
}

#[actix_web::test]
async fn a_certificate_is_refused_to_whom_the_clusters_rules_would_let_do_more() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_api(&member, "web").await;
    assert_eq!(switch(&house, &member, &cluster, true).await, 200);
    let owner = house.sign_in("owner-a").await;
    let writes = json!({"name": "writes, runs nothing", "permissions": ["kubernetes_write"]});
    let role = house.call(Some(&owner), "POST", "/api/v1/roles", Some(&writes)).await.body["id"].clone();
    let place = |role: &Value| json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "web", "role": role}]});

    give(&house, "guest-a", place(&json!("member"))).await;
    let guest = house.sign_in("guest-a").await;
    let (status, answer) = ask(&house, &guest, &cluster, false).await;
    assert_eq!(status, 201, "{answer}");
    assert!(certificate(&answer, &api.pki.cluster.certificate_pem).0.contains("O=kcs:guest"));
    let (status, answer) = ask(&house, &guest, &cluster, true).await;
    assert_eq!((status, answer["code"].as_str()), (403, Some("KCS-RBAC-006")), "bound by name to change things in the namespace: {answer}");

    give(&house, "guest-a", place(&role)).await;
    let (status, answer) = ask(&house, &guest, &cluster, false).await;
    assert_eq!((status, answer["code"].as_str()), (403, Some("KCS-RBAC-006")), "writes, but runs no commands: {answer}");
    give(&house, "guest-a", json!({"role": role})).await;
    let (status, answer) = ask(&house, &guest, &cluster, false).await;
    assert_eq!((status, answer["code"].as_str()), (403, Some("KCS-RBAC-006")), "{answer}");

    let token = json!({"name": "ci", "expires_in": 3600});
    let token = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&token)).await.body["secret"].as_str().unwrap().to_owned();
    let body = json!({"expires_in": 3600});
    let path = format!("/api/v1/clusters/{cluster}/certificates");
    let answer = house.call_with(&[("authorization", &format!("Bearer {token}"))], "POST", &path, Some(&body)).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("KCS-RBAC-003")), "{}", answer.body);
}
