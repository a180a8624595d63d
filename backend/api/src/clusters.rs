//! Clusters: what is asked for and how they are. Writes only record what is wanted; the engine brings it about.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::{Body, QueryParams};
use crate::idempotency::IdempotencyKey;
use crate::lists::List;
use crate::operations::Operation;
use crate::plan;
use crate::preflight::Preflight;
use crate::resource_health::ResourceHealth;
use crate::session::ProjectRef;
use crate::sight;
use crate::state::State;
use crate::volumes;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, patch, post};
use auth::{Actor, ClusterCreate, ClusterDelete, ClusterUpdate};
use cloud::volumes::Volume;
use domain::clusters::{ClusterPatch, ClusterSpec, ClusterSpecRequest, ClusterStatus, Phase};
use domain::codes::Code;
use domain::costs::{Cost, Prices, cluster_cost};
use domain::health::ObjectHealth;
use domain::ids::{ClusterId, OperationId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::names;
use domain::nodes::Fault;
use domain::operations::{OperationKind, OperationState, StepKey, StepState, VolumeChoice, VolumeFate};
use domain::pauses::Pause;
use domain::permissions::Permission;
pub use domain::preflight::{Check, CheckLevel, QuotaNeed};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::{ClusterFilter, ClusterRecord, ClusterSort, NewCluster, PageRequest};
use time::OffsetDateTime;

/// A cluster asked for: from a template, in full, or a template with parts of it replaced.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterRequest {
    /// `^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`, unique in the project.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", max_length = 40)]
    pub name: String,
    /// Id of a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What is given here wins over the template; what is in neither gets a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<ClusterSpecRequest>,
}

/// A cluster.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Cluster {
    pub id: ClusterId,
    pub name: String,
    pub project: ProjectRef,
    pub spec: ClusterSpec,
    pub status: ClusterStatus,
    pub masters_desired: u32,
    pub nodes_desired: u32,
    /// The operation under way, or the last one if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationBrief>,
    /// What operators hold the engine back from it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Rises with every change of the spec.
    pub generation: i64,
    /// The generation that has been brought about.
    pub observed_generation: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Name of the person.
    pub created_by: String,
    /// What it costs an hour; absent where the operator keeps no price list, and for who sees only namespaces of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// What the caller may do with it.
    pub permissions: Vec<Permission>,
    /// The only namespaces of it that the caller sees, and nothing around them; absent: all of the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
}

/// An operation in short.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OperationBrief {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    pub progress: u32,
    /// The step under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepKey>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterAccepted {
    pub cluster: Cluster,
    pub operation: Operation,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct OperationAccepted {
    pub operation: Operation,
}

/// What a list of clusters may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ClusterQuery {
    /// Part of the name, or the id.
    pub search: Option<String>,
    pub phase: Option<Phase>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// `name`, `created_at`, `phase`, with a leading `-` for falling; default `-created_at`.
    pub sort: Option<String>,
}

/// Cloud objects that would be made or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlannedObject {
    pub kind: ResourceKind,
    /// What for: a pool's name, `control-plane`, `ingress`, or empty.
    pub name: String,
    pub count: u32,
}

/// What a create would do.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterPlan {
    /// Complete: template and defaults applied.
    pub spec: ClusterSpec,
    pub checks: Vec<Check>,
    /// The project's limits in KCS, as far as it has any.
    pub limits: Vec<QuotaNeed>,
    /// The project's quotas in the cloud.
    pub quota: Vec<QuotaNeed>,
    pub objects: Vec<PlannedObject>,
    /// Absent where the operator keeps no price list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Whether a check stands against it.
    pub blocked: bool,
}

/// What a delete would remove.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeletePlan {
    pub objects: Vec<Resource>,
    /// Volumes made by workloads in the cluster: they hold data and are kept unless said otherwise.
    pub volumes: Vec<DataVolume>,
    /// Load balancers, addresses and security groups that Services in the cluster made: they go with it.
    pub services: Vec<ServiceObject>,
    /// What stands against it.
    pub blocked: Vec<Check>,
    /// Whether the cluster's API answers (only then are `volumes` known for sure).
    pub api_reachable: bool,
}

/// A volume with data of workloads.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DataVolume {
    pub id: String,
    pub name: String,
    pub size_gib: u32,
    /// Claim that made it: `namespace/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Names of its snapshots: they are kept with it, and erased with it.
    pub snapshots: Vec<String>,
    /// What the cluster itself would do with it once its claim is gone; absent where the cluster does not say. Deleting the cluster deletes no
    /// claims: what becomes of the volume is what is chosen here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaim_policy: Option<ReclaimPolicy>,
}

