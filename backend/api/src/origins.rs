//! Whose page sent a request: browsers say it, in headers that no page can set. What programs send says nothing of it.

use crate::errors::{Answer, Problem};
use crate::federation::CALLBACK;
use crate::peers;
use crate::state::State;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest};
use domain::codes::Code;

const SITE: &str = "sec-fetch-site";

/// Refuses what changes something, or signs somebody in, from a page of somebody else's.
///
/// # Errors
/// Those of the service within.
pub async fn middleware(request: ServiceRequest, next: Next<impl MessageBody + 'static>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let answer = if is_forged(request.request()) {
        ServiceResponse::from_err(refusal(), request.into_parts().0).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    Ok(answer)
}

/// No page can add a token to what it has a browser send us, so whoever brings one is no such page. The way back from an identity provider comes from
/// Keystone's page, and looks at that itself.
fn is_forged(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let brought = headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-auth-token");
    if request.method().is_safe() || brought || request.path() == CALLBACK {
        return false;
    }
    match said(request, SITE) {
        Some("same-origin" | "none") => false,
        Some("cross-site") => true,
        // Old browsers, and what is asked for without TLS: there the origin is all that is said.
        _ => said(request, "origin").is_some_and(|origin| !is_ours(request, origin)),
    }
}

/// A header; one that cannot be read is as good as somebody else's.
fn said<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Whether it is where the console is: as the operator says, or where this request came to.
fn is_ours(request: &HttpRequest, origin: &str) -> bool {
    let host = peers::host(request);
    let configured = request.app_data::<Data<State>>().is_some_and(|state| state.settings.origins.iter().any(|own| own == origin));
    configured || origin == format!("http://{host}") || origin == format!("https://{host}")
}

/// A page of somebody else's may open a WebSocket that carries our cookie: there nothing goes without an origin.
///
/// # Errors
/// When it is not ours.
pub fn of_socket(request: &HttpRequest) -> Answer<()> {
    if said(request, "origin").is_some_and(|origin| is_ours(request, origin)) { Ok(()) } else { Err(refusal()) }
}

fn refusal() -> Problem {
    Problem::new(Code::CsrfMissing).detail("the origin is not ours")
}
