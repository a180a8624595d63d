//! The engine's operations, by the requests they make and the answers they understand.

use crate::fake_api::{Body, FakeApi, access, json, text};
use domain::members::{Inside, NamespaceAccess, NamespacePerson};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kube_access::engine::{AccessLeft, Drain, Rewriting};
use kube_access::{Engine, KubeError};
use sealed::JoinToken;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;

/// An API server that keeps what is written to it and answers by a function.
struct Cluster {
    _api: FakeApi,
    engine: Engine,
    written: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Cluster {
    async fn new(answer: impl Fn(&Method, &str) -> Response<Body> + Send + Sync + 'static) -> Self {
        let written = Arc::<Mutex<Vec<(String, Value)>>>::default();
        let (kept, answer) = (written.clone(), Arc::new(answer));
        let api = FakeApi::start(move |request: Request<Incoming>| {
            let (kept, answer) = (kept.clone(), answer.clone());
            Box::pin(async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let uri = parts.uri.to_string();
                if parts.method != Method::GET {
                    let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
                    kept.lock().unwrap().push((format!("{} {uri}", parts.method), value));
                }
                answer(&parts.method, &uri)
            })
        })
        .await;
        Self { engine: access().engine(&api.target).await.unwrap(), _api: api, written }
    }

    fn written(&self) -> Vec<(String, Value)> {
        self.written.lock().unwrap().clone()
    }
}

fn not_found() -> Response<Body> {
    let status = json!({"kind": "Status", "message": "nodes \"x\" not found", "reason": "NotFound", "code": 404});
    text(StatusCode::NOT_FOUND, status.to_string())
}

fn given(people: impl IntoIterator<Item = NamespacePerson>) -> NamespaceAccess {
    NamespaceAccess { people: people.into_iter().collect(), narrowed: BTreeMap::new() }
}

fn narrowed(namespaces: &[(&str, Inside)]) -> NamespaceAccess {
    NamespaceAccess { people: BTreeSet::new(), narrowed: namespaces.iter().map(|(name, inside)| ((*name).to_owned(), *inside)).collect() }
}

fn node(name: &str, ready: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"node-role.kubernetes.io/control-plane": ""}},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "reason": "R", "message": "m", "lastTransitionTime": "2026-01-02T03:04:05Z"}],
            "addresses": [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "10.0.10.11"}],
            "nodeInfo": {"kubeletVersion": "v1.36.3", "architecture": "", "bootID": "", "containerRuntimeVersion": "", "kernelVersion": "",
                "kubeProxyVersion": "", "machineID": "", "operatingSystem": "", "osImage": "", "systemUUID": ""},
        },
    })
}

#[tokio::test]
async fn readyz_says_what_the_api_says() {
    let cluster = Cluster::new(|_, _| text(StatusCode::INTERNAL_SERVER_ERROR, "[-]etcd failed")).await;
    let error = cluster.engine.readyz().await.unwrap_err();
    assert!(error.answered() && error.to_string().contains("etcd failed"), "{error}");
}

#[tokio::test]
async fn nodes_come_from_all_pages() {
    let cluster = Cluster::new(|_, uri| {
        if uri.contains("continue=next%2Bpage") {
            return json(&json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [node("w2", "Unknown"), {"metadata": {"name": "w3"}}]}));
        }
        json(&json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {"continue": "next+page"}, "items": [node("m1", "True"), node("w1", "False")]}))
    })
    .await;
    let nodes = cluster.engine.nodes().await.unwrap();
    let ready: Vec<_> = nodes.iter().map(|n| (n.name.as_str(), n.ready)).collect();
    assert_eq!(ready, [("m1", Some(true)), ("w1", Some(false)), ("w2", None), ("w3", Some(false))]);
    assert_eq!((nodes[0].kubelet_version.as_str(), nodes[0].internal_ip.as_deref()), ("v1.36.3", Some("10.0.10.11")));
    assert_eq!(nodes[0].since, Some(OffsetDateTime::from_unix_timestamp(1_767_323_045).unwrap()));
}

