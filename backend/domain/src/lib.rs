//! The vocabulary and the decisions of KCS. Pure: no async, no I/O, no clock of its own.

pub mod changes;
pub mod clusters;
pub mod codes;
pub mod conditions;
pub mod ids;
pub mod ledger;
pub mod names;
pub mod needs;
pub mod nodes;
pub mod operations;
pub mod permissions;
pub mod plan;
pub mod requests;
pub mod templates;
pub mod versions;
