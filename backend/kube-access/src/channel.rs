//! One pool of connections to one cluster's API, with one identity: HTTP/1.1 over TLS against the cluster's own authority. It follows no
//! redirect, and repeats nothing but a mere look.

use crate::destinations::Destinations;
use crate::own_connection::OwnConnection;
use crate::route::{Route, RouteConnector};
use crate::{API_SERVER, KubeError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::Config;
use kube::client::ConfigExt;
use sealed::ClientCertificate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::error::Error as StdError;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// TCP and TLS together.
const CONNECT: Duration = Duration::from_secs(5);
/// A whole unary call of ours, answer included.
const UNARY: Duration = Duration::from_secs(10);
/// Connections idle for longer may have died with the master behind them.
const POOL_IDLE: Duration = Duration::from_secs(20);
/// A look whose answer has not begun by then is sent once more by another connection: the first may lead to a master that died without a word.
const AGAIN: Duration = Duration::from_millis(1_500);
/// Looks by one pool that are on their way twice at once: a cluster that is slow is not asked for twice as much.
const TWICE: usize = 4;
/// The largest answer of a unary call that is read: 500 large objects fit.
const ANSWER: usize = 32 << 20;

pub(crate) type Connector = TimeoutConnector<HttpsConnector<RouteConnector>>;
type Connections = Client<Connector, RequestBody>;
pub type BoxError = Box<dyn StdError + Send + Sync>;
pub type RequestBody = UnsyncBoxBody<Bytes, BoxError>;

/// Cheap to clone; clones share the pool.
#[derive(Clone)]
pub struct Channel {
    client: Connections,
    /// Keeps no connection: what has to go by another one is surely on a new one, made within `CONNECT` or not at all.
    anew: Connections,
    connector: Connector,
    authority: Authority,
    twice: Arc<Semaphore>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("authority", &self.authority).finish_non_exhaustive()
    }
}

