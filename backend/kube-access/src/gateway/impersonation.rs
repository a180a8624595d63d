//! Who a request is made as. Only the groups of ours can be expressed, so that nobody becomes `system:masters` by a slip.

use super::Reach;
use crate::{GUEST_GROUP, KubeError, MEMBER_GROUP, READER_GROUP, namespace_group, narrowed_name, user_name};
use domain::members::Inside;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;

/// `NAME_EXTRA`, as the name of a header carries it.
const NAME_HEADER: HeaderName = HeaderName::from_static("impersonate-extra-kcs%2fname");

/// What a person is in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Does everything.
    Member,
    /// Looks at all but secrets.
    Reader,
    /// Does what the rules of single namespaces say.
    Guest,
}

/// A person, as a cluster sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impersonation {
    /// `kcs:<Keystone user id>`, but for who would be called as we are.
    user: String,
    /// The person's name, for the cluster's audit log.
    name: String,
    group: &'static str,
    /// Of who came with what was narrowed to namespaces: these, and how much they do there.
    namespaces: BTreeMap<String, Inside>,
}

impl Impersonation {
    #[must_use]
    pub fn new(user_id: &str, name: &str, group: Group) -> Self {
        Self {
            user: user_name(user_id),
            name: name.to_owned(),
            group: match group {
                Group::Member => MEMBER_GROUP,
                Group::Reader => READER_GROUP,
                Group::Guest => GUEST_GROUP,
            },
            namespaces: BTreeMap::new(),
        }
    }

    /// Somebody who came with what was narrowed to these namespaces, and does so much there. Each has groups of its own, whoever comes: the cluster's own rules
    /// know nothing else of them, neither the person's name nor what the person may do besides.
    #[must_use]
    pub fn narrowed(user_id: &str, name: &str, namespaces: BTreeMap<String, Inside>) -> Self {
        Self { user: narrowed_name(user_id), name: name.to_owned(), group: GUEST_GROUP, namespaces }
    }

    /// Who they are, as a certificate says it.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    #[must_use]
    pub fn group(&self) -> &'static str {
        self.group
    }

    /// The groups of namespaces that count for a request. Only those it is about: one of a namespace that the cluster's rules know nothing of, for it is not there, is
    /// refused with the whole request. A question about oneself says only in its body which it is about: it comes with all, and is refused while one is not there.
    fn groups(&self, reach: &Reach) -> Vec<String> {
        let of = |(namespace, inside): (&String, &Inside)| namespace_group(namespace, *inside);
        match reach {
            Reach::Namespace(name) => self.namespaces.get_key_value(name).map(of).into_iter().collect(),
            Reach::Oneself => self.namespaces.iter().map(of).collect(),
            Reach::Nothing | Reach::Cluster => Vec::new(),
        }
    }

    /// Sets the headers of a request that reaches so far, over whatever is there.
    pub(crate) fn set(&self, headers: &mut HeaderMap, reach: &Reach) -> Result<(), KubeError> {
        const ODD: KubeError = KubeError::Refused("the user's id is not one that a header can carry");
        // A space at the end is lost on the way, and it would be somebody else's name, or ours.
        if self.user.trim_end() != self.user {
            return Err(ODD);
        }
        let user = HeaderValue::from_str(&self.user).map_err(|_| ODD)?;
        headers.insert("impersonate-user", user);
        headers.insert("impersonate-group", HeaderValue::from_static(self.group));
        for group in self.groups(reach) {
            let group = HeaderValue::from_str(&group).map_err(|_| KubeError::Refused("the namespace's name is not one that a header can carry"))?;
            headers.append("impersonate-group", group);
        }
        // A name is for people: what a header cannot carry is left out.
        let name: String = self.name.chars().filter(|c| !c.is_control()).collect();
        if let Ok(value) = HeaderValue::from_bytes(name.as_bytes()) {
            headers.insert(NAME_HEADER, value);
        }
        Ok(())
    }
}
