//! Tokens: by password, by passcode, by another token, by application credential; scoped to a project or not.

use super::{Credential, DEFAULT_DOMAIN, User, catalog, digest, factors, not_found, passcodes};
use crate::clock::micros_z;
use crate::http::{Actor, Answer, Call, Failure, Reply};
use crate::seed::FEDERATED;
use crate::state::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub user_id: String,
    pub project_id: Option<String>,
    /// Ids of roles.
    pub roles: Vec<String>,
    pub methods: Vec<String>,
    pub issued_ms: u64,
    pub expires_ms: u64,
    pub audit_id: String,
    /// The application credential it came from.
    pub credential: Option<String>,
}

/// Who a token belongs to, if it is still worth something.
pub(crate) fn actor(state: &State, id: &str) -> Option<Actor> {
    let token = live(state, id)?;
    let roles = &state.identity.roles;
    let has = |name: &str| token.roles.iter().any(|id| roles.get(id).is_some_and(|role| role.name == name));
    let admin = has("admin");
    Some(Actor {
        user_id: token.user_id.clone(),
        project_id: token.project_id.clone().unwrap_or_default(),
        admin,
        writer: admin || has("member"),
        balancer: admin || has("load-balancer_member"),
    })
}

fn live<'a>(state: &'a State, id: &str) -> Option<&'a Token> {
    state.identity.tokens.get(id).filter(|token| token.expires_ms > state.clock.now_ms())
}

/// What was proved about the caller.
pub(super) struct Proof {
    pub user_id: String,
    pub methods: Vec<&'static str>,
    credential: Option<Credential>,
    /// A token made from a token ends with it.
    expires_ms: Option<u64>,
}

impl Proof {
    fn of(user_id: &str, method: &'static str) -> Self {
        Self { user_id: user_id.to_owned(), methods: vec![method], credential: None, expires_ms: None }
    }
}

pub(crate) fn create(state: &mut State, call: &Call<'_>) -> Answer {
    let auth = call.object("auth")?;
    let identity = auth.get("identity").ok_or_else(|| Failure::bad("'identity' is a required property"))?;
    let proof = prove(state, identity)?;
    if let Some(receipt) = factors::receipt(state, &proof) {
        return Ok(receipt);
    }
    let (project_id, roles) = match &proof.credential {
        Some(credential) => (Some(credential.project_id.clone()), live_roles(state, credential)?),
        None => scope(state, &proof.user_id, auth.get("scope"))?,
    };
    let (id, token) = issue(state, proof, project_id, roles);
    let mut reply = Reply::json(201, json!({ "token": view(state, call, &token) }));
    reply.headers.push(("x-subject-token", id));
    Ok(reply)
}

fn issue(state: &mut State, proof: Proof, project_id: Option<String>, roles: Vec<String>) -> (String, Token) {
    let now = state.clock.now_ms();
    let id = format!("gAAAAAB{}", state.secret());
    let token = Token {
        user_id: proof.user_id,
        project_id,
        roles,
        methods: proof.methods.into_iter().map(str::to_owned).collect(),
        issued_ms: now,
        expires_ms: proof.expires_ms.unwrap_or(now + state.token_seconds * 1000),
        audit_id: state.hex_id(),
        credential: proof.credential.map(|c| c.id),
    };
    state.identity.tokens.retain(|_, token| token.expires_ms > now);
    state.identity.tokens.insert(id.clone(), token.clone());
    (id, token)
}

