//! An entry of `clouds.yaml`, as OpenStack's own clients read it.

use serde_yaml_ng::{Mapping, Value};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use url::Url;

fn places() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config/openstack/clouds.yaml"));
    let given = std::env::var_os("OS_CLIENT_CONFIG_FILE").map(PathBuf::from);
    [given, Some(PathBuf::from("clouds.yaml")), home, Some(PathBuf::from("/etc/openstack/clouds.yaml"))].into_iter().flatten().collect()
}

/// The entry's service account, as the configuration's `cloud`.
///
/// # Errors
/// When there is no such entry, or it lacks something.
pub fn entry(name: &str) -> Result<Value, Box<dyn Error>> {
    let path = places().into_iter().find(|p| p.is_file()).ok_or("there is no clouds.yaml")?;
    read(name, &std::fs::read_to_string(&path)?).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn read(name: &str, text: &str) -> Result<Value, Box<dyn Error>> {
    let mut tree: Value = serde_yaml_ng::from_str(text)?;
    // Entries often share their halves by `<<`.
    tree.apply_merge()?;
    let cloud = tree.get("clouds").and_then(|c| c.get(name)).ok_or_else(|| format!("there is no cloud {name:?}"))?;
    let auth = cloud.get("auth").ok_or_else(|| format!("clouds.{name}.auth is missing"))?;
    let required = |key: &str| auth.get(key).cloned().ok_or_else(|| format!("clouds.{name}.auth.{key} is missing"));
    let mut found = Mapping::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            found.insert(Value::from(key), value);
        }
    };
    put("auth_url", Some(required("auth_url")?));
    put("user_name", Some(required("username")?));
    put("password", Some(required("password")?));
    put("project", Some(required("project_name")?));
    put("domain", auth.get("user_domain_name").cloned());
    put("region", cloud.get("region_name").cloned());
    put("interface", cloud.get("interface").cloned());
    put("ca_file", cloud.get("cacert").cloned());
    Ok(found.into())
}

/// The address of this machine on the way to the cloud of an entry. Nothing is sent.
///
/// # Errors
/// When there is no such entry or way, or the way is the loopback: nodes cannot reach that.
pub fn way_to(name: &str) -> Result<IpAddr, Box<dyn Error>> {
    let entry = entry(name)?;
    let url: Url =
        entry.get("auth_url").and_then(Value::as_str).unwrap_or_default().parse().map_err(|e| format!("clouds.{name}.auth.auth_url: {e}"))?;
    let peer = url.socket_addrs(|| None)?.into_iter().next().ok_or_else(|| format!("{url}: no address"))?;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(peer)?;
    let address = socket.local_addr()?.ip();
    if address.is_loopback() {
        return Err(format!("{url} is on this machine: name the address at which nodes reach it with --node-address").into());
    }
    Ok(address)
}

#[cfg(test)]
#[path = "clouds_yaml_tests.rs"]
mod tests;
