//! Hints from other processes: who has work, and what has changed. One listening connection a process, started by the first who asks.
//! Notices may be lost (the connection breaks, a receiver lags): whoever listens also looks by itself from time to time.

use crate::admissions::{ACCESS, Admissions};
use crate::error::StoreError;
use crate::pool::Store;
use domain::ids::{ClusterId, OperationId, TenantId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// Something about a cluster has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeNotice {
    Changed {
        tenant: TenantId,
        cluster: ClusterId,
        /// The operation whose row was written, if one was.
        operation: Option<OperationId>,
    },
    /// What a person may do has changed: whoever is here as them is looked at again.
    Person { user: String },
    /// Operators have set something for the whole installation.
    Settings,
    /// Notices may have been lost: look at everything that is of interest.
    Resync,
}

/// There is work for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeUp {
    Cluster(ClusterId),
    /// Notices may have been lost.
    Resync,
}

const CHANGES: &str = "kcs_changes";
const WORK: &str = "kcs_work";
/// Whoever listens gets this long to end.
const PARTING: Duration = Duration::from_secs(1);

/// Spreads the notices of one connection among all receivers of this process.
#[derive(Debug)]
pub(crate) struct Hub {
    connect: PgConnectOptions,
    changes: broadcast::Sender<ChangeNotice>,
    wakeups: broadcast::Sender<WakeUp>,
    pub(crate) admissions: Arc<Admissions>,
    started: AtomicBool,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Hub {
    pub(crate) fn new(connect: PgConnectOptions) -> Arc<Self> {
        let (changes, wakeups) = (broadcast::Sender::new(1024), broadcast::Sender::new(1024));
        Arc::new(Self { connect, changes, wakeups, admissions: Arc::default(), started: AtomicBool::new(false), task: Mutex::new(None) })
    }

    pub(crate) fn start(self: &Arc<Self>) {
        if self.started.swap(true, Ordering::SeqCst) {
            return;
        }
        // The task holds no strong reference, or a dropped store would listen for ever.
        let (connect, changes, wakeups, admissions) = (self.connect.clone(), self.changes.clone(), self.wakeups.clone(), self.admissions.clone());
        let task = tokio::spawn(async move {
            loop {
                let interrupted = listen(&connect, &changes, &wakeups, &admissions).await;
                admissions.end();
                if let Err(error) = interrupted {
                    tracing::warn!(error = &error as &dyn std::error::Error, "listening for notices was interrupted");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Listens no more, and has nobody wait for what was remembered here.
    pub(crate) async fn close(&self, pool: &PgPool) {
        let ended = match self.stop() {
            // As long as it has not ended it could take the lease once more.
            Some(task) => tokio::time::timeout(PARTING, task).await.is_ok(),
            None => true,
        };
        if ended {
            self.admissions.give_up(pool).await;
        }
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        task.inspect(JoinHandle::abort)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

/// Until the connection is lost.
async fn listen(
    connect: &PgConnectOptions,
    changes: &broadcast::Sender<ChangeNotice>,
    wakeups: &broadcast::Sender<WakeUp>,
    admissions: &Admissions,
) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(connect.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // Another connection begins anew: none of what was remembered counts there. And one that is being made may not be dropped.
    listener.eager_reconnect(false);
    listener.listen_all([CHANGES, WORK, ACCESS]).await?;
    // What happened while nobody listened is not known. No receiver is no error.
    drop(changes.send(ChangeNotice::Resync));
    drop(wakeups.send(WakeUp::Resync));
    loop {
        tokio::select! {
            notice = listener.try_recv() => {
                let Some(notice) = notice? else { return Ok(()) };
                match notice.channel() {
                    ACCESS => admissions.changed(&mut listener, notice.payload()).await?,
                    WORK => drop(notice.payload().parse().map(|cluster| wakeups.send(WakeUp::Cluster(cluster)))),
                    _ => drop(serde_json::from_str(notice.payload()).map(|notice| changes.send(notice))),
                }
            }
            () = admissions.due() => admissions.renew(&mut listener).await?,
        }
    }
}

impl Store {
    /// What changes from now on, in all processes on this database.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<ChangeNotice> {
        let receiver = self.hub.changes.subscribe();
        self.hub.start();
        receiver
    }

    /// Which clusters get work from now on.
    #[must_use]
    pub fn wakeups(&self) -> broadcast::Receiver<WakeUp> {
        let receiver = self.hub.wakeups.subscribe();
        self.hub.start();
        receiver
    }
}

/// Tells everybody, once the transaction is committed. After what it tells of is written: notices arrive in the order in which they are sent, and whoever is told looks with the eyes
/// of `admissions`, which hears of the writing itself.
pub(crate) async fn announce(db: &mut PgConnection, tenant: &TenantId, cluster: ClusterId, operation: Option<OperationId>) -> Result<(), StoreError> {
    tell(db, &ChangeNotice::Changed { tenant: tenant.clone(), cluster, operation }).await
}

/// Tells everybody about a person, once the transaction is committed.
pub(crate) async fn announce_person(db: &mut PgConnection, user: &str) -> Result<(), StoreError> {
    tell(db, &ChangeNotice::Person { user: user.to_owned() }).await
}

/// Tells everybody of new settings, once the transaction is committed.
pub(crate) async fn announce_settings(db: &mut PgConnection) -> Result<(), StoreError> {
    tell(db, &ChangeNotice::Settings).await
}

async fn tell(db: &mut PgConnection, notice: &ChangeNotice) -> Result<(), StoreError> {
    let payload = serde_json::to_string(notice).map_err(|e| StoreError::Unexpected(e.to_string()))?;
    sqlx::query!("SELECT pg_notify($1, $2)", CHANGES, payload).execute(db).await?;
    Ok(())
}

/// Makes the cluster due now, and tells the engines once the transaction is committed.
pub(crate) async fn wake(db: &mut PgConnection, cluster: ClusterId) -> Result<(), StoreError> {
    sqlx::query!("UPDATE work SET run_at = LEAST(run_at, now()), wakes = wakes + 1 WHERE cluster_id = $1", cluster.0).execute(&mut *db).await?;
    sqlx::query!("SELECT pg_notify($1, $2)", WORK, cluster.to_string()).execute(db).await?;
    Ok(())
}
