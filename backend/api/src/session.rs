//! Signing in and out with Keystone, and switching the project.

use crate::errors::{Answer, Problem};
use actix_web::{HttpResponse, delete, get, post, put};
use domain::codes::Code;
use domain::permissions::Role;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Who signs in. `Debug` shows no password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub username: String,
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
    /// Name of the user's domain; default: `Default`.
    #[serde(default)]
    pub domain: Option<String>,
    /// Id or name of the project to enter; default: the last one used, else the first by name.
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
    /// Roles in `project`.
    pub roles: Vec<Role>,
    /// Whether the admin view may be used.
    pub operator: bool,
    /// To be sent as `X-CSRF-Token` with every write.
    pub csrf_token: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Sign in.
#[utoipa::path(tag = "session", request_body = SignIn, security(()), responses((status = 200, description = "Signed in; sets the cookie kcs_session", body = Session)))]
#[post("/session")]
pub async fn session_create() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// The session under way.
#[utoipa::path(tag = "session", responses((status = 200, body = Session)))]
#[get("/session")]
pub async fn session_get() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Go on in another project.
#[utoipa::path(tag = "session", request_body = ProjectSwitch, responses((status = 200, body = Session)))]
#[put("/session")]
pub async fn session_switch() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}

/// Sign out. Nothing to sign out of is no error.
#[utoipa::path(tag = "session", responses((status = 204, description = "Signed out")))]
#[delete("/session")]
pub async fn session_delete() -> Answer<HttpResponse> {
    Err(Problem::new(Code::Internal))
}
