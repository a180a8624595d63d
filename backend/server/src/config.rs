//! The configuration: one YAML file, `KCS_…` environment variables over it, checked at start. Every error names its key.

use crate::vault::VaultConfig;
use api::in_force::Configured;
use api::peers::Proxies;
use domain::costs::Prices;
use domain::installation::Installation;
use domain::templates::Template;
use domain::tenants::Limited;
use domain::versions::CatalogueVersion;
use ipnet::{IpNet, Ipv4Net};
use kube_access::Route;
use sealed::KeyRing;
use secrecy::SecretString;
use serde::Deserialize;
use serde_yaml_ng::{Mapping, Value};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

/// The TLS listener's port, where none is given, is the plain one's plus this: 8080 → 8443.
pub const TLS_PORT_OFFSET: u16 = 363;

/// What is wrong with the configuration, by key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {message}")]
    File { path: String, message: String },
    #[error("{key}: {message}")]
    Key { key: String, message: String },
}

pub(crate) fn wrong(key: &str, message: impl Into<String>) -> ConfigError {
    ConfigError::Key { key: key.to_owned(), message: message.into() }
}

/// Everything that can be set. `docs/configuration.md` documents each key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    #[serde(default)]
    pub tls_listen: Option<SocketAddr>,
    /// Where browsers reach the console.
    #[serde(default)]
    pub public_url: Option<Url>,
    /// Where kubeconfigs point: the TLS listener as people reach it.
    #[serde(default)]
    pub gate_url: Option<Url>,
    #[serde(default)]
    pub proxies: Proxies,
    #[serde(default = "default_state_dir")]
    pub state_dir: PathBuf,
    #[serde(default)]
    pub keys_file: Option<PathBuf>,
    /// The keys themselves, for the environment.
    #[serde(default)]
    pub keys: Option<SecretString>,
    /// Opens keys of the ring that are kept wrapped.
    #[serde(default)]
    pub vault: Option<VaultConfig>,
    pub database: Database,
    pub cloud: CloudConfig,
    pub nodes: Nodes,
    #[serde(default)]
    pub access: auth::RoleNames,
    /// Identity providers that people may sign in with besides their passwords.
    #[serde(default)]
    pub federation: crate::federation::FederationConfig,
    /// Lets projects open single clusters to certificates of an hour, which lead past the gate.
    #[serde(default)]
    pub direct_access: bool,
    pub versions: Vec<CatalogueVersion>,
    #[serde(default)]
    pub templates: Vec<Template>,
    /// What things cost an hour; without it costs are shown nowhere.
    #[serde(default)]
    pub prices: Option<Prices>,
    #[serde(default)]
    pub engine: Engine,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub audit: crate::audit::AuditConfig,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub metrics: Metrics,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: SecretString,
    #[serde(default = "default_connections")]
    pub connections: u32,
}

/// The figures for Prometheus.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// They tell of everybody's use and ask for no proof of who reads them: an address that only who may see them reaches. Absent: they are nowhere.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
}

