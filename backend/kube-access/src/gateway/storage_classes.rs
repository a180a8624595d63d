//! What people change of storage classes: those they make of the cloud's volume types, and which one is the default.

use super::{Gateway, Impersonation};
use crate::KubeError;
use crate::engine::{MERGE, segment};
use crate::reads::{ReadQuery, Reads};
use domain::storage_classes::{CINDER, DEFAULT, DEFAULT_BETA, StorageClassRequest};
use http::Method;
use serde_json::json;

const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

impl Gateway {
    /// Makes a class, as the person.
    pub async fn create_storage_class(&self, who: &Impersonation, class: &StorageClassRequest) -> Result<(), KubeError> {
        let object = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": class.name},
            "provisioner": CINDER,
            "parameters": {"type": class.volume_type},
            "reclaimPolicy": class.reclaim_policy,
            "volumeBindingMode": class.binding,
            "allowVolumeExpansion": class.expandable,
        });
        self.write(who, Method::POST, CLASSES, "application/json", &object).await
    }

    /// Makes a class the default in the place of every other, as the person. In between there are two, of which Kubernetes takes the newer.
    pub async fn default_storage_class(&self, who: &Impersonation, name: &str) -> Result<(), KubeError> {
        self.say_default(who, name, true).await?;
        let all = Reads::new(self.channel.clone()).storage_classes(who, &ReadQuery { limit: 500, ..ReadQuery::default() }).await?;
        for other in all.items.iter().filter(|class| class.default && class.name != name) {
            self.say_default(who, &other.name, false).await?;
        }
        Ok(())
    }

    /// Deletes a class, as the person. Volumes that were made of it stay.
    pub async fn delete_storage_class(&self, who: &Impersonation, name: &str) -> Result<(), KubeError> {
        self.write(who, Method::DELETE, &path(name), "application/json", &json!({"apiVersion": "v1", "kind": "DeleteOptions"})).await
    }

    async fn say_default(&self, who: &Impersonation, name: &str, default: bool) -> Result<(), KubeError> {
        let patch = json!({"metadata": {"annotations": {DEFAULT: default.to_string(), DEFAULT_BETA: null}}});
        self.write(who, Method::PATCH, &path(name), MERGE, &patch).await
    }
}

fn path(name: &str) -> String {
    format!("{CLASSES}/{}", segment(name))
}
