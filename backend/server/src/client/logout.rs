//! `kcs logout`: the token ends at the server, and then here.

use super::address::Address;
use super::api::{Api, CallError};
use super::credentials::{Credential, Credentials};
use crate::cli::say;
use reqwest::Method;
use std::error::Error;

#[derive(clap::Args)]
pub struct Options {
    /// Address that `kcs login` was given
    url: Address,
}

/// Signs out.
///
/// # Errors
/// When the server cannot be reached: the token is still good then, and is kept to be tried again.
pub async fn logout(options: Options) -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::own()?;
    let Some(credential) = credentials.kept(&options.url)? else {
        return say(&format!("You are not signed in to {}.\n", options.url));
    };
    let api = Api::new(options.url.clone(), credential.ca_pem.as_deref())?;
    revoke(&api, &credential).await?;
    credentials.set(&options.url, None)?;
    say(&format!("Signed out of {}.\n", options.url))
}

/// Makes the token worthless. One that is so already is no error.
pub(super) async fn revoke(api: &Api, credential: &Credential) -> Result<(), CallError> {
    let path = format!("/tokens/{}", credential.token_id);
    match api.call(Method::DELETE, &path, Some(&credential.token), None).await {
        Err(CallError::Refused { status: 401 | 404, .. }) => Ok(()),
        answer => answer,
    }
}
