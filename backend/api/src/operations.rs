//! Operations: how a long change goes, live, with causes and remedies; retry, cancel, and the receipt of a delete.

use crate::caller::Caller;
use crate::clusters::{OperationAccepted, page_of};
use crate::errors::{Answer, Problem};
use crate::extract::QueryParams;
use crate::lists::List;
use crate::sight::{self, into_namespace};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use auth::{Actor, OperationCancel, OperationRetry};
use domain::codes::Code;
use domain::ids::{ClusterId, NodeId, OperationId};
use domain::nodes::Fault;
use domain::operations::{OperationKind, OperationState, Receipt, Step};
use domain::pauses::Pause;
use serde::{Deserialize, Serialize};
use store::{OperationFilter, OperationRecord};
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
    /// How often it was retried.
    pub retries: u32,
    /// The nodes it is about.
    pub nodes: Vec<NodeId>,
    /// What operators hold it back by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
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

impl From<Fault> for OperationFault {
    fn from(fault: Fault) -> Self {
        Self {
            code: fault.code,
            title: fault.code.title().to_owned(),
            remedy: fault.code.remedy().to_owned(),
            message: fault.message,
            cloud_request_id: fault.cloud_request_id,
            retryable: fault.retryable,
            object: fault.object,
        }
    }
}

impl Operation {
    /// As sent.
    #[must_use]
    pub fn new(record: OperationRecord) -> Self {
        let operation = record.operation;
        Self {
            id: operation.id,
            cluster: ClusterRef { id: operation.cluster, name: record.cluster_name },
            kind: operation.kind,
            state: operation.state,
            progress: operation.progress,
            steps: operation.steps,
            fault: operation.fault.map(OperationFault::from),
            created_at: operation.created_at,
            created_by: operation.created_by,
            started_at: operation.started_at,
            finished_at: operation.finished_at,
            next_attempt_at: operation.next_attempt_at,
            deadline_at: operation.deadline_at,
            retries: operation.retries,
            nodes: operation.nodes,
            paused: record.pause,
        }
    }

    /// As told to somebody: to whoever sees some namespaces of the cluster only, how far it is and what stands against it, but not the nodes and the
    /// objects in the cloud, nor their words.
    #[must_use]
    pub fn told(mut record: OperationRecord, actor: &Actor) -> Self {
        let operation = &mut record.operation;
        if sight::only(actor, operation.cluster).is_some() {
            operation.nodes.clear();
            for step in &mut operation.steps {
                step.resources.clear();
            }
            for fault in operation.steps.iter_mut().filter_map(|step| step.fault.as_mut()).chain(operation.fault.as_mut()) {
                fault.message.clear();
                (fault.cloud_request_id, fault.object) = (None, None);
            }
        }
        Self::new(record)
    }
}

/// Operations of the project's clusters, newest first.
#[utoipa::path(tag = "operations", params(OperationQuery), responses((status = 200, body = List<Operation>)))]
#[get("/operations")]
pub async fn operation_list(caller: Caller, state: Data<State>, query: QueryParams<OperationQuery>) -> Answer<Json<List<Operation>>> {
    let query = query.read()?;
    let page = page_of(query.limit, query.cursor)?;
    let filter = OperationFilter { cluster: query.cluster_id, state: query.state, ..OperationFilter::default() };
    let found = state.store.operations(&caller.actor.scope(), filter, page).await?;
    Ok(Json(List::page(found, |record| Operation::told(record, &caller.actor))))
}

/// One operation.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 200, body = Operation)))]
#[get("/operations/{id}")]
pub async fn operation_get(caller: Caller, state: Data<State>, id: Path<OperationId>) -> Answer<Json<Operation>> {
    Ok(Json(Operation::told(state.store.operation(&caller.actor.scope(), *id).await?, &caller.actor)))
}

