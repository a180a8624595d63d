//! Looks after the audit log: seals new lines, lets go of old ones, hands lines on, by what is in force at the moment.

use crate::audit_anchor::Anchor;
use crate::host;
use api::audit::AuditLine;
use api::in_force::{Courier, Current, Undelivered};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{AuditFinding, AuditSealed, Store, StoreError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

/// New lines wait so long for their seal.
const EVERY: Duration = Duration::from_secs(1);
/// What is wrong with the log is said again after this.
const REMIND: Duration = Duration::from_secs(600);
/// Between two looks for lines that have outlived their time.
const FORGET: Duration = Duration::from_secs(3_600);
/// The time for handing on one batch, and the rest after a failure.
const LEASE: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(30);
const REST: Duration = Duration::from_secs(15);
/// The time for one line that is sent as a test.
const TEST: Duration = Duration::from_secs(10);
/// RFC 5426: what every receiver takes in one datagram is less, but this is what they are built for.
const DATAGRAM: usize = 8_192;
/// RFC 5424: facility 13 (log audit), severity 6 (informational).
const PRIORITY: u8 = 13 * 8 + 6;

/// Why lines could not be handed on.
type Failure = Box<dyn Error + Send + Sync>;

/// What becomes of the audit log, as the configuration says it.
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

/// Until `token` is cancelled.
pub async fn keep(store: Store, settings: watch::Receiver<Arc<Current>>, anchor: Anchor, token: CancellationToken) {
    let keeper = Keeper { store, settings, token };
    tokio::join!(keeper.seal(anchor), keeper.forget(), keeper.forward());
}

/// What was last said of a log that does not prove itself, or of a line of it that cannot be sealed.
#[derive(Default)]
struct Alarm(Option<(AuditFinding, Instant)>);

impl Alarm {
    /// What cannot be sealed stays so, whatever else was; and where more waits nobody has looked for it.
    fn heed(&mut self, sealed: &AuditSealed) {
        match &sealed.unsealable {
            Some(finding) => self.on(finding),
            None if sealed.more => {}
            None => self.off(),
        }
    }

    fn off(&mut self) {
        metrics::gauge!("kcs_audit_broken").set(0.0);
        if self.0.take().is_some() {
            tracing::info!("all that waits in the audit log is sealed again");
        }
    }

    /// At once, and again as long as it goes on.
    fn on(&mut self, finding: &AuditFinding) {
        metrics::gauge!("kcs_audit_broken").set(1.0);
        if self.0.as_ref().is_some_and(|(told, at)| told == finding && at.elapsed() < REMIND) {
            return;
        }
        tracing::error!(%finding, "the audit log is not whole: {} (kcs audit verify)", consequence(finding));
        self.0 = Some((finding.clone(), Instant::now()));
    }
}

/// What a finding means for lines that are to be sealed.
fn consequence(finding: &AuditFinding) -> &'static str {
    match finding {
        AuditFinding::Late { .. } => "this line is not sealed, others are",
        AuditFinding::Again { .. } => "this line gets no other seal, new lines are sealed",
        AuditFinding::Removed { .. } => "this line is gone, others are sealed",
        _ => "new lines are not sealed",
    }
}

struct Keeper {
    store: Store,
    settings: watch::Receiver<Arc<Current>>,
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

    /// The same, where what is in force counts: once it changes, the pause is over.
    async fn again_by(&self, settings: &mut watch::Receiver<Arc<Current>>, pause: Duration) -> bool {
        tokio::select! {
            again = self.again(pause) => again,
            Ok(()) = settings.changed() => true,
        }
    }

    async fn seal(&self, mut anchor: Anchor) {
        let (mut pause, mut alarm) = (EVERY, Alarm::default());
        while self.again(pause).await {
            pause = match self.sealed(&mut anchor).await {
                Ok(sealed) => {
                    alarm.heed(&sealed);
                    metrics::counter!("kcs_audit_lines_total").increment(sealed.lines as u64);
                    if sealed.lines == 0 { EVERY } else { Duration::ZERO }
                }
                Err(error) => {
                    match error.downcast_ref::<StoreError>() {
                        Some(StoreError::Broken(finding)) => alarm.on(finding),
                        _ => tracing::warn!(error = &*error as &dyn Error, "new lines of the audit log cannot be sealed"),
                    }
                    EVERY
                }
            };
        }
    }

    /// Seals lines behind the end that was seen last, and remembers the new one.
    async fn sealed(&self, anchor: &mut Anchor) -> Result<AuditSealed, Failure> {
        let sealed = self.store.audit_seal(anchor.known().await?).await?;
        if let Some(end) = sealed.end.clone() {
            anchor.saw(end);
        }
        anchor.settle(sealed.lines == 0).await;
        Ok(sealed)
    }

