//! One master becomes three, five, and three again. One is lost, the API answers on through the load balancer, the console says what is wrong, and it heals
//! when the master is back. Others do not come back and are replaced, until too many are gone at once.

use crate::dev::{Dev, client, wait_for};
use crate::etcd::{etcdctl, try_etcdctl};
use crate::guests::signal;
use crate::need_kubernetes;
use crate::story::{APART, Story};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long Kubernetes needs to miss a node, and more.
const MISSED: &str = "--timeout=180s";

#[tokio::test(flavor = "multi_thread")]
async fn masters_are_lost_one_after_another_and_then_too_many() {
    let cache = need_kubernetes!();
    let pool = json!({"name": "default", "flavor": "m1.medium", "count": 1});
    let story = Story::begin(&cache, "ha", "ha", json!({"control_plane": {"count": 1}, "node_pools": [pool]})).await;
    for masters in [3, 5, 3] {
        resized(&story, masters).await;
    }
    a_lost_master_is_survived_said_and_healed(&story).await;
    case_57_a_master_whose_kubelet_died_while_it_leads_etcd_is_replaced(&story).await;
    case_56_a_lost_master_is_replaced_and_nothing_of_it_is_left_in_etcd(&story).await;
    case_58_with_two_of_three_masters_lost_it_is_said_and_nothing_is_done(&story).await;
    story.end().await;
}

/// Each of so many masters gets a vote in etcd, nobody else keeps one, and the API answers on meanwhile.
async fn resized(story: &Story, masters: usize) {
    let path = format!("/clusters/{}/control-plane", story.cluster);
    let (status, asked) = story.member.call(Method::PATCH, &path, Some(json!({"count": masters}))).await;
    assert_eq!(status, 202, "{asked}");
    let operation = asked["operation"]["id"].as_str().unwrap();
    let start = Instant::now();
    let (mut calls, mut failed) = (0_u32, Vec::new());
    let ended = wait_for("the control plane to be resized", Duration::from_secs(600), async || {
        calls += 1;
        failed.extend(unanswered(story, start));
        let now = story.member.get(&format!("/operations/{operation}")).await;
        (!matches!(now["state"].as_str().unwrap(), "pending" | "running")).then_some(now)
    });
    let ended = ended.await.expect("the control plane is not resized in time");
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    println!("{masters} masters after {:.0} s; {} of {calls} calls failed meanwhile: {failed:#?}", start.elapsed().as_secs_f64(), failed.len());
    assert_eq!(story.names("master").await.len(), masters);
    etcd_is_of_the_masters(story).await;
    story.runs().await;
    // A request that is under way to a master that leaves may be cut, and be cut again when it is repeated.
    assert!(failed.len() <= 3, "the API did not answer throughout: {failed:#?}");
}

/// One call of the cluster's API; if it fails, when that was, and why.
fn unanswered(story: &Story, start: Instant) -> Option<String> {
    let began = start.elapsed();
    let answer = story.tools.try_kubectl(&["get", "--raw", "/readyz", "--request-timeout=5s"]);
    let told = || format!("{:.1} s to {:.1} s: {}", began.as_secs_f64(), start.elapsed().as_secs_f64(), answer.err.trim());
    (!answer.ok).then(told)
}

