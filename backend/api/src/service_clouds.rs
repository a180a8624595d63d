//! The cloud as a project's service user sees it: for callers who have no token of Keystone's.

use crate::errors::{Answer, Problem};
use crate::state::State;
use cloud::Cloud;
use cloud::error::CloudError;
use cloud::identity::ServiceUser;
use domain::ids::TenantId;
use moka::future::Cache;
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
        let name = domain::names::service_user(project);
        let made = async { state.identity.ensure_service_user(&name, &project.0).await.map(Arc::new) };
        let user = self.0.try_get_with(project.clone(), made).await.map_err(|error: Arc<CloudError>| Problem::from((*error).clone()))?;
        Ok(state.identity.as_service_user(&user, &project.0))
    }
}
