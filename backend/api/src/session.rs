//! Signing in and out with Keystone, and switching the project.

use crate::caller::{Caller, context, cookie_name};
use crate::devices;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::failures::Attempt;
use crate::keystone_tokens;
use crate::peers;
use crate::people::{GRACE, RECHECK};
use crate::state::State;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put};
use auth::{Actor, Grade, Grants, Project, Via};
use cloud::error::CloudErrorKind;
use cloud::identity::{Token, TokenInfo};
use domain::codes::Code;
use domain::permissions::{Permission, Role};
use futures::StreamExt;
use sealed::{TokenHash, TokenKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::{AuditEntry, EndedSession, NewSession, SessionRecord, session_identity};
use time::{Duration, OffsetDateTime};

/// Who signs in. `Debug` shows no password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub username: String,
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
    /// What the person's authenticator shows, where Keystone wants it: without it the answer is then KCS-AUTH-012.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub passcode: Option<SecretString>,
    /// Name of the user's domain; default: `Default`.
    #[serde(default)]
    pub domain: Option<String>,
    /// Id or name of the project to enter; default: the first by name that may be entered.
    #[serde(default)]
    pub project: Option<String>,
}

/// The project to go on in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectSwitch {
    /// Id or name.
    pub project: String,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SessionUser {
    pub id: String,
    pub name: String,
    /// Id of the domain.
    pub domain: String,
}

/// A project by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProjectRef {
    pub id: String,
    pub name: String,
}

/// A signed-in person in one project.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    pub user: SessionUser,
    pub project: ProjectRef,
    /// Projects that may be entered.
    pub projects: Vec<ProjectRef>,
    /// The role in `project`; none: a role of the project's own.
    pub roles: Vec<Role>,
    /// What may be done in all of `project`; clusters say for themselves what may be done with them.
    pub permissions: Vec<Permission>,
    /// Whether the admin view may be used.
    pub operator: bool,
    /// Name of the application credential that was signed in with: then there is no other project, and nothing is made that would outlive it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_credential: Option<String>,
    /// To be sent as `X-CSRF-Token` with every write.
    pub csrf_token: String,
    /// Where the request came from, as KCS sees it; absent where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

const LONGEST: Duration = Duration::hours(12);
const REVOKED_AT_ONCE: usize = 8;

/// What only the bearer of the session may have, sealed under its hash.
#[derive(Serialize, Deserialize)]
struct Secrets {
    token: String,
    /// Not bound to a project: for switching. An application credential has none.
    unscoped: Option<String>,
    /// Its name, if it was signed in with.
    application_credential: Option<String>,
    csrf: String,
    project_domain: String,
    #[serde(with = "time::serde::rfc3339")]
    token_expires_at: OffsetDateTime,
}

/// A session as the handlers need it.
pub struct OpenSession {
    pub actor: Actor,
    pub token: Token,
    pub csrf: TokenHash,
    secrets: Secrets,
    record: SessionRecord,
}

fn over() -> Problem {
    Problem::new(Code::SessionExpired)
}

/// The session of a request's cookie.
///
/// # Errors
/// When there is none, it is over, or too much came from there that was nothing.
pub async fn of_request(state: &State, request: &HttpRequest) -> Answer<(TokenHash, OpenSession)> {
    // What has not the form of a token is not worth a question to the database.
    let ours = |cookie: &Cookie<'static>| sealed::Token::kind_of(cookie.value()) == Some(TokenKind::Session);
    let cookie = request.cookie(&cookie_name(request)).filter(ours).ok_or_else(over)?;
    let hash = TokenHash::of(cookie.value());
    let record = state.bearers.find(&state.limiter, hash, &context(request).source, state.store.session(hash)).await?;
    let session = opened(state, &hash, record.ok_or_else(over)?).await?;
    Ok((hash, session))
}

/// Opens a session, asking Keystone again when the last time is long past.
///
/// # Errors
/// When it is over.
pub async fn open(state: &State, hash: &TokenHash) -> Answer<OpenSession> {
    let record = state.store.session(*hash).await?.ok_or_else(over)?;
    opened(state, hash, record).await
}

