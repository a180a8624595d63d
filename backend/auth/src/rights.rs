//! Rights: how much a person was given in a project, everywhere in it and in places of it. Keystone's role is what counts unless the project's
//! owners said otherwise.

use domain::ids::ClusterId;
use domain::permissions::{self, Permission, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How much somebody may do where it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Role(Role),
    /// A role that the project composed itself: looking, and these. Of what only a newer program knows nothing is given here.
    Permissions(#[serde(deserialize_with = "permissions::known")] BTreeSet<Permission>),
}

impl Grade {
    #[must_use]
    pub fn has(&self, permission: Permission) -> bool {
        match self {
            Self::Role(role) => *role >= permission.least_role(),
            Self::Permissions(all) => all.contains(&permission) || permission.least_role() <= Role::Reader,
        }
    }

    /// Whether it is for looking at least.
    #[must_use]
    pub fn looks(&self) -> bool {
        !matches!(self, Self::Role(Role::Guest))
    }

    /// Whether it changes things inside of clusters.
    #[must_use]
    pub fn changes_inside(&self) -> bool {
        self.has(Permission::KubernetesWrite) || self.has(Permission::KubernetesExec)
    }
}

/// A cluster, or a namespace of one, and how much is given there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub cluster: ClusterId,
    /// None: all of the cluster.
    pub namespace: Option<String>,
    pub grade: Grade,
}

/// All that a person was given in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    pub everywhere: Grade,
    #[serde(default)]
    pub places: Vec<Place>,
}

/// What of a cluster's inside somebody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    All,
    /// Nothing but what is in these namespaces.
    Namespaces(BTreeSet<String>),
}

impl Rights {
    /// By Keystone's roles, unless the project's owners gave something else. An owner by Keystone is one whatever others say: nobody is locked out
    /// of a project by those who were let into it.
    #[must_use]
    pub fn of(roles: &[Role], given: Option<Rights>) -> Self {
        let keystone = roles.iter().copied().max().unwrap_or(Role::Guest);
        let own = Self { everywhere: Grade::Role(keystone), places: Vec::new() };
        given.filter(|_| keystone < Role::Owner).unwrap_or(own)
    }