/// The reclaim policy of a persistent volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReclaimPolicy {
    Delete,
    Retain,
}

impl ReclaimPolicy {
    /// As Kubernetes writes it.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "Delete" => Some(Self::Delete),
            "Retain" => Some(Self::Retain),
            _ => None,
        }
    }
}

/// A cloud object that a Service in the cluster made.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ServiceObject {
    pub kind: ResourceKind,
    pub id: String,
    /// For an address the address itself.
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterDeletion {
    /// The cluster's name, typed.
    pub confirm: String,
    /// Default: keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<VolumeChoice>,
}

/// A cloud object of the cluster, from the ledger.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Resource {
    pub kind: ResourceKind,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_id: Option<String>,
    pub state: ResourceState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Absent: it is going, or gone and not wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<ResourceHealth>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

impl Cluster {
    /// As sent.
    #[must_use]
    pub fn new(record: ClusterRecord, actor: &Actor) -> Self {
        let permissions = actor.permissions(Some(record.cluster.id));
        let namespaces = sight::only(actor, record.cluster.id);
        let mut cluster = record.cluster;
        // Of each object it is told with the object.
        cluster.status.objects.clear();
        if namespaces.is_some() {
            // They run in namespaces of the cluster's own; and words may name nodes and objects in the cloud.
            cluster.status.addons.clear();
            cluster.status.added_rules.clear();
            cluster.status.conditions.iter_mut().for_each(|condition| condition.message.clear());
        }
        Self {
            id: cluster.id,
            name: cluster.name,
            project: ProjectRef { id: cluster.tenant.0, name: cluster.tenant_name },
            masters_desired: cluster.spec.control_plane.count,
            nodes_desired: cluster.spec.node_pools.iter().map(|p| p.count).sum(),
            spec: cluster.spec,
            status: cluster.status,
            operation: record.operation.as_ref().map(OperationBrief::new),
            paused: record.pause,
            generation: cluster.generation,
            observed_generation: cluster.observed_generation,
            created_at: cluster.created_at,
            created_by: cluster.created_by,
            cost: None,
            permissions,
            namespaces,
        }
    }

    fn priced(mut self, prices: Option<&Prices>) -> Self {
        self.cost = prices.filter(|_| self.namespaces.is_none()).map(|p| cluster_cost(&self.spec, p));
        self
    }
}

impl OperationBrief {
    fn new(operation: &domain::operations::Operation) -> Self {
        let running = operation.steps.iter().find(|s| matches!(s.state, StepState::Running | StepState::Failed));
        Self { id: operation.id, kind: operation.kind, state: operation.state, progress: operation.progress, step: running.map(|s| s.key) }
    }
}

impl Resource {
    /// As sent; `said`: what is not well of the cluster's objects.
    #[must_use]
    pub fn new(row: LedgerRow, said: &[ObjectHealth]) -> Self {
        Self {
            health: ResourceHealth::of(&row, said),
            kind: row.kind,
            name: row.name,
            cloud_id: row.cloud_id,
            state: row.state,
            address: row.address,
            fault: row.fault,
            created_at: row.created_at,
        }
    }
}

/// The order of a list: (key, falling).
///
/// # Errors
/// A problem when the text is none.
pub fn sort_of(text: Option<&str>) -> Answer<(ClusterSort, bool)> {
    let text = text.unwrap_or("-created_at");
    let (key, falling) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
    let sort = match key {
        "created_at" => ClusterSort::CreatedAt,
        "name" => ClusterSort::Name,
        "phase" => ClusterSort::Phase,
        "project" => ClusterSort::Project,
        _ => return Err(Problem::field("sort", "must be created_at, name, phase or project, with a leading - for falling")),
    };
    Ok((sort, falling))
}

/// A list's page.
///
/// # Errors
/// A problem when the limit is out of bounds.
pub fn page_of(limit: Option<u32>, cursor: Option<String>) -> Answer<PageRequest> {
    if limit.is_some_and(|l| l == 0 || l > 200) {
        return Err(Problem::field("limit", "must be 1 to 200"));
    }
    Ok(PageRequest { limit: limit.unwrap_or(50), cursor })
}

