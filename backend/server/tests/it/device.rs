//! Signing in a program: what a person allows comes out once, for that person only, and what nobody allowed never.

use crate::house::{Got, House, Person};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// What a program got to begin with: (device code, user code).
async fn begin(house: &House) -> (String, String) {
    let started = house.call(None, "POST", "/api/v1/device", Some(&json!({"client_name": "kcs 0.1.0", "host_name": "laptop"}))).await;
    assert_eq!(started.status, 200, "{}", started.body);
    assert_eq!(started.headers["cache-control"], "no-store");
    let text = |name: &str| started.body[name].as_str().unwrap().to_owned();
    assert_eq!(text("verification_uri_complete"), format!("{}/device?code={}", house.url, text("user_code")));
    assert_eq!((&started.body["expires_in"], &started.body["interval"]), (&json!(600), &json!(5)));
    (text("device_code"), text("user_code"))
}

/// The program's question: an answer with a token, or a code that says why not.
async fn ask(house: &House, device: &str) -> Got {
    house.call(None, "POST", "/api/v1/device/token", Some(&json!({"device_code": device}))).await
}

async fn refusal(house: &House, device: &str) -> String {
    let answer = ask(house, device).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    answer.body["code"].as_str().unwrap().to_owned()
}

async fn answer(house: &House, person: &Person, user: &str, body: Value) -> Got {
    house.call(Some(person), "POST", &format!("/api/v1/device/{user}"), Some(&body)).await
}

async fn look(house: &House, person: &Person, user: &str) -> Got {
    house.call(Some(person), "GET", &format!("/api/v1/device/{user}"), None).await
}

async fn with(house: &House, token: &str, method: &str, path: &str, body: Option<&Value>) -> Got {
    house.call_with(&[("authorization", &format!("Bearer {token}"))], method, path, body).await
}

const PENDING: &str = "KCS-AUTH-006";
const SLOW_DOWN: &str = "KCS-AUTH-007";
const DENIED: &str = "KCS-AUTH-008";
const OVER: &str = "KCS-AUTH-009";

#[actix_web::test]
async fn what_a_person_allows_in_the_browser_comes_out_once() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (device, user) = begin(&house).await;
    let asked = look(&house, &member, &user.to_lowercase().replace('-', "")).await;
    assert_eq!((asked.status, &asked.body["client_name"], &asked.body["host_name"]), (200, &json!("kcs 0.1.0"), &json!("laptop")), "{}", asked.body);
    assert_eq!(asked.body["source"], "127.0.0.1");
    assert_eq!(refusal(&house, &device).await, PENDING);
    assert_eq!(refusal(&house, &device).await, SLOW_DOWN);
    assert_eq!(answer(&house, &member, &user, json!({"allow": true, "expires_in": 86_400})).await.status, 204);
    let got = ask(&house, &device).await;
    assert_eq!((got.status, got.headers["cache-control"].to_str().unwrap()), (201, "no-store"), "{}", got.body);
    assert_eq!(got.body["name"], "kcs 0.1.0 on laptop");
    let (id, secret) = (got.body["id"].as_str().unwrap(), got.body["secret"].as_str().unwrap());
    assert_eq!(refusal(&house, &device).await, OVER, "a second time there is nothing");
    assert_eq!(with(&house, secret, "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await.status, 202);
    // It is a token like others: listed with its last use, told of in the log, and able to end itself and nothing else.
    let list = house.call(Some(&member), "GET", "/api/v1/tokens", None).await.body;
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["last_used_from"]), (&json!(id), &json!("127.0.0.1")));
    let log = house.call(Some(&member), "GET", "/api/v1/audit", None).await.body;
    let told: Vec<_> = log["items"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert!(told.contains(&"device_allow") && told.contains(&"token_create"), "{told:?}");
    assert!(!log.to_string().contains(secret) && !log.to_string().contains(&user));
    let other = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 3600}))).await;
    let other = other.body["id"].as_str().unwrap();
    assert_eq!(with(&house, secret, "DELETE", &format!("/api/v1/tokens/{other}"), None).await.status, 403);
    assert_eq!(with(&house, secret, "DELETE", &format!("/api/v1/tokens/{id}"), None).await.status, 204);
    assert_eq!(with(&house, secret, "GET", "/api/v1/clusters", None).await.status, 401);
}

#[actix_web::test]
async fn what_was_denied_or_is_over_gives_nothing() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (denied, user) = begin(&house).await;
    assert_eq!(answer(&house, &member, &user, json!({"allow": false})).await.status, 204);
    assert_eq!(refusal(&house, &denied).await, DENIED);
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 404, "an answer is final");
    assert_eq!(refusal(&house, &denied).await, DENIED);
    let (late, user) = begin(&house).await;
    house.database.execute("UPDATE device_sign_ins SET expires_at = now()").await;
    assert_eq!(look(&house, &member, &user).await.status, 404);
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 404);
    assert_eq!(refusal(&house, &late).await, OVER);
    let (allowed, user) = begin(&house).await;
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 204);
    house.database.execute("UPDATE device_sign_ins SET expires_at = now()").await;
    assert_eq!(refusal(&house, &allowed).await, OVER, "who comes too late gets nothing");
    for nonsense in ["", "kcs_device_x", &format!("kcs_device_{}", "A".repeat(43))] {
        assert_eq!(refusal(&house, nonsense).await, OVER);
    }
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/tokens", None).await.body["total"], 0);
}

