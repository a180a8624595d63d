//! Looks after the audit log: seals new lines, lets go of old ones, hands lines on; and `kcs audit verify`.

use crate::config::{Config, ConfigError, wrong};
use crate::serve::store_options;
use crate::{host, keys};
use api::audit::AuditLine;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{AuditBatch, AuditVerdict, Store};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;
use url::Url;

/// New lines wait so long for their seal.
const EVERY: Duration = Duration::from_secs(1);
/// Between two looks for lines that have outlived their time.
const FORGET: Duration = Duration::from_secs(3_600);
/// The time for handing on one batch, and the rest after a failure.
const LEASE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(30);
const REST: Duration = Duration::from_secs(15);
/// RFC 5426: what every receiver takes in one datagram is less, but this is what they are built for.
const DATAGRAM: usize = 8_192;
/// RFC 5424: facility 13 (log audit), severity 6 (informational).
const PRIORITY: u8 = 13 * 8 + 6;

/// Why lines could not be handed on.
type Failure = Box<dyn Error + Send + Sync>;

/// What becomes of the audit log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Lines are kept so long; without it for ever.
    pub retention_days: Option<u32>,
    /// Where lines are handed on to: `https://…` (JSON lines by POST), `syslog+tcp://host:port` or `syslog+udp://host:port` (RFC 5424).
    pub forward: Option<Url>,
    /// Sent as `Authorization` with them.
    pub forward_authorization: Option<SecretString>,
}

impl AuditConfig {
    /// # Errors
    /// The key that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.retention_days.is_some_and(|days| !(1..=36_500).contains(&days)) {
            return Err(wrong("audit.retention_days", "must be 1 to 36500"));
        }
        let Some(url) = &self.forward else { return Ok(()) };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("audit.forward", "must hold no user and no password: use audit.forward_authorization"));
        }
        match url.scheme() {
            "http" | "https" => Ok(()),
            "syslog+tcp" | "syslog+udp" if url.host_str().is_some() && url.port().is_some() => Ok(()),
            _ => Err(wrong("audit.forward", "must be an http(s) URL, syslog+tcp://host:port or syslog+udp://host:port")),
        }
    }
}

/// Until `token` is cancelled.
pub async fn keep(store: Store, config: AuditConfig, token: CancellationToken) {
    let keeper = Keeper { store, config, token };
    tokio::join!(keeper.seal(), keeper.forget(), keeper.forward());
}

struct Keeper {
    store: Store,
    config: AuditConfig,
    token: CancellationToken,
}

impl Keeper {
    /// Whether there is to be another turn after this pause.
    async fn again(&self, pause: Duration) -> bool {
        tokio::select! {
            () = self.token.cancelled() => false,
            () = tokio::time::sleep(pause) => true,
        }
    }

    async fn seal(&self) {
        let mut pause = EVERY;
        while self.again(pause).await {
            pause = match self.store.audit_seal().await {
                Ok(0) => EVERY,
                Ok(lines) => {
                    metrics::counter!("kcs_audit_lines_total").increment(lines as u64);
                    Duration::ZERO
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn Error, "new lines of the audit log cannot be sealed");
                    EVERY
                }
            };
        }
    }

    async fn forget(&self) {
        let Some(days) = self.config.retention_days else { return };
        let mut pause = EVERY;
        while self.again(pause).await {
            let before = OffsetDateTime::now_utc() - time::Duration::days(days.into());
            pause = match self.store.audit_forget(before, self.config.forward.is_some()).await {
                Ok(0) => FORGET,
                Ok(lines) => {
                    tracing::info!(lines, "lines of the audit log have outlived their time");
                    EVERY
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn Error, "old lines of the audit log cannot be let go");
                    FORGET
                }
            };
        }
    }

    async fn forward(&self) {
        let Some(url) = &self.config.forward else { return };
        let client = match reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build() {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "the audit log is not handed on"),
        };
        let target = Target { url, authorization: self.config.forward_authorization.as_ref(), client };
        let mut pause = EVERY;
        while self.again(pause).await {
            pause = EVERY;
            if let Err(error) = forward(&self.store, &target).await {
                tracing::warn!(%error, "the audit log cannot be handed on");
                pause = REST;
            }
        }
    }
}

