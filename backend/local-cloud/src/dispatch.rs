//! The way of one request: count it, meet its fault, find its token, hand it to its service.

use crate::ConnectionLost;
use crate::faults::{Effect, ObjectFault, met};
use crate::http::{Actor, Answer, Call, Failure, Later, Service, parse_query, respond};
use crate::state::{CallKey, FailureKey, State};
use crate::{compute, identity, images, load_balancers, network, versions, volumes};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use serde_json::Value;

/// An answer, and what is left to do for it without the lock.
pub(crate) struct Done {
    pub response: Response<Bytes>,
    pub later: Option<Later>,
    pub delay_ms: u64,
}

/// Answers `request`.
pub(crate) fn dispatch(state: &mut State, request: &Request<Bytes>) -> Result<Done, ConnectionLost> {
    let path = request.uri().path();
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let Some(service) = segments.first().and_then(|s| Service::of_prefix(s)) else {
        let failure = Failure::missing(format!("no service answers at {path}"));
        return Ok(done(respond(Service::Identity, Err(failure), "req-none", true)));
    };
    *state.calls.entry(call_key(service, request, &segments)).or_insert(0) += 1;
    if state.clock.now_ms() < state.down_until_ms {
        return Err(ConnectionLost { done: false });
    }
    let effect = met(&mut state.faults, service, request.method().as_str(), path, request.body());
    let request_id = format!("req-{}", state.id());
    let asks_json = request.headers().get("accept").and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("json"));
    let refuse = |failure| Ok(done(respond(service, Err(failure), &request_id, asks_json)));
    let mut fault = None;
    match &effect {
        Some(Effect::Reset) => return Err(ConnectionLost { done: false }),
        Some(Effect::CloudDown { seconds }) => {
            state.down_until_ms = state.clock.now_ms() + seconds * 1000;
            return Err(ConnectionLost { done: false });
        }
        Some(Effect::Status { status, body: Some(body) }) => {
            let reply = crate::http::Reply::json(*status, body.clone());
            return Ok(done(respond(service, Ok(reply), &request_id, asks_json)));
        }
        Some(Effect::Status { status, body: None }) => return refuse(plain(*status)),
        Some(Effect::Quota { resource }) => return refuse(over_quota(service, resource)),
        Some(Effect::TokensExpire) => state.identity.expire_tokens(),
        Some(Effect::Stuck) => fault = Some(ObjectFault::Stuck),
        Some(Effect::Error { text }) => fault = Some(ObjectFault::Error(text.clone())),
        Some(Effect::Delay { .. } | Effect::AnswerLost | Effect::DoneBut { .. }) | None => {}
    }
    let mut answer = serve(state, service, request, &segments, fault);
    match effect {
        Some(Effect::AnswerLost) => return Err(ConnectionLost { done: true }),
        Some(Effect::DoneBut { status }) => answer = Err(plain(status)),
        _ => {}
    }
    let later = answer.as_mut().ok().and_then(|reply| reply.later.take());
    let mut response = respond(service, answer, &request_id, asks_json);
    if response.status().is_client_error() || response.status().is_server_error() {
        let key = FailureKey { origin: origin(state, request), call: call_key(service, request, &segments), status: response.status().as_u16() };
        *state.failures.entry(key).or_insert(0) += 1;
    }
    if service == Service::Compute {
        version_headers(request.headers(), response.headers_mut());
    }
    let delay_ms = if let Some(Effect::Delay { milliseconds }) = effect { milliseconds } else { 0 };
    Ok(Done { response, later, delay_ms })
}

fn done(response: Response<Bytes>) -> Done {
    Done { response, later: None, delay_ms: 0 }
}

fn plain(status: u16) -> Failure {
    let message = match status {
        500 => "The server has either erred or is incapable of performing the requested operation.",
        503 => "The server is currently unavailable. Please try again at a later time.",
        429 => "Too many requests.",
        _ => "The request could not be completed.",
    };
    Failure::new(status, "HTTPInternalServerError", message)
}

