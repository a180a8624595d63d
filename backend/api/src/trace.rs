//! The log's span of a request: method, path and id; never a query or header, which could hold a secret. And how long it took.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest};
use std::time::Instant;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

/// When a request came in.
#[derive(Clone, Copy)]
struct Begun(Instant);

/// Makes it.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        request.extensions_mut().insert(Begun(Instant::now()));
        let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        tracing::info_span!("request", request_id = %id, method = %request.method(), path = %request.path(), status = tracing::field::Empty)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        if status.is_server_error() {
            span.in_scope(|| tracing::warn!("answered with an error"));
        }
        if let Ok(response) = outcome {
            measured(response.request(), status);
        }
    }
}

const KNOWN: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Until the head of the answer was ready: what streams goes on longer.
fn measured(request: &HttpRequest, status: StatusCode) {
    let Some(Begun(begun)) = request.extensions().get::<Begun>().copied() else { return };
    // The pattern, not the path: ids would make a series each.
    let route = request.match_pattern().unwrap_or_else(|| "console".to_owned());
    // A method may be any word.
    let method = if request.method().is_safe() || KNOWN.contains(request.method()) { request.method().to_string() } else { "other".to_owned() };
    let labels = [("method", method), ("route", route), ("status", status.as_u16().to_string())];
    metrics::histogram!("kcs_http_request_seconds", &labels).record(begun.elapsed().as_secs_f64());
}
