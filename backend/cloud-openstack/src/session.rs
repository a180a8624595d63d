//! A scoped identity's way to the cloud: its token, renewed by one caller at a time, and the one place every call goes through.

use crate::access::{Auth, Grant};
use crate::call::{Answer, Call};
use crate::catalog::{Catalog, Service, identity_root};
use crate::config::Config;
use crate::error;
use crate::transport::Transport;
use bytes::Bytes;
use cloud::Result;
use cloud::error::{CloudError, CloudErrorKind};
use http::{HeaderName, HeaderValue, Request};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::Mutex;
use tracing::Instrument;
use url::Url;

/// Nova's microversion: the least that knows everything we ask for (a server group's one `policy` is 2.64, a root volume's type 2.67).
const COMPUTE_VERSION: HeaderValue = HeaderValue::from_static("compute 2.67");
const COMPUTE_VERSION_LEGACY: HeaderValue = HeaderValue::from_static("2.67");

/// The cloud, without anybody's identity.
pub(crate) struct Connection {
    pub config: Config,
    transport: Arc<dyn Transport>,
    /// Some catalogue was seen and it had no load balancing.
    balancing_missing: AtomicBool,
}

impl Connection {
    pub(crate) fn new(config: Config, transport: Arc<dyn Transport>) -> Self {
        Self { config, transport, balancing_missing: AtomicBool::new(false) }
    }

    pub(crate) fn learn(&self, catalog: &Catalog) {
        let missing = self.root_in(catalog, Service::LoadBalancer).is_none();
        self.balancing_missing.store(missing, Ordering::Relaxed);
    }

    pub(crate) fn balances(&self) -> bool {
        !self.balancing_missing.load(Ordering::Relaxed)
    }

    fn root_in(&self, catalog: &Catalog, service: Service) -> Option<Url> {
        catalog.root(service, self.config.region.as_deref(), self.config.interface)
    }

    pub(crate) fn identity_root(&self, call: &Call<'_>) -> Result<Url> {
        identity_root(&self.config).ok_or_else(|| error::unsent(call, CloudErrorKind::Unsupported, "the Keystone URL cannot be used"))
    }

    /// Sends one call and takes any answer but a success for an error.
    pub(crate) async fn exchange(&self, call: &Call<'_>, root: &Url, headers: &[(&'static str, HeaderValue)]) -> Result<Answer> {
        let span = tracing::info_span!(
            "cloud call",
            service = call.service.name(),
            operation = call.operation,
            method = %call.method,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
        );
        let begun = Instant::now();
        let result = self.send(call, root, headers).instrument(span.clone()).await;
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

    async fn send(&self, call: &Call<'_>, root: &Url, headers: &[(&'static str, HeaderValue)]) -> Result<Answer> {
        let invalid = || error::unsent(call, CloudErrorKind::Rejected, "the id of an object is empty or not one");
        let url = call.url(root).ok_or_else(invalid)?;
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(|_| invalid())?;
        let own = request.headers_mut();
        own.insert("accept", HeaderValue::from_static("application/json"));
        if call.service == Service::Compute {
            own.insert("openstack-api-version", COMPUTE_VERSION);
            own.insert("x-openstack-nova-api-version", COMPUTE_VERSION_LEGACY);
        }
        for (name, value) in headers {
            own.insert(HeaderName::from_static(name), value.clone());
        }
        if let Some(body) = &call.body {
            own.insert("content-type", HeaderValue::from_static("application/json"));
            *request.body_mut() = Bytes::from(body.to_string());
        }
        let response = self.transport.send(request).await.map_err(|lost| error::unanswered(call, &lost))?;
        let (parts, body) = response.into_parts();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        if parts.status.is_success() { Ok(answer) } else { Err(error::refused(call, &answer)) }
    }
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

/// The cloud as one identity sees it.
pub(crate) struct Session {
    pub connection: Arc<Connection>,
    auth: Auth,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    grant: Option<Arc<Grant>>,
    /// The last failure to get a token: those who waited meanwhile share it instead of failing one after the other.
    failure: Option<(Instant, CloudError)>,
}

impl Session {
    pub(crate) fn new(connection: Arc<Connection>, auth: Auth) -> Self {
        Self { connection, auth, held: Mutex::default() }
    }

    /// The token in use, or a new one when there is none, it is about to end, or it is the `spent` one that a service refused.
    pub(crate) async fn grant(&self, spent: Option<&Arc<Grant>>) -> Result<Arc<Grant>> {
        let asked = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(grant) = &held.grant
            && !spent.is_some_and(|spent| Arc::ptr_eq(spent, grant))
            && (grant.fresh() || !self.auth.renewable())
        {
            return Ok(grant.clone());
        }
        if let Some((at, failure)) = &held.failure
            && *at > asked
        {
            return Err(failure.clone());
        }
        held.grant = None;
        match self.auth.obtain(&self.connection).await {
            Ok(grant) => {
                let grant = Arc::new(grant);
                *held = Held { grant: Some(grant.clone()), failure: None };
                Ok(grant)
            }
            Err(failure) => {
                held.failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Sends a call; after a 401 once more with a new token.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let grant = self.grant(None).await?;
        match self.send_with(call, &grant).await {
            Err(e) if e.kind == CloudErrorKind::Unauthenticated && self.auth.renewable() => {
                let renewed = self.grant(Some(&grant)).await?;
                self.send_with(call, &renewed).await
            }
            answer => answer,
        }
    }

    async fn send_with(&self, call: &Call<'_>, grant: &Grant) -> Result<Answer> {
        let root = match call.service {
            Service::Identity => self.connection.identity_root(call)?,
            service => self.connection.root_in(&grant.catalog, service).ok_or_else(|| {
                let message = format!("the cloud's catalogue has no {} service in this region", service.name());
                error::unsent(call, CloudErrorKind::Unsupported, &message)
            })?,
        };
        self.connection.exchange(call, &root, &[("x-auth-token", grant.token.clone())]).await
    }

    /// Sends a call and reads its answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T> {
        let answer = self.send(call).await?;
        serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(call, &answer, &e.to_string()))
    }

    /// Sends a call whose answer's body says nothing.
    pub(crate) async fn done(&self, call: &Call<'_>) -> Result<()> {
        self.send(call).await.map(drop)
    }
}