impl Channel {
    pub fn new(endpoint: &str, route: &Route, destinations: &Destinations, ca_pem: &str, certificate: &ClientCertificate) -> Result<Self, KubeError> {
        let url: Uri = endpoint.parse().map_err(access)?;
        let authority = match (url.scheme(), url.authority()) {
            (Some(scheme), Some(authority)) if *scheme == Scheme::HTTPS => authority.clone(),
            _ => return Err(KubeError::Access("the endpoint is no https address".to_owned())),
        };
        destinations.check(&authority)?;
        let mut config = Config::new(url);
        config.root_cert = Some(vec![ca_der(ca_pem)?]);
        config.tls_server_name = Some(API_SERVER.to_owned());
        config.default_retry = false;
        config.auth_info.client_certificate_data = Some(STANDARD.encode(&certificate.certificate_pem));
        let key = STANDARD.encode(certificate.key_pem.expose_secret());
        config.auth_info.client_key_data = Some(SecretString::from(key));
        let https = config.rustls_https_connector_with_connector(RouteConnector::new(route, destinations)).map_err(access)?;
        let mut connector = TimeoutConnector::new(https);
        connector.set_connect_timeout(Some(CONNECT));
        let anew = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector.clone());
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(POOL_IDLE).build(connector.clone());
        Ok(Self { client, anew, connector, authority, twice: Arc::new(Semaphore::new(TWICE)) })
    }

    /// Sends a request whose URI is path and query only; the answer's body is still to be read.
    pub async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, KubeError> {
        self.send_by(&self.client, request).await
    }

    async fn send_by(&self, connections: &Connections, request: Request<RequestBody>) -> Result<Response<Incoming>, KubeError> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().cloned();
        parts.uri = self.absolute(path)?;
        parts.headers.remove(HOST);
        connections.request(Request::from_parts(parts, body)).await.map_err(|e| unanswered(&e))
    }

    /// A connection for one request alone.
    pub async fn dial(&self) -> Result<OwnConnection, KubeError> {
        OwnConnection::open(self.connector.clone(), self.absolute(Some(PathAndQuery::from_static("/")))?).await
    }

    /// Sends a request that changes nothing and has no body, and once more where no answer begins; whichever begins first is the answer, but for
    /// a repetition that is refused for being one too many.
    pub async fn look(&self, request: Request<()>) -> Result<Response<Incoming>, KubeError> {
        let attempt = |connections| self.send_by(connections, request.clone().map(|()| full(Bytes::new())));
        let mut first = pin!(attempt(&self.client));
        match tokio::time::timeout(AGAIN, &mut first).await {
            // The connection may have ended with a master that leaves.
            Ok(Err(KubeError::Unreachable(_))) => return attempt(&self.anew).await,
            Ok(answer) => return answer,
            Err(_) => (),
        }
        let second = async {
            let _turn = self.twice.acquire().await.map_err(access)?;
            attempt(&self.anew).await
        };
        let good = |answer: &Response<Incoming>| answer.status() != StatusCode::TOO_MANY_REQUESTS && !answer.status().is_server_error();
        match select(first, pin!(second)).await {
            Either::Left((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(_), second)) => second.await,
            Either::Right((Ok(answer), _)) if good(&answer) => Ok(answer),
            Either::Right((answer, first)) => first.await.or(answer),
        }
    }

    /// A whole call: request out, answer in, within ten seconds. An error status becomes an error.
    pub async fn call(&self, method: Method, path: &str, headers: HeaderMap, body: Bytes) -> Result<Bytes, KubeError> {
        let call = async {
            let looks = method == Method::GET;
            let mut request = Request::new(());
            *request.method_mut() = method;
            *request.uri_mut() = path.parse().map_err(access)?;
            *request.headers_mut() = headers;
            let response = if looks { self.look(request).await? } else { self.send(request.map(|()| full(body))).await? };
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER).collect().await;
            let body = body.map_err(|e| KubeError::BadAnswer(e.to_string()))?.to_bytes();
            match status.as_u16() {
                200..=299 => Ok(body),
                300..=399 => Err(KubeError::BadAnswer("a redirect".to_owned())),
                status => Err(status_error(status, &body)),
            }
        };
        tokio::time::timeout(UNARY, call).await.unwrap_or(Err(KubeError::Timeout(UNARY)))
    }

    /// A read of JSON.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, mut headers: HeaderMap) -> Result<T, KubeError> {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let body = self.call(Method::GET, path, headers, Bytes::new()).await?;
        serde_json::from_slice(&body).map_err(|e| KubeError::BadAnswer(e.to_string()))
    }

    /// A write of JSON; what comes back is of no interest.
    pub async fn write(&self, method: Method, path: &str, content_type: &'static str, body: &serde_json::Value) -> Result<(), KubeError> {
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type)), (ACCEPT, HeaderValue::from_static("application/json"))]);
        self.call(method, path, headers, Bytes::from(body.to_string())).await.map(drop)
    }

    fn absolute(&self, path: Option<PathAndQuery>) -> Result<Uri, KubeError> {
        let mut parts = Parts::default();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = path;
        Uri::from_parts(parts).map_err(access)
    }
}

pub fn full(body: Bytes) -> RequestBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn ca_der(pem: &str) -> Result<Vec<u8>, KubeError> {
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    STANDARD.decode(base64).map_err(access)
}

pub fn access(error: impl fmt::Display) -> KubeError {
    KubeError::Access(error.to_string())
}

/// Why no answer came. The cause at the bottom says most: "connection refused", "invalid peer certificate"; and where nobody is dialled, nothing was sent.
pub fn unanswered(error: &(dyn StdError + 'static)) -> KubeError {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match cause.downcast_ref::<KubeError>() {
        Some(never @ KubeError::Destination(_)) => never.clone(),
        _ => KubeError::Unreachable(cause.to_string()),
    }
}

/// An error answer is a `Status` object, or text of something in between.
fn status_error(status: u16, body: &[u8]) -> KubeError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Status {
        message: String,
        reason: String,
    }
    let parsed: Status = serde_json::from_slice(body).unwrap_or_default();
    let message = if parsed.message.is_empty() {
        String::from_utf8_lossy(body).chars().take(500).collect()
    } else {
        parsed.message.chars().take(2_000).collect()
    };
    KubeError::Status { status, reason: parsed.reason, message }
}
