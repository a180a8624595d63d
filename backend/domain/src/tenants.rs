//! What a tenant may have in KCS: how much, and which flavors, versions and external networks. Clusters count by what was asked for, masters
//! included, from the moment of asking until nothing of them is left.

use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::ids::ClusterId;
use crate::needs::{Amounts, Machine, add, amounts, cluster_objects};
use crate::preflight::{Check, Checks, QuotaNeed, blocked};
use crate::requests::{FlavorSize, Offers};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a tenant's project stands in the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProjectState {
    Enabled,
    /// It, or its domain: nobody is let in, and nothing of it is lost.
    Disabled,
    /// The cloud's identity service does not know it any more.
    Gone,
}

/// A scope of the cloud's identity service that is wider than a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WideScope {
    /// By the domain's id.
    Domain(String),
    /// The cloud itself.
    System,
}

impl fmt::Display for WideScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(id) => write!(f, "domain {id}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// What a tenant may have only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limited {
    Clusters,
    Nodes,
    Vcpus,
    MemoryGib,
    /// Of nodes; what workloads make is the cloud's affair.
    Volumes,
    VolumeGib,
}

/// So much there is of each.
pub type Totals = BTreeMap<Limited, u64>;
/// At most so much; what is not named has no limit.
pub type Limits = BTreeMap<Limited, u64>;
/// Where a tenant's limits differ from the installation's; None: no limit.
pub type OwnLimits = BTreeMap<Limited, Option<u64>>;

/// The greatest limit there may be.
pub const GREATEST_LIMIT: u64 = 1_000_000_000;

impl Limited {
    pub const ALL: [Self; 6] = [Self::Clusters, Self::Nodes, Self::Vcpus, Self::MemoryGib, Self::Volumes, Self::VolumeGib];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Nodes => "nodes",
            Self::Vcpus => "vcpus",
            Self::MemoryGib => "memory_gib",
            Self::Volumes => "volumes",
            Self::VolumeGib => "volume_gib",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limited| limited.as_str() == text)
    }
}

/// What of the catalogue a tenant may use; absent: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// Names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavors: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<BTreeSet<String>>,
    /// Ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_networks: Option<BTreeSet<String>>,
}

fn has(list: Option<&BTreeSet<String>>, name: &str) -> bool {
    list.is_none_or(|list| list.contains(name))
}

impl Allowed {
    #[must_use]
    pub fn flavor(&self, name: &str) -> bool {
        has(self.flavors.as_ref(), name)
    }

    #[must_use]
    pub fn version(&self, version: &str) -> bool {
        has(self.versions.as_ref(), version)
    }

    #[must_use]
    pub fn external_network(&self, id: &str) -> bool {
        has(self.external_networks.as_ref(), id)
    }

    /// What is left of the offers: defaults are chosen from these.
    #[must_use]
    pub fn of(&self, mut offers: Offers) -> Offers {
        offers.flavors.retain(|flavor| self.flavor(&flavor.name));
        offers.versions.retain(|version| self.version(&version.version));
        offers.external_networks.retain(|id| self.external_network(id));
        offers
    }

    /// What stands against a whole cluster.
    #[must_use]
    pub fn checks(&self, spec: &ClusterSpec) -> Vec<Check> {
        let masters = (!self.flavor(&spec.control_plane.flavor))
            .then(|| not_allowed("flavor", &spec.control_plane.flavor, "spec.control_plane.flavor".to_owned(), self.flavors.as_ref()));
        let pools = spec.node_pools.iter().enumerate().filter(|(_, pool)| !self.flavor(&pool.flavor));
        let pools = pools.map(|(i, pool)| not_allowed("flavor", &pool.flavor, format!("spec.node_pools[{i}].flavor"), self.flavors.as_ref()));
        let version =
            (!self.version(&spec.version)).then(|| not_allowed("version", &spec.version, "spec.version".to_owned(), self.versions.as_ref()));
        let network = &spec.network.external_network;
        let network = (!self.external_network(network))
            .then(|| not_allowed("external network", network, "spec.network.external_network".to_owned(), self.external_networks.as_ref()));
        let mut checks = Checks::default();
        checks.conclude("allowed", version.into_iter().chain(masters).chain(pools).chain(network).collect());
        checks.0
    }

    /// What stands against more nodes of a pool, or of the control plane. The cluster's version and network are what they are.
    #[must_use]
    pub fn growth_checks(&self, spec: &ClusterSpec, pool: &str, field: &str) -> Vec<Check> {
        let flavor = Machine::of(spec, pool).flavor;
        let found = (!self.flavor(flavor)).then(|| not_allowed("flavor", flavor, field.to_owned(), self.flavors.as_ref()));
        let mut checks = Checks::default();
        checks.conclude("allowed", found.into_iter().collect());
        checks.0
    }
}

fn not_allowed(kind: &str, name: &str, field: String, allowed: Option<&BTreeSet<String>>) -> Check {
    let params = json!({ "kind": kind, "name": name, "allowed": allowed });
    blocked(Code::NotAllowed, format!("the {kind} {name:?} is not one that the project may use"), Some(field), &params)
}

/// What an operator said of a tenant; nothing: it has the installation's limits and all of the catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantTerms {
    pub limits: OwnLimits,
    pub allowed: Allowed,
}

