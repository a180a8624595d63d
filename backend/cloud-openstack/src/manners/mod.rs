//! How we behave towards a cloud: no faster than agreed and in turns between its tenants, waiting where it says so, and leaving a service
//! alone that does not answer. One of these is shared by everything in a process that calls the same cloud.

mod breaker;
mod limiter;
mod pauses;

use crate::catalog::Service;
use async_trait::async_trait;
use breaker::{Breaker, Pass};
use limiter::Limiter;
use pauses::Pauses;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::watch;

pub(crate) use breaker::PROBE;
pub use breaker::ServiceState;

/// Time as it passes for us.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Counted from 1970. It never goes back.
    fn now(&self) -> Duration;
    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// The wall's at the start, and a clock that nobody sets from then on.
struct Steady {
    begun: Duration,
    start: Instant,
}

impl Steady {
    fn new() -> Arc<Self> {
        let begun = Duration::try_from(OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH).unwrap_or_default();
        Arc::new(Self { begun, start: Instant::now() })
    }
}

#[async_trait]
impl Clock for Steady {
    fn now(&self) -> Duration {
        self.begun + self.start.elapsed()
    }
}

/// How fast, and how patient.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls a second to the whole cloud; None: any number. Twice as many may come at once.
    pub calls_per_second: Option<u32>,
    /// The same of one project.
    pub calls_per_second_per_project: Option<u32>,
    /// How long a call may wait for its turn before it is given up unsent.
    pub patience: Duration,
    /// The whole of a call that only asks, from its first byte to the last of its answer.
    pub read_deadline: Duration,
    /// The whole of a call that changes something; shorter than what the engine keeps of its lease when it begins one.
    pub change_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_per_second: Some(200),
            calls_per_second_per_project: Some(50),
            patience: Duration::from_secs(10),
            read_deadline: Duration::from_secs(30),
            change_deadline: Duration::from_secs(20),
        }
    }
}

/// Why a call was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Not before so long from now: the cloud asked for it.
    Asked(Duration),
    /// Too many of ours were before it.
    Crowded,
    /// The service has not answered since then (from 1970), and why it was given up.
    Away { since: Duration, why: String },
}

/// What became of a call that was sent, as far as manners go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Any answer of the service's own.
    Answer,
    /// 429, 413 or 503 with or without a time to wait.
    Slower(Option<Duration>),
    /// No answer, or one that only a broken service gives.
    Nothing(String),
}

/// Shared manners. [`Manners::none`] has none: for tests whose time does not pass by itself.
pub struct Manners {
    pub(crate) limits: Limits,
    clock: Arc<dyn Clock>,
    limiter: Limiter,
    pauses: Pauses,
    breakers: Option<[Breaker; Service::ALL.len()]>,
    /// Of all endpoints in the catalogues that were seen.
    hosts: watch::Sender<BTreeSet<String>>,
}

impl Manners {
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        Self::by_clock(limits, Steady::new())
    }

    /// With a clock of the caller's own.
    #[must_use]
    pub fn by_clock(limits: Limits, clock: Arc<dyn Clock>) -> Arc<Self> {
        let limiter = Limiter::new(limits.calls_per_second, limits.calls_per_second_per_project, &clock);
        let breakers = Some(Service::ALL.map(|service| Breaker::new(service.name())));
        Arc::new(Self { limits, clock, limiter, pauses: Pauses::default(), breakers, hosts: watch::Sender::default() })
    }

    /// Only deadlines.
    #[must_use]
    pub fn none() -> Arc<Self> {
        let limits = Limits { calls_per_second: None, calls_per_second_per_project: None, ..Limits::default() };
        let clock: Arc<dyn Clock> = Steady::new();
        let limiter = Limiter::new(None, None, &clock);
        Arc::new(Self { limits, clock, limiter, pauses: Pauses::default(), breakers: None, hosts: watch::Sender::default() })
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// How each service was last met; none where refusals are not remembered.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceState> {
        self.breakers.iter().flatten().map(Breaker::state).collect()
    }

    /// Where the cloud's services are by the catalogues seen so far: names and addresses, of every region and interface.
    #[must_use]
    pub fn hosts(&self) -> watch::Receiver<BTreeSet<String>> {
        self.hosts.subscribe()
    }

    /// A catalogue with these hosts was seen. Projects may have different ones.
    pub(crate) fn met(&self, hosts: impl Iterator<Item = String>) {
        self.hosts.send_if_modified(|known| {
            let before = known.len();
            known.extend(hosts);
            known.len() > before
        });
    }

    /// Whether refusals are remembered at all.
    pub(crate) fn any(&self) -> bool {
        self.breakers.is_some()
    }

    pub(crate) fn deadline(&self, changes: bool) -> Duration {
        if changes { self.limits.change_deadline } else { self.limits.read_deadline }
    }

    /// Waits for the call's turn. `lane` is the project it is for. Hold what is returned until the answer is there.
    pub(crate) async fn admit(&self, service: Service, lane: &str, changes: bool) -> Result<Pass<'_>, Held> {
        let Some(breakers) = &self.breakers else { return Ok(Pass::free()) };
        let breaker = &breakers[service as usize];
        breaker.refuses(self.now(), changes)?;
        if let Some(left) = self.pauses.left(lane, self.now()) {
            if left > self.limits.patience {
                return Err(Held::Asked(left));
            }
            limiter::waited("retry_after", left);
            self.clock.sleep(left).await;
        }
        let turn = async {
            self.limiter.turn(lane).await;
            breaker.enter(self.now(), changes).await
        };
        tokio::select! {
            biased;
            pass = turn => pass,
            () = self.clock.sleep(self.limits.patience) => Err(Held::Crowded),
        }
    }

    /// Takes over what became of a call.
    pub(crate) fn hear(&self, service: Service, lane: &str, heard: &Heard) {
        let Some(breakers) = &self.breakers else { return };
        let (breaker, now) = (&breakers[service as usize], self.now());
        match heard {
            Heard::Answer => {
                breaker.answered(now);
                self.pauses.went_well(lane, now);
            }
            Heard::Slower(wait) => {
                breaker.answered(now);
                self.pauses.told(lane, *wait, now);
            }
            Heard::Nothing(why) => breaker.failed(now, why),
        }
    }
}
