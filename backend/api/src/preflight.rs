//! A request for a cluster on its way: template and defaults applied, rules kept, and what the cloud says to it.

use crate::caller::Caller;
use crate::catalogue::Snapshot;
use crate::clusters::{Check, ClusterRequest, QuotaNeed};
use crate::errors::{Answer, Problem};
use crate::plan;
use crate::state::State;
use domain::clusters::ClusterSpec;
use domain::needs::{Objects, cluster_objects};
use domain::requests::{complete, merge, violations};
use std::sync::Arc;

/// A request made complete, with everything known that stands against it.
pub struct Preflight {
    pub spec: ClusterSpec,
    pub catalogue: Arc<Snapshot>,
    pub objects: Objects,
}

impl Preflight {
    /// Completes a request.
    ///
    /// # Errors
    /// When it breaks a rule, or the cloud does not say what it offers.
    pub async fn of(state: &State, caller: &Caller, request: &ClusterRequest) -> Answer<Self> {
        let template = request.template.as_deref().map(|id| {
            let found = state.settings.templates.iter().find(|t| t.id == id);
            found.map(|t| t.spec.clone()).ok_or_else(|| Problem::field("template", "there is no such template"))
        });
        let base = template.transpose()?.unwrap_or_default();
        let wanted = request.spec.as_ref().map_or_else(|| base.clone(), |spec| merge(&base, spec));
        let catalogue = state.catalogue.of(state, caller).await?;
        let spec = complete(&wanted, &catalogue.offers(&state.settings.versions));
        plan::refuse(violations(&request.name, &spec, &state.settings.limits))?;
        let objects = cluster_objects(&spec);
        Ok(Self { spec, catalogue, objects })
    }

    /// The checks about the cloud, and the quota needed.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn cloud_checks(&self, state: &State, caller: &Caller) -> Answer<(Vec<Check>, Vec<QuotaNeed>)> {
        let mut checks = plan::catalogue_checks(&self.spec, &self.catalogue, state);
        checks.push(plan::load_balancer_check(&caller.cloud(state)));
        let (quota, found) = plan::quota(state, caller, &self.spec, &self.objects, &self.catalogue).await?;
        checks.extend(found);
        Ok((checks, quota))
    }
}
