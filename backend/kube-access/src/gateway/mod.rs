//! The pass-through for kubectl, helm and the console: one request in, one rebuilt request out as the person, streamed both ways. Exec,
//! attach and port-forward become a tunnel of raw bytes.
//!
//! For callers on actix (`http` 0.2, bodies that do not move between threads): copy names and values into `GatewayRequest`, pump the payload
//! through a channel from a task of the same worker, and answer a tunnel with status 101, its headers, and a streaming body of what comes
//! from the cluster, while the payload is written to it. `tests/it/actix.rs` does exactly this. actix hands on raw payload for WebSockets only: for
//! SPDY the listener has to say so (`server::spdy`).

mod access;
mod across;
mod body;
mod collection;
mod headers;
mod impersonation;
mod joined;
mod nodes;
mod path;
mod storage_classes;

pub use access::{Access, Reach};
pub use body::{Body, BodyStream};
pub use collection::Collection;
pub use headers::CSRF_PROTOCOL;
pub use impersonation::{Group, Impersonation};

use self::path::KubePath;
use crate::channel::{Channel, RequestBody, full};
use crate::{KubeError, OwnConnection};
use bytes::Bytes;
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, WriteHalf};
use tokio_util::io::ReaderStream;

/// The API server's own limit for objects.
pub const BODY_LIMIT: usize = 3 << 20;
/// As long as the API server gives itself for a request that is no stream.
const HEAD: Duration = Duration::from_secs(65);
/// As much as a record of TLS holds: so much of what comes through a tunnel is read at once.
const RECORD: usize = 16 << 10;

/// A request as it came in.
pub struct GatewayRequest {
    pub method: Method,
    /// As it came over the wire, not decoded; without the prefix that names the cluster.
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: BodyStream,
}

impl GatewayRequest {
    /// A request without headers; the method by its name.
    pub fn new(method: &str, path: &str, query: Option<&str>, body: BodyStream) -> Result<Self, KubeError> {
        Ok(Self {
            method: method.parse().map_err(|_| KubeError::Refused("this method is not passed on"))?,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: HeaderMap::new(),
            body,
        })
    }

    /// Adds a header; one that is none is left out.
    pub fn add_header(&mut self, name: &str, value: &[u8]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
            self.headers.append(name, value);
        }
    }

    /// What the request does; an error: nobody may send it.
    pub fn access(&self) -> Result<Access, KubeError> {
        Access::classify(&self.method, &self.path)
    }

    /// How far the request reaches; an error: nobody may send it.
    pub fn reach(&self) -> Result<Reach, KubeError> {
        Reach::of(&self.method, &self.path)
    }

    /// The list over all namespaces that the request is; None: it is something else.
    #[must_use]
    pub fn collection(&self) -> Option<Collection> {
        Collection::of(self)
    }

    /// Whether the request makes an object, of which the path does not say which.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.method == Method::POST && matches!(KubePath::parse(&self.path), Ok(KubePath::Resource(resource)) if resource.name.is_none())
    }

    /// Whether the answer's beginning may take as long as it likes.
    fn is_stream(&self) -> bool {
        let query = self.query.as_deref().unwrap_or_default();
        query.split('&').any(|pair| matches!(pair, "watch" | "watch=true" | "watch=1" | "follow=true" | "follow=1")) || self.path.contains("/watch/")
    }

    fn path_and_query(&self) -> Result<http::Uri, KubeError> {
        let text = match self.query.as_deref() {
            Some(query) if !query.is_empty() => {
                path::check_query(query)?;
                format!("{}?{query}", self.path)
            }
            _ => self.path.clone(),
        };
        text.parse().map_err(|_| KubeError::Refused("the path or query is not valid"))
    }
}

/// What comes back.
pub enum Answer {
    Response(Response<Body>),
    Tunnel(Tunnel),
}

/// An upgraded connection: the head to answer with (101), and the raw bytes after it.
pub struct Tunnel {
    pub head: Response<()>,
    pub io: Box<dyn TunnelIo>,
}

impl Tunnel {
    /// The head, what comes from the cluster, and where to write what goes there. Dropping both ends the tunnel.
    #[must_use]
    pub fn split(self) -> (Response<()>, BodyStream, WriteHalf<Box<dyn TunnelIo>>) {
        let (from_cluster, to_cluster) = tokio::io::split(self.io);
        let bytes = ReaderStream::with_capacity(from_cluster, RECORD);
        (self.head, Box::pin(bytes), to_cluster)
    }
}

/// Both directions of a tunnel.
pub trait TunnelIo: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> TunnelIo for T {}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => write!(f, "Response({})", response.status()),
            Self::Tunnel(_) => f.write_str("Tunnel"),
        }
    }
}

/// One cluster, as whoever the request is for.
#[derive(Clone, Debug)]
pub struct Gateway {
    channel: Channel,
}

impl Gateway {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// Makes the connection that a way into a pod will have, and sends nothing on it. After an upgrade it is of no use to anybody else anyway.
    pub async fn dial(&self) -> Result<OwnConnection, KubeError> {
        self.channel.dial().await
    }

