//! Signing in, switching, out; and what is refused.

use crate::house::{House, PASSWORD};
use futures::StreamExt;
use serde_json::json;

#[actix_web::test]
async fn an_unknown_user_is_answered_like_a_wrong_password() {
    let house = House::new().await;
    let sign_in = async |user: &str, password: &str| {
        let mut answer = house.call(None, "POST", "/api/v1/session", Some(&json!({"username": user, "password": password}))).await;
        answer.body["request_id"] = json!(null);
        (answer.status, answer.body)
    };
    let wrong = sign_in("member-a", "wrong").await;
    assert_eq!(wrong.0, 401);
    assert_eq!(wrong, sign_in("nobody", PASSWORD).await);
}

#[actix_web::test]
async fn the_project_can_be_chosen_and_switched() {
    let house = House::new().await;
    let both = house.sign_in("both").await;
    let session = house.call(Some(&both), "GET", "/api/v1/session", None).await;
    assert_eq!(session.body["projects"].as_array().unwrap().len(), 2, "{}", session.body);
    assert_eq!(session.body["project"]["name"], "tenant-a");
    let switched = house.call(Some(&both), "PUT", "/api/v1/session", Some(&json!({"project": "tenant-b"}))).await;
    assert_eq!((switched.status, &switched.body["project"]["name"]), (200, &json!("tenant-b")));
    // The old session is over: what was open in the other project ends.
    assert_eq!(house.call(Some(&both), "GET", "/api/v1/session", None).await.status, 401);
    let foreign =
        house.call(None, "POST", "/api/v1/session", Some(&json!({"username": "member-a", "password": PASSWORD, "project": "tenant-b"}))).await;
    assert_eq!((foreign.status, foreign.body["code"].as_str()), (403, Some("KCS-AUTH-005")));
}

#[actix_web::test]
async fn after_signing_out_the_cookie_is_worthless() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    assert!(member.cookie_attributes.contains("HttpOnly") && member.cookie_attributes.contains("SameSite=Strict"), "{}", member.cookie_attributes);
    assert_eq!(house.call(Some(&member), "DELETE", "/api/v1/session", None).await.status, 204);
    assert_eq!(house.call(Some(&member), "GET", "/api/v1/clusters", None).await.status, 401);
}

#[actix_web::test]
async fn guessing_passwords_is_slowed_down() {
    let house = House::new().await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(house.call(None, "POST", "/api/v1/session", Some(&json!({"username": "member-a", "password": "guess"}))).await.status);
    }
    assert!(statuses.contains(&401) && statuses.ends_with(&[429]), "{statuses:?}");
    // Another person is not locked out by it.
    house.sign_in("member-b").await;
}

#[actix_web::test]
async fn a_passcode_is_wanted_where_keystone_wants_one_and_a_wrong_one_is_refused_like_a_wrong_password() {
    let house = House::new().await;
    let try_in = async |password: &str, passcode: Option<&str>| {
        let mut body = json!({"username": "totp-a", "password": password});
        if let Some(passcode) = passcode {
            body["passcode"] = json!(passcode);
        }
        house.call(None, "POST", "/api/v1/session", Some(&body)).await
    };
    let asked = try_in(PASSWORD, None).await;
    assert_eq!((asked.status, asked.body["code"].as_str()), (401, Some("KCS-AUTH-012")));
    assert!(!asked.headers.contains_key("set-cookie"), "nothing is begun by half");
    let shown = house.cloud.passcode("totp-a").unwrap();
    let other = format!("{:06}", (shown.parse::<u32>().unwrap() + 500_000) % 1_000_000);
    let mut refusals = Vec::new();
    for (password, passcode) in [("wrong", None), ("wrong", Some(shown.as_str())), (PASSWORD, Some(other.as_str()))] {
        let mut refused = try_in(password, passcode).await;
        assert_eq!((refused.status, refused.body["code"].as_str()), (401, Some("KCS-AUTH-003")), "{passcode:?}");
        refused.body["request_id"] = json!(null);
        refusals.push(refused.body);
    }
    assert!(refusals.windows(2).all(|two| two[0] == two[1]), "{refusals:?}");
    let person = try_in(PASSWORD, Some(&house.cloud.passcode("totp-a").unwrap())).await.person();
    assert_eq!(house.call(Some(&person), "GET", "/api/v1/clusters", None).await.status, 200);
    // Who needs none and sends one is not let in by it either.
    let body = json!({"username": "member-a", "password": PASSWORD, "passcode": "123456"});
    assert_eq!(house.call(None, "POST", "/api/v1/session", Some(&body)).await.status, 401);
}

