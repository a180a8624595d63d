//! Whether the program lives and can serve, and its figures.

use crate::state::State;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;

/// Whether one part is well. What is wrong with it is not for everybody: the log tells that.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PartReadiness {
    /// `database`, `cloud`, `engine`.
    pub part: String,
    pub ok: bool,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    pub ready: bool,
    pub parts: Vec<PartReadiness>,
}

/// Alive.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "Alive", content_type = "text/plain", body = String)))]
#[get("/healthz")]
pub async fn health_live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// Ready: database, cloud and engine.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
pub async fn health_ready(state: Data<State>) -> HttpResponse {
    let parts = state.health.parts().await;
    let parts: Vec<PartReadiness> = parts.into_iter().map(|(part, ok, _)| PartReadiness { part: part.to_owned(), ok }).collect();
    let ready = parts.iter().all(|p| p.ok);
    let mut builder = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    builder.json(Readiness { ready, parts })
}

/// Figures in Prometheus' text format: of a listener of their own, so none of the API's routes.
#[get("/metrics")]
pub async fn metrics_get(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(state.health.figures())
}
