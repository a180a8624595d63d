//! Cluster templates.

use crate::caller::Caller;
use crate::lists::List;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::templates::Template;

/// Templates offered.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Template>)))]
#[get("/templates")]
pub async fn template_list(_caller: Caller, state: Data<State>) -> Json<List<Template>> {
    Json(List::whole(state.settings.templates.clone()))
}
