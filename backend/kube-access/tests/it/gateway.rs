//! The pass-through: what reaches the cluster, what comes back, and how it streams.

use crate::fake_api::{FakeApi, access, cut, soon, text};
use bytes::Bytes;
use domain::members::Inside;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::rt::TokioIo;
use kube_access::gateway::{Answer, BODY_LIMIT, Body, BodyStream};
use kube_access::{Gateway, GatewayRequest, Group, Impersonation, KubeError};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

async fn gateway(api: &FakeApi) -> Gateway {
    access().gateway(&api.target).await.unwrap()
}

fn member() -> Impersonation {
    Impersonation::new("u1", "\u{738b}\u{82b3}", Group::Member)
}

fn nothing() -> BodyStream {
    Box::pin(futures::stream::empty())
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> GatewayRequest {
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    let mut request = GatewayRequest::new(method, path, query, nothing()).unwrap();
    for (name, value) in headers {
        request.add_header(name, value.as_bytes());
    }
    request
}

async fn response(gateway: &Gateway, request: GatewayRequest) -> Response<Body> {
    match soon(gateway.forward(&member(), request)).await.unwrap() {
        Answer::Response(response) => response,
        Answer::Tunnel(_) => panic!("a tunnel"),
    }
}

async fn read(response: Response<Body>) -> String {
    let pieces: Vec<_> = soon(response.into_body().collect()).await;
    pieces.into_iter().map(|p| String::from_utf8(p.unwrap().to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn case_64_the_request_is_rebuilt_as_the_person() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "{}") })).await;
    let headers = [
        ("Accept", "application/json"),
        ("User-Agent", "kubectl/v1.36.3"),
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer kcs_kubeconfig_x"),
        ("Cookie", "kcs_session=x"),
        ("X-CSRF-Token", "x"),
        ("X-Auth-Token", "x"),
        ("Impersonate-User", "system:admin"),
        ("Impersonate-Group", "system:masters"),
        ("Impersonate-Uid", "1"),
        ("Impersonate-Extra-Scopes", "all"),
        ("X-Remote-User", "root"),
        ("X-Remote-Group", "system:masters"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("Forwarded", "for=10.0.0.1"),
        ("Connection", "close, Impersonate-User, Impersonate-Group, Content-Type"),
        ("Transfer-Encoding", "chunked"),
        ("TE", "trailers"),
        ("Proxy-Authorization", "Basic x"),
        ("Origin", "https://evil"),
    ];
    let answer = response(&gateway(&api).await, request("GET", "/api/v1/pods?limit=5&labelSelector=a%3Db", &headers)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let seen = api.last();
    assert_eq!(seen.uri, "/api/v1/pods?limit=5&labelSelector=a%3Db");
    let mut names: Vec<_> = seen.headers.iter().map(|(n, v)| format!("{n}: {}", String::from_utf8_lossy(v.as_bytes()))).collect();
    names.sort();
    let host = api.target.endpoint.strip_prefix("https://").unwrap();
    assert_eq!(
        names,
        [
            "accept: application/json".to_owned(),
            format!("host: {host}"),
            "impersonate-extra-kcs%2fname: \u{738b}\u{82b3}".to_owned(),
            "impersonate-group: kcs:member".to_owned(),
            "impersonate-user: kcs:u1".to_owned(),
            "user-agent: kubectl/v1.36.3".to_owned(),
        ]
    );
    let certificate = api.clients.lock().unwrap()[0].clone();
    assert!(certificate.windows(11).any(|w| w == b"kcs:gateway"));
    assert!(!certificate.windows(14).any(|w| w == b"system:masters"));
}

#[tokio::test]
async fn whoever_shares_a_connection_is_themselves_on_it() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "{}") })).await;
    let access = access();
    for (user, group, expected) in [("u1", Group::Member, "kcs:member"), ("u2", Group::Guest, "kcs:guest"), ("u1", Group::Reader, "kcs:reader")] {
        let gateway = access.gateway(&api.target).await.unwrap();
        let who = Impersonation::new(user, user, group);
        let answer = soon(gateway.forward(&who, request("GET", "/api/v1/pods", &[]))).await.unwrap();
        let Answer::Response(answer) = answer else { panic!("a tunnel") };
        assert_eq!(read(answer).await, "{}");
        let seen = api.last().headers;
        for (name, value) in [("impersonate-user", format!("kcs:{user}")), ("impersonate-group", expected.to_owned())] {
            assert_eq!(seen.get_all(name).iter().collect::<Vec<_>>(), [value.as_str()], "{user}");
        }
    }
    assert_eq!(api.clients.lock().unwrap().len(), 1, "they shared none");
}

