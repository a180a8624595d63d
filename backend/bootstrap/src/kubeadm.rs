//! kubeadm's configuration (`kubeadm.k8s.io/v1beta4`) as typed structs. Written as JSON, which every YAML reader takes: in YAML's plain
//! scalars readers of version 1.1 see booleans and numbers where a name was meant.

use crate::additions::{Mount, PATCHES};
use crate::bundle::{Action, BundleInput};
use crate::{BootstrapError, POOL_LABEL, addons, api_audit, encryption, validate};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

const KUBEADM: &str = "kubeadm.k8s.io/v1beta4";
const API_PORT: u16 = 6443;
/// What names of Services end in.
pub const DNS_DOMAIN: &str = "cluster.local";
/// How long a token lets its node join; the engine makes a new one for a node that is later.
const TOKEN_TTL: &str = "1h0m0s";

/// The documents for this node, as kubeadm reads them.
pub fn documents(input: &BundleInput<'_>) -> Result<SecretString, BootstrapError> {
    let documents = match &input.action {
        Action::Init { join_tokens, certificates } => {
            if join_tokens.is_empty() {
                return Err(BootstrapError::NoJoinToken);
            }
            vec![
                json(&init(input, join_tokens)?)?,
                json(&cluster(input, certificates.encryption.wanted()))?,
                json(&KubeletConfiguration::new())?,
                json(&KubeProxyConfiguration::new())?,
            ]
        }
        Action::JoinMaster { token, ca_hash, certificates } => {
            let patched = certificates.encryption.patched() || api_audit::patched(&input.spec.audit);
            let patches = patched.then_some(Patches { directory: PATCHES });
            vec![json(&JoinConfiguration { patches, ..join(input, token, ca_hash, true)? })?]
        }
        Action::JoinWorker { token, ca_hash } => vec![json(&join(input, token, ca_hash, false)?)?],
    };
    Ok(SecretString::from(documents.join("\n---\n") + "\n"))
}

pub(crate) fn json(document: &impl Serialize) -> Result<String, BootstrapError> {
    serde_json::to_string_pretty(document).map_err(|e| BootstrapError::Write(e.to_string()))
}

fn init<'a>(input: &'a BundleInput<'_>, join_tokens: &'a [&SecretString]) -> Result<InitConfiguration<'a>, BootstrapError> {
    Ok(InitConfiguration {
        api_version: KUBEADM,
        kind: "InitConfiguration",
        skip_phases: addons::brings_dns(&input.spec.addons, &input.spec.version).then_some(["addon/coredns"]),
        bootstrap_tokens: join_tokens.iter().map(|token| BootstrapToken::new(token)).collect(),
        local_api_endpoint: local_endpoint(input),
        node_registration: node_registration(input)?,
        timeouts: Timeouts { control_plane_component_health_check: Some("8m0s"), kubernetes_api_call: Some("3m0s"), ..Timeouts::default() },
    })
}

fn join<'a>(input: &'a BundleInput<'_>, token: &'a SecretString, ca_hash: &'a str, master: bool) -> Result<JoinConfiguration<'a>, BootstrapError> {
    Ok(JoinConfiguration {
        api_version: KUBEADM,
        kind: "JoinConfiguration",
        discovery: Discovery {
            bootstrap_token: DiscoveryToken { api_server_endpoint: endpoint(input), token: token.expose_secret(), ca_cert_hashes: [ca_hash] },
        },
        control_plane: master.then(|| JoinControlPlane { local_api_endpoint: local_endpoint(input) }),
        node_registration: node_registration(input)?,
        patches: None,
        // kubeadm's five minutes are less than a slow first master needs.
        timeouts: Timeouts {
            discovery: Some("15m0s"),
            tls_bootstrap: Some("10m0s"),
            control_plane_component_health_check: Some("8m0s"),
            etcd_api_call: Some("5m0s"),
            kubernetes_api_call: Some("3m0s"),
        },
    })
}

/// Masters that join take this from the cluster: what is said of the API server here is so for all of them.
fn cluster<'a>(input: &'a BundleInput<'_>, encrypted: bool) -> ClusterConfiguration<'a> {
    let mut names = vec![input.api_vip.to_string()];
    names.extend(input.api_floating_ip.map(|ip| ip.to_string()));
    names.push("127.0.0.1".to_owned());
    // Straight to the pods of API services: the way through a Service's address needs kube-proxy's rules.
    let mut extra_args = vec![Argument { name: "enable-aggregator-routing", value: "true".to_owned() }];
    let mut extra_volumes = Vec::new();
    let encryption = encrypted.then_some(encryption::ADDITION);
    let audit = api_audit::kept(&input.spec.audit).then_some(api_audit::ADDITION);
    for addition in encryption.into_iter().chain(audit) {
        extra_args.extend(addition.flags.iter().map(|&(name, value)| Argument { name, value: value.to_owned() }));
        extra_volumes.extend_from_slice(addition.mounts);
    }
    ClusterConfiguration {
        api_version: KUBEADM,
        kind: "ClusterConfiguration",
        cluster_name: format!("kcs-{}", input.cluster),
        kubernetes_version: &input.spec.version,
        control_plane_endpoint: endpoint(input),
        encryption_algorithm: "ECDSA-P256",
        networking: Networking {
            pod_subnet: input.spec.network.pod_cidr.to_string(),
            service_subnet: input.spec.network.service_cidr.to_string(),
            dns_domain: DNS_DOMAIN,
        },
        api_server: ApiServer { cert_sans: names, extra_args, extra_volumes },
    }
}

