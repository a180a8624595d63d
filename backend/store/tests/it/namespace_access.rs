//! Which namespaces of a cluster what is narrowed comes into: what is good at this moment, as much as its owner may do, and that the engine is told.

use crate::support::{create, member, operator, person};
use auth::{Actor, KubeconfigIssue, KubeconfigRevoke, KubeconfigRevokeAll, MembersManage, Narrowing, TokenCreate, TokenRevoke};
use domain::changes::Change;
use domain::ids::ClusterId;
use domain::members::{GivenPlace, GivenRole, Inside};
use domain::permissions::{Permission, Role};
use sealed::{Token, TokenKind};
use store::test_support::Database;
use store::{ClusterRecord, Given, KubeconfigRecord, NewKubeconfig, NewToken, RequestContext, Store, TokenRecord, WakeUp};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

fn to(namespaces: &[&str]) -> Narrowing {
    Narrowing { namespaces: Some(namespaces.iter().map(|name| (*name).to_owned()).collect()), ..Narrowing::default() }
}

fn looking(namespaces: &[&str]) -> Narrowing {
    Narrowing { permissions: Some([].into()), ..to(namespaces) }
}

async fn kubeconfig(store: &Store, actor: &Actor, cluster: &ClusterRecord, narrowing: Narrowing) -> KubeconfigRecord {
    let token_hash = Token::generate(TokenKind::Kubeconfig).unwrap().hash;
    let new = NewKubeconfig { name: String::new(), token_hash, narrowing, expires_at: OffsetDateTime::now_utc() + Duration::hours(1) };
    store.kubeconfig_issue(actor.may::<KubeconfigIssue>(cluster).unwrap(), new, RequestContext::default()).await.unwrap()
}

async fn token(store: &Store, actor: &Actor, narrowing: Narrowing) -> TokenRecord {
    let token_hash = Token::generate(TokenKind::Api).unwrap().hash;
    let expires_at = OffsetDateTime::now_utc() + Duration::hours(1);
    let new = NewToken { name: "ci".into(), token_hash, narrowing, cidrs: Vec::new(), expires_at };
    store.token_create(actor.may::<TokenCreate>(&actor.project).unwrap(), new, RequestContext::default()).await.unwrap()
}

fn running(namespaces: &[&str]) -> Narrowing {
    Narrowing { permissions: Some([Permission::KubernetesExec].into()), ..to(namespaces) }
}

/// The names, with a mark where more is done than looking.
async fn open(store: &Store, cluster: ClusterId) -> String {
    let all = store.namespace_access(cluster).await.unwrap().narrowed;
    let mark = |inside: &Inside| match inside {
        Inside::Looks => "",
        Inside::Runs => "!",
        Inside::Changes => "+",
    };
    all.iter().map(|(name, inside)| format!("{name}{}", mark(inside))).collect::<Vec<_>>().join(" ")
}

async fn version(store: &Store, actor: &Actor, cluster: ClusterId) -> i64 {
    store.cluster(&actor.scope(), cluster).await.unwrap().cluster.people_version
}

