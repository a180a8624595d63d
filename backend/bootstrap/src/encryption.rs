//! How a cluster's API servers encrypt its Secrets before they reach etcd (`apiserver.config.k8s.io/v1`), written as JSON like kubeadm's
//! configuration.

use crate::BootstrapError;
use crate::kubeadm::json;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// On every master, for root only.
pub const DIRECTORY: &str = "/etc/kubernetes/encryption";
pub const FILE: &str = "/etc/kubernetes/encryption/configuration.yaml";

/// The key of a cluster, made before its first server.
#[derive(Clone, Debug)]
pub struct EncryptionKey<'a> {
    pub name: &'a str,
    /// 32 bytes, in base64.
    pub secret: &'a SecretString,
}

/// The document in `FILE`. `secretbox`: the strongest of the providers that need no service beside the API server. `identity` comes last:
/// nothing is written with it, but what was written before is still read.
pub fn document(key: &EncryptionKey<'_>) -> Result<SecretString, BootstrapError> {
    let secretbox = Provider::Secretbox { keys: [Key { name: key.name, secret: key.secret.expose_secret() }] };
    let configuration = EncryptionConfiguration {
        api_version: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [Resources { resources: ["secrets"], providers: [secretbox, Provider::Identity {}] }],
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
    Secretbox { keys: [Key<'a>; 1] },
    Identity {},
}

#[derive(Serialize)]
struct Key<'a> {
    name: &'a str,
    secret: &'a str,
}
