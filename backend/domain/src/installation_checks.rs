//! What is to be known before settings of the installation are saved: what is out of bounds, who has more than a new limit, what is lost. Pure.

use crate::clusters::ClusterSpec;
use crate::codes::Code;
use crate::costs::Prices;
use crate::installation::{AUTHORIZATION, FORWARD, Installation, limit_key, origin};
use crate::installation_offers::{template_checks, version_checks, wrong_offers};
use crate::preflight::{Check, Checks, Facts, blocked, warning};
use crate::tenants::{Limited, TenantTerms, Totals};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What the checks compare with.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What each tenant may have by its own terms, and has.
    pub tenants: Vec<(TenantTerms, Totals)>,
    /// Of all clusters that are there.
    pub clusters: Vec<ClusterSpec>,
    /// What the cloud has, as far as the operator's project sees; None: it did not say.
    pub offered: Option<Facts>,
}

/// What is to become of the authorization that operators set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationWish<'a> {
    /// There is none, and none is given.
    Nothing,
    /// It was given for this origin and is to stay.
    Keep(&'a str),
    Remove,
    Give,
}

/// All that can be said without asking anybody else.
#[must_use]
pub fn checks(before: &Installation, after: &Installation, authorization: AuthorizationWish<'_>, seen: &Seen) -> Vec<Check> {
    let mut checks = Checks::default();
    checks.conclude("values", values(before, after));
    checks.conclude("limits", limits(before, after, seen));
    checks.conclude("versions", version_checks(before, after, seen));
    checks.conclude("templates", template_checks(before, after, seen));
    checks.conclude("prices", prices(before, after, seen));
    checks.conclude("audit_retention", retention(before, after));
    checks.conclude("audit_forward", forward(before, after, authorization));
    checks.0
}

/// What is out of bounds. What a configuration that was changed offers may not go with what is set, such as its templates with the versions: a request
/// that changes neither is not refused for it.
fn values(before: &Installation, after: &Installation) -> Vec<Check> {
    let same = before.versions == after.versions && before.templates == after.templates;
    let standing = if same { wrong_offers(&after.versions, &after.templates) } else { Vec::new() };
    let wrong = after.wrong().into_iter().filter(|violation| !standing.contains(violation));
    wrong.map(|v| blocked(v.code, v.message, Some(v.field), &json!({}))).collect()
}

/// Limits that become smaller than what somebody has.
fn limits(before: &Installation, after: &Installation, seen: &Seen) -> Vec<Check> {
    let smaller = |limited: &Limited| {
        let (old, new) = (before.of_projects.get(limited), after.of_projects.get(limited));
        new.copied().filter(|new| old.is_none_or(|old| new < old))
    };
    let of_projects = Limited::ALL.into_iter().filter_map(|limited| {
        let most = smaller(&limited)?;
        let over =
            |(terms, used): &&(TenantTerms, Totals)| !terms.limits.contains_key(&limited) && used.get(&limited).is_some_and(|used| *used > most);
        below_use(limit_key(limited), "projects", seen.tenants.iter().filter(over).count(), most)
    });
    let of_clusters = |key: &str, old: u32, new: u32, size: fn(&ClusterSpec) -> u64| {
        let over = seen.clusters.iter().filter(|spec| size(spec) > u64::from(new)).count();
        if new < old { below_use(key, "clusters", over, new.into()) } else { None }
    };
    let pool = of_clusters("limits.nodes_per_pool", before.nodes_per_pool, after.nodes_per_pool, largest_pool);
    let cluster = of_clusters("limits.nodes_per_cluster", before.nodes_per_cluster, after.nodes_per_cluster, all_nodes);
    of_projects.chain(pool).chain(cluster).collect()
}

fn below_use(key: &str, of: &str, over: usize, most: u64) -> Option<Check> {
    let params = json!({ "key": key, "over": over, "limit": most });
    (over > 0).then(|| warning(Code::LimitBelowUse, format!("{over} {of} have more than {most}"), Some(key.to_owned()), &params))
}

fn largest_pool(spec: &ClusterSpec) -> u64 {
    spec.node_pools.iter().map(|pool| u64::from(pool.count)).max().unwrap_or(0)
}

