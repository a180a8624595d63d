//! Who may do what in single namespaces: people who were given them, by their names, and whoever comes with what was narrowed to them, in groups that each namespace has
//! for those.

use super::Engine;
use super::access::{LOOKS, RBAC};
use crate::{GATEWAY, GUEST_GROUP, KubeError, namespace_group, user_name};
use domain::members::{NamespaceAccess, NamespacePerson};
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
type Wanted<'a> = BTreeMap<(&'a str, &'a str), Vec<Value>>;

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

impl Engine {
    /// Of each namespace whoever changes things there and whoever looks; bindings of ours that nobody is in any more go. False: some of the namespaces are not there.
    pub(super) async fn ensure_namespace_rules(&self, access: &NamespaceAccess) -> Result<bool, KubeError> {
        let people = self.ensure_bindings(&PEOPLE, &of_people(&access.people)).await?;
        let there = self.there(&access.narrowed).await?;
        self.ensure_groups(&there).await?;
        let groups = self.ensure_bindings(&NARROWED, &of_groups(&there)).await?;
        Ok(people && groups && there.len() == access.narrowed.len())
    }

    /// Those of the names that are namespaces of the cluster: whoever makes kubeconfigs and tokens writes into them what they like.
    async fn there<'a>(&self, narrowed: &'a BTreeMap<String, bool>) -> Result<BTreeMap<&'a str, bool>, KubeError> {
        if narrowed.is_empty() {
            return Ok(BTreeMap::new());
        }
        let names: BTreeSet<String> = self.namespace_names().await?.into_iter().collect();
        Ok(narrowed.iter().filter(|(name, _)| names.contains(*name)).map(|(name, changes)| (name.as_str(), *changes)).collect())
    }

    /// Lets the gateway be in the groups of these namespaces. A rule without names would let it be in any: it has always one that is allowed anyway.
    async fn ensure_groups(&self, namespaces: &BTreeMap<&str, bool>) -> Result<(), KubeError> {
        let both = |namespace: &&str| [true, false].map(|changes| namespace_group(namespace, changes));
        let names: Vec<String> = std::iter::once(GUEST_GROUP.to_owned()).chain(namespaces.keys().flat_map(both)).collect();
        let rules = json!([{"apiGroups": [""], "resources": ["groups"], "resourceNames": names, "verbs": ["impersonate"]}]);
        self.apply_cluster_role(GROUPS, &rules).await?;
        self.bind_cluster_role(GROUPS, GROUPS, "User", GATEWAY).await
    }

    async fn ensure_bindings(&self, sort: &Sort, wanted: &Wanted<'_>) -> Result<bool, KubeError> {
        let mut complete = true;
        for ((namespace, role), subjects) in wanted {
            match self.bind_in_namespace(sort, namespace, role, subjects).await {
                // Given before it was made, or on its way out, where nothing new is made: the next time finds it as it is then.
                Err(KubeError::Status { status: 403 | 404, .. }) => complete = false,
                done => done?,
            }
        }
        let there: Bindings = self.channel.get(&format!("{RBAC}/rolebindings?labelSelector={}", sort.query), HeaderMap::new()).await?;
        for binding in there.items.into_iter().map(|item| item.metadata) {
            let role = binding.name.strip_prefix(sort.prefix).unwrap_or_default();
            if !wanted.contains_key(&(binding.namespace.as_str(), role)) {
                self.delete(&format!("{RBAC}/namespaces/{}/rolebindings/{}", binding.namespace, binding.name)).await?;
            }
        }
        Ok(complete)
    }

    /// Lets somebody in. Whoever only looks makes no pods: what members run where others look stays as they like.
    async fn bind_in_namespace(&self, sort: &Sort, namespace: &str, role: &str, subjects: &[Value]) -> Result<(), KubeError> {
        if role == CHANGES {
            self.ensure_pod_security(namespace).await?;
        }
        let name = format!("{}{role}", sort.prefix);
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": namespace, "labels": {(sort.label): role}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": subjects,
        });
        self.apply(&format!("{RBAC}/namespaces/{namespace}/rolebindings/{name}"), &binding).await
    }
}

fn subject(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

fn of_people(people: &BTreeSet<NamespacePerson>) -> Wanted<'_> {
    let mut wanted = Wanted::new();
    for person in people {
        let role = if person.changes { CHANGES } else { LOOKS };
        wanted.entry((person.namespace.as_str(), role)).or_default().push(subject("User", &user_name(&person.user)));
    }
    wanted
}

/// Who looks only is let in wherever anybody is: where somebody changes things, others may come who do not.
fn of_groups<'a>(namespaces: &BTreeMap<&'a str, bool>) -> Wanted<'a> {
    let mut wanted = Wanted::new();
    for (&namespace, &changes) in namespaces {
        wanted.insert((namespace, LOOKS), vec![subject("Group", &namespace_group(namespace, false))]);
        if changes {
            wanted.insert((namespace, CHANGES), vec![subject("Group", &namespace_group(namespace, true))]);
        }
    }
    wanted
}
