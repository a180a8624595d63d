//! A cloud that answers what a test says, and remembers what it was asked.

use async_trait::async_trait;
use bytes::Bytes;
use cloud::Cloud;
use cloud::identity::{ApplicationCredential, Identity};
use cloud_openstack::{Config, Interface, OpenStack, Transport, TransportError};
use http::{Method, Request, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

pub type Answer = Result<Response<Bytes>, TransportError>;
type Script = Box<dyn Fn(&Asked) -> Option<Answer> + Send + Sync>;

/// A request as it reached the cloud.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// Host, path and query.
    pub url: String,
    pub token: Option<String>,
    pub version: Option<String>,
    pub body: Value,
}

pub struct Scripted {
    script: Script,
    asked: Mutex<Vec<Asked>>,
}

impl Scripted {
    /// What the script leaves open, a Keystone answers that hands out `token-1`, `token-2`, ...
    pub fn new(script: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), asked: Mutex::default() })
    }

    pub fn openstack(self: &Arc<Self>) -> OpenStack {
        OpenStack::new(config(), self.clone())
    }

    pub fn cloud(self: &Arc<Self>) -> Cloud {
        self.openstack().as_credential(&ApplicationCredential { id: "credential".into(), secret: "secret".into() })
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Those that were not for tokens.
    pub fn calls(&self) -> Vec<Asked> {
        self.asked().into_iter().filter(|a| !a.url.ends_with("/auth/tokens")).collect()
    }

    pub fn last(&self) -> Asked {
        self.calls().pop().expect("a call")
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Answer {
        let header = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let asked = Asked {
            method: request.method().clone(),
            url: request.uri().to_string().trim_start_matches("http://").to_owned(),
            token: header("x-auth-token"),
            version: header("openstack-api-version"),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        };
        let issued = {
            let mut all = self.asked.lock().unwrap();
            all.push(asked.clone());
            all.iter().filter(|a| a.method == Method::POST && a.url.ends_with("/auth/tokens")).count()
        };
        // Others get a chance to run, as over a network.
        tokio::task::yield_now().await;
        match (self.script)(&asked) {
            Some(answer) => answer,
            None if asked.url.ends_with("/auth/tokens") => Ok(token(&format!("token-{issued}"), 3_600)),
            None => panic!("nobody answers {} {}", asked.method, asked.url),
        }
    }
}

pub fn config() -> Config {
    Config {
        auth_url: "http://keystone:5000".parse().unwrap(),
        region: Some("one".into()),
        interface: Interface::Public,
        service_username: "kcs".into(),
        service_password: "service-password".into(),
        service_project: "service".into(),
        service_domain: "Default".into(),
        tenant_domain: "Default".into(),
        load_balancer_provider: None,
    }
}

pub fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let builder = Response::builder().status(status).header("x-openstack-request-id", "req-1");
    builder.body(Bytes::from(body.to_string())).unwrap()
}

pub fn ok(status: u16, body: &Value) -> Option<Answer> {
    Some(Ok(answer(status, body)))
}

/// A token that lives for `seconds`, issued by a Keystone whose clock is years off.
pub fn token(id: &str, seconds: i64) -> Response<Bytes> {
    let issued = time::macros::datetime!(2020-01-01 00:00 UTC);
    let text = |at: time::OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).unwrap();
    let endpoint = |kind: &str, url: &str| {
        let elsewhere = json!({"interface": "public", "region": "two", "region_id": "two", "url": "http://elsewhere"});
        let internal = json!({"interface": "internal", "region": "one", "region_id": "one", "url": "http://internal"});
        let public = json!({"interface": "public", "region": "one", "region_id": "one", "url": url});
        json!({"type": kind, "name": kind, "endpoints": [elsewhere, internal, public]})
    };
    let body = json!({"token": {
        "user": {"id": "u1", "name": "somebody", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p1", "name": "tenant", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "load-balancer_member"}],
        "issued_at": text(issued), "expires_at": text(issued + time::Duration::seconds(seconds)),
        "catalog": [
            endpoint("compute", "http://nova/v2.1"), endpoint("network", "http://neutron/"), endpoint("volumev3", "http://cinder/v3/p1"),
            endpoint("image", "http://glance"), endpoint("load-balancer", "http://octavia"),
        ],
    }});
    let mut response = answer(201, &body);
    response.headers_mut().insert("x-subject-token", id.parse().unwrap());
    response
}