/// Masters included.
fn all_nodes(spec: &ClusterSpec) -> u64 {
    u64::from(spec.control_plane.count) + spec.node_pools.iter().map(|pool| u64::from(pool.count)).sum::<u64>()
}

/// Prices that are new and name what the cloud does not have.
fn prices(before: &Installation, after: &Installation, seen: &Seen) -> Vec<Check> {
    let Some(prices) = after.prices.as_ref().filter(|_| before.prices != after.prices) else { return Vec::new() };
    let Some(offered) = &seen.offered else { return vec![not_compared("prices")] };
    let unknown = |names: Vec<&String>, key: &str| {
        let message = format!("the cloud does not show {}", names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "));
        (!names.is_empty()).then(|| warning(Code::PriceUnknown, message, Some(key.to_owned()), &json!({ "names": names })))
    };
    let Prices { flavors, volume_gib, .. } = prices;
    let flavors = unknown(names_beyond(flavors, offered.flavors.iter().map(|flavor| flavor.name.as_str())), "prices.flavors");
    // `default` is for volumes without a type.
    let mut volumes = names_beyond(volume_gib, offered.volume_types.iter().map(String::as_str));
    volumes.retain(|name| *name != "default");
    flavors.into_iter().chain(unknown(volumes, "prices.volume_gib")).collect()
}

fn names_beyond<'a, T>(list: &'a BTreeMap<String, T>, known: impl Iterator<Item = &'a str>) -> Vec<&'a String> {
    let known: BTreeSet<&str> = known.collect();
    list.keys().filter(|name| !known.contains(name.as_str())).collect()
}

/// The cloud did not say what it has: it keeps nobody from saving.
pub(crate) fn not_compared(key: &str) -> Check {
    let message = "the names could not be compared with those of the cloud".to_owned();
    warning(Code::CloudUnavailable, message, Some(key.to_owned()), &json!({}))
}

/// Lines that would be let go, which nothing brings back.
fn retention(before: &Installation, after: &Installation) -> Vec<Check> {
    let shorter = after.retention_days.filter(|days| before.retention_days.is_none_or(|before| *days < before));
    let lost = shorter.map(|days| {
        let message = format!("lines older than {days} days are let go from a day after this is saved");
        warning(Code::RetentionForgets, message, Some("audit.retention_days".to_owned()), &json!({ "days": days }))
    });
    lost.into_iter().collect()
}

/// Where lines are handed on to, and what is sent along.
fn forward(before: &Installation, after: &Installation, authorization: AuthorizationWish<'_>) -> Vec<Check> {
    let by_post = after.forward.as_ref().is_some_and(|url| matches!(url.scheme(), "http" | "https"));
    let secret = match authorization {
        AuthorizationWish::Give if !by_post => {
            Some((Code::InvalidInput, "is sent with a POST only: audit.forward must be an http(s) URL beside it".to_owned()))
        }
        // Whoever may write an address must not be able to have a secret sent there that they were never told.
        AuthorizationWish::Keep(to) if after.forward.as_ref().map(origin).as_deref() != Some(to) => {
            Some((Code::AuthorizationWanted, format!("was given for {to}: give it anew, or remove it with null")))
        }
        _ => None,
    };
    let secret = secret.map(|(code, message)| blocked(code, message, Some(AUTHORIZATION.to_owned()), &json!({})));
    let about = |code: Code, message: &str| warning(code, message.to_owned(), Some(FORWARD.to_owned()), &json!({}));
    let moved = before.forward != after.forward;
    let address = match &after.forward {
        None if moved => Some(about(Code::ForwardEnds, "lines are handed on nowhere from then on")),
        Some(url) if moved && url.scheme() != "https" => Some(about(Code::ForwardInTheClear, "whoever is on the way can read the lines")),
        _ => None,
    };
    secret.into_iter().chain(address).collect()
}

/// What came of the test line: nothing to say, or why it did not arrive, in which field that is to be mended.
#[must_use]
pub fn delivered(failure: Option<(&str, String, serde_json::Value)>) -> Vec<Check> {
    let mut checks = Checks::default();
    let found = failure.map(|(field, message, params)| blocked(Code::ForwardFailed, message, Some(field.to_owned()), &params));
    checks.conclude("audit_test_line", found.into_iter().collect());
    checks.0
}
