//! Whom we connect to, and how long we wait.

use crate::fake_api::{FakeApi, access, install_provider, pki, soon, text};
use domain::ids::ClusterId;
use futures::FutureExt;
use http::StatusCode;
use kube_access::{ClusterTarget, Destinations, KubeAccess, KubeError, Route};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

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

/// A proxy behind which an API is at every address, and how often it was asked for one.
async fn proxy_to(api: &FakeApi) -> (Route, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let route = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (behind, asked) = (api.target.endpoint.strip_prefix("https://").unwrap().to_owned(), Arc::<AtomicUsize>::default());
    let count = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let behind = behind.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut server = TcpStream::connect(behind).await.unwrap();
                copy_bidirectional(&mut client, &mut server).await.ok();
            });
        }
    });
    (route, asked)
}

#[tokio::test]
async fn where_the_cloud_turns_out_to_be_is_not_dialled_by_channels_that_are_there() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "ok") })).await;
    let (route, asked) = proxy_to(&api).await;
    let destinations = Destinations::default();
    let access = KubeAccess::new().with_private_route(route).with_destinations(destinations.clone());
    let target = ClusterTarget { endpoint: "https://203.0.113.7:6443".to_owned(), private: true, ..api.target.clone() };
    let other = ClusterTarget { cluster: ClusterId::generate(), ..target.clone() };
    let (engine, unused, gateway) =
        (access.engine(&target).await.unwrap(), access.engine(&other).await.unwrap(), access.gateway(&target).await.unwrap());
    soon(engine.readyz()).await.unwrap();
    drop(soon(gateway.dial()).await.unwrap());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    destinations.keep_away(BTreeSet::from(["203.0.113.7".parse().unwrap()]));
    let error = soon(unused.readyz()).await.unwrap_err();
    assert!(matches!(error, KubeError::Destination(_)), "{error}");
    let error = soon(gateway.dial()).await.unwrap_err();
    assert!(matches!(error, KubeError::Destination(_)), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "it was dialled");
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
