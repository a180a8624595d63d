//! `Idempotency-Key`: the same create sent twice is done once.

/// The header.
#[derive(Clone, Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// Any text of at most 100 characters, kept for a day: the same request with the same key gets the first one's answer.
    #[param(rename = "Idempotency-Key")]
    #[allow(dead_code)]
    pub key: Option<String>,
}