async fn a_lost_master_is_survived_said_and_healed(story: &Story) {
    let dev = &story.dev;
    let victim = story.nodes("master").await.pop().unwrap();
    let server = victim["server"]["id"].as_str().unwrap();
    crash(dev, server).await;

    let start = Instant::now();
    let (mut calls, mut failed) = (0_u32, Vec::new());
    let mut degraded = None;
    while start.elapsed() < Duration::from_secs(60) || (degraded.is_none() && start.elapsed() < Duration::from_secs(120)) {
        calls += 1;
        failed.extend(unanswered(story, start));
        let now = story.status().await;
        if degraded.is_none() && now["phase"] == "Degraded" {
            degraded = Some((start.elapsed(), now["conditions"].clone()));
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

    power_on(dev, server).await;
    story.runs().await;
}

async fn case_57_a_master_whose_kubelet_died_while_it_leads_etcd_is_replaced(story: &Story) {
    let before = story.names("master").await;
    let silent = leader(story, &before[0]);
    signal(&silent, "nodelet", "STOP");
    story.tools.kubectl(&["wait", "--for=condition=Ready=Unknown", &format!("node/{silent}"), MISSED]);
    lost(story, &silent).await;
    story.dev.let_pass(Duration::from_secs(6 * 60)).await;
    story.replaced("master", &before, &silent).await;
    etcd_is_of_the_masters(story).await;
}

/// And where it had not got further than a learner that never started, which would keep its successor out.
async fn case_56_a_lost_master_is_replaced_and_nothing_of_it_is_left_in_etcd(story: &Story) {
    let before = story.names("master").await;
    let name = leader(story, &before[0]);
    let node = story.nodes("master").await.into_iter().find(|n| n["name"] == name.as_str()).unwrap();
    let through = before.iter().find(|other| **other != name).unwrap();
    let member = members(story, through).into_iter().find(|m| m["name"] == name.as_str()).unwrap();
    etcdctl(&story.tools, through, &["member", "remove", &format!("{:x}", member["ID"].as_u64().unwrap())]);
    let peer = format!("--peer-urls=https://{}:2380", node["address"].as_str().unwrap());
    let add = ["member", "add", &name, "--learner", &peer];
    // The others choose a new leader first.
    let added = wait_for("etcd to take a learner", Duration::from_secs(60), async || try_etcdctl(&story.tools, through, &add).ok.then_some(()));
    added.await.expect("etcd takes no learner");
    story.delete_server(&node).await;
    // It is said, and where something else is being put right by then, it is replaced at once.
    let missed = wait_for("the master to be missed", Duration::from_secs(180), async || {
        story.dev.let_pass(APART).await;
        let said = story.condition("ControlPlaneHealthy").await["message"].as_str().unwrap_or_default().contains(&name);
        (said || !story.names("master").await.contains(&name)).then_some(())
    });
    missed.await.expect("nobody misses the master");
    story.dev.let_pass(Duration::from_secs(6 * 60)).await;
    story.replaced("master", &before, &name).await;
    etcd_is_of_the_masters(story).await;
}

async fn case_58_with_two_of_three_masters_lost_it_is_said_and_nothing_is_done(story: &Story) {
    for node in &story.nodes("master").await[..2] {
        story.delete_server(node).await;
    }
    let said = story.seen("SelfHealing", |c| c["reason"] == "QuorumLost").await;
    assert_eq!((&said["status"], &said["code"]), (&json!("False"), &json!("KCS-CMP-011")), "{said:#}");
    assert_eq!(story.condition("ControlPlaneHealthy").await["code"], "KCS-CMP-011");
    story.hours_pass_and_nothing_is_done().await;
}

/// The control plane is said not to be well, by this master's name.
async fn lost(story: &Story, master: &str) {
    story.seen("ControlPlaneHealthy", |c| c["status"] == "False" && c["message"].as_str().unwrap().contains(master)).await;
}

/// The master that leads etcd.
fn leader(story: &Story, through: &str) -> String {
    let status: Value = serde_json::from_str(&etcdctl(&story.tools, through, &["endpoint", "status", "--write-out=json"])).unwrap();
    let leader = &status[0]["Status"]["leader"];
    let found = members(story, through).into_iter().find(|m| m["ID"] == *leader);
    found.unwrap_or_else(|| panic!("nobody leads: {status:#}"))["name"].as_str().unwrap().to_owned()
}

fn members(story: &Story, through: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(&etcdctl(&story.tools, through, &["member", "list", "--write-out=json"])).unwrap();
    list["members"].as_array().unwrap().clone()
}

/// Each master has a member that votes, and nobody else has one.
async fn etcd_is_of_the_masters(story: &Story) {
    let masters = story.names("master").await;
    let members = members(story, &masters[0]);
    let names: BTreeSet<&str> = members.iter().map(|m| m["name"].as_str().unwrap_or_default()).collect();
    let wanted: BTreeSet<&str> = masters.iter().map(String::as_str).collect();
    assert_eq!(names, wanted, "{members:#?}");
    assert!(members.len() == masters.len() && members.iter().all(|m| m["isLearner"] != true), "{members:#?}");
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
