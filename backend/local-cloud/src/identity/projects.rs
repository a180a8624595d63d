//! Projects, roles and who holds which role where.

use super::{DEFAULT_DOMAIN, Project, WideScope, not_found};
use crate::http::{Answer, Call, Failure, Reply, text, text_or_empty, truth};
use crate::state::State;
use http::Method;
use serde_json::{Value, json};

fn view(project: &Project) -> Value {
    json!({"id": project.id, "name": project.name, "description": project.description, "enabled": project.enabled,
        "domain_id": DEFAULT_DOMAIN, "parent_id": DEFAULT_DOMAIN, "is_domain": false, "tags": [], "options": {}})
}

/// A Keystone listing: everything in one page.
pub(super) fn listing(call_url: &str, key: &str, items: Vec<Value>) -> Reply {
    Reply::json(200, json!({ key: items, "links": {"next": null, "previous": null, "self": call_url} }))
}

/// The projects a user has a role in.
pub(super) fn of_user(state: &State, user: &str) -> Reply {
    let projects = state.identity.projects.values().filter(|p| p.enabled && !state.identity.roles_of(&p.id, user).is_empty());
    listing("", "projects", projects.map(view).collect())
}

pub(super) fn list(state: &State, call: &Call<'_>) -> Answer {
    call.admin("identity:list_projects")?;
    let wanted = |p: &&Project| call.query("name").is_none_or(|name| name == p.name);
    Ok(listing(&call.url, "projects", state.identity.projects.values().filter(wanted).map(view).collect()))
}

pub(super) fn show(state: &State, call: &Call<'_>, id: &str) -> Answer {
    let project = state.identity.projects.get(id).ok_or_else(|| not_found("project", id))?;
    if !call.actor.admin && state.identity.roles_of(id, &call.actor.user_id).is_empty() {
        call.admin("identity:get_project")?;
    }
    Ok(Reply::json(200, json!({ "project": view(project) })))
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.admin("identity:create_project")?;
    let given = call.object("project")?;
    let name = text(given, "name").filter(|n| !n.is_empty()).ok_or_else(|| Failure::bad("'name' is a required property"))?;
    if state.identity.projects.values().any(|p| p.name == name) {
        let message = format!(
            "Conflict occurred attempting to store project - it is not permitted to have two projects with the same name in the same domain : {name}."
        );
        return Err(Failure::conflict(message));
    }
    let project = Project { id: state.hex_id(), name: name.to_owned(), description: text_or_empty(given, "description"), enabled: true };
    let body = view(&project);
    state.identity.projects.insert(project.id.clone(), project);
    Ok(Reply::json(201, json!({ "project": body })))
}

/// A project that is disabled ends every token in it.
pub(super) fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.admin("identity:update_project")?;
    let given = call.object("project")?;
    let enabled = given.get("enabled").map(|_| truth(given, "enabled", true)).transpose()?;
    let project = state.identity.projects.get_mut(id).ok_or_else(|| not_found("project", id))?;
    if let Some(description) = text(given, "description") {
        description.clone_into(&mut project.description);
    }
    project.enabled = enabled.unwrap_or(project.enabled);
    let (body, enabled) = (view(project), project.enabled);
    if !enabled {
        state.identity.tokens.retain(|_, token| token.project_id.as_deref() != Some(id));
    }
    Ok(Reply::json(200, json!({ "project": body })))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.admin("identity:delete_project")?;
    state.identity.projects.shift_remove(id).ok_or_else(|| not_found("project", id))?;
    state.identity.assignments.retain(|(project, ..)| project != id);
    state.identity.tokens.retain(|_, token| token.project_id.as_deref() != Some(id));
    state.identity.credentials.retain(|_, credential| credential.project_id != id);
    Ok(Reply::empty(204))
}

fn role_views(state: &State, wanted: impl Fn(&super::Role) -> bool) -> Vec<Value> {
    let roles = state.identity.roles.values().filter(|r| wanted(r));
    roles.map(|r| json!({"id": r.id, "name": r.name, "domain_id": null, "description": null, "options": {}})).collect()
}

pub(super) fn all_roles(state: &State, call: &Call<'_>) -> Answer {
    call.admin("identity:list_roles")?;
    let roles = role_views(state, |role| call.query("name").is_none_or(|name| name == role.name));
    Ok(listing(&call.url, "roles", roles))
}

pub(super) fn roles(state: &State, call: &Call<'_>, project: &str, user: &str) -> Answer {
    call.admin("identity:list_grants")?;
    let held = state.identity.roles_of(project, user);
    Ok(listing(&call.url, "roles", role_views(state, |role| held.contains(&role.id))))
}

