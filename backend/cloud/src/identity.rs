//! Keystone: people signing in, and the service identities of tenants.

use crate::{Cloud, Result};
use async_trait::async_trait;
pub use domain::tenants::{ProjectState, WideScope};
use secrecy::SecretString;
use time::OffsetDateTime;

/// A project a person may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub id: String,
    pub name: String,
    pub domain_id: String,
}

/// Who a token belongs to and what it allows.
#[derive(Clone, Debug)]
pub struct TokenInfo {
    pub user_id: String,
    pub user_name: String,
    pub user_domain_id: String,
    /// None: unscoped.
    pub project: Option<Project>,
    /// Keystone role names in the project.
    pub roles: Vec<String>,
    /// By Keystone's clock; None: it is not known.
    pub issued_at: Option<OffsetDateTime>,
    pub expires_at: OffsetDateTime,
    /// Name of the application credential it came by: good in its one project only, and for no more than its own roles.
    pub application_credential: Option<String>,
}

/// What became of a sign-in by password.
#[derive(Debug)]
pub enum SignedIn {
    /// Not bound to a project.
    Token(Box<Token>),
    /// The password is right; Keystone wants the passcode of the person's authenticator besides.
    PasscodeWanted,
}

impl SignedIn {
    /// The token, if nothing more is wanted.
    #[must_use]
    pub fn token(self) -> Option<Token> {
        match self {
            Self::Token(token) => Some(*token),
            Self::PasscodeWanted => None,
        }
    }
}

/// How a person names an application credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialName {
    Id(String),
    /// By name, which is told from others' by whose it is.
    Of {
        name: String,
        user_name: String,
        /// Name of the user's domain.
        domain: String,
    },
}

/// A token with its information. `Debug` of the secret shows nothing.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: SecretString,
    pub info: TokenInfo,
}

/// An application credential: what a cluster's engine calls the cloud with.
#[derive(Clone, Debug)]
pub struct ApplicationCredential {
    pub id: String,
    pub secret: SecretString,
}

/// A user of the service's own in a tenant's project, so that a cluster belongs to nobody's person.
#[derive(Clone, Debug)]
pub struct ServiceUser {
    pub user_id: String,
    pub password: SecretString,
}

/// A person's place in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Keystone role names, those through groups included.
    pub roles: Vec<String>,
    pub project: Project,
}

/// Somebody with roles in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectMember {
    pub user_id: String,
    pub user_name: String,
    pub user_domain_id: String,
    /// Keystone role names, those through groups included.
    pub roles: Vec<String>,
}

/// Signing in, and service identities. `admin` calls use the configured service account.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Unscoped token by password, and by the passcode (TOTP) of an authenticator where one is given. Either being wrong is `Unauthenticated`.
    async fn sign_in(&self, user_name: &str, domain: &str, password: &SecretString, passcode: Option<&SecretString>) -> Result<SignedIn>;
    /// Token by application credential, scoped to its project. One that is wrong, over or gone is `Unauthenticated`.
    async fn sign_in_by_credential(&self, credential: &CredentialName, secret: &SecretString) -> Result<Token>;
    /// Projects the token's owner may enter, sorted by name.
    async fn projects(&self, token: &SecretString) -> Result<Vec<Project>>;
    /// A token of the same owner scoped to `project_id`.
    async fn rescope(&self, token: &SecretString, project_id: &str) -> Result<Token>;
    /// What a token given to us (`X-Auth-Token`) is. `Unauthenticated` when it is worth nothing.
    async fn validate(&self, token: &SecretString) -> Result<TokenInfo>;
    /// Revokes a token; one already gone is no error.
    async fn revoke(&self, token: &SecretString) -> Result<()>;

    /// A person's place in a project, as the service account sees it. None: the person, the project or the domain of either is gone or disabled.
    async fn standing(&self, user_id: &str, project_id: &str) -> Result<Option<Standing>>;

    /// Everybody with a role in a project, as the service account sees it, by name.
    async fn members(&self, project_id: &str) -> Result<Vec<ProjectMember>>;

    /// Keystone role names of a person in a domain or in the system, those through groups included, as the service account sees it.
    async fn wide_roles(&self, user_id: &str, scope: &WideScope) -> Result<Vec<String>>;

    /// Whether a project is there and enabled, and its domain with it, as the service account sees it.
    async fn project_state(&self, project_id: &str) -> Result<ProjectState>;

    /// The service user `name` of a project with the roles its clusters need, made or given a new password.
    async fn ensure_service_user(&self, name: &str, project_id: &str) -> Result<ServiceUser>;
    /// Makes the application credential `name` as that service user. `Conflict` when the name exists (its secret is lost then).
    async fn create_application_credential(
        &self,
        user: &ServiceUser,
        project_id: &str,
        name: &str,
        description: &str,
    ) -> Result<ApplicationCredential>;
    /// (id, name, description) of the service user's application credentials.
    async fn application_credentials(&self, user: &ServiceUser, project_id: &str) -> Result<Vec<(String, String, String)>>;
    /// Deletes one; `NotFound` when it is gone.
    async fn delete_application_credential(&self, user: &ServiceUser, project_id: &str, id: &str) -> Result<()>;

    /// The cloud as a person's scoped token sees it (for catalogues and checks).
    fn as_token(&self, token: &Token) -> Cloud;
    /// The cloud as an application credential sees it (for the engine); tokens are fetched and renewed inside, one at a time.
    fn as_credential(&self, credential: &ApplicationCredential) -> Cloud;
    /// The cloud as a project's service user sees it: where no cluster's credential speaks any more.
    fn as_service_user(&self, user: &ServiceUser, project_id: &str) -> Cloud;
}
