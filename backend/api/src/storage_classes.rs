//! Storage classes of a cluster: which there are, those that people make of the cloud's volume types, and which one is the default.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::inside::told;
use crate::kubernetes;
use crate::lists::List;
use crate::plan;
use crate::sight::{self, impersonation};
use crate::state::State;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use auth::KubernetesWrite;
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::requests::is_dns_name;
use domain::storage_classes::StorageClassRequest;
use kube_access::reads::{Page, ReadQuery, StorageClass};
use kube_access::{Gateway, Impersonation, KubeError};
use serde_json::{Value, json};
use store::{AuditEntry, ClusterRecord};

/// As many as one answer of the cluster has.
const ALL: ReadQuery<'static> = ReadQuery { namespace: None, search: None, label: None, field: None, limit: 500, cursor: None };

/// Storage classes.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path)), responses((status = 200, body = List<StorageClass>)))]
#[get("/clusters/{id}/kubernetes/storage-classes")]
pub async fn storage_class_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<StorageClass>>> {
    let record = sight::whole(&state, &caller.actor, *id).await?;
    Ok(Json(classes(&state, &caller, &record).await?.into()))
}

/// Make a storage class of one of the cloud's volume types.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path)), request_body = StorageClassRequest, responses((status = 201, description = "Made")))]
#[post("/clusters/{id}/kubernetes/storage-classes")]
pub async fn storage_class_create(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<StorageClassRequest>) -> Answer<HttpResponse> {
    let record = changeable(&caller, &state, *id).await?;
    let (class, _) = body.read()?;
    plan::refuse(class.violations())?;
    let offered = state.catalogue.of(&state, &caller).await?;
    if !offered.volume_types.iter().any(|offer| offer.name == class.volume_type) {
        return Err(Problem::new(Code::VolumeTypeMissing).at("volume_type"));
    }
    let wanted = json!({
        "type": class.volume_type,
        "reclaim_policy": class.reclaim_policy,
        "binding": class.binding,
        "expandable": class.expandable,
    });
    let entry = line(&caller, &record, "storage_class_create", json!({ "storage_class": class.name, "after": wanted }));
    told(&state, &caller, entry, async {
        let (gateway, who) = way(&state, &caller, &record).await?;
        gateway.create_storage_class(&who, &class).await.map_err(|error| match error {
            KubeError::Status { status: 409, .. } => Problem::new(Code::StorageClassTaken).at("name"),
            error => error.into(),
        })
    })
    .await?;
    Ok(HttpResponse::Created().finish())
}

/// Make a storage class the default: claims that name no class get it. The one that was it before is it no more.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), ("name" = String, Path)), responses((status = 204, description = "Done")))]
#[put("/clusters/{id}/kubernetes/storage-classes/{name}/default")]
pub async fn storage_class_default(caller: Caller, state: Data<State>, path: Path<(ClusterId, String)>) -> Answer<HttpResponse> {
    let (id, name) = path.into_inner();
    let record = changeable(&caller, &state, id).await?;
    named(&name)?;
    let entry = line(&caller, &record, "storage_class_default", json!({ "storage_class": name }));
    told(&state, &caller, entry, async {
        let (gateway, who) = way(&state, &caller, &record).await?;
        Answer::Ok(gateway.default_storage_class(&who, &name).await?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Delete a storage class. Volumes that were made of it stay; those of an add-on would be made again and are refused.
#[utoipa::path(tag = "kubernetes", params(("id" = ClusterId, Path), ("name" = String, Path)), responses((status = 204, description = "Done")))]
#[delete("/clusters/{id}/kubernetes/storage-classes/{name}")]
pub async fn storage_class_delete(caller: Caller, state: Data<State>, path: Path<(ClusterId, String)>) -> Answer<HttpResponse> {
    let (id, name) = path.into_inner();
    let record = changeable(&caller, &state, id).await?;
    named(&name)?;
    if classes(&state, &caller, &record).await?.items.iter().any(|class| class.managed && class.name == name) {
        return Err(Problem::new(Code::AddonOwned));
    }
    let entry = line(&caller, &record, "storage_class_delete", json!({ "storage_class": name }));
    told(&state, &caller, entry, async {
        let (gateway, who) = way(&state, &caller, &record).await?;
        Answer::Ok(gateway.delete_storage_class(&who, &name).await?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A cluster in which the person may change what is in no namespace.
async fn changeable(caller: &Caller, state: &State, id: ClusterId) -> Answer<ClusterRecord> {
    let record = state.store.cluster(&caller.actor.scope(), id).await?;
    caller.actor.may_inside::<KubernetesWrite>(&record, None)?;
    Ok(record)
}

/// No class has a name that Kubernetes would not take.
fn named(name: &str) -> Answer<()> {
    if is_dns_name(name) { Ok(()) } else { Err(Problem::not_found()) }
}

async fn classes(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<Page<StorageClass>> {
    let (reads, who) = kubernetes::of(state, caller, record).await?;
    Ok(reads.storage_classes(&who, &ALL).await?)
}

async fn way(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<(Gateway, Impersonation)> {
    let who = impersonation(&caller.actor, record.cluster.id)?;
    let target = state.targets.of(state, &record.cluster.endpoint()).await?;
    Ok((state.kube.gateway(&target).await?, who))
}

fn line(caller: &Caller, record: &ClusterRecord, action: &'static str, detail: Value) -> AuditEntry {
    AuditEntry::new(&caller.actor, action, "cluster", record.cluster.id).cluster(record.cluster.id).detail(detail)
}