async fn opened(state: &State, hash: &TokenHash, mut record: SessionRecord) -> Answer<OpenSession> {
    let text = state.keys.open_text(&session_identity(hash), &record.sealed).map_err(|_| over())?;
    let secrets: Secrets = serde_json::from_str(text.expose_secret()).map_err(Problem::internal)?;
    if OffsetDateTime::now_utc() - record.checked_at > RECHECK {
        recheck(state, hash, &secrets, &mut record).await?;
    }
    let project = Project { id: record.project.id.clone(), name: record.project.name.clone() };
    let grants = Grants { roles: record.roles.clone(), operator: record.operator };
    let narrowing = keystone_tokens::narrowing(secrets.application_credential.is_some(), &record.roles);
    let actor = Actor { narrowing, ..Actor::new(record.user.clone(), project, grants, record.given.clone(), Via::Session) };
    if !actor.has_a_place() {
        return Err(over());
    }
    let token = Token { secret: secrets.token.clone().into(), info: token_info(&record, &secrets) };
    Ok(OpenSession { actor, token, csrf: TokenHash::of(&secrets.csrf), secrets, record })
}

/// Has Keystone revoke what sessions held that were ended. They are over, whatever it says to that.
pub(crate) async fn revoke(state: &State, ended: Vec<EndedSession>) {
    let held = |session: EndedSession| {
        let text = state.keys.open_text(&session.identity, &session.sealed).ok()?;
        let secrets: Secrets = serde_json::from_str(text.expose_secret()).ok()?;
        Some([Some(secrets.token), secrets.unscoped].into_iter().flatten())
    };
    let tokens = futures::stream::iter(ended.into_iter().filter_map(held).flatten());
    tokens.for_each_concurrent(REVOKED_AT_ONCE, |token| async move { drop(state.identity.revoke(&token.into()).await) }).await;
}

