//! Going on with an audit log that does not prove itself any more, because an operator says so: after a backup was put back, or once it is known who wrote to the
//! database past KCS. What was found, and what was given up, is in the log from then on.

use crate::audit::{OwnEntry, RequestContext, append_own};
use crate::audit_chain::{self, AuditEnd, Head};
use crate::audit_seals::add;
use crate::audit_verdict::{AuditEnds, AuditFinding, judge};
use crate::error::StoreError;
use crate::pool::{Store, write};
use sealed::KeyRing;
use serde_json::{Value, json};
use sqlx::PgConnection;

/// Findings that the line has word by word.
const TOLD: usize = 20;

/// What was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditAccepted {
    pub findings: Vec<AuditFinding>,
    /// All lines have new seals, which prove that they are as they were found; otherwise the seals that there were go on proving what they did.
    pub anew: bool,
    /// Lines that were sealed.
    pub lines: usize,
    /// Where the log ends.
    pub end: AuditEnd,
}

impl Store {
    /// Takes the log as it is, writes down that this was done, and seals it; None: nothing is wrong with it. `known` is an end that was seen and is given up where
    /// the log does not hold it.
    pub async fn audit_accept(&self, known: Option<AuditEnd>, reason: String) -> Result<Option<AuditAccepted>, StoreError> {
        write(&self.engine, (self.keys.clone(), known, reason), |db, (ring, known, reason)| Box::pin(accept(db, ring, known.as_ref(), reason))).await
    }
}

async fn accept(db: &mut PgConnection, ring: &KeyRing, known: Option<&AuditEnd>, reason: &str) -> Result<Option<AuditAccepted>, StoreError> {
    audit_chain::lock(db).await?;
    audit_chain::take_time(db).await?;
    let findings = judge(db, ring, &AuditEnds { since: None, known: known.cloned() }).await?.findings;
    if findings.is_empty() {
        return Ok(None);
    }
    let key = audit_chain::key_or_new(db, ring).await?;
    let kept = audit_chain::head(db).await?.filter(|_| !findings.iter().any(AuditFinding::breaks));
    let anew = kept.is_none();
    let mut head = match kept {
        Some(head) => head,
        None => Head::behind(unused(db, known).await?),
    };
    // What is not of the chain goes, and is announced anew with all that has no seal.
    sqlx::query!("SET LOCAL kcs.audit_retention = 'on'").execute(&mut *db).await?;
    sqlx::query!("DELETE FROM audit_seals WHERE seq <= $1 OR seq > $2", head.first, head.last).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM audit_pending").execute(&mut *db).await?;
    let (object, detail) = (("audit_log", "audit_log"), detail(&findings, known, anew, reason));
    let entry = OwnEntry { tenant: None, action: "audit_accept", object, cluster: None, operation: None, outcome: "accepted", detail };
    append_own(db, &entry, &RequestContext::default()).await?;
    sqlx::query!(
        "INSERT INTO audit_pending (audit_id) SELECT a.id FROM audit a WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.audit_id = a.id)
         ON CONFLICT DO NOTHING"
    )
    .execute(&mut *db)
    .await?;
    let (mut lines, mut after) = (0, i64::MIN);
    while let (sealed @ 1.., last) = add(db, &key, &mut head, None, after).await? {
        (lines, after) = (lines + sealed, last);
    }
    Ok(Some(AuditAccepted { findings, anew, lines, end: head.end() }))
}

/// A number that no seal ever had, as far as anybody knows: ends that were seen before are older than the chain that is begun with it.
async fn unused(db: &mut PgConnection, known: Option<&AuditEnd>) -> Result<i64, StoreError> {
    let used = sqlx::query_scalar!(
        "SELECT GREATEST((SELECT max(seq) FROM audit_seals), (SELECT max(last_seq) FROM audit_head), (SELECT max(last_seq) FROM audit_forward))"
    );
    let used = used.fetch_one(db).await?.unwrap_or_default().max(known.map_or(0, |end| end.seq));
    used.checked_add(1).ok_or_else(|| StoreError::Unexpected("somebody has used up the numbers of the audit log's seals".to_owned()))
}

fn detail(findings: &[AuditFinding], known: Option<&AuditEnd>, anew: bool, reason: &str) -> Value {
    let told: Vec<String> = findings.iter().take(TOLD).map(ToString::to_string).collect();
    let given_up = known.filter(|_| anew || findings.iter().any(|finding| matches!(finding, AuditFinding::NotHeld { .. })));
    json!({
        "reason": reason,
        "findings": told,
        "more": findings.len() - told.len(),
        "given_up": given_up.map(ToString::to_string),
        "anew": anew,
    })
}