#[tokio::test]
async fn the_ranges_of_pods_are_those_that_nodes_have_been_given() {
    let cluster = Cluster::new(|_, _| {
        let given = |name: &str, range: &str| json!({"metadata": {"name": name}, "spec": {"podCIDR": range}});
        let nodes = [given("w2", "10.128.2.0/24"), given("w1", "10.128.1.0/24"), json!({"metadata": {"name": "just-joined"}, "spec": {}})];
        json(&json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": nodes}))
    })
    .await;
    let ranges: Vec<String> = cluster.engine.pod_ranges().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(ranges, ["10.128.1.0/24", "10.128.2.0/24"]);
}

#[tokio::test]
async fn the_access_rules_keep_the_gateway_from_becoming_an_administrator() {
    let cluster = Cluster::new(|_, _| json(&json!({"items": []}))).await;
    assert_eq!(cluster.engine.ensure_access_rules(&NamespaceAccess::default()).await.unwrap(), AccessLeft::default());
    let written = cluster.written();
    assert_eq!(written.len(), 8);
    assert!(
        written
            .iter()
            .all(|(call, _)| call.starts_with("PATCH /apis/rbac.authorization.k8s.io/v1/") && call.ends_with("?fieldManager=kcs&force=true"))
    );
    let rules = |name: &str| written.iter().find(|(call, _)| call.contains(&format!("/clusterroles/{name}?"))).unwrap().1["rules"].clone();
    let gateway = rules("kcs:gateway");
    let groups = gateway.as_array().unwrap().iter().find(|r| r["resources"] == json!(["groups"])).unwrap();
    assert_eq!(groups["resourceNames"], json!(["kcs:member", "kcs:reader", "kcs:guest"]));
    assert!(gateway.as_array().unwrap().iter().all(|r| r["verbs"] == json!(["impersonate"])));
    // A rule that named no groups would be for all there are.
    let besides = json!([{"apiGroups": [""], "resources": ["groups"], "resourceNames": ["kcs:guest"], "verbs": ["impersonate"]}]);
    assert_eq!(rules("kcs:gateway-narrowed"), besides);
    let reader = rules("kcs:reader").to_string();
    for forbidden in ["secrets", "exec", "attach", "portforward", "proxy", "create", "delete", "impersonate"] {
        assert!(!reader.contains(&format!("\"{forbidden}\"")) && !reader.contains(&format!("/{forbidden}\"")), "{forbidden}");
    }
}

#[tokio::test]
async fn who_was_given_a_namespace_is_bound_there_and_who_was_not_any_more_is_not() {
    let person = |namespace: &str, user: &str, changes| NamespacePerson { namespace: namespace.into(), user: user.into(), changes };
    let cluster = Cluster::new(|method, path| match (method.as_str(), path) {
        ("GET", "/api/v1/namespaces") => json(&json!({"items": [
            {"metadata": {"name": "web"}}, {"metadata": {"name": "going"}, "status": {"phase": "Terminating"}}]})),
        ("GET", path) if path.ends_with("/rolebindings?labelSelector=kcs.cloud%2Fpeople") => json(&json!({"items": [
            {"metadata": {"name": "kcs:view", "namespace": "web"}}, {"metadata": {"name": "kcs:admin", "namespace": "old"}}]})),
        ("GET", _) => json(&json!({"items": []})),
        _ => json(&json!({})),
    })
    .await;
    let people = given([
        person("going", "u1", false),
        person("web", "u1", true),
        person("web", "u2", false),
        person("web", "u3", true),
        person("later", "u1", true),
        person("later", "u2", false),
    ]);
    let left = cluster.engine.ensure_access_rules(&people).await.unwrap();
    assert_eq!(left, AccessLeft { missing: ["going".to_owned(), "later".to_owned()].into(), refused: vec![] });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces";
    let written = cluster.written();
    let of = |path: &str| written.iter().find(|(call, _)| call.starts_with(&format!("PATCH {bindings}/{path}?"))).map(|(_, body)| body);
    let admin = of("web/rolebindings/kcs%3Aadmin").unwrap();
    let names: Vec<_> = admin["subjects"].as_array().unwrap().iter().map(|s| (s["kind"].as_str().unwrap(), s["name"].as_str().unwrap())).collect();
    assert_eq!((names, &admin["roleRef"]["name"]), (vec![("User", "kcs:u1"), ("User", "kcs:u3")], &json!("admin")));
    assert_eq!(of("web/rolebindings/kcs%3Aview").unwrap()["subjects"][0]["name"], "kcs:u2");
    let deleted: Vec<_> = written.iter().filter(|(call, _)| call.starts_with("DELETE")).map(|(call, _)| call.as_str()).collect();
    assert_eq!(deleted, [format!("DELETE {bindings}/old/rolebindings/kcs%3Aadmin")]);
    let elsewhere = |call: &str| ["later", "going"].iter().any(|name| call.contains(&format!("/namespaces/{name}")));
    assert!(written.iter().all(|(call, _)| !elsewhere(call)), "no namespace is made, marked or opened that is not there: {written:?}");
}

#[tokio::test]
async fn what_somebody_makes_of_one_binding_keeps_nobody_else_out() {
    let namespaces = ["barred", "busy", "ill", "taken", "web"];
    let taken = Arc::new(Mutex::new(true));
    let cluster = Cluster::new(move |method, path| {
        let said = |status: StatusCode| text(status, json!({"kind": "Status", "message": "not so"}).to_string());
        let role = |name: &str| json(&json!({"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}}));
        let binding = |namespace: &str| path.contains(&format!("/namespaces/{namespace}/rolebindings/kcs%3Aview"));
        match method.as_str() {
            "GET" if path == "/api/v1/namespaces" => json(&json!({"items": namespaces.map(|name| json!({"metadata": {"name": name}}))})),
            "GET" if path.ends_with("/rolebindings?labelSelector=kcs.cloud%2Fpeople") => json(&json!({"items": [
                {"metadata": {"name": "a b", "namespace": "web"}}, {"metadata": {"name": "x?dryRun=All", "namespace": "web"}},
                {"metadata": {"name": "kcs:view", "namespace": "kept"}}, {"metadata": {"name": "kcs:view", "namespace": "old"}}]})),
            // Somebody has made it before us, for another role: that cannot be changed.
            "GET" if binding("taken") => role("cluster-admin"),
            "PATCH" if binding("taken") && *taken.lock().unwrap() => said(StatusCode::UNPROCESSABLE_ENTITY),
            "DELETE" if binding("taken") => {
                *taken.lock().unwrap() = false;
                json(&json!({}))
            }
            // What a policy says against ours is no reason to take it away.
            "GET" if binding("barred") => role("view"),
            "PATCH" if binding("barred") => said(StatusCode::UNPROCESSABLE_ENTITY),
            "PATCH" if binding("busy") => said(StatusCode::CONFLICT),
            "PATCH" if binding("ill") => said(StatusCode::INTERNAL_SERVER_ERROR),
            "DELETE" if binding("kept") => said(StatusCode::CONFLICT),
            "GET" => json(&json!({"items": []})),
            _ => json(&json!({})),
        }
    })
    .await;
    let people = namespaces.map(|namespace| NamespacePerson { namespace: namespace.into(), user: "u1".into(), changes: false });
    let left = cluster.engine.ensure_access_rules(&given(people)).await.unwrap();
    let refused = ["barred", "busy", "ill", "kept"].map(|namespace| format!("{namespace}/kcs:view: not so"));
    assert_eq!(left, AccessLeft { missing: BTreeSet::new(), refused: refused.to_vec() });
    let written = cluster.written();
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/";
    let calls: Vec<&str> = written.iter().map(|(call, _)| call.as_str()).collect();
    let changed =
        calls.iter().filter(|call| call.contains(bindings)).map(|call| call.replace(bindings, "").replace("?fieldManager=kcs&force=true", ""));
    let expected = [
        "PATCH barred/rolebindings/kcs%3Aview",
        "PATCH busy/rolebindings/kcs%3Aview",
        "PATCH ill/rolebindings/kcs%3Aview",
        "PATCH taken/rolebindings/kcs%3Aview",
        "DELETE taken/rolebindings/kcs%3Aview",
        "PATCH taken/rolebindings/kcs%3Aview",
        "PATCH web/rolebindings/kcs%3Aview",
        "DELETE web/rolebindings/a%20b",
        "DELETE web/rolebindings/x%3FdryRun%3DAll",
        "DELETE kept/rolebindings/kcs%3Aview",
        "DELETE old/rolebindings/kcs%3Aview",
    ];
    assert_eq!(changed.collect::<Vec<_>>(), expected);
    assert!(calls.iter().any(|call| call.contains("/clusterroles/kcs:gateway-narrowed?")), "what comes after is done too: {calls:?}");
}

#[tokio::test]
async fn where_people_change_things_the_cluster_refuses_pods_that_reach_their_node() {
    let (enforce, version) = ("pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/enforce-version");
    let baseline = json!({ (enforce): "baseline", (version): "latest" });
    for (namespace, labels, changes, marked) in [
        ("web", json!({"team": "a"}), true, true),
        ("web", Value::Null, true, true),
        ("web", json!({ (enforce): "privileged", (version): "latest" }), true, true),
        ("web", json!({ (enforce): "baseline", (version): "v1.0" }), true, true),
        ("web", json!({ (enforce): "baseline" }), true, true),
        ("web", baseline.clone(), true, false),
        ("web", json!({ (enforce): "restricted", (version): "v1.30" }), true, false),
        // Who only looks makes no pods; the system's own would not work.
        ("web", Value::Null, false, false),
        ("kube-system", Value::Null, true, false),
    ] {
        let seen = labels.clone();
        let cluster = Cluster::new(move |method, path| match (method.as_str(), path) {
            ("GET", "/api/v1/namespaces") => json(&json!({"items": [{"metadata": {"name": "kube-system"}}, {"metadata": {"name": "web"}}]})),
            ("GET", "/api/v1/namespaces/web") => json(&json!({"metadata": {"name": "web", "resourceVersion": "7", "labels": seen}})),
            _ => json(&json!({"items": []})),
        })
        .await;
        let person = NamespacePerson { namespace: namespace.into(), user: "u1".into(), changes };
        let inside = if changes { Inside::Changes } else { Inside::Looks };
        for access in [given([person]), narrowed(&[(namespace, inside)])] {
            cluster.written.lock().unwrap().clear();
            assert_eq!(cluster.engine.ensure_access_rules(&access).await.unwrap(), AccessLeft::default());
            let written = cluster.written();
            let at = |what: &str| written.iter().position(|(call, _)| call.contains(what));
            let role = if changes { "admin" } else { "view" };
            let bound =
                written.iter().position(|(_, body)| body["kind"] == "RoleBinding" && body["roleRef"]["name"] == role).expect("nobody was let in");
            let mark = at("PATCH /api/v1/namespaces/");
            assert_eq!(mark.is_some(), marked, "{namespace} {labels} {access:?}: {written:?}");
            if let Some(mark) = mark {
                let patch = json!({"metadata": {"resourceVersion": "7", "labels": baseline}});
                assert_eq!(written[mark], ("PATCH /api/v1/namespaces/web".to_owned(), patch));
                assert!(mark < bound, "somebody was let in before: {written:?}");
            }
        }
    }
}

#[tokio::test]
async fn where_only_commands_are_run_by_what_is_narrowed_nothing_is_marked_and_nobody_is_let_in_who_makes_pods() {
    let cluster = Cluster::new(|method, path| match (method.as_str(), path) {
        ("GET", "/api/v1/namespaces") => json(&json!({"items": [{"metadata": {"name": "agents"}}]})),
        ("GET", "/api/v1/namespaces/agents") => json(&json!({"metadata": {"name": "agents", "resourceVersion": "7"}})),
        _ => json(&json!({"items": []})),
    })
    .await;
    assert_eq!(cluster.engine.ensure_access_rules(&narrowed(&[("agents", Inside::Runs)])).await.unwrap(), AccessLeft::default());
    let written = cluster.written();
    assert!(written.iter().all(|(call, _)| !call.starts_with("PATCH /api/v1/namespaces/")), "{written:?}");
    let bound = written.iter().find(|(_, body)| body["kind"] == "RoleBinding" && body["roleRef"]["name"] == "admin").unwrap();
    assert_eq!(bound.1["subjects"], json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "kcs:runs:agents"}]));
}

#[tokio::test]
async fn what_is_narrowed_to_a_namespace_is_bound_there_by_groups_and_nowhere_that_is_not_there() {
    let cluster = Cluster::new(|method, path| match (method.as_str(), path) {
        ("GET", "/api/v1/namespaces") => json(&json!({"items": [
            {"metadata": {"name": "shop"}}, {"metadata": {"name": "web"}}, {"metadata": {"name": "going"}, "status": {"phase": "Terminating"}}]})),
        ("GET", "/api/v1/namespaces/web") => json(&json!({"metadata": {"name": "web", "resourceVersion": "7"}})),
        ("GET", path) if path.ends_with("/rolebindings?labelSelector=kcs.cloud%2Fnarrowed") => json(&json!({"items": [
            {"metadata": {"name": "kcs:narrowed-admin", "namespace": "shop"}}, {"metadata": {"name": "kcs:narrowed-view", "namespace": "web"}},
            {"metadata": {"name": "kcs:narrowed-view", "namespace": "old"}}]})),
        ("GET", _) => json(&json!({"items": []})),
        _ => json(&json!({})),
    })
    .await;
    let left = cluster
        .engine
        .ensure_access_rules(&narrowed(&[("going", Inside::Changes), ("later", Inside::Runs), ("shop", Inside::Looks), ("web", Inside::Changes)]))
        .await
        .unwrap();
    assert_eq!(left, AccessLeft { missing: ["going".to_owned(), "later".to_owned()].into(), refused: vec![] });
    let written = cluster.written();
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces";
    let bound: Vec<_> = written.iter().filter(|(_, body)| body["kind"] == "RoleBinding").collect();
    let told: Vec<String> = bound
        .iter()
        .map(|(call, body)| {
            let subjects = body["subjects"].as_array().unwrap();
            assert!(call.starts_with(&format!("PATCH {bindings}/")) && subjects.iter().all(|one| one["kind"] == "Group"), "{call}: {body}");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let names: Vec<String> = subjects.iter().map(|one| text(&one["name"])).collect();
            format!("{} {} {}", text(&body["metadata"]["namespace"]), text(&body["roleRef"]["name"]), names.join(" "))
        })
        .collect();
    assert_eq!(told, ["shop view kcs:looks:shop", "web admin kcs:changes:web kcs:runs:web", "web view kcs:looks:web"]);
    let deleted: Vec<_> = written.iter().filter(|(call, _)| call.starts_with("DELETE")).map(|(call, _)| call.as_str()).collect();
    assert_eq!(
        deleted,
        [format!("DELETE {bindings}/shop/rolebindings/kcs%3Anarrowed%2Dadmin"), format!("DELETE {bindings}/old/rolebindings/kcs%3Anarrowed%2Dview")]
    );
    let role = written.iter().find(|(call, _)| call.contains("/clusterroles/kcs:gateway-narrowed?")).unwrap();
    let groups = json!(["kcs:guest", "kcs:changes:shop", "kcs:runs:shop", "kcs:looks:shop", "kcs:changes:web", "kcs:runs:web", "kcs:looks:web"]);
    assert_eq!(role.1["rules"], json!([{"apiGroups": [""], "resources": ["groups"], "resourceNames": groups, "verbs": ["impersonate"]}]));
    let elsewhere = |call: &str| ["later", "going"].iter().any(|name| call.contains(&format!("/namespaces/{name}")));
    assert!(written.iter().all(|(call, _)| !elsewhere(call)), "no namespace is made, marked or opened that is not there: {written:?}");
}

#[tokio::test]
async fn a_join_token_is_a_bootstrap_secret_with_an_end() {
    let cluster = Cluster::new(|_, _| json(&json!({}))).await;
    let token = JoinToken::parse(&SecretString::from("abcdef.0123456789abcdef")).unwrap();
    let end = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    cluster.engine.ensure_join_token(&token, end).await.unwrap();
    let written = cluster.written();
    let path = "/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef";
    assert_eq!(written[0].0, format!("PATCH {path}?fieldManager=kcs&force=true"));
    assert_eq!(written[0].1["type"], "bootstrap.kubernetes.io/token");
    assert_eq!(written[0].1["stringData"]["token-secret"], token.secret().expose_secret());
    assert_eq!(written[0].1["stringData"]["expiration"], "2027-01-15T08:00:00Z");
}

#[tokio::test]
async fn draining_obeys_budgets_and_leaves_what_belongs_to_the_node() {
    let pods = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [
        {"metadata": {"name": "etcd-m1", "namespace": "kube-system", "annotations": {"kubernetes.io/config.mirror": "x"}}},
        {"metadata": {"name": "proxy", "namespace": "kube-system", "ownerReferences": [{"kind": "DaemonSet", "name": "p", "uid": "1", "apiVersion": "apps/v1", "controller": true}]}},
        {"metadata": {"name": "finished", "namespace": "a"}, "status": {"phase": "Succeeded"}},
        {"metadata": {"name": "held", "namespace": "a"}},
    ]});
    let budget = json!({"kind": "Status", "reason": "TooManyRequests", "message": "budget b needs 1", "code": 429});
    let cluster = Cluster::new(move |method, uri| match (method.as_str(), uri.ends_with("/eviction")) {
        ("GET", _) => json(&pods),
        (_, true) => text(StatusCode::TOO_MANY_REQUESTS, budget.to_string()),
        _ => json(&json!({})),
    })
    .await;
    assert_eq!(cluster.engine.drain("w1", false).await.unwrap(), Drain::Blocked(vec!["a/held: budget b needs 1".to_owned()]));
    let calls: Vec<_> = cluster.written().into_iter().map(|(call, _)| call).collect();
    assert_eq!(calls, ["PATCH /api/v1/nodes/w1", "POST /api/v1/namespaces/a/pods/held/eviction"]);
    assert_eq!(cluster.engine.drain("w1", true).await.unwrap(), Drain::Evicting(1));
    assert_eq!(cluster.written().last().unwrap().0, "DELETE /api/v1/namespaces/a/pods/held?gracePeriodSeconds=10");
}

