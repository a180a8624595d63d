//! Three masters: one is lost, the API answers on through the load balancer, the console says what is wrong, and it heals when the master is back.

use crate::dev::{Dev, client, wait_for};
use crate::need_kubernetes;
use crate::tools::Tools;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_master_is_survived_said_and_healed() {
    let cache = need_kubernetes!();
    let dev = Dev::start().await;
    let member = dev.sign_in("member-a").await;
    let made = member
        .post(
            "/clusters",
            json!({"name": "ha", "template": "ha", "spec": {"node_pools": [{"name": "default", "flavor": "m1.medium", "count": 1}]}}),
            202,
        )
        .await;
    let cluster = made["cluster"]["id"].as_str().unwrap().to_owned();
    member.finish(made["operation"]["id"].as_str().unwrap(), Duration::from_secs(480)).await;

    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, _) = member.kubeconfig(&cluster, folder.path()).await;
    let tools = Tools::new(&cache, &kubeconfig);
    let nodes = member.get(&format!("/clusters/{cluster}/nodes")).await;
    let victim = nodes["items"].as_array().unwrap().iter().rfind(|n| n["role"] == "master").unwrap().clone();
    let server = victim["server"]["id"].as_str().unwrap();
    crash(&dev, server).await;

    let start = Instant::now();
    let (mut calls, mut failed) = (0_u32, Vec::new());
    let mut degraded = None;
    while start.elapsed() < Duration::from_secs(60) || (degraded.is_none() && start.elapsed() < Duration::from_secs(120)) {
        calls += 1;
        let began = start.elapsed();
        let answer = tools.try_kubectl(&["get", "--raw", "/readyz", "--request-timeout=5s"]);
        if !answer.ok {
            failed.push(format!("{:.1} s to {:.1} s: {}", began.as_secs_f64(), start.elapsed().as_secs_f64(), answer.err.trim()));
        }
        let now = member.get(&format!("/clusters/{cluster}")).await;
        if degraded.is_none() && now["status"]["phase"] == "Degraded" {
            degraded = Some((start.elapsed(), now["status"]["conditions"].clone()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{} of {calls} calls failed in the first {:.0} s after a master was lost", failed.len(), start.elapsed().as_secs_f64());
    let (after, conditions) = degraded.expect("the cluster was never said to be degraded");
    println!("said to be degraded after {:.0} s", after.as_secs_f64());
    let master = conditions.as_array().unwrap().iter().find(|c| c["type"] == "ControlPlaneHealthy").unwrap();
    assert_eq!(master["status"], "False");
    assert!(master["message"].as_str().unwrap().contains(victim["name"].as_str().unwrap()), "{conditions:#}");
    assert!(failed.is_empty(), "the API did not answer throughout: {failed:#?}");

    power_on(&dev, server).await;
    let healed = wait_for("the cluster to heal", Duration::from_secs(180), async || {
        let now = member.get(&format!("/clusters/{cluster}")).await;
        (now["status"]["phase"] == "Running").then_some(())
    });
    if healed.await.is_none() {
        let status = &member.get(&format!("/clusters/{cluster}")).await["status"];
        panic!("it did not heal: {status:#}\n{}", tools.try_kubectl(&["get", "nodes,pods", "-A", "-o", "wide"]).out);
    }
    let receipt = member.delete_cluster(&cluster).await;
    assert_eq!(receipt["left"], json!([]));
}

/// Pulls the plug: the guest dies, the cloud's records say nothing of it.
pub async fn crash(dev: &Dev, server: &str) {
    let answer = client().post(format!("{}/_local/servers/{server}/crash", dev.cloud_url())).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

async fn power_on(dev: &Dev, server: &str) {
    let answer = client().post(format!("{}/_local/servers/{server}/start", dev.cloud_url())).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}
