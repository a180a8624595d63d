//! Pauses: operators hold the engine back, from one cluster or from all. What is asked for meanwhile is accepted and waits.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Operators hold it back: it goes on when they let it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Pause {
    /// Whether all clusters are held back; otherwise this one.
    pub everything: bool,
    /// In the operator's words.
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Name of the operator.
    pub by: String,
}
