//! Preflight: what the cloud is asked before anything is built, for the decisions in `domain::preflight`.

use crate::caller::Caller;
use crate::catalogue::Snapshot;
use crate::clusters::{Check, CheckLevel, PlannedObject, QuotaNeed};
use crate::errors::{Answer, FieldError, Problem};
use crate::state::State;
use cloud::Cloud;
use cloud::load_balancers::LoadBalancerLimits;
use domain::clusters::ClusterSpec;
use domain::codes::Code;
use domain::needs::{Amounts, Objects, amounts, node_objects, of_volume_type, with_default_type};
use domain::preflight::{
    Allowance, Checks, Facts, FlavorFact, ImageFact, blocked, external_addresses, largest_pool, offers, quota as compare, volume_sizes,
};
use domain::requests::{FlavorSize, Violation};
use serde_json::json;
use std::collections::BTreeMap;

/// Broken rules as a problem.
///
/// # Errors
/// That problem, if there are any.
pub fn refuse(violations: Vec<Violation>) -> Answer<()> {
    if violations.is_empty() {
        return Ok(());
    }
    let own = |code| if code == Code::InvalidInput { None } else { Some(code) };
    Err(Problem::fields(violations.into_iter().map(|v| FieldError { field: v.field, message: v.message, code: own(v.code) }).collect()))
}

/// The first check that stands against it, as a problem.
///
/// # Errors
/// That problem, if there is one.
pub fn refuse_blocked(checks: &[Check]) -> Answer<()> {
    let Some(check) = checks.iter().find(|c| c.level == CheckLevel::Blocked) else { return Ok(()) };
    let mut problem = Problem::new(check.code.unwrap_or(Code::Conflict)).detail(check.message.clone());
    problem.params.clone_from(&check.params);
    Err(match &check.field {
        Some(field) => problem.at(field),
        None => problem,
    })
}

/// Objects as shown.
#[must_use]
pub fn planned(objects: &Objects) -> Vec<PlannedObject> {
    objects.iter().map(|((kind, name), count)| PlannedObject { kind: *kind, name: name.clone(), count: *count }).collect()
}

/// What is known from the catalogue and the configuration.
#[must_use]
pub fn facts(catalogue: &Snapshot, state: &State, cloud: &Cloud) -> Facts {
    let image = |i: &cloud::images::Image| ImageFact {
        name: i.name.clone(),
        status: i.status.clone(),
        min_disk_gib: i.min_disk_gib,
        min_ram_mib: i.min_ram_mib,
        kubernetes_version: i.properties.get(domain::versions::IMAGE_PROPERTY).cloned(),
        progress: i.properties.get(crate::catalogue::PROGRESS_PROPERTY).and_then(|p| p.parse().ok()),
    };
    let flavor = |f: &cloud::compute::Flavor| FlavorFact { name: f.name.clone(), vcpus: f.vcpus, ram_mib: f.ram_mib, disk_gib: f.disk_gib };
    Facts {
        versions: state.versions(),
        images: catalogue.images.iter().map(image).collect(),
        flavors: catalogue.flavors.iter().map(flavor).collect(),
        zones: catalogue.zones.iter().filter(|z| z.available).map(|z| z.name.clone()).collect(),
        volume_types: catalogue.volume_types.iter().map(|v| v.name.clone()).collect(),
        external_networks: catalogue.networks.iter().map(|n| n.id.clone()).collect(),
        providers: None,
        provider: state.settings.load_balancer_provider.clone(),
        load_balancing: cloud.load_balancers.is_some(),
        block_storage: catalogue.block_storage,
        existing: None,
        private_route: state.settings.private_route,
    }
}

/// What the catalogue says about nodes of a cluster that is there: its version may be offered no more.
#[must_use]
pub fn catalogue_checks(spec: &ClusterSpec, catalogue: &Snapshot, state: &State, cloud: &Cloud) -> Vec<Check> {
    let about_nodes = |c: &Check| matches!(c.key.as_str(), "image" | "flavors" | "zones" | "volume_types");
    offers(spec, &facts(catalogue, state, cloud)).into_iter().filter(about_nodes).collect()
}

/// The project's quotas, with what is used of them and what was promised.
pub struct Quotas {
    limits: BTreeMap<String, Allowance>,
    promised: Amounts,
    flavors: Vec<FlavorSize>,
    default_volume_type: Option<String>,
    /// GiB that one volume may have.
    largest_volume: Option<u64>,
    /// Servers that one group takes.
    pub group_members: Option<u64>,
}

