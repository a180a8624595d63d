//! A stand-in for Keystone's WebSSO and an identity provider behind it: a page where one picks who one is, and the form that takes an unscoped
//! token back to the dashboard. Only dashboards that were named are served, as Keystone's `trusted_dashboard` has it.

use crate::cloud::LocalCloud;
use crate::http::parse_query;
use crate::identity::tokens;
use crate::seed::FEDERATED;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::json;

const PREFIX: &str = "/identity/v3/auth/OS-FEDERATION/identity_providers/";

/// Whether a path is Keystone's page for an identity provider.
pub(crate) fn is_page(path: &str) -> bool {
    path.starts_with(PREFIX) && path.ends_with("/websso")
}

pub(crate) fn serve(cloud: &LocalCloud, request: &Request<Bytes>) -> Response<Bytes> {
    let query = parse_query(request.uri().query());
    let origin = query.iter().find(|(name, _)| name == "origin").map(|(_, origin)| origin.as_str()).unwrap_or_default();
    if !cloud.inner.lock().dashboards.iter().any(|trusted| trusted == origin) {
        let error = json!({"error": {"code": 401, "title": "Unauthorized", "message": format!("{origin} is not a trusted dashboard host")}});
        return answer(StatusCode::UNAUTHORIZED, "application/json", error.to_string());
    }
    let form = parse_query(std::str::from_utf8(request.body()).ok());
    let user = form.iter().find(|(name, _)| name == "user").map(|(_, user)| user.as_str());
    let page = match (request.method(), user) {
        (&Method::GET, _) => picker(),
        (&Method::POST, Some(user)) => {
            let token = cloud.inner.change(|state| tokens::mapped(state, user));
            return token.map_or_else(|| answer(StatusCode::FORBIDDEN, "text/html", picker()), |token| page(&sent_back(origin, &token)));
        }
        _ => return answer(StatusCode::METHOD_NOT_ALLOWED, "text/html", String::new()),
    };
    answer(StatusCode::OK, "text/html", page)
}

fn page(html: &str) -> Response<Bytes> {
    answer(StatusCode::OK, "text/html", html.to_owned())
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The provider's own page; its form goes to where it came from.
fn picker() -> String {
    let button = |name: &str| format!("<p><button name=\"user\" value=\"{name}\">{name}</button></p>");
    let buttons: String = FEDERATED.iter().map(|name| button(name)).collect();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><title>Local identity provider</title><h1>Who are you?</h1><form method=\"post\">{buttons}</form></html>"
    )
}

/// Keystone's page after the provider's: it sends itself off.
fn sent_back(origin: &str, token: &str) -> String {
    let origin = escaped(origin);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><title>Keystone WebSSO redirect</title><form id=\"sso\" method=\"post\" action=\"{origin}\">\
         <input type=\"hidden\" name=\"token\" value=\"{token}\"><noscript><button>Continue</button></noscript></form>\
         <script>document.getElementById('sso').submit()</script></html>"
    )
}
