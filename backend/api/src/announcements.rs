//! Announcements and maintenance windows: operators make, change and end them, everybody who is signed in is told.

use crate::caller::Caller;
use crate::errors::{Answer, Problem};
use crate::extract::Body;
use crate::lists::List;
use crate::operators::Operator;
use crate::state::State;
use crate::texts::said;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, delete, get, post, put};
use domain::announcements::{Announcement as Said, AnnouncementKind, AnnouncementState, Severity};
use domain::ids::AnnouncementId;
use serde::{Deserialize, Serialize};
use store::AnnouncementRecord;
use time::OffsetDateTime;

/// Characters that a text may have at most.
const LONGEST: usize = 500;

/// What everybody is told.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Announcement {
    pub id: AnnouncementId,
    pub kind: AnnouncementKind,
    pub severity: Severity,
    /// Simplified Chinese.
    pub zh: String,
    pub en: String,
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    /// Absent: until an operator ends it.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub changed_at: OffsetDateTime,
}

/// An announcement with how it came about.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AdminAnnouncement {
    #[serde(flatten)]
    pub announcement: Announcement,
    pub state: AnnouncementState,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Name of the operator.
    pub created_by: String,
    /// Name of the operator who ended it; absent: nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// What is to be said.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementRequest {
    pub kind: AnnouncementKind,
    pub severity: Severity,
    /// Simplified Chinese: 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub zh: String,
    /// 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub en: String,
    /// Default: now.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub from: Option<OffsetDateTime>,
    /// A maintenance window needs one; a notice without it is shown until an operator ends it.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
}

impl From<AnnouncementRecord> for Announcement {
    fn from(record: AnnouncementRecord) -> Self {
        let Said { kind, severity, zh, en, from, until } = record.said;
        Self { id: record.id, kind, severity, zh, en, from, until, changed_at: record.changed_at }
    }
}

impl From<AnnouncementRecord> for AdminAnnouncement {
    fn from(record: AnnouncementRecord) -> Self {
        Self {
            state: record.said.state(record.ended_at.is_some(), record.now),
            created_at: record.created_at,
            created_by: record.created_by.clone(),
            ended_by: record.ended_by.clone(),
            announcement: record.into(),
        }
    }
}

impl AnnouncementRequest {
    fn checked(self) -> Answer<Said> {
        let now = OffsetDateTime::now_utc();
        let (zh, en) = (said("zh", &self.zh, LONGEST)?, said("en", &self.en, LONGEST)?);
        let announcement = Said { kind: self.kind, severity: self.severity, zh, en, from: self.from.unwrap_or(now), until: self.until };
        match announcement.wrong(now) {
            Some((field, message)) => Err(Problem::field(field, message)),
            None => Ok(announcement),
        }
    }
}

/// What operators have to say now, maintenance windows ahead included, the newest first.
#[utoipa::path(tag = "announcements", responses((status = 200, body = List<Announcement>)))]
#[get("/announcements")]
pub async fn announcement_list(_: Caller, state: Data<State>) -> Answer<Json<List<Announcement>>> {
    Ok(Json(List::whole(state.store.announcements_now().await?.into_iter().map(Announcement::from).collect())))
}

/// The newest hundred announcements, ended ones too. Operators only.
#[utoipa::path(tag = "admin", responses((status = 200, body = List<AdminAnnouncement>)))]
#[get("/admin/announcements")]
pub async fn admin_announcement_list(operator: Operator, state: Data<State>) -> Answer<Json<List<AdminAnnouncement>>> {
    let found = state.store.announcements(operator.scope).await?;
    Ok(Json(List::whole(found.into_iter().map(AdminAnnouncement::from).collect())))
}

/// Tell everybody something. Operators only.
#[utoipa::path(tag = "admin", request_body = AnnouncementRequest, responses((status = 201, body = AdminAnnouncement)))]
#[post("/admin/announcements")]
pub async fn admin_announcement_create(operator: Operator, state: Data<State>, body: Body<AnnouncementRequest>) -> Answer<HttpResponse> {
    let Operator { caller, scope } = operator;
    let announcement = body.read()?.0.checked()?;
    let made = state.store.announcement_create(scope, &caller.actor, announcement, caller.context()).await?;
    Ok(HttpResponse::Created().json(AdminAnnouncement::from(made)))
}

/// Say it otherwise; who has put it away sees it again. Operators only.
#[utoipa::path(tag = "admin", params(("id" = AnnouncementId, Path)), request_body = AnnouncementRequest, responses((status = 200, body = AdminAnnouncement)))]
#[put("/admin/announcements/{id}")]
pub async fn admin_announcement_update(
    operator: Operator,
    state: Data<State>,
    id: Path<AnnouncementId>,
    body: Body<AnnouncementRequest>,
) -> Answer<Json<AdminAnnouncement>> {
    let Operator { caller, scope } = operator;
    let announcement = body.read()?.0.checked()?;
    Ok(Json(state.store.announcement_change(scope, &caller.actor, *id, announcement, caller.context()).await?.into()))
}

/// End an announcement: nobody is told any more. It stays in the operators' list. Operators only.
#[utoipa::path(tag = "admin", params(("id" = AnnouncementId, Path)), responses((status = 200, body = AdminAnnouncement)))]
#[delete("/admin/announcements/{id}")]
pub async fn admin_announcement_end(operator: Operator, state: Data<State>, id: Path<AnnouncementId>) -> Answer<Json<AdminAnnouncement>> {
    let Operator { caller, scope } = operator;
    Ok(Json(state.store.announcement_end(scope, &caller.actor, *id, caller.context()).await?.into()))
}