#[tokio::test]
async fn whoever_keeps_a_pod_is_named_and_keeps_no_other() {
    let pod = |name: &str, more: Value| json!({"metadata": {"name": name, "namespace": "a", "deletionTimestamp": more, "finalizers": ["x.io/one"]}});
    let pods = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [
        pod("stuck", json!("2020-01-02T03:04:05Z")), pod("hooked", Value::Null), pod("denied", Value::Null),
    ]});
    let left = Arc::new(Mutex::new(pods));
    let answers = left.clone();
    let refusal =
        |status: StatusCode, message: &str| text(status, json!({"kind": "Status", "message": message, "code": status.as_u16()}).to_string());
    let cluster = Cluster::new(move |method, uri| match (method.as_str(), uri) {
        ("GET", _) => json(&answers.lock().unwrap()),
        (_, uri) if uri.contains("/hooked/") => refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed calling webhook \"w\": EOF"),
        (_, uri) if uri.contains("/denied/") => refusal(StatusCode::FORBIDDEN, "policy p denied it"),
        _ => json(&json!({})),
    })
    .await;
    let Drain::Blocked(mut words) = cluster.engine.drain("w1", false).await.unwrap() else { panic!("it is not held up") };
    words.sort();
    let stuck = "a/stuck: it was deleted and is kept by its finalizers: x.io/one";
    assert_eq!(words, ["a/denied: policy p denied it", "a/hooked: failed calling webhook \"w\": EOF", stuck]);
    // One that may leave does, whoever keeps the rest; one whose time to end is not over is not stuck.
    let more = [pod("free", Value::Null), pod("ending", json!("2126-01-02T03:04:05Z"))];
    left.lock().unwrap()["items"].as_array_mut().unwrap().extend(more);
    assert_eq!(cluster.engine.drain("w1", false).await.unwrap(), Drain::Evicting(5));
    assert!(cluster.written().iter().any(|(call, _)| call == "POST /api/v1/namespaces/a/pods/free/eviction"));
}

