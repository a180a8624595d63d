//! API tokens: they speak for the person who made them, within what they were narrowed to, and never for more than the person may at that moment.

use crate::caller::Caller;
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::narrowing::{MOST, namespace_errors};
use crate::people;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post};
use auth::{Actor, Grants, Narrowing, TokenCreate, TokenRevoke, Via};
use domain::codes::Code;
use domain::ids::{ClusterId, TokenId};
use domain::permissions::{Permission, Role};
use ipnet::IpNet;
use sealed::{TokenHash, TokenKind};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use store::{NewToken, TokenRecord};
use time::{Duration, OffsetDateTime};

/// A token without its secret.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ApiToken {
    pub id: TokenId,
    pub name: String,
    pub created_by: String,
    /// Whether it is the caller's own.
    pub mine: bool,
    /// What it may do besides looking; absent: all that its owner may, or, with `namespaces`, what is done inside of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<Permission>>,
    /// Clusters it is for; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Vec<ClusterId>>,
    /// Namespaces it may go into; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// Where it may come from; empty: from anywhere.
    #[schema(value_type = Vec<String>)]
    pub cidrs: Vec<IpNet>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<OffsetDateTime>,
    /// The address it was last used from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_from: Option<String>,
}

/// A token to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTokenRequest {
    /// 1 to 60 characters: what it is for.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Seconds: 3600 to 31536000 (a year).
    #[schema(minimum = 3600, maximum = 31_536_000)]
    pub expires_in: i64,
    /// What it may do besides looking; absent: all that its owner may, or, with `namespaces`, what is done inside of those.
    #[serde(default)]
    pub permissions: Option<Vec<Permission>>,
    /// Clusters it is for; absent: all.
    #[serde(default)]
    pub clusters: Option<Vec<ClusterId>>,
    /// Namespaces it may go into; absent: all.
    #[serde(default)]
    pub namespaces: Option<Vec<String>>,
    /// Where it may come from: `192.0.2.0/24`; absent or empty: from anywhere.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub cidrs: Vec<IpNet>,
}

/// A token with its secret, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ApiTokenIssued {
    #[serde(flatten)]
    pub token: ApiToken,
    /// To be sent as `Authorization: Bearer`.
    pub secret: String,
}

const SHORTEST: i64 = 3600;
const LONGEST: i64 = 365 * 24 * 3600;

impl ApiToken {
    pub(crate) fn new(record: TokenRecord, seen_by: &Actor) -> Self {
        let Narrowing { permissions, clusters, namespaces } = record.narrowing;
        Self {
            mine: record.user.id == seen_by.user.id,
            id: record.id,
            name: record.name,
            created_by: record.user.name,
            permissions: permissions.map(|all| all.into_iter().collect()),
            clusters: clusters.map(|all| all.into_iter().collect()),
            namespaces: namespaces.map(|all| all.into_iter().collect()),
            cidrs: record.cidrs,
            created_at: record.created_at,
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            last_used_at: record.last_used_at,
            last_used_from: record.last_used_from,
        }
    }
}

impl ApiTokenRequest {
    fn check(&self) -> Answer<()> {
        let mut errors = Vec::new();
        let mut rule = |holds: bool, field: &str, message: String| {
            if !holds {
                errors.push(FieldError { field: field.to_owned(), message, code: None });
            }
        };
        let length = self.name.chars().count();
        let printable = !self.name.chars().any(char::is_control) && self.name.trim() == self.name;
        rule((1..=60).contains(&length) && printable, "name", "must be 1 to 60 printable characters".to_owned());
        rule((SHORTEST..=LONGEST).contains(&self.expires_in), "expires_in", format!("must be {SHORTEST} to {LONGEST} seconds"));
        let few = |count: usize| count <= MOST;
        let some = |list: Option<usize>| list.is_none_or(|count| count > 0 && few(count));
        rule(self.permissions.as_ref().is_none_or(|all| few(all.len())), "permissions", format!("must be at most {MOST}"));
        rule(some(self.clusters.as_ref().map(Vec::len)), "clusters", format!("must be 1 to {MOST}, or absent for all"));
        rule(few(self.cidrs.len()), "cidrs", format!("must be at most {MOST}"));
        errors.extend(namespace_errors(self.namespaces.as_deref()));
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }
}

