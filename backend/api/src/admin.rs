//! The operators' view of all tenants.

use crate::clusters::{Cluster, page_of, sort_of};
use crate::errors::Answer;
use crate::extract::QueryParams;
use crate::lists::List;
use crate::operators::Operator;
use crate::state::State;
use actix_web::get;
use actix_web::web::{Data, Json};
use domain::clusters::Phase;
use serde::{Deserialize, Serialize};
use store::ClusterFilter;

/// What the operators' list may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminClusterQuery {
    /// Part of the cluster's or its project's name, or the id of either.
    pub search: Option<String>,
    pub phase: Option<Phase>,
    /// Part of the project's name, or its id.
    pub project: Option<String>,
    /// `v1.36.3`, or only its beginning: `v1.36`.
    pub version: Option<String>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// `name`, `created_at`, `phase`, `project`, with a leading `-` for falling; default `-created_at`.
    pub sort: Option<String>,
}

/// Which clusters are taken together: as in the list.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ClusterTotalsQuery {
    pub search: Option<String>,
    pub phase: Option<Phase>,
    pub project: Option<String>,
    pub version: Option<String>,
}

/// Clusters taken together, by what was asked for: what a deletion under way still has counts.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ClusterTotals {
    pub clusters: u64,
    /// Masters and nodes.
    pub nodes: u64,
    pub vcpus: u64,
    pub ram_mib: u64,
    /// Nodes with flavors of which the cloud has never told the size: their vCPU and memory are not in the sums.
    pub unsized_nodes: u64,
    /// Every version that any cluster has, whatever was searched for; the newest first.
    pub versions: Vec<String>,
}

impl From<store::ClusterTotals> for ClusterTotals {
    fn from(totals: store::ClusterTotals) -> Self {
        let store::ClusterTotals { clusters, nodes, vcpus, ram_mib, unsized_nodes, versions } = totals;
        Self { clusters, nodes, vcpus, ram_mib, unsized_nodes, versions }
    }
}

/// Clusters of all projects. Operators only.
#[utoipa::path(tag = "admin", params(AdminClusterQuery), responses((status = 200, body = List<Cluster>)))]
#[get("/admin/clusters")]
pub async fn admin_cluster_list(operator: Operator, state: Data<State>, query: QueryParams<AdminClusterQuery>) -> Answer<Json<List<Cluster>>> {
    let scope = operator.scope.scope();
    let query = query.read()?;
    let (sort, falling) = sort_of(query.sort.as_deref())?;
    let page = page_of(query.limit, query.cursor)?;
    let filter = ClusterFilter { search: query.search, phase: query.phase, project: query.project, version: query.version };
    let found = state.store.clusters(&scope, filter, sort, falling, page).await?;
    Ok(Json(List::page(found, |record| Cluster::new(record, &operator.caller.actor))))
}

/// What all clusters that are found are together. Operators only.
#[utoipa::path(tag = "admin", params(ClusterTotalsQuery), responses((status = 200, body = ClusterTotals)))]
#[get("/admin/clusters/totals")]
pub async fn admin_cluster_totals(operator: Operator, state: Data<State>, query: QueryParams<ClusterTotalsQuery>) -> Answer<Json<ClusterTotals>> {
    let ClusterTotalsQuery { search, phase, project, version } = query.read()?;
    let totals = state.store.cluster_totals(operator.scope, ClusterFilter { search, phase, project, version }).await?;
    Ok(Json(totals.into()))
}
