//! Application credentials: into their one project with their own roles, and out with whatever ends them.

use crate::house::{Got, House};
use bytes::Bytes;
use http::Request;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/session/application-credential";
const REFUSED: &str = "KCS-AUTH-011";
const BOUND: &str = "KCS-AUTH-010";
const NARROWED: &str = "KCS-RBAC-003";

pub struct Credential {
    owner: String,
    id: String,
    secret: String,
}

impl Credential {
    /// Somebody makes themselves one with these roles.
    pub async fn of(house: &House, user: &str, project: &str, roles: &[&str]) -> Self {
        let token = house.keystone_token(user, project).await;
        let about = keystone(house, &token, "GET", "/auth/tokens", &Value::Null);
        let owner = about["token"]["user"]["id"].as_str().unwrap().to_owned();
        let roles: Vec<Value> = roles.iter().map(|name| json!({ "name": name })).collect();
        let wanted = json!({"application_credential": {"name": "ci", "roles": roles}});
        let made = keystone(house, &token, "POST", &format!("/users/{owner}/application_credentials"), &wanted);
        let text = |name: &str| made["application_credential"][name].as_str().unwrap().to_owned();
        Self { owner, id: text("id"), secret: text("secret") }
    }

    fn by_id(&self) -> Value {
        json!({"id": self.id, "secret": self.secret})
    }

    pub async fn sign_in(&self, house: &House) -> Got {
        house.call(None, "POST", PATH, Some(&self.by_id())).await
    }
}

fn keystone(house: &House, token: &str, method: &str, path: &str, body: &Value) -> Value {
    let request = Request::builder().method(method).uri(format!("http://cloud/identity/v3{path}"));
    let request = request.header("x-auth-token", token).header("x-subject-token", token).header("content-type", "application/json");
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let answer = house.cloud.handle(request.body(body).unwrap());
    assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
    serde_json::from_slice(answer.body()).unwrap_or(Value::Null)
}

fn code(answer: &Got) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

