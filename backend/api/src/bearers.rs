//! Tokens of ours that come with requests, of sessions, of kubeconfigs and for the API: how often the database is asked for what is made up in their place.

use crate::errors::{Answer, Problem};
use crate::failures::Attempt;
use crate::limiter::Limiter;
use moka::future::Cache;
use sealed::TokenHash;
use std::time::Duration;
use store::StoreError;

/// What the database said of them.
pub struct Bearers {
    /// There were such lately: what others send from where they come from does not hold them up.
    known: Cache<TokenHash, ()>,
    /// There are none such, apart: however many they are, they crowd out no other. A program goes on coming with what was revoked, and that is no guessing.
    unknown: Cache<TokenHash, ()>,
}

impl Default for Bearers {
    fn default() -> Self {
        Self {
            known: Cache::builder().max_capacity(100_000).time_to_idle(Duration::from_secs(24 * 3600)).build(),
            unknown: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(30)).build(),
        }
    }
}

impl Bearers {
    /// It was made just now: what others send from where its bearer is does not hold it up from the first request on.
    pub async fn begun(&self, token: TokenHash) {
        self.known.insert(token, ()).await;
    }

    /// What `look` finds of a token that came from an address; None: there is no such token.
    ///
    /// # Errors
    /// When the database does not answer, or too much came from there that was nothing.
    pub async fn find<T>(
        &self,
        limiter: &Limiter,
        token: TokenHash,
        source: &str,
        look: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Answer<Option<T>> {
        if self.unknown.contains_key(&token) {
            return Ok(None);
        }
        let known = self.known.get(&token).await.is_some();
        let attempt = if known { None } else { Some(limiter.bearer(source)?) };
        let found = look.await;
        if let Ok(None) = found {
            self.known.invalidate(&token).await;
            self.unknown.insert(token, ()).await;
            return Ok(None);
        }
        attempt.into_iter().for_each(Attempt::spare);
        if found.is_ok() && !known {
            self.known.insert(token, ()).await;
        }
        found.map_err(Problem::from)
    }
}
