//! Asking a cloud over plain HTTP and checking what it answers; differences are collected, so that one run shows them all.

use bytes::Bytes;
use cloud_openstack::Transport;
use http::{HeaderMap, Method, Request};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a state may take: real services share a small machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Stands for the caller's project in a service's URL.
pub const PROJECT: &str = "%project%";
const PAUSE: Duration = Duration::from_millis(100);

/// A token and whose it is.
#[derive(Clone, Debug)]
pub struct Person {
    pub token: String,
    pub user_id: String,
    pub project_id: String,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Reply {
    /// A text at `path`, which must be there for the run to go on.
    pub fn text_at(&self, path: &str) -> String {
        let found = at(&self.body, path).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {path} in {} {}", self.status, self.text)).to_owned()
    }
}

pub struct Bench {
    pub transport: Arc<dyn Transport>,
    pub auth_url: String,
    roots: Mutex<HashMap<String, String>>,
    findings: Mutex<Vec<String>>,
    checks: Mutex<usize>,
}

impl Bench {
    pub fn new(transport: Arc<dyn Transport>, auth_url: &str) -> Self {
        Self { transport, auth_url: auth_url.to_owned(), roots: Mutex::default(), findings: Mutex::default(), checks: Mutex::default() }
    }

    pub async fn ask(&self, person: Option<&Person>, method: &str, service: &str, path: &str, body: Option<Value>) -> Reply {
        let project = person.map_or("none", |p| p.project_id.as_str());
        let root = if service == "identity" { self.auth_url.clone() } else { self.root(service).replace(PROJECT, project) };
        self.send(method, &format!("{root}{path}"), person.map(|p| p.token.as_str()), &[], body).await
    }

    pub async fn get(&self, person: &Person, service: &str, path: &str) -> Reply {
        self.ask(Some(person), "GET", service, path, None).await
    }

    pub async fn post(&self, person: &Person, service: &str, path: &str, body: Value) -> Reply {
        self.ask(Some(person), "POST", service, path, Some(body)).await
    }

    pub async fn put(&self, person: &Person, service: &str, path: &str, body: Value) -> Reply {
        self.ask(Some(person), "PUT", service, path, Some(body)).await
    }

    pub async fn delete(&self, person: &Person, service: &str, path: &str) -> Reply {
        self.ask(Some(person), "DELETE", service, path, None).await
    }

