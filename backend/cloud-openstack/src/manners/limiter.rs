//! No faster than agreed, and in turns: a tenant's callers stand in one line, and only its head stands in the cloud's. Whoever has a
//! hundred in line gets no more of a busy cloud than whoever has one.

use super::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use moka::sync::Cache;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Lanes of tenants that have not called for so long are forgotten; their buckets are full by then.
const LANE_IDLE: Duration = Duration::from_secs(600);

struct Ticking(Arc<dyn Clock>);

impl governor::clock::Clock for Ticking {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.now()
    }
}

/// A bucket of calls that fills by itself.
struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticking, NoOpMiddleware<Duration>>,
    /// For the figures: whose bucket it is.
    name: &'static str,
}

impl Bucket {
    fn new(name: &'static str, per_second: u32, clock: &Arc<dyn Clock>) -> Self {
        let rate = NonZeroU32::new(per_second.max(1)).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate).allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self { limiter: RateLimiter::direct_with_clock(quota, Ticking(clock.clone())), name }
    }

    async fn take(&self) {
        while let Err(not_yet) = self.limiter.check() {
            let clock = &self.limiter.clock().0;
            let wait = not_yet.wait_time_from(clock.now());
            waited(self.name, wait);
            clock.sleep(wait).await;
        }
    }
}

pub(super) fn waited(limiter: &'static str, wait: Duration) {
    metrics::counter!("kcs_cloud_waits_total", "limiter" => limiter).increment(1);
    metrics::histogram!("kcs_cloud_wait_seconds", "limiter" => limiter).record(wait.as_secs_f64());
}

/// One tenant's line. Tokio's mutexes are fair: first come, first served.
struct Lane {
    line: Mutex<()>,
    bucket: Option<Bucket>,
}

pub(super) struct Limiter {
    line: Mutex<()>,
    bucket: Option<Bucket>,
    lanes: Cache<String, Arc<Lane>>,
    per_tenant: Option<u32>,
    clock: Arc<dyn Clock>,
}

impl Limiter {
    pub(super) fn new(per_second: Option<u32>, per_tenant: Option<u32>, clock: &Arc<dyn Clock>) -> Self {
        let lanes = Cache::builder().time_to_idle(LANE_IDLE).build();
        let bucket = per_second.map(|rate| Bucket::new("cloud", rate, clock));
        Self { line: Mutex::default(), bucket, lanes, per_tenant, clock: clock.clone() }
    }

    /// Returns when it is this caller's turn.
    pub(super) async fn turn(&self, lane: &str) {
        let Some(bucket) = &self.bucket else { return };
        let new = || {
            let bucket = self.per_tenant.map(|rate| Bucket::new("project", rate, &self.clock));
            Arc::new(Lane { line: Mutex::default(), bucket })
        };
        let lane = match self.lanes.get(lane) {
            Some(lane) => lane,
            None => self.lanes.get_with(lane.to_owned(), new),
        };
        let _head = lane.line.lock().await;
        if let Some(own) = &lane.bucket {
            own.take().await;
        }
        let _next = self.line.lock().await;
        bucket.take().await;
    }
}
