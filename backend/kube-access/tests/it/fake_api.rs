//! An API server that speaks TLS with client certificates and answers what a test tells it to.

use bytes::Bytes;
use domain::ids::ClusterId;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube_access::{API_SERVER, ClusterTarget, Destinations, KubeAccess};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use sealed::ClusterPki;
use secrecy::ExposeSecret;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;
pub type Reply = BoxFuture<'static, Response<Body>>;

/// In place of an answer: the connection ends.
#[derive(Clone)]
struct Cut;

pub fn cut() -> Response<Body> {
    let mut response = text(StatusCode::OK, "");
    response.extensions_mut().insert(Cut);
    response
}

/// What came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub uri: String,
    pub headers: HeaderMap,
}

pub struct FakeApi {
    pub target: ClusterTarget,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    /// Subjects of the client certificates of all connections.
    pub clients: Arc<Mutex<Vec<Vec<u8>>>>,
}

pub fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().unwrap();
    });
}

/// The access to clusters that are on this machine.
pub fn access() -> KubeAccess {
    KubeAccess::new().with_destinations(Destinations::new(vec!["127.0.0.0/8".parse().unwrap()], Vec::new()))
}

pub fn pki() -> Arc<ClusterPki> {
    Arc::new(ClusterPki::generate(time::OffsetDateTime::now_utc()).unwrap())
}

pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

pub fn json(value: &serde_json::Value) -> Response<Body> {
    let mut response = text(StatusCode::OK, value.to_string());
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

impl FakeApi {
    /// Starts it with an answer for every request.
    pub async fn start(answer: impl Fn(Request<Incoming>) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(pki(), pki_of_server, API_SERVER, answer).await
    }

    /// As `start`, with a server certificate of another authority.
    pub async fn start_with_wrong_certificate() -> Self {
        let other = pki();
        Self::start_with(pki(), move |_| other.clone(), API_SERVER, |_| Box::pin(async { text(StatusCode::OK, "") })).await
    }

    /// As `start`, with a server certificate for another name.
    pub async fn start_with_wrong_name() -> Self {
        Self::start_with(pki(), pki_of_server, "kubelet", |_| Box::pin(async { text(StatusCode::OK, "") })).await
    }

    async fn start_with(
        pki: Arc<ClusterPki>,
        signer: impl FnOnce(&Arc<ClusterPki>) -> Arc<ClusterPki>,
        name: &str,
        answer: impl Fn(Request<Incoming>) -> Reply + Send + Sync + 'static,
    ) -> Self {
        install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let acceptor = acceptor(&pki, &signer(&pki), name);
        let (seen, clients) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::<Mutex<Vec<Vec<u8>>>>::default());
        let target =
            ClusterTarget { cluster: ClusterId::generate(), endpoint: format!("https://{}", listener.local_addr().unwrap()), private: false, pki };
        let api = Self { target, seen: seen.clone(), clients: clients.clone() };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, answer, seen, clients) = (acceptor.clone(), answer.clone(), seen.clone(), clients.clone());
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(stream).await else { return };
                    let certificate = tls.get_ref().1.peer_certificates().unwrap()[0].to_vec();
                    clients.lock().unwrap().push(certificate);
                    let service = service_fn(move |request: Request<Incoming>| {
                        seen.lock().unwrap().push(Seen { uri: request.uri().to_string(), headers: request.headers().clone() });
                        let reply = answer(request);
                        async move { Some(reply.await).filter(|r| r.extensions().get::<Cut>().is_none()).ok_or("cut") }
                    });
                    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tls), service);
                    connection.with_upgrades().await.ok();
                });
            }
        });
        api
    }

    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn pki_of_server(pki: &Arc<ClusterPki>) -> Arc<ClusterPki> {
    pki.clone()
}

/// Its certificate is for that name alone, and for no address.
pub fn acceptor(clients: &ClusterPki, signer: &ClusterPki, name: &str) -> TlsAcceptor {
    let (hour, now) = (time::Duration::hours(1), time::OffsetDateTime::now_utc());
    let certificate = signer.cluster.server_certificate(&[name.to_owned()], &[], hour, now).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.cluster.certificate_pem.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let config = rustls::ServerConfig::builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.certificate_pem.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(certificate.key_pem.expose_secret().as_bytes()).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// For things that must come soon.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("nothing came in time")
}
