//! Kubernetes versions and the catalogue of those offered.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A Kubernetes release, `v1.36.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KubernetesVersion {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The text is no release of the form `v1.36.3`.
#[derive(Debug, thiserror::Error)]
#[error("not a Kubernetes version of the form v1.36.3")]
pub struct ParseVersionError;

impl FromStr for KubernetesVersion {
    type Err = ParseVersionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.strip_prefix('v').ok_or(ParseVersionError)?.split('.');
        let mut next =
            || parts.next().filter(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())).and_then(|p| p.parse().ok()).ok_or(ParseVersionError);
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        if parts.next().is_some() { Err(ParseVersionError) } else { Ok(version) }
    }
}

impl TryFrom<String> for KubernetesVersion {
    type Error = ParseVersionError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// How far a version is supported by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    Preview,
    Current,
    /// Not for new clusters unless it is asked for by name; those that have it go on.
    Deprecated,
    /// Not offered any more; clusters that have it go on.
    Hidden,
}

/// The property of a Glance image that says which Kubernetes version is in it.
pub const IMAGE_PROPERTY: &str = "kcs_kubernetes_version";

/// One version offered, with the name of its node image in Glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CatalogueVersion {
    /// `v1.36.3`
    pub version: String,
    pub support: Support,
    /// Exact name of the Glance image that nodes of this version boot from.
    pub image: String,
}
