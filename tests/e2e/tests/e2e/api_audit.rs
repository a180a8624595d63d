//! What a running cluster's API writes down is changed: its masters join with the real kubeadm, which is told of an audit by a patch, or has told them of one
//! for good and is given a policy that lets nothing be written down.

use crate::dev::{Dev, Person, wait_for};
use crate::main_job::find_files;
use crate::need_kubernetes;
use crate::tools::Tools;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clusters_api_writes_down_is_changed_while_it_runs() {
    let cache = need_kubernetes!();
    let dev = Dev::start().await;
    let member = dev.sign_in("member-a").await;
    for (name, first, then) in [("later", "none", "metadata"), ("no-more", "metadata", "none")] {
        let cluster = member.create_cluster(name, "dev", json!({"audit": {"level": first}})).await;
        let folder = tempfile::tempdir().unwrap();
        let (kubeconfig, _) = member.kubeconfig(&cluster, folder.path()).await;
        let tools = Tools::new(&cache, &kubeconfig);
        made_and_told(&dev, &tools, "before", first).await;
        change(&member, &cluster, then).await;
        let spec = member.get(&format!("/clusters/{cluster}")).await["spec"]["audit"].clone();
        assert_eq!(spec, json!({"level": then, "made_with": first}));
        made_and_told(&dev, &tools, "after", then).await;
        assert_eq!(tools.kubectl(&["get", "configmap", "before", "-o", "name"]).trim(), "configmap/before");
        let receipt = member.delete_cluster(&cluster).await;
        assert_eq!(receipt["left"], json!([]), "{receipt:#}");
    }
}

async fn change(member: &Person, cluster: &str, level: &str) {
    let path = format!("/clusters/{cluster}/api-audit");
    let (status, begun) = member.call(reqwest::Method::PATCH, &path, Some(json!({"level": level}))).await;
    assert_eq!(status, 202, "{begun}");
    member.finish(begun["operation"]["id"].as_str().unwrap(), Duration::from_secs(600)).await;
}

/// Makes something in the cluster; at a level that is not none, some master's disk tells of it, and else none does.
async fn made_and_told(dev: &Dev, tools: &Tools, name: &str, level: &str) {
    tools.kubectl(&["create", "configmap", name]);
    if level == "none" {
        assert!(!told(dev.state.path(), name), "{name} was written down");
        return;
    }
    let written = wait_for("the API server to write it down", Duration::from_secs(20), async || told(dev.state.path(), name).then_some(()));
    written.await.unwrap_or_else(|| panic!("nobody has written down who made {name}"));
}

fn told(disks: &Path, name: &str) -> bool {
    let logs = find_files(disks, "log/kubernetes/audit/audit.log");
    let texts = logs.into_iter().filter_map(|log| std::fs::read_to_string(log).ok());
    let events: Vec<Value> = texts.flat_map(|text| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>()).collect();
    events.iter().any(|event| event["verb"] == "create" && event["objectRef"]["resource"] == "configmaps" && event["objectRef"]["name"] == name)
}
