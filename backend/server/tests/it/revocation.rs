//! Whatever ends a right ends what is open with it at once: on every replica, and as soon as a slow database answers again.

use crate::cluster_api::ClusterApi;
use crate::house::{House, PASSWORD, Person};
use crate::{members, tokens};
use auth::{Actor, Grants, KubeconfigRevoke, Via};
use futures::future::join_all;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use local_cloud::{Effect, FaultRule};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use store::RequestContext;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

/// Far less than the time after which an open stream is looked at by itself.
const AT_ONCE: Duration = Duration::from_secs(8);
/// Within this, after the answer to what ends a right, all is closed that was open with it.
const PROMISED: Duration = Duration::from_secs(1);

/// What comes of a watch or out of a pod.
type Stream = BoxStream<'static, std::io::Result<bytes::Bytes>>;
/// The headers by which somebody is known.
type Known = Vec<(&'static str, String)>;

/// The person as the store knows them, for what is to happen behind the API's back.
async fn actor(house: &House, person: &Person) -> Actor {
    let session = house.call(Some(person), "GET", "/api/v1/session", None).await.body;
    let part = |name: &str| session[name].clone();
    let (user, project) = (serde_json::from_value(part("user")).unwrap(), serde_json::from_value(part("project")).unwrap());
    let grants = Grants { roles: serde_json::from_value(part("roles")).unwrap(), operator: false };
    Actor::new(user, project, grants, None, Via::Session)
}

fn by_token(token: &str) -> Known {
    vec![("authorization", format!("Bearer {token}"))]
}

fn by_session(person: &Person) -> Known {
    vec![("cookie", person.cookie.clone()), ("x-csrf-token", person.csrf.clone())]
}

/// Asks a cluster something through the gate of a replica.
async fn ask(house: &House, cluster: &str, path: &str, headers: &[(&str, String)]) -> reqwest::Response {
    let mut request = reqwest::Client::new().get(format!("{}/k8s/clusters/{cluster}{path}", house.url));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.send().await.unwrap()
}

/// Opens a watch, and reads its first event.
async fn begun(house: &House, cluster: &str, path: &str, known: &[(&str, String)]) -> Stream {
    let answer = ask(house, cluster, path, known).await;
    assert_eq!(answer.status(), 200);
    let mut watch = answer.bytes_stream().map(|piece| piece.map_err(std::io::Error::other)).boxed();
    assert!(watch.next().await.unwrap().unwrap().starts_with(b"{\"type\":\"BOOKMARK\""));
    watch
}

/// Asks for a way into a pod, as a page of ours does.
async fn ask_into(house: &House, cluster: &str, path: &str, known: &[(&'static str, String)]) -> reqwest::Response {
    let socket = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", house.url.as_str()),
    ];
    let headers: Known = known.iter().cloned().chain(socket.map(|(name, value)| (name, value.to_owned()))).collect();
    ask(house, cluster, path, &headers).await
}

/// Opens a way into a pod that says back what it is told.
async fn inside(house: &House, cluster: &str, path: &str, known: &[(&'static str, String)]) -> Stream {
    let answer = ask_into(house, cluster, path, known).await;
    assert_eq!(answer.status(), 101);
    let mut socket = answer.upgrade().await.unwrap();
    socket.write_all(b"ls").await.unwrap();
    let mut back = [0; 2];
    socket.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"ls");
    ReaderStream::new(socket).boxed()
}

/// A watch that is open still.
async fn watch(house: &House, cluster: &str, token: &str) -> Stream {
    let mut watch = begun(house, cluster, "/api/v1/pods?watch=1", &by_token(token)).await;
    assert!(open(&mut watch), "the watch ends by itself");
    watch
}

fn open(stream: &mut Stream) -> bool {
    stream.next().now_or_never().is_none()
}

/// How long it took until it was cut.
async fn cut(mut stream: Stream) -> Duration {
    let since = Instant::now();
    let end = async { while let Some(Ok(_)) = stream.next().await {} };
    tokio::time::timeout(AT_ONCE, end).await.expect("it goes on after the revocation");
    let took = since.elapsed();
    println!("cut after {took:?}");
    took
}

#[derive(Clone, Copy, Debug)]
enum Cause {
    TokenRevoked,
    KubeconfigRevoked,
    KubeconfigsOfPerson,
    SignedOut,
    NamespaceTakenBack,
    RoleChanged,
    CutOff,
    EndedByOperator,
}

/// What somebody comes with, who ends that by which call, and what it is answered from then on.
struct Ending {
    held: Vec<Known>,
    by: Person,
    method: &'static str,
    path: String,
    body: Option<Value>,
    refused: u16,
}

impl Ending {
    fn new(held: Vec<Known>, by: &Person, path: String) -> Self {
        Self { held, by: by.clone(), method: "DELETE", path, body: None, refused: 401 }
    }
}

/// A session, a kubeconfig and a token of somebody's.
async fn all_of(house: &House, cluster: &str, person: &Person) -> Vec<Known> {
    let (_, kubeconfig) = house.kubeconfig(person, cluster).await;
    let (_, token) = tokens::make(house, person, json!({})).await;
    vec![by_session(person), by_token(&kubeconfig), by_token(&token)]
}

async fn ending(house: &House, cluster: &str, owner: &Person, cause: Cause) -> Ending {
    match cause {
        Cause::TokenRevoked => {
            let member = house.sign_in("member-a").await;
            let (id, token) = tokens::make(house, &member, json!({})).await;
            Ending::new(vec![by_token(&token)], &member, format!("/api/v1/tokens/{id}"))
        }
        Cause::KubeconfigRevoked => {
            let member = house.sign_in("member-a").await;
            let (id, token) = house.kubeconfig(&member, cluster).await;
            Ending::new(vec![by_token(&token)], &member, format!("/api/v1/clusters/{cluster}/kubeconfigs/{id}"))
        }
        Cause::KubeconfigsOfPerson => {
            let member = house.sign_in("member-a").await;
            let held = [house.kubeconfig(&member, cluster).await.1, house.kubeconfig(&member, cluster).await.1];
            let id = members::id_of(house, owner, "member-a").await;
            Ending::new(held.iter().map(|token| by_token(token)).collect(), owner, format!("/api/v1/members/{id}/kubeconfigs"))
        }
        Cause::SignedOut => {
            let member = house.sign_in("member-a").await;
            Ending::new(vec![by_session(&member)], &member, "/api/v1/session".to_owned())
        }
        Cause::NamespaceTakenBack => {
            let place = json!({"cluster": cluster, "namespace": "shop", "role": "member"});
            members::give(house, owner, "guest-a", json!({"role": "guest", "places": [place]})).await;
            let guest = house.sign_in("guest-a").await;
            let id = members::id_of(house, owner, "guest-a").await;
            Ending::new(all_of(house, cluster, &guest).await, owner, format!("/api/v1/members/{id}"))
        }
        Cause::RoleChanged => {
            let says = |permissions: Value| json!({"name": Uuid::new_v4().to_string(), "permissions": permissions});
            let role = house.call(Some(owner), "POST", "/api/v1/roles", Some(&says(json!(["kubernetes_write", "kubernetes_exec"])))).await.body;
            members::give(house, owner, "reader-a", json!({"role": role["id"]})).await;
            let held = all_of(house, cluster, &house.sign_in("reader-a").await).await;
            let path = format!("/api/v1/roles/{}", role["id"].as_str().unwrap());
            Ending { method: "PUT", body: Some(says(json!([]))), refused: 403, ..Ending::new(held, owner, path) }
        }
        Cause::CutOff => {
            let mut held = all_of(house, cluster, &house.sign_in("member-a").await).await;
            // Keystone goes on calling it good.
            held.push(vec![("x-auth-token", house.keystone_token("member-a", "tenant-a").await)]);
            let id = members::id_of(house, owner, "member-a").await;
            Ending::new(held, &house.sign_in("operator").await, format!("/api/v1/admin/people/{id}/access"))
        }
        Cause::EndedByOperator => {
            let (member, operator) = (house.sign_in("member-a").await, house.sign_in("operator").await);
            let path = format!("/api/v1/admin/people/{}/access", members::id_of(house, owner, "member-a").await);
            // The newest of theirs is this session.
            let held = house.call(Some(&operator), "GET", &path, None).await.body;
            let id = held["items"][0]["id"].as_str().unwrap();
            Ending::new(vec![by_session(&member)], &operator, format!("{path}/{id}"))
        }
    }
}

/// Opens all that somebody may, at one replica, has the cause happen at another, and answers how long after that everything was closed.
async fn cut_by(there: &House, here: &House, cluster: &str, owner: &Person, cause: Cause) -> Duration {
    let (secrets, shell) = ("/api/v1/namespaces/shop/secrets?watch=1", "/api/v1/namespaces/shop/pods/web/exec?command=sh");
    let ending = ending(here, cluster, owner, cause).await;
    let mut streams = Vec::new();
    for known in &ending.held {
        streams.push(begun(there, cluster, secrets, known).await);
        streams.push(inside(there, cluster, shell, known).await);
    }
    assert!(streams.iter_mut().all(open), "{cause:?}: something ends by itself");
    let done = here.call(Some(&ending.by), ending.method, &ending.path, ending.body.as_ref()).await;
    assert!(matches!(done.status, 200 | 204), "{cause:?}: {}", done.body);
    let took = join_all(streams.into_iter().map(cut)).await.into_iter().max().unwrap();
    for replica in [there, here] {
        for known in &ending.held {
            let next = [ask(replica, cluster, secrets, known).await.status(), ask_into(replica, cluster, shell, known).await.status()];
            assert_eq!(next.map(|status| status.as_u16()), [ending.refused; 2], "{cause:?}");
        }
    }
    took
}

#[actix_web::test]
async fn whatever_ends_a_right_closes_watches_and_commands_at_another_replica_within_a_second() {
    let here = House::new().await;
    let there = here.beside().await;
    let owner = here.sign_in("owner-a").await;
    let (cluster, _api) = here.cluster_with_echoing_api(&owner, "web").await;
    for cause in [
        Cause::TokenRevoked,
        Cause::KubeconfigRevoked,
        Cause::KubeconfigsOfPerson,
        Cause::SignedOut,
        Cause::NamespaceTakenBack,
        Cause::RoleChanged,
        Cause::CutOff,
        Cause::EndedByOperator,
    ] {
        let mut took = Vec::new();
        // A machine that stood still for a moment says nothing: it may try again.
        while took.len() < 3 && took.last().is_none_or(|last| *last >= PROMISED) {
            took.push(cut_by(&there, &here, &cluster, &owner, cause).await);
        }
        println!("{cause:?}: all closed after {took:?}");
        assert!(took.last().is_some_and(|last| *last < PROMISED), "{cause:?}: {took:?}");
    }
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
async fn an_owner_ends_all_kubeconfigs_of_a_person_in_the_project_and_no_others() {
    let house = House::new().await;
    let (owner, member, person) = (house.sign_in("owner-a").await, house.sign_in("member-a").await, house.sign_in("both").await);
    let (one, _one) = house.cluster_with_answering_api(&member, "one").await;
    let (two, _two) = house.cluster_with_answering_api(&member, "two").await;
    let mut ended = Vec::new();
    for cluster in [&one, &two] {
        ended.push((cluster, house.kubeconfig(&person, cluster).await.1));
    }
    let id = members::id_of(&house, &owner, "both").await;
    let elsewhere = house.call(Some(&person), "PUT", "/api/v1/session", Some(&json!({"project": "tenant-b"}))).await.person();
    let (three, _three) = house.cluster_with_answering_api(&elsewhere, "three").await;
    let kept = [(&one, house.kubeconfig(&member, &one).await.1), (&three, house.kubeconfig(&elsewhere, &three).await.1)];
    let path = format!("/api/v1/members/{id}/kubeconfigs");
    assert_eq!(house.call(Some(&member), "DELETE", &path, None).await.status, 403);
    let done = house.call(Some(&owner), "DELETE", &path, None).await;
    assert_eq!((done.status, &done.body), (200, &json!({"count": 2})));
    for (held, expected) in [(ended.as_slice(), 401), (kept.as_slice(), 200)] {
        for (cluster, token) in held {
            assert_eq!(ask(&house, cluster, "/api/v1/pods", &by_token(token)).await.status(), expected, "{cluster}");
        }
    }
    let told = house.told(&owner, "kubeconfig_revoke_all").await;
    assert_eq!(told, [("done".to_owned(), json!({"user": id, "count": 2}))]);
    assert_eq!(house.call(Some(&owner), "DELETE", &path, None).await.status, 404, "nothing is left");
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

#[actix_web::test]
async fn who_is_disabled_in_keystone_is_out_with_kubeconfig_session_and_open_watch() {
    let house = House::new().await;
    let (leaver, stays) = (house.sign_in("both").await, house.sign_in("member-a").await);
    let session = house.call(Some(&leaver), "GET", "/api/v1/session", None).await.body;
    let (cluster, _api) = house.cluster_with_api(&leaver, "web").await;
    let (_, token) = house.kubeconfig(&leaver, &cluster).await;
    let bearer = format!("Bearer {token}");
    let open_watch = watch(&house, &cluster, &token).await;

    let user = session["user"]["id"].as_str().unwrap();
    house.keystone("PATCH", &format!("/users/{user}"), &json!({"user": {"enabled": false}})).await;
    // Five minutes pass.
    house
        .database
        .execute("UPDATE kubeconfigs SET checked_at = now() - interval '5 minutes'; UPDATE sessions SET checked_at = now() - interval '5 minutes'")
        .await;
    let refused = house.call_with(&[("authorization", &bearer)], "GET", &format!("/k8s/clusters/{cluster}/api"), None).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    assert_eq!(house.call(Some(&leaver), "GET", "/api/v1/session", None).await.status, 401);
    assert_eq!(house.call(Some(&stays), "GET", "/api/v1/session", None).await.status, 200);
    // Whoever looks at an open stream next, for whatever reason, ends it.
    house.call(Some(&stays), "PATCH", &format!("/api/v1/clusters/{cluster}"), Some(&json!({"deletion_protection": true}))).await;
    cut(open_watch).await;
}

#[actix_web::test]
async fn who_is_in_a_domain_that_is_disabled_in_keystone_is_out_with_kubeconfig_and_token() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let project = house.call(Some(&member), "GET", "/api/v1/session", None).await.body["project"]["id"].as_str().unwrap().to_owned();
    let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let domain = text(&house.keystone("POST", "/domains", &json!({"domain": {"name": "partner"}})).await["domain"]);
    let person = json!({"user": {"name": "ada", "domain_id": domain, "password": PASSWORD}});
    let user = text(&house.keystone("POST", "/users", &person).await["user"]);
    let role = text(&house.keystone("GET", "/roles?name=member", &Value::Null).await["roles"][0]);
    house.keystone("PUT", &format!("/projects/{project}/users/{user}/roles/{role}"), &Value::Null).await;
    let sign_in = json!({"username": "ada", "domain": "partner", "password": PASSWORD});
    let leaver = house.call(None, "POST", "/api/v1/session", Some(&sign_in)).await.person();
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, kubeconfig) = house.kubeconfig(&leaver, &cluster).await;
    let made = house.call(Some(&leaver), "POST", "/api/v1/tokens", Some(&json!({"name": "ci", "expires_in": 3600}))).await;
    let (_, stays) = house.kubeconfig(&member, &cluster).await;
    // Five minutes pass, before the domain is disabled and after.
    let five_minutes =
        "UPDATE kubeconfigs SET checked_at = now() - interval '5 minutes'; UPDATE api_tokens SET checked_at = now() - interval '5 minutes'";
    for (enabled, status) in [(true, 200), (false, 401)] {
        house.keystone("PATCH", &format!("/domains/{domain}"), &json!({"domain": {"enabled": enabled}})).await;
        house.database.execute(five_minutes).await;
        // Another replica has not just asked Keystone.
        let replica = house.beside().await;
        for (path, bearer, expected) in [
            ("/api/v1/clusters".to_owned(), made.body["secret"].as_str().unwrap(), status),
            (format!("/k8s/clusters/{cluster}/api/v1/pods?watch=1"), kubeconfig.as_str(), status),
            (format!("/k8s/clusters/{cluster}/api/v1/pods?watch=1"), stays.as_str(), 200),
        ] {
            // A watch never ends: only the head is of interest.
            let answer = reqwest::Client::new().get(format!("{}{path}", replica.url)).bearer_auth(bearer).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), expected, "{path}, enabled: {enabled}");
        }
    }
}

#[actix_web::test]
async fn case_22_whoever_is_in_a_project_that_is_disabled_is_out_of_it() {
    let house = House::new().await;
    let (member, elsewhere) = (house.sign_in("member-a").await, house.sign_in("member-b").await);
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let project = session["project"]["id"].as_str().unwrap();
    house.keystone("PATCH", &format!("/projects/{project}"), &json!({"project": {"enabled": false}})).await;
    // Five minutes pass.
    house
        .database
        .execute("UPDATE kubeconfigs SET checked_at = now() - interval '5 minutes'; UPDATE sessions SET checked_at = now() - interval '5 minutes'")
        .await;
    let bearer = format!("Bearer {token}");
    let refused = house.call_with(&[("authorization", &bearer)], "GET", &format!("/k8s/clusters/{cluster}/api"), None).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/session", None).await.status, 401);
    assert_eq!(house.call(Some(&elsewhere), "GET", "/api/v1/session", None).await.status, 200);
}

#[actix_web::test]
async fn a_role_that_shrank_in_keystone_shrinks_what_a_kubeconfig_may_do() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let session = house.call(Some(&member), "GET", "/api/v1/session", None).await.body;
    let (user, project) = (session["user"]["id"].as_str().unwrap(), session["project"]["id"].as_str().unwrap());
    let roles = house.keystone("GET", "/roles", &Value::Null).await;
    let role = |name: &str| roles["roles"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
    let grant = |role: String| format!("/projects/{project}/users/{user}/roles/{role}");
    house.keystone("PUT", &grant(role("reader")), &Value::Null).await;
    house.keystone("DELETE", &grant(role("member")), &Value::Null).await;
    house.database.execute("UPDATE kubeconfigs SET checked_at = now() - interval '5 minutes'").await;
    let secrets = format!("/k8s/clusters/{cluster}/api/v1/secrets");
    let refused = house.call_with(&[("authorization", &format!("Bearer {token}"))], "GET", &secrets, None).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    drop(watch(&house, &cluster, &token).await);
}

#[actix_web::test]
async fn a_stream_ends_when_it_has_lasted_for_as_long_as_streams_may() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    let brief = house.beside_brief(Duration::from_millis(300)).await;
    let (long, short) = (watch(&house, &cluster, &token).await, begun(&brief, &cluster, "/api/v1/pods?watch=1", &by_token(&token)).await);
    cut(short).await;
    let mut long = long;
    assert!(open(&mut long), "the other replica's was cut as well");
}

