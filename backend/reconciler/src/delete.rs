//! Deletes objects: a row's, and any by kind and id.

use crate::act::{Refusal, balancing, record_failure};
use crate::journal::JournalError;
use crate::rows::cloud_id;
use crate::world::World;
use cloud::Cloud;
use cloud::error::CloudErrorKind;
use cloud::identity::ServiceUser;
use domain::changes::{Change, Work};
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};

impl World<'_> {
    pub(crate) async fn delete(&self, work: &Work, row: &LedgerRow) -> Result<(), Refusal> {
        let Some(id) = row.cloud_id.as_deref() else { return Ok(()) };
        if row.kind == ResourceKind::ApplicationCredential {
            let (identity, tenant) = (&self.services.identity, work.cluster.tenant.0.as_str());
            let delete = |user: ServiceUser| async move { identity.delete_application_credential(&user, tenant, id).await };
            return Ok(self.as_service_user(work, delete).await??);
        }
        let cloud = self.cloud_of(work).await?;
        match delete_part(work, &cloud, row, id).await {
            Err(Refusal::Cloud(refused)) if refused.kind == CloudErrorKind::Conflict => {
                Err(Refusal::Cloud(self.with_ports(work, &cloud, row, refused).await))
            }
            done => done,
        }
    }
}

async fn delete_part(work: &Work, cloud: &Cloud, row: &LedgerRow, id: &str) -> Result<(), Refusal> {
    match row.kind {
        ResourceKind::RouterInterface => {
            if let (Some(router), Some(subnet)) = (cloud_id(work, "router"), cloud_id(work, "subnet")) {
                cloud.network.remove_router_interface(router, subnet).await?;
            }
        }
        ResourceKind::Volume if row.made_inside() => cloud.volumes.erase_volume(id).await?,
        kind => delete_object(cloud, kind, id, &row.name).await?,
    }
    Ok(())
}

/// Asks the cloud to delete an object. Routers' interfaces and credentials are no objects of a project: who deletes them does it elsewhere.
pub(crate) async fn delete_object(cloud: &Cloud, kind: ResourceKind, id: &str, name: &str) -> Result<(), Refusal> {
    match kind {
        ResourceKind::Network => cloud.network.delete_network(id).await?,
        ResourceKind::Subnet => cloud.network.delete_subnet(id).await?,
        ResourceKind::Router => cloud.network.delete_router(id).await?,
        ResourceKind::SecurityGroup => cloud.network.delete_security_group(id).await?,
        ResourceKind::ServerGroup => cloud.compute.delete_server_group(id).await?,
        ResourceKind::LoadBalancer => balancing(cloud, name)?.delete_load_balancer(id).await?,
        ResourceKind::FloatingIp => cloud.network.delete_floating_ip(id).await?,
        ResourceKind::Port => cloud.network.delete_port(id).await?,
        ResourceKind::Volume => delete_volume(cloud, id).await?,
        ResourceKind::Server => cloud.compute.delete_server(id).await?,
        ResourceKind::RouterInterface | ResourceKind::ApplicationCredential => {}
    }
    Ok(())
}

/// A server that was deleted just as Nova began to build it can leave the volume reserved for it, and Cinder deletes no reserved volume:
/// what a server holds that Nova does not know is let go.
async fn delete_volume(cloud: &Cloud, id: &str) -> cloud::Result<()> {
    let refused = match cloud.volumes.delete_volume(id).await {
        Err(error) if error.status == Some(400) => error,
        other => return other,
    };
    let mut freed = false;
    for held in cloud.volumes.volume_attachments(id).await? {
        let Some(server) = held.server_id else { continue };
        if cloud.compute.server(&server).await.is_err_and(|e| e.is_not_found()) {
            cloud.volumes.delete_volume_attachment(&held.id).await?;
            freed = true;
        }
    }
    if freed { cloud.volumes.delete_volume(id).await } else { Err(refused) }
}

/// Neutron, Keystone and Nova's groups are gone when the call answers; the others go by and by.
fn gone_at_once(kind: ResourceKind) -> bool {
    !matches!(kind, ResourceKind::Server | ResourceKind::Volume | ResourceKind::LoadBalancer)
}

pub(crate) fn record_delete(mut row: LedgerRow, deleted: Result<(), Refusal>) -> Result<Vec<Change>, JournalError> {
    match deleted {
        Ok(()) if gone_at_once(row.kind) => {
            row.state = ResourceState::Gone;
            Ok(vec![Change::Ledger(row)])
        }
        Ok(()) => {
            row.failures = 0;
            Ok(vec![Change::Ledger(row)])
        }
        Err(Refusal::Cloud(error)) if error.is_not_found() => {
            row.state = ResourceState::Gone;
            Ok(vec![Change::Ledger(row)])
        }
        Err(refusal) => record_failure(row, refusal, None),
    }
}