#[tokio::test]
async fn what_is_narrowed_to_namespaces_comes_in_the_groups_of_those_that_a_request_is_about_and_by_no_name_that_has_rights() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "{}") })).await;
    let gateway = gateway(&api).await;
    let who = Impersonation::narrowed(
        "u1",
        "m",
        BTreeMap::from([("logs".to_owned(), Inside::Runs), ("shop".to_owned(), Inside::Looks), ("web".to_owned(), Inside::Changes)]),
    );
    for (method, path, expected) in [
        ("GET", "/api/v1/namespaces/web/pods", "kcs:guest kcs:changes:web"),
        ("POST", "/api/v1/namespaces/web/pods/p/exec", "kcs:guest kcs:changes:web"),
        ("GET", "/api/v1/namespaces/w%65b", "kcs:guest kcs:changes:web"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments", "kcs:guest kcs:looks:shop"),
        ("POST", "/api/v1/namespaces/logs/pods/p/exec", "kcs:guest kcs:runs:logs"),
        ("GET", "/api/v1/namespaces/other/pods", "kcs:guest"),
        // Whichever of them is not there, what there is to be asked for can be asked.
        ("GET", "/api/v1", "kcs:guest"),
        ("GET", "/api/v1/nodes", "kcs:guest"),
        // But what is asked about oneself names none in its path.
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "kcs:guest kcs:runs:logs kcs:looks:shop kcs:changes:web"),
    ] {
        let forged = [("Impersonate-Group", "kcs:member"), ("Impersonate-User", "kcs:u1")];
        soon(gateway.forward(&who, request(method, path, &forged))).await.unwrap();
        let seen = api.last().headers;
        let groups: Vec<_> = seen.get_all("impersonate-group").iter().map(|group| group.to_str().unwrap()).collect();
        assert_eq!((groups.join(" ").as_str(), seen["impersonate-user"].to_str().unwrap()), (expected, "kcs:narrowed:u1"), "{method} {path}");
    }
}

#[tokio::test]
async fn nobody_is_called_as_kcs_itself_is_in_a_cluster_or_as_somebody_else() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "{}") })).await;
    let gateway = gateway(&api).await;
    let mut names = HashSet::from(["kcs:gateway".to_owned(), "kcs:engine".to_owned()]);
    for id in ["gateway", "engine", "person:gateway", "person:person:gateway", "narrowed:u1", "person:narrowed:u1", "Gateway", "u1"] {
        for who in [Impersonation::new(id, id, Group::Member), Impersonation::narrowed(id, id, BTreeMap::new())] {
            soon(gateway.forward(&who, request("GET", "/version", &[]))).await.unwrap();
            assert_eq!(api.last().headers["impersonate-user"], who.user());
            assert!(names.insert(who.user().to_owned()), "{id} is {}", who.user());
        }
    }
    // The rules of clusters that are there know people by these.
    assert!(names.contains("kcs:u1") && names.contains("kcs:Gateway"), "{names:?}");
    let before = api.count();
    for id in ["gateway ", "u1\t"] {
        let refused = gateway.forward(&Impersonation::new(id, id, Group::Member), request("GET", "/version", &[])).await;
        assert!(matches!(refused, Err(KubeError::Refused(_))), "{id:?}");
    }
    assert_eq!(api.count(), before);
}