    /// Whether there is nothing at all to be done or seen.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.everywhere.looks() && self.places.iter().all(|place| !place.grade.looks())
    }

    /// Whether an action on a cluster as a whole, or (None) on the project itself, is allowed. What a person does for themselves, a token or a
    /// kubeconfig, needs no more than some place: it is worth no more than that.
    #[must_use]
    pub fn has(&self, permission: Permission, cluster: Option<ClusterId>) -> bool {
        let own = permission.least_role() <= Role::Reader;
        let here = |place: &&Place| cluster.is_none_or(|cluster| place.cluster == cluster);
        let mut places =
            self.places.iter().filter(here).filter(|place| if own { place.grade.looks() } else { cluster.is_some() && place.namespace.is_none() });
        self.everywhere.has(permission) || places.any(|place| place.grade.has(permission))
    }

    /// Whether a call into a cluster is allowed that is about this namespace; None: about none, or about all.
    #[must_use]
    pub fn has_inside(&self, permission: Permission, cluster: ClusterId, namespace: Option<&str>) -> bool {
        self.everywhere.has(permission) || self.around(cluster, namespace).any(|grade| grade.has(permission))
    }

    /// What of a cluster's inside is seen; None: nothing of it, nor of the cluster.
    #[must_use]
    pub fn sight(&self, cluster: ClusterId) -> Option<Sight> {
        if self.everywhere.looks() || self.around(cluster, None).any(Grade::looks) {
            return Some(Sight::All);
        }
        let here = self.places.iter().filter(|place| place.cluster == cluster && place.grade.looks());
        let namespaces: BTreeSet<String> = here.filter_map(|place| place.namespace.clone()).collect();
        (!namespaces.is_empty()).then_some(Sight::Namespaces(namespaces))
    }

    /// Whether the person sees only places of the project; which clusters those are in.
    #[must_use]
    pub fn clusters(&self) -> Option<BTreeSet<ClusterId>> {
        let places = self.places.iter().filter(|place| place.grade.looks());
        (!self.everywhere.looks()).then(|| places.map(|place| place.cluster).collect())
    }

    /// How much is given in a cluster as a whole, be it everywhere or there.
    #[must_use]
    pub fn changes_inside(&self, cluster: ClusterId) -> bool {
        self.everywhere.changes_inside() || self.around(cluster, None).any(Grade::changes_inside)
    }

    /// Whether the cluster's own rules, by themselves, say the same of the person as we do: they know changing all and looking, in all of the cluster or
    /// in a namespace, and nothing between.
    #[must_use]
    pub fn plain_inside(&self, cluster: ClusterId) -> bool {
        let plain = |grade: &Grade| grade.has(Permission::KubernetesWrite) == grade.has(Permission::KubernetesExec);
        plain(&self.everywhere) && self.places.iter().filter(|place| place.cluster == cluster).all(|place| plain(&place.grade))
    }

    /// The grades of the places that hold this one.
    fn around<'a>(&'a self, cluster: ClusterId, namespace: Option<&'a str>) -> impl Iterator<Item = &'a Grade> {
        let holds = move |place: &&Place| place.cluster == cluster && place.namespace.as_deref().is_none_or(|own| Some(own) == namespace);
        self.places.iter().filter(holds).map(|place| &place.grade)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const WRITE: Permission = Permission::KubernetesWrite;

    fn place(cluster: ClusterId, namespace: Option<&str>, grade: Grade) -> Place {
        Place { cluster, namespace: namespace.map(str::to_owned), grade }
    }

    fn guest(places: Vec<Place>) -> Rights {
        Rights { everywhere: Grade::Role(Role::Guest), places }
    }

    #[test]
    fn keystones_role_counts_until_an_owner_says_otherwise() {
        assert_eq!(Rights::of(&[Role::Reader, Role::Member], None).everywhere, Grade::Role(Role::Member));
        assert!(Rights::of(&[], None).is_nothing() && Rights::of(&[Role::Guest], None).is_nothing());
        assert!(!Rights::of(&[Role::Member], Some(guest(vec![]))).has(WRITE, None), "given less than Keystone says");
        assert!(Rights::of(&[Role::Owner], Some(guest(vec![]))).has(Permission::MembersManage, None), "but an owner by Keystone stays one");
    }

    #[test]
    fn who_has_a_namespace_has_nothing_around_it() {
        let (one, other) = (ClusterId::generate(), ClusterId::generate());
        let rights = guest(vec![place(one, Some("web"), Grade::Role(Role::Member))]);
        assert!(rights.has_inside(WRITE, one, Some("web")));
        for (cluster, namespace) in [(one, Some("other")), (one, None), (other, Some("web"))] {
            assert!(!rights.has_inside(WRITE, cluster, namespace), "{namespace:?}");
        }
        assert!(!rights.has(Permission::ClusterDelete, Some(one)) && !rights.has(WRITE, Some(one)));
        assert!(rights.has(Permission::KubeconfigIssue, Some(one)) && !rights.has(Permission::KubeconfigIssue, Some(other)));
        assert!(rights.has(Permission::TokenCreate, None));
        assert_eq!(rights.sight(one), Some(Sight::Namespaces(["web".to_owned()].into())));
        assert_eq!((rights.sight(other), rights.clusters()), (None, Some([one].into())));
    }

    #[test]
    fn who_has_a_cluster_has_all_that_is_in_it_and_nothing_of_the_project() {
        let (one, other) = (ClusterId::generate(), ClusterId::generate());
        let rights = guest(vec![place(one, None, Grade::Role(Role::Member))]);
        assert!(rights.has_inside(WRITE, one, Some("web")) && rights.has_inside(WRITE, one, None));
        assert!(rights.has(Permission::ClusterDelete, Some(one)) && !rights.has(Permission::ClusterDelete, Some(other)));
        assert!(!rights.has(Permission::ClusterCreate, None));
        assert_eq!(rights.sight(one), Some(Sight::All));
    }

    #[test]
    fn a_role_of_the_projects_own_is_looking_and_what_it_names() {
        let grade = Grade::Permissions([Permission::NodePoolResize].into());
        let rights = Rights { everywhere: grade, places: vec![] };
        assert!(rights.has(Permission::NodePoolResize, None) && rights.has(Permission::TokenCreate, None) && !rights.has(WRITE, None));
        assert_eq!((rights.sight(ClusterId::generate()), rights.clusters()), (Some(Sight::All), None));
    }

    #[test]
    fn a_clusters_own_rules_know_changing_and_looking_and_nothing_between() {
        let (one, other) = (ClusterId::generate(), ClusterId::generate());
        let only = |permission: Permission| Grade::Permissions([permission].into());
        for whole in [Grade::Role(Role::Reader), Grade::Role(Role::Owner), only(Permission::NodePoolResize)] {
            assert!(guest(vec![place(one, Some("web"), whole.clone())]).plain_inside(one), "{whole:?}");
            assert!(Rights { everywhere: whole, places: vec![] }.plain_inside(one));
        }
        for part in [only(WRITE), only(Permission::KubernetesExec)] {
            let rights = guest(vec![place(one, Some("web"), part.clone())]);
            assert!(!rights.plain_inside(one) && rights.plain_inside(other), "{part:?}");
            assert!(!Rights { everywhere: part, places: vec![] }.plain_inside(one));
        }
    }

    #[test]
    fn a_guests_place_counts_for_nothing() {
        let one = ClusterId::generate();
        let rights = guest(vec![place(one, None, Grade::Role(Role::Guest))]);
        assert!(rights.is_nothing() && rights.sight(one).is_none() && !rights.has(Permission::KubeconfigIssue, Some(one)));
    }
}
