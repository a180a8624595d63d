//! People and specifications for the tests.

use auth::{Actor, ClusterCreate, Project, User, Via};
use domain::clusters::{ClusterSpec, ControlPlaneSpec, NetworkSpec, NodePoolSpec};
use domain::ids::TenantId;
use domain::permissions::Role;
use std::collections::BTreeMap;
use store::{ClusterRecord, CreatedCluster, Idempotency, NewCluster, RequestContext, Store, StoreError};

pub fn person(tenant: &str, role: Role) -> Actor {
    Actor {
        user: User { id: format!("id-of-{tenant}"), name: format!("member-of-{tenant}"), domain: "default".into() },
        project: Project { id: TenantId(tenant.into()), name: tenant.into() },
        roles: vec![role],
        operator: false,
        via: Via::Session,
    }
}

pub fn member(tenant: &str) -> Actor {
    person(tenant, Role::Member)
}

pub fn operator() -> Actor {
    Actor { operator: true, ..member("admin") }
}

pub fn spec(workers: u32) -> ClusterSpec {
    ClusterSpec {
        version: "v1.36.3".into(),
        network: NetworkSpec {
            external_network: "public".into(),
            node_cidr: "10.0.0.0/24".parse().unwrap(),
            pod_cidr: "10.128.0.0/16".parse().unwrap(),
            service_cidr: "10.96.0.0/16".parse().unwrap(),
            ..NetworkSpec::default()
        },
        control_plane: ControlPlaneSpec { count: 1, flavor: "m1.medium".into(), root_volume_gib: 20, ..ControlPlaneSpec::default() },
        node_pools: vec![NodePoolSpec {
            name: "default".into(),
            flavor: "m1.medium".into(),
            count: workers,
            root_volume_gib: 20,
            ..NodePoolSpec::default()
        }],
        ..ClusterSpec::default()
    }
}

pub async fn try_create(store: &Store, actor: &Actor, name: &str, key: Option<Idempotency>) -> Result<CreatedCluster, StoreError> {
    let permit = actor.may::<ClusterCreate>(&actor.project).unwrap();
    let new = NewCluster { name: name.into(), spec: spec(2), limit: None, room: None };
    store.cluster_create(permit, new, key, RequestContext::default()).await
}

pub async fn create(store: &Store, actor: &Actor, name: &str) -> ClusterRecord {
    try_create(store, actor, name, None).await.unwrap().cluster
}
