//! The OpenAPI document and a page to browse it; nothing is loaded from elsewhere.

use crate::errors::{Answer, Problem};
use actix_web::{HttpResponse, get};

/// This document.
#[utoipa::path(tag = "docs", security(()), responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = String)))]
#[get("/api/openapi.json")]
pub async fn openapi_get() -> Answer<HttpResponse> {
    let text = crate::openapi::json().map_err(Problem::internal)?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}

/// The document as a page.
#[utoipa::path(tag = "docs", security(()), responses((status = 200, description = "Page", content_type = "text/html", body = String)))]
#[get("/api/docs")]
pub async fn docs_get() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(include_str!("docs/index.html"))
}

/// The page's style.
#[utoipa::path(tag = "docs", security(()), responses((status = 200, description = "Style", content_type = "text/css", body = String)))]
#[get("/api/docs/docs.css")]
pub async fn docs_style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(include_str!("docs/docs.css"))
}

/// The page's script.
#[utoipa::path(tag = "docs", security(()), responses((status = 200, description = "Script", content_type = "text/javascript", body = String)))]
#[get("/api/docs/docs.js")]
pub async fn docs_script() -> HttpResponse {
    HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(include_str!("docs/docs.js"))
}