#[tokio::test]
async fn answers_carry_nothing_that_acts_in_a_browser() {
    let api = FakeApi::start(|_| {
        Box::pin(async {
            let mut page = text(StatusCode::OK, "<script>");
            for (name, value) in [
                ("set-cookie", "kcs_session=evil"),
                ("content-type", "text/html"),
                ("cache-control", "public, max-age=3600"),
                ("location", "https://evil"),
                ("access-control-allow-origin", "*"),
                ("content-security-policy", "default-src *"),
                ("connection", "etag"),
                ("etag", "\"1\""),
                ("audit-id", "a1"),
            ] {
                page.headers_mut().insert(name, value.parse().unwrap());
            }
            page
        })
    })
    .await;
    let answer = response(&gateway(&api).await, request("GET", "/api/v1/namespaces/a/pods/p/log", &[])).await;
    let mut headers: Vec<_> = answer.headers().iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
    headers.retain(|h| !h.starts_with("date:"));
    headers.sort();
    assert_eq!(
        headers,
        [
            "audit-id: a1",
            "cache-control: no-store",
            "content-length: 8",
            "content-security-policy: sandbox; default-src 'none'; frame-ancestors 'none'",
            "content-type: text/plain; charset=utf-8",
            "x-content-type-options: nosniff",
        ]
    );
    assert_eq!(read(answer).await, "<script>");
}