#[tokio::test]
async fn every_secret_is_put_back_as_it_was_read_page_by_page() {
    let secret = |name: &str, revision: &str| {
        let metadata = json!({"name": name, "namespace": "a", "resourceVersion": revision});
        json!({"metadata": metadata, "data": {"word": "aGlkZGVu"}, "immutable": true, "type": "Opaque"})
    };
    let first = json!({"metadata": {"resourceVersion": "90", "continue": "to+be"}, "items": [secret("one", "7"), secret("changed", "8")]});
    let last = json!({"metadata": {"resourceVersion": "90"}, "items": [secret("gone", "9"), secret("new", "91")]});
    let cluster = Cluster::new(move |method, uri| match (method.as_str(), uri) {
        ("GET", "/api/v1/secrets?limit=20") => json(&first),
        ("GET", "/api/v1/secrets?limit=20&continue=to%2Bbe") => json(&last),
        ("PUT", uri) if uri.ends_with("/changed") => text(StatusCode::CONFLICT, json!({"reason": "Conflict", "message": "m"}).to_string()),
        ("PUT", uri) if uri.ends_with("/gone") => not_found(),
        ("PUT", _) => json(&json!({})),
        _ => text(StatusCode::BAD_REQUEST, uri.to_owned()),
    })
    .await;
    let half = cluster.engine.rewrite_secrets(&Rewriting::default()).await.unwrap();
    assert_eq!(half, Rewriting { since: Some(90), next: Some("to+be".into()), done: false });
    let whole = cluster.engine.rewrite_secrets(&half).await.unwrap();
    assert_eq!(whole, Rewriting { since: Some(90), next: None, done: true });
    let written = cluster.written();
    let mut paths: Vec<_> = written.iter().map(|(call, _)| call.as_str()).collect();
    paths.sort_unstable();
    let path = "PUT /api/v1/namespaces/a/secrets";
    assert_eq!(paths, [format!("{path}/changed"), format!("{path}/gone"), format!("{path}/one")], "what is newer was written by somebody since");
    let mut expected = secret("one", "7");
    (expected["apiVersion"], expected["kind"]) = (json!("v1"), json!("Secret"));
    assert_eq!(written.iter().find(|(call, _)| call.ends_with("/one")).unwrap().1, expected);
}

