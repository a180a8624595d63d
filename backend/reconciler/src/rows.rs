//! Look-ups in a cluster's ledger by key, and the marks by which a row's object is known.

use domain::changes::Work;
use domain::ledger::LedgerRow;
use domain::names;
use std::collections::BTreeMap;

/// The recorded cloud id of a live row.
pub(crate) fn cloud_id<'w>(work: &'w Work, key: &str) -> Option<&'w str> {
    work.live(key)?.cloud_id.as_deref()
}

/// The cloud id of a part, or of what stands in for it: a network that is not ours.
pub(crate) fn part_id<'w>(work: &'w Work, key: &str) -> Option<&'w str> {
    match (&work.cluster.spec.network.existing, key) {
        (Some(existing), "network") => Some(&existing.network_id),
        (Some(existing), "subnet") => Some(&existing.subnet_id),
        _ => cloud_id(work, key),
    }
}

/// The keys of metadata by which servers and volumes are known for ours: whose they are, and of which row.
pub(crate) const CLUSTER: &str = "kcs_cluster";
pub(crate) const RESOURCE: &str = "kcs_resource";

/// The mark in metadata.
pub(crate) fn marks(row: &LedgerRow) -> BTreeMap<String, String> {
    [(CLUSTER.to_owned(), row.cluster.to_string()), (RESOURCE.to_owned(), row.id.to_string())].into()
}

/// The mark in a description.
pub(crate) fn description(row: &LedgerRow) -> String {
    names::mark(row.cluster, row.id)
}
