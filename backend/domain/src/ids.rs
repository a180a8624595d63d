//! Typed identifiers: one type a noun, so that a node's id cannot be passed where a cluster's is wanted.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, ordered by time of making (UUID version 7).
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

uuid_id! {
    /// A cluster.
    ClusterId,
    /// One long change asked for.
    OperationId,
    /// One virtual machine of a cluster.
    NodeId,
    /// A row of the ledger: one cloud object of ours.
    ResourceId,
    /// A kubeconfig issued to a person.
    KubeconfigId,
    /// A certificate handed to a person for calls past the gate.
    CertificateId,
    /// A cluster template of a tenant's own.
    TemplateId,
    /// An object in the cloud that nobody looks after.
    OrphanId,
    /// An API token of a person's.
    TokenId,
    /// A session, token or kubeconfig of a person's, whichever it is.
    HeldId,
    /// A role that a project composed itself.
    RoleId,
    /// A tenant's request for more than its limits.
    QuotaRequestId,
    /// What operators tell everybody.
    AnnouncementId,
}

/// A tenant: the id of one OpenStack project, as Keystone spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct TenantId(pub String);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
