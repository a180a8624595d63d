//! The policy on one page: every action, the permission it needs (`Permission::least_role` says which role has it), and what it acts on.
//! Reading needs any role and is bounded by `Scope`; the admin view needs an operator.

use crate::permit::Action;
use domain::ids::{ClusterId, KubeconfigId, OperationId};
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
    /// Delete a cluster with all it consists of.
    ClusterDelete (ClusterDelete) on ClusterId;
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
}
