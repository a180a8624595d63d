//! Requests for more than a project's limits: its members ask, operators answer.

use crate::caller::Caller;
use crate::clusters::page_of;
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::{Body, QueryParams};
use crate::lists::List;
use crate::operators::Operator;
use crate::quota::limits_of;
use crate::session::ProjectRef;
use crate::state::State;
use crate::texts::{is_text, said};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use auth::QuotaRequest as Ask;
use domain::ids::QuotaRequestId;
use domain::tenants::{Limited, Limits, QuotaAnswer, QuotaDecision, QuotaRequestState, Totals};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{PageRequest, QuotaRequestRecord};
use time::OffsetDateTime;

/// Characters that a reason, or an operator's words, may have at most.
const LONGEST: usize = 1000;
/// Requests that a project is shown of its own.
const SHOWN: u32 = 100;

/// A request for more.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct QuotaRequest {
    pub id: QuotaRequestId,
    pub project: ProjectRef,
    /// By resource: what the limit shall be.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub wanted: Totals,
    pub reason: String,
    pub state: QuotaRequestState,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Name of the person.
    pub created_by: String,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<OffsetDateTime>,
    /// Name of the operator, or of whoever withdrew it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// What the operator had to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// What is asked for.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaRequestBody {
    /// By resource (`clusters`, `nodes`, `vcpus`, `memory_gib`, `volumes`, `volume_gib`): what the limit shall be, more than it is.
    pub wanted: BTreeMap<String, u64>,
    /// 1 to 1000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}

/// What the operators' list may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct QuotaRequestQuery {
    pub state: Option<QuotaRequestState>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl From<QuotaRequestRecord> for QuotaRequest {
    fn from(record: QuotaRequestRecord) -> Self {
        Self {
            id: record.id,
            project: ProjectRef { id: record.tenant.0, name: record.tenant_name },
            wanted: record.wanted,
            reason: record.reason,
            state: record.state,
            created_at: record.created_at,
            created_by: record.created_by,
            decided_at: record.decided_at,
            decided_by: record.decided_by,
            words: record.words,
        }
    }
}

impl QuotaRequestBody {
    /// What is wanted and why, if it is more than there is.
    fn checked(self, limits: &Limits) -> Answer<(Totals, String)> {
        let wanted = limits_of("wanted", self.wanted, |value| Some(*value))?;
        if wanted.is_empty() {
            return Err(Problem::field("wanted", "must name at least one limit"));
        }
        let too_little = wanted.iter().filter_map(|(limited, wanted)| match limits.get(limited) {
            None => Some((limited, "has no limit".to_owned())),
            Some(limit) if wanted <= limit => Some((limited, format!("must be more than {limit}, which it is"))),
            Some(_) => None,
        });
        let field = |limited: &Limited| format!("wanted.{}", limited.as_str());
        let errors: Vec<_> = too_little.map(|(limited, message)| FieldError { field: field(limited), message, code: None }).collect();
        if !errors.is_empty() {
            return Err(Problem::fields(errors));
        }
        Ok((wanted, said("reason", &self.reason, LONGEST)?))
    }
}

/// The newest hundred requests of the project. Who sees only some of its clusters is told of none.
#[utoipa::path(tag = "quota", responses((status = 200, body = List<QuotaRequest>)))]
#[get("/quota-requests")]
pub async fn quota_request_list(caller: Caller, state: Data<State>) -> Answer<Json<List<QuotaRequest>>> {
    let scope = caller.actor.scope();
    if scope.clusters().is_some() {
        return Ok(Json(List::whole(Vec::new())));
    }
    let found = state.store.quota_requests(&scope, None, PageRequest { limit: SHOWN, cursor: None }).await?;
    Ok(Json(List::whole(found.items.into_iter().map(QuotaRequest::from).collect())))
}

/// Ask for more. One request of a project waits at a time.
#[utoipa::path(tag = "quota", request_body = QuotaRequestBody, responses((status = 201, body = QuotaRequest)))]
#[post("/quota-requests")]
pub async fn quota_request_create(caller: Caller, state: Data<State>, body: Body<QuotaRequestBody>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<Ask>(&caller.actor.project)?;
    let (request, _) = body.read()?;
    let limits = state.store.tenant_terms(permit.tenant()).await?.limits(&state.tenant_limits());
    let (wanted, reason) = request.checked(&limits)?;
    let made = state.store.quota_request_create(permit, wanted, reason, caller.context()).await?;
    Ok(HttpResponse::Created().json(QuotaRequest::from(made)))
}

/// Take a request back that waits.
#[utoipa::path(tag = "quota", params(("id" = QuotaRequestId, Path)), responses((status = 200, body = QuotaRequest)))]
#[post("/quota-requests/{id}/withdraw")]
pub async fn quota_request_withdraw(caller: Caller, state: Data<State>, id: Path<QuotaRequestId>) -> Answer<Json<QuotaRequest>> {
    state.store.quota_request(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<Ask>(&caller.actor.project)?;
    Ok(Json(state.store.quota_request_withdraw(permit, *id, caller.context()).await?.into()))
}

/// Requests of all projects, the newest first. Operators only.
#[utoipa::path(tag = "admin", params(QuotaRequestQuery), responses((status = 200, body = List<QuotaRequest>)))]
#[get("/admin/quota-requests")]
pub async fn admin_quota_request_list(
    operator: Operator,
    state: Data<State>,
    query: QueryParams<QuotaRequestQuery>,
) -> Answer<Json<List<QuotaRequest>>> {
    let scope = operator.scope.scope();
    let query = query.read()?;
    let page = page_of(query.limit, query.cursor)?;
    Ok(Json(List::page(state.store.quota_requests(&scope, query.state, page).await?, QuotaRequest::from)))
}

/// Approve a request, which raises the project's limits to what was asked for, or decline it. Operators only.
#[utoipa::path(tag = "admin", params(("id" = QuotaRequestId, Path)), request_body = QuotaDecision, responses((status = 200, body = QuotaRequest)))]
#[post("/admin/quota-requests/{id}/decision")]
pub async fn admin_quota_request_decide(
    operator: Operator,
    state: Data<State>,
    id: Path<QuotaRequestId>,
    body: Body<QuotaDecision>,
) -> Answer<Json<QuotaRequest>> {
    let Operator { caller, scope } = operator;
    let (mut decision, _) = body.read()?;
    decision.words = decision.words.trim().to_owned();
    if !is_text(&decision.words, LONGEST) {
        return Err(Problem::field("words", "must be at most 1000 characters"));
    }
    if decision.answer == QuotaAnswer::Decline && decision.words.is_empty() {
        return Err(Problem::field("words", "must say why"));
    }
    let installation = state.tenant_limits();
    Ok(Json(state.store.quota_request_decide(scope, &caller.actor, *id, decision, installation, caller.context()).await?.into()))
}
