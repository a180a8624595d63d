//! The chain that proves the audit log: where it begins and ends, what a seal says of a line, and the walk along it that compares the two.

use crate::audit_verdict::{AuditFinding, AuditVerdict};
use crate::error::StoreError;
use crate::secrets::{installation_key, make_installation_key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealed::{KeyRing, MacKey, Tag};
use sqlx::PgConnection;
use std::fmt;
use std::str::FromStr;
use time::OffsetDateTime;
use uuid::Uuid;

const KEY: &str = "audit_chain";
/// Lines sealed in one transaction, and lines compared in one read.
pub(crate) const BATCH: i64 = 1_000;
/// No transaction takes so long from its beginning, whose time its line has, to its end: a line that waits for its seal for longer is conspicuous.
pub(crate) const PATIENCE: time::Duration = time::Duration::minutes(5);

/// Where the log ended at some time: the number of a seal, and what it said. Kept outside the database it tells whether the log still holds what it
/// held then, which the log alone cannot: somebody may put back a whole earlier state of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEnd {
    pub seq: i64,
    pub mac: Vec<u8>,
}

impl fmt::Display for AuditEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, URL_SAFE_NO_PAD.encode(&self.mac))
    }
}

/// A text that names no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not SEQ:MAC, as the log of the process and lines that were handed on say it")]
pub struct NotAnEnd;

impl FromStr for AuditEnd {
    type Err = NotAnEnd;

    fn from_str(text: &str) -> Result<Self, NotAnEnd> {
        let (seq, mac) = text.split_once(':').ok_or(NotAnEnd)?;
        Ok(Self { seq: seq.parse().map_err(|_| NotAnEnd)?, mac: URL_SAFE_NO_PAD.decode(mac).map_err(|_| NotAnEnd)? })
    }
}

/// A line as its seal covers it.
pub(crate) struct Line {
    pub id: i64,
    pub at: OffsetDateTime,
    pub tenant_id: Option<String>,
    pub user_id: String,
    pub user_name: String,
    pub via: String,
    pub via_id: Option<Uuid>,
    pub action: String,
    pub object_kind: String,
    pub object_id: String,
    pub cluster_id: Option<Uuid>,
    pub operation_id: Option<Uuid>,
    pub outcome: String,
    pub request_id: String,
    pub source: String,
    /// As the database writes it.
    pub detail: String,
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
pub(crate) struct Head {
    pub first: i64,
    pub first_mac: Vec<u8>,
    pub last: i64,
    pub last_mac: Vec<u8>,
    proof: Vec<u8>,
}

impl Head {
    /// Of a chain without a seal, whose numbers go on behind this one.
    pub(crate) fn behind(seq: i64) -> Self {
        Self { first: seq, first_mac: Vec::new(), last: seq, last_mac: Vec::new(), proof: Vec::new() }
    }

    pub(crate) fn end(&self) -> AuditEnd {
        AuditEnd { seq: self.last, mac: self.last_mac.clone() }
    }

    /// The chain is longer by this line; answers what its seal says.
    pub(crate) fn take(&mut self, key: &MacKey, line: &Line) -> Vec<u8> {
        self.last += 1;
        self.last_mac = line.tag(key, self.last, &self.last_mac).to_vec();
        self.last_mac.clone()
    }

    fn proof(&self, key: &MacKey) -> Tag {
        key.tag(b"head", &[&self.first.to_be_bytes(), &self.first_mac, &self.last.to_be_bytes(), &self.last_mac])
    }

