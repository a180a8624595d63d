//! How a cluster's API servers encrypt its Secrets before they reach etcd (`apiserver.config.k8s.io/v1`), written as JSON like kubeadm's
//! configuration.

use crate::BootstrapError;
use crate::additions::{Addition, Mount};
use crate::kubeadm::json;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// On every master, for root only.
pub const DIRECTORY: &str = "/etc/kubernetes/encryption";
pub const FILE: &str = "/etc/kubernetes/encryption/configuration.yaml";
/// How API servers are told of it.
pub const ADDITION: Addition = Addition {
    flags: &[("encryption-provider-config", FILE)],
    mounts: &[Mount::read("encryption", DIRECTORY)],
    file: "/etc/kcs/patches/kube-apiserver+json.json",
};

/// What a cluster's API servers encrypt its Secrets with, and what else they read.
#[derive(Clone, Debug, Default)]
pub struct Encryption<'a> {
    /// The first one writes, all are read with. None: Secrets are kept as they are.
    pub keys: Vec<EncryptionKey<'a>>,
    /// Secrets are still written as they are; the keys are read with.
    pub plain_first: bool,
    /// The cluster was made without a key: kubeadm's configuration in it does not tell joining masters of one.
    pub added_later: bool,
}

impl Encryption<'_> {
    /// Whether API servers have the document.
    #[must_use]
    pub fn wanted(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether a joining master is told of the document by a patch.
    #[must_use]
    pub fn patched(&self) -> bool {
        self.wanted() && self.added_later
    }
}

/// One of a cluster's keys.
#[derive(Clone, Debug)]
pub struct EncryptionKey<'a> {
    pub name: &'a str,
    /// 32 bytes, in base64.
    pub secret: &'a SecretString,
}

/// The document in `FILE`. `secretbox`: the strongest of the providers that need no service beside the API server. `identity` comes last:
/// nothing is written with it, but what was written before is still read. First it comes only where a first key is about to be introduced.
pub fn document(encryption: &Encryption<'_>) -> Result<SecretString, BootstrapError> {
    let keys = encryption.keys.iter().map(|key| Key { name: key.name, secret: key.secret.expose_secret() });
    let secretbox = Provider::Secretbox { keys: keys.collect() };
    let providers = if encryption.plain_first { [Provider::Identity {}, secretbox] } else { [secretbox, Provider::Identity {}] };
    let configuration = EncryptionConfiguration {
        api_version: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [Resources { resources: ["secrets"], providers }],
    };
    Ok(SecretString::from(json(&configuration)? + "\n"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EncryptionConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    resources: [Resources<'a>; 1],
}

#[derive(Serialize)]
struct Resources<'a> {
    resources: [&'static str; 1],
    providers: [Provider<'a>; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Provider<'a> {
    Secretbox { keys: Vec<Key<'a>> },
    Identity {},
}

#[derive(Serialize)]
struct Key<'a> {
    name: &'a str,
    secret: &'a str,
}
