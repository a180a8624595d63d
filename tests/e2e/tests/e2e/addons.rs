//! What runs in a cluster for it to be of use: the real cloud controller and storage driver make load balancers and volumes in the local
//! cloud, their credential is replaced while they work, and when the cluster is deleted with a dead API only the kept volume stays.

use crate::dev::{Dev, Person, wait_for};
use crate::need_kubernetes;
use crate::tools::Tools;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn services_and_claims_work_with_the_cloud_and_nothing_but_a_kept_volume_stays() {
    let cache = need_kubernetes!();
    let dev = Dev::start().await;
    let before = dev.object_ids().await;
    let member = dev.sign_in("member-a").await;
    member.image_ready().await;
    let pool = json!({"name": "default", "flavor": "m1.medium", "count": 1});
    let made = member.post("/clusters", json!({"name": "addons", "spec": {"node_pools": [pool]}}), 202).await;
    let cluster = made["cluster"]["id"].as_str().unwrap().to_owned();
    let started = Instant::now();
    member.finish(made["operation"]["id"].as_str().unwrap(), Duration::from_secs(300)).await;
    println!("running with its add-ons after {:.1} s", started.elapsed().as_secs_f64());
    all_ready(&member, &cluster).await;

    let folder = tempfile::tempdir().unwrap();
    let (kubeconfig, _) = member.kubeconfig(&cluster, folder.path()).await;
    let tools = Tools::new(&cache, &kubeconfig);
    nodes_know_their_servers(&tools);
    a_service_answers_at_its_load_balancer(&dev, &tools).await;
    a_claim_gets_a_volume_that_grows(&dev, &tools).await;
    the_credential_is_replaced_under_load(&dev, &member, &cluster, &tools).await;
    what_is_deleted_comes_back(&tools).await;
    let kept = keep_a_claim(&dev, &tools).await;

    power_off_the_master(&dev, &member, &cluster).await;
    let (status, answer) =
        member.call(reqwest::Method::DELETE, &format!("/clusters/{cluster}"), Some(json!({"confirm": "addons", "volumes": "keep"}))).await;
    assert_eq!(status, 202, "{answer}");
    let operation = answer["operation"]["id"].as_str().unwrap().to_owned();
    member.finish(&operation, Duration::from_secs(180)).await;
    let receipt = member.get(&format!("/operations/{operation}/receipt")).await;
    assert_eq!(receipt["left"], json!([]), "{receipt:#}");
    let named: Vec<&str> = receipt["kept"].as_array().unwrap().iter().filter_map(|o| o["cloud_id"].as_str()).collect();
    assert_eq!(named, [kept.as_str()], "{receipt:#}");
    let after = dev.object_ids().await;
    let left: Vec<&String> = after.difference(&before).filter(|o| !o.starts_with("user ")).collect();
    assert_eq!(left, [&format!("volume {kept}")], "only the kept volume stays");
}

async fn of_kind(dev: &Dev, kind: &str) -> Vec<Value> {
    dev.cloud_objects().await.into_iter().filter(|o| o["kind"] == kind).collect()
}

