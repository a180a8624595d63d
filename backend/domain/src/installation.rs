//! What counts for the whole installation and may be changed while it runs: what the configuration says, and what operators set over it.

use crate::codes::Code;
use crate::costs::Prices;
use crate::installation_offers::wrong_offers;
use crate::requests::{SpecLimits, Violation};
use crate::templates::Template;
use crate::tenants::{Limited, Limits};
use crate::versions::CatalogueVersion;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use url::Url;

/// What may be set, as the configuration spells it. The authorization is not among it: it is kept with the secrets.
pub const KEYS: [&str; 14] = [
    "limits.clusters_per_project",
    "limits.nodes_per_project",
    "limits.vcpus_per_project",
    "limits.memory_gib_per_project",
    "limits.volumes_per_project",
    "limits.volume_gib_per_project",
    "limits.nodes_per_pool",
    "limits.nodes_per_cluster",
    "limits.kubeconfig_days",
    "versions",
    "templates",
    "prices",
    "audit.retention_days",
    FORWARD,
];
pub const FORWARD: &str = "audit.forward";
/// Sent as `Authorization` with lines of the audit log; nobody is shown it.
pub const AUTHORIZATION: &str = "audit.forward_authorization";

/// Characters that an address may have at most.
const LONGEST_ADDRESS: usize = 2000;
/// Prices of flavors, or of volume types, that a list may have at most.
const MOST_PRICES: usize = 1000;

/// What counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Of a project whose own limits say nothing else.
    pub of_projects: Limits,
    pub nodes_per_pool: u32,
    pub nodes_per_cluster: u32,
    /// Days that a kubeconfig is good for at most.
    pub kubeconfig_days: u32,
    /// Kubernetes versions that are offered.
    pub versions: Vec<CatalogueVersion>,
    /// The operator's templates.
    pub templates: Vec<Template>,
    /// None: costs are shown nowhere.
    pub prices: Option<Prices>,
    /// Days that lines of the audit log are kept; None: for ever.
    pub retention_days: Option<u32>,
    /// Where lines of the audit log are handed on to; None: nowhere.
    pub forward: Option<Url>,
}

/// What operators set. What is not named is as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallationSettings {
    #[serde(default)]
    pub limits: LimitSettings,
    /// All that are offered, in place of those of the configuration; never null. Those that clusters have stay, as `deprecated` or `hidden` if need be.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<CatalogueVersion>, required = false)]
    pub versions: Option<Vec<CatalogueVersion>>,
    /// All of the operator's, in place of those of the configuration; never null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<Template>, required = false)]
    pub templates: Option<Vec<Template>>,
    /// null: costs are shown nowhere.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Prices>)]
    pub prices: Option<Option<Prices>>,
    #[serde(default)]
    pub audit: AuditSettings,
}

/// Limits of every project and cluster. What is not named is as configured; null: no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// 1 to 100000.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub clusters_per_project: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub nodes_per_project: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub vcpus_per_project: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub memory_gib_per_project: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub volumes_per_project: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub volume_gib_per_project: Option<Option<u32>>,
    /// 1 to 5000; never null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false)]
    pub nodes_per_pool: Option<u32>,
    /// 1 to 5000; never null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false)]
    pub nodes_per_cluster: Option<u32>,
    /// 1 to 365; never null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false)]
    pub kubeconfig_days: Option<u32>,
}

/// What becomes of the audit log. What is not named is as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// 1 to 36500; null: lines are kept for ever.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub retention_days: Option<Option<u32>>,
    /// `https://…`, `syslog+tcp://host:port`, `syslog+udp://host:port`; null: lines are handed on nowhere. All operators see it: no secret belongs
    /// into it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub forward: Option<Option<Url>>,
}

/// Reads what is there: with it, a value that is not given and one that is null are not the same.
///
/// # Errors
/// When it is not of its type.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The key of a project's limit.
#[must_use]
pub fn limit_key(limited: Limited) -> &'static str {
    match limited {
        Limited::Clusters => "limits.clusters_per_project",
        Limited::Nodes => "limits.nodes_per_project",
        Limited::Vcpus => "limits.vcpus_per_project",
        Limited::MemoryGib => "limits.memory_gib_per_project",
        Limited::Volumes => "limits.volumes_per_project",
        Limited::VolumeGib => "limits.volume_gib_per_project",
    }
}

