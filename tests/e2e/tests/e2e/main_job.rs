//! The main job: create from the template, use it with kubectl and helm, revoke, delete, nothing left.

use crate::dev::{Dev, wait_for};
use crate::etcd::stored_values;
use crate::need_kubernetes;
use crate::tools::Tools;
use crate::verbs::{install_a_chart, use_with_every_common_verb};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn create_use_delete_nothing_left() {
    let cache = need_kubernetes!();
    let mut dev = Dev::start().await;
    let before = dev.object_ids().await;
    let member = dev.sign_in("member-a").await;

    let plan = member.post("/clusters/plan", json!({"name": "demo", "template": "dev"}), 200).await;
    assert_eq!(plan["blocked"], false, "{plan:#}");
    let cluster = member.create_cluster("demo", "dev", json!({"audit": {"level": "request"}})).await;
    let nodes = member.get(&format!("/clusters/{cluster}/nodes")).await;
    assert_eq!(nodes["items"].as_array().unwrap().len(), 3, "{nodes:#}");

    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, kid) = member.kubeconfig(&cluster, folder.path()).await;
    let tools = Tools::new(&cache, &kubeconfig);
    use_with_kubectl(&tools);
    install_a_chart(&tools, folder.path());
    secrets_are_encrypted_in_etcd(&dev, &tools);
    the_api_writes_down_who_did_what(&dev);
    use_with_every_common_verb(&tools).await;
    revoke_cuts_at_once(&member, &tools, &cluster, &kid).await;

    reader_looks_only(&dev, &cache, &cluster, folder.path()).await;
    guest_works_in_their_namespace(&dev, &cache, &cluster).await;
    what_is_narrowed_stays_in_its_namespace(&dev, &cache, &cluster).await;
    foreigner_sees_nothing(&dev, &cluster).await;

    dev.crash_and_restart().await;
    let member = dev.sign_in("member-a").await;
    wait_for("the cluster to run again", Duration::from_secs(180), async || {
        let now = member.get(&format!("/clusters/{cluster}")).await;
        (now["status"]["phase"] == "Running").then_some(())
    })
    .await
    .expect("the cluster did not come back after a crash of everything");

    let delete_plan = member.get(&format!("/clusters/{cluster}/delete-plan")).await;
    let planned = delete_plan["objects"].as_array().unwrap().len();
    let receipt = member.delete_cluster(&cluster).await;
    assert_eq!(receipt["left"], json!([]), "{receipt:#}");
    assert_eq!(receipt["removed"].as_array().unwrap().len(), planned, "the plan listed what was removed");
    let after = dev.object_ids().await;
    let left: Vec<&String> = after.difference(&before).filter(|o| !o.starts_with("user ")).collect();
    assert!(left.is_empty(), "left in the cloud: {left:#?}");
    assert!(before.is_subset(&after), "foreign objects are gone");
}

