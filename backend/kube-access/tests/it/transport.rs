//! Whom we connect to, and how long we wait.

use crate::fake_api::{FakeApi, install_provider, pki, soon, text};
use domain::ids::ClusterId;
use http::StatusCode;
use kube_access::{ClusterTarget, KubeAccess, KubeError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_server_of_another_authority_is_not_spoken_to() {
    let api = FakeApi::start_with_wrong_certificate().await;
    let error = KubeAccess::new().engine(&api.target).await.unwrap().readyz().await.unwrap_err();
    assert!(matches!(&error, KubeError::Unreachable(why) if why.contains("certificate")), "{error}");
    assert_eq!(api.count(), 0);
}

#[tokio::test]
async fn a_server_with_another_name_is_not_spoken_to() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "ok") })).await;
    let mut target = api.target.clone();
    target.endpoint = target.endpoint.replace("127.0.0.1", "127.0.0.2");
    assert!(KubeAccess::new().engine(&target).await.unwrap().readyz().await.is_err());
    assert_eq!(api.count(), 0);
}

#[tokio::test]
async fn plain_http_is_refused() {
    install_provider();
    let target = ClusterTarget { cluster: ClusterId::generate(), endpoint: "http://127.0.0.1:1".to_owned(), private: false, pki: pki() };
    assert!(matches!(KubeAccess::new().engine(&target).await, Err(KubeError::Access(_))));
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands_is_given_up_after_five_seconds() {
    install_provider();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target =
        ClusterTarget { cluster: ClusterId::generate(), endpoint: format!("https://{}", silent.local_addr().unwrap()), private: false, pki: pki() };
    let engine = KubeAccess::new().engine(&target).await.unwrap();
    let before = Instant::now();
    let error = soon(engine.readyz()).await.unwrap_err();
    assert!(!error.answered());
    let waited = before.elapsed();
    assert!(waited > Duration::from_secs(4) && waited < Duration::from_secs(9), "{waited:?}");
}

#[tokio::test]
async fn case_53_a_cluster_that_hangs_is_given_up_after_ten_seconds() {
    let api = FakeApi::start(|_| Box::pin(std::future::pending())).await;
    let error = soon(KubeAccess::new().engine(&api.target).await.unwrap().readyz()).await.unwrap_err();
    assert!(matches!(error, KubeError::Timeout(_)), "{error}");
}

#[tokio::test]
async fn connections_are_kept_for_a_cluster_and_identity() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "ok") })).await;
    let access = KubeAccess::new();
    for _ in 0..5 {
        access.engine(&api.target).await.unwrap().readyz().await.unwrap();
    }
    assert_eq!(api.clients.lock().unwrap().len(), 1);
    let certificate = api.clients.lock().unwrap()[0].clone();
    assert!(certificate.windows(10).any(|w| w == b"kcs:engine"));
}
