//! `kcs dev`: everything on this machine. A private Postgres, the local cloud (or one of clouds.yaml), and the same code as `kcs serve`.

use crate::config::{Config, TLS_PORT_OFFSET};
use crate::listeners::Listen;
use crate::local::Nodes;
use crate::progress::{line, step};
use crate::{clouds_yaml, dev_config, local, serve, shutdown, telemetry};
use std::error::Error;
use std::fs::{File, TryLockError};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// How it may be started.
#[derive(clap::Args)]
pub struct Options {
    /// Console and API; kubectl and nodes use TLS on this port + 363
    #[arg(long, env = "KCS_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where everything is kept
    #[arg(long, env = "KCS_STATE_DIR", default_value = ".kcs")]
    state_dir: PathBuf,
    /// `local`, or an entry of clouds.yaml
    #[arg(long, default_value = "local")]
    cloud: String,
    /// What stands behind the servers of the local cloud
    #[arg(long, value_enum, default_value = "simulated")]
    nodes: Nodes,
    /// With --cloud: the address of this machine that nodes reach; TLS listens there. Default: the one that leads to the cloud
    #[arg(long)]
    node_address: Option<IpAddr>,
    /// Forget clusters, accounts and keys first
    #[arg(long)]
    reset: bool,
    /// With --reset: do not start afterwards
    #[arg(long, requires = "reset", hide = true)]
    only: bool,
    /// Of the demo accounts; random and kept where it is not set
    #[arg(long, env = "KCS_DEV_PASSWORD", hide = true, hide_env_values = true)]
    password: Option<String>,
}

/// Runs it until a signal.
///
/// # Errors
/// What kept it from starting.
pub async fn dev(options: Options) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(&options.state_dir).map_err(|e| format!("{}: {e}", options.state_dir.display()))?;
    let state_dir = options.state_dir.canonicalize()?;
    let lock = only_one(&state_dir)?;
    if options.reset {
        reset(&state_dir).await?;
        if options.only {
            line("Everything is forgotten.");
            return Ok(());
        }
    }
    if options.nodes == Nodes::Full && options.cloud != "local" {
        return Err("--nodes full is for the local cloud: the nodes of others are whatever that cloud makes".into());
    }
    local::check(options.nodes, &state_dir)?;
    telemetry::dev_log(&state_dir.join("kcs.log"))?;
    let token = shutdown::on_signal()?;
    let tls = SocketAddr::new(tls_address(&options)?, options.listen.port().checked_add(TLS_PORT_OFFSET).ok_or("the port is too high")?);
    let sockets = Listen::bind(options.listen, tls)?;
    line("Kubernetes Container Service");
    let database = step("starting Postgres", store::embedded::start(&state_dir.join("postgres"))).await?;
    let outcome = with_database(&options, &state_dir, &database, sockets, token).await;
    let stopped = step("stopping Postgres", database.stop()).await;
    drop(lock);
    outcome.and(Ok(stopped?))
}

async fn with_database(
    options: &Options,
    state_dir: &Path,
    database: &store::embedded::Postgres,
    sockets: (std::net::TcpListener, std::net::TcpListener),
    token: tokio_util::sync::CancellationToken,
) -> Result<(), Box<dyn Error>> {
    let password = dev_config::password(state_dir, options.password.as_deref())?;
    let (http, tls) = (sockets.0.local_addr()?, sockets.1.local_addr()?);
    let local = match options.cloud.as_str() {
        "local" => Some(step("starting the local cloud", local::start(state_dir, &password, tls.port(), options.nodes)).await?),
        _ => None,
    };
    let cloud = match &local {
        Some(local) => dev_config::local_cloud(&local.auth_url, &password),
        None => clouds_yaml::entry(&options.cloud)?,
    };
    let seen_from_nodes = if local.is_some() { dev_config::SEEN_FROM_NODES } else { tls.ip() };
    let mut tree = dev_config::tree(http, tls, seen_from_nodes, state_dir, &database.url(), cloud)?;
    if let Some(local) = &local {
        local.trust_console(http);
        dev_config::with_provider(&mut tree)?;
        dev_config::with_local_addresses(&mut tree)?;
    }
    if options.nodes == Nodes::Full {
        dev_config::without_storage(&mut tree);
    }
    Config::lay_sections_over(&mut tree, std::env::vars())?;
    dev_config::write_down(state_dir, &tree)?;
    let config = Config::from_value(tree)?;
    let store_options = serve::store_options(&config)?;
    step("bringing the schema up to date", store::Store::migrate(&store_options)).await?;
    dev_config::facts(state_dir, http, local.as_ref().map(|l| l.base_url.as_str()))?;
    let simulated = local.is_some() && options.nodes == Nodes::Simulated;
    let seed = local.as_ref().and_then(local::Local::passcode_seed);
    let told = || dev_config::banner(http, local.is_some().then_some((password.as_str(), seed.as_deref(), options.nodes)));
    let outcome = serve::run(config, store_options, sockets, simulated, token, told).await;
    if let Some(local) = local {
        step("stopping the local cloud", local.stop()).await;
    }
    outcome
}

/// Where TLS listens. Guests of the local cloud are led to the loopback; nodes of a real one must reach the address itself.
fn tls_address(options: &Options) -> Result<IpAddr, Box<dyn Error>> {
    match options.node_address {
        Some(address) => Ok(address),
        None if options.cloud == "local" || std::env::var_os(dev_config::NODES_ENDPOINT).is_some() => Ok(options.listen.ip()),
        None => clouds_yaml::way_to(&options.cloud),
    }
}

/// Two of them on one state directory would fight over it.
fn only_one(state_dir: &Path) -> Result<File, Box<dyn Error>> {
    let file = File::options().create(true).write(true).truncate(false).open(state_dir.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!("another `kcs dev` runs on {}", state_dir.display()).into()),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

async fn reset(state_dir: &Path) -> Result<(), Box<dyn Error>> {
    // After a kill -9 it may still run.
    store::embedded::stop_left_over(&state_dir.join("postgres")).await?;
    // And full guests may still be going down.
    if let Ok(reaping) = File::open(state_dir.join("guests/full/.lock")) {
        reaping.lock()?;
    }
    for entry in std::fs::read_dir(state_dir)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "lock") {
            continue;
        }
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}
