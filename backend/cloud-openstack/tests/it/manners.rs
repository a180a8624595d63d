//! Limits, turns, waits and breakers, in time that passes only when everybody waits.

use crate::scripted::{Scripted, answer, ok, token};
use cloud::Cloud;
use cloud::error::{CloudErrorKind as Kind, Outcome};
use cloud::identity::{ApplicationCredential, Identity};
use cloud_openstack::{Clock, Limits, Manners, OpenStack};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// The scripted cloud's tenants, by the id of their credential.
fn tenant(openstack: &OpenStack, id: &str) -> Cloud {
    openstack.as_credential(&ApplicationCredential { id: id.into(), secret: "secret".into() })
}

/// A clock that goes on to when the next sleeper wakes.
#[derive(Default)]
struct Tick {
    now: Mutex<Duration>,
    sleepers: Mutex<Vec<(Duration, oneshot::Sender<()>)>>,
}

#[async_trait::async_trait]
impl Clock for Tick {
    fn now(&self) -> Duration {
        Duration::from_secs(1_000_000) + *self.now.lock().unwrap()
    }
    async fn sleep(&self, wait: Duration) {
        let (wake, woken) = oneshot::channel();
        let at = *self.now.lock().unwrap() + wait;
        self.sleepers.lock().unwrap().push((at, wake));
        let _ = woken.await;
    }
}

impl Tick {
    fn pass(&self, time: Duration) {
        *self.now.lock().unwrap() += time;
    }

    /// Lets time pass whenever nothing else can be done until `work` ends.
    async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let go_on = async {
            loop {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                let mut sleepers = self.sleepers.lock().unwrap();
                sleepers.retain(|(_, wake)| !wake.is_closed());
                let next = (0..sleepers.len()).min_by_key(|n| sleepers[*n].0).map(|n| sleepers.swap_remove(n));
                if let Some((at, wake)) = next {
                    let mut now = self.now.lock().unwrap();
                    *now = at.max(*now);
                    let _ = wake.send(());
                }
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            never = go_on => never,
        }
    }
}

fn with(scripted: &Arc<Scripted>, limits: Limits) -> (OpenStack, Arc<Tick>) {
    let clock = Arc::new(Tick::default());
    (OpenStack::with_manners(crate::scripted::config(), scripted.clone(), Manners::by_clock(limits, clock.clone())), clock)
}

/// A Keystone that gives each credential a project of its own.
fn keystone(asked: &crate::scripted::Asked) -> Option<crate::scripted::Answer> {
    let id = asked.body.pointer("/auth/identity/application_credential/id").and_then(|v| v.as_str()).unwrap_or("nobody").to_owned();
    asked.url.ends_with("/auth/tokens").then(|| {
        let mut response = token(&id, 3_600);
        let body = String::from_utf8(response.body().to_vec()).unwrap().replace("\"p1\"", &format!("\"project-{id}\""));
        *response.body_mut() = body.into();
        Ok(response)
    })
}

#[tokio::test]
async fn a_tenant_with_many_calls_leaves_the_others_their_turn() {
    let scripted = Scripted::new(|a| keystone(a).or_else(|| ok(200, &json!({"networks": []}))));
    let limits =
        Limits { calls_per_second: Some(10), calls_per_second_per_project: Some(1_000), patience: Duration::from_secs(600), ..Limits::default() };
    let (openstack, clock) = with(&scripted, limits);
    let ask = |id: &'static str| {
        let cloud = tenant(&openstack, id);
        let clock = clock.clone();
        async move {
            cloud.network.networks_by_name("n").await.unwrap();
            clock.now()
        }
    };
    let begun = clock.now();
    let many = futures::future::join_all((0..300).map(|_| ask("many")));
    let few = futures::future::join_all((0..10).map(|_| ask("few")));
    let (many, few) = clock.run(async { futures::join!(many, few) }).await;
    let last = |ends: Vec<Duration>| ends.into_iter().max().unwrap() - begun;
    let (many, few) = (last(many), last(few));
    // Ten of 10 a second, every other turn theirs: two seconds, not thirty.
    assert!(few < Duration::from_secs(4), "{few:?}");
    assert!(many > Duration::from_secs(25), "310 calls at 10 a second took {many:?}");
}

