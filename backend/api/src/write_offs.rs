//! Writing off clusters whose project was deleted in the cloud.

use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::operators::Operator;
use crate::state::State;
use actix_web::post;
use actix_web::web::{Data, Json, Path};
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::operations::Receipt;
use domain::tenants::ProjectState;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterWriteOff {
    /// The cluster's name, typed.
    pub confirm: String,
}

/// Close the records of a cluster whose project was deleted in the cloud: its secrets are erased, its kubeconfigs end, and no list has it any more. The
/// cloud is not looked at: the receipt names what was recorded there. Refused as long as the cloud knows the project. Operators only.
#[utoipa::path(tag = "admin", params(("id" = ClusterId, Path)), request_body = ClusterWriteOff, responses((status = 200, body = Receipt)))]
#[post("/admin/clusters/{id}/write-off")]
pub async fn cluster_write_off(operator: Operator, state: Data<State>, id: Path<ClusterId>, body: Body<ClusterWriteOff>) -> Answer<Json<Receipt>> {
    let Operator { caller, scope } = operator;
    let cluster = state.store.cluster(&scope.scope(), *id).await?.cluster;
    if body.read()?.0.confirm != cluster.name {
        return Err(Problem::new(Code::ConfirmName).at("confirm"));
    }
    if state.identity.project_state(&cluster.tenant.0).await? != ProjectState::Gone {
        return Err(Problem::new(Code::TenantThere));
    }
    let deletion = state.store.cluster_write_off(scope, &caller.actor, *id, caller.context()).await?;
    Ok(Json(deletion.operation.receipt.unwrap_or_default()))
}
