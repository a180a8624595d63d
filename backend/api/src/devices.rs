//! Browsers that somebody has signed in with before, told by a cookie: whoever guesses passwords from elsewhere does not lock them out.

use crate::caller::host_cookie;
use crate::errors::Answer;
use crate::peers::secure;
use crate::state::State;
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The cookie's name. It proves no more than that this person signed in here before: the password is asked for all the same.
const COOKIE: &str = "kcs_device";
const KEY: &str = "devices";
const LIFETIME: Duration = Duration::days(90);

/// Who is meant by names. They are compared without regard to case, accents, the form of letters and spaces around them: Keystone's database does not tell
/// apart what it takes for the same, so neither may whoever counts attempts.
#[must_use]
pub fn person(domain: &str, user: &str) -> String {
    let plain = |name: &str| name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect::<String>();
    format!("{}/{}", plain(domain).trim(), plain(user).trim())
}

/// Whether this browser is one that the person has signed in with; what tells it from others, then.
///
/// # Errors
/// When the database does not answer.
pub async fn known(state: &State, request: &HttpRequest, person: &str) -> Answer<Option<String>> {
    let Some(cookie) = request.cookie(&host_cookie(request, COOKIE)) else { return Ok(None) };
    let Some((device, tag)) = cookie.value().split_once('.') else { return Ok(None) };
    let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else { return Ok(None) };
    let key = state.store.installation_key(KEY).await?;
    let good = key.matches(&tag, KEY.as_bytes(), &[person.as_bytes(), device.as_bytes()]);
    Ok(good.then(|| device.to_owned()))
}

/// The cookie for a browser that somebody has just signed in with: its first, or what it is `known` by for as long again. Who signs in every day is no
/// stranger after all of its days.
///
/// # Errors
/// When the database does not answer.
pub async fn cookie(state: &State, request: &HttpRequest, person: &str, known: Option<String>) -> Answer<Cookie<'static>> {
    let device = known.unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let key = state.store.installation_key(KEY).await?;
    let tag = key.tag(KEY.as_bytes(), &[person.as_bytes(), device.as_bytes()]);
    let value = format!("{device}.{}", URL_SAFE_NO_PAD.encode(tag));
    let cookie = Cookie::build(host_cookie(request, COOKIE), value).path("/").http_only(true).same_site(SameSite::Strict).secure(secure(request));
    Ok(cookie.max_age(LIFETIME).finish())
}
