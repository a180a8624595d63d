//! Namespaces.

use super::Reads;
use super::list::{Listed, Page, ReadQuery, created_at};
use crate::{Impersonation, KubeError};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Namespaces read at the same time.
const AT_ONCE: usize = 8;

#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Namespace {
    pub name: String,
    /// `Active`, `Terminating`.
    pub status: String,
    pub labels: BTreeMap<String, String>,
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<OffsetDateTime>,
}

impl Reads {
    pub async fn namespaces(&self, who: &Impersonation, query: &ReadQuery<'_>) -> Result<Page<Namespace>, KubeError> {
        self.list(who, query).await
    }

    /// Those of these that there are, for people who see no others. Read one by one: no list is open to them.
    pub async fn namespaces_of(&self, who: &Impersonation, names: impl IntoIterator<Item = &String>) -> Result<Vec<Namespace>, KubeError> {
        let read = async |name: &String| match self.one::<Namespace>(who, name).await {
            Ok(namespace) => Ok(Some(namespace)),
            // Not there yet, or not any more.
            Err(KubeError::Status { status: 403 | 404, .. }) => Ok(None),
            Err(error) => Err(error),
        };
        let found: Vec<Option<Namespace>> = stream::iter(names).map(read).buffered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

impl Listed for Namespace {
    type Object = v1::Namespace;
    const GROUP: &'static str = "/api/v1";
    const RESOURCE: &'static str = "namespaces";
    const NAMESPACED: bool = false;

    fn metadata(object: &v1::Namespace) -> &ObjectMeta {
        &object.metadata
    }

    fn of(namespace: v1::Namespace) -> Self {
        Self {
            created_at: created_at(&namespace.metadata),
            name: namespace.metadata.name.unwrap_or_default(),
            status: namespace.status.and_then(|s| s.phase).unwrap_or_else(|| "Active".to_owned()),
            labels: namespace.metadata.labels.unwrap_or_default(),
        }
    }
}
