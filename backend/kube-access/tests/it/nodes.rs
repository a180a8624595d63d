//! What people change of a node: which requests that makes, as whom, and what becomes of what others change meanwhile.

use crate::fake_api::{FakeApi, access, json, text};
use domain::clusters::{Taint, TaintEffect};
use domain::codes::Code;
use domain::marks::{NodeMarks, TaintKey};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kube_access::{Group, Impersonation, KubeError};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The node after somebody else has changed it so often.
fn node(changed: usize) -> Value {
    let mut taints = json!([
        {"key": "gpu", "value": "old", "effect": "NoSchedule"},
        {"key": "old", "effect": "NoExecute", "timeAdded": "2026-01-02T03:04:05Z"},
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
        {"key": "gpu", "effect": "NoExecute"},
    ]);
    if changed > 0 {
        taints.as_array_mut().unwrap().push(json!({"key": "meanwhile", "effect": "NoSchedule"}));
    }
    json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "w-0", "resourceVersion": changed.to_string()}, "spec": {"taints": taints}})
}

/// An API server with that node, whose first changes come too late, and the changes.
async fn cluster(late: usize) -> (FakeApi, Arc<Mutex<Vec<Value>>>) {
    let patches = Arc::<Mutex<Vec<Value>>>::default();
    let kept = patches.clone();
    let api = FakeApi::start(move |request: Request<Incoming>| {
        let kept = kept.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let mut patches = kept.lock().unwrap();
            if parts.method == Method::GET {
                return json(&node(patches.len()));
            }
            patches.push(serde_json::from_slice(&body).unwrap());
            if patches.len() > late {
                return json(&node(patches.len()));
            }
            text(StatusCode::CONFLICT, json!({"reason": "Conflict", "message": "the object has been modified", "code": 409}).to_string())
        })
    })
    .await;
    (api, patches)
}

async fn mark(api: &FakeApi, marks: &NodeMarks) -> Result<(), KubeError> {
    let who = Impersonation::new("u1", "m", Group::Member);
    access().gateway(&api.target).await.unwrap().mark_node(&who, "w-0", marks).await
}

fn taint(key: &str, value: &str, effect: TaintEffect) -> Taint {
    Taint { key: key.to_owned(), value: value.to_owned(), effect }
}

fn all() -> NodeMarks {
    NodeMarks {
        labels: [("tier".to_owned(), Some("web".to_owned())), ("old".to_owned(), None)].into(),
        taints: vec![taint("gpu", "new", TaintEffect::NoSchedule), taint("extra", "", TaintEffect::PreferNoSchedule)],
        remove_taints: vec![TaintKey { key: "old".to_owned(), effect: TaintEffect::NoExecute }],
    }
}

#[tokio::test]
async fn what_is_not_named_stays_also_what_somebody_else_set_meanwhile() {
    let (api, patches) = cluster(1).await;
    mark(&api, &all()).await.unwrap();
    let patches = patches.lock().unwrap();
    assert_eq!(patches.len(), 2, "{patches:?}");
    assert_eq!(patches[1]["metadata"], json!({"labels": {"tier": "web", "old": null}, "resourceVersion": "1"}));
    let expected = json!([
        {"key": "gpu", "value": "new", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
        {"key": "gpu", "effect": "NoExecute"},
        {"key": "meanwhile", "effect": "NoSchedule"},
        {"key": "extra", "effect": "PreferNoSchedule"},
    ]);
    assert_eq!(patches[1]["spec"], json!({ "taints": expected }));
    for seen in api.seen.lock().unwrap().iter() {
        assert_eq!((seen.uri.as_str(), &seen.headers["impersonate-user"]), ("/api/v1/nodes/w%2D0", &"kcs:u1".parse().unwrap()));
    }
    assert_eq!(api.last().headers["content-type"], "application/merge-patch+json");
}

#[tokio::test]
async fn who_is_always_too_late_is_told_so() {
    let (api, patches) = cluster(usize::MAX).await;
    assert_eq!(mark(&api, &all()).await.unwrap_err().code(), Code::Conflict);
    assert_eq!(patches.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn labels_alone_are_changed_whatever_the_version() {
    let (api, patches) = cluster(0).await;
    let labels = NodeMarks { labels: all().labels, ..NodeMarks::default() };
    mark(&api, &labels).await.unwrap();
    assert_eq!(*patches.lock().unwrap(), [json!({"metadata": {"labels": {"tier": "web", "old": null}}})]);
    assert_eq!(api.count(), 1);
}