#[tokio::test]
async fn only_types_of_kubernetes_own_are_passed_on_and_never_a_scripts() {
    const TEXT: &str = "text/plain; charset=utf-8";
    for (said, expected) in [
        (vec!["application/json"], "application/json"),
        (vec!["application/json;as=Table;v=v1;g=meta.k8s.io"], "application/json;as=Table;v=v1;g=meta.k8s.io"),
        (vec!["Application/JSON; charset=utf-8"], "Application/JSON; charset=utf-8"),
        (vec!["application/yaml"], "application/yaml"),
        (vec!["application/cbor-seq"], "application/cbor-seq"),
        (vec!["application/vnd.kubernetes.protobuf;stream=watch"], "application/vnd.kubernetes.protobuf;stream=watch"),
        (vec!["application/com.github.proto-openapi.spec.v3.v1.0+protobuf"], "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"),
        (vec!["application/octet-stream"], "application/octet-stream"),
        (vec!["text/plain; version=0.0.4"], "text/plain; version=0.0.4"),
        (vec![], TEXT),
        (vec!["application/javascript"], TEXT),
        (vec!["application/x-javascript; charset=utf-8"], TEXT),
        (vec!["application/ecmascript"], TEXT),
        (vec!["text/javascript"], TEXT),
        (vec!["text/css"], TEXT),
        (vec!["text/html"], TEXT),
        (vec!["application/xhtml+xml"], TEXT),
        (vec!["image/svg+xml"], TEXT),
        (vec!["application/pdf"], TEXT),
        (vec!["application/wasm"], TEXT),
        // A browser takes the last of several.
        (vec!["application/json;a=b, text/javascript"], TEXT),
        (vec!["application/json", "text/javascript"], TEXT),
    ] {
        let types = said.clone();
        let api = FakeApi::start(move |request| {
            let status = if request.headers().contains_key("if-none-match") { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            let mut answer = text(status, "");
            for one in &types {
                answer.headers_mut().append("content-type", one.parse().unwrap());
            }
            Box::pin(async move { answer })
        })
        .await;
        let gateway = gateway(&api).await;
        let answer = response(&gateway, request("GET", "/openapi/v3", &[])).await;
        assert_eq!(answer.headers().get_all("content-type").iter().collect::<Vec<_>>(), [expected], "{said:?}");
        let same = response(&gateway, request("GET", "/openapi/v3", &[("If-None-Match", "\"1\"")])).await;
        assert!(!same.headers().contains_key("content-type"), "{said:?}: it would be taken for the type of what is kept");
    }
}

#[tokio::test]
async fn only_what_is_said_of_the_api_itself_is_kept_and_asked_about_each_time_whatever_a_cluster_says() {
    for said in ["no-cache, private", "public, max-age=3600", "public, immutable"] {
        let api = FakeApi::start(move |request| {
            let status = if request.headers().contains_key("if-none-match") { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            Box::pin(async move {
                let mut answer = text(status, "");
                answer.headers_mut().insert("cache-control", said.parse().unwrap());
                answer.headers_mut().insert("etag", "\"1\"".parse().unwrap());
                answer
            })
        })
        .await;
        let gateway = gateway(&api).await;
        for (path, expected) in [
            ("/openapi/v3/apis/apps/v1?hash=1", "private, no-cache"),
            ("/apis", "private, no-cache"),
            ("/api/v1/namespaces/a/secrets", "no-store"),
            ("/api/v1/namespaces/a/pods/p/log", "no-store"),
            ("/metrics", "no-store"),
        ] {
            for (headers, status) in [(vec![], 200), (vec![("If-None-Match", "\"1\"")], 304)] {
                let answer = response(&gateway, request("GET", path, &headers)).await;
                assert_eq!(answer.status(), status, "{path}");
                assert_eq!(answer.headers().get_all("cache-control").iter().collect::<Vec<_>>(), [expected], "{path}: {said}");
                assert_eq!(answer.headers()["etag"], "\"1\"", "{path}");
            }
        }
    }
}

#[tokio::test]
async fn case_64_a_redirect_of_a_cluster_is_an_error_but_not_modified_is_an_answer() {
    let api = FakeApi::start(|request| {
        let status = StatusCode::from_u16(request.uri().path()[1..].parse().unwrap()).unwrap();
        Box::pin(async move {
            let mut answer = text(status, "");
            answer.headers_mut().insert("location", "/api/v1/secrets".parse().unwrap());
            answer
        })
    })
    .await;
    let gateway = gateway(&api).await;
    for status in ["301", "302", "303", "307", "308"] {
        let result = gateway.forward(&member(), request("GET", &format!("/{status}"), &[])).await;
        assert!(matches!(result, Err(KubeError::BadAnswer(_))), "{status}");
    }
    assert_eq!(api.count(), 5);
    assert_eq!(response(&gateway, request("GET", "/304", &[("If-None-Match", "\"1\"")])).await.status(), 304);
    assert_eq!(response(&gateway, request("GET", "/409", &[])).await.status(), 409);
}

#[tokio::test]
async fn case_64_what_is_refused_is_never_sent() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::OK, "") })).await;
    let gateway = gateway(&api).await;
    for path in ["/api/v1/nodes/n/proxy/pods", "/api/v1/namespaces/a/services/s/proxy", "/api/v1/namespaces/a/pods/p/proxy/x"] {
        let result = gateway.forward(&member(), request("GET", path, &[])).await;
        assert!(matches!(result, Err(KubeError::Forbidden(_))), "{path}");
    }
    for (method, path) in
        [("GET", "/api/v1/../x"), ("GET", "/api/v1/a%2fb"), ("GET", "/version?a=1;b=2"), ("TRACE", "/version"), ("OPTIONS", "/version")]
    {
        let result = gateway.forward(&member(), request(method, path, &[])).await;
        assert!(matches!(result, Err(KubeError::Refused(_))), "{method} {path}");
    }
    assert_eq!(api.count(), 0);
}