#[tokio::test]
async fn a_place_that_is_too_old_begins_anew_and_a_refusal_says_nothing_of_what_is_in_a_secret() {
    let gone = json!({"kind": "Status", "reason": "Expired", "message": "too old", "code": 410});
    let denied = json!({"kind": "Status", "reason": "Forbidden", "message": "webhook: aGlkZGVu is not allowed", "code": 403});
    let one = json!({"metadata": {"name": "one", "namespace": "a", "resourceVersion": "7"}, "data": {"word": "aGlkZGVu"}});
    let list = json!({"metadata": {"resourceVersion": "99"}, "items": [one]});
    let cluster = Cluster::new(move |method, uri| match (method.as_str(), uri.contains("continue=")) {
        ("GET", true) => text(StatusCode::GONE, gone.to_string()),
        ("GET", false) => json(&list),
        _ => text(StatusCode::FORBIDDEN, denied.to_string()),
    })
    .await;
    let half = Rewriting { since: Some(90), next: Some("x".into()), done: false };
    let anew = cluster.engine.rewrite_secrets(&half).await.unwrap();
    assert_eq!(anew, Rewriting { next: None, ..half });
    let refused = cluster.engine.rewrite_secrets(&anew).await.unwrap_err().to_string();
    assert!(refused.contains("a/one") && refused.contains("403") && !refused.contains("aGlkZGVu"), "{refused}");
}