/// The cloud, and the service account KCS has there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudConfig {
    pub auth_url: Url,
    pub region: Option<String>,
    #[serde(default = "default_interface")]
    pub interface: String,
    pub ca_file: Option<PathBuf>,
    pub user_name: String,
    pub password: SecretString,
    pub project: String,
    /// Name of the domain of the service account and its project.
    #[serde(default = "default_domain")]
    pub domain: String,
    /// Name of the domain that service users of tenants are made in.
    #[serde(default = "default_domain")]
    pub tenant_domain: String,
    /// Octavia's provider, where it is not the cloud's default.
    pub load_balancer_provider: Option<String>,
    /// How fast a process calls the cloud, and of that for one project.
    #[serde(default = "default_calls")]
    pub calls_per_second: u32,
    #[serde(default = "default_project_calls")]
    pub calls_per_second_per_project: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// Where nodes reach the TLS listener.
    pub endpoint: Url,
    /// Where what runs in clusters reaches Keystone, if that is not `cloud.auth_url`.
    pub cloud_auth_url: Option<Url>,
    /// In place of the hosts of public registries for the images of add-ons: `registry.example.com/mirror`.
    pub registry: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Clusters worked on at the same time; 0: no engine in this process, others have it.
    #[serde(default = "default_workers")]
    pub workers: usize,
    #[serde(default = "default_lease")]
    pub lease_seconds: u32,
    /// Ranges that KCS itself is seen from: let in where a cluster's API is restricted.
    #[serde(default)]
    pub egress_cidrs: Vec<Ipv4Net>,
    /// How KCS reaches APIs without a public address: `direct`, `http://host:port` (a proxy that takes CONNECT) or `socks5://host:port`.
    #[serde(default)]
    pub private_api_route: Option<String>,
    /// Ranges in which no cluster's API is, besides those that never are: KCS's own networks, the cloud's inner ones.
    #[serde(default)]
    pub api_cidrs_denied: Vec<IpNet>,
    /// Ranges in which one may be all the same.
    #[serde(default)]
    pub api_cidrs_allowed: Vec<IpNet>,
    /// Each project is looked through for orphans so often.
    #[serde(default = "default_sweep")]
    pub sweep_minutes: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[serde(default = "default_clusters")]
    pub clusters_per_project: u32,
    /// Of all clusters of a project together; absent: no limit. Operators set others for single projects.
    #[serde(default)]
    pub nodes_per_project: Option<u32>,
    #[serde(default)]
    pub vcpus_per_project: Option<u32>,
    #[serde(default)]
    pub memory_gib_per_project: Option<u32>,
    #[serde(default)]
    pub volumes_per_project: Option<u32>,
    #[serde(default)]
    pub volume_gib_per_project: Option<u32>,
    #[serde(default = "default_pool_nodes")]
    pub nodes_per_pool: u32,
    #[serde(default = "default_nodes")]
    pub nodes_per_cluster: u32,
    #[serde(default = "default_requests")]
    pub requests_per_minute: u32,
    /// Through the gate, with kubeconfigs; 0: no limit.
    #[serde(default = "default_gate_requests")]
    pub gate_requests_per_minute: u32,
    /// Of people whose browsers are not known.
    #[serde(default = "default_sign_ins")]
    pub sign_ins_per_minute: u32,
    /// Of those, failed ones in half an hour.
    #[serde(default = "default_failed_sign_ins")]
    pub failed_sign_ins_per_person: u32,
    /// Open at once in one process: of a person, and of all people into a cluster.
    #[serde(default = "default_streams_of_person")]
    pub streams_per_person: u32,
    #[serde(default = "default_streams_into_cluster")]
    pub streams_per_cluster: u32,
    /// A way into a pod through which nothing has gone for so long is closed; every stream, through the gate or of KCS itself, ends by the second.
    #[serde(default = "default_idle")]
    pub stream_idle_minutes: u32,
    #[serde(default = "default_stream")]
    pub stream_hours: u32,
    /// A kubeconfig is good for at most so long.
    #[serde(default = "default_kubeconfig")]
    pub kubeconfig_days: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    #[serde(default)]
    pub format: LogFormat,
    /// A filter: `info`, `info,api=debug`.
    #[serde(default = "default_level")]
    pub level: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    #[default]
    Pretty,
    Json,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}
