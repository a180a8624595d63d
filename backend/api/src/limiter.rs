//! Limits on how often: signing in per person and address, per person, per address and in all; tokens that Keystone refuses, or that were never ours; programs that
//! want to be signed in; requests per person, of the API and through the gate.

use crate::errors::{Answer, Problem};
use crate::failures::{Attempt, Failures};
use crate::state::Settings;
use domain::codes::Code;
use governor::clock::{Clock, DefaultClock, QuantaInstant};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
/// For so long Keystone's manual has people locked out, after six failures.
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);
/// What may fail from one neighbourhood once everybody's or a person's failures are used up: as one person, and as all of them.
const LATE_AS_PERSON: u32 = 2;
const LATE_IN_ALL: u32 = 10;
/// One part in so many of the sign-ins that Keystone is asked for is kept for those.
const LATE_PART: u32 = 10;

/// The limits of one process.
pub struct Limiter {
    sign_in_device: DefaultKeyedRateLimiter<String>,
    sign_in_pair: DefaultKeyedRateLimiter<String>,
    sign_in_address: DefaultKeyedRateLimiter<String>,
    sign_in_person: Failures,
    sign_in_all: DefaultDirectRateLimiter,
    late_person: Failures,
    late_neighbourhood: Failures,
    late_all: DefaultDirectRateLimiter,
    federated_address: DefaultKeyedRateLimiter<String>,
    federated_all: DefaultDirectRateLimiter,
    token_address: Failures,
    token_all: Failures,
    bearer_address: Failures,
    device_codes: DefaultKeyedRateLimiter<String>,
    device_polls: DefaultKeyedRateLimiter<String>,
    requests: DefaultKeyedRateLimiter<String>,
    /// None: no limit.
    gate_requests: Option<DefaultKeyedRateLimiter<String>>,
    clock: DefaultClock,
}

fn per_minute(count: u32, burst: u32) -> Quota {
    let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(at_least_one(count)).allow_burst(at_least_one(burst))
}

/// What an address is counted as: whoever has one of IPv6 has the 2^64 around it.
pub fn network(address: &str) -> String {
    let own = |six: Ipv6Addr| Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).to_string();
    address.parse::<Ipv6Addr>().map_or_else(|_| address.to_owned(), own)
}

/// What has to do with an address: a /24, or a /48, in which as many customers of a provider may be. Whoever guesses from many addresses has whole ones.
fn neighbourhood(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(four)) => Ipv4Addr::from_bits(four.to_bits() & !(u32::MAX >> 24)).to_string(),
        Ok(IpAddr::V6(six)) => Ipv6Addr::from_bits(six.to_bits() & !(u128::MAX >> 48)).to_string(),
        Err(_) => address.to_owned(),
    }
}