fn use_with_kubectl(tools: &Tools) {
    assert_eq!(tools.kubectl(&["get", "nodes", "-o", "name"]).lines().count(), 3);
    let mut watch = tools.watch(&["get", "pods", "-w", "-o", "name"]);
    tools.kubectl(&["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
    tools.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    let mut first = String::new();
    BufReader::new(watch.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("pod/web-"), "the watch said {first:?}");
    watch.kill().unwrap();
    watch.wait().unwrap();
    tools.kubectl(&["scale", "deployment/web", "--replicas=4"]);
    tools.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    let pods = tools.kubectl(&["get", "pods", "-l", "app=web", "-o", "name"]);
    assert_eq!(pods.lines().count(), 4);
    let pod = pods.lines().next().unwrap();
    tools.kubectl(&["set", "image", "deployment/web", "nginx=nginx:2"]);
    tools.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    let pods = tools.kubectl(&["get", "pods", "-l", "app=web", "--field-selector=status.phase=Running", "-o", "name"]);
    let pod = pods.lines().next().unwrap_or(pod);
    assert!(tools.kubectl(&["logs", pod, "--tail=2"]).contains("sample line"));
    assert_eq!(tools.kubectl(&["exec", pod, "--", "echo", "hello"]).trim(), "hello");
    assert_eq!(tools.kubectl_over_spdy(&["exec", pod, "--", "echo", "hello"]).trim(), "hello");
    tools.kubectl(&["delete", "deployment/web", "--wait=true"]);
}

/// Reads what etcd wrote to its disk.
fn secrets_are_encrypted_in_etcd(dev: &Dev, tools: &Tools) {
    tools.kubectl(&["create", "secret", "generic", "hidden", "--from-literal=word=plain-to-see"]);
    tools.kubectl(&["create", "configmap", "open", "--from-literal=word=open-to-see"]);
    let read = tools.kubectl(&["get", "secret", "hidden", "--template={{.data.word | base64decode}}"]);
    assert_eq!(read, "plain-to-see");
    let secrets = stored_values(dev.state.path(), "/registry/secrets/default/hidden");
    assert!(!secrets.is_empty(), "the Secret is not on etcd's disk");
    for value in &secrets {
        assert!(value.starts_with(b"k8s:enc:secretbox:v1:"), "{}", String::from_utf8_lossy(value));
        assert!(!value.windows(12).any(|w| w == b"plain-to-see"));
    }
    // The same look does find what is not encrypted.
    let open = stored_values(dev.state.path(), "/registry/configmaps/default/open");
    assert!(open.iter().any(|value| value.windows(11).any(|w| w == b"open-to-see")));
    tools.kubectl(&["delete", "secret/hidden", "configmap/open"]);
}

/// Reads what the API server wrote down on its master's disk.
fn the_api_writes_down_who_did_what(dev: &Dev) {
    let log = find_files(dev.state.path(), "log/kubernetes/audit/audit.log").pop().expect("no audit log on any disk");
    let text = std::fs::read_to_string(log).unwrap();
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let made = |resource: &str, name: &str| {
        let fits = |event: &&Value| event["verb"] == "create" && event["objectRef"]["resource"] == resource && event["objectRef"]["name"] == name;
        events.iter().find(fits).unwrap_or_else(|| panic!("nobody has made {resource} {name}"))
    };
    let deployment = made("deployments", "web");
    assert_eq!(deployment["user"]["username"], "kcs:gateway");
    assert_eq!(deployment["impersonatedUser"]["extra"]["kcs/name"], json!(["member-a"]), "{deployment:#}");
    assert_eq!((&deployment["level"], &deployment["requestObject"]["metadata"]["name"]), (&json!("Request"), &json!("web")));
    let secret = made("secrets", "hidden");
    assert_eq!((&secret["level"], secret.get("requestObject")), (&json!("Metadata"), None), "{secret:#}");
    assert!(!text.contains("plain-to-see") && !text.contains("cGxhaW4tdG8tc2Vl"), "a secret's value is in the log");
    assert!(events.iter().all(|event| !matches!(event["objectRef"]["resource"].as_str(), Some("leases" | "events"))), "noise is in the log");
}

/// The files of this path on all disks under a directory.
pub fn find_files(directory: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|e| e.file_type().is_ok_and(|t| !t.is_symlink()))
        .map(|e| e.path())
        .flat_map(|path| if path.is_dir() { find_files(&path, end) } else { path.ends_with(end).then_some(path).into_iter().collect() })
        .collect()
}

async fn revoke_cuts_at_once(member: &crate::dev::Person, tools: &Tools, cluster: &str, kid: &str) {
    let mut watch = tools.watch(&["get", "pods", "-A", "--watch", "-o", "name"]);
    let mut lines = BufReader::new(watch.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    let (status, answer) = member.call(reqwest::Method::DELETE, &format!("/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
    assert_eq!(status, 204, "{answer}");
    let revoked = Instant::now();
    let refused = wait_for("kubectl to be refused", Duration::from_secs(5), async || {
        let ran = tools.try_kubectl(&["get", "pods", "--request-timeout=5s"]);
        (!ran.ok && ran.err.contains("Unauthorized") || ran.err.contains("logged in")).then_some(())
    });
    refused.await.expect("a revoked kubeconfig still works");
    println!("refused {:.2} s after the revocation", revoked.elapsed().as_secs_f64());
    let ended = wait_for("the open watch to be cut", Duration::from_secs(5), async || watch.try_wait().unwrap()).await;
    println!("the open watch was gone {:.2} s after the revocation", revoked.elapsed().as_secs_f64());
    if ended.is_none() {
        watch.kill().unwrap();
        watch.wait().unwrap();
        panic!("an open watch outlived its kubeconfig");
    }
}

async fn reader_looks_only(dev: &Dev, cache: &Path, cluster: &str, folder: &Path) {
    let reader = dev.sign_in("reader-a").await;
    let (kubeconfig, _) = reader.kubeconfig(cluster, folder).await;
    let tools = Tools::new(cache, &kubeconfig);
    assert!(tools.kubectl(&["get", "pods", "-A"]).contains("etcd"));
    let may = tools.try_kubectl(&["auth", "can-i", "create", "deployments.apps"]);
    assert!(!may.ok && may.out.starts_with("no"), "{}{}", may.out, may.err);
    for forbidden in [vec!["create", "deployment", "x", "--image=y"], vec!["get", "secrets", "-A"], vec!["delete", "node", "--all"]] {
        let ran = tools.try_kubectl(&forbidden);
        assert!(!ran.ok && (ran.err.contains("KCS-RBAC-001") || ran.err.contains("Forbidden")), "kubectl {forbidden:?}: {}{}", ran.out, ran.err);
    }
    let (status, problem) = reader.call(reqwest::Method::POST, "/clusters", Some(json!({"name": "mine", "template": "dev"}))).await;
    assert_eq!((status, &problem["code"]), (403, &json!("KCS-RBAC-001")), "{problem}");
}

/// The engine writes the rules for the person into the cluster, and takes them out again.
async fn guest_works_in_their_namespace(dev: &Dev, cache: &Path, cluster: &str) {
    let (owner, folder) = (dev.sign_in("owner-a").await, tempfile::tempdir().unwrap());
    let own = Tools::new(cache, &owner.kubeconfig(cluster, folder.path()).await.0);
    own.kubectl(&["create", "namespace", "team"]);
    let members = owner.get("/members").await;
    let id = members["items"].as_array().unwrap().iter().find(|m| m["name"] == "guest-a").unwrap()["id"].as_str().unwrap().to_owned();
    let place = json!({"role": "guest", "places": [{"cluster": cluster, "namespace": "team", "role": "member"}]});
    let (status, given) = owner.call(reqwest::Method::PUT, &format!("/members/{id}"), Some(place)).await;
    assert_eq!(status, 200, "{given}");

    let (guest, folder) = (dev.sign_in("guest-a").await, tempfile::tempdir().unwrap());
    let tools = Tools::new(cache, &guest.kubeconfig(cluster, folder.path()).await.0);
    let can = async || tools.try_kubectl(&["get", "pods", "-n", "team"]).ok.then_some(());
    wait_for("the rules to be in the cluster", Duration::from_secs(60), can).await.expect("the guest never gets into the namespace");
    no_pod_of_theirs_reaches_its_node(&own, &tools, "team", "KCS-RBAC-004");
    tools.kubectl(&["create", "configmap", "mine", "-n", "team", "--from-literal=a=b"]);
    assert!(tools.kubectl(&["get", "configmaps,secrets", "-n", "team"]).contains("mine"));
    assert!(tools.kubectl(&["get", "namespace", "team"]).contains("Active"));
    lists_are_of_their_namespace(&tools);
    for forbidden in
        [vec!["get", "pods", "-n", "default"], vec!["get", "pods", "-A", "--watch-only"], vec!["get", "nodes"], vec!["delete", "namespace", "team"]]
    {
        let ran = tools.try_kubectl(&forbidden);
        assert!(!ran.ok && ran.err.contains("KCS-RBAC-004"), "kubectl {forbidden:?}: {}{}", ran.out, ran.err);
    }
    let namespaces = guest.get(&format!("/clusters/{cluster}/kubernetes/namespaces")).await;
    assert_eq!((namespaces["items"].as_array().unwrap().len(), &namespaces["items"][0]["name"]), (1, &json!("team")), "{namespaces}");
    guest.get(&format!("/clusters/{cluster}/kubernetes/pods")).await;
    let (status, gone) = owner.call(reqwest::Method::DELETE, &format!("/members/{id}"), None).await;
    assert_eq!(status, 204, "{gone}");
    assert!(!tools.try_kubectl(&["get", "pods", "-n", "team"]).ok, "what was taken back goes on");
    let binding = async || (!own.try_kubectl(&["get", "rolebinding", "kcs:admin", "-n", "team"]).ok).then_some(());
    wait_for("the rules to be out of the cluster", Duration::from_secs(60), binding).await.expect("the binding outlives what was given");
}

/// What asks for all namespaces is answered with those that are theirs, in each form that kubectl asks for.
fn lists_are_of_their_namespace(guest: &Tools) {
    let names = |args: &[&str]| {
        let out = guest.kubectl(args);
        let mut names: Vec<String> = out.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    };
    assert_eq!(names(&["get", "namespaces", "-o", "name"]), ["namespace/team"]);
    let shown = guest.kubectl(&["get", "ns"]);
    assert!(shown.lines().count() == 2 && shown.contains("team") && shown.contains("Active"), "{shown}");
    let shown = guest.kubectl(&["get", "configmaps", "-A"]);
    assert!(shown.starts_with("NAMESPACE") && shown.contains("mine") && !shown.contains("kube-system"), "{shown}");
    assert_eq!(names(&["get", "configmaps", "--all-namespaces", "-o", "name", "--chunk-size=1"]), ["configmap/kube-root-ca.crt", "configmap/mine"]);
    assert!(guest.kubectl(&["get", "pods", "-A"]).contains("ordinary"));
    guest.kubectl(&["get", "deployments.apps,services,secrets,events", "-A"]);
}

/// A member's kubeconfig for a namespace takes no more than that: neither a node by a pod, nor rights by a binding.
async fn what_is_narrowed_stays_in_its_namespace(dev: &Dev, cache: &Path, cluster: &str) {
    let (member, folder) = (dev.sign_in("member-a").await, tempfile::tempdir().unwrap());
    let own = Tools::new(cache, &member.kubeconfig(cluster, folder.path()).await.0);
    own.kubectl(&["create", "namespace", "build"]);
    let (file, id) = member.kubeconfig_for(cluster, folder.path(), json!({"expires_in": 3600, "namespaces": ["build"]})).await;
    let narrowed = Tools::new(cache, &file);
    let can = async || narrowed.try_kubectl(&["get", "pods", "-n", "build"]).ok.then_some(());
    wait_for("the groups to be in the cluster", Duration::from_secs(60), can).await.expect("what is narrowed never gets into its namespace");
    no_pod_of_theirs_reaches_its_node(&own, &narrowed, "build", "KCS-RBAC-003");
    let ran = narrowed.try_kubectl(&["create", "rolebinding", "more", "--clusterrole=cluster-admin", "--user=anybody", "-n", "build"]);
    assert!(!ran.ok && ran.err.contains("attempting to grant RBAC permissions not currently held"), "{}{}", ran.out, ran.err);
    narrowed.kubectl(&["create", "deployment", "work", "--image=registry.k8s.io/pause:3.10", "-n", "build"]);
    assert!(narrowed.kubectl(&["get", "deployments,pods", "-A"]).contains("work"));
    assert!(narrowed.kubectl(&["auth", "can-i", "create", "pods", "-n", "build"]).starts_with("yes"));
    let ran = narrowed.try_kubectl(&["auth", "can-i", "create", "pods", "-n", "default"]);
    assert!(!ran.ok && ran.out.starts_with("no"), "{}{}", ran.out, ran.err);
    let (status, answer) = member.call(reqwest::Method::DELETE, &format!("/clusters/{cluster}/kubeconfigs/{id}"), None).await;
    assert_eq!(status, 204, "{answer}");
    let binding = async || (!own.try_kubectl(&["get", "rolebinding", "kcs:narrowed-admin", "-n", "build"]).ok).then_some(());
    wait_for("the groups to be out of the cluster", Duration::from_secs(60), binding).await.expect("the binding outlives the kubeconfig");
}

/// Who has a namespace only takes no node, and no cluster with it, by a pod. `around`: the code by which the namespace itself is closed to them.
fn no_pod_of_theirs_reaches_its_node(own: &Tools, guest: &Tools, namespace: &str, around: &str) {
    let container = json!({"name": "c", "image": "registry.k8s.io/pause:3.10"});
    let mut privileged = container.clone();
    privileged["securityContext"] = json!({"privileged": true});
    let files = json!([{"name": "etc", "hostPath": {"path": "/etc/kubernetes"}}]);
    for (name, spec) in [
        ("files", json!({"containers": [container], "volumes": files})),
        ("network", json!({"containers": [container], "hostNetwork": true})),
        ("privileged", json!({"containers": [privileged]})),
    ] {
        let ran = guest.try_apply(&[pod(namespace, name, spec)]);
        assert!(!ran.ok && ran.err.contains("forbidden: violates PodSecurity \"baseline:latest\""), "{name}: {}{}", ran.out, ran.err);
    }
    guest.apply(&[pod(namespace, "ordinary", json!({"containers": [container]}))]);
    let ran = guest.try_kubectl(&["label", "namespace", namespace, "--overwrite", "pod-security.kubernetes.io/enforce=privileged"]);
    assert!(!ran.ok && ran.err.contains(around), "{}{}", ran.out, ran.err);
    let label = "--output=jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
    assert_eq!(own.kubectl(&["get", "namespace", namespace, label]), "baseline");
}

fn pod(namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

async fn foreigner_sees_nothing(dev: &Dev, cluster: &str) {
    let foreigner = dev.sign_in("member-b").await;
    let (foreign, a) = foreigner.call(reqwest::Method::GET, &format!("/clusters/{cluster}"), None).await;
    let (missing, b) = foreigner.call(reqwest::Method::GET, "/clusters/00000000-0000-7000-8000-000000000000", None).await;
    assert_eq!((foreign, missing), (404, 404));
    assert_eq!(a["code"], b["code"]);
    let (status, problem) = foreigner.call(reqwest::Method::GET, "/admin/clusters", None).await;
    assert_eq!((status, &problem["code"]), (403, &json!("KCS-RBAC-002")));
    let operator = dev.sign_in("operator").await;
    assert!(operator.get("/admin/clusters").await["items"].as_array().unwrap().iter().any(|c| c["id"] == cluster));
}