#[actix_web::test]
async fn guessing_passcodes_is_slowed_down_like_guessing_passwords() {
    let house = House::new().await;
    let mut statuses = Vec::new();
    for guess in 0..30 {
        let body = json!({"username": "totp-a", "password": PASSWORD, "passcode": format!("{guess:06}")});
        statuses.push(house.call(None, "POST", "/api/v1/session", Some(&body)).await.status);
    }
    assert!(statuses.contains(&401) && statuses.ends_with(&[429]), "{statuses:?}");
}

/// Signs in from an address of this machine, with the cookies given.
async fn from(house: &House, address: &str, user: &str, password: &str, cookie: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().local_address(Some(address.parse().unwrap())).build().unwrap();
    let body = json!({"username": user, "password": password}).to_string();
    let request = client.post(format!("{}/api/v1/session", house.url)).header("content-type", "application/json").header("cookie", cookie);
    request.body(body).send().await.unwrap()
}

/// The cookie of a browser that `member-a` has signed in with.
async fn device(house: &House) -> String {
    let first = from(house, "127.0.0.1", "member-a", PASSWORD, "").await;
    assert_eq!(first.status(), 200);
    let cookies: Vec<String> = first.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned()).collect();
    let device = cookies.iter().find(|c| c.starts_with("kcs_device=")).unwrap();
    assert!(device.contains("HttpOnly") && device.contains("SameSite=Strict") && device.contains("Path=/;"), "{device}");
    device.split(';').next().unwrap().to_owned()
}

#[actix_web::test]
async fn guessing_from_many_addresses_locks_nobody_out_and_costs_keystone_no_more_than_agreed() {
    // One sign-in of strangers in thirty seconds.
    const A_MINUTE: u32 = 2;
    let house = House::new().await.beside_limited(A_MINUTE).await;
    let device = &device(&house).await;
    let asked = || house.cloud.calls(local_cloud::Service::Identity, "POST", "/identity/v3/auth/tokens");
    let (before, begun) = (asked(), std::time::Instant::now());
    let guess = async |number: u32| {
        let address = format!("127.{}.{}.9", 1 + number / 250 % 250, 1 + number % 250);
        let user = if number.is_multiple_of(2) { "member-a".to_owned() } else { format!("nobody-{number}") };
        from(&house, &address, &user, "guess", "").await.status().as_u16()
    };
    let statuses: Vec<u16> = futures::stream::iter(0..10_000).map(guess).buffer_unordered(32).collect().await;
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    let minutes = begun.elapsed().as_secs() / 60 + 1;
    assert!(asked() - before <= u64::from(A_MINUTE) * (minutes + 1), "Keystone was asked {} times in {minutes} minutes", asked() - before);

    // A browser that is known signs in; a stranger, whoever they say they are, is told to wait where guesses came from everywhere: of two in a row at most
    // one gets through.
    let waits = async |user: &str, cookie: &str| {
        let both = [from(&house, "127.9.9.9", user, PASSWORD, cookie).await, from(&house, "127.9.9.9", user, PASSWORD, cookie).await];
        both.iter().any(|answer| answer.status() == 429)
    };
    assert!(waits("member-a", "").await);
    assert!(!waits("member-a", device).await);
    // Known for this person only, and only as it was made.
    assert!(waits("member-b", device).await);
    assert!(waits("member-a", &device.replace("kcs_device=", "kcs_device=0")).await);
}

