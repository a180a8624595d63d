//! What all handlers share.

use crate::admin_health::ServiceHealth;
use crate::bearers::Bearers;
use crate::catalogue::CatalogueCache;
use crate::federation::Provider;
use crate::in_force::InForce;
use crate::keystone_tokens::TokenCache;
use crate::limiter::Limiter;
use crate::operators::Looks;
use crate::peers::Proxies;
use crate::people::People;
use crate::refusals::Refusals;
use crate::service_clouds::ServiceClouds;
use crate::streams::{StreamLimits, Streams};
use crate::targets::Targets;
use auth::RoleNames;
use cloud::identity::Identity;
use domain::costs::Prices;
use domain::requests::SpecLimits;
use domain::templates::Template;
use domain::tenants::Limits;
use domain::versions::CatalogueVersion;
use kube_access::KubeAccess;
use sealed::KeyRing;
use std::sync::Arc;
use store::Store;
use tokio_util::sync::CancellationToken;

/// The operator's choices the API needs, besides those that may be changed while it runs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub roles: RoleNames,
    /// Identity providers that people may sign in with.
    pub federation: Vec<Provider>,
    /// In place of the hosts of public registries for the images of add-ons.
    pub registry: Option<String>,
    /// Octavia's provider where a cluster names none; None: the cloud's default.
    pub load_balancer_provider: Option<String>,
    /// Whether KCS reaches APIs of clusters without a public address.
    pub private_route: bool,
    pub requests_per_minute: u32,
    /// Of a person's through the gate, with kubeconfigs; 0: no limit.
    pub gate_requests_per_minute: u32,
    /// Of people whose browsers are not known; that many sign-ins Keystone is asked for at most, and as many by identity providers, and of tokens. Two or
    /// more: a part is kept for when the rest is used up.
    pub sign_ins_per_minute: u32,
    /// Of those, as many as may fail as one person at once; all of them are forgotten after half an hour.
    pub failed_sign_ins_per_person: u32,
    pub streams: StreamLimits,
    /// Whether projects may open their clusters to certificates past the gate.
    pub direct_access: bool,
    /// Where kubeconfigs point, without a trailing slash.
    pub gate_url: String,
    pub gate_ca_pem: String,
    /// Origins of pages that may change things and open sockets; the request's own host is one always.
    pub origins: Vec<String>,
    /// Who may say for others where they come from.
    pub proxies: Proxies,
    /// Said on the first page: control plane real, containers simulated.
    pub demo: bool,
}

/// The parts of the program that can be ill.
#[async_trait::async_trait]
pub trait Health: Send + Sync {
    /// (part, whether it is well, a sentence, which is for operators only)
    async fn parts(&self) -> Vec<(&'static str, bool, String)>;
    /// How this process last met each of the cloud's services.
    fn services(&self) -> Vec<ServiceHealth>;
    /// Figures in Prometheus' text format.
    fn figures(&self) -> String;
}

/// The API's state; one a process.
pub struct State {
    pub store: Store,
    pub identity: Arc<dyn Identity>,
    pub keys: Arc<KeyRing>,
    pub settings: Settings,
    /// What operators may change while it runs.
    pub in_force: Arc<InForce>,
    pub health: Arc<dyn Health>,
    pub catalogue: CatalogueCache,
    pub limiter: Limiter,
    pub bearers: Bearers,
    pub keystone_tokens: TokenCache,
    pub kube: KubeAccess,
    pub targets: Targets,
    pub service_clouds: ServiceClouds,
    pub people: People,
    pub streams: Streams,
    pub looks: Looks,
    pub refusals: Refusals,
    /// Cancelled when the program stops: streams end.
    pub stopping: CancellationToken,
}

impl State {
    #[must_use]
    pub fn new(
        store: Store,
        identity: Arc<dyn Identity>,
        keys: Arc<KeyRing>,
        kube: KubeAccess,
        settings: Settings,
        in_force: Arc<InForce>,
        health: Arc<dyn Health>,
    ) -> Self {
        Self {
            store,
            identity,
            keys,
            health,
            kube,
            limiter: Limiter::new(&settings),
            streams: Streams::new(settings.streams),
            settings,
            in_force,
            catalogue: CatalogueCache::default(),
            bearers: Bearers::default(),
            keystone_tokens: TokenCache::default(),
            targets: Targets::default(),
            service_clouds: ServiceClouds::default(),
            people: People::default(),
            looks: Looks::default(),
            refusals: Refusals::default(),
            stopping: CancellationToken::new(),
        }
    }

    /// What a project may have whose own limits say nothing else.
    #[must_use]
    pub fn tenant_limits(&self) -> Limits {
        self.in_force.now().installation.of_projects.clone()
    }

    /// The limits of one cluster.
    #[must_use]
    pub fn spec_limits(&self) -> SpecLimits {
        self.in_force.now().installation.spec_limits()
    }

    /// Kubernetes versions that are offered.
    #[must_use]
    pub fn versions(&self) -> Vec<CatalogueVersion> {
        self.in_force.now().installation.versions.clone()
    }

    /// The operator's templates.
    #[must_use]
    pub fn templates(&self) -> Vec<Template> {
        self.in_force.now().installation.templates.clone()
    }

    /// None: costs are shown nowhere.
    #[must_use]
    pub fn prices(&self) -> Option<Prices> {
        self.in_force.now().installation.prices.clone()
    }

    /// Ends all streams.
    pub fn shut_down(&self) {
        self.stopping.cancel();
    }
}
