//! Where requests end. Two things the HTTP server leaves open: what follows `Upgrade: websocket` it hands on as a body without end, also where the rest of the
//! head asks for no socket, or for a body; and what came together with the last request of a connection it takes for one more. The first is refused here;
//! the second is nobody's request, and the connection ends with the last one's answer (RFC 9112 section 9.6).

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};
use api::caller::{names_websocket, opens_socket, promises_body};
use api::errors::Problem;
use domain::codes::Code;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Data of a connection: whether its last request has come, and whether something came after it.
#[derive(Clone, Default)]
pub struct Ending {
    last: Arc<AtomicBool>,
    passed: Arc<AtomicBool>,
}

impl Ending {
    /// Whether what has come is a request, of which this says whether it is the last.
    pub(crate) fn takes(&self, last: bool) -> bool {
        let over = self.last.fetch_or(last, Ordering::Relaxed);
        self.passed.fetch_or(over, Ordering::Relaxed);
        !over
    }

    /// Whether something came after the last request.
    pub(crate) fn passed(&self) -> bool {
        self.passed.load(Ordering::Relaxed)
    }
}

/// Refuses what has no clear end, and takes up nothing after the last request of a connection.
///
/// # Errors
/// Those of the service within.
pub async fn middleware(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let unclear = unclear(request.request());
    let last = unclear.is_some() || request.head().connection_type() != ConnectionType::KeepAlive;
    if request.conn_data::<Ending>().is_some_and(|ending| !ending.takes(last)) {
        // The connection drops this as soon as the answers before are out.
        pending::<()>().await;
    }
    let mut answer = match unclear {
        Some(problem) => ServiceResponse::from_err(problem, request.into_parts().0).map_into_right_body(),
        None => next.call(request).await?.map_into_left_body(),
    };
    if last && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(answer)
}

/// What is wrong with a head after which the HTTP server reads as after a socket's, though it is none.
fn unclear(request: &HttpRequest) -> Option<Problem> {
    let wrong = match (names_websocket(request), opens_socket(request)) {
        (false, _) => return None,
        (true, false) => "an upgrade is asked for by Upgrade and Connection together, without close, and not before HTTP 1.1",
        (true, true) if promises_body(request) => "a request for an upgrade has no body",
        (true, true) => return None,
    };
    Some(Problem::new(Code::InvalidInput).detail(wrong))
}
