//! Cloud-init user-data of a server: where KCS is, its CA, a one-time token, and the script that does the rest. Whatever runs on the node
//! can read it from the metadata service for as long as the server lives, so the token is dead after its first use or fifteen minutes.

use crate::BootstrapError;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Nova takes 64 KiB of base64; ours is far below, and stays so.
pub const LIMIT: usize = 16 * 1024;

const SCRIPT_PATH: &str = "/usr/local/sbin/kcs-bootstrap";
const SCRIPT: &str = include_str!("kcs-bootstrap.sh");

/// What a server is told.
#[derive(Clone, Debug)]
pub struct UserData<'a> {
    /// `https://host:port`, as nodes reach KCS.
    pub endpoint: &'a str,
    /// PEM of the CA that signed KCS's certificate.
    pub ca_pem: &'a str,
    /// This server's own token.
    pub token: &'a SecretString,
    /// A public key whose owner may log in as the image's user.
    pub ssh_key: Option<&'a str>,
}

#[derive(Serialize)]
struct CloudConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ssh_authorized_keys: Option<[&'a str; 1]>,
    /// No image's password is good on a node, whoever made the image.
    ssh_pwauth: bool,
    write_files: Vec<File<'a>>,
    runcmd: [[&'a str; 1]; 1],
}

#[derive(Serialize)]
struct File<'a> {
    path: &'static str,
    permissions: &'static str,
    content: &'a str,
}

/// The `#cloud-config` document.
pub fn user_data(input: &UserData<'_>) -> Result<SecretString, BootstrapError> {
    let endpoint = format!("{}\n", input.endpoint.trim_end_matches('/'));
    // A header in a file, for curl's command line is everybody's to read.
    let authorization = SecretString::from(format!("Authorization: Bearer {}\n", input.token.expose_secret()));
    let config = CloudConfig {
        ssh_authorized_keys: input.ssh_key.map(|key| [key]),
        ssh_pwauth: false,
        write_files: vec![
            file("/etc/kcs/endpoint", "0644", &endpoint),
            file("/etc/kcs/ca.crt", "0644", input.ca_pem),
            file("/etc/kcs/authorization", "0600", authorization.expose_secret()),
            file(SCRIPT_PATH, "0700", SCRIPT),
        ],
        runcmd: [[SCRIPT_PATH]],
    };
    let yaml = serde_yaml_ng::to_string(&config).map_err(|e| BootstrapError::Write(e.to_string()))?;
    let text = format!("#cloud-config\n{yaml}");
    if text.len() > LIMIT {
        return Err(BootstrapError::TooLarge { size: text.len(), limit: LIMIT });
    }
    Ok(SecretString::from(text))
}

fn file<'a>(path: &'static str, permissions: &'static str, content: &'a str) -> File<'a> {
    File { path, permissions, content }
}
