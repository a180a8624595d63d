//! What the project may have in KCS, and has: limits of how much, and what of the catalogue it may use.

use crate::caller::Caller;
use crate::clusters::{Check, QuotaNeed};
use crate::errors::{Answer, FieldError, Problem};
use crate::sight;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::clusters::ClusterSpec;
use domain::ids::ClusterId;
use domain::tenants::{Allowed, GREATEST_LIMIT, Holdings, Limited, Limits, TenantTerms, limit_checks};
use serde::Serialize;
use std::collections::BTreeMap;

/// A limit, and how much of it is used.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LimitUse {
    pub resource: Limited,
    pub used: u64,
    /// null: no limit.
    #[schema(required)]
    pub limit: Option<u64>,
}

/// What a project may have, and has.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ProjectQuota {
    /// Each resource once, with a limit or without.
    pub limits: Vec<LimitUse>,
    pub allowed: Allowed,
    /// Whether the caller sees only some of the project's clusters, or only namespaces of some: `used` counts those that are seen as a whole.
    pub partial: bool,
}

/// What stands for or against the caller's project when it wants more.
pub struct Tenant {
    pub terms: TenantTerms,
    limits: Limits,
    holdings: Holdings,
}

impl Tenant {
    /// As it is now. Whether there is still room is decided where the wish is recorded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(state: &State, caller: &Caller) -> Answer<Self> {
        let project = &caller.actor.project.id;
        let terms = state.store.tenant_terms(project).await?;
        let limits = terms.limits(&state.tenant_limits());
        Ok(Self { terms, limits, holdings: state.store.tenant_holdings(project).await? })
    }

    /// What one cluster more, or (named) one that becomes this, takes of the limits, and what stands against it.
    #[must_use]
    pub fn limits(&self, changed: Option<ClusterId>, spec: &ClusterSpec) -> (Vec<QuotaNeed>, Vec<Check>) {
        limit_checks(&self.limits, &self.holdings.totals(), &self.holdings.totals_with(changed, spec))
    }
}

/// Limits by their names in a body.
///
/// # Errors
/// A problem that names those that are none, or too great.
pub fn limits_of<T>(field: &str, given: BTreeMap<String, T>, most: impl Fn(&T) -> Option<u64>) -> Answer<BTreeMap<Limited, T>> {
    let (mut limits, mut errors) = (BTreeMap::new(), Vec::new());
    for (name, value) in given {
        let wrong = |message: String| FieldError { field: format!("{field}.{}", name.chars().take(80).collect::<String>()), message, code: None };
        match Limited::parse(&name) {
            None => errors.push(wrong("is not known".to_owned())),
            Some(_) if most(&value).is_some_and(|value| value > GREATEST_LIMIT) => errors.push(wrong(format!("must be at most {GREATEST_LIMIT}"))),
            Some(limited) => drop(limits.insert(limited, value)),
        }
    }
    if errors.is_empty() { Ok(limits) } else { Err(Problem::fields(errors)) }
}

/// Limits of the project, and how much of them is used.
#[utoipa::path(tag = "quota", responses((status = 200, body = ProjectQuota)))]
#[get("/quota")]
pub async fn quota_get(caller: Caller, state: Data<State>) -> Answer<Json<ProjectQuota>> {
    let terms = state.store.tenant_terms(&caller.actor.project.id).await?;
    let scope = caller.actor.scope();
    let mut seen = state.store.holdings(&scope).await?;
    seen.clusters.retain(|(id, _)| sight::is_whole(&caller.actor, *id));
    let partial = caller.actor.sees_places_only();
    let used = seen.totals();
    let limits = terms.limits(&state.tenant_limits());
    let row = |resource| LimitUse { resource, used: used.get(&resource).copied().unwrap_or(0), limit: limits.get(&resource).copied() };
    let limits = Limited::ALL.into_iter().map(row).collect();
    Ok(Json(ProjectQuota { limits, allowed: terms.allowed, partial }))
}
