//! The commands of kubectl and helm that people use from day to day, through the gate. Of each what it answers is looked at, and what became of it.

use crate::dev::wait_for;
use crate::tools::Tools;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::time::Duration;

/// The label of all that is made here but of the deployment's pods.
const OURS: &str = "story=verbs";
const SOON: Duration = Duration::from_secs(120);

/// What a member does with a cluster of two workers, as kubectl's commands are called.
pub async fn use_with_every_common_verb(tools: &Tools) {
    who_one_is_and_what_one_may(tools);
    one_pod(tools);
    an_object_is_changed_in_every_way(tools);
    a_deployment_goes_on_and_back(tools).await;
    a_node_is_emptied_and_used_again(tools).await;
    what_is_in_use_is_told(tools).await;
    what_has_a_label_is_deleted(tools);
}

fn who_one_is_and_what_one_may(tools: &Tools) {
    let me = read(tools, &["auth", "whoami"]);
    let me = &me["status"]["userInfo"];
    assert_eq!((&me["groups"], &me["extra"]), (&json!(["kcs:member", "system:authenticated"]), &json!({"kcs/name": ["member-a"]})), "{me:#}");
    assert!(me["username"].as_str().unwrap().starts_with("kcs:"), "{me:#}");
    said(tools, &["auth", "can-i", "create", "deployments.apps"], "yes");
    said(tools, &["explain", "deployment.spec.replicas"], "FIELD: replicas <integer>");
}

fn one_pod(tools: &Tools) {
    said(tools, &["run", "verb", "--image=example.com/verb:1", "--labels", OURS], "pod/verb created");
    said(tools, &["wait", "--for=condition=Ready", "pod/verb", "--timeout=60s"], "pod/verb condition met");
    said(tools, &["get", "pod", "verb", "-o", "yaml"], "- image: example.com/verb:1");
}

