//! What the cluster's own controllers made in the cloud, known by the cluster's own name that they were told: looked for while it is deleted.

use crate::observe::{blind, object};
use crate::world::World;
use cloud::load_balancers::Provisioning;
use cloud::{Cloud, CloudError};
use domain::changes::Work;
use domain::ledger::ResourceKind;
use domain::names;
use domain::plan::{Inside, Look, ObjectState};
use std::collections::BTreeMap;

/// The kinds that controllers make.
const KINDS: [ResourceKind; 4] = [ResourceKind::LoadBalancer, ResourceKind::FloatingIp, ResourceKind::SecurityGroup, ResourceKind::Volume];

struct Found {
    inside: Inside,
    state: ObjectState,
}

impl World<'_> {
    /// Finds them, and adds those in the ledger to what was seen. None: blind, and then the looks at their kinds are, too.
    pub(crate) async fn look_inside(&self, work: &Work, cloud: &Cloud, looks: &mut BTreeMap<ResourceKind, Look>) -> Option<Vec<Inside>> {
        if work.cluster.delete_requested_at.is_none() || !work.cluster.spec.addons.use_the_cloud() {
            return None;
        }
        match find(work, cloud).await {
            Ok(found) => {
                for one in &found {
                    let row = work.ledger.iter().find(|r| r.kind == one.inside.kind && r.cloud_id.as_deref() == Some(one.inside.id.as_str()));
                    if let (Some(row), Some(Look::Seen(list))) = (row, looks.get_mut(&one.inside.kind))
                        && !list.iter().any(|o| o.id == one.inside.id)
                    {
                        list.push(object(one.inside.id.clone(), &one.inside.name, Some(row.id), one.state.clone()));
                    }
                }
                Some(found.into_iter().map(|f| f.inside).collect())
            }
            Err(error) => {
                looks.extend(KINDS.map(|kind| (kind, blind(&error))));
                None
            }
        }
    }
}

async fn find(work: &Work, cloud: &Cloud) -> Result<Vec<Found>, CloudError> {
    let tag = names::cluster_tag(work.cluster.id);
    let (balancers, addresses, groups, volumes) = futures::try_join!(
        async {
            match &cloud.load_balancers {
                Some(service) => service.load_balancers().await,
                None => Ok(Vec::new()),
            }
        },
        cloud.network.floating_ips(),
        cloud.network.security_groups(),
        async {
            let listed = cloud.volumes.volumes_by_metadata(names::VOLUME_CLUSTER, &tag).await;
            cloud::if_there(listed).map(Option::unwrap_or_default)
        },
    )?;
    let mut found = Vec::new();
    let mut add = |kind, id: String, name: String, state| found.push(Found { inside: Inside { kind, id, name }, state });
    // Whole names and whole ends only: another cluster's name may begin like this one's.
    let of_service = names::service_balancer_prefix(&tag);
    for balancer in balancers.into_iter().filter(|b| b.name.starts_with(&of_service)) {
        let state = match balancer.provisioning {
            Provisioning::Active | Provisioning::Error => ObjectState::Ready,
            Provisioning::Pending | Provisioning::Deleting => ObjectState::Pending,
        };
        add(ResourceKind::LoadBalancer, balancer.id, balancer.name, state);
    }
    for ip in addresses.into_iter().filter(|ip| names::is_service_address(&ip.description, &tag)) {
        add(ResourceKind::FloatingIp, ip.id, ip.address, ObjectState::Ready);
    }
    for group in groups.into_iter().filter(|g| names::is_service_group(&g.description, &tag)) {
        add(ResourceKind::SecurityGroup, group.id, group.name, ObjectState::Ready);
    }
    for volume in volumes {
        add(ResourceKind::Volume, volume.id, volume.name, ObjectState::Ready);
    }
    Ok(found)
}
