//! How the parts of this process are: the database, the cloud, the engine.

use api::admin_health::ServiceHealth;
use api::state::Health;
use cloud_openstack::{Manners, OpenStack};
use metrics_exporter_prometheus::PrometheusHandle;
use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as BriefMutex, PoisonError};
use std::time::{Duration, Instant};
use store::Store;
use tokio::sync::Mutex;

/// A look at the cloud is good for this long: whoever asks often does not make us ask often.
const CLOUD_LOOK: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(3);

/// The parts.
pub struct Parts {
    store: Store,
    cloud: OpenStack,
    manners: Arc<Manners>,
    figures: PrometheusHandle,
    engine: AtomicBool,
    cloud_seen: Mutex<Option<(Instant, bool, String)>>,
    /// What the log was last told of each part.
    told: BriefMutex<HashMap<&'static str, String>>,
}

impl Parts {
    #[must_use]
    pub fn new(store: Store, cloud: OpenStack, manners: Arc<Manners>, figures: PrometheusHandle) -> Self {
        Self { store, cloud, manners, figures, engine: AtomicBool::new(false), cloud_seen: Mutex::new(None), told: BriefMutex::default() }
    }

    /// Whether the engine runs.
    pub fn engine_runs(&self, runs: bool) {
        self.engine.store(runs, Ordering::SeqCst);
    }

    async fn cloud(&self) -> (bool, String) {
        let mut seen = self.cloud_seen.lock().await;
        if let Some((at, ok, words)) = seen.as_ref().filter(|(at, ..)| at.elapsed() < CLOUD_LOOK) {
            let _ = at;
            return (*ok, words.clone());
        }
        let look = tokio::time::timeout(PATIENCE, async { self.cloud.as_service().compute.zones().await }).await;
        let (ok, words) = match look {
            Ok(Ok(_)) => (true, "answers".to_owned()),
            Ok(Err(error)) => (false, error.to_string()),
            Err(_) => (false, "does not answer in time".to_owned()),
        };
        *seen = Some((Instant::now(), ok, words.clone()));
        (ok, words)
    }

    /// The log is told what has changed only: anybody may ask, as often as they like.
    fn tell(&self, parts: &[(&'static str, bool, String)]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (part, ok, words) in parts {
            let before = told.insert(*part, words.clone());
            match before {
                Some(before) if before == *words => {}
                None if *ok => {}
                _ if *ok => tracing::info!(part, words, "a part is well again"),
                _ => tracing::warn!(part, words, "a part is not ready"),
            }
        }
    }
}

#[async_trait::async_trait]
impl Health for Parts {
    async fn parts(&self) -> Vec<(&'static str, bool, String)> {
        let (database, cloud) = tokio::join!(tokio::time::timeout(PATIENCE, self.store.ping()), self.cloud());
        let database = match database {
            Ok(Ok(())) => (true, "answers".to_owned()),
            Ok(Err(error)) => (false, error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))),
            Err(_) => (false, "does not answer in time".to_owned()),
        };
        let engine = self.engine.load(Ordering::SeqCst);
        let engine_words = if engine { "runs" } else { "does not run" };
        let parts = vec![("database", database.0, database.1), ("cloud", cloud.0, cloud.1), ("engine", engine, engine_words.to_owned())];
        self.tell(&parts);
        parts
    }

    fn services(&self) -> Vec<ServiceHealth> {
        let each = self.manners.services().into_iter().map(|met| {
            let (away_since, why) = met.away.unzip();
            ServiceHealth { service: met.service.to_owned(), answered_at: met.answered_at, away_since, why }
        });
        each.collect()
    }

    fn figures(&self) -> String {
        self.figures.render()
    }
}
