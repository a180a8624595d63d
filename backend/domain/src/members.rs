//! Members: what a project's owners give people in it, as it is asked for and kept.

use crate::ids::{ClusterId, RoleId};
use crate::permissions::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// A built-in role by its name, or a role of the project's own by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum GivenRole {
    BuiltIn(Role),
    Own(RoleId),
}

impl GivenRole {
    /// As the two columns in which it is kept.
    #[must_use]
    pub fn columns(self) -> (Option<&'static str>, Option<uuid::Uuid>) {
        match self {
            Self::BuiltIn(role) => (Some(role.as_str()), None),
            Self::Own(id) => (None, Some(id.0)),
        }
    }

    #[must_use]
    pub fn own(self) -> Option<RoleId> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Own(id) => Some(id),
        }
    }
}

impl fmt::Display for GivenRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => f.write_str(role.as_str()),
            Self::Own(id) => id.fmt(f),
        }
    }
}

impl From<GivenRole> for String {
    fn from(role: GivenRole) -> Self {
        role.to_string()
    }
}

impl FromStr for GivenRole {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let built_in = Role::ALL.into_iter().find(|role| role.as_str() == text).map(Self::BuiltIn);
        built_in.or_else(|| text.parse().ok().map(Self::Own)).ok_or_else(|| "must be owner, member, reader, guest or the id of a role".to_owned())
    }
}

impl TryFrom<String> for GivenRole {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A cluster, or one namespace of it, and what is given there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenPlace {
    pub cluster: ClusterId,
    /// Absent: all of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `member`, `reader`, or the id of a role of the project's own.
    #[schema(value_type = String)]
    pub role: GivenRole,
}

/// A person who was given a namespace, for the cluster's own rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespacePerson {
    pub namespace: String,
    /// Keystone's id.
    pub user: String,
    /// Whether they change things there, or only look.
    pub changes: bool,
}

/// How much is done in a namespace by whoever comes there with what was narrowed to it; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inside {
    /// Looks.
    Looks,
    /// Runs commands in pods that are there, and makes none.
    Runs,
    /// Changes things, pods among them.
    Changes,
}

impl Inside {
    pub const ALL: [Self; 3] = [Self::Changes, Self::Runs, Self::Looks];
}

/// Who comes into single namespaces of a cluster only, for the cluster's own rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceAccess {
    pub people: BTreeSet<NamespacePerson>,
    /// Names that kubeconfigs and tokens are narrowed to which are good now, and the most that anybody does there with one.
    pub narrowed: BTreeMap<String, Inside>,
}

impl NamespaceAccess {
    /// Whether nobody comes into single namespaces only.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.narrowed.is_empty()
    }

    /// Those that somebody is to come into and that are not among the cluster's own: whoever gives places, and makes kubeconfigs and tokens, writes into them what they like.
    #[must_use]
    pub fn missing(&self, there: &BTreeSet<String>) -> BTreeSet<String> {
        let names = self.people.iter().map(|person| &person.namespace).chain(self.narrowed.keys());
        names.filter(|name| !there.contains(*name)).cloned().collect()
    }
}
