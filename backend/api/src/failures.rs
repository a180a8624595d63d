//! How often something may fail. It counts before it is tried, so that many at once get no further than one after the other, and what did not fail is taken back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many failures of each key at once; one after the other they are forgotten.
pub struct Failures {
    /// How long one counts.
    each: Duration,
    /// How long all count that there may be.
    most: Duration,
    /// When all of a key's are forgotten.
    until: Mutex<HashMap<String, Instant>>,
}

/// One try. It counts as a failure, also when it is given up halfway, until it is spared.
#[must_use]
pub struct Attempt<'a> {
    failures: &'a Failures,
    key: String,
}

impl Failures {
    #[must_use]
    pub fn new(count: u32, within: Duration) -> Self {
        let each = within / count.max(1);
        Self { each, most: each * count.max(1), until: Mutex::default() }
    }

    /// Begins to try.
    ///
    /// # Errors
    /// When too much has failed: how long to wait.
    pub fn begin(&self, key: &str) -> Result<Attempt<'_>, Duration> {
        let (mut until, now) = (self.lock(), Instant::now());
        let forgotten = until.get(key).map_or(now, |known| now.max(*known)) + self.each;
        let wait = forgotten.saturating_duration_since(now + self.most);
        if !wait.is_zero() {
            return Err(wait);
        }
        until.insert(key.to_owned(), forgotten);
        Ok(Attempt { failures: self, key: key.to_owned() })
    }

    /// Lets go of keys whose failures are forgotten.
    pub fn tidy(&self) {
        let now = Instant::now();
        self.lock().retain(|_, until| *until > now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// It did not fail.
    pub fn spare(self) {
        if let Some(until) = self.failures.lock().get_mut(&self.key) {
            *until -= self.failures.each;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_forgotten_one_after_the_other_and_what_does_not_is_not_counted() {
        let failures = Failures::new(5, Duration::from_secs(1800));
        let fail = |key: &str| failures.begin(key).map(drop);
        for _ in 0..100 {
            failures.begin("a").unwrap().spare();
        }
        // Tries that are under way count.
        let under_way: Vec<Attempt<'_>> = (0..5).map(|_| failures.begin("a").unwrap()).collect();
        assert_eq!(fail("a"), Err(Duration::from_secs(360)));
        assert_eq!(fail("b"), Ok(()));
        under_way.into_iter().take(1).for_each(Attempt::spare);
        assert_eq!((fail("a"), fail("a")), (Ok(()), Err(Duration::from_secs(360))));
        tokio::time::advance(Duration::from_secs(359)).await;
        failures.tidy();
        assert_eq!(fail("a"), Err(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((fail("a"), fail("a")), (Ok(()), Err(Duration::from_secs(360))));
        tokio::time::advance(Duration::from_secs(1800)).await;
        failures.tidy();
        assert!(failures.lock().is_empty());
        assert!((0..5).all(|_| fail("a").is_ok()));
    }
}
