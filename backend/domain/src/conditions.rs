//! Conditions: what is true of a cluster, since when, why, and what to do about it.

use crate::codes::Code;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What a condition speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub enum ConditionType {
    /// The cloud objects under the cluster are there and well.
    InfrastructureReady,
    /// The Kubernetes API answers us through the load balancer; without an answer we know nothing of what is behind it.
    ApiReachable,
    /// Every master runs a healthy control plane.
    ControlPlaneHealthy,
    /// Every worker is Ready.
    NodesReady,
    /// The cloud answers us.
    CloudReachable,
    /// What breaks is mended by itself; False while the brakes hold it.
    SelfHealing,
    /// What makes the cluster of use runs in it: pod network, cloud controller, storage, name service.
    AddonsHealthy,
}

/// True, False, or Unknown while we cannot look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// One condition; `reason` is a CamelCase word, `message` one sentence with the cloud's own words where there are any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Condition {
    pub r#type: ConditionType,
    pub status: ConditionStatus,
    pub reason: String,
    pub message: String,
    /// When `status` last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
}

/// Takes over `since` from `old` for every condition whose status is unchanged.
#[must_use]
pub fn merge(old: &[Condition], mut new: Vec<Condition>) -> Vec<Condition> {
    for condition in &mut new {
        if let Some(same) = old.iter().find(|o| o.r#type == condition.r#type && o.status == condition.status) {
            condition.since = same.since;
        }
    }
    new
}