impl LimitSettings {
    /// None: as configured; Some(None): no limit.
    fn of_projects(&self, limited: Limited) -> Option<Option<u32>> {
        match limited {
            Limited::Clusters => self.clusters_per_project,
            Limited::Nodes => self.nodes_per_project,
            Limited::Vcpus => self.vcpus_per_project,
            Limited::MemoryGib => self.memory_gib_per_project,
            Limited::Volumes => self.volumes_per_project,
            Limited::VolumeGib => self.volume_gib_per_project,
        }
    }
}

impl Installation {
    /// What counts with this set over it.
    #[must_use]
    pub fn with(&self, set: &InstallationSettings) -> Self {
        let of_projects = Limited::ALL.into_iter().filter_map(|limited| {
            let configured = self.of_projects.get(&limited).copied();
            let limit = set.limits.of_projects(limited).map_or(configured, |own| own.map(u64::from));
            Some((limited, limit?))
        });
        Self {
            of_projects: of_projects.collect(),
            nodes_per_pool: set.limits.nodes_per_pool.unwrap_or(self.nodes_per_pool),
            nodes_per_cluster: set.limits.nodes_per_cluster.unwrap_or(self.nodes_per_cluster),
            kubeconfig_days: set.limits.kubeconfig_days.unwrap_or(self.kubeconfig_days),
            versions: set.versions.as_ref().unwrap_or(&self.versions).clone(),
            templates: set.templates.as_ref().unwrap_or(&self.templates).clone(),
            prices: set.prices.as_ref().unwrap_or(&self.prices).clone(),
            retention_days: set.audit.retention_days.unwrap_or(self.retention_days),
            forward: set.audit.forward.as_ref().unwrap_or(&self.forward).clone(),
        }
    }

    /// The limits of one cluster.
    #[must_use]
    pub fn spec_limits(&self) -> SpecLimits {
        SpecLimits { nodes_per_pool: self.nodes_per_pool, nodes: self.nodes_per_cluster, ..SpecLimits::default() }
    }

    /// Seconds that a kubeconfig is good for at most.
    #[must_use]
    pub fn kubeconfig_longest(&self) -> i64 {
        i64::from(self.kubeconfig_days) * 24 * 3600
    }

    /// What is out of its bounds, by key.
    #[must_use]
    pub fn wrong(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut within = |key: &str, value: u64, most: u64| {
            if value == 0 || value > most {
                found.push(violation(key, format!("must be 1 to {most}")));
            }
        };
        for (limited, limit) in &self.of_projects {
            within(limit_key(*limited), *limit, if *limited == Limited::Clusters { 100_000 } else { u32::MAX.into() });
        }
        within("limits.nodes_per_pool", self.nodes_per_pool.into(), 5000);
        within("limits.nodes_per_cluster", self.nodes_per_cluster.into(), 5000);
        within("limits.kubeconfig_days", self.kubeconfig_days.into(), 365);
        within("audit.retention_days", self.retention_days.unwrap_or(1).into(), 36_500);
        found.extend(wrong_offers(&self.versions, &self.templates));
        found.extend(self.prices.iter().flat_map(wrong_prices));
        found.extend(self.forward.as_ref().and_then(wrong_forward));
        found
    }

    /// Each key with what counts; null: none. Of an address no more than is no secret.
    #[must_use]
    pub fn values(&self) -> BTreeMap<&'static str, Value> {
        let limits = Limited::ALL.map(|limited| (limit_key(limited), json!(self.of_projects.get(&limited))));
        let others = [
            ("limits.nodes_per_pool", json!(self.nodes_per_pool)),
            ("limits.nodes_per_cluster", json!(self.nodes_per_cluster)),
            ("limits.kubeconfig_days", json!(self.kubeconfig_days)),
            ("versions", json!(self.versions)),
            ("templates", json!(self.templates)),
            ("prices", json!(self.prices)),
            ("audit.retention_days", json!(self.retention_days)),
            (FORWARD, json!(self.forward.as_ref().map(shown))),
        ];
        limits.into_iter().chain(others).collect()
    }
}

