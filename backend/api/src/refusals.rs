//! What somebody known may not do and tried: refused changes, and looks at the admin view, are in the audit log. The gate writes down its own.

use crate::errors::Problem;
use crate::operators::storable;
use crate::state::State;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use auth::Actor;
use domain::codes::Code;
use moka::future::Cache;
use serde_json::json;
use std::time::Duration;
use store::{AuditEntry, RequestContext};

/// A person's tries at the same route are told once in this time, by each process: nobody fills the log.
const ONCE_IN: Duration = Duration::from_secs(60);
/// Where operators are; a mere look of somebody else's is worth a line.
const ADMIN: &str = "/api/v1/admin/";

/// Who was refused what lately.
pub struct Refusals(Cache<(String, String), ()>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(ONCE_IN).build())
    }
}

/// Who a request is of.
#[derive(Clone)]
struct Known(Actor, RequestContext);

/// Keeps with the request whose it is, for the case that it is refused.
pub fn known(request: &HttpRequest, actor: &Actor, context: &RequestContext) {
    request.extensions_mut().insert(Known(actor.clone(), context.clone()));
}

/// Writes down what was refused.
///
/// # Errors
/// Those of the service within.
pub async fn middleware(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let code = response.response().error().and_then(|error| error.as_error::<Problem>()).map(|problem| problem.code);
    if let Some(code @ (Code::Forbidden | Code::OperatorsOnly | Code::Narrowed | Code::Outside)) = code {
        told(response.request(), code).await;
    }
    Ok(response)
}

/// It stays refused, whether this can be written down or not.
async fn told(request: &HttpRequest, code: Code) {
    let route = request.match_pattern().unwrap_or_default();
    if request.method().is_safe() && !route.starts_with(ADMIN) {
        return;
    }
    let known = request.extensions().get::<Known>().cloned();
    let (Some(Known(actor, context)), Some(state)) = (known, request.app_data::<Data<State>>()) else { return };
    let refusal = (actor.user.id.clone(), format!("{} {} {route}", actor.project.id.0, request.method()));
    if state.refusals.0.contains_key(&refusal) {
        return;
    }
    // With the code of a program whoever reads it could let that program in.
    let path = if route.contains("{user_code}") { route.as_str() } else { request.path() };
    let detail = json!({ "method": request.method().as_str(), "path": storable(path), "code": code.as_str() });
    let entry = AuditEntry::new(&actor, "request_refused", "route", route).outcome("denied").detail(detail);
    match state.store.audit_append(entry, context).await {
        Ok(()) => state.refusals.0.insert(refusal, ()).await,
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a refusal cannot be written into the audit log"),
    }
}
