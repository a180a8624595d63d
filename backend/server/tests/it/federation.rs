//! Signing in through an identity provider: the whole way, and everybody who would have somebody else walk it.

use crate::house::{Got, House};
use bytes::Bytes;
use http::Request;
use serde_json::json;

const BEGIN: &str = "/api/v1/session/federation";
const CALLBACK: &str = "/api/v1/session/federation/callback";
/// Where the pages of the test's Keystone are.
pub const KEYSTONE: &str = "http://keystone.example";
const REFUSED: &str = "/sign-in?refused=KCS-AUTH-013";

/// A browser that has begun: (address of Keystone's page, its cookie).
pub async fn begin(house: &House, next: &str) -> (String, String) {
    let begun = house.call(None, "POST", BEGIN, Some(&json!({"provider": "corp", "next": next}))).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let cookie = begun.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/;") && cookie.contains("Max-Age=600"), "{cookie}");
    (begun.body["url"].as_str().unwrap().to_owned(), cookie.split(';').next().unwrap().to_owned())
}

/// One page of the identity provider or Keystone: (status, text).
fn page(house: &House, method: &str, url: &str, form: &str) -> (u16, String) {
    let url = url.replace(KEYSTONE, &house.cloud.base_url());
    let request = Request::builder().method(method).uri(url).body(Bytes::from(form.to_owned())).unwrap();
    let answer = house.cloud.handle(request);
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

/// The token that the form of Keystone's last page carries, for somebody who has signed in with the provider.
pub fn token(house: &House, url: &str, user: &str) -> String {
    let (status, picker) = page(house, "GET", url, "");
    assert!(status == 200 && picker.contains(user), "{status} {picker}");
    let (status, text) = page(house, "POST", url, &format!("user={user}"));
    assert!(status == 200 && text.contains(&format!("action=\"{}{CALLBACK}\"", house.url)), "{status} {text}");
    text.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

pub async fn come_back(house: &House, cookie: &str, origin: &str, token: &str) -> Got {
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let headers = [("cookie", cookie), ("origin", origin)];
    house.form(&headers, CALLBACK, form).await
}

fn location(answer: &Got) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.headers["location"].to_str().unwrap()
}

/// The session's cookie, if one was given.
fn session(answer: &Got) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let mut ours = cookies.filter(|cookie| cookie.starts_with("kcs_session="));
    ours.next().map(|cookie| {
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    })
}

#[actix_web::test]
async fn an_identity_provider_signs_in_into_a_project_that_may_be_switched() {
    let house = House::new().await;
    let listed = house.call(None, "GET", BEGIN, None).await;
    assert_eq!(listed.body["items"], json!([{"id": "corp", "label": "Corporate account", "label_zh": "企业账号"}]));
    let (url, cookie) = begin(&house, "/clusters?phase=Running").await;
    let answer = come_back(&house, &cookie, KEYSTONE, &token(&house, &url, "sso-a")).await;
    assert_eq!(location(&answer), "/clusters?phase=Running");
    let spent = answer.headers.get_all("set-cookie").iter().any(|c| c.to_str().unwrap().starts_with("kcs_federation=;"));
    assert!(spent, "the browser keeps what it began with");
    let cookie = session(&answer).unwrap();
    let signed_in = house.call_with(&[("cookie", &cookie)], "GET", "/api/v1/session", None).await;
    assert_eq!((signed_in.status, &signed_in.body["user"]["name"], &signed_in.body["project"]["name"]), (200, &json!("sso-a"), &json!("tenant-a")));
    let csrf = signed_in.body["csrf_token"].as_str().unwrap();
    let switched =
        house.call_with(&[("cookie", &cookie), ("x-csrf-token", csrf)], "PUT", "/api/v1/session", Some(&json!({"project": "tenant-b"}))).await;
    assert_eq!((switched.status, &switched.body["project"]["name"]), (200, &json!("tenant-b")));
}