pub(crate) fn violation(key: &str, message: impl Into<String>) -> Violation {
    Violation { field: key.to_owned(), code: Code::InvalidInput, message: message.into() }
}

pub(crate) fn is_name(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control)
}

fn wrong_prices(prices: &Prices) -> Vec<Violation> {
    let currency = (!is_name(&prices.currency, 20)).then(|| violation("prices.currency", "must be 1 to 20 printable characters"));
    let lists = [("prices.flavors", &prices.flavors), ("prices.volume_gib", &prices.volume_gib)];
    let lists = lists.into_iter().filter(|(_, list)| list.len() > MOST_PRICES || !list.keys().all(|name| is_name(name, 255)));
    let lists = lists.map(|(key, _)| violation(key, format!("must be at most {MOST_PRICES} prices, by names of 1 to 255 printable characters")));
    currency.into_iter().chain(lists).collect()
}

fn wrong_forward(url: &Url) -> Option<Violation> {
    if !url.username().is_empty() || url.password().is_some() {
        return Some(violation(FORWARD, "must hold no user and no password: use audit.forward_authorization"));
    }
    let good = match url.scheme() {
        "http" | "https" => true,
        "syslog+tcp" | "syslog+udp" => url.host_str().is_some_and(|host| !host.is_empty()) && url.port().is_some(),
        _ => false,
    };
    if !good {
        return Some(violation(FORWARD, "must be an http(s) URL, syslog+tcp://host:port or syslog+udp://host:port"));
    }
    (url.as_str().chars().count() > LONGEST_ADDRESS).then(|| violation(FORWARD, format!("must be at most {LONGEST_ADDRESS} characters")))
}

/// Scheme, host and port: what an authorization is given for.
#[must_use]
pub fn origin(url: &Url) -> String {
    let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// An address without what may be a secret: some collectors know their senders by the path.
#[must_use]
pub fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let root = format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default());
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if bare { root } else { format!("{root}/…") }
}

/// What one revision says otherwise than the one before.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// As the configuration spells it.
    pub key: String,
    /// Absent: it was as configured; null: none. Of `audit.forward_authorization` only that there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Absent: it is as configured; null: none. Of `audit.forward_authorization` only that there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl InstallationSettings {
    /// What is set, by key.
    #[must_use]
    pub fn values(&self) -> BTreeMap<&'static str, Value> {
        let tree = json!(self);
        let of = |key: &'static str| Some((key, key.split('.').try_fold(&tree, |at, part| at.get(part))?.clone()));
        KEYS.into_iter().filter_map(of).collect()
    }

    /// What `after` says otherwise.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let (before, after) = (self.values(), after.values());
        let of = |key: &str| Difference { key: key.to_owned(), before: before.get(key).cloned(), after: after.get(key).cloned() };
        KEYS.into_iter().map(of).filter(|difference| difference.before != difference.after).collect()
    }
}

/// What the audit log tells of differences.
#[must_use]
pub fn words(differences: &[Difference]) -> Value {
    let word = |key: &str, value: &Value| match value {
        Value::Null => json!("none"),
        Value::String(text) if key == FORWARD => json!(Url::parse(text).ok().as_ref().map(shown)),
        other => other.clone(),
    };
    let side = |of: fn(&Difference) -> Option<&Value>| -> Map<String, Value> {
        differences.iter().filter_map(|d| Some((d.key.clone(), word(&d.key, of(d)?)))).collect()
    };
    json!({ "before": side(|d| d.before.as_ref()), "after": side(|d| d.after.as_ref()) })
}

/// Who set a value, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Name of the operator.
    pub by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// By key: only what is set has one.
pub type Marks = BTreeMap<String, Mark>;

/// The marks once these differences are made.
#[must_use]
pub fn marked(mut marks: Marks, differences: &[Difference], mark: &Mark) -> Marks {
    for difference in differences {
        if difference.after.is_some() {
            marks.insert(difference.key.clone(), mark.clone());
        } else {
            marks.remove(&difference.key);
        }
    }
    marks
}

#[cfg(test)]
#[path = "installation_tests.rs"]
mod tests;
