//! CoreDNS: which release of it the kubeadm of each Kubernetes version names, which is the one that node images hold, where it answers, and in how many pods.

use domain::versions::KubernetesVersion;
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Its Deployment, kubeadm's as ours.
pub const WORKLOAD: &str = "coredns";

/// By Kubernetes' minor version; a further one is entered here once its `kubeadm config images list` is known.
const RELEASES: [((u16, u16), &str); 2] = [((1, 35), "v1.13.1"), ((1, 36), "v1.14.2")];

/// None: this Kubernetes is not known here. CoreDNS is then what kubeadm makes of it.
pub fn release(kubernetes: &str) -> Option<&'static str> {
    let version: KubernetesVersion = kubernetes.parse().ok()?;
    RELEASES.iter().find(|(of, _)| *of == (version.major, version.minor)).map(|&(_, release)| release)
}

/// The tenth address of the range of Services: kubeadm has every kubelet tell its pods that one.
pub fn address(services: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(services.network()).saturating_add(10))
}

/// More pods than its manifest says are what the cluster's people, or an autoscaler of theirs, wished: they stay. The number is said all the same, for a
/// field that is left out goes with whoever said it last, and one pod would be left.
pub(super) fn keep_scale(object: &mut Value, pods: u32) {
    if let Some(replicas) = object.pointer_mut("/spec/replicas")
        && replicas.as_u64().is_some_and(|least| least < u64::from(pods))
    {
        *replicas = json!(pods);
    }
}
