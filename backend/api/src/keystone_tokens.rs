//! Keystone tokens given to us with a request (`X-Auth-Token`): what they are worth, remembered for a minute; and how often Keystone is asked for nothing.

use crate::errors::{Answer, Problem};
use crate::failures::Attempt;
use crate::limiter::network;
use crate::state::State;
use auth::{Actor, Grants, Narrowing, Project, User, Via};
use cloud::CloudError;
use cloud::error::CloudErrorKind;
use cloud::identity::{Token, TokenInfo, WideScope};
use domain::codes::Code;
use domain::ids::TenantId;
use domain::permissions::Role;
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// By the token's digest.
pub struct TokenCache {
    good: Cache<[u8; 32], Arc<Token>>,
    /// Those that Keystone refused, apart: however many there are, they crowd out no good one.
    refused: Cache<[u8; 32], ()>,
    /// Networks that good ones came from.
    trusted: Cache<String, ()>,
    /// Whether people are operators by what they have beyond projects, by their ids.
    wide_operators: Cache<String, bool>,
}

impl Default for TokenCache {
    fn default() -> Self {
        Self {
            good: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build(),
            refused: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(30)).build(),
            trusted: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(24 * 3600)).build(),
            wide_operators: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build(),
        }
    }
}

/// What a token is worth here: by its roles in its project, and by those that its person has beyond projects.
///
/// # Errors
/// When Keystone does not say what those are.
pub async fn grants(state: &State, info: &TokenInfo) -> cloud::Result<Grants> {
    let mut grants = match &info.project {
        Some(project) => state.settings.roles.grants(&info.roles, &project.id, &project.name, &project.domain_id),
        None => Grants { roles: Vec::new(), operator: false },
    };
    // An application credential has nothing of what its owner has beyond its project.
    if !grants.operator && info.application_credential.is_none() {
        grants.operator = state.keystone_tokens.is_wide_operator(state, &info.user_id).await?;
    }
    Ok(grants)
}

/// A person's roles in a scope. Where KCS may not look, there are none.
async fn wide_roles(state: &State, user_id: &str, scope: &WideScope) -> cloud::Result<Vec<String>> {
    match state.identity.wide_roles(user_id, scope).await {
        Err(error) if error.kind == CloudErrorKind::Denied => {
            tracing::warn!(%error, %scope, "the service account may not list role assignments there: nobody is an operator by them");
            Ok(Vec::new())
        }
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        other => other,
    }
}

/// What the way somebody signed in by keeps back of what they may.
#[must_use]
pub fn narrowing(by_credential: bool, roles: &[Role]) -> Narrowing {
    if by_credential { Narrowing::of_credential(roles) } else { Narrowing::default() }
}

/// The person a token speaks for, in the token's project, with what the project's owners gave them.
///
/// # Errors
/// When the token has no project, or the person has no place in it.
pub async fn actor(state: &State, info: &TokenInfo, via: Via) -> Answer<Actor> {
    let nowhere = || Problem::new(Code::NoProject);
    let project = info.project.as_ref().ok_or_else(nowhere)?;
    let project = Project { id: TenantId(project.id.clone()), name: project.name.clone() };
    let given = state.store.member_rights(&project.id, &info.user_id).await?;
    let user = User { id: info.user_id.clone(), name: info.user_name.clone(), domain: info.user_domain_id.clone() };
    let grants = grants(state, info).await?;
    let narrowing = narrowing(info.application_credential.is_some(), &grants.roles);
    let actor = Actor { narrowing, ..Actor::new(user, project, grants, given, via) };
    Some(actor).filter(Actor::has_a_place).ok_or_else(nowhere)
}

/// Whether operators have left a token to its person, whom they may have put out since it was issued: Keystone, which knows nothing of that, calls it good.
///
/// # Errors
/// When they have not, or the database does not say.
pub async fn outlived_no_cut(state: &State, info: &TokenInfo) -> Answer<()> {
    let issued_at = info.issued_at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let cut = state.store.person_cut_since(&info.user_id, issued_at).await?;
    if cut { Err(Problem::new(Code::SessionExpired)) } else { Ok(()) }
}

impl TokenCache {
    /// Whom a token speaks for, with the rights of now. `source` is the address it came from; none: it was found good before.
    ///
    /// # Errors
    /// When it is worth nothing, the cloud does not say, or too much came from there that was worth nothing.
    pub async fn of(&self, state: &State, token: SecretString, source: Option<&str>) -> Answer<(Actor, Arc<Token>)> {
        let (token, asked) = self.token(state, token, source).await?;
        // What is remembered of it does not tell.
        outlived_no_cut(state, &token.info).await?;
        let actor = actor(state, &token.info, Via::KeystoneToken).await?;
        // What is remembered says nothing of now.
        if asked {
            state.store.person_confirmed(&actor.project.id, &actor.user.id, actor.roles.clone()).await?;
        }
        Ok((actor, token))
    }

    /// What is asked next about a person is asked of Keystone.
    pub async fn forget_wide_operator(&self, user_id: &str) {
        self.wide_operators.invalidate(user_id).await;
    }

    /// Whether somebody is an operator by a role in a domain or in the system. Where no such roles count, Keystone is not asked.
    async fn is_wide_operator(&self, state: &State, user_id: &str) -> cloud::Result<bool> {
        let names = &state.settings.roles;
        let scopes = names.wide_scopes();
        if scopes.is_empty() {
            return Ok(false);
        }
        let ask = async {
            for scope in scopes {
                if names.is_operator_in(scope, &wide_roles(state, user_id, scope).await?) {
                    return Ok::<bool, CloudError>(true);
                }
            }
            Ok(false)
        };
        self.wide_operators.try_get_with(user_id.to_owned(), ask).await.map_err(|error| (*error).clone())
    }

    /// And whether Keystone was asked of it just now.
    async fn token(&self, state: &State, token: SecretString, source: Option<&str>) -> Answer<(Arc<Token>, bool)> {
        let key: [u8; 32] = Sha256::digest(token.expose_secret()).into();
        if let Some(known) = self.good.get(&key).await {
            return Ok((known, false));
        }
        let over = || Problem::new(Code::SessionExpired);
        if self.refused.contains_key(&key) {
            return Err(over());
        }
        let source = source.map(network);
        let attempts = match &source {
            Some(source) => state.limiter.token(source, self.trusted.contains_key(source))?,
            None => Vec::new(),
        };
        let looked = state.identity.validate(&token).await;
        if looked.as_ref().is_err_and(|error| matches!(error.kind, CloudErrorKind::Unauthenticated | CloudErrorKind::NotFound)) {
            self.refused.insert(key, ()).await;
            return Err(over());
        }
        attempts.into_iter().for_each(Attempt::spare);
        let found = Arc::new(Token { secret: token, info: looked? });
        self.good.insert(key, found.clone()).await;
        if let Some(source) = source {
            self.trusted.insert(source, ()).await;
        }
        Ok((found, true))
    }
}
