//! One StorageClass a volume type, one of them the default.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A volume type of the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeType {
    pub name: String,
    pub default: bool,
}

pub(super) fn classes(types: &[VolumeType]) -> Vec<Value> {
    let default = types.iter().find(|t| t.default).or(types.first()).map(|t| t.name.as_str());
    let mut taken = BTreeSet::new();
    types
        .iter()
        .map(|volume_type| {
            let mut name = class_name(&volume_type.name);
            if !taken.insert(name.clone()) {
                name = format!("{name}-{}", domain::names::pool_digest(&volume_type.name));
                taken.insert(name.clone());
            }
            let is_default = default == Some(volume_type.name.as_str());
            json!({
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {
                    "name": name,
                    "annotations": {"storageclass.kubernetes.io/is-default-class": is_default.to_string()},
                },
                "provisioner": "cinder.csi.openstack.org",
                "parameters": {"type": volume_type.name},
                "reclaimPolicy": "Delete",
                "allowVolumeExpansion": true,
                "volumeBindingMode": "WaitForFirstConsumer",
            })
        })
        .collect()
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
        let default = |c: &&Value| c["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
        let defaults: Vec<&Value> = classes.iter().filter(default).collect();
        assert_eq!(defaults.len(), 1);
        assert_eq!(defaults[0]["parameters"]["type"], "__DEFAULT__");
    }

    #[test]
    fn where_no_type_is_the_default_the_first_is() {
        let types = ["a", "b"].map(|name| VolumeType { name: name.to_owned(), default: false });
        assert_eq!(classes(&types)[0]["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"], "true");
    }
}
