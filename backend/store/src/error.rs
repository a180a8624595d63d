//! What can go wrong in the store, mapped to the codes a user meets. The database's own words are in the source, for the log only.

use crate::audit_verdict::AuditFinding;
use domain::codes::Code;
use domain::tenants::Shortage;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is none, or not within the scope: the two are not to be told apart.
    #[error("not found")]
    NotFound,
    /// The state of things does not allow it.
    #[error("refused: {}", .0.as_str())]
    Refused(Code),
    /// A limit of the tenant's is too small.
    #[error("refused: {}", .0.message())]
    Short(Shortage),
    /// A cursor of a list that we did not make.
    #[error("the cursor is not one of ours")]
    BadCursor,
    /// The database does not answer, or not in time.
    #[error("the database does not answer")]
    Unavailable(#[source] sqlx::Error),
    /// A row, or an answer of the database, is not what it must be.
    #[error("unexpected: {0}")]
    Unexpected(String),
    /// The audit log does not prove itself: nothing is done that would make it look as if it did.
    #[error("the audit log is not whole: {0}")]
    Broken(AuditFinding),
}

impl StoreError {
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::Refused(code) => *code,
            Self::Short(shortage) => shortage.code(),
            Self::BadCursor => Code::InvalidInput,
            Self::Unavailable(_) => Code::StoreUnavailable,
            Self::Unexpected(_) | Self::Broken(_) => Code::Internal,
        }
    }

    /// Two transactions stood in each other's way: the same unit may be run again.
    pub(crate) fn serialization(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(error)) => matches!(error.code().as_deref(), Some("40001" | "40P01")),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) | sqlx::Error::Encode(_) => {
                Self::Unexpected(error.to_string())
            }
            // A text that no row can hold (NUL): whatever is looked for by it is not there.
            sqlx::Error::Database(ref database) if matches!(database.code().as_deref(), Some("22021" | "22P05")) => Self::NotFound,
            // Classes 22 and 23: data that a caller should have refused, or an invariant that the schema guards.
            sqlx::Error::Database(ref database) if database.code().is_some_and(|c| c.starts_with("22") || c.starts_with("23")) => {
                Self::Unexpected(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// A write of the engine did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The lease has passed to somebody else or has run out. Stop; touch nothing more.
    #[error("the lease on the cluster is lost")]
    Fenced,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A stored word that this version does not know.
pub(crate) fn unknown(what: &str, word: &str) -> StoreError {
    StoreError::Unexpected(format!("{what} {word:?} is not known"))
}

/// Counts are kept as bigint.
pub(crate) fn count(what: &str, value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::Unexpected(format!("{what} is {value}")))
}
