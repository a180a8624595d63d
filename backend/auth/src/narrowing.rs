//! What an API token or an application credential lets through of what its owner may do: never more, and as little as the owner chose.

use crate::rights::{Rights, Sight};
use domain::ids::ClusterId;
use domain::members::Inside;
use domain::permissions::{self, Permission, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

    /// The namespaces of a cluster that are left of these rights, and how much is done there; None: it narrows to no namespaces.
    #[must_use]
    pub fn namespaces_of(&self, rights: &Rights, cluster: ClusterId) -> Option<BTreeMap<String, Inside>> {
        let names = self.namespaces.as_ref()?;
        let seen = rights.sight(cluster).filter(|_| self.clusters.as_ref().is_none_or(|clusters| clusters.contains(&cluster)));
        let left = names.iter().filter(|&name| match &seen {
            None => false,
            Some(Sight::All) => true,
            Some(Sight::Namespaces(given)) => given.contains(name),
        });
        let may = |permission, name: &str| self.lets(permission, Some(cluster)) && rights.has_inside(permission, cluster, Some(name));
        let inside = |name: &str| {
            if may(Permission::KubernetesWrite, name) {
                Inside::Changes
            } else if may(Permission::KubernetesExec, name) {
                Inside::Runs
            } else {
                Inside::Looks
            }
        };
        Some(left.map(|name| (name.clone(), inside(name))).collect())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rights::{Grade, Place};

    fn to(namespaces: &[&str]) -> Narrowing {
        Narrowing { namespaces: Some(namespaces.iter().map(|name| (*name).to_owned()).collect()), ..Narrowing::default() }
    }

    fn left(narrowing: &Narrowing, rights: &Rights, cluster: ClusterId) -> String {
        let all = narrowing.namespaces_of(rights, cluster).unwrap();
        let mark = |inside: &Inside| match inside {
            Inside::Looks => "",
            Inside::Runs => "!",
            Inside::Changes => "+",
        };
        all.iter().map(|(name, inside)| format!("{name}{}", mark(inside))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn of_namespaces_as_much_is_left_as_the_person_has_there_and_no_more() {
        let (one, other) = (ClusterId::generate(), ClusterId::generate());
        let (member, reader) = (Rights::of(&[Role::Member], None), Rights::of(&[Role::Reader], None));
        let both = to(&["shop", "web"]);
        assert_eq!((left(&both, &member, one).as_str(), left(&both, &reader, one).as_str()), ("shop+ web+", "shop web"));
        assert_eq!(Narrowing::default().namespaces_of(&member, one), None);
        let place = |namespace: &str, role| Place { cluster: one, namespace: Some(namespace.to_owned()), grade: Grade::Role(role) };
        let places = vec![place("web", Role::Member), place("shop", Role::Reader), place("own", Role::Member), place("shut", Role::Guest)];
        let guest = Rights { everywhere: Grade::Role(Role::Guest), places };
        assert_eq!(left(&to(&["shop", "shut", "strange", "web"]), &guest, one), "shop web+", "nobody comes where they were given nothing");
        assert_eq!(left(&both, &guest, other), "");
        let nobody = Rights::of(&[], None);
        assert_eq!(left(&both, &nobody, one), "");
    }

    #[test]
    fn what_is_narrowed_to_looking_or_to_other_clusters_changes_nothing() {
        let (one, other) = (ClusterId::generate(), ClusterId::generate());
        let member = Rights::of(&[Role::Member], None);
        let only = |permissions: &[Permission]| Narrowing { permissions: Some(permissions.iter().copied().collect()), ..to(&["web"]) };
        for (permissions, expected) in [
            (vec![], "web"),
            (vec![Permission::NodePoolResize], "web"),
            (vec![Permission::KubernetesWrite], "web+"),
            // Who runs commands makes no pods.
            (vec![Permission::KubernetesExec], "web!"),
            (vec![Permission::KubernetesExec, Permission::KubernetesWrite], "web+"),
        ] {
            assert_eq!(left(&only(&permissions), &member, one), expected, "{permissions:?}");
        }
        let elsewhere = Narrowing { clusters: Some([other].into()), ..to(&["web"]) };
        assert_eq!((left(&elsewhere, &member, one).as_str(), left(&elsewhere, &member, other).as_str()), ("", "web+"));
    }
}
