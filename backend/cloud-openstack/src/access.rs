//! Getting tokens from Keystone, and what a token brings with it: who it is, what it may, and the catalogue.

use crate::call::{Answer, Call};
use crate::catalog::{Catalog, Service};
use crate::connection::Connection;
use crate::error;
use crate::lenient::{moment, or_default};
use cloud::Result;
use cloud::error::CloudErrorKind;
use cloud::identity::{CredentialName, Project, Token, TokenInfo};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// A token is renewed this long before it ends.
const MARGIN: Duration = Duration::from_secs(300);

/// The lane of calls made for people before it is known in which project they are.
pub(crate) const PEOPLE: &str = "people";

/// How a session comes by its tokens. Secrets are never shown: there is no `Debug`.
pub(crate) enum Auth {
    /// A person's token: it cannot be renewed by us.
    Token(SecretString),
    Credential {
        id: String,
        secret: SecretString,
    },
    /// A user by name in a project by name, in one domain: the service account.
    Account {
        name: String,
        password: SecretString,
        project: String,
        domain: String,
    },
    /// A user by id in a project by id: a service user.
    User {
        id: String,
        password: SecretString,
        project_id: String,
    },
}

/// A token in use.
pub(crate) struct Grant {
    pub token: HeaderValue,
    pub info: TokenInfo,
    pub catalog: Catalog,
    /// It came in place of one that a service refused, or whose catalogue lacked one.
    pub replaces: bool,
    /// By the manners' clock.
    since: Duration,
    /// By our own clock, counted from when it came: Keystone's may differ.
    fresh_until: Instant,
    /// By service: whether it was ever accepted there.
    taken: [AtomicBool; Service::ALL.len()],
}

impl Grant {
    pub(crate) fn fresh(&self) -> bool {
        Instant::now() < self.fresh_until
    }

    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }

    pub(crate) fn taken(&self, service: Service) -> bool {
        self.taken[service as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self, service: Service) {
        self.taken[service as usize].store(true, Ordering::Relaxed);
    }

    pub(crate) fn into_token(self, secret: SecretString) -> Token {
        Token { secret, info: self.info }
    }
}

impl Auth {
    pub(crate) fn renewable(&self) -> bool {
        !matches!(self, Self::Token(_))
    }

    /// Whose calls they are before the first token says which project's.
    pub(crate) fn lane(&self) -> &str {
        match self {
            Self::Token(_) => PEOPLE,
            Self::Credential { id, .. } => id,
            Self::Account { name, .. } => name,
            Self::User { project_id, .. } => project_id,
        }
    }

    pub(crate) async fn obtain(&self, connection: &Connection, lane: &str) -> Result<Grant> {
        let body = match self {
            Self::Token(token) => return inspect(connection, token).await,
            Self::Credential { id, secret } => by_credential(&CredentialName::Id(id.clone()), secret),
            Self::Account { name, password, project, domain } => {
                let domain = json!({"name": domain});
                let user = json!({"name": name, "domain": domain, "password": password.expose_secret()});
                by_password(&user, &json!({"project": {"name": project, "domain": domain}}))
            }
            Self::User { id, password, project_id } => {
                by_password(&json!({"id": id, "password": password.expose_secret()}), &json!({"project": {"id": project_id}}))
            }
        };
        Ok(authenticate(connection, lane, "authenticate", body).await?.0)
    }
}

/// The request for a token by password.
pub(crate) fn by_password(user: &Value, scope: &Value) -> Value {
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}})
}

/// The request for a token by application credential, which is bound to its own project.
pub(crate) fn by_credential(credential: &CredentialName, secret: &SecretString) -> Value {
    let secret = secret.expose_secret();
    let credential = match credential {
        CredentialName::Id(id) => json!({"id": id, "secret": secret}),
        CredentialName::Of { name, user_name, domain } => {
            json!({"name": name, "secret": secret, "user": {"name": user_name, "domain": {"name": domain}}})
        }
    };
    json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}})
}

/// What Keystone says to somebody who wants a token.
pub(crate) enum Verdict {
    Granted(Box<Grant>, SecretString),
    /// What was given is right and not enough: any one of these sets of methods would be.
    More(Vec<Vec<String>>),
}

#[derive(Deserialize)]
struct Receipt {
    #[serde(default)]
    required_auth_methods: Vec<Vec<String>>,
}

/// Gets a token from Keystone, where nothing more may be wanted.
pub(crate) async fn authenticate(connection: &Connection, lane: &str, operation: &'static str, body: Value) -> Result<(Grant, SecretString)> {
    let call = token_call(operation, body);
    match attempt(connection, lane, &call).await? {
        Verdict::Granted(grant, secret) => Ok((*grant, secret)),
        Verdict::More(rules) => {
            Err(error::unsent(&call, CloudErrorKind::Unauthenticated, &format!("Keystone wants to be shown more: one of {rules:?}")))
        }
    }
}

/// The call for a token. Failing makes nothing, whatever became of the answer.
pub(crate) fn token_call<'a>(operation: &'static str, body: Value) -> Call<'a> {
    Call::post(Service::Identity, operation, &["auth", "tokens"], body).reading()
}

