//! `kcs serve`, and what `kcs dev` has in common with it: all but the wiring.

use crate::audit::Messenger;
use crate::audit_anchor::Anchor;
use crate::config::Config;
use crate::health::Parts;
use crate::listeners::{self, Listen};
use crate::{audit, keys, shutdown, surroundings, telemetry};
use actix_web::web::Data;
use api::in_force::{Current, InForce};
use api::state::{Settings, State};
use api::streams::StreamLimits;
use cloud_openstack::{Interface, Limits, Manners, OpenStack, ReqwestTransport};
use kube_access::{Destinations, KubeAccess};
use reconciler::Deps;
use reconciler::addons::AddonSettings;
use reconciler::in_cluster::InCluster;
use reconciler::memory::Memory;
use reconciler::world::Services;
use sealed::{Gate, KeyRing};
use secrecy::ExposeSecret;
use std::error::Error;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::{Store, StoreOptions};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The runtime with many threads, where the engine works; the listeners' workers have one each.
pub static ENGINE_RUNTIME: OnceLock<tokio::runtime::Handle> = OnceLock::new();

/// How often the limits forget whom nothing was heard of, and the times of calls, which are kept one by one until then, are put together.
const FORGET: Duration = Duration::from_secs(300);

/// Connections to the database that a thread which serves requests has of its own at most for questions at the gate, and for lines of the audit log: both are short.
const MOST_NEAR: u32 = 2;

/// `kcs serve`: until a signal.
///
/// # Errors
/// What kept it from starting.
pub async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let sockets = Listen::bind(config.listen, config.tls_address())?;
    let options = store_options(&config)?;
    Store::migrate(&options).await?;
    let token = shutdown::on_signal()?;
    tracing::info!(listen = %config.listen, tls = %config.tls_address(), "serving");
    run(config, options, sockets, false, token, || ()).await
}

/// `kcs migrate`.
///
/// # Errors
/// When the database does not answer or a step fails.
pub async fn migrate(config: Config) -> Result<(), Box<dyn Error>> {
    Store::migrate(&store_options(&config)?).await?;
    tracing::info!("the schema is up to date");
    Ok(())
}

/// How to reach the database.
///
/// # Errors
/// When the URL is none.
pub fn store_options(config: &Config) -> Result<StoreOptions, Box<dyn Error>> {
    let mut options = StoreOptions::from_url(config.database.url.expose_secret()).map_err(|e| format!("database.url: {e}"))?;
    let half = config.database.connections.div_ceil(2);
    options.api_connections = half;
    options.engine_connections = half;
    options.near_connections = (half / u32::try_from(listeners::workers())?).clamp(1, MOST_NEAR);
    Ok(options)
}

/// Serves until `token` is cancelled, then ends in order: no new requests, passes of the engine to their end, connections closed.
///
/// # Errors
/// What kept it from starting, or ended it.
pub async fn run(
    config: Config,
    options: StoreOptions,
    sockets: (TcpListener, TcpListener),
    demo: bool,
    token: CancellationToken,
    ready: impl FnOnce(),
) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(&config.state_dir).map_err(|e| format!("state_dir: {}: {e}", config.state_dir.display()))?;
    let figures_at = config.metrics.listen.map(listeners::take).transpose().map_err(|e| format!("metrics.listen: {e}"))?;
    let figures = telemetry::metrics()?;
    let keys = Arc::new(keys::ring_or_new(&config).await?);
    let store = Store::connect(&options, keys.clone()).await?;
    keys::check(&store).await?;
    let gate = Gate::load_or_create(&config.state_dir, OffsetDateTime::now_utc()).map_err(|e| format!("state_dir: {e}"))?;
    let manners = manners(&config);
    let cloud = openstack(&config, manners.clone())?;
    let settings = settings(&config, &gate, demo);
    let health = Arc::new(Parts::new(store.clone(), cloud.clone(), manners.clone(), figures.clone()));
    let in_force = InForce::new(config.configured(), Box::new(Messenger::new()?));
    in_force.look(&store).await?;
    let destinations = Destinations::new(config.engine.api_cidrs_allowed.clone(), config.engine.api_cidrs_denied.clone());
    let kube = kube_access(&config, destinations.clone())?;
    let services = services(&config, manners.clone(), destinations.clone(), &gate, in_force.clone())?;
    actix_web::rt::spawn(surroundings::keep_away(destinations, manners.hosts(), stands_on(&config, &options), token.clone()));
    let state = Data::new(State::new(store.clone(), Arc::new(cloud), keys.clone(), kube, settings, in_force.clone(), health.clone()));
    let engine = start_engine(&config, services, &options, &keys, health.clone(), in_force.watch(), token.clone()).await?;
    let (names, addresses) = reached_by(&config);
    let server = listeners::start(Listen { http: sockets.0, tls: sockets.1, figures: figures_at, names, addresses }, &gate, &state)?;
    let handle = server.handle();
    let mut serving = actix_web::rt::spawn(server);
    let followed = state.clone();
    actix_web::rt::spawn(async move { followed.in_force.follow(&followed.store, &followed.stopping).await });
    let limits = state.clone();
    actix_web::rt::spawn(async move {
        while !limits.stopping.is_cancelled() {
            tokio::time::sleep(FORGET).await;
            limits.limiter.tidy();
            // Whoever asks for figures does so, too, but nobody has to.
            figures.run_upkeep();
        }
    });
    ready();
    let outcome = tokio::select! {
        () = token.cancelled() => Ok(()),
        ended = &mut serving => ended?.map_err(Box::<dyn Error>::from),
    };
    token.cancel();
    state.shut_down();
    handle.stop(true).await;
    drop(engine.await);
    store.close().await;
    outcome
}