/// Whom a token speaks for.
///
/// # Errors
/// When it is worth nothing, comes from elsewhere, its owner has no place in the project any more, or too much came from there that was nothing.
pub async fn bearer(state: &State, token: TokenHash, source: &str) -> Answer<Actor> {
    let over = || Problem::new(Code::SessionExpired).detail("the token is not valid, has expired or was revoked");
    let look = state.store.token_by_hash(token, source.to_owned());
    let found = state.bearers.find(&state.limiter, token, source, look).await?.ok_or_else(over)?;
    let from: Option<IpAddr> = source.parse().ok();
    if !found.cidrs.is_empty() && !from.is_some_and(|address| found.cidrs.iter().any(|cidr| cidr.contains(&address))) {
        return Err(over());
    }
    let mut roles = found.roles;
    if let Some(now) = people::recheck(state, &found.user, &found.project, found.checked_at).await? {
        state.store.token_checked(found.id, &found.project.id, &found.user.id, now.clone()).await?;
        roles = now;
    }
    let actor = Actor::new(found.user, found.project, Grants { roles, operator: false }, found.given, Via::ApiToken(found.id));
    Some(Actor { narrowing: found.narrowing, ..actor }).filter(Actor::has_a_place).ok_or_else(over)
}

/// A token cannot make another: what was narrowed stays narrow.
pub(crate) fn in_person(caller: &Caller) -> Answer<()> {
    match caller.actor.via {
        Via::ApiToken(_) => Err(Problem::new(Code::Narrowed).detail("a token cannot make or revoke tokens; sign in yourself")),
        _ => Ok(()),
    }
}

/// API tokens of the project that are good or ended within thirty days: a reader sees their own, a member everybody's.
#[utoipa::path(tag = "tokens", responses((status = 200, body = List<ApiToken>)))]
#[get("/tokens")]
pub async fn token_list(caller: Caller, state: Data<State>) -> Answer<Json<List<ApiToken>>> {
    let all = caller.actor.is(Role::Member) && !matches!(caller.actor.via, Via::ApiToken(_));
    let own = (!all).then(|| caller.actor.user.id.clone());
    let mut found = state.store.tokens(&caller.actor.scope(), own).await?;
    // What its owner's other tokens are for is no affair of whoever holds one for some namespaces.
    if caller.actor.narrowing.namespaces.is_some() {
        found.retain(|record| Some(record.id.0) == caller.actor.via.id());
    }
    Ok(Json(List::whole(found.into_iter().map(|record| ApiToken::new(record, &caller.actor)).collect())))
}

/// Make an API token for oneself. Its secret is in this answer only.
#[utoipa::path(tag = "tokens", request_body = ApiTokenRequest, responses((status = 201, body = ApiTokenIssued)))]
#[post("/tokens")]
pub async fn token_create(caller: Caller, state: Data<State>, body: Body<ApiTokenRequest>) -> Answer<HttpResponse> {
    in_person(&caller)?;
    let permit = caller.actor.may::<TokenCreate>(&caller.actor.project)?;
    let (request, _) = body.read()?;
    request.check()?;
    let wanted = request.clusters.iter().flatten().copied();
    let there = state.store.clusters_among(&caller.actor.scope(), wanted.clone()).await?;
    if let Some(index) = wanted.into_iter().position(|cluster| !there.contains(&cluster)) {
        return Err(Problem::field(format!("clusters[{index}]"), "there is no such cluster"));
    }
    let token = sealed::Token::generate(TokenKind::Api)?;
    let new = NewToken {
        name: request.name,
        token_hash: token.hash,
        narrowing: Narrowing {
            permissions: request.permissions.map(|all| all.into_iter().collect()),
            clusters: request.clusters.map(|all| all.into_iter().collect()),
            namespaces: request.namespaces.map(|all| all.into_iter().collect()),
        },
        cidrs: request.cidrs,
        expires_at: OffsetDateTime::now_utc() + Duration::seconds(request.expires_in),
    };
    let made = state.store.token_create(permit, new, caller.context()).await?;
    let issued = ApiTokenIssued { token: ApiToken::new(made, &caller.actor), secret: token.text.expose_secret().to_owned() };
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(issued))
}

/// Revoke an API token: every call with it is refused at once, open streams are cut.
#[utoipa::path(tag = "tokens", params(("id" = TokenId, Path)), responses((status = 204, description = "Revoked")))]
#[delete("/tokens/{id}")]
pub async fn token_revoke(caller: Caller, state: Data<State>, id: Path<TokenId>) -> Answer<HttpResponse> {
    // Itself it may end: that is how a program signs out.
    if caller.actor.via != Via::ApiToken(*id) {
        in_person(&caller)?;
    }
    let record = state.store.token(&caller.actor.scope(), *id).await?;
    // A reader may not even know of those of others.
    if record.user.id != caller.actor.user.id && !caller.actor.is(Role::Member) {
        return Err(Problem::not_found());
    }
    let permit = caller.actor.may::<TokenRevoke>(&record)?;
    state.store.token_revoke(permit, caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}