/// Where lines are handed on to.
struct Target<'a> {
    url: &'a Url,
    authorization: Option<&'a SecretString>,
    client: reqwest::Client,
}

/// Hands on all lines that have not been yet.
async fn forward(store: &Store, target: &Target<'_>) -> Result<(), Failure> {
    while let Some(batch) = store.audit_forward_claim(LEASE).await? {
        let sent = tokio::time::timeout(PATIENCE, send(&batch, target)).await.unwrap_or_else(|_| Err("no answer in time".into()));
        store.audit_forwarded(&batch, sent.is_ok()).await?;
        sent?;
    }
    Ok(())
}

async fn send(batch: &AuditBatch, target: &Target<'_>) -> Result<(), Failure> {
    let lines = batch.lines.iter().cloned().map(AuditLine::from).map(|line| Ok((line.at, serde_json::to_string(&line)?)));
    let lines: Vec<(OffsetDateTime, String)> = lines.collect::<Result<_, serde_json::Error>>()?;
    match target.url.scheme() {
        "syslog+tcp" => to_tcp(&messages(&lines)?, &address(target.url)?).await?,
        "syslog+udp" => to_udp(&messages(&lines)?, &address(target.url)?).await?,
        _ => to_http(&lines, target).await?,
    }
    Ok(())
}

async fn to_http(lines: &[(OffsetDateTime, String)], target: &Target<'_>) -> Result<(), Failure> {
    let body: String = lines.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
    let mut request = target.client.post(target.url.clone()).header("content-type", "application/x-ndjson").body(body);
    if let Some(secret) = target.authorization {
        request = request.header("authorization", secret.expose_secret());
    }
    // Without the URL, which may hold a token.
    let answer = request.send().await.map_err(reqwest::Error::without_url)?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status()).into()) }
}

fn address(url: &Url) -> Result<String, Failure> {
    let (host, port) = (url.host_str().ok_or("no host")?, url.port().ok_or("no port")?);
    Ok(format!("{host}:{port}"))
}

/// RFC 5424, the line as its message.
fn messages(lines: &[(OffsetDateTime, String)]) -> Result<Vec<String>, time::error::Format> {
    let host = host::name();
    lines.iter().map(|(at, line)| Ok(format!("<{PRIORITY}>1 {} {host} kcs - audit - {line}", at.format(&Rfc3339)?))).collect()
}

/// RFC 6587: each message after its length.
async fn to_tcp(messages: &[String], address: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    for message in messages {
        stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
    }
    stream.shutdown().await
}

async fn to_udp(messages: &[String], address: &str) -> io::Result<()> {
    let target = tokio::net::lookup_host(address).await?.next().ok_or(io::ErrorKind::NotFound)?;
    let own: SocketAddr = if target.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(own).await?;
    for message in messages {
        let end = (0..=DATAGRAM.min(message.len())).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        socket.send_to(&message.as_bytes()[..end], target).await?;
    }
    Ok(())
}

/// `kcs audit verify`: what the log says of itself.
///
/// # Errors
/// When something is wrong with it, or it cannot be read.
pub async fn verify(config: Config) -> Result<(), Box<dyn Error>> {
    let store = Store::connect(&store_options(&config)?, Arc::new(keys::ring(&config).await?)).await?;
    let AuditVerdict { lines, waiting, findings } = store.audit_verify().await?;
    store.close().await;
    crate::cli::say(&format!("{lines} lines compared with their seals, {waiting} just written\n"))?;
    for finding in &findings {
        crate::cli::say(&format!("  {finding}\n"))?;
    }
    if findings.is_empty() {
        crate::cli::say("The audit log is whole.\n")
    } else {
        Err(format!("the audit log is not whole: {} findings", findings.len()).into())
    }
}
