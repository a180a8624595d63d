//! `Idempotency-Key`: the same create sent twice is done once.

use crate::errors::{Answer, Problem};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sha2::{Digest, Sha256};
use std::future::{Ready, ready};
use store::Idempotency;

/// The header.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// Any text of at most 100 characters, kept for a day: the same request with the same key gets the first one's answer.
    #[param(rename = "Idempotency-Key", value_type = Option<String>)]
    key: Option<Vec<u8>>,
}

impl IdempotencyKey {
    /// The key bound to what is asked for.
    ///
    /// # Errors
    /// When the key is not one.
    pub fn read(self, what: &str, body: &[u8]) -> Answer<Option<Idempotency>> {
        let Some(key) = self.key else { return Ok(None) };
        let wrong = || Problem::field("Idempotency-Key", "must be 1 to 100 printable ASCII characters");
        let key = String::from_utf8(key).map_err(|_| wrong())?;
        if key.is_empty() || key.len() > 100 || !key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(wrong());
        }
        let hash = Sha256::new().chain_update(what).chain_update([0]).chain_update(body).finalize();
        Ok(Some(Idempotency { key, request_hash: hash.into() }))
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { key: request.headers().get("idempotency-key").map(|v| v.as_bytes().to_vec()) }))
    }
}