fn default_state_dir() -> PathBuf {
    PathBuf::from(".kcs")
}
fn default_connections() -> u32 {
    20
}
fn default_interface() -> String {
    "public".to_owned()
}
fn default_domain() -> String {
    "Default".to_owned()
}
fn default_calls() -> u32 {
    200
}
fn default_project_calls() -> u32 {
    50
}
fn default_workers() -> usize {
    8
}
fn default_lease() -> u32 {
    30
}
fn default_sweep() -> u32 {
    10
}
fn default_clusters() -> u32 {
    20
}
fn default_pool_nodes() -> u32 {
    100
}
fn default_nodes() -> u32 {
    500
}
fn default_requests() -> u32 {
    1200
}
fn default_gate_requests() -> u32 {
    6000
}
fn default_streams_of_person() -> u32 {
    200
}
fn default_streams_into_cluster() -> u32 {
    1000
}
fn default_idle() -> u32 {
    60
}
fn default_stream() -> u32 {
    24
}
fn default_sign_ins() -> u32 {
    600
}
fn default_failed_sign_ins() -> u32 {
    5
}
fn default_kubeconfig() -> u32 {
    30
}
fn default_level() -> String {
    "info".to_owned()
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            workers: default_workers(),
            lease_seconds: default_lease(),
            egress_cidrs: Vec::new(),
            private_api_route: None,
            api_cidrs_denied: Vec::new(),
            api_cidrs_allowed: Vec::new(),
            sweep_minutes: default_sweep(),
        }
    }
}
impl Default for Limits {
    fn default() -> Self {
        Self {
            clusters_per_project: default_clusters(),
            nodes_per_project: None,
            vcpus_per_project: None,
            memory_gib_per_project: None,
            volumes_per_project: None,
            volume_gib_per_project: None,
            nodes_per_pool: default_pool_nodes(),
            nodes_per_cluster: default_nodes(),
            requests_per_minute: default_requests(),
            gate_requests_per_minute: default_gate_requests(),
            sign_ins_per_minute: default_sign_ins(),
            failed_sign_ins_per_person: default_failed_sign_ins(),
            streams_per_person: default_streams_of_person(),
            streams_per_cluster: default_streams_into_cluster(),
            stream_idle_minutes: default_idle(),
            stream_hours: default_stream(),
            kubeconfig_days: default_kubeconfig(),
        }
    }
}
impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), level: default_level() }
    }
}

