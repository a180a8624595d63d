//! Known secrets, pushed through every flow, and those that KCS makes itself are nowhere to be found afterwards: not in the database, the log, the figures, the
//! audit log, receipts, or any answer but the one that hands them out.

use crate::federation;
use crate::house::{Got, House, PASSWORD, Person};
use crate::settings::{Collector, within_a_minute};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::ids::{ClusterId, TenantId};
use local_cloud::machines::{Boot, Frontend, Machines};
use local_cloud::{NoMachines, Service};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use store::SecretOwner;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

/// All that this process wrote into its log since a test looked at it first.
static LOG: LazyLock<Log> = LazyLock::new(Log::begin);

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

    /// The beginnings of the statements that a request led to, in order.
    fn statements(&self, request: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains("sqlx::query") && line.contains(request));
        let summaries = lines.filter_map(|line| line.split("summary=\"").nth(1)?.split('"').next());
        let of_ours = |summary: &&str| ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|word| summary.starts_with(word));
        summaries.filter(of_ours).map(str::to_owned).collect()
    }
}

/// The secrets, each in the forms in which it could lie about.
struct Canaries(Vec<(&'static str, Vec<String>)>);

impl Canaries {
    fn add(&mut self, what: &'static str, secret: &str) {
        // Of a private key its first line: where it was written into something else, ends of lines are others.
        let secret = if secret.starts_with("-----BEGIN") { secret.lines().nth(1).unwrap() } else { secret };
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let within = (0..3).map(|shift| within_base64(secret, shift));
        self.0.push((what, within.chain([secret.to_owned(), hex]).collect()));
    }

    fn assert_absent(&self, place: &str, text: &str) {
        for (what, forms) in &self.0 {
            assert!(!forms.iter().any(|form| text.contains(form)), "{what} is in {place}");
        }
    }

    /// All places at once.
    fn assert_nowhere(&self, house: &House, answers: &str) {
        self.assert_absent("an answer", answers);
        self.assert_absent("the log", &LOG.text());
        assert!(LOG.text().contains("DEBUG"), "the log was not written");
        let dump = dump(house);
        assert!(dump.contains("INSERT INTO public.audit "), "the database was not written down");
        self.assert_absent("the database", &dump);
    }
}

/// How a text shows in the base64 of something that has it after so many bytes more than a multiple of three.
fn within_base64(text: &str, shift: usize) -> String {
    let bytes = [&b"   "[..shift], text.as_bytes()].concat();
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    // What shares a character with its neighbours shows in many ways.
    encoded[[0, 2, 3][shift]..encoded.len() - usize::from(bytes.len() % 3 != 0)].to_owned()
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
    LazyLock::force(&LOG);
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

    sign_ins(&house, &mut canaries, &mut answers).await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    canaries.add("the cookie", member.cookie.split_once('=').unwrap().1);
    canaries.add("what proves that a request is our own page's", &member.csrf);
    canaries.add("the key of keys", house.database.keys.to_text().expose_secret().trim().rsplit(':').next().unwrap());
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

    let (bearer, mut collector) = (secret("authorization"), Collector::start(200));
    let refuses = Collector::start(403);
    canaries.add("what a collector of the audit log wants", &bearer);
    for (to, method, path) in [(&refuses.url, "PUT", ""), (&collector.url, "POST", "/test"), (&collector.url, "PUT", "")] {
        let settings = json!({"revision": 0, "audit": {"forward": to, "forward_authorization": bearer}});
        answers += &house.call(Some(&operator), method, &format!("/api/v1/admin/settings{path}"), Some(&settings)).await.body.to_string();
    }
    assert_eq!(collector.next().await.0, bearer);
    // Where addresses are wanted some write a password, too.
    let within_url = secret("within-url");
    canaries.add("a password within an address", &within_url);
    let settings = json!({"revision": 1, "audit": {"forward": format!("https://kcs:{within_url}@siem.example")}});
    answers += &house.call(Some(&operator), "PUT", "/api/v1/admin/settings", Some(&settings)).await.body.to_string();
    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", secret("private-key"));
    canaries.add("a private key", &key);
    for spec in [
        json!({"proxy": {"http": format!("http://kcs:{within_url}@proxy.example:3128")}}),
        json!({"registry_mirror": format!("kcs:{within_url}@mirror.example")}),
        json!({"ca_certificates": [key]}),
    ] {
        for path in ["/api/v1/clusters", "/api/v1/clusters/plan"] {
            let refused = house.call(Some(&member), "POST", path, Some(&json!({"name": "site", "template": "dev", "spec": spec}))).await;
            assert_ne!(refused.status, 202, "{}", refused.body);
            answers += &refused.body.to_string();
        }
    }
    answers += &house.call(Some(&operator), "GET", "/api/v1/admin/settings/history", None).await.body.to_string();

    let value = secret("value");
    canaries.add("a Secret's value", &value);
    let data = STANDARD_NO_PAD.encode(&value);
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"key": value}, "data": {"other": data}});
    let gate = format!("/k8s/clusters/{cluster}/api/v1/namespaces/default/secrets");
    for bearer in [&kubeconfig, &token, &nonsense] {
        for (method, path) in [("POST", gate.clone()), ("PUT", format!("{gate}/s")), ("PATCH", format!("{gate}/s")), ("GET", format!("{gate}/s"))] {
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

    canaries.assert_nowhere(&house, &answers);
    assert!(dump(&house).contains("kubernetes_secret_read"), "the looks at Secrets were not written down");
}

/// Passcodes, and the ways by an identity provider.
async fn sign_ins(house: &House, canaries: &mut Canaries, answers: &mut String) {
    let passcode = "9081726354";
    canaries.add("a passcode", passcode);
    for (user, passcode) in [("totp-a", json!(passcode)), ("nobody", json!(passcode)), ("totp-a", json!(9_081_726_354_u64))] {
        let body = json!({"username": user, "password": PASSWORD, "passcode": passcode});
        *answers += &house.call(None, "POST", "/api/v1/session", Some(&body)).await.body.to_string();
    }
    let shown = house.cloud.passcode("totp-a").unwrap();
    let body = json!({"username": "totp-a", "password": PASSWORD, "passcode": shown});
    assert_eq!(house.call(None, "POST", "/api/v1/session", Some(&body)).await.status, 200);

    let assertion = format!("canary-assertion-{}", Uuid::new_v4());
    canaries.add("what somebody made up in place of a token", &assertion);
    for made_up in [true, false] {
        let (url, cookie) = federation::begin(house, "/").await;
        let token = federation::token(house, &url, "sso-a");
        canaries.add("a token of an identity provider's sign-in", &token);
        canaries.add("what ties it to the browser", cookie.split_once('=').unwrap().1);
        let answer = federation::come_back(house, &cookie, federation::KEYSTONE, if made_up { &assertion } else { &token }).await;
        assert_eq!(answer.status, 303);
        *answers += &format!("{} {:?}", answer.body, answer.headers["location"]);
        for cookie in answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()) {
            let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
            if !value.is_empty() {
                canaries.add("a cookie of who came by a provider", value);
            }
        }
    }
}

