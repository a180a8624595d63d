//! From Keystone's role names to ours, and who is an operator. Pure and configurable.

use domain::permissions::Role;
use domain::tenants::WideScope;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A role name in one place that makes an operator. Being admin in just any place makes nobody one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "GrantText")]
pub struct OperatorGrant {
    /// Name of the Keystone role.
    pub role: String,
    pub place: OperatorPlace,
}

/// Where a role makes an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorPlace {
    /// Id or name of the project; a name counts in the operators' domain only.
    Project(String),
    Wide(WideScope),
}

/// A grant as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantText {
    role: String,
    project: Option<String>,
    domain: Option<String>,
    system: Option<SystemText>,
}

/// As Keystone writes the scope of its system.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SystemText {
    All,
}

impl TryFrom<GrantText> for OperatorGrant {
    type Error = &'static str;

    fn try_from(text: GrantText) -> Result<Self, Self::Error> {
        if text.role.trim().is_empty() {
            return Err("role must not be empty");
        }
        let place = match (text.project, text.domain, text.system) {
            (Some(project), None, None) if !project.is_empty() => OperatorPlace::Project(project),
            (None, Some(domain), None) if !domain.is_empty() => OperatorPlace::Wide(WideScope::Domain(domain)),
            (None, None, Some(SystemText::All)) => OperatorPlace::Wide(WideScope::System),
            _ => return Err("must name exactly one of project, domain and system"),
        };
        Ok(Self { role: text.role, place })
    }
}

/// Which Keystone roles count as what.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
            operators: vec![OperatorGrant { role: "admin".to_owned(), place: OperatorPlace::Project("admin".to_owned()) }],
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
        let named = |given: &str| given == project_id || (given == project_name && self.operator_domain == project_domain_id);
        let here = |place: &OperatorPlace| matches!(place, OperatorPlace::Project(given) if named(given));
        let operator = self.operators.iter().any(|grant| has(&grant.role) && here(&grant.place));
        Grants { roles, operator }
    }

    /// Where else than in projects a role makes an operator: what no token of a project tells.
    #[must_use]
    pub fn wide_scopes(&self) -> BTreeSet<&WideScope> {
        let places = self.operators.iter().map(|grant| &grant.place);
        places.filter_map(|place| if let OperatorPlace::Wide(scope) = place { Some(scope) } else { None }).collect()
    }

    /// Whether one of these roles, held in that scope, makes an operator.
    #[must_use]
    pub fn is_operator_in(&self, scope: &WideScope, roles: &[String]) -> bool {
        let held = |name: &str| roles.iter().any(|role| role.eq_ignore_ascii_case(name));
        let there = |place: &OperatorPlace| matches!(place, OperatorPlace::Wide(wide) if wide == scope);
        self.operators.iter().any(|grant| held(&grant.role) && there(&grant.place))
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

    #[test]
    fn a_role_counts_in_the_very_scope_that_it_is_listed_with() {
        let (ops, system) = (WideScope::Domain("ops".to_owned()), WideScope::System);
        let grant = |role: &str, place: OperatorPlace| OperatorGrant { role: role.to_owned(), place };
        let wide = |role: &str, scope: &WideScope| grant(role, OperatorPlace::Wide(scope.clone()));
        let operators = vec![grant("admin", OperatorPlace::Project("ops".to_owned())), wide("admin", &system), wide("keeper", &ops), wide("x", &ops)];
        let names = RoleNames { operators, ..RoleNames::default() };
        assert_eq!(names.wide_scopes().into_iter().collect::<Vec<_>>(), [&ops, &system]);
        let operator = |scope: &WideScope, role: &str| names.is_operator_in(scope, &[role.to_owned()]);
        assert!(operator(&system, "Admin") && operator(&ops, "keeper"));
        assert!(!operator(&ops, "admin") && !operator(&system, "keeper"), "the role of another scope");
        assert!(!operator(&WideScope::Domain("default".to_owned()), "admin"), "a domain that is not listed");
        assert!(!names.grants(&["keeper".to_owned()], "p1", "tenant-a", "ops").operator, "a project of a domain that is listed");
        assert!(RoleNames::default().wide_scopes().is_empty());
    }
}