/// What the engine works with.
fn services(
    config: &Config,
    manners: Arc<Manners>,
    destinations: Destinations,
    gate: &Gate,
    in_force: Arc<InForce>,
) -> Result<Services, Box<dyn Error>> {
    Ok(Services {
        identity: Arc::new(openstack(config, manners)?),
        kubernetes: Arc::new(InCluster::new(kube_access(config, destinations)?)),
        versions: Arc::new(move || in_force.now().installation.versions.clone()),
        node_endpoint: config.nodes.endpoint.to_string().trim_end_matches('/').to_owned(),
        gate_ca_pem: gate.ca_pem().to_owned(),
        egress: config.engine.egress_cidrs.clone(),
        parallel: 8,
        addons: addon_settings(config)?,
        memory: Memory::default(),
    })
}

/// Starts the engine on threads of its own, with connections of its own: they belong to the runtime that opened them.
async fn start_engine(
    config: &Config,
    services: Services,
    options: &StoreOptions,
    keys: &Arc<KeyRing>,
    health: Arc<Parts>,
    in_force: watch::Receiver<Arc<Current>>,
    token: CancellationToken,
) -> Result<JoinHandle<()>, Box<dyn Error>> {
    let (workers, lease) = (config.engine.workers, Duration::from_secs(config.engine.lease_seconds.into()));
    let sweep_every = Duration::from_secs(60 * u64::from(config.engine.sweep_minutes));
    let name = keys::process_name(config);
    let (options, ring, anchor) = (options.clone(), keys.clone(), Anchor::in_dir(&config.state_dir));
    let runtime = ENGINE_RUNTIME.get().ok_or("the engine has no threads")?;
    let store = runtime.spawn(async move { Store::connect(&options, ring).await }).await??;
    Ok(runtime.spawn(async move {
        // Without workers here, other processes have the engine.
        health.engine_runs(true);
        let keepers = async {
            tokio::join!(audit::keep(store.clone(), in_force, anchor, token.clone()), keys::keep(store.clone(), name, token.clone()));
        };
        if workers > 0 {
            let deps = Arc::new(Deps { services, store: store.clone(), workers, lease });
            let engine = reconciler::run(deps.clone(), token.clone());
            tokio::join!(engine, reconciler::sweep::run(deps, sweep_every, token.clone()), keepers);
        } else {
            keepers.await;
        }
        health.engine_runs(false);
        store.close().await;
    }))
}

/// What the add-ons of clusters are told of the cloud and of registries.
fn addon_settings(config: &Config) -> Result<AddonSettings, Box<dyn Error>> {
    let cloud = &config.cloud;
    let ca_pem = cloud.ca_file.as_ref().map(std::fs::read_to_string).transpose().map_err(|e| format!("cloud.ca_file: {e}"))?;
    Ok(AddonSettings {
        registry: config.nodes.registry.clone(),
        auth_url: config.nodes.cloud_auth_url.as_ref().unwrap_or(&cloud.auth_url).to_string(),
        region: cloud.region.clone(),
        ca_pem,
        load_balancer_provider: cloud.load_balancer_provider.clone(),
    })
}

