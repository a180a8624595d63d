//! How the cloud's credentials are kept: what is written as a secret, and read from it.

use crate::journal::JournalError;
use cloud::identity::{ApplicationCredential, ServiceUser};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct StoredCredential {
    id: String,
    secret: String,
}

#[derive(Serialize, Deserialize)]
struct StoredUser {
    user_id: String,
    password: String,
}

/// How a cluster's credential is kept.
pub(crate) fn kept_credential(credential: &ApplicationCredential) -> Result<SecretString, JournalError> {
    render(&StoredCredential { id: credential.id.clone(), secret: credential.secret.expose_secret().to_owned() })
}

/// A cluster's credential as it is kept.
pub(crate) fn stored_credential(text: &SecretString) -> Result<ApplicationCredential, JournalError> {
    let stored: StoredCredential = parse(text)?;
    Ok(ApplicationCredential { id: stored.id, secret: stored.secret.into() })
}

/// How a tenant's service user is kept.
pub(crate) fn kept_user(user: &ServiceUser) -> Result<SecretString, JournalError> {
    render(&StoredUser { user_id: user.user_id.clone(), password: user.password.expose_secret().to_owned() })
}

/// A tenant's service user as it is kept.
pub(crate) fn stored_user(text: &SecretString) -> Result<ServiceUser, JournalError> {
    let stored: StoredUser = parse(text)?;
    Ok(ServiceUser { user_id: stored.user_id, password: stored.password.into() })
}

fn parse<T: for<'d> Deserialize<'d>>(text: &SecretString) -> Result<T, JournalError> {
    serde_json::from_str(text.expose_secret()).map_err(|_| JournalError::Unavailable("a stored secret cannot be read".to_owned()))
}

fn render<T: Serialize>(value: &T) -> Result<SecretString, JournalError> {
    serde_json::to_string(value).map(SecretString::from).map_err(|_| JournalError::Unavailable("a secret cannot be written".to_owned()))
}
