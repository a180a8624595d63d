//! The one error of every cloud call, classified once, by the adapter.

use domain::codes::Code;
use domain::nodes::Fault;

/// Whether the call may have had an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The cloud refused it, or it was never sent: nothing was made or changed.
    NotDone,
    /// Time-out, reset, 5xx, an answer that could not be read: it may have been done.
    Unknown,
}

/// What kind of failure it is; decides who retries and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloudErrorKind {
    /// 404.
    NotFound,
    /// 409 that waiting can mend: in use by something of ours, PENDING_*.
    Conflict,
    /// 403, 409 or 413 with a quota's text.
    Quota,
    /// 401 after one new token.
    Unauthenticated,
    /// 403 by policy.
    Denied,
    /// 429, or 413 with Retry-After; seconds to wait.
    RateLimited(u32),
    /// No host, no address left.
    Exhausted,
    /// 5xx, time-out, connection refused or reset, unreadable answer.
    Unavailable,
    /// 400 and other 4xx: our request is wrong.
    Rejected,
    /// The catalogue has no such service, or the configuration is wrong.
    Unsupported,
}

/// A failed cloud call. `Display` is for logs and people: it holds the cloud's words, never a secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{service} {operation}: {message}")]
pub struct CloudError {
    pub kind: CloudErrorKind,
    pub outcome: Outcome,
    /// `compute`, `network`, `block-storage`, `image`, `load-balancer`, `identity`.
    pub service: &'static str,
    /// What was tried: `create server`.
    pub operation: &'static str,
    /// The cloud's own words, at most 2,000 characters.
    pub message: String,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The cloud's request id.
    pub request_id: Option<String>,
}

impl CloudError {
    /// Whether the same call may succeed later without anybody's act.
    #[must_use]
    pub fn retryable(&self) -> bool {
        // What was just made is sometimes not found yet.
        matches!(
            self.kind,
            CloudErrorKind::NotFound
                | CloudErrorKind::Conflict
                | CloudErrorKind::RateLimited(_)
                | CloudErrorKind::Unavailable
                | CloudErrorKind::Exhausted
        )
    }

    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind == CloudErrorKind::NotFound
    }

    /// Whether the cloud does not have the service at all: its catalogue lists none.
    #[must_use]
    pub fn is_no_such_service(&self) -> bool {
        self.kind == CloudErrorKind::Unsupported && self.status.is_none()
    }

    /// The code a user meets.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.kind {
            CloudErrorKind::NotFound | CloudErrorKind::Rejected => Code::CloudRejected,
            CloudErrorKind::Conflict => Code::InUse,
            CloudErrorKind::Quota => Code::Quota,
            CloudErrorKind::Unauthenticated => Code::CredentialInvalid,
            CloudErrorKind::Denied => Code::CloudDenied,
            CloudErrorKind::RateLimited(_) => Code::CloudBusy,
            CloudErrorKind::Unavailable => Code::CloudUnavailable,
            CloudErrorKind::Exhausted if self.service == "network" => Code::NoFloatingIp,
            CloudErrorKind::Exhausted => Code::NoCapacity,
            CloudErrorKind::Unsupported if self.service == "load-balancer" => Code::NoLoadBalancer,
            CloudErrorKind::Unsupported if self.service == "block-storage" => Code::NoBlockStorage,
            CloudErrorKind::Unsupported => Code::CloudRejected,
        }
    }

    /// As recorded in the ledger and shown.
    #[must_use]
    pub fn fault(&self, object: &str) -> Fault {
        Fault {
            code: self.code(),
            message: self.message.clone(),
            cloud_request_id: self.request_id.clone(),
            retryable: self.retryable(),
            object: Some(object.to_owned()),
        }
    }
}
