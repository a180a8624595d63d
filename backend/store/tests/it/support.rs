//! People and specifications for the tests.

use auth::{Actor, ClusterCreate, Grants, Project, User, Via};
use domain::ids::TenantId;
use domain::permissions::Role;
use domain::tenants::Limits;
use domain::test_support::spec;
use store::{ClusterRecord, CreatedCluster, Idempotency, NewCluster, RequestContext, Store, StoreError};

pub fn person(tenant: &str, role: Role) -> Actor {
    let user = User { id: format!("id-of-{tenant}"), name: format!("member-of-{tenant}"), domain: "default".into() };
    let project = Project { id: TenantId(tenant.into()), name: tenant.into() };
    Actor::new(user, project, Grants { roles: vec![role], operator: false }, None, Via::Session)
}

pub fn member(tenant: &str) -> Actor {
    person(tenant, Role::Member)
}

pub fn operator() -> Actor {
    Actor { operator: true, ..member("admin") }
}

pub async fn try_create(store: &Store, actor: &Actor, name: &str, key: Option<Idempotency>) -> Result<CreatedCluster, StoreError> {
    let permit = actor.may::<ClusterCreate>(&actor.project).unwrap();
    let new = NewCluster { name: name.into(), spec: spec(1, 2), limits: Limits::new(), room: None };
    store.cluster_create(permit, new, key, RequestContext::default()).await
}

pub async fn create(store: &Store, actor: &Actor, name: &str) -> ClusterRecord {
    try_create(store, actor, name, None).await.unwrap().cluster
}
