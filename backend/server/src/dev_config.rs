//! The configuration that `kcs dev` makes up, and what it tells about itself.

use crate::local::{FLOATING, Nodes};
use crate::progress::line;
use rand::Rng;
use serde_yaml_ng::Value;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Where guests of the local cloud reach this machine.
pub const SEEN_FROM_NODES: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1));

/// May say otherwise where the nodes of a real cloud reach us.
pub const NODES_ENDPOINT: &str = "KCS_NODES__ENDPOINT";

const CATALOGUE: &str = include_str!("dev_catalogue.yaml");

/// The demo accounts' password: the one given, else the one kept, else a new one that is kept.
///
/// # Errors
/// When it cannot be kept.
pub fn password(state_dir: &Path, given: Option<&str>) -> Result<String, Box<dyn Error>> {
    let file = state_dir.join("password");
    if let Some(given) = given.filter(|p| !p.is_empty()) {
        return Ok(given.to_owned());
    }
    if let Ok(kept) = std::fs::read_to_string(&file) {
        return Ok(kept.trim().to_owned());
    }
    let alphabet = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    let password: String = (0..16).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect();
    private(&file, &password)?;
    Ok(password)
}

/// The service account in the local cloud.
#[must_use]
pub fn local_cloud(auth_url: &str, password: &str) -> Value {
    let pairs = [("auth_url", auth_url), ("user_name", "kcs"), ("password", password), ("project", "service")];
    pairs.into_iter().map(|(key, value)| (Value::from(key), Value::from(value))).collect::<serde_yaml_ng::Mapping>().into()
}

/// The whole configuration.
///
/// # Errors
/// When the built-in catalogue cannot be read.
pub fn tree(
    http: SocketAddr,
    tls: SocketAddr,
    seen_from_nodes: IpAddr,
    state_dir: &Path,
    database: &str,
    cloud: Value,
) -> Result<Value, Box<dyn Error>> {
    let mut tree: Value = serde_yaml_ng::from_str(CATALOGUE)?;
    let mapping = |pairs: &[(&str, &str)]| -> Value {
        pairs.iter().map(|(k, v)| (Value::from(*k), Value::from(*v))).collect::<serde_yaml_ng::Mapping>().into()
    };
    let endpoint = std::env::var(NODES_ENDPOINT).unwrap_or_else(|_| format!("https://{}", SocketAddr::new(seen_from_nodes, tls.port())));
    let parts = [
        ("listen", Value::from(http.to_string())),
        ("tls_listen", Value::from(tls.to_string())),
        ("state_dir", Value::from(state_dir.display().to_string())),
        ("database", mapping(&[("url", database)])),
        ("nodes", mapping(&[("endpoint", &endpoint), ("cloud_auth_url", &seen_by_nodes(&cloud, seen_from_nodes)?)])),
        ("cloud", cloud),
    ];
    if let Some(keys) = tree.as_mapping_mut() {
        keys.extend(parts.into_iter().map(|(key, value)| (Value::from(key), value)));
    }
    Ok(tree)
}

/// Offers the identity provider of the local cloud.
///
/// # Errors
/// Never: what it says can be read.
pub fn with_provider(tree: &mut Value) -> Result<(), Box<dyn Error>> {
    let providers = "providers: [{id: local, identity_provider: local, protocol: openid, label: Local identity provider, label_zh: 本地身份提供方}]";
    if let Some(keys) = tree.as_mapping_mut() {
        keys.insert(Value::from("federation"), serde_yaml_ng::from_str(providers)?);
    }
    Ok(())
}

/// Lets clusters' APIs be where the local cloud has its floating addresses: on this machine.
///
/// # Errors
/// Never: what it says can be read.
pub fn with_local_addresses(tree: &mut Value) -> Result<(), Box<dyn Error>> {
    if let Some(keys) = tree.as_mapping_mut() {
        keys.insert(Value::from("engine"), serde_yaml_ng::from_str(&format!("api_cidrs_allowed: ['{FLOATING}']"))?);
    }
    Ok(())
}

/// Takes storage out of the templates: the local cloud attaches no volumes to full nodes and has no metadata service for the driver on them, and a cluster
/// would wait for it.
pub fn without_storage(tree: &mut Value) {
    let templates = tree.get_mut("templates").and_then(Value::as_sequence_mut);
    for spec in templates.into_iter().flatten().filter_map(|template| template.get_mut("spec")?.as_mapping_mut()) {
        let off: serde_yaml_ng::Mapping = [(Value::from("storage"), Value::from(false))].into_iter().collect();
        spec.insert(Value::from("addons"), off.into());
    }
}

/// Keystone as nodes reach it: a loopback of this machine is not theirs.
fn seen_by_nodes(cloud: &Value, machine: IpAddr) -> Result<String, Box<dyn Error>> {
    let mut url: url::Url = cloud.get("auth_url").and_then(Value::as_str).unwrap_or_default().parse()?;
    if matches!(url.host(), Some(url::Host::Ipv4(address)) if address.is_loopback()) || url.host_str() == Some("localhost") {
        url.set_ip_host(machine).map_err(|()| "cloud.auth_url cannot be told to nodes")?;
    }
    Ok(url.to_string())
}

/// Keeps the configuration in `config.yaml`: `kcs serve --config` with another `KCS_LISTEN` and `KCS_TLS_LISTEN` is a second replica.
///
/// # Errors
/// When it cannot be written.
pub fn write_down(state_dir: &Path, tree: &Value) -> Result<(), Box<dyn Error>> {
    let text = format!("# Made by `kcs dev` at every start.\n{}", serde_yaml_ng::to_string(tree)?);
    private(&state_dir.join("config.yaml"), &text)
}

/// Writes a file that holds a secret.
fn private(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// Writes down where everything is, for scripts and tests.
///
/// # Errors
/// When it cannot be written.
pub fn facts(state_dir: &Path, http: SocketAddr, cloud: Option<&str>) -> Result<(), Box<dyn Error>> {
    let facts = serde_json::json!({ "url": format!("http://{http}"), "cloud_url": cloud, "pid": std::process::id() });
    Ok(std::fs::write(state_dir.join("dev.json"), facts.to_string())?)
}

/// What whoever started it wants to know.
pub fn banner(http: SocketAddr, local: Option<(&str, Option<&str>, Nodes)>) {
    let mut text = format!("\n  Console   http://{http}\n  API       http://{http}/api/docs\n");
    if let Some((password, seed, nodes)) = local {
        let accounts = [
            ("member-a", "changes clusters of tenant-a"),
            ("reader-a", "looks at tenant-a"),
            ("member-b", "changes clusters of tenant-b"),
            ("both", "member of both"),
            ("operator", "sees all tenants"),
        ];
        text.push_str(&format!("\n  Demo accounts, password {password}\n"));
        for (name, what) in accounts {
            text.push_str(&format!("    {name:<10}{what}\n"));
        }
        if let Some(seed) = seed {
            text.push_str(&format!("    totp-a    like member-a, with passcodes of an authenticator with the seed {seed}\n"));
        }
        text.push_str(match nodes {
            Nodes::Simulated => "\n  Control planes are real Kubernetes; containers are simulated.\n",
            Nodes::Full => "\n  Nodes are whole systems; containers run.\n",
        });
    }
    text.push_str("  Ctrl-C stops everything.\n");
    line(&text);
}
