//! Orphans: what is kept of them between two looks, whose turn it is, and who may have them removed.

use crate::support::{create, member, operator};
use domain::ids::{ClusterId, ResourceId};
use domain::ledger::ResourceKind;
use domain::orphans::{Decision, Marked, Verdict};
use sqlx::ConnectOptions;
use std::time::Duration;
use store::test_support::Database;
use store::{RequestContext, Store, StoreError, Turn};

const EVERY: Duration = Duration::from_secs(600);
const LEASE: Duration = Duration::from_secs(60);
/// As if the next turn had come.
const NEXT_TURN: &str = "UPDATE sweeps SET run_at = now()";

fn network(name: &str) -> Marked {
    let (cluster, resource) = (ClusterId::generate(), Some(ResourceId::generate()));
    Marked { kind: ResourceKind::Network, cloud_id: format!("id-of-{name}"), name: name.into(), cluster, resource }
}

async fn claim(store: &Store) -> Option<Turn> {
    store.sweep_claim(EVERY, LEASE).await.unwrap()
}

#[tokio::test]
async fn a_project_is_looked_through_by_one_process_at_a_time() {
    let database = Database::new().await;
    let (one, other) = (database.store().await, database.store().await);
    assert_eq!(claim(&one).await, None, "there is no tenant");
    create(&one, &member("a"), "web").await;
    create(&one, &member("b"), "web").await;
    let (first, second) = (claim(&one).await.unwrap(), claim(&other).await.unwrap());
    assert_ne!(first.tenant, second.tenant);
    // Even when both are due again, as after an operator's decision: they are held.
    database.execute(NEXT_TURN).await;
    assert_eq!((claim(&one).await, claim(&other).await), (None, None));
    one.sweep_release(first.clone(), None).await.unwrap();
    assert_eq!(claim(&other).await.map(|t| t.tenant), Some(first.tenant.clone()), "what became due meanwhile is due");
    // Whoever lost its turn ends nobody else's.
    one.sweep_release(first, Some(Duration::ZERO)).await.unwrap();
    assert_eq!(claim(&one).await, None);
    other.sweep_release(second, None).await.unwrap();
    // A process that died holds nothing for ever.
    database.execute("UPDATE sweeps SET run_at = now(), held_until = now() - interval '1 second'").await;
    assert!(claim(&one).await.is_some());
}

#[tokio::test]
async fn projects_that_came_together_are_not_looked_through_together_for_ever() {
    let database = Database::new().await;
    let store = database.store().await;
    for tenant in 'a'..='h' {
        create(&store, &member(&tenant.to_string()), "web").await;
    }
    while let Some(turn) = claim(&store).await {
        store.sweep_release(turn, None).await.unwrap();
    }
    let due = "SELECT EXTRACT(EPOCH FROM run_at - now())::double precision, EXTRACT(EPOCH FROM run_at)::double precision / 600,
                      (hashtext(tenant_id) & 65535) / 65536.0::double precision FROM sweeps";
    let due: Vec<(f64, f64, f64)> = sqlx::query_as(due).fetch_all(&mut database.options().connect.connect().await.unwrap()).await.unwrap();
    assert_eq!(due.len(), 8);
    for (after, periods, moment) in &due {
        assert!((0.0..=900.0).contains(after) && (periods - periods.floor() - moment).abs() < 0.001, "{due:?}");
    }
    // One that lies further away than any turn does was planned with another period.
    database.execute("UPDATE sweeps SET run_at = now() + interval '901 seconds' WHERE tenant_id = 'c'").await;
    assert_eq!(claim(&store).await.map(|t| t.tenant.0).as_deref(), Some("c"));
}

#[tokio::test]
async fn looks_count_as_long_as_it_is_the_same_case() {
    let database = Database::new().await;
    let store = database.store().await;
    create(&store, &member("a"), "web").await;
    let tenant = claim(&store).await.unwrap().tenant;
    let (object, other) = (network("n"), network("m"));
    let see = async |seen: Vec<(Marked, Verdict)>, whole: Vec<ResourceKind>| store.orphans_seen(&tenant, seen, whole).await.unwrap().known;
    let all = vec![ResourceKind::Network];
    let first = see(vec![(object.clone(), Verdict::NoRow), (other.clone(), Verdict::Ours)], all.clone()).await;
    assert_eq!(first.iter().map(|o| (o.object.clone(), o.looks)).collect::<Vec<_>>(), [(object.clone(), 1), (other.clone(), 1)]);
    let scope = operator().operator().unwrap();
    store.orphan_decide(scope, &operator(), first[0].id, Decision::Delete, RequestContext::default()).await.unwrap();

    // A list that was not read to its end says nothing of what it does not show.
    let second = see(vec![(object.clone(), Verdict::NoRow)], vec![]).await;
    assert_eq!(second.iter().map(|o| (o.looks, o.decision)).collect::<Vec<_>>(), [(2, Some(Decision::Delete)), (1, None)]);
    let third = see(vec![(object.clone(), Verdict::NoRow)], all.clone()).await;
    assert_eq!(third.iter().map(|o| o.looks).collect::<Vec<_>>(), [3]);

    // Another name, mark or verdict: another case. What was decided was about the former one.
    let renamed = Marked { name: "precious".into(), ..object.clone() };
    for (now, verdict) in [(renamed, Verdict::NoRow), (object.clone(), Verdict::NoRow), (object.clone(), Verdict::Contradicted)] {
        let fresh = see(vec![(now, verdict)], all.clone()).await;
        assert_eq!(fresh.iter().map(|o| (o.looks, o.decision)).collect::<Vec<_>>(), [(1, None)], "{verdict:?}");
    }
    assert_eq!(store.orphan_counts().await.unwrap(), [(Verdict::Contradicted, 1)]);
    assert!(see(vec![], all).await.is_empty());
}

