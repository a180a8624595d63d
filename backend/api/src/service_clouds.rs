//! The cloud as a project's service user sees it: for callers who have no token of Keystone's.

use crate::errors::{Answer, Problem};
use crate::state::State;
use cloud::Cloud;
use cloud::error::{CloudError, CloudErrorKind};
use cloud::identity::ServiceUser;
use domain::ids::TenantId;
use domain::preflight::{Check, Checks, blocked};
use moka::future::Cache;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Service users by project.
pub struct ServiceClouds {
    /// For as long as nobody is likely to have removed them.
    made: Cache<TenantId, Arc<ServiceUser>>,
    /// Why Keystone lets one in no more, though it was just made sure of: it is left alone for a while. It locks out who keeps trying, and to set a password
    /// ends what is signed in with it.
    refused: Cache<TenantId, CloudError>,
}

impl Default for ServiceClouds {
    fn default() -> Self {
        Self {
            made: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(600)).build(),
            refused: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build(),
        }
    }
}

impl ServiceClouds {
    /// The project as its service user sees it. The user is made at first use, as it is for the first cluster.
    ///
    /// # Errors
    /// What Keystone answered.
    pub async fn of(&self, state: &State, project: &TenantId) -> Answer<Cloud> {
        let user = self.user(state, project).await.map_err(Problem::from)?;
        Ok(state.identity.as_service_user(&user, &project.0))
    }

    async fn user(&self, state: &State, project: &TenantId) -> Result<Arc<ServiceUser>, CloudError> {
        if let Some(error) = self.refused.get(project).await {
            return Err(error);
        }
        let name = domain::names::service_user(project);
        let made = async { state.identity.ensure_service_user(&name, &project.0).await.map(Arc::new) };
        let user = self.made.try_get_with(project.clone(), made).await.map_err(|error: Arc<CloudError>| (*error).clone());
        self.noted(project, user).await
    }

    /// The answer; that Keystone refuses the user is remembered.
    async fn noted<T>(&self, project: &TenantId, answer: Result<T, CloudError>) -> Result<T, CloudError> {
        if let Err(error) = &answer
            && error.kind == CloudErrorKind::Unauthenticated
        {
            self.refused.insert(project.clone(), error.clone()).await;
        }
        answer
    }

    /// Whether clusters of the project get credentials: its service user can be made sure of, and is let in.
    pub async fn checks(&self, state: &State, project: &TenantId) -> Vec<Check> {
        let refused = self.let_in(state, project).await.err();
        let mut checks = Checks::default();
        checks.conclude("credentials", refused.into_iter().map(|e| blocked(e.code(), e.message, None, &json!({}))).collect());
        checks.0
    }

    async fn let_in(&self, state: &State, project: &TenantId) -> Result<(), CloudError> {
        let ask = async |user: Arc<ServiceUser>| state.identity.application_credentials(&user, &project.0).await.map(drop);
        match ask(self.user(state, project).await?).await {
            // Somebody may have removed or changed it since it was made sure of.
            Err(error) if error.kind == CloudErrorKind::Unauthenticated => {
                self.made.invalidate(project).await;
                let answer = ask(self.user(state, project).await?).await;
                self.noted(project, answer).await
            }
            answer => answer,
        }
    }
}
