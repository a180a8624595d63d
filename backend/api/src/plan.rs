//! Preflight: everything that can be known before anything is built, and the quota it needs.

use crate::caller::Caller;
use crate::catalogue::Snapshot;
use crate::clusters::{Check, CheckLevel, PlannedObject, QuotaNeed};
use crate::errors::{Answer, FieldError, Problem};
use crate::state::State;
use cloud::compute::Limit;
use domain::clusters::ClusterSpec;
use domain::codes::Code;
use domain::needs::{Amounts, Objects, amounts};
use domain::requests::{MASTER_MINIMUM, Violation, WORKER_MINIMUM};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

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

struct Checks(Vec<Check>);

impl Checks {
    /// Adds what was found against `key`, or that nothing was.
    fn conclude(&mut self, key: &str, found: Vec<Check>) {
        if found.is_empty() {
            self.0.push(Check {
                key: key.to_owned(),
                level: CheckLevel::Ok,
                code: None,
                message: String::new(),
                params: BTreeMap::new(),
                field: None,
            });
        }
        self.0.extend(found.into_iter().map(|check| Check { key: key.to_owned(), ..check }));
    }
}

/// A check that stands against it; its key comes with the conclusion.
fn blocked(code: Code, message: String, field: Option<String>, params: &serde_json::Value) -> Check {
    let params = params.as_object().map(|o| o.clone().into_iter().collect()).unwrap_or_default();
    Check { key: String::new(), level: CheckLevel::Blocked, code: Some(code), message, params, field }
}

/// What the catalogue says about a specification.
#[must_use]
pub fn catalogue_checks(spec: &ClusterSpec, catalogue: &Snapshot, state: &State) -> Vec<Check> {
    let mut checks = Checks(Vec::new());
    checks.conclude("version", version(spec, state));
    checks.conclude("image", image(spec, catalogue, state));
    checks.conclude("flavors", machines(spec).into_iter().flat_map(|m| flavor(&m, catalogue)).collect());
    checks.conclude("zones", machines(spec).into_iter().flat_map(|m| zones(&m, catalogue)).collect());
    checks.conclude("volume_types", machines(spec).into_iter().flat_map(|m| volume_type(&m, catalogue)).collect());
    let external = &spec.network.external_network;
    let missing = !catalogue.networks.iter().any(|n| n.id == *external);
    let found = missing.then(|| {
        let field = Some("spec.network.external_network".to_owned());
        blocked(Code::ExternalNetworkMissing, format!("there is no external network {external:?}"), field, &json!({ "network": external }))
    });
    checks.conclude("external_network", found.into_iter().collect());
    checks.0
}

/// Whether the cloud has load balancers.
#[must_use]
pub fn load_balancer_check(cloud: &cloud::Cloud) -> Check {
    let mut checks = Checks(Vec::new());
    let missing = cloud.load_balancers.is_none();
    let found = missing.then(|| blocked(Code::NoLoadBalancer, Code::NoLoadBalancer.title().to_owned(), None, &json!({})));
    checks.conclude("load_balancer", found.into_iter().collect());
    checks.0.remove(0)
}

fn version(spec: &ClusterSpec, state: &State) -> Vec<Check> {
    if state.settings.versions.iter().any(|v| v.version == spec.version) {
        return Vec::new();
    }
    let message = format!("{} is not among the versions offered", spec.version);
    vec![blocked(Code::VersionMissing, message, Some("spec.version".to_owned()), &json!({ "version": spec.version }))]
}

fn image(spec: &ClusterSpec, catalogue: &Snapshot, state: &State) -> Vec<Check> {
    let Some(offered) = state.settings.versions.iter().find(|v| v.version == spec.version) else { return Vec::new() };
    let seen = catalogue.version(offered);
    let params = json!({ "v": seen.version, "image": seen.image, "progress": seen.image_progress });
    let field = Some("spec.version".to_owned());
    match seen.image_status.as_str() {
        "active" => Vec::new(),
        "missing" => vec![blocked(Code::ImageMissing, format!("there is no image {}", seen.image), field, &params)],
        status => vec![blocked(Code::ImageNotReady, format!("the image {} is {status}", seen.image), field, &params)],
    }
}

/// The machines of one pool, or of the control plane.
struct Machines<'a> {
    field: String,
    flavor: &'a str,
    volume_type: Option<&'a str>,
    zones: &'a [String],
    minimum: (u32, u32),
}

fn machines(spec: &ClusterSpec) -> Vec<Machines<'_>> {
    let master = &spec.control_plane;
    let mut list = vec![Machines {
        field: "spec.control_plane".to_owned(),
        flavor: &master.flavor,
        volume_type: master.volume_type.as_deref(),
        zones: &master.zones,
        minimum: MASTER_MINIMUM,
    }];
    list.extend(spec.node_pools.iter().enumerate().map(|(index, pool)| Machines {
        field: format!("spec.node_pools[{index}]"),
        flavor: &pool.flavor,
        volume_type: pool.volume_type.as_deref(),
        zones: &pool.zones,
        minimum: WORKER_MINIMUM,
    }));
    list
}

