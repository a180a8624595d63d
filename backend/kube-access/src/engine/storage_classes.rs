//! Which storage class is the default, as long as nobody in the cluster has chosen.

use super::{Engine, MERGE, segment};
use crate::KubeError;
use domain::storage_classes::DEFAULT;
use http::Method;
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::json;

impl Engine {
    /// Makes a class the default where no class says whether it is. What people have chosen stays, also that none shall be.
    pub async fn choose_default_class(&self, name: &str) -> Result<(), KubeError> {
        let all: Vec<StorageClass> = self.list("/apis/storage.k8s.io/v1/storageclasses?").await?;
        let says = |class: &StorageClass| class.metadata.annotations.as_ref().is_some_and(|words| words.contains_key(DEFAULT));
        if all.iter().any(says) {
            return Ok(());
        }
        let path = format!("/apis/storage.k8s.io/v1/storageclasses/{}", segment(name));
        self.channel.write(Method::PATCH, &path, MERGE, &json!({"metadata": {"annotations": {DEFAULT: "true"}}})).await
    }
}
