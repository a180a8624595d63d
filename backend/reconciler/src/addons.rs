//! Add-ons of a cluster: looks at them, and applies their objects when something is missing, changed by somebody, or to be different.
//!
//! A look at a quiet cluster is a handful of small lists once a minute; the objects are only sent when a look finds a difference.

use crate::journal::JournalError;
use crate::kubernetes::{KubernetesError, Marks, Target, WorkloadSeen};
use crate::rows::{cloud_id, part_id};
use crate::world::World;
use bootstrap::addons::{AddonsInput, CloudConfig, DNS_WORKLOAD, LABEL, SET, VolumeType, addons, default_class, isolated};
use cloud::identity::ApplicationCredential;
use domain::addons::Addon;
use domain::changes::Work;
use domain::ids::ClusterId;
use domain::plan::{AddonsView, WorkloadView};
use ipnet::Ipv4Net;
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a quiet cluster's add-ons are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// Volume types come and go rarely: the set is made anew after this.
const RENEW: Duration = Duration::from_secs(3600);
/// Reading or writing all of it may take this long; what is left is done in the next pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the cloud controller asks for where nothing is said, whatever the cloud's default is.
const AMPHORA: &str = "amphora";

/// What an operator sets for the add-ons of all clusters.
#[derive(Clone, Debug, Default)]
pub struct AddonSettings {
    /// In place of the hosts of public registries.
    pub registry: Option<String>,
    /// Keystone, as nodes reach it.
    pub auth_url: String,
    pub region: Option<String>,
    /// The authority of the cloud's certificates, if it is no public one.
    pub ca_pem: Option<String>,
    pub load_balancer_provider: Option<String>,
}

/// What is known of the add-ons of each cluster. May be forgotten: then all is applied once more.
#[derive(Default)]
pub struct AddonMemory(Mutex<HashMap<ClusterId, Known>>);

#[derive(Clone, Default)]
struct Known {
    applied: Option<Applied>,
    refused: Option<String>,
    look: Option<(Instant, AddonsView)>,
}

#[derive(Clone)]
struct Applied {
    fingerprint: u64,
    at: Instant,
    /// Kinds there are objects of, and how each object was after it was applied.
    kinds: BTreeSet<String>,
    marks: Marks,
    apart: Apart,
    checked: Instant,
}

/// What the policies of namespaces that are kept apart are made from.
#[derive(Clone, Default, PartialEq)]
struct Apart {
    namespaces: Vec<String>,
    pod_ranges: BTreeSet<Ipv4Net>,
}

impl AddonMemory {
    fn get(&self, cluster: ClusterId) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&cluster).cloned().unwrap_or_default()
    }

    fn set(&self, cluster: ClusterId, change: impl FnOnce(&mut Known)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(cluster).or_default());
    }

    pub fn forget(&self, cluster: ClusterId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&cluster);
    }
}

