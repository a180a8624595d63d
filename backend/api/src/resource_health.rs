//! Health of a cloud object as told: why it is not well, since when, and what to do.

use domain::codes::Code;
use domain::conditions::ConditionStatus;
use domain::health::{Health, ObjectHealth};
use domain::ledger::LedgerRow;
use serde::Serialize;
use time::OffsetDateTime;

/// How a cloud object is, as last observed.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ResourceHealth {
    /// Unknown while nobody can tell: it is changing, or the cloud does not let us look.
    pub status: ConditionStatus,
    /// A CamelCase word: `Well`, `Missing`, `Failed`, `Drifted`, `Off`, `Ambiguous`, `Stuck`, `Changing`, `Incomplete`, `NotSeen`, `Blind`, `TooMany`.
    pub reason: String,
    /// Since when; absent of what is well.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub since: Option<OffsetDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl ResourceHealth {
    /// As sent.
    #[must_use]
    pub fn of(row: &LedgerRow, said: &[ObjectHealth]) -> Option<Self> {
        let Health { status, reason, since, code } = Health::of(row, said)?;
        Some(Self { status, reason, since, code, remedy: code.map(|code| code.remedy().to_owned()) })
    }
}