#[tokio::test]
async fn a_projects_own_limit_holds_and_whoever_waits_too_long_is_told() {
    let scripted = Scripted::new(|a| keystone(a).or_else(|| ok(200, &json!({"networks": []}))));
    let limits = Limits { calls_per_second_per_project: Some(5), patience: Duration::from_secs(2), ..Limits::default() };
    let (openstack, clock) = with(&scripted, limits);
    let cloud = tenant(&openstack, "a");
    let results = clock.run(futures::future::join_all((0..100).map(|_| cloud.network.networks_by_name("n")))).await;
    let sent = results.iter().filter(|r| r.is_ok()).count();
    // Ten at once, and five a second for two seconds.
    assert!((18..=21).contains(&sent), "{sent}");
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|e| e.kind == Kind::RateLimited(1) && e.outcome == Outcome::NotDone));
}

#[tokio::test]
async fn case_05_a_service_that_is_away_is_left_alone_and_tried_every_15_seconds() {
    let away = Arc::new(AtomicBool::new(true));
    let is_away = away.clone();
    let scripted = Scripted::new(move |a| {
        keystone(a).or_else(|| match a.url.contains("neutron") {
            true if is_away.load(Ordering::SeqCst) => ok(503, &json!({"message": "Service Unavailable"})),
            true => ok(200, &json!({"networks": []})),
            false => ok(200, &json!({"availabilityZoneInfo": []})),
        })
    });
    let (openstack, clock) = with(&scripted, Limits::default());
    let cloud = tenant(&openstack, "a");
    let mut last = None;
    // Ten minutes, a call a second.
    for _ in 0..600 {
        last = Some(cloud.network.networks_by_name("n").await.unwrap_err());
        clock.pass(Duration::from_secs(1));
    }
    let last = last.unwrap();
    assert_eq!((last.kind, last.outcome), (Kind::Unavailable, Outcome::NotDone));
    assert!(last.message.contains("no answer of its network service since") && last.message.contains("status 503"), "{}", last.message);
    let tried = scripted.asked().iter().filter(|a| a.url.contains("neutron")).count();
    assert!((5 + 37..=5 + 40).contains(&tried), "{tried} calls in ten minutes");
    // Changes are not what tries it.
    clock.pass(Duration::from_secs(60));
    assert!(cloud.network.create_network("n", "").await.unwrap_err().message.contains("cannot be reached"));
    assert_eq!(scripted.asked().iter().filter(|a| a.url.contains("neutron")).count(), tried);
    // Other services go on, and the first answer opens it for all.
    cloud.compute.zones().await.unwrap();
    away.store(false, Ordering::SeqCst);
    cloud.network.networks_by_name("n").await.unwrap();
    let all = futures::future::join_all((0..50).map(|_| cloud.network.networks_by_name("n"))).await;
    assert!(all.iter().all(Result::is_ok));
}

#[tokio::test]
async fn how_each_service_was_last_met_is_known() {
    let scripted = Scripted::new(|a| {
        keystone(a).or_else(|| match a.url.contains("neutron") {
            true => ok(503, &json!({"message": "Service Unavailable"})),
            false => ok(200, &json!({"availabilityZoneInfo": []})),
        })
    });
    let clock = Arc::new(Tick::default());
    let manners = Manners::by_clock(Limits::default(), clock.clone());
    let openstack = OpenStack::with_manners(crate::scripted::config(), scripted.clone(), manners.clone());
    let met = |service: &str| manners.services().into_iter().find(|met| met.service == service).unwrap();
    assert_eq!((met("compute").answered_at, met("network").away), (None, None));
    let cloud = tenant(&openstack, "a");
    let begun = time::OffsetDateTime::UNIX_EPOCH + clock.now();
    cloud.compute.zones().await.unwrap();
    for _ in 0..5 {
        drop(cloud.network.networks_by_name("n").await);
        clock.pass(Duration::from_secs(1));
    }
    assert_eq!((met("compute").answered_at, met("compute").away), (Some(begun), None));
    let away = (begun + Duration::from_secs(4), "status 503".to_owned());
    assert_eq!((met("network").answered_at, met("network").away), (None, Some(away)));
}

