//! What a change of a cluster's size would make or remove, what quota it needs, what the cluster will cost, and what stands against it.

use crate::caller::Caller;
use crate::clusters::{Check, CheckLevel, PlannedObject, QuotaNeed};
use crate::errors::Answer;
use crate::plan::{self, Quotas};
use crate::preflight::free_addresses;
use crate::quota::Tenant;
use crate::state::State;
use domain::clusters::ClusterSpec;
use domain::costs::{Cost, cluster_cost};
use domain::ids::{ClusterId, NodeId};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::needs::{Objects, node_objects, wanted_groups};
use domain::nodes::{CONTROL_PLANE_POOL, Node, NodeRole};
use domain::plan::{MASTERS_GROUP, group_rows, surplus};
use domain::preflight::{Checks, addresses, groups_with_room, settle_new_pool};
use serde::Serialize;

/// The quota of server groups, and the check that speaks of it.
const SERVER_GROUPS: &str = "server_groups";

/// A pool or the control plane before and after.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SizePlan {
    pub from: u32,
    pub to: u32,
    /// Nodes that would be taken away.
    pub removed: Vec<String>,
    pub checks: Vec<Check>,
    /// The project's limits in KCS, as far as it has any.
    pub limits: Vec<QuotaNeed>,
    /// The project's quotas in the cloud.
    pub quota: Vec<QuotaNeed>,
    pub objects: Vec<PlannedObject>,
    /// What the whole cluster will cost an hour; absent where the operator keeps no price list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    pub blocked: bool,
}

/// Whose size changes.
pub struct Resized<'a> {
    pub cluster: ClusterId,
    pub pool: &'a str,
    /// What of the request a flavor that may not be used is told by.
    pub field: &'a str,
    pub from: u32,
    pub to: u32,
}

/// The plan of a cluster that shall become `after`. `removed`: nodes that would be taken away.
///
/// # Errors
/// What the cloud or the database answered.
pub async fn size_plan(state: &State, caller: &Caller, after: &ClusterSpec, sized: &Resized<'_>, removed: Vec<String>) -> Answer<SizePlan> {
    let quotas = Quotas::now(state, caller).await?;
    plan_with(state, caller, after, sized, removed, &quotas).await
}

/// The plan of a cluster that shall have one pool more, its last, for which is decided what it leaves open.
///
/// # Errors
/// What the cloud or the database answered.
pub async fn new_pool_plan(state: &State, caller: &Caller, after: &mut ClusterSpec, sized: &Resized<'_>) -> Answer<SizePlan> {
    let quotas = Quotas::now(state, caller).await?;
    let apart = settle_new_pool(after, quotas.left(SERVER_GROUPS));
    let mut plan = plan_with(state, caller, after, sized, Vec::new(), &quotas).await?;
    if let Some(check) = apart {
        plan.checks.retain(|c| c.key != SERVER_GROUPS);
        plan.checks.push(Check { key: SERVER_GROUPS.to_owned(), ..check });
    }
    Ok(plan)
}

async fn plan_with(
    state: &State,
    caller: &Caller,
    after: &ClusterSpec,
    sized: &Resized<'_>,
    removed: Vec<String>,
    quotas: &Quotas,
) -> Answer<SizePlan> {
    let mut objects = node_objects(after, sized.pool, sized.to.saturating_sub(sized.from));
    let apart = if sized.to > sized.from { group_checks(state, caller, after, sized, quotas, &mut objects).await? } else { Vec::new() };
    let catalogue = state.catalogue.of(state, caller).await?;
    let (quota, found) = quotas.check(after, &objects);
    let tenant = Tenant::of(state, caller).await?;
    let (limits, short) = tenant.limits(Some(sized.cluster), after);
    let mut checks = Vec::new();
    if sized.to > sized.from {
        checks.extend(tenant.terms.allowed.growth_checks(after, sized.pool, sized.field));
        let mut growing = after.clone();
        growing.node_pools.retain(|p| p.name == sized.pool);
        // The masters that are there are not made anew.
        let sizes = quotas.volume_sizes(&growing).into_iter();
        checks.extend(sizes.filter(|c| sized.pool == CONTROL_PLANE_POOL || !c.field.as_ref().is_some_and(|f| f.starts_with("spec.control_plane"))));
        checks.extend(plan::catalogue_checks(&growing, &catalogue, state, &caller.cloud(state).await?));
        checks.extend(address_checks(state, caller, after, sized).await?);
    }
    checks.extend(short);
    checks.extend(found);
    checks.extend(apart);
    Ok(SizePlan {
        from: sized.from,
        to: sized.to,
        removed,
        blocked: checks.iter().any(|c| c.level == CheckLevel::Blocked),
        checks,
        limits,
        quota,
        objects: plan::planned(&objects),
        cost: state.prices().map(|prices| cluster_cost(after, &prices)),
    })
}

