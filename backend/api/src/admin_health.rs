//! How the service itself is, for operators: its processes, its parts, the cloud's services, the queue, the sweeps and the keys.

use crate::errors::Answer;
use crate::operators::Operator;
use crate::pauses::Queue;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::key_rotation::{KeyRotation, KeyStep, Ring};
use serde::Serialize;
use store::RingRecord;
use time::OffsetDateTime;

/// A process that runs.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ProcessHealth {
    pub name: String,
    /// Of the program; absent: of a version that does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it last said that it runs. One that has been silent for a minute is not listed.
    #[serde(with = "time::serde::rfc3339")]
    pub seen_at: OffsetDateTime,
}

/// One part of the process that answers, with its own words.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct PartHealth {
    /// `database`, `cloud`, `engine`.
    pub part: String,
    pub ok: bool,
    pub message: String,
}

/// The steps that the database's schema has taken.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct SchemaHealth {
    /// The newest of the database.
    pub version: i64,
    /// The newest that the process that answers knows.
    pub known: i64,
}

/// How the process that answers last met one of the cloud's services.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ServiceHealth {
    /// `identity`, `compute`, `network`, `block-storage`, `image`, `load-balancer`.
    pub service: String,
    /// When it last answered; absent: not since the process began.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<OffsetDateTime>,
    /// Since when it is left alone because it does not answer; it is tried every 15 seconds.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub away_since: Option<OffsetDateTime>,
    /// Why it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The looks through projects for orphans.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct SweepHealth {
    /// Projects that are being looked through.
    pub running: u64,
    /// Projects whose turn it is.
    pub due: u64,
    /// Since when the one is due that has waited longest.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub oldest_due_at: Option<OffsetDateTime>,
}

/// How far sealing anew is.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct SealHealth {
    pub next_step: KeyStep,
    /// Secrets.
    pub rows: u64,
    /// Secrets that are not sealed with the active key yet.
    pub left: u64,
}

/// How the service itself is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AdminHealth {
    pub processes: Vec<ProcessHealth>,
    pub parts: Vec<PartHealth>,
    pub schema: SchemaHealth,
    pub services: Vec<ServiceHealth>,
    pub queue: Queue,
    /// Since when the cluster is due that has waited longest for the engine.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub oldest_due_at: Option<OffsetDateTime>,
    pub sweeps: SweepHealth,
    pub keys: SealHealth,
}

impl From<RingRecord> for ProcessHealth {
    fn from(record: RingRecord) -> Self {
        Self { name: record.ring.name, version: record.version, seen_at: record.seen_at }
    }
}

/// How the service itself is: processes, database, cloud, queue, sweeps and keys. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = AdminHealth)))]
#[get("/admin/health")]
pub async fn admin_health_get(operator: Operator, state: Data<State>) -> Answer<Json<AdminHealth>> {
    let (store, scope) = (&state.store, operator.scope);
    let (records, uses, queue, found) = tokio::try_join!(store.rings(), store.key_uses(), store.queue(scope), store.health(scope))?;
    let parts = state.health.parts().await;
    let rings: Vec<Ring> = records.iter().map(|r| r.ring.clone()).collect();
    let KeyRotation { next_step, rows, left, .. } = KeyRotation::of(state.keys.active(), &rings, &uses);
    Ok(Json(AdminHealth {
        processes: records.into_iter().map(ProcessHealth::from).collect(),
        parts: parts.into_iter().map(|(part, ok, message)| PartHealth { part: part.to_owned(), ok, message }).collect(),
        schema: SchemaHealth { version: found.schema, known: found.schema_known },
        services: state.health.services(),
        queue: queue.into(),
        oldest_due_at: found.oldest_due_at,
        sweeps: SweepHealth { running: found.sweeping, due: found.sweeps_due, oldest_due_at: found.oldest_sweep_due_at },
        keys: SealHealth { next_step, rows, left },
    }))
}