#[actix_web::test]
async fn nobody_is_signed_in_by_a_form_that_another_page_sends_or_in_a_browser_that_has_not_begun() {
    let house = House::new().await;
    let (url, cookie) = begin(&house, "/").await;
    let good = token(&house, &url, "sso-a");
    let (value, tag) = cookie.rsplit_once('.').unwrap();
    let forged = format!("{value}A.{tag}");
    let key = house.store.installation_key("federation").await.unwrap();
    let made = |until: i64| {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let text = json!({"provider": "corp", "next": "/", "until": until}).to_string();
        format!("kcs_federation={}.{}", encode(text.as_bytes()), encode(&key.tag(b"federation", &[text.as_bytes()])))
    };
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let over = made(now - 1);
    for (what, cookie, origin) in [
        ("no cookie", "", KEYSTONE),
        ("a forged cookie", forged.as_str(), KEYSTONE),
        ("a cookie that is over", over.as_str(), KEYSTONE),
        ("another page's form", cookie.as_str(), "https://elsewhere.example"),
        ("our own page's form", cookie.as_str(), house.url.as_str()),
        ("a form of nobody's page", cookie.as_str(), "null"),
    ] {
        let answer = come_back(&house, cookie, origin, &good).await;
        assert_eq!((location(&answer), session(&answer)), (REFUSED, None), "{what}");
    }
    let answer = come_back(&house, &made(now + 60), KEYSTONE, &good).await;
    assert!(session(&answer).is_some(), "and one made like that is good in time");
    // Over TLS the cookie says itself that it comes along with the form of another site.
    let headers = [("x-forwarded-proto", "https")];
    let behind = house.beside_behind_proxy().await;
    let begun = behind.call_with(&headers, "POST", BEGIN, Some(&json!({"provider": "corp"}))).await;
    let cookie = begun.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; SameSite=None") && cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
    // A page of somebody else's cannot begin it: what it can send without asking first is no JSON.
    let simple = house.raw(None, "POST", BEGIN, "text/plain", json!({"provider": "corp"}).to_string().into_bytes()).await;
    assert_eq!((simple.status, simple.headers.get("set-cookie")), (415, None));
}

#[actix_web::test]
async fn a_token_that_keystone_does_not_know_or_that_is_bound_is_refused_and_guessing_is_slowed_down() {
    let house = House::new().await;
    let (url, cookie) = begin(&house, "/").await;
    let bound = house.keystone_token("member-a", "tenant-a").await;
    for bad in ["", "nonsense", "a\nb", bound.as_str()] {
        let answer = come_back(&house, &cookie, KEYSTONE, bad).await;
        assert_eq!((location(&answer), session(&answer)), (REFUSED, None), "{bad}");
    }
    let nowhere = come_back(&house, &cookie, KEYSTONE, &token(&house, &url, "sso-nowhere")).await;
    assert_eq!((location(&nowhere), session(&nowhere)), ("/sign-in?refused=KCS-AUTH-005", None));
    let by_password = house.state.identity.sign_in("sso-a", "Default", &crate::house::PASSWORD.to_owned().into(), None).await;
    assert!(by_password.is_err(), "who comes by a provider has no password");
    let mut last = String::new();
    for _ in 0..180 {
        last = location(&come_back(&house, &cookie, KEYSTONE, "nonsense").await).to_owned();
    }
    assert_eq!(last, "/sign-in?refused=KCS-RATE-001");
    // Keystone sends nobody to an address that it does not trust.
    let elsewhere = url.split("?origin=").next().unwrap().to_owned() + "?origin=https://elsewhere.example/";
    assert_eq!(page(&house, "GET", &elsewhere, "").0, 401);
}

#[actix_web::test]
async fn guessing_passwords_does_not_hold_up_who_comes_by_an_identity_provider() {
    let house = House::new().await.beside_limited(2).await;
    let (url, cookie) = begin(&house, "/").await;
    let mut statuses = Vec::new();
    for n in 0..200 {
        let guess = json!({"username": format!("nobody-{n}"), "password": "guess"});
        statuses.push(house.call(None, "POST", "/api/v1/session", Some(&guess)).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let answer = come_back(&house, &cookie, KEYSTONE, &token(&house, &url, "sso-a")).await;
    assert_eq!((location(&answer), session(&answer).is_some()), ("/", true));
}
