//! Requests by the document's own schemas, and beside them: whoever sends whatever to whichever route or cluster, nothing ends in a 5xx or a lost
//! connection, and memory stays. `make fuzz` sends many more than a test run; seeds that once found something are kept and come first.

use crate::cluster_api::ClusterApi;
use crate::credentials::Credential;
use crate::house::{House, Person};
use crate::tokens;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Seeds that found something once, among their first requests.
const KEPT: [u64; 2] = [1, 11_872_327_786_086_462_419];
/// Requests by one seed: in a test run, and of `make fuzz`, where everybody signs in anew less often than is allowed.
const FEW: usize = 250;
const MANY: usize = 1_000;

/// Texts that readers of texts stumble over.
const ODD: [&str; 24] = [
    "",
    " ",
    "null",
    "0",
    "-1",
    "9223372036854775808",
    "1e400",
    "true",
    "../../etc/passwd",
    "..%2f..%2f",
    "%00",
    "a\u{0}b",
    "\u{202e}gnp.exe",
    "集群",
    "😀",
    "<script>alert(1)</script>",
    "' OR '1'='1",
    "$(reboot)",
    "{{7*7}}",
    "a,b,c",
    "2020-01-01T00:00:00Z",
    "0000-00-00",
    "10.0.0.0/33",
    "::/0",
];

/// Heads of who wants bytes both ways: of several values one is drawn, and but for the first two each is sometimes left out.
const WEBSOCKET: [(&str, &[&str]); 6] = [
    ("connection", &["Upgrade", "keep-alive, upgrade"]),
    ("upgrade", &["websocket", "WebSocket", "h2c"]),
    ("sec-websocket-version", &["13", "8"]),
    ("sec-websocket-key", &["dGhlIHNhbXBsZSBub25jZQ==", "short"]),
    ("sec-websocket-protocol", &["v5.channel.k8s.io", "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.AAAA", ","]),
    ("origin", &["http://127.0.0.1", "https://elsewhere.example", "null"]),
];
const SPDY: [(&str, &[&str]); 3] = [
    ("connection", &["Upgrade", "keep-alive, upgrade"]),
    ("upgrade", &["SPDY/3.1", "spdy/3"]),
    ("x-stream-protocol-version", &["v4.channel.k8s.io", "v9"]),
];

/// Who may come.
enum Visitor {
    Nobody,
    Person(Person),
    Bearer(String),
    /// With a token of Keystone's own.
    Keystone(String),
}

/// Method, path with query, content type, body.
type Sent = (String, String, &'static str, Option<Vec<u8>>);

struct Route {
    id: String,
    method: String,
    path: String,
    /// Names of what may be asked for in the query.
    query: Vec<String>,
    body: Option<Value>,
}

/// All that is drawn from.
struct Pool {
    routes: Vec<Route>,
    schemas: Value,
    /// Ids that there are.
    ids: Vec<String>,
    cluster: String,
    guest: String,
    credential: Credential,
}

fn upgrade(rng: &mut StdRng) -> Vec<(&'static str, &'static str)> {
    let all: &[(&'static str, &'static [&'static str])] = if rng.random::<bool>() { &WEBSOCKET } else { &SPDY };
    let mut heads = Vec::new();
    for (number, (name, values)) in all.iter().enumerate() {
        if number < 2 || rng.random_ratio(7, 8) {
            heads.push((*name, *values.choose(rng).unwrap()));
        }
    }
    heads
}

fn routes(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let query = parameters.iter().filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap().to_owned()).collect();
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let body = operation.pointer("/requestBody/content/application~1json/schema").cloned();
            routes.push(Route { id, method: method.to_uppercase(), path: path.clone(), query, body });
        }
    }
    routes
}

/// With what is over, with what was narrowed, and with what Keystone gave. What anybody had until now is over, too.
async fn rarer_visitors(house: &House, pool: &Pool) -> Vec<Visitor> {
    let member = house.sign_in("member-a").await;
    let (_, over) = tokens::make(house, &member, json!({})).await;
    house.database.execute("UPDATE sessions SET expires_at = now(); UPDATE api_tokens SET expires_at = now()").await;
    let mut visitors = vec![Visitor::Bearer(over), Visitor::Person(member)];
    let member = house.sign_in("member-a").await;
    for narrowing in [
        json!({"permissions": ["cluster_update", "node_pool_resize", "kubernetes_exec"]}),
        json!({"clusters": [pool.cluster]}),
        json!({"clusters": [pool.cluster], "namespaces": ["web"]}),
    ] {
        visitors.push(Visitor::Bearer(tokens::make(house, &member, narrowing).await.1));
    }
    visitors.push(Visitor::Keystone(house.keystone_token("member-a", "tenant-a").await));
    visitors.push(Visitor::Person(pool.credential.sign_in(house).await.person()));
    visitors
}

/// Everybody anew, the usual and the rarer: what was sent before may have signed them out, or taken their rights.
async fn visitors(house: &House, pool: &Pool) -> (Vec<Visitor>, Vec<Visitor>) {
    let (cluster, guest) = (&pool.cluster, &pool.guest);
    house.database.execute("DELETE FROM member_places; DELETE FROM members; UPDATE api_tokens SET revoked_at = now()").await;
    let rarer = rarer_visitors(house, pool).await;
    let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
    let place = json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "web", "role": "member"}]});
    house.call(Some(&owner), "PUT", &format!("/api/v1/members/{guest}"), Some(&place)).await;
    let token = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 86_400}))).await.body;
    let (_, kubeconfig) = house.kubeconfig(&member, cluster).await;
    let mut visitors = vec![Visitor::Nobody, Visitor::Bearer(kubeconfig), Visitor::Bearer(token["secret"].as_str().unwrap().to_owned())];
    for user in ["guest-a", "reader-a", "member-b", "operator"] {
        visitors.push(Visitor::Person(house.sign_in(user).await));
    }
    visitors.extend([Visitor::Person(member), Visitor::Person(owner)]);
    (visitors, rarer)
}

