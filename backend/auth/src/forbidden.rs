//! The refusal: what stood against it, a role, a narrowing, or that only operators may enter.

use domain::codes::Code;
use domain::permissions::{Permission, Role};

/// Not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("{permission:?} needs {needed:?}")]
    Role { permission: Permission, needed: Role },
    /// The person may; what they came with was narrowed to less.
    #[error("{permission:?} is not what this was made for")]
    Narrowed { permission: Permission },
    #[error("operators only")]
    OperatorsOnly,
}

impl Forbidden {
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Role { .. } => Code::Forbidden,
            Self::Narrowed { .. } => Code::Narrowed,
            Self::OperatorsOnly => Code::OperatorsOnly,
        }
    }
}