#[actix_web::test]
async fn a_program_may_do_what_the_person_may_who_allowed_it() {
    let house = House::new().await;
    let (reader, operator) = (house.sign_in("reader-a").await, house.sign_in("operator").await);
    for (person, path, method, body) in
        [(&reader, "/api/v1/clusters", "POST", Some(json!({"name": "web", "template": "dev"}))), (&operator, "/api/v1/admin/clusters", "GET", None)]
    {
        let (device, user) = begin(&house).await;
        assert_eq!(answer(&house, person, &user, json!({"allow": true})).await.status, 204);
        let secret = ask(&house, &device).await.body["secret"].as_str().unwrap().to_owned();
        assert_eq!(with(&house, &secret, "GET", "/api/v1/clusters", None).await.status, 200);
        assert_eq!(with(&house, &secret, method, path, body.as_ref()).await.status, 403, "{path}");
        // A token signs nothing in.
        let (_, user) = begin(&house).await;
        let allow = json!({"allow": true});
        assert_eq!(with(&house, &secret, "POST", &format!("/api/v1/device/{user}"), Some(&allow)).await.status, 403);
        assert_eq!(with(&house, &secret, "GET", &format!("/api/v1/device/{user}"), None).await.status, 403);
    }
}

#[actix_web::test]
async fn whoever_is_put_out_between_allowing_and_fetching_gets_no_token() {
    let house = House::new().await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let id = house.call(Some(&member), "GET", "/api/v1/session", None).await.body["user"]["id"].as_str().unwrap().to_owned();
    let (device, user) = begin(&house).await;
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 204);
    let cut = house.call(Some(&operator), "DELETE", &format!("/api/v1/admin/people/{id}/access"), None).await;
    assert_eq!((cut.status, &cut.body["tokens"]), (200, &json!(1)), "{}", cut.body);
    assert_eq!(refusal(&house, &device).await, OVER);
    let member = house.sign_in("member-a").await;
    let (device, user) = begin(&house).await;
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 204);
    house.keystone("PATCH", &format!("/users/{id}"), &json!({"user": {"enabled": false}})).await;
    assert_eq!(refusal(&house, &device).await, DENIED);
}

#[actix_web::test]
async fn who_asked_is_shown_to_nobody_without_the_code_nor_after_the_answer() {
    let house = House::new().await;
    let (member, foreign) = (house.sign_in("member-a").await, house.sign_in("member-b").await);
    let (_, user) = begin(&house).await;
    assert_eq!(house.call(None, "GET", &format!("/api/v1/device/{user}"), None).await.status, 401);
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 204);
    let mut answers = Vec::new();
    // Answered, wrong, and no code at all.
    for code in [user.as_str(), "BCDF-GHJK", "nonsense"] {
        let mut got = look(&house, &foreign, code).await;
        got.body["request_id"] = Value::Null;
        answers.push((got.status, got.body));
    }
    assert_eq!((answers[0].0, &answers[0]), (404, &answers[1]));
    assert_eq!(answers[1], answers[2]);
    assert_eq!(answer(&house, &foreign, &user, json!({"allow": false})).await.status, 404);
}

#[actix_web::test]
async fn guessing_codes_is_slowed_down_and_so_are_programs_without_end() {
    let house = House::new().await;
    let (member, other) = (house.sign_in("member-a").await, house.sign_in("member-b").await);
    let (_, user) = begin(&house).await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(look(&house, &member, "BCDF-GHJK").await.status);
    }
    assert!(statuses.starts_with(&[404; 20]) && statuses.ends_with(&[429]), "{statuses:?}");
    assert_eq!(look(&house, &member, &user).await.status, 429, "a right one is not told from wrong ones");
    assert_eq!(answer(&house, &member, &user, json!({"allow": true})).await.status, 429);
    assert_eq!(look(&house, &other, &user).await.status, 200, "others are not held up");
    let mut last = 0;
    for _ in 0..55 {
        last = house.call(None, "POST", "/api/v1/device", Some(&json!({"client_name": "kcs", "host_name": "a"}))).await.status;
    }
    assert_eq!(last, 429, "so many wait from one address and no more");
    house.database.execute("UPDATE device_sign_ins SET expires_at = now() - interval '1 second'").await;
    begin(&house).await;
}

