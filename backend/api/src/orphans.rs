//! Objects in the cloud that carry a mark of KCS's, or were made in clusters that are gone, and that nobody looks after: operators see them and decide on
//! the doubtful.

use crate::errors::Answer;
use crate::extract::Body;
use crate::lists::List;
use crate::operators::Operator;
use crate::session::ProjectRef;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{get, post};
use domain::ids::{ClusterId, OrphanId};
use domain::ledger::ResourceKind;
use domain::orphans::{Decision, PATIENCE, Verdict};
use serde::{Deserialize, Serialize};
use store::OrphanRecord;
use time::OffsetDateTime;

/// An orphan.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Orphan {
    pub id: OrphanId,
    pub project: ProjectRef,
    pub kind: ResourceKind,
    /// Its id in the cloud.
    pub cloud_id: String,
    /// Its name in the cloud; of a floating IP, its address.
    pub name: String,
    /// The cluster its mark tells of, known or not.
    pub cluster: ClusterId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    pub verdict: Verdict,
    /// How often it was seen.
    pub looks: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub first_seen_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
    /// Before this it is not removed, whatever is decided.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Name of the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When its deletion was last asked for.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub called_at: Option<OffsetDateTime>,
    /// What the cloud had against it, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

impl From<OrphanRecord> for Orphan {
    fn from(record: OrphanRecord) -> Self {
        let object = record.object;
        Self {
            id: record.id,
            project: ProjectRef { id: record.tenant.0, name: record.tenant_name },
            kind: object.kind,
            cloud_id: object.cloud_id,
            name: object.name,
            cluster: object.cluster,
            cluster_name: record.cluster_name,
            verdict: record.verdict,
            looks: record.looks,
            first_seen_at: record.first_seen_at,
            last_seen_at: record.last_seen_at,
            not_before: record.first_seen_at + PATIENCE,
            decision: record.decision,
            decided_by: record.decided_by,
            called_at: record.called_at,
            fault: record.fault,
        }
    }
}

/// What an operator says of an orphan.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrphanDecision {
    pub decision: Decision,
}

/// A thousand orphans of all projects: the oldest first, after the others what was made in clusters, and last what is to stay. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = List<Orphan>)))]
#[get("/admin/orphans")]
pub async fn orphan_list(operator: Operator, state: Data<State>) -> Answer<Json<List<Orphan>>> {
    Ok(Json(List::whole(state.store.orphans(operator.scope).await?.into_iter().map(Orphan::from).collect())))
}

/// Say of an orphan that it is to go, or that it is known and stays. A later decision takes the place of an earlier one. Operators only.
#[utoipa::path(tag = "admin", params(("id" = OrphanId, Path)), request_body = OrphanDecision, responses((status = 200, body = Orphan)))]
#[post("/admin/orphans/{id}/decision")]
pub async fn orphan_decide(operator: Operator, state: Data<State>, id: Path<OrphanId>, body: Body<OrphanDecision>) -> Answer<Json<Orphan>> {
    let Operator { caller, scope } = operator;
    let decision = body.read()?.0.decision;
    Ok(Json(state.store.orphan_decide(scope, &caller.actor, *id, decision, caller.context()).await?.into()))
}
