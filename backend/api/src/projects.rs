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
    let own = &caller.actor.project;
    let items = match caller.keystone() {
        Some(token) if token.info.application_credential.is_none() => {
            state.identity.projects(&token.secret).await?.into_iter().map(|p| ProjectRef { id: p.id, name: p.name }).collect()
        }
        // A token of ours is good in its own project only, as an application credential is.
        _ => vec![ProjectRef { id: own.id.0.clone(), name: own.name.clone() }],
    };
    Ok(Json(List::whole(items)))
}