/// Who holds which role where. There are no groups and no inheritance here: the effective assignments are all there are.
pub(super) fn assignments(state: &State, call: &Call<'_>) -> Answer {
    call.admin("identity:list_role_assignments")?;
    let identity = &state.identity;
    let of_user = |user: &str| call.query("user.id").is_none_or(|id| id == user);
    let (project_id, domain_id, system) = (call.query("scope.project.id"), call.query("scope.domain.id"), call.query("scope.system"));
    let in_project = |id: &str| domain_id.is_none() && system.is_none() && project_id.is_none_or(|wanted| wanted == id);
    let in_scope = |scope: &WideScope| match scope {
        WideScope::Domain(id) => project_id.is_none() && system.is_none() && domain_id.is_none_or(|wanted| wanted == id),
        WideScope::System => project_id.is_none() && domain_id.is_none(),
    };
    let view = |user: &str, role: &str, scope: Value| {
        let name = identity.roles.get(role).map(|r| r.name.clone());
        let known = identity.users.get(user);
        let of = identity.domain(known.map_or(DEFAULT_DOMAIN, |u| u.domain_id.as_str()));
        let user = json!({"id": user, "name": known.map(|u| &u.name), "domain": of});
        json!({"role": {"id": role, "name": name}, "user": user, "scope": scope, "links": {}})
    };
    let mut held = Vec::new();
    for (project, user, role) in identity.assignments.iter().filter(|(project, user, _)| of_user(user) && in_project(project)) {
        let name = identity.projects.get(project).map(|p| &p.name);
        let project = json!({"id": project, "name": name, "domain": identity.domain(DEFAULT_DOMAIN)});
        held.push(view(user, role, json!({ "project": project })));
    }
    for (scope, user, role) in identity.wide_assignments.iter().filter(|(scope, user, _)| of_user(user) && in_scope(scope)) {
        let scope = match scope {
            WideScope::Domain(id) => json!({"domain": identity.domain(id)}),
            WideScope::System => json!({"system": {"all": true}}),
        };
        held.push(view(user, role, scope));
    }
    Ok(listing(&call.url, "role_assignments", held))
}

/// Gives, checks or takes a role in a domain or in the system. No token here is scoped so: none ends with it.
pub(super) fn wide_assignment(state: &mut State, call: &Call<'_>, method: &Method, scope: WideScope, (user, role): (&str, &str)) -> Answer {
    call.admin("identity:create_grant")?;
    let identity = &mut state.identity;
    if let WideScope::Domain(id) = &scope {
        identity.domains.get(id).ok_or_else(|| not_found("domain", id))?;
    }
    identity.users.get(user).ok_or_else(|| not_found("user", user))?;
    identity.roles.get(role).ok_or_else(|| not_found("role", role))?;
    let key = (scope, user.to_owned(), role.to_owned());
    let there = match *method {
        Method::PUT => {
            identity.wide_assignments.insert(key);
            true
        }
        Method::HEAD | Method::GET => identity.wide_assignments.contains(&key),
        Method::DELETE => identity.wide_assignments.remove(&key),
        _ => return Err(Failure::no_route()),
    };
    if there { Ok(Reply::empty(204)) } else { Err(Failure::missing(format!("Could not find role assignment with role: {role}, user: {user}."))) }
}

/// Gives, checks or takes a role.
pub(super) fn assignment(state: &mut State, call: &Call<'_>, method: &Method, (project, user, role): (&str, &str, &str)) -> Answer {
    call.admin("identity:create_grant")?;
    let identity = &mut state.identity;
    identity.projects.get(project).ok_or_else(|| not_found("project", project))?;
    identity.users.get(user).ok_or_else(|| not_found("user", user))?;
    identity.roles.get(role).ok_or_else(|| not_found("role", role))?;
    let key = (project.to_owned(), user.to_owned(), role.to_owned());
    let missing = || {
        Failure::missing(format!("Could not find role assignment with role: {role}, user or group: {user}, project, domain, or system: {project}."))
    };
    match *method {
        Method::PUT => {
            identity.assignments.insert(key);
        }
        Method::HEAD | Method::GET if !identity.assignments.contains(&key) => return Err(missing()),
        Method::HEAD | Method::GET => {}
        Method::DELETE => {
            if !identity.assignments.remove(&key) {
                return Err(missing());
            }
            identity.tokens.retain(|_, token| token.user_id != user || token.project_id.as_deref() != Some(project));
        }
        _ => return Err(Failure::no_route()),
    }
    Ok(Reply::empty(204))
}
