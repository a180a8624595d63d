//! People and specifications for the tests.

use auth::{Actor, ClusterCreate, Grants, KubeconfigIssue, Narrowing, Project, User, Via};
use domain::ids::TenantId;
use domain::permissions::Role;
use domain::tenants::Limits;
use domain::test_support::spec;
use sealed::{Token, TokenHash, TokenKind};
use store::{ClusterRecord, CreatedCluster, Idempotency, KubeconfigRecord, NewCluster, NewKubeconfig, RequestContext, Store, StoreError};
use time::{Duration, OffsetDateTime};

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

pub async fn try_issue(store: &Store, actor: &Actor, cluster: &ClusterRecord) -> Result<(KubeconfigRecord, TokenHash), StoreError> {
    let token = Token::generate(TokenKind::Kubeconfig).unwrap();
    let expires_at = OffsetDateTime::now_utc() + Duration::hours(1);
    let new = NewKubeconfig { name: "laptop".into(), token_hash: token.hash, narrowing: Narrowing::default(), expires_at };
    let issued = store.kubeconfig_issue(actor.may::<KubeconfigIssue>(cluster).unwrap(), new, RequestContext::default()).await?;
    Ok((issued, token.hash))
}

/// A kubeconfig for an hour, with the hash of its token.
pub async fn issue(store: &Store, actor: &Actor, cluster: &ClusterRecord) -> (KubeconfigRecord, TokenHash) {
    try_issue(store, actor, cluster).await.unwrap()
}
