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

/// Whether a control plane of version `from` may become `to`: the same or the next minor version, never an older one.
#[must_use]
pub fn may_upgrade(from: KubernetesVersion, to: KubernetesVersion) -> bool {
    to > from && to.major == from.major && to.minor <= from.minor + 1
}

/// Whether a kubelet may serve a control plane: not newer, and at most three minor versions older.
#[must_use]
pub fn kubelet_fits(kubelet: KubernetesVersion, control_plane: KubernetesVersion) -> bool {
    kubelet <= control_plane && kubelet.major == control_plane.major && control_plane.minor - kubelet.minor <= 3
}

/// One version offered, with the name of its node image in Glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CatalogueVersion {
    /// `v1.36.3`
    pub version: String,
    pub support: Support,
    /// Exact name of the Glance image that nodes of this version boot from.
    pub image: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_go_up_by_one_minor_and_kubelets_follow_by_three() {
        let v = |text: &str| text.parse::<KubernetesVersion>().unwrap();
        assert!(may_upgrade(v("v1.35.4"), v("v1.36.3")) && may_upgrade(v("v1.36.1"), v("v1.36.3")));
        assert!(!may_upgrade(v("v1.34.0"), v("v1.36.0")) && !may_upgrade(v("v1.36.3"), v("v1.36.1")) && !may_upgrade(v("v1.36.3"), v("v1.36.3")));
        assert!(kubelet_fits(v("v1.33.9"), v("v1.36.0")) && kubelet_fits(v("v1.36.0"), v("v1.36.0")));
        assert!(!kubelet_fits(v("v1.36.1"), v("v1.36.0")) && !kubelet_fits(v("v1.32.9"), v("v1.36.0")));
    }
}