async fn all_ready(member: &Person, cluster: &str) {
    let ready = wait_for("all add-ons to be ready", SOON, async || {
        let list = member.get(&format!("/clusters/{cluster}/addons")).await;
        let items = list["items"].as_array().unwrap().clone();
        items.iter().all(|a| a["state"] == "ready").then_some(items)
    })
    .await;
    let names: Vec<String> = ready.expect("an add-on is not ready").iter().map(|a| a["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["pod_network", "cloud_controller", "storage", "dns", "metrics"]);
    let found = member.get(&format!("/clusters/{cluster}")).await;
    let condition = found["status"]["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "AddonsHealthy").unwrap().clone();
    assert_eq!(condition["status"], "True", "{condition:#}");
}

fn nodes_know_their_servers(tools: &Tools) {
    let nodes: Value = serde_json::from_str(&tools.kubectl(&["get", "nodes", "-o", "json"])).unwrap();
    for node in nodes["items"].as_array().unwrap() {
        assert!(node["spec"]["providerID"].as_str().unwrap_or_default().starts_with("openstack:///"), "{node:#}");
        assert!(node["metadata"]["labels"]["topology.kubernetes.io/zone"].is_string(), "{node:#}");
        assert!(!node["spec"]["taints"].to_string().contains("uninitialized"), "{node:#}");
    }
    let default: Value = serde_json::from_str(&tools.kubectl(&["get", "storageclasses", "-o", "json"])).unwrap();
    let is_default = |c: &&Value| c["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    assert_eq!(default["items"].as_array().unwrap().iter().filter(is_default).count(), 1, "{default:#}");
}

/// In a guest nothing leads from a node's port to pods: the pod listens at the node's port itself, by a command in it.
async fn a_service_answers_at_its_load_balancer(dev: &Dev, tools: &Tools) {
    let earlier = of_kind(dev, "load_balancer").await.len();
    tools.kubectl(&["create", "deployment", "web", "--image=example.com/web:1"]);
    tools.kubectl(&["expose", "deployment", "web", "--type=LoadBalancer", "--port=80", "--target-port=8080"]);
    tools.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    let service = || -> Value { serde_json::from_str(&tools.kubectl(&["get", "service", "web", "-o", "json"])).unwrap() };
    let address =
        wait_for("the Service's address", SOON, async || service()["status"]["loadBalancer"]["ingress"][0]["ip"].as_str().map(str::to_owned))
            .await
            .expect("the Service has no address");
    assert_eq!(of_kind(dev, "load_balancer").await.len(), earlier + 1);
    let http = crate::dev::client();
    let url = format!("http://{address}/");
    assert!(http.get(&url).send().await.is_err(), "it answers before a pod can");
    let port = service()["spec"]["ports"][0]["nodePort"].as_u64().unwrap();
    let serve = format!("cd $(mktemp -d) && echo from-the-pod >index.html && nohup python3 -m http.server {port} >/dev/null 2>&1 & echo started");
    let pod = tools.kubectl(&["get", "pods", "-l", "app=web", "-o", "name"]);
    assert!(tools.kubectl(&["exec", pod.trim(), "--", "sh", "-c", &serve]).contains("started"));
    let page = wait_for("the load balancer to answer", SOON, async || http.get(&url).send().await.ok()?.text().await.ok()).await;
    assert_eq!(page.as_deref().map(str::trim), Some("from-the-pod"));
    tools.kubectl(&["delete", "service", "web", "--timeout=60s"]);
    tools.kubectl(&["delete", "deployment", "web", "--timeout=60s"]);
    let gone = wait_for("the load balancer to go", SOON, async || (of_kind(dev, "load_balancer").await.len() == earlier).then_some(()));
    gone.await.expect("the load balancer outlived its Service");
}

fn claim(tools: &Tools, name: &str) {
    let class = tools.kubectl(&["get", "storageclasses", "-o", "name"]).lines().next().unwrap().rsplit('/').next().unwrap().to_owned();
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
         "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
         "spec": {"containers": [{"name": "c", "image": "example.com/c:1", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
                  "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": name}}]}},
    ]});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), objects.to_string()).unwrap();
    tools.kubectl(&["apply", "-f", file.path().to_str().unwrap()]);
}

async fn bound(tools: &Tools, name: &str) -> Value {
    let volume = wait_for("the claim to be bound", SOON, async || {
        let found: Value = serde_json::from_str(&tools.kubectl(&["get", "pvc", name, "-o", "json"])).unwrap();
        (found["status"]["phase"] == "Bound").then(|| found["spec"]["volumeName"].as_str().unwrap().to_owned())
    })
    .await
    .expect("the claim is not bound");
    serde_json::from_str(&tools.kubectl(&["get", "pv", &volume, "-o", "json"])).unwrap()
}

