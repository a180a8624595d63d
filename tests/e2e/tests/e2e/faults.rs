//! A cluster in which one thing after another goes wrong: pods that may not leave, a worker's server and the address deleted by hand, an API that hangs, nodes that do not
//! get as far as joining. What the engine only waits for is stepped over.

use crate::dev::wait_for;
use crate::guests::signal;
use crate::need_kubernetes;
use crate::story::{APART, Story};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_and_what_can_be_is_mended() {
    let cache = need_kubernetes!();
    let story = Story::begin(&cache, "faults", "dev", json!({})).await;
    case_59_what_keeps_pods_on_a_node_is_named_and_a_drain_ends_in_time(&story).await;
    case_54_a_worker_whose_server_somebody_deleted_is_replaced(&story).await;
    case_62_a_cluster_whose_address_somebody_deleted_is_reached_at_another(&story).await;
    case_53_an_api_that_hangs_is_given_up_on_and_nothing_is_mended_blindly(&story).await;
    case_30_a_node_whose_bootstrap_fails_is_replaced_twice_and_its_last_lines_are_kept(&story).await;
    story.end().await;
}

async fn case_59_what_keeps_pods_on_a_node_is_named_and_a_drain_ends_in_time(story: &Story) {
    let (member, tools) = (&story.member, &story.tools);
    let node = story.nodes("worker").await[0].clone();
    let pod = |name: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": node["name"], "containers": [{"name": "c", "image": "example.com/c:1"}]}})
    };
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "held"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "held"}}}});
    tools.apply(&[budget, pod("held"), pod("free")]);
    tools.kubectl(&["wait", "--for=condition=Ready", "pod/held", "pod/free", "--timeout=60s"]);
    let drain = format!("/clusters/{}/nodes/{}/drain", story.cluster, node["id"].as_str().unwrap());
    let asked = member.post(&drain, json!({}), 202).await;
    let operation = asked["operation"]["id"].as_str().unwrap().to_owned();
    let words = held_up(story, &operation, "KCS-API-003").await;
    assert!(words.contains("default/held") && words.contains("disruption budget"), "{words}");
    assert!(!tools.try_kubectl(&["get", "pod", "free"]).ok, "one pod kept another");
    story.dev.let_pass(Duration::from_secs(11 * 60)).await;
    let ended = ended(story, &operation).await;
    assert_eq!((&ended["state"], &ended["fault"]["code"]), (&json!("failed"), &json!("KCS-API-003")), "{ended:#}");

    webhook_that_nobody_answers(story).await;
    tools.kubectl(&["delete", "pdb", "held"]);
    member.post(&format!("/operations/{operation}/retry"), json!({}), 202).await;
    let words = held_up(story, &operation, "KCS-API-006").await;
    assert!(words.contains("default/held") && words.contains("broken.example.com"), "{words}");
    tools.kubectl(&["delete", "validatingwebhookconfiguration", "broken"]);
    member.finish(&operation, SOON).await;
    assert!(!tools.try_kubectl(&["get", "pod", "held"]).ok);
}

/// Every eviction is to ask it, from when this returns.
async fn webhook_that_nobody_answers(story: &Story) {
    let rule = json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/eviction"], "operations": ["CREATE"]});
    let webhook = json!({"name": "broken.example.com", "clientConfig": {"url": "https://127.0.0.1:1/"}, "rules": [rule], "failurePolicy": "Fail",
        "sideEffects": "None", "timeoutSeconds": 1, "admissionReviewVersions": ["v1"]});
    story.tools.apply(&[json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "broken"}, "webhooks": [webhook]})]);
    let eviction = tempfile::NamedTempFile::new().unwrap();
    let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "held", "namespace": "default"}});
    std::fs::write(eviction.path(), body.to_string()).unwrap();
    let try_it = "/api/v1/namespaces/default/pods/held/eviction?dryRun=All";
    let asked = wait_for("the webhook to be asked", SOON, async || {
        let tried = story.tools.try_kubectl(&["create", "--raw", try_it, "-f", eviction.path().to_str().unwrap()]);
        tried.err.contains("broken.example.com").then_some(())
    });
    asked.await.expect("evictions do not ask the webhook");
}

/// What the operation says holds it up, once it says so with this code.
async fn held_up(story: &Story, operation: &str, code: &str) -> String {
    let path = format!("/operations/{operation}");
    let said = wait_for("what holds the drain up", SOON, async || {
        let step = story.member.get(&path).await["steps"][0].clone();
        (step["fault"]["code"] == code).then(|| step["fault"]["message"].as_str().unwrap().to_owned())
    });
    match said.await {
        Some(words) => words,
        None => panic!("{code} is not said: {:#}", story.member.get(&path).await),
    }
}