/// Servers that boot, and whose consoles say what they were given.
#[derive(Default)]
struct Echo(Mutex<HashMap<String, String>>);

impl Echo {
    /// The tokens that servers were given.
    fn tokens(&self) -> Vec<String> {
        let token = |said: &String| said.find("kcs_node_").map(|at| said[at..at + 52].to_owned());
        self.0.lock().unwrap().values().filter_map(token).collect()
    }
}

impl Machines for Echo {
    fn boot(&self, boot: &Boot) -> Result<(), String> {
        let said = String::from_utf8_lossy(boot.user_data.as_deref().unwrap_or_default()).into_owned();
        self.0.lock().unwrap().insert(boot.server.clone(), said);
        Ok(())
    }
    fn start(&self, server: &str) -> Result<(), String> {
        NoMachines.start(server)
    }
    fn stop(&self, server: &str) -> Result<(), String> {
        NoMachines.stop(server)
    }
    fn reboot(&self, server: &str, hard: bool) -> Result<(), String> {
        NoMachines.reboot(server, hard)
    }
    fn delete(&self, server: &str) -> Result<(), String> {
        NoMachines.delete(server)
    }
    fn running(&self, server: &str) -> bool {
        NoMachines.running(server)
    }
    fn console(&self, server: &str) -> String {
        self.0.lock().unwrap().get(server).cloned().unwrap_or_default()
    }
    fn balance(&self, frontends: &[Frontend]) {
        NoMachines.balance(frontends);
    }
    fn member_up(&self, member: &str) -> Option<bool> {
        NoMachines.member_up(member)
    }
    fn network_down(&self, network: &str) {
        NoMachines.network_down(network);
    }
    fn images(&self) -> Vec<(String, u8, bool)> {
        NoMachines.images()
    }
}