fn node_registration<'a>(input: &'a BundleInput<'_>) -> Result<NodeRegistration<'a>, BootstrapError> {
    validate::dns_label("node name", input.node_name)?;
    validate::dns_label("node pool", input.pool)?;
    let mut labels = vec![format!("{POOL_LABEL}={}", input.pool)];
    for (key, value) in input.labels {
        validate::label_key(key)?;
        validate::label_value(value)?;
        if key != POOL_LABEL && validate::kubelet_may_set(key) {
            labels.push(format!("{key}={value}"));
        }
    }
    let mut taints = Vec::new();
    for taint in input.taints {
        validate::taint(taint)?;
        taints.push(Taint { key: &taint.key, value: &taint.value, effect: taint.effect.as_str() });
    }
    Ok(NodeRegistration {
        name: input.node_name,
        cri_socket: "unix:///run/containerd/containerd.sock",
        image_pull_policy: "IfNotPresent",
        // Absent, not empty: an empty list would take the control plane's own taint away.
        taints: (!taints.is_empty()).then_some(taints),
        kubelet_extra_args: [
            Some(Argument { name: "node-labels", value: labels.join(",") }),
            Some(Argument { name: "node-ip", value: input.address.to_string() }),
            // The cloud controller takes the node over; without one it would wait for ever.
            input.spec.addons.cloud_controller.then(|| Argument { name: "cloud-provider", value: "external".to_owned() }),
        ]
        .into_iter()
        .flatten()
        .collect(),
    })
}

fn endpoint(input: &BundleInput<'_>) -> String {
    format!("{}:{API_PORT}", input.api_vip)
}

fn local_endpoint(input: &BundleInput<'_>) -> LocalApiEndpoint {
    LocalApiEndpoint { advertise_address: input.address.to_string(), bind_port: API_PORT }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InitConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_phases: Option<[&'static str; 1]>,
    bootstrap_tokens: Vec<BootstrapToken<'a>>,
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
    node_registration: NodeRegistration<'a>,
    timeouts: Timeouts,
}

#[derive(Serialize)]
struct BootstrapToken<'a> {
    token: &'a str,
    ttl: &'static str,
    usages: [&'static str; 2],
    groups: [&'static str; 1],
}

impl<'a> BootstrapToken<'a> {
    fn new(token: &'a SecretString) -> Self {
        Self {
            token: token.expose_secret(),
            ttl: TOKEN_TTL,
            usages: ["signing", "authentication"],
            groups: ["system:bootstrappers:kubeadm:default-node-token"],
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClusterConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    cluster_name: String,
    kubernetes_version: &'a str,
    control_plane_endpoint: String,
    encryption_algorithm: &'static str,
    networking: Networking,
    api_server: ApiServer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Networking {
    pod_subnet: String,
    service_subnet: String,
    dns_domain: &'static str,
}

#[derive(Serialize)]
struct ApiServer {
    #[serde(rename = "certSANs")]
    cert_sans: Vec<String>,
    #[serde(rename = "extraArgs")]
    extra_args: Vec<Argument>,
    #[serde(rename = "extraVolumes", skip_serializing_if = "Vec::is_empty")]
    extra_volumes: Vec<Mount>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinConfiguration<'a> {
    api_version: &'static str,
    kind: &'static str,
    discovery: Discovery<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control_plane: Option<JoinControlPlane>,
    node_registration: NodeRegistration<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patches: Option<Patches>,
    timeouts: Timeouts,
}

/// Where kubeadm finds changes of what it would lay down.
#[derive(Serialize)]
struct Patches {
    directory: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Discovery<'a> {
    bootstrap_token: DiscoveryToken<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiscoveryToken<'a> {
    api_server_endpoint: String,
    token: &'a str,
    ca_cert_hashes: [&'a str; 1],
}

#[derive(Serialize)]
struct JoinControlPlane {
    #[serde(rename = "localAPIEndpoint")]
    local_api_endpoint: LocalApiEndpoint,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocalApiEndpoint {
    advertise_address: String,
    bind_port: u16,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeRegistration<'a> {
    name: &'a str,
    cri_socket: &'static str,
    image_pull_policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    taints: Option<Vec<Taint<'a>>>,
    kubelet_extra_args: Vec<Argument>,
}

#[derive(Serialize)]
struct Taint<'a> {
    key: &'a str,
    value: &'a str,
    effect: &'static str,
}

#[derive(Serialize)]
struct Argument {
    name: &'static str,
    value: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Timeouts {
    #[serde(skip_serializing_if = "Option::is_none")]
    discovery: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_bootstrap: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control_plane_component_health_check: Option<&'static str>,
    #[serde(rename = "etcdAPICall", skip_serializing_if = "Option::is_none")]
    etcd_api_call: Option<&'static str>,
    #[serde(rename = "kubernetesAPICall", skip_serializing_if = "Option::is_none")]
    kubernetes_api_call: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KubeletConfiguration {
    api_version: &'static str,
    kind: &'static str,
    cgroup_driver: &'static str,
    rotate_certificates: bool,
}

impl KubeletConfiguration {
    fn new() -> Self {
        Self { api_version: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", cgroup_driver: "systemd", rotate_certificates: true }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KubeProxyConfiguration {
    api_version: &'static str,
    kind: &'static str,
    conntrack: Conntrack,
}

/// Zero: the kernel's own limits stay, which fit the memory of the machine, and which a network name space may not change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Conntrack {
    max_per_core: u32,
    min: u32,
}

impl KubeProxyConfiguration {
    fn new() -> Self {
        Self { api_version: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration", conntrack: Conntrack { max_per_core: 0, min: 0 } }
    }
}
