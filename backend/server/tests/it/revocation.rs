//! A kubeconfig that is revoked ends what is open with it at once: on every replica, and as soon as a slow database answers again.

use crate::house::{House, Person};
use auth::{Actor, KubeconfigRevoke, Via};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use std::time::{Duration, Instant};
use store::RequestContext;

/// Far less than the time after which an open stream is looked at by itself.
const AT_ONCE: Duration = Duration::from_secs(8);

type Watch = BoxStream<'static, reqwest::Result<bytes::Bytes>>;

/// The person as the store knows them, for what is to happen behind the API's back.
async fn actor(house: &House, person: &Person) -> Actor {
    let session = house.call(Some(person), "GET", "/api/v1/session", None).await.body;
    let part = |name: &str| session[name].clone();
    Actor {
        user: serde_json::from_value(part("user")).unwrap(),
        project: serde_json::from_value(part("project")).unwrap(),
        roles: serde_json::from_value(part("roles")).unwrap(),
        operator: false,
        via: Via::Session,
    }
}

/// Opens a watch through the gate of a replica and reads its first event.
async fn watch(house: &House, cluster: &str, token: &str) -> Watch {
    let request = reqwest::Client::new().get(format!("{}/k8s/clusters/{cluster}/api/v1/pods?watch=1", house.url)).bearer_auth(token);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut watch = answer.bytes_stream().boxed();
    assert!(watch.next().await.unwrap().unwrap().starts_with(b"{\"type\":\"BOOKMARK\""));
    assert!(open(&mut watch), "the watch ends by itself");
    watch
}

fn open(watch: &mut Watch) -> bool {
    watch.next().now_or_never().is_none()
}

async fn cut(mut watch: Watch) {
    let since = Instant::now();
    let end = async { while let Some(Ok(_)) = watch.next().await {} };
    tokio::time::timeout(AT_ONCE, end).await.expect("the watch goes on after the revocation");
    println!("cut after {:?}", since.elapsed());
}

#[actix_web::test]
async fn a_revocation_cuts_watches_on_every_replica_and_no_others() {
    let house = House::new().await;
    let other = house.beside().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let (_, good) = house.kubeconfig(&member, &cluster).await;
    let (here, there) = (watch(&house, &cluster, &token).await, watch(&other, &cluster, &token).await);
    let mut kept = watch(&other, &cluster, &good).await;
    let revoked = house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
    assert_eq!(revoked.status, 204);
    tokio::join!(cut(here), cut(there));
    assert!(open(&mut kept), "the watch of another kubeconfig was cut as well");
    let again = other.call_with(&[("authorization", &format!("Bearer {token}"))], "GET", &format!("/k8s/clusters/{cluster}/api"), None).await;
    assert_eq!(again.status, 401, "{}", again.body);
}

#[actix_web::test]
async fn a_revocation_is_seen_as_soon_as_a_slow_database_answers_again() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let actor = actor(&house, &member).await;
    let record = house.store.kubeconfig(&actor.scope(), kid.parse().unwrap()).await.unwrap();
    let permit = actor.may::<KubeconfigRevoke>(&record).unwrap();
    let mut open_watch = watch(&house, &cluster, &token).await;

    // Whoever wants to know whether a token is good waits from now on; the revocation itself goes through, and is told.
    let mut slow = house.database.lock("tenants").await;
    house.store.kubeconfig_revoke(permit, RequestContext::default()).await.unwrap();
    let start = Instant::now();
    for waiting in [true, false] {
        while (slow.waiting().await > 0) != waiting {
            assert!(start.elapsed() < AT_ONCE, "the gate did not look, or looked for ever");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert!(open(&mut open_watch), "a database that is slow for a moment cuts nobody off");
    slow.release().await;
    cut(open_watch).await;
}
