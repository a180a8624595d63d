//! Who may do what in single namespaces: people who were given them, by their names, and whoever comes with what was narrowed to them, in groups that each namespace has
//! for those.

use super::access::{LOOKS, RBAC};
use super::{Engine, segment};
use crate::{GATEWAY, GUEST_GROUP, KubeError, namespace_group, user_name};
use domain::members::{Inside, NamespaceAccess, NamespacePerson};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Kubernetes' own role for whoever changes things in a namespace, short of the namespace itself.
const CHANGES: &str = "admin";
/// The role by which the gateway may be in groups of namespaces.
const GROUPS: &str = "kcs:gateway-narrowed";

/// Bindings of one sort: how they are found, and what the role's name comes after in theirs.
struct Sort {
    label: &'static str,
    query: &'static str,
    prefix: &'static str,
}

/// Those that name people.
const PEOPLE: Sort = Sort { label: "kcs.cloud/people", query: "kcs.cloud%2Fpeople", prefix: "kcs:" };
/// Those that name groups. They are no part of the others: a program that does not know of them writes those anew without them.
const NARROWED: Sort = Sort { label: "kcs.cloud/narrowed", query: "kcs.cloud%2Fnarrowed", prefix: "kcs:narrowed-" };

/// Who is bound, by namespace and role.
type Wanted<'a> = BTreeMap<(&'a str, &'a str), Bound>;

#[derive(Default)]
struct Bound {
    subjects: Vec<Value>,
    /// Whether some of them may make pods.
    make_pods: bool,
}

#[derive(Deserialize)]
struct Bindings {
    items: Vec<Binding>,
}

#[derive(Deserialize)]
struct Binding {
    metadata: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    namespace: String,
}

/// What of the rules is not as it should be: to be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLeft {
    /// Namespaces that somebody is to come into and that are not there, or are on their way out, where nothing new is made.
    pub missing: BTreeSet<String>,
    /// What the cluster said against single bindings.
    pub refused: Vec<String>,
}

impl AccessLeft {
    /// What is said against one thing holds up no other: whoever writes in one namespace would keep people out of all. Only where the cluster says nothing there is
    /// no use in going on.
    fn pass_over<T>(&mut self, what: &str, done: Result<T, KubeError>) -> Result<Option<T>, KubeError> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error @ (KubeError::Unreachable(_) | KubeError::Timeout(_) | KubeError::Destination(_))) => Err(error),
            Err(error) => {
                self.refused.push(format!("{what}: {error}"));
                Ok(None)
            }
        }
    }
}

impl Engine {
    /// Of each namespace whoever changes things there and whoever looks; bindings of ours that nobody is in any more go.
    pub(super) async fn ensure_namespace_rules(&self, access: &NamespaceAccess) -> Result<AccessLeft, KubeError> {
        let mut left = AccessLeft { missing: self.missing(access).await?, refused: Vec::new() };
        self.ensure_bindings(&PEOPLE, &of_people(&access.people), &mut left).await?;
        let there: Vec<&str> = access.narrowed.keys().filter(|name| !left.missing.contains(*name)).map(String::as_str).collect();
        self.ensure_groups(&there).await?;
        self.ensure_bindings(&NARROWED, &of_groups(&access.narrowed), &mut left).await?;
        Ok(left)
    }

    async fn missing(&self, access: &NamespaceAccess) -> Result<BTreeSet<String>, KubeError> {
        if access.is_empty() {
            return Ok(BTreeSet::new());
        }
        Ok(access.missing(&self.namespace_names().await?.into_iter().collect()))
    }

    /// Lets the gateway be in the groups of these namespaces. A rule without names would let it be in any: it has always one that is allowed anyway.
    async fn ensure_groups(&self, namespaces: &[&str]) -> Result<(), KubeError> {
        let all = |namespace: &&str| Inside::ALL.map(|inside| namespace_group(namespace, inside));
        let names: Vec<String> = std::iter::once(GUEST_GROUP.to_owned()).chain(namespaces.iter().flat_map(all)).collect();
        let rules = json!([{"apiGroups": [""], "resources": ["groups"], "resourceNames": names, "verbs": ["impersonate"]}]);
        self.apply_cluster_role(GROUPS, &rules).await?;
        self.bind_cluster_role(GROUPS, GROUPS, "User", GATEWAY).await
    }

    async fn ensure_bindings(&self, sort: &Sort, wanted: &Wanted<'_>, left: &mut AccessLeft) -> Result<(), KubeError> {
        for ((namespace, role), bound) in wanted {
            if !left.missing.contains(*namespace) {
                let done = self.bind_in_namespace(sort, namespace, role, bound).await;
                left.pass_over(&format!("{namespace}/{}{role}", sort.prefix), done)?;
            }
        }
        let all = self.channel.get(&format!("{RBAC}/rolebindings?labelSelector={}", sort.query), HeaderMap::new()).await;
        let all: Option<Bindings> = left.pass_over(sort.label, all)?;
        for Named { name, namespace } in all.into_iter().flat_map(|all| all.items).map(|item| item.metadata) {
            let role = name.strip_prefix(sort.prefix).unwrap_or_default();
            if !wanted.contains_key(&(namespace.as_str(), role)) {
                let done = self.delete(&path_of(&namespace, &name)).await;
                left.pass_over(&format!("{namespace}/{name}"), done)?;
            }
        }
        Ok(())
    }

    /// Lets somebody in. Where nobody of them makes pods, what members run stays as they like.
    async fn bind_in_namespace(&self, sort: &Sort, namespace: &str, role: &str, bound: &Bound) -> Result<(), KubeError> {
        if bound.make_pods {
            self.ensure_pod_security(namespace).await?;
        }
        let name = format!("{}{role}", sort.prefix);
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": namespace, "labels": {(sort.label): role}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": bound.subjects,
        });
        self.apply_binding(&path_of(namespace, &name), &binding).await
    }
}

/// Where the API has a binding. Whoever is in a namespace names theirs as they like, with a `?` or a blank.
fn path_of(namespace: &str, name: &str) -> String {
    format!("{RBAC}/namespaces/{}/rolebindings/{}", segment(namespace), segment(name))
}

fn subject(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

/// Whom the rules know by name may come past the gate, with a certificate of before: who runs commands counts among those who make pods.
fn of_people(people: &BTreeSet<NamespacePerson>) -> Wanted<'_> {
    let mut wanted = Wanted::new();
    for person in people {
        let role = if person.changes { CHANGES } else { LOOKS };
        let bound = wanted.entry((person.namespace.as_str(), role)).or_default();
        bound.subjects.push(subject("User", &user_name(&person.user)));
        bound.make_pods |= person.changes;
    }
    wanted
}

/// Who looks only is let in wherever anybody is: where somebody changes things, others may come who do not. Who only runs commands makes no pods, whatever the role says:
/// they come through the gate always. They have a group of their own, lest one in which pods are made be let in before the namespace is marked.
fn of_groups(namespaces: &BTreeMap<String, Inside>) -> Wanted<'_> {
    let mut wanted = Wanted::new();
    for (namespace, &most) in namespaces {
        let of = |inside| subject("Group", &namespace_group(namespace, inside));
        wanted.insert((namespace.as_str(), LOOKS), Bound { subjects: vec![of(Inside::Looks)], make_pods: false });
        let subjects = match most {
            Inside::Looks => continue,
            Inside::Runs => vec![of(Inside::Runs)],
            Inside::Changes => vec![of(Inside::Changes), of(Inside::Runs)],
        };
        wanted.insert((namespace.as_str(), CHANGES), Bound { subjects, make_pods: most == Inside::Changes });
    }
    wanted
}
