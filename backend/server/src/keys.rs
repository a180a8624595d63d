//! The keys that seal secrets: where they come from, that none is missing, sealing anew what an old one sealed; and `kcs keys status`.

use crate::cli::say;
use crate::config::Config;
use crate::serve::store_options;
use crate::{host, vault};
use domain::key_rotation::{KeyRotation, KeyStep, Ring};
use sealed::KeyRing;
use secrecy::SecretString;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Rewrapped, RingRecord, Store, StoreError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often a process says which keys it has, and looks whether there is something to seal anew.
const EVERY: Duration = Duration::from_secs(15);
/// A process that died loses its turn after this.
const LEASE: Duration = Duration::from_secs(60);
/// Between two batches: whoever works with the database goes first.
const PACE: Duration = Duration::from_millis(50);

/// The ring of a configuration.
///
/// # Errors
/// When there is none, or it is not one.
pub async fn ring(config: &Config) -> Result<KeyRing, Box<dyn Error>> {
    let (name, text) = match &config.keys {
        Some(text) => ("keys", text.clone()),
        None => ("keys_file", read(&config.keys_path())?),
    };
    let opened = vault::open(config.vault.as_ref(), &text).await?;
    Ok(KeyRing::parse(&opened).map_err(|e| format!("{name}: {e}"))?)
}

fn read(path: &Path) -> Result<SecretString, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("keys_file: {}: {e}", path.display()))?;
    Ok(SecretString::from(text))
}

/// The same; a ring of one key is made where there is no file. Where keys are wrapped, an operator has the first one made.
///
/// # Errors
/// When it is not one, or cannot be written.
pub async fn ring_or_new(config: &Config) -> Result<KeyRing, Box<dyn Error>> {
    let path = config.keys_path();
    if config.keys.is_none() && config.vault.is_none() && !path.exists() {
        return Ok(KeyRing::load_or_create(&path).map_err(|e| format!("keys_file: {e}"))?);
    }
    ring(config).await
}

/// Refuses to start without a key that something is sealed with: a secret that cannot be opened would be found out much later.
///
/// # Errors
/// The ids of the keys that are missing.
pub async fn check(store: &Store) -> Result<(), Box<dyn Error>> {
    let lacking = store.keys_lacking().await?;
    if lacking.is_empty() {
        return Ok(());
    }
    let words = "secrets in the database are sealed with a key that is not in the key ring";
    Err(format!("{words}: {}. Give it back; `kcs keys status` says when a key can be removed", lacking.join(", ")).into())
}

/// Until `token` is cancelled.
pub async fn keep(store: Store, name: String, token: CancellationToken) {
    let process = Uuid::now_v7();
    let keeper = Keeper { store, token };
    tokio::join!(keeper.announce(process, &name), keeper.rewrap());
    if let Err(error) = keeper.store.ring_withdraw(process).await {
        // It is forgotten after a while.
        tracing::debug!(error = &error as &dyn Error, "the key ring could not be withdrawn");
    }
}

struct Keeper {
    store: Store,
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

    async fn announce(&self, process: Uuid, name: &str) {
        let mut pause = Duration::ZERO;
        while self.again(pause).await {
            pause = EVERY;
            if let Err(error) = self.store.ring_announce(process, name).await {
                tracing::warn!(error = &error as &dyn Error, "it cannot be said which keys this process has");
            }
        }
    }

    async fn rewrap(&self) {
        // Others that have just started are heard of by then.
        while self.again(EVERY).await {
            if let Err(error) = self.pass().await {
                tracing::warn!(error = &error as &dyn Error, "secrets cannot be sealed with the active key");
            }
            if let Ok(left) = self.store.rewrap_left().await {
                #[allow(clippy::cast_precision_loss)]
                metrics::gauge!("kcs_secrets_to_rewrap").set(left as f64);
            }
        }
    }

