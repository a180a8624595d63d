//! A ring whose keys are wrapped by the transit engine of a real OpenBao.

use sealed::KeyRing;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use server::config::Config;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROOT: &str = "root-of-the-test";
/// A loaded machine may take a while.
const PATIENCE: Duration = Duration::from_secs(60);

fn program() -> Option<PathBuf> {
    let cached = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
        Some(cache?.join("kcs/openbao/bao"))
    };
    std::env::var_os("KCS_OPENBAO").map(PathBuf::from).or_else(cached).filter(|path| path.exists())
}

/// OpenBao in memory; it ends with this.
struct Bao {
    address: String,
    http: reqwest::Client,
    child: Child,
    _home: tempfile::TempDir,
}

impl Drop for Bao {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Bao {
    async fn start(program: PathBuf) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let home = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .args(["server", "-dev", "-dev-no-store-token", &format!("-dev-root-token-id={ROOT}"), &format!("-dev-listen-address={listen}")])
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bao = Self { address: format!("http://{listen}"), http: reqwest::Client::builder().no_proxy().build().unwrap(), child, _home: home };
        let begun = Instant::now();
        while bao.http.get(format!("{}/v1/sys/health", bao.address)).send().await.map_or(true, |a| !a.status().is_success()) {
            assert!(begun.elapsed() < PATIENCE, "OpenBao does not start");
            tokio::task::yield_now().await;
        }
        bao.ask("sys/mounts/transit", json!({"type": "transit"})).await;
        bao.ask("transit/keys/kcs", json!({})).await;
        bao
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}/v1/{path}", self.address)).header("x-vault-token", ROOT).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A token that may open keys, and nothing else.
    async fn token(&self) -> String {
        let policy = "path \"transit/decrypt/kcs\" { capabilities = [\"update\"] }";
        self.ask("sys/policies/acl/kcs", json!({ "policy": policy })).await;
        let made = self.ask("auth/token/create", json!({"policies": ["kcs"], "no_default_policy": true})).await;
        made["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// A new key that nobody has seen.
    async fn wrapped(&self) -> String {
        self.ask("transit/datakey/wrapped/kcs", json!({})).await["data"]["ciphertext"].as_str().unwrap().to_owned()
    }

    fn config(&self, keys: &str, token: &str) -> Config {
        let tree = json!({
            "database": {"url": "postgres://kcs@localhost/kcs"},
            "cloud": {"auth_url": "https://keystone.example/v3", "user_name": "kcs", "password": "secret", "project": "service"},
            "nodes": {"endpoint": "https://kcs.example:8443"},
            "versions": [{"version": "v1.36.3", "support": "current", "image": "kcs-node-v1.36.3"}],
            "keys": keys,
            "vault": {"address": self.address, "token": token},
        });
        Config::from_value(serde_yaml_ng::to_value(tree).unwrap()).unwrap()
    }
}

#[actix_web::test]
async fn keys_that_are_wrapped_by_transit_are_opened_at_the_start() {
    let Some(program) = program() else {
        println!("SKIPPED: no OpenBao: tests/openbao/install.sh gets it");
        return;
    };
    let bao = Bao::start(program).await;
    let token = bao.token().await;
    let plain = KeyRing::generate().unwrap();
    let (first, second) = (bao.wrapped().await, bao.wrapped().await);
    let text = format!("first:{first}\n{}second:{second}", plain.to_text().expose_secret());
    let ring = server::keys::ring(&bao.config(&text, &token)).await.unwrap();
    assert_eq!((ring.active(), ring.ids().count()), ("first", 3));
    let sealed = ring.seal(b"row", b"secret").unwrap();
    let old = plain.seal(b"row", b"old secret").unwrap();
    assert_eq!(ring.open(b"row", &old).unwrap().as_slice(), b"old secret");

    // The key within the Vault is changed, too: what it wrapped still opens, and opens to the same key when it is wrapped anew.
    bao.ask("transit/keys/kcs/rotate", json!({})).await;
    let anew = bao.ask("transit/rewrap/kcs", json!({ "ciphertext": first })).await["data"]["ciphertext"].as_str().unwrap().to_owned();
    assert!(first.starts_with("vault:v1:") && anew.starts_with("vault:v2:"));
    for wrapped in [&first, &anew] {
        let again = server::keys::ring(&bao.config(&format!("first:{wrapped}"), &token)).await.unwrap();
        assert_eq!(again.open(b"row", &sealed).unwrap().as_slice(), b"secret");
    }

    let other = server::keys::ring(&bao.config(&format!("first:{second}"), &token)).await.unwrap();
    assert!(other.open(b"row", &sealed).is_err(), "it is the key that counts, not its id");
    let refusals = [
        (format!("first:{first}"), "somebody-elses-token".to_owned(), "permission denied"),
        (format!("first:{}", first.replace("v1", "v9")), token.clone(), "first"),
        (format!("first:{}x", &first[..first.len() - 4]), token.clone(), "first"),
    ];
    for (keys, with, words) in refusals {
        let said = server::keys::ring(&bao.config(&keys, &with)).await.unwrap_err().to_string();
        assert!(said.starts_with("vault: ") && said.contains(words), "{said}");
        assert!(!said.contains(&with) && !said.contains(first.split(':').nth(2).unwrap()), "{said}");
    }
    let mut without = bao.config(&format!("first:{first}"), &token);
    without.vault = None;
    assert!(server::keys::ring(&without).await.unwrap_err().to_string().contains("no section vault"));
}
