//! `kcs audit verify` and `kcs audit accept`: what the audit log proves of itself, and going on with one that does not.

use crate::audit_anchor::Anchor;
use crate::cli::say;
use crate::config::Config;
use crate::keys;
use crate::serve::store_options;
use std::error::Error;
use std::sync::Arc;
use store::{AuditAccepted, AuditEnd, AuditEnds, AuditFinding, AuditVerdict, Store};

async fn connected(config: &Config) -> Result<Store, Box<dyn Error>> {
    Ok(Store::connect(&store_options(config)?, Arc::new(keys::ring(config).await?)).await?)
}

fn told(findings: &[AuditFinding]) -> Result<(), Box<dyn Error>> {
    findings.iter().try_for_each(|finding| say(&format!("  {finding}\n")))
}

/// `kcs audit verify`: what the log says of itself, and whether it holds what it held at `since` and when this machine last saw it.
///
/// # Errors
/// When something is wrong with it, or it cannot be read.
pub async fn verify(config: Config, since: Option<AuditEnd>) -> Result<(), Box<dyn Error>> {
    let known = Anchor::in_dir(&config.state_dir).known().await?;
    let store = connected(&config).await?;
    let AuditVerdict { lines, waiting, findings } = store.audit_verify(AuditEnds { since, known }).await?;
    store.close().await;
    say(&format!("{lines} lines compared with their seals, {waiting} just written\n"))?;
    told(&findings)?;
    if findings.is_empty() {
        say("The audit log is whole.\n")
    } else {
        Err(format!("the audit log is not whole: {} findings", findings.len()).into())
    }
}

/// `kcs audit accept`: the log is gone on with as it is.
///
/// # Errors
/// When it cannot be read or written, or the state directory does not take where it ends now.
pub async fn accept(config: Config, reason: String) -> Result<(), Box<dyn Error>> {
    let anchor = Anchor::in_dir(&config.state_dir);
    let known = anchor.known().await?;
    let store = connected(&config).await?;
    let accepted = store.audit_accept(known, reason).await?;
    store.close().await;
    let Some(AuditAccepted { findings, anew, lines, end }) = accepted else {
        return say("The audit log is whole: there is nothing to accept.\n");
    };
    told(&findings)?;
    say(&format!("Accepted, and written into the audit log. {lines} lines sealed{}; it ends at {end}\n", if anew { " anew" } else { "" }))?;
    anchor.keep(&end).await.map_err(|e| format!("state_dir: {}: {e}", config.state_dir.display()).into())
}