#[tokio::test]
async fn bodies_stream_in_and_out_piece_by_piece() {
    // The server echoes every piece as soon as it has it, and the client sends the next only after the echo.
    let api = FakeApi::start(|request| {
        Box::pin(async move {
            let pieces = request.into_body().into_data_stream().map(|p| p.map(Frame::data).map_err(std::io::Error::other));
            Response::new(StreamBody::new(pieces).boxed_unsync())
        })
    })
    .await;
    let (mut sender, receiver) = mpsc::channel::<Bytes>(4);
    let body: BodyStream = Box::pin(receiver.map(Ok));
    let upload = GatewayRequest::new("POST", "/api/v1/namespaces/a/configmaps", None, body).unwrap();
    sender.send(Bytes::from("one")).await.unwrap();
    let mut answer = response(&gateway(&api).await, upload).await.into_body();
    assert_eq!(soon(answer.next()).await.unwrap().unwrap(), "one");
    sender.send(Bytes::from("two")).await.unwrap();
    assert_eq!(soon(answer.next()).await.unwrap().unwrap(), "two");
    drop(sender);
    assert!(soon(answer.next()).await.is_none());
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_stream_in_the_cluster() {
    let (gone, was_gone) = tokio::sync::oneshot::channel::<()>();
    let gone = Mutex::new(Some(gone));
    let api = FakeApi::start(move |_| {
        let gone = gone.lock().unwrap().take();
        Box::pin(async move {
            let (mut sender, receiver) = mpsc::channel::<Bytes>(0);
            tokio::spawn(async move {
                while sender.send(Bytes::from("{}\n")).await.is_ok() {}
                drop(gone);
            });
            let pieces = receiver.map(|p| Ok(Frame::data(p)));
            Response::new(StreamBody::new(pieces).boxed_unsync())
        })
    })
    .await;
    let mut watch = response(&gateway(&api).await, request("GET", "/api/v1/pods?watch=true", &[])).await.into_body();
    assert!(soon(watch.next()).await.is_some());
    drop(watch);
    soon(was_gone).await.ok();
}

#[tokio::test]
async fn a_look_that_a_dead_master_swallows_is_sent_by_another_connection_and_nothing_else_is() {
    // Nobody answers the first request of its kind.
    let kinds = Mutex::new(HashSet::new());
    let api = FakeApi::start(move |request| {
        let swallowed = kinds.lock().unwrap().insert(request.uri().to_string());
        Box::pin(async move { if swallowed { std::future::pending().await } else { text(StatusCode::OK, "{}") } })
    })
    .await;
    let (gateway, member) = (gateway(&api).await, member());
    let change = gateway.forward(&member, request("POST", "/api/v1/namespaces", &[]));
    let watch = gateway.forward(&member, request("GET", "/api/v1/pods?watch=true", &[]));
    let command = gateway.forward(&member, request("GET", "/api/v1/namespaces/a/pods/p/exec", &[]));
    let looks = async {
        for path in ["/version", "/api/v1/pods"] {
            assert_eq!(response(&gateway, request("GET", path, &[])).await.status(), StatusCode::OK);
        }
    };
    tokio::select! {
        biased;
        _ = change => panic!("a change"),
        _ = watch => panic!("a watch"),
        _ = command => panic!("a command"),
        () = looks => (),
    }
    let mut seen: Vec<String> = api.seen.lock().unwrap().iter().map(|seen| seen.uri.clone()).collect();
    seen.sort();
    let looked_twice = ["/api/v1/pods", "/api/v1/pods", "/version", "/version"];
    seen.retain(|uri| !looked_twice.contains(&uri.as_str()));
    assert_eq!(seen, ["/api/v1/namespaces", "/api/v1/namespaces/a/pods/p/exec", "/api/v1/pods?watch=true"]);
    assert_eq!(api.count(), seen.len() + looked_twice.len());
}

#[tokio::test]
async fn a_repetition_that_is_refused_does_not_take_the_place_of_an_answer_that_is_slow() {
    for refusal in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let (refused, first) = (Arc::new(Notify::new()), AtomicBool::new(true));
        let api = FakeApi::start(move |_| {
            let (refused, first) = (refused.clone(), first.swap(false, Ordering::SeqCst));
            Box::pin(async move {
                if !first {
                    refused.notify_one();
                    return text(refusal, "{}");
                }
                refused.notified().await;
                // It is slow: the refusal is there long before.
                tokio::time::sleep(Duration::from_millis(300)).await;
                text(StatusCode::OK, "{}")
            })
        })
        .await;
        assert_eq!(response(&gateway(&api).await, request("GET", "/api/v1/pods", &[])).await.status(), StatusCode::OK);
        assert_eq!(api.count(), 2);
    }
}

