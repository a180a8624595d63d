//! A running `kcs dev` and a person signed in to it.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const PASSWORD: &str = "correct-horse-battery";

/// The binary beside this test's own: `target/<profile>/kcs`.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("KCS_BIN") {
        return path.into();
    }
    let me = std::env::current_exe().unwrap();
    let path = me.parent().and_then(Path::parent).unwrap().join("kcs");
    assert!(path.exists(), "{} is missing: build the server first", path.display());
    path
}

/// Where the Kubernetes binaries are, if they are all there.
pub fn kubernetes() -> Option<PathBuf> {
    let cache = std::env::var_os("KCS_KUBERNETES_CACHE").map(PathBuf::from).or_else(|| {
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        Some(base.join("kcs/kubernetes"))
    })?;
    ["v1.36.3/kubectl", "v1.36.3/kubeadm", "tools/kwok", "tools/helm"].iter().all(|f| cache.join(f).exists()).then_some(cache)
}

/// Ends a story that cannot run here, visibly.
#[macro_export]
macro_rules! need_kubernetes {
    () => {
        match $crate::dev::kubernetes() {
            Some(cache) => cache,
            None => {
                println!("SKIPPED: {}: the Kubernetes binaries are not built", module_path!());
                return;
            }
        }
    };
}

/// Two free ports with the distance that the TLS listener keeps.
pub fn free_port() -> u16 {
    loop {
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = plain.local_addr().unwrap().port();
        if port < 65_000 && TcpListener::bind(("127.0.0.1", port + 363)).is_ok() {
            return port;
        }
    }
}

pub struct Dev {
    pub url: String,
    pub state: tempfile::TempDir,
    child: Child,
    port: u16,
    environment: &'static [(&'static str, &'static str)],
}

impl Dev {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more in its environment.
    pub async fn start_with(environment: &'static [(&'static str, &'static str)]) -> Self {
        let state = tempfile::Builder::new().prefix("kcs-e2e-").tempdir().unwrap();
        let port = free_port();
        let child = spawn(&state, port, environment);
        let dev = Self { url: format!("http://127.0.0.1:{port}"), state, child, port, environment };
        dev.ready().await;
        dev
    }

