//! Bodies as streams, both ways: the limit on what goes in, and what comes out in larger pieces.

use crate::channel::{BoxError, RequestBody};
use bytes::{Bytes, BytesMut};
use futures::stream::Fuse;
use futures::{FutureExt, Stream, StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::Instant;

/// A body in pieces.
pub type BodyStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// As much as is passed on at once.
const TOGETHER: usize = 64 << 10;
/// What is waited for so long is an event, not a part of something large.
const SILENCE: Duration = Duration::from_millis(1);

/// The body of an answer: what has come of it, to go out with the head, and what is still to come.
pub struct Body {
    begun: Bytes,
    rest: Option<BodyStream>,
}

impl Body {
    /// All of it, if all of it has come.
    ///
    /// # Errors
    /// The body itself, if some of it is still to come.
    pub fn whole(self) -> Result<Bytes, Self> {
        if self.rest.is_none() { Ok(self.begun) } else { Err(self) }
    }

    /// The same, only looked at.
    #[must_use]
    pub fn seen(&self) -> Option<&[u8]> {
        self.rest.is_none().then_some(&self.begun[..])
    }
}

impl From<Bytes> for Body {
    fn from(whole: Bytes) -> Self {
        Self { begun: whole, rest: None }
    }
}

impl Stream for Body {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            return Poll::Ready(Some(Ok(begun)));
        }
        self.rest.as_mut().map_or(Poll::Ready(None), |rest| rest.poll_next_unpin(cx))
    }
}

/// Passes on together what has come: alone, each piece costs an encryption, a write and a turn of the client. Nothing waits for what is still to come, and an event
/// not even for the others' turns.
pub async fn together(pieces: BodyStream) -> Body {
    let mut pieces = Pieces { pieces: pieces.fuse(), broken: None };
    let begun = pieces.come(Vec::new()).await;
    if pieces.pieces.is_done() && pieces.broken.is_none() {
        return Body { begun, rest: None };
    }
    Body { begun, rest: Some(Box::pin(stream::unfold(pieces, |mut pieces| async move { Some((pieces.next().await?, pieces)) }))) }
}

struct Pieces {
    pieces: Fuse<BodyStream>,
    /// Told after what came before it.
    broken: Option<std::io::Error>,
}

impl Pieces {
    async fn next(&mut self) -> Option<std::io::Result<Bytes>> {
        if let Some(error) = self.broken.take() {
            return Some(Err(error));
        }
        let asked = Instant::now();
        let first = match self.pieces.next().await? {
            Ok(first) => first,
            Err(error) => return Some(Err(error)),
        };
        if asked.elapsed() >= SILENCE {
            return Some(Ok(first));
        }
        Some(Ok(self.come(vec![first]).await))
    }

    /// These, with what has come; nothing, if nothing has.
    async fn come(&mut self, mut parts: Vec<Bytes>) -> Bytes {
        let mut length: usize = parts.iter().map(Bytes::len).sum();
        while length < TOGETHER {
            let mut next = self.pieces.next().now_or_never();
            if next.is_none() && !parts.is_empty() {
                // The connection's own task has its turn to bring more, or to say that this was all.
                yield_now().await;
                next = self.pieces.next().now_or_never();
            }
            match next {
                Some(Some(Ok(piece))) => {
                    length += piece.len();
                    parts.push(piece);
                }
                Some(Some(Err(error))) => {
                    self.broken = Some(error);
                    break;
                }
                Some(None) | None => break,
            }
        }
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        let mut whole = BytesMut::with_capacity(length);
        parts.iter().for_each(|part| whole.extend_from_slice(part));
        whole.freeze()
    }
}

/// Whether a body went over its limit while it was sent.
#[derive(Clone, Debug, Default)]
pub struct Overflow(Arc<AtomicBool>);

impl Overflow {
    pub fn happened(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that breaks off when it grows over `limit`.
pub fn limited(stream: BodyStream, limit: usize) -> (RequestBody, Overflow) {
    let overflow = Overflow::default();
    let flag = overflow.clone();
    let mut left = limit;
    let frames = stream.map(move |piece| {
        let piece = piece?;
        left = left.checked_sub(piece.len()).ok_or_else(|| {
            flag.0.store(true, Ordering::Relaxed);
            std::io::Error::other("the request body is too large")
        })?;
        Ok::<_, BoxError>(Frame::data(piece))
    });
    (StreamBody::new(frames).boxed_unsync(), overflow)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::channel::mpsc::{UnboundedSender, unbounded};

    type Sender = UnboundedSender<std::io::Result<Bytes>>;

    /// A body of which this has come when it is passed on.
    async fn begun(pieces: &[&'static str]) -> (Sender, Body) {
        let (sender, receiver) = unbounded();
        for piece in pieces {
            sender.unbounded_send(Ok(Bytes::from_static(piece.as_bytes()))).unwrap();
        }
        (sender, together(Box::pin(receiver)).await)
    }

    /// What is there without a turn of anybody else's.
    fn at_once(body: &mut Body) -> Bytes {
        body.next().now_or_never().unwrap().unwrap().unwrap()
    }

    #[tokio::test]
    async fn what_has_come_is_there_with_the_head_and_in_one_piece() {
        let (sender, mut body) = begun(&["a ", "list ", "in ", "pieces"]).await;
        assert_eq!(at_once(&mut body), "a list in pieces");
        assert!(body.next().now_or_never().is_none(), "it has not ended");
        drop(sender);
        assert!(body.next().await.is_none());
        let (sender, mut nothing) = begun(&[]).await;
        drop(sender);
        assert!(nothing.next().await.is_none());
    }

    #[tokio::test]
    async fn what_has_come_to_its_end_is_whole_and_nothing_else_is() {
        for (pieces, all) in [(&[][..], ""), (&["a list ", "in pieces"][..], "a list in pieces")] {
            let came = stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))));
            let body = together(Box::pin(came)).await;
            assert_eq!(body.seen(), Some(all.as_bytes()));
            assert_eq!(body.whole().ok().unwrap(), all);
        }
        let (_sender, open) = begun(&["a watch"]).await;
        assert_eq!(open.seen(), None);
        assert_eq!(at_once(&mut open.whole().err().unwrap()), "a watch");
        let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err(std::io::Error::other("cut"))]);
        assert!(together(Box::pin(broken)).await.whole().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_was_waited_for_goes_out_without_a_turn_of_the_others_and_many_at_once_go_together() {
        let (sender, mut watch) = begun(&[]).await;
        let send = |pieces: &[&'static str]| pieces.iter().for_each(|piece| sender.unbounded_send(Ok(Bytes::from_static(piece.as_bytes()))).unwrap());
        for event in ["first", "second"] {
            assert!(watch.next().now_or_never().is_none(), "nothing has come");
            tokio::time::advance(SILENCE).await;
            send(&[event]);
            assert_eq!(at_once(&mut watch), event);
        }
        send(&["many ", "at ", "once"]);
        assert_eq!(watch.next().await.unwrap().unwrap(), "many at once");
    }

    #[tokio::test]
    async fn what_came_before_a_break_is_passed_on_and_then_the_break() {
        let (sender, receiver) = unbounded();
        sender.unbounded_send(Ok(Bytes::from_static(b"half"))).unwrap();
        sender.unbounded_send(Err(std::io::Error::other("cut"))).unwrap();
        let mut body = together(Box::pin(receiver)).await;
        assert_eq!(body.next().await.unwrap().unwrap(), "half");
        assert!(body.next().await.unwrap().is_err());
    }
}
