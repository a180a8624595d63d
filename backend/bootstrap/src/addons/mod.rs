//! The add-ons of a cluster as Kubernetes objects: one file an add-on, images pinned, everything a cluster says of itself filled in after
//! parsing, so that no value can become structure. Pure: the same input gives the same objects, in the order in which they are applied.

mod cloud_config;
mod dns;
mod isolation;
mod storage_classes;

pub use cloud_config::{CloudConfig, SECRET as CLOUD_CONFIG_SECRET};
pub use dns::WORKLOAD as DNS_WORKLOAD;
pub use domain::addons::LABEL;
pub use isolation::isolated;
pub use storage_classes::{VolumeType, default_class};

use crate::BootstrapError;
use crate::kubeadm::DNS_DOMAIN;
use domain::addons::{Addon, AddonsSpec};
use domain::ids::ClusterId;
use ipnet::Ipv4Net;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The version of this set as a whole; it rises with every change of a manifest or image here.
pub const SET: &str = "2";
/// The annotation that holds the hash of what was applied.
pub const APPLIED: &str = "kcs.io/applied";
/// Stands in its manifest for the release of CoreDNS, which goes by the cluster's Kubernetes.
const DNS_RELEASE: &str = "${DNS_RELEASE}";

/// What the set is made of.
#[derive(Clone, Debug)]
pub struct AddonsInput<'a> {
    pub cluster: ClusterId,
    pub addons: &'a AddonsSpec,
    /// `v1.36.3`
    pub kubernetes: &'a str,
    pub pod_cidr: Ipv4Net,
    pub service_cidr: Ipv4Net,
    /// Of the API load balancer, inside the cluster's network.
    pub api_vip: Ipv4Addr,
    /// In place of the hosts of public registries: `registry.example.com/mirror`.
    pub registry: Option<&'a str>,
    /// None: nothing in the cluster works with the cloud.
    pub cloud: Option<CloudConfig<'a>>,
    pub volume_types: &'a [VolumeType],
    /// Namespaces there are, for the policies that each needs.
    pub namespaces: &'a [String],
    /// What each node has of the range of pods, for the same policies.
    pub pod_ranges: &'a BTreeSet<Ipv4Net>,
    /// Pods that CoreDNS was given in this cluster, by whomever.
    pub dns_pods: u32,
}

/// One object to be applied.
#[derive(Clone, PartialEq)]
pub struct Object {
    pub addon: Addon,
    pub value: Value,
}

/// Values of Secrets are not shown.
impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} {}", self.addon, self.value["kind"], self.value["metadata"]["name"])
    }
}

fn manifest(addon: Addon) -> &'static str {
    match addon {
        Addon::PodNetwork => include_str!("pod_network.yaml"),
        Addon::CloudController => include_str!("cloud_controller.yaml"),
        Addon::Storage => include_str!("storage.yaml"),
        Addon::Dns => include_str!("dns.yaml"),
        Addon::Isolation => include_str!("isolation.yaml"),
        Addon::Metrics => include_str!("metrics.yaml"),
        Addon::Ingress => include_str!("ingress.yaml"),
    }
}

fn pinned(addon: Addon) -> impl Iterator<Item = &'static str> {
    manifest(addon).lines().filter_map(|line| line.trim().strip_prefix("image: "))
}

/// The version of an add-on: that of its first image. CoreDNS's goes by the cluster's Kubernetes: none where that is not said, or not known here.
#[must_use]
pub fn version(addon: Addon, kubernetes: Option<&str>) -> Option<&'static str> {
    match addon {
        Addon::Dns => dns::release(kubernetes?),
        _ => pinned(addon).next()?.rsplit_once(':').map(|(_, tag)| tag),
    }
}

/// The images of an add-on in clusters of these versions of Kubernetes, each once, as nodes pull them.
#[must_use]
pub fn images<'a>(addon: Addon, kubernetes: impl IntoIterator<Item = &'a str>, registry: Option<&str>) -> Vec<String> {
    let releases: Vec<&str> = if addon == Addon::Dns { kubernetes.into_iter().filter_map(dns::release).collect() } else { vec![""] };
    let mut found = Vec::new();
    for release in releases {
        for image in pinned(addon) {
            let image = image.replace(DNS_RELEASE, release);
            let image = registry.and_then(|registry| redirected(&image, registry)).unwrap_or(image);
            if !found.contains(&image) {
                found.push(image);
            }
        }
    }
    found
}

