//! What the audit log proves of itself: every line compared with its seal, and what is beside the chain.

use crate::audit_chain::{self, AuditEnd, Head, PATIENCE, Walk};
use crate::error::StoreError;
use crate::pool::{Store, write};
use sealed::{KeyRing, MacKey};
use sqlx::PgConnection;
use std::fmt;
use time::OffsetDateTime;

/// Findings that are told one by one.
const TOLD: usize = 100;

/// Something wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFinding {
    /// The line of this seal is not what was sealed, or not in its place.
    Changed { seq: i64, id: i64 },
    /// The line of this seal is not there.
    Missing { seq: i64, id: i64 },
    /// Seals up to this one are not there.
    Gap { before: i64 },
    /// The end of the chain is not where it should be.
    Cut { expected: i64, found: i64 },
    /// The record of where the chain begins and ends was changed.
    Head,
    /// There is no such record, though there was a chain.
    Lost,
    /// There is no key to the chain.
    Key,
    /// The log does not hold what it held when it ended at this seal: an earlier state of it was put back, or it was made anew.
    NotHeld { seq: i64 },
    /// Lines up to this seal have been let go of: nothing can be compared with it any more.
    LetGo { seq: i64 },
    /// A line that nobody announced for sealing: put in beside the log.
    Foreign { id: i64 },
    /// A line that has waited for its seal for too long.
    Unsealed { id: i64 },
    /// A line that was announced for sealing long after what is sealed was written.
    Late { id: i64 },
    /// A line that was announced for sealing and has its seal.
    Again { id: i64 },
    /// A line that was announced for sealing and is not there.
    Removed { id: i64 },
}

impl AuditFinding {
    /// Whether the chain itself is not what it was, so that nothing can be added to it; otherwise something is beside it.
    pub(crate) fn breaks(&self) -> bool {
        matches!(self, Self::Changed { .. } | Self::Missing { .. } | Self::Gap { .. } | Self::Cut { .. } | Self::Head | Self::Lost | Self::Key)
    }
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { seq, id } => write!(f, "line {id} (seal {seq}) was changed or moved"),
            Self::Missing { seq, id } => write!(f, "line {id} (seal {seq}) was removed"),
            Self::Gap { before } => write!(f, "seals before {before} were removed"),
            Self::Cut { expected, found } => write!(f, "the log ends at seal {found} and should end at {expected}"),
            Self::Head => f.write_str("the record of where the log begins and ends was changed"),
            Self::Lost => f.write_str("the record of where the log begins and ends was removed"),
            Self::Key => f.write_str("the key of the log's seals was removed"),
            Self::NotHeld { seq } => write!(f, "the log does not hold what it held when it ended at seal {seq}"),
            Self::LetGo { seq } => write!(f, "seal {seq} has been let go of: compare the log with a newer one"),
            Self::Foreign { id } => write!(f, "line {id} was put in beside the log"),
            Self::Unsealed { id } => write!(f, "line {id} has not been sealed"),
            Self::Late { id } => write!(f, "line {id} has no seal and is older than lines that were sealed long ago"),
            Self::Again { id } => write!(f, "line {id} has its seal and was announced for another"),
            Self::Removed { id } => write!(f, "line {id} was removed before it was sealed"),
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditVerdict {
    /// Lines that were compared with their seals.
    pub lines: u64,
    /// Lines just written, without a seal yet.
    pub waiting: u64,
    /// At most a hundred.
    pub findings: Vec<AuditFinding>,
}

impl AuditVerdict {
    pub(crate) fn find(&mut self, finding: AuditFinding) {
        if self.findings.len() < TOLD {
            self.findings.push(finding);
        }
    }
}

/// Ends of the log that were seen and kept outside the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEnds {
    /// One that the log must still hold.
    pub since: Option<AuditEnd>,
    /// The one that this machine has kept; what has been let go of since is let go of.
    pub known: Option<AuditEnd>,
}

impl Store {
    /// Compares every line with its seal, and the log with ends of it that were seen.
    pub async fn audit_verify(&self, ends: AuditEnds) -> Result<AuditVerdict, StoreError> {
        write(&self.engine, (self.keys.clone(), ends), |db, (ring, ends)| {
            Box::pin(async move {
                // One state of it, whatever is sealed and let go of meanwhile.
                sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *db).await?;
                audit_chain::take_time(db).await?;
                judge(db, ring, ends).await
            })
        })
        .await
    }
}

