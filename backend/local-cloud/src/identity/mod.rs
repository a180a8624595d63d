//! Keystone v3: who there is, what they may do, and tokens that prove it.

pub(crate) mod catalog;
mod credentials;
pub(crate) mod domains;
mod factors;
pub(crate) mod passcodes;
mod projects;
pub(crate) mod tokens;
mod users;

use crate::http::{Answer, Call, Failure};
use crate::state::State;
use crate::table::Table;
use http::Method;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};

pub(crate) const DEFAULT_DOMAIN: &str = "default";

fn default_domain() -> String {
    DEFAULT_DOMAIN.to_owned()
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Domain {
    pub id: String,
    pub name: String,
    pub enabled: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Project {
    pub id: String,
    pub name: String,
    pub description: String,
    pub enabled: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub id: String,
    pub name: String,
    #[serde(default = "default_domain")]
    pub domain_id: String,
    pub description: String,
    pub enabled: bool,
    /// SHA-256, hexadecimal.
    pub password: String,
    #[serde(default)]
    pub factors: Factors,
}

/// What a user has to show, where one thing is not enough.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Factors {
    pub enabled: bool,
    /// Each a set of methods that is enough.
    pub rules: Vec<Vec<String>>,
    /// Of the user's authenticator, in base 32.
    pub seed: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Credential {
    pub id: String,
    pub name: String,
    pub description: String,
    pub user_id: String,
    pub project_id: String,
    pub roles: Vec<String>,
    /// SHA-256, hexadecimal.
    pub secret: String,
    pub unrestricted: bool,
    pub expires_at: Option<String>,
}

/// Where else than in a project somebody may have a role.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum WideScope {
    /// By its id.
    Domain(String),
    System,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Identity {
    #[serde(default = "domains::first")]
    pub domains: Table<Domain>,
    pub projects: Table<Project>,
    pub users: Table<User>,
    pub roles: Table<Role>,
    /// (project, user, role)
    pub assignments: BTreeSet<(String, String, String)>,
    /// (scope, user, role)
    #[serde(default)]
    pub wide_assignments: BTreeSet<(WideScope, String, String)>,
    pub credentials: Table<Credential>,
    pub tokens: HashMap<String, tokens::Token>,
}

impl Identity {
    /// Whether somebody may sign in at all.
    pub(crate) fn admits(&self, user: &User) -> bool {
        user.enabled && self.domain_is_enabled(&user.domain_id)
    }

    pub(crate) fn roles_of(&self, project: &str, user: &str) -> Vec<String> {
        let held = |role: &&Role| self.assignments.contains(&(project.to_owned(), user.to_owned(), role.id.clone()));
        self.roles.values().filter(held).map(|role| role.id.clone()).collect()
    }

    /// Ends every token: what a forced expiry means.
    pub(crate) fn expire_tokens(&mut self) {
        self.tokens.clear();
    }
}

pub(crate) fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

pub(crate) fn not_found(kind: &str, id: &str) -> Failure {
    Failure::missing(format!("Could not find {kind}: {id}."))
}

pub(crate) fn serve(state: &mut State, call: &Call<'_>) -> Answer {
    match (call.method, call.path) {
        (&Method::POST, ["auth", "tokens"]) => tokens::create(state, call),
        (&Method::GET | &Method::HEAD, ["auth", "tokens"]) => tokens::show(state, call),
        (&Method::DELETE, ["auth", "tokens"]) => tokens::revoke(state, call),
        (&Method::GET, ["auth", "catalog"]) => Ok(catalog::show(state, call)),
        (&Method::GET, ["auth", "projects"]) => Ok(projects::of_user(state, &call.actor.user_id)),
        (&Method::GET, ["projects"]) => projects::list(state, call),
        (&Method::POST, ["projects"]) => projects::create(state, call),
        (&Method::GET, ["projects", id]) => projects::show(state, call, id),
        (&Method::PATCH, ["projects", id]) => projects::update(state, call, id),
        (&Method::DELETE, ["projects", id]) => projects::delete(state, call, id),
        (&Method::GET, ["role_assignments"]) => projects::assignments(state, call),
        (&Method::GET, ["projects", project, "users", user, "roles"]) => projects::roles(state, call, project, user),
        (method, ["projects", project, "users", user, "roles", role]) => projects::assignment(state, call, method, (project, user, role)),
        (method, ["domains", id, "users", user, "roles", role]) => {
            projects::wide_assignment(state, call, method, WideScope::Domain((*id).to_owned()), (user, role))
        }
        (method, ["system", "users", user, "roles", role]) => projects::wide_assignment(state, call, method, WideScope::System, (user, role)),
        (&Method::GET, ["roles"]) => projects::all_roles(state, call),
        (&Method::GET, ["domains"]) => Ok(domains::list(state, call)),
        (&Method::POST, ["domains"]) => domains::create(state, call),
        (&Method::PATCH, ["domains", id]) => domains::update(state, call, id),
        (&Method::POST, ["credentials"]) => factors::create(state, call),
        (&Method::GET, ["users"]) => users::list(state, call),
        (&Method::POST, ["users"]) => users::create(state, call),
        (&Method::GET, ["users", id]) => users::show(state, call, id),
        (&Method::PATCH, ["users", id]) => users::update(state, call, id),
        (&Method::POST, ["users", id, "password"]) => users::change_password(state, call, id),
        (&Method::DELETE, ["users", id]) => users::delete(state, call, id),
        (&Method::GET, ["users", id, "projects"]) => users::projects(state, call, id),
        (&Method::GET, ["users", user, "application_credentials"]) => credentials::list(state, call, user),
        (&Method::POST, ["users", user, "application_credentials"]) => credentials::create(state, call, user),
        (&Method::GET, ["users", user, "application_credentials", id]) => credentials::show(state, call, user, id),
        (&Method::DELETE, ["users", user, "application_credentials", id]) => credentials::delete(state, call, user, id),
        _ => Err(Failure::no_route()),
    }
}