impl TenantTerms {
    /// The limits that count.
    #[must_use]
    pub fn limits(&self, installation: &Limits) -> Limits {
        let own = |limited: &Limited| self.limits.get(limited).copied().unwrap_or_else(|| installation.get(limited).copied());
        Limited::ALL.into_iter().filter_map(|limited| Some((limited, own(&limited)?))).collect()
    }

    /// Raises limits to what was asked for. What is greater by now, or has no limit, stays.
    pub fn raise(&mut self, installation: &Limits, wanted: &Totals) {
        let counts = self.limits(installation);
        let raised = wanted.iter().filter(|(limited, wanted)| counts.get(limited).is_some_and(|most| most < wanted));
        self.limits.extend(raised.map(|(limited, wanted)| (*limited, Some(*wanted))));
    }
}

/// How a request for more stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuotaRequestState {
    Pending,
    Approved,
    Declined,
    Withdrawn,
}

impl QuotaRequestState {
    /// As stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Declined, Self::Withdrawn].into_iter().find(|state| state.as_str() == text)
    }
}

/// What an operator may say to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuotaAnswer {
    /// The limits become what was asked for.
    Approve,
    Decline,
}

/// An operator's answer, with words for who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaDecision {
    pub answer: QuotaAnswer,
    /// At most 1000 characters; who declines says why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub words: String,
}

/// A tenant's clusters that are there, and how large their flavors are.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    pub clusters: Vec<(ClusterId, ClusterSpec)>,
    pub flavors: Vec<FlavorSize>,
}

impl Holdings {
    #[must_use]
    pub fn totals(&self) -> Totals {
        totals(self.clusters.iter().map(|(_, spec)| spec), &self.flavors)
    }

    /// With one cluster more, or (named) one that becomes this.
    #[must_use]
    pub fn totals_with(&self, changed: Option<ClusterId>, spec: &ClusterSpec) -> Totals {
        let others = self.clusters.iter().filter(|(id, _)| Some(*id) != changed).map(|(_, other)| other);
        totals(others.chain([spec]), &self.flavors)
    }
}

/// All that these have. A flavor whose size nobody ever told counts for nothing.
fn totals<'a>(specs: impl Iterator<Item = &'a ClusterSpec>, flavors: &[FlavorSize]) -> Totals {
    let (mut sum, mut clusters) = (Amounts::new(), 0);
    for spec in specs {
        clusters += 1;
        add(&mut sum, &amounts(&cluster_objects(spec), spec, flavors));
    }
    let of = |amount: &str| sum.get(amount).copied().unwrap_or(0);
    let each = |limited| match limited {
        Limited::Clusters => clusters,
        Limited::Nodes => of("instances"),
        Limited::Vcpus => of("vcpus"),
        Limited::MemoryGib => of("ram_mib").div_ceil(1024),
        Limited::Volumes => of("volumes"),
        Limited::VolumeGib => of("gigabytes"),
    };
    Limited::ALL.into_iter().map(|limited| (limited, each(limited))).collect()
}

/// A limit that a wish would go beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub limited: Limited,
    pub used: u64,
    /// Besides what is used.
    pub need: u64,
    pub limit: u64,
}

impl Shortage {
    #[must_use]
    pub fn code(&self) -> Code {
        if self.limited == Limited::Clusters { Code::ClusterQuota } else { Code::TenantQuota }
    }

    #[must_use]
    pub fn message(&self) -> String {
        let Self { limited, used, need, limit } = self;
        format!("{}: {need} more needed, {used} of {limit} used", limited.as_str())
    }

    /// Values for the texts of the code.
    #[must_use]
    pub fn params(&self) -> Value {
        let Self { limited, used, need, limit } = *self;
        let (left, short) = (limit.saturating_sub(used), (used + need).saturating_sub(limit));
        json!({ "resource": limited, "used": used, "need": need, "limit": limit, "left": left, "short": short })
    }
}

/// The limits that are short for a change from `used` to `after`. Who has more than a limit already keeps it, and may shrink.
#[must_use]
pub fn shortages(limits: &Limits, used: &Totals, after: &Totals) -> Vec<Shortage> {
    let each = |(limited, limit): (&Limited, &u64)| {
        let of = |totals: &Totals| totals.get(limited).copied().unwrap_or(0);
        let (used, after) = (of(used), of(after));
        (after > *limit && after > used).then(|| Shortage { limited: *limited, used, need: after - used, limit: *limit })
    };
    limits.iter().filter_map(each).collect()
}

/// What a change takes of each limit, and what stands against it.
#[must_use]
pub fn limit_checks(limits: &Limits, used: &Totals, after: &Totals) -> (Vec<QuotaNeed>, Vec<Check>) {
    let row = |(limited, limit): (&Limited, &u64)| {
        let of = |totals: &Totals| totals.get(limited).copied().unwrap_or(0);
        let need = of(after).saturating_sub(of(used));
        QuotaNeed { resource: limited.as_str().to_owned(), used: of(used), limit: Some(*limit), need, promised: 0 }
    };
    let check = |short: &Shortage| blocked(short.code(), short.message(), None, &short.params());
    let found = shortages(limits, used, after);
    let (clusters, others): (Vec<_>, Vec<_>) = found.iter().partition(|short| short.limited == Limited::Clusters);
    let mut checks = Checks::default();
    checks.conclude("cluster_quota", clusters.into_iter().map(check).collect());
    checks.conclude("tenant_quota", others.into_iter().map(check).collect());
    (limits.iter().map(row).collect(), checks.0)
}

#[cfg(test)]
#[path = "tenants_tests.rs"]
mod tests;