/// The same, within a transaction in which nobody else changes the chain.
pub(crate) async fn judge(db: &mut PgConnection, ring: &KeyRing, ends: &AuditEnds) -> Result<AuditVerdict, StoreError> {
    let mut verdict = AuditVerdict::default();
    let (key, head, sealed) = (audit_chain::key(db, ring).await?, audit_chain::head(db).await?, has_seals(db).await?);
    match (key, head) {
        (Some(key), Some(head)) => chain(db, &key, &head, ends, &mut verdict).await?,
        (None, Some(_)) => verdict.find(AuditFinding::Key),
        (None, None) if !sealed && *ends == AuditEnds::default() => beside(db, &Head::behind(0), None, &mut verdict).await?,
        _ => verdict.find(AuditFinding::Lost),
    }
    Ok(verdict)
}

async fn has_seals(db: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM audit_seals) AS "has!""#).fetch_one(db).await?)
}

async fn chain(db: &mut PgConnection, key: &MacKey, head: &Head, ends: &AuditEnds, verdict: &mut AuditVerdict) -> Result<(), StoreError> {
    if !head.is_proved(key) {
        verdict.find(AuditFinding::Head);
    }
    for end in [&ends.since, &ends.known].into_iter().flatten() {
        if !audit_chain::holds(db, head, end).await? {
            verdict.find(AuditFinding::NotHeld { seq: end.seq });
        }
    }
    if let Some(since) = ends.since.as_ref().filter(|since| since.seq < head.first) {
        verdict.find(AuditFinding::LetGo { seq: since.seq });
    }
    let mut walk = Walk::new(head.first, head.first_mac.clone());
    walk.compare(db, key, head.last, verdict).await?;
    if let Some(cut) = walk.cut(head) {
        verdict.find(cut);
    }
    beside(db, head, walk.at.map(|at| at - PATIENCE), verdict).await
}

/// Lines without a seal of the chain, and what was announced for one that must not have it. Lines from before `since` come too late.
async fn beside(db: &mut PgConnection, head: &Head, since: Option<OffsetDateTime>, verdict: &mut AuditVerdict) -> Result<(), StoreError> {
    let rows = sqlx::query!(
        r#"SELECT a.id AS "id!", a.at AS "at!", p.audit_id IS NOT NULL AS "announced!", now() - a.at > make_interval(secs => $1) AS "late!"
           FROM audit a LEFT JOIN audit_seals s ON s.audit_id = a.id AND s.seq > $2 AND s.seq <= $3 LEFT JOIN audit_pending p ON p.audit_id = a.id
           WHERE s.seq IS NULL ORDER BY a.id LIMIT 10000"#,
        PATIENCE.as_seconds_f64(),
        head.first,
        head.last,
    )
    .fetch_all(&mut *db)
    .await?;
    for row in rows {
        match (row.announced, row.late) {
            (false, _) => verdict.find(AuditFinding::Foreign { id: row.id }),
            // Told below.
            (true, _) if since.is_some_and(|since| row.at < since) => {}
            (true, true) => verdict.find(AuditFinding::Unsealed { id: row.id }),
            (true, false) => verdict.waiting += 1,
        }
    }
    for finding in adrift(db, since).await? {
        verdict.find(finding);
    }
    Ok(())
}

/// Announcements that are not followed: of lines from before `since`, that are sealed, or that are not there.
pub(crate) async fn adrift(db: &mut PgConnection, since: Option<OffsetDateTime>) -> Result<Vec<AuditFinding>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT p.audit_id AS "id!", a.id IS NOT NULL AS "there!", EXISTS (SELECT FROM audit_seals s WHERE s.audit_id = p.audit_id) AS "sealed!"
           FROM audit_pending p LEFT JOIN audit a ON a.id = p.audit_id
           WHERE a.id IS NULL OR a.at < $1 OR EXISTS (SELECT FROM audit_seals s WHERE s.audit_id = p.audit_id) ORDER BY p.audit_id LIMIT 100"#,
        since,
    )
    .fetch_all(db)
    .await?;
    let findings = rows.into_iter().map(|row| match (row.there, row.sealed) {
        (false, _) => AuditFinding::Removed { id: row.id },
        (true, true) => AuditFinding::Again { id: row.id },
        (true, false) => AuditFinding::Late { id: row.id },
    });
    Ok(findings.collect())
}
