//! Operations of all tenants, for operators: what goes on, what stands still, and the verbs that members of its tenant have, too.

use crate::clusters::page_of;
use crate::errors::Answer;
use crate::extract::QueryParams;
use crate::lists::List;
use crate::operations::{self, Operation, ReceiptQuery};
use crate::operators::Operator;
use crate::session::ProjectRef;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use domain::ids::OperationId;
use domain::operations::{OperationKind, OperationState, Receipt};
use serde::{Deserialize, Serialize};
use store::{OperationFilter, OperationRecord};

/// An operation with whose it is and what may be done about it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AdminOperation {
    #[serde(flatten)]
    pub operation: Operation,
    pub project: ProjectRef,
    /// Whether it failed, is blocked or waits for its next try, and none has followed it.
    pub can_retry: bool,
    /// Whether it is under way and no deletion.
    pub can_cancel: bool,
}

/// What the operators' list may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminOperationQuery {
    /// Part of the cluster's name, or the id of operation or cluster.
    pub search: Option<String>,
    pub state: Option<OperationState>,
    /// Those only that have ended, or (false) have not.
    pub ended: Option<bool>,
    pub kind: Option<OperationKind>,
    /// Part of the project's name, or its id.
    pub project: Option<String>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl From<OperationRecord> for AdminOperation {
    fn from(record: OperationRecord) -> Self {
        Self {
            project: ProjectRef { id: record.tenant.0.clone(), name: record.tenant_name.clone() },
            can_retry: record.last && record.operation.retryable(),
            can_cancel: record.last && record.operation.cancellable(),
            operation: Operation::new(record),
        }
    }
}

/// Operations of all projects, newest first. Operators only.
#[utoipa::path(tag = "admin", params(AdminOperationQuery), responses((status = 200, body = List<AdminOperation>)))]
#[get("/admin/operations")]
pub async fn admin_operation_list(
    operator: Operator,
    state: Data<State>,
    query: QueryParams<AdminOperationQuery>,
) -> Answer<Json<List<AdminOperation>>> {
    let AdminOperationQuery { search, state: wanted, ended, kind, project, limit, cursor } = query.read()?;
    let filter = OperationFilter { cluster: None, state: wanted, ended, kind, project, search };
    let found = state.store.operations(&operator.scope.scope(), filter, page_of(limit, cursor)?).await?;
    Ok(Json(List::page(found, AdminOperation::from)))
}

/// Try again at once what failed, is blocked or waits for its next try; it goes on where it stood. Operators only.
#[utoipa::path(tag = "admin", params(("id" = OperationId, Path)), responses((status = 202, body = AdminOperation)))]
#[post("/admin/operations/{id}/retry")]
pub async fn admin_operation_retry(operator: Operator, state: Data<State>, id: Path<OperationId>) -> Answer<HttpResponse> {
    let Operator { caller, scope } = operator;
    let record = state.store.operation_retry_any(scope, &caller.actor, *id, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(AdminOperation::from(record)))
}

/// Cancel an operation under way. Sizes, node pools and the audit of the API go back to what was asked for before; all else that it has made stays. Operators only.
#[utoipa::path(tag = "admin", params(("id" = OperationId, Path)), responses((status = 202, body = AdminOperation)))]
#[post("/admin/operations/{id}/cancel")]
pub async fn admin_operation_cancel(operator: Operator, state: Data<State>, id: Path<OperationId>) -> Answer<HttpResponse> {
    let Operator { caller, scope } = operator;
    let record = state.store.operation_cancel_any(scope, &caller.actor, *id, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(AdminOperation::from(record)))
}

/// What a deletion removed, kept and left, or what was recorded of a cluster that was written off; also once the project is gone. Operators only.
#[utoipa::path(tag = "admin", params(("id" = OperationId, Path), ReceiptQuery), responses((status = 200, body = Receipt)))]
#[get("/admin/operations/{id}/receipt")]
pub async fn admin_receipt_get(
    operator: Operator,
    state: Data<State>,
    id: Path<OperationId>,
    query: QueryParams<ReceiptQuery>,
) -> Answer<HttpResponse> {
    let record = state.store.operation(&operator.scope.scope(), *id).await?;
    operations::receipt(&record, query.read()?.format)
}
