//! Scopes: the tenant predicate that every read of the store carries.

use domain::ids::TenantId;

/// How far a read reaches: one tenant, nothing, or (from an operator's scope) every tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    reach: Reach,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reach {
    Nothing,
    Tenant(TenantId),
    Everything,
}

impl Scope {
    pub(crate) fn tenant(tenant: TenantId) -> Self {
        Self { reach: Reach::Tenant(tenant) }
    }

    pub(crate) fn nothing() -> Self {
        Self { reach: Reach::Nothing }
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
        Scope { reach: Reach::Everything }
    }
}
