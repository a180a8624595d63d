//! Add-ons: what a cluster needs in itself to be of use, which of it was asked for, and how each is.

use serde::{Deserialize, Serialize};

/// The label by which objects of add-ons are found in a cluster; its value names the add-on.
pub const LABEL: &str = "kcs.io/addon";

/// One add-on, in the order in which they are applied: each works only when those before it do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addon {
    /// flannel: pods reach each other.
    PodNetwork,
    /// openstack-cloud-controller-manager: nodes know their servers, Services get load balancers.
    CloudController,
    /// Cinder CSI: claims get volumes.
    Storage,
    /// CoreDNS. Of a Kubernetes whose release of it we do not know, kubeadm's, which we watch.
    Dns,
    /// What enforces NetworkPolicy, and policies that part namespaces from each other and pods from the metadata service.
    Isolation,
    /// metrics-server.
    Metrics,
    /// Traefik.
    Ingress,
}

impl Addon {
    pub const ALL: [Self; 7] = [Self::PodNetwork, Self::CloudController, Self::Storage, Self::Dns, Self::Isolation, Self::Metrics, Self::Ingress];

    /// As in labels and addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PodNetwork => "pod_network",
            Self::CloudController => "cloud_controller",
            Self::Storage => "storage",
            Self::Dns => "dns",
            Self::Isolation => "isolation",
            Self::Metrics => "metrics",
            Self::Ingress => "ingress",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }

    /// Without it a cluster is not called running.
    #[must_use]
    pub fn essential(self) -> bool {
        matches!(self, Self::PodNetwork | Self::CloudController | Self::Storage | Self::Dns | Self::Isolation)
    }
}

/// Add-ons as asked for; what is left out gets the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddonsRequest {
    /// Default: true. Without it a pod network must be brought along, or nodes stay NotReady.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pod_network: Option<bool>,
    /// Default: true.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cloud_controller: Option<bool>,
    /// Default: true.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub storage: Option<bool>,
    /// Default: true.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metrics: Option<bool>,
    /// Default: false, for it holds a load balancer and an address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ingress: Option<bool>,
    /// Whether pods of one namespace are kept from those of others, and all from the cloud's metadata service. Default: false.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub isolate_namespaces: Option<bool>,
}

/// Add-ons as recorded. Clusters older than this have none of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct AddonsSpec {
    pub pod_network: bool,
    pub cloud_controller: bool,
    pub storage: bool,
    pub metrics: bool,
    pub ingress: bool,
    pub isolate_namespaces: bool,
}

impl AddonsRequest {
    /// Every choice made.
    #[must_use]
    pub fn complete(&self) -> AddonsSpec {
        AddonsSpec {
            pod_network: self.pod_network.unwrap_or(true),
            cloud_controller: self.cloud_controller.unwrap_or(true),
            storage: self.storage.unwrap_or(true),
            metrics: self.metrics.unwrap_or(true),
            ingress: self.ingress.unwrap_or(false),
            isolate_namespaces: self.isolate_namespaces.unwrap_or(false),
        }
    }
}

impl AddonsSpec {
    /// The add-ons wanted, in order; CoreDNS comes with any of them.
    #[must_use]
    pub fn wanted(&self) -> Vec<Addon> {
        let chosen = |addon: &Addon| match addon {
            Addon::PodNetwork => self.pod_network,
            Addon::CloudController => self.cloud_controller,
            Addon::Storage => self.storage,
            Addon::Dns => *self != Self::default(),
            Addon::Isolation => self.isolate_namespaces,
            Addon::Metrics => self.metrics,
            Addon::Ingress => self.ingress,
        };
        Addon::ALL.into_iter().filter(chosen).collect()
    }

    /// Whether something in the cluster works with the cloud, and needs its credential.
    #[must_use]
    pub fn use_the_cloud(&self) -> bool {
        self.cloud_controller || self.storage
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddonState {
    /// Not there yet.
    Pending,
    /// There, and not all of it works (yet).
    Progressing,
    Ready,
    /// The cluster does not answer.
    Unknown,
}

/// How an add-on is, as last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AddonStatus {
    pub name: Addon,
    pub state: AddonState,
    /// Pods that work, and pods that should.
    pub ready: u32,
    pub desired: u32,
    /// What is wrong, in the cluster's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}
