//! Open streams: how many a person has, and when they must end: kubeconfig revoked or expired, session over, program stopping.

use crate::errors::{Answer, Problem};
use domain::codes::Code;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Streams a person may have open at once in one process.
const MOST: usize = 200;

/// Counts by user id.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// One open stream; closing counts it off.
pub struct OpenStream {
    streams: Streams,
    user: String,
}

impl Streams {
    /// Counts one more.
    ///
    /// # Errors
    /// When the person has too many.
    pub fn open(&self, user: &str) -> Answer<OpenStream> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(user.to_owned()).or_insert(0);
        if *count >= MOST {
            return Err(Problem::new(Code::RateLimited).detail("too many streams are open").param("limit", MOST));
        }
        *count += 1;
        Ok(OpenStream { streams: self.clone(), user: user.to_owned() })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut counts = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}
