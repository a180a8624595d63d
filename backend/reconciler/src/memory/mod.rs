//! What a process remembers between passes. It may be forgotten at any time: it only saves repeating what is safe to repeat.

mod access;
mod authorities;
mod balancers;
mod clouds;
mod lately;
mod nodes;
mod projects;
mod secrets;
mod service_users;

use crate::addons::AddonMemory;
use crate::lists::Estate;
use cloud::Cloud;
use domain::changes::Work;
use domain::ids::{ClusterId, NodeId, TenantId};
use domain::plan::KubernetesView;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

/// What passes remember of clusters, nodes and tenants.
#[derive(Default)]
pub struct Memory {
    pub estate: Estate,
    pub addons: AddonMemory,
    /// With the id of the credential that each is seen through.
    clouds: Mutex<HashMap<ClusterId, (String, Cloud)>>,
    authorities: authorities::Authorities,
    access: Mutex<HashMap<ClusterId, access::Note>>,
    nodes: Mutex<HashMap<ClusterId, HashMap<NodeId, nodes::Note>>>,
    rewriting: Mutex<HashMap<ClusterId, secrets::Note>>,
    renewed: service_users::Renewed,
    unrenewed: Mutex<HashMap<TenantId, service_users::Unrenewed>>,
    projects: Mutex<HashMap<TenantId, projects::Note>>,
    serving: Mutex<HashMap<ClusterId, balancers::Note>>,
    lately: Mutex<lately::Lately>,
}

impl Memory {
    /// What is known of a cluster besides its nodes' readiness.
    pub(crate) fn view(&self, work: &Work, now: OffsetDateTime) -> KubernetesView {
        KubernetesView { access: self.access(&work.cluster), secrets: self.secrets(work.cluster.id), ..self.of_nodes(work, now) }
    }

    /// The cluster is gone, or others look after it.
    pub(crate) fn forget(&self, cluster: ClusterId) {
        lock(&self.clouds).remove(&cluster);
        self.authorities.forget(cluster);
        lock(&self.access).remove(&cluster);
        lock(&self.rewriting).remove(&cluster);
        lock(&self.serving).remove(&cluster);
        lock(&self.nodes).remove(&cluster);
        self.addons.forget(cluster);
        self.forget_work(cluster);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
