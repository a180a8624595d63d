//! What an API token or an application credential lets through of what its owner may do: never more, and as little as the owner chose.

use crate::rights::Rights;
use domain::ids::ClusterId;
use domain::permissions::{self, Permission, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Absent parts narrow nothing. Looking is always let through, within the clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// Absent beside `namespaces`: only what is done inside of them. Of what only a newer program knows nothing is let through here.
    #[serde(default, deserialize_with = "permissions::known_of_some")]
    pub permissions: Option<BTreeSet<Permission>>,
    pub clusters: Option<BTreeSet<ClusterId>>,
    /// Namespaces, in whichever cluster: for calls that go into one.
    pub namespaces: Option<BTreeSet<String>>,
}

impl Narrowing {
    /// Of an application credential: what its own roles are worth, whatever else its owner was given in the project, and nothing that would speak
    /// for the owner afterwards: a token or a kubeconfig outlives the credential, and has its owner's roles.
    #[must_use]
    pub fn of_credential(roles: &[Role]) -> Self {
        let own = Rights::of(roles, None);
        let lets = |permission: &Permission| own.has(*permission, None) && !permission.speaks_for_its_owner();
        Self { permissions: Some(Permission::ALL.into_iter().filter(lets).collect()), ..Self::default() }
    }

    /// Whether an action on a cluster, or on the project itself, is let through.
    #[must_use]
    pub fn lets(&self, permission: Permission, cluster: Option<ClusterId>) -> bool {
        let named = match (&self.clusters, cluster) {
            (None, _) => true,
            (Some(clusters), Some(cluster)) => clusters.contains(&cluster),
            // A new cluster is none of those that were named.
            (Some(_), None) => false,
        };
        let may = match (&self.permissions, &self.namespaces) {
            (Some(all), _) => all.contains(&permission),
            // Who is kept to namespaces is not let loose on the cluster around them.
            (None, Some(_)) => matches!(permission, Permission::KubernetesWrite | Permission::KubernetesExec),
            (None, None) => true,
        };
        named && may
    }

    /// Whether a call into a cluster is let through that is about this namespace; None: it is about none, or about all.
    #[must_use]
    pub fn lets_into(&self, namespace: Option<&str>) -> bool {
        match (&self.namespaces, namespace) {
            (None, _) => true,
            (Some(all), Some(namespace)) => all.contains(namespace),
            (Some(_), None) => false,
        }
    }
}
