//! Users: the admin makes and changes them, everybody may look at themselves and change their own password.

use super::projects::{listing, of_user};
use super::{DEFAULT_DOMAIN, Factors, User, digest, factors, not_found};
use crate::http::{Answer, Call, Failure, Reply, text, text_or_empty, truth};
use crate::state::State;
use serde_json::{Value, json};

fn view(user: &User) -> Value {
    json!({"id": user.id, "name": user.name, "description": user.description, "enabled": user.enabled,
        "domain_id": user.domain_id, "password_expires_at": null, "options": factors::view(&user.factors)})
}

pub(super) fn list(state: &State, call: &Call<'_>) -> Answer {
    call.admin("identity:list_users")?;
    let wanted =
        |u: &&User| call.query("name").is_none_or(|name| name == u.name) && call.query("domain_id").is_none_or(|domain| domain == u.domain_id);
    Ok(listing(&call.url, "users", state.identity.users.values().filter(wanted).map(view).collect()))
}

pub(super) fn show(state: &State, call: &Call<'_>, id: &str) -> Answer {
    if call.actor.user_id != id {
        call.admin("identity:get_user")?;
    }
    let user = state.identity.users.get(id).ok_or_else(|| not_found("user", id))?;
    Ok(Reply::json(200, json!({ "user": view(user) })))
}

pub(super) fn projects(state: &State, call: &Call<'_>, id: &str) -> Answer {
    if call.actor.user_id != id {
        call.admin("identity:list_user_projects")?;
    }
    Ok(of_user(state, id))
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.admin("identity:create_user")?;
    let given = call.object("user")?;
    let name = text(given, "name").filter(|n| !n.is_empty()).ok_or_else(|| Failure::bad("'name' is a required property"))?;
    let domain = text(given, "domain_id").unwrap_or(DEFAULT_DOMAIN);
    if !state.identity.domains.contains_key(domain) {
        return Err(not_found("domain", domain));
    }
    if state.identity.users.values().any(|u| u.name == name && u.domain_id == domain) {
        let message = format!("Conflict occurred attempting to store user - Duplicate entry found with name {name} at domain ID {domain}.");
        return Err(Failure::conflict(message));
    }
    let mut factors = Factors::default();
    factors::take(&mut factors, given)?;
    let user = User {
        id: state.hex_id(),
        name: name.to_owned(),
        domain_id: domain.to_owned(),
        description: text_or_empty(given, "description"),
        enabled: truth(given, "enabled", true)?,
        password: digest(text(given, "password").unwrap_or_default()),
        factors,
    };
    let body = view(&user);
    state.identity.users.insert(user.id.clone(), user);
    Ok(Reply::json(201, json!({ "user": body })))
}

pub(super) fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.admin("identity:update_user")?;
    let given = call.object("user")?;
    let enabled = given.get("enabled").map(|_| truth(given, "enabled", true)).transpose()?;
    let user = state.identity.users.get_mut(id).ok_or_else(|| not_found("user", id))?;
    if let Some(description) = text(given, "description") {
        user.description = description.to_owned();
    }
    if let Some(enabled) = enabled {
        user.enabled = enabled;
    }
    factors::take(&mut user.factors, given)?;
    if let Some(password) = text(given, "password") {
        user.password = digest(password);
    }
    let (body, enabled) = (view(user), user.enabled);
    if !enabled || given.contains_key("password") {
        end_tokens(state, id);
    }
    Ok(Reply::json(200, json!({ "user": body })))
}

/// A changed password or a disabled user ends the tokens got by password; those of application credentials live on while the user is enabled.
fn end_tokens(state: &mut State, user: &str) {
    let enabled = state.identity.users.get(user).is_some_and(|u| u.enabled);
    state.identity.tokens.retain(|_, token| token.user_id != user || (enabled && token.credential.is_some()));
}

pub(super) fn change_password(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    let given = call.object("user")?;
    let user = state.identity.users.get_mut(id).filter(|_| call.actor.user_id == id).ok_or_else(Failure::unauthorized)?;
    if text(given, "original_password").map(digest).as_deref() != Some(user.password.as_str()) {
        return Err(Failure::unauthorized());
    }
    user.password = digest(text(given, "password").unwrap_or_default());
    end_tokens(state, id);
    Ok(Reply::empty(204))
}

pub(super) fn delete(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.admin("identity:delete_user")?;
    state.identity.users.shift_remove(id).ok_or_else(|| not_found("user", id))?;
    state.identity.assignments.retain(|(_, user, _)| user != id);
    state.identity.wide_assignments.retain(|(_, user, _)| user != id);
    state.identity.credentials.retain(|_, credential| credential.user_id != id);
    state.identity.tokens.retain(|_, token| token.user_id != id);
    Ok(Reply::empty(204))
}