fn pod(name: &str, uid: &str, phase: &str, deleted: Value) -> Value {
    let metadata = json!({"name": name, "namespace": "a", "uid": uid, "deletionTimestamp": deleted});
    json!({"metadata": metadata, "spec": {"containers": [], "nodeName": "w1"}, "status": {"phase": phase}})
}

fn list(version: &str, kind: &str, items: &[Value]) -> Value {
    json!({"kind": kind, "apiVersion": version, "metadata": {}, "items": items})
}

/// A deletion of that very object, at once.
fn taken_away(path: &str, uid: &str) -> (String, Value) {
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": uid}});
    (format!("DELETE {path}"), options)
}

#[tokio::test]
async fn a_node_that_is_off_is_marked_and_only_pods_that_were_told_to_end_are_taken_away() {
    let cluster = Cluster::new(|method, uri| match (method.as_str(), uri) {
        ("GET", "/api/v1/nodes/w1") => json(&json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "w1", "resourceVersion": "7"},
            "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}})),
        ("GET", uri) if uri.starts_with("/api/v1/pods?fieldSelector=spec.nodeName%3Dw1&") => {
            json(&list("v1", "PodList", &[pod("db0", "1", "Running", json!("2026-01-02T03:04:05Z")), pod("proxy", "2", "Running", Value::Null)]))
        }
        ("GET", uri) => text(StatusCode::BAD_REQUEST, uri.to_owned()),
        _ => json(&json!({})),
    })
    .await;
    cluster.engine.let_go("w1").await.unwrap();
    let taints = json!([
        {"key": "gpu", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"},
    ]);
    let mark = json!({"metadata": {"resourceVersion": "7"}, "spec": {"taints": taints}});
    assert_eq!(cluster.written(), [("PATCH /api/v1/nodes/w1".to_owned(), mark), taken_away("/api/v1/namespaces/a/pods/db0", "1")]);
}

#[tokio::test]
async fn a_pod_that_cannot_be_taken_away_holds_up_nothing_else() {
    let cluster = Cluster::new(|method, uri| match (method.as_str(), uri) {
        ("GET", "/api/v1/nodes/w1") => json(&json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "w1", "resourceVersion": "7"}})),
        ("GET", uri) if uri.starts_with("/api/v1/pods?") => {
            json(&list("v1", "PodList", &["db0", "db1"].map(|name| pod(name, name, "Running", json!("2026-01-02T03:04:05Z")))))
        }
        // Nothing that an API server says; as where a webhook says nothing until we wait no longer.
        ("DELETE", uri) if uri.ends_with("/db0") => text(StatusCode::FOUND, ""),
        _ => json(&json!({})),
    })
    .await;
    cluster.engine.let_go("w1").await.unwrap();
    let taken: Vec<_> = cluster.written().into_iter().filter(|(call, _)| call.starts_with("DELETE ")).map(|(_, options)| options).collect();
    assert_eq!(taken.len(), 2, "{taken:?}");
}

