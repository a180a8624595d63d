//! Members: who is in the project by Keystone, and what its owners gave them here.

use crate::caller::Caller;
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::narrowing::{MOST, is_label};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, put};
use auth::{MembersManage, User};
use cloud::identity::ProjectMember;
use domain::members::{GivenPlace, GivenRole};
use domain::names;
use domain::permissions::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Given, MemberRecord};
use time::OffsetDateTime;

/// A person of the project.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Member {
    /// Keystone's id.
    pub id: String,
    pub name: String,
    /// Id of the domain.
    pub domain: String,
    /// Whether it is the caller.
    pub me: bool,
    /// What Keystone's roles are worth: it counts where nothing was given, and `owner` always. Absent: no role in the project any more, so that nothing counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keystone: Option<Role>,
    /// What an owner gave in all of the project; absent: nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub role: Option<GivenRole>,
    /// What an owner gave in places of the project, besides.
    pub places: Vec<GivenPlace>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<OffsetDateTime>,
    /// Name of the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// What is to be given to a person. It takes the place of all that was, and of Keystone's role.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberRequest {
    /// In all of the project: `owner`, `member`, `reader`, `guest` (nothing but the places) or the id of a role of the project's own.
    #[schema(value_type = String)]
    pub role: GivenRole,
    /// Clusters and namespaces, and what is given there: `member`, `reader`, or the id of a role.
    #[serde(default)]
    pub places: Vec<GivenPlace>,
}

impl Member {
    fn new(caller: &Caller, user: User, keystone: Option<Role>, record: Option<MemberRecord>) -> Self {
        let (role, places) = record.as_ref().map(|r| (Some(r.given.role), r.given.places.clone())).unwrap_or_default();
        Self {
            me: user.id == caller.actor.user.id,
            id: user.id,
            name: user.name,
            domain: user.domain,
            keystone,
            role,
            places,
            changed_at: record.as_ref().map(|r| r.changed_at),
            changed_by: record.map(|r| r.changed_by),
        }
    }
}

impl MemberRequest {
    /// What is wrong with it by itself.
    fn check(&self) -> Answer<()> {
        let wrong = |field: String, message: &str| FieldError { field, message: message.to_owned(), code: None };
        let mut errors = Vec::new();
        if self.places.len() > MOST {
            errors.push(wrong("places".to_owned(), "must be at most 100"));
        }
        let mut seen = BTreeSet::new();
        for (index, place) in self.places.iter().enumerate().take(MOST) {
            if place.namespace.as_deref().is_some_and(|name| !is_label(name)) {
                errors.push(wrong(format!("places[{index}].namespace"), "must be a name of a namespace: a-z, 0-9 and -, at most 63"));
            }
            if matches!(place.role, GivenRole::BuiltIn(Role::Guest | Role::Owner)) {
                errors.push(wrong(format!("places[{index}].role"), "must be member, reader or the id of a role"));
            }
            if !seen.insert((place.cluster, place.namespace.as_deref())) {
                errors.push(wrong(format!("places[{index}]"), "is there twice"));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }

    /// Whether its roles and clusters are the project's.
    async fn known(&self, state: &State, caller: &Caller) -> Answer<()> {
        let scope = caller.actor.scope();
        let roles: BTreeSet<_> = state.store.roles(&scope).await?.into_iter().map(|role| role.id).collect();
        let missing = |role: GivenRole| role.own().is_some_and(|id| !roles.contains(&id));
        let mut errors = Vec::new();
        if missing(self.role) {
            errors.push(("role".to_owned(), "there is no such role"));
        }
        let there = state.store.clusters_among(&scope, self.places.iter().map(|place| place.cluster)).await?;
        for (index, place) in self.places.iter().enumerate() {
            if !there.contains(&place.cluster) {
                errors.push((format!("places[{index}].cluster"), "there is no such cluster"));
            }
            if missing(place.role) {
                errors.push((format!("places[{index}].role"), "there is no such role"));
            }
        }
        let errors: Vec<_> = errors.into_iter().map(|(field, message)| FieldError { field, message: message.to_owned(), code: None }).collect();
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }
}

/// Everybody whom Keystone knows in the project, but KCS itself.
async fn people(state: &State, caller: &Caller) -> Answer<Vec<(User, Option<Role>)>> {
    let project = &caller.actor.project;
    let own = names::service_user(&project.id);
    let found = state.identity.members(&project.id.0).await?.into_iter().filter(|member| member.user_name != own);
    let person = |member: ProjectMember| {
        let grants = state.settings.roles.grants(&member.roles, &project.id.0, &project.name, "");
        (User { id: member.user_id, name: member.user_name, domain: member.user_domain_id }, grants.roles.into_iter().max())
    };
    Ok(found.map(person).collect())
}

/// Who is in the project, by name. Whoever sees only places of it is told of themselves only.
#[utoipa::path(tag = "members", responses((status = 200, body = List<Member>)))]
#[get("/members")]
pub async fn member_list(caller: Caller, state: Data<State>) -> Answer<Json<List<Member>>> {
    let known = state.store.members(&caller.actor.scope()).await?;
    let mut given: BTreeMap<String, MemberRecord> = known.into_iter().map(|record| (record.user.id.clone(), record)).collect();
    let mut list: Vec<Member> = Vec::new();
    for (user, role) in people(&state, &caller).await? {
        let record = given.remove(&user.id);
        list.push(Member::new(&caller, user, role, record));
    }
    // Whom Keystone does not know in the project any more, until somebody clears up.
    list.extend(given.into_values().map(|record| Member::new(&caller, record.user.clone(), None, Some(record))));
    list.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    // What others were given says which places there are.
    list.retain(|member| member.me || !caller.actor.sees_places_only());
    Ok(Json(List::whole(list)))
}

/// Give a person of the project a role and places. It counts from the next call on; open streams of theirs are cut.
#[utoipa::path(tag = "members", params(("id" = String, Path)), request_body = MemberRequest, responses((status = 200, body = Member)))]
#[put("/members/{id}")]
pub async fn member_give(caller: Caller, state: Data<State>, id: Path<String>, body: Body<MemberRequest>) -> Answer<Json<Member>> {
    let permit = caller.actor.may::<MembersManage>(&caller.actor.project)?;
    let (request, _) = body.read()?;
    others_only(&caller, &id)?;
    request.check()?;
    request.known(&state, &caller).await?;
    let found = people(&state, &caller).await?.into_iter().find(|(user, _)| user.id == *id);
    let (user, role) = found.ok_or_else(|| Problem::field("id", "has no role in the project: ask Keystone's administrator for one first"))?;
    if role == Some(Role::Owner) {
        return Err(Problem::field("id", "is an owner by Keystone: ask its administrator for another role first"));
    }
    let given = Given { role: request.role, places: request.places };
    let record = state.store.member_give(permit, user.clone(), given, caller.context()).await?;
    Ok(Json(Member::new(&caller, user, role, Some(record))))
}

/// Take back all that was given to a person: Keystone's role counts again.
#[utoipa::path(tag = "members", params(("id" = String, Path)), responses((status = 204, description = "Keystone's role counts")))]
#[delete("/members/{id}")]
pub async fn member_reset(caller: Caller, state: Data<State>, id: Path<String>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<MembersManage>(&caller.actor.project)?;
    others_only(&caller, &id)?;
    state.store.member_reset(permit, id.into_inner(), caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Nobody locks themselves out, or the project's last owner.
fn others_only(caller: &Caller, id: &str) -> Answer<()> {
    if caller.actor.user.id == id { Err(Problem::field("id", "is you yourself: ask another owner")) } else { Ok(()) }
}
