//! Limits on how often: signing in per user and address, per address and in all; requests per person.

use crate::errors::{Answer, Problem};
use domain::codes::Code;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;

/// The limits of one process.
pub struct Limiter {
    sign_in_pair: DefaultKeyedRateLimiter<String>,
    sign_in_address: DefaultKeyedRateLimiter<String>,
    sign_in_all: DefaultDirectRateLimiter,
    requests: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

fn per_minute(count: u32, burst: u32) -> Quota {
    let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(at_least_one(count)).allow_burst(at_least_one(burst))
}

impl Limiter {
    #[must_use]
    pub fn new(requests_per_minute: u32) -> Self {
        Self {
            sign_in_pair: RateLimiter::keyed(per_minute(20, 20)),
            sign_in_address: RateLimiter::keyed(per_minute(120, 120)),
            sign_in_all: RateLimiter::direct(per_minute(600, 600)),
            requests: RateLimiter::keyed(per_minute(requests_per_minute, requests_per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// One attempt to sign in.
    pub fn sign_in(&self, user: &str, domain: &str, address: &str) -> Answer<()> {
        let user: String = user.chars().take(255).collect();
        let refused = |until| self.refusal(until);
        self.sign_in_pair.check_key(&format!("{address} {domain}/{user}")).map_err(refused)?;
        self.sign_in_address.check_key(&address.to_owned()).map_err(refused)?;
        self.sign_in_all.check().map_err(refused)
    }

    /// One request of a person.
    pub fn request(&self, user_id: &str) -> Answer<()> {
        self.requests.check_key(&user_id.to_owned()).map_err(|until| self.refusal(until))
    }

    /// Forgets keys nothing was heard of for long.
    pub fn tidy(&self) {
        self.sign_in_pair.retain_recent();
        self.sign_in_address.retain_recent();
        self.requests.retain_recent();
    }

    fn refusal(&self, until: governor::NotUntil<governor::clock::QuantaInstant>) -> Problem {
        let seconds = until.wait_time_from(self.clock.now()).as_secs() + 1;
        let mut problem = Problem::new(Code::RateLimited).param("sec", seconds);
        problem.retry_after = Some(seconds);
        problem
    }
}
