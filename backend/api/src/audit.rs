//! The audit log: a project's own, and for operators all of it; by pages, or whole as JSON lines.

use crate::caller::Caller;
use crate::clusters::page_of;
use crate::errors::{Answer, Problem};
use crate::extract::QueryParams;
use crate::lasting;
use crate::lists::List;
use crate::operators::Operator;
use crate::session::ProjectRef;
use crate::state::State;
use actix_web::http::header;
use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpResponse, get};
use auth::{Actor, Scope};
use domain::codes::Code;
use domain::ids::{ClusterId, OperationId};
use futures::future::ready;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use store::{AuditFilter, AuditRecord, Page, PageRequest};
use time::OffsetDateTime;

/// One line: who did what to what, from where, and how it ended.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct AuditLine {
    pub id: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub project: ProjectRef,
    pub user: Person,
    /// `session`, `keystone_token`, `api_token`, `kubeconfig`, `sign_in` of who was not let in, or `engine` for what KCS does itself.
    pub via: String,
    /// Id of the token or kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_id: Option<uuid::Uuid>,
    /// `cluster_create`, `session_create`, `kubernetes_write`, …
    pub action: String,
    pub object_kind: String,
    pub object_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// `accepted`, `done`, `denied`, `failed` or `cancelled`. How an operation ended (`done`, `failed`, `cancelled`) is a line of KCS's own, under the
    /// request that asked for it. Of a call to a cluster that was accepted and then refused there, or did not get there, a second line says `failed`; of
    /// one that made an object whose name only the answer says it says `done`.
    pub outcome: String,
    pub request_id: String,
    /// The client's address.
    pub source: String,
    /// What belongs to the action: `before` and `after` of a change; of a call to a cluster the method and path, of one that makes an `object` its name as
    /// far as request or answer say it, of a patch the `fields` that it names, of one to many objects the `query` that selects them, and, where it failed,
    /// the cluster's `status` or the `code` of what kept it from getting there. Of a path, query or command over 8,192 characters the beginning, and in
    /// `cut` how many there were and their SHA-256. Of an operation that failed the `code` of its error. Never a secret.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// A person by id and name.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Person {
    pub id: String,
    pub name: String,
}

/// What the log may be narrowed by.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Id or name of the person.
    pub user: Option<String>,
    pub action: Option<String>,
    pub outcome: Option<String>,
    pub cluster_id: Option<ClusterId>,
    pub object_id: Option<String>,
    /// Id of the project; for operators, elsewhere only one's own is of use.
    pub project: Option<String>,
    /// RFC 3339; from this on.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub from: Option<OffsetDateTime>,
    /// RFC 3339; before this.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub to: Option<OffsetDateTime>,
    /// 1 to 200; default 50. An export goes to the end.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

impl From<AuditRecord> for AuditLine {
    fn from(record: AuditRecord) -> Self {
        let name = record.tenant_name.unwrap_or_default();
        Self {
            id: record.id,
            at: record.at,
            project: ProjectRef { id: record.tenant, name },
            user: Person { id: record.user_id, name: record.user_name },
            via: record.via,
            via_id: record.via_id,
            action: record.action,
            object_kind: record.object_kind,
            object_id: record.object_id,
            cluster: record.cluster.map(ClusterId),
            operation: record.operation.map(OperationId),
            outcome: record.outcome,
            request_id: record.request_id,
            source: record.source,
            detail: record.detail,
        }
    }
}

/// Which lines are asked for, how many, and from which cursor on.
type Asked = (AuditFilter, Option<u32>, Option<String>);

impl AuditQuery {
    fn asked(self) -> Asked {
        let filter = AuditFilter {
            tenant: self.project,
            user: self.user,
            via_id: None,
            action: self.action,
            outcome: self.outcome,
            cluster: self.cluster_id,
            object_id: self.object_id,
            from: self.from,
            to: self.to,
        };
        (filter, self.limit, self.cursor)
    }
}

async fn list(state: &State, scope: &Scope, (filter, limit, cursor): Asked) -> Answer<Json<List<AuditLine>>> {
    let page = page_of(limit, cursor)?;
    Ok(Json(List::page(state.store.audit(scope, filter, page).await?, AuditLine::from)))
}

/// Lines read from the database at once for an export.
const EXPORT_PAGE: u32 = 500;

