//! Leaving a service alone that does not answer: after enough failures calls fail at once, one that only asks is let through every now
//! and then, and the first answer lets everybody in again, a few at a time at first.

use super::Held;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Failures in a row that open it.
const IN_A_ROW: u32 = 5;
/// Or more than half of so many.
const WINDOW: usize = 20;
/// How often one call is let through while it is open.
pub(crate) const PROBE: Duration = Duration::from_secs(15);
/// For so long after the first answer only a few may call at the same time.
const RECOVERY: Duration = Duration::from_secs(10);
const RECOVERING: usize = 4;

/// Leave to call.
pub(crate) struct Pass<'a>(#[allow(dead_code, reason = "held, not read")] Option<SemaphorePermit<'a>>);

impl Pass<'_> {
    pub(super) fn free() -> Self {
        Self(None)
    }
}

/// How a service was last met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    pub service: &'static str,
    /// When it last gave any answer of its own.
    pub answered_at: Option<OffsetDateTime>,
    /// Since when it is left alone, and why it was given up.
    pub away: Option<(OffsetDateTime, String)>,
}

#[derive(Default)]
struct State {
    answered: Option<Duration>,
    recent: VecDeque<bool>,
    failed_in_a_row: u32,
    open: Option<Open>,
    recovering_until: Duration,
}

struct Open {
    since: Duration,
    next_probe: Duration,
    why: String,
}

pub(super) struct Breaker {
    service: &'static str,
    state: Mutex<State>,
    few: Semaphore,
}

impl Breaker {
    pub(super) fn new(service: &'static str) -> Self {
        Self { service, state: Mutex::default(), few: Semaphore::new(RECOVERING) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses at once what would be refused after waiting for its turn, too.
    pub(super) fn refuses(&self, now: Duration, changes: bool) -> Result<(), Held> {
        match &self.lock().open {
            Some(open) if changes || now < open.next_probe => Err(open.held()),
            _ => Ok(()),
        }
    }

    pub(super) async fn enter(&self, now: Duration, changes: bool) -> Result<Pass<'_>, Held> {
        {
            let mut state = self.lock();
            if let Some(open) = &mut state.open {
                if changes || now < open.next_probe {
                    return Err(open.held());
                }
                open.next_probe = now + PROBE;
                return Ok(Pass(None));
            }
            if now >= state.recovering_until {
                return Ok(Pass(None));
            }
        }
        Ok(Pass(self.few.acquire().await.ok()))
    }

    pub(super) fn answered(&self, now: Duration) {
        let mut state = self.lock();
        if let Some(open) = state.open.take() {
            *state = State { recovering_until: now + RECOVERY, ..State::default() };
            self.show(0.0);
            tracing::info!(service = self.service, seconds = now.saturating_sub(open.since).as_secs(), "the cloud's service answers again");
        }
        state.answered = Some(now);
        state.failed_in_a_row = 0;
        state.note(true);
    }

    pub(super) fn state(&self) -> ServiceState {
        let state = self.lock();
        let at = |from_1970: Duration| OffsetDateTime::UNIX_EPOCH + from_1970;
        ServiceState {
            service: self.service,
            answered_at: state.answered.map(at),
            away: state.open.as_ref().map(|open| (at(open.since), open.why.clone())),
        }
    }

    pub(super) fn failed(&self, now: Duration, why: &str) {
        let mut state = self.lock();
        state.failed_in_a_row += 1;
        state.note(false);
        let failed = state.recent.iter().filter(|well| !**well).count();
        let broken = state.failed_in_a_row >= IN_A_ROW || (state.recent.len() == WINDOW && failed > WINDOW / 2);
        match &mut state.open {
            Some(open) => open.next_probe = open.next_probe.max(now + PROBE),
            None if broken => {
                state.open = Some(Open { since: now, next_probe: now + PROBE, why: why.to_owned() });
                self.show(1.0);
                tracing::warn!(service = self.service, why, "the cloud's service does not answer and is left alone");
            }
            None => {}
        }
    }

    fn show(&self, open: f64) {
        metrics::gauge!("kcs_cloud_breaker_open", "service" => self.service).set(open);
    }
}

impl State {
    fn note(&mut self, well: bool) {
        self.recent.push_back(well);
        if self.recent.len() > WINDOW {
            self.recent.pop_front();
        }
    }
}

impl Open {
    fn held(&self) -> Held {
        Held::Away { since: self.since, why: self.why.clone() }
    }
}
