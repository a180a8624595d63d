//! Service users: a user of KCS's own in each tenant's project, whose application credentials clusters use, so that no cluster depends on a person.
//!
//! Their password is derived from the service account's (HMAC), not stored and not random: two processes that make sure of the same
//! user at once agree on it, and it is only set when it differs, because setting it would end every token of the user's clusters.

use crate::access::Auth;
use crate::call::Call;
use crate::catalog::Service;
use crate::error;
use crate::identity::OpenStack;
use crate::lenient::or_default;
use crate::session::Session;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloud::Result;
use cloud::error::CloudErrorKind;
use cloud::identity::{ApplicationCredential, ServiceUser};
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Roles a cluster needs; the second only where Octavia has roles of its own.
const MEMBER: &str = "member";
const BALANCER: &str = "load-balancer_member";
/// What their sessions are called by.
const KIND: &str = "user";

#[derive(Deserialize)]
struct Named {
    id: String,
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
}

#[derive(Deserialize)]
struct Made {
    user: Identified,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct CredentialMade {
    application_credential: CredentialView,
}

#[derive(Deserialize)]
struct CredentialView {
    id: String,
    secret: SecretString,
}

/// Makes sure of the user, its roles and its password.
pub(crate) async fn ensure(cloud: &OpenStack, name: &str, project_id: &str) -> Result<ServiceUser> {
    let password = password(cloud, name, project_id);
    let domain_id = domain_id(cloud).await?;
    let user_id = match find(cloud, name, &domain_id).await? {
        Some(id) => id,
        None => create(cloud, name, &domain_id, &password).await?,
    };
    let user = ServiceUser { user_id, password };
    grant_roles(cloud, &user.user_id, project_id).await?;
    if let Err(e) = session(cloud, &user, project_id).grant(None).await {
        if e.kind != CloudErrorKind::Unauthenticated {
            return Err(e);
        }
        let body = json!({"user": {"password": user.password.expose_secret(), "enabled": true}});
        let call = Call::patch(Service::Identity, "set service user's password", &["users", &user.user_id], body);
        cloud.account().done(&call).await?;
        cloud.forget_session(KIND, &session_id(&user, project_id), &user.password);
    }
    Ok(user)
}

fn password(cloud: &OpenStack, name: &str, project_id: &str) -> SecretString {
    let key = hmac::Key::new(hmac::HMAC_SHA256, cloud.connection.config.service_password.expose_secret().as_bytes());
    let tag = hmac::sign(&key, format!("kcs service user\0{name}\0{project_id}").as_bytes());
    SecretString::from(URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

async fn domain_id(cloud: &OpenStack) -> Result<String> {
    let config = &cloud.connection.config;
    if config.tenant_domain == config.service_domain {
        return Ok(cloud.account().grant(None).await?.info.user_domain_id.clone());
    }
    let call = Call::get(Service::Identity, "find domain", &["domains"]).query("name", &config.tenant_domain);
    let domains: Vec<Named> = cloud.account().list(call.clone(), "domains").await?;
    let found = domains.into_iter().find(|d| d.name.eq_ignore_ascii_case(&config.tenant_domain));
    let missing = || error::unsent(&call, CloudErrorKind::Unsupported, &format!("Keystone has no domain {}", config.tenant_domain));
    found.map(|d| d.id).ok_or_else(missing)
}

async fn find(cloud: &OpenStack, name: &str, domain_id: &str) -> Result<Option<String>> {
    let call = Call::get(Service::Identity, "find service user", &["users"]).query("name", name).query("domain_id", domain_id);
    let users: Vec<Named> = cloud.account().list(call, "users").await?;
    Ok(users.into_iter().find(|user| user.name == name).map(|user| user.id))
}

async fn create(cloud: &OpenStack, name: &str, domain_id: &str, password: &SecretString) -> Result<String> {
    let user = json!({
        "name": name, "domain_id": domain_id, "password": password.expose_secret(), "enabled": true,
        "description": "Service user of KCS: its application credentials are used by clusters.",
    });
    let call = Call::post(Service::Identity, "create service user", &["users"], json!({"user": user}));
    match cloud.account().json::<Made>(&call).await {
        Ok(made) => Ok(made.user.id),
        // Another process was quicker.
        Err(e) if e.kind == CloudErrorKind::Conflict => find(cloud, name, domain_id).await?.ok_or(e),
        Err(e) => Err(e),
    }
}

async fn grant_roles(cloud: &OpenStack, user_id: &str, project_id: &str) -> Result<()> {
    let call = Call::get(Service::Identity, "list roles", &["roles"]);
    let roles: Vec<Named> = cloud.account().list(call.clone(), "roles").await?;
    let role = |name: &str| roles.iter().find(|role| role.name == name);
    let Some(member) = role(MEMBER) else {
        return Err(error::unsent(&call, CloudErrorKind::Unsupported, "Keystone has no role `member`"));
    };
    for role in [Some(member), role(BALANCER)].into_iter().flatten() {
        let path = ["projects", project_id, "users", user_id, "roles", &role.id];
        cloud.account().done(&Call::put(Service::Identity, "give service user a role", &path, None)).await?;
    }
    Ok(())
}

fn session_id(user: &ServiceUser, project_id: &str) -> String {
    format!("{} {project_id}", user.user_id)
}

/// The service user's own session in the project.
pub(crate) fn session(cloud: &OpenStack, user: &ServiceUser, project_id: &str) -> Arc<Session> {
    cloud.session(KIND, &session_id(user, project_id), &user.password, || Auth::User {
        id: user.user_id.clone(),
        password: user.password.clone(),
        project_id: project_id.to_owned(),
    })
}

pub(crate) async fn create_credential(
    cloud: &OpenStack,
    user: &ServiceUser,
    project_id: &str,
    name: &str,
    description: &str,
) -> Result<ApplicationCredential> {
    let session = session(cloud, user, project_id);
    let held = session.grant(None).await?;
    let roles: Vec<_> = [MEMBER, BALANCER].iter().filter(|r| held.info.roles.iter().any(|h| h == *r)).map(|r| json!({"name": r})).collect();
    let credential = json!({"name": name, "description": description, "roles": roles, "unrestricted": false});
    let path = ["users", user.user_id.as_str(), "application_credentials"];
    let body = json!({"application_credential": credential});
    let made: CredentialMade = session.json(&Call::post(Service::Identity, "create application credential", &path, body)).await?;
    Ok(ApplicationCredential { id: made.application_credential.id, secret: made.application_credential.secret })
}

pub(crate) async fn credentials(cloud: &OpenStack, user: &ServiceUser, project_id: &str) -> Result<Vec<(String, String, String)>> {
    let path = ["users", user.user_id.as_str(), "application_credentials"];
    let call = Call::get(Service::Identity, "list application credentials", &path);
    let all: Vec<Named> = session(cloud, user, project_id).list(call, "application_credentials").await?;
    Ok(all.into_iter().map(|c| (c.id, c.name, c.description)).collect())
}

pub(crate) async fn delete_credential(cloud: &OpenStack, user: &ServiceUser, project_id: &str, id: &str) -> Result<()> {
    let path = ["users", user.user_id.as_str(), "application_credentials", id];
    session(cloud, user, project_id).done(&Call::delete(Service::Identity, "delete application credential", &path)).await
}