/// Asks Keystone for a token.
pub(crate) async fn attempt(connection: &Connection, lane: &str, call: &Call<'_>) -> Result<Verdict> {
    let answer = connection.exchange(lane, call, &connection.identity_root(call)?, &[]).await.map_err(|mut e| {
        // A credential, user or project that is gone: which of them is nobody's business.
        if e.kind == CloudErrorKind::NotFound {
            e.kind = CloudErrorKind::Unauthenticated;
        }
        e
    })?;
    if answer.asks_for_more(call.service) {
        let receipt: Receipt = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(call, &answer, &e.to_string()))?;
        return Ok(Verdict::More(receipt.required_auth_methods));
    }
    let Some(token) = answer.headers.get("x-subject-token").and_then(|v| v.to_str().ok()) else {
        return Err(error::unreadable(call, &answer, "no X-Subject-Token header"));
    };
    let secret = SecretString::from(token);
    Ok(Verdict::Granted(Box::new(read(connection, call, &answer, &secret)?), secret))
}

/// What a token given to us is; it is asked with itself.
pub(crate) async fn inspect(connection: &Connection, token: &SecretString) -> Result<Grant> {
    let call = Call::get(Service::Identity, "validate token", &["auth", "tokens"]);
    let header = sensitive(&call, token)?;
    let headers = [("x-auth-token", header.clone()), ("x-subject-token", header)];
    let answer = connection.exchange(PEOPLE, &call, &connection.identity_root(&call)?, &headers).await.map_err(|mut e| {
        if e.kind == CloudErrorKind::NotFound {
            e.kind = CloudErrorKind::Unauthenticated;
        }
        e
    })?;
    read(connection, &call, &answer, token)
}

/// A header value that is never logged.
pub(crate) fn sensitive(call: &Call<'_>, token: &SecretString) -> Result<HeaderValue> {
    let value = HeaderValue::from_str(token.expose_secret());
    let mut value = value.map_err(|_| error::unsent(call, CloudErrorKind::Unauthenticated, "the token is not one"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(connection: &Connection, call: &Call<'_>, answer: &Answer, secret: &SecretString) -> Result<Grant> {
    let body: Body = serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(call, answer, &e.to_string()))?;
    if let Some(why) = body.token.not_the_persons() {
        return Err(error::unsent(call, CloudErrorKind::Unauthenticated, why));
    }
    let Some(expires_at) = moment(&body.token.expires_at) else {
        return Err(error::unreadable(call, answer, "expires_at is no time"));
    };
    let now = OffsetDateTime::now_utc();
    // A token just issued lives as long as Keystone says by its own clock; an older one, as ours says.
    let since = if call.operation == "validate token" { now } else { body.token.issued_at.as_deref().and_then(moment).unwrap_or(now) };
    let life = Duration::try_from(expires_at - since).unwrap_or_default();
    if let Some(catalog) = body.token.catalog.as_ref().filter(|catalog| !catalog.is_empty()) {
        connection.learn(catalog);
    }
    Ok(Grant {
        token: sensitive(call, secret)?,
        catalog: body.token.catalog.clone().unwrap_or_default(),
        replaces: false,
        since: connection.manners.now(),
        taken: Default::default(),
        fresh_until: Instant::now() + life.saturating_sub(MARGIN.min(life / 2)),
        info: body.token.info(expires_at),
    })
}

#[derive(Deserialize)]
struct Body {
    token: TokenBody,
}

#[derive(Deserialize)]
struct TokenBody {
    user: Named,
    project: Option<Named>,
    #[serde(default)]
    roles: Vec<Role>,
    expires_at: String,
    issued_at: Option<String>,
    catalog: Option<Catalog>,
    application_credential: Option<CredentialBody>,
    #[serde(rename = "OS-TRUST:trust")]
    trust: Option<IgnoredAny>,
    #[serde(rename = "OS-OAUTH1")]
    oauth1: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct CredentialBody {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    access_rules: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    name: String,
    domain: Option<Domain>,
}

#[derive(Deserialize)]
struct Domain {
    id: String,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

impl TokenBody {
    /// Why it is less than its person, in a way that we do not keep to: what is made with it would speak for all of the person.
    fn not_the_persons(&self) -> Option<&'static str> {
        // They name single calls of the cloud's own services.
        if self.application_credential.as_ref().is_some_and(|credential| !credential.access_rules.is_empty()) {
            return Some("the application credential has access rules");
        }
        // Somebody else holds them in the person's name, for some of the person's roles.
        let delegated = [(&self.trust, "the token was delegated by a trust"), (&self.oauth1, "the token was delegated by OAuth1")];
        delegated.into_iter().find_map(|(mark, why)| mark.as_ref().map(|_| why))
    }

    fn info(self, expires_at: OffsetDateTime) -> TokenInfo {
        let domain = |domain: Option<Domain>| domain.map(|d| d.id).unwrap_or_default();
        TokenInfo {
            user_id: self.user.id,
            user_name: self.user.name,
            user_domain_id: domain(self.user.domain),
            project: self.project.map(|p| Project { id: p.id, name: p.name, domain_id: domain(p.domain) }),
            roles: self.roles.into_iter().map(|role| role.name).collect(),
            issued_at: self.issued_at.as_deref().and_then(moment),
            expires_at,
            application_credential: self.application_credential.map(|credential| credential.name),
        }
    }
}
