//! Domains: projects here are all in the default one, people may be in others. Nobody in a disabled domain is let in.

use super::projects::listing;
use super::{DEFAULT_DOMAIN, Domain, Identity, not_found};
use crate::http::{Answer, Call, Failure, Reply, text, truth};
use crate::state::State;
use crate::table::Table;
use serde_json::{Value, json};

/// What every cloud has.
pub(crate) fn first() -> Table<Domain> {
    let id = DEFAULT_DOMAIN.to_owned();
    Table::from([(id.clone(), Domain { id, name: "Default".to_owned(), enabled: true })])
}

fn view(domain: &Domain) -> Value {
    json!({"id": domain.id, "name": domain.name, "enabled": domain.enabled, "description": ""})
}

impl Identity {
    /// As tokens and assignments name a domain.
    pub(super) fn domain(&self, id: &str) -> Value {
        json!({"id": id, "name": self.domains.get(id).map(|domain| &domain.name)})
    }

    pub(super) fn domain_is_enabled(&self, id: &str) -> bool {
        self.domains.get(id).is_some_and(|domain| domain.enabled)
    }

    /// Whether somebody means this domain, by its id or its name.
    pub(super) fn means_domain(&self, given: &Value, id: &str) -> bool {
        let named = |name: &str| self.domains.get(id).is_some_and(|domain| domain.name.eq_ignore_ascii_case(name));
        given["id"] == id || given["name"].as_str().is_some_and(named)
    }
}

pub(super) fn list(state: &State, call: &Call<'_>) -> Reply {
    let wanted = |domain: &&Domain| {
        let enabled = call.query("enabled").is_none_or(|wanted| wanted.eq_ignore_ascii_case("false") != domain.enabled);
        enabled && call.query("name").is_none_or(|name| name == domain.name)
    };
    listing(&call.url, "domains", state.identity.domains.values().filter(wanted).map(view).collect())
}

pub(super) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    call.admin("identity:create_domain")?;
    let given = call.object("domain")?;
    let name = text(given, "name").filter(|n| !n.is_empty()).ok_or_else(|| Failure::bad("'name' is a required property"))?;
    if state.identity.domains.values().any(|domain| domain.name == name) {
        return Err(Failure::conflict(format!("Conflict occurred attempting to store project - Duplicate entry found with name {name}.")));
    }
    let domain = Domain { id: state.hex_id(), name: name.to_owned(), enabled: truth(given, "enabled", true)? };
    let body = view(&domain);
    state.identity.domains.insert(domain.id.clone(), domain);
    Ok(Reply::json(201, json!({ "domain": body })))
}

/// A domain that is disabled ends the tokens of everybody in it, and says nothing of it in the people themselves.
pub(super) fn update(state: &mut State, call: &Call<'_>, id: &str) -> Answer {
    call.admin("identity:update_domain")?;
    let given = call.object("domain")?;
    let domain = state.identity.domains.get_mut(id).ok_or_else(|| not_found("domain", id))?;
    domain.enabled = truth(given, "enabled", domain.enabled)?;
    let (body, enabled) = (view(domain), domain.enabled);
    if !enabled {
        let Identity { users, tokens, .. } = &mut state.identity;
        tokens.retain(|_, token| users.get(&token.user_id).is_some_and(|user| user.domain_id != id));
    }
    Ok(Reply::json(200, json!({ "domain": body })))
}
