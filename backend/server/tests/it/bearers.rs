//! Tokens of ours (`Authorization: Bearer`, and the cookie of a session), and what is made up in their place.

use crate::house::{House, Person};
use crate::tokens;
use sealed::{Token, TokenKind};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;

/// Somebody at an address of this machine.
fn at(address: &str) -> reqwest::Client {
    reqwest::Client::builder().no_proxy().local_address(Some(address.parse().unwrap())).build().unwrap()
}

async fn look(house: &House, from: &reqwest::Client, path: &str, bearer: &str) -> u16 {
    from.get(format!("{}{path}", house.url)).bearer_auth(bearer).send().await.unwrap().status().as_u16()
}

async fn look_by_cookie(house: &House, from: &reqwest::Client, cookie: &str) -> u16 {
    from.get(format!("{}/api/v1/clusters", house.url)).header("cookie", cookie).send().await.unwrap().status().as_u16()
}

fn cookie(value: &str) -> String {
    format!("kcs_session={value}")
}

fn made_up(kind: TokenKind) -> String {
    Token::generate(kind).unwrap().text.expose_secret().to_owned()
}

#[actix_web::test]
async fn made_up_bearers_from_one_address_are_slowed_down_and_hold_up_nobody_who_is_known_or_elsewhere() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _api) = house.cluster_with_answering_api(&member, "web").await;
    let (gate, api) = (format!("/k8s/clusters/{cluster}/api/v1/pods"), "/api/v1/clusters");
    let (_, kubeconfig) = house.kubeconfig(&member, &cluster).await;
    let (_, token) = tokens::make(&house, &member, json!({})).await;
    let elsewhere = at("127.2.2.2");
    for (kind, path, address) in
        [(TokenKind::Api, api, "127.1.1.1"), (TokenKind::Api, gate.as_str(), "127.1.1.2"), (TokenKind::Kubeconfig, gate.as_str(), "127.1.1.3")]
    {
        let here = at(address);
        let good = [(api, &token), (gate.as_str(), &token), (gate.as_str(), &kubeconfig)];
        for (path, bearer) in good {
            assert_eq!(look(&house, &here, path, bearer).await, 200, "{kind:?} at {path}");
        }
        let mut statuses = Vec::new();
        while statuses.last() != Some(&429) && statuses.len() < 3_000 {
            statuses.push(look(&house, &here, path, &made_up(kind)).await);
        }
        assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{kind:?} at {path}: {} times", statuses.len());
        for (path, bearer) in good {
            assert_eq!(look(&house, &here, path, bearer).await, 200, "{kind:?} at {path}");
        }
        assert_eq!(look(&house, &elsewhere, path, &made_up(kind)).await, 401, "{kind:?} at {path}");
    }
}

#[actix_web::test]
async fn made_up_session_cookies_from_one_address_are_slowed_down_and_hold_up_nobody_who_signed_in_or_is_elsewhere() {
    let house = House::new().await;
    let (here, elsewhere) = (at("127.1.1.1"), at("127.2.2.2"));
    // Signed in and not seen since: nothing but the sign-in itself tells that the cookie is good.
    let before: Person = house.sign_in("member-a").await;
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) && statuses.len() < 3_000 {
        statuses.push(look_by_cookie(&house, &here, &cookie(&made_up(TokenKind::Session))).await);
    }
    assert!(statuses.starts_with(&[401]) && statuses.ends_with(&[429]), "{} times", statuses.len());
    let after = house.sign_in("reader-a").await;
    for person in [&before, &after] {
        assert_eq!(look_by_cookie(&house, &here, &person.cookie).await, 200);
    }
    assert_eq!(look_by_cookie(&house, &elsewhere, &cookie(&made_up(TokenKind::Session))).await, 401);
    // A browser that goes on coming with a session that is over makes nothing up.
    assert_eq!(house.call(Some(&after), "DELETE", "/api/v1/session", None).await.status, 204);
    for n in 0..1_000 {
        assert_eq!(look_by_cookie(&house, &elsewhere, &after.cookie).await, 401, "{n}");
    }
}

#[actix_web::test]
async fn a_program_that_goes_on_coming_with_what_was_revoked_holds_up_nobody() {
    let house = House::new().await;
    let (client, gone) = (at("127.1.1.1"), made_up(TokenKind::Api));
    for n in 0..1_000 {
        assert_eq!(look(&house, &client, "/api/v1/clusters", &gone).await, 401, "{n}");
    }
}

#[actix_web::test]
async fn what_has_not_the_form_of_a_token_costs_the_database_no_question() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let (cluster, _) = house.running_cluster(&member, "web").await;
    let slow = house.database.lock("kubeconfigs").await;
    let (client, path) = (at("127.1.1.1"), format!("/k8s/clusters/{cluster}/api/v1/pods"));
    for bearer in ["nonsense", "kcs_kubeconfig_x", &made_up(TokenKind::Session), &made_up(TokenKind::Node)] {
        let answer = tokio::time::timeout(Duration::from_secs(8), look(&house, &client, &path, bearer)).await;
        assert_eq!(answer.expect("the database was asked"), 401);
    }
    slow.release().await;
    let slow = house.database.lock("sessions").await;
    for value in ["nonsense", "kcs_session_x", &made_up(TokenKind::Api), &made_up(TokenKind::Csrf)] {
        let answer = tokio::time::timeout(Duration::from_secs(8), look_by_cookie(&house, &client, &cookie(value))).await;
        assert_eq!(answer.expect("the database was asked"), 401);
    }
    slow.release().await;
}