/// Every method named must hold, and of one person.
fn prove(state: &State, identity: &Value) -> Result<Proof, Failure> {
    let named = identity["methods"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut proofs = named.map(|method| prove_by(state, method, identity));
    let mut proof = proofs.next().ok_or_else(|| Failure::bad("'methods' is a required property"))??;
    for more in proofs {
        let more = more?;
        if more.user_id != proof.user_id {
            return Err(Failure::unauthorized());
        }
        proof.methods.extend(more.methods);
    }
    Ok(proof)
}

/// An unscoped token for somebody whom an identity provider has told us of; None: we know no such person.
pub(crate) fn mapped(state: &mut State, user: &str) -> Option<String> {
    let known = |name: &String| FEDERATED.contains(&name.as_str());
    let user_id = state.identity.users.values().find(|u| u.name == user && known(&u.name) && state.identity.admits(u))?.id.clone();
    Some(issue(state, Proof::of(&user_id, "mapped"), None, Vec::new()).0)
}

fn prove_by(state: &State, method: &str, identity: &Value) -> Result<Proof, Failure> {
    match method {
        "password" => by_password(state, &identity["password"]["user"]),
        "totp" => by_passcode(state, &identity["totp"]["user"]),
        "token" => {
            let id = identity["token"]["id"].as_str().unwrap_or_default();
            let token = live(state, id).ok_or_else(Failure::unauthorized)?;
            Ok(Proof { expires_ms: Some(token.expires_ms), ..Proof::of(&token.user_id, "token") })
        }
        "application_credential" => by_credential(state, &identity["application_credential"]),
        other => Err(Failure::new(401, "Unauthorized", format!("Attempted to authenticate with an unsupported method: {other}."))),
    }
}

fn by_password(state: &State, given: &Value) -> Result<Proof, Failure> {
    let user = find_user(state, given).ok_or_else(Failure::unauthorized)?;
    let password = given["password"].as_str().unwrap_or_default();
    if !state.identity.admits(user) || digest(password) != user.password {
        return Err(Failure::unauthorized());
    }
    Ok(Proof::of(&user.id, "password"))
}

fn by_passcode(state: &State, given: &Value) -> Result<Proof, Failure> {
    let user = find_user(state, given).filter(|user| state.identity.admits(user)).ok_or_else(Failure::unauthorized)?;
    let seed = user.factors.seed.as_deref().ok_or_else(Failure::unauthorized)?;
    let good = passcodes::good(seed, given["passcode"].as_str().unwrap_or_default(), state.clock.now_ms());
    if good { Ok(Proof::of(&user.id, "totp")) } else { Err(Failure::unauthorized()) }
}

fn find_user<'a>(state: &'a State, given: &Value) -> Option<&'a User> {
    let users = &state.identity.users;
    if let Some(id) = given["id"].as_str() {
        return users.get(id);
    }
    let name = given["name"].as_str()?;
    users.values().find(|u| u.name == name && state.identity.means_domain(&given["domain"], &u.domain_id))
}

fn by_credential(state: &State, given: &Value) -> Result<Proof, Failure> {
    let credentials = &state.identity.credentials;
    let credential = match given["id"].as_str() {
        Some(id) => credentials.get(id),
        None => {
            let user = find_user(state, &given["user"]).ok_or_else(Failure::unauthorized)?;
            credentials.values().find(|c| c.user_id == user.id && given["name"] == c.name.as_str())
        }
    };
    // Keystone's own asymmetry: one that is gone is 404, a wrong secret 401.
    let credential = credential.ok_or_else(|| not_found("Application Credential", given["id"].as_str().unwrap_or_default()))?;
    let owner_enabled = state.identity.users.get(&credential.user_id).is_some_and(|u| state.identity.admits(u));
    let expired = credential.expires_at.as_deref().is_some_and(|at| at <= micros_z(state.clock.now_ms()).as_str());
    if !owner_enabled || expired || given["secret"].as_str().map(digest).as_deref() != Some(credential.secret.as_str()) {
        return Err(Failure::unauthorized());
    }
    Ok(Proof { credential: Some(credential.clone()), ..Proof::of(&credential.user_id, "application_credential") })
}

/// An application credential is worth nothing while its project is disabled, and once its owner has lost one of its roles.
fn live_roles(state: &State, credential: &Credential) -> Result<Vec<String>, Failure> {
    let held = state.identity.roles_of(&credential.project_id, &credential.user_id);
    let enabled = state.identity.projects.get(&credential.project_id).is_some_and(|project| project.enabled);
    if enabled && credential.roles.iter().all(|role| held.contains(role)) { Ok(credential.roles.clone()) } else { Err(Failure::unauthorized()) }
}

