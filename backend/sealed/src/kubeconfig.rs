//! A person's kubeconfig for one cluster: KCS's address, KCS's CA, a revocable token. No credential of the cluster itself is in it.

use crate::SealError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// What a kubeconfig says.
#[derive(Clone, Debug)]
pub struct Kubeconfig<'a> {
    /// Name of cluster and context, as the user knows it.
    pub cluster: &'a str,
    /// `https://…/k8s/clusters/<id>`
    pub server: &'a str,
    /// PEM of the CA that signed the server's certificate.
    pub ca_pem: &'a str,
    /// Name of the user entry.
    pub user: &'a str,
    pub token: &'a SecretString,
}

impl Kubeconfig<'_> {
    /// The YAML document.
    pub fn render(&self) -> Result<SecretString, SealError> {
        let document = Document {
            api_version: "v1",
            kind: "Config",
            clusters: [NamedCluster {
                name: self.cluster,
                cluster: Cluster {
                    server: self.server,
                    certificate_authority_data: STANDARD.encode(self.ca_pem),
                },
            }],
            users: [NamedUser {
                name: self.user,
                user: User {
                    token: self.token.expose_secret(),
                },
            }],
            contexts: [NamedContext {
                name: self.cluster,
                context: Context {
                    cluster: self.cluster,
                    user: self.user,
                },
            }],
            current_context: self.cluster,
        };
        serde_yaml_ng::to_string(&document)
            .map(SecretString::from)
            .map_err(|_| SealError::Content("kubeconfig"))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    kind: &'a str,
    clusters: [NamedCluster<'a>; 1],
    users: [NamedUser<'a>; 1],
    contexts: [NamedContext<'a>; 1],
    #[serde(rename = "current-context")]
    current_context: &'a str,
}

#[derive(Serialize)]
struct NamedCluster<'a> {
    name: &'a str,
    cluster: Cluster<'a>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    server: &'a str,
    #[serde(rename = "certificate-authority-data")]
    certificate_authority_data: String,
}

#[derive(Serialize)]
struct NamedUser<'a> {
    name: &'a str,
    user: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    token: &'a str,
}

#[derive(Serialize)]
struct NamedContext<'a> {
    name: &'a str,
    context: Context<'a>,
}

#[derive(Serialize)]
struct Context<'a> {
    cluster: &'a str,
    user: &'a str,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_yaml_ng::Value;

    #[test]
    fn hostile_names_stay_names() {
        let token = SecretString::from("kcs_kubeconfig_x");
        for name in [
            "demo",
            "a: b",
            "\"}\nusers: []",
            "- x",
            "#",
            "\u{4e2d}\u{6587} \u{1f600}",
            "null",
            "!!str",
        ] {
            let text = Kubeconfig {
                cluster: name,
                server: "https://127.0.0.1:8443/k8s/clusters/1",
                ca_pem: "-----BEGIN CERTIFICATE-----\n",
                user: name,
                token: &token,
            }
            .render()
            .unwrap();
            let value: Value = serde_yaml_ng::from_str(text.expose_secret()).unwrap();
            assert_eq!(value["clusters"][0]["name"], Value::from(name));
            assert_eq!(value["current-context"], Value::from(name));
            assert_eq!(
                value["users"][0]["user"]["token"],
                Value::from("kcs_kubeconfig_x")
            );
            assert_eq!(value.as_mapping().unwrap().len(), 6);
        }
    }
}