    /// Kills everything at once and starts anew on the same state.
    pub async fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.state, self.port, self.environment);
        self.ready().await;
    }

    async fn ready(&self) {
        let http = client();
        wait_for("kcs dev to be ready", Duration::from_secs(120), async || {
            let answer = http.get(format!("{}/readyz", self.url)).send().await.ok()?;
            (answer.status() == 200).then_some(())
        })
        .await
        .unwrap_or_else(|| panic!("kcs dev did not start: {}", self.log()));
    }

    pub fn log(&self) -> String {
        let text = std::fs::read_to_string(self.state.path().join("kcs.out")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// What `kcs dev` wrote down about itself: `{url, cloud_url, ...}`.
    pub fn facts(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state.path().join("dev.json")).unwrap()).unwrap()
    }

    pub fn cloud_url(&self) -> String {
        self.facts()["cloud_url"].as_str().unwrap().to_owned()
    }

    /// Everything in the local cloud.
    pub async fn cloud_objects(&self) -> Vec<Value> {
        let dump: Value = client().get(format!("{}/_local/dump", self.cloud_url())).send().await.unwrap().json().await.unwrap();
        dump.as_array().cloned().or_else(|| dump["objects"].as_array().cloned()).unwrap()
    }

    /// Kind and id of everything in the local cloud.
    pub async fn object_ids(&self) -> BTreeSet<String> {
        self.cloud_objects().await.iter().map(|o| format!("{} {}", o["kind"].as_str().unwrap(), o["id"].as_str().unwrap())).collect()
    }

    /// Lets so much time pass for the engine: all that it has noted was so much earlier. Returns when it has looked at every cluster since.
    pub async fn let_pass(&self, time: Duration) {
        let back = |table: &str, columns: &[&str]| {
            let set: Vec<String> = columns.iter().map(|c| format!("{c} = {c} - make_interval(secs => {})", time.as_secs_f64())).collect();
            format!("UPDATE {table} SET {};", set.join(", "))
        };
        let noted = [
            back("nodes", &["started_at", "joined_at", "unready_since", "leaving_since"]),
            back("ledger", &["created_at", "called_at", "looked_at"]),
            back("operations", &["created_at", "started_at", "resumed_at", "finished_at", "next_attempt_at", "deadline_at"]),
        ];
        // In one transaction, in which nobody claims a cluster and no pass is recorded.
        let held = "SELECT FROM work FOR UPDATE;";
        let due = "UPDATE work SET run_at = now(), wakes = wakes + 1; SELECT last_value FROM fences";
        let before = self.psql(&format!("{held} {} {due}", noted.concat()));
        let open = format!("SELECT count(*) FROM work WHERE fence <= {before} OR holder IS NOT NULL");
        let looked = wait_for("the engine to look", Duration::from_secs(120), async || (self.psql(&open) == "0").then_some(())).await;
        looked.unwrap_or_else(|| panic!("the engine does not look: {}", self.log()));
    }

    /// What the last of some statements answers, in a transaction of their own.
    fn psql(&self, statements: &str) -> String {
        let config = std::fs::read_to_string(self.state.path().join("config.yaml")).unwrap();
        let word = |c: char| c.is_whitespace() || c == '\'' || c == '"';
        let url = config.split(word).find(|w| w.starts_with("postgres://")).unwrap();
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|d| d.path().join("bin/psql"));
        let program = installed.into_iter().find(|p| p.exists()).unwrap_or_else(|| "psql".into());
        let output = Command::new(program).args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements]).output().unwrap();
        assert!(output.status.success(), "{statements}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
    }

    pub async fn sign_in(&self, user: &str) -> Person {
        let http = client();
        let body = json!({"username": user, "password": PASSWORD});
        let answer = http.post(format!("{}/api/v1/session", self.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        let session: Value = answer.json().await.unwrap();
        Person { http, url: self.url.clone(), csrf: session["csrf_token"].as_str().unwrap().to_owned() }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
    }
}

fn spawn(state: &tempfile::TempDir, port: u16, environment: &[(&str, &str)]) -> Child {
    let out = File::options().create(true).append(true).open(state.path().join("kcs.out")).unwrap();
    Command::new(binary())
        .arg("dev")
        .env("KCS_LISTEN", format!("127.0.0.1:{port}"))
        .env("KCS_STATE_DIR", state.path())
        .env("KCS_DEV_PASSWORD", PASSWORD)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap()
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().cookie_store(true).no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// Asks again and again until there is an answer.
pub async fn wait_for<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    println!("gave up waiting for {what} after {limit:?}");
    None
}

/// A session.
pub struct Person {
    pub http: reqwest::Client,
    pub url: String,
    pub csrf: String,
}

impl Person {
    pub async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url)).header("X-CSRF-Token", &self.csrf);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(reqwest::Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value, expected: u16) -> Value {
        let (status, answer) = self.call(reqwest::Method::POST, path, Some(body)).await;
        assert_eq!(status, expected, "POST {path}: {answer}");
        answer
    }

    /// Waits until an operation ends; panics with its whole state unless it succeeds.
    pub async fn finish(&self, operation: &str, limit: Duration) -> Value {
        let path = format!("/operations/{operation}");
        let ended = wait_for("the operation", limit, async || {
            let now = self.get(&path).await;
            (!matches!(now["state"].as_str().unwrap(), "pending" | "running")).then_some(now)
        })
        .await;
        let ended = match ended {
            Some(ended) => ended,
            None => self.get(&path).await,
        };
        assert_eq!(ended["state"], "succeeded", "{ended:#}");
        ended
    }

    /// Creates a cluster from a template, with parts of it replaced, and waits until it runs; answers its id.
    pub async fn create_cluster(&self, name: &str, template: &str, spec: Value) -> String {
        self.image_ready().await;
        let made = self.post("/clusters", json!({"name": name, "template": template, "spec": spec}), 202).await;
        self.finish(made["operation"]["id"].as_str().unwrap(), Duration::from_secs(480)).await;
        let id = made["cluster"]["id"].as_str().unwrap().to_owned();
        let cluster = self.get(&format!("/clusters/{id}")).await;
        assert_eq!(cluster["status"]["phase"], "Running", "{cluster:#}");
        id
    }

    pub async fn image_ready(&self) {
        wait_for("the node image", Duration::from_secs(60), async || {
            let versions = self.get("/versions").await;
            let ready = versions["items"].as_array().unwrap().iter().any(|v| v["version"] == "v1.36.3" && v["image_status"] == "active");
            ready.then_some(())
        })
        .await
        .expect("the node image is not ready");
    }

    /// Deletes a cluster and answers the receipt.
    pub async fn delete_cluster(&self, id: &str) -> Value {
        let cluster = self.get(&format!("/clusters/{id}")).await;
        let body = json!({"confirm": cluster["name"], "volumes": "erase"});
        let (status, answer) = self.call(reqwest::Method::DELETE, &format!("/clusters/{id}"), Some(body)).await;
        assert_eq!(status, 202, "{answer}");
        let operation = answer["operation"]["id"].as_str().unwrap().to_owned();
        self.finish(&operation, Duration::from_secs(180)).await;
        self.get(&format!("/operations/{operation}/receipt")).await
    }

    /// A kubeconfig file for kubectl, and its id.
    pub async fn kubeconfig(&self, cluster: &str, folder: &Path) -> (PathBuf, String) {
        self.kubeconfig_for(cluster, folder, json!({"expires_in": 3600})).await
    }

    /// The same, as it is asked for.
    pub async fn kubeconfig_for(&self, cluster: &str, folder: &Path, wanted: Value) -> (PathBuf, String) {
        let issued = self.post(&format!("/clusters/{cluster}/kubeconfigs"), wanted, 201).await;
        let file = folder.join(format!("kubeconfig-{}", issued["id"].as_str().unwrap()));
        std::fs::write(&file, issued["kubeconfig"].as_str().unwrap()).unwrap();
        (file, issued["id"].as_str().unwrap().to_owned())
    }
}