    pub(crate) fn is_proved(&self, key: &MacKey) -> bool {
        self.proof == self.proof(key)
    }
}

/// Until the end of the transaction statements have the time that a log of many millions of lines takes, where the others of the engine's are ended after seconds:
/// an operator waits for them.
pub(crate) async fn take_time(db: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("SET LOCAL statement_timeout = '1h'").execute(db).await?;
    Ok(())
}

/// Until the end of the transaction nobody else changes the chain, also where there is none yet.
pub(crate) async fn lock(db: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query_scalar!(r#"SELECT pg_advisory_xact_lock(hashtext('kcs audit chain'))::text AS "lock""#).fetch_one(db).await?;
    Ok(())
}

/// The chain's key, as the database has it at this moment: a process that remembered it would not find that it has gone.
pub(crate) async fn key(db: &mut PgConnection, ring: &KeyRing) -> Result<Option<MacKey>, StoreError> {
    installation_key(db, ring, KEY).await
}

/// The same, made where there is none.
pub(crate) async fn key_or_new(db: &mut PgConnection, ring: &KeyRing) -> Result<MacKey, StoreError> {
    make_installation_key(db, ring, KEY).await
}

pub(crate) async fn head(db: &mut PgConnection) -> Result<Option<Head>, StoreError> {
    let row = sqlx::query!("SELECT first_seq, first_mac, last_seq, last_mac, proof FROM audit_head").fetch_optional(db).await?;
    Ok(row.map(|r| Head { first: r.first_seq, first_mac: r.first_mac, last: r.last_seq, last_mac: r.last_mac, proof: r.proof }))
}

pub(crate) async fn put_head(db: &mut PgConnection, key: &MacKey, head: &Head) -> Result<(), StoreError> {
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

/// The chain to go on with; begun where there never was one. What KCS puts its proof under must have been proved before: somebody who can write to the
/// database would have it prove whatever they wrote. `known` is an end that was seen, as it was kept outside the database.
pub(crate) async fn open(db: &mut PgConnection, ring: &KeyRing, known: Option<&AuditEnd>) -> Result<(MacKey, Head), StoreError> {
    let (key, head) = match (key(db, ring).await?, head(db).await?) {
        (Some(key), Some(head)) if head.is_proved(&key) => (key, head),
        (Some(_), Some(_)) => return Err(StoreError::Broken(AuditFinding::Head)),
        (None, Some(_)) => return Err(StoreError::Broken(AuditFinding::Key)),
        (None, None) if known.is_none() => return begin(db, ring).await,
        _ => return Err(StoreError::Broken(AuditFinding::Lost)),
    };
    if let Some(known) = known
        && !holds(db, &head, known).await?
    {
        return Err(StoreError::Broken(AuditFinding::NotHeld { seq: known.seq }));
    }
    Ok((key, head))
}

/// The key is made together with the record of where the chain begins and ends: neither is ever without the other.
async fn begin(db: &mut PgConnection, ring: &KeyRing) -> Result<(MacKey, Head), StoreError> {
    if is_old(db).await? {
        return Err(StoreError::Broken(AuditFinding::Lost));
    }
    let (key, head) = (key_or_new(db, ring).await?, Head::behind(0));
    put_head(db, &key, &head).await?;
    Ok((key, head))
}

/// Whether there must have been a chain before. A process that serves begins it with its first second: lines without any that are older have lost it.
async fn is_old(db: &mut PgConnection) -> Result<bool, StoreError> {
    let old = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM audit_seals) OR EXISTS (SELECT FROM audit WHERE at < now() - make_interval(secs => $1)) AS "old!""#,
        PATIENCE.as_seconds_f64(),
    );
    Ok(old.fetch_one(db).await?)
}

/// What the seal of this number says, where the chain has it.
async fn mac(db: &mut PgConnection, head: &Head, seq: i64) -> Result<Option<Vec<u8>>, StoreError> {
    if seq == head.last {
        return Ok(Some(head.last_mac.clone()));
    }
    if seq == head.first {
        return Ok(Some(head.first_mac.clone()));
    }
    if seq < head.first || seq > head.last {
        return Ok(None);
    }
    Ok(sqlx::query_scalar!("SELECT mac FROM audit_seals WHERE seq = $1", seq).fetch_optional(db).await?)
}

/// Whether the chain holds what it held when it ended there. What has been let go of since is not asked for: that it was let go of is proved.
pub(crate) async fn holds(db: &mut PgConnection, head: &Head, seen: &AuditEnd) -> Result<bool, StoreError> {
    Ok(seen.seq < head.first || mac(db, head, seen.seq).await?.is_some_and(|mac| mac == seen.mac))
}

/// How far along the chain lines have been compared with their seals.
pub(crate) struct Walk {
    pub seq: i64,
    pub mac: Vec<u8>,
    /// The time of the last line that was compared.
    pub at: Option<OffsetDateTime>,
}

impl Walk {
    pub(crate) fn new(seq: i64, mac: Vec<u8>) -> Self {
        Self { seq, mac, at: None }
    }

    /// Goes on to this seal.
    pub(crate) async fn compare(&mut self, db: &mut PgConnection, key: &MacKey, to: i64, verdict: &mut AuditVerdict) -> Result<(), StoreError> {
        loop {
            let rows = sqlx::query!(
                r#"SELECT s.seq, s.audit_id, s.mac, a.id AS "id?", a.at AS "at?", a.tenant_id AS "tenant_id?", a.user_id AS "user_id?", a.user_name AS "user_name?",
                      a.via AS "via?", a.via_id AS "via_id?", a.action AS "action?", a.object_kind AS "object_kind?", a.object_id AS "object_id?", a.cluster_id AS "cluster_id?",
                      a.operation_id AS "operation_id?", a.outcome AS "outcome?", a.request_id AS "request_id?", a.source AS "source?", a.detail::text AS "detail?"
               FROM audit_seals s LEFT JOIN audit a ON a.id = s.audit_id WHERE s.seq > $1 AND s.seq <= $3 ORDER BY s.seq LIMIT $2"#,
                self.seq,
                BATCH,
                to,
            )
            .fetch_all(&mut *db)
            .await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                if row.seq != self.seq + 1 {
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
                        if row.seq == self.seq + 1 && line.tag(key, row.seq, &self.mac).as_slice() != row.mac {
                            verdict.find(AuditFinding::Changed { seq: row.seq, id });
                        }
                        self.at = Some(at);
                    }
                    _ => verdict.find(AuditFinding::Missing { seq: row.seq, id: row.audit_id }),
                }
                (self.seq, self.mac) = (row.seq, row.mac);
            }
        }
    }

    /// What is wrong with the end of the chain, where it is not where this walk has come to.
    pub(crate) fn cut(&self, head: &Head) -> Option<AuditFinding> {
        let whole = self.seq == head.last && self.mac == head.last_mac;
        (!whole).then_some(AuditFinding::Cut { expected: head.last, found: self.seq })
    }
}

/// When the last line was written that has a seal; None: there was none yet, or all have been let go of. It is the one that was sealed, for by its time it is
/// decided which lines come too late.
pub(crate) async fn last_at(db: &mut PgConnection, key: &MacKey, head: &Head) -> Result<Option<OffsetDateTime>, StoreError> {
    if head.last == head.first {
        return Ok(None);
    }
    let Some(before) = mac(db, head, head.last - 1).await? else {
        return Err(StoreError::Broken(AuditFinding::Gap { before: head.last }));
    };
    let (mut walk, mut verdict) = (Walk::new(head.last - 1, before), AuditVerdict::default());
    walk.compare(db, key, head.last, &mut verdict).await?;
    match verdict.findings.into_iter().next().or_else(|| walk.cut(head)) {
        Some(finding) => Err(StoreError::Broken(finding)),
        None => Ok(walk.at),
    }
}
