//! Keystone: people signing in, and the service identities of tenants.

use crate::{Cloud, Result};
use async_trait::async_trait;
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
    pub expires_at: OffsetDateTime,
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

/// Signing in, and service identities. `admin` calls use the configured service account.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Unscoped token by password. A wrong password is `Unauthenticated`.
    async fn sign_in(&self, user_name: &str, password: &SecretString, domain: &str) -> Result<Token>;
    /// Projects the token's owner may enter, sorted by name.
    async fn projects(&self, token: &SecretString) -> Result<Vec<Project>>;
    /// A token of the same owner scoped to `project_id`.
    async fn rescope(&self, token: &SecretString, project_id: &str) -> Result<Token>;
    /// What a token given to us (`X-Auth-Token`) is. `Unauthenticated` when it is worth nothing.
    async fn validate(&self, token: &SecretString) -> Result<TokenInfo>;
    /// Revokes a token; one already gone is no error.
    async fn revoke(&self, token: &SecretString) -> Result<()>;

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
