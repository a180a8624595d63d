//! Carries bytes both ways between two connections until one ends, both are idle for too long, or they are cut.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// No idle limit.
pub const NO_LIMIT: Duration = Duration::ZERO;

/// Returns when the connection is over; both streams are closed then.
pub async fn relay(one: TcpStream, other: TcpStream, idle: Duration, cut: &CancellationToken) {
    let _ = (one.set_nodelay(true), other.set_nodelay(true));
    let ((one_read, one_write), (other_read, other_write)) = (one.into_split(), other.into_split());
    let clock = Arc::new(Clock { start: Instant::now(), last_ms: AtomicU64::new(0) });
    let both = async {
        let _ = tokio::try_join!(copy(one_read, other_write, &clock), copy(other_read, one_write, &clock));
    };
    tokio::select! {
        () = both => {}
        () = cut.cancelled() => {}
        () = clock.idle_for(idle) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, clock: &Clock) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = from.read(&mut buffer).await?;
        clock.touch();
        if count == 0 {
            return to.shutdown().await; // the other way may go on
        }
        let Some(piece) = buffer.get(..count) else { return Ok(()) };
        to.write_all(piece).await?;
        clock.touch();
    }
}

/// When bytes were last seen.
struct Clock {
    start: Instant,
    last_ms: AtomicU64,
}

impl Clock {
    fn touch(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Ordering::Relaxed);
    }

    async fn idle_for(&self, limit: Duration) {
        if limit.is_zero() {
            std::future::pending::<()>().await;
        }
        loop {
            let due = self.start + Duration::from_millis(self.last_ms.load(Ordering::Relaxed)) + limit;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}
