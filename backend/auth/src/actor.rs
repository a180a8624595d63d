//! The actor: one authenticated person in one project, however they came in.

use crate::forbidden::Forbidden;
use crate::narrowing::Narrowing;
use crate::permit::{Action, Permit, Resource};
use crate::rights::{Grade, Rights, Sight};
use crate::roles::Grants;
use crate::scope::{OperatorScope, Scope};
use domain::ids::{ClusterId, KubeconfigId, TenantId, TokenId};
use domain::members::Inside;
use domain::permissions::{Permission, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

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
    /// Good for what its narrowing lets through.
    ApiToken(TokenId),
    /// Good for this kubeconfig's cluster only.
    Kubeconfig(KubeconfigId),
}

impl Via {
    /// The token's or kubeconfig's.
    #[must_use]
    pub fn id(self) -> Option<Uuid> {
        match self {
            Self::Session | Self::KeystoneToken => None,
            Self::ApiToken(id) => Some(id.0),
            Self::Kubeconfig(id) => Some(id.0),
        }
    }

    /// As the audit log spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::KeystoneToken => "keystone_token",
            Self::ApiToken(_) => "api_token",
            Self::Kubeconfig(_) => "kubeconfig",
        }
    }
}

/// One authenticated person in one project. Whoever builds one vouches for the authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub user: User,
    pub project: Project,
    /// What Keystone's roles in `project` are worth.
    pub roles: Vec<Role>,
    /// What counts: by those roles, or as the project's owners gave it.
    pub rights: Rights,
    pub operator: bool,
    pub via: Via,
    /// What a token was narrowed to; nothing for people themselves.
    pub narrowing: Narrowing,
}

impl Actor {
    /// A person with what Keystone says of them, and what the project's owners gave them, if they did.
    #[must_use]
    pub fn new(user: User, project: Project, grants: Grants, given: Option<Rights>, via: Via) -> Self {
        let rights = Rights::of(&grants.roles, given);
        Self { user, project, roles: grants.roles, rights, operator: grants.operator, via, narrowing: Narrowing::default() }
    }

    /// Whether they may be in the project at all.
    #[must_use]
    pub fn has_a_place(&self) -> bool {
        self.operator || (!self.roles.is_empty() && !self.rights.is_nothing())
    }

    /// Whether they have this role in all of the project, or a greater one.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        matches!(&self.rights.everywhere, Grade::Role(own) if *own >= role)
    }

    /// What this person may see as an ordinary user: the own project, or places of it.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let given = self.rights.clusters();
        let scope =
            if given.as_ref().is_some_and(|clusters| clusters.is_empty()) { Scope::nothing() } else { Scope::tenant(self.project.id.clone()) };
        match (given, &self.narrowing.clusters) {
            (None, None) => scope,
            (Some(clusters), None) => scope.narrowed(clusters),
            (None, Some(clusters)) => scope.narrowed(clusters.iter().copied()),
            (Some(given), Some(clusters)) => scope.narrowed(given.intersection(clusters).copied()),
        }
    }

    /// Whether they see only places of the project, some of its clusters or namespaces of some: what is the project's as a whole is no affair of theirs.
    #[must_use]
    pub fn sees_places_only(&self) -> bool {
        self.scope().clusters().is_some() || self.narrowing.namespaces.is_some()
    }

    /// The admin view, for operators. What a person leaves lying about, a kubeconfig or a token, never opens it.
    pub fn operator(&self) -> Result<OperatorScope, Forbidden> {
        let in_person = matches!(self.via, Via::Session | Via::KeystoneToken);
        if self.operator && in_person { Ok(OperatorScope::new()) } else { Err(Forbidden::OperatorsOnly) }
    }

    /// Asks the policy; the permit is good for this one resource of the actor's own project.
    pub fn may<A: Action>(&self, resource: &impl Resource<Id = A::Id>) -> Result<Permit<A>, Forbidden> {
        let cluster = resource.cluster();
        self.permit(resource, self.rights.has(A::PERMISSION, cluster), self.narrowing.lets(A::PERMISSION, cluster))
    }

    /// Asks the policy about a call into a cluster, into one namespace of it or (None) beyond.
    pub fn may_inside<A: Action<Id = ClusterId>>(
        &self,
        cluster: &impl Resource<Id = ClusterId>,
        namespace: Option<&str>,
    ) -> Result<Permit<A>, Forbidden> {
        let id = cluster.id();
        let lets = self.narrowing.lets(A::PERMISSION, Some(id)) && self.narrowing.lets_into(namespace);
        self.permit(cluster, self.rights.has_inside(A::PERMISSION, id, namespace), lets)
    }

    fn permit<A: Action>(&self, resource: &impl Resource<Id = A::Id>, has: bool, lets: bool) -> Result<Permit<A>, Forbidden> {
        let permission = A::PERMISSION;
        if resource.tenant() != &self.project.id || self.roles.is_empty() || !has {
            return Err(Forbidden::Role { permission, needed: permission.least_role() });
        }
        if lets { Ok(Permit::new(self.clone(), resource.id())) } else { Err(Forbidden::Narrowed { permission }) }
    }

    /// What of a cluster's inside they see; None: nothing of the cluster at all.
    #[must_use]
    pub fn sight(&self, cluster: ClusterId) -> Option<Sight> {
        let given = self.rights.sight(cluster)?;
        Some(match (given, &self.narrowing.namespaces) {
            (given, None) => given,
            (Sight::All, Some(names)) => Sight::Namespaces(names.clone()),
            (Sight::Namespaces(given), Some(names)) => Sight::Namespaces(given.intersection(names).cloned().collect()),
        })
    }

    /// The namespaces of a cluster that what they came with was narrowed to, and how much they do there; None: it was narrowed to none.
    #[must_use]
    pub fn narrowed_namespaces(&self, cluster: ClusterId) -> Option<BTreeMap<String, Inside>> {
        self.narrowing.namespaces_of(&self.rights, cluster)
    }

    /// All they may do on a cluster as a whole, or (None) in all of the project: what a console offers.
    #[must_use]
    pub fn permissions(&self, cluster: Option<ClusterId>) -> Vec<Permission> {
        let may = |permission: &Permission| self.rights.has(*permission, cluster) && self.narrowing.lets(*permission, cluster);
        Permission::ALL.iter().copied().filter(may).collect()
    }
}
