//! The people behind what KCS itself gave out: whether Keystone still knows them in the project, and with which roles. Asked again every few
//! minutes, so that who is removed there is out everywhere.

use crate::errors::{Answer, Problem};
use crate::state::State;
use auth::{Project, User};
use cloud::CloudError;
use domain::permissions::Role;
use moka::future::Cache;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// Keystone is asked again after this: with the time until open streams are looked at, who was removed is out within five minutes.
pub const RECHECK: Duration = Duration::minutes(4);
/// While Keystone does not answer, what was found good goes on being good for this long.
pub const GRACE: Duration = Duration::minutes(30);

/// What Keystone said a moment ago, by person and project: calls that come at the same time ask once.
pub struct People(Cache<(String, String), Vec<Role>>);

impl Default for People {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(std::time::Duration::from_secs(10)).build())
    }
}

impl People {
    /// What the person's roles in the project are worth now; none: they have no place in it.
    async fn roles(&self, state: &State, user: &User, project: &Project) -> Result<Vec<Role>, Arc<CloudError>> {
        let ask = async {
            let Some(standing) = state.identity.standing(&user.id, &project.id.0).await? else { return Ok(Vec::new()) };
            let of = &standing.project;
            Ok(state.settings.roles.grants(&standing.roles, &of.id, &of.name, &of.domain_id).roles)
        };
        self.0.try_get_with((user.id.clone(), project.id.0.clone()), ask).await
    }
}

/// The person's roles, if they have to be recorded anew; none: the person has no place in the project any more.
///
/// # Errors
/// When Keystone has not answered for too long.
pub async fn recheck(state: &State, user: &User, project: &Project, checked_at: OffsetDateTime) -> Answer<Option<Vec<Role>>> {
    let age = OffsetDateTime::now_utc() - checked_at;
    if age < RECHECK {
        return Ok(None);
    }
    match state.people.roles(state, user, project).await {
        Ok(roles) => Ok(Some(roles)),
        Err(error) if age < GRACE => {
            tracing::warn!(error = &*error as &dyn std::error::Error, "Keystone does not say whether a person is still there");
            Ok(None)
        }
        Err(error) => Err(Problem::from((*error).clone())),
    }
}
