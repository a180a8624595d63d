//! Roles that the project composed itself: looking, and the permissions that it names.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use auth::MembersManage;
use domain::ids::RoleId;
use domain::permissions::{Permission, Role};
use serde::{Deserialize, Serialize};
use store::{RoleRecord, RoleText};
use time::OffsetDateTime;

/// A role of the project's own.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct CustomRole {
    pub id: RoleId,
    pub name: String,
    /// Besides looking, and what everybody does for themselves: kubeconfigs and tokens.
    pub permissions: Vec<Permission>,
    /// How many people have it, everywhere or somewhere.
    pub people: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub changed_at: OffsetDateTime,
    /// Name of the owner.
    pub changed_by: String,
}

/// A role to be kept.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomRoleRequest {
    /// 1 to 60 characters, unique in the project.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Besides looking. `members_manage` is for owners only.
    pub permissions: Vec<Permission>,
}

impl From<RoleRecord> for CustomRole {
    fn from(record: RoleRecord) -> Self {
        let permissions = record.text.permissions.into_iter().collect();
        Self {
            id: record.id,
            name: record.text.name,
            permissions,
            people: record.people,
            changed_at: record.changed_at,
            changed_by: record.changed_by,
        }
    }
}

impl CustomRoleRequest {
    fn text(self) -> Answer<RoleText> {
        let length = self.name.chars().count();
        if !(1..=60).contains(&length) || self.name.chars().any(char::is_control) || self.name.trim() != self.name {
            return Err(Problem::field("name", "must be 1 to 60 printable characters"));
        }
        if let Some(index) = self.permissions.iter().position(|permission| permission.least_role() > Role::Member) {
            return Err(Problem::field(format!("permissions[{index}]"), "is for owners only"));
        }
        Ok(RoleText { name: self.name, permissions: self.permissions.into_iter().collect() })
    }
}

/// The project's own roles, by name.
#[utoipa::path(tag = "members", responses((status = 200, body = List<CustomRole>)))]
#[get("/roles")]
pub async fn role_list(caller: Caller, state: Data<State>) -> Answer<Json<List<CustomRole>>> {
    let found = state.store.roles(&caller.actor.scope()).await?;
    Ok(Json(List::whole(found.into_iter().map(CustomRole::from).collect())))
}

/// Compose a role.
#[utoipa::path(tag = "members", request_body = CustomRoleRequest, responses((status = 201, body = CustomRole)))]
#[post("/roles")]
pub async fn role_create(caller: Caller, state: Data<State>, body: Body<CustomRoleRequest>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<MembersManage>(&caller.actor.project)?;
    let (request, _) = body.read()?;
    let made = state.store.role_create(permit, request.text()?, caller.context()).await?;
    Ok(HttpResponse::Created().json(CustomRole::from(made)))
}

/// Change a role: whoever has it may do what it says from the next call on.
#[utoipa::path(tag = "members", params(("id" = RoleId, Path)), request_body = CustomRoleRequest, responses((status = 200, body = CustomRole)))]
#[put("/roles/{id}")]
pub async fn role_update(caller: Caller, state: Data<State>, id: Path<RoleId>, body: Body<CustomRoleRequest>) -> Answer<Json<CustomRole>> {
    let permit = caller.actor.may::<MembersManage>(&caller.actor.project)?;
    let (request, _) = body.read()?;
    Ok(Json(state.store.role_update(permit, *id, request.text()?, caller.context()).await?.into()))
}

/// Delete a role that nobody has.
#[utoipa::path(tag = "members", params(("id" = RoleId, Path)), responses((status = 204, description = "Deleted")))]
#[delete("/roles/{id}")]
pub async fn role_delete(caller: Caller, state: Data<State>, id: Path<RoleId>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<MembersManage>(&caller.actor.project)?;
    state.store.role_delete(permit, *id, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}
