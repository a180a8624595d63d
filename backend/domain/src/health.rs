//! Health of cloud objects, one by one: whether an object is well, why not, since when, and the code that says what to do.

use crate::codes::Code;
use crate::conditions::ConditionStatus;
use crate::ids::ResourceId;
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Of so many objects at most it is kept that they are not well.
pub const KEPT: usize = 200;

/// What is to be said of an object that is not well, or of all objects of a kind while the cloud does not let us look at them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectHealth {
    pub kind: ResourceKind,
    /// The object's row; None: all of the kind.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<ResourceId>,
    /// False, or Unknown while nobody can tell.
    pub status: ConditionStatus,
    /// A CamelCase word.
    pub reason: String,
    /// When `reason` last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
}

/// How a row's object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub status: ConditionStatus,
    pub reason: String,
    /// None: it is well, or nobody has noted it.
    pub since: Option<OffsetDateTime>,
    pub code: Option<Code>,
}

impl Health {
    /// Of a row, by what is said of the cluster's objects. None: its object is going, or gone and not wanted.
    #[must_use]
    pub fn of(row: &LedgerRow, said: &[ObjectHealth]) -> Option<Self> {
        let own = said.iter().find(|one| one.row == Some(row.id));
        let found = own.or_else(|| said.iter().find(|one| one.row.is_none() && one.kind == row.kind));
        match row.state {
            ResourceState::Deleting => None,
            // Of one that is wanted it is said by name.
            ResourceState::Gone => own.map(Self::from),
            ResourceState::Known => Some(found.map_or_else(|| Self::unsaid(said), Self::from)),
            ResourceState::Intended | ResourceState::Unknown | ResourceState::Ambiguous => Some(found.map_or_else(|| Self::called(row), Self::from)),
        }
    }

    /// Of one that is there and of which nothing is said: it is well, if all was said that there was to say.
    fn unsaid(said: &[ObjectHealth]) -> Self {
        let whole = said.iter().filter(|one| one.row.is_some()).count() < KEPT;
        let (status, reason) = if whole { (ConditionStatus::True, "Well") } else { (ConditionStatus::Unknown, "TooMany") };
        Self { status, reason: reason.to_owned(), since: None, code: None }
    }

    /// Of one whose making is under way.
    fn called(row: &LedgerRow) -> Self {
        let code = row.fault.as_ref().map(|fault| fault.code);
        Self { status: ConditionStatus::Unknown, reason: "Changing".to_owned(), since: Some(row.called_at.unwrap_or(row.created_at)), code }
    }
}

impl From<&ObjectHealth> for Health {
    fn from(said: &ObjectHealth) -> Self {
        Self { status: said.status, reason: said.reason.clone(), since: Some(said.since), code: said.code }
    }
}
