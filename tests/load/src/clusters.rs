//! What people do: create clusters, look at them, resize them, through the API.

use futures::StreamExt;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A person of a tenant.
pub struct Account {
    pub name: String,
    pub token: String,
}

/// The same at the doors of KCS.
#[derive(Clone)]
pub struct Tenant {
    name: String,
    token: String,
    urls: Vec<String>,
    /// Whether clusters are created with what they get by default.
    addons: bool,
    turn: Arc<AtomicUsize>,
    http: Client,
}

impl Account {
    pub fn at(&self, urls: &[String], addons: bool) -> Tenant {
        Tenant { name: self.name.clone(), token: self.token.clone(), urls: urls.to_vec(), addons, turn: Arc::default(), http: Client::new() }
    }
}

impl Tenant {
    fn url(&self, path: &str) -> String {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.urls.len();
        format!("{}/api/v1/{path}", self.urls[turn])
    }

    async fn get(&self, path: &str) -> Value {
        for _ in 0..60 {
            if let Ok(answer) = self.http.get(self.url(path)).header("x-auth-token", &self.token).send().await
                && answer.status().is_success()
            {
                return answer.json().await.expect("JSON");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("{path}: no answer");
    }

    /// Milliseconds until it was accepted, and its id.
    async fn create(&self, name: &str, nodes: usize) -> Result<(f64, String), String> {
        let pools = json!([{"name": "default", "flavor": "m1.medium", "count": nodes - 1}]);
        let mut spec = json!({"control_plane": {"count": 1, "flavor": "m1.medium"}, "node_pools": pools});
        if !self.addons {
            spec["addons"] = json!({"pod_network": false, "cloud_controller": false, "storage": false, "metrics": false});
        }
        let begun = Instant::now();
        let request = self.http.post(self.url("clusters")).header("x-auth-token", &self.token).json(&json!({"name": name, "spec": spec}));
        let answer = request.send().await.map_err(|e| e.to_string())?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|e| e.to_string())?;
        if status != 202 {
            return Err(format!("{status}: {body}"));
        }
        Ok((begun.elapsed().as_secs_f64() * 1_000.0, body["cluster"]["id"].as_str().expect("an id").to_owned()))
    }

    async fn phases(&self) -> HashMap<String, String> {
        let list = self.get("clusters?limit=200").await;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        items.iter().map(|c| (word(&c["id"]), word(&c["status"]["phase"]))).collect()
    }
}

fn is_up(phase: &str) -> bool {
    phase.eq_ignore_ascii_case("running")
}

/// Milliseconds each took to be accepted.
pub async fn create_all(tenants: &[Tenant], count: usize, nodes: usize) -> Vec<f64> {
    let creates = (0..count).map(|n| {
        let tenant = tenants[n % tenants.len()].clone();
        async move { tenant.create(&format!("c{n:04}"), nodes).await.unwrap_or_else(|e| panic!("{} c{n:04}: {e}", tenant.name)).0 }
    });
    futures::stream::iter(creates).buffer_unordered(32).collect().await
}

pub async fn wait_running(tenants: &[Tenant], count: usize, patience: Duration) {
    let begun = Instant::now();
    let mut told = 0;
    loop {
        let all: Vec<HashMap<String, String>> = futures::stream::iter(tenants).map(Tenant::phases).buffered(4).collect().await;
        let up = all.iter().flat_map(HashMap::values).filter(|phase| is_up(phase)).count();
        if up >= count {
            return;
        }
        if up >= told + count.div_ceil(10) {
            told = up;
            println!("  {up} running after {:.0} s", begun.elapsed().as_secs_f64());
        }
        if begun.elapsed() > patience {
            let rest: Vec<&String> = all.iter().flat_map(HashMap::values).filter(|phase| !is_up(phase)).take(5).collect();
            panic!("only {up} of {count} are running; others: {rest:?}");
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}

/// One that is as it should be, and none of these.
pub async fn well(tenant: &Tenant, except: &[String]) -> Option<String> {
    for (cluster, phase) in tenant.phases().await {
        if is_up(&phase) && !except.contains(&cluster) && !unwell(tenant, &cluster).await {
            return Some(cluster);
        }
    }
    None
}

/// Whether the cluster is shown as anything but well.
async fn unwell(tenant: &Tenant, cluster: &str) -> bool {
    let seen = tenant.get(&format!("clusters/{cluster}")).await;
    let conditions = seen["status"]["conditions"].as_array().cloned().unwrap_or_default();
    !is_up(seen["status"]["phase"].as_str().unwrap_or_default()) || conditions.iter().any(|c| c["status"] == "False")
}

/// Until the cluster is shown as anything but well; whether it is, in the end.
pub async fn wait_noticed(tenant: &Tenant, cluster: &str) -> bool {
    let begun = Instant::now();
    while !unwell(tenant, cluster).await {
        if begun.elapsed() > Duration::from_secs(300) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    true
}

/// Adds a node to the first clusters; answers (tenant, operation).
pub async fn resize_some(tenants: &[Tenant], count: usize, nodes: usize) -> Vec<(usize, String)> {
    let mut operations = Vec::new();
    for (number, tenant) in tenants.iter().enumerate() {
        for (cluster, phase) in tenant.phases().await {
            if operations.len() == count {
                return operations;
            }
            if is_up(&phase) {
                let request = tenant.http.patch(tenant.url(&format!("clusters/{cluster}/node-pools/default"))).header("x-auth-token", &tenant.token);
                let answer = request.json(&json!({"count": nodes})).send().await.expect("an answer");
                if answer.status() == 202 {
                    let body: Value = answer.json().await.expect("JSON");
                    operations.push((number, body["operation"]["id"].as_str().expect("an id").to_owned()));
                }
            }
        }
    }
    operations
}

pub async fn wait_operations(tenants: &[Tenant], operations: &[(usize, String)]) {
    for (tenant, operation) in operations {
        let begun = Instant::now();
        loop {
            let seen = tenants[*tenant].get(&format!("operations/{operation}")).await;
            match seen["state"].as_str().unwrap_or_default() {
                "succeeded" => break,
                "failed" | "blocked" => panic!("{seen}"),
                _ => assert!(begun.elapsed() < Duration::from_secs(600), "{seen}"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

pub struct Burst {
    pub accepted: usize,
    /// From the create to running, each.
    pub seconds: Vec<f64>,
}

/// Creates so many at once and waits for each.
pub async fn create_timed(tenant: &Tenant, count: usize, nodes: usize) -> Burst {
    let begun = Instant::now();
    let stamp = begun.elapsed().as_nanos();
    let creates = (0..count).map(|n| async move { tenant.create(&format!("b{n:03}-{stamp}"), nodes).await });
    let made: Vec<_> = futures::stream::iter(creates).buffer_unordered(8).collect().await;
    for refused in made.iter().filter_map(|one| one.as_ref().err()).take(3) {
        println!("  refused: {refused}");
    }
    let ids: Vec<String> = made.into_iter().filter_map(|one| Some(one.ok()?.1)).collect();
    let mut up: HashMap<String, f64> = HashMap::new();
    while up.len() < ids.len() {
        for (id, phase) in tenant.phases().await {
            if ids.contains(&id) && is_up(&phase) {
                up.entry(id).or_insert_with(|| begun.elapsed().as_secs_f64());
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(1_800), "not all are running: {} of {}", up.len(), ids.len());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Burst { accepted: ids.len(), seconds: up.into_values().collect() }
}