/// Every secret that is kept, opened: (kind, what of it is secret).
async fn kept(house: &House, cluster: ClusterId) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for row in dump(house).lines().filter(|line| line.starts_with("INSERT INTO public.secrets VALUES ")) {
        let mut texts = row.split('\'').skip(1).step_by(2);
        let (owner, kind) = (texts.next().unwrap(), texts.next().unwrap());
        let owner = match owner.split_once('/') {
            Some(("cluster", id)) => SecretOwner::Cluster(id.parse().unwrap()),
            Some(("node", id)) => SecretOwner::Node(cluster, id.parse().unwrap()),
            Some(("tenant", id)) => SecretOwner::Tenant(TenantId(id.to_owned())),
            _ => SecretOwner::Installation,
        };
        let text = house.store.secret(&owner, kind).await.unwrap().unwrap();
        let mut parts = Vec::new();
        match serde_json::from_str::<Value>(text.expose_secret()) {
            Ok(tree @ Value::Object(_)) => secret_parts("", &tree, &mut parts),
            _ => parts.push(text.expose_secret().to_owned()),
        }
        found.push((kind.to_owned(), parts));
    }
    found
}

/// What is secret of one that has parts: keys, passwords, secrets.
fn secret_parts(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(parts) => parts.iter().for_each(|(name, part)| secret_parts(name, part, found)),
        Value::Array(parts) => parts.iter().for_each(|part| secret_parts(name, part, found)),
        Value::String(text) if ["key_pem", "secret", "password"].iter().any(|end| name.ends_with(end)) => found.push(text.clone()),
        _ => (),
    }
}

