//! Typed reads for the console, as the person: paged by the cluster's own cursors, filtered on the server.

mod deployments;
mod list;
mod namespaces;
mod nodes;
mod pods;
mod storage_classes;
mod volumes;

pub use deployments::Deployment;
pub use list::{Page, ReadQuery};
pub use namespaces::Namespace;
pub use nodes::{KubernetesNode, NodeCondition};
pub use pods::{Container, Pod};
pub use storage_classes::StorageClass;
pub use volumes::PersistentVolume;

use crate::channel::Channel;

/// One cluster, as whoever the read is for.
#[derive(Clone, Debug)]
pub struct Reads {
    channel: Channel,
}

impl Reads {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }
}