    /// Passes a request on. Whether the person's role allows it (`GatewayRequest::access`) was decided before; the cluster's RBAC decides again.
    pub async fn forward(&self, who: &Impersonation, request: GatewayRequest) -> Result<Answer, KubeError> {
        self.pass(None, who, request).await
    }

    /// The same, by a connection that was made for it.
    pub async fn forward_by(&self, connection: OwnConnection, who: &Impersonation, request: GatewayRequest) -> Result<Answer, KubeError> {
        self.pass(Some(connection), who, request).await
    }

    async fn pass(&self, connection: Option<OwnConnection>, who: &Impersonation, request: GatewayRequest) -> Result<Answer, KubeError> {
        let access = request.access()?;
        // Nothing but the ways into a pod is upgraded; elsewhere the wish is dropped with the other hop-by-hop headers.
        let upgrade = headers::upgrade_of(&request.headers).filter(|_| access == Access::Exec);
        let headers = headers::for_cluster(&request.headers, upgrade, who, &request.reach()?)?;
        let uri = request.path_and_query()?;
        let (patient, document) = (request.is_stream(), access::is_for_document(&request.method, &request.path)?);
        let looks = !patient && access != Access::Exec && matches!(request.method, Method::GET | Method::HEAD);
        let (body, overflow) = outgoing_body(upgrade.is_some(), request.method.clone(), &headers, request.body)?;
        let mut outgoing = Request::new(());
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = headers;
        let sent = async {
            match (connection, body) {
                (Some(connection), body) => connection.send(whole(outgoing, body)).await,
                (None, None) if looks => self.channel.look(outgoing).await,
                (None, body) => self.channel.send(whole(outgoing, body)).await,
            }
        };
        let sent = if patient { sent.await } else { tokio::time::timeout(HEAD, sent).await.unwrap_or(Err(KubeError::Timeout(HEAD))) };
        match sent {
            Err(_) if overflow.happened() => Err(KubeError::BodyTooLarge(BODY_LIMIT)),
            Err(error) => Err(error),
            Ok(response) => answer(response, upgrade, document).await,
        }
    }
}

impl Gateway {
    /// A change of what is in no namespace, put together here and made as the person; what comes back is of no interest.
    async fn write(&self, who: &Impersonation, method: Method, path: &str, content_type: &'static str, body: &Value) -> Result<(), KubeError> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        let headers = headers::for_cluster(&headers, None, who, &Reach::Cluster)?;
        self.channel.call(method, path, headers, Bytes::from(body.to_string())).await.map(drop)
    }
}

fn whole(head: Request<()>, body: Option<RequestBody>) -> Request<RequestBody> {
    head.map(|()| body.unwrap_or_else(|| full(Bytes::new())))
}

/// None: it has no body.
fn outgoing_body(upgrade: bool, method: Method, headers: &HeaderMap, stream: BodyStream) -> Result<(Option<RequestBody>, body::Overflow), KubeError> {
    let length = match headers.get(CONTENT_LENGTH).map(|v| v.to_str().map(str::parse::<usize>)) {
        None => None,
        Some(Ok(Ok(length))) => Some(length),
        Some(_) => return Err(KubeError::Refused("Content-Length is not valid")),
    };
    let bodiless = upgrade || length == Some(0) || (length.is_none() && matches!(method, Method::GET | Method::HEAD));
    match length {
        Some(length) if length > BODY_LIMIT => Err(KubeError::BodyTooLarge(BODY_LIMIT)),
        _ if bodiless => Ok((None, body::Overflow::default())),
        _ => {
            let (body, overflow) = body::limited(stream, BODY_LIMIT);
            Ok((Some(body), overflow))
        }
    }
}

async fn answer(response: Response<Incoming>, upgrade: Option<&'static str>, document: bool) -> Result<Answer, KubeError> {
    let status = response.status();
    match (status, upgrade) {
        (StatusCode::SWITCHING_PROTOCOLS, Some(protocol)) => {
            let mut head = Response::new(());
            *head.status_mut() = status;
            *head.headers_mut() = headers::for_tunnel(response.headers(), protocol);
            let upgraded = hyper::upgrade::on(response).await;
            let upgraded = upgraded.map_err(|e| KubeError::Unreachable(e.to_string()))?;
            Ok(Answer::Tunnel(Tunnel { head, io: Box::new(TokioIo::new(upgraded)) }))
        }
        // Whoever caches by ETag is told that nothing changed; any other answer of this kind leads elsewhere.
        (StatusCode::NOT_MODIFIED, _) => Ok(Answer::Response(passed_on(response, document).await)),
        _ if status.is_redirection() => Err(KubeError::BadAnswer("a redirect".to_owned())),
        _ if status.is_informational() => Err(KubeError::BadAnswer("an upgrade nobody asked for".to_owned())),
        _ => Ok(Answer::Response(passed_on(response, document).await)),
    }
}

async fn passed_on(response: Response<Incoming>, document: bool) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let stream: BodyStream = Box::pin(body.into_data_stream().map(|piece| piece.map_err(std::io::Error::other)));
    let mut passed = Response::new(body::together(stream).await);
    *passed.status_mut() = parts.status;
    *passed.headers_mut() = headers::for_client(parts.status, &parts.headers, document);
    passed
}
