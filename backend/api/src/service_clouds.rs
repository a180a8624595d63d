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

/// Service users by project, for as long as nobody is likely to have removed them.
pub struct ServiceClouds(Cache<TenantId, Arc<ServiceUser>>);

impl Default for ServiceClouds {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(600)).build())
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
        let name = domain::names::service_user(project);
        let made = async { state.identity.ensure_service_user(&name, &project.0).await.map(Arc::new) };
        self.0.try_get_with(project.clone(), made).await.map_err(|error: Arc<CloudError>| (*error).clone())
    }

    /// Whether clusters of the project get credentials: its service user can be made sure of, and is let in.
    pub async fn checks(&self, state: &State, project: &TenantId) -> Vec<Check> {
        let refused = self.let_in(state, project).await.err();
        let mut checks = Checks::default();
        checks.conclude("credentials", refused.into_iter().map(|e| blocked(e.code(), e.message, None, &json!({}))).collect());
        checks.0
    }

    async fn let_in(&self, state: &State, project: &TenantId) -> Result<(), CloudError> {
        let ask = async || {
            let user = self.user(state, project).await?;
            state.identity.application_credentials(&user, &project.0).await
        };
        match ask().await {
            // Somebody may have removed or changed it since it was made sure of.
            Err(error) if error.kind == CloudErrorKind::Unauthenticated => {
                self.0.invalidate(project).await;
                ask().await.map(drop)
            }
            answer => answer.map(drop),
        }
    }
}