#[tokio::test]
async fn a_look_whose_connection_ends_with_a_leaving_master_is_sent_again_and_a_change_is_not() {
    let kinds = Mutex::new(HashSet::new());
    let api = FakeApi::start(move |request| {
        let first = kinds.lock().unwrap().insert(request.uri().to_string());
        Box::pin(async move { if first { cut() } else { text(StatusCode::OK, "{}") } })
    })
    .await;
    let gateway = gateway(&api).await;
    assert_eq!(response(&gateway, request("GET", "/version", &[])).await.status(), StatusCode::OK);
    assert_eq!(api.count(), 2);
    for (method, path) in [("POST", "/api/v1/namespaces"), ("GET", "/api/v1/pods?watch=true"), ("GET", "/api/v1/namespaces/a/pods/p/exec")] {
        let ended = soon(gateway.forward(&member(), request(method, path, &[]))).await;
        assert!(matches!(ended, Err(KubeError::Unreachable(_))), "{path}");
    }
    assert_eq!(api.count(), 5);
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused() {
    let api = FakeApi::start(|request| {
        Box::pin(async move {
            let _ = request.into_body().collect().await;
            text(StatusCode::OK, "")
        })
    })
    .await;
    let gateway = gateway(&api).await;
    let length = (BODY_LIMIT + 1).to_string();
    let told = request("POST", "/api/v1/namespaces", &[("Content-Length", &length)]);
    assert!(matches!(gateway.forward(&member(), told).await, Err(KubeError::BodyTooLarge(_))));
    assert_eq!(api.count(), 0);
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let endless: BodyStream = Box::pin(futures::stream::repeat_with(move || Ok(piece.clone())));
    let untold = GatewayRequest::new("POST", "/api/v1/namespaces", None, endless).unwrap();
    assert!(matches!(soon(gateway.forward(&member(), untold)).await, Err(KubeError::BodyTooLarge(_))));
}

#[tokio::test]
async fn upgrades_become_tunnels_of_raw_bytes() {
    for protocol in ["websocket", "SPDY/3.1"] {
        let api = FakeApi::start(move |request| {
            Box::pin(async move {
                tokio::spawn(async move {
                    let mut io = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
                    let mut buffer = [0; 64];
                    while let Ok(n @ 1..) = io.read(&mut buffer).await {
                        io.write_all(&buffer[..n]).await.unwrap();
                    }
                });
                let mut answer = text(StatusCode::SWITCHING_PROTOCOLS, "");
                for (name, value) in [
                    ("connection", "Upgrade"),
                    ("upgrade", protocol),
                    ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                    ("sec-websocket-protocol", "v5.channel.k8s.io"),
                    ("set-cookie", "evil=1"),
                ] {
                    answer.headers_mut().insert(name, value.parse().unwrap());
                }
                answer
            })
        })
        .await;
        let headers = [
            ("Connection", "keep-alive, Upgrade"),
            ("Upgrade", protocol),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Protocol", "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0, csrf.kcs.c2VjcmV0"),
            ("X-Stream-Protocol-Version", "v4.channel.k8s.io"),
            ("Impersonate-User", "system:admin"),
        ];
        let exec = request("GET", "/api/v1/namespaces/a/pods/p/exec?command=sh&stdin=true", &headers);
        let Answer::Tunnel(mut tunnel) = soon(gateway(&api).await.forward(&member(), exec)).await.unwrap() else { panic!("no tunnel") };
        let seen = api.last().headers;
        assert_eq!((&seen["upgrade"], &seen["connection"]), (&protocol.parse().unwrap(), &"Upgrade".parse().unwrap()));
        assert_eq!(seen["sec-websocket-protocol"], "v5.channel.k8s.io");
        assert_eq!(seen["x-stream-protocol-version"], "v4.channel.k8s.io");
        assert_eq!(seen["impersonate-user"], "kcs:u1");
        assert_eq!(tunnel.head.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(tunnel.head.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(tunnel.head.headers()["upgrade"], protocol);
        assert!(!tunnel.head.headers().contains_key("set-cookie"));
        for text in ["hello", "again \0\u{1}"] {
            tunnel.io.write_all(text.as_bytes()).await.unwrap();
            let mut echo = vec![0; text.len()];
            soon(tunnel.io.read_exact(&mut echo)).await.unwrap();
            assert_eq!(echo, text.as_bytes());
        }
    }
}

#[tokio::test]
async fn a_way_into_a_pod_goes_by_the_connection_that_was_made_for_it_and_takes_none_of_the_others() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::FORBIDDEN, "no") })).await;
    let gateway = gateway(&api).await;
    read(response(&gateway, request("GET", "/version", &[])).await).await;
    let own = soon(gateway.dial()).await.unwrap();
    assert_eq!(api.count(), 1, "something was said on it");
    let exec = request("POST", "/api/v1/namespaces/a/pods/p/exec?command=sh", &[]);
    let Answer::Response(refused) = soon(gateway.forward_by(own, &member(), exec)).await.unwrap() else { panic!("a tunnel") };
    assert_eq!(read(refused).await, "no");
    let seen = api.last();
    assert_eq!(seen.uri, "/api/v1/namespaces/a/pods/p/exec?command=sh");
    assert_eq!(seen.headers["host"], api.target.endpoint.strip_prefix("https://").unwrap());
    assert_eq!(seen.headers["impersonate-user"], "kcs:u1");
    read(response(&gateway, request("GET", "/version", &[])).await).await;
    assert_eq!((api.count(), api.clients.lock().unwrap().len()), (3, 2));
}

