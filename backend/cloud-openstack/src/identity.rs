//! Keystone: signing in, and clouds as seen by a token or an application credential.

use crate::access::{self, Auth, Verdict};
use crate::call::Call;
use crate::catalog::Service;
use crate::config::Config;
use crate::connection::Connection;
use crate::error;
use crate::manners::Manners;
use crate::people;
use crate::service_users;
use crate::session::Session;
use crate::transport::Transport;
use async_trait::async_trait;
use cloud::error::CloudErrorKind;
use cloud::identity::{
    ApplicationCredential, CredentialName, Identity, Project, ProjectMember, ProjectState, ServiceUser, SignedIn, Standing, Token, TokenInfo,
    WideScope,
};
use cloud::{Cloud, CloudError, Result};
use moka::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const SESSIONS: u64 = 10_000;
const SESSION_IDLE: Duration = Duration::from_secs(3_600);

/// The ways to prove oneself that a person can be asked for here, by Keystone's names.
const METHODS: [&str; 2] = ["password", "totp"];

/// An OpenStack cloud. Cheap to clone; sessions are shared, so that one identity has one token however often it is asked for.
#[derive(Clone)]
pub struct OpenStack {
    pub(crate) connection: Arc<Connection>,
    /// By a digest of the identity and its secret.
    sessions: Cache<[u8; 32], Arc<Session>>,
    account: Arc<Session>,
}

/// What the port's services are implemented on.
#[derive(Clone)]
pub(crate) struct Scoped(pub Arc<Session>);

impl OpenStack {
    /// Without limits, and with no memory of what the cloud asked for: for tests. Nothing is sent yet: the cloud need not be up.
    #[must_use]
    pub fn new(config: Config, transport: Arc<dyn Transport>) -> Self {
        Self::with_manners(config, transport, Manners::none())
    }

    /// A cloud that is called with `manners`, which all that call the same cloud share.
    #[must_use]
    pub fn with_manners(config: Config, transport: Arc<dyn Transport>, manners: Arc<Manners>) -> Self {
        let auth = Auth::Account {
            name: config.service_username.clone(),
            password: config.service_password.clone(),
            project: config.service_project.clone(),
            domain: config.service_domain.clone(),
        };
        let connection = Arc::new(Connection::new(config, transport, manners));
        let account = Arc::new(Session::new(connection.clone(), auth));
        let sessions = Cache::builder().max_capacity(SESSIONS).time_to_idle(SESSION_IDLE).build();
        Self { connection, sessions, account }
    }

    /// The service account's own session.
    pub(crate) fn account(&self) -> &Session {
        &self.account
    }

    /// The cloud as the service account sees it, for checks at start and of operators.
    #[must_use]
    pub fn as_service(&self) -> Cloud {
        self.cloud(self.account.clone())
    }

    /// The one session of an identity.
    pub(crate) fn session(&self, kind: &str, id: &str, secret: &SecretString, auth: impl FnOnce() -> Auth) -> Arc<Session> {
        let key = key(kind, id, secret);
        self.sessions.get_with(key, || Arc::new(Session::new(self.connection.clone(), auth())))
    }

    /// The next one to ask for this identity's session gets a new one: what Keystone said to the former is no longer so.
    pub(crate) fn forget_session(&self, kind: &str, id: &str, secret: &SecretString) {
        self.sessions.invalidate(&key(kind, id, secret));
    }

    fn cloud(&self, session: Arc<Session>) -> Cloud {
        let scoped = Arc::new(Scoped(session));
        let balances = self.connection.balances();
        Cloud {
            compute: scoped.clone(),
            network: scoped.clone(),
            volumes: scoped.clone(),
            images: scoped.clone(),
            load_balancers: if balances { Some(scoped) } else { None },
        }
    }

    async fn authenticate(&self, operation: &'static str, body: serde_json::Value) -> Result<Token> {
        let (grant, secret) = access::authenticate(&self.connection, access::PEOPLE, operation, body).await?;
        Ok(grant.into_token(secret))
    }
}

fn key(kind: &str, id: &str, secret: &SecretString) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in [kind, id, secret.expose_secret()] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

/// A failed sign-in says only that it failed: not whether the user exists, is disabled or must change the password.
fn hide(mut error: CloudError, message: &str) -> CloudError {
    if matches!(error.kind, CloudErrorKind::Unauthenticated | CloudErrorKind::Denied | CloudErrorKind::NotFound) {
        error.kind = CloudErrorKind::Unauthenticated;
        message.clone_into(&mut error.message);
    }
    error
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<ProjectView>,
}

#[derive(Deserialize)]
struct ProjectView {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    domain_id: String,
    enabled: Option<bool>,
}

