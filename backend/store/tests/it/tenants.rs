//! Tenants' limits hold whoever comes at once and in whatever order, and requests change them once.

use crate::support::{create, member, operator};
use auth::{Actor, ClusterCreate, ClusterDelete, ControlPlaneResize, NodePoolCreate, NodePoolResize, QuotaRequest};
use domain::clusters::NodePoolSpec;
use domain::codes::Code;
use domain::requests::FlavorSize;
use domain::tenants::{Allowed, Limited, Limits, QuotaAnswer, QuotaDecision, QuotaRequestState, TenantTerms};
use domain::test_support::spec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use sqlx::ConnectOptions;
use store::test_support::Database;
use store::{ClusterRecord, NewCluster, PageRequest, RequestContext, Store, StoreError, TenantFilter};
use uuid::Uuid;

fn medium() -> Vec<FlavorSize> {
    vec![FlavorSize { name: "m1.medium".into(), vcpus: 2, ram_mib: 4096 }]
}

async fn try_create(store: &Store, actor: &Actor, name: &str, workers: u32, limits: &Limits) -> Result<ClusterRecord, StoreError> {
    let new = NewCluster { name: name.into(), spec: spec(1, workers), limits: limits.clone(), room: None };
    let made = store.cluster_create(actor.may::<ClusterCreate>(&actor.project).unwrap(), new, None, RequestContext::default()).await;
    made.map(|made| made.cluster)
}

/// What the engine would have recorded once everything was there.
async fn settle(database: &Database) {
    database.execute("UPDATE operations SET state = 'succeeded'; UPDATE clusters SET observed_generation = generation").await;
}

fn short<T: std::fmt::Debug>(result: Result<T, StoreError>) -> (Limited, u64, u64, u64) {
    match result {
        Err(StoreError::Short(s)) => (s.limited, s.used, s.need, s.limit),
        other => panic!("{other:?}"),
    }
}

async fn nodes(store: &Store, actor: &Actor) -> u64 {
    store.holdings(&actor.scope()).await.unwrap().totals()[&Limited::Nodes]
}

#[tokio::test]
async fn every_kind_of_growth_is_counted_and_shrinking_never_refused() {
    let database = Database::new().await;
    let store = database.store().await;
    store.flavors_seen(&medium()).await.unwrap();
    let a = member("a");
    let limits: Limits = [(Limited::Nodes, 8), (Limited::Vcpus, 14)].into();
    let web = try_create(&store, &a, "web", 2, &limits).await.unwrap();
    assert_eq!(short(try_create(&store, &a, "big", 5, &limits).await), (Limited::Nodes, 3, 6, 8));
    settle(&database).await;
    let resize = async |count, limits: &Limits| {
        let permit = a.may::<NodePoolResize>(&web).unwrap();
        store.node_pool_resize(permit, "default".into(), count, vec![], limits.clone(), RequestContext::default()).await
    };
    assert_eq!(short(resize(7, &limits).await), (Limited::Vcpus, 6, 10, 14));
    assert_eq!(short(resize(8, &limits).await), (Limited::Nodes, 3, 6, 8));
    let pool = NodePoolSpec { name: "second".into(), count: 6, ..web.cluster.spec.node_pools[0].clone() };
    let more = store.node_pool_create(a.may::<NodePoolCreate>(&web).unwrap(), pool, None, limits.clone(), RequestContext::default()).await;
    assert_eq!(short(more), (Limited::Nodes, 3, 6, 8));
    let masters = |limits| store.control_plane_resize(a.may::<ControlPlaneResize>(&web).unwrap(), 5, limits, RequestContext::default());
    assert_eq!(short(masters([(Limited::Nodes, 6)].into()).await), (Limited::Nodes, 3, 4, 6));
    let tight: Limits = [(Limited::Nodes, 1), (Limited::Vcpus, 1)].into();
    resize(1, &tight).await.expect("who has more than a limit may shrink");
    settle(&database).await;
    assert_eq!(short(resize(2, &tight).await), (Limited::Nodes, 2, 1, 1));
    resize(6, &limits).await.unwrap();
    assert_eq!(nodes(&store, &a).await, 7);
    let deleting = store.cluster_delete(a.may::<ClusterDelete>(&web).unwrap(), json!("keep"), RequestContext::default()).await;
    assert!(deleting.is_ok());
    assert_eq!(nodes(&store, &a).await, 7, "what is being deleted is still there");
    create(&store, &member("b"), "web").await;
    assert_eq!(nodes(&store, &a).await, 7, "others have their own");
}

/// One wish of those that come at once.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Create { workers: u32 },
    Resize { which: usize, workers: u32 },
    Masters { which: usize },
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = prop_oneof![
        (0u32..6).prop_map(|workers| Wish::Create { workers }),
        (0usize..3, 0u32..9).prop_map(|(which, workers)| Wish::Resize { which, workers }),
        (0usize..3).prop_map(|which| Wish::Masters { which }),
    ];
    proptest::collection::vec(wish, 2..10)
}

