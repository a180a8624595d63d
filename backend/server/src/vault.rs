//! Keys of the ring that are kept wrapped by the transit engine of a Vault or OpenBao: opened once, at the start, and in memory only from then on.

use crate::config::{ConfigError, wrong};
use bytes::Bytes;
use cloud_openstack::{ReqwestTransport, Transport};
use http::Request;
use sealed::key_ring::entries;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::path::PathBuf;
use url::{Host, Url};
use zeroize::Zeroizing;

/// With this begins what transit has wrapped.
const WRAPPED: &str = "vault:";

/// Where the transit engine is, and what it is asked with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    pub address: Url,
    /// May decrypt with the transit key, and needs nothing else.
    pub token: Option<SecretString>,
    /// A file with the token, which an agent keeps fresh.
    pub token_file: Option<PathBuf>,
    #[serde(default = "default_mount")]
    pub mount: String,
    /// Name of the transit key.
    #[serde(default = "default_key")]
    pub key: String,
    pub namespace: Option<String>,
    /// PEM authorities that are trusted instead of the public ones.
    pub ca_file: Option<PathBuf>,
}

fn default_mount() -> String {
    "transit".to_owned()
}
fn default_key() -> String {
    "kcs".to_owned()
}

impl VaultConfig {
    /// # Errors
    /// The key that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        let own = match self.address.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if self.address.scheme() != "https" && !(own && self.address.scheme() == "http") {
            return Err(wrong("vault.address", "must be an https URL: keys come from it"));
        }
        if self.token.is_some() == self.token_file.is_some() {
            return Err(wrong("vault.token", "must be there, or vault.token_file in its place"));
        }
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'));
        for (name, text) in [("vault.mount", Some(&self.mount)), ("vault.key", Some(&self.key)), ("vault.namespace", self.namespace.as_ref())] {
            if text.is_some_and(|t| !plain(t) || t.contains("..")) {
                return Err(wrong(name, "must be of letters, digits, -, _, . and /"));
            }
        }
        Ok(())
    }

    fn token(&self) -> Result<SecretString, Box<dyn Error>> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let path = self.token_file.as_ref().ok_or("vault.token is missing")?;
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| format!("vault.token_file: {}: {e}", path.display()))?);
        Ok(SecretString::from(text.trim().to_owned()))
    }
}

#[derive(Serialize)]
struct Wrapped<'a> {
    ciphertext: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    data: Batch,
}

#[derive(Deserialize)]
struct Batch {
    batch_results: Vec<Opened>,
}

#[derive(Deserialize)]
struct Opened {
    /// In base64, as transit was given it and as a ring has it.
    #[serde(default)]
    plaintext: SecretString,
    error: Option<String>,
}

/// A ring's text with its wrapped keys opened; one without such keys comes back as it is.
///
/// # Errors
/// When there are such keys and no Vault, or it does not open them. What it says is repeated, keys are not.
pub async fn open(config: Option<&VaultConfig>, ring: &SecretString) -> Result<SecretString, Box<dyn Error>> {
    let keys: Vec<(&str, &str)> = entries(ring.expose_secret()).filter_map(|(_, entry)| entry.split_once(':')).collect();
    let wrapped: Vec<Wrapped<'_>> = keys.iter().filter(|(_, key)| key.starts_with(WRAPPED)).map(|(_, key)| Wrapped { ciphertext: key }).collect();
    if wrapped.is_empty() {
        return Ok(ring.clone());
    }
    let config = config.ok_or("a key of the ring is wrapped by Vault, and there is no section vault")?;
    let mut opened = decrypt(config, &wrapped).await?.into_iter();
    let mut text = Zeroizing::new(String::new());
    for (id, key) in keys {
        text.push_str(id);
        text.push(':');
        if key.starts_with(WRAPPED) {
            let Opened { plaintext, error } = opened.next().ok_or("vault: an answer is missing")?;
            if let Some(words) = error.filter(|words| !words.is_empty()) {
                return Err(format!("vault: key {id:?}: {words}").into());
            }
            text.push_str(plaintext.expose_secret());
        } else {
            text.push_str(key);
        }
        text.push('\n');
    }
    Ok(SecretString::from(text.to_string()))
}

async fn decrypt(config: &VaultConfig, wrapped: &[Wrapped<'_>]) -> Result<Vec<Opened>, Box<dyn Error>> {
    let address = format!("{}/v1/{}/decrypt/{}", config.address.as_str().trim_end_matches('/'), config.mount, config.key);
    let body = serde_json::to_vec(&serde_json::json!({ "batch_input": wrapped }))?;
    let mut request = Request::post(address).header("content-type", "application/json").header("x-vault-request", "true");
    if let Some(namespace) = &config.namespace {
        request = request.header("x-vault-namespace", namespace);
    }
    let request = request.header("x-vault-token", config.token()?.expose_secret()).body(Bytes::from(body)).map_err(|_| "vault.token: is not one")?;
    let transport = ReqwestTransport::new(config.ca_file.as_deref()).map_err(|e| format!("vault.ca_file: {e}"))?;
    let answer = transport.send(request).await.map_err(|e| format!("vault.address: {e}"))?;
    let (status, body) = (answer.status(), answer.into_body());
    match serde_json::from_slice::<Answer>(&body) {
        Ok(answer) if answer.data.batch_results.len() == wrapped.len() => Ok(answer.data.batch_results),
        _ => Err(format!("vault: status {status}: {}", words(&body)).into()),
    }
}

/// What an answer says is wrong.
fn words(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<String>,
    }
    let words = serde_json::from_slice::<Errors>(body).map_or_else(|_| "an answer that is not understood".to_owned(), |e| e.errors.join("; "));
    words.chars().filter(|c| !c.is_control()).take(500).collect()
}