#[tokio::test]
async fn of_a_node_that_is_gone_first_the_pods_are_taken_away_and_then_its_attachments_and_nobody_elses() {
    let attachments = "/apis/storage.k8s.io/v1/volumeattachments";
    let attachment = |name: &str, uid: &str, node: &str, deleted: Value| {
        let spec = json!({"attacher": "cinder.csi.openstack.org", "nodeName": node, "source": {"persistentVolumeName": name}});
        json!({"metadata": {"name": name, "uid": uid, "deletionTimestamp": deleted}, "spec": spec})
    };
    let held = [
        attachment("one", "11", "w1", Value::Null),
        attachment("going", "12", "w1", json!("2026-01-02T03:04:05Z")),
        attachment("other", "13", "w10", Value::Null),
    ];
    let pods = Arc::new(Mutex::new(vec![pod("db0", "1", "Running", Value::Null), pod("done", "2", "Succeeded", Value::Null)]));
    let left = pods.clone();
    let cluster = Cluster::new(move |method, uri| match (method.as_str(), uri) {
        ("GET", "/api/v1/nodes/w1") => not_found(),
        ("GET", uri) if uri.starts_with("/api/v1/pods?fieldSelector=spec.nodeName%3Dw1&") => json(&list("v1", "PodList", &left.lock().unwrap())),
        ("GET", uri) if uri.starts_with(attachments) => json(&list("storage.k8s.io/v1", "VolumeAttachmentList", &held)),
        // A stateful set has made its pod anew meanwhile: that one is another.
        ("DELETE", uri) if uri.ends_with("/db0") => text(StatusCode::CONFLICT, json!({"reason": "Conflict", "message": "m"}).to_string()),
        ("DELETE", _) => json(&json!({})),
        _ => text(StatusCode::BAD_REQUEST, uri.to_owned()),
    })
    .await;
    assert_eq!(cluster.engine.attachments("w1").await.unwrap(), 2);
    cluster.engine.let_go("w1").await.unwrap();
    assert_eq!(
        cluster.written(),
        [taken_away("/api/v1/namespaces/a/pods/db0", "1")],
        "a pod that wants its volume would have it attached there anew"
    );
    pods.lock().unwrap().remove(0);
    cluster.engine.let_go("w1").await.unwrap();
    assert_eq!(cluster.written()[1..], [taken_away(&format!("{attachments}/one"), "11")]);
}