impl Config {
    /// Reads the file (if one is named) and lays the environment over it.
    ///
    /// # Errors
    /// The first key that is missing, unknown or wrong.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut tree = match file {
            Some(path) => read(path)?,
            None => Value::Mapping(Mapping::new()),
        };
        for (name, value) in environment {
            lay_over(&mut tree, &name, &value)?;
        }
        Self::from_value(tree)
    }

    /// A configuration from its parsed form.
    ///
    /// # Errors
    /// The first key that is missing, unknown or wrong.
    pub fn from_value(tree: Value) -> Result<Self, ConfigError> {
        let config: Self = serde_path_to_error::deserialize(tree).map_err(|error| {
            let message = error.inner().to_string();
            wrong(&key_of(&error.path().to_string(), &message), message)
        })?;
        config.check()?;
        Ok(config)
    }

    /// Lays those variables of the environment over `tree` that name a key inside a section: `KCS_ENGINE__WORKERS`.
    ///
    /// # Errors
    /// When a name fits nothing.
    pub fn lay_sections_over(tree: &mut Value, environment: impl Iterator<Item = (String, String)>) -> Result<(), ConfigError> {
        for (name, value) in environment.filter(|(name, _)| name.contains("__")) {
            lay_over(tree, &name, &value)?;
        }
        Ok(())
    }

    /// The address of the TLS listener.
    #[must_use]
    pub fn tls_address(&self) -> SocketAddr {
        let beside = || SocketAddr::new(self.listen.ip(), self.listen.port().checked_add(TLS_PORT_OFFSET).unwrap_or(8443));
        self.tls_listen.unwrap_or_else(beside)
    }

    /// Where kubeconfigs point, without a trailing slash.
    #[must_use]
    pub fn gate(&self) -> String {
        let url = self.gate_url.as_ref().map_or_else(|| format!("https://{}", self.tls_address()), ToString::to_string);
        url.trim_end_matches('/').to_owned()
    }

    /// The file with the keys that seal secrets.
    #[must_use]
    pub fn keys_path(&self) -> PathBuf {
        self.keys_file.clone().unwrap_or_else(|| self.state_dir.join("keys"))
    }

    /// What operators may set while it runs, as the configuration has it.
    #[must_use]
    pub fn configured(&self) -> Configured {
        Configured { installation: self.installation(), authorization: self.audit.forward_authorization.clone() }
    }

    fn installation(&self) -> Installation {
        let of_a_project = |limited| match limited {
            Limited::Clusters => Some(self.limits.clusters_per_project),
            Limited::Nodes => self.limits.nodes_per_project,
            Limited::Vcpus => self.limits.vcpus_per_project,
            Limited::MemoryGib => self.limits.memory_gib_per_project,
            Limited::Volumes => self.limits.volumes_per_project,
            Limited::VolumeGib => self.limits.volume_gib_per_project,
        };
        Installation {
            of_projects: Limited::ALL.into_iter().filter_map(|limited| Some((limited, u64::from(of_a_project(limited)?)))).collect(),
            nodes_per_pool: self.limits.nodes_per_pool,
            nodes_per_cluster: self.limits.nodes_per_cluster,
            kubeconfig_days: self.limits.kubeconfig_days,
            versions: self.versions.clone(),
            templates: self.templates.clone(),
            prices: self.prices.clone(),
            retention_days: self.audit.retention_days,
            forward: self.audit.forward.clone(),
        }
    }

    /// The way to APIs without a public address; None: there is none.
    ///
    /// # Errors
    /// When the text names no route.
    pub fn private_route(&self) -> Result<Option<Route>, ConfigError> {
        let text = self.engine.private_api_route.as_deref();
        text.map(str::parse).transpose().map_err(|e: kube_access::RouteError| wrong("engine.private_api_route", e.to_string()))
    }

    fn check(&self) -> Result<(), ConfigError> {
        use secrecy::ExposeSecret;
        let database = self.database.url.expose_secret();
        if !database.starts_with("postgres://") && !database.starts_with("postgresql://") {
            return Err(wrong("database.url", "must begin with postgres://"));
        }
        within("database.connections", self.database.connections, 2, 1000)?;
        if !matches!(self.cloud.auth_url.scheme(), "http" | "https") {
            return Err(wrong("cloud.auth_url", "must be an http or https URL"));
        }
        if !matches!(self.cloud.interface.as_str(), "public" | "internal" | "admin") {
            return Err(wrong("cloud.interface", "must be public, internal or admin"));
        }
        within("cloud.calls_per_second", self.cloud.calls_per_second, 1, 100_000)?;
        within("cloud.calls_per_second_per_project", self.cloud.calls_per_second_per_project, 1, 100_000)?;
        if self.nodes.endpoint.scheme() != "https" {
            return Err(wrong("nodes.endpoint", "must be an https URL: nodes fetch secrets from it"));
        }
        if self.gate_url.as_ref().is_some_and(|u| u.scheme() != "https") {
            return Err(wrong("gate_url", "must be an https URL: kubectl sends no token over plain http"));
        }
        if self.tls_address() == self.listen {
            return Err(wrong("tls_listen", "must differ from listen"));
        }
        if self.metrics.listen.is_some_and(|at| at == self.listen || at == self.tls_address()) {
            return Err(wrong("metrics.listen", "must differ from listen and tls_listen: people reach those"));
        }
        if let Some(keys) = &self.keys {
            if self.vault.is_none() {
                KeyRing::parse(keys).map_err(|e| wrong("keys", e.to_string()))?;
            }
            if self.keys_file.is_some() {
                return Err(wrong("keys", "must not be there together with keys_file"));
            }
        }
        if let Some(vault) = &self.vault {
            vault.check()?;
        }
        if self.proxies.trusted.iter().any(|range| range.prefix_len() == 0) {
            return Err(wrong("proxies.trusted", "must not be everybody"));
        }
        self.federation.check()?;
        within("engine.workers", self.engine.workers, 0, 256)?;
        self.private_route()?;
        within("engine.lease_seconds", self.engine.lease_seconds, 30, 600)?;
        within("engine.sweep_minutes", self.engine.sweep_minutes, 1, 1440)?;
        if let Some(found) = self.installation().wrong().into_iter().next() {
            return Err(wrong(&found.field, found.message));
        }
        within("limits.sign_ins_per_minute", self.limits.sign_ins_per_minute, 2, 1_000_000)?;
        within("limits.failed_sign_ins_per_person", self.limits.failed_sign_ins_per_person, 1, 1_000)?;
        within("limits.streams_per_person", self.limits.streams_per_person, 1, 100_000)?;
        within("limits.streams_per_cluster", self.limits.streams_per_cluster, 1, 100_000)?;
        within("limits.stream_idle_minutes", self.limits.stream_idle_minutes, 1, 1440)?;
        within("limits.stream_hours", self.limits.stream_hours, 1, 168)?;
        within("limits.gate_requests_per_minute", self.limits.gate_requests_per_minute, 0, 1_000_000)?;
        within("limits.requests_per_minute", self.limits.requests_per_minute, 10, 1_000_000)
    }
}

