//! What the ledger knows and a list does not show: asked for by its id before anything is concluded from that. A list may leave out what is there: Nova answers
//! without the servers of a cell that is down, and lists servers by what their names begin with, which somebody may have changed.

use crate::observe::{balancer_state, blind, object, server_state, volume_state};
use cloud::network::Kind;
use cloud::{Cloud, CloudError};
use domain::changes::Work;
use domain::ledger::{LedgerRow, ResourceKind, ResourceState};
use domain::plan::{Look, Object, ObjectState};
use std::collections::BTreeMap;

/// Adds what is there all the same. Where it cannot be told, nothing is known of its kind.
pub async fn ask_for(work: &Work, cloud: &Cloud, looks: &mut BTreeMap<ResourceKind, Look>) {
    // What controllers in the cluster made is looked for otherwise.
    for row in work.ledger.iter().filter(|row| !row.made_inside()) {
        let Some(id) = row.cloud_id.as_deref().filter(|_| matches!(row.state, ResourceState::Known | ResourceState::Deleting)) else { continue };
        let Some(look) = looks.get_mut(&row.kind) else { continue };
        let Look::Seen(objects) = look else { continue };
        if objects.iter().any(|o| o.id == id) {
            continue;
        }
        match find(cloud, row, id).await {
            Ok(found) => objects.extend(found),
            Err(error) if error.is_not_found() => {}
            Err(error) => *look = blind(&error),
        }
    }
}

/// The object of this id; None: there is none, or none of a kind that can be asked for alone.
async fn find(cloud: &Cloud, row: &LedgerRow, id: &str) -> Result<Option<Object>, CloudError> {
    let kind = match row.kind {
        ResourceKind::Server => {
            let server = cloud.compute.server(id).await?;
            return Ok(server_state(&server).map(|state| of(row, id, state)));
        }
        ResourceKind::ServerGroup => {
            cloud.compute.server_group(id).await?;
            return Ok(Some(of(row, id, ObjectState::Ready)));
        }
        ResourceKind::Volume => {
            let volume = cloud.volumes.volume(id).await?;
            return Ok(Some(of(row, id, volume_state(&volume))));
        }
        ResourceKind::LoadBalancer => {
            let Some(service) = &cloud.load_balancers else { return Ok(None) };
            let balancer = service.load_balancer(id).await?;
            return Ok(Some(Object { address: Some(balancer.vip_address.clone()), ..of(row, id, balancer_state(&balancer)) }));
        }
        ResourceKind::Network => Kind::Network,
        ResourceKind::Subnet => Kind::Subnet,
        ResourceKind::Router => Kind::Router,
        ResourceKind::Port | ResourceKind::RouterInterface => Kind::Port,
        ResourceKind::SecurityGroup => Kind::SecurityGroup,
        ResourceKind::FloatingIp => Kind::FloatingIp,
        ResourceKind::ApplicationCredential => return Ok(None),
    };
    cloud.network.find(kind, id).await?;
    Ok(Some(of(row, id, ObjectState::Ready)))
}

fn of(row: &LedgerRow, id: &str, state: ObjectState) -> Object {
    object(id.to_owned(), &row.name, Some(row.id), state)
}
