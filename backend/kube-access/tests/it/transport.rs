//! Whom we connect to, and how long we wait.

use crate::fake_api::{FakeApi, access, install_provider, pki, soon, text};
use domain::ids::ClusterId;
use futures::FutureExt;
use http::StatusCode;
use kube_access::{ClusterTarget, KubeAccess, KubeError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

#[tokio::test]
async fn a_server_of_another_authority_is_not_spoken_to() {
    let api = FakeApi::start_with_wrong_certificate().await;
    let error = access().engine(&api.target).await.unwrap().readyz().await.unwrap_err();
    assert!(matches!(&error, KubeError::Unreachable(why) if why.contains("certificate")), "{error}");
    let error = access().gateway(&api.target).await.unwrap().dial().await.unwrap_err();
    assert!(matches!(&error, KubeError::Unreachable(why) if why.contains("certificate")), "{error}");
    assert_eq!(api.count(), 0);
}

#[tokio::test]
async fn a_server_with_another_name_is_not_spoken_to() {
    let api = FakeApi::start_with_wrong_name().await;
    let error = access().engine(&api.target).await.unwrap().readyz().await.unwrap_err();
    assert!(matches!(&error, KubeError::Unreachable(why) if why.contains("certificate")), "{error}");
    let error = access().gateway(&api.target).await.unwrap().dial().await.unwrap_err();
    assert!(matches!(&error, KubeError::Unreachable(why) if why.contains("certificate")), "{error}");
    assert_eq!(api.count(), 0);
}

#[tokio::test]
async fn an_api_server_is_known_by_its_name_at_an_address_that_its_certificate_does_not_have() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "ok") })).await;
    access().engine(&api.target).await.unwrap().readyz().await.unwrap();
    access().gateway(&api.target).await.unwrap().dial().await.unwrap();
    assert_eq!(api.count(), 1);
}

#[tokio::test]
async fn an_address_of_our_own_machine_is_never_dialled() {
    install_provider();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let endpoint = format!("https://{host}:{port}");
        let target = ClusterTarget { cluster: ClusterId::generate(), endpoint, private: false, pki: pki() };
        let strict = KubeAccess::new();
        assert!(matches!(strict.engine(&target).await, Err(KubeError::Destination(_))), "{host}");
        assert!(matches!(strict.gateway(&target).await, Err(KubeError::Destination(_))), "{host}");
        assert!(matches!(strict.reads(&target).await, Err(KubeError::Destination(_))), "{host}");
    }
    assert!(listener.accept().now_or_never().is_none(), "somebody connected");
}

#[tokio::test]
async fn plain_http_is_refused() {
    install_provider();
    let target = ClusterTarget { cluster: ClusterId::generate(), endpoint: "http://127.0.0.1:1".to_owned(), private: false, pki: pki() };
    assert!(matches!(access().engine(&target).await, Err(KubeError::Access(_))));
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands_is_given_up_after_five_seconds() {
    install_provider();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target =
        ClusterTarget { cluster: ClusterId::generate(), endpoint: format!("https://{}", silent.local_addr().unwrap()), private: false, pki: pki() };
    let engine = access().engine(&target).await.unwrap();
    let before = Instant::now();
    let error = soon(engine.readyz()).await.unwrap_err();
    assert!(!error.answered());
    let waited = before.elapsed();
    assert!(waited > Duration::from_secs(4) && waited < Duration::from_secs(9), "{waited:?}");
}

#[tokio::test]
async fn case_53_a_cluster_that_hangs_is_given_up_after_ten_seconds() {
    let api = FakeApi::start(|_| Box::pin(std::future::pending())).await;
    let error = soon(access().engine(&api.target).await.unwrap().readyz()).await.unwrap_err();
    assert!(matches!(error, KubeError::Timeout(_)), "{error}");
}

#[tokio::test]
async fn connections_are_kept_for_a_cluster_and_identity() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "ok") })).await;
    let access = access();
    for _ in 0..5 {
        access.engine(&api.target).await.unwrap().readyz().await.unwrap();
    }
    assert_eq!(api.clients.lock().unwrap().len(), 1);
    let certificate = api.clients.lock().unwrap()[0].clone();
    assert!(certificate.windows(10).any(|w| w == b"kcs:engine"));
}
