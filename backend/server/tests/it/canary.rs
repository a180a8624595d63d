//! Known secrets, pushed through every flow, are nowhere to be found afterwards: not in the database, the log, the figures, the audit log, or any
//! answer but the one that hands them out.

use crate::house::{House, PASSWORD, Person};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

/// All that this process wrote into its log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// As the program does it where somebody looks for a fault.
    fn begin() -> Self {
        let log = Self::default();
        let filter = cloud_openstack::LOG_CAPS
            .iter()
            .fold(EnvFilter::new("debug"), |filter, (target, cap)| filter.add_directive(format!("{target}={cap}").parse().unwrap()));
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone()).try_init().unwrap();
        log
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// The secrets, each in the forms in which it could lie about.
struct Canaries(Vec<(&'static str, Vec<String>)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: &str) {
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.0.push((what, vec![secret.to_owned(), STANDARD.encode(secret).trim_end_matches('=').to_owned(), hex]));
    }

    fn assert_absent(&self, place: &str, text: &str) {
        for (what, forms) in &self.0 {
            assert!(!forms.iter().any(|form| text.contains(form)), "{what} is in {place}");
        }
    }
}

/// Everything in the database, as text.
fn dump(house: &House) -> String {
    let tools: Vec<_> = std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path().join("bin/pg_dump")).collect();
    let dump = Command::new(tools.iter().max().unwrap()).args(["--inserts", &house.database.url]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    String::from_utf8(dump.stdout).unwrap()
}

#[actix_web::test]
async fn what_is_secret_is_nowhere_to_be_found() {
    let log = Log::begin();
    let house = House::new().await;
    let (mut canaries, mut answers) = (Canaries(Vec::new()), String::new());
    let secret = |name: &str| format!("canary-{name}-{}", Uuid::new_v4());
    canaries.add("the password", PASSWORD);

    let wrong = secret("password");
    for (password, domain) in [(wrong.as_str(), "Default"), (wrong.as_str(), "Nowhere")] {
        let sign_in = json!({"username": "member-a", "password": password, "domain": domain});
        answers += &house.call(None, "POST", "/api/v1/session", Some(&sign_in)).await.body.to_string();
    }
    answers += &house.call(None, "POST", "/api/v1/session", Some(&json!({"username": {}, "password": wrong}))).await.body.to_string();
    canaries.add("a wrong password", &wrong);
    let by_credential = json!({"id": "nobodys", "secret": secret("credential")});
    answers += &house.call(None, "POST", "/api/v1/session/application-credential", Some(&by_credential)).await.body.to_string();
    canaries.add("an application credential's secret", by_credential["secret"].as_str().unwrap());

    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    canaries.add("the cookie", member.cookie.split_once('=').unwrap().1);
    let keystone = house.keystone_token("member-a", "tenant-a").await;
    canaries.add("a token of Keystone's", &keystone);
    let nonsense = secret("header");
    canaries.add("a token that is worth nothing", &nonsense);
    let bearer = format!("Bearer {nonsense}");
    for headers in [[("x-auth-token", keystone.as_str())], [("x-auth-token", nonsense.as_str())], [("authorization", bearer.as_str())]] {
        answers += &house.call_with(&headers, "GET", "/api/v1/clusters", None).await.body.to_string();
    }

    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, kubeconfig) = house.kubeconfig(&member, &cluster).await;
    canaries.add("a kubeconfig's token", &kubeconfig);
    let made = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 3600}))).await;
    let token = made.body["secret"].as_str().unwrap().to_owned();
    canaries.add("an API token", &token);
    let begun = house.call(None, "POST", "/api/v1/device", Some(&json!({"client_name": "kcs", "host_name": "laptop"}))).await.body;
    let (device, user_code) = (begun["device_code"].as_str().unwrap().to_owned(), begun["user_code"].as_str().unwrap().to_owned());
    canaries.add("a device code", &device);
    house.call(Some(&member), "POST", &format!("/api/v1/device/{user_code}"), Some(&json!({"allow": true}))).await;
    let collected = house.call(None, "POST", "/api/v1/device/token", Some(&json!({"device_code": device}))).await.body;
    canaries.add("a program's token", collected["secret"].as_str().unwrap());

    let (bearer, mut collector) = (secret("authorization"), crate::settings::Collector::start(200));
    let refuses = crate::settings::Collector::start(403);
    canaries.add("what a collector of the audit log wants", &bearer);
    for (to, method, path) in [(&refuses.url, "PUT", ""), (&collector.url, "POST", "/test"), (&collector.url, "PUT", "")] {
        let settings = json!({"revision": 0, "audit": {"forward": to, "forward_authorization": bearer}});
        answers += &house.call(Some(&operator), method, &format!("/api/v1/admin/settings{path}"), Some(&settings)).await.body.to_string();
    }
    assert_eq!(collector.next().await.0, bearer);
    answers += &house.call(Some(&operator), "GET", "/api/v1/admin/settings/history", None).await.body.to_string();

    let value = secret("value");
    canaries.add("a Secret's value", &value);
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": value}});
    let gate = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/secrets");
    for bearer in [&kubeconfig, &token, &nonsense] {
        for (method, path) in [("POST", gate.clone()), ("PUT", format!("{gate}/s")), ("GET", format!("{gate}/s"))] {
            let request = reqwest::Client::new().request(method.parse().unwrap(), format!("{}{path}", house.url)).bearer_auth(bearer);
            let answer = request.json(&object).send().await.unwrap();
            answers += &format!("{:?}", answer.headers());
        }
    }
    looks(&house, &member, &cluster, &mut answers).await;
    answers += &house.figures("/metrics").await.text().await.unwrap();
    for path in ["/api/v1/admin/audit", "/api/v1/admin/audit/export", "/api/v1/admin/people", "/api/v1/admin/clusters"] {
        answers += &house.call(Some(&operator), "GET", path, None).await.body.to_string();
    }
    house.call(Some(&member), "DELETE", "/api/v1/session", None).await;

    canaries.assert_absent("an answer", &answers);
    canaries.assert_absent("the log", &log.text());
    assert!(log.text().contains("DEBUG"), "the log was not written");
    let dump = dump(&house);
    assert!(dump.contains("kubernetes_secret_read"), "the database was not written down");
    canaries.assert_absent("the database", &dump);
}

/// What a person can look at afterwards.
async fn looks(house: &House, person: &Person, cluster: &str, answers: &mut String) {
    let list = house.call(Some(person), "GET", "/api/v1/operations", None).await.body;
    let operation = list["items"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/api/v1/clusters".to_owned(),
        format!("/api/v1/clusters/{cluster}"),
        format!("/api/v1/clusters/{cluster}/kubeconfigs"),
        format!("/api/v1/clusters/{cluster}/kubeconfig"),
        format!("/api/v1/clusters/{cluster}/resources"),
        format!("/api/v1/operations/{operation}"),
        "/api/v1/tokens".to_owned(),
        "/api/v1/audit".to_owned(),
        "/api/v1/audit/export".to_owned(),
        "/readyz".to_owned(),
    ] {
        let answer = house.call(Some(person), "GET", &path, None).await;
        assert_eq!(answer.status, 200, "{path}");
        *answers += &answer.body.to_string();
    }
    let wrong = house.call(Some(person), "GET", "/api/v1/clusters?cursor=x", None).await;
    assert_ne!(wrong.body, Value::Null);
    *answers += &wrong.body.to_string();
}