#[actix_web::test]
async fn a_browser_that_somebody_signs_in_with_stays_known_for_as_long_again() {
    let house = House::new().await;
    let device = device(&house).await;
    let again = from(&house, "127.0.0.1", "member-a", PASSWORD, &device).await;
    let cookies: Vec<&str> = again.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let renewed = cookies.iter().find(|c| c.starts_with("kcs_device=")).expect("the cookie is set anew");
    // The same, by which its own limit knows it.
    assert_eq!(renewed.split(';').next().unwrap(), device);
    assert!(renewed.contains(&format!("Max-Age={}", 90 * 24 * 3600)), "{renewed}");
}

/// What is said to guesses at somebody from these addresses, one after the other; each has a length of time with it exactly where it is to wait.
async fn guesses(house: &House, addresses: impl IntoIterator<Item = String>, names: &[&str]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (address, name) in addresses.into_iter().zip(names.iter().cycle()) {
        let guess = from(house, &address, name, "guess", "").await;
        assert_eq!(guess.status() == 429, guess.headers().contains_key("retry-after"), "{name} {address}");
        statuses.push(guess.status().as_u16());
    }
    statuses
}

#[actix_web::test]
async fn strangers_may_fail_a_few_times_as_one_person_from_wherever_they_come_and_whether_or_not_there_is_one() {
    let house = House::new().await;
    let device = device(&house).await;
    let asked = || house.cloud.calls(local_cloud::Service::Identity, "POST", "/identity/v3/auth/tokens");
    // Each of them is the same name to Keystone's database: case, spaces, accents, and letters in another form.
    for person in [["member-a", "MEMBER-A", " Member-A ", "mémber-à", "ｍember-a"], ["nobody", "NOBODY", " Nobody ", "nöbödy", "ｎobody"]] {
        let before = asked();
        // Five from wherever they come; then two from each neighbourhood, be it of many addresses.
        assert_eq!(guesses(&house, (1..=5).map(|n| format!("127.{n}.1.9")), &person).await, [401; 5]);
        for place in [1, 2] {
            assert_eq!(guesses(&house, (1..=4).map(|n| format!("127.1.{place}.{n}")), &person).await, [401, 401, 429, 429]);
        }
        assert_eq!(asked() - before, 5 + 2 * 2);
    }
    assert_eq!(from(&house, "127.1.1.9", "member-a", PASSWORD, "").await.status(), 429, "the true password tells nothing either");
    assert_eq!(from(&house, "127.1.1.9", "member-a", PASSWORD, &device).await.status(), 200);
    // What does not fail counts for nothing.
    for _ in 0..8 {
        assert_eq!(from(&house, "127.9.9.9", "member-b", PASSWORD, "").await.status(), 200);
    }
}

#[actix_web::test]
async fn whoever_is_guessed_at_signs_in_all_the_same_from_where_little_failed() {
    let house = House::new().await;
    assert!(guesses(&house, (1..=20).map(|n| format!("127.1.1.{n}")), &["member-a"]).await.ends_with(&[429; 13]));
    // A browser that is not known, and a slip at first.
    for (password, status) in [("guess", 401), (PASSWORD, 200), (PASSWORD, 200), (PASSWORD, 200)] {
        assert_eq!(from(&house, "127.9.9.9", "member-a", password, "").await.status(), status);
    }
    assert_eq!(from(&house, "127.1.1.9", "member-a", PASSWORD, "").await.status(), 429);
}