async fn recheck(state: &State, hash: &TokenHash, secrets: &Secrets, record: &mut SessionRecord) -> Answer<()> {
    let grants = match state.identity.validate(&secrets.token.clone().into()).await {
        Ok(info) => {
            state.keystone_tokens.forget_wide_operator(&info.user_id).await;
            keystone_tokens::grants(state, &info).await
        }
        Err(error) if matches!(error.kind, CloudErrorKind::Unauthenticated | CloudErrorKind::NotFound | CloudErrorKind::Denied) => {
            state.store.session_delete(*hash).await?;
            return Err(over());
        }
        Err(error) => Err(error),
    };
    match grants {
        Ok(grants) => {
            state.store.session_checked(*hash, grants.roles.clone(), grants.operator).await?;
            record.roles = grants.roles;
            record.operator = grants.operator;
            Ok(())
        }
        Err(_) if OffsetDateTime::now_utc() - record.checked_at < GRACE => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn token_info(record: &SessionRecord, secrets: &Secrets) -> TokenInfo {
    TokenInfo {
        user_id: record.user.id.clone(),
        user_name: record.user.name.clone(),
        user_domain_id: record.user.domain.clone(),
        project: Some(cloud::identity::Project {
            id: record.project.id.0.clone(),
            name: record.project.name.clone(),
            domain_id: secrets.project_domain.clone(),
        }),
        roles: Vec::new(),
        issued_at: None,
        expires_at: secrets.token_expires_at,
        application_credential: secrets.application_credential.clone(),
    }
}

impl Session {
    fn new(session: &OpenSession, request: &HttpRequest) -> Self {
        let record = &session.record;
        Self {
            user: SessionUser { id: record.user.id.clone(), name: record.user.name.clone(), domain: record.user.domain.clone() },
            project: ProjectRef { id: record.project.id.0.clone(), name: record.project.name.clone() },
            projects: record.projects.iter().map(|p| ProjectRef { id: p.id.0.clone(), name: p.name.clone() }).collect(),
            roles: if let Grade::Role(role) = session.actor.rights.everywhere { vec![role] } else { Vec::new() },
            permissions: session.actor.permissions(None),
            operator: record.operator,
            application_credential: session.secrets.application_credential.clone(),
            csrf_token: session.secrets.csrf.clone(),
            address: Some(peers::source(request)).filter(|address| !address.is_empty()),
            expires_at: record.expires_at,
        }
    }
}

/// A token in the project wanted (id or name), else in the first that may be entered.
pub(crate) async fn enter(state: &State, unscoped: &SecretString, projects: &[cloud::identity::Project], wanted: Option<&str>) -> Answer<Token> {
    let candidates: Vec<&cloud::identity::Project> = match wanted {
        Some(text) => projects.iter().filter(|p| p.id == text || p.name == text).collect(),
        None => projects.iter().collect(),
    };
    for project in candidates {
        let token = state.identity.rescope(unscoped, &project.id).await?;
        match keystone_tokens::actor(state, &token.info, Via::Session).await {
            Err(problem) if problem.code == Code::NoProject => {}
            other => return other.map(|_| token),
        }
    }
    Err(Problem::new(Code::NoProject))
}

/// Records a session: its cookie, and what it is. Without an unscoped token there is no other project.
pub(crate) async fn begin(
    state: &State,
    request: &HttpRequest,
    unscoped: Option<SecretString>,
    token: Token,
    projects: Vec<cloud::identity::Project>,
) -> Answer<(Cookie<'static>, Session)> {
    let actor = keystone_tokens::actor(state, &token.info, Via::Session).await?;
    let (id, csrf) = (sealed::Token::generate(TokenKind::Session)?, sealed::Token::generate(TokenKind::Csrf)?);
    let expires_at = token.info.expires_at.min(OffsetDateTime::now_utc() + LONGEST);
    let secrets = Secrets {
        token: token.secret.expose_secret().to_owned(),
        unscoped: unscoped.map(|token| token.expose_secret().to_owned()),
        application_credential: token.info.application_credential.clone(),
        csrf: csrf.text.expose_secret().to_owned(),
        project_domain: token.info.project.as_ref().map(|p| p.domain_id.clone()).unwrap_or_default(),
        token_expires_at: token.info.expires_at,
    };
    let text = SecretString::from(serde_json::to_string(&secrets).map_err(Problem::internal)?);
    let new = NewSession {
        id_hash: id.hash,
        csrf_hash: csrf.hash,
        sealed: state.keys.seal_text(&session_identity(&id.hash), &text)?,
        user: actor.user.clone(),
        project: actor.project.clone(),
        projects: projects.into_iter().map(|p| Project { id: domain::ids::TenantId(p.id), name: p.name }).collect(),
        roles: actor.roles.clone(),
        operator: actor.operator,
        expires_at,
    };
    state.store.session_create(new).await?;
    state.bearers.begun(id.hash).await;
    audit(state, &actor, "session_create", token.info.application_credential.as_deref(), request).await?;
    let session = open(state, &id.hash).await?;
    Ok((cookie(request, id.text.expose_secret()), Session::new(&session, request)))
}

/// The answer to whoever is signed in.
pub(crate) fn begun((cookie, session): (Cookie<'static>, Session)) -> HttpResponse {
    HttpResponse::Ok().cookie(cookie).json(session)
}

async fn audit(state: &State, actor: &Actor, action: &'static str, credential: Option<&str>, request: &HttpRequest) -> Answer<()> {
    let mut detail = serde_json::json!({ "project": actor.project.name });
    if let Some(credential) = credential {
        detail["application_credential"] = credential.into();
    }
    let entry = AuditEntry::new(actor, action, "session", &actor.user.id).outcome("done").detail(detail);
    Ok(state.store.audit_append(entry, context(request)).await?)
}

fn cookie(request: &HttpRequest, value: &str) -> Cookie<'static> {
    Cookie::build(cookie_name(request), value.to_owned())
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(peers::secure(request))
        .finish()
}

fn expired(request: &HttpRequest) -> Cookie<'static> {
    let mut cookie = cookie(request, "");
    cookie.make_removal();
    cookie
}

/// Sign in.
#[utoipa::path(tag = "session", request_body = SignIn, security(()), responses((status = 200, description = "Signed in; sets the session's cookie", body = Session)))]
#[post("/session")]
pub async fn session_create(state: Data<State>, request: HttpRequest, body: Body<SignIn>) -> Answer<HttpResponse> {
    let (wanted, _) = body.read()?;
    wanted.check()?;
    let domain = wanted.domain.as_deref().unwrap_or("Default");
    let person = devices::person(domain, &wanted.username);
    let device = devices::known(&state, &request, &person).await?;
    let attempts = state.limiter.sign_in(&person, &context(&request).source, device.as_deref())?;
    let signed_in = state.identity.sign_in(&wanted.username, domain, &wanted.password, wanted.passcode.as_ref()).await;
    // A user that is unknown, disabled or of another domain, and a wrong passcode, are answered like a wrong password.
    let asked = (wanted.username.as_str(), serde_json::json!({ "domain": domain }));
    let signed_in = let_in(&state, &request, signed_in, attempts, Code::SignInFailed, asked).await?;
    let unscoped = signed_in.token().ok_or_else(|| Problem::new(Code::PasscodeWanted))?;
    let projects = state.identity.projects(&unscoped.secret).await?;
    let token = enter(&state, &unscoped.secret, &projects, wanted.project.as_deref()).await?;
    let mut answer = begun(begin(&state, &request, Some(unscoped.secret), token, projects).await?);
    answer.add_cookie(&devices::cookie(&state, &request, &person, device).await?).map_err(Problem::internal)?;
    Ok(answer)
}

/// What Keystone gave to somebody who signs in. What it refused, and nothing else, counts as a failed attempt, is written down with the name given and
/// what else was, and answered with `code`: whatever was wrong with it, the same.
pub(crate) async fn let_in<T>(
    state: &State,
    request: &HttpRequest,
    answer: cloud::Result<T>,
    attempts: Vec<Attempt<'_>>,
    code: Code,
    (name, detail): (&str, serde_json::Value),
) -> Answer<T> {
    use CloudErrorKind::{Denied, NotFound, Unauthenticated};
    if matches!(&answer, Err(error) if matches!(error.kind, Unauthenticated | NotFound | Denied)) {
        state.store.audit_sign_in_refused(name.to_owned(), detail, context(request)).await?;
        return Err(Problem::new(code));
    }
    attempts.into_iter().for_each(Attempt::spare);
    Ok(answer?)
}

/// A name as Keystone takes them.
pub(crate) fn check_name(field: &str, name: Option<&str>) -> Answer<()> {
    let good = |text: &str| !text.is_empty() && text.chars().count() <= 255 && !text.contains(char::is_control);
    if name.is_none_or(good) { Ok(()) } else { Err(Problem::field(field, "must be 1 to 255 printable characters")) }
}

/// A password, or what stands in for one.
pub(crate) fn check_secret(field: &str, secret: &SecretString) -> Answer<()> {
    let length = secret.expose_secret().len();
    if (1..=4096).contains(&length) { Ok(()) } else { Err(Problem::field(field, "must be 1 to 4096 bytes")) }
}

impl SignIn {
    fn check(&self) -> Answer<()> {
        check_name("username", Some(&self.username))?;
        check_name("domain", self.domain.as_deref())?;
        check_name("project", self.project.as_deref())?;
        check_secret("password", &self.password)?;
        let digits = |code: &SecretString| (6..=10).contains(&code.expose_secret().len()) && code.expose_secret().bytes().all(|b| b.is_ascii_digit());
        if self.passcode.as_ref().is_none_or(digits) { Ok(()) } else { Err(Problem::field("passcode", "must be 6 to 10 digits")) }
    }
}

/// The session under way.
#[utoipa::path(tag = "session", security(("session" = [])), responses((status = 200, body = Session)))]
#[get("/session")]
pub async fn session_get(_caller: Caller, state: Data<State>, request: HttpRequest) -> Answer<Json<Session>> {
    let (_, session) = of_request(&state, &request).await?;
    Ok(Json(Session::new(&session, &request)))
}

/// Go on in another project.
#[utoipa::path(tag = "session", security(("session" = [], "csrf" = [])), request_body = ProjectSwitch, responses((status = 200, body = Session)))]
#[put("/session")]
pub async fn session_switch(_caller: Caller, state: Data<State>, request: HttpRequest, body: Body<ProjectSwitch>) -> Answer<HttpResponse> {
    let (hash, session) = of_request(&state, &request).await?;
    let (wanted, _) = body.read()?;
    let unscoped: SecretString = session.secrets.unscoped.ok_or_else(|| Problem::new(Code::BoundToProject))?.into();
    let projects = state.identity.projects(&unscoped).await?;
    let token = enter(&state, &unscoped, &projects, Some(&wanted.project)).await?;
    // A new session, not the old one changed: what was open in the other project ends.
    let answer = begun(begin(&state, &request, Some(unscoped), token, projects).await?);
    state.store.session_delete(hash).await?;
    Ok(answer)
}

/// Sign out.
#[utoipa::path(tag = "session", security(("session" = [], "csrf" = [])), responses((status = 204, description = "Signed out")))]
#[delete("/session")]
pub async fn session_delete(caller: Caller, state: Data<State>, request: HttpRequest) -> Answer<HttpResponse> {
    let (hash, session) = of_request(&state, &request).await?;
    state.store.session_delete(hash).await?;
    // The session is over, whatever Keystone says to that.
    drop(state.identity.revoke(&session.token.secret).await);
    if let Some(unscoped) = session.secrets.unscoped {
        drop(state.identity.revoke(&unscoped.into()).await);
    }
    audit(&state, &caller.actor, "session_delete", session.secrets.application_credential.as_deref(), &request).await?;
    Ok(HttpResponse::NoContent().cookie(expired(&request)).finish())
}