async fn a_claim_gets_a_volume_that_grows(dev: &Dev, tools: &Tools) {
    claim(tools, "data");
    let volume = bound(tools, "data").await;
    let id = volume["spec"]["csi"]["volumeHandle"].as_str().unwrap().to_owned();
    let attached = wait_for("the volume to be attached", SOON, async || {
        of_kind(dev, "volume").await.iter().any(|v| v["id"] == id.as_str() && v["status"] == "in-use").then_some(())
    });
    attached.await.expect("the volume is not attached");
    tools.kubectl(&["patch", "pvc", "data", "-p", r#"{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}"#]);
    let grown = wait_for("the volume to grow", SOON, async || {
        let name = volume["metadata"]["name"].as_str().unwrap();
        (tools.kubectl(&["get", "pv", name, "-o", "jsonpath={.spec.capacity.storage}"]) == "3Gi").then_some(())
    });
    grown.await.expect("the volume did not grow");
    tools.kubectl(&["delete", "pod", "data", "--timeout=60s"]);
    tools.kubectl(&["delete", "pvc", "data", "--timeout=60s"]);
    let gone = wait_for("the volume to go", SOON, async || (!of_kind(dev, "volume").await.iter().any(|v| v["id"] == id.as_str())).then_some(()));
    gone.await.expect("the volume outlived its claim");
}

/// Services and claims come and go while the credential is replaced: no call of theirs is refused, and afterwards the old one is worth nothing.
async fn the_credential_is_replaced_under_load(dev: &Dev, member: &Person, cluster: &str, tools: &Tools) {
    let old = credential(member, cluster).await;
    let (name, secret) = handed_over(tools);
    assert_eq!(name, old, "the programs in the cluster have another credential");
    let token = signed_in(dev, &name, &secret).await.expect("the credential is no good before it is replaced");
    assert_eq!(networks_with(dev, &token).await, 200);
    let refused = refused_inside(dev).await;
    let answer = member.post(&format!("/clusters/{cluster}/credential/rotate"), json!({}), 202).await;
    let operation = answer["operation"]["id"].as_str().unwrap().to_owned();
    let (mut made, started) = (0, Instant::now());
    let ended = wait_for("the rotation to end", SOON, async || {
        if made < 4 {
            let name = format!("load-{made}");
            tools.kubectl(&["create", "service", "loadbalancer", &name, "--tcp=80:8080"]);
            claim(tools, &name);
            made += 1;
        }
        // Something new about a Service makes the controller go through all of it again.
        let note = format!("load={}", started.elapsed().as_millis());
        tools.kubectl(&["annotate", "service", "load-0", &note, "--overwrite"]);
        let now = member.get(&format!("/operations/{operation}")).await;
        (!matches!(now["state"].as_str().unwrap(), "pending" | "running")).then_some(now)
    })
    .await
    .expect("the rotation does not end");
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    println!("the credential was replaced in {:.0} s while {made} Services and claims were made", started.elapsed().as_secs_f64());
    for number in 0..made {
        bound(tools, &format!("load-{number}")).await;
    }
    let all = wait_for("every Service's load balancer", SOON, async || (of_kind(dev, "load_balancer").await.len() == made + 1).then_some(()));
    all.await.expect("a Service has no load balancer");
    assert_eq!(refused_inside(dev).await, refused, "calls of the controllers were refused");
    let new = credential(member, cluster).await;
    assert_ne!(old, new);
    let left: Vec<String> = of_kind(dev, "application_credential").await.iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect();
    assert!(left.contains(&new) && !left.contains(&old), "{left:?}");
    // Keystone itself refuses what was the credential, and what was got with it.
    assert_eq!(signed_in(dev, &old, &secret).await.err(), Some(404), "Keystone's answer for a credential that is gone");
    assert_eq!(networks_with(dev, &token).await, 401);
    let (name, secret) = handed_over(tools);
    assert_eq!(name, new);
    signed_in(dev, &name, &secret).await.expect("the new credential is no good");
    assert_eq!(signed_in(dev, &new, "another").await.err(), Some(401), "any secret is good");
    for number in 0..made {
        let name = format!("load-{number}");
        tools.kubectl(&["delete", &format!("service/{name}"), &format!("pod/{name}"), &format!("pvc/{name}"), "--timeout=90s"]);
    }
    let gone = wait_for("what the load made to go", SOON, async || (of_kind(dev, "load_balancer").await.len() == 1).then_some(()));
    gone.await.expect("a load balancer outlived its Service");
}

async fn credential(member: &Person, cluster: &str) -> String {
    let rows = member.get(&format!("/clusters/{cluster}/resources")).await;
    let live = |r: &&Value| r["kind"] == "application_credential" && r["state"] == "known";
    rows["items"].as_array().unwrap().iter().find(live).unwrap()["cloud_id"].as_str().unwrap().to_owned()
}

/// Id and secret of the credential that the programs in the cluster work with.
fn handed_over(tools: &Tools) -> (String, String) {
    let template = r#"go-template={{index .data "cloud.conf" | base64decode}}"#;
    let config = tools.kubectl(&["get", "secret", "cloud-config", "-n", "kube-system", "-o", template]);
    let value = |key: &str| config.lines().find_map(|l| l.strip_prefix(&format!("{key} = "))).unwrap().trim_matches('"').to_owned();
    (value("application-credential-id"), value("application-credential-secret"))
}

/// A token for an application credential, or the status of the refusal.
async fn signed_in(dev: &Dev, id: &str, secret: &str) -> Result<String, u16> {
    let identity = json!({"methods": ["application_credential"], "application_credential": {"id": id, "secret": secret}});
    let call = crate::dev::client().post(format!("{}/identity/v3/auth/tokens", dev.cloud_url()));
    let answer = call.json(&json!({"auth": {"identity": identity}})).send().await.unwrap();
    if answer.status() != 201 {
        return Err(answer.status().as_u16());
    }
    Ok(answer.headers()["x-subject-token"].to_str().unwrap().to_owned())
}

/// What Neutron answers to a token that asks for networks.
async fn networks_with(dev: &Dev, token: &str) -> u16 {
    let call = crate::dev::client().get(format!("{}/network/v2.0/networks", dev.cloud_url())).header("x-auth-token", token);
    call.send().await.unwrap().status().as_u16()
}

/// Answers of the cloud to programs in clusters that said no, or failed, with their number. What is not there or is just changing is no
/// refusal: others say so with 409, Nova and Cinder of a volume on its way with 400. Of a credential that is not there it is one.
async fn refused_inside(dev: &Dev) -> Vec<Value> {
    let answer: Value = crate::dev::client().get(format!("{}/_local/failures", dev.cloud_url())).send().await.unwrap().json().await.unwrap();
    let inside = |f: &&Value| f["origin"].as_str().unwrap().contains("198.18.0.1");
    let of_volume = |f: &&Value| f["service"] == "block-storage" || f["path"].as_str().unwrap().contains("/os-volume_attachments");
    let signs_in = |f: &&Value| f["path"].as_str().unwrap().ends_with("/auth/tokens");
    let refusal = |f: &&Value| match f["status"].as_u64().unwrap() {
        404 | 409 => signs_in(f),
        400 => !of_volume(f),
        _ => true,
    };
    answer["failures"].as_array().unwrap().iter().filter(inside).filter(refusal).cloned().collect()
}

/// Somebody removes a rule of ours, and what resolves names, and changes how it does: the next look finds it.
async fn what_is_deleted_comes_back(tools: &Tools) {
    let resolver = ["deployment/coredns", "service/kube-dns", "serviceaccount/coredns"];
    let address = || tools.try_kubectl(&["-n", "kube-system", "get", "service/kube-dns", "-o", "jsonpath={.spec.clusterIP}"]).out;
    let corefile = || tools.try_kubectl(&["-n", "kube-system", "get", "configmap/coredns", "-o", "jsonpath={.data.Corefile}"]).out;
    let before = (address(), corefile());
    assert!(!before.0.is_empty() && before.1.contains("cluster.local"), "{before:?}");
    let started = Instant::now();
    tools.kubectl(&["delete", "clusterrolebinding", "kcs:cloud-controller-manager"]);
    tools.kubectl(&[&["-n", "kube-system", "delete"][..], &resolver[..]].concat());
    tools.kubectl(&["-n", "kube-system", "patch", "configmap/coredns", "--type=merge", "--patch", r#"{"data":{"Corefile":".:53 {\n}\n"}}"#]);
    let back = wait_for("what was deleted to come back", SOON, async || {
        let binding = tools.try_kubectl(&["get", "clusterrolebinding", "kcs:cloud-controller-manager"]).ok;
        let resolves = tools.try_kubectl(&[&["-n", "kube-system", "get"][..], &resolver[..]].concat()).ok;
        (binding && resolves && (address(), corefile()) == before).then_some(())
    });
    back.await.expect("drift of an add-on was not repaired");
    println!("deleted objects of add-ons were back after {:.0} s", started.elapsed().as_secs_f64());
}

async fn keep_a_claim(dev: &Dev, tools: &Tools) -> String {
    claim(tools, "kept");
    let id = bound(tools, "kept").await["spec"]["csi"]["volumeHandle"].as_str().unwrap().to_owned();
    assert!(of_kind(dev, "volume").await.iter().any(|v| v["id"] == id.as_str()));
    // A Service's load balancer is to go with the cluster.
    tools.kubectl(&["create", "service", "loadbalancer", "left", "--tcp=80:8080"]);
    let made = wait_for("the Service's load balancer", SOON, async || (of_kind(dev, "load_balancer").await.len() == 2).then_some(()));
    made.await.expect("the Service has no load balancer");
    id
}

async fn power_off_the_master(dev: &Dev, member: &Person, cluster: &str) {
    let nodes = member.get(&format!("/clusters/{cluster}/nodes")).await;
    let master = nodes["items"].as_array().unwrap().iter().find(|n| n["role"] == "master").unwrap().clone();
    let server = master["server"]["id"].as_str().unwrap();
    crate::control_plane::crash(dev, server).await;
}
