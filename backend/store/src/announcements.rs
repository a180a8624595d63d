//! Announcements: made, changed and ended by operators, read by everybody. What has ended stays for the operators' list.

use crate::audit::{AuditEntry, RequestContext, append};
use crate::error::{StoreError, unknown};
use crate::newer::readable;
use crate::pool::{Store, read, write};
use auth::{Actor, OperatorScope};
use domain::announcements::{Announcement, AnnouncementKind, Severity};
use domain::codes::Code;
use domain::ids::AnnouncementId;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnouncementRecord {
    pub id: AnnouncementId,
    pub said: Announcement,
    pub created_at: OffsetDateTime,
    pub created_by: String,
    pub changed_at: OffsetDateTime,
    /// Somebody has ended it.
    pub ended_at: Option<OffsetDateTime>,
    pub ended_by: Option<String>,
    /// By the database's clock.
    pub now: OffsetDateTime,
}

struct Row {
    id: Uuid,
    kind: String,
    severity: String,
    zh: String,
    en: String,
    starts_at: OffsetDateTime,
    ends_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    created_by: String,
    changed_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    ended_by: Option<String>,
    now: OffsetDateTime,
}

impl TryFrom<Row> for AnnouncementRecord {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let said = Announcement {
            kind: AnnouncementKind::parse(&row.kind).ok_or_else(|| unknown("kind of announcement", &row.kind))?,
            severity: Severity::parse(&row.severity).ok_or_else(|| unknown("severity", &row.severity))?,
            zh: row.zh,
            en: row.en,
            from: row.starts_at,
            until: row.ends_at,
        };
        let Row { created_at, created_by, changed_at, ended_at, ended_by, now, .. } = row;
        Ok(Self { id: AnnouncementId(row.id), said, created_at, created_by, changed_at, ended_at, ended_by, now })
    }
}

impl Store {
    /// What everybody is to be told now, the newest first.
    pub async fn announcements_now(&self) -> Result<Vec<AnnouncementRecord>, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(list(db, None, true))).await
    }

    /// The newest hundred, ended ones too.
    pub async fn announcements(&self, _: OperatorScope) -> Result<Vec<AnnouncementRecord>, StoreError> {
        read(&self.api, (), |db, ()| Box::pin(list(db, None, false))).await
    }

    pub async fn announcement_create(
        &self,
        _: OperatorScope,
        actor: &Actor,
        said: Announcement,
        context: RequestContext,
    ) -> Result<AnnouncementRecord, StoreError> {
        write(&self.api, (actor.clone(), said, context), |db, (actor, said, context)| Box::pin(create(db, actor, said, context))).await
    }

    /// Takes the place of what was said. What somebody has ended stays ended.
    pub async fn announcement_change(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: AnnouncementId,
        said: Announcement,
        context: RequestContext,
    ) -> Result<AnnouncementRecord, StoreError> {
        write(&self.api, (actor.clone(), id, said, context), |db, (actor, id, said, context)| Box::pin(change(db, actor, *id, said, context))).await
    }

    /// Nobody is told any more. Ended again, it is no error.
    pub async fn announcement_end(
        &self,
        _: OperatorScope,
        actor: &Actor,
        id: AnnouncementId,
        context: RequestContext,
    ) -> Result<AnnouncementRecord, StoreError> {
        write(&self.api, (actor.clone(), id, context), |db, (actor, id, context)| Box::pin(end(db, actor, *id, context))).await
    }
}

async fn list(db: &mut PgConnection, only: Option<AnnouncementId>, shown: bool) -> Result<Vec<AnnouncementRecord>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, kind, severity, zh, en, starts_at, ends_at, created_at, created_by, changed_at, ended_at, ended_by, now() AS "now!"
           FROM announcements
           WHERE ($1::uuid IS NULL OR id = $1)
             AND (NOT $2::bool OR (ended_at IS NULL AND (ends_at IS NULL OR ends_at > now()) AND (kind = 'maintenance' OR starts_at <= now())))
           ORDER BY id DESC LIMIT 100"#,
        only.map(|id| id.0),
        shown,
    );
    Ok(readable(rows.fetch_all(db).await?))
}

async fn one(db: &mut PgConnection, id: AnnouncementId) -> Result<AnnouncementRecord, StoreError> {
    list(db, Some(id), false).await?.pop().ok_or(StoreError::NotFound)
}

async fn create(db: &mut PgConnection, actor: &Actor, said: &Announcement, context: &RequestContext) -> Result<AnnouncementRecord, StoreError> {
    let id = AnnouncementId::generate();
    sqlx::query!(
        "INSERT INTO announcements (id, kind, severity, zh, en, starts_at, ends_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.0,
        said.kind.as_str(),
        said.severity.as_str(),
        said.zh,
        said.en,
        said.from,
        said.until,
        actor.user.name,
    )
    .execute(&mut *db)
    .await?;
    let entry = AuditEntry::new(actor, "announcement_create", "announcement", id).outcome("done").detail(said.words());
    append(db, &entry, context).await?;
    one(db, id).await
}

async fn change(
    db: &mut PgConnection,
    actor: &Actor,
    id: AnnouncementId,
    said: &Announcement,
    context: &RequestContext,
) -> Result<AnnouncementRecord, StoreError> {
    let before = one(db, id).await?;
    sqlx::query!(
        "UPDATE announcements SET kind = $2, severity = $3, zh = $4, en = $5, starts_at = $6, ends_at = $7, changed_at = now()
         WHERE id = $1 AND ended_at IS NULL RETURNING id",
        id.0,
        said.kind.as_str(),
        said.severity.as_str(),
        said.zh,
        said.en,
        said.from,
        said.until,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(StoreError::Refused(Code::Conflict))?;
    let detail = json!({ "before": before.said.words(), "after": said.words() });
    append(db, &AuditEntry::new(actor, "announcement_update", "announcement", id).outcome("done").detail(detail), context).await?;
    one(db, id).await
}

async fn end(db: &mut PgConnection, actor: &Actor, id: AnnouncementId, context: &RequestContext) -> Result<AnnouncementRecord, StoreError> {
    let ended = sqlx::query!(
        "UPDATE announcements SET ended_at = now(), ended_by = $2, changed_at = now() WHERE id = $1 AND ended_at IS NULL RETURNING id",
        id.0,
        actor.user.name,
    );
    if ended.fetch_optional(&mut *db).await?.is_some() {
        append(db, &AuditEntry::new(actor, "announcement_end", "announcement", id).outcome("done"), context).await?;
    }
    one(db, id).await
}
