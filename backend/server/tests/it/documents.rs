//! The document, its page, the console's files and the headers that every answer carries.

use crate::house::{House, PASSWORD};
use serde_json::json;

#[actix_web::test]
async fn the_document_and_its_page_are_served_without_foreign_assets() {
    let house = House::new().await;
    let document = house.call(None, "GET", "/api/openapi.json", None).await;
    assert_eq!(document.body["openapi"], "3.1.0");
    for path in ["/api/docs", "/api/docs/docs.css", "/api/docs/docs.js"] {
        let answer = house.call(None, "GET", path, None).await;
        assert_eq!(answer.status, 200);
        let text = answer.body.to_string();
        assert!(!text.contains("http://") && !text.contains("https://"), "{path} loads from elsewhere");
    }
}

/// What the OWASP Secure Headers Project asks of every answer, errors included.
const HEADERS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];
/// What tells a stranger with what a site was made.
const TELLTALES: [&str; 4] = ["server", "x-powered-by", "via", "x-aspnet-version"];

#[actix_web::test]
async fn every_answer_has_an_id_and_the_security_headers() {
    let house = House::new().await;
    let member = house.sign_in("member-a").await;
    let document = house.call(None, "GET", "/api/openapi.json", None).await;
    let paths = document.body["paths"].as_object().unwrap();
    let reads = paths.iter().filter(|(_, methods)| methods.get("get").is_some()).map(|(path, _)| path.clone());
    let others = ["/", "/clusters/7", "/nothing.js", "/api/v1/nothing", "/healthz", "/k8s/clusters/x/version"].map(str::to_owned);
    for path in reads.filter(|path| !path.ends_with("/events")).chain(others) {
        let mut pieces: Vec<&str> = path.split('/').collect();
        pieces.iter_mut().filter(|piece| piece.starts_with('{')).for_each(|piece| *piece = "01900000-0000-7000-8000-000000000000");
        let path = pieces.join("/");
        for person in [None, Some(&member)] {
            let answer = house.call(person, "GET", &path, None).await;
            assert!(answer.headers.contains_key("x-request-id"), "{path}");
            for (name, value) in HEADERS {
                assert_eq!(answer.headers.get(name).unwrap_or_else(|| panic!("{path}: no {name}")), value, "{path}");
            }
            for telltale in TELLTALES {
                assert!(!answer.headers.contains_key(telltale), "{path}: {telltale}");
            }
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(policy.contains("script-src 'self'; ") && !policy.contains("'unsafe-eval'"), "{policy}");
            if path.starts_with("/api/v1/") {
                assert_eq!(answer.headers["cache-control"], "no-store", "{path}: what is somebody's own stays in no cache");
            }
        }
    }
}

#[actix_web::test]
async fn over_tls_browsers_are_told_to_stay_there_and_cookies_are_kept_to_it() {
    let direct = House::new().await;
    let behind = direct.beside_behind_proxy().await;
    let body = json!({"username": "member-a", "password": PASSWORD});
    for (house, scheme, secure) in [(&behind, "http", false), (&behind, "https", true), (&direct, "https", false)] {
        let answer = house.call_with(&[("x-forwarded-proto", scheme)], "POST", "/api/v1/session", Some(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.headers.contains_key("strict-transport-security"), secure);
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict") && !cookie.contains("Domain="), "{cookie}");
        }
        // Of a name that browsers take from this host alone, only with Secure, Path=/ and no Domain: another host of the domain cannot plant it.
        let session = answer.person().cookie;
        assert_eq!(session.starts_with("__Host-kcs_session="), secure, "{session}");
        for (cookie, status) in [(session.clone(), 200), (session.replace("__Host-", ""), if secure { 401 } else { 200 })] {
            let headers = [("x-forwarded-proto", scheme), ("cookie", cookie.as_str())];
            assert_eq!(house.call_with(&headers, "GET", "/api/v1/session", None).await.status, status);
        }
    }
}

#[actix_web::test]
async fn figures_are_on_a_listener_of_their_own_and_nothing_else_is_there() {
    let house = House::new().await;
    let operator = house.sign_in("operator").await;
    let figures = house.figures("/metrics").await;
    assert_eq!((figures.status().as_u16(), figures.headers()["x-content-type-options"].to_str().unwrap()), (200, "nosniff"));
    assert_eq!(figures.text().await.unwrap(), "kcs_up 1\n");
    for path in ["/", "/api/v1/about", "/healthz", "/node/v1/bundle", "/k8s/clusters/x/version"] {
        assert_eq!(house.figures(path).await.status(), 404, "{path}");
    }
    for person in [None, Some(&operator)] {
        let elsewhere = house.call(person, "GET", "/metrics", None).await;
        assert!(!elsewhere.body.to_string().contains("kcs_up"), "{}", elsewhere.body);
    }
}

#[actix_web::test]
async fn the_console_is_served_at_every_address_of_its_own() {
    let house = House::new().await;
    for path in ["/", "/clusters", "/clusters/123/nodes"] {
        let answer = house.call(None, "GET", path, None).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(answer.headers["cache-control"], "no-cache");
        let tag = answer.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(house.call_with(&[("if-none-match", &tag)], "GET", path, None).await.status, 304);
    }
    assert_eq!(house.call(None, "GET", "/assets/nothing-1234.js", None).await.status, 404);
}
