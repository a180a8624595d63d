//! Permits: the proof that the policy allowed one actor one action on one resource.

use crate::actor::{Actor, Project};
use domain::clusters::{Cluster, ClusterEndpoint};
use domain::ids::{ClusterId, TenantId};
use domain::permissions::Permission;
use std::marker::PhantomData;

/// A kind of action; implemented by the marker types of `policy`.
pub trait Action {
    const PERMISSION: Permission;
    /// What names the thing acted on.
    type Id: Clone;
}

/// A thing of a tenant that may be acted on. A wrong `tenant` gains nothing: a permit always speaks for the actor's own project, and the
/// store's statements carry that project.
pub trait Resource {
    type Id: Clone;
    fn id(&self) -> Self::Id;
    fn tenant(&self) -> &TenantId;
    /// The cluster it is or belongs to; None: the project's own.
    fn cluster(&self) -> Option<ClusterId>;
}

impl Resource for Cluster {
    type Id = ClusterId;
    fn id(&self) -> ClusterId {
        self.id
    }
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn cluster(&self) -> Option<ClusterId> {
        Some(self.id)
    }
}

impl Resource for ClusterEndpoint {
    type Id = ClusterId;
    fn id(&self) -> ClusterId {
        self.id
    }
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn cluster(&self) -> Option<ClusterId> {
        Some(self.id)
    }
}

/// The project itself: what a cluster is created in.
impl Resource for Project {
    type Id = ();
    fn id(&self) {}
    fn tenant(&self) -> &TenantId {
        &self.id
    }
    fn cluster(&self) -> Option<ClusterId> {
        None
    }
}

/// Only `Actor::may` makes one. Used up by the write it allows.
#[derive(Debug)]
pub struct Permit<A: Action> {
    actor: Actor,
    id: A::Id,
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Permit<A> {
    pub(crate) fn new(actor: Actor, id: A::Id) -> Self {
        Self { actor, id, action: PhantomData }
    }

    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What may be acted on.
    #[must_use]
    pub fn id(&self) -> &A::Id {
        &self.id
    }

    /// Whose it is: the predicate of the write.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.actor.project.id
    }

    #[must_use]
    pub fn permission(&self) -> Permission {
        A::PERMISSION
    }
}