#[actix_web::test]
async fn what_could_not_be_decided_is_not_let_through() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_api(&member, "web").await;
    let (_, token) = house.kubeconfig(&member, &cluster).await;
    house.cloud.inject(FaultRule::new(Effect::CloudDown { seconds: 3600 }));
    let path = format!("/k8s/clusters/{cluster}/api");
    // What was found good a moment ago is good for as long as Keystone may be silent, and no longer.
    for (age, status) in [("5 minutes", 200), ("31 minutes", 503)] {
        let statement = if age == "5 minutes" {
            "UPDATE kubeconfigs SET checked_at = now() - interval '5 minutes'"
        } else {
            "UPDATE kubeconfigs SET checked_at = now() - interval '31 minutes'"
        };
        house.database.execute(statement).await;
        let answer = reqwest::Client::new().get(format!("{}{path}", house.url)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{age}");
    }
}

/// What a kubeconfig gets from a cluster, by its status.
async fn look(house: &House, cluster: &str, token: &str, path: &str) -> u16 {
    ask(house, cluster, path, &by_token(token)).await.status().as_u16()
}

/// Waits until the cluster has seen so many requests.
async fn seen(api: &ClusterApi, count: usize) {
    let waiting = async {
        while api.heads.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(AT_ONCE, waiting).await.expect("the cluster was not asked");
}

#[actix_web::test]
async fn who_is_remembered_sees_nothing_any_more_from_the_answer_on_to_what_shut_them_out() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_answering_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    for count in 1..=3 {
        assert_eq!(look(&house, &cluster, &token, "/api/v1/pods").await, 200);
        seen(&api, count).await;
        assert_eq!(api.heads.lock().unwrap().len(), count, "a look is sent once");
    }
    // Narrower than it was.
    house.database.execute(r#"UPDATE kubeconfigs SET narrowing = narrowing || '{"namespaces": ["shop"]}'"#).await;
    assert_eq!(look(&house, &cluster, &token, "/api/v1/pods?watch=1").await, 403);
    assert_eq!(look(&house, &cluster, &token, "/api/v1/namespaces/shop/pods").await, 200);
    let before = api.heads.lock().unwrap().len();
    assert_eq!(house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await.status, 204);
    assert_eq!(look(&house, &cluster, &token, "/api/v1/namespaces/shop/secrets").await, 401);
    assert_eq!(look(&house, &cluster, &token, "/api/v1/namespaces/shop/pods").await, 401);
    for _ in 0..3 {
        assert_eq!(look(&house, &cluster, &token, "/api/v1/namespaces/shop/pods").await, 401);
    }
    assert_eq!(api.heads.lock().unwrap()[before..], Vec::<String>::new(), "who was refused reaches the cluster no more");
}

#[actix_web::test]
async fn who_waits_for_a_silent_cluster_is_told_when_the_right_to_its_answer_ends() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, api) = house.cluster_with_answering_api(&member, "web").await;
    let (kid, token) = house.kubeconfig(&member, &cluster).await;
    let log = "/api/v1/namespaces/shop/pods/web/log?follow=true";
    let waiting = async {
        let answer = tokio::time::timeout(AT_ONCE, look(&house, &cluster, &token, log));
        assert_eq!(answer.await.expect("it waits on"), 401);
    };
    let revoked = async {
        seen(&api, 1).await;
        let revoked = house.call(Some(&member), "DELETE", &format!("/api/v1/clusters/{cluster}/kubeconfigs/{kid}"), None).await;
        assert_eq!(revoked.status, 204);
    };
    tokio::join!(waiting, revoked);
}