    /// Goes through all rows once, if there is something to do and nobody else does it.
    async fn pass(&self) -> Result<(), StoreError> {
        let Some(mut turn) = self.store.rewrap_claim(LEASE).await? else { return Ok(()) };
        let mut all = 0;
        loop {
            match self.store.rewrap_batch(&mut turn).await? {
                Rewrapped::Rows(rows) => {
                    all += rows;
                    metrics::counter!("kcs_secrets_rewrapped_total").increment(rows);
                }
                Rewrapped::Finished => break,
                Rewrapped::Lost => return Ok(()),
            }
            if !self.again(PACE).await {
                break;
            }
        }
        for row in turn.unopened() {
            tracing::error!(row, "a secret does not open and stays as it is");
        }
        tracing::info!(secrets = all, "sealed with the active key");
        self.store.rewrap_release(turn).await
    }
}

/// What this process is called among others: its machine and where it listens.
#[must_use]
pub fn process_name(config: &Config) -> String {
    format!("{}:{}", host::name(), config.listen.port())
}

/// `kcs keys status`: which keys there are, what is sealed with them, and what to do next.
///
/// # Errors
/// When the ring or the database cannot be read.
pub async fn status(config: Config) -> Result<(), Box<dyn Error>> {
    let keys = Arc::new(ring(&config).await?);
    let store = Store::connect(&store_options(&config)?, keys.clone()).await?;
    let (records, uses, unopened) = tokio::try_join!(store.rings(), store.key_uses(), store.rewrap_unopened())?;
    store.close().await;
    let rings: Vec<Ring> = records.iter().map(|r| r.ring.clone()).collect();
    let standing = KeyRotation::of(keys.active(), &rings, &uses);
    say(&report(&keys, &records, &standing, &unopened)?)
}

fn report(own: &KeyRing, records: &[RingRecord], standing: &KeyRotation, unopened: &[String]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "The ring of this configuration: {} (active: {})", own.ids().collect::<Vec<_>>().join(", "), own.active())?;
    writeln!(text, "\nProcesses that run: {}", records.len())?;
    for RingRecord { ring, .. } in records {
        let others: Vec<&str> = ring.keys.iter().filter(|k| **k != ring.active).map(String::as_str).collect();
        writeln!(
            text,
            "  {:30} active: {}  also: {}",
            ring.name,
            ring.active,
            if others.is_empty() { "none".to_owned() } else { others.join(", ") }
        )?;
    }
    writeln!(text, "\nSecrets: {}, of which {} are sealed with {}, {} left", standing.rows, standing.rewrapped, standing.active, standing.left)?;
    for kind in &standing.kinds {
        writeln!(text, "  {:30} {:>9}  {:>9} left", kind.kind, kind.rows, kind.left)?;
    }
    writeln!(text, "\nKeys: {}", standing.keys.len())?;
    for key in &standing.keys {
        let missing = if key.missing_in.is_empty() { String::new() } else { format!("  missing in {}", key.missing_in.join(", ")) };
        writeln!(text, "  {:30} {:>9} secrets{missing}", key.id, key.rows)?;
    }
    if standing.left > 0 && !unopened.is_empty() {
        writeln!(text, "\nThese do not open and stay as they are (moved or changed past KCS):")?;
        for row in unopened {
            writeln!(text, "  {row}")?;
        }
    }
    writeln!(text, "\nNext: {}", words(standing))?;
    Ok(text)
}

fn words(standing: &KeyRotation) -> String {
    let active = &standing.active;
    match standing.next_step {
        KeyStep::AddMissing => "a process lacks a key that is needed (see above): add it there and start that process again.".to_owned(),
        KeyStep::MakeActive => {
            "processes seal with different keys: put the same key first in the ring of each and start them again, one after the other.".to_owned()
        }
        KeyStep::Wait => {
            format!("wait until nothing is left. A process that runs seals everything with {active}; no key may be removed before that.")
        }
        KeyStep::Spare => {
            let ids: Vec<&str> = standing.keys.iter().filter(|k| k.id != *active).map(|k| k.id.as_str()).collect();
            format!(
                "nothing is sealed with {}. A new key: once it is missing nowhere, put it first in every ring. An old one: remove it from every ring.",
                ids.join(", ")
            )
        }
        KeyStep::Settled => format!("nothing: everything is sealed with {active}. To change it, add a new key behind it in every ring."),
    }
}