async fn ended(story: &Story, operation: &str) -> Value {
    let ended = wait_for("the operation to end", SOON, async || {
        let now = story.member.get(&format!("/operations/{operation}")).await;
        (!matches!(now["state"].as_str().unwrap(), "pending" | "running")).then_some(now)
    });
    ended.await.expect("it does not end")
}

async fn case_54_a_worker_whose_server_somebody_deleted_is_replaced(story: &Story) {
    let before = story.names("worker").await;
    let lost = story.nodes("worker").await[0].clone();
    let name = lost["name"].as_str().unwrap();
    story.delete_server(&lost).await;
    story.seen("NodesReady", |c| c["status"] == "False" && c["message"].as_str().unwrap().contains(name)).await;
    assert_eq!(story.names("worker").await, before, "not at once");
    story.dev.let_pass(Duration::from_secs(6 * 60)).await;
    story.replaced("worker", &before, name).await;
}

/// The certificates of its masters are for the address that is gone.
async fn case_62_a_cluster_whose_address_somebody_deleted_is_reached_at_another(story: &Story) {
    let resources = story.member.get(&format!("/clusters/{}/resources", story.cluster)).await;
    let address = resources["items"].as_array().unwrap().iter().find(|r| r["kind"] == "floating_ip" && r["state"] == "known").unwrap();
    let before = story.status().await["api_endpoint"].clone();
    story.delete_in_cloud(&format!("/network/v2.0/floatingips/{}", address["cloud_id"].as_str().unwrap())).await;
    let moved = wait_for("another address", SOON, async || {
        story.dev.let_pass(APART).await;
        (story.status().await["api_endpoint"] != before).then_some(())
    });
    moved.await.unwrap_or_else(|| panic!("the address is not made again: {resources:#}"));
    story.runs().await;
    story.tools.kubectl(&["get", "nodes"]);
}

async fn case_53_an_api_that_hangs_is_given_up_on_and_nothing_is_mended_blindly(story: &Story) {
    let master = story.names("master").await[0].clone();
    signal(&master, "kube-apiserver", "STOP");
    let path = format!("/clusters/{}/kubernetes/namespaces", story.cluster);
    let (status, problem) = story.member.call(reqwest::Method::GET, &path, None).await;
    assert_eq!((status, &problem["code"]), (504, &json!("KCS-API-001")), "{problem:#}");
    let said = story.seen("ApiReachable", |c| c["status"] == "False").await;
    assert_eq!(said["code"], "KCS-API-001", "{said:#}");
    for unknown in ["NodesReady", "SelfHealing"] {
        assert_eq!(story.condition(unknown).await["status"], "Unknown", "{:#}", story.status().await);
    }
    story.hours_pass_and_nothing_is_done().await;
    signal(&master, "kube-apiserver", "CONT");
    story.runs().await;
}

async fn case_30_a_node_whose_bootstrap_fails_is_replaced_twice_and_its_last_lines_are_kept(story: &Story) {
    // A file is in the way of this path, on every machine; and a part of it looks like a token.
    let token = "abcdef.0123456789abcdef";
    let volume = json!({"name": "data", "size_gib": 1, "mount_path": format!("/usr/bin/env/{token}")});
    let pool = json!({"name": "broken", "flavor": "m1.medium", "count": 1, "data_volumes": [volume]});
    let asked = story.member.post(&format!("/clusters/{}/node-pools", story.cluster), pool, 202).await;
    let ended = ended(story, asked["operation"]["id"].as_str().unwrap()).await;
    assert_eq!((&ended["state"], &ended["fault"]["code"]), (&json!("failed"), &json!("KCS-CMP-005")), "{ended:#}");
    let words = ended["fault"]["message"].as_str().unwrap();
    assert!(words.contains("/usr/bin/env") && words.contains("[token]") && !words.contains(token), "{words}");
    let resources = story.member.get(&format!("/clusters/{}/resources", story.cluster)).await;
    let servers = resources["items"].as_array().unwrap().iter().filter(|r| r["kind"] == "server");
    let retired = servers.filter(|r| r["state"] == "gone" && r["fault"]["code"] == "KCS-CMP-005").count();
    assert_eq!(retired, 2, "{resources:#}");
    let last = story.nodes("worker").await.into_iter().filter(|n| n["pool"] == "broken").collect::<Vec<_>>();
    assert!(last.len() == 1 && last[0]["bootstrap"]["state"] == "failed", "{last:#?}");
}