#[actix_web::test]
async fn an_application_credential_signs_in_to_its_project_with_its_roles() {
    let house = House::new().await;
    let credential = Credential::of(&house, "owner-a", "tenant-a", &["reader"]).await;
    let by_name = json!({"name": "ci", "username": "owner-a", "secret": credential.secret});
    for body in [credential.by_id(), by_name] {
        let answer = house.call(None, "POST", PATH, Some(&body)).await;
        assert_eq!((answer.status, &answer.body["application_credential"]), (200, &json!("ci")), "{}", answer.body);
        assert_eq!((&answer.body["user"]["name"], &answer.body["project"]["name"]), (&json!("owner-a"), &json!("tenant-a")));
        assert_eq!(answer.body["roles"], json!(["reader"]));
        let reader = answer.person();
        assert!(reader.cookie_attributes.contains("HttpOnly") && reader.cookie_attributes.contains("SameSite=Strict"));
        assert_eq!(house.call(Some(&reader), "GET", "/api/v1/clusters", None).await.status, 200);
        let make = house.call(Some(&reader), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
        assert_eq!(code(&make), (403, "KCS-RBAC-001"));
        let line = &house.call(Some(&reader), "GET", "/api/v1/audit?action=session_create", None).await.body["items"][0];
        assert_eq!((&line["action"], &line["detail"]["application_credential"]), (&json!("session_create"), &json!("ci")), "{line}");
        assert_eq!(house.call(Some(&reader), "DELETE", "/api/v1/session", None).await.status, 204);
        assert_eq!(house.call(Some(&reader), "GET", "/api/v1/session", None).await.status, 401);
    }
}

#[actix_web::test]
async fn an_application_credential_is_good_in_its_own_project_only() {
    let house = House::new().await;
    let credential = Credential::of(&house, "both", "tenant-a", &["member"]).await;
    let answer = credential.sign_in(&house).await;
    let person = answer.person();
    assert_eq!(answer.body["projects"], json!([answer.body["project"]]));
    let switched = house.call(Some(&person), "PUT", "/api/v1/session", Some(&json!({"project": "tenant-b"}))).await;
    assert_eq!(code(&switched), (403, BOUND));
    assert_eq!(house.call(Some(&person), "GET", "/api/v1/projects", None).await.body["items"], answer.body["projects"]);
    // What it may, it may: the switch ended nothing.
    let made = house.call(Some(&person), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
}

#[actix_web::test]
async fn an_application_credential_makes_nothing_that_outlives_it_and_is_not_widened_by_what_its_owner_was_given() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let credential = Credential::of(&house, "member-a", "tenant-a", &["member"]).await;
    let person = credential.sign_in(&house).await.person();
    // The same as OpenStack's tools come with it.
    let name = cloud::identity::CredentialName::Id(credential.id.clone());
    let token = house.state.identity.sign_in_by_credential(&name, &credential.secret.clone().into()).await.unwrap();
    let token = token.secret.expose_secret();
    let kubeconfigs = format!("/api/v1/clusters/{cluster}/kubeconfigs");
    for (method, path, body) in [
        ("POST", "/api/v1/tokens", json!({"name": "ci", "expires_in": 3600})),
        ("POST", kubeconfigs.as_str(), json!({"expires_in": 3600})),
        ("POST", "/api/v1/device/BCDF-GHJK", json!({"allow": true})),
    ] {
        for answer in
            [house.call(Some(&person), method, path, Some(&body)).await, house.call_with(&[("x-auth-token", token)], method, path, Some(&body)).await]
        {
            assert_eq!(code(&answer), (403, NARROWED), "{path}: {}", answer.body);
        }
    }
    assert_eq!(house.call_with(&[("x-auth-token", token)], "GET", "/api/v1/projects", None).await.body["items"].as_array().unwrap().len(), 1);

    let owner = house.sign_in("owner-a").await;
    let reader = Credential::of(&house, "reader-a", "tenant-a", &["reader"]).await;
    let given = house.call(Some(&owner), "PUT", &format!("/api/v1/members/{}", reader.owner), Some(&json!({"role": "member"}))).await;
    assert_eq!(given.status, 200, "{}", given.body);
    let body = json!({"name": "more", "template": "dev"});
    let by_credential = reader.sign_in(&house).await.person();
    assert_eq!(code(&house.call(Some(&by_credential), "POST", "/api/v1/clusters", Some(&body)).await), (403, NARROWED));
    let in_person = house.sign_in("reader-a").await;
    assert_eq!(house.call(Some(&in_person), "POST", "/api/v1/clusters", Some(&body)).await.status, 202);
}

#[actix_web::test]
async fn an_application_credential_that_is_wrong_or_gone_is_refused_alike_and_guessing_is_slowed_down() {
    let house = House::new().await;
    let credential = Credential::of(&house, "member-a", "tenant-a", &["member"]).await;
    let person = credential.sign_in(&house).await.person();
    let refusal = async |body: Value| {
        let mut answer = house.call(None, "POST", PATH, Some(&body)).await;
        assert_eq!(code(&answer), (401, REFUSED), "{}", answer.body);
        answer.body["request_id"] = Value::Null;
        answer.body
    };
    let wrong = refusal(json!({"id": credential.id, "secret": "wrong"})).await;
    assert_eq!(wrong, refusal(json!({"id": "0123456789abcdef0123456789abcdef", "secret": "wrong"})).await);
    assert_eq!(wrong, refusal(json!({"name": "ci", "username": "nobody", "secret": "wrong"})).await);
    let owner = house.keystone_token("member-a", "tenant-a").await;
    keystone(&house, &owner, "DELETE", &format!("/users/{}/application_credentials/{}", credential.owner, credential.id), &Value::Null);
    assert_eq!(wrong, refusal(credential.by_id()).await);
    // Five minutes pass.
    house.database.execute("UPDATE sessions SET checked_at = now() - interval '5 minutes'").await;
    assert_eq!(house.call(Some(&person), "GET", "/api/v1/session", None).await.status, 401);

    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(house.call(None, "POST", PATH, Some(&json!({"id": credential.id, "secret": "guess"}))).await.status);
    }
    assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{statuses:?}");
}

#[actix_web::test]
async fn whoever_guesses_an_application_credential_holds_it_up_nowhere_else() {
    let direct = House::new().await;
    let house = direct.beside_behind_proxy().await;
    let credential = Credential::of(&house, "member-a", "tenant-a", &["member"]).await;
    let from = async |address: &str, body: &Value| house.call_with(&[("x-forwarded-for", address)], "POST", PATH, Some(body)).await.status;
    let by_name = json!({"name": "ci", "username": "member-a", "secret": credential.secret});
    for body in [credential.by_id(), by_name] {
        let mut guess = body.clone();
        guess["secret"] = json!("guess");
        // Many more than may fail as one person.
        for n in 0..20 {
            assert_eq!(from(&format!("198.51.100.{n}"), &guess).await, 401);
        }
        assert_eq!(from("203.0.113.9", &body).await, 200, "{body}");
        let mut statuses = Vec::new();
        for _ in 0..25 {
            statuses.push(from("198.51.100.250", &guess).await);
        }
        assert!(statuses.contains(&401) && statuses.ends_with(&[429]), "{statuses:?}");
    }
}
