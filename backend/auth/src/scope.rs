//! Scopes: the tenant predicate that every read of the store carries, and the clusters a token is narrowed to.

use domain::clusters::ClusterEndpoint;
use domain::ids::{ClusterId, TenantId};
use uuid::Uuid;

/// How far a read reaches: one tenant, some of its clusters, nothing, or (from an operator's scope) every tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    reach: Reach,
    /// None: all in reach.
    clusters: Option<Vec<Uuid>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reach {
    Nothing,
    Tenant(TenantId),
    Everything,
}

impl Scope {
    pub(crate) fn tenant(tenant: TenantId) -> Self {
        Self { reach: Reach::Tenant(tenant), clusters: None }
    }

    pub(crate) fn nothing() -> Self {
        Self { reach: Reach::Nothing, clusters: None }
    }

    pub(crate) fn narrowed(self, clusters: impl IntoIterator<Item = ClusterId>) -> Self {
        Self { clusters: Some(clusters.into_iter().map(|id| id.0).collect()), ..self }
    }

    /// The predicate's parameter: None matches every tenant; the empty text matches none (no project has an empty id).
    #[must_use]
    pub fn predicate(&self) -> Option<&str> {
        match &self.reach {
            Reach::Nothing => Some(""),
            Reach::Tenant(tenant) => Some(&tenant.0),
            Reach::Everything => None,
        }
    }

    /// Whether a cluster that was read by other means is in reach.
    #[must_use]
    pub fn holds(&self, cluster: &ClusterEndpoint) -> bool {
        self.predicate().is_none_or(|tenant| cluster.tenant.0 == tenant) && self.clusters().is_none_or(|all| all.contains(&cluster.id.0))
    }

    /// The parameter of the second predicate, for what belongs to clusters: None matches every one.
    #[must_use]
    pub fn clusters(&self) -> Option<&[Uuid]> {
        self.clusters.as_deref()
    }
}

/// The right to the admin view. Only `Actor::operator` makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorScope(());

impl OperatorScope {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// Reads over all tenants.
    #[must_use]
    pub fn scope(self) -> Scope {
        Scope { reach: Reach::Everything, clusters: None }
    }
}
