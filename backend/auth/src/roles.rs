//! From Keystone's role names to ours, and who is an operator. Pure and configurable.

use domain::permissions::Role;
use serde::{Deserialize, Serialize};

/// A role name in one project that makes an operator. Being admin in just any project makes nobody one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorGrant {
    /// Name of the Keystone role.
    pub role: String,
    /// Id or name of the project; a name counts in the operators' domain only.
    pub project: String,
}

/// Which Keystone roles count as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleNames {
    pub owner: Vec<String>,
    pub member: Vec<String>,
    pub reader: Vec<String>,
    pub operators: Vec<OperatorGrant>,
    /// Id of the domain whose projects `operators` may name.
    pub operator_domain: String,
}

impl Default for RoleNames {
    fn default() -> Self {
        Self {
            owner: vec!["manager".to_owned(), "admin".to_owned()],
            member: vec!["member".to_owned()],
            reader: vec!["reader".to_owned()],
            operators: vec![OperatorGrant { role: "admin".to_owned(), project: "admin".to_owned() }],
            operator_domain: "default".to_owned(),
        }
    }
}

/// What a Keystone token is worth here. No role: no place in the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    pub roles: Vec<Role>,
    pub operator: bool,
}

impl RoleNames {
    /// Maps the roles of a token scoped to this project. Role names are compared without regard to case, as Keystone does.
    #[must_use]
    pub fn grants(&self, token_roles: &[String], project_id: &str, project_name: &str, project_domain_id: &str) -> Grants {
        let has = |name: &str| token_roles.iter().any(|r| r.eq_ignore_ascii_case(name));
        let mut roles = Vec::new();
        if self.owner.iter().any(|n| has(n)) {
            roles.push(Role::Owner);
        } else if self.member.iter().any(|n| has(n)) {
            roles.push(Role::Member);
        } else if self.reader.iter().any(|n| has(n)) {
            roles.push(Role::Reader);
        } else if !token_roles.is_empty() {
            roles.push(Role::Guest);
        }
        let named =
            |grant: &OperatorGrant| grant.project == project_id || (grant.project == project_name && self.operator_domain == project_domain_id);
        let operator = self.operators.iter().any(|grant| has(&grant.role) && named(grant));
        Grants { roles, operator }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(roles: &[&str], id: &str, name: &str, domain: &str) -> Grants {
        let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
        RoleNames::default().grants(&roles, id, name, domain)
    }

    #[test]
    fn members_and_readers_are_told_apart() {
        assert_eq!(grants(&["reader", "member"], "p1", "tenant-a", "default").roles, [Role::Member]);
        assert_eq!(grants(&["Reader"], "p1", "tenant-a", "default").roles, [Role::Reader]);
        assert_eq!(grants(&["load-balancer_member"], "p1", "tenant-a", "default").roles, [Role::Guest]);
        assert_eq!(grants(&["member", "manager"], "p1", "tenant-a", "default").roles, [Role::Owner]);
        assert!(grants(&[], "p1", "tenant-a", "default").roles.is_empty());
    }

    #[test]
    fn only_the_pairs_listed_make_an_operator() {
        assert!(grants(&["admin"], "p0", "admin", "default").operator);
        assert!(!grants(&["admin"], "p1", "tenant-a", "default").operator, "admin of an ordinary project");
        assert!(!grants(&["admin"], "p9", "admin", "foreign-domain").operator, "a project of the same name in another domain");
        assert!(!grants(&["member"], "p0", "admin", "default").operator);
    }
}