    async fn forget(&self) {
        let (mut settings, mut pause) = (self.settings.clone(), EVERY);
        while self.again_by(&mut settings, pause).await {
            pause = FORGET;
            let now = settings.borrow_and_update().clone();
            let Some(days) = now.installation.retention_days else { continue };
            let before = OffsetDateTime::now_utc() - time::Duration::days(days.into());
            pause = match self.store.audit_forget(before, now.installation.forward.is_some()).await {
                Ok(0) => FORGET,
                Ok(lines) => {
                    tracing::info!(lines, "lines of the audit log have outlived their time");
                    EVERY
                }
                Err(StoreError::Broken(finding)) => {
                    tracing::error!(%finding, "the audit log is not whole: old lines are not let go of (kcs audit verify)");
                    FORGET
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn Error, "old lines of the audit log cannot be let go");
                    FORGET
                }
            };
        }
    }

    async fn forward(&self) {
        let client = match client() {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "the audit log is not handed on"),
        };
        let (mut settings, mut pause) = (self.settings.clone(), EVERY);
        while self.again_by(&mut settings, pause).await {
            pause = EVERY;
            let now = settings.borrow_and_update().clone();
            let Some(url) = now.installation.forward.as_ref().filter(|_| !now.is_locked()) else { continue };
            let target = Target { url, authorization: now.authorization(), client: &client };
            if let Err(error) = forward(&self.store, &target, &settings).await {
                tracing::warn!(%error, "the audit log cannot be handed on");
                pause = REST;
            }
        }
    }
}

/// A redirect leads nowhere that was meant.
fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()
}

/// Where lines are handed on to.
struct Target<'a> {
    url: &'a Url,
    authorization: Option<&'a SecretString>,
    client: &'a reqwest::Client,
}

/// A line as it is handed on.
#[derive(Serialize)]
struct HandedOn {
    /// Where the log ended with it: what `kcs audit verify --since` takes. Before the rest, which a datagram may not hold whole. A line that is sent as a test has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<String>,
    #[serde(flatten)]
    line: AuditLine,
}

/// Hands on all lines that have not been yet, as long as the same settings are in force.
async fn forward(store: &Store, target: &Target<'_>, settings: &watch::Receiver<Arc<Current>>) -> Result<(), Failure> {
    while !settings.has_changed().unwrap_or(false) {
        let Some(batch) = store.audit_forward_claim(LEASE).await? else { break };
        let lines = batch.lines.iter().map(|(line, end)| HandedOn { seal: Some(end.to_string()), line: line.clone().into() }).collect();
        let sent = tokio::time::timeout(PATIENCE, send(lines, target)).await.unwrap_or_else(|_| Err(Undelivered::Silent.into()));
        store.audit_forwarded(&batch, sent.is_ok()).await?;
        sent?;
    }
    Ok(())
}

/// Hands a line on that an operator sends as a test.
pub struct Messenger(reqwest::Client);

impl Messenger {
    /// # Errors
    /// When there is no way to speak TLS.
    pub fn new() -> Result<Self, reqwest::Error> {
        client().map(Self)
    }
}

#[async_trait]
impl Courier for Messenger {
    async fn deliver(&self, line: AuditLine, to: &Url, authorization: Option<&SecretString>) -> Result<(), Undelivered> {
        let target = Target { url: to, authorization, client: &self.0 };
        let sent = tokio::time::timeout(TEST, send(vec![HandedOn { seal: None, line }], &target)).await.map_err(|_| Undelivered::Silent)?;
        sent.map_err(|failure| reason(&*failure))
    }
}

/// As much of a failure as an operator is told.
fn reason(failure: &(dyn Error + Send + Sync + 'static)) -> Undelivered {
    if let Some(known) = failure.downcast_ref::<Undelivered>() {
        return *known;
    }
    let unreachable = match (failure.downcast_ref::<reqwest::Error>(), failure.downcast_ref::<io::Error>()) {
        (Some(error), _) if error.is_timeout() => return Undelivered::Silent,
        (Some(error), _) => error.is_connect(),
        (None, Some(error)) => !matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe),
        (None, None) => false,
    };
    if unreachable { Undelivered::Unreachable } else { Undelivered::Cut }
}

async fn send(lines: Vec<HandedOn>, target: &Target<'_>) -> Result<(), Failure> {
    let lines = lines.into_iter().map(|handed| Ok((handed.line.at, serde_json::to_string(&handed)?)));
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
    if answer.status().is_success() { Ok(()) } else { Err(Undelivered::Status(answer.status().as_u16()).into()) }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use metrics_exporter_prometheus::PrometheusBuilder;

    #[test]
    fn the_alarm_goes_on_while_a_line_cannot_be_sealed_whatever_else_is() {
        let (recorder, mut alarm) = (PrometheusBuilder::new().build_recorder(), Alarm::default());
        let mut after = |sealed: AuditSealed| {
            metrics::with_local_recorder(&recorder, || alarm.heed(&sealed));
            let told = alarm.0.as_ref().map(|(finding, _)| finding.clone());
            (recorder.handle().render().contains("kcs_audit_broken 1"), told)
        };
        let late = Some(AuditFinding::Late { id: 7 });
        let turn = |lines, unsealable: &Option<AuditFinding>, more| AuditSealed { lines, end: None, unsealable: unsealable.clone(), more };
        assert_eq!(after(turn(3, &None, false)), (false, None));
        assert_eq!(after(turn(3, &late, false)), (true, late.clone()));
        assert_eq!(after(turn(1_000, &None, true)), (true, late.clone()), "nobody has looked");
        assert_eq!(after(turn(0, &late, false)), (true, late.clone()));
        assert_eq!(after(turn(0, &None, false)), (false, None));
    }

    #[test]
    fn a_line_that_cannot_be_sealed_is_not_said_to_hold_up_others() {
        for (finding, holds_up) in [
            (AuditFinding::Late { id: 7 }, false),
            (AuditFinding::Again { id: 7 }, false),
            (AuditFinding::Removed { id: 7 }, false),
            (AuditFinding::Head, true),
            (AuditFinding::NotHeld { seq: 7 }, true),
        ] {
            assert_eq!(consequence(&finding).contains("new lines are not sealed"), holds_up, "{finding}");
        }
    }
}
