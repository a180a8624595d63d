//! `kcs login`: shows a code, waits until the person has allowed it in the browser, and keeps the token.

use super::address::Address;
use super::api::{Api, CallError};
use super::browser;
use super::credentials::{Credential, Credentials};
use super::logout::revoke;
use crate::cli::say;
use domain::codes::Code;
use domain::ids::TokenId;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(clap::Args)]
pub struct Options {
    /// Address of the KCS, as in the browser: https://kcs.example.org
    url: Address,
    /// PEM certificates that vouch for the server, instead of the public ones
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Print the page's address only, do not open it
    #[arg(long)]
    no_browser: bool,
}

/// What the server answers to begin with.
#[derive(Deserialize)]
struct Started {
    device_code: SecretString,
    user_code: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

/// The token.
#[derive(Deserialize)]
struct Issued {
    id: TokenId,
    secret: SecretString,
    created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// What is added to the time between questions when the server asks for it (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Signs in.
///
/// # Errors
/// When it was denied or not answered in time, or the server cannot be reached.
pub async fn login(options: Options) -> Result<(), Box<dyn Error>> {
    let told = |path: &PathBuf, error: std::io::Error| format!("{}: {error}", path.display());
    let ca_pem = options.ca_file.as_ref().map(|path| std::fs::read_to_string(path).map_err(|e| told(path, e))).transpose()?;
    let credentials = Credentials::own()?;
    let before = credentials.kept(&options.url)?;
    let api = Api::new(options.url.clone(), ca_pem.as_deref())?;
    let body = json!({ "client_name": concat!("kcs ", env!("CARGO_PKG_VERSION")), "host_name": host_name() });
    let started: Started = api.call(Method::POST, "/device", None, Some(&body)).await?;
    say(&format!(
        "To sign in to {}, open\n\n    {}\n\nand allow it if the page shows the code {}.\nWaiting, {} minutes at most …\n",
        options.url,
        plain(&started.verification_uri_complete),
        plain(&started.user_code),
        started.expires_in / 60
    ))?;
    if !options.no_browser {
        browser::open(&started.verification_uri_complete);
    }
    let issued = wait(&api, &started).await?;
    let credential = Credential { token: issued.secret, token_id: issued.id, expires_at: issued.expires_at, ca_pem };
    credentials.set(&options.url, Some(credential))?;
    if let Some(before) = before {
        // What it replaces is of no use to anybody; one that is over is no error.
        drop(revoke(&api, &before).await);
    }
    let until = issued.expires_at.replace_nanosecond(0)?.format(&Rfc3339)?;
    say(&format!("Signed in to {} as {} until {until}.\n", options.url, plain(&issued.created_by)))
}

/// Asks until there is an answer.
async fn wait(api: &Api, started: &Started) -> Result<Issued, CallError> {
    let end = Instant::now() + Duration::from_secs(started.expires_in);
    let mut interval = Duration::from_secs(started.interval.max(1));
    let body = json!({ "device_code": started.device_code.expose_secret() });
    let is = |error: &CallError, code: Code| error.code() == Some(code.as_str());
    loop {
        tokio::time::sleep(interval).await;
        let error = match api.call(Method::POST, "/device/token", None, Some(&body)).await {
            Ok(issued) => return Ok(issued),
            Err(error) => error,
        };
        if is(&error, Code::SlowDown) || is(&error, Code::RateLimited) {
            interval += SLOWER;
        } else if !is(&error, Code::AuthorizationPending) && !is(&error, Code::StoreUnavailable) && error.code().is_some() {
            return Err(error);
        }
        // A server that is away for a moment is waited for like a person.
        if Instant::now() >= end {
            return Err(error);
        }
    }
}

/// As the page shows it: plain letters only.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name.trim().chars().map(|c| if known(c) { c } else { '-' }).take(64).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// A server's text on a terminal: nothing in it moves the cursor.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
