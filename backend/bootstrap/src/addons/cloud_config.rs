//! What the cloud controller and the storage driver need to know of the cloud: the Secret `cloud-config`, in kube-system, on masters only.

use domain::settings::OVN;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The Secret's name, in kube-system.
pub const SECRET: &str = "cloud-config";

/// The cloud as a cluster's own programs see it.
#[derive(Clone, Debug)]
pub struct CloudConfig<'a> {
    /// Keystone, as nodes reach it.
    pub auth_url: &'a str,
    pub region: Option<&'a str>,
    /// PEM of the authority that signed the cloud's certificates, if it is no public one.
    pub ca_pem: Option<&'a str>,
    /// The cluster's application credential.
    pub credential_id: &'a str,
    pub credential_secret: &'a SecretString,
    /// Id of the external network for addresses of Services.
    pub external_network: &'a str,
    /// Id of the subnet that nodes are in.
    pub subnet: &'a str,
    /// Octavia's provider; None: amphora, which the cloud controller takes by itself.
    pub load_balancer_provider: Option<&'a str>,
}

/// `cloud.conf` and, where there is one, the authority.
pub(super) fn secret(cloud: &CloudConfig<'_>) -> Value {
    let mut data = json!({"cloud.conf": text(cloud)});
    if let Some(pem) = cloud.ca_pem {
        data["ca.crt"] = json!(pem);
    }
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": SECRET, "namespace": "kube-system"}, "stringData": data})
}

fn text(cloud: &CloudConfig<'_>) -> String {
    let mut text = String::from("[Global]\n");
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key} = {}", quoted(value));
    };
    line("auth-url", cloud.auth_url);
    line("application-credential-id", cloud.credential_id);
    line("application-credential-secret", cloud.credential_secret.expose_secret());
    if let Some(region) = cloud.region {
        line("region", region);
    }
    if cloud.ca_pem.is_some() {
        line("ca-file", "/etc/config/ca.crt");
    }
    text.push_str("[LoadBalancer]\n");
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key} = {}", quoted(value));
    };
    line("floating-network-id", cloud.external_network);
    line("subnet-id", cloud.subnet);
    if let Some(provider) = cloud.load_balancer_provider {
        line("lb-provider", provider);
    }
    if cloud.load_balancer_provider == Some(OVN) {
        // It takes members from one pool by their address. They see the client's own, so that node ports have to be open to whom each Service is for: the
        // cloud controller opens them by a group for each.
        line("lb-method", "SOURCE_IP_PORT");
        text.push_str("manage-security-groups = true\n");
    }
    text.push_str("create-monitor = true\nmonitor-delay = 5s\nmonitor-timeout = 3s\nmonitor-max-retries = 1\n");
    text.push_str("[BlockStorage]\nignore-volume-az = true\n[Metadata]\nsearch-order = configDrive,metadataService\n");
    text
}

/// As Git's configuration files quote: nothing in a value can end its line.
fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    let plain: String = escaped.chars().filter(|c| !c.is_control()).collect();
    format!("\"{plain}\"")
}