#[actix_web::test]
async fn what_the_engine_makes_is_nowhere_to_be_found() {
    LazyLock::force(&LOG);
    let echo = Arc::new(Echo::default());
    let house = House::with_machines(echo.clone()).await;
    let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
    let (mut canaries, mut answers, stop) = (Canaries(Vec::new()), String::new(), CancellationToken::new());
    let engine = house.engine(stop.clone());
    let made = house.call(Some(&member), "POST", "/api/v1/clusters", Some(&json!({"name": "web", "template": "dev"}))).await;
    assert_eq!(made.status, 202, "{}", made.body);
    let id = made.body["cluster"]["id"].as_str().unwrap();
    let (cluster, create) = (format!("/api/v1/clusters/{id}"), format!("/api/v1/operations/{}", made.body["operation"]["id"].as_str().unwrap()));
    let nodes = async || house.call(Some(&member), "GET", &format!("{cluster}/nodes"), None).await.body["items"].take();
    let recorded = async || nodes().await.as_array().unwrap().iter().filter(|node| node["server"]["id"].is_string()).count() == 3;
    within_a_minute(async || echo.tokens().len() == 3 && recorded().await).await;

    let secrets = kept(&house, id.parse().unwrap()).await;
    let kinds: BTreeSet<&str> = secrets.iter().map(|(kind, _)| kind.as_str()).collect();
    for kind in ["pki", "application_credential", "service_user", "join_token"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let texts: Vec<&String> = secrets.iter().flat_map(|(_, texts)| texts).collect();
    // Three authorities, the key of service accounts, the one for Secrets.
    assert_eq!(secrets.iter().find(|(kind, _)| kind == "pki").unwrap().1.len(), 5);
    texts.iter().for_each(|text| canaries.add("what the engine made", text));
    echo.tokens().iter().for_each(|token| canaries.add("a node's token", token));

    // What nodes say of themselves has in it all that they should not say.
    let join = secrets.iter().find(|(kind, _)| kind == "join_token").unwrap().1[0].as_str();
    let key = secrets.iter().find(|(kind, _)| kind == "pki").unwrap().1[0].as_str();
    let tokens = echo.tokens();
    let report = async |token: &str, path: &str, words: String| {
        let bearer = format!("Bearer {token}");
        assert_eq!(house.form(&[("authorization", &bearer)], &format!("/node/v1/{path}"), words).await.status, 204);
    };
    let mut given_keys = 0;
    for token in &tokens {
        let bearer = format!("Bearer {token}");
        let bundle = house.call_with(&[("authorization", &bearer)], "POST", "/node/v1/bundle", None).await;
        assert_eq!(bundle.status, 200, "{}", bundle.body);
        given_keys += usize::from(bundle.body.to_string().contains("PRIVATE KEY"));
        report(token.as_str(), "progress", format!("{token} {join}")).await;
    }
    assert_eq!(given_keys, 1, "only the master gets keys");
    let found = nodes().await;
    for node in found.as_array().unwrap() {
        assert_eq!(node["bootstrap"]["stage"], "[token] [token]", "{node}");
        let console = text(&house.call(Some(&member), "GET", &format!("{cluster}/nodes/{}/console", node["id"].as_str().unwrap()), None).await);
        assert!(console.contains("Authorization: Bearer [token]"), "{console}");
        answers += &(node.to_string() + &console);
    }
    for token in &tokens {
        report(token.as_str(), "failed", format!("{token}\nkubeadm join --token {join}\n{key}")).await;
        // A second time: that is told.
        let bearer = format!("Bearer {token}");
        answers += &text(&house.call_with(&[("authorization", &bearer)], "POST", "/node/v1/bundle", None).await);
    }
    answers += &nodes().await.to_string();
    for path in [cluster.clone(), create, format!("{cluster}/resources"), format!("{cluster}/delete-plan"), "/readyz".to_owned()] {
        answers += &text(&house.call(Some(&member), "GET", &path, None).await);
    }

    let deleted = house.call(Some(&member), "DELETE", &cluster, Some(&json!({"confirm": "web", "volumes": "erase"}))).await;
    assert_eq!(deleted.status, 202, "{}", deleted.body);
    let delete = format!("/api/v1/operations/{}", deleted.body["operation"]["id"].as_str().unwrap());
    let receipt = format!("{delete}/receipt");
    within_a_minute(async || house.call(Some(&member), "GET", &receipt, None).await.status == 200).await;
    for path in [delete, receipt.clone(), format!("{receipt}?format=text"), "/api/v1/audit/export".to_owned()] {
        answers += &text(&house.call(Some(&member), "GET", &path, None).await);
    }
    for path in ["/api/v1/admin/audit/export", "/api/v1/admin/operations", "/api/v1/admin/orphans", "/api/v1/admin/clusters"] {
        answers += &text(&house.call(Some(&operator), "GET", path, None).await);
    }
    answers += &house.figures("/metrics").await.text().await.unwrap();
    stop.cancel();
    engine.await.unwrap();
    canaries.assert_nowhere(&house, &answers);
}

fn text(answer: &Got) -> String {
    assert!(answer.status < 500, "{}", answer.body);
    answer.body.to_string()
}

/// What Keystone is asked by a sign-in and after it.
const ASKED: [(&str, &str); 4] =
    [("POST", "/identity/v3/auth/tokens"), ("GET", "/identity/v3/auth/tokens"), ("GET", "/identity/v3/auth/projects"), ("GET", "/identity/v3/users")];

#[actix_web::test]
async fn a_refused_sign_in_takes_the_same_steps_whether_or_not_there_is_such_a_person() {
    LazyLock::force(&LOG);
    let house = House::new().await;
    let signed_in = house.call(None, "POST", "/api/v1/session", Some(&json!({"username": "member-a", "password": PASSWORD}))).await;
    let cookies = signed_in.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    let device = cookies.map(str::to_owned).find(|cookie| cookie.starts_with("kcs_device=")).unwrap();
    let asked = || ASKED.map(|(method, path)| house.cloud.calls(Service::Identity, method, path));
    let steps = async |user: &str, domain: &str, passcode: Option<&str>, cookie: &str| {
        let before = asked();
        let mut body = json!({"username": user, "password": "wrong", "domain": domain});
        if let Some(passcode) = passcode {
            body["passcode"] = json!(passcode);
        }
        let mut answer = house.call_with(&[("cookie", cookie)], "POST", "/api/v1/session", Some(&body)).await;
        let calls: Vec<u64> = asked().iter().zip(before).map(|(after, before)| after - before).collect();
        answer.body["request_id"] = Value::Null;
        (answer.status, answer.body, calls, LOG.statements(answer.headers["x-request-id"].to_str().unwrap()))
    };
    let known = steps("member-a", "Default", None, "").await;
    assert_eq!((known.0, &known.2), (401, &vec![1, 0, 0, 0]), "{known:?}");
    assert!(known.3.iter().any(|statement| statement.starts_with("WITH line AS (")), "{known:?}");
    for (user, domain, passcode, cookie) in [
        ("nobody", "Default", None, ""),
        ("member-a", "Nowhere", None, ""),
        ("totp-a", "Default", None, ""),
        ("totp-a", "Default", Some("000000"), ""),
        ("nobody", "Default", Some("000000"), ""),
        // A browser that the person has signed in with, and the same as if it were somebody else's.
        ("member-a", "Default", None, device.as_str()),
        ("nobody", "Default", None, device.as_str()),
    ] {
        assert_eq!(steps(user, domain, passcode, cookie).await, known, "{user} {domain} {passcode:?} {cookie}");
    }
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