#[tokio::test]
async fn a_node_that_is_gone_is_drained_and_deleted() {
    let cluster = Cluster::new(|_, _| not_found()).await;
    assert_eq!(cluster.engine.drain("x", false).await.unwrap(), Drain::Done);
    cluster.engine.delete_node("x").await.unwrap();
    let error = cluster.engine.cordon("x").await.unwrap_err();
    assert!(matches!(&error, KubeError::Status { status: 404, reason, .. } if reason == "NotFound"));
}

#[tokio::test]
async fn what_a_cluster_notes_in_a_status_is_no_change_of_an_object() {
    let seen = Arc::new(Mutex::new(json!({})));
    let answers = seen.clone();
    let cluster = Cluster::new(move |_, _| json(&json!({"items": [{"metadata": *answers.lock().unwrap()}]}))).await;
    let mark = async |version: &str, ours: &str, status: &str| {
        *seen.lock().unwrap() = json!({"name": "v1beta1.metrics.k8s.io", "uid": "u", "resourceVersion": version, "managedFields": [
            {"manager": "kcs", "operation": "Apply", "time": ours},
            {"manager": "kube-apiserver", "operation": "Update", "subresource": "status", "time": status},
        ]});
        cluster.engine.marks(&["APIService".to_owned()].into(), "x").await.unwrap().into_values().next().unwrap()
    };
    let first = mark("1", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z").await;
    assert_eq!(mark("2", "2026-01-01T00:00:00Z", "2026-01-01T00:09:00Z").await, first);
    assert_ne!(mark("3", "2026-01-01T00:10:00Z", "2026-01-01T00:09:00Z").await, first);
}

#[tokio::test]
async fn a_storage_class_is_made_the_default_only_where_nobody_has_chosen() {
    let annotation = domain::storage_classes::DEFAULT;
    for (label, annotations, chosen) in [
        ("own", json!({"other": "true"}), false),
        ("own", json!({ (annotation): "true" }), true),
        ("own", json!({ (annotation): "false" }), false),
        ("own", json!({"storageclass.beta.kubernetes.io/is-default-class": "true"}), true),
        (domain::addons::LABEL, json!({"other": "true"}), false),
        (domain::addons::LABEL, json!({ (annotation): "false" }), true),
    ] {
        let cluster = Cluster::new(move |_, _| {
            let metadata = json!({"name": "one", "labels": {(label): "storage"}, "annotations": annotations});
            let class = json!({"metadata": metadata, "provisioner": "example.com/disks"});
            json(&json!({"kind": "StorageClassList", "apiVersion": "storage.k8s.io/v1", "metadata": {}, "items": [class]}))
        })
        .await;
        cluster.engine.choose_default_class("cinder-ssd").await.unwrap();
        let written = cluster.written();
        assert_eq!(written.is_empty(), chosen, "{written:?}");
        for (call, patch) in written {
            assert_eq!(call, "PATCH /apis/storage.k8s.io/v1/storageclasses/cinder%2Dssd");
            assert_eq!(patch, json!({"metadata": {"annotations": {(annotation): "true"}}}));
        }
    }
}

#[tokio::test]
async fn core_dns_counts_once_whoever_laid_it_down() {
    for (labels, selected_as) in [(json!({"k8s-app": "kube-dns"}), 1), (json!({"k8s-app": "kube-dns", "kcs.io/addon": "dns"}), 2)] {
        let asked = Arc::new(Mutex::new(0_usize));
        let (labelled, lists) = (labels.clone(), asked.clone());
        let cluster = Cluster::new(move |_, uri| {
            let ours = uri.contains("kcs%2Eio%2Faddon") && labelled.get(domain::addons::LABEL).is_some();
            let deployment = json!({
                "metadata": {"name": "coredns", "generation": 1, "labels": labelled},
                "spec": {"replicas": 2},
                "status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "observedGeneration": 1},
            });
            let there = uri.contains("/deployments?") && (ours || uri.contains("kube%2Ddns"));
            *lists.lock().unwrap() += usize::from(there);
            json(&json!({"items": if there { vec![deployment] } else { vec![] }}))
        })
        .await;
        let seen = cluster.engine.workloads(domain::addons::LABEL, "dns").await.unwrap();
        assert_eq!(*asked.lock().unwrap(), selected_as, "{labels}");
        let told: Vec<_> = seen.iter().map(|w| (w.addon.as_str(), w.name.as_str(), w.ready, w.desired, w.current)).collect();
        assert_eq!(told, [("dns", "coredns", 1, 2, true)], "{labels}");
    }
}
