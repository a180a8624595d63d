//! People who hold something of KCS's own: operators see who, and can end all of it at once.

use crate::errors::{Answer, Problem};
use crate::extract::QueryParams;
use crate::lists::List;
use crate::operators::Operator;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{delete, get};
use serde::{Deserialize, Serialize};
use store::PersonRecord;
use time::OffsetDateTime;

/// A person and how much of what is good now they hold, in all projects.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Holder {
    /// Keystone's id.
    pub id: String,
    pub name: String,
    /// Id of the domain.
    pub domain: String,
    pub sessions: u32,
    pub tokens: u32,
    pub kubeconfigs: u32,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<OffsetDateTime>,
}

#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HolderQuery {
    /// Part of the name, or the id.
    pub search: Option<String>,
}

impl From<PersonRecord> for Holder {
    fn from(record: PersonRecord) -> Self {
        let PersonRecord { id, name, domain, sessions, tokens, kubeconfigs, last_seen_at } = record;
        Self { id, name, domain, sessions, tokens, kubeconfigs, last_seen_at }
    }
}

/// The first five hundred people by name who are signed in or hold tokens or kubeconfigs. Operators only.
#[utoipa::path(tag = "admin", params(HolderQuery), responses((status = 200, body = List<Holder>)))]
#[get("/admin/people")]
pub async fn admin_people_list(operator: Operator, state: Data<State>, query: QueryParams<HolderQuery>) -> Answer<Json<List<Holder>>> {
    let found = state.store.people(operator.scope, query.read()?.search).await?;
    Ok(Json(List::whole(found.into_iter().map(Holder::from).collect())))
}

/// End all sessions, tokens and kubeconfigs of a person at once, in all projects; the answer says how much that was. Operators only.
#[utoipa::path(tag = "admin", params(("id" = String, Path)), responses((status = 200, body = Holder)))]
#[delete("/admin/people/{id}/access")]
pub async fn admin_person_cut_off(operator: Operator, state: Data<State>, id: Path<String>) -> Answer<Json<Holder>> {
    let Operator { caller, scope } = operator;
    if *id == caller.actor.user.id {
        return Err(Problem::field("id", "is you yourself: sign out instead"));
    }
    Ok(Json(state.store.person_cut_off(scope, &caller.actor, id.into_inner(), caller.context()).await?.into()))
}
