//! Which clusters this process has worked on lately: what it remembers of others, which others work on or have buried meanwhile, is dropped.

use super::{Memory, lock};
use domain::clusters::Cluster;
use domain::ids::{ClusterId, TenantId};
use std::collections::{HashMap, HashSet};
use time::{Duration, OffsetDateTime};

/// A cluster that was not worked on for so long is forgotten.
const LONG: Duration = Duration::HOUR;
/// Between two looks for such.
const PAUSE: Duration = Duration::minutes(5);

#[derive(Default)]
pub(super) struct Lately {
    /// Whose each is, and when the last pass over it began, by the clock of passes.
    clusters: HashMap<ClusterId, (TenantId, OffsetDateTime)>,
    looked_at: Option<OffsetDateTime>,
}

impl Lately {
    /// Takes out the clusters that are to be forgotten; None: it is not time to look for them.
    fn left(&mut self, now: OffsetDateTime) -> Option<Vec<ClusterId>> {
        if self.looked_at.is_some_and(|at| (now - at).abs() < PAUSE) {
            return None;
        }
        self.looked_at = Some(now);
        Some(self.clusters.extract_if(|_, (_, at)| (now - *at).abs() >= LONG).map(|(cluster, _)| cluster).collect())
    }

    fn tenants(&self) -> HashSet<TenantId> {
        self.clusters.values().map(|(tenant, _)| tenant.clone()).collect()
    }
}

impl Memory {
    /// A pass over a cluster begins. What is remembered of those that had none for long goes, and of projects that have no others.
    pub(crate) fn works_on(&self, cluster: &Cluster, now: OffsetDateTime) {
        let mut lately = lock(&self.lately);
        lately.clusters.insert(cluster.id, (cluster.tenant.clone(), now));
        let Some(left) = lately.left(now) else { return };
        let tenants = lately.tenants();
        drop(lately);
        for cluster in left {
            self.forget(cluster);
        }
        self.estate.keep(&tenants);
        lock(&self.projects).retain(|tenant, _| tenants.contains(tenant));
        lock(&self.unrenewed).retain(|tenant, _| tenants.contains(tenant));
    }

    pub(super) fn forget_work(&self, cluster: ClusterId) {
        lock(&self.lately).clusters.remove(&cluster);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lists::Freshness;
    use async_trait::async_trait;
    use bytes::Bytes;
    use cloud::identity::ApplicationCredential;
    use cloud_openstack::{Config, Interface, OpenStack, Transport, TransportError};
    use domain::changes::Work;
    use domain::nodes::{CONTROL_PLANE_POOL, Node, NodeRole};
    use domain::test_support::{cluster, spec};
    use std::sync::Arc;
    use uuid::Uuid;

    struct Nobody;

    #[async_trait]
    impl Transport for Nobody {
        async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
            Err(TransportError { sent: false, message: "nobody is there".to_owned() })
        }
    }

    fn identity() -> OpenStack {
        let text = |text: &str| text.to_owned();
        let config = Config {
            auth_url: "http://cloud/identity/v3".parse().unwrap(),
            region: None,
            interface: Interface::Public,
            service_username: text("kcs"),
            service_password: "secret".into(),
            service_project: text("service"),
            service_domain: text("Default"),
            tenant_domain: text("Default"),
            load_balancer_provider: None,
        };
        OpenStack::new(config, Arc::new(Nobody))
    }

    fn noon() -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
    }

    fn numbered(number: u128, tenant: &str) -> Work {
        let id = ClusterId(Uuid::from_u128(number));
        Work { cluster: cluster(id, tenant, spec(1, 1), noon()), nodes: vec![master(id, 0)], ledger: vec![], operation: None }
    }

    fn master(cluster: ClusterId, ordinal: u32) -> Node {
        Node::new(domain::ids::NodeId::generate(), cluster, NodeRole::Master, CONTROL_PLANE_POOL, ordinal)
    }

    /// A pass after so many minutes, in which everything is noted.
    fn passes(memory: &Memory, work: &Work, minutes: i64) {
        let (now, id) = (noon() + Duration::minutes(minutes), work.cluster.id);
        memory.works_on(&work.cluster, now);
        memory.note_access(&work.cluster, &crate::kubernetes::AccessLeft::default());
        memory.note_detached(&work.nodes[0]);
        memory.note_rewriting(id, 1, crate::kubernetes::Rewriting::default(), None);
        let cloud = memory.cloud(id, &ApplicationCredential { id: id.to_string(), secret: "s".into() }, &identity());
        drop(memory.estate.lists(&work.cluster.tenant, &cloud, Freshness { now, after: None }));
    }

    /// Of how much of a cluster, and of its project, something is remembered.
    fn remembered(memory: &Memory, work: &Work) -> (usize, bool) {
        let (id, tenant) = (work.cluster.id, &work.cluster.tenant);
        let there = [
            lock(&memory.access).contains_key(&id),
            lock(&memory.nodes).contains_key(&id),
            lock(&memory.rewriting).contains_key(&id),
            lock(&memory.clouds).contains_key(&id),
            lock(&memory.lately).clusters.contains_key(&id),
        ];
        (there.into_iter().filter(|is| *is).count(), memory.estate.has(tenant))
    }

    #[test]
    fn what_is_not_worked_on_for_an_hour_is_forgotten_whoever_has_buried_it() {
        let (memory, ours) = (Memory::default(), numbered(1, "a"));
        let (sibling, other) = (numbered(2, "a"), numbered(3, "b"));
        for work in [&ours, &sibling, &other] {
            passes(&memory, work, 0);
        }
        for minutes in (10..=50).step_by(10) {
            passes(&memory, &ours, minutes);
        }
        assert_eq!([&ours, &sibling, &other].map(|w| remembered(&memory, w)), [(5, true); 3], "others may give them back");
        for minutes in [60, 70] {
            passes(&memory, &ours, minutes);
        }
        assert_eq!([&ours, &sibling, &other].map(|w| remembered(&memory, w)), [(5, true), (0, true), (0, false)]);
        memory.forget(ours.cluster.id);
        assert_eq!(remembered(&memory, &ours).0, 0);
    }

    #[test]
    fn nothing_is_kept_of_nodes_that_have_gone() {
        let (memory, mut work) = (Memory::default(), numbered(1, "a"));
        for ordinal in 1..20 {
            passes(&memory, &work, 0);
            work.nodes = vec![master(work.cluster.id, ordinal)];
            let view = memory.view(&work, noon());
            assert!(view.detached.is_empty() && lock(&memory.nodes).get(&work.cluster.id).is_none_or(|notes| notes.is_empty()));
        }
        passes(&memory, &work, 0);
        assert_eq!(memory.view(&work, noon()).detached, [work.nodes[0].id]);
    }
}
