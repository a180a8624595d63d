//! Classifying whatever went wrong, once, so that nobody above reads a status or a text again.

use crate::call::{Answer, Call};
use crate::message::{shorten, words};
use crate::transport::TransportError;
use cloud::error::{CloudError, CloudErrorKind, Outcome};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Seconds to wait when the cloud says "too many" without saying how long.
const DEFAULT_WAIT: u32 = 10;
const LONGEST_WAIT: u32 = 3_600;

/// An answer whose status is an error.
pub(crate) fn refused(call: &Call<'_>, answer: &Answer) -> CloudError {
    let said = words(&answer.body);
    let kind = kind(call.service.name(), answer, &said.text, said.kind.as_deref());
    let message = if said.text.is_empty() { format!("status {}", answer.status) } else { said.text };
    let known = answer.status < 500 && answer.status != 408 || answer.status == 501;
    error(call, kind, outcome(call, known), message, Some(answer))
}

/// No answer.
pub(crate) fn unanswered(call: &Call<'_>, lost: &TransportError) -> CloudError {
    error(call, CloudErrorKind::Unavailable, outcome(call, !lost.sent), shorten(&lost.message), None)
}

/// A success whose body cannot be read.
pub(crate) fn unreadable(call: &Call<'_>, answer: &Answer, why: &str) -> CloudError {
    let message = shorten(&format!("the answer could not be read: {why}"));
    error(call, CloudErrorKind::Unavailable, outcome(call, false), message, Some(answer))
}

/// Refused by ourselves before anything was sent.
pub(crate) fn unsent(call: &Call<'_>, kind: CloudErrorKind, message: &str) -> CloudError {
    error(call, kind, Outcome::NotDone, shorten(message), None)
}

fn error(call: &Call<'_>, kind: CloudErrorKind, outcome: Outcome, message: String, answer: Option<&Answer>) -> CloudError {
    CloudError {
        kind,
        outcome,
        service: call.service.name(),
        operation: call.operation,
        message,
        status: answer.map(|a| a.status),
        request_id: answer.and_then(Answer::request_id),
    }
}

/// A call that only reads never did anything.
fn outcome(call: &Call<'_>, known: bool) -> Outcome {
    if known || !call.changes { Outcome::NotDone } else { Outcome::Unknown }
}

fn kind(service: &str, answer: &Answer, text: &str, neutron: Option<&str>) -> CloudErrorKind {
    let text = text.to_ascii_lowercase();
    let has = |part: &str| text.contains(part);
    if exhausted(&text, neutron) {
        return CloudErrorKind::Exhausted;
    }
    match answer.status {
        401 => CloudErrorKind::Unauthenticated,
        403 | 409 | 413 if over_quota(&text, neutron) => CloudErrorKind::Quota,
        403 => CloudErrorKind::Denied,
        404 => CloudErrorKind::NotFound,
        408 => CloudErrorKind::Unavailable,
        409 => CloudErrorKind::Conflict,
        413 if answer.headers.contains_key("retry-after") => CloudErrorKind::RateLimited(wait(answer)),
        429 => CloudErrorKind::RateLimited(wait(answer)),
        // Cinder (and Nova, for volumes) call a volume in the wrong state a bad request; waiting mends it.
        400 if service != "identity" && has("status must be") => CloudErrorKind::Conflict,
        501 => CloudErrorKind::Unsupported,
        500.. => CloudErrorKind::Unavailable,
        // Redirects are not followed: the catalogue points to a place that is not the service.
        300..400 => CloudErrorKind::Unsupported,
        _ => CloudErrorKind::Rejected,
    }
}

/// Neutron has a type for it; Nova, Octavia and Cinder only words (`Quota exceeded`, `Quota has been met`, `exceeded for quota`).
fn over_quota(text: &str, neutron: Option<&str>) -> bool {
    neutron == Some("OverQuota") || text.contains("quota") || text.contains("limitexceeded")
}

fn exhausted(text: &str, neutron: Option<&str>) -> bool {
    matches!(neutron, Some("IpAddressGenerationFailure" | "ExternalIpAddressExhausted" | "NoNetworkAvailable"))
        || text.contains("no valid host")
        || text.contains("novalidhost")
}

fn wait(answer: &Answer) -> u32 {
    let text = answer.headers.get("retry-after").and_then(|v| v.to_str().ok()).unwrap_or_default().trim();
    let until = || OffsetDateTime::parse(text, &Rfc2822).ok().map(|at| (at - OffsetDateTime::now_utc()).whole_seconds());
    let seconds = text.parse::<i64>().ok().or_else(until);
    seconds.and_then(|s| u32::try_from(s.max(1)).ok()).unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT)
}