impl Pool {
    async fn new(house: &House) -> (Self, ClusterApi) {
        let document: Value = serde_json::from_str(&api::openapi::json().unwrap()).unwrap();
        let (owner, member) = (house.sign_in("owner-a").await, house.sign_in("member-a").await);
        let (cluster, api) = house.cluster_with_answering_api(&member, "web").await;
        let (other, operation) = house.running_cluster(&member, "other").await;
        let (kubeconfig, _) = house.kubeconfig(&member, &cluster).await;
        let token = house.call(Some(&member), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 86_400}))).await.body;
        let members = house.call(Some(&owner), "GET", "/api/v1/members", None).await.body;
        let guest = members["items"].as_array().unwrap().iter().find(|m| m["name"] == "guest-a").unwrap()["id"].as_str().unwrap().to_owned();
        let nobodys = "01990000-0000-7000-8000-000000000000".to_owned();
        let ids = vec![cluster.clone(), other, operation, kubeconfig, token["id"].as_str().unwrap().to_owned(), guest.clone(), nobodys];
        let credential = Credential::of(house, "member-a", "tenant-a", &["member"]).await;
        (Self { routes: routes(&document), schemas: document["components"]["schemas"].clone(), ids, cluster, guest, credential }, api)
    }

    fn text(&self, rng: &mut StdRng) -> String {
        match rng.random_range(0..8) {
            0..3 => (*ODD.choose(rng).unwrap()).to_owned(),
            3 => self.ids.choose(rng).unwrap().clone(),
            4 => "x".repeat(rng.random_range(1..5_000)),
            5 => (0..rng.random_range(1..20)).map(|_| rng.random::<char>()).collect(),
            6 => ["member-a", "dev", "web", "default", "m1.medium", "v1.36.3", "10.1.0.0/16", "nova"]
                .choose(rng)
                .map(|word| (*word).to_owned())
                .unwrap(),
            _ => rng.random::<i64>().to_string(),
        }
    }

    /// Anything that JSON can say.
    fn junk(&self, rng: &mut StdRng, depth: u32) -> Value {
        match rng.random_range(0..if depth > 3 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => rng.random::<bool>().into(),
            2 => rng.random::<i64>().into(),
            3 => json!(rng.random::<f64>() * 1e300),
            4 => self.text(rng).into(),
            5 => (0..rng.random_range(0..4)).map(|_| self.junk(rng, depth + 1)).collect(),
            6 => (0..rng.random_range(0..4)).map(|_| (self.text(rng), self.junk(rng, depth + 1))).collect::<Map<_, _>>().into(),
            // Nested deeper than any reader should follow.
            _ => (0..rng.random_range(1..400)).fold(json!(1), |inner, _| json!([inner])),
        }
    }

    /// What the schema asks for, and sometimes not.
    fn value(&self, rng: &mut StdRng, schema: &Value, depth: u32) -> Value {
        if rng.random_ratio(1, 12) {
            return self.junk(rng, depth);
        }
        if let Some(name) = schema["$ref"].as_str() {
            return self.value(rng, &self.schemas[name.rsplit('/').next().unwrap()], depth);
        }
        for several in ["oneOf", "anyOf", "allOf"] {
            if let Some(list) = schema[several].as_array() {
                let one = list.choose(rng).unwrap();
                return self.value(rng, one, depth);
            }
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.choose(rng).unwrap().clone();
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            kind => kind.as_str().into_iter().collect(),
        };
        match kinds.choose(rng).copied().unwrap_or("object") {
            "object" if depth < 8 => {
                let properties = schema["properties"].as_object().cloned().unwrap_or_default();
                let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let chosen = properties.iter().filter(|(name, _)| rng.random_ratio(if required.contains(&name.as_str()) { 19 } else { 10 }, 20));
                let chosen: Vec<_> = chosen.collect();
                chosen.into_iter().map(|(name, schema)| (name.clone(), self.value(rng, schema, depth + 1))).collect::<Map<_, _>>().into()
            }
            "array" if depth < 8 => (0..rng.random_range(0..4)).map(|_| self.value(rng, &schema["items"], depth + 1)).collect(),
            "integer" => (*[0, 1, 2, 3, 5, 24, 3600, -1, i64::from(u32::MAX), i64::MAX].choose(rng).unwrap()).into(),
            "number" => rng.random::<f64>().into(),
            "boolean" => rng.random::<bool>().into(),
            "null" => Value::Null,
            _ => self.text(rng).into(),
        }
    }

    fn encoded(&self, rng: &mut StdRng) -> String {
        url::form_urlencoded::byte_serialize(self.text(rng).as_bytes()).collect()
    }

    /// A request to the API.
    fn request(&self, rng: &mut StdRng) -> Sent {
        let route = self.routes.choose(rng).unwrap();
        let mut path = String::new();
        for part in route.path.split('/').skip(1) {
            path.push('/');
            match part.strip_prefix('{') {
                Some(_) if rng.random_ratio(2, 3) => path.push_str(self.ids.choose(rng).unwrap()),
                Some(_) => path.push_str(&self.encoded(rng)),
                None => path.push_str(part),
            }
        }
        let mut mark = '?';
        for (name, one_in) in route.query.iter().map(|name| (name.as_str(), 3)).chain([("unknown", 20)]) {
            if rng.random_ratio(1, one_in) {
                path.push_str(&format!("{mark}{name}={}", self.encoded(rng)));
                mark = '&';
            }
        }
        let method = if rng.random_ratio(1, 25) {
            (*["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].choose(rng).unwrap()).to_owned()
        } else {
            route.method.clone()
        };
        let body = match &route.body {
            _ if rng.random_ratio(1, 30) => Some((0..rng.random_range(0..200)).map(|_| rng.random()).collect()),
            Some(schema) => Some(self.value(rng, schema, 0).to_string().into_bytes()),
            None => None,
        };
        let kind = if body.is_none() || rng.random_ratio(1, 30) {
            *["", "text/plain", "application/x-www-form-urlencoded"].choose(rng).unwrap()
        } else {
            "application/json"
        };
        // Nobody signs the others out.
        if route.id.starts_with("session_") && method != "GET" && method != "POST" { self.request(rng) } else { (method, path, kind, body) }
    }

    /// The same into the cluster, or one that is none.
    fn call_of_cluster(&self, rng: &mut StdRng) -> Sent {
        let parts = [
            "api",
            "apis",
            "v1",
            "apps",
            "namespaces",
            "web",
            "pods",
            "secrets",
            "exec",
            "log",
            "proxy",
            "watch",
            "nodes",
            "status",
            "rbac.authorization.k8s.io",
            "clusterroles",
        ];
        let mut path = format!("/k8s/clusters/{}", if rng.random_ratio(9, 10) { &self.cluster } else { self.ids.choose(rng).unwrap() });
        for _ in 0..rng.random_range(0..8) {
            path.push('/');
            path.push_str(&if rng.random_ratio(5, 6) { (*parts.choose(rng).unwrap()).to_owned() } else { self.encoded(rng) });
        }
        if rng.random_ratio(1, 3) {
            path.push_str(&format!("?{}={}", ["watch", "limit", "command", "labelSelector", "continue"].choose(rng).unwrap(), self.encoded(rng)));
        }
        let method = (*["GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"].choose(rng).unwrap()).to_owned();
        let body = (method != "GET" && method != "HEAD").then(|| self.junk(rng, 0).to_string().into_bytes());
        (method, path, "application/json", body)
    }

    /// What is asked with the heads of an upgrade.
    fn way_into_pod(&self, rng: &mut StdRng) -> Sent {
        let namespace = if rng.random_ratio(3, 4) { "web".to_owned() } else { self.encoded(rng) };
        let verb = *["exec", "attach", "portforward"].choose(rng).unwrap();
        let method = (*["GET", "POST"].choose(rng).unwrap()).to_owned();
        let path = format!("/k8s/clusters/{}/api/v1/namespaces/{namespace}/pods/p/{verb}?command=ls&stdout=true", self.cluster);
        (method, path, "", None)
    }
}

/// What came of a request: its status, or that there was no answer.
async fn send(house: &House, visitor: &Visitor, request: &Sent, heads: &[(&str, &str)], client: &reqwest::Client) -> Result<u16, String> {
    let (method, path, kind, body) = request;
    let mut built = client.request(method.parse().unwrap(), format!("{}{path}", house.url));
    built = match visitor {
        Visitor::Nobody => built,
        Visitor::Person(person) => built.header("cookie", &person.cookie).header("x-csrf-token", &person.csrf),
        Visitor::Bearer(token) => built.bearer_auth(token),
        Visitor::Keystone(token) => built.header("x-auth-token", token),
    };
    for (name, value) in heads {
        built = built.header(*name, *value);
    }
    if !kind.is_empty() {
        built = built.header("content-type", *kind);
    }
    if let Some(body) = body {
        built = built.body(body.clone());
    }
    let answer = built.send().await.map_err(|error| error.to_string())?;
    let (status, events) = (answer.status().as_u16(), answer.headers().get("content-type").is_some_and(|v| v == "text/event-stream"));
    // Events go on for ever.
    if !events {
        answer.bytes().await.map_err(|error| error.to_string())?;
    }
    Ok(status)
}

/// Bytes that are no request: the connection is answered or closed, in time.
async fn shout(house: &House, rng: &mut StdRng) {
    let address = house.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut bytes: Vec<u8> = b"GET /api/v1/clusters HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
    bytes.extend((0..rng.random_range(0..300)).map(|_| rng.random::<u8>()));
    bytes.extend_from_slice(b"\r\n\r\n");
    drop(stream.write_all(&bytes).await);
    drop(
        tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut Vec::new()))
            .await
            .expect("a connection that is neither answered nor closed"),
    );
}

