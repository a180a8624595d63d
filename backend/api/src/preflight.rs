//! A request for a cluster on its way: template and defaults applied, rules kept, and what the cloud says to it.

use crate::caller::Caller;
use crate::catalogue::Snapshot;
use crate::clusters::{Check, ClusterRequest, QuotaNeed};
use crate::errors::Answer;
use crate::plan::{self, Quotas};
use crate::quota::Tenant;
use crate::state::State;
use cloud::network::{Network, Port, Subnet};
use domain::clusters::{ClusterSpec, ClusterSpecRequest};
use domain::codes::Code;
use domain::needs::{Objects, cluster_objects};
use domain::preflight::{ExistingFact, Facts, offers, settle_groups};
use domain::requests::{Violation, complete, merge, violations};
use domain::settings::{ApiExposure, KeyPair};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A request made complete, with everything known that stands against it.
pub struct Preflight {
    pub spec: ClusterSpec,
    pub catalogue: Arc<Snapshot>,
    pub objects: Objects,
    pub quotas: Quotas,
    tenant: Tenant,
    facts: Facts,
    /// Addresses that the external network has left; None: the cloud does not tell.
    external_left: Option<u64>,
    found: Vec<Check>,
}

/// What a preflight found.
pub struct Checked {
    pub checks: Vec<Check>,
    /// The tenant's in KCS.
    pub limits: Vec<QuotaNeed>,
    /// The project's in the cloud.
    pub quota: Vec<QuotaNeed>,
}

impl Preflight {
    /// Completes a request.
    ///
    /// # Errors
    /// When it breaks a rule, or the cloud does not say what it offers.
    pub async fn of(state: &State, caller: &Caller, request: &ClusterRequest) -> Answer<Self> {
        let base = match &request.template {
            Some(id) => crate::templates::spec_of(state, caller, id).await?,
            None => ClusterSpecRequest::default(),
        };
        let wanted = request.spec.as_ref().map_or_else(|| base.clone(), |spec| merge(&base, spec));
        let catalogue = state.catalogue.of(state, caller).await?;
        let tenant = Tenant::of(state, caller).await?;
        let mut spec = complete(&wanted, &tenant.terms.allowed.of(catalogue.offers(&state.versions())));
        let cloud = caller.cloud(state).await?;
        let mut facts = plan::facts(&catalogue, state, &cloud);
        let mut broken = Vec::new();
        if spec.network.existing.is_some() {
            if wanted.network.node_cidr.is_some() {
                broken.push(own_range());
            }
            facts.existing = Some(existing(&*cloud.network, &mut spec).await?);
        }
        if (spec.api.provider.is_some() || spec.api.exposure == ApiExposure::Restricted)
            && let Some(service) = &cloud.load_balancers
        {
            facts.providers = service.providers().await.ok();
        }
        spec.key_pairs = key_pairs(&cloud, &spec).await?;
        broken.extend(missing_keys(&spec));
        broken.extend(violations(&request.name, &spec, &state.spec_limits()));
        plan::refuse(broken)?;
        let quotas = Quotas::of(state, caller, &catalogue).await?;
        let external_left = match catalogue.networks.iter().find(|n| n.id == spec.network.external_network) {
            Some(external) => cloud.network.addresses_left(&external.id).await?,
            None => None,
        };
        let mut found = state.service_clouds.checks(state, &caller.actor.project.id).await;
        found.extend(settle_groups(&mut spec, quotas.group_members, quotas.left("server_groups")));
        let objects = cluster_objects(&spec);
        Ok(Self { spec, catalogue, objects, quotas, tenant, facts, external_left, found })
    }

    /// The checks about the tenant and about the cloud, and what is needed of the limits of the one and the quotas of the other.
    #[must_use]
    pub fn checks(&self) -> Checked {
        let (limits, short) = self.tenant.limits(None, &self.spec);
        let (quota, found) = self.quotas.check(&self.spec, &self.objects);
        let mut checks = self.tenant.terms.allowed.checks(&self.spec);
        checks.extend(offers(&self.spec, &self.facts));
        checks.extend(short);
        checks.extend(found);
        checks.extend(self.quotas.volume_sizes(&self.spec));
        checks.extend(self.external_left.into_iter().flat_map(|left| self.quotas.external_addresses(&self.spec, &self.objects, left)));
        checks.extend(self.found.iter().cloned());
        Checked { checks, limits, quota }
    }
}

fn own_range() -> Violation {
    let message = "an existing subnet has its own range".to_owned();
    Violation { field: "spec.network.node_cidr".to_owned(), code: Code::InvalidInput, message }
}

