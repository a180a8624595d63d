//! Faults a test asks for: which call they meet and what happens to it.

use crate::http::Service;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which calls a fault meets, and what it does. Absent conditions match everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    #[serde(default)]
    pub service: Option<Service>,
    #[serde(default)]
    pub method: Option<String>,
    /// Regular expression found in the path with its service prefix: `/compute/v2.1/servers$`.
    #[serde(default)]
    pub path: Option<String>,
    /// Only calls whose body names an object containing this.
    #[serde(default)]
    pub name: Option<String>,
    /// The first matching call that is met, counted from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many calls are met from then on; None: all.
    #[serde(default = "once")]
    pub count: Option<u64>,
    pub effect: Effect,
}

fn one() -> u64 {
    1
}

// serde wants the whole field's type from a default.
#[allow(clippy::unnecessary_wraps)]
fn once() -> Option<u64> {
    Some(1)
}

impl FaultRule {
    /// A fault of the next call, whichever it is.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self { service: None, method: None, path: None, name: None, nth: 1, count: Some(1), effect }
    }

    #[must_use]
    pub fn on(mut self, service: Service, method: &str, path: &str) -> Self {
        self.service = Some(service);
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = nth;
        self
    }

    /// None: for ever.
    #[must_use]
    pub fn count(mut self, count: Option<u64>) -> Self {
        self.count = count;
        self
    }

    #[must_use]
    pub fn named(mut self, part: &str) -> Self {
        self.name = Some(part.to_owned());
        self
    }
}

/// What a fault does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// Answered with this and not done. Without a body: the service's own wording.
    Status {
        status: u16,
        #[serde(default)]
        body: Option<Value>,
    },
    /// Done, and the answer is held back.
    Delay { milliseconds: u64 },
    /// The connection breaks before anything is done.
    Reset,
    /// Done, and the connection breaks before the answer.
    AnswerLost,
    /// Done, and answered with this status.
    DoneBut { status: u16 },
    /// The server stays in BUILD, the volume or load balancer in its present state, for ever.
    Stuck,
    /// The server, volume or load balancer ends in ERROR with this text.
    Error { text: String },
    /// Every token ends now; the call is refused with 401.
    TokensExpire,
    /// Refused as if the quota were used up.
    Quota { resource: String },
    /// Nothing answers for so long, this call included.
    CloudDown { seconds: u64 },
}

/// The part of a fault that acts on the object the call makes or changes.
#[derive(Clone, Debug)]
pub(crate) enum ObjectFault {
    Stuck,
    Error(String),
}

/// A rule with its count of matching calls. Faults do not outlive the process.
#[derive(Clone, Debug)]
pub(crate) struct ActiveFault {
    pub rule: FaultRule,
    pub seen: u64,
    pattern: Option<Regex>,
}

impl ActiveFault {
    pub(crate) fn new(rule: FaultRule) -> Result<Self, regex::Error> {
        let pattern = rule.path.as_deref().map(Regex::new).transpose()?;
        Ok(Self { rule, seen: 0, pattern })
    }

    /// Counts the call if it matches; whether this one is met.
    fn meets(&mut self, service: Service, method: &str, path: &str, name: impl FnOnce() -> Option<String>) -> bool {
        let rule = &self.rule;
        let matches = rule.service.is_none_or(|s| s == service)
            && rule.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method))
            && self.pattern.as_ref().is_none_or(|p| p.is_match(path))
            && rule.name.as_deref().is_none_or(|part| name().is_some_and(|n| n.contains(part)));
        if !matches {
            return false;
        }
        self.seen += 1;
        self.seen >= rule.nth && rule.count.is_none_or(|count| self.seen < rule.nth.saturating_add(count))
    }
}

/// The effect of the first fault that this call meets.
pub(crate) fn met(faults: &mut [ActiveFault], service: Service, method: &str, path: &str, body: &[u8]) -> Option<Effect> {
    let mut met = None;
    for fault in faults {
        if fault.meets(service, method, path, || object_name(body)) && met.is_none() {
            met = Some(fault.rule.effect.clone());
        }
    }
    met
}

/// The name in a body such as `{"server": {"name": …}}`.
fn object_name(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let inner = value.as_object()?.values().next()?;
    inner.get("name").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_rule_meets_the_nth_matching_call_so_many_times() {
        let rule = FaultRule::new(Effect::Reset).on(Service::Compute, "POST", "/servers$").nth(2).count(Some(2)).named("cp");
        let mut faults = vec![ActiveFault::new(rule).unwrap()];
        let body = br#"{"server": {"name": "my-cp-1"}}"#;
        let mut meet = |method: &str, path: &str, body: &[u8]| met(&mut faults, Service::Compute, method, path, body).is_some();
        assert!(!meet("POST", "/compute/v2.1/servers", body));
        assert!(!meet("GET", "/compute/v2.1/servers", body));
        assert!(!meet("POST", "/compute/v2.1/servers", br#"{"server": {"name": "worker"}}"#));
        assert!(meet("POST", "/compute/v2.1/servers", body));
        assert!(meet("POST", "/compute/v2.1/servers", body));
        assert!(!meet("POST", "/compute/v2.1/servers", body));
    }
}
