//! The projects a person may enter.

use crate::errors::{Answer, Problem};
use crate::lists::List;
use crate::session::ProjectRef;
use actix_web::{HttpResponse, get};
use domain::codes::Code;

/// Projects the person may enter.
#[utoipa::path(tag = "session", responses((status = 200, body = List<ProjectRef>)))]
#[get("/projects")]
pub async fn project_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