#[tokio::test]
async fn a_namespace_is_open_as_long_as_something_good_is_narrowed_to_it() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b) = (member("a"), member("b"));
    let (cluster, other, strange) = (create(&store, &a, "x").await, create(&store, &a, "y").await, create(&store, &b, "x").await);
    let (id, other_id) = (cluster.cluster.id, other.cluster.id);
    let (mut last, mut last_other) = (version(&store, &a, id).await, version(&store, &a, other_id).await);
    kubeconfig(&store, &a, &cluster, Narrowing::default()).await;
    token(&store, &a, Narrowing::default()).await;
    token(&store, &b, to(&["web"])).await;
    assert_eq!(
        (open(&store, id).await.as_str(), version(&store, &a, id).await),
        ("", last),
        "what is narrowed to no namespaces is no affair of theirs"
    );
    assert_eq!(open(&store, strange.cluster.id).await, "web+", "the tenant's own");

    let one = kubeconfig(&store, &a, &cluster, to(&["shop", "web"])).await;
    let two = kubeconfig(&store, &a, &cluster, looking(&["logs", "web"])).await;
    assert_eq!((open(&store, id).await.as_str(), open(&store, other_id).await.as_str()), ("logs shop+ web+", ""));
    let everywhere = token(&store, &a, to(&["jobs"])).await;
    let there = token(&store, &a, Narrowing { clusters: Some([other_id].into()), ..looking(&["web"]) }).await;
    assert_eq!((open(&store, id).await.as_str(), open(&store, other_id).await.as_str()), ("jobs+ logs shop+ web+", "jobs+ web"));
    let (now, now_other) = (version(&store, &a, id).await, version(&store, &a, other_id).await);
    assert!(now >= last + 3 && now_other >= last_other + 2, "{last} {now}, {last_other} {now_other}");
    (last, last_other) = (now, now_other);

    store.kubeconfig_revoke(a.may::<KubeconfigRevoke>(&one).unwrap(), RequestContext::default()).await.unwrap();
    assert_eq!(open(&store, id).await, "jobs+ logs web", "who looks is still there");
    store.token_revoke(a.may::<TokenRevoke>(&there).unwrap(), RequestContext::default()).await.unwrap();
    assert_eq!((open(&store, id).await.as_str(), open(&store, other_id).await.as_str()), ("jobs+ logs web", "jobs+"));
    assert_eq!((version(&store, &a, id).await, version(&store, &a, other_id).await), (last + 1, last_other + 1));
    // Uses are no change.
    database.execute("UPDATE kubeconfigs SET last_used_at = now(), checked_at = now(); UPDATE api_tokens SET last_used_at = now()").await;
    assert_eq!(version(&store, &a, id).await, last + 1);
    database.execute("UPDATE kubeconfigs SET expires_at = now() WHERE narrowing ->> 'namespaces' IS NOT NULL").await;
    assert_eq!(open(&store, id).await, "jobs+", "{} is over", two.id);
    store.token_revoke(a.may::<TokenRevoke>(&everywhere).unwrap(), RequestContext::default()).await.unwrap();
    assert_eq!((open(&store, id).await.as_str(), open(&store, other_id).await.as_str()), ("", ""));
}

#[tokio::test]
async fn a_namespace_is_open_as_far_as_the_most_that_is_done_there() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let cluster = create(&store, &a, "x").await;
    let id = cluster.cluster.id;
    kubeconfig(&store, &a, &cluster, looking(&["logs", "web"])).await;
    kubeconfig(&store, &a, &cluster, running(&["agents", "web"])).await;
    assert_eq!(open(&store, id).await, "agents! logs web!");
    kubeconfig(&store, &a, &cluster, to(&["web"])).await;
    kubeconfig(&store, &a, &cluster, running(&["logs", "web"])).await;
    assert_eq!(open(&store, id).await, "agents! logs! web+");
}

#[tokio::test]
async fn no_namespace_is_open_further_than_the_owner_of_what_is_narrowed_may_go() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, owner) = (member("a"), person("a", Role::Owner));
    let cluster = create(&store, &a, "x").await;
    let id = cluster.cluster.id;
    let held = kubeconfig(&store, &a, &cluster, to(&["monitoring", "web"])).await;
    assert_eq!(open(&store, id).await, "monitoring+ web+");
    let give = async |role, places| {
        let permit = owner.may::<MembersManage>(&owner.project).unwrap();
        store.member_give(permit, a.user.clone(), Given { role: GivenRole::BuiltIn(role), places }, RequestContext::default()).await.unwrap();
    };
    let before = version(&store, &a, id).await;
    give(Role::Reader, vec![]).await;
    assert_eq!((open(&store, id).await.as_str(), version(&store, &a, id).await), ("monitoring web", before + 1));
    let place = GivenPlace { cluster: id, namespace: Some("web".into()), role: GivenRole::BuiltIn(Role::Member) };
    give(Role::Guest, vec![place]).await;
    assert_eq!(open(&store, id).await, "web+", "nobody opens what they were not given");
    // Keystone does not know the person in the project any more.
    let before = version(&store, &a, id).await;
    let other = Token::generate(TokenKind::Kubeconfig).unwrap().hash;
    store.kubeconfig_checked(held.id, &other, &a.project.id, &a.user.id, vec![]).await.unwrap();
    assert_eq!(open(&store, id).await, "");
    assert!(version(&store, &a, id).await > before, "for what was narrowed, and for the place");
}

