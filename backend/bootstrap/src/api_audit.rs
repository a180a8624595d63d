//! What a cluster's API servers write down of the calls to them (`audit.k8s.io/v1`), and where: a log on each master's own disk.

use crate::BootstrapError;
use crate::additions::{Addition, Mount};
use crate::kubeadm::json;
use domain::settings::{ApiAuditLevel, ApiAuditSpec};
use serde::Serialize;

/// On every master, for root only.
pub const DIRECTORY: &str = "/etc/kubernetes/audit";
pub const POLICY: &str = "/etc/kubernetes/audit/policy.yaml";

/// How API servers are told of it. A master keeps 550 MB and nothing that is older than 30 days, for root only. Events beyond 100 KiB lose their bodies.
pub const ADDITION: Addition = Addition {
    flags: &[
        ("audit-policy-file", POLICY),
        ("audit-log-path", "/var/log/kubernetes/audit/audit.log"),
        ("audit-log-maxsize", "50"),
        ("audit-log-maxbackup", "10"),
        ("audit-log-maxage", "30"),
        ("audit-log-truncate-enabled", "true"),
    ],
    mounts: &[Mount::read("audit-policy", DIRECTORY), Mount::write("audit-log", "/var/log/kubernetes/audit")],
    file: "/etc/kcs/patches/kube-apiserver-audit+json.json",
};

/// Whether what kubeadm keeps in the cluster tells API servers of it: for as long as the cluster lives.
pub fn kept(audit: &ApiAuditSpec) -> bool {
    audit.first() != ApiAuditLevel::None
}

/// Whether a joining master is told of it by a patch.
pub fn patched(audit: &ApiAuditSpec) -> bool {
    audit.level != ApiAuditLevel::None && !kept(audit)
}

/// The document in `POLICY`; None: API servers are not told of it. Where they are told all the same though nothing is wanted any more, it says so.
pub fn policy(audit: &ApiAuditSpec) -> Result<Option<String>, BootstrapError> {
    let rules = match audit.level {
        ApiAuditLevel::None if !kept(audit) => return Ok(None),
        ApiAuditLevel::None => vec![Rule::at("None")],
        ApiAuditLevel::Metadata => rules(None),
        ApiAuditLevel::Request => rules(Some(Rule { verbs: Some(&CHANGES), ..Rule::at("Request") })),
    };
    let policy = Policy { api_version: "audit.k8s.io/v1", kind: "Policy", omit_stages: ["RequestReceived"], omit_managed_fields: true, rules };
    Ok(Some(json(&policy)? + "\n"))
}

/// The first rule that fits decides.
fn rules(changes: Option<Rule>) -> Vec<Rule> {
    let before = [
        Rule { non_resource_urls: Some(&["/healthz*", "/livez*", "/readyz*", "/version", "/metrics", "/openapi*"]), ..Rule::at("None") },
        Rule { resources: Some(&NOISE), ..Rule::at("None") },
        // What nodes and the control plane ask for all day; what they change is written down like anybody's deed.
        Rule { user_groups: Some(&["system:nodes"]), verbs: Some(&LOOKS), ..Rule::at("None") },
        Rule { users: Some(&CONTROL_PLANE), verbs: Some(&LOOKS), ..Rule::at("None") },
        Rule { resources: Some(&SECRETS), ..Rule::at("Metadata") },
    ];
    before.into_iter().chain(changes).chain([Rule::at("Metadata")]).collect()
}

const LOOKS: [&str; 3] = ["get", "list", "watch"];
const CHANGES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
const CONTROL_PLANE: [&str; 5] = [
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:kube-proxy",
    "system:serviceaccount:kube-system:generic-garbage-collector",
];

/// Leader elections, heartbeats and events.
const NOISE: [Resources; 3] = [
    Resources { group: "", resources: Some(&["events"]) },
    Resources { group: "coordination.k8s.io", resources: Some(&["leases"]) },
    Resources { group: "events.k8s.io", resources: None },
];

/// Bodies of these hold secrets, or may.
const SECRETS: [Resources; 4] = [
    Resources { group: "", resources: Some(&["secrets", "configmaps", "serviceaccounts/token"]) },
    Resources { group: "authentication.k8s.io", resources: None },
    Resources { group: "authorization.k8s.io", resources: None },
    Resources { group: "certificates.k8s.io", resources: None },
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    api_version: &'static str,
    kind: &'static str,
    omit_stages: [&'static str; 1],
    omit_managed_fields: bool,
    rules: Vec<Rule>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_groups: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbs: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<&'static [Resources]>,
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Option::is_none")]
    non_resource_urls: Option<&'static [&'static str]>,
}

impl Rule {
    fn at(level: &'static str) -> Self {
        Self { level, ..Self::default() }
    }
}

/// None: all of the group.
#[derive(Serialize)]
struct Resources {
    group: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<&'static [&'static str]>,
}
