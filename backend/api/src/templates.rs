//! Cluster templates.

use crate::errors::{Answer, Problem};
use crate::lists::List;
use actix_web::{HttpResponse, get};
use domain::codes::Code;
use domain::templates::Template;

/// Templates offered.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Template>)))]
#[get("/templates")]
pub async fn template_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
