//! Application credentials: a user's right in one project under a secret of its own, shown once.

use super::projects::listing;
use super::{Credential, digest, not_found};
use crate::http::{Answer, Call, Failure, Reply, text, text_or_empty, truth};
use crate::state::State;
use serde_json::{Value, json};

fn view(state: &State, credential: &Credential) -> Value {
    let roles: Vec<Value> =
        credential.roles.iter().filter_map(|id| state.identity.roles.get(id)).map(|r| json!({"id": r.id, "name": r.name})).collect();
    json!({"id": credential.id, "name": credential.name, "description": credential.description, "user_id": credential.user_id,
        "project_id": credential.project_id, "roles": roles, "unrestricted": credential.unrestricted, "expires_at": credential.expires_at})
}

/// Only the owner, or the admin, and never with a restricted application credential.
fn owner(state: &State, call: &Call<'_>, user: &str, rule: &str) -> Result<(), Failure> {
    let restricted = call
        .token
        .as_ref()
        .and_then(|id| state.identity.tokens.get(id)?.credential.as_ref())
        .and_then(|id| state.identity.credentials.get(id))
        .is_some_and(|c| !c.unrestricted);
    if restricted {
        let message = "Using method 'application_credential' is not allowed for managing additional application credentials.";
        return Err(Failure::forbidden(message));
    }
    if call.actor.user_id == user { Ok(()) } else { call.admin(rule) }
}

pub(super) fn list(state: &State, call: &Call<'_>, user: &str) -> Answer {
    if call.actor.user_id != user {
        call.admin("identity:list_application_credentials")?;
    }
    let wanted = |c: &&Credential| c.user_id == user && call.query("name").is_none_or(|name| name == c.name);
    let items = state.identity.credentials.values().filter(wanted).map(|c| view(state, c)).collect();
    Ok(listing(&call.url, "application_credentials", items))
}

pub(super) fn show(state: &State, call: &Call<'_>, user: &str, id: &str) -> Answer {
    if call.actor.user_id != user {
        call.admin("identity:get_application_credential")?;
    }
    let found = state.identity.credentials.get(id).filter(|c| c.user_id == user);
    let credential = found.ok_or_else(|| not_found("Application Credential", id))?;
    Ok(Reply::json(200, json!({ "application_credential": view(state, credential) })))
}

pub(super) fn create(state: &mut State, call: &Call<'_>, user: &str) -> Answer {
    owner(state, call, user, "identity:create_application_credential")?;
    let project = call.actor.project_id.clone();
    if call.actor.user_id != user || project.is_empty() {
        return Err(Failure::forbidden("You are not authorized to perform the requested action: identity:create_application_credential."));
    }
    let given = call.object("application_credential")?;
    let name = text(given, "name").filter(|n| !n.is_empty()).ok_or_else(|| Failure::bad("'name' is a required property"))?;
    if state.identity.credentials.values().any(|c| c.user_id == user && c.name == name) {
        let message = format!("Conflict occurred attempting to store application_credential - Duplicate entry found with name {name}.");
        return Err(Failure::conflict(message));
    }
    let secret = text(given, "secret").map_or_else(|| state.secret(), str::to_owned);
    let credential = Credential {
        id: state.hex_id(),
        name: name.to_owned(),
        description: text_or_empty(given, "description"),
        user_id: user.to_owned(),
        roles: roles(state, given.get("roles"), &project, user)?,
        project_id: project,
        secret: digest(&secret),
        unrestricted: truth(given, "unrestricted", false)?,
        expires_at: text(given, "expires_at").map(str::to_owned),
    };
    let mut body = view(state, &credential);
    body["secret"] = json!(secret);
    state.identity.credentials.insert(credential.id.clone(), credential);
    Ok(Reply::json(201, json!({ "application_credential": body })))
}

/// The roles asked for, or all that the user has; none that the user has not.
fn roles(state: &State, asked: Option<&Value>, project: &str, user: &str) -> Result<Vec<String>, Failure> {
    let held = state.identity.roles_of(project, user);
    let Some(asked) = asked.and_then(Value::as_array) else { return Ok(held) };
    let find = |want: &Value| {
        let role = held.iter().filter_map(|id| state.identity.roles.get(id)).find(|r| want["id"] == r.id.as_str() || want["name"] == r.name.as_str());
        role.map(|r| r.id.clone())
            .ok_or_else(|| Failure::bad(format!("Invalid application credential: Could not find role assignment with role: {want}.")))
    };
    asked.iter().map(find).collect()
}

pub(super) fn delete(state: &mut State, call: &Call<'_>, user: &str, id: &str) -> Answer {
    owner(state, call, user, "identity:delete_application_credential")?;
    if state.identity.credentials.get(id).is_none_or(|c| c.user_id != user) {
        return Err(not_found("Application Credential", id));
    }
    state.identity.credentials.shift_remove(id);
    state.identity.tokens.retain(|_, token| token.credential.as_deref() != Some(id));
    Ok(Reply::empty(204))
}
