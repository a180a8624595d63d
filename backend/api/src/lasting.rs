//! Answers that go on: for as long as whoever gets them may have them, and no longer, whether or not their client reads.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::state::State;
use crate::streams::{HangUp, OpenStream};
use actix_web::web::Data;
use domain::codes::Code;
use futures::future::ready;
use futures::{Stream, StreamExt, stream};
use std::time::Duration;
use store::ChangeNotice;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Streams are looked at this often even when nobody said that something changed.
const LOOK: Duration = Duration::from_secs(20);
/// After a look that the database did not answer, the next: a revocation must not go unseen for longer than it has to.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Whoever reads has taken the end of a stream by then, and may go on using the connection.
const UNREAD: Duration = Duration::from_millis(500);

/// Ends when somebody may no longer have what is open, or has had it for too long, and says why. `changes` was subscribed to before they were first looked at; of
/// those that concern them there is another look.
pub async fn over(
    longest: Duration,
    mut changes: Receiver<ChangeNotice>,
    concerns: impl Fn(&ChangeNotice) -> bool,
    still_valid: impl AsyncFn() -> Answer<()>,
) -> Problem {
    let mut due = Instant::now() + LOOK;
    let last = Instant::now() + longest;
    loop {
        let looked = tokio::select! {
            () = tokio::time::sleep_until(last) => return Problem::new(Code::SessionExpired).detail("it has lasted for as long as it may"),
            notice = changes.recv() => match notice {
                Ok(notice) => concerns(&notice),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return Problem::new(Code::StoreUnavailable),
            },
            () = tokio::time::sleep_until(due) => true,
        };
        // Notices about others leave the time of the next look as it is.
        if !looked {
            continue;
        }
        let pause = match still_valid().await {
            Ok(()) => LOOK,
            // A database that does not answer for a moment cuts nobody off.
            Err(problem) if problem.status >= 500 => LOOK_AGAIN,
            Err(problem) => return problem,
        };
        // From the look's end: one that took long is not followed by the next at once.
        due = Instant::now() + pause;
    }
}

/// Ends with the right to what is open, or with the program; then it does not count as open any more.
pub async fn ended(state: Data<State>, over: impl Future<Output = Problem>, open: OpenStream) {
    tokio::select! {
        _ = over => (),
        () = state.stopping.cancelled() => (),
    }
    drop(open);
}

/// What comes until the end, and then `broken`, where what was cut must not look whole. The end is waited for apart from the answer, which goes on only as fast as its
/// client reads: nobody puts it off by reading nothing. Such a client's connection is ended, and with it all that waits on it.
pub fn until<S: Stream>(
    pieces: S,
    end: impl Future<Output = ()> + 'static,
    broken: Option<S::Item>,
    connection: Option<HangUp>,
) -> impl Stream<Item = S::Item> {
    let (over, gone) = (CancellationToken::new(), CancellationToken::new());
    let (cut, was_cut, whole) = (over.clone(), over.clone(), gone.clone().drop_guard());
    actix_web::rt::spawn(async move {
        tokio::select! {
            () = gone.cancelled() => return,
            () = end => cut.cancel(),
        }
        if timeout(UNREAD, gone.cancelled()).await.is_err()
            && let Some(connection) = connection
        {
            connection.now();
        }
    });
    let end = async move {
        over.cancelled().await;
        drop(whole);
    };
    pieces.take_until(end).chain(stream::iter(broken).take_while(move |_| ready(was_cut.is_cancelled())))
}

/// The same for somebody who is signed in; it counts as open. `changes` was subscribed to as the answer was begun.
///
/// # Errors
/// When the person has too many streams open.
pub fn for_caller<S: Stream>(
    state: Data<State>,
    caller: Caller,
    changes: Receiver<ChangeNotice>,
    pieces: S,
    broken: Option<S::Item>,
) -> Answer<impl Stream<Item = S::Item>> {
    let open = state.streams.open(&caller.actor.user.id, None)?;
    let (shared, connection) = (state.clone(), caller.connection());
    let over = async move {
        let concerns = |notice: &ChangeNotice| match notice {
            ChangeNotice::Changed { .. } | ChangeNotice::Settings => false,
            ChangeNotice::Person { user } => *user == caller.actor.user.id,
            ChangeNotice::Resync => true,
        };
        over(state.settings.streams.longest, changes, concerns, async || caller.still_valid(&state).await).await
    };
    Ok(until(pieces, ended(shared, over, open), broken, connection))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use futures::FutureExt;
    use futures::future::pending;

    #[actix_web::test]
    async fn who_reads_nothing_is_hung_up_on_and_who_reads_is_told_of_the_end() {
        let (unread, read) = (HangUp::default(), HangUp::default());
        let kept = until(stream::pending::<u8>(), ready(()), None, Some(unread.clone()));
        let taken = until(stream::pending::<u8>(), ready(()), Some(7), Some(read.clone()));
        assert_eq!(taken.collect::<Vec<u8>>().await, [7]);
        timeout(Duration::from_secs(60), unread.done()).await.expect("it waits for who reads nothing");
        assert!(read.done().now_or_never().is_none(), "who reads may go on using the connection");
        drop(kept);
    }

    #[actix_web::test]
    async fn what_ends_by_itself_is_whole() {
        let whole = until(stream::iter([1, 2]), pending(), Some(7), None);
        assert_eq!(whole.collect::<Vec<u8>>().await, [1, 2]);
    }
}