impl Limiter {
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let &Settings { requests_per_minute, gate_requests_per_minute, sign_ins_per_minute, failed_sign_ins_per_person, .. } = settings;
        let late = (sign_ins_per_minute / LATE_PART).max(1);
        let ordinary = sign_ins_per_minute.saturating_sub(late);
        Self {
            sign_in_device: RateLimiter::keyed(per_minute(10, 10)),
            sign_in_pair: RateLimiter::keyed(per_minute(20, 20)),
            sign_in_address: RateLimiter::keyed(per_minute(120, 120)),
            sign_in_person: Failures::new(failed_sign_ins_per_person, HALF_AN_HOUR),
            sign_in_all: RateLimiter::direct(per_minute(ordinary, ordinary)),
            late_person: Failures::new(LATE_AS_PERSON, HALF_AN_HOUR),
            late_neighbourhood: Failures::new(LATE_IN_ALL, HALF_AN_HOUR),
            late_all: RateLimiter::direct(per_minute(late, late)),
            federated_address: RateLimiter::keyed(per_minute(120, 120)),
            federated_all: RateLimiter::direct(per_minute(sign_ins_per_minute, sign_ins_per_minute)),
            token_address: Failures::new(60, MINUTE),
            token_all: Failures::new(sign_ins_per_minute, MINUTE),
            // They cost a question to our own database only; and after a restart all that work behind one address come at once, with good ones.
            bearer_address: Failures::new(600, MINUTE),
            device_codes: RateLimiter::keyed(per_minute(20, 20)),
            device_polls: RateLimiter::keyed(per_minute(600, 600)),
            requests: RateLimiter::keyed(per_minute(requests_per_minute, requests_per_minute)),
            gate_requests: (gate_requests_per_minute > 0).then(|| RateLimiter::keyed(per_minute(gate_requests_per_minute, gate_requests_per_minute))),
            clock: DefaultClock::default(),
        }
    }

    /// One attempt to sign in. A browser that the person has signed in with before has a limit of its own: guessing from elsewhere, from however many
    /// addresses, uses up the others. Of those the ones per person count what fails only, whether or not there is such a person. Whoever used them up has
    /// not shut the person out: from where little failed there is a try or two more.
    pub fn sign_in(&self, person: &str, address: &str, device: Option<&str>) -> Answer<Vec<Attempt<'_>>> {
        if let Some(device) = device {
            return self.sign_in_device.check_key(&device.to_owned()).map(|()| Vec::new()).map_err(|until| self.refusal(until));
        }
        self.stranger(person, address)?;
        match self.ordinary_sign_in(person) {
            Ok(attempt) => Ok(vec![attempt]),
            Err(wait) => self.late_sign_in(person, address).map_err(|late| held_up(wait.min(late))),
        }
    }

    fn ordinary_sign_in(&self, person: &str) -> Result<Attempt<'_>, Duration> {
        let attempt = self.sign_in_person.begin(person)?;
        match self.sign_in_all.check() {
            Ok(()) => Ok(attempt),
            Err(until) => {
                attempt.spare();
                Err(self.wait(until))
            }
        }
    }

    fn late_sign_in(&self, person: &str, address: &str) -> Result<Vec<Attempt<'_>>, Duration> {
        let from = neighbourhood(address);
        // The neighbourhood first: who sends made-up names is remembered by no more of them than that allows.
        let mut begun = vec![self.late_neighbourhood.begin(&from)?];
        let of_person = self.late_person.begin(&format!("{from} {person}")).map(|attempt| begun.push(attempt));
        match of_person.and_then(|()| self.late_all.check().map_err(|until| self.wait(until))) {
            Ok(()) => Ok(begun),
            Err(wait) => {
                begun.into_iter().for_each(Attempt::spare);
                Err(wait)
            }
        }
    }

    /// One attempt with an application credential. What fails counts for the address it comes from and not for the credential: nobody guesses its secret, and
    /// whoever knows its id must not hold it up for those who have the secret.
    pub fn credential_sign_in(&self, credential: &str, address: &str) -> Answer<()> {
        self.stranger(credential, address)?;
        self.sign_in_all.check().map_err(|until| self.refusal(until))
    }

    /// One attempt from an address of which nothing good is known.
    fn stranger(&self, person: &str, address: &str) -> Answer<()> {
        let (network, refused) = (network(address), |until| self.refusal(until));
        // The address first: who sends made-up names is remembered by no more of them than that allows.
        self.sign_in_address.check_key(&network).map_err(refused)?;
        self.sign_in_pair.check_key(&format!("{network} {person}")).map_err(refused)
    }

    /// One that comes back from an identity provider: who it is, Keystone says only afterwards. Guessing passwords does not hold it up.
    pub fn federated(&self, address: &str) -> Answer<()> {
        let refused = |until| self.refusal(until);
        self.federated_address.check_key(&network(address)).map_err(refused)?;
        self.federated_all.check().map_err(refused)
    }

    /// One look at a token that nothing is known of. What others send from elsewhere does not hold up a `trusted` address.
    pub fn token(&self, network: &str, trusted: bool) -> Answer<Vec<Attempt<'_>>> {
        let of_address = self.token_address.begin(network).map_err(held_up)?;
        if trusted {
            return Ok(vec![of_address]);
        }
        match self.token_all.begin("") {
            Ok(of_all) => Ok(vec![of_address, of_all]),
            Err(wait) => {
                of_address.spare();
                Err(held_up(wait))
            }
        }
    }

    /// One look at a token, said to be ours, that nothing is known of.
    pub fn bearer(&self, address: &str) -> Answer<Attempt<'_>> {
        self.bearer_address.begin(&network(address)).map_err(held_up)
    }

    /// One program that asks to be signed in: it counts as an attempt to sign in from its address, but costs Keystone nothing.
    pub fn device_sign_in(&self, address: &str) -> Answer<()> {
        self.sign_in_address.check_key(&network(address)).map_err(|until| self.refusal(until))
    }

    /// One code that a person types. Right ones count, too: otherwise a refusal would tell which are wrong.
    pub fn device_code(&self, user_id: &str) -> Answer<()> {
        self.device_codes.check_key(&user_id.to_owned()).map_err(|until| self.refusal(until))
    }

    /// One question whether a program was signed in; many may wait behind one address.
    pub fn device_poll(&self, address: &str) -> Answer<()> {
        self.device_polls.check_key(&network(address)).map_err(|until| self.refusal(until))
    }

    /// One request of a person.
    pub fn request(&self, user_id: &str) -> Answer<()> {
        self.requests.check_key(&user_id.to_owned()).map_err(|until| self.refusal(until))
    }

    /// One request of a person's through the gate, with whichever of their kubeconfigs.
    pub fn gate_request(&self, user_id: &str) -> Answer<()> {
        match &self.gate_requests {
            Some(limit) => limit.check_key(&user_id.to_owned()).map_err(|until| self.refusal(until)),
            None => Ok(()),
        }
    }

    /// Forgets keys nothing was heard of for long.
    pub fn tidy(&self) {
        self.sign_in_device.retain_recent();
        self.sign_in_pair.retain_recent();
        self.sign_in_address.retain_recent();
        self.sign_in_person.tidy();
        self.late_person.tidy();
        self.late_neighbourhood.tidy();
        self.federated_address.retain_recent();
        self.token_address.tidy();
        self.bearer_address.tidy();
        self.device_codes.retain_recent();
        self.device_polls.retain_recent();
        self.requests.retain_recent();
        if let Some(limit) = &self.gate_requests {
            limit.retain_recent();
        }
    }

    fn refusal(&self, until: NotUntil<QuantaInstant>) -> Problem {
        held_up(self.wait(until))
    }

    fn wait(&self, until: NotUntil<QuantaInstant>) -> Duration {
        until.wait_time_from(self.clock.now())
    }
}

fn held_up(wait: Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    let mut problem = Problem::new(Code::RateLimited).param("sec", seconds);
    problem.retry_after = Some(seconds);
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbourhood_is_what_one_guesser_may_have_as_a_whole() {
        assert_eq!(neighbourhood("192.0.2.1"), neighbourhood("192.0.2.254"));
        assert_ne!(neighbourhood("192.0.2.1"), neighbourhood("192.0.3.1"));
        assert_eq!(neighbourhood("2001:db8:1::1"), neighbourhood("2001:db8:1:ffff:1::2"));
        assert_ne!(neighbourhood("2001:db8:1::1"), neighbourhood("2001:db8:2::1"));
    }
}