/// Whether CoreDNS in such a cluster comes from here, so that kubeadm need not lay it down.
pub(crate) fn brings_dns(addons: &AddonsSpec, kubernetes: &str) -> bool {
    addons.wanted().contains(&Addon::Dns) && dns::release(kubernetes).is_some()
}

/// All objects, in order: the pod network first, then the cloud's credential, then what works with it, then the rest.
pub fn addons(input: &AddonsInput<'_>) -> Result<Vec<Object>, BootstrapError> {
    let secret = input.cloud.as_ref().map(cloud_config::secret);
    let hash = secret.as_ref().map(digest).unwrap_or_default();
    let variables = [
        ("${POD_CIDR}", input.pod_cidr.to_string()),
        ("${DNS_ADDRESS}", dns::address(input.service_cidr).to_string()),
        ("${DNS_DOMAIN}", DNS_DOMAIN.to_owned()),
        (DNS_RELEASE, dns::release(input.kubernetes).unwrap_or_default().to_owned()),
        ("${API_HOST}", input.api_vip.to_string()),
        ("${CLUSTER_TAG}", domain::names::cluster_tag(input.cluster)),
        ("${CLOUD_CONFIG_HASH}", hash),
    ];
    let mut objects = Vec::new();
    let mut secret = secret.filter(|_| input.addons.use_the_cloud());
    let ours = |addon: &Addon| *addon != Addon::Dns || brings_dns(input.addons, input.kubernetes);
    for addon in input.addons.wanted().into_iter().filter(ours) {
        let mut add = |mut value: Value| {
            fill(&mut value, &variables);
            finish(&mut value, addon, input.registry);
            objects.push(Object { addon, value });
        };
        if matches!(addon, Addon::CloudController | Addon::Storage)
            && let Some(secret) = secret.take()
        {
            add(secret);
        }
        for document in serde_yaml_ng::Deserializer::from_str(manifest(addon)) {
            let mut value = Value::deserialize(document).map_err(|e| BootstrapError::Write(format!("{}: {e}", addon.as_str())))?;
            if addon == Addon::Dns {
                dns::keep_scale(&mut value, input.dns_pods);
            }
            if !value.is_null() {
                add(value);
            }
        }
        match addon {
            Addon::Storage => storage_classes::classes(input.volume_types).into_iter().for_each(add),
            Addon::Isolation => {
                let policies = |namespace: &String| isolation::policies(namespace, input.pod_cidr, input.pod_ranges);
                input.namespaces.iter().filter(|n| isolated(n)).flat_map(policies).for_each(add);
            }
            _ => {}
        }
    }
    Ok(objects)
}

/// Puts the cluster's own values in place of `${NAME}` in every text.
fn fill(value: &mut Value, variables: &[(&str, String)]) {
    match value {
        Value::String(text) => {
            for (name, filled) in variables {
                if text.contains(name) {
                    *text = text.replace(name, filled);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| fill(v, variables)),
        Value::Object(fields) => fields.values_mut().for_each(|v| fill(v, variables)),
        _ => {}
    }
}

/// Image names, the label we find it by, and the hash of all the rest.
fn finish(value: &mut Value, addon: Addon, registry: Option<&str>) {
    if let Some(registry) = registry {
        redirect(value, registry);
    }
    value["metadata"]["labels"][LABEL] = json!(addon.as_str());
    let hash = digest(value);
    value["metadata"]["annotations"][APPLIED] = json!(hash);
}

/// An image of another registry: its name takes the place of the public one's.
fn redirected(image: &str, registry: &str) -> Option<String> {
    image.split_once('/').map(|(_, path)| format!("{}/{path}", registry.trim_end_matches('/')))
}

/// Images come from another registry.
fn redirect(value: &mut Value, registry: &str) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                if let (true, Some(image)) = (key == "image", field.as_str().and_then(|image| redirected(image, registry))) {
                    *field = json!(image);
                } else {
                    redirect(field, registry);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| redirect(v, registry)),
        _ => {}
    }
}

/// Half of a SHA-256 in hexadecimal: keys of JSON objects are sorted, so equal objects have equal hashes.
fn digest(value: &Value) -> String {
    let hash = Sha256::digest(value.to_string());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
