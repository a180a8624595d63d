//! The operators' view of all tenants.

use crate::clusters::Cluster;
use crate::errors::{Answer, Problem};
use crate::lists::List;
use actix_web::{HttpResponse, get};
use domain::clusters::Phase;
use domain::codes::Code;
use serde::Deserialize;

/// What the operators' list may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AdminClusterQuery {
    /// Part of the cluster's or the project's name, or an id.
    pub search: Option<String>,
    pub phase: Option<Phase>,
    /// Id of a project.
    pub project: Option<String>,
    /// 1 to 200; default 50.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// `name`, `created_at`, with a leading `-` for falling; default `-created_at`.
    pub sort: Option<String>,
}

/// Clusters of all projects. Operators only.
#[utoipa::path(tag = "admin", params(AdminClusterQuery), responses((status = 200, body = List<Cluster>)))]
#[get("/admin/clusters")]
pub async fn admin_cluster_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