#[tokio::test]
async fn after_an_outage_only_a_few_call_at_the_same_time() {
    let (away, at_once, most) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    struct Slow {
        scripted: Arc<Scripted>,
        at_once: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    }
    #[async_trait::async_trait]
    impl cloud_openstack::Transport for Slow {
        async fn send(&self, request: http::Request<bytes::Bytes>) -> crate::scripted::Answer {
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            let answer = self.scripted.send(request).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            answer
        }
    }
    let is_away = away.clone();
    let scripted = Scripted::new(move |a| {
        let well = || if is_away.load(Ordering::SeqCst) { ok(502, &json!({})) } else { ok(200, &json!({"networks": []})) };
        keystone(a).or_else(well)
    });
    let slow = Arc::new(Slow { scripted, at_once, most: most.clone() });
    let clock = Arc::new(Tick::default());
    let openstack = OpenStack::with_manners(crate::scripted::config(), slow, Manners::by_clock(Limits::default(), clock.clone()));
    let cloud = tenant(&openstack, "a");
    for _ in 0..5 {
        cloud.network.networks_by_name("n").await.unwrap_err();
    }
    away.store(false, Ordering::SeqCst);
    clock.pass(Duration::from_secs(15));
    cloud.network.networks_by_name("n").await.unwrap();
    most.store(0, Ordering::SeqCst);
    let all = futures::future::join_all((0..40).map(|_| cloud.network.networks_by_name("n"))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn case_07_too_many_without_a_time_backs_off_and_never_all_at_once() {
    let status = Arc::new(AtomicU16::new(429));
    let answered = status.clone();
    let scripted = Scripted::new(move |a| {
        keystone(a).or_else(|| match answered.load(Ordering::SeqCst) {
            200 => ok(200, &json!({"networks": []})),
            413 => ok(413, &json!({"overLimit": {"code": 413, "message": "This request was rate-limited."}})),
            status => ok(status, &json!({"message": "Too Many Requests"})),
        })
    });
    for limited in [429, 413] {
        status.store(limited, Ordering::SeqCst);
        let (openstack, clock) = with(&scripted, Limits { patience: Duration::from_millis(1), ..Limits::default() });
        let (first, second) = (tenant(&openstack, "a"), tenant(&openstack, "b"));
        let before = scripted.calls().len();
        let mut waits = Vec::new();
        let mut sent_at = clock.now();
        while waits.len() < 8 {
            let calls = scripted.calls().len();
            let error = clock.run(first.network.networks_by_name("n")).await.unwrap_err();
            assert!(matches!(error.kind, Kind::RateLimited(_)), "{error:?}");
            if scripted.calls().len() > calls {
                waits.push(clock.now() - sent_at);
                sent_at = clock.now();
            }
            clock.pass(Duration::from_millis(100));
        }
        assert_eq!(scripted.calls().len() - before, 8);
        // Doubling with jitter: the nth wait is between half of and all of 2^n seconds, to a minute.
        for (n, wait) in waits.iter().enumerate().skip(1) {
            let full = Duration::from_secs(1 << (n - 1)).min(Duration::from_secs(60));
            assert!(*wait >= full / 2 && *wait <= full + Duration::from_millis(200), "{n}: {wait:?}");
        }
        status.store(200, Ordering::SeqCst);
        second.network.networks_by_name("n").await.unwrap();
        clock.pass(Duration::from_secs(60));
        first.network.networks_by_name("n").await.unwrap();
    }
}

#[tokio::test]
async fn case_16_a_token_that_ends_midway_is_renewed_once_and_only_what_was_refused_is_sent_again() {
    let refused = Arc::new(AtomicBool::new(false));
    let revoked = refused.clone();
    let scripted = Scripted::new(move |a| match a.token.as_deref() {
        _ if a.url.contains("keystone") => None,
        Some("token-1") if revoked.load(Ordering::SeqCst) => ok(401, &json!({"error": {"code": 401}})),
        _ if a.url.contains("lost") || a.body.pointer("/network/name").is_some_and(|n| n == "lost") => {
            Some(Err(cloud_openstack::TransportError { sent: true, message: "reset".into() }))
        }
        _ => ok(201, &json!({"network": {"id": "n1"}, "networks": []})),
    });
    let (openstack, _) = with(&scripted, Limits::default());
    let cloud = tenant(&openstack, "a");
    cloud.network.create_network("n", "d").await.unwrap();
    refused.store(true, Ordering::SeqCst);
    let all = futures::future::join_all((0..10).map(|_| cloud.network.create_network("n", "d"))).await;
    assert!(all.iter().all(Result::is_ok));
    let tokens = |s: &Scripted| s.asked().iter().filter(|a| a.url.ends_with("/auth/tokens")).count();
    assert_eq!(tokens(&scripted), 2);
    // An answer that was lost is not asked for again: the call may have been carried out.
    let before = scripted.calls().len();
    let error = cloud.network.create_network("lost", "d").await.unwrap_err();
    assert_eq!((error.outcome, scripted.calls().len()), (Outcome::Unknown, before + 1));
}

#[tokio::test]
async fn case_17_a_credential_that_keystone_refuses_is_not_shown_to_it_again_and_again() {
    let valid = Arc::new(AtomicBool::new(false));
    let is_valid = valid.clone();
    let scripted = Scripted::new(move |a| match a.url.contains("keystone") {
        true if is_valid.load(Ordering::SeqCst) => None,
        true => ok(401, &json!({"error": {"code": 401, "message": "The request you have made requires authentication."}})),
        false => Some(Ok(answer(200, &json!({"networks": []})))),
    });
    let (openstack, clock) = with(&scripted, Limits::default());
    let cloud = tenant(&openstack, "a");
    for _ in 0..1_800 {
        let error = cloud.network.create_network("n", "d").await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unauthenticated, Outcome::NotDone));
        clock.pass(Duration::from_secs(1));
    }
    // Half an hour: at 0, 30, 90, 210, 450, 930 and 1530 s.
    assert_eq!(scripted.asked().len(), 7);
    // It is let in again by itself once it is good; another identity at once.
    valid.store(true, Ordering::SeqCst);
    tenant(&openstack, "b").network.networks_by_name("n").await.unwrap();
    clock.pass(Duration::from_secs(600));
    cloud.network.networks_by_name("n").await.unwrap();
}