/// The refusal a service gives when its quota is used up.
fn over_quota(service: Service, resource: &str) -> Failure {
    match service {
        Service::Network => Failure::new(409, "OverQuota", format!("Quota exceeded for resources: ['{resource}'].")),
        Service::BlockStorage => {
            Failure::new(413, "OverLimit", format!("VolumeLimitExceeded: Maximum number of {resource} allowed (10) exceeded for quota '{resource}'."))
        }
        Service::LoadBalancer => Failure::forbidden(format!("Quota has been met for resources: {resource}")),
        _ => Failure::forbidden(format!("Quota exceeded for {resource}: Requested 1, but already used 10 of 10 {resource}")),
    }
}

fn call_key(service: Service, request: &Request<Bytes>, segments: &[&str]) -> CallKey {
    let is_id = |s: &str| s.len() >= 32 && s.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(if is_id(segment) { "{id}" } else { segment });
    }
    CallKey { service, method: request.method().to_string(), path }
}

/// Segments of a service's version, as they appear in URLs; the rest of the path belongs to its handlers.
fn version_segment(service: Service, segment: &str) -> bool {
    match service {
        Service::Identity | Service::BlockStorage => segment == "v3",
        Service::Compute => segment == "v2.1",
        Service::Network => segment == "v2.0",
        Service::Image => matches!(segment, "v2" | "v2.0" | "v2.16"),
        Service::LoadBalancer => matches!(segment, "v2" | "v2.0"),
    }
}

fn serve(state: &mut State, service: Service, request: &Request<Bytes>, segments: &[&str], fault: Option<ObjectFault>) -> Answer {
    let origin = origin(state, request);
    let base = format!("{origin}/{}", service.prefix());
    let Some(version) = segments.get(1).copied().filter(|s| version_segment(service, s)) else {
        return if segments.len() == 1 { versions::root(service, &base) } else { Err(Failure::no_route()) };
    };
    let rest = segments.get(2..).unwrap_or_default();
    if rest.is_empty() && service != Service::LoadBalancer {
        return versions::one(service, &base);
    }
    let query = parse_query(request.uri().query());
    let body = if request.body().is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(request.body()).map_err(|_| Failure::bad("malformed request body"))?
    };
    let token = request.headers().get("x-auth-token").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let open = service == Service::Identity && matches!(rest, ["auth", "tokens"]) && request.method() == http::Method::POST;
    let actor = match &token {
        Some(token) if !open => identity::tokens::actor(state, token).ok_or_else(Failure::unauthorized)?,
        _ if open => Actor::default(),
        _ => return Err(Failure::unauthorized()),
    };
    let minor = versions::negotiate(service, request.headers())?;
    let call = Call {
        service,
        method: request.method(),
        path: rest,
        url: format!("{origin}{}", request.uri().path()),
        origin,
        root: format!("{base}/{version}"),
        query,
        headers: request.headers(),
        body,
        token,
        actor,
        minor,
        fault,
    };
    if service != Service::Identity && call.actor.project_id.is_empty() {
        return Err(Failure::unauthorized());
    }
    match service {
        Service::Identity => identity::serve(state, &call),
        Service::Compute => compute::serve(state, &call),
        Service::Network => network::serve(state, &call),
        Service::BlockStorage => volumes::serve(state, &call),
        Service::Image => images::serve(state, &call),
        Service::LoadBalancer => load_balancers::serve(state, &call),
    }
}

/// Where the caller found this cloud: guests reach it at another address than the machine, and all that it names must be theirs.
fn origin(state: &State, request: &Request<Bytes>) -> String {
    let host = request.headers().get(http::header::HOST).and_then(|v| v.to_str().ok());
    let plain = |h: &&str| !h.is_empty() && h.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-' | b'[' | b']'));
    host.filter(plain).map_or_else(|| state.base_url.clone(), |host| format!("http://{host}"))
}

fn version_headers(asked: &HeaderMap, headers: &mut HeaderMap) {
    let minor = versions::negotiate(Service::Compute, asked).unwrap_or(1);
    let text = format!("2.{minor}");
    if let (Ok(plain), Ok(named)) = (HeaderValue::from_str(&text), HeaderValue::from_str(&format!("compute {text}"))) {
        headers.insert("x-openstack-nova-api-version", plain);
        headers.insert("openstack-api-version", named);
        headers.insert("vary", HeaderValue::from_static("OpenStack-API-Version, X-OpenStack-Nova-API-Version"));
    }
}
