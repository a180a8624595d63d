//! The vocabulary and the decisions of KCS. Pure: no async, no I/O, no clock of its own.

pub mod addons;
pub mod changes;
pub mod clusters;
pub mod codes;
pub mod conditions;
pub mod costs;
pub mod ids;
pub mod ledger;
pub mod names;
pub mod needs;
pub mod nodes;
pub mod operations;
pub mod orphans;
pub mod permissions;
pub mod plan;
pub mod preflight;
pub mod requests;
pub mod settings;
pub mod templates;
#[cfg(feature = "test-support")]
pub mod test_support;
pub mod versions;
pub mod wishes;