fn within<T: PartialOrd + std::fmt::Display>(key: &str, value: T, least: T, most: T) -> Result<(), ConfigError> {
    if value < least || value > most { Err(wrong(key, format!("must be {least} to {most}"))) } else { Ok(()) }
}

fn read(path: &Path) -> Result<Value, ConfigError> {
    let file_error = |message: String| ConfigError::File { path: path.display().to_string(), message };
    let text = std::fs::read_to_string(path).map_err(|e| file_error(e.to_string()))?;
    match serde_yaml_ng::from_str::<Value>(&text).map_err(|e| file_error(e.to_string()))? {
        Value::Null => Ok(Value::Mapping(Mapping::new())),
        tree @ Value::Mapping(_) => Ok(tree),
        _ => Err(file_error("must be a mapping of keys".to_owned())),
    }
}

/// Keys that the environment may set: `KCS_LISTEN` for `listen`, `KCS_DATABASE__URL` for `database.url`.
const SECTIONS: [&str; 12] =
    ["proxies", "database", "cloud", "nodes", "access", "federation", "engine", "limits", "audit", "log", "metrics", "vault"];
const TOP: [&str; 8] = ["listen", "tls_listen", "public_url", "gate_url", "state_dir", "keys_file", "keys", "direct_access"];

fn lay_over(tree: &mut Value, name: &str, value: &str) -> Result<(), ConfigError> {
    let Some(rest) = name.strip_prefix("KCS_") else { return Ok(()) };
    let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
    let known = match path.as_slice() {
        [one] => TOP.contains(&one.as_str()),
        [section, ..] => SECTIONS.contains(&section.as_str()),
        [] => false,
    };
    if !known {
        return Ok(());
    }
    let parsed = serde_yaml_ng::from_str::<Value>(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    // A password of digits stays text; numbers and lists become what they look like.
    let keep_text = matches!(
        path.last().map(String::as_str),
        Some("password" | "url" | "user_name" | "project" | "region" | "forward_authorization" | "keys" | "token")
    );
    let mut at = tree;
    for key in &path {
        if !at.is_mapping() {
            *at = Value::Mapping(Mapping::new());
        }
        let Some(mapping) = at.as_mapping_mut() else { return Err(wrong(name, "does not name a key")) };
        at = mapping.entry(Value::String(key.clone())).or_insert(Value::Null);
    }
    *at = if keep_text { Value::String(value.to_owned()) } else { parsed };
    Ok(())
}

/// The dotted key an error of serde's is about: a missing or unknown one is only named in the message.
fn key_of(path: &str, message: &str) -> String {
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| message.strip_prefix(start)).and_then(|rest| rest.split('`').next());
    match named {
        Some(name) if path == "." => name.to_owned(),
        Some(name) if !path.ends_with(name) => format!("{path}.{name}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
