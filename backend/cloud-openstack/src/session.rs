//! A scoped identity's way to the cloud: its token, renewed by one caller at a time, and the calls made with it.

use crate::access::{Auth, Grant};
use crate::call::{Answer, Call};
use crate::catalog::Service;
use crate::connection::Connection;
use crate::error;
use cloud::Result;
use cloud::error::{CloudError, CloudErrorKind};
use serde::de::DeserializeOwned;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A credential that Keystone refused is not shown to it again before this, doubling each time: clouds lock out who keeps trying.
const REFUSED: Duration = Duration::from_secs(30);
const REFUSED_LONGEST: Duration = Duration::from_secs(600);
/// A token that is so new and came in place of a refused one is not replaced again for a service that never took it.
const NEW: Duration = Duration::from_secs(30);
/// A catalogue comes with a token: one that lacks a service is asked for anew no more often than this.
const CATALOGUE: Duration = Duration::from_secs(10);

/// The cloud as one identity sees it.
pub(crate) struct Session {
    pub connection: Arc<Connection>,
    auth: Auth,
    held: Mutex<Held>,
    /// Known with the first token.
    project: OnceLock<String>,
}

#[derive(Default)]
struct Held {
    grant: Option<Arc<Grant>>,
    /// The last failure to get a token: those who waited meanwhile share it instead of failing one after the other.
    failure: Option<(Instant, CloudError)>,
    refused: Option<Refused>,
}

/// Keystone does not want this identity.
struct Refused {
    until: Duration,
    times: u32,
    error: CloudError,
}

impl Session {
    pub(crate) fn new(connection: Arc<Connection>, auth: Auth) -> Self {
        Self { connection, auth, held: Mutex::default(), project: OnceLock::new() }
    }

    /// Whose calls these are, for the limits.
    pub(crate) fn lane(&self) -> &str {
        self.project.get().map_or_else(|| self.auth.lane(), String::as_str)
    }

    /// The token in use, or a new one when there is none, it is about to end, or it is the `spent` one that a service refused or whose catalogue lacks one.
    pub(crate) async fn grant(&self, spent: Option<&Arc<Grant>>) -> Result<Arc<Grant>> {
        let asked = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(grant) = &held.grant
            && !spent.is_some_and(|spent| Arc::ptr_eq(spent, grant))
            && (grant.fresh() || !self.auth.renewable())
        {
            return Ok(grant.clone());
        }
        if let Some((at, failure)) = &held.failure
            && *at > asked
        {
            return Err(failure.clone());
        }
        let now = self.connection.manners.now();
        if let Some(refused) = held.refused.as_ref().filter(|refused| now < refused.until) {
            return Err(refused.error.clone());
        }
        held.grant = None;
        match self.auth.obtain(&self.connection, self.lane()).await {
            Ok(mut grant) => {
                if let Some(project) = &grant.info.project {
                    self.project.get_or_init(|| project.id.clone());
                }
                grant.replaces = spent.is_some();
                let grant = Arc::new(grant);
                *held = Held { grant: Some(grant.clone()), ..Held::default() };
                Ok(grant)
            }
            Err(failure) => {
                if failure.kind == CloudErrorKind::Unauthenticated && self.connection.manners.any() {
                    let times = held.refused.as_ref().map_or(0, |refused| refused.times);
                    let rest = REFUSED.saturating_mul(1 << times.min(5)).min(REFUSED_LONGEST);
                    held.refused = Some(Refused { until: now + rest, times: times + 1, error: failure.clone() });
                }
                held.failure = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Sends a call; after a 401, which says that nothing was done, once more with a new token.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let mut grant = self.grant(None).await?;
        if self.auth.renewable() && self.lacks(call.service, &grant) {
            grant = match self.grant(Some(&grant)).await {
                Ok(newer) => newer,
                Err(failure) => {
                    // Nobody has refused it: the services that it lists take it all the same.
                    self.held.lock().await.grant.get_or_insert(grant);
                    return Err(failure);
                }
            };
        }
        match self.send_with(call, &grant).await {
            Err(e) if e.kind == CloudErrorKind::Unauthenticated && self.auth.renewable() && !self.hopeless(call.service, &grant) => {
                let renewed = self.grant(Some(&grant)).await?;
                self.send_with(call, &renewed).await
            }
            answer => answer,
        }
    }

    /// A service that refuses new token after new token has its trouble elsewhere.
    fn hopeless(&self, service: Service, grant: &Grant) -> bool {
        self.connection.manners.any() && grant.replaces && !grant.taken(service) && grant.age(self.connection.manners.now()) < NEW
    }

    /// Whether its catalogue has no such service, and is so old that this may have been put right since.
    fn lacks(&self, service: Service, grant: &Grant) -> bool {
        service != Service::Identity
            && self.connection.root_in(&grant.catalog, service).is_none()
            && grant.age(self.connection.manners.now()) >= CATALOGUE
    }

    async fn send_with(&self, call: &Call<'_>, grant: &Grant) -> Result<Answer> {
        let root = match call.service {
            Service::Identity => self.connection.identity_root(call)?,
            service => self.connection.root_in(&grant.catalog, service).ok_or_else(|| {
                let message = format!("the cloud's catalogue has no {} service in this region", service.name());
                error::unsent(call, CloudErrorKind::Unsupported, &message)
            })?,
        };
        let answer = self.connection.exchange(self.lane(), call, &root, &[("x-auth-token", grant.token.clone())]).await;
        if answer.as_ref().err().is_none_or(|e| e.kind != CloudErrorKind::Unauthenticated && e.status.is_some()) {
            grant.take(call.service);
        }
        answer
    }

    /// Sends a call and reads its answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T> {
        let answer = self.send(call).await?;
        serde_json::from_slice(&answer.body).map_err(|e| error::unreadable(call, &answer, &e.to_string()))
    }

    /// Sends a call whose answer's body says nothing.
    pub(crate) async fn done(&self, call: &Call<'_>) -> Result<()> {
        self.send(call).await.map(drop)
    }
}
