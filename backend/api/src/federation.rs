//! Signing in through an identity provider that Keystone trusts (WebSSO): the browser goes to Keystone's page and comes back with a token in a
//! form. It must be the browser that began here, and the form must come from Keystone's page: nobody is signed in as somebody else by a link.

use crate::caller::{context, host_cookie};
use crate::device_sign_ins::console_url;
use crate::errors::{Answer, Problem};
use crate::extract::{Body, Text};
use crate::keystone_tokens;
use crate::lists::List;
use crate::peers::secure;
use crate::session::{begin, enter, let_in};
use crate::state::State;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::codes::Code;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use url::Url;

/// One identity provider.
#[derive(Clone, Debug)]
pub struct Provider {
    pub id: String,
    pub label: String,
    pub label_zh: String,
    /// Keystone's page that leads there.
    pub page: Url,
}

/// An identity provider that people may sign in with.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FederationProvider {
    pub id: String,
    pub label: String,
    pub label_zh: String,
}

/// A sign-in to be begun.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FederationRequest {
    /// Id of the provider.
    pub provider: String,
    /// The address of the console to go on at; default: `/`.
    #[serde(default)]
    pub next: Option<String>,
}

/// Where the browser has to go.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FederationStarted {
    pub url: String,
}

/// What Keystone's page sends back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct FederationForm {
    /// Keystone's, not bound to a project.
    #[schema(value_type = String, format = Password)]
    pub token: SecretString,
}

/// What a browser that has begun remembers, in a cookie that only KCS can make.
#[derive(Serialize, Deserialize)]
struct Begun {
    provider: String,
    next: String,
    /// Seconds since 1970.
    until: i64,
}

const COOKIE: &str = "kcs_federation";
const KEY: &str = "federation";
/// Where Keystone's page sends its form.
pub(crate) const CALLBACK: &str = "/api/v1/session/federation/callback";
/// For how long a person may take at the provider.
const LIFETIME: Duration = Duration::minutes(10);

fn not_accepted() -> Problem {
    Problem::new(Code::FederationRefused)
}

fn provider<'a>(state: &'a State, id: &str) -> Option<&'a Provider> {
    state.settings.federation.iter().find(|provider| provider.id == id)
}

/// Whether it is an address of the console's own, and not one that leads elsewhere.
fn is_own(address: &str) -> bool {
    let plain = address.len() <= 2_000 && !address.chars().any(|c| c.is_control() || c == '\\');
    plain && address.starts_with('/') && !address.starts_with("//")
}

