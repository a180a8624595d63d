//! Whether the program lives and can serve, and its figures.

use crate::errors::{Answer, Problem};
use actix_web::{HttpResponse, get};
use domain::codes::Code;
use serde::Serialize;

/// How one part is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PartHealth {
    /// `database`, `cloud`, `engine`.
    pub part: String,
    pub ok: bool,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    pub ready: bool,
    pub parts: Vec<PartHealth>,
}

/// Alive.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "Alive", content_type = "text/plain", body = String)))]
#[get("/healthz")]
pub async fn health_live() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Ready: database, cloud and engine.
#[utoipa::path(tag = "health", security(()), responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
pub async fn health_ready() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Figures in Prometheus' text format.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "Figures", content_type = "text/plain", body = String)))]
#[get("/metrics")]
pub async fn metrics_get() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