fn flavor(machines: &Machines<'_>, catalogue: &Snapshot) -> Vec<Check> {
    let field = Some(format!("{}.flavor", machines.field));
    let name = machines.flavor;
    let Some(flavor) = catalogue.flavors.iter().find(|f| f.name == name) else {
        return vec![blocked(Code::FlavorMissing, format!("there is no flavor {name:?}"), field, &json!({ "flavor": name }))];
    };
    let (vcpus, ram) = machines.minimum;
    if flavor.vcpus >= vcpus && flavor.ram_mib >= ram {
        return Vec::new();
    }
    let params = json!({ "flavor": name, "vcpus": vcpus, "ram_mib": ram });
    vec![blocked(Code::FlavorTooSmall, format!("{name} has less than {vcpus} vCPU and {ram} MiB"), field, &params)]
}

fn zones(machines: &Machines<'_>, catalogue: &Snapshot) -> Vec<Check> {
    let known: BTreeSet<&str> = catalogue.zones.iter().filter(|z| z.available).map(|z| z.name.as_str()).collect();
    let missing = machines.zones.iter().enumerate().filter(|(_, zone)| !known.contains(zone.as_str()));
    let found = missing.map(|(index, zone)| {
        let field = Some(format!("{}.zones[{index}]", machines.field));
        blocked(Code::ZoneMissing, format!("there is no zone {zone:?} available"), field, &json!({ "az": zone }))
    });
    found.collect()
}

fn volume_type(machines: &Machines<'_>, catalogue: &Snapshot) -> Vec<Check> {
    let Some(name) = machines.volume_type else { return Vec::new() };
    if catalogue.volume_types.iter().any(|v| v.name == name) {
        return Vec::new();
    }
    let field = Some(format!("{}.volume_type", machines.field));
    vec![blocked(Code::VolumeTypeMissing, format!("there is no volume type {name:?}"), field, &json!({ "volume_type": name }))]
}

/// What the project's quotas say to these objects.
///
/// # Errors
/// What the cloud answered.
pub async fn quota(
    state: &State,
    caller: &Caller,
    spec: &ClusterSpec,
    objects: &Objects,
    catalogue: &Snapshot,
) -> Answer<(Vec<QuotaNeed>, Vec<Check>)> {
    let cloud = caller.cloud(state);
    let project = &caller.actor.project.id.0;
    let (compute, network, volumes) = tokio::try_join!(cloud.compute.limits(), cloud.network.limits(project), cloud.volumes.limits())?;
    let balancers = match &cloud.load_balancers {
        Some(service) => service.limits(project).await?.load_balancers,
        None => Limit::default(),
    };
    let limits: BTreeMap<&str, Limit> = [
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
        ("load_balancers", balancers),
    ]
    .into();
    let sizes = catalogue.offers(&[]).flavors;
    Ok(compare(&amounts(objects, spec, &sizes), &limits))
}

fn compare(needs: &Amounts, limits: &BTreeMap<&str, Limit>) -> (Vec<QuotaNeed>, Vec<Check>) {
    let mut checks = Checks(Vec::new());
    let mut found = Vec::new();
    let mut quota = Vec::new();
    for (resource, need) in needs {
        let limit = limits.get(resource).cloned().unwrap_or_default();
        let left = limit.limit.map(|l| l.saturating_sub(limit.used));
        if left.is_some_and(|left| left < *need) {
            let params = json!({ "resource": resource, "need": need, "left": left, "limit": limit.limit, "used": limit.used });
            let message = format!("{resource}: {need} needed, {} left", left.unwrap_or_default());
            found.push(blocked(Code::Quota, message, None, &params));
        }
        quota.push(QuotaNeed { resource: (*resource).to_owned(), used: limit.used, limit: limit.limit, need: *need });
    }
    checks.conclude("quota", found);
    (quota, checks.0)
}

/// Whether the name is free and the project may have one cluster more.
///
/// # Errors
/// When the database does not answer.
pub async fn project_checks(state: &State, caller: &Caller, name: &str) -> Answer<Vec<Check>> {
    let filter = store::ClusterFilter { search: Some(name.to_owned()), ..Default::default() };
    let scope = caller.actor.scope();
    let page = store::PageRequest { limit: 500, cursor: None };
    let like = state.store.clusters(&scope, filter, store::ClusterSort::Name, false, page).await?;
    let all =
        state.store.clusters(&scope, Default::default(), store::ClusterSort::Name, false, store::PageRequest { limit: 1, cursor: None }).await?;
    let mut checks = Checks(Vec::new());
    let taken = like.items.iter().any(|c| c.cluster.name == name);
    let field = Some("name".to_owned());
    let found = taken.then(|| blocked(Code::NameTaken, format!("there is a cluster {name:?} already"), field, &json!({ "cluster": name })));
    checks.conclude("name", found.into_iter().collect());
    let limit = state.settings.clusters_per_project;
    let params = json!({ "limit": limit, "used": all.total });
    let full = all.total >= u64::from(limit);
    let found = full.then(|| blocked(Code::ClusterQuota, format!("the project has {limit} clusters already"), None, &params));
    checks.conclude("cluster_quota", found.into_iter().collect());
    Ok(checks.0)
}

/// What stands against deleting a cluster.
#[must_use]
pub fn deletion_checks(cluster: &domain::clusters::Cluster) -> Vec<Check> {
    let mut checks = Checks(Vec::new());
    if cluster.spec.deletion_protection {
        let found = blocked(Code::DeletionProtected, Code::DeletionProtected.title().to_owned(), None, &json!({}));
        checks.conclude("deletion_protection", vec![found]);
    }
    checks.0
}
