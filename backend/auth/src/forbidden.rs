//! The refusal: which permission was missing, and which role would have it.

use domain::codes::Code;
use domain::permissions::{Permission, Role};

/// Not allowed. `permission` is None where only operators may enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not allowed: {permission:?} needs {needed:?}")]
pub struct Forbidden {
    pub permission: Option<Permission>,
    pub needed: Option<Role>,
}

impl Forbidden {
    pub(crate) fn new(permission: Permission) -> Self {
        Self { permission: Some(permission), needed: Some(permission.least_role()) }
    }

    pub(crate) fn operators_only() -> Self {
        Self { permission: None, needed: None }
    }

    #[must_use]
    pub fn code(&self) -> Code {
        if self.permission.is_some() { Code::Forbidden } else { Code::OperatorsOnly }
    }
}