/// The hosts of what KCS needs besides the services that the cloud's catalogue names.
fn stands_on(config: &Config, options: &StoreOptions) -> Vec<String> {
    let keystone = config.cloud.auth_url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned());
    // Postgres may be reached by a file.
    let database = Some(options.connect.get_host()).filter(|host| !host.starts_with('/')).map(str::to_owned);
    keystone.into_iter().chain(database).collect()
}

fn kube_access(config: &Config, destinations: Destinations) -> Result<KubeAccess, Box<dyn Error>> {
    Ok(KubeAccess::new().with_private_route(config.private_route()?.unwrap_or_default()).with_destinations(destinations))
}

/// Requests and the engine have connections of their own, and one behaviour towards the cloud.
pub(crate) fn manners(config: &Config) -> Arc<Manners> {
    let limits = Limits {
        calls_per_second: Some(config.cloud.calls_per_second),
        calls_per_second_per_project: Some(config.cloud.calls_per_second_per_project),
        ..Limits::default()
    };
    Manners::new(limits)
}

pub(crate) fn openstack(config: &Config, manners: Arc<Manners>) -> Result<OpenStack, Box<dyn Error>> {
    let cloud = &config.cloud;
    let transport = ReqwestTransport::new(cloud.ca_file.as_deref()).map_err(|e| format!("cloud.ca_file: {e}"))?;
    let settings = cloud_openstack::Config {
        auth_url: cloud.auth_url.clone(),
        region: cloud.region.clone(),
        interface: match cloud.interface.as_str() {
            "internal" => Interface::Internal,
            "admin" => Interface::Admin,
            _ => Interface::Public,
        },
        service_username: cloud.user_name.clone(),
        service_password: cloud.password.clone(),
        service_project: cloud.project.clone(),
        service_domain: cloud.domain.clone(),
        tenant_domain: cloud.tenant_domain.clone(),
        load_balancer_provider: cloud.load_balancer_provider.clone(),
    };
    Ok(OpenStack::with_manners(settings, Arc::new(transport), manners))
}

fn settings(config: &Config, gate: &Gate, demo: bool) -> Settings {
    let origin = config.public_url.as_ref().map(|url| url.origin().ascii_serialization());
    Settings {
        roles: config.access.clone(),
        federation: config.federation.providers(&config.cloud.auth_url),
        registry: config.nodes.registry.clone(),
        load_balancer_provider: config.cloud.load_balancer_provider.clone(),
        private_route: config.engine.private_api_route.is_some(),
        requests_per_minute: config.limits.requests_per_minute,
        gate_requests_per_minute: config.limits.gate_requests_per_minute,
        sign_ins_per_minute: config.limits.sign_ins_per_minute,
        failed_sign_ins_per_person: config.limits.failed_sign_ins_per_person,
        streams: StreamLimits {
            of_person: config.limits.streams_per_person,
            into_cluster: config.limits.streams_per_cluster,
            idle: Duration::from_secs(60 * u64::from(config.limits.stream_idle_minutes)),
            longest: Duration::from_secs(3600 * u64::from(config.limits.stream_hours)),
        },
        direct_access: config.direct_access,
        gate_url: config.gate(),
        gate_ca_pem: gate.ca_pem().to_owned(),
        origins: origin.into_iter().collect(),
        proxies: config.proxies.clone(),
        demo,
    }
}

/// Names and addresses under which the TLS listener is reached: for its certificate.
fn reached_by(config: &Config) -> (Vec<String>, Vec<IpAddr>) {
    let mut names = vec!["localhost".to_owned()];
    let mut addresses = vec![IpAddr::from([127, 0, 0, 1]), config.tls_address().ip()];
    let urls = [Some(&config.nodes.endpoint), config.gate_url.as_ref(), config.public_url.as_ref()];
    for host in urls.into_iter().flatten().filter_map(|url| url.host()) {
        match host {
            url::Host::Domain(name) => names.push(name.to_owned()),
            url::Host::Ipv4(address) => addresses.push(address.into()),
            url::Host::Ipv6(address) => addresses.push(address.into()),
        }
    }
    addresses.retain(|a| !a.is_unspecified());
    names.sort();
    names.dedup();
    addresses.sort();
    addresses.dedup();
    (names, addresses)
}
