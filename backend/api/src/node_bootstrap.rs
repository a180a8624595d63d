//! What a node asks of us while it starts: its one-time bundle, and calls to tell how far it is.

use crate::errors::{Answer, Problem};
use actix_web::{HttpResponse, post};
use domain::codes::Code;

/// The node's bundle, once, within 15 minutes.
#[utoipa::path(tag = "node", context_path = "", security(("node_token" = [])), responses(
    (status = 200, description = "Files to be unpacked at /", content_type = "application/x-tar", body = Vec<u8>),
    (status = 401, description = "Not a node's token, or too late", body = Problem), (status = 410, description = "Fetched before", body = Problem)))]
#[post("/bundle")]
pub async fn node_bundle() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// The stage the node is at.
#[utoipa::path(tag = "node", security(("node_token" = [])), request_body(content = String, content_type = "text/plain"), responses((status = 204, description = "Noted")))]
#[post("/progress")]
pub async fn node_progress() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// The node has done its part.
#[utoipa::path(tag = "node", security(("node_token" = [])), responses((status = 204, description = "Noted")))]
#[post("/done")]
pub async fn node_done() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// The node has failed; the last lines of its log.
#[utoipa::path(tag = "node", security(("node_token" = [])), request_body(content = String, content_type = "text/plain"), responses((status = 204, description = "Noted")))]
#[post("/failed")]
pub async fn node_failed() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
