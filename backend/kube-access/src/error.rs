//! Why a call to a cluster's API failed.

use domain::codes::Code;
use std::time::Duration;

/// A failed call. `Display` is for people: it holds the API server's words, never a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KubeError {
    /// No connection, or it broke.
    #[error("the cluster's API does not answer: {0}")]
    Unreachable(String),
    #[error("the cluster's API did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// An answer that is an error; `reason` is Kubernetes' word for it (`NotFound`, `Forbidden`).
    #[error("{message}")]
    Status { status: u16, reason: String, message: String },
    /// An answer that no API server gives: a redirect, too much, not readable.
    #[error("the cluster's API gave an answer that is not passed on: {0}")]
    BadAnswer(String),
    /// An address at which no cluster's API is.
    #[error("no connection is opened to {0}: no cluster's API may be there")]
    Destination(String),
    /// The request is not one that may be sent on.
    #[error("{0}")]
    Refused(&'static str),
    /// Nobody may do this through KCS.
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("the request body is larger than {0} bytes")]
    BodyTooLarge(usize),
    /// Certificates or addresses of ours are not usable.
    #[error("the access to the cluster is not usable: {0}")]
    Access(String),
}

impl KubeError {
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable(_) | Self::Timeout(_) | Self::BadAnswer(_) | Self::Destination(_) => Code::ClusterApiDown,
            Self::Status { status: 404, .. } => Code::NotFound,
            Self::Status { status: 401 | 403, .. } | Self::Forbidden(_) => Code::Forbidden,
            // 410: the list went on meanwhile and the cursor is too old.
            Self::Status { status: 409 | 410, .. } => Code::Conflict,
            Self::Status { status: 429, .. } => Code::RateLimited,
            Self::Status { status: 400 | 422, .. } | Self::Refused(_) => Code::InvalidInput,
            Self::Status { .. } => Code::ClusterApiDown,
            Self::BodyTooLarge(_) => Code::BodyTooLarge,
            Self::Access(_) => Code::Internal,
        }
    }

    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: 404, .. })
    }

    /// Whether the API server itself answered, so that it is up.
    #[must_use]
    pub fn answered(&self) -> bool {
        matches!(self, Self::Status { .. })
    }
}