impl Quotas {
    /// Asks every service once, all at the same time.
    ///
    /// # Errors
    /// What the cloud or the database answered.
    pub async fn of(state: &State, caller: &Caller, catalogue: &Snapshot) -> Answer<Self> {
        let cloud = caller.cloud(state).await?;
        let project = &caller.actor.project.id;
        let volumes = async { cloud::if_there(cloud.volumes.limits(&project.0).await) };
        let (compute, network, volumes) = tokio::try_join!(cloud.compute.limits(), cloud.network.limits(&project.0), volumes)?;
        let volumes = volumes.unwrap_or_default();
        let balancers = match &cloud.load_balancers {
            Some(service) => service.limits(&project.0).await?,
            None => LoadBalancerLimits::default(),
        };
        let flavors = catalogue.offers(&[]).flavors;
        let default_volume_type = catalogue.volume_types.iter().find(|v| v.default).map(|v| v.name.clone());
        let promised = with_default_type(state.store.promised(project, &flavors).await?, default_volume_type.as_deref());
        let limits = [
            ("instances", compute.instances),
            ("vcpus", compute.vcpus),
            ("ram_mib", compute.ram_mib),
            ("server_groups", compute.server_groups),
            ("volumes", volumes.volumes),
            ("gigabytes", volumes.gigabytes),
            ("networks", network.networks),
            ("subnets", network.subnets),
            ("routers", network.routers),
            ("ports", network.ports),
            ("floating_ips", network.floating_ips),
            ("security_groups", network.security_groups),
            ("security_group_rules", network.security_group_rules),
            ("load_balancers", balancers.load_balancers),
            ("listeners", balancers.listeners),
            ("pools", balancers.pools),
            ("members", balancers.members),
            ("health_monitors", balancers.health_monitors),
        ];
        let limits = limits.map(|(name, limit)| (name.to_owned(), limit)).into_iter().chain(volumes.of_types);
        let limits = limits.map(|(name, limit)| (name, Allowance { used: limit.used, limit: limit.limit })).collect();
        let (largest_volume, group_members) = (volumes.largest_gib, compute.server_group_members);
        Ok(Self { limits, promised, flavors, default_volume_type, largest_volume, group_members })
    }

    /// The same, with the catalogue as it is now.
    ///
    /// # Errors
    /// What the cloud or the database answered.
    pub async fn now(state: &State, caller: &Caller) -> Answer<Self> {
        let catalogue = state.catalogue.of(state, caller).await?;
        Self::of(state, caller, &catalogue).await
    }

    /// What is left of a quota beside what was promised; None: no limit.
    #[must_use]
    pub fn left(&self, quota: &str) -> Option<u64> {
        let allowance = self.limits.get(quota)?;
        Some(allowance.limit?.saturating_sub(allowance.used).saturating_sub(self.promised.get(quota).copied().unwrap_or(0)))
    }

    /// What the quotas say to these objects.
    #[must_use]
    pub fn check(&self, spec: &ClusterSpec, objects: &Objects) -> (Vec<QuotaNeed>, Vec<Check>) {
        let one = node_objects(spec, &largest_pool(spec, &self.flavors), 1);
        compare(&self.amounts(spec, objects), &self.amounts(spec, &one), &self.limits, &self.promised)
    }

    /// What these objects take; of single volume types only where they have a quota.
    fn amounts(&self, spec: &ClusterSpec, objects: &Objects) -> Amounts {
        let mut all = with_default_type(amounts(objects, spec, &self.flavors), self.default_volume_type.as_deref());
        all.retain(|quota, _| !of_volume_type(quota) || self.limits.contains_key(&**quota));
        all
    }

    /// Volumes that are larger than one may be, where the cloud says how large that is.
    #[must_use]
    pub fn volume_sizes(&self, spec: &ClusterSpec) -> Vec<Check> {
        self.largest_volume.map(|most| volume_sizes(spec, most)).unwrap_or_default()
    }

    /// What is to be said of the addresses that these objects take of an external network with so many left.
    #[must_use]
    pub fn external_addresses(&self, spec: &ClusterSpec, objects: &Objects, left: u64) -> Vec<Check> {
        external_addresses(&amounts(objects, spec, &self.flavors), left, &self.promised)
    }

    /// What the cloud leaves, for the transaction that takes from it.
    #[must_use]
    pub fn room(&self, catalogue: &Snapshot) -> store::QuotaRoom {
        let left = self.limits.iter().filter_map(|(name, a)| Some((name.clone(), a.limit?.saturating_sub(a.used)))).collect();
        store::QuotaRoom { flavors: catalogue.offers(&[]).flavors, default_volume_type: self.default_volume_type.clone(), left }
    }
}

/// Refuses what makes a successor of a node that works where the quotas have no room for both: the old one leaves after the new one has joined.
///
/// # Errors
/// When there is no room, or what the cloud answered.
pub async fn refuse_without_room(state: &State, caller: &Caller, spec: &ClusterSpec, pool: &str) -> Answer<()> {
    let (_, found) = Quotas::now(state, caller).await?.check(spec, &node_objects(spec, pool, 1));
    refuse_blocked(&found)
}

/// Whether the name is free.
///
/// # Errors
/// When the database does not answer.
pub async fn name_checks(state: &State, caller: &Caller, name: &str) -> Answer<Vec<Check>> {
    let filter = store::ClusterFilter { search: Some(name.to_owned()), ..Default::default() };
    let page = store::PageRequest { limit: 500, cursor: None };
    let like = state.store.clusters(&caller.actor.scope(), filter, store::ClusterSort::Name, false, page).await?;
    let mut checks = Checks::default();
    let taken = like.items.iter().any(|c| c.cluster.name == name);
    let field = Some("name".to_owned());
    let found = taken.then(|| blocked(Code::NameTaken, format!("there is a cluster {name:?} already"), field, &json!({ "cluster": name })));
    checks.conclude("name", found.into_iter().collect());
    Ok(checks.0)
}

/// What stands against deleting a cluster.
#[must_use]
pub fn deletion_checks(cluster: &domain::clusters::Cluster) -> Vec<Check> {
    let mut checks = Checks::default();
    if cluster.spec.deletion_protection {
        let found = blocked(Code::DeletionProtected, Code::DeletionProtected.title().to_owned(), None, &json!({}));
        checks.conclude("deletion_protection", vec![found]);
    }
    checks.0
}
