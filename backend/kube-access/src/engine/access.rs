//! Who may do what in a cluster: the gateway may impersonate, members may do everything, readers may look at all but secrets, and whoever comes into single
//! namespaces only may do in them what they were given (`namespace_access.rs`).

use super::{AccessLeft, Engine};
use crate::{GATEWAY, GUEST_GROUP, KubeError, MEMBER_GROUP, NAME_EXTRA, READER_GROUP};
use domain::members::NamespaceAccess;
use http::HeaderMap;
use serde_json::{Value, json};

pub(super) const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

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

/// Kubernetes' own role for whoever looks.
pub(super) const LOOKS: &str = "view";

impl Engine {
    /// Applies the rules; they are small, and an unchanged one costs the cluster nothing.
    pub async fn ensure_access_rules(&self, namespaces: &NamespaceAccess) -> Result<AccessLeft, KubeError> {
        for (name, rules) in [(GATEWAY, gateway_rules()), (READER_GROUP, reader_rules())] {
            self.apply_cluster_role(name, &rules).await?;
        }
        for (binding, role, kind, subject) in [
            // By user, not by group: the gateway's certificate is the only one of that name.
            (GATEWAY, GATEWAY, "User", GATEWAY),
            (MEMBER_GROUP, "cluster-admin", "Group", MEMBER_GROUP),
            (READER_GROUP, READER_GROUP, "Group", READER_GROUP),
            ("kcs:reader-view", LOOKS, "Group", READER_GROUP),
        ] {
            self.bind_cluster_role(binding, role, kind, subject).await?;
        }
        self.ensure_namespace_rules(namespaces).await
    }

    pub(super) async fn apply_cluster_role(&self, name: &str, rules: &Value) -> Result<(), KubeError> {
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        });
        self.apply(&format!("{RBAC}/clusterroles/{name}"), &role).await
    }

    pub(super) async fn bind_cluster_role(&self, name: &str, role: &str, kind: &str, subject: &str) -> Result<(), KubeError> {
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": subject}],
        });
        self.apply_binding(&format!("{RBAC}/clusterrolebindings/{name}"), &binding).await
    }

    /// A binding's role cannot be changed: one of that name which somebody made for another role makes way. What is said against one of the same role stands.
    pub(super) async fn apply_binding(&self, path: &str, binding: &Value) -> Result<(), KubeError> {
        let done = self.apply(path, binding).await;
        if !matches!(done, Err(KubeError::Status { status: 422, .. })) {
            return done;
        }
        let found: Value = self.channel.get(path, HeaderMap::new()).await?;
        if found["roleRef"] == binding["roleRef"] {
            return done;
        }
        self.delete(path).await?;
        self.apply(path, binding).await
    }
}

/// Any user name, but our groups only: `system:masters` is out of reach. Those of namespaces come besides.
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
