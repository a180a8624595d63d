//! The sweep: looks, tenant after tenant, through whole projects for objects with a mark of ours that nobody looks after, and for what was made in
//! clusters that are gone. What is proven ours goes after it was seen twice with time between; the rest waits for an operator. Any number of processes
//! share the tenants.

use crate::act::Refusal;
use crate::delete::delete_object;
use crate::driver::Deps;
use crate::journal::{JournalError, secret};
use crate::kept::{kept_user, stored_user};
use crate::lists::Freshness;
use crate::service_user::{is_refused, refusal};
use crate::sweep_look::{Credentials, Project, ProjectLook};
use crate::world::Services;
use cloud::identity::ServiceUser;
use cloud::{Cloud, CloudError};
use domain::ids::{ClusterId, TenantId};
use domain::ledger::ResourceKind;
use domain::orphans::{Marked, Verdict, judge, may_go};
use domain::tenants::ProjectState;
use futures::FutureExt;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{OrphanRecord, SecretOwner, Store, StoreError, Turn};
use tokio_util::sync::CancellationToken;

/// A turn takes no longer.
pub const LEASE: Duration = Duration::from_secs(5 * 60);
/// How often it is asked whether a tenant is due.
const POLL: Duration = Duration::from_secs(10);
/// After an error of the store.
const REST: Duration = Duration::from_secs(30);
/// Where something was asked to go, what hung on it may follow so soon.
const SOON: Duration = Duration::from_secs(60);

/// What a turn came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Orphans known of the tenant.
    pub known: usize,
    /// Those that were asked to go for the first time, and nothing was said against it.
    pub asked: usize,
    /// Kinds that could not be looked at.
    pub blind: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] JournalError),
    /// Nothing at all could be seen.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Nobody is let into the project any more, or for now: there is nothing that could be looked at.
    #[error("the project is closed: {0:?}")]
    Closed(ProjectState),
}

