//! Open streams: how many a person has and how many lead into a cluster, how long one may last, and how the connection under one is ended.

use crate::errors::{Answer, Problem};
use domain::codes::Code;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Seconds after which it is worth trying again.
const AGAIN: u64 = 5;

/// How many streams may be open at once in one process, and how long they may last.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    pub of_person: u32,
    /// Whoever's.
    pub into_cluster: u32,
    /// A way into a pod through which nothing has gone for so long is closed.
    pub idle: Duration,
    /// Every stream ends by then.
    pub longest: Duration,
}

/// By user id, and by cluster.
type Counts = Arc<Mutex<HashMap<String, u32>>>;

/// Those that are open.
pub struct Streams {
    counts: Counts,
    limits: StreamLimits,
}

/// One open stream; closing counts it off.
pub struct OpenStream {
    counts: Counts,
    keys: Vec<String>,
}

impl Streams {
    #[must_use]
    pub fn new(limits: StreamLimits) -> Self {
        Self { counts: Counts::default(), limits }
    }

    /// Counts one more of a person, and into a cluster if it leads into one.
    ///
    /// # Errors
    /// When there are too many.
    pub fn open(&self, user: &str, cluster: Option<&str>) -> Answer<OpenStream> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = vec![(format!("person {user}"), self.limits.of_person)];
        keys.extend(cluster.map(|id| (format!("cluster {id}"), self.limits.into_cluster)));
        if let Some((_, most)) = keys.iter().find(|(key, most)| counts.get(key).is_some_and(|count| count >= most)) {
            let mut problem = Problem::new(Code::RateLimited).detail("too many streams are open").param("limit", *most).param("sec", AGAIN);
            problem.retry_after = Some(AGAIN);
            return Err(problem);
        }
        let keys: Vec<String> = keys.into_iter().map(|(key, _)| key).collect();
        for key in &keys {
            *counts.entry(key.clone()).or_insert(0) += 1;
        }
        Ok(OpenStream { counts: self.counts.clone(), keys })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            if let Some(count) = counts.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(key);
                }
            }
        }
    }
}

/// Data of a connection: by this it is ended, as if the client said no more, and what waits until the client reads is given up. Otherwise the server goes on listening
/// for a while when a tunnel has ended, and waits for ever for a client that reads nothing.
#[derive(Clone, Default)]
pub struct HangUp(CancellationToken);

impl HangUp {
    pub fn now(&self) {
        self.0.cancel();
    }

    /// Ends when somebody has hung up.
    pub fn done(&self) -> WaitForCancellationFutureOwned {
        self.0.clone().cancelled_owned()
    }
}

/// When something last went through a tunnel.
#[derive(Clone)]
pub struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    #[must_use]
    pub fn begin() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends when nothing has gone through for so long.
    pub async fn idle(&self, limit: Duration) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() >= limit {
                return;
            }
            tokio::time::sleep_until(last + limit).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_person_and_a_cluster_have_so_many_streams_and_no_more() {
        let (of_person, into_cluster) = (3, 10);
        let streams = Streams::new(StreamLimits { of_person, into_cluster, idle: Duration::ZERO, longest: Duration::ZERO });
        let of_one: Vec<OpenStream> = (0..of_person).map(|_| streams.open("one", Some("c")).unwrap()).collect();
        assert_eq!(streams.open("one", None).err().unwrap().retry_after, Some(AGAIN));
        let others: Vec<OpenStream> = (of_person..into_cluster).map(|n| streams.open(&format!("p{n}"), Some("c")).unwrap()).collect();
        assert!(streams.open("another", Some("c")).is_err());
        assert!(streams.open("another", Some("d")).is_ok());
        drop((of_one, others));
        assert!(streams.counts.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_is_idle_only_after_nothing_went_through_for_long_enough() {
        let (activity, limit) = (Activity::begin(), Duration::from_secs(60));
        let begun = Instant::now();
        let busy = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(50)).await;
                activity.touch();
            }
        };
        tokio::join!(busy, activity.idle(limit));
        assert_eq!(begun.elapsed().as_secs(), 5 * 50 + 60);
    }
}