impl Begun {
    async fn cookie(&self, state: &State, request: &HttpRequest) -> Answer<Cookie<'static>> {
        let text = serde_json::to_string(self).map_err(Problem::internal)?;
        let tag = state.store.installation_key(KEY).await?.tag(KEY.as_bytes(), &[text.as_bytes()]);
        Ok(cookie(request, format!("{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(tag))))
    }

    async fn of(state: &State, request: &HttpRequest) -> Answer<Option<Self>> {
        let Some(cookie) = request.cookie(&host_cookie(request, COOKIE)) else { return Ok(None) };
        let parts =
            cookie.value().split_once('.').and_then(|(text, tag)| Some((URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?)));
        let Some((text, tag)) = parts else { return Ok(None) };
        let key = state.store.installation_key(KEY).await?;
        let begun: Option<Self> = key.matches(&tag, KEY.as_bytes(), &[text.as_slice()]).then(|| serde_json::from_slice(&text).ok()).flatten();
        Ok(begun.filter(|begun| begun.until > OffsetDateTime::now_utc().unix_timestamp()))
    }
}

/// Keystone's page is another site: only a cookie that says so itself comes along with its form, and browsers take such a one with TLS only.
fn cookie(request: &HttpRequest, value: String) -> Cookie<'static> {
    let secure = secure(request);
    let same_site = if secure { SameSite::None } else { SameSite::Lax };
    let cookie = Cookie::build(host_cookie(request, COOKIE), value).path("/").http_only(true).same_site(same_site).secure(secure);
    cookie.max_age(actix_web::cookie::time::Duration::seconds(LIFETIME.whole_seconds())).finish()
}

/// Identity providers that people may sign in with.
#[utoipa::path(tag = "session", security(()), responses((status = 200, body = List<FederationProvider>)))]
#[get("/session/federation")]
pub async fn federation_list(state: Data<State>) -> Json<List<FederationProvider>> {
    let view = |of: &Provider| FederationProvider { id: of.id.clone(), label: of.label.clone(), label_zh: of.label_zh.clone() };
    Json(List::whole(state.settings.federation.iter().map(view).collect()))
}

/// Begin to sign in with one of them: the browser has to go to the address in the answer.
#[utoipa::path(tag = "session", request_body = FederationRequest, security(()), responses((status = 200, description = "Begun; sets the cookie kcs_federation", body = FederationStarted)))]
#[post("/session/federation")]
pub async fn federation_begin(state: Data<State>, request: HttpRequest, body: Body<FederationRequest>) -> Answer<HttpResponse> {
    let (wanted, _) = body.read()?;
    let found = provider(&state, &wanted.provider).ok_or_else(|| Problem::field("provider", "is none of those listed"))?;
    let next = wanted.next.unwrap_or_else(|| "/".to_owned());
    if !is_own(&next) {
        return Err(Problem::field("next", "must be an address of the console"));
    }
    let begun = Begun { provider: wanted.provider, next, until: (OffsetDateTime::now_utc() + LIFETIME).unix_timestamp() };
    let mut url = found.page.clone();
    url.query_pairs_mut().append_pair("origin", &format!("{}{CALLBACK}", console_url(&state, &request)));
    let answer = FederationStarted { url: url.into() };
    Ok(HttpResponse::Ok().cookie(begun.cookie(&state, &request).await?).json(answer))
}

/// Where Keystone's page sends the browser back to. It goes on at the console, signed in, or at the sign-in page, which says why not.
#[utoipa::path(tag = "session", request_body(content = FederationForm, content_type = "application/x-www-form-urlencoded"), security(()), responses((status = 303, description = "On to the console; signed in, it sets the session's cookie")))]
#[post("/session/federation/callback")]
pub async fn session_create_by_federation(state: Data<State>, request: HttpRequest, form: Text) -> HttpResponse {
    let (location, session) = match come_back(&state, &request, &form.0).await {
        Ok((next, cookie)) => (next, Some(cookie)),
        Err(problem) => (format!("/sign-in?refused={}", problem.code.as_str()), None),
    };
    let mut spent = cookie(&request, String::new());
    spent.make_removal();
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((header::LOCATION, location)).cookie(spent);
    if let Some(cookie) = session {
        answer.cookie(cookie);
    }
    answer.finish()
}

/// Signs in whoever comes back: the address to go on at, and the session's cookie.
async fn come_back(state: &State, request: &HttpRequest, form: &str) -> Answer<(String, Cookie<'static>)> {
    let begun = Begun::of(state, request).await?.ok_or_else(not_accepted)?;
    let from = request.headers().get(header::ORIGIN).and_then(|v| v.to_str().ok());
    let there = provider(state, &begun.provider).map(|provider| provider.page.origin().ascii_serialization());
    if there.is_none() || from != there.as_deref() {
        return Err(not_accepted().detail("the form does not come from Keystone's page"));
    }
    state.limiter.federated(&context(request).source)?;
    let FederationForm { token } = serde_urlencoded::from_str(form).map_err(|_| not_accepted())?;
    let asked = ("", serde_json::json!({ "provider": begun.provider }));
    let info = let_in(state, request, state.identity.validate(&token).await, Vec::new(), Code::FederationRefused, asked).await?;
    // One that is bound already was not made for this.
    if info.project.is_some() || info.application_credential.is_some() {
        return Err(not_accepted());
    }
    keystone_tokens::outlived_no_cut(state, &info).await?;
    let projects = state.identity.projects(&token).await?;
    let entered = enter(state, &token, &projects, None).await?;
    let (cookie, _) = begin(state, request, Some(token), entered, projects).await?;
    Ok((begun.next, cookie))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_console_are_told_from_others() {
        assert!(["/", "/clusters?phase=Running", "/device?code=BCDF-GHJK"].into_iter().all(is_own));
        assert!(!["", "clusters", "//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "/a\r\nb"].into_iter().any(is_own));
    }
}
