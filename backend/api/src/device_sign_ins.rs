//! Signing in a program on a person's behalf (RFC 8628): it shows a code, the person allows it in the browser, and it gets an API token of theirs.

use crate::caller::{Caller, context};
use crate::errors::{Answer, FieldError, Problem};
use crate::extract::Body;
use crate::limiter::network;
use crate::state::State;
use crate::tokens::{ApiToken, ApiTokenIssued, in_person};
use crate::{peers, people};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse, get, post};
use auth::{Actor, Grants, Narrowing, TokenCreate, Via};
use domain::codes::Code;
use sealed::{Token, TokenHash, TokenKind, UserCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::{DeviceApproval, DevicePoll, DeviceSignInRecord, NewDeviceSignIn, NewToken, RequestContext};
use time::{Duration, OffsetDateTime};

/// For how long a person may take to answer.
const LIFETIME: Duration = Duration::minutes(10);
/// What must lie between two questions of the program, in seconds.
const INTERVAL: i64 = 5;
/// A second less is not too soon: requests do not take the same time each.
const TOO_SOON: Duration = Duration::seconds(INTERVAL - 1);
/// What a token may be good for, in seconds.
const SHORTEST: i64 = 3600;
const LONGEST: i64 = 30 * 24 * 3600;

/// A program that wants to be signed in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceRequest {
    /// What it is: `kcs 0.1.0`. Letters, digits, spaces and `. _ - /`.
    #[schema(min_length = 1, max_length = 40)]
    pub client_name: String,
    /// Where it runs. Letters, digits and `. _ -`.
    #[schema(min_length = 1, max_length = 64)]
    pub host_name: String,
}

/// What it shows, and what it asks with. The device code is a secret.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DeviceStarted {
    pub device_code: String,
    /// `XXXX-XXXX`, for the person.
    pub user_code: String,
    /// The page where the person types it.
    pub verification_uri: String,
    /// The same with the code filled in.
    pub verification_uri_complete: String,
    /// Seconds until both codes are over.
    pub expires_in: i64,
    /// Seconds between two questions whether it was allowed.
    pub interval: i64,
}

/// What asks to be signed in. All but the address is as it says itself.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct DeviceSignIn {
    pub client_name: String,
    pub host_name: String,
    /// The address it came from.
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A person's answer.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceAnswer {
    pub allow: bool,
    /// Seconds that the token will be good for: 3600 to 2592000 (30 days); default: 8 hours.
    #[serde(default = "eight_hours")]
    #[schema(minimum = 3600, maximum = 2_592_000)]
    pub expires_in: i64,
}

fn eight_hours() -> i64 {
    8 * 3600
}

/// The program's question. `Debug` shows no code.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceTokenRequest {
    #[schema(value_type = String)]
    pub device_code: SecretString,
}

impl DeviceRequest {
    /// Plain letters only: what a person reads before they allow it must not look like something else.
    fn check(&self) -> Answer<()> {
        let plain = |text: &str, longest: usize, more: &str| {
            (1..=longest).contains(&text.len()) && text.trim() == text && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let wrong = |field: &str, longest: usize| FieldError {
            field: field.to_owned(),
            message: format!("must be 1 to {longest} plain characters"),
            code: None,
        };
        let mut errors = Vec::new();
        if !plain(&self.client_name, 40, " ._-/") {
            errors.push(wrong("client_name", 40));
        }
        if !plain(&self.host_name, 64, "._-") {
            errors.push(wrong("host_name", 64));
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::fields(errors)) }
    }
}

impl From<DeviceSignInRecord> for DeviceSignIn {
    fn from(record: DeviceSignInRecord) -> Self {
        let DeviceSignInRecord { client_name, host_name, source, created_at, expires_at } = record;
        Self { client_name, host_name, source, created_at, expires_at }
    }
}

/// Where the console is: as the operator says, or else where this request came to.
pub(crate) fn console_url(state: &State, request: &HttpRequest) -> String {
    let here = || format!("{}://{}", if peers::secure(request) { "https" } else { "http" }, peers::host(request));
    state.settings.origins.first().cloned().unwrap_or_else(here)
}

/// Begin to sign in a program: it shows the code to the person who started it, and then asks for its token.
#[utoipa::path(tag = "tokens", request_body = DeviceRequest, security(()), responses((status = 200, body = DeviceStarted)))]
#[post("/device")]
pub async fn device_begin(state: Data<State>, request: HttpRequest, body: Body<DeviceRequest>) -> Answer<HttpResponse> {
    let source = context(&request).source;
    state.limiter.device_sign_in(&source)?;
    let (wanted, _) = body.read()?;
    wanted.check()?;
    let (device, user) = (Token::generate(TokenKind::Device)?, UserCode::generate()?);
    let DeviceRequest { client_name, host_name } = wanted;
    let network = network(&source);
    let new = NewDeviceSignIn { device_hash: device.hash, user_hash: user.hash(), client_name, host_name, source, network, lifetime: LIFETIME };
    if !state.store.device_begin(new).await? {
        let mut full = Problem::new(Code::RateLimited).detail("too many sign-ins from this network wait to be allowed");
        full.retry_after = Some(60);
        return Err(full);
    }
    let page = format!("{}/device", console_url(&state, &request));
    let started = DeviceStarted {
        device_code: device.text.expose_secret().to_owned(),
        verification_uri_complete: format!("{page}?code={user}"),
        verification_uri: page,
        user_code: user.to_string(),
        expires_in: LIFETIME.whole_seconds(),
        interval: INTERVAL,
    };
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(started))
}

