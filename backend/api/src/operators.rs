//! An operator at a route of `/admin`: everybody else is refused, and what operators look at is in the audit log, of the tenant whose it is.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use auth::OperatorScope;
use domain::ids::{OperationId, TenantId};
use futures::future::LocalBoxFuture;
use moka::future::Cache;
use serde_json::{Map, Value, json};
use std::time::Duration;
use store::{AuditEntry, StoreError};

/// Looks at the same thing are told once in this time, by each process: pages ask again every few seconds.
const ONCE_IN: Duration = Duration::from_secs(600);

/// Who looked at what lately.
pub struct Looks(Cache<(String, String), ()>);

impl Default for Looks {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(ONCE_IN).build())
    }
}

/// An operator, in person.
pub struct Operator {
    pub caller: Caller,
    pub scope: OperatorScope,
}

impl FromRequest for Operator {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(enter(request.clone()))
    }
}

async fn enter(request: HttpRequest) -> Answer<Operator> {
    let caller = Caller::extract(&request).await?;
    let scope = caller.actor.operator()?;
    if request.method() == Method::GET {
        let state = request.app_data::<Data<State>>().ok_or_else(|| Problem::internal("there is no state"))?;
        told(state, &caller, scope, &request).await?;
    }
    Ok(Operator { caller, scope })
}

/// Writes down that this was looked at; deeds write themselves down.
async fn told(state: &State, caller: &Caller, scope: OperatorScope, request: &HttpRequest) -> Answer<()> {
    let asked = url::form_urlencoded::parse(request.query_string().as_bytes());
    // The next page of a list is the same look.
    let asked: Map<_, _> = asked.filter(|(key, _)| key != "cursor").map(|(key, value)| (storable(&key), storable(&value).into())).collect();
    let asked = Value::from(asked);
    let look = (caller.actor.user.id.clone(), format!("{} {asked}", request.path()));
    if state.looks.0.contains_key(&look) {
        return Ok(());
    }
    let entry = AuditEntry::new(&caller.actor, "operator_look", "admin", request.path()).outcome("done");
    let entry = match whose(state, scope, request, &asked).await? {
        Some(tenant) => entry.tenant(&tenant),
        None => entry,
    };
    state.store.audit_append(entry.detail(json!({ "asked": asked })), caller.context()).await?;
    state.looks.0.insert(look, ()).await;
    Ok(())
}

/// The tenant that is looked at, where it is a single one: its members are told, too.
async fn whose(state: &State, scope: OperatorScope, request: &HttpRequest, asked: &Value) -> Answer<Option<TenantId>> {
    let pattern = request.match_pattern().unwrap_or_default();
    let id = request.match_info().get("id").unwrap_or_default();
    let found = if pattern.ends_with("/admin/operations/{id}/receipt") {
        let Ok(id) = id.parse::<OperationId>() else { return Ok(None) };
        state.store.operation(&scope.scope(), id).await.map(|operation| operation.tenant)
    } else {
        let tenant = if pattern.ends_with("/admin/tenants/{id}") { Some(id) } else { asked["project"].as_str() };
        let Some(tenant) = tenant else { return Ok(None) };
        state.store.tenant(scope, TenantId(storable(tenant))).await.map(|tenant| tenant.id)
    };
    match found {
        Ok(tenant) => Ok(Some(tenant)),
        // A part of a name, which may be of several, or nobody's.
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// As much of a text as is worth keeping, without what Postgres cannot keep.
pub(crate) fn storable(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(200).collect()
}