#[actix_web::test]
async fn one_neighbourhood_uses_up_neither_what_others_have_when_much_has_failed_nor_all_of_its_own_on_many_names() {
    let house = House::new().await;
    let mut late = Vec::new();
    for name in ["nobody-1", "nobody-2", "nobody-3", "nobody-4", "nobody-5", "nobody-6"] {
        let statuses = guesses(&house, (1..=8).map(|n| format!("127.1.1.{n}")), &[name]).await;
        assert!(statuses.starts_with(&[401; 5]), "{statuses:?}");
        late.push(statuses.iter().filter(|status| **status == 401).count() - 5);
    }
    assert_eq!(late, [2, 2, 2, 2, 2, 0]);

    // As one who has used up what all strangers have: made-up names, each from an address of its own.
    let limited = house.beside_limited(200).await;
    let (mut number, mut refused) = (0, 0);
    while refused < 3 {
        number += 1;
        assert!(number < 5_000, "strangers have no limit in common");
        let status = from(&limited, &format!("127.1.1.{}", 1 + number % 250), &format!("nobody-{number}"), "guess", "").await.status();
        refused = if status == 429 { refused + 1 } else { 0 };
    }
    assert_eq!(from(&limited, "127.9.9.9", "member-b", PASSWORD, "").await.status(), 200);
}

#[actix_web::test]
async fn no_page_of_somebody_elses_signs_anybody_in_or_changes_anything() {
    let house = House::new().await;
    let (own, foreign) = (("origin", house.url.as_str()), ("origin", "https://evil.example"));
    let theirs = [vec![foreign], vec![("origin", "null")], vec![("sec-fetch-site", "cross-site")], vec![("sec-fetch-site", "same-site"), foreign]];
    // Programs say nothing of where they come from; a page of ours may have no origin to show, and its browser vouches for it.
    let ours = [vec![], vec![own], vec![("sec-fetch-site", "same-origin"), own], vec![("sec-fetch-site", "same-origin"), ("origin", "null")]];
    for (path, body, status) in [
        ("/api/v1/session", json!({"username": "member-a", "password": PASSWORD}), 200),
        ("/api/v1/session/application-credential", json!({"id": "x", "secret": "y"}), 401),
        ("/api/v1/session/federation", json!({"provider": "corp"}), 200),
        ("/api/v1/device", json!({"client_name": "kcs", "host_name": "laptop"}), 200),
    ] {
        for headers in &theirs {
            let refused = house.call_with(headers, "POST", path, Some(&body)).await;
            assert_eq!((refused.status, refused.body["code"].as_str()), (403, Some("KCS-AUTH-004")), "{path} {headers:?}");
            assert!(!refused.headers.contains_key("set-cookie") && refused.headers.contains_key("content-security-policy"), "{path} {headers:?}");
        }
        for headers in &ours {
            assert_eq!(house.call_with(headers, "POST", path, Some(&body)).await.status, status, "{path} {headers:?}");
        }
    }

    // With the cookie, and even with what only a page of ours can read.
    let member = house.sign_in("member-a").await;
    let (token, inside) = (json!({"name": "ci", "expires_in": 3600}), format!("/k8s/clusters/{}/api/v1/namespaces", uuid::Uuid::new_v4()));
    for (headers, made, there) in theirs.iter().map(|headers| (headers, 403, 403)).chain(ours.iter().map(|headers| (headers, 201, 404))) {
        assert_eq!(house.call_as(&member, headers, "POST", "/api/v1/tokens", Some(&token)).await.status, made, "{headers:?}");
        assert_eq!(house.call_as(&member, headers, "POST", &inside, Some(&json!({}))).await.status, there, "{headers:?}");
        assert_eq!(house.call_as(&member, headers, "GET", "/api/v1/session", None).await.status, 200, "{headers:?}");
    }
    // A page cannot have a browser send a token.
    let keystone = house.keystone_token("member-a", "tenant-a").await;
    let by_token = house.call_with(&[("x-auth-token", &keystone), foreign], "POST", "/api/v1/clusters/plan", Some(&json!({}))).await;
    assert_ne!(by_token.status, 403, "{}", by_token.body);
}
