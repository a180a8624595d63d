//! A worker is lost with a volume attached: its pod goes on elsewhere with its data, but not before the lost server surely does not run.

use crate::dev::{Dev, PASSWORD, client, wait_for};
use crate::need_kubernetes;
use crate::tools::Tools;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn case_38_a_volume_leaves_a_lost_worker_only_when_its_server_is_surely_off() {
    let cache = need_kubernetes!();
    let dev = Dev::start().await;
    let member = dev.sign_in("member-a").await;
    member.image_ready().await;
    let pool = json!({"name": "default", "flavor": "m1.medium", "count": 1});
    let made = member.post("/clusters", json!({"name": "lost", "spec": {"node_pools": [pool], "repair": "manual"}}), 202).await;
    let cluster = made["cluster"]["id"].as_str().unwrap().to_owned();
    member.finish(made["operation"]["id"].as_str().unwrap(), Duration::from_secs(300)).await;
    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, _) = member.kubeconfig(&cluster, folder.path()).await;
    let tools = Tools::new(&cache, &kubeconfig);
    let nodes = member.get(&format!("/clusters/{cluster}/nodes")).await;
    let worker = nodes["items"].as_array().unwrap().iter().find(|n| n["role"] == "worker").unwrap().clone();
    let (name, server) = (worker["name"].as_str().unwrap(), worker["server"]["id"].as_str().unwrap());
    database(&tools);
    assert_eq!(running_on(&tools).await, name);
    assert_eq!(attached_to(&tools), [name]);

    // In error, and not off: as far as the cloud tells, it may run on.
    in_error(&dev, server).await;
    crate::control_plane::crash(&dev, server).await;
    let lost = Instant::now();
    let asked = member.post(&format!("/clusters/{cluster}/nodes/{}/replace", worker["id"].as_str().unwrap()), json!({}), 202).await;
    let let_go = wait_for("the lost worker to let its volume go", Duration::from_secs(300), async || {
        let held = attached_to(&tools).iter().any(|n| n == name);
        // In this order: what is seen here was so before.
        let there = dev.cloud_objects().await.iter().any(|o| o["kind"] == "server" && o["id"] == server);
        assert!(held || !there, "the volume was let go while the server was there");
        (!held).then_some(())
    });
    let_go.await.expect("the volume was not let go");
    member.finish(asked["operation"]["id"].as_str().unwrap(), Duration::from_secs(180)).await;
    let next = running_on(&tools).await;
    assert_ne!(next, name);
    assert_eq!(attached_to(&tools), [next.as_str()]);
    println!("the pod ran on {:.0} s after its worker was lost", lost.elapsed().as_secs_f64());
    assert!(!tools.kubectl(&["get", "nodes", "-o", "name"]).contains(name));
    tools.kubectl(&["delete", "deployment/db", "pvc/db", "--timeout=90s"]);
    member.delete_cluster(&cluster).await;
}

/// Has Nova say that the server is in error, as an administrator can.
async fn in_error(dev: &Dev, server: &str) {
    let (http, cloud) = (client(), dev.cloud_url());
    let user = json!({"name": "operator", "domain": {"id": "default"}, "password": PASSWORD});
    let scope = json!({"project": {"name": "admin", "domain": {"id": "default"}}});
    let auth = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}});
    let answer = http.post(format!("{cloud}/identity/v3/auth/tokens")).json(&auth).send().await.unwrap();
    let token = answer.headers()["x-subject-token"].clone();
    let request = http.post(format!("{cloud}/compute/v2.1/servers/{server}/action")).header("x-auth-token", token);
    let answer = request.json(&json!({"os-resetState": {"state": "error"}})).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// One pod with a volume.
fn database(tools: &Tools) {
    let labels = json!({"app": "db"});
    tools.apply(&[
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "db"},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "db"}, "spec": {
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [{"name": "c", "image": "example.com/db:1", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
                "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "db"}}]}}}}),
    ]);
}

/// The node that the pod runs on, its volume attached there.
async fn running_on(tools: &Tools) -> String {
    let found = wait_for("the pod to run with its volume", SOON, async || {
        let pods: Value = serde_json::from_str(&tools.kubectl(&["get", "pods", "-l", "app=db", "-o", "json"])).unwrap();
        let runs = |p: &&Value| p["status"]["phase"] == "Running" && p["metadata"]["deletionTimestamp"].is_null();
        let node = pods["items"].as_array().unwrap().iter().find(runs)?["spec"]["nodeName"].as_str()?.to_owned();
        attached_to(tools).contains(&node).then_some(node)
    });
    found.await.expect("the pod does not run with its volume")
}

/// The nodes with an attachment.
fn attached_to(tools: &Tools) -> Vec<String> {
    let all: Value = serde_json::from_str(&tools.kubectl(&["get", "volumeattachments", "-o", "json"])).unwrap();
    all["items"].as_array().unwrap().iter().map(|a| a["spec"]["nodeName"].as_str().unwrap().to_owned()).collect()
}
