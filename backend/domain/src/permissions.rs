//! The permissions vocabulary: what may be allowed, by its stable name.

use crate::newer;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;

/// A role in one tenant, mapped from Keystone's roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May enter the project; what they may do there is given to them one by one.
    Guest,
    /// May look; no secret values, no exec.
    Reader,
    /// May change everything of the tenant's own clusters.
    Member,
    /// May also say what others may do.
    Owner,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Guest, Self::Reader, Self::Member, Self::Owner];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

/// One thing that may be done. Kinds of action, not routes: several routes may need the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
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
    KubeconfigRevokeAll,
    KubernetesWrite,
    KubernetesExec,
    TemplateCreate,
    TemplateChange,
    TokenCreate,
    TokenRevoke,
    QuotaRequest,
    MembersManage,
}

impl Permission {
    /// All of them, in the order of the lists.
    pub const ALL: [Self; 22] = [
        Self::ClusterCreate,
        Self::ClusterUpdate,
        Self::ClusterDelete,
        Self::ClusterRepair,
        Self::ControlPlaneResize,
        Self::NodePoolCreate,
        Self::NodePoolResize,
        Self::NodePoolDelete,
        Self::NodeOperate,
        Self::OperationRetry,
        Self::OperationCancel,
        Self::KubeconfigIssue,
        Self::KubeconfigRevoke,
        Self::KubeconfigRevokeAll,
        Self::KubernetesWrite,
        Self::KubernetesExec,
        Self::TemplateCreate,
        Self::TemplateChange,
        Self::TokenCreate,
        Self::TokenRevoke,
        Self::QuotaRequest,
        Self::MembersManage,
    ];

    /// The least role in the cluster's tenant that has it.
    #[must_use]
    pub fn least_role(self) -> Role {
        match self {
            // A reader's kubeconfig can do no more than the reader: impersonation decides again at every call.
            Self::KubeconfigIssue | Self::KubeconfigRevoke | Self::TokenCreate | Self::TokenRevoke => Role::Reader,
            Self::MembersManage => Role::Owner,
            _ => Role::Member,
        }
    }

    /// Whether what comes of it acts as the person themselves from then on, with all that they may, or ends what does.
    #[must_use]
    pub fn speaks_for_its_owner(self) -> bool {
        matches!(self, Self::KubeconfigIssue | Self::TokenCreate | Self::TokenRevoke)
    }
}

/// Reads permissions as they are kept, without those that a newer program alone knows.
pub fn known<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<Permission>, D::Error> {
    Ok(newer::known::<D, Permission>(from)?.into_iter().collect())
}

/// The same where there may be none.
pub fn known_of_some<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BTreeSet<Permission>>, D::Error> {
    let kept = Option::<Kept>::deserialize(from)?;
    Ok(kept.map(|Kept(permissions)| permissions))
}

/// Permissions as they are kept.
#[derive(Clone, Debug, Deserialize)]
pub struct Kept(#[serde(deserialize_with = "known")] pub BTreeSet<Permission>);
