//! Cluster templates: the operator's public ones, and those of the project's own.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use auth::{TemplateChange, TemplateCreate};
use domain::clusters::ClusterSpecRequest;
use domain::ids::TemplateId;
use domain::requests::{complete, violations};
use domain::templates::Template;
use serde::{Deserialize, Serialize};
use store::{TemplateRecord, TemplateText};

/// A template to be kept.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateRequest {
    /// 1 to 60 characters, unique in the project.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub description: String,
    /// What is left out gets its default when a cluster is made of it.
    pub spec: ClusterSpecRequest,
}

fn own(record: TemplateRecord) -> Template {
    let text = record.text;
    Template {
        id: record.id.to_string(),
        name_zh: text.name.clone(),
        name: text.name,
        description_zh: text.description.clone(),
        description: text.description,
        spec: text.spec,
        own: true,
    }
}

/// The specification of a template by its id, the operator's or the project's own.
///
/// # Errors
/// When there is none.
pub async fn spec_of(state: &State, caller: &Caller, id: &str) -> Answer<ClusterSpecRequest> {
    if let Some(template) = state.templates().into_iter().find(|t| t.id == id) {
        return Ok(template.spec);
    }
    let missing = || Problem::field("template", "there is no such template");
    let id: TemplateId = id.parse().map_err(|_| missing())?;
    match state.store.template(&caller.actor.scope(), id).await {
        Ok(found) => Ok(found.text.spec),
        Err(store::StoreError::NotFound) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}

/// A request's text, if a cluster could be made of it.
async fn checked(state: &State, caller: &Caller, request: TemplateRequest) -> Answer<TemplateText> {
    let length = request.name.chars().count();
    if length == 0 || length > 60 || request.name.trim() != request.name || request.name.chars().any(char::is_control) {
        return Err(Problem::field("name", "must be 1 to 60 printable characters"));
    }
    if request.description.chars().count() > 500 {
        return Err(Problem::field("description", "must be at most 500 characters"));
    }
    let catalogue = state.catalogue.of(state, caller).await?;
    let spec = complete(&request.spec, &catalogue.offers(&state.versions()));
    crate::plan::refuse(violations("template", &spec, &state.spec_limits()))?;
    Ok(TemplateText { name: request.name, description: request.description, spec: request.spec })
}

/// Templates offered: the operator's, then the project's own.
#[utoipa::path(tag = "catalogue", responses((status = 200, body = List<Template>)))]
#[get("/templates")]
pub async fn template_list(caller: Caller, state: Data<State>) -> Answer<Json<List<Template>>> {
    let kept = state.store.templates(&caller.actor.scope()).await?;
    Ok(Json(List::whole(state.templates().into_iter().chain(kept.into_iter().map(own)).collect())))
}

/// Keep a template of the project's own.
#[utoipa::path(tag = "catalogue", request_body = TemplateRequest, responses((status = 201, body = Template)))]
#[post("/templates")]
pub async fn template_create(caller: Caller, state: Data<State>, body: Body<TemplateRequest>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<TemplateCreate>(&caller.actor.project)?;
    let text = checked(&state, &caller, body.read()?.0).await?;
    let kept = state.store.template_create(permit, text, caller.context()).await?;
    Ok(HttpResponse::Created().json(own(kept)))
}

/// Replace a template of the project's own.
#[utoipa::path(tag = "catalogue", params(("id" = String, Path)), request_body = TemplateRequest, responses((status = 200, body = Template)))]
#[put("/templates/{id}")]
pub async fn template_update(caller: Caller, state: Data<State>, id: Path<TemplateId>, body: Body<TemplateRequest>) -> Answer<Json<Template>> {
    let record = state.store.template(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<TemplateChange>(&record)?;
    let text = checked(&state, &caller, body.read()?.0).await?;
    Ok(Json(own(state.store.template_update(permit, text, caller.context()).await?)))
}

/// Delete a template of the project's own. Clusters made of it stay as they are.
#[utoipa::path(tag = "catalogue", params(("id" = String, Path)), responses((status = 204, description = "Deleted")))]
#[delete("/templates/{id}")]
pub async fn template_delete(caller: Caller, state: Data<State>, id: Path<TemplateId>) -> Answer<HttpResponse> {
    let record = state.store.template(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<TemplateChange>(&record)?;
    state.store.template_delete(permit, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}