    pub async fn send(&self, method: &str, url: &str, token: Option<&str>, headers: &[(&str, &str)], body: Option<Value>) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(method).uri(url).header("accept", "application/json");
        if url.contains(&self.root("compute")) && !self.root("compute").is_empty() {
            request = request.header("openstack-api-version", "compute 2.67");
        }
        if let Some(token) = token {
            request = request.header("x-auth-token", token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let response = self.transport.send(request.body(bytes).unwrap()).await.unwrap_or_else(|e| panic!("{url}: {e}"));
        let (parts, bytes) = response.into_parts();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }

    /// Where a service's calls are, from the catalogue; empty before it was learnt.
    pub fn root(&self, service: &str) -> String {
        self.roots.lock().unwrap().get(service).cloned().unwrap_or_default()
    }

    pub fn learn_root(&self, service: &str, root: String) {
        self.roots.lock().unwrap().insert(service.to_owned(), root);
    }

    /// The answer must have the status and what `wanted` lists: `path:type` (s, n, b, a, o, null, `s?` also null), `path=text`,
    /// `path~part of a text`, `@header`.
    pub fn check(&self, name: &str, reply: &Reply, status: u16, wanted: &str) {
        *self.checks.lock().unwrap() += 1;
        let mut wrong = Vec::new();
        if reply.status != status {
            wrong.push(format!("status {} instead of {status}", reply.status));
        } else {
            wrong.extend(wanted.split(' ').filter(|w| !w.is_empty()).filter_map(|want| differs(reply, want)));
        }
        if !wrong.is_empty() {
            self.finding(format!("{name}: {}; answer: {}", wrong.join(", "), reply.text.chars().take(600).collect::<String>()));
        }
    }

    pub fn holds(&self, name: &str, truth: bool) {
        *self.checks.lock().unwrap() += 1;
        if !truth {
            self.finding(format!("{name}: does not hold"));
        }
    }

    pub fn finding(&self, text: String) {
        // At once: the run may not come to its end.
        println!("DIFFERS  {text}");
        self.findings.lock().unwrap().push(text);
    }

    /// Polls until `path` has the last of `states`; every state seen on the way must be one of them, in their order.
    pub async fn settles(&self, name: &str, person: &Person, service: &str, url: &str, path: &str, states: &[&str]) -> Option<Reply> {
        *self.checks.lock().unwrap() += 1;
        let until = Instant::now() + PATIENCE;
        let mut reached = 0;
        while Instant::now() < until {
            let reply = self.get(person, service, url).await;
            let state = at(&reply.body, path).and_then(Value::as_str).unwrap_or("nothing").to_owned();
            match states.iter().position(|s| *s == state) {
                Some(n) if n >= reached => reached = n,
                _ => {
                    self.finding(format!("{name}: state {state} after {}; answer: {}", states[reached], reply.text));
                    return None;
                }
            }
            if reached + 1 == states.len() {
                return Some(reply);
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.finding(format!("{name}: still {}", states[reached]));
        None
    }

    /// Polls until it is 404; on the way only `states` may be seen.
    pub async fn vanishes(&self, name: &str, person: &Person, service: &str, url: &str, path: &str, states: &[&str]) {
        *self.checks.lock().unwrap() += 1;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let reply = self.get(person, service, url).await;
            if reply.status == 404 {
                return;
            }
            let state = at(&reply.body, path).and_then(Value::as_str).unwrap_or("nothing").to_owned();
            if !states.contains(&state.as_str()) {
                return self.finding(format!("{name}: state {state} while going"));
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.finding(format!("{name}: still there"));
    }

    /// Signs in with a password, scoped to a project by name when given.
    pub async fn sign_in(&self, user: &str, password: &str, project: Option<&str>) -> Reply {
        let domain = json!({"name": "Default"});
        let identity = json!({"methods": ["password"], "password": {"user": {"name": user, "domain": domain, "password": password}}});
        let scope = project.map_or(json!("unscoped"), |name| json!({"project": {"name": name, "domain": domain}}));
        self.ask(None, "POST", "identity", "/auth/tokens", Some(json!({"auth": {"identity": identity, "scope": scope}}))).await
    }

    pub fn person(&self, reply: &Reply) -> Person {
        let token = reply.headers.get("x-subject-token").unwrap_or_else(|| panic!("no token: {} {}", reply.status, reply.text));
        Person {
            token: token.to_str().unwrap().to_owned(),
            user_id: reply.text_at("token.user.id"),
            project_id: at(&reply.body, "token.project.id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        }
    }

    /// Fails with everything that was found.
    pub fn conclude(&self) {
        let findings = self.findings.lock().unwrap();
        let checks = *self.checks.lock().unwrap();
        println!("{checks} checks, {} differences", findings.len());
        assert!(findings.is_empty(), "{} of {checks} checks differ, see above", findings.len());
    }
}

/// What is at a dotted path; numbers index arrays, and a name with a dot or colon in it is tried whole.
pub fn at<'a>(body: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = body.get(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let inner = match first.parse::<usize>() {
        Ok(index) if body.is_array() => body.get(index),
        _ => body.get(first),
    }?;
    rest.map_or(Some(inner), |rest| at(inner, rest))
}

fn differs(reply: &Reply, want: &str) -> Option<String> {
    if let Some(header) = want.strip_prefix('@') {
        return reply.headers.get(header).is_none().then(|| format!("no header {header}"));
    }
    if let Some((path, part)) = want.split_once('~') {
        let part = part.replace('_', " ");
        let found = at(&reply.body, path).and_then(Value::as_str).unwrap_or_default();
        return (!found.to_lowercase().contains(&part.to_lowercase())).then(|| format!("{path} does not say `{part}`"));
    }
    if let Some((path, text)) = want.split_once('=') {
        let found = at(&reply.body, path);
        let equal = found.is_some_and(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned) == text);
        return (!equal).then(|| format!("{path} is {}", found.unwrap_or(&Value::Null)));
    }
    let (path, kind) = want.rsplit_once(':').unwrap_or((want, "s"));
    let Some(found) = at(&reply.body, path) else { return Some(format!("no {path}")) };
    let kinds = kind.strip_suffix('?').map_or((kind, false), |k| (k, true));
    let right = match kinds.0 {
        "s" => found.is_string(),
        "n" => found.is_number(),
        "b" => found.is_boolean(),
        "a" => found.is_array(),
        "o" => found.is_object(),
        "null" => found.is_null(),
        other => panic!("no such type: {other}"),
    };
    let allowed = right || (kinds.1 && found.is_null());
    (!allowed).then(|| format!("{path} is {found}, not of type {kind}"))
}