/// Resident memory of this process, MiB.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4 / 1024
}

#[actix_web::test]
async fn nothing_that_is_sent_ends_in_an_error_of_ours() {
    let wanted: Option<usize> = std::env::var("KCS_FUZZ").ok().map(|text| text.parse().unwrap());
    let house = House::new().await;
    let (pool, _api) = Pool::new(&house).await;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(30)).build().unwrap();
    let each = if wanted.is_some() { MANY } else { FEW };
    let new = (0..).map(|_| if wanted.is_some() { rand::random() } else { 2 });
    let (mut sent, mut statuses, mut settled) = (0, std::collections::BTreeMap::<u16, usize>::new(), 0);
    for seed in KEPT.into_iter().chain(new) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (usual, rarer) = visitors(&house, &pool).await;
        for number in 0..each {
            let visitor = if rng.random_ratio(1, 4) { &rarer } else { &usual }.choose(&mut rng).unwrap();
            let (request, heads) = match rng.random_range(0..16) {
                0 => (pool.way_into_pod(&mut rng), upgrade(&mut rng)),
                1 => {
                    let (method, path, kind, body) = pool.call_of_cluster(&mut rng);
                    // Where an upgrade is refused the connection ends, with what of a long body was not read.
                    ((method, path, kind, body.filter(|body| body.len() < 1_000)), upgrade(&mut rng))
                }
                2 | 3 => (pool.call_of_cluster(&mut rng), Vec::new()),
                _ => (pool.request(&mut rng), Vec::new()),
            };
            let status = send(&house, visitor, &request, &heads, &client).await;
            let shown = || {
                format!(
                    "seed {seed}, request {number}: {} {} {heads:?} {}",
                    request.0,
                    request.1,
                    String::from_utf8_lossy(request.3.as_deref().unwrap_or_default())
                )
            };
            let status = status.unwrap_or_else(|error| panic!("{error}: {}", shown()));
            assert!(status < 500, "{status}: {}", shown());
            *statuses.entry(status).or_default() += 1;
            if rng.random_ratio(1, 50) {
                shout(&house, &mut rng).await;
            }
        }
        sent += each;
        if sent >= 4_000 && settled == 0 {
            settled = memory();
        }
        if sent >= wanted.unwrap_or(KEPT.len() * FEW) {
            break;
        }
    }
    println!("{sent} requests: {statuses:?}; memory {settled} MiB after the first four thousand, {} MiB at the end", memory());
    assert!(settled == 0 || memory() < settled + 64, "memory grows: {settled} to {} MiB", memory());
    let done: usize = statuses.range(200..300).map(|(_, count)| count).sum();
    assert!(done * 10 > sent && statuses.len() > 6, "too much was refused at the door: {statuses:?}");
}
