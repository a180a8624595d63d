//! The address a request comes from, behind proxies and without: in limits, in addresses that tokens are good from, and in the audit log.

use crate::house::{House, PASSWORD, Person};
use serde_json::{Value, json};

const CLIENT: &str = "203.0.113.9";

/// A token that is good from the client's address only.
async fn bound_token(house: &House, member: &Person) -> String {
    let wanted = json!({"name": "ci", "expires_in": 3600, "cidrs": [format!("{CLIENT}/32")]});
    let made = house.call(Some(member), "POST", "/api/v1/tokens", Some(&wanted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.body["secret"].as_str().unwrap().to_owned()
}

async fn status_from(house: &House, token: &str, forwarded: &[(&str, &str)]) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [&[("authorization", bearer.as_str())], forwarded].concat();
    house.call_with(&headers, "GET", "/api/v1/clusters", None).await.status
}

#[actix_web::test]
async fn an_address_that_a_client_made_up_lets_nobody_in() {
    let direct = House::new().await;
    let behind = direct.beside_behind_proxy().await;
    let member = direct.sign_in("member-a").await;
    let token = bound_token(&direct, &member).await;
    for (house, headers, status) in [
        (&behind, vec![("x-forwarded-for", CLIENT)], 200),
        (&behind, vec![("x-forwarded-for", "198.51.100.7, 203.0.113.9")], 200),
        (&behind, vec![], 401),
        // The proxy writes whom it sees behind what came with the request.
        (&behind, vec![("x-forwarded-for", "203.0.113.9, 198.51.100.7")], 401),
        (&behind, vec![("x-forwarded-for", CLIENT), ("x-forwarded-for", "198.51.100.7")], 401),
        (&behind, vec![("forwarded", "for=203.0.113.9")], 401),
        (&behind, vec![("x-real-ip", CLIENT), ("x-forwarded-for", "198.51.100.7")], 401),
        (&behind, vec![("x-forwarded-for", "203.0.113.9, nonsense")], 401),
        // Nobody is a proxy here.
        (&direct, vec![("x-forwarded-for", CLIENT)], 401),
        (&direct, vec![("forwarded", "for=203.0.113.9")], 401),
    ] {
        assert_eq!(status_from(house, &token, &headers).await, status, "{headers:?}");
    }
}

#[actix_web::test]
async fn the_audit_log_tells_of_the_client_and_not_of_what_it_made_up() {
    let direct = House::new().await;
    let behind = direct.beside_behind_proxy().await;
    let member = direct.sign_in("member-a").await;
    let body = json!({"username": "member-a", "password": PASSWORD});
    for (house, forwarded, expected) in
        [(&behind, "192.0.2.1, 203.0.113.9", CLIENT), (&direct, CLIENT, "127.0.0.1"), (&behind, "203.0.113.9, [2001:db8::7]:4711", "2001:db8::7")]
    {
        assert_eq!(house.call_with(&[("x-forwarded-for", forwarded)], "POST", "/api/v1/session", Some(&body)).await.status, 200);
        let log = direct.call(Some(&member), "GET", "/api/v1/audit?action=session_create", None).await.body;
        let sources: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|line| &line["source"]).collect();
        assert!(sources.contains(&&json!(expected)), "{forwarded}: {sources:?}");
        assert!(!sources.contains(&&json!("192.0.2.1")), "{sources:?}");
    }
}

/// The first answer that is not "wrong" to so many guesses, each at somebody else's password: only the address is the same, or is not.
async fn refused(house: &House, guesses: u32, address: &dyn Fn(u32) -> String) -> Option<u16> {
    for n in 0..guesses {
        let guess = json!({"username": format!("nobody-{n}"), "password": "guess"});
        let status = house.call_with(&[("x-forwarded-for", &address(n))], "POST", "/api/v1/session", Some(&guess)).await.status;
        if status != 401 {
            return Some(status);
        }
    }
    None
}

#[actix_web::test]
async fn made_up_addresses_get_round_no_limit_and_people_behind_a_proxy_have_one_each() {
    let direct = House::new().await;
    let behind = direct.beside_behind_proxy().await;
    assert_eq!(refused(&direct, 400, &|n| format!("192.0.2.{n}")).await, Some(429), "another address each time");
    assert_eq!(refused(&behind, 400, &|n| format!("192.0.2.{n}, {CLIENT}")).await, Some(429), "the same client, who makes something up each time");
    assert_eq!(refused(&behind, 150, &|n| format!("198.51.100.{n}")).await, None, "others are not held up by it");
}

#[actix_web::test]
async fn whoever_has_a_network_of_ipv6_is_counted_as_one() {
    let direct = House::new().await;
    let behind = direct.beside_behind_proxy().await;
    assert_eq!(refused(&behind, 400, &|n| format!("2001:db8:0:1::{n:x}")).await, Some(429), "one network");
    assert_eq!(refused(&behind, 150, &|n| format!("2001:db8:1:{n:x}::1")).await, None, "networks beside one another");
}
