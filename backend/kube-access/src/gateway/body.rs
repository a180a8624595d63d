//! Bodies as streams, both ways: the limit on what goes in, and what comes out in larger pieces.

use crate::channel::{BoxError, RequestBody};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A body in pieces.
pub type BodyStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// As much as is passed on at once.
const TOGETHER: usize = 64 << 10;

/// Passes on together what has come: alone, each piece costs an encryption, a write and a turn of the client. Nothing waits for what is still to come.
pub fn together(pieces: BodyStream) -> BodyStream {
    Box::pin(stream::unfold((pieces.fuse(), None), |(mut pieces, broken)| async move {
        if let Some(error) = broken {
            return Some((Err(error), (pieces, None)));
        }
        let mut whole = match pieces.next().await? {
            Ok(first) => BytesMut::from(first),
            Err(error) => return Some((Err(error), (pieces, None))),
        };
        while whole.len() < TOGETHER {
            // The connection's own task has its turn to bring more.
            tokio::task::yield_now().await;
            match pieces.next().now_or_never() {
                Some(Some(Ok(piece))) => whole.extend_from_slice(&piece),
                Some(Some(Err(error))) => return Some((Ok(whole.freeze()), (pieces, Some(error)))),
                Some(None) | None => break,
            }
        }
        Some((Ok(whole.freeze()), (pieces, None)))
    }))
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
