//! A cluster's API as far as the gate needs one: TLS under the cluster's own authority, and watches that go on until somebody ends them, and ways into pods
//! that say back what they are told, or more than anybody takes.

use actix_web::http::{Method, header};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, HttpServer};
use futures::StreamExt;
use futures::future::pending;
use futures::stream::{self, once};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealed::ClusterPki;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub struct ClusterApi {
    pub endpoint: String,
    pub pki: ClusterPki,
    /// The heads of requests where ways into pods are echoed, and of each that it was `left`, of a command `yes` before that it was `full`; of others the first line.
    pub heads: Arc<Mutex<Vec<String>>>,
    /// Connections over TLS that were made, whatever was said on them; where ways into pods are echoed only.
    pub connections: Arc<AtomicUsize>,
    running: Running,
}

enum Running {
    Http(actix_web::dev::ServerHandle),
    Raw(AbortHandle),
}

impl ClusterApi {
    pub fn start() -> Self {
        Self::with(watch)
    }

    /// One that has every namespace, answers all else with an empty list, but says nothing to who wants to follow.
    pub fn answering() -> Self {
        Self::with(list)
    }

    /// One with a pod and a deployment in every namespace that is there; `later` is not. Nobody may look at anything that is in none.
    pub fn inhabited() -> Self {
        Self::with(inhabitants)
    }

    /// One that answers, with these objects at one address.
    pub fn holding(path: &'static str, items: Vec<Value>) -> Self {
        Self::with(async move |request: &HttpRequest| {
            if request.path() != path || request.method() != Method::GET {
                return list(request).await;
            }
            HttpResponse::Ok().json(json!({"metadata": {}, "items": items}))
        })
    }

    /// The same, with persistent volumes: (id in the cloud, reclaim policy).
    pub fn with_volumes(volumes: &[(&String, &str)]) -> Self {
        let volume = |(id, policy): &(&String, &str)| {
            let csi = json!({"driver": "cinder.csi.openstack.org", "volumeHandle": id});
            json!({"metadata": {"name": format!("pv-{id}")}, "spec": {"persistentVolumeReclaimPolicy": policy, "csi": csi}})
        };
        Self::holding("/api/v1/persistentvolumes", volumes.iter().map(volume).collect())
    }

    /// One that makes what it is asked to make, under a name of its own where none is asked for.
    pub fn making() -> Self {
        Self::with(make)
    }

    /// One that takes nothing.
    pub fn refusing() -> Self {
        Self::with(refuse)
    }

    /// One in which every request for an upgrade succeeds, and then what comes in goes out again, unless the command is `yes`. All else is a watch, with that command
    /// one without end, and with the command `mute` never answered.
    pub async fn echoing() -> Self {
        let pki = ClusterPki::generate(OffsetDateTime::now_utc()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let (acceptor, heads) = (TlsAcceptor::from(Arc::new(tls(&pki))), Arc::<Mutex<Vec<String>>>::default());
        let (seen, connections) = (heads.clone(), Arc::<AtomicUsize>::default());
        let made = connections.clone();
        let accepting = async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, seen, made) = (acceptor.clone(), seen.clone(), made.clone());
                open.spawn(async move {
                    let stream = acceptor.accept(stream).await?;
                    made.fetch_add(1, Ordering::SeqCst);
                    echo(stream, &seen).await
                });
            }
        };
        Self { endpoint, pki, heads, connections, running: Running::Raw(actix_web::rt::spawn(accepting).abort_handle()) }
    }

    fn with<F: AsyncFn(&HttpRequest) -> HttpResponse + Clone + Send + 'static>(answer: F) -> Self {
        let (pki, heads) = (ClusterPki::generate(OffsetDateTime::now_utc()).unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let seen = heads.clone();
        let server = HttpServer::new(move || {
            let (answer, seen) = (answer.clone(), seen.clone());
            App::new().default_service(web::to(move |request: HttpRequest, payload: web::Payload| {
                let (answer, seen) = (answer.clone(), seen.clone());
                async move {
                    seen.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
                    // What follows a wish for an upgrade has no end.
                    if request.method() == Method::POST && !request.headers().contains_key(header::UPGRADE) {
                        let body = payload.to_bytes().await.unwrap_or_default();
                        request.extensions_mut().insert(body);
                    }
                    match kinds(request.path()) {
                        Some(kinds) => HttpResponse::Ok().json(json!({"kind": "APIResourceList", "resources": kinds})),
                        None => answer(&request).await,
                    }
                }
            }))
        });
        let server = server.workers(1).disable_signals();
        let server = server.bind_rustls_0_23("127.0.0.1:0", tls(&pki)).unwrap();
        let endpoint = format!("https://{}", server.addrs()[0]);
        let running = server.run();
        let server = running.handle();
        actix_web::rt::spawn(running);
        Self { endpoint, pki, heads, connections: Arc::default(), running: Running::Http(server) }
    }
}

