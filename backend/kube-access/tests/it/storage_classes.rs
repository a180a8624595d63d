//! What people change of storage classes: which requests that makes.

use crate::fake_api::{FakeApi, access, json};
use domain::storage_classes::{DEFAULT, DEFAULT_BETA, StorageBinding, StorageClassRequest, StorageReclaim};
use http::{Method, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use kube_access::{Gateway, Group, Impersonation};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

type Written = Arc<Mutex<Vec<(String, Value)>>>;

/// An API server with three classes, two of them the default, and what is written to it.
async fn cluster() -> (FakeApi, Gateway, Written) {
    let written = Written::default();
    let kept = written.clone();
    let api = FakeApi::start(move |request: Request<Incoming>| {
        let kept = kept.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            if parts.method != Method::GET {
                let value = serde_json::from_slice(&body).unwrap();
                kept.lock().unwrap().push((format!("{} {}", parts.method, parts.uri), value));
            }
            let class = |name: &str, default: &str| {
                json!({"metadata": {"name": name, "annotations": {DEFAULT: default}}, "provisioner": "cinder.csi.openstack.org"})
            };
            let mut older = class("older", "false");
            older["metadata"]["annotations"] = json!({DEFAULT_BETA: "true"});
            json(&json!({"metadata": {}, "items": [class("old", "true"), class("other", "false"), older]}))
        })
    })
    .await;
    let gateway = access().gateway(&api.target).await.unwrap();
    (api, gateway, written)
}

fn member() -> Impersonation {
    Impersonation::new("u1", "m", Group::Member)
}

#[tokio::test]
async fn a_class_of_a_volume_type_is_one_of_cinders() {
    let (api, gateway, written) = cluster().await;
    let class = StorageClassRequest {
        name: "fast".to_owned(),
        volume_type: "ssd".to_owned(),
        reclaim_policy: StorageReclaim::Retain,
        binding: StorageBinding::WaitForFirstConsumer,
        expandable: false,
    };
    gateway.create_storage_class(&member(), &class).await.unwrap();
    let expected = json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "fast"},
        "provisioner": "cinder.csi.openstack.org",
        "parameters": {"type": "ssd"},
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": false,
    });
    assert_eq!(*written.lock().unwrap(), [("POST /apis/storage.k8s.io/v1/storageclasses".to_owned(), expected)]);
    assert_eq!(api.last().headers["impersonate-user"], "kcs:u1");
}

#[tokio::test]
async fn there_is_one_default_class() {
    let (_api, gateway, written) = cluster().await;
    gateway.default_storage_class(&member(), "other").await.unwrap();
    let says = |word: &str| json!({"metadata": {"annotations": {DEFAULT: word, DEFAULT_BETA: null}}});
    let path = "PATCH /apis/storage.k8s.io/v1/storageclasses";
    let old = ["old", "older"].map(|name| (format!("{path}/{name}"), says("false")));
    assert_eq!(written.lock().unwrap().first(), Some(&(format!("{path}/other"), says("true"))));
    assert_eq!(written.lock().unwrap()[1..], old);
}
