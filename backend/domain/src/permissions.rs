//! The permissions vocabulary: what may be allowed, by its stable name.

use serde::{Deserialize, Serialize};

/// A role in one tenant, mapped from Keystone's roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May look; no secret values, no exec.
    Reader,
    /// May change everything of the tenant's own clusters.
    Member,
}

/// One thing that may be done. Kinds of action, not routes: several routes may need the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    ClusterCreate,
    ClusterUpdate,
    ClusterDelete,
    ClusterRepair,
    ControlPlaneResize,
    NodePoolCreate,
    NodePoolResize,
    NodePoolDelete,
    NodeOperate,
    OperationRetry,
    OperationCancel,
    KubeconfigIssue,
    KubeconfigRevoke,
    KubernetesWrite,
    KubernetesExec,
    TemplateCreate,
    TemplateChange,
}

impl Permission {
    /// The least role in the cluster's tenant that has it.
    #[must_use]
    pub fn least_role(self) -> Role {
        match self {
            // A reader's kubeconfig can do no more than the reader: impersonation decides again at every call.
            Self::KubeconfigIssue | Self::KubeconfigRevoke => Role::Reader,
            _ => Role::Member,
        }
    }
}
