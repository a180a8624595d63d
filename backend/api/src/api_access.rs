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
use domain::requests::access_violations;
use domain::settings::ApiExposure;
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

/// Let everybody with a credential connect to the cluster's API, or these ranges alone. Connections that stand may be cut.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), request_body = ApiAccessChange, responses((status = 202, body = OperationAccepted)))]
#[patch("/clusters/{id}/api-access")]
pub async fn api_access_change(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ApiAccessChange>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterUpdate>(&record)?;
    let (request, _) = body.read()?;
    plan::refuse(access_violations(&record.cluster.spec, request.exposure, &request.allowed_cidrs))?;
    let operation = state.store.api_access_change(permit, request.exposure, request.allowed_cidrs, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}
