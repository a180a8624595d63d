//! The bundle a node fetches once: a tar of files with their modes, to be unpacked at `/`.

use crate::additions::{Addition, PATCHES};
use crate::{BootstrapError, Disk, Encryption, api_audit, encryption, kubeadm, site, validate};
use domain::clusters::{ClusterSpec, Taint};
use domain::ids::ClusterId;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What a node's bundle is made of.
#[derive(Clone, Debug)]
pub struct BundleInput<'a> {
    pub cluster: ClusterId,
    pub spec: &'a ClusterSpec,
    /// Of the API load balancer, inside the cluster's network.
    pub api_vip: Ipv4Addr,
    pub api_floating_ip: Option<Ipv4Addr>,
    pub node_name: &'a str,
    pub pool: &'a str,
    /// The node's own address.
    pub address: Ipv4Addr,
    pub labels: &'a BTreeMap<String, String>,
    pub taints: &'a [Taint],
    /// Further disks to be mounted.
    pub disks: &'a [Disk<'a>],
    pub action: Action<'a>,
}

/// How the node becomes part of the cluster.
#[derive(Clone, Debug)]
pub enum Action<'a> {
    /// The first master. `join_tokens`: those of all nodes known now, its own included (kubeadm makes one up where there is none).
    Init {
        certificates: Certificates<'a>,
        join_tokens: &'a [&'a SecretString],
    },
    JoinMaster {
        certificates: Certificates<'a>,
        token: &'a SecretString,
        /// `sha256:<hex>`
        ca_hash: &'a str,
    },
    JoinWorker {
        token: &'a SecretString,
        ca_hash: &'a str,
    },
}

/// The cluster's authorities and keys, as PEM but for the last. Masters only.
#[derive(Clone, Debug)]
pub struct Certificates<'a> {
    pub ca_crt: &'a str,
    pub ca_key: &'a SecretString,
    pub etcd_ca_crt: &'a str,
    pub etcd_ca_key: &'a SecretString,
    pub front_proxy_ca_crt: &'a str,
    pub front_proxy_ca_key: &'a SecretString,
    pub sa_key: &'a SecretString,
    pub sa_pub: &'a str,
    /// For the Secrets in etcd.
    pub encryption: Encryption<'a>,
}

const MODULES: &str = "overlay\nbr_netfilter\n";
const SYSCTL: &str = "net.ipv4.ip_forward = 1\n\
    net.bridge.bridge-nf-call-iptables = 1\n\
    net.bridge.bridge-nf-call-ip6tables = 1\n\
    fs.inotify.max_user_instances = 8192\n\
    fs.inotify.max_user_watches = 524288\n";

/// The tar of this node. `/etc/kcs/kubeadm.yaml` is its last file: where that is, all is.
pub fn bundle(input: &BundleInput<'_>) -> Result<SecretSlice<u8>, BootstrapError> {
    validate::version(&input.spec.version)?;
    let configuration = kubeadm::documents(input)?;
    let mut tar = Tar::new();
    tar.directory("etc/kcs", 0o700)?;
    tar.file("etc/modules-load.d/kubernetes.conf", 0o644, MODULES)?;
    tar.file("etc/sysctl.d/90-kubernetes.conf", 0o644, SYSCTL)?;
    for (path, text) in site::files(input.spec, input.disks)? {
        tar.file(&path, 0o644, &text)?;
    }
    let action = match &input.action {
        Action::Init { certificates, .. } => {
            add_control_plane(&mut tar, input.spec, certificates)?;
            "init\n"
        }
        Action::JoinMaster { certificates, .. } => {
            add_control_plane(&mut tar, input.spec, certificates)?;
            let encryption = certificates.encryption.patched().then_some(encryption::ADDITION);
            let audit = api_audit::patched(&input.spec.audit).then_some(api_audit::ADDITION);
            add_patches(&mut tar, &encryption.into_iter().chain(audit).collect::<Vec<_>>())?;
            "join\n"
        }
        Action::JoinWorker { .. } => "join\n",
    };
    tar.file("etc/kcs/action", 0o644, action)?;
    tar.file("etc/kcs/kubeadm.yaml", 0o600, configuration.expose_secret())?;
    tar.finish()
}

/// What masters only have.
fn add_control_plane(tar: &mut Tar, spec: &ClusterSpec, certificates: &Certificates<'_>) -> Result<(), BootstrapError> {
    add_certificates(tar, certificates)?;
    if certificates.encryption.wanted() {
        tar.directory(relative(encryption::DIRECTORY), 0o700)?;
        tar.file(relative(encryption::FILE), 0o600, encryption::document(&certificates.encryption)?.expose_secret())?;
    }
    if let Some(policy) = api_audit::policy(&spec.audit)? {
        tar.directory(relative(api_audit::DIRECTORY), 0o700)?;
        tar.file(relative(api_audit::POLICY), 0o600, &policy)?;
    }
    Ok(())
}

/// What a joining master's API server is told besides.
fn add_patches(tar: &mut Tar, additions: &[Addition]) -> Result<(), BootstrapError> {
    if !additions.is_empty() {
        tar.directory(relative(PATCHES), 0o700)?;
    }
    for addition in additions {
        tar.file(relative(addition.file), 0o600, &addition.patch()?)?;
    }
    Ok(())
}

fn add_certificates(tar: &mut Tar, certificates: &Certificates<'_>) -> Result<(), BootstrapError> {
    for directory in ["etc/kubernetes", "etc/kubernetes/pki", "etc/kubernetes/pki/etcd"] {
        tar.directory(directory, 0o755)?;
    }
    for (name, text) in [
        ("ca.crt", certificates.ca_crt),
        ("etcd/ca.crt", certificates.etcd_ca_crt),
        ("front-proxy-ca.crt", certificates.front_proxy_ca_crt),
        ("sa.pub", certificates.sa_pub),
    ] {
        tar.file(&format!("etc/kubernetes/pki/{name}"), 0o644, text)?;
    }
    for (name, key) in [
        ("ca.key", certificates.ca_key),
        ("etcd/ca.key", certificates.etcd_ca_key),
        ("front-proxy-ca.key", certificates.front_proxy_ca_key),
        ("sa.key", certificates.sa_key),
    ] {
        tar.file(&format!("etc/kubernetes/pki/{name}"), 0o600, key.expose_secret())?;
    }
    Ok(())
}

/// As a path in the tar.
fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

/// A tar of root's files, without times: equal input, equal bytes.
struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn directory(&mut self, path: &str, mode: u32) -> Result<(), BootstrapError> {
        self.entry(tar::EntryType::Directory, &format!("{path}/"), mode, "")
    }

    fn file(&mut self, path: &str, mode: u32, text: &str) -> Result<(), BootstrapError> {
        self.entry(tar::EntryType::Regular, path, mode, text)
    }

    fn entry(&mut self, kind: tar::EntryType, path: &str, mode: u32, text: &str) -> Result<(), BootstrapError> {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(text.len() as u64);
        self.0.append_data(&mut header, path, text.as_bytes()).map_err(write_error)
    }

    fn finish(self) -> Result<SecretSlice<u8>, BootstrapError> {
        let bytes = self.0.into_inner().map_err(write_error)?;
        Ok(SecretSlice::from(bytes))
    }
}

fn write_error(error: std::io::Error) -> BootstrapError {
    BootstrapError::Write(error.to_string())
}
