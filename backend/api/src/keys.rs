//! The keys that seal secrets: operators see which there are, what is sealed with them, and how far a change of keys is.

use crate::errors::Answer;
use crate::operators::Operator;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::key_rotation::{KeyRotation, Ring};
use serde::Serialize;
use store::RingRecord;
use time::OffsetDateTime;

/// A process that runs, and its keys, by their ids.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct KeyHolder {
    pub name: String,
    pub active: String,
    pub keys: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
}

impl From<RingRecord> for KeyHolder {
    fn from(record: RingRecord) -> Self {
        let Ring { name, active, keys } = record.ring;
        Self { name, active, keys: keys.into_iter().collect(), seen_at: record.seen_at }
    }
}

/// Keys, and what is sealed with them.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct KeyReport {
    #[serde(flatten)]
    pub rotation: KeyRotation,
    pub processes: Vec<KeyHolder>,
    /// Secrets that did not open when they were last to be sealed anew, and why: some of them.
    pub unopened: Vec<String>,
}

/// Which keys there are, how many secrets are sealed with each, and how far a change of keys is. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = KeyReport)))]
#[get("/admin/keys")]
pub async fn key_report(_: Operator, state: Data<State>) -> Answer<Json<KeyReport>> {
    let store = &state.store;
    let (records, uses, unopened) = tokio::try_join!(store.rings(), store.key_uses(), store.rewrap_unopened())?;
    let rings: Vec<Ring> = records.iter().map(|r| r.ring.clone()).collect();
    let rotation = KeyRotation::of(state.keys.active(), &rings, &uses);
    let unopened = if rotation.left > 0 { unopened } else { Vec::new() };
    Ok(Json(KeyReport { rotation, processes: records.into_iter().map(KeyHolder::from).collect(), unopened }))
}
