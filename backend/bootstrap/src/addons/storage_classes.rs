//! One StorageClass a volume type, and which of them is the default to begin with.

use domain::storage_classes::CINDER;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A volume type of the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeType {
    pub name: String,
    pub default: bool,
}

/// The class of each type, which says nothing of being the default: what people choose in the cluster is not written over.
pub(super) fn classes(types: &[VolumeType]) -> Vec<Value> {
    let class = |(name, volume_type): (String, &VolumeType)| {
        json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": CINDER,
            "parameters": {"type": volume_type.name},
            "reclaimPolicy": "Delete",
            "allowVolumeExpansion": true,
            "volumeBindingMode": "WaitForFirstConsumer",
        })
    };
    names(types).into_iter().zip(types).map(class).collect()
}

/// The name of the class that is the default until people choose: that of the cloud's default type. None: there are no types.
#[must_use]
pub fn default_class(types: &[VolumeType]) -> Option<String> {
    let default = types.iter().position(|t| t.default).unwrap_or(0);
    names(types).into_iter().nth(default)
}

/// The names of the types' classes, in their order and each once.
fn names(types: &[VolumeType]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let name = |volume_type: &VolumeType| {
        let mut name = class_name(&volume_type.name);
        if !taken.insert(name.clone()) {
            name = format!("{name}-{}", domain::names::pool_digest(&volume_type.name));
            taken.insert(name.clone());
        }
        name
    };
    types.iter().map(name).collect()
}

/// A volume type's name as Kubernetes takes names: `cinder-ssd`.
fn class_name(volume_type: &str) -> String {
    let kept: String = volume_type.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(50).collect();
    let trimmed = kept.trim_matches('-');
    if trimmed.is_empty() { format!("cinder-{}", domain::names::pool_digest(volume_type)) } else { format!("cinder-{trimmed}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_class_and_one_is_the_default() {
        let types = ["ssd", "SSD", "__DEFAULT__", "快"].map(|name| VolumeType { name: name.to_owned(), default: name == "__DEFAULT__" });
        let classes = classes(&types);
        let names: BTreeSet<&str> = classes.iter().filter_map(|c| c["metadata"]["name"].as_str()).collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names.iter().all(|n| n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') && !n.ends_with('-')));
        let default = classes.iter().find(|c| c["metadata"]["name"].as_str() == default_class(&types).as_deref());
        assert_eq!(default.map(|c| &c["parameters"]["type"]), Some(&json!("__DEFAULT__")));
    }

    #[test]
    fn where_no_type_is_the_default_the_first_is() {
        let types = ["a", "b"].map(|name| VolumeType { name: name.to_owned(), default: false });
        assert_eq!(default_class(&types).as_deref(), Some("cinder-a"));
        assert_eq!(default_class(&[]), None);
    }
}
