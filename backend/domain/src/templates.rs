//! Cluster templates: preset specifications the operator offers.

use crate::clusters::ClusterSpecRequest;
use serde::{Deserialize, Serialize};

/// One template; names are shown as they are, descriptions by language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Template {
    /// Stable id, `[a-z0-9-]+`.
    pub id: String,
    pub name: String,
    pub name_zh: String,
    pub description: String,
    pub description_zh: String,
    pub spec: ClusterSpecRequest,
    /// Kept by the project itself, not by the operator.
    #[serde(default)]
    pub own: bool,
}
