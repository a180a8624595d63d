//! A person's kubeconfig for one cluster: KCS's address, KCS's CA, and a revocable token, or the way to ask `kcs` for one. No credential of the
//! cluster itself is in it, but for the one that leads past the gate: the cluster's own address and CA, and a certificate that ends soon.

use crate::{ClientCertificate, SealError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// What a kubeconfig says.
#[derive(Clone, Debug)]
pub struct Kubeconfig<'a> {
    /// Name of cluster and context, as the user knows it.
    pub cluster: &'a str,
    /// `https://…/k8s/clusters/<id>`
    pub server: &'a str,
    /// PEM of the CA that signed the server's certificate.
    pub ca_pem: &'a str,
    /// The name to find in that certificate, where it is not the server's address.
    pub tls_server_name: Option<&'a str>,
    /// Name of the user entry.
    pub user: &'a str,
    pub proof: Proof<'a>,
    /// Where kubectl goes when it is told nothing else.
    pub namespace: Option<&'a str>,
}

/// What kubectl shows to be let in.
#[derive(Clone, Debug)]
pub enum Proof<'a> {
    Token(&'a SecretString),
    /// What the cluster itself knows.
    Certificate(&'a ClientCertificate),
    /// Asks `kcs credential`, signed in to this server: the file holds no secret.
    Exec {
        server: &'a str,
    },
}

impl Proof<'_> {
    /// The part under `user:`.
    fn render(&self) -> Result<SecretString, SealError> {
        Ok(SecretString::from(match self {
            Self::Token(token) => format!("    token: {}\n", quoted(token.expose_secret())?),
            Self::Certificate(client) => format!(
                "    client-certificate-data: {}\n    client-key-data: {}\n",
                quoted(&STANDARD.encode(&client.certificate_pem))?,
                quoted(&STANDARD.encode(client.key_pem.expose_secret()))?,
            ),
            Self::Exec { server } => format!(
                "    exec:\n\
                 \x20     apiVersion: client.authentication.k8s.io/v1\n\
                 \x20     command: kcs\n\
                 \x20     args: [\"credential\", \"--server\", {server}]\n\
                 \x20     interactiveMode: IfAvailable\n\
                 \x20     provideClusterInfo: false\n\
                 \x20     installHint: {hint}\n",
                server = quoted(server)?,
                hint = quoted(&format!("kcs is not in your PATH. Install it, then sign in: kcs login {server}"))?,
            ),
        }))
    }
}

impl Kubeconfig<'_> {
    /// The YAML document. Every scalar is double-quoted: readers of YAML 1.1 would take a cluster called `on` for a boolean.
    pub fn render(&self) -> Result<SecretString, SealError> {
        let (cluster, user) = (quoted(self.cluster)?, quoted(self.user)?);
        let namespace = self.namespace.map(|name| Ok::<_, SealError>(format!("    namespace: {}\n", quoted(name)?))).transpose()?.unwrap_or_default();
        let name =
            self.tls_server_name.map(|name| Ok::<_, SealError>(format!("    tls-server-name: {}\n", quoted(name)?))).transpose()?.unwrap_or_default();
        Ok(SecretString::from(format!(
            "apiVersion: v1\n\
             kind: Config\n\
             clusters:\n\
             - name: {cluster}\n\
             \x20 cluster:\n\
             \x20   server: {server}\n\
             \x20   certificate-authority-data: {ca}\n\
             {name}\
             users:\n\
             - name: {user}\n\
             \x20 user:\n\
             {proof}\
             contexts:\n\
             - name: {cluster}\n\
             \x20 context:\n\
             \x20   cluster: {cluster}\n\
             \x20   user: {user}\n\
             {namespace}\
             current-context: {cluster}\n",
            server = quoted(self.server)?,
            ca = quoted(&STANDARD.encode(self.ca_pem))?,
            proof = self.proof.render()?.expose_secret(),
        )))
    }
}

/// A JSON string is a double-quoted scalar of YAML, but for the line breaks and control characters that only YAML knows.
fn quoted(text: &str) -> Result<String, SealError> {
    let json = serde_json::to_string(text).map_err(|_| SealError::Content("kubeconfig"))?;
    let mut scalar = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                scalar.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => scalar.push(character),
        }
    }
    Ok(scalar)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_yaml_ng::Value;

    #[test]
    fn hostile_names_stay_names() {
        let token = SecretString::from("kcs_kubeconfig_x");
        for name in ["demo", "a: b", "\"}\nusers: []", "- x", "#", "\u{4e2d}\u{6587} \u{1f600}", "null", "!!str"] {
            let text = Kubeconfig {
                cluster: name,
                server: "https://127.0.0.1:8443/k8s/clusters/1",
                ca_pem: "-----BEGIN CERTIFICATE-----\n",
                tls_server_name: Some(name),
                user: name,
                proof: Proof::Token(&token),
                namespace: Some(name),
            }
            .render()
            .unwrap();
            let value: Value = serde_yaml_ng::from_str(text.expose_secret()).unwrap();
            assert_eq!(value["clusters"][0]["name"], Value::from(name));
            assert_eq!(value["clusters"][0]["cluster"]["tls-server-name"], Value::from(name));
            assert_eq!(value["current-context"], Value::from(name));
            assert_eq!(value["contexts"][0]["context"]["namespace"], Value::from(name));
            assert_eq!(value["users"][0]["user"]["token"], Value::from("kcs_kubeconfig_x"));
            assert!(text.expose_secret().contains(&format!("current-context: \"{}", &quoted(name).unwrap()[1..])));
            assert_eq!(value.as_mapping().unwrap().len(), 6);
        }
    }

    #[test]
    fn one_that_asks_kcs_holds_no_secret() {
        let server = "https://kcs.example.org\"]\n    token: \"x";
        let config = Kubeconfig {
            cluster: "demo",
            server: "https://127.0.0.1:8443/k8s/clusters/1",
            ca_pem: "",
            tls_server_name: None,
            user: "kcs",
            proof: Proof::Exec { server },
            namespace: None,
        };
        let value: Value = serde_yaml_ng::from_str(config.render().unwrap().expose_secret()).unwrap();
        assert!(value["clusters"][0]["cluster"].get("tls-server-name").is_none());
        let user = &value["users"][0]["user"];
        assert_eq!(user["exec"]["command"], Value::from("kcs"));
        assert_eq!(user["exec"]["args"], serde_yaml_ng::to_value(["credential", "--server", server]).unwrap());
        assert_eq!(user["exec"]["interactiveMode"], Value::from("IfAvailable"));
        assert_eq!(user.as_mapping().unwrap().len(), 1, "no token beside it");
    }
}
