//! The engine's queue, and pauses of it: operators hold the engine back from one cluster or from all.

use crate::clusters::Cluster;
use crate::errors::Answer;
use crate::extract::Body;
use crate::operators::Operator;
use crate::state::State;
use crate::texts::said;
use actix_web::web::{Data, Json, Path};
use actix_web::{delete, get, put};
use auth::OperatorScope;
use domain::ids::ClusterId;
use domain::pauses::Pause;
use serde::{Deserialize, Serialize};
use store::QueueRecord;

/// Characters that a reason may have at most.
const LONGEST: usize = 300;

/// The engine's work, all projects taken together.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Queue {
    /// What holds everything back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Clusters held back by a pause of their own.
    pub paused_clusters: u64,
    /// Operations that have not begun.
    pub pending: u64,
    pub running: u64,
    pub blocked: u64,
    /// Clusters that are worked on at this moment.
    pub in_work: u64,
    /// Clusters that are due and wait for a free worker, or are held back.
    pub due: u64,
}

#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// 1 to 300 characters. Everybody whose work waits is shown it.
    #[schema(min_length = 1, max_length = 300)]
    pub reason: String,
}

impl From<QueueRecord> for Queue {
    fn from(record: QueueRecord) -> Self {
        let QueueRecord { pause, pending, running, blocked, paused_clusters, in_work, due } = record;
        Self { paused: pause, paused_clusters, pending, running, blocked, in_work, due }
    }
}

async fn queue_of(state: &State, scope: OperatorScope) -> Answer<Json<Queue>> {
    Ok(Json(state.store.queue(scope).await?.into()))
}

/// How much work the engine has, and whether operators hold it back. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = Queue)))]
#[get("/admin/queue")]
pub async fn queue_get(operator: Operator, state: Data<State>) -> Answer<Json<Queue>> {
    queue_of(&state, operator.scope).await
}

/// Hold the engine back from all clusters: passes under way end, none begins. What is asked for meanwhile is accepted and waits. Operators only.
#[utoipa::path(tag = "admin", request_body = PauseRequest, responses((status = 200, body = Queue)))]
#[put("/admin/queue/pause")]
pub async fn queue_pause(operator: Operator, state: Data<State>, body: Body<PauseRequest>) -> Answer<Json<Queue>> {
    let Operator { caller, scope } = operator;
    let reason = said("reason", &body.read()?.0.reason, LONGEST)?;
    state.store.pause(scope, &caller.actor, None, reason, caller.context()).await?;
    queue_of(&state, scope).await
}

/// Let the engine go on. Clusters with a pause of their own stay held back. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = Queue)))]
#[delete("/admin/queue/pause")]
pub async fn queue_resume(operator: Operator, state: Data<State>) -> Answer<Json<Queue>> {
    let Operator { caller, scope } = operator;
    state.store.resume(scope, &caller.actor, None, caller.context()).await?;
    queue_of(&state, scope).await
}

/// Hold the engine back from one cluster, self-healing included. What is asked for meanwhile is accepted and waits. Operators only.
#[utoipa::path(tag = "admin", params(("id" = ClusterId, Path)), request_body = PauseRequest, responses((status = 200, body = Cluster)))]
#[put("/admin/clusters/{id}/pause")]
pub async fn cluster_pause(operator: Operator, state: Data<State>, id: Path<ClusterId>, body: Body<PauseRequest>) -> Answer<Json<Cluster>> {
    let Operator { caller, scope } = operator;
    let reason = said("reason", &body.read()?.0.reason, LONGEST)?;
    state.store.pause(scope, &caller.actor, Some(*id), reason, caller.context()).await?;
    Ok(Json(Cluster::new(state.store.cluster(&scope.scope(), *id).await?, &caller.actor)))
}

/// Let the engine go on with a cluster. Operators only.
#[utoipa::path(tag = "admin", params(("id" = ClusterId, Path)), responses((status = 200, body = Cluster)))]
#[delete("/admin/clusters/{id}/pause")]
pub async fn cluster_resume(operator: Operator, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<Cluster>> {
    let Operator { caller, scope } = operator;
    state.store.resume(scope, &caller.actor, Some(*id), caller.context()).await?;
    Ok(Json(Cluster::new(state.store.cluster(&scope.scope(), *id).await?, &caller.actor)))
}
