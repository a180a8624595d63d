//! `kcs credential`: what kubectl runs to learn who one is (client.authentication.k8s.io/v1).

use super::address::Address;
use super::credentials::Credentials;
use crate::cli::say;
use secrecy::ExposeSecret;
use serde_json::json;
use std::error::Error;
use time::format_description::well_known::Rfc3339;

#[derive(clap::Args)]
pub struct Options {
    /// Address that `kcs login` was given
    #[arg(long)]
    server: Address,
}

/// Prints the token. Nothing is asked of the server: kubectl runs this before each of its calls.
///
/// # Errors
/// When nobody is signed in, or no longer; the words say what to do.
pub fn credential(options: &Options) -> Result<(), Box<dyn Error>> {
    let credential = Credentials::own()?.of(&options.server)?;
    let answer = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": { "token": credential.token.expose_secret(), "expirationTimestamp": credential.expires_at.format(&Rfc3339)? }
    });
    say(&format!("{answer}\n"))
}
