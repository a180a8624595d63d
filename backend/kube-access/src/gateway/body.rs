//! Bodies as streams, both ways, and the limit on what goes in.

use crate::channel::{BoxError, RequestBody};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A body in pieces.
pub type BodyStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

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
