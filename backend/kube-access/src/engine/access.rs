//! Who may do what in a cluster: the gateway may impersonate, members may do everything, readers may look at all but secrets, and people
//! who were given single namespaces may do in them what they were given.

use super::Engine;
use crate::{GATEWAY, GUEST_GROUP, KubeError, MEMBER_GROUP, NAME_EXTRA, READER_GROUP, user_name};
use domain::members::NamespacePerson;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// What a reader sees of the core group: all of it but secrets, and no exec, attach, port-forward or proxy.
const READER_CORE: [&str; 23] = [
    "bindings",
    "componentstatuses",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "namespaces/status",
    "nodes",
    "nodes/status",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "persistentvolumes",
    "persistentvolumes/status",
    "pods",
    "pods/log",
    "pods/status",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "serviceaccounts",
    "services",
    "services/status",
];

/// The other groups that Kubernetes itself has; none of them holds secrets. Kinds of others come by the role `view`.
const READER_GROUPS: [&str; 19] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "metrics.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Kubernetes' own roles for whoever changes things in a namespace, short of the namespace itself, and for whoever looks.
const CHANGES: &str = "admin";
const LOOKS: &str = "view";

/// The label of the bindings that name people.
const PEOPLE: &str = "kcs.cloud/people";
const PEOPLE_QUERY: &str = "kcs.cloud%2Fpeople";

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
    /// Applies the rules; they are small, and an unchanged one costs the cluster nothing. False: some of the people's namespaces are not there.
    pub async fn ensure_access_rules(&self, people: &BTreeSet<NamespacePerson>) -> Result<bool, KubeError> {
        for (name, rules) in [(GATEWAY, gateway_rules()), (READER_GROUP, reader_rules())] {
            let role = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": name},
                "rules": rules,
            });
            self.apply(&format!("{RBAC}/clusterroles/{name}"), &role).await?;
        }
        for (binding, role, kind, subject) in [
            // By user, not by group: the gateway's certificate is the only one of that name.
            (GATEWAY, GATEWAY, "User", GATEWAY),
            (MEMBER_GROUP, "cluster-admin", "Group", MEMBER_GROUP),
            (READER_GROUP, READER_GROUP, "Group", READER_GROUP),
            ("kcs:reader-view", LOOKS, "Group", READER_GROUP),
        ] {
            let binding_object = json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": binding},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": subject}],
            });
            self.apply(&format!("{RBAC}/clusterrolebindings/{binding}"), &binding_object).await?;
        }
        self.ensure_namespace_rules(people).await
    }

    /// Of each namespace whoever changes things there and whoever looks; bindings of ours that nobody is in any more go.
    async fn ensure_namespace_rules(&self, people: &BTreeSet<NamespacePerson>) -> Result<bool, KubeError> {
        let mut complete = true;
        let mut wanted: BTreeMap<(&str, &str), Vec<Value>> = BTreeMap::new();
        for person in people {
            let role = if person.changes { CHANGES } else { LOOKS };
            let subject = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user_name(&person.user)});
            wanted.entry((&person.namespace, role)).or_default().push(subject);
        }
        for ((namespace, role), subjects) in &wanted {
            match self.bind_in_namespace(namespace, role, subjects).await {
                // Given before it was made: the next time finds it.
                Err(error) if error.is_not_found() => complete = false,
                done => done?,
            }
        }
        let there: Bindings = self.channel.get(&format!("{RBAC}/rolebindings?labelSelector={PEOPLE_QUERY}"), HeaderMap::new()).await?;
        for binding in there.items.into_iter().map(|item| item.metadata) {
            let role = binding.name.strip_prefix("kcs:").unwrap_or_default();
            if !wanted.contains_key(&(binding.namespace.as_str(), role)) {
                self.delete(&format!("{RBAC}/namespaces/{}/rolebindings/{}", binding.namespace, binding.name)).await?;
            }
        }
        Ok(complete)
    }

    /// Lets people in. Whoever only looks makes no pods: what members run where others look stays as they like.
    async fn bind_in_namespace(&self, namespace: &str, role: &str, subjects: &[Value]) -> Result<(), KubeError> {
        if role == CHANGES {
            self.ensure_pod_security(namespace).await?;
        }
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": format!("kcs:{role}"), "namespace": namespace, "labels": {PEOPLE: role}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": subjects,
        });
        self.apply(&format!("{RBAC}/namespaces/{namespace}/rolebindings/kcs:{role}"), &binding).await
    }
}

/// Any user name, but our groups only: `system:masters` is out of reach.
fn gateway_rules() -> Value {
    json!([
        {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]},
        {"apiGroups": [""], "resources": ["groups"], "resourceNames": [MEMBER_GROUP, READER_GROUP, GUEST_GROUP], "verbs": ["impersonate"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": [format!("userextras/{NAME_EXTRA}")], "verbs": ["impersonate"]},
    ])
}

fn reader_rules() -> Value {
    let verbs = ["get", "list", "watch"];
    json!([
        {"apiGroups": [""], "resources": READER_CORE, "verbs": verbs},
        {"apiGroups": READER_GROUPS, "resources": ["*"], "verbs": verbs},
        {"nonResourceURLs": ["/healthz", "/healthz/*", "/livez", "/livez/*", "/readyz", "/readyz/*"], "verbs": ["get"]},
    ])
}