#[tokio::test]
async fn only_the_ways_into_a_pod_are_upgraded_and_a_refused_upgrade_is_a_plain_answer() {
    let api = FakeApi::start(|_| Box::pin(async { text(StatusCode::FORBIDDEN, "no") })).await;
    let gateway = gateway(&api).await;
    let headers = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x")];
    response(&gateway, request("GET", "/api/v1/pods?watch=true", &headers)).await;
    assert!(!api.last().headers.contains_key("upgrade") && !api.last().headers.contains_key("sec-websocket-key"));
    let refused = response(&gateway, request("GET", "/api/v1/namespaces/a/pods/p/exec", &headers)).await;
    assert!(api.last().headers.contains_key("upgrade"));
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(read(refused).await, "no");
    assert_eq!(response(&gateway, request("GET", "/version", &[])).await.status(), StatusCode::FORBIDDEN);
    for connection in ["close, Upgrade", "Upgrade, Close", "keep-alive"] {
        let headers = [("Connection", connection), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x")];
        response(&gateway, request("GET", "/api/v1/namespaces/a/pods/p/exec", &headers)).await;
        assert!(!api.last().headers.contains_key("upgrade"), "{connection}");
    }
}

#[tokio::test]
async fn an_upgrade_nobody_asked_for_is_an_error() {
    let api = FakeApi::start(|_| {
        Box::pin(async {
            let mut answer = text(StatusCode::SWITCHING_PROTOCOLS, "");
            answer.headers_mut().insert("upgrade", "websocket".parse().unwrap());
            answer
        })
    })
    .await;
    let result = soon(gateway(&api).await.forward(&member(), request("GET", "/version", &[]))).await;
    assert!(matches!(result, Err(KubeError::BadAnswer(_) | KubeError::Unreachable(_))), "{result:?}");
}
