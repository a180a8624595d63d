//! What is in force of what operators may set: the configuration, and what they set over it. Kept in memory, so that no request asks the database
//! for it; looked at anew when a notice tells of a change, and every few seconds in case one was lost.

use crate::audit::AuditLine;
use async_trait::async_trait;
use domain::installation::{Installation, origin};
use secrecy::SecretString;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::{ChangeNotice, ForwardAuthorization, SettingsRecord, Store, StoreError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Between two looks where no notice comes.
const EVERY: Duration = Duration::from_secs(5);

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Configured {
    pub installation: Installation,
    /// Sent as `Authorization` with lines of the audit log.
    pub authorization: Option<SecretString>,
}

/// What is in force at one moment.
#[derive(Clone, Debug)]
pub struct Current {
    pub installation: Installation,
    /// What operators set.
    pub record: SettingsRecord,
    /// The one that operators set; it may be for another place than the one in force.
    pub given: Option<ForwardAuthorization>,
    configured: Configured,
}

/// Why a line did not arrive. Nothing of what the receiver said is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// The receiver's status, which is none of success.
    Status(u16),
    /// Nobody is there, or its certificate is not trusted.
    Unreachable,
    /// No answer in time.
    Silent,
    /// The connection broke off.
    Cut,
}

/// Hands one line of the audit log on, to see whether it arrives.
#[async_trait]
pub trait Courier: Send + Sync {
    async fn deliver(&self, line: AuditLine, to: &Url, authorization: Option<&SecretString>) -> Result<(), Undelivered>;
}

/// What is in force, now and from now on.
pub struct InForce {
    configured: Configured,
    now: watch::Sender<Arc<Current>>,
    /// One look at a time: an older one must not take the place of a newer.
    looking: Mutex<()>,
    pub courier: Box<dyn Courier>,
}

impl Current {
    fn new(configured: &Configured, record: SettingsRecord, given: Option<ForwardAuthorization>) -> Self {
        Self { installation: configured.installation.with(&record.settings), record, given, configured: configured.clone() }
    }

    /// Whether the authorization that operators set cannot be read: without it no line is to leave.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.record.authorized && self.given.is_none()
    }

    /// What is sent as `Authorization` to where lines are handed on to.
    #[must_use]
    pub fn authorization(&self) -> Option<&SecretString> {
        self.installation.forward.as_ref().and_then(|to| self.configured.authorization_for(to, self.given.as_ref()))
    }
}

impl Configured {
    /// What is sent to an address: each authorization goes only to where it was given for, the operators' before the configuration's.
    #[must_use]
    pub fn authorization_for<'a>(&'a self, to: &Url, given: Option<&'a ForwardAuthorization>) -> Option<&'a SecretString> {
        let to = origin(to);
        let own = given.filter(|given| given.origin == to).map(|given| &given.secret);
        let here = self.installation.forward.as_ref().is_some_and(|url| origin(url) == to);
        own.or(self.authorization.as_ref().filter(|_| here))
    }
}

impl Undelivered {
    /// As in the parameters of a check.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::Cut => "cut",
        }
    }
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the receiver answers with status {status}"),
            Self::Unreachable => f.write_str("the receiver cannot be reached"),
            Self::Silent => f.write_str("the receiver does not answer in time"),
            Self::Cut => f.write_str("the connection to the receiver broke off"),
        }
    }
}

impl Error for Undelivered {}

impl InForce {
    /// The configuration alone, until the first look.
    #[must_use]
    pub fn new(configured: Configured, courier: Box<dyn Courier>) -> Arc<Self> {
        let now = Arc::new(Current::new(&configured, SettingsRecord::default(), None));
        Arc::new(Self { configured, now: watch::Sender::new(now), looking: Mutex::default(), courier })
    }

    #[must_use]
    pub fn now(&self) -> Arc<Current> {
        self.now.borrow().clone()
    }

    /// For whoever follows what is in force.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Current>> {
        self.now.subscribe()
    }

    #[must_use]
    pub fn configured(&self) -> &Configured {
        &self.configured
    }

    /// Takes over what is set now.
    ///
    /// # Errors
    /// When the database does not answer: what was in force stays.
    pub async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let _one = self.looking.lock().await;
        let (record, given) = store.settings().await?;
        self.now.send_if_modified(|now| {
            let new = now.record != record || now.given != given;
            if new {
                *now = Arc::new(Current::new(&self.configured, record, given));
            }
            new
        });
        Ok(())
    }

    /// Follows what is set, until stopped.
    pub async fn follow(&self, store: &Store, stop: &CancellationToken) {
        let mut changes = store.changes();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = told(&mut changes) => (),
                () = tokio::time::sleep(EVERY) => (),
            }
            if let Err(error) = self.look(store).await {
                tracing::warn!(error = &error as &dyn Error, "the settings cannot be read: what was in force stays");
            }
        }
    }
}

/// Ends when something may have been set.
async fn told(changes: &mut Receiver<ChangeNotice>) {
    loop {
        match changes.recv().await {
            Ok(ChangeNotice::Settings | ChangeNotice::Resync) | Err(RecvError::Lagged(_)) => return,
            Ok(ChangeNotice::Changed { .. } | ChangeNotice::Person { .. }) => (),
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use secrecy::ExposeSecret;

    struct Nobody;

    #[async_trait]
    impl Courier for Nobody {
        async fn deliver(&self, _: AuditLine, _: &Url, _: Option<&SecretString>) -> Result<(), Undelivered> {
            Err(Undelivered::Unreachable)
        }
    }

    #[test]
    fn an_authorization_goes_only_to_where_it_was_given_for() {
        let url = |text: &str| Url::parse(text).unwrap();
        let installation = Installation {
            of_projects: [].into(),
            nodes_per_pool: 100,
            nodes_per_cluster: 500,
            kubeconfig_days: 30,
            versions: Vec::new(),
            templates: Vec::new(),
            prices: None,
            retention_days: None,
            forward: Some(url("https://siem.example/in")),
        };
        let configured = Configured { installation, authorization: Some("of the file".into()) };
        let given = |origin: &str| Some(ForwardAuthorization { origin: origin.to_owned(), secret: "of operators".into() });
        for (to, given, sent) in [
            ("https://siem.example/other", None, Some("of the file")),
            ("https://siem.example:443/in", given("https://siem.example:443"), Some("of operators")),
            ("https://siem.example/in", given("https://other.example:443"), Some("of the file")),
            ("https://other.example/in", given("https://other.example:443"), Some("of operators")),
            ("https://other.example/in", None, None),
            ("http://siem.example/in", given("https://siem.example:443"), None),
            ("https://siem.example:8443/in", None, None),
            ("https://siem.example.evil.example/in", given("https://siem.example:443"), None),
        ] {
            let found = configured.authorization_for(&url(to), given.as_ref()).map(|secret| secret.expose_secret().to_owned());
            assert_eq!(found.as_deref(), sent, "{to}");
        }
        let in_force = InForce::new(configured, Box::new(Nobody));
        assert_eq!(in_force.now().authorization().unwrap().expose_secret(), "of the file");
    }
}
