//! People who hold something of KCS's own: operators see who and what, and can end one of it, or all at once.

use crate::errors::{Answer, Problem};
use crate::extract::QueryParams;
use crate::lists::List;
use crate::operations::ClusterRef;
use crate::operators::Operator;
use crate::session::{self, ProjectRef};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get};
use domain::access::HeldKind;
use domain::ids::HeldId;
use serde::{Deserialize, Serialize};
use store::{HeldRecord, PersonRecord};
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

/// One of the things that a person holds and that are good now.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Held {
    pub id: HeldId,
    pub kind: HeldKind,
    /// What it is for, or the host of the program; a session has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub project: ProjectRef,
    /// The cluster of a kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterRef>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<OffsetDateTime>,
    /// The address a token was last used from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_from: Option<String>,
}

impl From<HeldRecord> for Held {
    fn from(record: HeldRecord) -> Self {
        Self {
            id: record.id,
            kind: record.kind,
            name: record.name,
            project: ProjectRef { id: record.project.id.0, name: record.project.name },
            cluster: record.cluster.map(|(id, name)| ClusterRef { id, name }),
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            last_used_from: record.last_used_from,
        }
    }
}

/// The first five hundred people by name who are signed in or hold tokens or kubeconfigs. Operators only.
#[utoipa::path(tag = "admin", params(HolderQuery), responses((status = 200, body = List<Holder>)))]
#[get("/admin/people")]
pub async fn admin_people_list(operator: Operator, state: Data<State>, query: QueryParams<HolderQuery>) -> Answer<Json<List<Holder>>> {
    let found = state.store.people(operator.scope, query.read()?.search).await?;
    Ok(Json(List::whole(found.into_iter().map(Holder::from).collect())))
}

/// End all sessions, tokens and kubeconfigs of a person at once, in all projects, and tokens of Keystone's that were issued to them until now. The answer says
/// how much of ours that was; who held nothing of it is put out by id likewise, and has no name there. Operators only.
#[utoipa::path(tag = "admin", params(("id" = String, Path)), responses((status = 200, body = Holder)))]
#[delete("/admin/people/{id}/access")]
pub async fn admin_person_cut_off(operator: Operator, state: Data<State>, id: Path<String>) -> Answer<Json<Holder>> {
    let Operator { caller, scope } = operator;
    session::check_name("id", Some(id.as_str()))?;
    if *id == caller.actor.user.id {
        return Err(Problem::field("id", "is you yourself: sign out instead"));
    }
    let (held, ended) = state.store.person_cut_off(scope, &caller.actor, id.into_inner(), caller.context()).await?;
    session::revoke(&state, ended).await;
    Ok(Json(held.into()))
}

/// The sessions, tokens and kubeconfigs of a person that are good now, and programs that may fetch a token, in all projects; the newest first, a
/// thousand at most. Operators only.
#[utoipa::path(tag = "admin", params(("id" = String, Path)), responses((status = 200, body = List<Held>)))]
#[get("/admin/people/{id}/access")]
pub async fn admin_access_list(operator: Operator, state: Data<State>, id: Path<String>) -> Answer<Json<List<Held>>> {
    let found = state.store.access(operator.scope, id.into_inner()).await?;
    Ok(Json(List::whole(found.into_iter().map(Held::from).collect())))
}

/// End one of them: every call with it is refused at once, open streams are cut. Operators only.
#[utoipa::path(tag = "admin", params(("id" = String, Path), ("held" = HeldId, Path)), responses((status = 204, description = "Ended")))]
#[delete("/admin/people/{id}/access/{held}")]
pub async fn admin_access_end(operator: Operator, state: Data<State>, path: Path<(String, HeldId)>) -> Answer<HttpResponse> {
    let Operator { caller, scope } = operator;
    let (person, held) = path.into_inner();
    state.store.access_end(scope, &caller.actor, person, held, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}
