//! Operations: how a long change goes, live, with causes and remedies; retry, cancel, and the receipt of a delete.

use crate::clusters::OperationAccepted;
use crate::errors::{Answer, Problem};
use crate::lists::List;
use actix_web::{HttpResponse, get, post};
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::ids::OperationId;
use domain::operations::OperationKind;
use domain::operations::OperationState;
use domain::operations::Receipt;
use domain::operations::Step;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What went wrong.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OperationFault {
    pub code: Code,
    pub title: String,
    pub remedy: String,
    /// The cloud's or the node's own words.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_request_id: Option<String>,
    pub retryable: bool,
    /// Which object it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterRef {
    pub id: ClusterId,
    pub name: String,
}

/// One long change asked for.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Operation {
    pub id: OperationId,
    pub cluster: ClusterRef,
    pub kind: OperationKind,
    pub state: OperationState,
    /// 0 to 100, never falling.
    pub progress: u32,
    pub steps: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<OperationFault>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub created_by: String,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<OffsetDateTime>,
    /// When the engine tries again, while it waits or is blocked.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<OffsetDateTime>,
    /// After this it fails.
    #[serde(with = "time::serde::rfc3339")]
    pub deadline_at: OffsetDateTime,
    /// How often a person retried it.
    pub retries: u32,
}

/// What a list of operations may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OperationQuery {
    pub cluster_id: Option<ClusterId>,
    pub state: Option<OperationState>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// Operations of the project's clusters, newest first.
#[utoipa::path(tag = "operations", params(OperationQuery), responses((status = 200, body = List<Operation>)))]
#[get("/operations")]
pub async fn operation_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// One operation.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 200, body = Operation)))]
#[get("/operations/{id}")]
pub async fn operation_get() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// An operation live: event `operation` (the whole JSON) at every change, `heartbeat` every 15 s; ends after the final state.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path), ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event seen")),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)))]
#[get("/operations/{id}/events")]
pub async fn operation_events() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Try a failed or blocked operation again; it goes on where it stood.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/operations/{id}/retry")]
pub async fn operation_retry() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Cancel an operation under way. A create that is cancelled leaves a failed cluster to be deleted.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/operations/{id}/cancel")]
pub async fn operation_cancel() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// What a delete removed, kept and left, object by object.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 200, body = Receipt)))]
#[get("/operations/{id}/receipt")]
pub async fn receipt_get() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