#[async_trait]
impl Identity for OpenStack {
    async fn sign_in(&self, user_name: &str, domain: &str, password: &SecretString, passcode: Option<&SecretString>) -> Result<SignedIn> {
        let domain = json!({"name": domain});
        let user = json!({"name": user_name, "domain": domain, "password": password.expose_secret()});
        let mut body = access::by_password(&user, &json!("unscoped"));
        if let Some(passcode) = passcode {
            let identity = &mut body["auth"]["identity"];
            identity["methods"] = json!(METHODS);
            identity["totp"] = json!({"user": {"name": user_name, "domain": domain, "passcode": passcode.expose_secret()}});
        }
        let call = access::token_call("sign in", body);
        let hide = |error| hide(error, "The user name, the domain or the password is wrong.");
        match access::attempt(&self.connection, access::PEOPLE, &call).await.map_err(hide)? {
            Verdict::Granted(grant, secret) => Ok(SignedIn::Token(Box::new(grant.into_token(secret)))),
            Verdict::More(rules) if passcode.is_none() && rules.iter().any(|rule| rule.iter().all(|m| METHODS.contains(&m.as_str()))) => {
                Ok(SignedIn::PasscodeWanted)
            }
            Verdict::More(rules) => {
                tracing::warn!(?rules, "Keystone wants ways to sign in that KCS does not know");
                Err(hide(error::unsent(&call, CloudErrorKind::Unauthenticated, "")))
            }
        }
    }

    async fn sign_in_by_credential(&self, credential: &CredentialName, secret: &SecretString) -> Result<Token> {
        let body = access::by_credential(credential, secret);
        let hide = |error| hide(error, "The application credential is wrong, over or gone.");
        self.authenticate("sign in by credential", body).await.map_err(hide)
    }

    async fn projects(&self, token: &SecretString) -> Result<Vec<Project>> {
        let call = Call::get(Service::Identity, "list projects", &["auth", "projects"]);
        let header = access::sensitive(&call, token)?;
        let root = self.connection.identity_root(&call)?;
        let answer = self.connection.exchange(access::PEOPLE, &call, &root, &[("x-auth-token", header)]).await?;
        let body: Projects = serde_json::from_slice(&answer.body).map_err(|e| crate::error::unreadable(&call, &answer, &e.to_string()))?;
        let enabled = body.projects.into_iter().filter(|p| p.enabled != Some(false));
        let mut projects: Vec<Project> = enabled.map(|p| Project { id: p.id, name: p.name, domain_id: p.domain_id }).collect();
        projects.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        Ok(projects)
    }

    async fn rescope(&self, token: &SecretString, project_id: &str) -> Result<Token> {
        let identity = json!({"methods": ["token"], "token": {"id": token.expose_secret()}});
        let body = json!({"auth": {"identity": identity, "scope": {"project": {"id": project_id}}}});
        self.authenticate("enter project", body).await
    }

    async fn validate(&self, token: &SecretString) -> Result<TokenInfo> {
        Ok(access::inspect(&self.connection, token).await?.info)
    }

    async fn revoke(&self, token: &SecretString) -> Result<()> {
        self.forget_session("token", "", token);
        let call = Call::delete(Service::Identity, "revoke token", &["auth", "tokens"]);
        let header = access::sensitive(&call, token)?;
        let headers = [("x-auth-token", header.clone()), ("x-subject-token", header)];
        match self.connection.exchange(access::PEOPLE, &call, &self.connection.identity_root(&call)?, &headers).await {
            Err(e) if !matches!(e.kind, CloudErrorKind::NotFound | CloudErrorKind::Unauthenticated) => Err(e),
            _ => Ok(()),
        }
    }

    async fn members(&self, project_id: &str) -> Result<Vec<ProjectMember>> {
        people::members(self, project_id).await
    }

    async fn standing(&self, user_id: &str, project_id: &str) -> Result<Option<Standing>> {
        people::standing(self, user_id, project_id).await
    }

    async fn wide_roles(&self, user_id: &str, scope: &WideScope) -> Result<Vec<String>> {
        people::wide_roles(self, user_id, scope).await
    }

    async fn project_state(&self, project_id: &str) -> Result<ProjectState> {
        people::project_state(self, project_id).await
    }

    async fn ensure_service_user(&self, name: &str, project_id: &str) -> Result<ServiceUser> {
        service_users::ensure(self, name, project_id).await
    }

    async fn create_application_credential(
        &self,
        user: &ServiceUser,
        project_id: &str,
        name: &str,
        description: &str,
    ) -> Result<ApplicationCredential> {
        service_users::create_credential(self, user, project_id, name, description).await
    }

    async fn application_credentials(&self, user: &ServiceUser, project_id: &str) -> Result<Vec<(String, String, String)>> {
        service_users::credentials(self, user, project_id).await
    }

    async fn delete_application_credential(&self, user: &ServiceUser, project_id: &str, id: &str) -> Result<()> {
        service_users::delete_credential(self, user, project_id, id).await
    }

    fn as_token(&self, token: &Token) -> Cloud {
        self.cloud(self.session("token", "", &token.secret, || Auth::Token(token.secret.clone())))
    }

    fn as_credential(&self, credential: &ApplicationCredential) -> Cloud {
        let auth = || Auth::Credential { id: credential.id.clone(), secret: credential.secret.clone() };
        let session = self.session("credential", &credential.id, &credential.secret, auth);
        // A cluster has a load balancer: a catalogue that lacks the service is an error to it, and never says that there is none.
        let load_balancers = Arc::new(Scoped(session.clone()));
        Cloud { load_balancers: Some(load_balancers), ..self.cloud(session) }
    }

    fn as_service_user(&self, user: &ServiceUser, project_id: &str) -> Cloud {
        self.cloud(service_users::session(self, user, project_id))
    }
}