/// What there is to know about the network a cluster shall be put into; what is recorded of it goes into the specification.
async fn existing(network: &dyn Network, spec: &mut ClusterSpec) -> Answer<ExistingFact> {
    let Some(wanted) = &mut spec.network.existing else { return Ok(ExistingFact::default()) };
    let (networks, subnets) = tokio::try_join!(network.networks(), network.subnets())?;
    let network_found = networks.iter().any(|n| n.id == wanted.network_id);
    let subnet = subnets.iter().find(|s| s.id == wanted.subnet_id && s.network_id == wanted.network_id).filter(|_| network_found);
    let Some(subnet) = subnet else { return Ok(ExistingFact { network_found, ..ExistingFact::default() }) };
    let Ok(cidr) = subnet.cidr.parse() else { return Ok(ExistingFact { network_found, ..ExistingFact::default() }) };
    spec.network.node_cidr = cidr;
    let ports = network.ports_of(&wanted.network_id).await?;
    let on_subnet = |p: &&Port| p.subnet_ids.contains(&wanted.subnet_id);
    let routers: BTreeSet<&str> =
        ports.iter().filter(on_subnet).filter(|p| p.device_owner.contains("router_interface")).map(|p| p.device_id.as_str()).collect();
    let mut fact = ExistingFact { network_found, cidr: Some(cidr), free_addresses: free_addresses(subnet, &ports), ..ExistingFact::default() };
    for id in routers {
        // A router of somebody else's is not to be seen: nothing is known of it then.
        let (Ok(router), Ok(ports)) = tokio::join!(network.router(id), network.ports_of_device(id)) else { continue };
        let others = ports.iter().flat_map(|p| &p.subnet_ids).filter(|s| **s != wanted.subnet_id);
        let ranges = others.filter_map(|s| subnets.iter().find(|found| found.id == *s)?.cidr.parse::<ipnet::Ipv4Net>().ok());
        fact.neighbours.extend(ranges);
        if router.external_network_id.is_some() {
            fact.external_network = router.external_network_id;
            wanted.router_addresses.extend(router.external_addresses);
        }
    }
    Ok(fact)
}

/// Addresses of a subnet that no port has, as far as its ports are to be seen.
pub(crate) fn free_addresses(subnet: &Subnet, ports: &[Port]) -> u64 {
    let pool: u64 = subnet.pools.iter().map(|(first, last)| u64::from(u32::from(*last).saturating_sub(u32::from(*first))) + 1).sum();
    let on_subnet = ports.iter().filter(|p| p.subnet_ids.contains(&subnet.id));
    let taken = on_subnet.filter_map(|p| p.address.as_ref()?.parse::<std::net::Ipv4Addr>().ok());
    pool.saturating_sub(taken.filter(|ip| subnet.pools.iter().any(|(first, last)| first <= ip && ip <= last)).count() as u64)
}

/// The person's public keys that the specification names.
async fn key_pairs(cloud: &cloud::Cloud, spec: &ClusterSpec) -> Answer<Vec<KeyPair>> {
    let names: Vec<&str> = key_names(spec).into_iter().map(|(_, name)| name).collect();
    own_key_pairs(cloud, &names).await
}

/// Those of these names that the person has.
pub(crate) async fn own_key_pairs(cloud: &cloud::Cloud, names: &[&str]) -> Answer<Vec<KeyPair>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let all = cloud.compute.key_pairs().await?;
    let wanted = all.into_iter().filter(|k| names.contains(&k.name.as_str()));
    Ok(wanted.map(|k| KeyPair { name: k.name, public_key: k.public_key.trim().to_owned() }).collect())
}

fn key_names(spec: &ClusterSpec) -> Vec<(String, &str)> {
    let masters = spec.control_plane.key_pair.as_deref().map(|k| ("spec.control_plane.key_pair".to_owned(), k));
    let pools = spec.node_pools.iter().enumerate();
    let pools = pools.filter_map(|(i, p)| Some((format!("spec.node_pools[{i}].key_pair"), p.key_pair.as_deref()?)));
    masters.into_iter().chain(pools).collect()
}

fn missing_keys(spec: &ClusterSpec) -> Vec<Violation> {
    let missing = key_names(spec).into_iter().filter(|(_, name)| spec.public_key(Some(name)).is_none());
    missing.map(|(field, name)| missing_key(field, name)).collect()
}

pub(crate) fn missing_key(field: String, name: &str) -> Violation {
    Violation { field, code: Code::KeyPairMissing, message: format!("you have no key pair {name:?}") }
}

impl From<&Preflight> for store::QuotaRoom {
    fn from(preflight: &Preflight) -> Self {
        preflight.quotas.room(&preflight.catalogue)
    }
}
