//! The cloud without anybody's identity, and the one place every call goes through: its turn, its deadline, its figures, its error.

use crate::call::{Answer, Call};
use crate::catalog::{Catalog, Service, identity_root};
use crate::config::Config;
use crate::error;
use crate::manners::{Heard, Manners};
use crate::transport::{Transport, TransportError};
use bytes::Bytes;
use cloud::Result;
use cloud::error::CloudErrorKind;
use http::{HeaderName, HeaderValue, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tracing::Instrument;
use url::Url;

/// Nova's microversion: the least that knows everything we ask for (a server group's one `policy` is 2.64, a root volume's type 2.67).
const COMPUTE_VERSION: HeaderValue = HeaderValue::from_static("compute 2.67");
const COMPUTE_VERSION_LEGACY: HeaderValue = HeaderValue::from_static("2.67");
/// Cinder's: the first with attachments.
const VOLUME_VERSION: HeaderValue = HeaderValue::from_static("volume 3.27");

pub(crate) struct Connection {
    pub config: Config,
    pub manners: Arc<Manners>,
    transport: Arc<dyn Transport>,
    /// Some catalogue was seen and it had no load balancing.
    balancing_missing: AtomicBool,
}

impl Connection {
    pub(crate) fn new(config: Config, transport: Arc<dyn Transport>, manners: Arc<Manners>) -> Self {
        Self { config, manners, transport, balancing_missing: AtomicBool::new(false) }
    }

    pub(crate) fn learn(&self, catalog: &Catalog) {
        let missing = self.root_in(catalog, Service::LoadBalancer).is_none();
        self.balancing_missing.store(missing, Ordering::Relaxed);
        self.manners.met(catalog.hosts());
    }

    pub(crate) fn balances(&self) -> bool {
        !self.balancing_missing.load(Ordering::Relaxed)
    }

    pub(crate) fn root_in(&self, catalog: &Catalog, service: Service) -> Option<Url> {
        catalog.root(service, self.config.region.as_deref(), self.config.interface)
    }

    pub(crate) fn identity_root(&self, call: &Call<'_>) -> Result<Url> {
        identity_root(&self.config).ok_or_else(|| error::unsent(call, CloudErrorKind::Unsupported, "the Keystone URL cannot be used"))
    }

    /// Sends one call when it is its turn, and takes any answer but a success for an error. `lane` is the project it is for.
    pub(crate) async fn exchange(&self, lane: &str, call: &Call<'_>, root: &Url, headers: &[(&'static str, HeaderValue)]) -> Result<Answer> {
        let request = request(call, root, headers)?;
        let _pass = self.manners.admit(call.service, lane, call.changes).await.map_err(|held| error::held(call, held))?;
        let span = tracing::info_span!(
            "cloud call",
            service = call.service.name(),
            operation = call.operation,
            method = %call.method,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
        );
        let begun = Instant::now();
        let (result, heard) = self.send(call, request).instrument(span.clone()).await;
        self.manners.hear(call.service, lane, &heard);
        let (status, request_id, outcome) = match &result {
            Ok(answer) => (Some(answer.status), answer.request_id(), "ok"),
            Err(e) => (e.status, e.request_id.clone(), label(e.kind)),
        };
        status.map(|status| span.record("status", status));
        request_id.map(|id| span.record("request_id", id));
        span.in_scope(|| tracing::debug!(outcome, milliseconds = begun.elapsed().as_millis(), "called"));
        let labels = [("service", call.service.name()), ("operation", call.operation), ("outcome", outcome)];
        metrics::counter!("kcs_cloud_calls_total", &labels).increment(1);
        metrics::histogram!("kcs_cloud_call_seconds", &labels).record(begun.elapsed().as_secs_f64());
        result
    }

    /// The whole answer has to be there before the deadline: a service that sends a byte a second does not hold a worker.
    async fn send(&self, call: &Call<'_>, request: Request<Bytes>) -> (Result<Answer>, Heard) {
        let deadline = self.manners.deadline(call.changes);
        let sent = tokio::time::timeout(deadline, self.transport.send(request)).await;
        let late = || TransportError { sent: true, message: format!("no whole answer within {} s", deadline.as_secs_f64()) };
        match sent.unwrap_or_else(|_| Err(late())) {
            Err(lost) => (Err(error::unanswered(call, &lost)), Heard::Nothing(lost.message)),
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
                let heard = heard(call, &answer);
                let result = match &heard {
                    Heard::Nothing(why) if answer.status < 500 => Err(error::unreadable(call, &answer, why)),
                    _ if parts.status.is_success() || answer.asks_for_more(call.service) => Ok(answer),
                    _ => Err(error::refused(call, &answer)),
                };
                (result, heard)
            }
        }
    }
}

/// What an answer says about the service: that it is well, that it wants it slower, or that this was not the service speaking.
fn heard(call: &Call<'_>, answer: &Answer) -> Heard {
    let asked = error::retry_after(answer);
    match answer.status {
        429 => Heard::Slower(asked),
        413 if asked.is_some() || error::limited(answer) => Heard::Slower(asked),
        503 if asked.is_some() => Heard::Slower(asked),
        501 => Heard::Answer,
        500.. => Heard::Nothing(format!("status {}", answer.status)),
        _ if answer.is_foreign(call.service) => Heard::Nothing("it is not the service's own".to_owned()),
        _ => Heard::Answer,
    }
}

fn request(call: &Call<'_>, root: &Url, headers: &[(&'static str, HeaderValue)]) -> Result<Request<Bytes>> {
    let invalid = || error::unsent(call, CloudErrorKind::Rejected, "the id of an object is empty or not one");
    let url = call.url(root).ok_or_else(invalid)?;
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = url.as_str().parse().map_err(|_| invalid())?;
    let own = request.headers_mut();
    own.insert("accept", HeaderValue::from_static("application/json"));
    match call.service {
        Service::Compute => {
            own.insert("openstack-api-version", COMPUTE_VERSION);
            own.insert("x-openstack-nova-api-version", COMPUTE_VERSION_LEGACY);
        }
        Service::BlockStorage => {
            own.insert("openstack-api-version", VOLUME_VERSION);
        }
        _ => {}
    }
    for (name, value) in headers {
        own.insert(HeaderName::from_static(name), value.clone());
    }
    if let Some(body) = &call.body {
        own.insert("content-type", HeaderValue::from_static("application/json"));
        *request.body_mut() = Bytes::from(body.to_string());
    }
    Ok(request)
}

fn label(kind: CloudErrorKind) -> &'static str {
    match kind {
        CloudErrorKind::NotFound => "not_found",
        CloudErrorKind::Conflict => "conflict",
        CloudErrorKind::Quota => "quota",
        CloudErrorKind::Unauthenticated => "unauthenticated",
        CloudErrorKind::Denied => "denied",
        CloudErrorKind::RateLimited(_) => "rate_limited",
        CloudErrorKind::Exhausted => "exhausted",
        CloudErrorKind::Unavailable => "unavailable",
        CloudErrorKind::Rejected => "rejected",
        CloudErrorKind::Unsupported => "unsupported",
    }
}