/// The code of a path, for a person who may answer. One that is wrong looks like one that is over.
fn user_code(caller: &Caller, state: &State, text: &str) -> Answer<TokenHash> {
    in_person(caller)?;
    state.limiter.device_code(&caller.actor.user.id)?;
    Ok(UserCode::parse(text).ok_or_else(Problem::not_found)?.hash())
}

/// What asks to be signed in, by the code that it shows.
#[utoipa::path(tag = "tokens", params(("user_code" = String, Path)), responses((status = 200, body = DeviceSignIn)))]
#[get("/device/{user_code}")]
pub async fn device_get(caller: Caller, state: Data<State>, code: Path<String>) -> Answer<Json<DeviceSignIn>> {
    caller.actor.may::<TokenCreate>(&caller.actor.project)?;
    let code = user_code(&caller, &state, &code)?;
    Ok(Json(state.store.device_asked(code).await?.into()))
}

/// Allow or deny it, for oneself and in the project one is in. The answer is final.
#[utoipa::path(tag = "tokens", params(("user_code" = String, Path)), request_body = DeviceAnswer, responses((status = 204, description = "Answered")))]
#[post("/device/{user_code}")]
pub async fn device_answer(caller: Caller, state: Data<State>, code: Path<String>, body: Body<DeviceAnswer>) -> Answer<HttpResponse> {
    let permit = caller.actor.may::<TokenCreate>(&caller.actor.project)?;
    let (answer, _) = body.read()?;
    if !(SHORTEST..=LONGEST).contains(&answer.expires_in) {
        return Err(Problem::field("expires_in", format!("must be {SHORTEST} to {LONGEST} seconds")));
    }
    let code = user_code(&caller, &state, &code)?;
    state.store.device_answer(permit, code, answer.allow.then_some(answer.expires_in), caller.context()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The token, once the person has allowed it, and that once; until then KCS-AUTH-006 (wait), 007 (slower), 008 (denied) or 009 (over).
#[utoipa::path(tag = "tokens", request_body = DeviceTokenRequest, security(()), responses((status = 201, body = ApiTokenIssued)))]
#[post("/device/token")]
pub async fn device_token(state: Data<State>, request: HttpRequest, body: Body<DeviceTokenRequest>) -> Answer<HttpResponse> {
    let context = context(&request);
    state.limiter.device_poll(&context.source)?;
    let (wanted, _) = body.read()?;
    let text = wanted.device_code.expose_secret();
    if Token::kind_of(text) != Some(TokenKind::Device) {
        return Err(Problem::new(Code::ExpiredToken));
    }
    let device = TokenHash::of(text);
    let issued = match state.store.device_poll(device, TOO_SOON).await? {
        DevicePoll::Over => return Err(Problem::new(Code::ExpiredToken)),
        DevicePoll::Pending => return Err(Problem::new(Code::AuthorizationPending)),
        DevicePoll::TooSoon => return Err(Problem::new(Code::SlowDown)),
        DevicePoll::Denied => return Err(Problem::new(Code::AccessDenied)),
        DevicePoll::Allowed(asked, approval) => hand_out(&state, device, asked, *approval, context).await?,
    };
    Ok(HttpResponse::Created().insert_header(("cache-control", "no-store")).json(issued))
}

/// Makes the token, as the person who allowed it, if they still have a place in the project.
async fn hand_out(
    state: &State,
    device: TokenHash,
    asked: DeviceSignInRecord,
    approval: DeviceApproval,
    context: RequestContext,
) -> Answer<ApiTokenIssued> {
    let DeviceApproval { user, project, mut roles, expires_in, at } = approval;
    // Minutes may lie between: Keystone is asked whoever it is.
    if let Some(now) = people::recheck(state, &user, &project, at - people::RECHECK).await? {
        roles = now;
    }
    let given = state.store.member_rights(&project.id, &user.id).await?;
    let actor = Actor::new(user, project, Grants { roles, operator: false }, given, Via::Session);
    if !actor.has_a_place() {
        return Err(Problem::new(Code::AccessDenied));
    }
    let permit = actor.may::<TokenCreate>(&actor.project)?;
    let token = Token::generate(TokenKind::Api)?;
    let new = NewToken {
        name: format!("{} on {}", asked.client_name, asked.host_name).chars().take(60).collect(),
        token_hash: token.hash,
        narrowing: Narrowing::default(),
        cidrs: Vec::new(),
        expires_at: OffsetDateTime::now_utc() + Duration::seconds(expires_in),
    };
    let made = state.store.device_collect(permit, device, new, context).await?;
    Ok(ApiTokenIssued { token: ApiToken::new(made, &actor), secret: token.text.expose_secret().to_owned() })
}
