//! What carries a request to the cloud and its answer back: reqwest, or in tests a cloud in the same process.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(30);
/// Shorter than what the engine keeps of its lease when it begins a change.
const CHANGE: Duration = Duration::from_secs(20);
/// How long a connection is kept for the next call: less than the five seconds after which common servers close it, so that few calls meet one just closed.
const IDLE: Duration = Duration::from_secs(4);
const KEEPALIVE: Duration = Duration::from_secs(30);
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// No answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the server may have seen the request.
    pub sent: bool,
    pub message: String,
}

/// Carries one request. Redirects are answers, not followed: a token must not go where the catalogue does not point.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The answer, whatever its status.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// HTTP(S) by reqwest, with connections kept, certificates always checked, and limits on time and size.
pub struct ReqwestTransport {
    client: reqwest::Client,
    /// Makes a connection for each call.
    fresh: reqwest::Client,
}

impl ReqwestTransport {
    /// `ca_file`: PEM certificates trusted instead of the public ones.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, TransportError> {
        let tls = tls(ca_file).map_err(|message| TransportError { sent: false, message })?;
        let client = |kept: usize| {
            reqwest::Client::builder()
                .use_preconfigured_tls(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .timeout(READ)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(kept)
                .tcp_keepalive(KEEPALIVE)
                .user_agent(concat!("kcs/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|e| lost(&e))
        };
        Ok(Self { client: client(usize::MAX)?, fresh: client(0)? })
    }
}

fn tls(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, String> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    if let Some(path) = ca_file {
        let wrong = |why: String| format!("CA file {}: {why}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
            let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
            roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("no certificate in it".to_owned()));
        }
    } else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let mut request = reqwest::Request::try_from(request).map_err(|e| lost(&e))?;
        *request.timeout_mut() = Some(if reads { READ } else { CHANGE });
        let again = request.try_clone().filter(|_| reads);
        let answered = match (self.client.execute(request).await, again) {
            // A connection kept from before may just be closed by the other side, and so may the next; to read twice does no harm.
            (Err(error), Some(again)) if broke(&error) => self.fresh.execute(again).await,
            (answered, _) => answered,
        };
        let mut answer = answered.map_err(|e| lost(&e))?;
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(|e| lost(&e))? {
            if body.len() + part.len() > BODY_LIMIT {
                return Err(TransportError { sent: true, message: format!("the answer is larger than {} MiB", BODY_LIMIT / 1024 / 1024) });
            }
            body.extend_from_slice(&part);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// Whether there was a connection, and it was lost before an answer came.
fn broke(error: &reqwest::Error) -> bool {
    !(error.is_connect() || error.is_builder() || error.is_timeout())
}

/// reqwest's error with its causes, without the URL (its query may name things).
fn lost(error: &reqwest::Error) -> TransportError {
    use std::error::Error;
    if let Some(why) = distrust(error) {
        // The handshake comes before the request.
        return TransportError { sent: false, message: format!("the cloud's TLS certificate is refused: {why}") };
    }
    let what = match error {
        e if e.is_connect() && e.is_timeout() => "no connection within 5 s",
        e if e.is_connect() => "no connection",
        e if e.is_timeout() => "no answer in time",
        e if e.is_builder() => "the request could not be written",
        _ => "the connection was lost",
    };
    let mut message = what.to_owned();
    let mut cause = error.source();
    while let Some(inner) = cause {
        message = format!("{message}: {inner}");
        cause = inner.source();
    }
    TransportError { sent: !(error.is_connect() || error.is_builder()), message }
}

/// Why the cloud's certificate is not believed, if that is what went wrong.
fn distrust(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    use rustls::{CertificateError as Wrong, Error as Tls};
    if let Some(Tls::InvalidCertificate(wrong)) = error.downcast_ref::<Tls>() {
        return Some(match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } => "it has expired".to_owned(),
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => "it is not valid yet; compare the clocks".to_owned(),
            Wrong::UnknownIssuer | Wrong::BadSignature => "none of the trusted authorities has signed it; see cloud.ca_file".to_owned(),
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => "it is for another name".to_owned(),
            other => other.to_string(),
        });
    }
    // An I/O error hides what it wraps from its own chain of causes.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.and_then(|inner| distrust(inner)).or_else(|| distrust(error.source()?))
}
