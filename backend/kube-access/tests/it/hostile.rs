//! A cluster's API server that means harm: heads without end, bodies of any size. None of it costs memory.

use crate::fake_api::{FakeApi, acceptor, access, install_provider, pki, soon};
use bytes::Bytes;
use domain::ids::ClusterId;
use futures::{StreamExt, stream};
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use kube_access::gateway::Answer;
use kube_access::{API_SERVER, ClusterTarget, GatewayRequest, Group, Impersonation, KubeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// MiB.
const BODY: usize = 256;
const PIECE: usize = 1 << 20;
/// MiB that may be in flight at once.
const FLAT: usize = 64;

/// Resident memory of this process in MiB (`/proc/self/statm`, pages of 4 KiB).
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 256
}

fn get(path: &str) -> GatewayRequest {
    GatewayRequest::new("GET", path, None, Box::pin(stream::empty())).unwrap()
}

fn member() -> Impersonation {
    Impersonation::new("u1", "member-a", Group::Member)
}

/// An API server that, asked anything, writes headers until nobody listens.
async fn endless_head() -> ClusterTarget {
    install_provider();
    let (listener, pki) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), pki());
    let (endpoint, acceptor) = (format!("https://{}", listener.local_addr().unwrap()), acceptor(&pki, &pki, API_SERVER));
    tokio::spawn(async move {
        loop {
            let Ok(mut tls) = acceptor.accept(listener.accept().await.unwrap().0).await else { continue };
            tokio::spawn(async move {
                let mut asked = [0; 1024];
                assert!(tls.read(&mut asked).await.is_ok());
                tls.write_all(b"HTTP/1.1 200 OK\r\n").await.ok();
                let line = format!("x-more: {}\r\n", "a".repeat(1_000));
                while tls.write_all(line.as_bytes()).await.is_ok() {}
            });
        }
    });
    ClusterTarget { cluster: ClusterId::generate(), endpoint, private: false, pki }
}

#[tokio::test]
async fn case_64_a_head_without_end_is_cut() {
    let target = endless_head().await;
    let before = resident();
    let access = access();
    let answer = soon(access.gateway(&target).await.unwrap().forward(&member(), get("/version"))).await;
    assert!(matches!(answer, Err(KubeError::Unreachable(_) | KubeError::BadAnswer(_))), "{answer:?}");
    assert!(resident() < before + FLAT);
}

#[tokio::test]
async fn case_64_a_large_body_passes_through_without_being_kept() {
    let api = FakeApi::start(|_| {
        Box::pin(async {
            let pieces = stream::iter((0..BODY).map(|_| Ok(Frame::data(Bytes::from(vec![b'x'; PIECE])))));
            Response::new(StreamBody::new(pieces).boxed_unsync())
        })
    })
    .await;
    let gateway = access().gateway(&api.target).await.unwrap();
    let before = resident();
    let Ok(Answer::Response(response)) = soon(gateway.forward(&member(), get("/api/v1/namespaces/a/pods/p/log"))).await else { panic!("no answer") };
    let (mut body, mut length, mut most) = (response.into_body(), 0, 0);
    while let Some(piece) = body.next().await {
        length += piece.unwrap().len();
        most = most.max(resident());
    }
    assert_eq!(length, BODY * PIECE);
    assert!(most < before + FLAT, "{before} MiB before, {most} MiB at most");
}
