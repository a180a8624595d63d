//! Deployments.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, count, created_at};
use crate::{Impersonation, KubeError};
use k8s_openapi::api::apps::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Deployment {
    pub name: String,
    pub namespace: String,
    pub desired: u32,
    pub ready: u32,
    pub updated: u32,
    pub available: u32,
    pub images: Vec<String>,
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

impl Reads {
    pub async fn deployments(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<Deployment>, KubeError> {
        self.list(who, query).await
    }
}

impl Listed for Deployment {
    type Object = v1::Deployment;
    const GROUP: &'static str = "/apis/apps/v1";
    const RESOURCE: &'static str = "deployments";
    const NAMESPACED: bool = true;

    fn metadata(object: &v1::Deployment) -> &ObjectMeta {
        &object.metadata
    }

    fn of(deployment: v1::Deployment) -> Self {
        let status = deployment.status.unwrap_or_default();
        let spec = deployment.spec.unwrap_or_default();
        let containers = spec.template.spec.map(|s| s.containers).unwrap_or_default();
        Self {
            created_at: created_at(&deployment.metadata),
            name: deployment.metadata.name.unwrap_or_default(),
            namespace: deployment.metadata.namespace.unwrap_or_default(),
            desired: count(spec.replicas.or(Some(1))),
            ready: count(status.ready_replicas),
            updated: count(status.updated_replicas),
            available: count(status.available_replicas),
            images: containers.into_iter().filter_map(|c| c.image).collect(),
            labels: deployment.metadata.labels.unwrap_or_default(),
        }
    }
}
