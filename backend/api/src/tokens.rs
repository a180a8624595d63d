//! Keystone tokens given to us with a request (`X-Auth-Token`): what they are worth, remembered for a minute.

use crate::errors::{Answer, Problem};
use crate::state::State;
use auth::{Actor, Grants, Project, User, Via};
use cloud::error::CloudErrorKind;
use cloud::identity::{Token, TokenInfo};
use domain::codes::Code;
use domain::ids::TenantId;
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// By the token's digest.
pub struct TokenCache(Cache<[u8; 32], Arc<(Actor, Token)>>);

impl Default for TokenCache {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build())
    }
}

/// What a token's roles are worth here.
#[must_use]
pub fn grants(state: &State, info: &TokenInfo) -> Grants {
    match &info.project {
        Some(project) => state.settings.roles.grants(&info.roles, &project.id, &project.name, &project.domain_id),
        None => Grants { roles: Vec::new(), operator: false },
    }
}

/// The person a token speaks for, in the token's project.
///
/// # Errors
/// When the token has no project, or gives no role that counts.
pub fn actor(state: &State, info: &TokenInfo, via: Via) -> Answer<Actor> {
    let grants = grants(state, info);
    let project = info.project.as_ref().filter(|_| grants.any()).ok_or_else(|| Problem::new(Code::NoProject))?;
    Ok(Actor {
        user: User { id: info.user_id.clone(), name: info.user_name.clone(), domain: info.user_domain_id.clone() },
        project: Project { id: TenantId(project.id.clone()), name: project.name.clone() },
        roles: grants.roles,
        operator: grants.operator,
        via,
    })
}

impl TokenCache {
    /// Whom a token speaks for.
    ///
    /// # Errors
    /// When it is worth nothing, or the cloud does not say.
    pub async fn of(&self, state: &State, token: SecretString) -> Answer<Arc<(Actor, Token)>> {
        let key: [u8; 32] = Sha256::digest(token.expose_secret()).into();
        if let Some(known) = self.0.get(&key).await {
            return Ok(known);
        }
        let info = state.identity.validate(&token).await.map_err(|error| match error.kind {
            CloudErrorKind::Unauthenticated | CloudErrorKind::NotFound => Problem::new(Code::SessionExpired),
            _ => Problem::from(error),
        })?;
        let found = Arc::new((actor(state, &info, Via::KeystoneToken)?, Token { secret: token, info }));
        self.0.insert(key, found.clone()).await;
        Ok(found)
    }
}