#[tokio::test]
async fn case_17_a_service_that_refuses_every_new_token_costs_no_more_tokens() {
    let scripted = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(401, &json!({"error": {"message": "no"}})) });
    let (openstack, _) = with(&scripted, Limits::default());
    let cloud = tenant(&openstack, "a");
    for _ in 0..20 {
        assert_eq!(cloud.network.create_network("n", "d").await.unwrap_err().kind, Kind::Unauthenticated);
    }
    assert_eq!(scripted.asked().iter().filter(|a| a.url.ends_with("/auth/tokens")).count(), 2);
}

#[tokio::test]
async fn case_13_a_service_that_the_catalogue_lacks_is_said_and_the_others_work() {
    let scripted = Scripted::new(|a| {
        if a.url.ends_with("/auth/tokens") {
            let mut response = token("t", 3_600);
            let body = String::from_utf8(response.body().to_vec()).unwrap().replace("volumev3", "something-else");
            *response.body_mut() = body.into();
            return Some(Ok(response));
        }
        ok(200, &json!({"networks": []}))
    });
    let cloud = tenant(&with(&scripted, Limits::default()).0, "a");
    for _ in 0..10 {
        let error = cloud.volumes.volume("v").await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::Unsupported, Outcome::NotDone));
        assert!(error.message.contains("no block-storage service"), "{}", error.message);
        cloud.network.networks_by_name("n").await.unwrap();
    }
}

#[tokio::test]
async fn case_13_whoever_asks_for_a_service_that_is_not_there_costs_the_others_no_token() {
    let away = Arc::new(AtomicBool::new(false));
    let is_away = away.clone();
    let scripted = Scripted::new(move |a| {
        if !a.url.ends_with("/auth/tokens") {
            return ok(200, &json!({"networks": []}));
        }
        if is_away.load(Ordering::SeqCst) {
            return ok(503, &json!({"error": {"message": "down"}}));
        }
        let mut response = token("t", 3_600);
        let body = String::from_utf8(response.body().to_vec()).unwrap().replace("\"volumev3\"", "\"something-else\"");
        *response.body_mut() = body.into();
        Some(Ok(response))
    });
    let (openstack, clock) = with(&scripted, Limits::default());
    let cloud = tenant(&openstack, "a");
    assert_eq!(cloud.volumes.volume_types().await.unwrap_err().kind, Kind::Unsupported);
    away.store(true, Ordering::SeqCst);
    clock.pass(Duration::from_secs(10));
    assert_eq!(cloud.volumes.volume_types().await.unwrap_err().kind, Kind::Unavailable);
    cloud.network.networks_by_name("n").await.unwrap();
}

#[tokio::test]
async fn case_13_a_service_that_comes_back_into_the_catalogue_is_found_with_a_new_token() {
    let back = Arc::new(AtomicBool::new(false));
    let is_back = back.clone();
    let scripted = Scripted::new(move |a| {
        if !a.url.ends_with("/auth/tokens") {
            return ok(200, &json!({"networks": []}));
        }
        let mut response = token("t", 3_600);
        if !is_back.load(Ordering::SeqCst) {
            let body = String::from_utf8(response.body().to_vec()).unwrap().replace("\"network\"", "\"something-else\"");
            *response.body_mut() = body.into();
        }
        Some(Ok(response))
    });
    let (openstack, clock) = with(&scripted, Limits::default());
    let cloud = tenant(&openstack, "a");
    for _ in 0..60 {
        assert_eq!(cloud.network.networks_by_name("n").await.unwrap_err().kind, Kind::Unsupported);
        clock.pass(Duration::from_secs(1));
    }
    // A minute: one every ten seconds, and nothing else.
    assert_eq!((scripted.asked().len(), scripted.calls().len()), (6, 0));
    back.store(true, Ordering::SeqCst);
    cloud.network.networks_by_name("n").await.unwrap();
}
