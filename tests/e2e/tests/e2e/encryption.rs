//! The key that encrypts a running cluster's Secrets is changed: what is in etcd begins with the new key's name, and a Secret is the same all along.

use crate::dev::{Dev, Person, wait_for};
use crate::etcd::etcdctl;
use crate::need_kubernetes;
use crate::tools::Tools;
use serde_json::json;
use std::time::{Duration, Instant};

/// What stands before everything that this provider encrypts; the key's name follows, and a colon.
const PREFIX: &str = "k8s:enc:secretbox:v1:";

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_stays_readable_while_its_key_is_changed() {
    let cache = need_kubernetes!();
    let dev = Dev::start().await;
    let member = dev.sign_in("member-a").await;
    let cluster = member.create_cluster("keys", "dev", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, _) = member.kubeconfig(&cluster, folder.path()).await;
    let tools = Tools::new(&cache, &kubeconfig);
    tools.kubectl(&["create", "secret", "generic", "kept", "--from-literal=word=plain-to-see"]);
    let before = key_in_etcd(&member, &cluster, &tools).await;

    let begun = member.post(&format!("/clusters/{cluster}/encryption-key/rotate"), json!({}), 202).await;
    let operation = begun["operation"]["id"].as_str().unwrap().to_owned();
    let (status, busy) = member.call(reqwest::Method::POST, &format!("/clusters/{cluster}/repair"), None).await;
    assert_eq!((status, &busy["code"]), (409, &json!("KCS-CONF-002")));
    let (mut reads, mut unanswered, begun) = (0, Vec::new(), Instant::now());
    let ended = wait_for("the key to be changed", Duration::from_secs(1200), async || {
        let at = begun.elapsed();
        let read = tools.try_kubectl(&["get", "secret", "kept", "--template={{.data.word | base64decode}}", "--request-timeout=5s"]);
        reads += 1;
        match read.ok {
            true => assert_eq!(read.out, "plain-to-see"),
            // The only master left with the request; but no API server may say that it cannot read the Secret.
            false => {
                assert!(!read.err.contains("decrypt") && !read.err.contains("transform") && !read.err.contains("NotFound"), "{}", read.err);
                unanswered.push(format!("{:.1} s to {:.1} s: {}", at.as_secs_f64(), begun.elapsed().as_secs_f64(), read.err.trim()));
            }
        }
        let now = member.get(&format!("/operations/{operation}")).await;
        (!matches!(now["state"].as_str().unwrap(), "pending" | "running")).then_some(now)
    });
    let ended = ended.await.expect("the key was not changed in time");
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    println!("{} of {reads} reads of the Secret had no answer while the key was changed", unanswered.len());
    unanswered.iter().for_each(|words| println!("{words}"));
    // Three times the only master hands over to its successor: a request that is under way then may be cut, and be cut again when it is repeated.
    assert!(unanswered.len() <= 3, "{unanswered:#?}");

    let after = key_in_etcd(&member, &cluster, &tools).await;
    assert_ne!(before, after);
    assert_eq!(tools.kubectl(&["get", "secret", "kept", "--template={{.data.word | base64decode}}"]), "plain-to-see");
    for name in tools.kubectl(&["get", "secrets", "-A", "--template={{range .items}}{{.metadata.namespace}}/{{.metadata.name}}\n{{end}}"]).lines() {
        let raw = raw(&member, &cluster, &tools, name).await;
        assert!(raw.starts_with(&format!("{PREFIX}{after}:")), "{name} is still as it was: {}", &raw[..raw.len().min(60)]);
    }
    let receipt = member.delete_cluster(&cluster).await;
    assert_eq!(receipt["left"], json!([]), "{receipt:#}");
}

/// The name of the key that the Secret is encrypted with.
async fn key_in_etcd(member: &Person, cluster: &str, tools: &Tools) -> String {
    let raw = raw(member, cluster, tools, "default/kept").await;
    assert!(!raw.contains("plain-to-see"));
    let name = raw.strip_prefix(PREFIX).and_then(|rest| rest.split(':').next());
    name.unwrap_or_else(|| panic!("not encrypted: {}", &raw[..raw.len().min(60)])).to_owned()
}

/// A Secret as etcd has it, read past the API server.
async fn raw(member: &Person, cluster: &str, tools: &Tools, secret: &str) -> String {
    let nodes = member.get(&format!("/clusters/{cluster}/nodes")).await;
    let master = nodes["items"].as_array().unwrap().iter().find(|n| n["role"] == "master").unwrap()["name"].as_str().unwrap().to_owned();
    etcdctl(tools, &master, &["get", &format!("/registry/secrets/{secret}"), "--print-value-only"])
}
