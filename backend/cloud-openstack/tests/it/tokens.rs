//! One token for an identity: fetched once however many ask, renewed before it ends, replaced once when it is refused.

use crate::scripted::{Scripted, answer, config, ok, token};
use cloud::error::{CloudErrorKind as Kind, Outcome};
use cloud::identity::{ApplicationCredential, Identity};
use cloud_openstack::{Manners, OpenStack};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

fn credential() -> ApplicationCredential {
    ApplicationCredential { id: "credential".into(), secret: "very-secret".into() }
}

fn issued(scripted: &Arc<Scripted>) -> usize {
    scripted.asked().iter().filter(|a| a.url.ends_with("/auth/tokens")).count()
}

#[tokio::test]
async fn many_callers_share_one_token() {
    let scripted = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(200, &json!({"networks": []})) });
    let openstack = scripted.openstack();
    let ask = |_| {
        let cloud = openstack.as_credential(&credential());
        async move { cloud.network.networks_by_name("n").await.unwrap() }
    };
    futures::future::join_all((0..50).map(ask)).await;
    assert_eq!(issued(&scripted), 1);
    assert!(scripted.calls().iter().all(|a| a.token.as_deref() == Some("token-1")));
    let body = &scripted.asked()[0].body["auth"];
    assert_eq!(body["identity"]["application_credential"], json!({"id": "credential", "secret": "very-secret"}));
    assert!(body.get("scope").is_none(), "an application credential has its own scope");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_and_the_call_replayed() {
    let scripted = Scripted::new(|a| match a.token.as_deref() {
        _ if a.url.contains("keystone") => None,
        Some("token-1") => ok(401, &json!({"error": {"code": 401, "message": "The request you have made requires authentication."}})),
        _ => ok(201, &json!({"network": {"id": "n1"}})),
    });
    let openstack = scripted.openstack();
    let make = |_| {
        let cloud = openstack.as_credential(&credential());
        async move { cloud.network.create_network("n", "d").await.unwrap() }
    };
    futures::future::join_all((0..10).map(make)).await;
    assert_eq!(issued(&scripted), 2);
}

#[tokio::test]
async fn a_token_refused_twice_is_an_error() {
    let scripted = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(401, &json!({"error": {"message": "no"}})) });
    let error = scripted.cloud().network.create_network("n", "d").await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (Kind::Unauthenticated, Outcome::NotDone));
    assert_eq!(issued(&scripted), 2);
    assert_eq!(scripted.calls().len(), 2);
}

#[tokio::test]
async fn a_token_about_to_end_is_renewed_whatever_the_clocks_say() {
    // By Keystone's clock, years behind ours, the token lives for an hour: it is kept.
    let kept = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(200, &json!({"networks": []})) });
    let cloud = kept.cloud();
    for _ in 0..3 {
        cloud.network.networks_by_name("n").await.unwrap();
    }
    assert_eq!(issued(&kept), 1);
    // It lives no longer at all: each call fetches one.
    let renewed = Scripted::new(|a| if a.url.contains("keystone") { Some(Ok(token("t", 0))) } else { ok(200, &json!({"networks": []})) });
    let cloud = renewed.cloud();
    for _ in 0..3 {
        cloud.network.networks_by_name("n").await.unwrap();
    }
    assert_eq!(issued(&renewed), 3);
}

#[tokio::test]
async fn those_who_waited_for_a_token_share_its_failure() {
    let scripted = Scripted::new(|_| ok(503, &json!({"error": {"message": "down"}})));
    let openstack = scripted.openstack();
    let make = |_| {
        let cloud = openstack.as_credential(&credential());
        async move { cloud.network.create_network("n", "d").await.unwrap_err() }
    };
    let errors = futures::future::join_all((0..10).map(make)).await;
    assert!(errors.iter().all(|e| e.kind == Kind::Unavailable && e.outcome == Outcome::NotDone), "nothing was made without a token");
    assert_eq!(issued(&scripted), 1);
}

#[tokio::test]
async fn a_credential_that_is_gone_is_unauthenticated() {
    for status in [401, 404] {
        let scripted = Scripted::new(move |_| ok(status, &json!({"error": {"code": status, "message": "Could not find Application Credential"}})));
        assert_eq!(scripted.cloud().compute.zones().await.unwrap_err().kind, Kind::Unauthenticated);
    }
}

#[tokio::test]
async fn a_persons_token_is_inspected_once_and_never_renewed() {
    let scripted = Scripted::new(|a| match (a.url.contains("keystone"), a.token.as_deref()) {
        (true, Some("theirs")) => Some(Ok(token("theirs", 3_600))),
        (true, _) => panic!("nothing else is asked of Keystone"),
        (false, _) if a.url.contains("zone") => ok(401, &json!({})),
        (false, _) => Some(Ok(answer(200, &json!({"networks": []})))),
    });
    let info = cloud::identity::TokenInfo {
        user_id: "u".into(),
        user_name: "u".into(),
        user_domain_id: "d".into(),
        project: None,
        roles: vec![],
        issued_at: None,
        expires_at: time::OffsetDateTime::now_utc(),
        application_credential: None,
    };
    let token = cloud::identity::Token { secret: "theirs".into(), info };
    let openstack = scripted.openstack();
    for _ in 0..3 {
        openstack.as_token(&token).network.networks_by_name("n").await.unwrap();
    }
    assert_eq!(openstack.as_token(&token).compute.zones().await.unwrap_err().kind, Kind::Unauthenticated);
    assert_eq!(issued(&scripted), 1);
}

#[tokio::test]
async fn the_hosts_of_all_endpoints_are_known_once_a_catalogue_was_seen() {
    let scripted = Scripted::new(|a| if a.url.contains("keystone") { None } else { ok(200, &json!({"networks": []})) });
    let manners = Manners::none();
    let openstack = OpenStack::with_manners(config(), scripted.clone(), manners.clone());
    assert!(manners.hosts().borrow().is_empty());
    openstack.as_credential(&credential()).network.networks_by_name("n").await.unwrap();
    // Of other regions and interfaces, too.
    let expected = ["cinder", "elsewhere", "glance", "internal", "neutron", "nova", "octavia"].map(str::to_owned);
    assert_eq!(*manners.hosts().borrow(), BTreeSet::from(expected));
}

#[tokio::test]
async fn secrets_are_in_no_debug_output_and_no_error() {
    let scripted = Scripted::new(|_| ok(500, &json!({"error": {"message": "boom"}})));
    let error = scripted.openstack().as_credential(&credential()).compute.zones().await.unwrap_err();
    let shown = format!("{:?} {error} {error:?} {:?}", crate::scripted::config(), credential());
    assert!(!shown.contains("very-secret") && !shown.contains("service-password"), "{shown}");
}
