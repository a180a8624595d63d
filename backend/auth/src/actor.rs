//! The actor: one authenticated person in one project, however they came in.

use crate::forbidden::Forbidden;
use crate::permit::{Action, Permit, Resource};
use crate::scope::{OperatorScope, Scope};
use domain::ids::{KubeconfigId, TenantId};
use domain::permissions::Role;
use serde::{Deserialize, Serialize};

/// A Keystone user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub name: String,
    /// Id of the user's domain.
    pub domain: String,
}

/// A Keystone project: a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: TenantId,
    pub name: String,
}

/// How the actor authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Session,
    KeystoneToken,
    /// Good for this kubeconfig's cluster only.
    Kubeconfig(KubeconfigId),
}

impl Via {
    /// As the audit log spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::KeystoneToken => "keystone_token",
            Self::Kubeconfig(_) => "kubeconfig",
        }
    }
}

/// One authenticated person in one project. Whoever builds one vouches for the authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user: User,
    pub project: Project,
    /// Roles in `project`.
    pub roles: Vec<Role>,
    pub operator: bool,
    pub via: Via,
}

impl Actor {
    /// The greatest role in the project.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.roles.iter().copied().max()
    }

    /// What this person may see as an ordinary user: the own project, nothing without a role in it.
    #[must_use]
    pub fn scope(&self) -> Scope {
        if self.role().is_some() { Scope::tenant(self.project.id.clone()) } else { Scope::nothing() }
    }

    /// The admin view, for operators. A kubeconfig never opens it.
    pub fn operator(&self) -> Result<OperatorScope, Forbidden> {
        if self.operator && !matches!(self.via, Via::Kubeconfig(_)) { Ok(OperatorScope::new()) } else { Err(Forbidden::operators_only()) }
    }

    /// Asks the policy; the permit is good for this one resource of the actor's own project.
    pub fn may<A: Action>(&self, resource: &impl Resource<Id = A::Id>) -> Result<Permit<A>, Forbidden> {
        if resource.tenant() == &self.project.id && self.role().is_some_and(|role| role >= A::PERMISSION.least_role()) {
            Ok(Permit::new(self.clone(), resource.id()))
        } else {
            Err(Forbidden::new(A::PERMISSION))
        }
    }
}