/// Clusters of the project.
#[utoipa::path(tag = "clusters", params(ClusterQuery), responses((status = 200, body = List<Cluster>)))]
#[get("/clusters")]
pub async fn cluster_list(caller: Caller, state: Data<State>, query: QueryParams<ClusterQuery>) -> Answer<Json<List<Cluster>>> {
    let query = query.read()?;
    let (sort, falling) = sort_of(query.sort.as_deref())?;
    let page = page_of(query.limit, query.cursor)?;
    let filter = ClusterFilter { search: query.search, phase: query.phase, ..ClusterFilter::default() };
    let found = state.store.clusters(&caller.actor.scope(), filter, sort, falling, page).await?;
    let prices = state.prices();
    Ok(Json(List::page(found, |record| Cluster::new(record, &caller.actor).priced(prices.as_ref()))))
}

/// Create a cluster.
#[utoipa::path(tag = "clusters", request_body = ClusterRequest, params(IdempotencyKey), responses((status = 202, description = "Recorded; the operation tells how it goes", body = ClusterAccepted)))]
#[post("/clusters")]
pub async fn cluster_create(caller: Caller, state: Data<State>, key: IdempotencyKey, body: Body<ClusterRequest>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<ClusterCreate>(&caller.actor.project)?;
    let (request, bytes) = body.read()?;
    let idempotency = key.read("POST /clusters", &bytes)?;
    let wanted = Preflight::of(&state, &caller, &request).await?;
    let checks = wanted.checks().checks;
    // A repeated request is answered like the first one, whatever that has used up since.
    if idempotency.is_none() || !state.store.idempotency_known(permit.tenant(), idempotency.as_ref()).await? {
        plan::refuse_blocked(&checks)?;
    }
    let room = Some((&wanted).into());
    let new = NewCluster { name: request.name, spec: wanted.spec, limits: state.tenant_limits(), room };
    let created = state.store.cluster_create(permit, new, idempotency, caller.context()).await?;
    let answer =
        ClusterAccepted { cluster: Cluster::new(created.cluster, &caller.actor), operation: Operation::told(created.operation, &caller.actor) };
    Ok(HttpResponse::Accepted().json(answer))
}

/// What a create would make, what quota it needs and what stands against it.
#[utoipa::path(tag = "clusters", request_body = ClusterRequest, responses((status = 200, body = ClusterPlan)))]
#[post("/clusters/plan")]
pub async fn cluster_create_plan(caller: Caller, state: Data<State>, body: Body<ClusterRequest>) -> Answer<Json<ClusterPlan>> {
    caller.actor.may::<ClusterCreate>(&caller.actor.project)?;
    let (request, _) = body.read()?;
    let wanted = Preflight::of(&state, &caller, &request).await?;
    let mut checks = plan::name_checks(&state, &caller, &request.name).await?;
    let found = wanted.checks();
    checks.extend(found.checks);
    let blocked = checks.iter().any(|c| c.level == CheckLevel::Blocked);
    let cost = state.prices().map(|p| cluster_cost(&wanted.spec, &p));
    let objects = plan::planned(&wanted.objects);
    Ok(Json(ClusterPlan { spec: wanted.spec, checks, limits: found.limits, quota: found.quota, objects, cost, blocked }))
}

/// One cluster.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = Cluster)))]
#[get("/clusters/{id}")]
pub async fn cluster_get(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<Cluster>> {
    let found = state.store.cluster(&caller.actor.scope(), *id).await?;
    Ok(Json(Cluster::new(found, &caller.actor).priced(state.prices().as_ref())))
}

/// Change settings of a cluster: whether it is protected against deletion, who repairs it, whether certificates lead past the gate.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), request_body = ClusterPatch, responses((status = 200, body = Cluster)))]
#[patch("/clusters/{id}")]
pub async fn cluster_update(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ClusterPatch>) -> Answer<Json<Cluster>> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterUpdate>(&record)?;
    let (request, _) = body.read()?;
    if request == ClusterPatch::default() {
        return Err(Problem::field("deletion_protection", "or repair or direct_access must be given"));
    }
    if request.direct_access == Some(true) && !state.settings.direct_access {
        return Err(Problem::new(Code::DirectAccessOff).detail("the operator lets no project switch it on"));
    }
    let changed = state.store.cluster_update(permit, request, caller.context()).await?;
    Ok(Json(Cluster::new(changed, &caller.actor).priced(state.prices().as_ref())))
}

