//! The chain that proves the audit log: sealing new lines in order, verifying all of it, and letting go of what has outlived its time.

use crate::error::StoreError;
use crate::pool::{Store, read, write};
use sealed::{MacKey, Tag};
use sqlx::PgConnection;
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

const KEY: &str = "audit_chain";
/// Lines sealed in one transaction, and lines verified in one read.
const BATCH: i64 = 1_000;
/// A line that waits for its seal for longer than this is conspicuous.
const PATIENCE: time::Duration = time::Duration::minutes(5);
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
    /// A line that nobody announced for sealing: put in beside the log.
    Foreign { id: i64 },
    /// A line that has waited for its seal for too long.
    Unsealed { id: i64 },
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { seq, id } => write!(f, "line {id} (seal {seq}) was changed or moved"),
            Self::Missing { seq, id } => write!(f, "line {id} (seal {seq}) was removed"),
            Self::Gap { before } => write!(f, "seals before {before} were removed"),
            Self::Cut { expected, found } => write!(f, "the log ends at seal {found} and should end at {expected}"),
            Self::Head => f.write_str("the record of where the log begins and ends was changed"),
            Self::Foreign { id } => write!(f, "line {id} was put in beside the log"),
            Self::Unsealed { id } => write!(f, "line {id} has not been sealed"),
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
    fn find(&mut self, finding: AuditFinding) {
        if self.findings.len() < TOLD {
            self.findings.push(finding);
        }
    }
}

/// A line as its seal covers it.
struct Line {
    id: i64,
    at: OffsetDateTime,
    tenant_id: Option<String>,
    user_id: String,
    user_name: String,
    via: String,
    via_id: Option<Uuid>,
    action: String,
    object_kind: String,
    object_id: String,
    cluster_id: Option<Uuid>,
    operation_id: Option<Uuid>,
    outcome: String,
    request_id: String,
    source: String,
    /// As the database writes it.
    detail: String,
}

impl Line {
    fn tag(&self, key: &MacKey, seq: i64, before: &[u8]) -> Tag {
        // A missing id and an empty one are not the same.
        let id = |id: Option<Uuid>| id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
        let tenant = self.tenant_id.as_ref().map_or_else(Vec::new, |t| [b"+", t.as_bytes()].concat());
        key.tag(
            before,
            &[
                &seq.to_be_bytes(),
                &self.id.to_be_bytes(),
                &self.at.unix_timestamp_nanos().to_be_bytes(),
                &tenant,
                self.user_id.as_bytes(),
                self.user_name.as_bytes(),
                self.via.as_bytes(),
                &id(self.via_id),
                self.action.as_bytes(),
                self.object_kind.as_bytes(),
                self.object_id.as_bytes(),
                &id(self.cluster_id),
                &id(self.operation_id),
                self.outcome.as_bytes(),
                self.request_id.as_bytes(),
                self.source.as_bytes(),
                self.detail.as_bytes(),
            ],
        )
    }
}

/// Where the chain begins and ends.
struct Head {
    first: i64,
    first_mac: Vec<u8>,
    last: i64,
    last_mac: Vec<u8>,
    proof: Vec<u8>,
}

impl Head {
    fn new() -> Self {
        Self { first: 0, first_mac: Vec::new(), last: 0, last_mac: Vec::new(), proof: Vec::new() }
    }

    fn proof(&self, key: &MacKey) -> Tag {
        key.tag(b"head", &[&self.first.to_be_bytes(), &self.first_mac, &self.last.to_be_bytes(), &self.last_mac])
    }
}