/// An operation live: event `operation` (the whole JSON) at every change, `heartbeat` every 15 s; ends after the final state.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path), ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event seen")),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)))]
#[get("/operations/{id}/events")]
pub async fn operation_events(caller: Caller, state: Data<State>, id: Path<OperationId>, request: HttpRequest) -> Answer<HttpResponse> {
    let record = state.store.operation(&caller.actor.scope(), *id).await?;
    let seen = crate::events::last_event_id(&request);
    crate::events::operation(state, caller, record, seen)
}

/// Try again what failed, is blocked or waits for its next try; it goes on where it stood.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/operations/{id}/retry")]
pub async fn operation_retry(caller: Caller, state: Data<State>, id: Path<OperationId>) -> Answer<HttpResponse> {
    let record = state.store.operation(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<OperationRetry>(&record)?;
    let operation = state.store.operation_retry(permit, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// Cancel an operation under way. Sizes, node pools and the audit of the API go back to what was asked for before; all else that it has made stays.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/operations/{id}/cancel")]
pub async fn operation_cancel(caller: Caller, state: Data<State>, id: Path<OperationId>) -> Answer<HttpResponse> {
    let record = state.store.operation(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<OperationCancel>(&record)?;
    let operation = state.store.operation_cancel(permit, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// How a receipt is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptFormat {
    #[default]
    Json,
    /// A text file to keep.
    Text,
}

#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReceiptQuery {
    #[serde(default)]
    #[param(inline)]
    pub format: ReceiptFormat,
}

/// What a delete removed, kept and left, object by object.
#[utoipa::path(tag = "operations", params(("id" = OperationId, Path), ReceiptQuery), responses((status = 200, body = Receipt)))]
#[get("/operations/{id}/receipt")]
pub async fn receipt_get(caller: Caller, state: Data<State>, id: Path<OperationId>, query: QueryParams<ReceiptQuery>) -> Answer<HttpResponse> {
    let record = state.store.operation(&caller.actor.scope(), *id).await?;
    into_namespace(&caller.actor, record.operation.cluster, None)?;
    receipt(&record, query.read()?.format)
}

/// The receipt of a deletion, as it is wanted.
pub(crate) fn receipt(record: &OperationRecord, format: ReceiptFormat) -> Answer<HttpResponse> {
    if record.operation.kind != OperationKind::ClusterDelete {
        return Err(Problem::not_found());
    }
    let receipt = record.operation.receipt.as_ref().ok_or_else(|| Problem::new(Code::NotYet))?;
    if format == ReceiptFormat::Json {
        return Ok(HttpResponse::Ok().json(receipt));
    }
    let file = format!("attachment; filename=\"receipt-{}.txt\"", record.operation.cluster);
    let text = receipt_text(record, receipt);
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").insert_header(("content-disposition", file)).body(text))
}

fn receipt_text(record: &OperationRecord, receipt: &Receipt) -> String {
    let time = |at: Option<OffsetDateTime>| at.and_then(|t| t.format(&time::format_description::well_known::Rfc3339).ok()).unwrap_or_default();
    let operation = &record.operation;
    let written_off = receipt.unseen.is_some();
    let mut text = format!(
        "Cluster {} ({})\n{} by {}, asked for {}, ended {}\nLast look at the cloud: {}\n",
        record.cluster_name,
        operation.cluster,
        if written_off { "Not deleted but written off, because its project is gone. Deletion begun" } else { "Deleted" },
        operation.created_by,
        time(Some(operation.created_at)),
        time(operation.finished_at),
        if receipt.scanned_at.is_some() { time(receipt.scanned_at) } else { "never".to_owned() },
    );
    let unseen = receipt.unseen.as_ref().map(|lines| ("Recorded, and not looked at any more", lines));
    for (title, lines) in [("Removed", &receipt.removed), ("Kept", &receipt.kept), ("Left", &receipt.left)].into_iter().chain(unseen) {
        text.push_str(&format!("\n{title}: {}\n", lines.len()));
        for line in lines {
            text.push_str(&format!("  {} {} {}\n", line.kind, line.name, line.cloud_id.as_deref().unwrap_or("-")));
        }
    }
    text
}