#[actix_web::test]
async fn programs_of_one_network_of_ipv6_are_counted_together() {
    let direct = House::new().await;
    let behind = direct.beside_behind_proxy().await;
    let ask = async |address: String| {
        let body = json!({"client_name": "kcs", "host_name": "a"});
        behind.call_with(&[("x-forwarded-for", &address)], "POST", "/api/v1/device", Some(&body)).await.status
    };
    let mut statuses = Vec::new();
    for n in 1..=51 {
        statuses.push(ask(format!("2001:db8:0:1::{n:x}")).await);
    }
    assert!(statuses.starts_with(&[200; 50]) && statuses.ends_with(&[429]), "{statuses:?}");
    assert_eq!(ask("2001:db8:0:2::1".to_owned()).await, 200);
}

#[actix_web::test]
async fn the_answer_needs_the_csrf_token() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (device, user) = begin(&house).await;
    let forged = house.call_with(&[("cookie", &member.cookie)], "POST", &format!("/api/v1/device/{user}"), Some(&json!({"allow": true}))).await;
    assert_eq!((forged.status, forged.body["code"].as_str()), (403, Some("KCS-AUTH-004")));
    assert_eq!(refusal(&house, &device).await, PENDING);
}

/// The program itself, with a home of its own.
fn kcs(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kcs"));
    command.args(arguments).env("XDG_CONFIG_HOME", home).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(home: &Path, arguments: &[&str]) -> Output {
    kcs(home, arguments).output().await.unwrap()
}

/// What it printed, if it went well.
async fn printed(home: &Path, arguments: &[&str]) -> String {
    let output = run(home, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// `kcs login`, allowed by a person as soon as it shows its code.
async fn log_in(house: &House, person: &Person, home: &Path) {
    let mut login = kcs(home, &["login", &house.url, "--no-browser"]).spawn().unwrap();
    let mut lines = BufReader::new(login.stdout.take().unwrap()).lines();
    let code = loop {
        let line = lines.next_line().await.unwrap().expect("the code is shown before the program ends");
        if let Some((_, code)) = line.split_once("/device?code=") {
            break code.trim().to_owned();
        }
    };
    assert_eq!(answer(house, person, &code, json!({"allow": true})).await.status, 204);
    // Nobody reads on: the rest of its words must not end it.
    while let Some(line) = lines.next_line().await.unwrap() {
        assert!(!line.contains("kcs_api_"), "{line}");
    }
    assert!(login.wait().await.unwrap().success());
}

#[actix_web::test]
async fn kcs_signs_in_lets_kubectl_in_and_signs_out() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let home = tempfile::tempdir().unwrap();
    let credential = ["credential", "--server", house.url.as_str()];
    let nobody = run(home.path(), &credential).await;
    assert_eq!((nobody.status.code(), nobody.stdout.as_slice()), (Some(1), b"".as_slice()));
    assert!(String::from_utf8(nobody.stderr).unwrap().contains(&format!("kcs login {}", house.url)));

    log_in(&house, &member, home.path()).await;
    let shown: Value = serde_json::from_str(&printed(home.path(), &credential).await).unwrap();
    assert_eq!((&shown["apiVersion"], &shown["kind"]), (&json!("client.authentication.k8s.io/v1"), &json!("ExecCredential")));
    assert!(shown["status"]["expirationTimestamp"].as_str().unwrap().ends_with('Z'));
    let token = shown["status"]["token"].as_str().unwrap().to_owned();
    // The stand-in's answer never ends: its head says enough.
    let gate = async |token: &str| {
        let url = format!("{}/k8s/clusters/{cluster}/api/v1/namespaces/web/pods", house.url);
        reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!(gate(&token).await, 200);

    for name in ["web", cluster.as_str()] {
        let text = printed(home.path(), &["kubeconfig", name, "--server", &house.url]).await;
        let config: serde_yaml_ng::Value = serde_yaml_ng::from_str(&text).unwrap();
        let exec = &config["users"][0]["user"]["exec"];
        assert_eq!((exec["command"].as_str(), exec["args"][2].as_str()), (Some("kcs"), Some(house.url.as_str())), "{text}");
        assert_eq!(config["clusters"][0]["cluster"]["server"].as_str().unwrap(), format!("https://127.0.0.1:8443/k8s/clusters/{cluster}"));
        assert!(!text.contains("kcs_api_") && !text.contains("token:"), "{text}");
    }
    assert!(!run(home.path(), &["kubeconfig", "other", "--server", &house.url]).await.status.success());

    // A second sign-in ends what the first one got.
    log_in(&house, &member, home.path()).await;
    assert_eq!(gate(&token).await, 401);
    let shown: Value = serde_json::from_str(&printed(home.path(), &credential).await).unwrap();
    let token = shown["status"]["token"].as_str().unwrap().to_owned();
    assert_eq!(gate(&token).await, 200);
    printed(home.path(), &["logout", &house.url]).await;
    assert_eq!(gate(&token).await, 401);
    assert_eq!(run(home.path(), &credential).await.status.code(), Some(1));
}
