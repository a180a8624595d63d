//! Waiting where the cloud says so: the project it said it to, no other. Where it names no time, longer each time, and never all at once.

use rand::Rng;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// What is over for so long is forgotten when somebody else is told to wait.
const STALE: Duration = Duration::from_secs(600);

struct Pause {
    until: Duration,
    /// How often in a row no time was named.
    strikes: u32,
}

#[derive(Default)]
pub(super) struct Pauses(Mutex<HashMap<String, Pause>>);

impl Pauses {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Pause>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this one has to wait yet.
    pub(super) fn left(&self, lane: &str, now: Duration) -> Option<Duration> {
        self.lock().get(lane)?.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// The cloud wants it slower.
    pub(super) fn told(&self, lane: &str, wait: Option<Duration>, now: Duration) {
        let mut all = self.lock();
        all.retain(|_, pause| pause.until + STALE > now);
        let pause = all.entry(lane.to_owned()).or_insert(Pause { until: now, strikes: 0 });
        let wait = match wait {
            Some(wait) => wait,
            // Others that were under way are told the same; it counts once.
            None if pause.until > now => return,
            None => {
                let full = FIRST.saturating_mul(1 << pause.strikes.min(6)).min(LONGEST);
                pause.strikes += 1;
                full.mul_f64(rand::rng().random_range(0.5..=1.0))
            }
        };
        pause.until = pause.until.max(now + wait);
    }

    pub(super) fn went_well(&self, lane: &str, now: Duration) {
        let mut all = self.lock();
        if all.get(lane).is_some_and(|pause| pause.until <= now) {
            all.remove(lane);
        }
    }
}