/// What a delete would remove.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = DeletePlan)))]
#[get("/clusters/{id}/delete-plan")]
pub async fn cluster_delete_plan(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<DeletePlan>> {
    let record = sight::whole(&state, &caller.actor, *id).await?;
    let rows = state.store.ledger(&caller.actor.scope(), *id).await?;
    let objects = rows.into_iter().filter(|r| r.state != ResourceState::Gone).map(|r| Resource::new(r, &record.cluster.status.objects)).collect();
    let mut volumes = data_volumes(&state, &caller, &record).await?;
    let blocked = plan::deletion_checks(&record.cluster);
    let services = service_objects(&state, &caller, &record).await?;
    let policies = async {
        if volumes.is_empty() {
            return HashMap::new();
        }
        crate::kubernetes::reclaim_policies(&state, &caller, &record).await
    };
    let (api_reachable, policies) = futures::join!(crate::kubernetes::answers(&state, &caller, &record), policies);
    for volume in &mut volumes {
        volume.reclaim_policy = policies.get(&volume.id).copied();
    }
    Ok(Json(DeletePlan { objects, volumes, services, blocked, api_reachable }))
}

/// Volumes that workloads made, as the cloud knows them: also when the cluster is dead.
async fn data_volumes(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<Vec<DataVolume>> {
    let disks = volumes::in_cloud(state, caller, record).await?;
    if disks.is_empty() {
        return Ok(Vec::new());
    }
    let snapshots = caller.cloud(state).await?.volumes.snapshots().await?;
    let snapshots_of = |id: &str| snapshots.iter().filter(|s| s.volume_id == id).map(|s| s.name.clone()).collect();
    let shown = |v: Volume| DataVolume {
        claim: volumes::claim(&v),
        snapshots: snapshots_of(&v.id),
        id: v.id,
        name: v.name,
        size_gib: v.size_gib,
        reclaim_policy: None,
    };
    Ok(disks.into_iter().map(shown).collect())
}

/// What Services made, known by the cluster's own name that the cloud controller writes into it.
async fn service_objects(state: &State, caller: &Caller, record: &ClusterRecord) -> Answer<Vec<ServiceObject>> {
    if !record.cluster.spec.addons.use_the_cloud() {
        return Ok(Vec::new());
    }
    let tag = names::cluster_tag(record.cluster.id);
    let cloud = caller.cloud(state).await?;
    let balancers = match &cloud.load_balancers {
        Some(service) => service.load_balancers().await?,
        None => Vec::new(),
    };
    let (addresses, groups) = tokio::try_join!(cloud.network.floating_ips(), cloud.network.security_groups())?;
    let of = |kind, id, name| ServiceObject { kind, id, name };
    let balancers = balancers.into_iter().filter(|b| b.name.starts_with(&names::service_balancer_prefix(&tag)));
    let addresses = addresses.into_iter().filter(|ip| names::is_service_address(&ip.description, &tag));
    let groups = groups.into_iter().filter(|g| names::is_service_group(&g.description, &tag));
    let mut objects: Vec<ServiceObject> = balancers.map(|b| of(ResourceKind::LoadBalancer, b.id, b.name)).collect();
    objects.extend(addresses.map(|ip| of(ResourceKind::FloatingIp, ip.id, ip.address)));
    objects.extend(groups.map(|g| of(ResourceKind::SecurityGroup, g.id, g.name)));
    Ok(objects)
}

/// Delete a cluster with everything of its own in the cloud.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), request_body = ClusterDeletion, responses((status = 202, body = OperationAccepted)))]
#[delete("/clusters/{id}")]
pub async fn cluster_delete(caller: Caller, state: Data<State>, id: Path<ClusterId>, body: Body<ClusterDeletion>) -> Answer<HttpResponse> {
    let record = state.store.cluster(&caller.actor.scope(), *id).await?;
    let permit = caller.actor.may::<ClusterDelete>(&record)?;
    let (request, _) = body.read()?;
    if request.confirm != record.cluster.name {
        return Err(Problem::new(Code::ConfirmName).at("confirm"));
    }
    let volumes = request.volumes.unwrap_or(VolumeChoice::All(VolumeFate::Keep));
    let volumes = serde_json::to_value(volumes).map_err(Problem::internal)?;
    let operation = state.store.cluster_delete(permit, volumes, caller.context()).await?;
    Ok(HttpResponse::Accepted().json(OperationAccepted { operation: Operation::told(operation, &caller.actor) }))
}

/// Cloud objects of a cluster.
#[utoipa::path(tag = "clusters", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Resource>)))]
#[get("/clusters/{id}/resources")]
pub async fn resource_list(caller: Caller, state: Data<State>, id: Path<ClusterId>) -> Answer<Json<List<Resource>>> {
    let record = sight::whole(&state, &caller.actor, *id).await?;
    let rows = state.store.ledger(&caller.actor.scope(), *id).await?;
    let said = &record.cluster.status.objects;
    Ok(Json(List::whole(rows.into_iter().map(|row| Resource::new(row, said)).collect())))
}