impl Drop for ClusterApi {
    fn drop(&mut self) {
        match &self.running {
            Running::Http(server) => drop(server.stop(false)),
            Running::Raw(task) => task.abort(),
        }
    }
}

async fn echo(mut stream: TlsStream<TcpStream>, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let answer = match head.lines().find_map(|line| line.strip_prefix("upgrade: ")) {
        Some(protocol) => format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n"
        ),
        None if head.contains("command=mute") => String::new(),
        None => format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{EVENT}"),
    };
    let yes = head.contains("command=yes");
    seen.lock().unwrap().push(head);
    stream.write_all(answer.as_bytes()).await?;
    let (mut from, mut to) = tokio::io::split(stream);
    let note = |word: &str| seen.lock().unwrap().push(word.to_owned());
    if !yes {
        drop(tokio::io::copy(&mut from, &mut to).await);
        note("left");
        return Ok(());
    }
    let say = async {
        while let Ok(Ok(())) = tokio::time::timeout(FULL, to.write_all(&[b'y'; 65_536])).await {}
        note("full");
    };
    let listen = async {
        drop(tokio::io::copy(&mut from, &mut tokio::io::sink()).await);
        note("left");
    };
    tokio::join!(say, listen);
    Ok(())
}

/// The event with which a watch begins.
const EVENT: &str = "{\"type\":\"BOOKMARK\"}\n";
/// A reader who has taken nothing for so long takes nothing.
const FULL: Duration = Duration::from_millis(500);

/// What a version of a group has: every cluster says it.
fn kinds(path: &str) -> Option<Vec<Value>> {
    let all: &[(&str, &str, bool)] = match path {
        "/api/v1" => &[("pods", "Pod", true), ("secrets", "Secret", true), ("namespaces", "Namespace", false), ("nodes", "Node", false)],
        "/apis/apps/v1" => &[("deployments", "Deployment", true)],
        _ => return None,
    };
    Some(all.iter().map(|(name, kind, namespaced)| json!({"name": name, "kind": kind, "namespaced": namespaced})).collect())
}

async fn list(request: &HttpRequest) -> HttpResponse {
    if request.query_string().contains("follow=true") {
        return pending().await;
    }
    if let Some(name) = request.path().strip_prefix("/api/v1/namespaces/").filter(|rest| !rest.contains('/')) {
        return HttpResponse::Ok().json(json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}));
    }
    // What Kubernetes says with every answer.
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/json").insert_header(("cache-control", "no-cache, private"));
    answer.body(r#"{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}"#)
}

async fn inhabitants(request: &HttpRequest) -> HttpResponse {
    let segments: Vec<&str> = request.path().split('/').skip(1).collect();
    match segments.as_slice() {
        ["api", "v1", "namespaces", name] if *name != "later" => list(request).await,
        ["api", "v1", "namespaces", namespace, "pods"] | ["apis", "apps", "v1", "namespaces", namespace, "deployments"] if *namespace != "later" => {
            let one = json!({"metadata": {"name": format!("in-{namespace}"), "namespace": namespace}});
            HttpResponse::Ok().json(json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": [one]}))
        }
        _ => HttpResponse::Forbidden()
            .json(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Forbidden", "code": 403})),
    }
}

async fn make(request: &HttpRequest) -> HttpResponse {
    let Some(body) = request.extensions().get::<Bytes>().cloned() else { return list(request).await };
    let mut object: Value = serde_json::from_slice(&body).unwrap();
    if object["metadata"]["name"].is_null() {
        object["metadata"]["name"] = "made-x7k2p".into();
    }
    HttpResponse::Created().json(object)
}

async fn refuse(_: &HttpRequest) -> HttpResponse {
    HttpResponse::Conflict()
        .json(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Conflict", "code": 409}))
}

/// One event, and then silence.
async fn watch(_: &HttpRequest) -> HttpResponse {
    let event = Bytes::from_static(EVENT.as_bytes());
    HttpResponse::Ok().content_type("application/json").streaming(once(async { Ok::<_, std::io::Error>(event) }).chain(stream::pending()))
}

fn tls(pki: &ClusterPki) -> rustls::ServerConfig {
    let hour = time::Duration::hours(1);
    let certificate = pki.cluster.server_certificate(&["kubernetes".to_owned()], &[], hour, OffsetDateTime::now_utc()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.expose_secret().as_bytes()).unwrap();
    rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()
}
