//! Who may connect to the API of a cluster that is there: everybody, or ranges. The listener of its load balancer is put right for it.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::Answer;
use crate::extract::Body;
use crate::operations::Operation;
use crate::plan;
use crate::state::State;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch};
use auth::ClusterUpdate;
use domain::ids::ClusterId;
use domain::ledger::ResourceState;
use domain::preflight::unrestrictable;
use domain::requests::access_violations;
use domain::settings::{ApiExposure, OVN};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiAccessChange {
    /// `public` or `restricted`: a private API stays private, and no other becomes it.
    pub exposure: ApiExposure,
    /// All the clients that may connect, when it is restricted. KCS adds the cluster's own ranges and its own addresses.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub allowed_cidrs: Vec<Ipv4Net>,
}

/// Whether the cluster's load balancer is one that lets everybody connect. Of one that this person does not see nobody can tell: the operation says it.
async fn behind_ovn(state: &State, caller: &Caller, id: ClusterId) -> Answer<bool> {
    let rows = state.store.ledger(&caller.actor.scope(), id).await?;
    let balancer = rows.into_iter().find(|row| row.key == "load_balancer" && row.state == ResourceState::Known).and_then(|row| row.cloud_id);
    let Some(balancer) = balancer else { return Ok(false) };
    let Some(service) = caller.cloud(state).await?.load_balancers else { return Ok(false) };
    Ok(service.load_balancer(&balancer).await.is_ok_and(|seen| seen.provider == OVN))
}

/// Let everybody with a credential connect to the cluster's API, or these ranges alone. Connections that stand may be cut.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), request_body = ApiAccessChange, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/api-access")]
pub async fn api_access_change(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ApiAccessChange>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterUpdate>(&record)?;
    let (request, _) = body.read()?;
    plan::refuse(access_violations(&record.cluster.spec, request.exposure, &request.allowed_cidrs))?;
    if request.exposure == ApiExposure::Restricted && behind_ovn(&state, &caller, *id).await? {
        plan::refuse_blocked(&[unrestrictable(Some("exposure".to_owned()))])?;
    }
    let operation = state.store.api_access_change(permit, request.exposure, request.allowed_cidrs, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}
