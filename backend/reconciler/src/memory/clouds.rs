//! The clouds of clusters as their credentials see them, so that their tokens are used again.

use super::{Memory, lock};
use cloud::Cloud;
use cloud::identity::{ApplicationCredential, Identity};
use domain::ids::ClusterId;

impl Memory {
    /// The cloud through a cluster's credential: the one there is, unless it is another credential's.
    pub(crate) fn cloud(&self, cluster: ClusterId, credential: &ApplicationCredential, identity: &dyn Identity) -> Cloud {
        let mut clouds = lock(&self.clouds);
        if let Some((id, cloud)) = clouds.get(&cluster)
            && *id == credential.id
        {
            return cloud.clone();
        }
        let cloud = identity.as_credential(credential);
        clouds.insert(cluster, (credential.id.clone(), cloud.clone()));
        cloud
    }
}
