//! What a node is told about its site: time servers, the way out, where images come from, whom to trust, its further disks.

use crate::{BootstrapError, validate};
use domain::clusters::ClusterSpec;

/// A further disk of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk<'a> {
    /// Id of the Cinder volume; its first twenty characters are the disk's serial number.
    pub volume_id: &'a str,
    pub mount_path: &'a str,
}

/// (path, content) of the files; none where nothing is said. `/etc/kcs/site` is among them where services have to be told anew.
pub fn files(spec: &ClusterSpec, disks: &[Disk<'_>]) -> Result<Vec<(String, String)>, BootstrapError> {
    let mut files = Vec::new();
    let mut add = |path: &str, text: String| files.push((path.to_owned(), text));
    if !spec.ntp_servers.is_empty() {
        let servers: Vec<&str> = spec.ntp_servers.iter().map(String::as_str).collect();
        for server in &servers {
            validate::host("time server", server)?;
        }
        add("etc/systemd/timesyncd.conf.d/50-kcs.conf", format!("[Time]\nNTP={}\n", servers.join(" ")));
        add("etc/chrony/sources.d/kcs.sources", servers.iter().map(|s| format!("server {s} iburst\n")).collect());
    }
    if let Some(environment) = proxy(spec)? {
        for service in ["containerd", "kubelet"] {
            add(&format!("etc/systemd/system/{service}.service.d/50-kcs-proxy.conf"), environment.clone());
        }
    }
    if let Some(mirror) = &spec.registry_mirror {
        add("etc/containerd/certs.d/_default/hosts.toml", hosts(mirror)?);
    }
    for (index, pem) in spec.ca_certificates.iter().enumerate() {
        add(&format!("usr/local/share/ca-certificates/kcs-{index}.crt"), format!("{}\n", pem.trim()));
    }
    if !files.is_empty() {
        files.push(("etc/kcs/site".to_owned(), String::new()));
    }
    if !disks.is_empty() {
        for disk in disks {
            validate::dns_label("volume", disk.volume_id)?;
            validate::path("mount path", disk.mount_path)?;
        }
        files.push(("etc/kcs/disks".to_owned(), disks.iter().map(|d| format!("{} {}\n", d.volume_id, d.mount_path)).collect()));
    }
    Ok(files)
}

/// Lines for a unit of systemd's. Names are written both ways: programs differ in which they read.
fn proxy(spec: &ClusterSpec) -> Result<Option<String>, BootstrapError> {
    let Some(proxy) = &spec.proxy else { return Ok(None) };
    let without = spec.no_proxy().join(",");
    let mut lines = String::from("[Service]\n");
    let settings = [("HTTP_PROXY", proxy.http.as_deref()), ("HTTPS_PROXY", proxy.https.as_deref()), ("NO_PROXY", Some(without.as_str()))];
    for (name, value) in settings {
        let Some(value) = value else { continue };
        validate::plain("proxy", value)?;
        for name in [name.to_owned(), name.to_lowercase()] {
            lines.push_str(&format!("Environment=\"{name}={value}\"\n"));
        }
    }
    Ok(Some(lines))
}

/// containerd's file for all registries: the mirror is asked, with the registry meant in the query.
fn hosts(mirror: &str) -> Result<String, BootstrapError> {
    validate::plain("registry mirror", mirror)?;
    let (host, path) = mirror.split_once('/').map_or((mirror, None), |(host, path)| (host, Some(path)));
    let url = path.map_or_else(|| format!("https://{host}"), |path| format!("https://{host}/v2/{path}"));
    let prefixed = if path.is_some() { "  override_path = true\n" } else { "" };
    Ok(format!("[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n{prefixed}"))
}