/// All that match, the newest first, read as fast as the client takes them, for as long as the caller may have them. What is wrong with the question is said before the
/// answer begins.
async fn export(state: Data<State>, caller: Caller, scope: Scope, (filter, _, cursor): Asked) -> Answer<HttpResponse> {
    let changes = state.store.changes();
    let first = page(&state, &scope, &filter, cursor).await?;
    let rest = lines(state.clone(), scope, filter, first.next_cursor.clone());
    let all = futures::stream::once(ready(text(first))).chain(rest);
    let cut = Problem::new(Code::SessionExpired).detail("the right to the log has ended, or the export has lasted for as long as it may");
    let body = lasting::for_caller(state, caller, changes, all, Some(Err(cut)))?;
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/x-ndjson").insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""));
    Ok(answer.streaming(body))
}

async fn page(state: &State, scope: &Scope, filter: &AuditFilter, cursor: Option<String>) -> Answer<Page<AuditRecord>> {
    Ok(state.store.audit(scope, filter.clone(), PageRequest { limit: EXPORT_PAGE, cursor }).await?)
}

/// The pages from a cursor on.
fn lines(state: Data<State>, scope: Scope, filter: AuditFilter, from: Option<String>) -> impl Stream<Item = Result<Bytes, Problem>> {
    futures::stream::try_unfold(from, move |next| {
        let (state, scope, filter) = (state.clone(), scope.clone(), filter.clone());
        async move {
            let Some(cursor) = next else { return Ok(None) };
            let page = page(&state, &scope, &filter, Some(cursor)).await?;
            let next = page.next_cursor.clone();
            Ok(Some((text(page)?, next)))
        }
    })
}

/// A line each.
fn text(page: Page<AuditRecord>) -> Answer<Bytes> {
    let mut text = Vec::new();
    for record in page.items {
        serde_json::to_writer(&mut text, &AuditLine::from(record)).map_err(Problem::internal)?;
        text.push(b'\n');
    }
    Ok(Bytes::from(text))
}

/// Who sees only places of the project is told of their own deeds, and a token for some namespaces of what was done with it: its owner's other deeds
/// may have been anywhere.
fn own(actor: &Actor, query: AuditQuery) -> Asked {
    let (mut filter, limit, cursor) = query.asked();
    let narrowed = actor.narrowing.namespaces.is_some();
    if narrowed || actor.rights.clusters().is_some() {
        filter.user = Some(actor.user.id.clone());
    }
    if narrowed {
        filter.via_id = actor.via.id();
    }
    (filter, limit, cursor)
}

/// The project's audit log, the newest first; to whoever sees only places of the project their own deeds.
#[utoipa::path(tag = "audit", params(AuditQuery), responses((status = 200, body = List<AuditLine>)))]
#[get("/audit")]
pub async fn audit_list(caller: Caller, state: Data<State>, query: QueryParams<AuditQuery>) -> Answer<Json<List<AuditLine>>> {
    list(&state, &caller.actor.scope(), own(&caller.actor, query.read()?)).await
}

/// The project's audit log as JSON lines.
#[utoipa::path(tag = "audit", params(AuditQuery), responses((status = 200, description = "A line each, as in the list", content_type = "application/x-ndjson", body = String)))]
#[get("/audit/export")]
pub async fn audit_export(caller: Caller, state: Data<State>, query: QueryParams<AuditQuery>) -> Answer<HttpResponse> {
    let (scope, asked) = (caller.actor.scope(), own(&caller.actor, query.read()?));
    export(state, caller, scope, asked).await
}

/// The audit log of all projects, the newest first. Operators only.
#[utoipa::path(tag = "admin", params(AuditQuery), responses((status = 200, body = List<AuditLine>)))]
#[get("/admin/audit")]
pub async fn admin_audit_list(operator: Operator, state: Data<State>, query: QueryParams<AuditQuery>) -> Answer<Json<List<AuditLine>>> {
    list(&state, &operator.scope.scope(), query.read()?.asked()).await
}

/// The audit log of all projects as JSON lines. Operators only.
#[utoipa::path(tag = "admin", params(AuditQuery), responses((status = 200, description = "A line each, as in the list", content_type = "application/x-ndjson", body = String)))]
#[get("/admin/audit/export")]
pub async fn admin_audit_export(operator: Operator, state: Data<State>, query: QueryParams<AuditQuery>) -> Answer<HttpResponse> {
    export(state, operator.caller, operator.scope.scope(), query.read()?.asked()).await
}
