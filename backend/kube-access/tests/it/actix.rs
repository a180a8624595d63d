//! The pass-through behind actix, as the API serves it: streams and WebSocket tunnels through both.

use crate::fake_api::{FakeApi, access, soon, text};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::TokioIo;
use kube_access::gateway::{Answer, BodyStream, Tunnel};
use kube_access::{ClusterTarget, GatewayRequest, Group, Impersonation};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Pumps a payload, which stays on its thread, into a stream that may go anywhere.
fn pump(mut payload: Payload) -> BodyStream {
    let (mut sender, receiver) = mpsc::channel(4);
    actix_web::rt::spawn(async move {
        while let Some(piece) = payload.next().await {
            if sender.send(piece.map_err(|e| std::io::Error::other(e.to_string()))).await.is_err() {
                break;
            }
        }
    });
    Box::pin(receiver)
}

async fn pass(request: HttpRequest, payload: Payload, target: Data<ClusterTarget>) -> HttpResponse {
    let gateway = access().gateway(&target).await.unwrap();
    let who = Impersonation::new("u1", "member-a", Group::Member);
    let mut payload = Some(pump(payload));
    // What comes after an upgrade is no body: it waits for the tunnel.
    let body = payload.take_if(|_| !request.head().upgrade());
    let body = body.unwrap_or_else(|| Box::pin(futures::stream::empty()));
    let uri = request.uri();
    let mut forwarded = GatewayRequest::new(request.method().as_str(), uri.path(), uri.query(), body).unwrap();
    for (name, value) in request.headers() {
        forwarded.add_header(name.as_str(), value.as_bytes());
    }
    match (gateway.forward(&who, forwarded).await.unwrap(), payload) {
        (Answer::Response(response), _) => {
            let status = actix_web::http::StatusCode::from_u16(response.status().as_u16()).unwrap();
            let mut answer = HttpResponse::build(status);
            for (name, value) in response.headers() {
                answer.append_header((name.as_str(), value.as_bytes()));
            }
            answer.streaming(response.into_body())
        }
        (Answer::Tunnel(tunnel), Some(payload)) => answer_tunnel(tunnel, payload),
        (Answer::Tunnel(_), None) => panic!("a tunnel nobody asked for"),
    }
}

fn answer_tunnel(tunnel: Tunnel, mut payload: BodyStream) -> HttpResponse {
    let (head, from_cluster, mut to_cluster) = tunnel.split();
    actix_web::rt::spawn(async move {
        while let Some(Ok(piece)) = payload.next().await {
            if to_cluster.write_all(&piece).await.is_err() {
                break;
            }
        }
        to_cluster.shutdown().await.ok();
    });
    let mut answer = HttpResponse::SwitchingProtocols();
    for (name, value) in head.headers().iter().filter(|(name, _)| *name != "connection" && *name != "upgrade") {
        answer.append_header((name.as_str(), value.as_bytes()));
    }
    answer.upgrade(head.headers()["upgrade"].to_str().unwrap());
    answer.streaming(from_cluster)
}

/// An API server behind actix.
async fn served(api: &FakeApi) -> SocketAddr {
    let target = Data::new(api.target.clone());
    let server = HttpServer::new(move || App::new().app_data(target.clone()).default_service(web::to(pass))).workers(1).bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        text.push(soon(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[actix_web::test]
async fn websockets_pass_through_actix_as_raw_bytes() {
    let (gone, was_gone) = tokio::sync::oneshot::channel::<()>();
    let gone = std::sync::Mutex::new(Some(gone));
    let api = FakeApi::start(move |request| {
        let gone = gone.lock().unwrap().take();
        Box::pin(async move {
            tokio::spawn(async move {
                let mut io = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
                let mut buffer = [0; 64];
                while let Ok(n @ 1..) = io.read(&mut buffer).await {
                    io.write_all(&buffer[..n]).await.unwrap();
                }
                drop(gone);
            });
            let mut answer = text(StatusCode::SWITCHING_PROTOCOLS, "");
            for (name, value) in [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "x")] {
                answer.headers_mut().insert(name, value.parse().unwrap());
            }
            answer
        })
    })
    .await;
    let mut client = TcpStream::connect(served(&api).await).await.unwrap();
    let request = "GET /api/v1/namespaces/a/pods/p/exec?command=sh HTTP/1.1\r\nHost: kcs\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut client, "\r\n\r\n").await.to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("upgrade: websocket") && head.contains("sec-websocket-accept: x"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    for text in ["one", "two\0\u{1}\u{2}"] {
        client.write_all(text.as_bytes()).await.unwrap();
        let mut echo = vec![0; text.len()];
        soon(client.read_exact(&mut echo)).await.unwrap();
        assert_eq!(echo, text.as_bytes());
    }
    // The client leaves: the tunnel into the cluster ends, too.
    drop(client);
    soon(was_gone).await.ok();
}

#[actix_web::test]
async fn a_watch_streams_through_actix_and_ends_with_its_client() {
    let (gone, was_gone) = tokio::sync::oneshot::channel::<()>();
    let gone = std::sync::Mutex::new(Some(gone));
    let api = FakeApi::start(move |_| {
        let gone = gone.lock().unwrap().take();
        Box::pin(async move {
            let (mut sender, receiver) = mpsc::channel::<Bytes>(0);
            tokio::spawn(async move {
                while sender.send(Bytes::from("{\"type\":\"ADDED\"}\n")).await.is_ok() {
                    tokio::task::yield_now().await;
                }
                drop(gone);
            });
            Response::new(StreamBody::new(receiver.map(|p| Ok(Frame::data(p)))).boxed_unsync())
        })
    })
    .await;
    let mut client = TcpStream::connect(served(&api).await).await.unwrap();
    client.write_all(b"GET /api/v1/pods?watch=true HTTP/1.1\r\nHost: kcs\r\n\r\n").await.unwrap();
    let head = read_until(&mut client, "\r\n\r\n").await.to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("nosniff"), "{head}");
    assert!(read_until(&mut client, "ADDED\"}\n").await.contains("ADDED"));
    drop(client);
    soon(was_gone).await.ok();
}

#[actix_web::test]
async fn a_body_goes_through_actix() {
    let api =
        FakeApi::start(|request| Box::pin(async move { text(StatusCode::CREATED, request.into_body().collect().await.unwrap().to_bytes()) })).await;
    let mut client = TcpStream::connect(served(&api).await).await.unwrap();
    let request = "POST /api/v1/namespaces HTTP/1.1\r\nHost: kcs\r\nContent-Length: 5\r\n\r\nhello";
    client.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut client, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    assert!(read_until(&mut client, "hello").await.ends_with("hello"));
}