/// Runs until `shutdown` is cancelled. A turn is then left where it is: what was asked for is known, and the next look sees what came of it.
pub async fn run(deps: Arc<Deps>, every: Duration, shutdown: CancellationToken) {
    let work = async {
        loop {
            let wait = match deps.store.sweep_claim(every, LEASE).await {
                Ok(Some(turn)) => {
                    take(&deps, turn).await;
                    continue;
                }
                Ok(None) => POLL,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the sweep cannot reach the store");
                    REST
                }
            };
            show_figures(&deps.store).await;
            tokio::time::sleep(wait).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

/// One turn, however it ends.
async fn take(deps: &Deps, turn: Turn) {
    let tenant = turn.tenant.clone();
    let guarded = AssertUnwindSafe(sweep(&deps.services, &deps.store, &turn)).catch_unwind();
    let (outcome, again) = match tokio::time::timeout(LEASE, guarded).await {
        Ok(Ok(Ok(swept))) => (if swept.blind == 0 { "whole" } else { "partly" }, (swept.asked > 0).then_some(SOON)),
        Ok(Ok(Err(SweepError::Closed(state)))) => {
            tracing::info!(%tenant, ?state, "a project that is closed is not looked through for orphans");
            ("skipped", None)
        }
        Ok(Ok(Err(error))) => {
            tracing::warn!(%tenant, error = &error as &dyn std::error::Error, "a project could not be looked through for orphans");
            ("failed", None)
        }
        Ok(Err(_)) => {
            tracing::error!(%tenant, "a sweep ended in a panic");
            ("failed", None)
        }
        Err(_) => {
            tracing::warn!(%tenant, "a project could not be looked through for orphans in time");
            ("failed", None)
        }
    };
    metrics::counter!("kcs_sweeps_total", "outcome" => outcome).increment(1);
    if let Err(error) = deps.store.sweep_release(turn, again).await {
        // It runs out.
        tracing::warn!(%tenant, error = &error as &dyn std::error::Error, "a turn of the sweep could not be ended");
    }
}

async fn show_figures(store: &Store) {
    let Ok(counts) = store.orphan_counts().await else { return };
    for verdict in Verdict::ALL {
        let count = counts.iter().find(|(v, _)| *v == verdict).map_or(0, |(_, count)| *count);
        #[allow(clippy::cast_precision_loss)]
        metrics::gauge!("kcs_orphans", "verdict" => verdict.as_str()).set(count as f64);
    }
}

/// Looks through a tenant's project, records what is there, and asks to go what may.
///
/// # Errors
/// When nothing could be seen or recorded.
pub async fn sweep(services: &Services, store: &Store, turn: &Turn) -> Result<Swept, SweepError> {
    let tenant = &turn.tenant;
    let kept = store.secret(&SecretOwner::Tenant(tenant.clone()), secret::SERVICE_USER).await?;
    // Before there is one, nothing was made for the tenant.
    let Some(kept) = kept.map(|text| stored_user(&text)).transpose()? else { return Ok(Swept::default()) };
    let (user, credentials) = introduce(services, store, turn, kept).await?;
    let cloud = services.identity.as_service_user(&user, &tenant.0);
    let lists = services.memory.estate.lists(tenant, &cloud, Freshness { now: turn.now, after: Some(Instant::now()) });
    let project = Project { tenant, credentials, cloud: &cloud, lists };
    let ProjectLook { marked, whole, blind } = project.look().await;
    for (kind, error) in &blind {
        tracing::warn!(%tenant, %kind, %error, "a sweep is blind for a kind of object");
    }
    if let (true, Some((_, error))) = (whole.is_empty(), blind.first()) {
        return Err(error.clone().into());
    }
    let (inside, marked): (Vec<Marked>, Vec<Marked>) = marked.into_iter().partition(Marked::made_inside);
    // Rows are committed before the calls that make their objects: whatever the lists showed, its row is there by now, and so is its cluster.
    let rows = store.ledger_rows(tenant, &marked).await?;
    let clusters: BTreeSet<ClusterId> = inside.iter().map(|m| m.cluster).collect();
    let living = store.clusters_living(&clusters).await?;
    let left = inside.into_iter().filter(|m| !living.contains(&m.cluster)).map(|m| (m, Verdict::MadeInside));
    let judged = marked.into_iter().filter_map(|m| judge(&m, m.row(&rows)).map(|verdict| (m, verdict)));
    let seen: Vec<(Marked, Verdict)> = judged.chain(left).collect();
    let recorded = store.orphans_seen(tenant, seen.clone(), whole).await?;
    for (kind, name) in &recorded.removed {
        tracing::info!(%tenant, %kind, name, "an orphan is gone");
        metrics::counter!("kcs_orphans_removed_total", "kind" => kind.as_str()).increment(1);
    }
    let here: BTreeSet<(ResourceKind, &str)> = seen.iter().map(|(object, _)| (object.kind, object.cloud_id.as_str())).collect();
    let known = recorded.known.len();
    let mut going: Vec<OrphanRecord> = recorded
        .known
        .into_iter()
        .filter(|o| here.contains(&(o.object.kind, o.object.cloud_id.as_str())))
        .filter(|o| may_go(o.verdict, o.decision, o.looks, o.first_seen_at, o.last_seen_at))
        .collect();
    going.sort_by_key(|o| turn_of(o.object.kind));
    let broom = Broom { services, store, turn, user: &user, cloud: &cloud };
    let asked = broom.remove_all(&going).await?;
    Ok(Swept { known, asked, blind: blind.len() })
}

/// The tenant's service user, and its credentials. One that Keystone refuses is made sure of, and kept as it is then; in a project that is closed nobody
/// would be let in all the same, and that is asked anew each turn.
async fn introduce(services: &Services, store: &Store, turn: &Turn, kept: ServiceUser) -> Result<(ServiceUser, Credentials), SweepError> {
    let tenant = &turn.tenant;
    let credentials = services.identity.application_credentials(&kept, &tenant.0).await;
    if !is_refused(&credentials) {
        return Ok((kept, credentials));
    }
    if let Ok(closed @ (ProjectState::Disabled | ProjectState::Gone)) = services.identity.project_state(&tenant.0).await {
        return Err(SweepError::Closed(closed));
    }
    let user = services.renewed_user(tenant, turn.now).await?;
    store.sweep_secret_put(turn, secret::SERVICE_USER, &kept_user(&user)?).await?;
    let credentials = services.identity.application_credentials(&user, &tenant.0).await;
    services.note_renewal(tenant, refusal(&credentials), turn.now).await;
    Ok((user, credentials))
}

/// What hangs on others goes before them.
fn turn_of(kind: ResourceKind) -> usize {
    use ResourceKind::{
        ApplicationCredential, FloatingIp, LoadBalancer, Network, Port, Router, RouterInterface, SecurityGroup, Server, ServerGroup, Subnet, Volume,
    };
    const ORDER: [ResourceKind; 12] =
        [Server, FloatingIp, LoadBalancer, Port, Volume, ServerGroup, RouterInterface, Router, Subnet, Network, SecurityGroup, ApplicationCredential];
    ORDER.iter().position(|k| *k == kind).unwrap_or(ORDER.len())
}

/// Takes away what may go.
struct Broom<'a> {
    services: &'a Services,
    store: &'a Store,
    turn: &'a Turn,
    user: &'a ServiceUser,
    cloud: &'a Cloud,
}

impl Broom<'_> {
    /// Answers how many were asked for the first time.
    async fn remove_all(&self, going: &[OrphanRecord]) -> Result<usize, StoreError> {
        let subnets: BTreeSet<&str> = going.iter().filter(|o| o.object.kind == ResourceKind::Subnet).map(|o| o.object.cloud_id.as_str()).collect();
        let mut asked = 0;
        for orphan in going {
            if !self.store.orphan_call(self.turn, orphan).await? {
                continue;
            }
            let words = self.remove(&self.turn.tenant, orphan, &subnets).await;
            asked += usize::from(words.is_none() && orphan.called_at.is_none());
            if words != orphan.fault {
                self.store.orphan_fault(orphan.id, words).await?;
            }
        }
        Ok(asked)
    }

    /// Asks the cloud; answers what it had against it.
    async fn remove(&self, tenant: &TenantId, orphan: &OrphanRecord, subnets: &BTreeSet<&str>) -> Option<String> {
        let Marked { kind, cloud_id, name, cluster, .. } = &orphan.object;
        match self.delete(&orphan.object, subnets).await {
            Ok(()) => {
                tracing::info!(%tenant, %cluster, %kind, cloud_id, name, verdict = orphan.verdict.as_str(), "an orphan was asked to go");
                None
            }
            Err(Refusal::Cloud(error)) if error.is_not_found() => None,
            Err(refusal) => {
                let words = match refusal {
                    Refusal::Cloud(error) => error.to_string(),
                    Refusal::Local(fault) => fault.message,
                    Refusal::Journal(error) => error.to_string(),
                };
                tracing::warn!(%tenant, %cluster, %kind, cloud_id, name, error = words, "an orphan does not go");
                Some(words)
            }
        }
    }

    async fn delete(&self, object: &Marked, subnets: &BTreeSet<&str>) -> Result<(), Refusal> {
        match object.kind {
            ResourceKind::ApplicationCredential => {
                Ok(self.services.identity.delete_application_credential(self.user, &self.turn.tenant.0, &object.cloud_id).await?)
            }
            ResourceKind::Router => {
                self.part(&object.cloud_id, subnets).await?;
                delete_object(self.cloud, object.kind, &object.cloud_id, &object.name).await
            }
            kind => delete_object(self.cloud, kind, &object.cloud_id, &object.name).await,
        }
    }

    /// Takes a router off the subnets that go with it. One that serves others, too, stays: the cloud refuses to delete it.
    async fn part(&self, router: &str, subnets: &BTreeSet<&str>) -> Result<(), CloudError> {
        for port in self.cloud.network.ports_of_device(router).await? {
            for subnet in port.subnet_ids.iter().filter(|s| subnets.contains(s.as_str())) {
                match self.cloud.network.remove_router_interface(router, subnet).await {
                    Err(error) if !error.is_not_found() => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
