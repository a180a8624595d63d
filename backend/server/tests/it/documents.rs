//! The document, its page, the console's files and the headers that every answer carries.

use crate::house::{Got, House, PASSWORD};
use serde_json::json;
use std::collections::BTreeMap;

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

#[actix_web::test]
async fn who_asks_whether_it_is_ready_learns_which_part_is_and_no_words_of_it() {
    let house = House::new().await;
    let ready = house.call(None, "GET", "/readyz", None).await;
    assert_eq!((ready.status, &ready.body), (200, &json!({"ready": true, "parts": [{"part": "database", "ok": true}]})));
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
/// What pages may load and do. Styles may be inline, for the component library makes them while it runs; scripts may not.
const POLICY: [(&str, &str); 8] = [
    ("default-src", "'none'"),
    ("script-src", "'self'"),
    ("style-src", "'self' 'unsafe-inline'"),
    ("connect-src", "'self'"),
    ("object-src", "'none'"),
    ("base-uri", "'none'"),
    ("form-action", "'self'"),
    ("frame-ancestors", "'none'"),
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
            check(&house.call(person, "GET", &path, None).await, &path);
        }
    }
}

/// The headers of one answer, whatever it says.
fn check(answer: &Got, path: &str) {
    assert!(answer.headers.contains_key("x-request-id"), "{path}");
    for (name, value) in HEADERS {
        assert_eq!(answer.headers.get(name).unwrap_or_else(|| panic!("{path}: no {name}")), value, "{path}");
    }
    for telltale in TELLTALES {
        assert!(!answer.headers.contains_key(telltale), "{path}: {telltale}");
    }
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    let directives: BTreeMap<&str, &str> = policy.split(';').filter_map(|directive| directive.trim().split_once(' ')).collect();
    // What a cluster says is shown as data, and does nothing at all.
    if policy.starts_with("sandbox;") {
        assert_eq!(policy, "sandbox; default-src 'none'; frame-ancestors 'none'", "{path}");
    } else {
        for (directive, sources) in POLICY {
            assert_eq!(directives.get(directive), Some(&sources), "{path}: {policy}");
        }
    }
    assert!(!policy.contains("'unsafe-eval'") && !policy.contains('*'), "{path}: {policy}");
    if ["/api/v1/", "/k8s/", "/node/"].iter().any(|part| path.starts_with(part)) {
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}: what is somebody's own stays in no cache");
    }
}

#[actix_web::test]
async fn refusals_of_every_kind_answers_of_clusters_and_files_carry_the_headers_too() {
    let house = House::new().await;
    let (member, reader) = (house.sign_in("member-a").await, house.sign_in("reader-a").await);
    let (cluster, _api) = house.cluster_with_answering_api(&member, "web").await;
    let gate = format!("/k8s/clusters/{cluster}");
    let (pods, proxy) = (format!("{gate}/api/v1/pods"), format!("{gate}/api/v1/namespaces/default/services/web/proxy/"));
    let (empty, wrong) = (json!({}), json!({"username": "member-a", "password": "wrong"}));
    for (person, method, path, body, status) in [
        (None, "POST", "/api/v1/session", Some(&empty), 400),
        (None, "POST", "/api/v1/session", Some(&wrong), 401),
        (None, "POST", "/api/v1/session", None, 415),
        (None, "POST", "/api/v1/session/federation/callback", None, 303),
        (None, "DELETE", "/api/v1/about", None, 405),
        (None, "PUT", "/clusters/7", None, 405),
        (None, "GET", "/assets/nothing-1234.js", None, 404),
        (None, "POST", "/node/v1/bundle", None, 401),
        (Some(&reader), "POST", "/api/v1/clusters", Some(&empty), 403),
        (None, "GET", pods.as_str(), None, 401),
        (Some(&member), "GET", pods.as_str(), None, 200),
        (Some(&member), "GET", proxy.as_str(), None, 403),
    ] {
        let answer = house.call(person, method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        check(&answer, path);
    }
    let page = house.call(None, "GET", "/", None).await.body;
    for name in page.as_str().unwrap().split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
        let path = format!("/assets/{name}");
        let file = house.call(None, "GET", &path, None).await;
        assert_eq!((file.status, file.headers["cache-control"].to_str().unwrap()), (200, "public, max-age=31536000, immutable"), "{path}");
        check(&file, &path);
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
        let person = answer.person();
        let begun = house.call_with(&[("x-forwarded-proto", scheme)], "POST", "/api/v1/session/federation", Some(&json!({"provider": "corp"}))).await;
        let again = house.call_with(&[("x-forwarded-proto", scheme)], "POST", "/api/v1/session", Some(&body)).await.person();
        let csrf = [("x-forwarded-proto", scheme), ("cookie", again.cookie.as_str()), ("x-csrf-token", again.csrf.as_str())];
        let out = house.call_with(&csrf, "DELETE", "/api/v1/session", None).await;
        assert_eq!((begun.status, out.status), (200, 204));
        let mut names = Vec::new();
        for answer in [&answer, &begun, &out] {
            assert_eq!(answer.headers.contains_key("strict-transport-security"), secure);
            for cookie in answer.headers.get_all("set-cookie") {
                let cookie = cookie.to_str().unwrap();
                assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
                assert!(cookie.contains("; HttpOnly") && cookie.split("; ").any(|part| part == "Path=/") && !cookie.contains("Domain="), "{cookie}");
                let name = cookie.split('=').next().unwrap();
                // The way back from an identity provider begins at another site.
                let same_site = if !name.ends_with("kcs_federation") {
                    "Strict"
                } else if secure {
                    "None"
                } else {
                    "Lax"
                };
                assert!(cookie.contains(&format!("; SameSite={same_site}")), "{cookie}");
                names.push(name.to_owned());
            }
        }
        // Of names that browsers take from this host alone, only with Secure, Path=/ and no Domain: another host of the domain cannot plant them.
        let prefix = if secure { "__Host-" } else { "" };
        let expected = ["kcs_session", "kcs_device", "kcs_federation", "kcs_session"].map(|name| format!("{prefix}{name}"));
        assert_eq!(names, expected);
        let session = person.cookie;
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
