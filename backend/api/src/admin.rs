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
use serde::Deserialize;
use store::ClusterFilter;

/// What the operators' list may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminClusterQuery {
    /// Part of the cluster's name.
    pub search: Option<String>,
    pub phase: Option<Phase>,
    /// Part of the project's name, or its id.
    pub project: Option<String>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// `name`, `created_at`, `phase`, `project`, with a leading `-` for falling; default `-created_at`.
    pub sort: Option<String>,
}

/// Clusters of all projects. Operators only.
#[utoipa::path(tag = "admin", params(AdminClusterQuery), responses((status = 200, body = List<Cluster>)))]
#[get("/admin/clusters")]
pub async fn admin_cluster_list(operator: Operator, state: Data<State>, query: QueryParams<AdminClusterQuery>) -> Answer<Json<List<Cluster>>> {
    let scope = operator.scope.scope();
    let query = query.read()?;
    let (sort, falling) = sort_of(query.sort.as_deref())?;
    let page = page_of(query.limit, query.cursor)?;
    let filter = ClusterFilter { search: query.search, phase: query.phase, project: query.project };
    let found = state.store.clusters(&scope, filter, sort, falling, page).await?;
    Ok(Json(List::page(found, |record| Cluster::new(record, &operator.caller.actor))))
}
