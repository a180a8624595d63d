//! The cloud: the local one in this process on a loopback port, with as many tenants as are wanted and no quotas.

use crate::clusters::Account;
use crate::nodes::Nodes;
use local_cloud::{LocalCloud, LocalCloudConfig, Time};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

pub const PASSWORD: &str = "bench";

/// Everything a cluster needs of the project's quotas: service, resource.
const QUOTAS: [(&str, &str); 14] = [
    ("compute", "instances"),
    ("compute", "cores"),
    ("compute", "ram"),
    ("compute", "server_groups"),
    ("compute", "server_group_members"),
    ("block-storage", "volumes"),
    ("block-storage", "gigabytes"),
    ("network", "network"),
    ("network", "subnet"),
    ("network", "port"),
    ("network", "router"),
    ("network", "floatingip"),
    ("network", "security_group"),
    ("network", "security_group_rule"),
];

pub struct Estate {
    pub cloud: LocalCloud,
    pub url: String,
    pub nodes: Arc<Nodes>,
    accounts: Vec<Account>,
}

impl Estate {
    pub async fn start(tenants: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let nodes = Arc::new(Nodes::new(tokio::runtime::Handle::current()));
        let config = LocalCloudConfig {
            time: Time::Auto,
            password: PASSWORD.to_owned(),
            base_url: url.clone(),
            machines: Some(nodes.clone()),
            token_seconds: 24 * 3_600,
            ..LocalCloudConfig::default()
        };
        let cloud = LocalCloud::new(config);
        let served = cloud.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move { served.serve(listener).expect("the cloud is served").await.expect("the cloud runs") });
        });
        let mut estate = Self { cloud, url, nodes, accounts: Vec::new() };
        for number in 0..tenants {
            let account = estate.tenant(number).await;
            estate.accounts.push(account);
        }
        estate
    }

    pub fn tenants(&self) -> &[Account] {
        &self.accounts
    }

    /// A project with a member, and nothing in its way.
    async fn tenant(&self, number: usize) -> Account {
        let http = Client::new();
        let admin = sign_in(&http, &self.url, "kcs", "service").await;
        let name = format!("bench-{number:03}");
        let project = self.call(&http, &admin, Method::POST, "projects", json!({"project": {"name": name}})).await["project"]["id"].clone();
        let user = json!({"user": {"name": name, "password": PASSWORD}});
        let user = self.call(&http, &admin, Method::POST, "users", user).await["user"]["id"].clone();
        let roles = self.call(&http, &admin, Method::GET, "roles", Value::Null).await["roles"].clone();
        for role in roles.as_array().expect("roles").iter().filter(|r| ["member", "load-balancer_member"].contains(&r["name"].as_str().unwrap_or("")))
        {
            let path = format!("projects/{}/users/{}/roles/{}", text(&project), text(&user), text(&role["id"]));
            self.call(&http, &admin, Method::PUT, &path, Value::Null).await;
        }
        for (service, resource) in QUOTAS {
            let quota = json!({"service": service, "project": name, "resource": resource, "limit": -1});
            let answer = http.post(format!("{}/_local/quota", self.url)).json(&quota).send().await.expect("the quota is set");
            assert!(answer.status().is_success(), "{service} {resource}: {}", answer.text().await.unwrap_or_default());
        }
        let token = sign_in(&http, &self.url, &name, &name).await;
        Account { name, token }
    }

    async fn call(&self, http: &Client, token: &str, method: Method, path: &str, body: Value) -> Value {
        let mut request = http.request(method, format!("{}/identity/v3/{path}", self.url)).header("x-auth-token", token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("Keystone answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or(Value::Null)
    }

    /// Calls answered so far, by what was asked.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.nodes.block(reqwest_calls(&self.url))
    }

    /// Takes away a worker's server of this cluster as its tenant could, and answers its name. Its node stays Ready for the forty
    /// seconds that Kubernetes takes to notice.
    pub fn delete_server_of(&self, cluster: &str) -> String {
        let short: String = cluster.chars().filter(|c| *c != '-').collect();
        let prefix = format!("kcs-{}-w", &short[short.len() - 8..]);
        let server = self.cloud.dump().into_iter().find(|o| o.kind == "server" && o.name.starts_with(&prefix)).expect("a worker");
        let url = self.url.clone();
        let id = server.id.clone();
        self.nodes.block(async move {
            let http = Client::new();
            let admin = sign_in(&http, &url, "kcs", "service").await;
            let answer = http.delete(format!("{url}/compute/v2.1/servers/{id}")).header("x-auth-token", admin).send().await.expect("Nova answers");
            assert!(answer.status().is_success(), "{}", answer.status());
        });
        server.name
    }
}

async fn reqwest_calls(url: &str) -> BTreeMap<String, u64> {
    let answer: Value = reqwest::get(format!("{url}/_local/calls")).await.expect("the cloud answers").json().await.expect("its calls");
    let name = |call: &Value| format!("{} {} {}", text(&call["service"]), text(&call["method"]), text(&call["path"]));
    answer["calls"].as_array().expect("calls").iter().map(|call| (name(call), call["count"].as_u64().expect("a count"))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("an id")
}

async fn sign_in(http: &Client, url: &str, user: &str, project: &str) -> String {
    let domain = json!({"id": "default"});
    let user = json!({"name": user, "domain": domain, "password": PASSWORD});
    let body = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": project, "domain": domain}},
    }});
    let answer = http.post(format!("{url}/identity/v3/auth/tokens")).json(&body).send().await.expect("Keystone answers");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.headers()["x-subject-token"].to_str().expect("a token").to_owned()
}
