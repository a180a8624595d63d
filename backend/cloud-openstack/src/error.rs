//! Classifying whatever went wrong, once, so that nobody above reads a status or a text again.

use crate::call::{Answer, Call};
use crate::manners::{Held, PROBE};
use crate::message::{shorten, words};
use crate::transport::TransportError;
use cloud::error::{CloudError, CloudErrorKind, Outcome};
use std::time::Duration;
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

/// Not sent: for manners' sake.
pub(crate) fn held(call: &Call<'_>, held: Held) -> CloudError {
    let service = call.service.name();
    let (kind, why, message) = match held {
        Held::Asked(left) => {
            let seconds = u32::try_from(left.as_secs() + 1).unwrap_or(LONGEST_WAIT);
            (CloudErrorKind::RateLimited(seconds), "asked", format!("the cloud takes no calls of this project for the next {seconds} s"))
        }
        Held::Crowded => (CloudErrorKind::RateLimited(1), "crowded", "too many calls to the cloud wait for their turn".to_owned()),
        Held::Away { since, why } => {
            let since = (OffsetDateTime::UNIX_EPOCH + since).time();
            let (hour, minute, second) = since.as_hms();
            let message = format!(
                "the cloud cannot be reached: no answer of its {service} service since {hour:02}:{minute:02}:{second:02} UTC ({why}); it is tried every {} s",
                PROBE.as_secs()
            );
            (CloudErrorKind::Unavailable, "away", message)
        }
    };
    metrics::counter!("kcs_cloud_calls_held_total", "service" => service, "reason" => why).increment(1);
    unsent(call, kind, &message)
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
        413 if retry_after(answer).is_some() || limited(answer) => CloudErrorKind::RateLimited(wait(answer)),
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
    // The last is what Cinder says of a volume that is larger than one may be.
    let words = ["quota", "limitexceeded", "larger than maximum allowed limit"];
    neutron == Some("OverQuota") || words.iter().any(|word| text.contains(word))
}

fn exhausted(text: &str, neutron: Option<&str>) -> bool {
    matches!(neutron, Some("IpAddressGenerationFailure" | "ExternalIpAddressExhausted" | "NoNetworkAvailable"))
        || text.contains("no valid host")
        || text.contains("novalidhost")
}

fn wait(answer: &Answer) -> u32 {
    retry_after(answer).and_then(|wait| u32::try_from(wait.as_secs()).ok()).unwrap_or(DEFAULT_WAIT)
}

/// How long the cloud asks us to wait: seconds, or a date.
pub(crate) fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.headers.get("retry-after")?.to_str().ok()?.trim();
    let until = || OffsetDateTime::parse(text, &Rfc2822).ok().map(|at| (at - OffsetDateTime::now_utc()).whole_seconds());
    let seconds = text.parse::<i64>().ok().or_else(until)?;
    Some(Duration::from_secs(u64::try_from(seconds.max(1)).ok()?.min(LONGEST_WAIT.into())))
}

/// A 413 that is about the rate of calls: older services said it so.
pub(crate) fn limited(answer: &Answer) -> bool {
    let text = words(&answer.body).text.to_ascii_lowercase();
    !over_quota(&text, None) && (text.contains("rate") || text.contains("too many") || text.contains("retry"))
}
