//! What owners give people, as far as clusters write it into their own rules.

use crate::support::{create, issue, person};
use auth::{Actor, MembersManage, User};
use domain::members::{GivenPlace, GivenRole};
use domain::permissions::Role;
use sealed::{Token, TokenKind};
use store::test_support::Database;
use store::{ClusterRecord, Given, NewSession, RequestContext, Store};
use time::{Duration, OffsetDateTime};

/// Somebody else in a project.
fn other(tenant: &str, id: &str) -> Actor {
    Actor { user: User { id: id.into(), name: id.into(), domain: "default".into() }, ..person(tenant, Role::Member) }
}

/// An owner gives somebody a namespace.
async fn give(store: &Store, cluster: &ClusterRecord, user: &User) {
    let owner = person("a", Role::Owner);
    let place = GivenPlace { cluster: cluster.cluster.id, namespace: Some("shop".into()), role: GivenRole::BuiltIn(Role::Member) };
    let given = Given { role: GivenRole::BuiltIn(Role::Guest), places: vec![place] };
    store.member_give(owner.may::<MembersManage>(&owner.project).unwrap(), user.clone(), given, RequestContext::default()).await.unwrap();
}

/// Signs somebody in and out again.
async fn come_and_go(store: &Store, who: &Actor) {
    let id = Token::generate(TokenKind::Session).unwrap().hash;
    let new = NewSession {
        id_hash: id,
        csrf_hash: Token::generate(TokenKind::Csrf).unwrap().hash,
        sealed: Vec::new(),
        user: who.user.clone(),
        project: who.project.clone(),
        projects: vec![who.project.clone()],
        roles: vec![Role::Guest],
        operator: false,
        expires_at: OffsetDateTime::now_utc() + Duration::hours(1),
    };
    store.session_create(new).await.unwrap();
    store.session_delete(id).await.unwrap();
}

#[tokio::test]
async fn the_rules_in_clusters_are_not_of_who_was_removed_in_keystone_until_they_are_back() {
    let database = Database::new().await;
    let store = database.store().await;
    let (leaver, stays) = (other("a", "leaver"), other("a", "stays"));
    let (cluster, elsewhere) = (create(&store, &leaver, "web").await, create(&store, &other("b", "leaver"), "web").await);
    for who in [&leaver, &stays] {
        give(&store, &cluster, &who.user).await;
    }
    let (kubeconfig, token) = issue(&store, &leaver, &cluster).await;
    let (second, of_second) = issue(&store, &leaver, &cluster).await;
    let (foreign, of_foreign) = issue(&store, &other("b", "leaver"), &elsewhere).await;
    let (project, user) = (&leaver.project.id, leaver.user.id.as_str());
    // Whom the rules are of, and how often they have changed.
    let mut changes = 0;
    let first = store.cluster(&leaver.scope(), cluster.cluster.id).await.unwrap().cluster.people_version;
    let seen = async || {
        let people = store.namespace_people(cluster.cluster.id).await.unwrap();
        let version = store.cluster(&leaver.scope(), cluster.cluster.id).await.unwrap().cluster.people_version;
        (people.into_iter().map(|person| person.user).collect::<Vec<_>>(), version - first)
    };
    let (both, one) = (vec![user.to_owned(), "stays".to_owned()], vec!["stays".to_owned()]);
    assert_eq!(seen().await, (both.clone(), changes));

    let other_project = &other("b", "leaver").project.id;
    store.kubeconfig_checked(foreign.id, &of_foreign, other_project, user, Vec::new()).await.unwrap();
    assert_eq!(seen().await, (both.clone(), changes), "what is said of another project");
    for (what, roles, expected, change) in [
        ("removed", vec![], &one, 1),
        ("removed still", vec![], &one, 0),
        ("back", vec![Role::Guest], &both, 1),
        ("there still", vec![Role::Member], &both, 0),
        ("removed again", vec![], &one, 1),
    ] {
        store.kubeconfig_checked(kubeconfig.id, &token, project, user, roles).await.unwrap();
        changes += change;
        assert_eq!(seen().await, (expected.clone(), changes), "{what}");
    }
    // What was last said counts, of whatever they hold.
    store.kubeconfig_checked(second.id, &of_second, project, user, vec![Role::Guest]).await.unwrap();
    assert_eq!(seen().await, (both.clone(), changes + 1), "back, by another kubeconfig");
    store.kubeconfig_checked(second.id, &of_second, project, user, Vec::new()).await.unwrap();
    assert_eq!(seen().await, (one, changes + 2), "removed for the third time");
    come_and_go(&store, &other("b", "leaver")).await;
    come_and_go(&store, &stays).await;
    assert_eq!(seen().await.1, changes + 2, "others, and in another project");
    come_and_go(&store, &leaver).await;
    assert_eq!(seen().await, (both.clone(), changes + 3), "signed in, also when the session has ended");
    store.person_confirmed(project, user, vec![Role::Guest]).await.unwrap();
    assert_eq!(seen().await, (both.clone(), changes + 3), "there still, by a token of Keystone's");
    store.kubeconfig_checked(second.id, &of_second, project, user, Vec::new()).await.unwrap();
    store.person_confirmed(other_project, user, vec![Role::Guest]).await.unwrap();
    assert_eq!(seen().await.1, changes + 4, "a token of another project");
    store.person_confirmed(project, user, vec![Role::Guest]).await.unwrap();
    assert_eq!(seen().await, (both, changes + 5), "back, by a token of Keystone's");
}