#[tokio::test]
async fn whatever_comes_at_once_stays_within_the_limit_and_what_fits_is_not_refused() {
    const LIMIT: u64 = 16;
    let (mut runner, mut refused, mut passed) = (TestRunner::deterministic(), 0, 0);
    let database = Database::new().await;
    let store = database.store().await;
    store.flavors_seen(&medium()).await.unwrap();
    let limits: Limits = [(Limited::Nodes, LIMIT)].into();
    for round in 0..24 {
        let wishes = wishes().new_tree(&mut runner).unwrap().current();
        let tenant = member(&format!("t{round}"));
        let mut there = Vec::new();
        for number in 0..3 {
            there.push(try_create(&store, &tenant, &format!("c{number}"), 2, &limits).await.unwrap());
        }
        settle(&database).await;
        let one = async |number: usize, wish: Wish| match wish {
            Wish::Create { workers } => try_create(&store, &tenant, &format!("n{number}"), workers, &limits).await.map(|_| ()),
            Wish::Resize { which, workers } => {
                let permit = tenant.may::<NodePoolResize>(&there[which]).unwrap();
                let asked = store.node_pool_resize(permit, "default".into(), workers, vec![], limits.clone(), RequestContext::default());
                asked.await.map(|_| ())
            }
            Wish::Masters { which } => {
                let permit = tenant.may::<ControlPlaneResize>(&there[which]).unwrap();
                store.control_plane_resize(permit, 3, limits.clone(), RequestContext::default()).await.map(|_| ())
            }
        };
        let answers = futures::future::join_all(wishes.iter().enumerate().map(|(number, wish)| one(number, *wish))).await;
        assert!(nodes(&store, &tenant).await <= LIMIT, "{wishes:?}: {answers:?}");
        for answer in answers {
            match answer {
                Ok(()) => passed += 1,
                Err(StoreError::Short(s)) => {
                    assert!(s.used + s.need > s.limit, "{s:?}");
                    refused += 1;
                }
                // Somebody else's wish for the same cluster was first.
                Err(StoreError::Refused(Code::Busy)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert!(passed > 20 && refused > 20, "{passed} passed, {refused} refused: the test says something");
}

#[tokio::test]
async fn a_tenants_own_terms_win_over_the_installations() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, boss) = (member("a"), operator());
    let scope = boss.operator().unwrap();
    let web = create(&store, &a, "web").await;
    settle(&database).await;
    let installation: Limits = [(Limited::Clusters, 1)].into();
    let set = async |terms: TenantTerms| {
        store.tenant_set_terms(scope, &boss, a.project.id.clone(), terms, RequestContext::default()).await.unwrap();
    };
    assert_eq!(short(try_create(&store, &a, "two", 1, &installation).await), (Limited::Clusters, 1, 1, 1));
    set(TenantTerms { limits: [(Limited::Clusters, None)].into(), ..TenantTerms::default() }).await;
    try_create(&store, &a, "two", 1, &installation).await.unwrap();
    set(TenantTerms { limits: [(Limited::Clusters, Some(2))].into(), ..TenantTerms::default() }).await;
    assert_eq!(short(try_create(&store, &a, "three", 1, &Limits::new()).await), (Limited::Clusters, 2, 1, 2));
    let only = |name: &str| Some([name.to_owned()].into());
    for allowed in [
        Allowed { flavors: only("m1.large"), ..Allowed::default() },
        Allowed { versions: only("v1.35.6"), ..Allowed::default() },
        Allowed { external_networks: only("other"), ..Allowed::default() },
    ] {
        set(TenantTerms { allowed: allowed.clone(), ..TenantTerms::default() }).await;
        let refused = try_create(&store, &a, "four", 1, &Limits::new()).await;
        assert!(matches!(refused, Err(StoreError::Refused(Code::NotAllowed))), "{allowed:?}: {refused:?}");
    }
    set(TenantTerms { allowed: Allowed { flavors: only("m1.large"), versions: only("v1.35.6"), ..Allowed::default() }, ..TenantTerms::default() })
        .await;
    let resize = async |count| {
        let permit = a.may::<NodePoolResize>(&web).unwrap();
        store.node_pool_resize(permit, "default".into(), count, vec![], Limits::new(), RequestContext::default()).await
    };
    assert!(matches!(resize(3).await, Err(StoreError::Refused(Code::NotAllowed))));
    resize(1).await.expect("fewer of a flavor that may not be used any more are no matter");
    let mut admin = database.options().connect.connect().await.unwrap();
    let lines: i64 =
        sqlx::query_scalar("SELECT count(*) FROM audit WHERE action = 'tenant_update' AND object_id = 'a'").fetch_one(&mut admin).await.unwrap();
    assert_eq!(lines, 6);
}

#[tokio::test]
async fn a_request_is_answered_once_and_an_approval_raises_what_is_less() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, boss) = (member("a"), operator());
    let scope = boss.operator().unwrap();
    let installation: Limits = [(Limited::Clusters, 1), (Limited::Nodes, 10)].into();
    let ask = async |wanted: Limits| {
        store.quota_request_create(a.may::<QuotaRequest>(&a.project).unwrap(), wanted, "season".into(), RequestContext::default()).await
    };
    let decide = async |id, answer| {
        let decision = QuotaDecision { answer, words: "so be it".into() };
        store.quota_request_decide(scope, &boss, id, decision, installation.clone(), RequestContext::default()).await
    };
    let first = ask([(Limited::Clusters, 5), (Limited::Nodes, 50)].into()).await.unwrap();
    assert!(matches!(ask([(Limited::Nodes, 60)].into()).await, Err(StoreError::Refused(Code::RequestPending))));
    let seen = store.tenants(scope, TenantFilter { asks: true, search: None }, PageRequest::default()).await.unwrap();
    assert_eq!(seen.items.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["a"]);
    // The operator raised one of them more than was asked for, meanwhile.
    let more = TenantTerms { limits: [(Limited::Nodes, Some(70))].into(), ..TenantTerms::default() };
    store.tenant_set_terms(scope, &boss, a.project.id.clone(), more, RequestContext::default()).await.unwrap();
    let answers =
        futures::future::join_all([QuotaAnswer::Approve, QuotaAnswer::Decline, QuotaAnswer::Approve].map(|answer| decide(first.id, answer))).await;
    let once: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
    assert_eq!(once.len(), 1, "{once:?}");
    if once[0].state == QuotaRequestState::Approved {
        let terms = store.tenant_terms(&a.project.id).await.unwrap();
        assert_eq!(terms.limits, [(Limited::Clusters, Some(5)), (Limited::Nodes, Some(70))].into());
    }
    let second = ask([(Limited::Nodes, 90)].into()).await.unwrap();
    let declined = decide(second.id, QuotaAnswer::Decline).await.unwrap();
    assert_eq!(
        (declined.state, declined.words.as_str(), declined.decided_by.as_deref()),
        (QuotaRequestState::Declined, "so be it", Some("member-of-admin"))
    );
    assert_eq!(store.tenant_terms(&a.project.id).await.unwrap().limits.get(&Limited::Nodes), Some(&Some(70)));
    let third = ask([(Limited::Nodes, 90)].into()).await.unwrap();
    let foreign = member("b");
    let withdraw = |who: &Actor| store.quota_request_withdraw(who.may::<QuotaRequest>(&who.project).unwrap(), third.id, RequestContext::default());
    assert!(matches!(withdraw(&foreign).await, Err(StoreError::NotFound)));
    assert_eq!(withdraw(&a).await.unwrap().state, QuotaRequestState::Withdrawn);
    assert!(matches!(decide(third.id, QuotaAnswer::Approve).await, Err(StoreError::Refused(Code::RequestDecided))));
    let own = store.quota_requests(&a.scope(), None, PageRequest { limit: 2, cursor: None }).await.unwrap();
    assert_eq!((own.total, own.items.len(), own.items[0].id), (Some(3), 2, third.id));
    let rest = store.quota_requests(&a.scope(), None, PageRequest { limit: 2, cursor: own.next_cursor }).await.unwrap();
    assert_eq!((rest.items.len(), rest.items[0].id, rest.next_cursor), (1, first.id, None));
    assert!(store.quota_requests(&foreign.scope(), None, PageRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn tenants_are_listed_once_each_with_what_they_have() {
    let database = Database::new().await;
    let store = database.store().await;
    let boss = operator();
    let scope = boss.operator().unwrap();
    for name in ["delta", "alpha", "Charlie", "bravo"] {
        create(&store, &member(name), "web").await;
    }
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.tenants(scope, TenantFilter::default(), PageRequest { limit: 3, cursor }).await.unwrap();
        assert_eq!(page.total, Some(4));
        names.extend(page.items.into_iter().map(|tenant| tenant.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["alpha", "bravo", "Charlie", "delta"]);
    // The size of their flavor is not known yet: nodes count, vCPU cannot.
    let found = store.tenants(scope, TenantFilter { search: Some("CHAR".into()), asks: false }, PageRequest::default()).await.unwrap();
    assert_eq!((found.items[0].used[&Limited::Nodes], found.items[0].used[&Limited::Vcpus]), (3, 0));
    store.flavors_seen(&medium()).await.unwrap();
    store.flavors_seen(&[FlavorSize { name: "m1.medium".into(), vcpus: 4, ram_mib: 8192 }]).await.unwrap();
    let one = store.tenant(scope, member("Charlie").project.id).await.unwrap();
    assert_eq!((one.used[&Limited::Vcpus], one.used[&Limited::MemoryGib]), (12, 24));
    assert!(matches!(store.tenant(scope, domain::ids::TenantId(Uuid::nil().to_string())).await, Err(StoreError::NotFound)));
}
