//! Bundles and user-data as nodes take them: their content, kubeadm's own opinion of it, and the script's behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod addons;
mod bundles;
mod kubeadm;
mod script;
mod user_data;

use bootstrap::{Action, BundleInput, Certificates, Encryption, EncryptionKey};
use domain::clusters::{ClusterSpec, NetworkSpec, Taint};
use domain::ids::ClusterId;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::collections::BTreeMap;
use std::io::Read;

/// A file of a bundle.
pub struct Entry {
    pub mode: u32,
    pub text: String,
}

pub(crate) struct Fixture {
    pub certificate: String,
    pub key: SecretString,
    pub token: SecretString,
    pub encryption_key: SecretString,
    pub ca_hash: String,
    pub spec: ClusterSpec,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
}

impl Fixture {
    pub fn new() -> Self {
        let pem = |kind: &str| format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", "MIIB".repeat(160));
        Self {
            certificate: pem("CERTIFICATE"),
            key: SecretString::from(pem("PRIVATE KEY")),
            token: SecretString::from("abcdef.0123456789abcdef"),
            encryption_key: SecretString::from("c2l4dGVlbiBieXRlcyB0d2ljZSBhcmUgdGhpcnR5LTI="),
            ca_hash: format!("sha256:{}", "0a".repeat(32)),
            spec: ClusterSpec {
                version: "v1.36.3".to_owned(),
                network: NetworkSpec {
                    external_network: "public".to_owned(),
                    node_cidr: "10.0.10.0/24".parse().unwrap(),
                    pod_cidr: "10.128.0.0/14".parse().unwrap(),
                    service_cidr: "10.96.0.0/16".parse().unwrap(),
                    ..NetworkSpec::default()
                },
                ..ClusterSpec::default()
            },
            labels: BTreeMap::new(),
            taints: vec![],
        }
    }

    pub fn certificates(&self) -> Certificates<'_> {
        Certificates {
            ca_crt: &self.certificate,
            ca_key: &self.key,
            etcd_ca_crt: &self.certificate,
            etcd_ca_key: &self.key,
            front_proxy_ca_crt: &self.certificate,
            front_proxy_ca_key: &self.key,
            sa_key: &self.key,
            sa_pub: &self.certificate,
            encryption: Encryption { keys: vec![self.encryption("1a2b3c4d")], ..Encryption::default() },
        }
    }

    /// A key of this name.
    pub fn encryption<'a>(&'a self, name: &'a str) -> EncryptionKey<'a> {
        EncryptionKey { name, secret: &self.encryption_key }
    }

    pub fn input<'a>(&'a self, action: Action<'a>) -> BundleInput<'a> {
        BundleInput {
            cluster: ClusterId("01890000-0000-7000-8000-0123456789ab".parse().unwrap()),
            spec: &self.spec,
            api_vip: "10.0.10.10".parse().unwrap(),
            api_floating_ip: Some("127.30.0.7".parse().unwrap()),
            node_name: "kcs-456789ab-w0-1",
            pool: "default",
            address: "10.0.10.21".parse().unwrap(),
            labels: &self.labels,
            taints: &self.taints,
            disks: &[],
            action,
        }
    }

    pub fn worker(&self) -> BundleInput<'_> {
        self.input(Action::JoinWorker { token: &self.token, ca_hash: &self.ca_hash })
    }

    pub fn master(&self) -> BundleInput<'_> {
        self.input(Action::JoinMaster { certificates: self.certificates(), token: &self.token, ca_hash: &self.ca_hash })
    }
}

pub fn unpack(bundle: &SecretSlice<u8>) -> BTreeMap<String, Entry> {
    tar::Archive::new(bundle.expose_secret())
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mode = entry.header().mode().unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (path, Entry { mode, text })
        })
        .collect()
}

pub fn documents(files: &BTreeMap<String, Entry>) -> Vec<serde_json::Value> {
    let text = &files["etc/kcs/kubeadm.yaml"].text;
    text.split("\n---\n").map(|part| serde_json::from_str(part).unwrap()).collect()
}