/// Of one person: three thousand kubeconfigs for a namespace in each cluster, in those of other projects expired long ago; and two thousand tokens.
const THOUSANDS: &str = "
    INSERT INTO kubeconfigs (id, cluster_id, name, token_hash, user_id, user_name, user_domain, roles, expires_at, narrowing)
    SELECT gen_random_uuid(), c.id, '', sha256((c.id::text || n)::bytea), 'id-of-a', 'member-of-a', 'default', '[\"member\"]'::jsonb,
           now() + CASE c.tenant_id WHEN 'a' THEN interval '1 hour' ELSE interval '-1 day' END, '{\"namespaces\": [\"web\"]}'::jsonb
    FROM clusters c, generate_series(1, 3000) n;
    INSERT INTO api_tokens (id, tenant_id, name, token_hash, user_id, user_name, user_domain, roles, narrowing, cidrs, expires_at)
    SELECT gen_random_uuid(), 'a', 'ci', sha256(n::text::bytea), 'id-of-a', 'member-of-a', 'default', '[\"member\"]'::jsonb,
           '{\"clusters\": null, \"namespaces\": [\"web\"]}'::jsonb, '[]'::jsonb, now() + interval '1 hour'
    FROM generate_series(1, 2000) n";

#[tokio::test]
async fn thousands_that_end_at_once_are_one_change_of_each_cluster() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b, operator) = (member("a"), member("b"), operator());
    let (one, other, strange) = (create(&store, &a, "x").await, create(&store, &a, "y").await, create(&store, &b, "x").await);
    let ids = [one.cluster.id, other.cluster.id, strange.cluster.id];
    let versions = async || [version(&store, &a, ids[0]).await, version(&store, &a, ids[1]).await, version(&store, &b, ids[2]).await];
    let [first, second, third] = versions().await;
    database.execute(THOUSANDS).await;
    assert_eq!(versions().await, [first + 2, second + 2, third], "once for the kubeconfigs and once for the tokens; never for what has expired");
    let permit = a.may::<KubeconfigRevokeAll>(&one).unwrap();
    assert_eq!(store.kubeconfig_revoke_all(permit, None, RequestContext::default()).await.unwrap(), 3000);
    assert_eq!(versions().await, [first + 3, second + 2, third]);
    let cut = store.person_cut_off(operator.operator().unwrap(), &operator, a.user.id.clone(), RequestContext::default()).await.unwrap().0;
    assert_eq!((cut.tokens, cut.kubeconfigs), (2000, 3000));
    assert_eq!(versions().await, [first + 4, second + 4, third], "once for the tokens, once for the kubeconfigs of the one that still had some");
    assert_eq!(open(&store, other.cluster.id).await, "");
}

#[tokio::test]
async fn a_cluster_that_is_gone_hears_nothing_of_what_was_narrowed_there() {
    let database = Database::new().await;
    let store = database.store().await;
    let a = member("a");
    let cluster = create(&store, &a, "x").await;
    kubeconfig(&store, &a, &cluster, to(&["web"])).await;
    let claim = store.claim(Uuid::now_v7(), std::time::Duration::from_secs(60)).await.unwrap().unwrap();
    store.load(&claim).await.unwrap();
    let mut wakeups = store.wakeups();
    while wakeups.recv().await.unwrap() != WakeUp::Resync {}
    store.commit(&claim, &[Change::ClusterGone]).await.unwrap();
    let next = create(&store, &a, "y").await;
    assert_eq!(wakeups.recv().await.unwrap(), WakeUp::Cluster(next.cluster.id), "nothing was said before that");
}
