//! The policy on one page: every action, the permission it needs (`Permission::least_role` says which role has it), and what it acts on.
//! Reading needs any role and is bounded by `Scope`; the admin view needs an operator.

use crate::permit::Action;
use domain::ids::{ClusterId, KubeconfigId, OperationId, TemplateId};
use domain::permissions::Permission;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident ($permission:ident) on $id:ty;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Action for $name {
            const PERMISSION: Permission = Permission::$permission;
            type Id = $id;
        }
    )+};
}

actions! {
    /// Create a cluster in a project.
    ClusterCreate (ClusterCreate) on ();
    /// Change settings of a cluster that need no work in the cloud.
    ClusterUpdate (ClusterUpdate) on ClusterId;
    /// Delete a cluster with all it consists of.
    ClusterDelete (ClusterDelete) on ClusterId;
    /// Make whole what is missing or broken.
    ClusterRepair (ClusterRepair) on ClusterId;
    /// Change the count of masters.
    ControlPlaneResize (ControlPlaneResize) on ClusterId;
    /// Add a node pool.
    NodePoolCreate (NodePoolCreate) on ClusterId;
    /// Delete a node pool with its nodes.
    NodePoolDelete (NodePoolDelete) on ClusterId;
    /// Cordon, drain, reboot or replace a node.
    NodeOperate (NodeOperate) on ClusterId;
    /// Change the count of a node pool.
    NodePoolResize (NodePoolResize) on ClusterId;
    /// Let a failed or blocked operation go on.
    OperationRetry (OperationRetry) on OperationId;
    /// Stop a resize where it is.
    OperationCancel (OperationCancel) on OperationId;
    /// Get a kubeconfig that speaks for oneself.
    KubeconfigIssue (KubeconfigIssue) on ClusterId;
    /// Make a kubeconfig worthless: one's own as a reader, anybody's as a member.
    KubeconfigRevoke (KubeconfigRevoke) on KubeconfigId;
    /// Change Kubernetes objects through the console.
    KubernetesWrite (KubernetesWrite) on ClusterId;
    /// Run commands in containers, forward ports.
    KubernetesExec (KubernetesExec) on ClusterId;
    /// Keep a template of the project's own.
    TemplateCreate (TemplateCreate) on ();
    /// Change or delete such a template.
    TemplateChange (TemplateChange) on TemplateId;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::permit::Resource;
    use crate::{Actor, Project, User, Via};
    use domain::codes::Code;
    use domain::ids::TenantId;
    use domain::permissions::Role;

    fn actor(tenant: &str, role: Option<Role>) -> Actor {
        Actor {
            user: User { id: "u".into(), name: "u".into(), domain: "default".into() },
            project: Project { id: TenantId(tenant.into()), name: tenant.into() },
            roles: role.into_iter().collect(),
            operator: false,
            via: Via::Session,
        }
    }

    /// A thing of tenant `a`.
    struct Thing<Id>(Id, TenantId);

    impl<Id: Clone> Resource for Thing<Id> {
        type Id = Id;
        fn id(&self) -> Id {
            self.0.clone()
        }
        fn tenant(&self) -> &TenantId {
            &self.1
        }
    }

    /// Who of (nobody, reader, member, member of another tenant, operator of another project) may.
    fn allowed<A: Action>(id: A::Id) -> [bool; 5] {
        let thing = Thing(id, TenantId("a".into()));
        let operator = Actor { operator: true, ..actor("admin", Some(Role::Member)) };
        [actor("a", None), actor("a", Some(Role::Reader)), actor("a", Some(Role::Member)), actor("b", Some(Role::Member)), operator]
            .map(|actor| actor.may::<A>(&thing).is_ok())
    }

    #[test]
    fn every_action_is_for_its_role_in_the_own_tenant_only() {
        let (cluster, operation, kubeconfig) = (ClusterId::generate(), OperationId::generate(), KubeconfigId::generate());
        let (members, readers) = ([false, false, true, false, false], [false, true, true, false, false]);
        assert_eq!(allowed::<ClusterCreate>(()), members);
        assert_eq!(allowed::<ClusterDelete>(cluster), members);
        assert_eq!(allowed::<ClusterRepair>(cluster), members);
        assert_eq!(allowed::<ControlPlaneResize>(cluster), members);
        assert_eq!(allowed::<NodePoolCreate>(cluster), members);
        assert_eq!(allowed::<NodePoolResize>(cluster), members);
        assert_eq!(allowed::<NodePoolDelete>(cluster), members);
        assert_eq!(allowed::<NodeOperate>(cluster), members);
        assert_eq!(allowed::<OperationRetry>(operation), members);
        assert_eq!(allowed::<OperationCancel>(operation), members);
        assert_eq!(allowed::<KubernetesWrite>(cluster), members);
        assert_eq!(allowed::<KubernetesExec>(cluster), members);
        assert_eq!(allowed::<ClusterUpdate>(cluster), members);
        assert_eq!(allowed::<TemplateCreate>(()), members);
        assert_eq!(allowed::<TemplateChange>(TemplateId::generate()), members);
        assert_eq!(allowed::<KubeconfigIssue>(cluster), readers);
        assert_eq!(allowed::<KubeconfigRevoke>(kubeconfig), readers);
    }

    #[test]
    fn a_refusal_names_what_is_missing() {
        let reader = actor("a", Some(Role::Reader));
        let refused = reader.may::<ClusterCreate>(&reader.project).unwrap_err();
        assert_eq!((refused.code(), refused.permission, refused.needed), (Code::Forbidden, Some(Permission::ClusterCreate), Some(Role::Member)));
        assert_eq!(reader.operator().unwrap_err().code(), Code::OperatorsOnly);
    }

    #[test]
    fn the_admin_view_is_for_operators_and_never_through_a_kubeconfig() {
        let operator = Actor { operator: true, ..actor("admin", None) };
        assert_eq!(operator.operator().unwrap().scope().predicate(), None);
        assert_eq!(operator.scope().predicate(), Some(""), "no role, nothing to see as an ordinary user");
        let by_kubeconfig = Actor { via: Via::Kubeconfig(KubeconfigId::generate()), ..operator };
        assert!(by_kubeconfig.operator().is_err());
        assert_eq!(actor("a", Some(Role::Reader)).scope().predicate(), Some("a"));
    }
}
