//! Sealing new lines of the audit log in order, and letting go of what has outlived its time: both go on with the chain only where it is whole.

use crate::audit_chain::{self, AuditEnd, BATCH, Head, Line, PATIENCE, Walk};
use crate::audit_verdict::{AuditFinding, AuditVerdict, adrift};
use crate::error::StoreError;
use crate::pool::{Store, read, write};
use sealed::{KeyRing, MacKey};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// What one turn of sealing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditSealed {
    pub lines: usize,
    /// Where the log ends now; None: nothing waited, and nobody has looked.
    pub end: Option<AuditEnd>,
    /// What was announced and cannot be sealed; it holds up no others.
    pub unsealable: Option<AuditFinding>,
    /// Lines may wait still: it was not looked for what cannot be sealed.
    pub more: bool,
}

impl Store {
    /// Seals what waits for it, at most a thousand lines. One process at a time. Nothing is sealed where the log does not prove itself, or does not hold `known`,
    /// an end of it that was seen; what cannot be sealed itself is told beside the lines that were.
    pub async fn audit_seal(&self, known: Option<AuditEnd>) -> Result<AuditSealed, StoreError> {
        let waits = read(&self.engine, (), |db, ()| {
            Box::pin(async move {
                let waits = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM audit_pending) OR NOT EXISTS (SELECT FROM audit_head) AS "waits!""#);
                Ok(waits.fetch_one(db).await?)
            })
        });
        if !waits.await? {
            return Ok(AuditSealed::default());
        }
        write(&self.engine, (self.keys.clone(), known), |db, (ring, known)| Box::pin(seal(db, ring, known.as_ref()))).await
    }

    /// Lets go of sealed lines from before `before`, at most a thousand at once; answers how many. The chain begins after them from then on.
    /// With `handed_on`, lines that are still to be handed on stay.
    pub async fn audit_forget(&self, before: OffsetDateTime, handed_on: bool) -> Result<usize, StoreError> {
        let data = (self.keys.clone(), before, handed_on);
        write(&self.engine, data, |db, (ring, before, handed_on)| Box::pin(forget(db, ring, *before, *handed_on))).await
    }
}

async fn seal(db: &mut PgConnection, ring: &KeyRing, known: Option<&AuditEnd>) -> Result<AuditSealed, StoreError> {
    audit_chain::lock(db).await?;
    let (key, mut head) = audit_chain::open(db, ring, known).await?;
    let since = audit_chain::last_at(db, &key, &head).await?.map(|at| at - PATIENCE);
    let (lines, _) = add(db, &key, &mut head, since, i64::MIN).await?;
    // While many wait each look would pass over all of them.
    let more = lines as i64 >= BATCH;
    let unsealable = if more { None } else { adrift(db, since).await?.into_iter().next() };
    Ok(AuditSealed { lines, end: Some(head.end()), unsealable, more })
}

/// Seals the next lines, at most a thousand, of those that were written at `since` or later and have a number above `after`; answers how many, and the number of
/// the last. Whoever goes through many in one transaction says `after`: what it has taken before would be passed over each time.
pub(crate) async fn add(
    db: &mut PgConnection,
    key: &MacKey,
    head: &mut Head,
    since: Option<OffsetDateTime>,
    after: i64,
) -> Result<(usize, i64), StoreError> {
    let mut lines = sqlx::query_as!(
        Line,
        r#"WITH taken AS (
               DELETE FROM audit_pending WHERE audit_id IN (
                   SELECT p.audit_id FROM audit_pending p JOIN audit a ON a.id = p.audit_id
                   WHERE p.audit_id > $3 AND ($2::timestamptz IS NULL OR a.at >= $2) AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.audit_id = p.audit_id)
                   ORDER BY p.audit_id LIMIT $1)
               RETURNING audit_id)
           SELECT id, at, tenant_id, user_id, user_name, via, via_id, action, object_kind, object_id, cluster_id, operation_id, outcome, request_id, source,
                  detail::text AS "detail!"
           FROM audit JOIN taken ON taken.audit_id = audit.id"#,
        BATCH,
        since,
        after,
    )
    .fetch_all(&mut *db)
    .await?;
    lines.sort_by_key(|line| line.id);
    let Some(last) = lines.last().map(|line| line.id) else { return Ok((0, after)) };
    let (mut seqs, mut ids, mut macs) = (Vec::new(), Vec::new(), Vec::new());
    for line in &lines {
        macs.push(head.take(key, line));
        seqs.push(head.last);
        ids.push(line.id);
    }
    sqlx::query!("INSERT INTO audit_seals (seq, audit_id, mac) SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bytea[])", &seqs, &ids, &macs,)
        .execute(&mut *db)
        .await?;
    audit_chain::put_head(db, key, head).await?;
    Ok((lines.len(), last))
}

/// Whether operators have set something of the log within a day: so long a mistake, or somebody with a session that is not theirs, lets go of nothing.
async fn just_set(db: &mut PgConnection) -> Result<bool, StoreError> {
    let set = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM settings s WHERE s.changed_at > now() - interval '1 day' AND COALESCE(s.document -> 'audit', '{}') IS DISTINCT FROM
               COALESCE((SELECT p.document -> 'audit' FROM settings p WHERE p.revision = s.revision - 1), '{}')) AS "set!""#
    );
    Ok(set.fetch_one(db).await?)
}

async fn forget(db: &mut PgConnection, ring: &KeyRing, before: OffsetDateTime, handed_on: bool) -> Result<usize, StoreError> {
    audit_chain::lock(db).await?;
    // Where there is no chain, sealing says what is wrong with that.
    if audit_chain::head(db).await?.is_none() || just_set(db).await? {
        return Ok(0);
    }
    let (key, mut head) = audit_chain::open(db, ring, None).await?;
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
    // They are what was sealed, and as old: nobody has KCS remove a line, and what proves that it was changed, by making it old.
    let (mut walk, mut verdict) = (Walk::new(head.first, head.first_mac.clone()), AuditVerdict::default());
    walk.compare(db, &key, last.seq, &mut verdict).await?;
    if let Some(finding) = verdict.findings.into_iter().next() {
        return Err(StoreError::Broken(finding));
    }
    (head.first, head.first_mac) = (last.seq, last.mac.clone());
    let ids: Vec<i64> = rows.iter().map(|r| r.audit_id).collect();
    sqlx::query!("SET LOCAL kcs.audit_retention = 'on'").execute(&mut *db).await?;
    sqlx::query!("DELETE FROM audit_seals WHERE audit_id = ANY($1)", &ids).execute(&mut *db).await?;
    sqlx::query!("DELETE FROM audit WHERE id = ANY($1)", &ids).execute(&mut *db).await?;
    audit_chain::put_head(db, &key, &head).await?;
    Ok(ids.len())
}
