//! A cluster as tests like it: small, complete and valid. One place for the tests of every layer; only with the feature `test-support`.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use crate::clusters::{Cluster, ClusterSpec, ClusterStatus, ControlPlaneSpec, NetworkSpec, NodePoolSpec};
use crate::ids::{ClusterId, ResourceId, TenantId};
use crate::ledger::{LedgerRow, ResourceKind, ResourceState};
use time::OffsetDateTime;

/// So many masters, and one pool `default` of so many workers.
#[must_use]
pub fn spec(masters: u32, workers: u32) -> ClusterSpec {
    let flavor = || "m1.medium".to_owned();
    ClusterSpec {
        version: "v1.36.3".to_owned(),
        network: NetworkSpec {
            external_network: "public".to_owned(),
            node_cidr: "10.0.0.0/24".parse().unwrap(),
            pod_cidr: "10.128.0.0/16".parse().unwrap(),
            service_cidr: "10.96.0.0/16".parse().unwrap(),
            ..NetworkSpec::default()
        },
        control_plane: ControlPlaneSpec { count: masters, flavor: flavor(), root_volume_gib: 20, ..ControlPlaneSpec::default() },
        node_pools: vec![NodePoolSpec {
            name: "default".to_owned(),
            flavor: flavor(),
            count: workers,
            root_volume_gib: 20,
            ..NodePoolSpec::default()
        }],
        server_group_members: 10,
        ..ClusterSpec::default()
    }
}

/// The cluster `demo`, just asked for.
#[must_use]
pub fn cluster(id: ClusterId, tenant: &str, spec: ClusterSpec, now: OffsetDateTime) -> Cluster {
    Cluster {
        id,
        tenant: TenantId(tenant.to_owned()),
        tenant_name: "tenant-a".to_owned(),
        name: "demo".to_owned(),
        spec,
        generation: 1,
        observed_generation: 0,
        status: ClusterStatus::new(),
        operation: None,
        created_at: now,
        created_by: "member-a".to_owned(),
        people_version: 1,
        delete_requested_at: None,
        deleted_at: None,
    }
}

/// The row of an object that is gone, named after its kind.
#[must_use]
pub fn gone_row(cluster: ClusterId, kind: ResourceKind, cloud_id: &str) -> LedgerRow {
    let name = crate::names::object(cluster, kind.as_str());
    let row = LedgerRow::new(ResourceId::generate(), cluster, kind.as_str().to_owned(), kind, name, OffsetDateTime::UNIX_EPOCH);
    LedgerRow { state: ResourceState::Gone, cloud_id: Some(cloud_id.to_owned()), called_at: Some(OffsetDateTime::UNIX_EPOCH), ..row }
}
