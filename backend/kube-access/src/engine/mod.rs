//! What the engine does in a cluster: looks at nodes, lets them in, empties and removes them, lays down who may do what.

mod access;
mod addons;
mod drain;
mod etcd;
mod exec;
mod health;
mod join_tokens;
mod namespace_access;
mod nodes;
mod pod_security;
mod secrets;
mod storage_classes;
mod volumes;

pub use addons::{Marks, Workload, key_of};
pub use drain::Drain;
pub use health::NodeHealth;
pub(crate) use health::time_of;
pub use namespace_access::AccessLeft;
pub use secrets::Rewriting;

use crate::KubeError;
use crate::channel::Channel;
use bytes::Bytes;
use http::{HeaderMap, Method};

/// The field manager of everything that we apply.
const FIELD_MANAGER: &str = "kcs";
const APPLY: &str = "application/apply-patch+yaml";
pub(crate) const MERGE: &str = "application/merge-patch+json";

/// One cluster, as administrator.
#[derive(Clone, Debug)]
pub struct Engine {
    channel: Channel,
}

impl Engine {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// Whether the API answers and calls itself ready; an error says what it said.
    pub async fn readyz(&self) -> Result<(), KubeError> {
        self.channel.call(Method::GET, "/readyz", HeaderMap::new(), Bytes::new()).await.map(drop)
    }

    /// Server-side apply: makes the object, or makes our fields of it what they should be.
    async fn apply(&self, path: &str, object: &serde_json::Value) -> Result<(), KubeError> {
        let path = format!("{path}?fieldManager={FIELD_MANAGER}&force=true");
        self.channel.write(Method::PATCH, &path, APPLY, object).await
    }

    /// Deletes; what is not there is deleted.
    async fn delete(&self, path: &str) -> Result<(), KubeError> {
        match self.channel.call(Method::DELETE, path, HeaderMap::new(), Bytes::new()).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// Names come from our own rows and from the cluster; in a path they are one segment, whatever they hold.
pub(crate) fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}
