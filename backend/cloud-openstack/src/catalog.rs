//! The service catalogue: where each service answers.

use crate::config::{Config, Interface};
use serde::Deserialize;
use url::Url;

/// The services we call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Identity,
    Compute,
    Network,
    BlockStorage,
    Image,
    LoadBalancer,
}

impl Service {
    pub(crate) const ALL: [Self; 6] = [Self::Identity, Self::Compute, Self::Network, Self::BlockStorage, Self::Image, Self::LoadBalancer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Network => "network",
            Self::BlockStorage => "block-storage",
            Self::Image => "image",
            Self::LoadBalancer => "load-balancer",
        }
    }

    /// Types it is listed under, the best first.
    fn types(self) -> &'static [&'static str] {
        match self {
            Self::BlockStorage => &["block-storage", "volumev3", "block-store"],
            Self::Identity => &["identity"],
            Self::Compute => &["compute"],
            Self::Network => &["network"],
            Self::Image => &["image"],
            Self::LoadBalancer => &["load-balancer"],
        }
    }

    /// The URL below which its calls are: catalogues name some services with their version, others without.
    pub(crate) fn root(self, endpoint: &str) -> String {
        let endpoint = endpoint.trim_end_matches('/');
        match self {
            Self::Identity => versioned(endpoint, &["/v3"], "/v3"),
            Self::Network => versioned(endpoint, &["/v2.0"], "/v2.0"),
            Self::Image => versioned(endpoint, &["/v2"], "/v2"),
            Self::LoadBalancer => format!("{}/lbaas", versioned(endpoint, &["/v2.0", "/v2"], "/v2.0")),
            Self::Compute | Self::BlockStorage => endpoint.to_owned(),
        }
    }
}

fn versioned(endpoint: &str, listed: &[&str], version: &str) -> String {
    let bare = listed.iter().find_map(|v| endpoint.strip_suffix(v)).unwrap_or(endpoint);
    format!("{bare}{version}")
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Catalog(Vec<Entry>);

#[derive(Clone, Debug, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug, Deserialize)]
struct Endpoint {
    #[serde(default)]
    interface: String,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    region_id: Option<String>,
    url: String,
}

impl Catalog {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The hosts of all endpoints, whichever service, region and interface they are of.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = String> {
        let host = |endpoint: &Endpoint| Some(Url::parse(&endpoint.url).ok()?.host_str()?.trim_matches(['[', ']']).to_owned());
        self.0.iter().flat_map(|entry| &entry.endpoints).filter_map(host)
    }

    /// Where `service` answers; None: the catalogue does not have it in the region.
    pub(crate) fn root(&self, service: Service, region: Option<&str>, interface: Interface) -> Option<Url> {
        let here = |e: &&Endpoint| {
            e.interface == interface.name() && region.is_none_or(|r| e.region.as_deref() == Some(r) || e.region_id.as_deref() == Some(r))
        };
        let of_type = |kind: &&str| self.0.iter().filter(|entry| entry.kind == **kind).flat_map(|entry| &entry.endpoints).find(here);
        let endpoint = service.types().iter().find_map(of_type)?;
        Url::parse(&service.root(&endpoint.url)).ok()
    }
}

/// Keystone, as configured: nothing else is trusted to say where passwords go.
pub(crate) fn identity_root(config: &Config) -> Option<Url> {
    Url::parse(&Service::Identity.root(config.auth_url.as_str())).ok()
}
