//! Which storage class is the default, as long as nobody in the cluster has chosen.

use super::{Engine, MERGE, segment};
use crate::KubeError;
use domain::addons::LABEL;
use domain::storage_classes::{DEFAULT, is_default};
use http::Method;
use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::json;

impl Engine {
    /// Makes a class the default where none is, and no class of ours says that it is not. What people have chosen stays, also that none shall be; that a
    /// class of theirs says it is none is no choice: charts write it into every class.
    pub async fn choose_default_class(&self, name: &str) -> Result<(), KubeError> {
        let all: Vec<StorageClass> = self.list("/apis/storage.k8s.io/v1/storageclasses?").await?;
        let chosen = |class: &StorageClass| {
            let annotations = class.metadata.annotations.as_ref();
            let ours = class.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(LABEL));
            is_default(annotations) || (ours && annotations.is_some_and(|words| words.contains_key(DEFAULT)))
        };
        if all.iter().any(chosen) {
            return Ok(());
        }
        let path = format!("/apis/storage.k8s.io/v1/storageclasses/{}", segment(name));
        self.channel.write(Method::PATCH, &path, MERGE, &json!({"metadata": {"annotations": {DEFAULT: "true"}}})).await
    }
}
