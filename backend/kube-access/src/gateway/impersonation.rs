//! Who a request is made as. Only the two groups of ours can be expressed, so that nobody becomes `system:masters` by a slip.

use crate::{KubeError, MEMBER_GROUP, NAME_EXTRA, READER_GROUP};
use domain::permissions::Role;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A person, as a cluster sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impersonation {
    /// `kcs:<Keystone user id>`
    user: String,
    /// The person's name, for the cluster's audit log.
    name: String,
    group: &'static str,
}

impl Impersonation {
    #[must_use]
    pub fn new(user_id: &str, name: &str, role: Role) -> Self {
        Self {
            user: format!("kcs:{user_id}"),
            name: name.to_owned(),
            group: match role {
                Role::Member => MEMBER_GROUP,
                Role::Reader => READER_GROUP,
            },
        }
    }

    /// Sets the headers, over whatever is there.
    pub(crate) fn set(&self, headers: &mut HeaderMap) -> Result<(), KubeError> {
        let odd = || KubeError::Refused("the user's id is not one that a header can carry");
        headers.insert("impersonate-user", HeaderValue::from_str(&self.user).map_err(|_| odd())?);
        headers.insert("impersonate-group", HeaderValue::from_static(self.group));
        let key = format!("impersonate-extra-{}", NAME_EXTRA.replace('/', "%2f"));
        let key = HeaderName::try_from(key).map_err(|_| odd())?;
        // A name is for people: what a header cannot carry is left out.
        let name: String = self.name.chars().filter(|c| !c.is_control()).collect();
        if let Ok(value) = HeaderValue::from_bytes(name.as_bytes()) {
            headers.insert(key, value);
        }
        Ok(())
    }
}