impl World<'_> {
    /// None: this cluster has no add-ons of ours, or does not answer about them.
    pub async fn look_at_addons(&self, work: &Work, target: &Target) -> Result<Option<AddonsView>, JournalError> {
        if work.cluster.spec.addons.wanted().is_empty() {
            return Ok(None);
        }
        let cluster = work.cluster.id;
        let memory = &self.services.memory.addons;
        let known = memory.get(cluster);
        let fingerprint = self.fingerprint(work).await?;
        let applied = known.applied.filter(|a| a.fingerprint == fingerprint && a.at.elapsed() < RENEW);
        if let (Some(_), Some((at, view))) = (&applied, &known.look)
            && at.elapsed() < LOOK
            && view.applied
            && view.workloads.iter().all(|w| w.current && w.desired > 0 && w.ready >= w.desired)
        {
            return Ok(Some(view.clone()));
        }
        let look = async {
            let workloads = self.services.kubernetes.workloads(target, LABEL, Addon::Dns.as_str()).await?;
            let untouched = match applied {
                None => false,
                Some(applied) if applied.checked.elapsed() < LOOK => true,
                Some(applied) => self.untouched(work, target, &applied).await?,
            };
            Ok::<_, KubernetesError>((workloads, untouched))
        };
        let Ok(Ok((workloads, untouched))) = tokio::time::timeout(PATIENCE, look).await else { return Ok(None) };
        let view = AddonsView { applied: untouched, refused: known.refused, workloads: workloads.into_iter().filter_map(workload).collect() };
        memory.set(cluster, |known| {
            known.look = Some((Instant::now(), view.clone()));
            if let Some(applied) = known.applied.as_mut().filter(|a| untouched && a.checked.elapsed() >= LOOK) {
                applied.checked = Instant::now();
            }
        });
        Ok(Some(view))
    }

    /// Whether everything is as it was after it was applied.
    async fn untouched(&self, work: &Work, target: &Target, applied: &Applied) -> Result<bool, KubernetesError> {
        let api = &self.services.kubernetes;
        if work.cluster.spec.addons.isolate_namespaces && self.apart(target).await? != applied.apart {
            return Ok(false);
        }
        let seen = api.marks(target, &applied.kinds, LABEL).await?;
        let changed: Vec<&String> = applied.marks.iter().filter(|(key, mark)| seen.get(*key) != Some(*mark)).map(|(key, _)| key).collect();
        if !changed.is_empty() {
            tracing::info!(cluster = %work.cluster.id, ?changed, "add-ons were changed in the cluster");
        }
        Ok(changed.is_empty())
    }

    async fn apart(&self, target: &Target) -> Result<Apart, KubernetesError> {
        let mut namespaces = self.services.kubernetes.namespaces(target).await?;
        namespaces.retain(|n| isolated(n));
        namespaces.sort();
        Ok(Apart { namespaces, pod_ranges: self.services.kubernetes.pod_ranges(target).await? })
    }

    /// What the set is made of, as far as it is known without asking.
    async fn fingerprint(&self, work: &Work) -> Result<u64, JournalError> {
        let mut hasher = DefaultHasher::new();
        let spec = &work.cluster.spec;
        let credential = self.stored_credential().await?.map(|c| c.id);
        let settings = &self.services.addons;
        let wishes = format!("{:?}{:?}{:?}{:?}{:?}", spec.addons, spec.version, spec.network, spec.api.provider, settings);
        (SET, wishes, credential, part_id(work, "subnet"), vip(work)).hash(&mut hasher);
        Ok(hasher.finish())
    }

    /// Applies the whole set, one add-on after the other.
    pub async fn apply_addons(&self, work: &Work, target: &Target) -> Result<(), JournalError> {
        let fingerprint = self.fingerprint(work).await?;
        let credential = self.stored_credential().await?;
        let outcome = tokio::time::timeout(PATIENCE, self.apply_set(work, target, fingerprint, credential)).await;
        let refused = match outcome {
            Ok(Ok(applied)) => {
                self.services.memory.addons.set(work.cluster.id, |known| *known = Known { applied: Some(applied), refused: None, look: None });
                return Ok(());
            }
            Ok(Err(why)) => why,
            Err(_) => format!("applying the add-ons takes longer than {} s", PATIENCE.as_secs()),
        };
        tracing::warn!(cluster = %work.cluster.id, refused, "the add-ons could not be applied");
        self.services.memory.addons.set(work.cluster.id, |known| known.refused = Some(refused));
        Ok(())
    }

    async fn apply_set(&self, work: &Work, target: &Target, fingerprint: u64, credential: Option<ApplicationCredential>) -> Result<Applied, String> {
        let spec = &work.cluster.spec;
        let words = |e: KubernetesError| e.to_string();
        let (Some(vip), Some(subnet)) = (vip(work), part_id(work, "subnet")) else { return Err("the cluster's network is not known".to_owned()) };
        let apart = if spec.addons.isolate_namespaces { self.apart(target).await.map_err(words)? } else { Apart::default() };
        let volume_types = if spec.addons.storage { self.volume_types(work).await? } else { Vec::new() };
        let settings = &self.services.addons;
        let provider = self.service_provider(work).await?;
        let cloud = credential.as_ref().map(|credential| CloudConfig {
            auth_url: &settings.auth_url,
            region: settings.region.as_deref(),
            ca_pem: settings.ca_pem.as_deref(),
            credential_id: &credential.id,
            credential_secret: &credential.secret,
            external_network: &spec.network.external_network,
            subnet,
            load_balancer_provider: provider.as_deref(),
        });
        let input = AddonsInput {
            cluster: work.cluster.id,
            addons: &spec.addons,
            kubernetes: &spec.version,
            pod_cidr: spec.network.pod_cidr,
            service_cidr: spec.network.service_cidr,
            api_vip: vip,
            registry: settings.registry.as_deref(),
            cloud,
            volume_types: &volume_types,
            namespaces: &apart.namespaces,
            pod_ranges: &apart.pod_ranges,
            dns_pods: self.dns_pods(target).await.map_err(words)?,
        };
        let objects = addons(&input).map_err(|e| e.to_string())?;
        for group in objects.chunk_by(|a, b| a.addon == b.addon) {
            let values: Vec<&Value> = group.iter().map(|o| &o.value).collect();
            self.services.kubernetes.apply(target, &values).await.map_err(words)?;
        }
        if let Some(class) = default_class(&volume_types) {
            self.services.kubernetes.choose_default_class(target, &class).await.map_err(words)?;
        }
        let kinds: BTreeSet<String> = objects.iter().filter_map(|o| o.value["kind"].as_str().map(str::to_owned)).collect();
        let ours: BTreeSet<String> = objects.iter().map(|o| kube_access::engine::key_of(&o.value)).collect();
        let mut marks = self.services.kubernetes.marks(target, &kinds, LABEL).await.map_err(words)?;
        marks.retain(|key, _| ours.contains(key));
        let now = Instant::now();
        Ok(Applied { fingerprint, at: now, kinds, marks, apart, checked: now })
    }

    /// Pods that somebody, or an autoscaler in the cluster, has given CoreDNS.
    async fn dns_pods(&self, target: &Target) -> Result<u32, KubernetesError> {
        let workloads = self.services.kubernetes.workloads(target, LABEL, Addon::Dns.as_str()).await?;
        let dns = workloads.into_iter().find(|w| w.addon == Addon::Dns.as_str() && w.name == DNS_WORKLOAD);
        Ok(dns.map_or(0, |w| w.desired))
    }

    /// What stands behind load balancers of Services: what is named, else what the cloud has put behind the cluster's own.
    async fn service_provider(&self, work: &Work) -> Result<Option<String>, String> {
        let named = work.cluster.spec.api.provider.as_ref().or(self.services.addons.load_balancer_provider.as_ref());
        let balancer = cloud_id(work, "load_balancer").filter(|_| work.cluster.spec.addons.use_the_cloud());
        let (None, Some(id)) = (named, balancer) else { return Ok(named.cloned()) };
        let cloud = self.cloud(work.cluster.id).await.map_err(|e| e.to_string())?.ok_or("the cluster has no cloud credential")?;
        let Some(service) = &cloud.load_balancers else { return Ok(None) };
        let seen = service.load_balancer(id).await.map_err(|e| e.to_string())?.provider;
        Ok(Some(seen).filter(|provider| !provider.is_empty() && provider != AMPHORA))
    }

    async fn volume_types(&self, work: &Work) -> Result<Vec<VolumeType>, String> {
        let cloud = self.cloud(work.cluster.id).await.map_err(|e| e.to_string())?.ok_or("the cluster has no cloud credential")?;
        let mut types = cloud.volumes.volume_types().await.map_err(|e| e.to_string())?;
        types.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(types.into_iter().map(|t| VolumeType { name: t.name, default: t.default }).collect())
    }
}

fn vip(work: &Work) -> Option<Ipv4Addr> {
    work.live("load_balancer")?.address.as_deref()?.parse().ok()
}

fn workload(seen: WorkloadSeen) -> Option<WorkloadView> {
    let addon = Addon::parse(&seen.addon)?;
    Some(WorkloadView { addon, name: seen.name, ready: seen.ready, desired: seen.desired, current: seen.current })
}