/// Somebody watches it meanwhile, and sees each change and nothing else.
fn an_object_is_changed_in_every_way(tools: &Tools) {
    let (first, second, ours) = (word("first"), word("second"), word("ours"));
    said(tools, &["apply", "-f", path(&first)], "configmap/verbs created");
    let mut watch = Watch::begin(tools);
    watch.sees("first");

    let difference = tools.try_kubectl(&["diff", "-f", path(&second)]);
    assert!(!difference.ok, "no difference is found");
    assert!(difference.out.contains("-  word: first") && difference.out.contains("+  word: second"), "{}{}", difference.out, difference.err);
    said(tools, &["apply", "--dry-run=server", "-f", path(&second)], "configmap/verbs configured (server dry run)");
    said(tools, &["replace", "-f", path(&second)], "configmap/verbs replaced");
    watch.sees("second");
    let edited = tools.kubectl_with(&[("KUBE_EDITOR", "sed -i s/second/third/")], &["edit", "configmap/verbs"]);
    assert_eq!(edited.trim(), "configmap/verbs edited");
    watch.sees("third");
    for (kind, patch) in [
        ("strategic", r#"{"data": {"word": "strategic"}}"#),
        ("merge", r#"{"data": {"word": "merge"}}"#),
        ("json", r#"[{"op": "replace", "path": "/data/word", "value": "json"}]"#),
    ] {
        said(tools, &["patch", "configmap/verbs", "--type", kind, "-p", patch], "configmap/verbs patched");
        watch.sees(kind);
    }
    let refused = tools.try_kubectl(&["apply", "--server-side", "-f", path(&ours)]);
    assert!(!refused.ok && refused.err.contains("conflict with \"kubectl-patch\""), "{}{}", refused.out, refused.err);
    said(tools, &["apply", "--server-side", "--force-conflicts", "-f", path(&ours)], "configmap/verbs serverside-applied");
    watch.sees("ours");
    let by = r#"jsonpath={.metadata.managedFields[?(@.operation=="Apply")].manager}"#;
    assert_eq!(tools.kubectl(&["get", "configmap/verbs", "--show-managed-fields", "-o", by]), "kubectl");
}

async fn a_deployment_goes_on_and_back(tools: &Tools) {
    let image = || tools.kubectl(&["get", "deployment/verbs", "-o", "jsonpath={.spec.template.spec.containers[0].image}"]);
    tools.kubectl(&["create", "deployment", "verbs", "--image=example.com/verbs:1", "--replicas=2"]);
    tools.kubectl(&["label", "deployment/verbs", OURS]);
    rolled_out(tools);
    tools.kubectl(&["set", "image", "deployment/verbs", "verbs=example.com/verbs:2"]);
    rolled_out(tools);
    assert_eq!((revisions(tools), image().as_str()), (vec![1, 2], "example.com/verbs:2"));
    said(tools, &["rollout", "history", "deployment/verbs", "--revision=1"], "example.com/verbs:1");
    said(tools, &["rollout", "undo", "deployment/verbs"], "deployment.apps/verbs rolled back");
    rolled_out(tools);
    assert_eq!((revisions(tools), image().as_str()), (vec![2, 3], "example.com/verbs:1"));
    said(tools, &["rollout", "restart", "deployment/verbs"], "deployment.apps/verbs restarted");
    rolled_out(tools);
    assert_eq!(revisions(tools), [2, 3, 4]);
    said(tools, &["patch", "deployment/verbs", "--subresource=scale", "--type=merge", "-p", r#"{"spec": {"replicas": 3}}"#], "verbs patched");
    rolled_out(tools);

    said(tools, &["autoscale", "deployment/verbs", "--min=1", "--max=4", "--cpu=80%"], "horizontalpodautoscaler.autoscaling/verbs autoscaled");
    let limits = "jsonpath={.spec.scaleTargetRef.name} {.spec.minReplicas} {.spec.maxReplicas}";
    assert_eq!(tools.kubectl(&["get", "hpa", "verbs", "-o", limits]), "verbs 1 4");
    tools.kubectl(&["delete", "hpa", "verbs"]);
    // Its controller tells of it when it gets to it.
    let told = wait_for("the deployment's events", SOON, async || {
        let events = tools.kubectl(&["events", "--for=deployment/verbs"]);
        (events.contains("ScalingReplicaSet") && events.contains("from 2 to 3")).then_some(())
    });
    told.await.expect("nothing is told of the deployment");
}

fn rolled_out(tools: &Tools) {
    said(tools, &["rollout", "status", "deployment/verbs", "--timeout=60s"], "successfully rolled out");
}

/// The numbers that the history of the deployment begins its lines with.
fn revisions(tools: &Tools) -> Vec<u32> {
    let history = tools.kubectl(&["rollout", "history", "deployment/verbs"]);
    history.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

/// Of what was made here only: the cluster's own programs stay where they are, for what comes after this.
async fn a_node_is_emptied_and_used_again(tools: &Tools) {
    let pods = on_nodes(tools);
    let (pod, node) = pods.first().expect("no pod of the deployment is on a node");
    let closed = || tools.kubectl(&["get", "node", node, "-o", "jsonpath={.spec.unschedulable}"]);
    said(tools, &["cordon", node], &format!("node/{node} cordoned"));
    assert_eq!(closed(), "true");
    said(tools, &["drain", node, "--pod-selector=app=verbs", "--timeout=60s"], &format!("pod/{pod} evicted"));
    let moved = wait_for("the evicted pods to be elsewhere", SOON, async || {
        let pods = on_nodes(tools);
        (pods.len() == 3 && pods.iter().all(|(_, on)| on != node)).then_some(())
    });
    moved.await.expect("the evicted pods do not come back elsewhere");
    said(tools, &["uncordon", node], &format!("node/{node} uncordoned"));
    assert_eq!(closed(), "");

    let taints = || tools.kubectl(&["get", "node", node, "-o", "jsonpath={.spec.taints[*].key}"]);
    said(tools, &["taint", "nodes", node, "verbs=few:NoSchedule"], &format!("node/{node} tainted"));
    assert!(taints().split_whitespace().any(|key| key == "verbs"));
    said(tools, &["taint", "nodes", node, "verbs-"], &format!("node/{node} untainted"));
    assert!(!taints().contains("verbs"));
}

/// The deployment's pods that are to stay, each with its node.
fn on_nodes(tools: &Tools) -> Vec<(String, String)> {
    let pods = read(tools, &["get", "pods", "-l", "app=verbs"]);
    let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    let place = |pod: &Value| Some((pod["metadata"]["name"].as_str()?.to_owned(), pod["spec"]["nodeName"].as_str()?.to_owned()));
    pods["items"].as_array().unwrap().iter().filter(stays).filter_map(place).collect()
}

/// By an API of the cluster's that is served by a program in it.
async fn what_is_in_use_is_told(tools: &Tools) {
    let worker = tools.kubectl(&["get", "pod", "verb", "-o", "jsonpath={.spec.nodeName}"]);
    for (what, name) in [("pod", "verb"), ("node", worker.as_str())] {
        let figures = wait_for("figures of what is in use", SOON, async || {
            let ran = tools.try_kubectl(&["top", what, name, "--no-headers"]);
            ran.ok.then_some(ran.out)
        });
        let figures = figures.await.unwrap_or_else(|| panic!("nothing is told of what {what} {name} uses"));
        let fields: Vec<&str> = figures.split_whitespace().collect();
        assert!(fields[0] == name && fields[1].ends_with('m') && figures.contains("Mi"), "{figures}");
    }
}

fn what_has_a_label_is_deleted(tools: &Tools) {
    let kinds = "deployments,configmaps,pods";
    let gone = tools.kubectl(&["delete", kinds, "--selector", OURS, "--timeout=60s"]);
    for object in ["deployment.apps \"verbs\"", "configmap \"verbs\"", "pod \"verb\""] {
        assert!(gone.contains(&format!("{object} deleted")), "{gone}");
    }
    assert_eq!(tools.kubectl(&["get", kinds, "-l", OURS, "-o", "name"]), "");
}

/// A chart is installed, upgraded, rolled back and uninstalled.
pub fn install_a_chart(tools: &Tools, folder: &Path) {
    let chart = folder.join("chart");
    let chart = chart.to_str().unwrap();
    let replicas = || tools.kubectl(&["get", "deployment/shop-chart", "-o", "jsonpath={.spec.replicas}"]);
    tools.helm(&["create", chart]);
    tools.helm(&["install", "shop", chart, "--wait", "--timeout", "60s"]);
    assert!(tools.helm(&["list"]).contains("shop"));
    assert_eq!(replicas(), "1");
    let upgraded = tools.helm(&["upgrade", "shop", chart, "--set", "replicaCount=2", "--wait", "--timeout", "60s"]);
    assert!(upgraded.contains("REVISION: 2"), "{upgraded}");
    assert_eq!(replicas(), "2");
    let values: Value = serde_json::from_str(&tools.helm(&["get", "values", "shop", "-o", "json"])).unwrap();
    assert_eq!(values, json!({"replicaCount": 2}));
    let rolled_back = tools.helm(&["rollback", "shop", "1", "--wait", "--timeout", "60s"]);
    assert!(rolled_back.contains("Rollback was a success"), "{rolled_back}");
    assert_eq!(replicas(), "1");
    let history: Value = serde_json::from_str(&tools.helm(&["history", "shop", "-o", "json"])).unwrap();
    let revisions: Value = history.as_array().unwrap().iter().map(|r| json!([r["revision"], r["status"], r["description"]])).collect();
    assert_eq!(revisions, json!([[1, "superseded", "Install complete"], [2, "superseded", "Upgrade complete"], [3, "deployed", "Rollback to 1"]]));
    assert!(tools.helm(&["uninstall", "shop"]).contains("uninstalled"));
    assert!(!tools.helm(&["list"]).contains("shop"));
}

/// Somebody who looks at the ConfigMap all the time.
struct Watch {
    kubectl: Child,
    words: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn begin(tools: &Tools) -> Self {
        // By its label: of a single object's changes kubectl leaves out the first that its watch tells.
        let mut kubectl = tools.watch(&["get", "configmaps", "-l", OURS, "--watch", "-o", "jsonpath={.data.word}{\"\\n\"}"]);
        let words = BufReader::new(kubectl.stdout.take().unwrap()).lines();
        Self { kubectl, words }
    }

    /// The next that is told.
    fn sees(&mut self, word: &str) {
        assert_eq!(self.words.next().expect("the watch has ended").unwrap(), word);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

/// kubectl answers this, maybe among other things.
fn said(tools: &Tools, args: &[&str], words: &str) {
    let out = tools.kubectl(args);
    assert!(out.contains(words), "kubectl {args:?} is to say {words:?}: {out}");
}

/// What kubectl answers, as JSON.
fn read(tools: &Tools, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["-o", "json"]).collect();
    serde_json::from_str(&tools.kubectl(&args)).unwrap()
}

/// A file with the ConfigMap that holds this word.
fn word(word: &str) -> tempfile::NamedTempFile {
    let (key, value) = OURS.split_once('=').unwrap();
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "verbs", "labels": {key: value}}, "data": {"word": word}});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), object.to_string()).unwrap();
    file
}

fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}