fn scope(state: &State, user: &str, scope: Option<&Value>) -> Result<(Option<String>, Vec<String>), Failure> {
    let wanted = match scope {
        None | Some(Value::Null | Value::String(_)) => return Ok((None, Vec::new())),
        Some(scope) => match scope.get("project") {
            None if scope.get("unscoped").is_some() => return Ok((None, Vec::new())),
            None => return Err(Failure::unauthorized()),
            Some(project) => project,
        },
    };
    let projects = &state.identity.projects;
    let project = match wanted["id"].as_str() {
        Some(id) => projects.get(id),
        None => projects.values().find(|p| wanted["name"] == p.name.as_str() && state.identity.means_domain(&wanted["domain"], DEFAULT_DOMAIN)),
    };
    let project = project.filter(|p| p.enabled && state.identity.domain_is_enabled(DEFAULT_DOMAIN)).ok_or_else(Failure::unauthorized)?;
    let roles = state.identity.roles_of(&project.id, user);
    if roles.is_empty() {
        return Err(Failure::unauthorized());
    }
    Ok((Some(project.id.clone()), roles))
}

fn view(state: &State, call: &Call<'_>, token: &Token) -> Value {
    let identity = &state.identity;
    let user = identity.users.get(&token.user_id);
    let (user_name, of) = user.map_or(("", DEFAULT_DOMAIN), |u| (u.name.as_str(), u.domain_id.as_str()));
    let mut body = json!({
        "methods": token.methods,
        "user": {"id": token.user_id, "name": user_name, "domain": identity.domain(of), "password_expires_at": null},
        "audit_ids": [token.audit_id],
        "expires_at": micros_z(token.expires_ms),
        "issued_at": micros_z(token.issued_ms),
    });
    if let Some(project) = token.project_id.as_ref().and_then(|id| identity.projects.get(id)) {
        let roles: Vec<Value> = token.roles.iter().filter_map(|id| identity.roles.get(id)).map(|r| json!({"id": r.id, "name": r.name})).collect();
        body["project"] = json!({"id": project.id, "name": project.name, "domain": identity.domain(DEFAULT_DOMAIN)});
        body["is_domain"] = json!(false);
        body["roles"] = json!(roles);
        body["catalog"] = catalog::catalog(state, &call.origin, &project.id);
    }
    if let Some(credential) = token.credential.as_ref().and_then(|id| identity.credentials.get(id)) {
        body["application_credential"] = json!({"id": credential.id, "name": credential.name, "restricted": !credential.unrestricted});
    }
    body
}

/// The token that a call is about.
fn subject(call: &Call<'_>) -> Result<String, Failure> {
    let header = call.headers.get("x-subject-token").and_then(|v| v.to_str().ok());
    header.map(str::to_owned).ok_or_else(|| Failure::bad("X-Subject-Token header is required"))
}

/// The subject, if the caller owns it or is the admin.
fn visible(state: &State, call: &Call<'_>) -> Result<(String, Token), Failure> {
    let id = subject(call)?;
    let missing = || Failure::missing(format!("Could not find token: {id}."));
    let token = live(state, &id).cloned().ok_or_else(missing)?;
    if call.actor.admin || token.user_id == call.actor.user_id { Ok((id, token)) } else { Err(missing()) }
}

pub(crate) fn show(state: &State, call: &Call<'_>) -> Answer {
    let (id, token) = visible(state, call)?;
    let mut reply = Reply::json(200, json!({ "token": view(state, call, &token) }));
    reply.headers.push(("x-subject-token", id));
    Ok(reply)
}

pub(crate) fn revoke(state: &mut State, call: &Call<'_>) -> Answer {
    let (id, _) = visible(state, call)?;
    state.identity.tokens.remove(&id);
    Ok(Reply::empty(204))
}
