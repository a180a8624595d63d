//! Kubeconfigs: one for each person and purpose, expiring, revocable at once.

use crate::errors::{Answer, Problem};
use crate::lists::List;
use actix_web::{HttpResponse, delete, get, post};
use domain::codes::Code;
use domain::ids::ClusterId;
use domain::ids::KubeconfigId;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeconfigRequest {
    /// Seconds it is good for: 3600 (an hour) to 2592000 (30 days).
    #[schema(minimum = 3600, maximum = 2592000)]
    pub expires_in: i64,
    /// What it is for; at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub name: Option<String>,
}

/// A kubeconfig just issued: shown once, never again.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct KubeconfigIssued {
    pub id: KubeconfigId,
    /// YAML for kubectl.
    pub kubeconfig: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A kubeconfig that was issued.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Kubeconfig {
    pub id: KubeconfigId,
    pub name: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<OffsetDateTime>,
    /// Name of the person.
    pub created_by: String,
    /// Whether it is one's own.
    pub mine: bool,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// Kubeconfigs of a cluster: a reader sees their own, a member everybody's.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), responses((status = 200, body = List<Kubeconfig>)))]
#[get("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_list() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Issue a kubeconfig for oneself.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path)), request_body = KubeconfigRequest, responses((status = 201, body = KubeconfigIssued)))]
#[post("/clusters/{id}/kubeconfigs")]
pub async fn kubeconfig_issue() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Revoke a kubeconfig: every call with it is refused at once, open streams are cut.
#[utoipa::path(tag = "kubeconfigs", params(("id" = ClusterId, Path), ("kid" = KubeconfigId, Path)), responses((status = 204, description = "Revoked")))]
#[delete("/clusters/{id}/kubeconfigs/{kid}")]
pub async fn kubeconfig_revoke() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