#[tokio::test]
async fn volumes_that_were_kept_on_purpose_hide_nothing_however_many_there_are() {
    let database = Database::new().await;
    let store = database.store().await;
    create(&store, &member("a"), "web").await;
    let tenant = claim(&store).await.unwrap().tenant;
    let cluster = ClusterId::generate();
    let volume = |n: u32| Marked { kind: ResourceKind::Volume, cloud_id: format!("id-of-{n}"), name: format!("pvc-{n}"), cluster, resource: None };
    let inside: Vec<(Marked, Verdict)> = (0..1_000).map(|n| (volume(n), Verdict::MadeInside)).collect();
    assert_eq!(store.orphans_seen(&tenant, inside, vec![]).await.unwrap().known.len(), 1_000);
    let late = network("n");
    let seen = store.orphans_seen(&tenant, vec![(late.clone(), Verdict::Ours)], vec![]).await.unwrap().known;
    assert_eq!((seen.len(), &seen[0].object), (1_000, &late), "it is to go");
    let scope = operator().operator().unwrap();
    assert_eq!(store.orphans(scope).await.unwrap()[0].object, late);
    store.orphan_decide(scope, &operator(), seen[0].id, Decision::Keep, RequestContext::default()).await.unwrap();
    let left = store.orphans(scope).await.unwrap();
    assert!(left.len() == 1_000 && left.iter().all(|o| o.verdict == Verdict::MadeInside), "what is to stay hides nothing that waits");
}

#[tokio::test]
async fn nothing_is_asked_to_go_against_an_operators_word_or_out_of_turn() {
    let database = Database::new().await;
    let store = database.store().await;
    create(&store, &member("a"), "web").await;
    let turn = claim(&store).await.unwrap();
    let seen = store.orphans_seen(&turn.tenant, vec![(network("n"), Verdict::Ours)], vec![]).await.unwrap().known;
    assert!(store.orphan_call(&turn, &seen[0]).await.unwrap() && store.orphan_call(&turn, &seen[0]).await.unwrap());
    store.orphan_fault(seen[0].id, Some("409: in use".into())).await.unwrap();
    let scope = operator().operator().unwrap();
    let kept = store.orphan_decide(scope, &operator(), seen[0].id, Decision::Keep, RequestContext::default()).await.unwrap();
    assert!(kept.called_at.is_some() && kept.fault.as_deref() == Some("409: in use"));
    assert!(!store.orphan_call(&turn, &seen[0]).await.unwrap(), "it was said meanwhile");
    store.orphan_decide(scope, &operator(), seen[0].id, Decision::Delete, RequestContext::default()).await.unwrap();
    assert!(store.orphan_call(&turn, &seen[0]).await.unwrap());
    store.sweep_release(turn.clone(), None).await.unwrap();
    assert!(!store.orphan_call(&turn, &seen[0]).await.unwrap(), "the turn is over");
    let gone = store.orphans_seen(&turn.tenant, vec![], vec![ResourceKind::Network]).await.unwrap();
    assert_eq!(gone.removed, [(ResourceKind::Network, "n".to_owned())]);

    let missing = store.orphan_decide(scope, &operator(), seen[0].id, Decision::Keep, RequestContext::default()).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    let mut other = database.options().connect.connect().await.unwrap();
    let query = "SELECT user_name, via, action || ' ' || COALESCE(detail ->> 'decision', '-') FROM audit WHERE object_kind = 'orphan' ORDER BY id";
    let told: Vec<(String, String, String)> = sqlx::query_as(query).fetch_all(&mut other).await.unwrap();
    let told: Vec<String> = told.into_iter().map(|(user, via, what)| format!("{user} by {via}: {what}")).collect();
    let operator = operator().user.name;
    let expected = [
        "kcs by engine: orphan_remove -".to_owned(),
        format!("{operator} by session: orphan_decide keep"),
        format!("{operator} by session: orphan_decide delete"),
    ];
    assert_eq!(told, expected, "its removal is told once, and before it is done");
}

#[tokio::test]
async fn a_mark_of_another_tenants_row_proves_nothing() {
    let database = Database::new().await;
    let store = database.store().await;
    let (a, b) = (member("a"), member("b"));
    let cluster = create(&store, &a, "web").await.cluster.id;
    let claim = store.claim(uuid::Uuid::now_v7(), LEASE).await.unwrap().unwrap();
    let row = domain::test_support::gone_row(cluster, ResourceKind::Network, "id-of-n");
    store.commit(&claim, &[domain::changes::Change::Ledger(row.clone())]).await.unwrap();
    let object = Marked { cluster, resource: Some(row.id), ..network("n") };
    let rows = async |tenant: &domain::ids::TenantId| store.ledger_rows(tenant, std::slice::from_ref(&object)).await.unwrap().len();
    assert_eq!((rows(&a.project.id).await, rows(&b.project.id).await), (1, 0));
}
