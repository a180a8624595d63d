//! Add-ons of a cluster: what runs in it for it to be of use, and how it is.

use crate::caller::Caller;
use crate::clusters::OperationAccepted;
use crate::errors::Answer;
use crate::lists::List;
use crate::operations::Operation;
use crate::sight;
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use auth::ClusterRepair;
use domain::addons::{Addon as Name, AddonState, AddonStatus};
use domain::clusters::Cluster;
use domain::ids::ClusterId;
use serde::Serialize;

/// One add-on.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Addon {
    pub name: Name,
    /// Of its main image; None: it comes with Kubernetes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<&'static str>,
    /// Without it the cluster is not called running.
    pub essential: bool,
    pub state: AddonState,
    /// Pods that work, and pods that should.
    pub ready: u32,
    pub desired: u32,
    /// What is wrong, in the cluster's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl Addon {
    fn new(status: AddonStatus, kubernetes: &str) -> Self {
        let AddonStatus { name, state, ready, desired, message } = status;
        let version = bootstrap::addons::version(name, Some(kubernetes));
        Self { name, version, essential: name.essential(), state, ready, desired, message }
    }
}

/// Add-ons of a cluster, in the order in which each works only with those before it.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Addon>)))]
#[get("/clusters/{id}/addons")]
pub async fn addon_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<Addon>>> {
    let record = sight::whole(&state, &caller.actor, *id).await?;
    let Cluster { spec, status, .. } = record.cluster;
    Ok(Json(List::whole(status.addons.into_iter().map(|addon| Addon::new(addon, &spec.version)).collect())))
}

/// Put a new cloud credential in the place of the cluster's: made and proved, handed to what works with it, then the old one is deleted.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 202, body = OperationAccepted)))]
#[post("/clusters/{id}/credential/rotate")]
pub async fn credential_rotate(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterRepair>(&record)?;
    let operation = state.store.credential_rotate(permit, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}
