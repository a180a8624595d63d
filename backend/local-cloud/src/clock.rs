//! The cloud's own clock, and how each service writes a time.

use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;

/// Where stepped time begins: 2026-01-01T00:00:00Z.
const STEPPED_EPOCH_MS: u64 = 1_767_225_600_000;

/// How long each change takes when nothing real stands behind it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Delays {
    pub server_build: Duration,
    pub server_action: Duration,
    pub server_delete: Duration,
    pub volume: Duration,
    pub load_balancer: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            server_build: Duration::from_millis(300),
            server_action: Duration::from_millis(200),
            server_delete: Duration::from_millis(200),
            volume: Duration::from_millis(200),
            load_balancer: Duration::from_millis(500),
        }
    }
}

/// Whether time passes by itself or only when a test says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Time {
    Auto,
    Stepped,
}

/// Milliseconds since 1970, by the wall or by steps.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Clock {
    time: Time,
    stepped_ms: u64,
}

impl Clock {
    pub(crate) fn new(time: Time) -> Self {
        Self { time, stepped_ms: STEPPED_EPOCH_MS }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        match self.time {
            Time::Stepped => self.stepped_ms,
            Time::Auto => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis),
        }
    }

    /// Stepped time moves to `to_ms`; never backwards. Wall time does not listen.
    pub(crate) fn step_to(&mut self, to_ms: u64) {
        self.stepped_ms = self.stepped_ms.max(to_ms);
    }

    /// `2026-01-01T00:00:00Z`: Nova, Neutron, Glance.
    pub(crate) fn seconds_z(&self) -> String {
        seconds_z(self.now_ms())
    }

    /// `2026-01-01T00:00:00`: Octavia.
    pub(crate) fn seconds(&self) -> String {
        let mut text = seconds_z(self.now_ms());
        text.pop();
        text
    }

    /// `2026-01-01T00:00:00.000000`: Cinder.
    pub(crate) fn micros(&self) -> String {
        let mut text = micros_z(self.now_ms());
        text.pop();
        text
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn parts(ms: u64) -> OffsetDateTime {
    i64::try_from(ms / 1000).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn seconds_z(ms: u64) -> String {
    let t = parts(ms);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.year(), u8::from(t.month()), t.day(), t.hour(), t.minute(), t.second())
}

/// `2026-01-01T00:00:00.000000Z`: Keystone.
pub(crate) fn micros_z(ms: u64) -> String {
    let t = parts(ms);
    let (y, mo, d) = (t.year(), u8::from(t.month()), t.day());
    format!("{y:04}-{mo:02}-{d:02}T{:02}:{:02}:{:02}.{:03}000Z", t.hour(), t.minute(), t.second(), ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_writes_time_its_own_way() {
        let mut clock = Clock::new(Time::Stepped);
        assert_eq!(clock.seconds_z(), "2026-01-01T00:00:00Z");
        clock.step_to(STEPPED_EPOCH_MS + 61_250);
        assert_eq!(clock.seconds(), "2026-01-01T00:01:01");
        assert_eq!(clock.micros(), "2026-01-01T00:01:01.250000");
        assert_eq!(micros_z(clock.now_ms()), "2026-01-01T00:01:01.250000Z");
    }
}