impl Store {
    /// Seals what waits for it; answers how many lines that were, at most a thousand. One process at a time.
    pub async fn audit_seal(&self) -> Result<usize, StoreError> {
        let waits = read(&self.engine, (), |db, ()| {
            Box::pin(async move { Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM audit_pending) AS "waits!""#).fetch_one(db).await?) })
        });
        if !waits.await? {
            return Ok(0);
        }
        let key = self.installation_key(KEY).await?;
        write(&self.engine, key, |db, key| Box::pin(seal(db, key))).await
    }

    /// Compares every line with its seal.
    pub async fn audit_verify(&self) -> Result<AuditVerdict, StoreError> {
        let key = self.installation_key(KEY).await?;
        read(&self.engine, key, |db, key| Box::pin(verify(db, key))).await
    }

    /// Lets go of sealed lines from before `before`, at most a thousand at once; answers how many. The chain begins after them from then on.
    /// With `handed_on`, lines that are still to be handed on stay.
    pub async fn audit_forget(&self, before: OffsetDateTime, handed_on: bool) -> Result<usize, StoreError> {
        let key = self.installation_key(KEY).await?;
        write(&self.engine, (key, before, handed_on), |db, (key, before, handed_on)| Box::pin(forget(db, key, *before, *handed_on))).await
    }
}

async fn head(db: &mut PgConnection) -> Result<Option<Head>, StoreError> {
    let row = sqlx::query!("SELECT first_seq, first_mac, last_seq, last_mac, proof FROM audit_head FOR UPDATE").fetch_optional(db).await?;
    Ok(row.map(|r| Head { first: r.first_seq, first_mac: r.first_mac, last: r.last_seq, last_mac: r.last_mac, proof: r.proof }))
}

async fn put_head(db: &mut PgConnection, key: &MacKey, head: &Head) -> Result<(), StoreError> {
    let proof = head.proof(key);
    sqlx::query!(
        "INSERT INTO audit_head (first_seq, first_mac, last_seq, last_mac, proof) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (one) DO UPDATE SET first_seq = $1, first_mac = $2, last_seq = $3, last_mac = $4, proof = $5",
        head.first,
        head.first_mac,
        head.last,
        head.last_mac,
        proof.as_slice(),
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn seal(db: &mut PgConnection, key: &MacKey) -> Result<usize, StoreError> {
    // Also where there is no head yet: one process at a time.
    sqlx::query_scalar!(r#"SELECT pg_advisory_xact_lock(hashtext('kcs audit chain'))::text AS "lock""#).fetch_one(&mut *db).await?;
    let mut lines = sqlx::query_as!(
        Line,
        r#"WITH taken AS (
               DELETE FROM audit_pending WHERE audit_id IN (SELECT audit_id FROM audit_pending ORDER BY audit_id LIMIT $1) RETURNING audit_id)
           SELECT id, at, tenant_id, user_id, user_name, via, via_id, action, object_kind, object_id, cluster_id, operation_id, outcome, request_id, source,
                  detail::text AS "detail!"
           FROM audit JOIN taken ON taken.audit_id = audit.id"#,
        BATCH,
    )
    .fetch_all(&mut *db)
    .await?;
    if lines.is_empty() {
        return Ok(0);
    }
    lines.sort_by_key(|line| line.id);
    let mut end = head(db).await?.unwrap_or_else(Head::new);
    let (mut seqs, mut ids, mut macs) = (Vec::new(), Vec::new(), Vec::new());
    for line in &lines {
        end.last += 1;
        end.last_mac = line.tag(key, end.last, &end.last_mac).to_vec();
        seqs.push(end.last);
        ids.push(line.id);
        macs.push(end.last_mac.clone());
    }
    sqlx::query!("INSERT INTO audit_seals (seq, audit_id, mac) SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bytea[])", &seqs, &ids, &macs,)
        .execute(&mut *db)
        .await?;
    put_head(db, key, &end).await?;
    Ok(lines.len())
}

async fn verify(db: &mut PgConnection, key: &MacKey) -> Result<AuditVerdict, StoreError> {
    let mut verdict = AuditVerdict::default();
    let end = head(db).await?.unwrap_or_else(Head::new);
    if end.last > 0 && end.proof != end.proof(key) {
        verdict.find(AuditFinding::Head);
    }
    let (mut seq, mut mac) = (end.first, end.first_mac.clone());
    loop {
        let rows = sqlx::query!(
            r#"SELECT s.seq, s.audit_id, s.mac, a.id AS "id?", a.at AS "at?", a.tenant_id AS "tenant_id?", a.user_id AS "user_id?", a.user_name AS "user_name?",
                      a.via AS "via?", a.via_id AS "via_id?", a.action AS "action?", a.object_kind AS "object_kind?", a.object_id AS "object_id?", a.cluster_id AS "cluster_id?",
                      a.operation_id AS "operation_id?", a.outcome AS "outcome?", a.request_id AS "request_id?", a.source AS "source?", a.detail::text AS "detail?"
               FROM audit_seals s LEFT JOIN audit a ON a.id = s.audit_id WHERE s.seq > $1 AND s.seq <= $3 ORDER BY s.seq LIMIT $2"#,
            seq,
            BATCH,
            end.last,
        )
        .fetch_all(&mut *db)
        .await?;
        let Some(last) = rows.last().map(|r| r.seq) else { break };
        for row in rows {
            if row.seq != seq + 1 {
                verdict.find(AuditFinding::Gap { before: row.seq });
            }
            verdict.lines += 1;
            match (row.id, row.at) {
                (Some(id), Some(at)) => {
                    let line = Line {
                        id,
                        at,
                        tenant_id: row.tenant_id,
                        user_id: row.user_id.unwrap_or_default(),
                        user_name: row.user_name.unwrap_or_default(),
                        via: row.via.unwrap_or_default(),
                        via_id: row.via_id,
                        action: row.action.unwrap_or_default(),
                        object_kind: row.object_kind.unwrap_or_default(),
                        object_id: row.object_id.unwrap_or_default(),
                        cluster_id: row.cluster_id,
                        operation_id: row.operation_id,
                        outcome: row.outcome.unwrap_or_default(),
                        request_id: row.request_id.unwrap_or_default(),
                        source: row.source.unwrap_or_default(),
                        detail: row.detail.unwrap_or_default(),
                    };
                    // Behind a gap the link before is not known.
                    if row.seq == seq + 1 && line.tag(key, row.seq, &mac).as_slice() != row.mac {
                        verdict.find(AuditFinding::Changed { seq: row.seq, id });
                    }
                }
                _ => verdict.find(AuditFinding::Missing { seq: row.seq, id: row.audit_id }),
            }
            (seq, mac) = (row.seq, row.mac);
        }
        seq = last;
    }
    if seq != end.last || (end.last > 0 && mac != end.last_mac) {
        verdict.find(AuditFinding::Cut { expected: end.last, found: seq });
    }
    beside(db, &mut verdict).await?;
    Ok(verdict)
}

/// Lines without a seal.
async fn beside(db: &mut PgConnection, verdict: &mut AuditVerdict) -> Result<(), StoreError> {
    let rows = sqlx::query!(
        r#"SELECT a.id, p.audit_id IS NOT NULL AS "announced!", now() - a.at > make_interval(secs => $1) AS "late!"
           FROM audit a LEFT JOIN audit_seals s ON s.audit_id = a.id LEFT JOIN audit_pending p ON p.audit_id = a.id
           WHERE s.seq IS NULL ORDER BY a.id LIMIT 10000"#,
        PATIENCE.as_seconds_f64(),
    )
    .fetch_all(db)
    .await?;
    for row in rows {
        match (row.announced, row.late) {
            (false, _) => verdict.find(AuditFinding::Foreign { id: row.id }),
            (true, true) => verdict.find(AuditFinding::Unsealed { id: row.id }),
            (true, false) => verdict.waiting += 1,
        }
    }
    Ok(())
}

/// Whether operators have set something of the log within a day: so long a mistake, or somebody with a session that is not theirs, lets go of nothing.
async fn just_set(db: &mut PgConnection) -> Result<bool, StoreError> {
    let set = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM settings s WHERE s.changed_at > now() - interval '1 day' AND COALESCE(s.document -> 'audit', '{}') IS DISTINCT FROM
               COALESCE((SELECT p.document -> 'audit' FROM settings p WHERE p.revision = s.revision - 1), '{}')) AS "set!""#
    );
    Ok(set.fetch_one(db).await?)
}

async fn forget(db: &mut PgConnection, key: &MacKey, before: OffsetDateTime, handed_on: bool) -> Result<usize, StoreError> {
    sqlx::query_scalar!(r#"SELECT pg_advisory_xact_lock(hashtext('kcs audit chain'))::text AS "lock""#).fetch_one(&mut *db).await?;
    let Some(mut head) = head(db).await? else { return Ok(0) };
    if just_set(db).await? {
        return Ok(0);
    }
    // From the beginning up to the first that stays.
    let rows = sqlx::query!(
        r#"SELECT s.seq, s.audit_id, s.mac FROM audit_seals s JOIN audit a ON a.id = s.audit_id
           WHERE s.seq > $1 AND s.seq < COALESCE((SELECT min(s2.seq) FROM audit_seals s2 JOIN audit a2 ON a2.id = s2.audit_id WHERE a2.at >= $2), $3::bigint + 1)
             AND (NOT $5::bool OR s.seq <= (SELECT last_seq FROM audit_forward))
           ORDER BY s.seq LIMIT $4"#,
        head.first,
        before,
        head.last,
        BATCH,
        handed_on,
    )
    .fetch_all(&mut *db)
    .await?;
    let Some(last) = rows.last() else { return Ok(0) };
    (head.first, head.first_mac) = (last.seq, last.mac.clone());
    let ids: Vec<i64> = rows.iter().map(|r| r.audit_id).collect();
    sqlx::query!("SET LOCAL kcs.audit_retention = 'on'").execute(&mut *db).await?;
    sqlx::query!("DELETE FROM audit_seals WHERE audit_id = ANY($1)", &ids).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM audit WHERE id = ANY($1)", &ids).execute(&mut *db).await?;
    put_head(db, key, &head).await?;
    Ok(ids.len())
}
