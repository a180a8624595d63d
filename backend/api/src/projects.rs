//! The projects a person may enter.

use crate::caller::Caller;
use crate::errors::Answer;
use crate::lists::List;
use crate::session::ProjectRef;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};

/// Projects the person may enter.
#[utoipa::path(tag = "session", responses((status = 200, body = List<ProjectRef>)))]
#[get("/projects")]
pub async fn project_list(caller: Caller, state: Data<State>) -> Answer<Json<List<ProjectRef>>> {
    let projects = state.identity.projects(&caller.token.secret).await?;
    let items = projects.into_iter().map(|p| ProjectRef { id: p.id, name: p.name });
    Ok(Json(List::whole(items.collect())))
}