/// Adds the server groups that so many nodes need besides those there are. What a pool cannot have of them is said, and no more: masters need theirs.
async fn group_checks(
    state: &State,
    caller: &Caller,
    after: &ClusterSpec,
    sized: &Resized<'_>,
    quotas: &Quotas,
    objects: &mut Objects,
) -> Answer<Vec<Check>> {
    let rows = state.store.ledger(&caller.actor.scope(), sized.cluster).await?;
    let made = |r: &LedgerRow| r.cloud_id.is_some() && r.state != ResourceState::Gone;
    let of_masters = sized.pool == CONTROL_PLANE_POOL;
    let there = match of_masters {
        true => rows.iter().filter(|r| r.key == MASTERS_GROUP && made(r)).count(),
        false => group_rows(&rows, sized.pool).into_values().filter(|r| made(r)).count(),
    };
    let need = wanted_groups(after, sized.pool).saturating_sub(u32::try_from(there).unwrap_or(u32::MAX));
    let (count, few) = groups_with_room(need, quotas.left(SERVER_GROUPS).filter(|_| !of_masters));
    if count > 0 {
        objects.insert((ResourceKind::ServerGroup, sized.pool.to_owned()), count);
    }
    let mut checks = Checks::default();
    checks.conclude(SERVER_GROUPS, few.into_iter().collect());
    Ok(checks.0)
}

/// Whether the cluster's subnet has addresses for the nodes that come, and for one that replaces another. Of a subnet that is not to be seen nothing
/// is said.
async fn address_checks(state: &State, caller: &Caller, after: &ClusterSpec, sized: &Resized<'_>) -> Answer<Vec<Check>> {
    let place = if let Some(existing) = &after.network.existing {
        Some((existing.network_id.clone(), existing.subnet_id.clone()))
    } else {
        let rows = state.store.ledger(&caller.actor.scope(), sized.cluster).await?;
        let id = |key: &str| rows.iter().find(|r| r.key == key && r.state != ResourceState::Gone)?.cloud_id.clone();
        id("network").zip(id("subnet"))
    };
    let Some((network, subnet)) = place else { return Ok(Vec::new()) };
    let cloud = caller.cloud(state).await?;
    let (subnets, ports) = tokio::try_join!(cloud.network.subnets_of(&network), cloud.network.ports_of(&network))?;
    let Some(subnet) = subnets.iter().find(|s| s.id == subnet) else { return Ok(Vec::new()) };
    let need = u64::from(sized.to.saturating_sub(sized.from)) + 1;
    let mut checks = Checks::default();
    checks.conclude("addresses", addresses(&subnet.cidr, free_addresses(subnet, &ports), need, Some("count".to_owned())).into_iter().collect());
    Ok(checks.0)
}

/// Names of the nodes that leave when a pool shrinks to `to`.
#[must_use]
pub fn leaving(nodes: &[Node], spec: &ClusterSpec, role: NodeRole, pool: &str, to: u32, named: &[NodeId]) -> Vec<String> {
    surplus(nodes, spec, role, pool, to, named).into_iter().map(|n| n.name.clone()).collect()
}
